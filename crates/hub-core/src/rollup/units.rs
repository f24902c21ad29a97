//! What each employer counts as, and how far the founding of its union has come.

use super::Work;
use super::doubt::Unknown;
use super::unions::host_on;
use crate::measure::Measure;
use crate::time::Day;
use crate::view::branch::Branch;
use crate::view::tree::{Counted, Tree, UnitIx};
use std::collections::BTreeMap;

impl Work<'_> {
    pub(super) fn units(&mut self) {
        let stages = self.stages();
        for at in 0..self.tree.units.len() {
            let unit = self.tree.unit(at as UnitIx);
            let registration = self.placed.registration(at as UnitIx);
            if !unit.is_employer() || !unit.is_open_under(registration, self.day) {
                continue;
            }
            let Some(state) = self.counted(at as UnitIx) else { continue };
            let covered = self.covered[at];
            let active = self.active_at.get(&(at as UnitIx)).copied().unwrap_or(0);
            let counts = &mut self.own[at];
            if !state.qualified {
                counts.add(Measure::UnitsUnqualified, 1);
                continue;
            }
            let mut count = |measure, of_covered, holds: bool| {
                counts.add(measure, i64::from(holds));
                counts.add(of_covered, i64::from(holds && covered));
            };
            let employees = state.headcount.map(|h| i64::from(h.employees));
            let due = i64::from(self.view.policy().founding_due_employees);
            let has = |least| employees.is_some_and(|e| e >= least);
            count(Measure::UnitsAll, Measure::CoveredAll, true);
            for (least, of_all, of_covered) in headcount_bounds(due) {
                count(of_all, of_covered, has(least));
            }
            count(Measure::UnitsOperating, Measure::CoveredOperating, state.operating);
            let stage = stages.get(&(at as UnitIx)).copied().unwrap_or(Stage::None);
            let stage = if covered { Stage::Founded } else { stage };
            if has(due) {
                stage.measures().for_each(|measure| counts.add(measure, 1));
            }
            match employees {
                None => {
                    counts.add(Measure::UnitsUnknownHeadcount, 1);
                    self.unknown.push(Unknown { at: at as UnitIx, covered, stage, due });
                }
                Some(employees) => {
                    counts.add(Measure::EmployeesAll, employees);
                    counts.add(Measure::MembersEmployed, active);
                    if covered {
                        counts.add(Measure::EmployeesCovered, employees);
                        counts.add(Measure::MembersCovered, active);
                    }
                    counts.add(Measure::UnitsBaseTooSmall, i64::from(active > employees));
                }
            }
        }
    }

    /// What is known of a unit on the day: by what was stated under the registration chosen, and, where it
    /// follows another one to one and no headcount of its own is stated, by that one's (U4).
    pub(super) fn counted(&self, at: UnitIx) -> Option<Counted> {
        let registration = self.placed.registration(at);
        let mut state = self.tree.unit(at).counted_on(registration, self.day)?;
        if state.headcount.is_none() {
            let forebears = self.tree.forebears_on(at, self.day);
            let stated = |at: &UnitIx| self.counted(*at).and_then(|state| state.headcount);
            state.headcount = forebears.iter().find_map(stated);
        }
        Some(state)
    }

    /// How far the founding of a union has come, by employer: the furthest of those hosted there or covering
    /// it. A federation or sub-branch is no founding.
    fn stages(&self) -> BTreeMap<UnitIx, Stage> {
        let mut stages: BTreeMap<UnitIx, Stage> = BTreeMap::new();
        for (_, at) in self.view.branches().ids() {
            let branch = self.view.branches().branch(at);
            let stage = stage(branch, self.tree, self.day);
            let Some(host) = host_on(self.view, at, self.day) else { continue };
            if !branch.kind().is_grassroots() {
                continue;
            }
            let covered = branch.covered_on(self.day).map(|unit| self.tree.canonical(unit));
            for unit in covered.map(|unit| self.tree.heir_on(unit, self.day)).chain([host]) {
                let known = stages.entry(unit).or_insert(Stage::None);
                *known = (*known).max(stage);
            }
        }
        stages
    }
}

fn stage(branch: &Branch, tree: &Tree, day: Day) -> Stage {
    if branch.ends(tree) <= day {
        Stage::None
    } else if branch.is_approved(day) {
        Stage::Approved
    } else if branch.is_applied(day) {
        Stage::Applied
    } else if branch.refused.iter().any(|refused| *refused <= day) {
        Stage::Refused
    } else {
        Stage::None
    }
}

/// Headcounts from which a unit is in a base: the least, the measure of all such and of those covered.
pub(super) fn headcount_bounds(due: i64) -> [(i64, Measure, Measure); 3] {
    [
        (due, Measure::UnitsDue, Measure::CoveredDue),
        (50, Measure::Units50, Measure::Covered50),
        (100, Measure::Units100, Measure::Covered100),
    ]
}

/// How far a founding has come; exclusive, and they sum (DESIGN §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    None,
    Refused,
    Applied,
    Approved,
    Founded,
}

impl Stage {
    /// What a due unit at this stage counts as.
    pub(super) fn measures(self) -> impl Iterator<Item = Measure> {
        let stage = match self {
            Self::None => Measure::StageNone,
            Self::Refused => Measure::StageRefused,
            Self::Applied => Measure::StageApplied,
            Self::Approved => Measure::StageApproved,
            Self::Founded => Measure::StageFounded,
        };
        let applied = (self >= Self::Applied).then_some(Measure::AppliedDue);
        std::iter::once(stage).chain(applied)
    }
}
