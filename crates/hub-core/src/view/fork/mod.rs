//! Forks: a key that signed two blocks at one place of a chain, and which side of it counts (DESIGN §9).
//!
//! **Invariant:** what is folded is a pure function of the blocks held. Below the lowest height at which the
//! blocks held name two hashes all is folded; from there on only the side that the node's nearest ancestor
//! named first, and nothing while it named none. The rest is kept, shown, parked.
//!
//! A side is told by statements of nodes of higher units alone, and of the root's by its later epochs, so the
//! choices are well founded: level by level they depend on what lies above, and folding in rounds until nothing
//! changes ends.

mod contest;
mod settle;
mod sides;

use super::BlockSource;
use crate::block::Block;
use crate::hash::Hash;
use crate::header::Header;
use crate::id::{ChainId, FactId};
use crate::time::Hlc;
use crate::view::verdict::Reason;
use contest::Contest;
pub use sides::Sides;
use std::collections::BTreeMap;

/// What is kept of a block that is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Folded {
    /// The clock of its last fact.
    pub(super) clock: Hlc,
    pub(super) hash: Hash,
}

/// The folded blocks of all chains by height.
pub(super) type Heights = BTreeMap<ChainId, BTreeMap<u64, Folded>>;

/// The blocks that are folded, each by its hash, wherever more than one stands at a place.
#[derive(Clone, Copy)]
pub(super) struct FoldedBlocks<'a> {
    pub(super) heights: &'a Heights,
    pub(super) source: &'a dyn BlockSource,
}

impl BlockSource for FoldedBlocks<'_> {
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        let folded = self.heights.get(chain)?.get(&height)?;
        self.source.side(chain, height, &folded.hash)
    }

    fn side(&self, chain: &ChainId, height: u64, hash: &Hash) -> Option<Block> {
        self.source.side(chain, height, hash)
    }
}

/// What becomes of a block that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It is to be folded.
    Fold,
    /// It is here.
    Known,
    /// It is of a side of a fork: which one counts is told when all is settled.
    Contested,
}

/// All forks of a set of blocks.
#[derive(Debug, Clone, Default)]
pub(super) struct Forks {
    contests: BTreeMap<ChainId, Contest>,
    /// What blocks name as the block before them where none is folded there.
    awaited: BTreeMap<(ChainId, u64), Hash>,
    /// A block came that may change a choice.
    dirty: bool,
    /// How much was folded when the choices were made last.
    seen: (usize, u64),
}

impl Forks {
    /// Notes a block that came, before it is folded.
    pub(super) fn admit(&mut self, heights: &Heights, header: &Header, hash: Hash) -> Admitted {
        let (chain, height) = (header.chain, header.height);
        let from = self.contests.get(&chain).map_or(u64::MAX, |contest| contest.from);
        let mut forked = None;
        if height < from {
            match self.named(heights, chain, height) {
                Some(named) if named != hash => forked = Some(height),
                Some(_) if folded(heights, chain, height).is_some() => return Admitted::Known,
                _ => {}
            }
        }
        if height > 1 && height <= from {
            match self.named(heights, chain, height - 1) {
                Some(named) if named != header.previous => forked = Some(height - 1),
                Some(_) => {}
                None => {
                    self.awaited.insert((chain, height - 1), header.previous);
                }
            }
        }
        let from = forked.unwrap_or(from);
        if height < from {
            self.awaited.remove(&(chain, height));
            // what stands just below a fork says which sides follow it
            self.dirty |= height.checked_add(1) == Some(from);
            return Admitted::Fold;
        }
        let contest = self.contests.entry(chain).or_default();
        contest.from = from;
        self.dirty = true;
        match contest.add(header, hash) {
            true => Admitted::Contested,
            false => Admitted::Known,
        }
    }

    /// The hash that the blocks held name for a height below all forks.
    fn named(&self, heights: &Heights, chain: ChainId, height: u64) -> Option<Hash> {
        let awaited = || self.awaited.get(&(chain, height)).copied();
        folded(heights, chain, height).map(|folded| folded.hash).or_else(awaited)
    }

    /// The height from which a chain forks.
    pub(super) fn from(&self, chain: &ChainId) -> Option<u64> {
        self.contests.get(chain).map(|contest| contest.from)
    }

    /// All blocks of all sides, from the forks on.
    pub(super) fn sides(&self) -> impl Iterator<Item = (ChainId, u64, Hash)> {
        self.contests.iter().flat_map(|(chain, contest)| {
            contest.blocks().map(|(height, hash)| (*chain, height, hash))
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.contests.is_empty()
    }

    /// Whether which side counts must be asked anew.
    pub(super) fn must_settle(&mut self, now: (usize, u64)) -> bool {
        !self.is_empty() && (std::mem::take(&mut self.dirty) | (self.seen != now))
    }

    /// Why the facts of a block are not folded: it is of a side that does not count.
    pub(super) fn parks(&self, chain: &ChainId, height: u64, hash: &Hash) -> Option<Reason> {
        self.contests.get(chain)?.parks(height, hash)
    }

    /// The same for a fact of which no other side counts.
    pub(super) fn parks_fact(&self, id: &FactId) -> Option<Reason> {
        self.contests.get(&id.chain)?.parks_fact(id.seq)
    }

    /// How many facts are not folded, by reason.
    pub(super) fn parked(&self) -> BTreeMap<Reason, u64> {
        let mut parked = BTreeMap::new();
        for (reason, count) in self.contests.values().flat_map(Contest::parked) {
            *parked.entry(reason).or_default() += count;
        }
        parked
    }
}

fn folded(heights: &Heights, chain: ChainId, height: u64) -> Option<Folded> {
    heights.get(&chain)?.get(&height).copied()
}

/// One fork, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkedChain {
    /// The chain.
    pub chain: ChainId,
    /// The height at which two blocks stand.
    pub height: u64,
    /// The sides, in order of hash.
    pub sides: Vec<Side>,
    /// The statement that names the side that counts; none while all are suspended.
    pub settled_by: Option<FactId>,
}

/// One side of a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// The hash of its first block.
    pub hash: Hash,
    /// How many of its blocks are here.
    pub blocks: u64,
    /// How many facts they hold.
    pub facts: u64,
    /// The clock of its last fact here.
    pub last: Hlc,
    /// Whether it counts.
    pub counts: bool,
}
