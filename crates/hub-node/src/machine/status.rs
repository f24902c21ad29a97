//! What `hub status` shows of sync.

use super::Machine;
use crate::io::{Hold, Position, Refusal};
use crate::wire::{Cursor, Receipt};
use hub_core::id::{ChainId, NodeId};
use hub_core::time::Millis;

/// How sync stands.
#[derive(Debug, Clone)]
pub struct Status {
    /// Our journal's end.
    pub end: Position,
    /// The parent, if any.
    pub parent: Option<PeerStatus>,
    /// Children and followers.
    pub below: Vec<PeerStatus>,
    /// The parent's last receipt: how far it and its ancestors hold our journal.
    pub receipt: Option<Receipt>,
    /// Whether a comparison with the parent since the start found nothing of ours that we lack.
    pub compared_with_parent: bool,
    /// Blocks on their way to the disk.
    pub storing: usize,
}

/// One peer.
#[derive(Debug, Clone)]
pub struct PeerStatus {
    /// Which.
    pub node: NodeId,
    /// Whether its courier works.
    pub connected: bool,
    /// Its stream to us, durable to here.
    pub inbound: Option<Cursor>,
    /// Our stream to it, acknowledged to here.
    pub outbound: Option<Cursor>,
    /// When its stream last moved; 0 when never.
    pub durable_at: Millis,
    /// When it last said anything; 0 when never.
    pub heard_at: Millis,
    /// Blocks that wait.
    pub held: Vec<HeldStatus>,
    /// Deliveries refused since the start.
    pub refused: u64,
    /// The last of them.
    pub refusals: Vec<Refusal>,
    /// What it brought of late.
    pub quota: QuotaStatus,
}

/// How a child stands with its quota.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuotaStatus {
    /// Facts it brought of late, as far as they have not leaked away yet.
    pub facts: u64,
    /// Bytes, likewise.
    pub bytes: u64,
    /// Since when it has more than it may bring; `None` when it has not.
    pub over_since: Option<Millis>,
    /// Deliveries put off for that since the start.
    pub put_off: u64,
}

/// A block that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldStatus {
    /// Its chain.
    pub chain: ChainId,
    /// Its height.
    pub height: u64,
    /// Why.
    pub why: Hold,
    /// Since when.
    pub since: Millis,
}

impl Machine {
    /// How sync stands.
    pub fn status(&self) -> Status {
        let all = || self.peers.iter().map(|(id, peer)| peer.status(*id));
        let parent = self.parent.and_then(|id| self.peers.get(&id));
        Status {
            end: self.end,
            parent: all().find(|peer| Some(peer.node) == self.parent),
            below: all().filter(|peer| Some(peer.node) != self.parent).collect(),
            receipt: parent
                .and_then(|peer| peer.received.as_ref())
                .map(|(receipt, _)| receipt.clone()),
            compared_with_parent: self.asking.compared,
            storing: self.storing.len(),
        }
    }
}

impl super::peer::Peer {
    fn status(&self, node: NodeId) -> PeerStatus {
        let held = self.held.iter().map(|held| HeldStatus {
            chain: held.block.header().chain,
            height: held.block.header().height,
            why: held.why,
            since: held.since,
        });
        let (facts, bytes, _) = self.spent.amounts();
        let (over_since, put_off) = (self.over_since, self.put_off);
        PeerStatus {
            node,
            connected: self.connected,
            inbound: self.inbound.as_ref().map(|inbound| inbound.cursor()),
            outbound: self.outbound.as_ref().map(|outbound| outbound.acked()),
            durable_at: self.durable_at,
            heard_at: self.heard_at,
            held: held.collect(),
            refused: self.refused,
            refusals: self.refusals.iter().cloned().collect(),
            quota: QuotaStatus { facts, bytes, over_since, put_off },
        }
    }
}
