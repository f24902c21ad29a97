//! What was taken back, by whom (DESIGN §4, Withdrawn).

use super::authority::{Authority, Writer};
use super::tree::{Tree, UnitIx};
use crate::id::{ChainId, FactId};
use crate::time::Hlc;
use std::collections::BTreeMap;

/// All withdrawals, by the chain they reach into.
#[derive(Debug, Clone, Default)]
pub(crate) struct Withdrawals {
    by_chain: BTreeMap<ChainId, Vec<Withdrawal>>,
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
}

impl Withdrawals {
    pub(crate) fn add(&mut self, chain: ChainId, withdrawal: Withdrawal) {
        let list = self.by_chain.entry(chain).or_default();
        list.push(withdrawal);
        list.sort_by_key(|w| (w.hlc, w.id));
    }

    /// Whether any reaches into these seqs of a chain.
    pub(crate) fn touches(&self, chain: &ChainId, first: u64, last: u64) -> bool {
        let list = self.by_chain.get(chain).map_or(&[][..], Vec::as_slice);
        list.iter().any(|w| w.first <= last && first <= w.last)
    }

    /// The earliest that covers a fact and that `valid` accepts.
    pub(crate) fn of(
        &self,
        fact: &FactId,
        mut valid: impl FnMut(&Withdrawal) -> bool,
    ) -> Option<Withdrawal> {
        let list = self.by_chain.get(&fact.chain)?;
        let covers = |w: &&Withdrawal| w.first <= fact.seq && fact.seq <= w.last && w.id != *fact;
        list.iter().filter(covers).find(|w| valid(w)).copied()
    }
}

impl Withdrawal {
    pub(crate) fn writer(&self) -> Writer {
        (self.id.chain.node, self.id.chain.epoch)
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
        let writer = self.writer();
        let cut = authority.cuts.get(&writer);
        if cut.is_some_and(|cut| cut.parks(&self.id.chain.lane, self.height)) {
            return false;
        }
        if writer.0 == fact.chain.node {
            let own = authority.enrolment_of(writer).map(|e| e.unit);
            return own.is_some_and(|own| authority.speaks(tree, writer, own, self.hlc));
        }
        subject.is_some_and(|subject| authority.speaks(tree, writer, subject, self.hlc))
    }
}
