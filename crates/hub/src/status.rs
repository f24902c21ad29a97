//! How one node stands: what `hub status` shows.

use crate::bundle::{Told, told};
use crate::config::Node;
use crate::expiry::{self, ChildExpiry};
use crate::metrics::SyncTimes;
use crate::replica::{Backlog, LocalPosition, Replica, ReplicaError};
use hub_core::hash::Hash;
use hub_core::id::{ChainId, NodeId, UnitId};
use hub_core::time::Millis;
use hub_core::view::fork::ForkedChain;
use hub_core::view::verdict::Reason;
use hub_node::io::{Context, Hold, Input, JournalId, Quota, Scope, Start};
use hub_node::limits::{ASK_JITTER_MILLIS, ASK_MILLIS};
use hub_node::machine::{Machine, PeerStatus, QuotaStatus, Status};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One moment of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSnapshot {
    /// The node.
    pub node: NodeId,
    /// The epoch it signs in.
    pub epoch: u32,
    /// The unit it serves; none before it is enrolled.
    pub unit: Option<UnitId>,
    /// When this was taken, by its clock.
    pub at: Millis,
    /// Whether a daemon runs.
    pub daemon: bool,
    /// Why it does not sign now, in words; none when it does.
    pub does_not_sign: Option<String>,
    /// Its own chains.
    pub chains: Vec<ChainStatus>,
    /// Its way up; none for the root.
    pub parent: Option<LinkStatus>,
    /// How far its own last block has arrived, nearest ancestor first.
    pub arrived: Vec<Arrival>,
    /// What the parent said by telephone beyond what it has signed, for gates through which nothing comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// The nodes below that it has heard of.
    pub children: Vec<LinkStatus>,
    /// Facts that are parked, by reason.
    pub parked: BTreeMap<Reason, u64>,
    /// Places of the journal that cannot be read: what they held is missing from every answer.
    pub damaged: usize,
    /// Where a key has signed twice at one place.
    pub forks: Vec<ForkStatus>,
    /// The persons the view knows.
    pub persons: usize,
    /// Until when the node's enrolment holds; none before it is enrolled.
    pub expires: Option<Millis>,
    /// Until when the direct children's do, heard of or not.
    pub child_expires: Vec<ChildExpiry>,
    /// The disk under the data directory.
    pub disk: DiskStatus,
    /// How long making things durable took, since this process opened the journal.
    pub syncs: SyncTimes,
}

/// The disk under the data directory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskStatus {
    /// What this node may still write.
    pub free: u64,
    /// What its journal takes, preallocated space included.
    pub journal: u64,
}

/// One chain of this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStatus {
    /// Which.
    pub chain: ChainId,
    /// The height of its last block.
    pub height: u64,
    /// How many facts it holds.
    pub facts: u64,
}

/// A fork.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkStatus {
    /// The chain.
    pub chain: ChainId,
    /// The height at which two blocks stand.
    pub height: u64,
    /// The sides, by the hashes of their first blocks.
    pub sides: Vec<Hash>,
    /// The side that counts; none while all are suspended.
    pub counts: Option<Hash>,
}

impl ForkStatus {
    fn of(fork: ForkedChain) -> Self {
        let ForkedChain { chain, height, sides, .. } = fork;
        let counts = sides.iter().find(|side| side.counts).map(|side| side.hash);
        Self { chain, height, sides: sides.iter().map(|side| side.hash).collect(), counts }
    }
}

/// One neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Which node.
    pub node: NodeId,
    /// Whether the courier to it works; of a child, whether it was heard of late.
    pub connected: bool,
    /// When it was last heard, by this node's clock; 0 when never since the start.
    pub heard_at: Millis,
    /// When its stream last moved on durably here; 0 when never since the start.
    pub durable_at: Millis,
    /// What is not yet acknowledged by it; none when it is too much to count.
    pub behind: Option<Backlog>,
    /// The newest fact of its own that is here, by its clock; 0 when there is none.
    pub newest: Millis,
    /// What waits of what it sent.
    pub held: Vec<HeldBlock>,
    /// Messages refused since the start.
    pub refused: u64,
    /// How it stands with what it may bring in a day.
    pub quota: QuotaUse,
}

