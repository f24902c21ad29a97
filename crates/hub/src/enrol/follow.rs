//! A standby or an auditor's copy: a directory that follows one node's journal, block by block, and states
//! nothing. It has a key to be known by, and none to sign facts with.

use super::EnrolError;
use super::found::{check_free, write_config};
use crate::config::{Config, ParentConfig, RootKey};
use crate::keys::KeyStore;
use crate::ops_nats::{ChildUser, Children};
use crate::replica::Replica;
use ed25519_dalek::SigningKey;
use hub_core::id::NodeId;
use hub_core::time::Millis;
use hub_node::wire::{EnrolRequest, Message, sign};
use std::path::Path;

/// The name of the key by which a follower is known.
const FOLLOWER_KEY: &str = "follower";

/// Makes a directory that is to follow a node's journal, and the request to carry to that node.
///
/// # Errors
/// The directory holds a node, or something cannot be written.
pub fn follow(
    directory: &Path,
    root_key: RootKey,
    followed: ParentConfig,
    now: Millis,
) -> Result<(NodeId, Vec<u8>), EnrolError> {
    check_free(directory)?;
    let keys = KeyStore::new(directory.join("keys"));
    let secret = keys.create(FOLLOWER_KEY)?;
    let key = SigningKey::from_bytes(&secret);
    let courier = keys.nats_user()?;
    let public = key.verifying_key().to_bytes();
    let node = NodeId::of_first_key(&public);
    let config = Config { follow: Some(followed), ..Config::of_node(root_key, node) };
    write_config(directory, &config)?;
    let request = EnrolRequest {
        node,
        key: public,
        sealing_key: [0; 32],
        epoch: 1,
        unit: String::new(),
        token: String::new(),
        courier: courier.public().to_owned(),
        requested_at: now,
        continues: None,
        proof: None,
        signature: [0; 64],
    };
    let federation = root_key.federation();
    let request = request.signed(federation, |bytes| sign(&key, bytes));
    Ok((node, Message::EnrolRequest(Box::new(request)).encode(federation)))
}

/// Lets the node of this request follow the journal of this one: it hears everything, and has no word.
///
/// # Errors
/// A request to be enrolled and not to follow, or the list cannot be written.
pub fn admit(
    replica: &Replica,
    request: &EnrolRequest,
    name: &str,
    followers: &Path,
) -> Result<(), EnrolError> {
    if !request.unit.is_empty() || request.continues.is_some() {
        return Err(EnrolError::Kind { expected: "a request to follow" });
    }
    let mut list = Children::load(followers)?;
    let (node, nats_user) = (request.node, request.courier.clone());
    list.put(ChildUser::new(node, nats_user, name.to_owned()))?;
    list.save(followers)?;
    replica.admit_follower(node);
    Ok(())
}
