//! Which persons a later fact makes fold anew: those whose facts' verdicts may have changed.

use super::super::withdrawal::Withdrawal;
use super::{BranchIx, FactId, Fold, Members, OrgChange, Writer, current};
use std::collections::BTreeSet;

impl Members {
    /// Marks the persons at unions whose rank, or whose writer's word, is not what it was.
    pub(super) fn mark_changed_words(&mut self, fold: &mut Fold<'_>, change: &OrgChange) {
        let reached = self.known.iter_mut().filter(|((_, branch), _)| change.reaches(*branch));
        for ((writer, branch), known) in reached {
            let now = current(*writer, *branch, fold);
            if *known != now {
                *known = now;
                let id = fold.branches.branch(*branch).id;
                self.dirty_blocks.extend(self.by_branch.get(&id).into_iter().flatten());
            }
        }
    }

    /// Marks the persons of facts that a withdrawal takes back, or no longer does: whether it may
    /// depends on the word of its writer, which later facts change.
    pub(super) fn mark_changed_withdrawals(&mut self, fold: &mut Fold<'_>) {
        let mut reached: Vec<(Withdrawal, FactId, u32)> = Vec::new();
        for (chain, withdrawal) in fold.withdrawals.all() {
            let Some(blocks) = self.by_chain.get(chain) else { continue };
            let before = blocks.range(..=withdrawal.last).rev();
            let touched = before.map(|(_, place)| (*place, &self.blocks[*place as usize]));
            for (place, block) in
                touched.take_while(|(_, b)| b.first_seq + u64::from(b.count) > withdrawal.first)
            {
                reached.push((*withdrawal, FactId { chain: *chain, seq: block.first_seq }, place));
            }
        }
        for (withdrawal, fact, place) in reached {
            let branches: Vec<BranchIx> =
                self.named[place as usize].iter().map(|id| fold.branches.intern(id)).collect();
            let mut judge = fold.judge(self.rekeys.cyclic());
            let speaks = judge.withdrawals.speaks(&withdrawal);
            let valid: Vec<bool> = branches
                .into_iter()
                .map(|branch| speaks && judge.is_valid(&withdrawal, &fact, Some(branch)))
                .collect();
            let said_by = withdrawal.restated.map_or(withdrawal.id, |by| by.id);
            let known = self.known_withdrawals.insert((said_by, place), valid.clone());
            if known != Some(valid) {
                self.dirty_blocks.insert(place);
            }
        }
    }

    /// Marks the persons of a writer whose cut is not what it was.
    pub(super) fn mark_changed_cuts(&mut self, fold: &Fold<'_>) {
        let cuts = &fold.authority.cuts;
        if self.known_cuts == *cuts {
            return;
        }
        let changed: BTreeSet<Writer> = self
            .known_cuts
            .keys()
            .chain(cuts.keys())
            .filter(|writer| self.known_cuts.get(*writer) != cuts.get(*writer))
            .copied()
            .collect();
        for (chain, blocks) in &self.by_chain {
            if changed.contains(&(chain.node, chain.epoch)) {
                self.dirty_blocks.extend(blocks.values());
            }
        }
        self.known_cuts.clone_from(cuts);
    }
}
