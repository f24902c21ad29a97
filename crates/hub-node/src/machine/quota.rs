//! How much a child may bring in a span of time, with all that stands below it: what is beyond waits with the child, is
//! asked for once there is room, and costs others nothing.

use super::Machine;
use crate::io::{Event, Output, Quota, Refusal};
use hub_core::block::Block;
use hub_core::id::NodeId;
use hub_core::time::{DAY_MILLIS, Millis};

/// A bucket that leaks at the rate of the quota and holds what one span allows. Amounts are kept times the
/// milliseconds of a day, so that no leak is too small to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    facts: u128,
    bytes: u128,
    at: Millis,
}

const DAY: u128 = DAY_MILLIS as u128;

impl Spent {
    /// What was spent when a record was made.
    pub(super) fn of(facts: u64, bytes: u64, at: Millis) -> Self {
        Self { facts: u128::from(facts) * DAY, bytes: u128::from(bytes) * DAY, at }
    }

    /// Whole facts and bytes, rounded up, and when.
    pub(super) fn amounts(&self) -> (u64, u64, Millis) {
        let whole = |amount: u128| u64::try_from(amount.div_ceil(DAY)).unwrap_or(u64::MAX);
        (whole(self.facts), whole(self.bytes), self.at)
    }

    /// Time has passed. A clock that went back gives nothing and takes nothing.
    fn leak(&mut self, now: Millis, quota: Quota) {
        let passed = u128::from(now.saturating_sub(self.at));
        let leaks = (DAY * passed).checked_div(u128::from(quota.span)).unwrap_or(0);
        let left = |amount: u128, of: u64| amount.saturating_sub(leaks.saturating_mul(of.into()));
        (self.facts, self.bytes) = (left(self.facts, quota.facts), left(self.bytes, quota.bytes));
        self.at = self.at.max(now);
    }

    fn spend(&mut self, block: &Block) {
        self.facts = self.facts.saturating_add(u128::from(block.header().count) * DAY);
        self.bytes = self.bytes.saturating_add(block.bytes().len() as u128 * DAY);
    }

    /// How many more facts there is room for, rounded up.
    fn room(&self, quota: Quota) -> u64 {
        let room = (u128::from(quota.facts) * DAY).saturating_sub(self.facts).div_ceil(DAY);
        if quota.facts == 0 { u64::MAX } else { u64::try_from(room).unwrap_or(u64::MAX) }
    }

    fn is_over(&self, quota: Quota) -> bool {
        let full = |amount: u128, of: u64| of > 0 && amount >= u128::from(of) * DAY;
        full(self.facts, quota.facts) || full(self.bytes, quota.bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { facts: 3, bytes: 0, span: DAY_MILLIS };

    #[test]
    fn it_leaks_by_the_millisecond_and_never_gains_by_a_clock_that_goes_back() {
        let mut spent = Spent::of(3, 100, 1_000);
        assert!(spent.is_over(QUOTA), "bytes are not bounded here, facts are");
        for now in 1_001..1_100 {
            spent.leak(now, QUOTA);
        }
        assert!(!spent.is_over(QUOTA), "a little has leaked");
        assert_eq!(spent.amounts().0, 3, "less than a whole fact");
        spent.leak(5, QUOTA);
        spent.leak(1_099, QUOTA);
        assert_eq!(spent.facts, 3 * DAY - 3 * 99);
        spent.leak(1_000 + DAY_MILLIS, QUOTA);
        assert_eq!(spent.amounts().0, 0);
    }
}
