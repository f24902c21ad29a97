//! A unit: its registrations and moves, and the attributes that change by day (DESIGN §3, U1 to U3).

use super::tree::{Move, Registration, UnitIx};
use crate::fact::unit::{Level, UnitKind, UnitProfile};
use crate::fact::{Code, CodeKind, UnitFact};
use crate::id::{FactId, UnitId};
use crate::time::{Day, Hlc};

/// A point of the tree.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// What its earliest registration says; none while it is only named.
    pub origin: Option<Origin>,
    /// Its registrations by parent, earliest first; several make U1.
    pub registrations: Vec<Registration>,
    /// Accepted moves in order of (day, clock, id).
    pub moves: Vec<Move>,
    /// The clock from which a move no longer acts, by the move's fact: it was withdrawn.
    pub(crate) unmoved: Vec<(FactId, Hlc)>,
    /// Attribute changes in order of (day, clock, id).
    pub changes: Vec<Change>,
    /// Closings stated about it.
    pub closings: Vec<Closing>,
    /// The day from which others follow it (U4).
    pub succeeded: Option<Day>,
}

/// What the earliest registration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What it is.
    pub kind: UnitKind,
    /// Its level.
    pub level: Level,
    /// The territory it was registered in.
    pub located_in: Option<UnitIx>,
    /// Its attributes then.
    pub profile: UnitProfile,
    /// From which day it is in the books, by whichever registration.
    pub day: Day,
    /// The registration.
    pub by: (Hlc, FactId),
}

/// The order of an entity's facts: day, clock, id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Effective day.
    pub day: Day,
    /// Clock.
    pub hlc: Hlc,
    /// The fact.
    pub id: FactId,
}

/// Under which registrations of a unit something was stated, bit n for the n-th: those by whose path the
/// writer had the word. What was stated under another than the one chosen that day is shown, uncounted (U1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Under(pub u32);

impl Under {
    /// Whether it was stated under the n-th registration.
    pub fn holds(self, registration: usize) -> bool {
        registration < 32 && self.0 >> registration & 1 == 1
    }
}

/// A fact about a unit that changes what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When it holds and when it was written.
    pub stamp: Stamp,
    /// Under which registrations.
    pub under: Under,
    /// What it says.
    pub fact: UnitFact,
}

/// A closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// From when it holds and when it was written.
    pub stamp: Stamp,
    /// Under which registrations.
    pub under: Under,
}

/// A unit's attributes on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOnDay {
    /// Name, codes and the rest.
    pub profile: UnitProfile,
    /// Latest declared headcount, in persons.
    pub headcount: Option<Headcount>,
}

/// What a roll-up asks of a unit on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Whether its codes pass their check digits.
    pub qualified: bool,
    /// Whether it operates.
    pub operating: bool,
    /// Latest declared headcount, in persons.
    pub headcount: Option<Headcount>,
}

/// A declared headcount, in persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headcount {
    /// Employees without those dispatched in.
    pub employees: u32,
    /// Women among them.
    pub women: Option<u32>,
    /// Migrant workers among them.
    pub migrant: Option<u32>,
    /// Dispatched in.
    pub dispatched: Option<u32>,
}

impl Unit {
    pub(super) fn named(id: UnitId) -> Self {
        Self {
            id,
            origin: None,
            registrations: Vec::new(),
            moves: Vec::new(),
            unmoved: Vec::new(),
            changes: Vec::new(),
            closings: Vec::new(),
            succeeded: None,
        }
    }

    /// From when a move no longer acts. A withdrawal acts from its own clock, never backwards.
    pub(super) fn unmoved_at(&self, moved: &Move) -> Option<Hlc> {
        self.unmoved.iter().find(|(id, _)| *id == moved.stamp.id).map(|(_, from)| *from)
    }

    /// Adds a registration; one parent has one, the earliest. Says whether the first is another now.
    pub(super) fn register(&mut self, new: Registration) -> bool {
        let first = self.registrations.first().map(|known| known.id);
        match self.registrations.iter_mut().find(|known| known.parent == new.parent) {
            Some(known) if (new.hlc, new.id) < (known.hlc, known.id) => *known = new,
            Some(_) => return false,
            None => self.registrations.push(new),
        }
        let mut order: Vec<usize> = (0..self.registrations.len()).collect();
        order.sort_by_key(|at| (self.registrations[*at].hlc, self.registrations[*at].id));
        self.registrations.sort_by_key(|known| (known.hlc, known.id));
        for moved in &mut self.moves {
            let bits = moved.registrations;
            let held = |at: &usize| *at < 32 && bits >> at & 1 == 1;
            let placed = order.iter().enumerate().filter(|(place, at)| held(at) && *place < 32);
            moved.registrations = placed.fold(0, |bits, (place, _)| bits | 1 << place);
        }
        first.is_some() && first != self.registrations.first().map(|known| known.id)
    }

    /// Takes what another registration says of it: the earliest tells what it is.
    pub(super) fn originate(&mut self, origin: Origin) {
        let Some(known) = &mut self.origin else {
            self.origin = Some(origin);
            return;
        };
        let day = known.day.min(origin.day);
        if origin.by < known.by {
            *known = origin;
        }
        known.day = day;
    }

    /// Puts what is stated about it in order.
    pub(super) fn sort_changes(&mut self) {
        self.changes.sort_by_key(|change| change.stamp);
        self.closings.sort_by_key(|closing| closing.stamp);
    }

    /// Its level, once registered.
    pub fn level(&self) -> Option<Level> {
        self.origin.as_ref().map(|o| o.level)
    }

