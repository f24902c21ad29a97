//! Which employers are covered by a counting union, and how far a union reaches (F2, F3, M5).

use super::Work;
use crate::view::branch::{Branch, BranchIx};
use crate::view::tree::UnitIx;

impl Work<'_> {
    /// M5: whether a union's word reaches an employer: below the parent of its host, or approved by an
    /// ancestor of both.
    pub(super) fn reaches(&self, branch: &Branch, host: UnitIx, employer: UnitIx) -> bool {
        if host == employer {
            return true;
        }
        let above = self.placed.parent(host).unwrap_or(host);
        self.placed.path(employer).any(|unit| {
            unit == above
                || branch.approvals.iter().any(|approval| {
                    approval.stamp.day <= self.day
                        && self.placed.standing(self.view, approval.by) == Some(unit)
                })
        })
    }

    /// F2: the employers covered by a counting union. F3 needs nothing more: who is covered by an own union
    /// besides another is one unit all the same, and is the other's again when the own one ends.
    pub(super) fn cover(&mut self) {
        for (_, at) in self.view.branches().ids() {
            if !self.counts(at) {
                continue;
            }
            let Some(host) = self.host(at) else { continue };
            let branch = self.view.branches().branch(at);
            for unit in branch.covered_on(self.day) {
                let unit = self.tree.heir_on(self.tree.canonical(unit), self.day);
                if self.reaches(branch, host, unit) {
                    self.covered[unit as usize] = true;
                }
            }
        }
    }

    /// The union a merged one has gone up in by the day, as far as it is known (F5; cycles are parked by the
    /// view).
    pub(super) fn successor(&self, mut at: BranchIx) -> BranchIx {
        while let Some((stamp, into)) = self.view.branches().branch(at).merged
            && stamp.day <= self.day
            && self.view.branches().branch(into).profile.is_some()
        {
            at = into;
        }
        at
    }
}
