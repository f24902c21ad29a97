//! How often a peer may have work done that costs it little: asks, comparisons of frontiers, wants. What is over is
//! not answered; an honest peer asks again in seconds and is far below.

use super::bucket::Bucket;
use crate::limits::{ASK_PACE, FRONTIER_PACE, Pace, WANT_BYTES_PACE};
use hub_core::time::Millis;

/// The paces of one peer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paces {
    asks: Bucket,
    frontiers: Bucket,
    wanted_bytes: Bucket,
}

fn has_room(bucket: &mut Bucket, now: Millis, pace: Pace) -> bool {
    bucket.leak(now, pace.a_second, 1_000);
    bucket.room(pace.at_once) > 0
}

fn takes_one(bucket: &mut Bucket, now: Millis, pace: Pace) -> bool {
    let room = has_room(bucket, now, pace);
    bucket.spend(u64::from(room));
    room
}

impl Paces {
    pub(super) fn may_ask(&mut self, now: Millis) -> bool {
        takes_one(&mut self.asks, now, ASK_PACE)
    }

    pub(super) fn may_compare(&mut self, now: Millis) -> bool {
        takes_one(&mut self.frontiers, now, FRONTIER_PACE)
    }

    /// Whether a want may be read for; what it brings is counted by [`Self::brought`].
    pub(super) fn may_want(&mut self, now: Millis) -> bool {
        has_room(&mut self.wanted_bytes, now, WANT_BYTES_PACE)
    }

    pub(super) fn brought(&mut self, bytes: usize) {
        self.wanted_bytes.spend(bytes as u64);
    }
}
