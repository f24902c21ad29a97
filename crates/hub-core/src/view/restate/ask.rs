//! What the finder of restatements asks of a view.

use crate::block::Block;
use crate::codec::Body;
use crate::fact::governance::RestatedBody;
use crate::fact::unit::Level;
use crate::fact::{FactBody, GovernanceFact, UnitFact};
use crate::id::{FactId, UnitId};
use crate::time::Hlc;
use crate::view::restated::Subject;
use crate::view::table::MemberIx;
use crate::view::tree::Under;
use crate::view::{BlockSource, Stated, View};
use std::collections::BTreeSet;

impl View {
    /// All facts that the folds of these persons read, in order of person.
    pub(super) fn stated_of(
        &mut self,
        members: &[MemberIx],
        source: &dyn BlockSource,
    ) -> Vec<Stated> {
        let (all, mut fold) = self.members_and_fold(source);
        all.stated(members, &mut fold)
    }

    /// The persons that a block is about.
    pub(super) fn members_in(&self, place: u32, source: &dyn BlockSource) -> Vec<MemberIx> {
        let (chain, height) = self.members.place_of(place);
        match self.block_at(&chain, height, source).map(|block| block.body()) {
            Some(Ok(Body::Members(batch))) => {
                batch.rows.iter().filter_map(|row| self.members.find(&row.member)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The person that a restated membership fact is about.
    pub(super) fn restated_of(&self, subject: &Subject) -> Option<MemberIx> {
        let by = self.restatements.of(subject).first()?;
        match &self.facts[by.place as usize].fact.body {
            FactBody::Governance(GovernanceFact::Restated { content, .. }) => match &content.body {
                RestatedBody::Member(fact) => self.members.find(&fact.member),
                _ => None,
            },
            _ => None,
        }
    }

    /// The level of the office in which a fact's writer stated it.
    pub(super) fn level_of_office(&mut self, id: &FactId, at: Hlc) -> Option<Level> {
        let writer = (id.chain.node, id.chain.epoch);
        let office = self.authority.office_at(&self.tree, writer, at)?;
        self.tree.unit(office).level()
    }

    /// The parents in the registrations that a move moved, or under which a fact about a unit holds;
    /// sorted.
    pub(super) fn registrations_of(&self, place: usize) -> Vec<UnitId> {
        let known = &self.facts[place];
        let FactBody::Unit(fact) = &known.fact.body else { return Vec::new() };
        let Some(unit) = self.tree.find(&fact.unit()).map(|at| self.tree.unit(at)) else {
            return Vec::new();
        };
        let bits = match fact {
            UnitFact::Moved { .. } => {
                let moved = unit.moves.iter().find(|moved| moved.stamp.id == known.id);
                moved.map(|moved| moved.registrations)
            }
            UnitFact::Closed { .. } => {
                let closing = unit.closings.iter().find(|closing| closing.stamp.id == known.id);
                closing.map(|closing| closing.under.0)
            }
            UnitFact::HeadcountDeclared { .. } | UnitFact::Revised { .. } => {
                let change = unit.changes.iter().find(|change| change.stamp.id == known.id);
                change.map(|change| change.under.0)
            }
            _ => None,
        };
        let under = Under(bits.unwrap_or(0));
        let held = unit.registrations.iter().enumerate().filter(|(at, _)| under.holds(*at));
        let parents = held.filter_map(|(_, r)| r.parent.map(|at| self.tree.unit(at).id));
        let parents: BTreeSet<UnitId> = parents.collect();
        parents.into_iter().collect()
    }

    /// The blocks of membership facts that hold any from `first` to `last` of one chain.
    pub(super) fn member_blocks(
        &self,
        first: &FactId,
        last: &FactId,
        source: &dyn BlockSource,
    ) -> Vec<Block> {
        let heights = self.members.heights_between(first, last);
        let block = |height| self.block_at(&first.chain, height, source);
        heights.into_iter().filter_map(block).collect()
    }
}
