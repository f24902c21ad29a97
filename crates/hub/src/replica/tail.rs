//! The newest blocks of the journal in memory: what is shipped on was mostly just stored.

use super::Replica;
use super::held;
use hub_core::block::Block;
use hub_core::hash::Hash;
use hub_core::id::ChainId;
use hub_core::time::Millis;
use hub_log::{Origin, Position};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many bytes of blocks are kept.
const TAIL_BYTES: usize = 4 << 20;

/// A place in the journal as one number: rises from block to block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalPosition(pub u64);

impl LocalPosition {
    /// Before the first block.
    pub const START: Self = Self(0);

    fn frame(self) -> Position {
        if self == Self::START {
            return Position::START;
        }
        Position { segment: self.0 >> 32, offset: self.0 & 0xffff_ffff }
    }
}

impl From<Position> for LocalPosition {
    /// Segments are at most 1 GiB, so an offset fits into 32 bits.
    fn from(position: Position) -> Self {
        Self(position.segment << 32 | position.offset & 0xffff_ffff)
    }
}

/// A block as the journal holds it.
#[derive(Debug, Clone)]
pub struct LocalBlock {
    /// Where.
    pub position: LocalPosition,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it stands beside its chain, as a side of a fork.
    pub beside: bool,
    /// The block.
    pub block: Block,
}

/// What has not been acknowledged yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Blocks.
    pub blocks: u64,
    /// The facts in them.
    pub facts: u64,
    /// When the first of them was written, by its writer's clock; none when there is none.
    pub since: Option<Millis>,
}

/// The newest blocks.
#[derive(Debug)]
pub(super) struct Tail {
    blocks: VecDeque<LocalBlock>,
    bytes: usize,
    /// The position of the block before the first one kept.
    before: LocalPosition,
    end: LocalPosition,
    /// Where this node's own chains stand at `end`.
    own: BTreeMap<ChainId, (u64, Hash)>,
}

impl Tail {
    pub(super) fn new(end: LocalPosition, own: BTreeMap<ChainId, (u64, Hash)>) -> Self {
        Self { blocks: VecDeque::new(), bytes: 0, before: end, end, own }
    }

    pub(super) fn end(&self) -> LocalPosition {
        self.end
    }

    pub(super) fn push(&mut self, block: LocalBlock) {
        self.end = block.position;
        self.bytes += block.block.bytes().len();
        if block.origin == Origin::Own {
            let header = block.block.header();
            self.own.insert(header.chain, (header.height, block.block.hash()));
        }
        self.blocks.push_back(block);
        while self.bytes > TAIL_BYTES
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.bytes -= oldest.block.bytes().len();
            self.before = oldest.position;
        }
    }
}

impl Replica {
    /// Where the journal ends.
    pub fn end(&self) -> LocalPosition {
        held(&self.tail).end
    }

    /// Where this node's own blocks end.
    pub fn last_own(&self) -> LocalPosition {
        *self.own_end.borrow()
    }

    /// What stands after `after`; `None` when it is more than memory holds.
    pub fn backlog(&self, after: LocalPosition) -> Option<Backlog> {
        let tail = held(&self.tail);
        if after < tail.before {
            return None;
        }
        let first = tail.blocks.partition_point(|block| block.position <= after);
        let mut backlog = Backlog::default();
        for later in tail.blocks.range(first..) {
            let header = later.block.header();
            backlog.blocks += 1;
            backlog.facts += u64::from(header.count);
            backlog.since.get_or_insert(header.last_hlc.millis());
        }
        Some(backlog)
    }

    /// Where this node's own chains stood when the journal ended at `position`: height and hash of the
    /// last block of each; `None` when it is longer ago than memory holds.
    pub fn own_chains_at(&self, position: LocalPosition) -> Option<BTreeMap<ChainId, (u64, Hash)>> {
        let tail = held(&self.tail);
        if position < tail.before {
            return None;
        }
        let mut chains = tail.own.clone();
        let first = tail.blocks.partition_point(|block| block.position <= position);
        for later in tail.blocks.range(first..).rev().filter(|b| b.origin == Origin::Own) {
            let header = later.block.header();
            chains.insert(header.chain, (header.height - 1, header.previous));
        }
        chains.retain(|_, (height, _)| *height > 0);
        Some(chains)
    }

    /// Durable blocks after `after`, in order, at most so many bytes but at least one, and the position
    /// to go on from. Damaged blocks are left out and logged.
    pub fn read_after(
        &self,
        after: LocalPosition,
        max_bytes: usize,
    ) -> (Vec<LocalBlock>, LocalPosition) {
        let mut taken = Taken { blocks: Vec::new(), bytes: 0, max_bytes, end: after };
        {
            let tail = held(&self.tail);
            if after >= tail.before {
                let first = tail.blocks.partition_point(|block| block.position <= after);
                for block in tail.blocks.range(first..) {
                    if !taken.take(block.clone()) {
                        break;
                    }
                }
                return (taken.blocks, taken.end);
            }
        }
        for stored in self.journal.scan(after.frame()) {
            let stored = match stored {
                Ok(stored) => stored,
                Err(error) => {
                    tracing::error!(%error, "damage in the journal");
                    continue;
                }
            };
            let position = LocalPosition::from(stored.position);
            let (origin, beside) = (stored.origin, stored.beside);
            let block = LocalBlock { position, origin, beside, block: stored.block };
            if position > after && !taken.take(block) {
                break;
            }
        }
        (taken.blocks, taken.end)
    }
}

struct Taken {
    blocks: Vec<LocalBlock>,
    bytes: usize,
    max_bytes: usize,
    end: LocalPosition,
}

impl Taken {
    fn take(&mut self, block: LocalBlock) -> bool {
        let bytes = block.block.bytes().len();
        if !self.blocks.is_empty() && self.bytes + bytes > self.max_bytes {
            return false;
        }
        self.bytes += bytes;
        self.end = block.position;
        self.blocks.push(block);
        true
    }
}
