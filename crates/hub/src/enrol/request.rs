//! A new node asks: it makes its keys, pins the root, and writes a signed request.

use super::found::{check_free, root_enrolment, write_config};
use super::{EnrolError, SEALING_KEY, seal};
use crate::config::{Config, Node, RootKey};
use crate::keys::{KeyStore, VAULT_KEY};
use crate::replica::{Draft, LaneChoice, Replica};
use hub_core::fact::governance::{Enrolment, LaneHead};
use hub_core::fact::{FactBody, GovernanceFact};
use hub_core::id::{Lane, NodeId};
use hub_core::time::{Day, Millis};
use hub_log::backup::RESTORED_FILE;
use hub_node::wire::{EnrolRequest, Message, sign};
use std::path::Path;

/// Begins a new epoch of the node in `directory`: after a restore, for a new key, or when the clock ran
/// ahead. Returns its id and the request to carry to the parent. Until that approves, what this node
/// writes is held by others.
///
/// # Errors
/// The node runs, is the root (nobody above could enrol it), was never enrolled, or something cannot be
/// written.
pub fn renew(
    directory: &Path,
    clock: std::sync::Arc<dyn crate::clock::Clock>,
) -> Result<(NodeId, Vec<u8>), EnrolError> {
    let node = Node::load(directory)?;
    let (replica, _) = Replica::open(&node, clock)?;
    let who = replica.who();
    let unit = who.unit.filter(|_| !is_root(&node)).ok_or(EnrolError::NoRight)?;
    let unit = {
        let view = replica.read();
        let at = view.tree().find(&unit).ok_or(EnrolError::NoRight)?;
        view.tree().unit(at).name().to_owned()
    };
    let continues = Some((who.epoch, own_heads(&replica)));
    let keys = KeyStore::new(node.keys_dir());
    let sealing = match keys.load(SEALING_KEY)? {
        Some(sealing) => sealing,
        None => keys.create(SEALING_KEY)?,
    };
    let epoch = who.epoch + 1;
    let key = keys.create_signing_key(epoch)?;
    let request = EnrolRequest {
        node: who.node,
        key: key.verifying_key().to_bytes(),
        sealing_key: seal::public(&sealing),
        epoch,
        unit,
        token: String::new(),
        courier: keys.next_uplink_user(epoch)?.public().to_owned(),
        requested_at: replica.now(),
        continues,
        signature: [0; 64],
    };
    let request = request.signed(who.federation, |bytes| sign(&key, bytes));
    forget_restored(&node)?;
    Ok((who.node, Message::EnrolRequest(Box::new(request)).encode(who.federation)))
}

/// Begins a new epoch of the root, in force at once: nobody stands above it, and its key stays the pinned one. Of
/// the epochs before it needs nothing, so they may be forked, restored from an old backup or ahead of time.
/// Returns the new epoch.
///
/// # Errors
/// The node runs, is not the root, or something cannot be written.
pub fn renew_root(
    directory: &Path,
    clock: std::sync::Arc<dyn crate::clock::Clock>,
) -> Result<u32, EnrolError> {
    let node = Node::load(directory)?;
    let (who, unit, heads) = {
        let (replica, _) = Replica::open(&node, std::sync::Arc::clone(&clock))?;
        let heads = own_heads(&replica);
        let unit = {
            let view = replica.read();
            view.tree().root().map(|at| view.tree().unit(at).id)
        };
        (replica.who(), unit.ok_or(EnrolError::NoRight)?, heads)
    };
    if !is_root(&node) {
        return Err(EnrolError::NoRight);
    }
    let lane = Lane::Down(unit);
    // the block that says so is itself the first of its lane, and continues nothing
    let heads = heads.into_iter().filter(|head| head.lane != lane).collect();
    let epoch = who.epoch + 1;
    let keys = KeyStore::new(node.keys_dir());
    keys.carry_signing_key(1, epoch)?;
    forget_restored(&node)?;
    let (replica, _) = Replica::open(&node, clock)?;
    let now = replica.now();
    let enrolment = root_enrolment(who.node, node.config.root_key.0, (epoch, unit), now);
    let enrolment = Enrolment { continues: Some((who.epoch, heads)), ..enrolment };
    let enrolled = GovernanceFact::NodeEnrolled(Box::new(enrolment));
    let mut draft = Draft::new(unit, Day::of_millis(now), FactBody::Governance(enrolled));
    draft.lane = LaneChoice::Lane(lane);
    replica.write(vec![draft])?;
    Ok(epoch)
}

/// Whether a directory is the root's.
pub fn is_root(node: &Node) -> bool {
    NodeId::of_first_key(&node.config.root_key.0) == node.config.node
}

/// Where this node's lanes stand in its epoch.
fn own_heads(replica: &Replica) -> Vec<LaneHead> {
    let who = replica.who();
    let heads = replica.journal().heads().into_iter();
    let own = heads.filter(|(chain, _)| (chain.node, chain.epoch) == (who.node, who.epoch));
    let lanes = own.map(|(chain, head)| LaneHead {
        lane: chain.lane,
        height: head.height,
        hash: head.hash,
    });
    lanes.collect()
}

/// A new epoch signs nothing twice, whatever the directory lost.
fn forget_restored(node: &Node) -> Result<(), EnrolError> {
    let mark = node.data_dir().join(RESTORED_FILE);
    match std::fs::remove_file(&mark) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(EnrolError::Io { path: mark, error })
        }
        _ => Ok(()),
    }
}

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
    let config = Config::of_node(asking.root_key, node);
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
