//! Which employers are covered by a counting union, and how far a union reaches (F2, F3, M5).

use super::Work;
use crate::view::branch::{Branch, BranchIx};
use crate::view::tree::UnitIx;

impl Work<'_> {
    /// Whether a union's word reaches an employer: below the parent of its host, or approved by an
    /// ancestor of both (M5, F2).
    pub(super) fn reaches(&self, branch: &Branch, host: UnitIx, employer: UnitIx) -> bool {
        if host == employer {
            return true;
        }
        let above = self.parents[host as usize].unwrap_or(host);
        self.path(employer).any(|unit| {
            unit == above || branch.approvals.iter().any(|approval| approval.by == unit)
        })
    }

    /// F2 and F3: which employers are covered by a counting union.
    pub(super) fn cover(&mut self) {
        for (_, at) in self.view.branches().ids() {
            let branch = self.view.branches().branch(at);
            if !self.counts(branch) || self.second.contains(&at) {
                continue;
            }
            let Some(host) = branch.host_on(self.day).map(|h| self.tree.canonical(h)) else {
                continue;
            };
            for unit in branch.covered_on(self.day) {
                let unit = self.tree.canonical(unit);
                if self.reaches(branch, host, unit) {
                    self.covered[unit as usize] = true;
                }
            }
        }
    }

    /// The union a merged one has gone up in by the day (F5; cycles are parked by the view).
    pub(super) fn successor(&self, mut at: BranchIx) -> BranchIx {
        while let Some((stamp, into)) = self.view.branches().branch(at).merged
            && stamp.day <= self.day
        {
            at = into;
        }
        at
    }
}
