//! Checkpoints: who held which blocks when, as signed statements (DESIGN §8, known at; §9, forks).
//!
//! Only statements that stand are indexed. A statement in `up` is a checkpoint or one part of it; one in a
//! down lane is an excerpt, which proves what it names and is nothing to fold.

use super::View;
use super::fork::Folded;
use crate::fact::governance::ChainHeight;
use crate::fact::{FactBody, GovernanceFact};
use crate::hash::Hash;
use crate::id::{ChainId, FactId, Lane, NodeId};
use crate::time::Hlc;
use std::collections::{BTreeMap, BTreeSet};

/// A whole checkpoint: all its parts are here and stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its last part's id, which names it.
    pub id: FactId,
    /// Its last part's clock.
    pub hlc: Hlc,
    /// The view digest there.
    pub digest: Hash,
    /// How many parts it has.
    pub parts: u32,
}

impl Checkpoint {
    /// The facts it consists of, the first part first.
    pub fn facts(&self) -> impl Iterator<Item = FactId> {
        let Self { id, parts, .. } = *self;
        let first = id.seq.saturating_sub(u64::from(parts) - 1);
        (first..=id.seq).map(move |seq| FactId { seq, ..id })
    }
}

/// Standing statements by their writer, in order of clock, with their places among the facts.
#[derive(Debug, Clone, Default)]
pub(super) struct Checkpoints {
    stated: BTreeMap<NodeId, BTreeMap<(Hlc, FactId), u32>>,
    /// Blocks that hold statements and nothing else: they alone are no reason for the next one.
    quiet: BTreeSet<(ChainId, u64)>,
}

/// A statement as its fact tells it.
struct Statement<'a> {
    frontier: &'a [ChainHeight],
    digest: Hash,
    part: u32,
    parts: u32,
}

fn statement(body: &FactBody) -> Option<Statement<'_>> {
    match body {
        FactBody::Governance(GovernanceFact::Checkpointed { frontier, digest, part, parts }) => {
            Some(Statement { frontier, digest: *digest, part: *part, parts: *parts })
        }
        _ => None,
    }
}

impl Checkpoints {
    /// Notes a block of facts that says nothing but what its writer holds.
    pub(super) fn note_block<'a>(
        &mut self,
        chain: ChainId,
        height: u64,
        mut facts: impl Iterator<Item = &'a FactBody>,
    ) {
        if facts.all(|body| statement(body).is_some()) {
            self.quiet.insert((chain, height));
        }
    }
}

impl View {
    /// Indexes the statements among these facts, judged already; of all facts, anew.
    pub(super) fn index_checkpoints(&mut self, fresh: std::ops::Range<usize>) {
        if fresh.start == 0 {
            self.checkpoints.stated.clear();
        }
        for place in fresh {
            let fact = &self.facts[place];
            if self.verdicts[place].stands() && statement(&fact.fact.body).is_some() {
                let of_node = self.checkpoints.stated.entry(fact.id.chain.node).or_default();
                of_node.insert((fact.fact.hlc, fact.id), place as u32);
            }
        }
    }

    fn stated(
        &self,
        node: NodeId,
    ) -> impl DoubleEndedIterator<Item = (Hlc, FactId, Statement<'_>)> {
        self.stated_since(node, Hlc::ZERO)
    }

    /// The same from a clock on.
    fn stated_since(
        &self,
        node: NodeId,
        since: Hlc,
    ) -> impl DoubleEndedIterator<Item = (Hlc, FactId, Statement<'_>)> {
        // the least id a fact of this node can have
        let chain = ChainId { node, epoch: 0, lane: Lane::Up };
        let first = (since, FactId { chain, seq: 0 });
        let of_node = self.checkpoints.stated.get(&node).into_iter();
        let of_node = of_node.flat_map(move |stated| stated.range(first..));
        of_node.filter_map(|((hlc, id), place)| {
            Some((*hlc, *id, statement(&self.facts[*place as usize].fact.body)?))
        })
    }

    /// The heads of one chain that a node stated, in order of clock.
    pub(super) fn stated_of_chain(
        &self,
        node: NodeId,
        chain: &ChainId,
    ) -> impl Iterator<Item = (Hlc, FactId, ChainHeight)> {
        self.stated(node).filter_map(|(hlc, id, statement)| {
            let head = statement.frontier.iter().find(|head| head.chain == *chain)?;
            Some((hlc, id, *head))
        })
    }

