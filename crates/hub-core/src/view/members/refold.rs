//! Folding persons anew from their facts, read again from their blocks.

use super::{FactId, Fold, Header, MemberBatch, MemberIx, Members, Reason};
use crate::fact::ATTRIBUTE_FIRST_JOINED;
use crate::fact::member::{LeaveReason, MemberAct};
use crate::id::MemberKey;
use crate::view::claim::{self, Act, ClaimFact, Law, Start, Swept, Told};
use crate::view::verdict::Verdict;

/// Whether a start states its joining day: an `existing` one must say when the person first joined.
fn states_day(batch: &MemberBatch, index: usize) -> bool {
    let stated = batch.attributes.iter().find(|column| column.code == ATTRIBUTE_FIRST_JOINED);
    stated.is_some_and(|column| {
        column.values.binary_search_by_key(&(index as u32), |(row, _)| *row).is_ok()
    })
}

impl Fold<'_> {
    fn sweep(&self, told: Told) -> Swept {
        let kind_of = |branch| self.branches.branch(branch).kind();
        claim::sweep(told, Law { policy: self.policy, kind_of: &kind_of })
    }
}

impl Members {
    /// The places of all facts that a person's fold reads: its own and those rekeyed to it.
    pub(super) fn facts_of(&self, member: MemberIx) -> Vec<u32> {
        let mut facts = Vec::new();
        for source in self.rekeys.sources_of(member) {
            let mut next = self.table.member(source).last_fact;
            while let Some(fact) = next.checked_sub(1) {
                facts.push(fact);
                next = self.earlier.get(&fact).copied().unwrap_or(0);
            }
        }
        facts
    }

    /// Refolds persons from their facts, each block read once.
    pub(super) fn refold(&mut self, members: &[MemberIx], fold: &mut Fold<'_>) {
        self.note_ranks(members, fold);
        let told = self.tell(members, fold);
        let mut rest = &told[..];
        for member in members {
            let (own, later) = rest.split_at(rest.partition_point(|(at, _)| at <= member));
            rest = later;
            let facts = own.iter().filter_map(|(_, told)| told.ok()).collect();
            let about = self.about(*member, facts, fold);
            let parked: Vec<Reason> = own.iter().filter_map(|(_, told)| told.err()).collect();
            let told = self.note(*member, about);
            let swept = fold.sweep(told);
            self.replace(*member, swept, parked, fold);
        }
    }

    /// What the sweeps of these persons' days say, each block read once; in order of member.
    pub(super) fn swept(&self, members: &[MemberIx], fold: &mut Fold<'_>) -> Vec<Swept> {
        let told = self.tell(members, fold);
        let mut rest = &told[..];
        let mut swept = Vec::with_capacity(members.len());
        for member in members {
            let (own, later) = rest.split_at(rest.partition_point(|(at, _)| at <= member));
            rest = later;
            let facts = own.iter().filter_map(|(_, told)| told.ok()).collect();
            let about = self.about(*member, facts, fold);
            swept.push(fold.sweep(about.told));
        }
        swept
    }

    /// What each person's facts say, or why one is parked; in order of member.
    fn tell(
        &self,
        members: &[MemberIx],
        fold: &mut Fold<'_>,
    ) -> Vec<(MemberIx, Result<ClaimFact, Reason>)> {
        let mut places: Vec<(u32, MemberIx)> = members
            .iter()
            .flat_map(|member| self.facts_of(*member).into_iter().map(|fact| (fact, *member)))
            .collect();
        places.sort_unstable();
        let mut told = Vec::with_capacity(places.len());
        let mut rest = &places[..];
        while let Some((fact, _)) = rest.first() {
            let block = self.blocks[self.block_of(*fact) as usize];
            let end = block.first_fact + block.count;
            let (here, later) = rest.split_at(rest.partition_point(|(fact, _)| *fact < end));
            rest = later;
            let Some((header, batch)) = fold.batch(&block) else { continue };
            let words = fold.judge(self.rekeys.cyclic()).words(&header, &batch);
            for (fact, member) in here {
                let index = (fact - block.first_fact) as usize;
                let mut judge = fold.judge(self.rekeys.cyclic());
                match judge.row(&header, &batch, index, &words) {
                    Verdict::Withdrawn(_) => {}
                    Verdict::Parked(reason) => {
                        let own = batch.rows[index].member == self.table.member(*member).key;
                        told.extend(own.then_some((*member, Err(reason))));
                    }
                    Verdict::Stands => {
                        let fact = self.claim_fact(*member, &header, &batch, index, fold);
                        told.extend(fact.map(|fact| (*member, Ok(fact))));
                    }
                }
            }
        }
        for member in members {
            told.extend(self.restated_claims(*member, fold).into_iter().map(|f| (*member, Ok(f))));
        }
        told.sort_by_key(|(member, _)| *member);
        told
    }

