//! Telling which side counts, and folding that one.

use super::contest::{Contest, Named, Way};
use super::{FoldedBlocks, ForkedChain};
use crate::block::Block;
use crate::chain::ChainHead;
use crate::codec;
use crate::fact::{FactBody, GovernanceFact};
use crate::hash::Hash;
use crate::id::{ChainId, FactId, NodeId};
use crate::time::Hlc;
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// More rounds than there are levels above one another, each of which settles at least one of them; the epochs of
/// the root are levels too, no more of them than there are forks.
const ROUNDS: usize = 16;
/// Member facts folded before the view is settled: bounds what waits.
const SETTLE_FACTS: u64 = 1 << 18;

impl View {
    /// All forks, in order of chain and height.
    pub fn forks(&self) -> impl Iterator<Item = ForkedChain> {
        self.forks.contests.values().flat_map(Contest::forks)
    }

    /// The hash of the block that is folded at a height.
    pub fn hash_at(&self, chain: &ChainId, height: u64) -> Option<Hash> {
        super::folded(&self.heights, *chain, height).map(|folded| folded.hash)
    }

    /// The block that is folded at a height.
    pub fn block_at(
        &self,
        chain: &ChainId,
        height: u64,
        source: &dyn BlockSource,
    ) -> Option<Block> {
        FoldedBlocks { heights: &self.heights, source }.block(chain, height)
    }

    /// Folds of each forked chain the side that counts, until what it was told by stands as folded.
    pub(in crate::view) fn settle_forks(&mut self, source: &dyn BlockSource) {
        for _ in 0..ROUNDS + self.forks.contests.len() {
            let now = (self.facts.len(), self.org_changed);
            if !self.forks.must_settle(now) {
                return;
            }
            self.read_contested(source);
            let chosen = self.choose();
            let mut missing = Vec::new();
            let mut wrong = false;
            for (chain, way) in chosen {
                let Some(contest) = self.forks.contests.get_mut(&chain) else { continue };
                let from = contest.from;
                let none = BTreeMap::new();
                let folded = self.heights.get(&chain).unwrap_or(&none);
                wrong |= folded
                    .range(from..)
                    .any(|(height, folded)| way.blocks.get(height) != Some(&folded.hash));
                let lacks = |(height, _): &(&u64, &Hash)| !folded.contains_key(*height);
                let lacking = way.blocks.iter().filter(lacks);
                missing.extend(lacking.map(|(height, hash)| (chain, *height, *hash)));
                contest.way = way;
            }
            match (wrong, missing.is_empty()) {
                (true, _) => self.fold_anew(source),
                (false, false) => self.fold_also(&missing, source),
                (false, true) => {}
            }
            self.forks.seen = now;
        }
    }

    /// Reads the headers of what was folded before the fork was known.
    fn read_contested(&mut self, source: &dyn BlockSource) {
        for (chain, contest) in &mut self.forks.contests {
            let Some(folded) = self.heights.get(chain) else { continue };
            for (height, here) in folded.range(contest.from..) {
                if contest.holds(*height, here.hash) {
                    continue;
                }
                match source.side(chain, *height, &here.hash) {
                    Some(block) => _ = contest.add(block.header(), here.hash),
                    None => contest.miss(*height, here.hash),
                }
            }
            let below = contest.from.saturating_sub(1);
            let stale = contest.before.is_none_or(|before| before.height != below);
            if stale && let Some(here) = folded.get(&below) {
                let block = source.side(chain, below, &here.hash);
                contest.before = block.map(|block| ChainHead {
                    height: below,
                    hash: here.hash,
                    next_seq: block.header().next_seq(),
                    last_hlc: here.clock,
                });
            }
        }
    }

    fn choose(&self) -> BTreeMap<ChainId, Way> {
        let way = |(chain, contest): (&ChainId, &Contest)| {
            (*chain, contest.choose(&self.named_from_above(chain, contest.from)))
        };
        self.forks.contests.iter().map(way).collect()
    }

    /// What the root said of a chain of its own in later epochs, the latest epoch first, then in order of clock. That
    /// it was said is enough: a verdict on it could rest on the very chain it is about.
    fn named_by_later_epochs(&self, chain: &ChainId, from: u64) -> Vec<Named> {
        let mut named: BTreeMap<(Reverse<u32>, Hlc, FactId), Named> = BTreeMap::new();
        let later = self
            .facts
            .iter()
            .filter(|fact| fact.id.chain.node == chain.node && fact.id.chain.epoch > chain.epoch);
        for fact in later {
            let FactBody::Governance(GovernanceFact::Checkpointed { frontier, .. }) =
                &fact.fact.body
            else {
                continue;
            };
            let head = frontier.iter().find(|head| head.chain == *chain);
            if let Some(head) = head.filter(|head| head.height >= from) {
                let place = (Reverse(fact.id.chain.epoch), fact.fact.hlc, fact.id);
                named.insert(place, Named { height: head.height, hash: head.hash, by: fact.id });
            }
        }
        named.into_values().collect()
    }

