//! Cells: how many members of which class stand at one union with one employer, by day.
//!
//! A person's fold never reads units or unions beyond their kinds; founding, dissolving, moving and
//! covering join at the roll-up, so they never rewrite members.

use super::branch::BranchIx;
use super::claim::{Span, Status};
use super::table::{pack_day, unpack_day};
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
    /// Holder, retained.
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
    /// Shown and never counted: a retained loser of higher kind, a claim ruled out.
    Uncounted,
}

const STATUSES: [ClassStatus; 8] = [
    ClassStatus::Active,
    ClassStatus::Retained,
    ClassStatus::Unqualified,
    ClassStatus::InTransit,
    ClassStatus::Secondary,
    ClassStatus::Disputed,
    ClassStatus::Enrolled,
    ClassStatus::Uncounted,
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
            Status::Overruled => ClassStatus::Uncounted,
            Status::Active | Status::Retained if !span.holder => ClassStatus::Uncounted,
            Status::Active | Status::Retained if !span.qualified => ClassStatus::Unqualified,
            Status::Retained => ClassStatus::Retained,
            Status::Active => ClassStatus::Active,
        };
        Self::new(status, span)
    }

    /// The class in which one of this class counts as newly enrolled: a tie is no matter of that.
    pub fn as_enrolled(self) -> Self {
        Self(self.0 & !(7 | 1 << 5) | ClassStatus::Enrolled as u8)
    }

    /// Its status.
    pub fn status(self) -> ClassStatus {
        STATUSES[usize::from(self.0 & 7)]
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
        Self { class: self.class.as_enrolled(), ..*self }
    }
}

/// So many more members of a class in a cell from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellChange {
    pub(crate) cell: CellIx,
    pub(crate) day: Day,
    pub(crate) class: Class,
    pub(crate) count: i64,
}

/// Members by union and employer.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    all: Vec<Cell>,
    by_key: BTreeMap<(BranchIx, Option<UnitIx>), CellIx>,
    /// Cells with changes not yet in order.
    untidy: Vec<CellIx>,
    /// The latest changes, for those who renew what they computed of the cells.
    log: Vec<(CellIx, Change)>,
    /// How many changes came before the first of the log.
    forgotten: u64,
}

/// Changes kept for renewing; after more than these everything is computed anew.
const LOG_MAX: usize = 1 << 16;

/// Members of one union with one employer.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The union.
    pub branch: BranchIx,
    /// The employer.
    pub employer: Option<UnitIx>,
    /// Changes by day and class; those from `sorted` on are not yet in order.
    changes: Vec<Change>,
    sorted: u32,
}

/// How many more there are of a class from a day on: day in bits 15 to 31, class in bits 9 to 14, and in
/// the lowest nine the number plus 256. Larger numbers take several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change(u32);

impl Change {
    const COUNT_BITS: u32 = 9;
    const ZERO: i32 = 1 << (Self::COUNT_BITS - 1);
    const MOST: i32 = Self::ZERO - 1;

    fn new(day: Day, class: Class, count: i32) -> Self {
        let key = pack_day(day) << 6 | u32::from(class.byte() & 63);
        Self(key << Self::COUNT_BITS | (count + Self::ZERO) as u32)
    }

    fn key(self) -> u32 {
        self.0 >> Self::COUNT_BITS
    }

    fn count(self) -> i32 {
        (self.0 & ((1 << Self::COUNT_BITS) - 1)) as i32 - Self::ZERO
    }

    fn with_count(self, count: i32) -> Self {
        Self(self.key() << Self::COUNT_BITS | (count + Self::ZERO) as u32)
    }

    fn parts(self) -> (Day, Class, i32) {
        (unpack_day(self.key() >> 6), Class((self.key() & 63) as u8), self.count())
    }
}

impl Cells {
    /// All cells.
    pub fn all(&self) -> &[Cell] {
        &self.all
    }

    /// The cell of a union and an employer.
    pub(crate) fn find(&self, branch: BranchIx, employer: Option<UnitIx>) -> Option<CellIx> {
        self.by_key.get(&(branch, employer)).copied()
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
        if cell.changes.len() == cell.sorted as usize {
            self.untidy.push(share.cell);
        }
        let begins = Change::new(share.from, share.class, sign);
        let ends = (share.to != Day::OPEN).then(|| Change::new(share.to, share.class, -sign));
        cell.changes.push(begins);
        cell.changes.extend(ends);
        self.note(share.cell, begins);
        if let Some(ends) = ends {
            self.note(share.cell, ends);
        }
    }

