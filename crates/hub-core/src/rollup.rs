//! The roll-up: where units, unions and members join, on one day (DESIGN §7 M5, F1 to F5, U1 to U3).

use crate::fact::branch::{BranchKind, WomenOrg};
use crate::fact::unit::Level;
use crate::id::FactId;
use crate::measure::{Counts, Measure};
use crate::time::{Day, Hlc};
use crate::view::View;
use crate::view::branch::{Branch, BranchIx};
use crate::view::cell::{Cell, Class, ClassStatus};
use crate::view::tree::{Tree, UnitIx};
use std::collections::{BTreeMap, BTreeSet};

/// Counts of every unit on one day.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// The day.
    pub day: Day,
    /// The parent of each unit, by its place.
    parents: Vec<Option<UnitIx>>,
    children: BTreeMap<UnitIx, Vec<UnitIx>>,
    /// What stands at the unit itself.
    own: Vec<Counts>,
    /// What stands in its subtree.
    total: Vec<Counts>,
    /// Units of two registrations and how each placed: the parents not chosen.
    rivals: BTreeMap<UnitIx, Vec<UnitIx>>,
}

/// Everything needed while rolling up.
struct Work<'a> {
    view: &'a View,
    tree: &'a Tree,
    day: Day,
    /// The first own union that counts, by employer (F4).
    own_of: BTreeMap<UnitIx, BranchIx>,
    /// Own unions that would count but for an earlier one.
    second: BTreeSet<BranchIx>,
    covered: Vec<bool>,
    parents: Vec<Option<UnitIx>>,
    own: Vec<Counts>,
    /// Active members by employer, for the base check.
    active_at: BTreeMap<UnitIx, i64>,
    women_at: BTreeMap<BranchIx, i64>,
}

/// F4's order among own unions of one employer: counting day, then clock of the approval, then its id.
type CountsFrom = (Option<Day>, Option<(Hlc, FactId)>);

/// Where members of a cell count (M5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    /// At a unit, credited to a counting union.
    Counts(UnitIx, BranchIx),
    /// At a unit, without a counting union: 待接转.
    Unplaced(UnitIx),
    /// The employer is closed: retained at the parent territory.
    Closed(UnitIx),
    /// The union has no host: it is only named.
    Nowhere,
}

impl Rollup {
    /// Rolls the view up on a day; parents are those of `boundaries`.
    pub fn of(view: &View, day: Day, boundaries: Day) -> Self {
        let mut work = Work::new(view, day);
        let rivals = work.place_units(boundaries);
        work.cover();
        work.members();
        work.unions();
        work.units();
        work.finish(rivals)
    }

    /// The parent of a unit that day.
    pub fn parent(&self, unit: UnitIx) -> Option<UnitIx> {
        self.parents.get(unit as usize).copied().flatten()
    }

    /// The children of a unit that day, in order of id.
    pub fn children(&self, unit: UnitIx) -> &[UnitIx] {
        self.children.get(&unit).map_or(&[], Vec::as_slice)
    }

    /// What stands at the unit itself.
    pub fn own(&self, unit: UnitIx) -> Counts {
        self.own.get(unit as usize).copied().unwrap_or_default()
    }

    /// What stands in its subtree.
    pub fn total(&self, unit: UnitIx) -> Counts {
        self.total.get(unit as usize).copied().unwrap_or_default()
    }

    /// Whether `above` is the unit or an ancestor of it that day.
    pub fn is_at_or_above(&self, above: UnitIx, unit: UnitIx) -> bool {
        std::iter::successors(Some(unit), |at| self.parent(*at)).any(|at| at == above)
    }

    /// Units registered under several parents, with the parents not chosen (U1).
    pub fn rivals(&self) -> impl Iterator<Item = (UnitIx, &[UnitIx])> {
        self.rivals.iter().map(|(unit, parents)| (*unit, parents.as_slice()))
    }
}

impl<'a> Work<'a> {
    fn new(view: &'a View, day: Day) -> Self {
        let tree = view.tree();
        let units = tree.units.len();
        let mut work = Self {
            view,
            tree,
            day,
            own_of: BTreeMap::new(),
            second: BTreeSet::new(),
            covered: vec![false; units],
            parents: vec![None; units],
            own: vec![Counts::default(); units],
            active_at: BTreeMap::new(),
            women_at: BTreeMap::new(),
        };
        work.choose_own_unions();
        work
    }

