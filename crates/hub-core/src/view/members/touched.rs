//! What the finder of restatements asks of the members, and what changed of them since it last asked.

use super::{BranchId, BranchIx, Branches, ChainId, FactId, Fold, Judge, MemberIx, Members};
use crate::codec::columns::RowKind;
use crate::fact::{Fact, FactBody};
use crate::id::{MemberKey, UnitId};
use crate::time::Precision;
use std::collections::BTreeSet;

/// A fact that a person's fold reads.
#[derive(Debug, Clone)]
pub(crate) struct Stated {
    /// The person.
    pub(crate) member: MemberIx,
    /// The fact's id.
    pub(crate) id: FactId,
    /// The height of its block.
    pub(crate) height: u64,
    /// The fact.
    pub(crate) fact: Fact,
    /// Whether it stands.
    pub(crate) counts: bool,
    /// Whether it is held itself, not by what a node above says of it.
    pub(crate) is_held: bool,
}

/// Persons whose facts changed since they were last asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Touched {
    all: bool,
    members: BTreeSet<MemberIx>,
    blocks: BTreeSet<u32>,
}

impl Members {
    /// The person of a key.
    pub(in super::super) fn find(&self, key: &MemberKey) -> Option<MemberIx> {
        self.table.find(key)
    }

    /// The person of a key, and whoever its facts went over to.
    pub(in super::super) fn persons_of(&self, key: &MemberKey) -> BTreeSet<MemberIx> {
        let own: BTreeSet<MemberIx> = self.table.find(key).into_iter().collect();
        let others = self.rekeys.followers(&own);
        own.into_iter().chain(others).collect()
    }

