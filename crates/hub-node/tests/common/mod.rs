//! Nodes and their keys: node 1 is the root.

use hub_core::SigningKey;
use hub_core::id::{FederationId, NodeId};
use hub_core::time::Millis;

/// What time it is.
pub(crate) const NOW: Millis = 1_795_138_200_000;

/// The key of a node.
pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The node of a key.
pub(crate) fn node(seed: u8) -> NodeId {
    NodeId::of_first_key(key(seed).verifying_key().as_bytes())
}

/// The federation of node 1.
pub(crate) fn federation() -> FederationId {
    FederationId::of_root_key(key(1).verifying_key().as_bytes())
}
