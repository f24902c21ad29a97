//! Facts by their names: those of the organisation from the view, members' from their blocks.

use super::cell::Cells;
use super::claim::Span;
use super::fork::FoldedBlocks;
use super::members::Fold;
use super::{BlockSource, View};
use crate::codec::{Body, MemberBatch};
use crate::fact::Fact;
use crate::id::{ChainId, FactId, MemberKey};
use crate::time::Day;
use std::collections::{BTreeMap, BTreeSet};

impl View {
    /// The facts of these names, each block read once, and those not held as they were restated; what cannot be
    /// read is missing.
    pub fn read_facts(
        &self,
        ids: impl IntoIterator<Item = FactId>,
        source: &dyn BlockSource,
    ) -> BTreeMap<FactId, Fact> {
        let mut wanted: Vec<FactId> = ids.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut facts = BTreeMap::new();
        let mut open: Option<(ChainId, u64, u64, MemberBatch)> = None;
        for id in wanted {
            if let Some(known) = self.fact(&id) {
                facts.insert(id, known.fact.clone());
                continue;
            }
            let Some((chain, height)) = self.members.block_with(&id) else {
                facts.extend(self.told_fact(&id).map(|told| (id, told)));
                continue;
            };
            let is_open = open.as_ref().is_some_and(|(c, h, ..)| (*c, *h) == (chain, height));
            if !is_open {
                open = self.block_at(&chain, height, source).and_then(|block| match block.body() {
                    Ok(Body::Members(batch)) => {
                        Some((chain, height, block.header().first_seq, batch))
                    }
                    _ => None,
                });
            }
            let Some((_, _, first, batch)) = &open else { continue };
            let index = (id.seq - first) as usize;
            if index < batch.rows.len() {
                facts.insert(id, batch.fact(index));
            }
        }
        facts
    }

    /// The spans of these persons, each block read once; unknown ones are missing.
    pub fn spans_of(
        &mut self,
        keys: &BTreeSet<MemberKey>,
        source: &dyn BlockSource,
    ) -> BTreeMap<MemberKey, Vec<Span>> {
        let (members, mut fold) = self.members_and_fold(source);
        let mut places: Vec<(u32, MemberKey)> =
            keys.iter().filter_map(|key| Some((members.place(key)?, *key))).collect();
        places.sort_unstable();
        let order: Vec<u32> = places.iter().map(|(place, _)| *place).collect();
        let mut spans = Vec::with_capacity(order.len());
        members.each_spans(&order, &mut fold, &mut |person, _| spans.push(person.to_vec()));
        places.into_iter().map(|(_, key)| key).zip(spans).collect()
    }

    /// Calls `see` with the spans of each person of whom anything changes on a day after `after` up to
    /// `until`, in no meaningful order.
    pub(crate) fn each_changed(
        &mut self,
        after: Day,
        until: Day,
        source: &dyn BlockSource,
        see: &mut dyn FnMut(&[Span], &Cells),
    ) {
        let (members, mut fold) = self.members_and_fold(source);
        let changed = members.changed_within(after, until);
        members.each_spans(&changed, &mut fold, &mut |spans, fold| see(spans, fold.cells));
    }

    /// The members, and what a fold of them reads and writes beside them.
    pub(super) fn members_and_fold<'a>(
        &'a mut self,
        source: &'a dyn BlockSource,
    ) -> (&'a mut super::members::Members, Fold<'a>) {
        let fold = Fold {
            tree: &mut self.tree,
            authority: &mut self.authority,
            branches: &mut self.branches,
            cells: &mut self.cells,
            withdrawals: &self.withdrawals,
            policy: &self.policy,
            decisions: &mut self.decisions,
            source: FoldedBlocks { heights: &self.heights, source },
        };
        (&mut self.members, fold)
    }
}