    /// Whether it is an employer.
    pub fn is_employer(&self) -> bool {
        self.origin.as_ref().is_some_and(|o| o.kind == UnitKind::Employer)
    }

    /// The day it ends by closings stated under a registration, or because others follow it.
    pub fn closed(&self, registration: usize) -> Option<Day> {
        let stated = self.closings.iter().filter(|closing| closing.under.holds(registration));
        stated.map(|closing| closing.stamp.day).chain(self.succeeded).min()
    }

    /// Whether it stands in the books and is not closed on `day`, by what was stated under its first
    /// registration.
    pub fn is_open(&self, day: Day) -> bool {
        self.is_open_under(0, day)
    }

    /// The same by what was stated under a registration.
    pub fn is_open_under(&self, registration: usize, day: Day) -> bool {
        self.origin.as_ref().is_some_and(|o| o.day <= day)
            && self.closed(registration).is_none_or(|closed| day < closed)
    }

    /// Its latest name.
    pub fn name(&self) -> &str {
        let revised = self.changes.iter().rev().find_map(|change| match &change.fact {
            UnitFact::Revised { name: Some(name), .. } => Some(name.as_str()),
            _ => None,
        });
        revised.or(self.origin.as_ref().map(|o| o.profile.name.as_str())).unwrap_or("")
    }

    /// Every code it ever had.
    pub fn codes(&self) -> impl Iterator<Item = &Code> {
        let revised = self.changes.iter().flat_map(|change| match &change.fact {
            UnitFact::Revised { codes, .. } => codes.as_slice(),
            _ => &[],
        });
        self.origin.iter().flat_map(|o| &o.profile.codes).chain(revised)
    }

    fn changes_until(&self, registration: usize, day: Day) -> impl Iterator<Item = &UnitFact> {
        self.changes
            .iter()
            .take_while(move |change| change.stamp.day <= day)
            .filter(move |change| change.under.holds(registration))
            .map(|change| &change.fact)
    }

    /// Its attributes on a day by its first registration; none before it is registered.
    pub fn on(&self, day: Day) -> Option<UnitOnDay> {
        self.on_under(0, day)
    }

    /// Its attributes on a day, by what was stated under a registration.
    pub fn on_under(&self, registration: usize, day: Day) -> Option<UnitOnDay> {
        let mut state =
            UnitOnDay { profile: self.origin.as_ref()?.profile.clone(), headcount: None };
        self.changes_until(registration, day).for_each(|change| state.change(change));
        Some(state)
    }

    /// Whether anybody declared its employees, of whatever day.
    pub(crate) fn has_headcount(&self) -> bool {
        self.changes.iter().any(|change| headcount_of(&change.fact).is_some())
    }

    /// What a roll-up asks of it on a day; none before it is registered.
    pub fn counted_on(&self, registration: usize, day: Day) -> Option<Counted> {
        let profile = &self.origin.as_ref()?.profile;
        let (mut qualified, mut operating) = (profile.qualified, profile.operating);
        let mut headcount = None;
        for change in self.changes_until(registration, day) {
            headcount = headcount_of(change).or(headcount);
            if let UnitFact::Revised { qualified: q, operating: o, .. } = change {
                qualified = q.unwrap_or(qualified);
                operating = o.unwrap_or(operating);
            }
        }
        Some(Counted { qualified, operating, headcount })
    }
}

fn headcount_of(change: &UnitFact) -> Option<Headcount> {
    match change {
        UnitFact::HeadcountDeclared { employees, women, migrant, dispatched, .. } => {
            Some(Headcount {
                employees: *employees,
                women: *women,
                migrant: *migrant,
                dispatched: *dispatched,
            })
        }
        _ => None,
    }
}

impl UnitOnDay {
    fn change(&mut self, change: &UnitFact) {
        if let Some(headcount) = headcount_of(change) {
            self.headcount = Some(headcount);
        }
        let UnitFact::Revised {
            name,
            codes,
            ownership,
            industry,
            operating,
            no_union_reason,
            qualified,
            ..
        } = change
        else {
            return;
        };
        let profile = &mut self.profile;
        if let Some(name) = name {
            profile.name.clone_from(name);
        }
        replace_codes(&mut profile.codes, codes);
        profile.ownership = ownership.or(profile.ownership);
        profile.industry = industry.or(profile.industry);
        profile.operating = operating.unwrap_or(profile.operating);
        profile.qualified = qualified.unwrap_or(profile.qualified);
        match no_union_reason {
            Some(0) => profile.no_union_reason = None,
            Some(reason) => profile.no_union_reason = Some(*reason),
            None => {}
        }
    }

    /// Takes from another what is not stated here (U4).
    pub(crate) fn inherit(&mut self, from: &Self) {
        self.headcount = self.headcount.or(from.headcount);
        self.profile.ownership = self.profile.ownership.or(from.profile.ownership);
        self.profile.industry = self.profile.industry.or(from.profile.industry);
        self.profile.no_union_reason =
            self.profile.no_union_reason.or(from.profile.no_union_reason);
    }

    /// Its code of one list.
    pub fn code(&self, kind: CodeKind) -> Option<&str> {
        self.profile.codes.iter().find(|c| c.kind == kind).map(|c| c.value.as_str())
    }
}

/// Codes replace those of the same list.
pub(crate) fn replace_codes(codes: &mut Vec<Code>, newer: &[Code]) {
    codes.retain(|code| newer.iter().all(|n| n.kind != code.kind));
    codes.extend_from_slice(newer);
}