    fn counts(&self, branch: &Branch) -> bool {
        branch.counts_on(self.tree, self.day)
    }

    /// F4: of two own unions of one employer, the earlier counting day, then the clock of the approval,
    /// counts for as long as both would.
    fn choose_own_unions(&mut self) {
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

    /// U1 and U2: each unit under its parent on the day of the boundaries.
    fn place_units(&mut self, boundaries: Day) -> BTreeMap<UnitIx, Vec<UnitIx>> {
        let mut rivals = BTreeMap::new();
        for at in 0..self.tree.units.len() {
            let unit = at as UnitIx;
            let registrations = self.tree.unit(unit).registrations.len();
            let parent_under =
                |r: usize| self.tree.parent_on(unit, r, boundaries).map(|p| self.tree.canonical(p));
            let chosen = match registrations {
                0 | 1 => 0,
                _ => self.chosen_registration(unit, boundaries),
            };
            self.parents[at] = parent_under(chosen);
            let others: Vec<UnitIx> = (0..registrations)
                .filter(|r| *r != chosen)
                .filter_map(parent_under)
                .filter(|parent| Some(*parent) != self.parents[at])
                .collect();
            if !others.is_empty() {
                rivals.insert(unit, others);
            }
        }
        rivals
    }

    /// U1: the registration of the union that F4 counts; else the earliest.
    fn chosen_registration(&self, unit: UnitIx, boundaries: Day) -> usize {
        let registrations = &self.tree.unit(unit).registrations;
        let own = self.own_of.get(&unit).map(|at| self.view.branches().branch(*at));
        let approved_by = own.and_then(|own| own.approvals.first()).map(|a| a.by);
        let applied_to = own.and_then(|own| own.applied.first()).map(|(_, to)| *to);
        let speaks_for = |r: &usize| {
            let Some(parent) = self.tree.parent_on(unit, *r, boundaries) else { return false };
            let path = self.tree.path_on(parent, boundaries);
            applied_to.or(approved_by).is_some_and(|unit| path.contains(&unit))
        };
        let fitting: Vec<usize> = (0..registrations.len()).filter(speaks_for).collect();
        let earliest = |r: &usize| (registrations[*r].hlc, registrations[*r].id);
        let all: Vec<usize> = (0..registrations.len()).collect();
        let among = if fitting.is_empty() { &all } else { &fitting };
        among.iter().copied().min_by_key(earliest).unwrap_or(0)
    }

    fn path(&self, unit: UnitIx) -> impl Iterator<Item = UnitIx> + '_ {
        std::iter::successors(Some(unit), |at| self.parents[*at as usize])
    }

    /// Whether a union's word reaches an employer: below the parent of its host, or approved by an
    /// ancestor of both (M5, F2).
    fn reaches(&self, branch: &Branch, host: UnitIx, employer: UnitIx) -> bool {
        if host == employer {
            return true;
        }
        let above = self.parents[host as usize].unwrap_or(host);
        self.path(employer).any(|unit| {
            unit == above || branch.approvals.iter().any(|approval| approval.by == unit)
        })
    }