/// How a child stands with what it may bring in a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaUse {
    /// The greater of the parts of facts and bytes that are used, in thousandths.
    pub used_permille: u64,
    /// Since when it offers more than it may bring, by this node's clock; none when it does not.
    pub over_since: Option<Millis>,
    /// Deliveries put off for that since the start.
    pub put_off: u64,
}

impl QuotaUse {
    fn of(quota: Quota, stands: &QuotaStatus) -> Self {
        let part = |used: u64, of: u64| {
            let part = (u128::from(used) * 1_000).checked_div(u128::from(of)).unwrap_or(0);
            u64::try_from(part).unwrap_or(u64::MAX)
        };
        Self {
            used_permille: part(stands.facts, quota.facts).max(part(stands.bytes, quota.bytes)),
            over_since: stands.over_since,
            put_off: stands.put_off,
        }
    }
}

/// A block that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBlock {
    /// Its chain.
    pub chain: ChainId,
    /// Its height.
    pub height: u64,
    /// Why.
    pub why: WhyHeld,
    /// Since when, by this node's clock.
    pub since: Millis,
}

/// Why a block waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyHeld {
    /// Blocks before it are missing.
    Gap,
    /// No enrolment of its writer is known.
    UnknownKey,
    /// Its clock is ahead of ours.
    Door,
}

/// Whether this node's last own block has arrived at an ancestor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The ancestor.
    pub ancestor: NodeId,
    /// Whether it durably holds everything this node wrote.
    pub complete: bool,
    /// When it said so, by its clock.
    pub durable_at: Millis,
    /// Up to where it durably holds this node's own chains; empty when it is too far back to tell.
    pub holds: Vec<ChainPlace>,
}

/// A block by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPlace {
    /// Its chain.
    pub chain: ChainId,
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: Hash,
}

impl StatusSnapshot {
    /// How a node stands whose directory a command opened itself: what it remembers of its peers.
    ///
    /// # Errors
    /// What is kept of peers cannot be read.
    pub fn without_daemon(node: &Node, replica: &Replica) -> Result<Self, ReplicaError> {
        let mut machine = Machine::new();
        machine.step(replica.now(), Input::Start(Box::new(start(replica)?)), &replica.lookup());
        Ok(Self::of(node, replica, &machine.status(), false))
    }

    /// How a node stands.
    pub(crate) fn of(node: &Node, replica: &Replica, status: &Status, daemon: bool) -> Self {
        let who = replica.who();
        let heads = replica.journal().heads();
        let own = heads.iter().filter(|(chain, _)| chain.node == who.node);
        let chains = own.map(|(chain, head)| ChainStatus {
            chain: *chain,
            height: head.height,
            facts: head.next_seq - 1,
        });
        let parent = node.config.above().map(|parent| {
            let heard = status.parent.as_ref();
            heard.map_or_else(|| silent(parent.node), |peer| link(replica, peer))
        });
        let (parked, persons, expires, forks) = {
            let view = replica.read();
            let expires = expiry::of_writer(&view, (who.node, who.epoch));
            let forks = view.forks().map(ForkStatus::of).collect();
            (view.parked(), view.persons(), expires, forks)
        };
        Self {
            node: who.node,
            epoch: who.epoch,
            unit: who.unit,
            at: replica.now(),
            daemon,
            does_not_sign: replica.may_sign().err().map(|refused| refused.to_string()),
            chains: chains.collect(),
            parent,
            arrived: arrivals(replica, status),
            told: told(node, replica, status.receipt.as_ref().map(|receipt| receipt.cursor)),
            children: status.below.iter().map(|peer| below(replica, peer)).collect(),
            parked,
            damaged: replica.damaged(),
            forks,
            persons,
            expires,
            child_expires: expiry::of_children(replica),
            disk: disk(&node.data_dir()),
            syncs: replica.sync_times(),
        }
    }
}

/// What the system says of the disk; zeros when it says nothing.
fn disk(data: &Path) -> DiskStatus {
    let free = rustix::fs::statvfs(data).map_or(0, |disk| disk.f_bavail * disk.f_frsize);
    let files = std::fs::read_dir(data.join("journal")).into_iter().flatten().flatten();
    let journal = files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    DiskStatus { free, journal }
}

