//! M6: persons entered under a wrong number, as blocks come in.

use super::{BranchIx, FactId, Fold, Header, MemberBatch, MemberIx, Members};
use crate::fact::member::MemberAct;
use crate::view::rekey::Rekey;
use std::collections::BTreeSet;

impl Members {
    pub(super) fn add_rekey(
        &mut self,
        from: MemberIx,
        branch: BranchIx,
        header: &Header,
        batch: &MemberBatch,
        index: usize,
    ) {
        let MemberAct::Rekeyed { to, qualified } = batch.member_fact(index).act else { return };
        let to = self.table.intern(&to);
        self.rekeys.stated.push(Rekey {
            branch,
            from,
            to,
            hlc: batch.rows[index].hlc,
            id: FactId { chain: header.chain, seq: header.first_seq + index as u64 },
            qualified,
            place: self.table.member(from).last_fact - 1,
        });
        self.dirty.extend([from, to]);
    }

    /// M6: settles where facts of rekeyed persons belong.
    pub(super) fn settle_rekeys(&mut self, fold: &mut Fold<'_>, org_changed: bool) {
        let restated = std::mem::take(&mut self.restated.rekeys_changed);
        if (org_changed && !self.rekeys.stated.is_empty()) || self.rekeys.is_behind() || restated {
            let nothing = BTreeSet::new();
            let mut standing = Vec::new();
            for rekey in &self.rekeys.stated {
                let block = self.blocks[self.block_of(rekey.place) as usize];
                let Some((header, batch)) = fold.batch(&block) else { continue };
                let mut judge = fold.judge(&nothing);
                let words = judge.words(&header, &batch);
                let index = (rekey.place - block.first_fact) as usize;
                if judge.row(&header, &batch, index, &words).stands() {
                    standing.push(*rekey);
                }
            }
            standing.extend(self.restated_rekeys(fold));
            let touched = self.rekeys.settle(standing, &self.dirty);
            self.dirty.extend(touched);
        } else {
            let followers = self.rekeys.followers(&self.dirty);
            self.dirty.extend(followers);
        }
    }
}
