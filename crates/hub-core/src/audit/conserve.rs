//! Conservation (DESIGN §7 M8): on a day each person with a claim is in one category, and what the persons
//! add up to is what the roll-up counts.

use crate::measure::Measure;
use crate::rollup::Rollup;
use crate::time::Day;
use crate::view::branch::BranchIx;
use crate::view::cell::Class;
use crate::view::claim::{Span, Status};
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};
use std::collections::BTreeMap;
use std::fmt;

/// What a person is on a day: the first that fits. Whether a holder's claim is placed, the roll-up tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Held, by a number that fails its check digit (K17).
    Unqualified,
    /// Claims are open, and none of them may hold.
    InDispute,
    /// Transferred out, no start since.
    InTransit,
    /// Held, retained.
    Retained,
    /// Held, active: placed, unplaced, or with a closed employer.
    Held,
    /// None of these: left, or dead.
    Left,
}

/// A sum that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// A person is held, or counted, twice.
    Twice {
        /// How many persons.
        persons: u64,
    },
    /// The shares kept in cells differ from what persons' facts say.
    Cells {
        /// In how many (union, employer, class) they do.
        cells: u64,
    },
    /// The roll-up of all units counts other than persons' facts say.
    Rollup {
        /// Of which category.
        category: Category,
        /// As persons' facts say.
        expected: i64,
        /// As the roll-up says.
        found: i64,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { persons } => {
                write!(f, "expected one holder a person, found {persons} with more")
            }
            Self::Cells { cells } => {
                write!(f, "expected cells to be the sum of persons, found {cells} that are not")
            }
            Self::Rollup { category, expected, found } => {
                write!(f, "{category:?}: expected {expected} persons in all units, found {found}")
            }
        }
    }
}

/// What persons are on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conserved {
    /// The day.
    pub day: Day,
    /// Persons with a claim on or before it.
    pub persons: u64,
    /// How many of them are what; they sum to the persons.
    pub categories: BTreeMap<Category, u64>,
    /// Of those held and active: how many the roll-up places, how many it does not, how many have a closed
    /// employer.
    pub placed: [i64; 3],
    /// What does not hold.
    pub broken: Vec<Broken>,
}

/// The first category that fits a person's spans on a day; none without a claim by then.
pub fn category_of(spans: &[Span], day: Day) -> Option<Category> {
    spans.iter().any(|span| span.from <= day).then_some(())?;
    let mut today = spans.iter().filter(|span| span.from <= day && day < span.to);
    let holder = today.clone().find(|span| span.holder);
    Some(match holder {
        Some(held) if !held.qualified => Category::Unqualified,
        Some(held) if held.status == Status::Retained => Category::Retained,
        Some(_) => Category::Held,
        None if today.clone().any(|span| span.status != Status::InTransit) => Category::InDispute,
        None if today.next().is_some() => Category::InTransit,
        None => Category::Left,
    })
}

/// Sums all persons on a day, from their facts read again, and compares with cells and roll-up.
pub fn conserve(view: &mut View, source: &dyn BlockSource, day: Day) -> Conserved {
    let mut categories: BTreeMap<Category, u64> = BTreeMap::new();
    let mut cells: BTreeMap<(BranchIx, Option<UnitIx>, u8), i64> = BTreeMap::new();
    let mut twice = 0;
    view.each_person(source, &mut |spans| {
        let today = spans.iter().filter(|span| span.from <= day && day < span.to);
        twice += u64::from(today.clone().filter(|span| span.holder).count() > 1);
        for span in today {
            let key = (span.branch, span.employer, Class::of(span).byte());
            *cells.entry(key).or_default() += 1;
        }
        let new = spans.iter().filter(|s| s.enrolled && s.qualified && s.from <= day);
        for span in new {
            let key = (span.branch, span.employer, Class::of(span).as_enrolled().byte());
            *cells.entry(key).or_default() += 1;
        }
        if let Some(category) = category_of(spans, day) {
            *categories.entry(category).or_default() += 1;
        }
    });
    let mut broken = Vec::new();
    if twice > 0 {
        broken.push(Broken::Twice { persons: twice });
    }
    for cell in view.cells().all() {
        for (class, count) in cell.on(day).iter().enumerate().filter(|(_, count)| **count != 0) {
            let key = (cell.branch, cell.employer, class as u8);
            *cells.entry(key).or_default() -= i64::from(*count);
        }
    }
    let wrong = cells.values().filter(|count| **count != 0).count();
    if wrong > 0 {
        broken.push(Broken::Cells { cells: wrong as u64 });
    }
    let placed = compare(view, day, &categories, &mut broken);
    let persons = categories.values().sum();
    Conserved { day, persons, categories, placed, broken }
}

/// Compares with the roll-up of all units; returns how it places those held.
fn compare(
    view: &View,
    day: Day,
    categories: &BTreeMap<Category, u64>,
    broken: &mut Vec<Broken>,
) -> [i64; 3] {
    let rollup = Rollup::of(view, day, day);
    // each unit by itself: a unit that hangs on no root still counts what stands at it
    let units = 0..view.tree().units.len() as UnitIx;
    let sum = |measure| units.clone().map(|at| rollup.own(at).get(measure)).sum::<i64>();
    let of = |category| categories.get(&category).map_or(0, |count| *count as i64);
    let mut expect = |category, expected, found| {
        if expected != found {
            broken.push(Broken::Rollup { category, expected, found });
        }
    };
    expect(Category::Unqualified, of(Category::Unqualified), sum(Measure::MembersUnqualified));
    expect(Category::InTransit, of(Category::InTransit), sum(Measure::MembersInTransit));
    let (active, unplaced) = (sum(Measure::MembersAll), sum(Measure::MembersUnplaced));
    let retained = sum(Measure::MembersRetained);
    let closed = retained - of(Category::Retained);
    expect(Category::Held, of(Category::Held), active + unplaced + closed);
    if closed < 0 {
        expect(Category::Retained, of(Category::Retained), retained);
    }
    [active, unplaced, closed]
}
