//! Which unions count, and their women's organisations and elections (F1, F4, F6).

use super::Work;
use crate::fact::branch::{BranchKind, WomenOrg};
use crate::id::FactId;
use crate::measure::Measure;
use crate::time::{Day, Hlc};
use crate::view::branch::BranchIx;
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

/// F4's order among own unions of one employer: counting day, then clock of the approval, then its id.
type CountsFrom = (Option<Day>, Option<(Hlc, FactId)>);

impl Work<'_> {
    /// F4: of two own unions of one employer, the earlier counting day, then the clock of the approval,
    /// counts for as long as both would.
    pub(super) fn choose_own_unions(&mut self) {
        let mut candidates: BTreeMap<UnitIx, Vec<(CountsFrom, BranchIx)>> = BTreeMap::new();
        for (_, at) in self.view.branches().ids() {
            let branch = self.view.branches().branch(at);
            if branch.kind() != BranchKind::Own || !self.counts(branch) {
                continue;
            }
            let Some(host) = branch.host_on(self.day) else { continue };
            let approval = branch.approvals.first().map(|a| (a.stamp.hlc, a.stamp.id));
            let order = (branch.counts_from(), approval);
            candidates.entry(self.tree.canonical(host)).or_default().push((order, at));
        }
        for (unit, mut unions) in candidates {
            unions.sort_unstable();
            self.own_of.insert(unit, unions[0].1);
            self.second.extend(unions[1..].iter().map(|(_, at)| *at));
        }
    }

    pub(super) fn unions(&mut self) {
        for (_, at) in self.view.branches().ids() {
            let branch = self.view.branches().branch(at);
            if !self.counts(branch) {
                continue;
            }
            let Some(host) = branch.host_on(self.day).map(|h| self.tree.canonical(h)) else {
                continue;
            };
            let counts = &mut self.own[host as usize];
            if self.second.contains(&at) {
                counts.add(Measure::UnionsDisputed, 1);
                continue;
            }
            counts.add(Measure::UnionsAll, 1);
            counts.add(Measure::UnionsOverdue, i64::from(branch.is_overdue(self.day)));
            let women = self.women_at.get(&at).copied().unwrap_or(0) > 0;
            if !women {
                continue;
            }
            counts.add(Measure::UnionsWithWomen, 1);
            match branch.women_on(self.day) {
                Some(WomenOrg::Committee) => counts.add(Measure::UnionsWomenCommittee, 1),
                Some(WomenOrg::Officer) => counts.add(Measure::UnionsWomenOfficer, 1),
                None => continue,
            }
            counts.add(Measure::UnionsWomenOrg, 1);
        }
    }
}