    /// The places of the blocks of the facts that a person's fold reads.
    pub(in super::super) fn blocks_of(&self, member: MemberIx) -> Vec<u32> {
        let last = self.table.member(member).last_fact;
        let alone = self.rekeys.is_empty()
            && last.checked_sub(1).is_none_or(|fact| !self.earlier.contains_key(&fact));
        if alone {
            return last.checked_sub(1).map(|fact| self.block_of(fact)).into_iter().collect();
        }
        let mut blocks: Vec<u32> =
            self.facts_of(member).into_iter().map(|fact| self.block_of(fact)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    }

    /// Chain and height of a block.
    pub(in super::super) fn place_of(&self, place: u32) -> (ChainId, u64) {
        let block = &self.blocks[place as usize];
        (block.chain, block.height)
    }

    /// The unions and units that a block names.
    pub(in super::super) fn named_in(&self, place: u32) -> (&[BranchId], &[UnitId]) {
        (&self.named[place as usize], &self.named_units[place as usize])
    }

    /// Heights of the blocks that hold any of these facts of one chain.
    pub(in super::super) fn heights_between(&self, first: &FactId, last: &FactId) -> Vec<u64> {
        let blocks = self.by_chain.get(&first.chain).into_iter().flatten();
        let blocks = blocks.map(|(_, place)| &self.blocks[*place as usize]);
        let reach = |first_seq: u64, count: u32| {
            first_seq <= last.seq && first.seq < first_seq + u64::from(count)
        };
        blocks.filter(|b| reach(b.first_seq, b.count)).map(|b| b.height).collect()
    }

    /// All facts that the folds of these persons read, in order of person.
    pub(in super::super) fn stated(
        &self,
        members: &[MemberIx],
        fold: &mut Fold<'_>,
    ) -> Vec<Stated> {
        let mut places: Vec<(u32, MemberIx)> = members
            .iter()
            .flat_map(|member| self.facts_of(*member).into_iter().map(|fact| (fact, *member)))
            .collect();
        places.sort_unstable();
        let mut stated = Vec::with_capacity(places.len());
        let mut rest = &places[..];
        while let Some((fact, _)) = rest.first() {
            let block = self.blocks[self.block_of(*fact) as usize];
            let end = block.first_fact + block.count;
            let (here, later) = rest.split_at(rest.partition_point(|(fact, _)| *fact < end));
            rest = later;
            let Some((header, batch)) = fold.batch(&block) else { continue };
            // a rekey parked for a cycle counts: it displaces the earlier ones all the same
            let nothing = BTreeSet::new();
            let mut judge: Judge<'_> = fold.judge(&nothing);
            let words = judge.words(&header, &batch);
            let at: Vec<Option<BranchIx>> =
                batch.branches.iter().map(|id| judge.branches.find(id)).collect();
            for (fact, member) in here {
                let index = (fact - block.first_fact) as usize;
                let row = &batch.rows[index];
                let branch = at[usize::from(row.branch)];
                if !self.is_of(*member, branch, self.table.find(&row.member)) {
                    continue;
                }
                let id = FactId { chain: header.chain, seq: header.first_seq + index as u64 };
                // of several rekeys the latest alone is asked
                let counts = judge.row(&header, &batch, index, &words).stands()
                    && (row.kind != RowKind::Rekeyed || self.rekeys.is_latest(&id));
                let fact = batch.fact(index);
                let (member, height, is_held) = (*member, header.height, true);
                stated.push(Stated { member, id, height, fact, counts, is_held });
            }
        }
        for member in members {
            self.restated_facts(*member, fold.branches, &mut stated);
        }
        stated.sort_by_key(|one| (one.member, one.id));
        stated
    }

    /// Whether a fact at this union, of this key, is the person's own or went over to it there.
    fn is_of(&self, member: MemberIx, branch: Option<BranchIx>, of: Option<MemberIx>) -> bool {
        let Some(of) = of else { return false };
        of == member || branch.is_some_and(|branch| self.rekeys.end_of(branch, of).0 == member)
    }

    /// Facts that a person's fold reads by what a node above says of them.
    fn restated_facts(&self, member: MemberIx, branches: &Branches, stated: &mut Vec<Stated>) {
        for source in self.rekeys.sources_of(member) {
            for (id, told) in self.restated.of(source).filter(|(id, _)| !self.holds(id)) {
                let branch = branches.find(&told.fact.branch);
                if !self.is_of(member, branch, Some(source)) {
                    continue;
                }
                let fact = Fact {
                    hlc: told.hlc,
                    day: told.day,
                    precision: Precision::Day,
                    operator: 0,
                    unit: UnitId::NIL,
                    document: None,
                    attributes: Vec::new(),
                    body: FactBody::Member(told.fact),
                };
                let (id, height, counts, is_held) = (*id, 0, true, false);
                stated.push(Stated { member, id, height, fact, counts, is_held });
            }
        }
    }

    /// Whether a node above says anything of a person, or of one rekeyed to it.
    pub(in super::super) fn is_restated(&self, member: MemberIx) -> bool {
        self.rekeys.sources_of(member).into_iter().any(|source| self.restated.touch(source))
    }

    /// Notes persons whose facts changed, if anyone asks.
    pub(super) fn touch(&mut self, members: &[MemberIx]) {
        if let Some(touched) = &mut self.touched
            && !touched.all
        {
            touched.members.extend(members);
        }
    }

    /// Notes a block that came, if anyone asks.
    pub(super) fn touch_block(&mut self, place: u32) {
        if let Some(touched) = &mut self.touched
            && !touched.all
        {
            touched.blocks.insert(place);
        }
    }

    /// Notes that anybody's facts may have changed.
    pub(in super::super) fn touch_all(&mut self) {
        if let Some(touched) = &mut self.touched {
            *touched = Touched { all: true, ..Touched::default() };
        }
    }

    /// The persons, and the blocks, touched since this was last asked; none where it may be anybody.
    pub(in super::super) fn take_touched(&mut self) -> Option<(BTreeSet<MemberIx>, BTreeSet<u32>)> {
        let touched = self.touched.replace(Touched::default())?;
        (!touched.all).then_some((touched.members, touched.blocks))
    }
}
