//! One chain with forks: a tree of blocks, and the way through it that counts.

use super::{ForkedChain, Side};
use crate::chain::ChainHead;
use crate::hash::Hash;
use crate::header::Header;
use crate::id::FactId;
use crate::time::Hlc;
use crate::view::verdict::Reason;
use std::collections::{BTreeMap, BTreeSet};

/// What the nearest ancestor stated of a chain: height and hash of a head, and the fact that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) height: u64,
    pub(super) hash: Hash,
    pub(super) by: FactId,
}

/// The blocks of a chain from its lowest fork on.
#[derive(Debug, Clone, Default)]
pub(super) struct Contest {
    /// The lowest height for which the blocks held name two hashes.
    pub(super) from: u64,
    /// Where the chain stands below that, if the block there is here.
    pub(super) before: Option<ChainHead>,
    links: BTreeMap<(u64, Hash), Header>,
    /// Blocks that came and cannot be read again: that they are sides is known, and no more.
    unread: BTreeSet<(u64, Hash)>,
    /// The way that counts, with the statements that led it past forks.
    pub(super) way: Way,
}

/// A way through the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) blocks: BTreeMap<u64, Hash>,
    pub(super) settled: BTreeMap<u64, FactId>,
}

impl Contest {
    /// Takes a block in; whether it is new.
    pub(super) fn add(&mut self, header: &Header, hash: Hash) -> bool {
        self.links.insert((header.height, hash), *header).is_none()
    }

    /// Notes a block that was folded and cannot be read again.
    pub(super) fn miss(&mut self, height: u64, hash: Hash) {
        self.unread.insert((height, hash));
    }

    pub(super) fn holds(&self, height: u64, hash: Hash) -> bool {
        self.links.contains_key(&(height, hash))
    }