/// What the machine of a node with these books is told first.
///
/// # Errors
/// What is kept of peers cannot be read.
pub fn start(replica: &Replica) -> Result<Start, ReplicaError> {
    let who = replica.who();
    let memories = replica.memories()?;
    Ok(Start {
        federation: who.federation,
        node: who.node,
        epoch: who.epoch,
        journal: JournalId(replica.journal().id().0),
        end: replica.end().0,
        parent: replica.parent(),
        follows: replica.follows(),
        quota: replica.quota(),
        seed: u64::from_be_bytes(who.node.0[8..].try_into().unwrap_or_default()),
        memories,
    })
}

/// A child that asked for nothing so long is away.
const QUIET_MILLIS: Millis = 4 * (ASK_MILLIS + ASK_JITTER_MILLIS);

fn silent(node: NodeId) -> LinkStatus {
    LinkStatus {
        node,
        connected: false,
        heard_at: 0,
        durable_at: 0,
        behind: None,
        newest: 0,
        held: Vec::new(),
        refused: 0,
        quota: QuotaUse::default(),
    }
}

/// A child is there while it is heard: that its parent's own server works says nothing of it.
fn below(replica: &Replica, peer: &PeerStatus) -> LinkStatus {
    let quiet = replica.now().saturating_sub(peer.heard_at);
    let connected = peer.connected && peer.heard_at > 0 && quiet < QUIET_MILLIS;
    LinkStatus { connected, ..link(replica, peer) }
}

fn link(replica: &Replica, peer: &PeerStatus) -> LinkStatus {
    let acked = peer.outbound.as_ref().map_or(0, |cursor| cursor.position);
    let held = peer.held.iter().map(|held| HeldBlock {
        chain: held.chain,
        height: held.height,
        why: match held.why {
            Hold::Gap => WhyHeld::Gap,
            Hold::UnknownKey => WhyHeld::UnknownKey,
            Hold::Door => WhyHeld::Door,
        },
        since: held.since,
    });
    LinkStatus {
        node: peer.node,
        connected: peer.connected,
        heard_at: peer.heard_at,
        durable_at: peer.durable_at,
        behind: replica.backlog(LocalPosition(acked)),
        newest: newest(replica, peer.node),
        held: held.collect(),
        refused: peer.refused,
        quota: QuotaUse::of(replica.quota(), &peer.quota),
    }
}

/// When a node wrote the newest block of its own that is here.
fn newest(replica: &Replica, node: NodeId) -> Millis {
    let heads = replica.journal().heads().into_iter();
    let own = heads.filter(|(chain, _)| chain.node == node);
    own.map(|(_, head)| head.last_hlc.millis()).max().unwrap_or(0)
}

fn arrivals(replica: &Replica, status: &Status) -> Vec<Arrival> {
    let Some(receipt) = &status.receipt else { return Vec::new() };
    let end = replica.last_own().0;
    let arrival = |ancestor, position, durable_at| Arrival {
        ancestor,
        complete: position >= end,
        durable_at,
        holds: places(replica, LocalPosition(position)),
    };
    let first = arrival(receipt.receiver, receipt.cursor.position, receipt.durable_at);
    let above = receipt.watermarks.iter();
    let above = above.map(|mark| arrival(mark.ancestor, mark.position, mark.durable_at));
    std::iter::once(first).chain(above).collect()
}

fn places(replica: &Replica, position: LocalPosition) -> Vec<ChainPlace> {
    let chains = replica.own_chains_at(position).unwrap_or_default();
    let places = chains.into_iter();
    places.map(|(chain, (height, hash))| ChainPlace { chain, height, hash }).collect()
}

/// Everyone who hears from this node: its children, and those that follow its journal.
pub(crate) fn hearers(replica: &Replica) -> Vec<NodeId> {
    let mut nodes = children(replica);
    nodes.extend(replica.followers());
    nodes
}

/// The nodes below this one that are its direct children.
pub(crate) fn children(replica: &Replica) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = {
        let view = replica.read();
        view.authority().enrolments.iter().map(|enrolled| enrolled.enrolment.node).collect()
    };
    nodes.sort();
    nodes.dedup();
    let lookup = replica.lookup();
    nodes.retain(|node| matches!(lookup.scope(*node), Some(Scope::Child(_))));
    nodes
}
