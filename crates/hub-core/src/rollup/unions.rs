//! Which unions count, and their women's organisations and elections (F1, F4, F6).

use super::Work;
use crate::fact::branch::{BranchKind, WomenOrg};
use crate::id::{BranchId, FactId};
use crate::measure::Measure;
use crate::time::{Day, Hlc};
use crate::view::View;
use crate::view::branch::{Branch, BranchIx};
use crate::view::decision::{Decision, Ruled, Ruling, Sides};
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

/// F4's order among own unions of one employer: counting day, then clock of the approval, then its id.
type CountsFrom = (Option<Day>, Option<(Hlc, FactId)>);

fn counts_from(branch: &Branch) -> CountsFrom {
    let approval = branch.approvals.first().map(|a| (a.stamp.hlc, a.stamp.id));
    (branch.counts_from(), approval)
}

/// Whether a union counts on a day, before F4 is asked: the loser of a ruling never does, from its day.
pub(crate) fn counts(view: &View, at: BranchIx, day: Day) -> bool {
    view.branches().branch(at).counts_on(view.tree(), day)
        && view.decisions().union_ruled(at, day) != Some(Ruled::Loses)
}

/// The host of a union on a day: the unit named, or what follows it one to one.
pub(super) fn host_on(view: &View, at: BranchIx, day: Day) -> Option<UnitIx> {
    let named = view.branches().branch(at).host_on(day)?;
    Some(view.tree().heir_on(view.tree().canonical(named), day))
}

/// The own unions of employers registered twice: where such an employer stands depends on them (U1).
pub(super) struct OwnUnions<'a> {
    view: &'a View,
    by_host: BTreeMap<UnitIx, Vec<BranchIx>>,
}

impl<'a> OwnUnions<'a> {
    pub(super) fn of(view: &'a View) -> Self {
        let tree = view.tree();
        let mut by_host: BTreeMap<UnitIx, Vec<BranchIx>> = BTreeMap::new();
        for (at, unit) in tree.units.iter().enumerate() {
            if unit.registrations.len() > 1 {
                by_host.insert(at as UnitIx, Vec::new());
            }
        }
        if !by_host.is_empty() {
            for (_, at) in view.branches().ids() {
                let branch = view.branches().branch(at);
                if branch.kind() == BranchKind::Own {
                    for (_, host) in &branch.hosts {
                        // on whichever day: it may have come by following another
                        for host in
                            [tree.canonical(*host), tree.heir_on(tree.canonical(*host), Day::OPEN)]
                        {
                            by_host.entry(host).and_modify(|unions| unions.push(at));
                        }
                    }
                }
            }
        }
        Self { view, by_host }
    }

    fn unions(&self, unit: UnitIx) -> impl Iterator<Item = BranchIx> + '_ {
        self.by_host.get(&unit).into_iter().flatten().copied()
    }

    fn would_count(&self, at: BranchIx, unit: UnitIx, day: Day) -> bool {
        counts(self.view, at, day) && host_on(self.view, at, day) == Some(unit)
    }

    /// F4: the own union of an employer that counts on a day.
    pub(super) fn counting(&self, unit: UnitIx, day: Day) -> Option<BranchIx> {
        self.unions(unit)
            .filter(|at| self.would_count(*at, unit, day))
            .min_by_key(|at| order(self.view, *at, day))
    }

    /// The own union of an employer that counted last before a day on which none does.
    pub(super) fn counted_last(&self, unit: UnitIx, day: Day) -> Option<BranchIx> {
        let days = self.unions(unit).flat_map(|at| self.last_days(at));
        let last = days.filter(|last| *last < day);
        let mut last: Vec<Day> = last.collect();
        last.sort_unstable();
        last.dedup();
        last.into_iter().rev().find_map(|day| self.counting(unit, day))
    }

    /// Days after which a union may no longer count at a host: the last before it ends, goes elsewhere, its host
    /// is followed by another or it is ruled out.
    fn last_days(&self, at: BranchIx) -> Vec<Day> {
        let branch = self.view.branches().branch(at);
        let moved = branch.hosts.iter().map(|(stamp, _)| stamp.day);
        let ruled = self.view.decisions().all().filter_map(|decision| match decision {
            Decision::Ruled(Ruling { from, sides: Sides::Unions(unions), .. }) => {
                unions.contains(&at).then_some(*from)
            }
            _ => None,
        });
        let followed = self.view.tree().successions().iter().map(|followed| followed.stamp.day);
        let changes = moved.chain(followed).chain(ruled).chain([branch.ends(self.view.tree())]);
        changes.filter(|day| *day != Day::OPEN).map(|day| Day(day.0 - 1)).collect()
    }
}

/// F4's order on a day: the winner of a ruling, then the earlier counting day and approval.
fn order(view: &View, at: BranchIx, day: Day) -> (bool, CountsFrom, BranchId) {
    let branch = view.branches().branch(at);
    let wins = view.decisions().union_ruled(at, day) == Some(Ruled::Wins);
    (!wins, counts_from(branch), branch.id)
}

impl Work<'_> {
    /// F4: of the own unions of one employer the earlier counting day, then the clock of the approval, counts
    /// for as long as both would.
    pub(super) fn choose_own_unions(&mut self) {
        let mut candidates: BTreeMap<UnitIx, Vec<BranchIx>> = BTreeMap::new();
        for (_, at) in self.view.branches().ids() {
            let is_own = self.view.branches().branch(at).kind() == BranchKind::Own;
            if is_own
                && counts(self.view, at, self.day)
                && let Some(host) = host_on(self.view, at, self.day)
            {
                candidates.entry(host).or_default().push(at);
            }
        }
        for (unit, mut unions) in candidates {
            if unions.len() > 1 {
                unions.sort_by_cached_key(|at| order(self.view, *at, self.day));
            }
            self.own_of.insert(unit, unions[0]);
            self.second.extend(&unions[1..]);
        }
    }

    /// Whether a union counts, F4 asked.
    pub(super) fn counts(&self, at: BranchIx) -> bool {
        counts(self.view, at, self.day) && !self.second.contains(&at)
    }

    /// Where a union's host stands.
    pub(super) fn host(&self, at: BranchIx) -> Option<UnitIx> {
        self.placed.standing(self.view, self.view.branches().branch(at).host_on(self.day)?)
    }

    pub(super) fn unions(&mut self) {
        for (_, at) in self.view.branches().ids() {
            let branch = self.view.branches().branch(at);
            if !counts(self.view, at, self.day) {
                continue;
            }
            let Some(host) = self.host(at) else { continue };
            let women = self.women_at.get(&at).copied().unwrap_or(0) > 0;
            let is_second = self.second.contains(&at);
            let counts = &mut self.own[host as usize];
            if is_second {
                counts.add(Measure::UnionsDisputed, 1);
                continue;
            }
            counts.add(Measure::UnionsAll, 1);
            counts.add(Measure::UnionsOverdue, i64::from(branch.is_overdue(self.day)));
            if women {
                with_women(branch, self.day, |measure| counts.add(measure, 1));
            }
        }
    }
}

/// What a union with an active woman member counts as.
pub(super) fn with_women(branch: &Branch, day: Day, mut count: impl FnMut(Measure)) {
    count(Measure::UnionsWithWomen);
    match branch.women_on(day) {
        Some(WomenOrg::Committee) => count(Measure::UnionsWomenCommittee),
        Some(WomenOrg::Officer) => count(Measure::UnionsWomenOfficer),
        None => return,
    }
    count(Measure::UnionsWomenOrg);
}