    fn note(&mut self, cell: CellIx, change: Change) {
        if self.log.len() == LOG_MAX {
            self.forgotten += LOG_MAX as u64;
            self.log.clear();
        }
        self.log.push((cell, change));
    }

    /// How many changes there have been.
    pub(crate) fn changed(&self) -> u64 {
        self.forgotten + self.log.len() as u64
    }

    /// The changes after so many; none if they are no longer kept.
    pub(crate) fn changes_after(&self, changed: u64) -> Option<Vec<CellChange>> {
        let kept = usize::try_from(changed.checked_sub(self.forgotten)?).ok()?;
        let told = |(cell, change): &(CellIx, Change)| {
            let (day, class, count) = change.parts();
            CellChange { cell: *cell, day, class, count: i64::from(count) }
        };
        Some(self.log.get(kept..)?.iter().map(told).collect())
    }

    /// The cells of a union, in order of employer.
    pub(crate) fn of_union(&self, union: BranchIx) -> impl Iterator<Item = &Cell> {
        let of_union = self.by_key.range((union, None)..=(union, Some(UnitIx::MAX)));
        of_union.map(|(_, cell)| &self.all[*cell as usize])
    }

    /// Puts late changes in order and joins those of one day and class.
    pub(crate) fn tidy(&mut self) {
        for cell in std::mem::take(&mut self.untidy) {
            self.all[cell as usize].tidy();
        }
    }

    /// The shares of a span: what it counts as, and the enrolment it begins with.
    pub(crate) fn shares_of(&mut self, span: &Span) -> impl Iterator<Item = Share> + use<> {
        let cell = self.intern(span.branch, span.employer);
        Self::shares_in(cell, span)
    }

    /// The same in the cell of the span's union and employer.
    pub(crate) fn shares_in(cell: CellIx, span: &Span) -> impl Iterator<Item = Share> + use<> {
        let whole = Share { cell, class: Class::of(span), from: span.from, to: span.to };
        let class = Class::of(span).as_enrolled();
        let enrolled = Share { cell, class, from: span.from, to: Day::OPEN };
        let counts = span.enrolled && span.qualified;
        std::iter::once(whole).chain(counts.then_some(enrolled))
    }
}

impl Cell {
    fn tidy(&mut self) {
        self.changes.sort_unstable();
        self.changes.dedup_by(|later, earlier| {
            let sum = earlier.count() + later.count();
            let joins =
                later.key() == earlier.key() && (-Change::MOST..=Change::MOST).contains(&sum);
            if joins {
                *earlier = earlier.with_count(sum);
            }
            joins
        });
        self.changes.retain(|change| change.count() != 0);
        self.changes.shrink_to_fit();
        self.sorted = self.changes.len() as u32;
    }

    /// Its changes in order of day and class; one day and class may have several.
    pub fn changes(&self) -> impl Iterator<Item = (Day, Class, i32)> + '_ {
        self.changes.iter().map(|change| change.parts())
    }

    /// How many of each class there are on a day, by class byte.
    pub fn on(&self, day: Day) -> [i32; 64] {
        let mut counts = [0; 64];
        for (_, class, count) in self.changes().take_while(|(at, _, _)| *at <= day) {
            counts[usize::from(class.byte() & 63)] += count;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_join_and_cancel_beyond_what_one_holds() {
        let mut cells = Cells::default();
        let cell = cells.intern(1, None);
        let class = Class::from_byte(9);
        let share = Share { cell, class, from: Day(3), to: Day(9) };
        for round in 0..1_000 {
            cells.add(&share, 1);
            if round % 300 == 0 {
                cells.tidy();
            }
        }
        cells.tidy();
        let on = |cells: &Cells, day| cells.all()[0].on(Day(day))[9];
        assert_eq!(
            [on(&cells, 2), on(&cells, 3), on(&cells, 8), on(&cells, 9)],
            [0, 1_000, 1_000, 0]
        );
        assert!(cells.all()[0].changes().count() <= 10);
        (0..1_000).for_each(|_| cells.add(&share, -1));
        cells.tidy();
        assert_eq!((on(&cells, 3), on(&cells, 9)), (0, 0));
    }
}
