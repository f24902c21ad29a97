//! A new node asks: it makes its keys, pins the root, and writes a signed request.

use super::found::{check_free, root_enrolment, write_config};
use super::{EnrolError, SEALING_KEY, seal};
use crate::config::{Config, Node, RootKey};
use crate::keys::{KeyError, KeyStore, VAULT_KEY};
use crate::ops_nats::replace_file;
use crate::replica::{Draft, LaneChoice, Replica, waiting_file};
use hub_core::fact::governance::Enrolment;
use hub_core::fact::{FactBody, GovernanceFact};
use hub_core::id::{Lane, NodeId};
use hub_core::time::{Day, Millis};
use hub_log::backup::RESTORED_FILE;
use hub_node::wire::{EnrolRequest, Message, sign};
use std::path::Path;

/// Begins a new epoch of the node in `directory`: after a restore, for a new key, or when the clock ran
/// ahead. Returns its id and the request to carry to the parent. Until that approves, others hold what this node
/// writes; a directory that could not sign before does not sign until then.
///
/// Done again before the parent has approved, it makes the request for the same epoch anew.
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
    if is_root(&node) {
        return Err(EnrolError::NoRight);
    }
    let (continued, unit) = {
        let view = replica.read();
        let enrolled = view.authority().last_until(who.node, who.epoch);
        let enrolled = enrolled.ok_or(EnrolError::NoRight)?;
        (enrolled.enrolment.epoch, view.tree().unit(enrolled.unit).name().to_owned())
    };
    let (keys, signs) = (KeyStore::new(node.keys_dir()), replica.may_sign().is_ok());
    let sealing = keys.load_or_create(SEALING_KEY)?;
    // what was asked for already is asked for again, unless something befell that epoch as well
    let (epoch, key) = if continued < who.epoch && (signs || waits(&node, who.epoch)) {
        (who.epoch, keys.signing_key(who.epoch)?)
    } else {
        let epoch = who.epoch + 1;
        if !signs {
            wait_for_enrolment(&node, epoch)?;
        }
        (epoch, keys.create_signing_key(epoch)?)
    };
    let request = EnrolRequest {
        node: who.node,
        key: key.verifying_key().to_bytes(),
        sealing_key: seal::public(&sealing),
        epoch,
        unit,
        token: String::new(),
        courier: keys.next_uplink_user(epoch)?.public().to_owned(),
        requested_at: begun(&replica, epoch),
        continues: Some((continued, replica.heads_of(continued))),
        proof: None,
        signature: [0; 64],
    };
    let request = match keys.signing_key(continued) {
        Ok(before) => request.proven(who.federation, |bytes| sign(&before, bytes)),
        Err(KeyError::Missing { .. }) => request,
        Err(error) => return Err(error.into()),
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
        let heads = replica.heads_of(replica.who().epoch);
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

/// When an epoch began: now, or with what it has signed already. Its enrolment is to hold from then.
fn begun(replica: &Replica, epoch: u32) -> Millis {
    let (node, journal) = (replica.who().node, replica.journal());
    let chains = journal.heads().into_keys().filter(|of| (of.node, of.epoch) == (node, epoch));
    let first = chains.filter_map(|chain| journal.block(&chain, 1).ok().flatten());
    let clocks = first.map(|block| block.header().first_hlc.millis());
    clocks.fold(replica.now(), Millis::min)
}

/// Writes down that an epoch states nothing before it is enrolled: the directory may lack what the node wrote in
/// the epoch before, which its enrolment names.
fn wait_for_enrolment(node: &Node, epoch: u32) -> Result<(), EnrolError> {
    let path = node.data_dir().join(waiting_file(epoch));
    replace_file(&path, "").map_err(|error| EnrolError::Io { path, error })
}

fn waits(node: &Node, epoch: u32) -> bool {
    node.data_dir().join(waiting_file(epoch)).exists()
        && !node.data_dir().join(RESTORED_FILE).exists()
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
        proof: None,
        signature: [0; 64],
    };
    let request = request.signed(federation, |bytes| sign(&key, bytes));
    Ok((node, Message::EnrolRequest(Box::new(request)).encode(federation)))
}