    /// F2 and F3: which employers are covered by a counting union.
    fn cover(&mut self) {
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
    fn successor(&self, mut at: BranchIx) -> BranchIx {
        while let Some((stamp, into)) = self.view.branches().branch(at).merged
            && stamp.day <= self.day
        {
            at = into;
        }
        at
    }

    fn placement(&self, cell: &Cell) -> Placement {
        let stated = self.view.branches().branch(cell.branch);
        let at = self.successor(cell.branch);
        let branch = self.view.branches().branch(at);
        let Some(host) = branch.host_on(self.day).or(stated.host_on(self.day)) else {
            return Placement::Nowhere;
        };
        let host = self.tree.canonical(host);
        let counts = self.counts(branch) && !self.second.contains(&at);
        let own_host =
            (stated.kind() == BranchKind::Own).then(|| stated.host_on(self.day)).flatten();
        let employer = cell.employer.or(own_host).map(|unit| self.tree.canonical(unit));
        let Some(employer) = employer else {
            return if counts { Placement::Counts(host, at) } else { Placement::Unplaced(host) };
        };
        if self.tree.unit(employer).closed.is_some_and(|closed| closed <= self.day) {
            return Placement::Closed(self.parents[employer as usize].unwrap_or(employer));
        }
        let known = self.tree.unit(employer).origin.is_some();
        let unit = if known && self.reaches(branch, host, employer) { employer } else { host };
        match self.own_of.get(&employer) {
            Some(own) if unit == employer => Placement::Counts(employer, *own),
            _ if counts => Placement::Counts(unit, at),
            _ => Placement::Unplaced(unit),
        }
    }

    fn members(&mut self) {
        let view = self.view;
        for cell in view.cells().all() {
            let counts = cell.on(self.day);
            if counts.iter().all(|count| *count == 0) {
                continue;
            }
            let placement = self.placement(cell);
            let unit = match placement {
                Placement::Counts(unit, _) | Placement::Unplaced(unit) => unit,
                Placement::Closed(unit) => unit,
                Placement::Nowhere => continue,
            };
            for (byte, count) in counts.iter().enumerate().filter(|(_, count)| **count != 0) {
                let class = Class::from_byte(byte as u8);
                self.member_class(placement, unit, class, i64::from(*count));
            }
        }
    }

    fn member_class(&mut self, placement: Placement, unit: UnitIx, class: Class, count: i64) {
        let counts = &mut self.own[unit as usize];
        if class.is_tied() {
            counts.add(Measure::MembersDisputed, count);
        }
        match class.status() {
            ClassStatus::Retained => counts.add(Measure::MembersRetained, count),
            ClassStatus::Unqualified => counts.add(Measure::MembersUnqualified, count),
            ClassStatus::InTransit => counts.add(Measure::MembersInTransit, count),
            ClassStatus::Secondary => counts.add(Measure::MembersSecondary, count),
            ClassStatus::Disputed => counts.add(Measure::MembersDisputed, count),
            ClassStatus::Enrolled => counts.add(Measure::MembersEnrolled, count),
            ClassStatus::Active => match placement {
                Placement::Closed(_) => counts.add(Measure::MembersRetained, count),
                Placement::Unplaced(_) | Placement::Nowhere => {
                    counts.add(Measure::MembersUnplaced, count);
                }
                Placement::Counts(_, union) => self.active(unit, union, class, count),
            },
        }
    }

    fn active(&mut self, unit: UnitIx, union: BranchIx, class: Class, count: i64) {
        let counts = &mut self.own[unit as usize];
        counts.add(Measure::MembersAll, count);
        if class.is_woman() {
            counts.add(Measure::MembersWomen, count);
            *self.women_at.entry(union).or_default() += count;
        }
        if class.is_migrant() {
            counts.add(Measure::MembersMigrant, count);
        }
        if self.tree.unit(unit).is_employer() {
            *self.active_at.entry(unit).or_default() += count;
        } else {
            counts.add(Measure::MembersWithoutEmployer, count);
        }
    }

    fn unions(&mut self) {
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

    fn units(&mut self) {
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

    fn finish(self, rivals: BTreeMap<UnitIx, Vec<UnitIx>>) -> Rollup {
        let mut own = self.own;
        for unit in rivals.keys() {
            let open = self.tree.unit(*unit).is_open(self.day);
            own[*unit as usize].add(Measure::UnitsDisputed, i64::from(open));
        }
        let mut total = own.clone();
        for level in Level::ALL.iter().rev() {
            for at in 0..self.tree.units.len() {
                let at_level = self.tree.unit(at as UnitIx).level() == Some(*level);
                if let Some(parent) = self.parents[at]
                    && at_level
                {
                    let counts = total[at];
                    total[parent as usize].add_all(&counts);
                }
            }
        }
        let mut children: BTreeMap<UnitIx, Vec<UnitIx>> = BTreeMap::new();
        for (id, at) in self.tree.ids() {
            let real = self.tree.unit(at).id == *id && self.tree.unit(at).origin.is_some();
            if let Some(parent) = self.parents[at as usize]
                && real
            {
                children.entry(parent).or_default().push(at);
            }
        }
        Rollup { day: self.day, parents: self.parents, children, own, total, rivals }
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
