//! Counting changed cells into a roll-up that is there: a member fact costs its union, its unit and those above.
//!
//! **Invariant:** the roll-up afterwards is the one that would be made anew.

use super::members::Placement;
use super::unions::{counts, with_women};
use super::{Kept, Rollup, Work};
use crate::measure::{Counts, Measure};
use crate::view::View;
use crate::view::branch::BranchIx;
use crate::view::cell::{CellChange, ClassStatus};
use crate::view::renewal::MemberChanges;
use crate::view::tree::UnitIx;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A renewal under way.
struct Renewal<'a> {
    work: Work<'a>,
    /// What stood at units before.
    before: BTreeMap<UnitIx, Counts>,
    /// Unions whose women changed.
    women: BTreeSet<BranchIx>,
}

impl Rollup {
    /// Counts member facts into it that came since it was made; false where it has to be made anew.
    pub(crate) fn renew(&mut self, view: &View, changes: &MemberChanges) -> bool {
        // what succession left is counted from all that stands there
        if !view.tree().successions().is_empty() || view.tree().units.len() != self.own.len() {
            return false;
        }
        let mut renewal =
            Renewal { work: self.take_work(view), before: BTreeMap::new(), women: BTreeSet::new() };
        for change in changes.cells.iter().filter(|change| change.day <= self.day) {
            renewal.count(change);
        }
        let Renewal { mut work, before, women } = renewal;
        let doubtful = women.iter().any(|union| work.women_in_doubt.contains(union));
        if changes.extras || doubtful {
            self.doubts = work.doubts();
        }
        self.put_back(work);
        for (unit, before) in before {
            self.carry_up(unit, &before);
        }
        true
    }

    fn take_work<'a>(&mut self, view: &'a View) -> Work<'a> {
        let mut work = Work::new(view, Arc::clone(&self.then));
        let kept = std::mem::take(&mut self.kept);
        (work.own_of, work.second) = (kept.own_of, kept.second);
        (work.women_at, work.active_of) = (kept.women_at, kept.active_of);
        (work.captured, work.women_in_doubt) = (kept.captured, kept.women_in_doubt);
        work.covered = std::mem::take(&mut self.covered);
        work.own = std::mem::take(&mut self.own);
        work.active_at = std::mem::take(&mut self.active_at);
        work.unknown.clone_from(&self.doubts.unknown);
        work
    }

    fn put_back(&mut self, work: Work<'_>) {
        (self.covered, self.own, self.active_at) = (work.covered, work.own, work.active_at);
        self.kept = Kept {
            own_of: work.own_of,
            second: work.second,
            women_at: work.women_at,
            active_of: work.active_of,
            captured: work.captured,
            women_in_doubt: work.women_in_doubt,
        };
    }

    /// Adds what changed at a unit to all above it, along the boundaries of this roll-up.
    fn carry_up(&mut self, unit: UnitIx, before: &Counts) {
        let change = self.own[unit as usize].less(before);
        let path: Vec<UnitIx> = self.placed.path(unit).collect();
        for at in path {
            self.total[at as usize].add_all(&change);
        }
    }
}

impl Renewal<'_> {
    fn count(&mut self, change: &CellChange) {
        let cell = &self.work.view.cells().all()[change.cell as usize];
        let placement = self.work.placement(cell.branch, cell.employer);
        let Some(unit) = placement.unit() else { return };
        self.remember(unit);
        let union = match placement {
            Placement::Counts(_, union, _) => Some(union),
            _ => None,
        };
        let had_women = union.is_some_and(|union| self.has_women(union));
        let active = self.work.active_at.get(&unit).copied().unwrap_or(0);
        self.work.member_class(placement, change.class, change.count);
        if let Some(union) = union
            && change.class.status() == ClassStatus::Active
        {
            self.count_active(unit, active);
            self.count_captured(union, change.count);
            if change.class.is_woman() {
                self.women.insert(union);
                self.count_women(union, had_women);
            }
        }
    }

    fn remember(&mut self, unit: UnitIx) {
        self.before.entry(unit).or_insert(self.work.own[unit as usize]);
    }

    fn has_women(&self, union: BranchIx) -> bool {
        self.work.women_at.get(&union).copied().unwrap_or(0) > 0
    }

    /// What depends on how many active members stand at an employer.
    fn count_active(&mut self, unit: UnitIx, before: i64) {
        let measures = self.work.of_known_headcount(unit);
        let employees = self.work.counted(unit).and_then(|state| state.headcount);
        let (false, Some(employees)) = (measures.is_empty(), employees) else { return };
        let after = self.work.active_at.get(&unit).copied().unwrap_or(0);
        let counts = &mut self.work.own[unit as usize];
        for measure in measures {
            counts.add(measure, after - before);
        }
        let too_small = |active| i64::from(active > i64::from(employees.employees));
        counts.add(Measure::UnitsBaseTooSmall, too_small(after) - too_small(before));
    }

    /// S3: what is counted beside declared members.
    fn count_captured(&mut self, union: BranchIx, count: i64) {
        let (view, day) = (self.work.view, self.work.day);
        let Some(host) = view.branches().branch(union).host_on(day) else { return };
        let host = view.tree().canonical(host);
        if let Some(times) = self.work.captured.get(&host).copied() {
            self.remember(host);
            self.work.own[host as usize].add(Measure::CaptureRegistry, count * times);
        }
    }

    /// What a union counts as once it has a woman member, or has none any more.
    fn count_women(&mut self, union: BranchIx, had: bool) {
        let has = self.has_women(union);
        let (view, day) = (self.work.view, self.work.day);
        if has == had || !counts(view, union, day) || self.work.second.contains(&union) {
            return;
        }
        let Some(host) = self.work.host(union) else { return };
        self.remember(host);
        let counts = &mut self.work.own[host as usize];
        let step = if has { 1 } else { -1 };
        with_women(view.branches().branch(union), day, |measure| counts.add(measure, step));
    }
}