    /// All blocks of all sides.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (u64, Hash)> {
        self.links.keys().copied()
    }

    fn at(&self, height: u64) -> impl Iterator<Item = (Hash, &Header)> {
        let span = (height, Hash::ZERO)..=(height, Hash([0xff; 32]));
        self.links.range(span).map(|((_, hash), header)| (*hash, header))
    }

    /// The hashes that blocks held name for a height without being there.
    fn absent(&self, height: u64) -> BTreeSet<Hash> {
        let named = self.at(height + 1).map(|(_, header)| header.previous);
        let span = (height, Hash::ZERO)..=(height, Hash([0xff; 32]));
        let unread = self.unread.range(span).map(|(_, hash)| *hash);
        named.chain(unread).filter(|hash| !self.holds(height, *hash)).collect()
    }

    /// The hash at a height on the way down from a block; none where a block between is not here.
    fn ancestor(&self, mut height: u64, mut hash: Hash, at: u64) -> Option<Hash> {
        loop {
            let header = self.links.get(&(height, hash))?;
            if height == at {
                return Some(hash);
            }
            (height, hash) = (height.checked_sub(1)?, header.previous);
        }
    }

    /// The way that counts by what was named, in order of clock.
    pub(super) fn choose(&self, named: &[Named]) -> Way {
        let mut way = Way::default();
        let mut prior = match self.from {
            0 | 1 => Some(ChainHead::empty(Hash::ZERO)),
            _ => self.before,
        };
        for height in self.from.. {
            let follows = |header: &Header| {
                height == 1 || prior.is_none_or(|prior| header.previous == prior.hash)
            };
            let rivals: Vec<(Hash, &Header)> =
                self.at(height).filter(|(_, header)| follows(header)).collect();
            // one that breaks the order of facts or clocks is a side, and cannot be the good one
            let fit = |(hash, header): &(Hash, &Header)| {
                prior.is_none_or(|prior| prior.extended(header, *hash).is_ok())
            };
            let open = rivals.len() + self.absent(height).len() > 1;
            let settled = if open { self.settled(height, named) } else { None };
            let next = match (open, settled) {
                (false, _) => rivals.first().copied(),
                (true, None) => None,
                (true, Some((side, _))) => rivals.iter().find(|(hash, _)| *hash == side).copied(),
            };
            let Some((hash, header)) = next.filter(fit) else { break };
            way.blocks.insert(height, hash);
            way.settled.extend(settled.map(|(_, by)| (height, by)));
            prior = Some(ChainHead {
                height,
                hash,
                next_seq: header.next_seq(),
                last_hlc: header.last_hlc,
            });
        }
        way
    }

    /// The side that the first statement about this height or more names; none where what it names is not
    /// here.
    fn settled(&self, height: u64, named: &[Named]) -> Option<(Hash, FactId)> {
        let first = named.iter().find(|named| named.height >= height)?;
        Some((self.ancestor(first.height, first.hash, height)?, first.by))
    }

    /// Why a block is not folded.
    pub(super) fn parks(&self, height: u64, hash: &Hash) -> Option<Reason> {
        if height < self.from || self.way.blocks.get(&height) == Some(hash) {
            return None;
        }
        let (mut at, mut here) = (height, *hash);
        // down to where it left the way that counts
        loop {
            let Some(header) = self.links.get(&(at, here)) else { return Some(Reason::Forked) };
            let left = at == self.from || self.way.blocks.get(&(at - 1)) == Some(&header.previous);
            if left {
                let other = self.way.blocks.contains_key(&at);
                return Some(if other { Reason::OtherSide } else { Reason::Forked });
            }
            (at, here) = (at - 1, header.previous);
        }
    }

    pub(super) fn parks_fact(&self, seq: u64) -> Option<Reason> {
        let holds = |header: &&Header| header.first_seq <= seq && seq < header.next_seq();
        let held = self.links.iter().filter(|(_, header)| holds(header));
        held.filter_map(|((height, hash), _)| self.parks(*height, hash)).min()
    }

    pub(super) fn parked(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.links.iter().filter_map(|((height, hash), header)| {
            Some((self.parks(*height, hash)?, u64::from(header.count)))
        })
    }

    /// The forks of the chain in order of height: where two blocks follow one.
    pub(super) fn forks(&self) -> Vec<ForkedChain> {
        let mut sides: BTreeMap<(u64, Hash), Vec<Hash>> = BTreeMap::new();
        for ((height, hash), header) in &self.links {
            // the first block of a chain follows none
            let after = if *height == 1 { Hash::ZERO } else { header.previous };
            sides.entry((*height, after)).or_default().push(*hash);
        }
        let first = |(height, _): &(u64, Hash)| *height == self.from;
        let forked = sides.into_iter().filter(|(at, sides)| sides.len() > 1 || first(at));
        let mut forks: BTreeMap<u64, ForkedChain> = BTreeMap::new();
        for ((height, _), hashes) in forked {
            let Some(chain) = self.links.values().next().map(|header| header.chain) else { break };
            let settled_by = self.way.settled.get(&height).copied();
            let fork = forks.entry(height).or_insert_with(|| ForkedChain {
                chain,
                height,
                sides: Vec::new(),
                settled_by,
            });
            fork.sides.extend(hashes.into_iter().map(|hash| self.side(height, hash)));
            fork.sides.sort_by_key(|side| side.hash);
        }
        forks.into_values().collect()
    }

    fn side(&self, height: u64, hash: Hash) -> Side {
        let counts = self.way.blocks.get(&height) == Some(&hash);
        let mut side = Side { hash, blocks: 0, facts: 0, last: Hlc::ZERO, counts };
        let mut tops = BTreeSet::from([hash]);
        for at in height.. {
            let here: Vec<(Hash, &Header)> =
                self.at(at)
                    .filter(|(found, header)| {
                        if at == height { *found == hash } else { tops.contains(&header.previous) }
                    })
                    .collect();
            if here.is_empty() {
                break;
            }
            for (_, header) in &here {
                side.blocks += 1;
                side.facts += u64::from(header.count);
                side.last = side.last.max(header.last_hlc);
            }
            tops = here.into_iter().map(|(hash, _)| hash).collect();
        }
        side
    }
}