    fn claim_fact(
        &self,
        member: MemberIx,
        header: &Header,
        batch: &MemberBatch,
        index: usize,
        fold: &mut Fold<'_>,
    ) -> Option<ClaimFact> {
        let row = &batch.rows[index];
        let fact = batch.member_fact(index);
        let branch = fold.branches.intern(&fact.branch);
        let stated_of = self.table.find(&row.member)?;
        let (end, rekeyed) = self.rekeys.end_of(branch, stated_of);
        if end != member {
            return None;
        }
        let act = act_of(&fact.act, states_day(batch, index), rekeyed, fold)?;
        let id = FactId { chain: header.chain, seq: header.first_seq + index as u64 };
        Some(ClaimFact { day: row.day, hlc: row.hlc, id, branch, act })
    }

    /// Shows every person's spans, computed from its facts, in no meaningful order.
    pub(in crate::view) fn each_person(
        &self,
        fold: &mut Fold<'_>,
        show: &mut dyn FnMut(&[claim::Span]),
    ) {
        let all: Vec<MemberIx> = (0..self.table.len() as MemberIx).collect();
        for chunk in all.chunks(super::REFOLD_CHUNK) {
            let told = self.tell(chunk, fold);
            let mut rest = &told[..];
            for member in chunk {
                let (own, later) = rest.split_at(rest.partition_point(|(at, _)| at <= member));
                rest = later;
                let facts = own.iter().filter_map(|(_, told)| told.ok()).collect();
                show(&fold.sweep(self.about(*member, facts, fold).told).spans);
            }
        }
    }

    /// What the sweep of a person's days says, from its facts read again.
    pub(in crate::view) fn person(&self, key: &MemberKey, fold: &mut Fold<'_>) -> Swept {
        let Some(member) = self.table.find(key) else { return Swept::default() };
        let told = self.tell(&[member], fold);
        let facts = told.into_iter().filter_map(|(_, told)| told.ok()).collect();
        let about = self.about(member, facts, fold);
        fold.sweep(about.told)
    }
}

/// What a membership fact does to a claim; `rekeyed` is whether a right number passes (M6).
pub(super) fn act_of(
    act: &MemberAct,
    day_stated: bool,
    rekeyed: Option<bool>,
    fold: &mut Fold<'_>,
) -> Option<Act> {
    Some(match act {
        MemberAct::Joined(start) | MemberAct::TransferredIn(start) => Act::Start(Start {
            origin: start.origin,
            day_stated,
            evidence: start.evidence,
            employer: start.employer.map(|id| fold.tree.intern_raw(&id)),
            from: start.from.map(|id| fold.branches.intern(&id)),
            profile: start.profile,
            qualified: rekeyed.unwrap_or(start.qualified),
        }),
        MemberAct::TransferredOut { .. } => Act::TransferredOut,
        MemberAct::Left { reason: LeaveReason::Deceased } => Act::Death,
        MemberAct::Left { reason } => Act::Left(*reason),
        MemberAct::Retained { .. } => Act::Retained,
        MemberAct::Revised { profile } => Act::Revised(*profile),
        MemberAct::Rekeyed { .. } | MemberAct::Erased => return None,
    })
}
