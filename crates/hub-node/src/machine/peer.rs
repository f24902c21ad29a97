//! What the machine keeps of one peer; everything in it is bounded.

use super::held::Held;
use super::inbound::Inbound;
use super::marks::Marks;
use super::outbound::Outbound;
use super::pace::Paces;
use super::quota::Spent;
use crate::io::{Position, Refusal};
use crate::limits::REFUSALS_KEPT_MAX;
use crate::wire::{Receipt, Watermark};
use hub_core::time::Millis;
use std::collections::VecDeque;

/// One peer: the parent, a child, or a follower.
#[derive(Debug, Clone, Default)]
pub(super) struct Peer {
    pub(super) connected: bool,
    /// The peer's stream to us.
    pub(super) inbound: Option<Inbound>,
    /// Our stream to the peer.
    pub(super) outbound: Option<Outbound>,
    pub(super) held: Held,
    /// When the inbound cursor last moved.
    pub(super) durable_at: Millis,
    /// Of a child: what to tell it.
    pub(super) receipt: ReceiptState,
    /// Of a child: its stream's places in our journal.
    pub(super) marks: Marks,
    /// Of the parent: its last good receipt, and when it came.
    pub(super) received: Option<(Receipt, Millis)>,
    /// Of the parent: our journal's end when it became our parent.
    pub(super) parent_since: Position,
    /// Whether the record of this peer is not as [`crate::io::Output::Remember`] last gave it.
    pub(super) dirty: bool,
    /// Reads for its wants under way.
    pub(super) reads: usize,
    pub(super) refused: u64,
    pub(super) refusals: VecDeque<Refusal>,
    /// Forks that it brought.
    pub(super) forks: usize,
    /// What it brought of late, and since when it brought too much.
    pub(super) spent: Spent,
    pub(super) over_since: Option<Millis>,
    /// Deliveries put off for that since the start.
    pub(super) put_off: u64,
    /// How much it had done of late.
    pub(super) paces: Paces,
    /// When its stream last began anew.
    pub(super) restarted_at: Millis,
    /// When its gaps were last asked for.
    pub(super) wanted_at: Millis,
    /// When it last said anything.
    pub(super) heard_at: Millis,
}

/// What a child was told, and whether there is news.
#[derive(Debug, Clone, Default)]
pub(super) struct ReceiptState {
    /// Its position moved, or it asked.
    pub(super) due: bool,
    /// The watermarks last told.
    pub(super) told: Vec<Watermark>,
    pub(super) told_at: Millis,
}

impl Peer {
    /// Counts a refusal and keeps the last few by name.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refused += 1;
        if self.refusals.len() == REFUSALS_KEPT_MAX {
            self.refusals.pop_front();
        }
        self.refusals.push_back(refusal);
    }
}
