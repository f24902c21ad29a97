//! A new node asks: it makes its keys, pins the root, and writes a signed request.

use super::found::{check_free, write_config};
use super::{EnrolError, SEALING_KEY, seal};
use crate::config::{Config, LimitsConfig, RootKey};
use crate::keys::{KeyStore, VAULT_KEY};
use hub_core::id::NodeId;
use hub_core::time::Millis;
use hub_node::wire::{EnrolRequest, Message, sign};
use std::path::Path;

/// What a node asks.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The root's key, read out or printed by the federation: pinned from here on.
    pub root_key: RootKey,
    /// The unit it asks to serve, by name, path or code.
    pub unit: String,
    /// The one-time token, if one was handed out.
    pub token: String,
}

/// Makes a node in an empty directory and returns its id and the request to carry to the parent.
///
/// # Errors
/// The directory holds a node, or something cannot be written.
pub fn request(
    directory: &Path,
    asking: &Asking,
    now: Millis,
) -> Result<(NodeId, Vec<u8>), EnrolError> {
    check_free(directory)?;
    let keys = KeyStore::new(directory.join("keys"));
    let key = keys.create_signing_key(1)?;
    let sealing = keys.create(SEALING_KEY)?;
    keys.create(VAULT_KEY)?;
    let courier = keys.nats_user()?;
    let public = key.verifying_key().to_bytes();
    let node = NodeId::of_first_key(&public);
    let federation = asking.root_key.federation();
    let config = Config {
        data_dir: None,
        root_key: asking.root_key,
        node,
        head_copy: None,
        parent: None,
        server: None,
        limits: LimitsConfig::default(),
    };
    write_config(directory, &config)?;
    let request = EnrolRequest {
        node,
        key: public,
        sealing_key: seal::public(&sealing),
        epoch: 1,
        unit: asking.unit.clone(),
        token: asking.token.clone(),
        courier: courier.public().to_owned(),
        requested_at: now,
        continues: None,
        signature: [0; 64],
    };
    let request = request.signed(federation, |bytes| sign(&key, bytes));
    Ok((node, Message::EnrolRequest(Box::new(request)).encode(federation)))
}
