//! Where members count (M5).

use super::Work;
use crate::fact::branch::BranchKind;
use crate::measure::Measure;
use crate::view::branch::BranchIx;
use crate::view::cell::{Cell, Class, ClassStatus};
use crate::view::tree::UnitIx;

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

impl Work<'_> {
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

    pub(super) fn members(&mut self) {
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
            ClassStatus::Uncounted => {}
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
        *self.active_of.entry(union).or_default() += count;
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
}