    /// The checkpoint of this name, if it is whole.
    pub fn checkpoint(&self, id: &FactId) -> Option<Checkpoint> {
        let standing = |id: &FactId| {
            let place = *self.by_id.get(id)? as usize;
            let fact = &self.facts[place];
            let stands = self.verdicts[place].stands() && id.chain.lane == Lane::Up;
            stands.then_some((fact.fact.hlc, statement(&fact.fact.body)?))
        };
        let (hlc, last) = standing(id)?;
        if last.part != last.parts || u64::from(last.parts) > id.seq {
            return None;
        }
        let checkpoint = Checkpoint { id: *id, hlc, digest: last.digest, parts: last.parts };
        let whole = checkpoint.facts().zip(1..).all(|(id, part)| {
            standing(&id).is_some_and(|(_, statement)| {
                (statement.part, statement.parts, statement.digest)
                    == (part, last.parts, last.digest)
            })
        });
        whole.then_some(checkpoint)
    }

    /// The whole checkpoints of a node, in order of clock.
    pub fn checkpoints_of(&self, node: NodeId) -> impl DoubleEndedIterator<Item = Checkpoint> {
        self.stated(node).filter_map(|(_, id, _)| self.checkpoint(&id))
    }

    /// Known at `at`: the newest checkpoint of a node whose clock is not later.
    pub fn checkpoint_at(&self, node: NodeId, at: Hlc) -> Option<Checkpoint> {
        self.checkpoints_of(node).rev().find(|checkpoint| checkpoint.hlc <= at)
    }

    /// All nodes with statements that stand.
    pub fn checkpointers(&self) -> impl Iterator<Item = NodeId> {
        self.checkpoints.stated.keys().copied()
    }

    /// The heads a checkpoint names, in order of chain.
    pub fn frontier_of(&self, checkpoint: &Checkpoint) -> Vec<ChainHeight> {
        let facts = checkpoint.facts().filter_map(|id| self.fact(&id));
        let mut frontier: Vec<ChainHeight> = facts
            .filter_map(|fact| statement(&fact.fact.body))
            .flat_map(|statement| statement.frontier.iter().copied())
            .collect();
        frontier.sort_unstable();
        frontier
    }

    /// When a node first stated that it holds the block at this height, by a checkpoint, any part of one,
    /// or an excerpt. Only statements from the clock of the block's facts on are asked: a holder's own clock is
    /// later than all it holds.
    pub fn first_covered(
        &self,
        node: NodeId,
        chain: &ChainId,
        height: u64,
        written: Hlc,
    ) -> Option<Hlc> {
        let covers = |statement: &Statement<'_>| {
            let found = statement.frontier.binary_search_by_key(chain, |head| head.chain);
            found.is_ok_and(|at| statement.frontier[at].height >= height)
        };
        let mut stated = self.stated_since(node, written);
        stated.find(|(_, _, statement)| covers(statement)).map(|(hlc, ..)| hlc)
    }

    /// Whether a node had stated by `until` that it holds the block at this height.
    pub fn is_covered(&self, node: NodeId, chain: &ChainId, height: u64, until: Hlc) -> bool {
        self.first_covered(node, chain, height, Hlc::ZERO).is_some_and(|hlc| hlc <= until)
    }

    /// How far each chain is here without a gap.
    pub fn frontier(&self) -> BTreeMap<ChainId, u64> {
        let reach = |heights: &BTreeMap<u64, Folded>| {
            heights.keys().zip(1..).take_while(|(height, expected)| *height == expected).count()
        };
        let all = self.heights.iter().map(|(chain, heights)| (*chain, reach(heights) as u64));
        all.filter(|(_, height)| *height > 0).collect()
    }

    /// Whether every chain is here without a gap, so that this view is that of its frontier.
    pub fn is_contiguous(&self) -> bool {
        self.heights
            .values()
            .all(|heights| heights.keys().next_back().copied().unwrap_or(0) == heights.len() as u64)
    }

    /// Whether there is more here than these heads, statements of who holds what apart.
    pub fn has_more_than(&self, frontier: &[ChainHeight]) -> bool {
        let known: BTreeMap<ChainId, u64> =
            frontier.iter().map(|head| (head.chain, head.height)).collect();
        self.frontier().into_iter().any(|(chain, height)| {
            let from = known.get(&chain).copied().unwrap_or(0) + 1;
            (from..=height).any(|height| !self.checkpoints.quiet.contains(&(chain, height)))
        })
    }
}
