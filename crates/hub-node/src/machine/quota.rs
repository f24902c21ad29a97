//! How much a child may bring in a span of time, with all that stands below it: what is beyond waits with the child, is
//! asked for once there is room, and costs others nothing.

use super::Machine;
use super::bucket::Bucket;
use crate::io::{Event, Output, Quota, Refusal};
use hub_core::block::Block;
use hub_core::id::NodeId;
use hub_core::time::Millis;

/// What a child has brought of late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    facts: Bucket,
    bytes: Bucket,
}

impl Spent {
    /// What was spent when a record was made.
    pub(super) fn of(facts: u64, bytes: u64, at: Millis) -> Self {
        Self { facts: Bucket::of(facts, at), bytes: Bucket::of(bytes, at) }
    }

    /// Whole facts and bytes, rounded up, and when.
    pub(super) fn amounts(&self) -> (u64, u64, Millis) {
        (self.facts.spent(), self.bytes.spent(), self.facts.at())
    }

    fn leak(&mut self, now: Millis, quota: Quota) {
        self.facts.leak(now, quota.facts, quota.span);
        self.bytes.leak(now, quota.bytes, quota.span);
    }

    fn spend(&mut self, block: &Block) {
        self.facts.spend(block.header().count.into());
        self.bytes.spend(block.bytes().len() as u64);
    }

    /// How many more facts there is room for; a quota of 0 bounds nothing.
    fn room(&self, quota: Quota) -> u64 {
        if quota.facts == 0 { u64::MAX } else { self.facts.room(quota.facts) }
    }

    fn is_over(&self, quota: Quota) -> bool {
        let full = |bucket: &Bucket, holds: u64| holds > 0 && bucket.room(holds) == 0;
        full(&self.facts, quota.facts) || full(&self.bytes, quota.bytes)
    }
}

impl Machine {
    fn quota(&self) -> Quota {
        self.start.as_ref().map_or(Quota::default(), |start| start.quota)
    }

    /// Whether a peer has brought what it may for now; the parent always may.
    pub(super) fn is_over_quota(&mut self, now: Millis, id: NodeId) -> bool {
        let quota = self.quota();
        if Some(id) == self.parent {
            return false;
        }
        let Some(peer) = self.peers.get_mut(&id) else { return false };
        peer.spent.leak(now, quota);
        let over = peer.spent.is_over(quota);
        if !over {
            peer.over_since = None;
        }
        over
    }

    /// How many facts a peer may bring now before it is over its quota.
    pub(super) fn room_for(&self, id: NodeId) -> u64 {
        let peer = self.peers.get(&id).filter(|_| Some(id) != self.parent);
        peer.map_or(u64::MAX, |peer| peer.spent.room(self.quota()))
    }

    /// What a peer brought is about to be stored.
    pub(super) fn charge(&mut self, id: NodeId, block: &Block) {
        if Some(id) != self.parent {
            let peer = self.peer(id);
            peer.spent.spend(block);
            peer.dirty = true;
        }
    }

    /// Leaves a block with the child: it is neither kept nor receipted, and may come again.
    pub(super) fn put_off(&mut self, now: Millis, from: NodeId, delivery: Option<u64>) {
        if let Some(delivery) = delivery {
            self.out.push(Output::Reject { delivery, refusal: Refusal::OverQuota });
        }
        let peer = self.peer(from);
        peer.put_off += 1;
        if peer.over_since.is_none() {
            peer.over_since = Some(now);
            self.report(Event::OverQuota { from });
        }
    }
}
