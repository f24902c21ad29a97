//! Where members count (M5).

use super::Work;
use crate::fact::branch::BranchKind;
use crate::id::FactId;
use crate::measure::Measure;
use crate::view::branch::BranchIx;
use crate::view::cell::{Class, ClassStatus};
use crate::view::tree::UnitIx;

/// Where members of a union with an employer count (M5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// At a unit, credited to a counting union; whether with an employer.
    Counts(UnitIx, BranchIx, bool),
    /// At a unit, without a counting union: 待接转.
    Unplaced(UnitIx),
    /// Left where several units follow or are followed, until somebody says where they belong (U4).
    Left(UnitIx, FactId),
    /// The employer is closed: retained at the parent territory.
    Closed(UnitIx),
    /// The union has no host: it is only named.
    Nowhere,
}

impl Placement {
    pub(super) fn unit(self) -> Option<UnitIx> {
        match self {
            Self::Counts(unit, ..) | Self::Unplaced(unit) => Some(unit),
            Self::Left(unit, _) | Self::Closed(unit) => Some(unit),
            Self::Nowhere => None,
        }
    }
}

impl Work<'_> {
    /// M5: at the counting own union of the employer if there is one, else at the union itself, in the
    /// employer's unit as far as the union reaches, else at the union's host.
    pub(super) fn placement(&self, union: BranchIx, employer: Option<UnitIx>) -> Placement {
        let at = self.successor(union);
        let of = |at| {
            let named = self.view.branches().branch(at).host_on(self.day);
            named.map(|named| self.tree.canonical(named))
        };
        let Some(named) = of(at).or(of(union)) else { return Placement::Nowhere };
        let Some(host) = self.placed.standing(self.view, named) else { return Placement::Nowhere };
        let counts = self.counts(at);
        let employer =
            employer.map(|unit| self.tree.canonical(unit)).or_else(|| self.own_employer(union, at));
        let subject = employer.unwrap_or(named);
        if let Some(split) = self.tree.split_on(subject, self.day) {
            let heir = self.tree.heir_on(named, self.day);
            if counts && !split.old.contains(&heir) {
                return Placement::Counts(host, at, employer.is_some());
            }
            let left = self.placed.standing(self.view, subject);
            return left.map_or(Placement::Nowhere, |unit| Placement::Left(unit, split.stamp.id));
        }
        let Some(employer) = employer.map(|unit| self.tree.heir_on(unit, self.day)) else {
            // only an own union is its host's: at another, who names no employer has none
            let hosted = Placement::Counts(host, at, false);
            return if counts { hosted } else { Placement::Unplaced(host) };
        };
        if self.is_closed(employer) {
            return Placement::Closed(self.placed.parent(employer).unwrap_or(employer));
        }
        let known = self.tree.unit(employer).origin.is_some();
        let branch = self.view.branches().branch(at);
        let unit = if known && self.reaches(branch, host, employer) { employer } else { host };
        match self.own_of.get(&employer) {
            Some(own) if unit == employer => Placement::Counts(employer, *own, true),
            _ if counts => Placement::Counts(unit, at, true),
            _ => Placement::Unplaced(unit),
        }
    }

    /// The employer of those who name none at an own union: its host; where that is closed and the union went
    /// up in another own one, the host of that.
    fn own_employer(&self, union: BranchIx, successor: BranchIx) -> Option<UnitIx> {
        let host_of = |at| {
            let branch = self.view.branches().branch(at);
            let own = (branch.kind() == BranchKind::Own).then(|| branch.host_on(self.day));
            own.flatten().map(|host| self.tree.canonical(host))
        };
        let host = host_of(union)?;
        let ended = self.is_closed(self.tree.heir_on(host, self.day));
        if ended && successor != union { host_of(successor) } else { Some(host) }
    }

    fn is_closed(&self, unit: UnitIx) -> bool {
        let closed = self.tree.unit(unit).closed(self.placed.registration(unit));
        closed.is_some_and(|closed| closed <= self.day)
    }

    pub(super) fn members(&mut self) {
        let view = self.view;
        for cell in view.cells().all() {
            let counts = cell.on(self.day);
            if counts.iter().all(|count| *count == 0) {
                continue;
            }
            let placement = self.placement(cell.branch, cell.employer);
            for (byte, count) in counts.iter().enumerate().filter(|(_, count)| **count != 0) {
                let class = Class::from_byte(byte as u8);
                self.member_class(placement, class, i64::from(*count));
            }
        }
    }

    pub(super) fn member_class(&mut self, placement: Placement, class: Class, count: i64) {
        let Some(unit) = placement.unit() else { return };
        let is_employer = self.tree.unit(unit).is_employer();
        let counts = &mut self.own[unit as usize];
        if class.is_tied() {
            counts.add(Measure::MembersDisputed, count);
        }
        measures(placement, class, is_employer, |measure| counts.add(measure, count));
        if class.status() != ClassStatus::Active {
            return;
        }
        match placement {
            Placement::Counts(_, union, is_employed) => {
                *self.active_of.entry(union).or_default() += count;
                if class.is_woman() {
                    *self.women_at.entry(union).or_default() += count;
                }
                if is_employer && is_employed {
                    *self.active_at.entry(unit).or_default() += count;
                }
            }
            Placement::Left(_, succession) => {
                self.left.entry(succession).or_default().members += count;
            }
            _ => {}
        }
    }
}

/// What a member of a class counts as where it is placed, but for what the employer's headcount decides.
pub(super) fn measures(
    placement: Placement,
    class: Class,
    is_employer: bool,
    mut add: impl FnMut(Measure),
) {
    match class.status() {
        ClassStatus::Retained => add(Measure::MembersRetained),
        ClassStatus::Unqualified => add(Measure::MembersUnqualified),
        ClassStatus::InTransit => add(Measure::MembersInTransit),
        ClassStatus::Secondary => add(Measure::MembersSecondary),
        ClassStatus::Disputed => add(Measure::MembersDisputed),
        ClassStatus::Enrolled => add(Measure::MembersEnrolled),
        ClassStatus::Uncounted => {}
        ClassStatus::Active => match placement {
            Placement::Closed(_) => add(Measure::MembersRetained),
            Placement::Unplaced(_) | Placement::Left(..) => add(Measure::MembersUnplaced),
            Placement::Nowhere => {}
            Placement::Counts(.., is_employed) => {
                add(Measure::MembersAll);
                if class.is_woman() {
                    add(Measure::MembersWomen);
                }
                if class.is_migrant() {
                    add(Measure::MembersMigrant);
                }
                if !(is_employer && is_employed) {
                    add(Measure::MembersWithoutEmployer);
                }
            }
        },
    }
}
