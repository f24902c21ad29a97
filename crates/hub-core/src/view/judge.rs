//! Verdicts on member facts.

use super::authority::{Authority, Writer};
use super::branch::{BranchIx, Branches};
use super::intervals::Intervals;
use super::tree::Tree;
use super::verdict::{Reason, Verdict};
use super::withdrawal::{Withdrawal, Withdrawals};
use crate::codec::{MemberBatch, MemberRow};
use crate::header::Header;
use crate::id::FactId;
use crate::time::{Hlc, Precision};
use std::collections::BTreeSet;

/// Judges member facts.
pub(super) struct Judge<'a> {
    pub(super) tree: &'a Tree,
    pub(super) authority: &'a mut Authority,
    pub(super) branches: &'a Branches,
    pub(super) withdrawals: &'a Withdrawals,
    /// Rekeys that would close a cycle (M6).
    pub(super) cyclic: &'a BTreeSet<FactId>,
}

/// A union of a batch, and the word of the batch's writer over it.
pub(super) type Words = Vec<Option<(BranchIx, Intervals)>>;

impl Judge<'_> {
    /// The spans in which the writer may state facts about a union: through each host while it was host.
    pub(super) fn word(&mut self, writer: Writer, branch: BranchIx) -> Intervals {
        let hosts = self.branches.branch(branch).host_line.all();
        if let [(_, only)] = hosts {
            return self.authority.word(self.tree, writer, *only).clone();
        }
        let mut word = Intervals::default();
        for (place, (from, host)) in hosts.iter().enumerate() {
            let to = hosts.get(place + 1).map_or(Hlc::MAX, |(next, _)| *next);
            let over_host = self.authority.word(self.tree, writer, *host).clone();
            word.add_within(&over_host, *from, to);
        }
        word
    }

    /// The unions of a batch with its writer's word over each.
    pub(super) fn words(&mut self, header: &Header, batch: &MemberBatch) -> Words {
        let writer = (header.chain.node, header.chain.epoch);
        let found = batch.branches.iter().map(|id| self.branches.find(id));
        let found: Vec<Option<BranchIx>> = found.collect();
        found.into_iter().map(|at| at.map(|at| (at, self.word(writer, at)))).collect()
    }

    /// Verdicts of all facts of a batch.
    pub(super) fn batch(mut self, header: &Header, batch: &MemberBatch) -> Vec<Verdict> {
        let words = self.words(header, batch);
        (0..batch.rows.len()).map(|index| self.row(header, batch, index, &words)).collect()
    }

    /// The verdict of the fact at `index` of a batch.
    pub(super) fn row(
        &mut self,
        header: &Header,
        batch: &MemberBatch,
        index: usize,
        words: &Words,
    ) -> Verdict {
        let row = &batch.rows[index];
        let id = FactId { chain: header.chain, seq: header.first_seq + index as u64 };
        let named = words[usize::from(row.branch)].as_ref();
        let branch = named.map(|(branch, _)| *branch);
        let withdrawals = self.withdrawals;
        if withdrawals.withholds(&id) {
            // as if its own withdrawal: out of the fold, and nothing that waits
            return Verdict::Withdrawn(id);
        }
        if let Some(withdrawal) = withdrawals.of(&id, |w| self.is_valid(w, &id, branch)) {
            return Verdict::Withdrawn(withdrawal.id);
        }
        let cut = self.authority.cuts.get(&(header.chain.node, header.chain.epoch));
        if cut.is_some_and(|cut| cut.parks(&header.chain.lane, header.height)) {
            return Verdict::Parked(Reason::AfterCut);
        }
        if branch.is_none_or(|branch| self.branches.branch(branch).profile.is_none()) {
            return Verdict::Parked(Reason::UnknownSubject);
        }
        if !named.is_some_and(|(_, word)| word.contains(row.hlc)) {
            return Verdict::Parked(Reason::NoAuthority);
        }
        if is_premature(row) {
            return Verdict::Parked(Reason::Premature);
        }
        if self.cyclic.contains(&id) {
            return Verdict::Parked(Reason::Cycle);
        }
        Verdict::Stands
    }

    /// Whether a withdrawal takes back a fact about this union.
    pub(super) fn is_valid(
        &mut self,
        withdrawal: &Withdrawal,
        fact: &FactId,
        branch: Option<BranchIx>,
    ) -> bool {
        if withdrawal.restated.is_some() || withdrawal.writer().0 == fact.chain.node {
            return withdrawal.is_valid(fact, None, self.tree, self.authority);
        }
        !withdrawal.is_cut_off(self.authority)
            && branch.is_some_and(|at| self.word(withdrawal.writer(), at).contains(withdrawal.hlc))
    }
}

/// The rule of [`crate::fact::Fact::is_premature`] for a row; member facts are occurrences.
pub(super) fn is_premature(row: &MemberRow) -> bool {
    let latest = match row.precision {
        Precision::Day => row.hlc.day(),
        Precision::Month | Precision::Year => row.hlc.day().next(),
    };
    row.day > latest
}
