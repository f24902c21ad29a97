//! Cells: how many members of which class stand at one union with one employer, by day.
//!
//! A person's fold never reads units or unions beyond their kinds; founding, dissolving, moving and
//! covering join at the roll-up, so they never rewrite members.

use super::branch::BranchIx;
use super::claim::{Span, Status};
use super::tree::UnitIx;
use crate::fact::member::{Flag, Sex};
use crate::time::Day;
use std::collections::BTreeMap;

/// A cell's place; it depends on arrival and never leaves the process.
pub type CellIx = u32;

/// What a member counts as, packed: status in bits 0 to 2, woman, migrant, doubtful in bits 3 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class(u8);

/// The statuses a class distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClassStatus {
    /// Holder, active, qualified.
    Active,
    /// Holder or loser of higher kind, retained.
    Retained,
    /// Holder whose number fails its check digit (K17).
    Unqualified,
    /// Transferred out and nowhere started.
    InTransit,
    /// Service membership.
    Secondary,
    /// An open losing claim.
    Disputed,
    /// Newly enrolled (发展会员), counted from its day on for good.
    Enrolled,
}

const STATUSES: [ClassStatus; 7] = [
    ClassStatus::Active,
    ClassStatus::Retained,
    ClassStatus::Unqualified,
    ClassStatus::InTransit,
    ClassStatus::Secondary,
    ClassStatus::Disputed,
    ClassStatus::Enrolled,
];

impl Class {
    fn new(status: ClassStatus, span: &Span) -> Self {
        Self(
            status as u8
                | u8::from(span.profile.sex == Sex::Woman) << 3
                | u8::from(span.profile.migrant == Flag::Yes) << 4
                | u8::from(span.tied) << 5,
        )
    }

    /// The class of a span.
    pub fn of(span: &Span) -> Self {
        let status = match span.status {
            Status::InTransit => ClassStatus::InTransit,
            Status::Secondary => ClassStatus::Secondary,
            Status::Disputed => ClassStatus::Disputed,
            _ if span.holder && !span.qualified => ClassStatus::Unqualified,
            Status::Retained => ClassStatus::Retained,
            Status::Active => ClassStatus::Active,
        };
        Self::new(status, span)
    }

    /// Its status.
    pub fn status(self) -> ClassStatus {
        STATUSES[usize::from(self.0 & 7).min(STATUSES.len() - 1)]
    }

    /// Whether of women.
    pub fn is_woman(self) -> bool {
        self.0 >> 3 & 1 == 1
    }

    /// Whether of migrant workers.
    pub fn is_migrant(self) -> bool {
        self.0 >> 4 & 1 == 1
    }

    /// Whether held by a mere tie.
    pub fn is_tied(self) -> bool {
        self.0 >> 5 & 1 == 1
    }

    /// Its byte, for digests and packing.
    pub fn byte(self) -> u8 {
        self.0
    }

    pub(crate) fn from_byte(byte: u8) -> Self {
        Self(byte)
    }
}

/// One person's share in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) cell: CellIx,
    pub(crate) class: Class,
    pub(crate) from: Day,
    pub(crate) to: Day,
}

impl Share {
    /// The enrolment with which this open share began.
    pub(crate) fn as_enrolment(&self) -> Self {
        let status = ClassStatus::Enrolled as u8;
        Self { class: Class(self.class.0 & !7 | status), ..*self }
    }
}

/// Members by union and employer.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    all: Vec<Cell>,
    by_key: BTreeMap<(BranchIx, Option<UnitIx>), CellIx>,
}

/// Members of one union with one employer.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The union.
    pub branch: BranchIx,
    /// The employer.
    pub employer: Option<UnitIx>,
    /// Changes by day and class; those from `sorted` on are not yet in order.
    changes: Vec<(Day, Class, i32)>,
    sorted: usize,
}

impl Cells {
    /// All cells.
    pub fn all(&self) -> &[Cell] {
        &self.all
    }

    pub(crate) fn intern(&mut self, branch: BranchIx, employer: Option<UnitIx>) -> CellIx {
        if let Some(known) = self.by_key.get(&(branch, employer)) {
            return *known;
        }
        let place = self.all.len() as CellIx;
        self.by_key.insert((branch, employer), place);
        self.all.push(Cell { branch, employer, changes: Vec::new(), sorted: 0 });
        place
    }

    pub(crate) fn add(&mut self, share: &Share, sign: i32) {
        let cell = &mut self.all[share.cell as usize];
        cell.changes.push((share.from, share.class, sign));
        if share.to != Day::OPEN {
            cell.changes.push((share.to, share.class, -sign));
        }
    }

    /// Puts late changes in order and joins those of one day and class.
    pub(crate) fn tidy(&mut self) {
        for cell in &mut self.all {
            cell.tidy();
        }
    }

    /// The shares of a span: what it counts as, and the enrolment it begins with.
    pub(crate) fn shares_of(&mut self, span: &Span) -> impl Iterator<Item = Share> + use<> {
        let cell = self.intern(span.branch, span.employer);
        let whole = Share { cell, class: Class::of(span), from: span.from, to: span.to };
        let class = Class::new(ClassStatus::Enrolled, span);
        let enrolled = Share { cell, class, from: span.from, to: Day::OPEN };
        let counts = span.enrolled && span.qualified;
        std::iter::once(whole).chain(counts.then_some(enrolled))
    }
}

impl Cell {
    fn tidy(&mut self) {
        if self.sorted == self.changes.len() {
            return;
        }
        self.changes.sort_unstable_by_key(|(day, class, _)| (*day, *class));
        self.changes.dedup_by(|later, earlier| {
            let same = (later.0, later.1) == (earlier.0, earlier.1);
            if same {
                earlier.2 += later.2;
            }
            same
        });
        self.changes.retain(|(_, _, count)| *count != 0);
        self.changes.shrink_to_fit();
        self.sorted = self.changes.len();
    }

    /// Its changes in order of day and class.
    pub fn changes(&self) -> &[(Day, Class, i32)] {
        &self.changes
    }

    /// How many of each class there are on a day, by class byte.
    pub fn on(&self, day: Day) -> [i32; 64] {
        let mut counts = [0; 64];
        for (_, class, count) in self.changes.iter().take_while(|(at, _, _)| *at <= day) {
            counts[usize::from(class.byte() & 63)] += count;
        }
        counts
    }
}
