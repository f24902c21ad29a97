//! What was taken back, by whom (DESIGN §4, Withdrawn).

use super::authority::{Authority, Writer};
use super::restated::Restating;
use super::tree::{Tree, UnitIx};
use crate::id::{ChainId, FactId};
use crate::time::Hlc;
use std::collections::{BTreeMap, BTreeSet};

/// All withdrawals, by the chain they reach into.
#[derive(Debug, Clone, Default)]
pub(crate) struct Withdrawals {
    by_chain: BTreeMap<ChainId, Reach>,
    /// Places of restatements that speak for what they repeat.
    pub(super) speaking: BTreeSet<u32>,
    /// Facts treated as not there, to learn what they change; none in the view that answers.
    withheld: BTreeSet<FactId>,
}

/// The withdrawals that reach into one chain.
#[derive(Debug, Clone, Default)]
struct Reach {
    by_first: BTreeMap<u64, Vec<Withdrawal>>,
    /// How many seqs the longest spans: bounds where those that cover a seq may begin.
    longest: u64,
}

/// One withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Withdrawal {
    /// First and last seq taken back.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The fact that does it.
    pub(crate) id: FactId,
    pub(crate) hlc: Hlc,
    pub(crate) height: u64,
    /// Who restated it, where it is not held itself.
    pub(crate) restated: Option<Restating>,
}

impl Reach {
    fn touching(&self, first: u64, last: u64) -> impl Iterator<Item = &Withdrawal> {
        let from = first.saturating_sub(self.longest);
        let near = self.by_first.range(from..=last).flat_map(|(_, list)| list);
        near.filter(move |withdrawal| first <= withdrawal.last)
    }
}

impl Withdrawals {
    pub(crate) fn add(&mut self, chain: ChainId, withdrawal: Withdrawal) {
        let reach = self.by_chain.entry(chain).or_default();
        reach.longest = reach.longest.max(withdrawal.last - withdrawal.first + 1);
        reach.by_first.entry(withdrawal.first).or_default().push(withdrawal);
    }

    /// Treats these facts as not there, those withheld before as any other again. Blocks that hold one
    /// must be added afterwards.
    pub(crate) fn withhold(&mut self, facts: BTreeSet<FactId>) {
        self.withheld = facts;
    }

    /// The facts treated as not there.
    pub(crate) fn withheld(&self) -> BTreeSet<FactId> {
        self.withheld.clone()
    }

    /// Whether a fact is treated as not there.
    pub(crate) fn withholds(&self, fact: &FactId) -> bool {
        self.withheld.contains(fact)
    }

    /// Whether any reaches into these seqs of a chain, or one of them is withheld.
    pub(crate) fn touches(&self, chain: &ChainId, first: u64, last: u64) -> bool {
        let [from, to] = [first, last].map(|seq| FactId { chain: *chain, seq });
        if self.withheld.range(from..=to).next().is_some() {
            return true;
        }
        self.by_chain.get(chain).is_some_and(|reach| reach.touching(first, last).next().is_some())
    }

    /// Whether it is held itself, or its restatement speaks for it.
    pub(crate) fn speaks(&self, withdrawal: &Withdrawal) -> bool {
        withdrawal.restated.is_none_or(|by| self.speaking.contains(&by.place))
    }

    /// All of them, with the chain they reach into.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&ChainId, &Withdrawal)> {
        self.by_chain.iter().flat_map(|(chain, reach)| {
            reach.by_first.values().flatten().map(move |withdrawal| (chain, withdrawal))
        })
    }

    /// The earliest that covers a fact and that `valid` accepts.
    pub(crate) fn of(
        &self,
        fact: &FactId,
        mut valid: impl FnMut(&Withdrawal) -> bool,
    ) -> Option<Withdrawal> {
        self.covering(fact).into_iter().find(|w| valid(w))
    }

    /// All that name a fact, in order of clock and id.
    pub(crate) fn covering(&self, fact: &FactId) -> Vec<Withdrawal> {
        let Some(reach) = self.by_chain.get(&fact.chain) else { return Vec::new() };
        let speaks = |w: &&Withdrawal| w.id != *fact && self.speaks(w);
        let covering = reach.touching(fact.seq, fact.seq).filter(speaks).copied();
        let mut covering: Vec<Withdrawal> = covering.collect();
        covering.sort_by_key(|w| (w.hlc, w.id));
        covering
    }
}

impl Withdrawal {
    pub(crate) fn writer(&self) -> Writer {
        (self.id.chain.node, self.id.chain.epoch)
    }

    /// Whether its own block lies above a cut.
    pub(crate) fn is_cut_off(&self, authority: &Authority) -> bool {
        let cut = authority.cuts.get(&self.writer());
        cut.is_some_and(|cut| cut.parks(&self.id.chain.lane, self.height))
    }

    /// Valid from the node that wrote the fact, or the node that serves its subject at the
    /// withdrawal's clock; never from above a cut.
    pub(crate) fn is_valid(
        &self,
        fact: &FactId,
        subject: Option<UnitIx>,
        tree: &Tree,
        authority: &mut Authority,
    ) -> bool {
        if let Some(by) = &self.restated {
            return by.counts && by.is_right(tree, authority);
        }
        if self.is_cut_off(authority) {
            return false;
        }
        let writer = self.writer();
        if writer.0 == fact.chain.node {
            return authority.office_at(tree, writer, self.hlc).is_some();
        }
        subject.is_some_and(|subject| authority.speaks(tree, writer, subject, self.hlc))
    }
}