    /// What nodes said of a chain while they were the nearest above its node, in order of clock; of the root's,
    /// what the root said in later epochs.
    fn named_from_above(&self, chain: &ChainId, from: u64) -> Vec<Named> {
        if chain.node == NodeId::of_first_key(&self.root_key) {
            return self.named_by_later_epochs(chain, from);
        }
        let mut named: BTreeMap<(Hlc, FactId), Named> = BTreeMap::new();
        for node in self.nodes_ever_above(chain.node) {
            for (hlc, by, head) in self.stated_of_chain(node, chain) {
                if head.height >= from && self.superior_of(chain.node, hlc) == Some(node) {
                    let named_here = Named { height: head.height, hash: head.hash, by };
                    named.insert((hlc, by), named_here);
                }
            }
        }
        named.into_values().collect()
    }

    /// The nodes enrolled for units that ever stood above a node's.
    fn nodes_ever_above(&self, node: NodeId) -> BTreeSet<NodeId> {
        let mut above: BTreeSet<UnitIx> = BTreeSet::new();
        let mut open: Vec<UnitIx> = self.authority.units_of(node).collect();
        while let Some(at) = open.pop() {
            if above.insert(at) {
                let unit = self.tree.unit(at);
                open.extend(unit.registrations.iter().filter_map(|r| r.parent));
                open.extend(unit.moves.iter().filter_map(|moved| moved.parent));
                if let Some(succession) = self.tree.succession_of(at) {
                    open.extend(&succession.new);
                }
                open.extend(self.tree.forebears(at).into_iter().map(|(forebear, _)| forebear));
            }
        }
        let enrolments = self.authority.enrolments.iter();
        let here = enrolments.filter(|enrolled| above.contains(&enrolled.unit));
        here.map(|enrolled| enrolled.enrolment.node).filter(|other| *other != node).collect()
    }

    /// The node that serves, at a clock, the unit above that for which a node was enrolled last.
    pub fn superior_of(&self, node: NodeId, at: Hlc) -> Option<NodeId> {
        let unit = self.authority.newest_at(node, at)?.unit;
        // what follows it one to one has its node too
        let unit = self.tree.heir_at(unit, at);
        let above = self.tree.parent_at(unit, 0, at)?;
        let server = self.authority.server_of(&self.tree, above, at)?;
        Some(server.enrolment.node)
    }

    /// Folds blocks of sides that count now.
    fn fold_also(&mut self, missing: &[(ChainId, u64, Hash)], source: &dyn BlockSource) {
        for (chain, height, hash) in missing {
            if let Some(block) = source.side(chain, *height, hash) {
                self.fold_block(&block, block.body());
            }
        }
        self.settle_counted(source);
    }

    /// Folds all that counts anew: what was folded does not count any more.
    fn fold_anew(&mut self, source: &dyn BlockSource) {
        let mut places: BTreeMap<(ChainId, u64), Hash> = BTreeMap::new();
        for (chain, heights) in &self.heights {
            let from = self.forks.contests.get(chain).map_or(u64::MAX, |contest| contest.from);
            let below = heights.range(..from);
            places.extend(below.map(|(height, folded)| ((*chain, *height), folded.hash)));
        }
        for (chain, contest) in &self.forks.contests {
            let way = contest.way.blocks.iter();
            places.extend(way.map(|(height, hash)| ((*chain, *height), *hash)));
        }
        let mut fresh = Self::under(self.policy.clone(), self.federation, self.root_key);
        fresh.forks = std::mem::take(&mut self.forks);
        fresh.withdrawals.withhold(self.withdrawals.withheld());
        (fresh.version, fresh.org_changed) = (self.version + 1, self.org_changed + 1);
        fresh.refolds = self.refolds;
        *self = fresh;
        for members in [false, true] {
            self.fold_places(&places, members, source);
        }
    }

    /// One pass over blocks to fold: those of members, or all others.
    fn fold_places(
        &mut self,
        places: &BTreeMap<(ChainId, u64), Hash>,
        members: bool,
        source: &dyn BlockSource,
    ) {
        let mut waiting = 0;
        for ((chain, height), hash) in places {
            let Some(block) = source.side(chain, *height, hash) else { continue };
            if (block.header().codec == codec::COLUMNS) != members {
                continue;
            }
            waiting += u64::from(block.header().count);
            self.fold_block(&block, block.body());
            if members && waiting >= SETTLE_FACTS {
                self.settle_counted(source);
                waiting = 0;
            }
        }
        self.settle_counted(source);
    }
}
