//! What each employer counts as, and how far the founding of its union has come.

use super::Work;
use crate::measure::{Counts, Measure};
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

impl Work<'_> {
    pub(super) fn units(&mut self) {
        let stages = self.stages();
        for at in 0..self.tree.units.len() {
            let unit = self.tree.unit(at as UnitIx);
            if !unit.is_employer() || !unit.is_open(self.day) {
                continue;
            }
            let Some(state) = unit.counted_on(self.day) else { continue };
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
            count(Measure::UnitsDue, Measure::CoveredDue, has(due));
            count(Measure::Units50, Measure::Covered50, has(50));
            count(Measure::Units100, Measure::Covered100, has(100));
            count(Measure::UnitsOperating, Measure::CoveredOperating, state.operating);
            if has(due) {
                let stage = stages.get(&(at as UnitIx)).copied().unwrap_or(Stage::None);
                count_stage(counts, if covered { Stage::Founded } else { stage });
            }
            match employees {
                None => counts.add(Measure::UnitsUnknownHeadcount, 1),
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

    /// How far the founding of an own union has come, by employer: the furthest.
    fn stages(&self) -> BTreeMap<UnitIx, Stage> {
        let mut stages: BTreeMap<UnitIx, Stage> = BTreeMap::new();
        for (_, at) in self.view.branches().ids() {
            let branch = self.view.branches().branch(at);
            let ended = branch.ends(self.tree) <= self.day;
            let Some(host) = branch.host_on(self.day).map(|h| self.tree.canonical(h)) else {
                continue;
            };
            let refused = branch.refused.iter().any(|day| *day <= self.day);
            let stage = if ended {
                Stage::None
            } else if branch.is_approved(self.day) {
                Stage::Approved
            } else if branch.is_applied(self.day) {
                Stage::Applied
            } else if refused {
                Stage::Refused
            } else {
                Stage::None
            };
            for unit in branch.covered_on(self.day).map(|u| self.tree.canonical(u)).chain([host]) {
                let known = stages.entry(unit).or_insert(Stage::None);
                *known = (*known).max(stage);
            }
        }
        stages
    }
}

/// How far a founding has come; exclusive, and they sum (DESIGN §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    None,
    Refused,
    Applied,
    Approved,
    Founded,
}

fn count_stage(counts: &mut Counts, stage: Stage) {
    let measure = match stage {
        Stage::None => Measure::StageNone,
        Stage::Refused => Measure::StageRefused,
        Stage::Applied => Measure::StageApplied,
        Stage::Approved => Measure::StageApproved,
        Stage::Founded => Measure::StageFounded,
    };
    counts.add(measure, 1);
    counts.add(Measure::AppliedDue, i64::from(stage >= Stage::Applied));
}
