//! How often a peer may have work done that costs it little: asks, comparisons of frontiers, wants. What is over is
//! not answered; an honest peer asks again in seconds and is far below.

use crate::limits::{ASK_PACE, FRONTIER_PACE, Pace, WANT_BYTES_PACE};
use hub_core::time::Millis;

/// A bucket that leaks: what was spent of late, in thousandths.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    spent: u64,
    at: Millis,
}

impl Bucket {
    /// Whether there is room; takes `cost` then. A clock that went back gives nothing and takes nothing.
    fn takes(&mut self, now: Millis, pace: Pace, cost: u64) -> bool {
        let leaked = now.saturating_sub(self.at).saturating_mul(pace.a_second);
        self.spent = self.spent.saturating_sub(leaked);
        self.at = self.at.max(now);
        let room = self.spent < pace.at_once.saturating_mul(1_000);
        if room {
            self.spent = self.spent.saturating_add(cost.saturating_mul(1_000));
        }
        room
    }
}

/// The paces of one peer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paces {
    asks: Bucket,
    frontiers: Bucket,
    wanted_bytes: Bucket,
}

impl Paces {
    pub(super) fn may_ask(&mut self, now: Millis) -> bool {
        self.asks.takes(now, ASK_PACE, 1)
    }

    pub(super) fn may_compare(&mut self, now: Millis) -> bool {
        self.frontiers.takes(now, FRONTIER_PACE, 1)
    }

    /// Whether a want may be read for; what it brings is counted by [`Self::brought`].
    pub(super) fn may_want(&mut self, now: Millis) -> bool {
        self.wanted_bytes.takes(now, WANT_BYTES_PACE, 0)
    }

    pub(super) fn brought(&mut self, now: Millis, bytes: usize) {
        self.wanted_bytes.takes(now, WANT_BYTES_PACE, bytes as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_only_the_pace() {
        let pace = Pace { at_once: 3, a_second: 2 };
        let mut bucket = Bucket::default();
        let taken =
            |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.takes(now, pace, 1)).count();
        assert_eq!(taken(&mut bucket, 1_000), 3);
        assert_eq!(taken(&mut bucket, 1_000), 0);
        assert_eq!(taken(&mut bucket, 500), 0, "a clock that goes back gives nothing");
        assert_eq!(taken(&mut bucket, 2_000), 2);
        assert_eq!(taken(&mut bucket, 900_000), 3);
    }
}
