//! The tree of units: registrations, moves, and the attributes that change by day (DESIGN §3, U1 to U3).

use crate::fact::unit::{Level, UnitKind, UnitProfile};
use crate::fact::{Code, CodeKind, UnitFact};
use crate::id::{FactId, UnitId};
use crate::time::{Day, Hlc};
use std::collections::BTreeMap;

/// A unit's place in [`Tree::units`]; it depends on arrival and never leaves the process.
pub type UnitIx = u32;

/// Who stands where, on every day.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// All units a fact named, registered or not.
    pub units: Vec<Unit>,
    by_id: BTreeMap<UnitId, UnitIx>,
    alias: BTreeMap<UnitId, UnitId>,
}

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
    pub changes: Vec<(Stamp, UnitFact)>,
    /// The day it closed.
    pub closed: Option<Day>,
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
    /// From which day it is in the books.
    pub day: Day,
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

/// A unit under a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Who it reports to; none for the root.
    pub parent: Option<UnitIx>,
    /// When it was written.
    pub hlc: Hlc,
    /// The fact.
    pub id: FactId,
}

/// A change of parent or place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// When it holds and when it was written.
    pub stamp: Stamp,
    /// Which registrations it moves: bit n for the n-th.
    pub registrations: u32,
    /// The new parent.
    pub parent: Option<UnitIx>,
    /// The new territory.
    pub located_in: Option<UnitIx>,
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

impl Tree {
    /// The unit of this id or one of its aliases, if any fact named it.
    pub fn find(&self, id: &UnitId) -> Option<UnitIx> {
        self.by_id.get(self.resolve(id)).copied()
    }

    /// The unit of this id or one of its aliases, if it is registered: that a fact named it says nothing.
    pub fn find_registered(&self, id: &UnitId) -> Option<UnitIx> {
        self.find(id).filter(|at| self.unit(*at).origin.is_some())
    }

    /// The unit at this place.
    pub fn unit(&self, at: UnitIx) -> &Unit {
        &self.units[at as usize]
    }

    /// The unit of this id; named from now on.
    pub(crate) fn intern(&mut self, id: &UnitId) -> UnitIx {
        let id = *self.resolve(id);
        self.intern_raw(&id)
    }

    /// The same, not minding aliases: what rests on it stays right when an alias comes or goes.
    /// [`Tree::canonical`] tells the unit meant.
    pub(crate) fn intern_raw(&mut self, id: &UnitId) -> UnitIx {
        let id = *id;
        if let Some(known) = self.by_id.get(&id) {
            return *known;
        }
        let place = self.units.len() as UnitIx;
        self.by_id.insert(id, place);
        self.units.push(Unit {
            id,
            origin: None,
            registrations: Vec::new(),
            moves: Vec::new(),
            unmoved: Vec::new(),
            changes: Vec::new(),
            closed: None,
        });
        place
    }

    /// Adds an alias for a mistyped code; refuses one that closes a cycle.
    pub(crate) fn add_alias(&mut self, wrong: UnitId, right: UnitId) -> bool {
        if *self.resolve(&right) == wrong || self.alias.contains_key(&wrong) {
            return false;
        }
        self.alias.insert(wrong, right);
        true
    }

    /// The root unit, once registered.
    pub fn root(&self) -> Option<UnitIx> {
        let is_root = |unit: &Unit| unit.registrations.iter().any(|r| r.parent.is_none());
        self.units.iter().position(is_root).map(|at| at as UnitIx)
    }

    /// The same names at the same places, and nothing known of them.
    pub(crate) fn names_only(&self) -> Self {
        let mut names = Self::default();
        for unit in &self.units {
            names.intern_raw(&unit.id);
        }
        names
    }

    /// The place of the unit this one is an alias of, or itself.
    pub fn canonical(&self, at: UnitIx) -> UnitIx {
        if self.alias.is_empty() {
            return at;
        }
        self.find(&self.unit(at).id).unwrap_or(at)
    }

    pub(crate) fn has_aliases(&self) -> bool {
        !self.alias.is_empty()
    }

    /// Moves what was registered under mistyped codes to the right units.
    pub(crate) fn merge_aliases(&mut self) {
        for wrong in self.alias.keys().copied().collect::<Vec<_>>() {
            let Some(from) = self.by_id.get(&wrong).copied() else { continue };
            let right = *self.resolve(&wrong);
            let to = self.intern(&right) as usize;
            let old = &mut self.units[from as usize];
            let origin = old.origin.take();
            let registrations = std::mem::take(&mut old.registrations);
            let moves = std::mem::take(&mut old.moves);
            let unmoved = std::mem::take(&mut old.unmoved);
            let unit = &mut self.units[to];
            unit.origin = unit.origin.take().or(origin);
            let mut places = Vec::with_capacity(registrations.len());
            for registration in registrations {
                let known = unit.registrations.iter().position(|k| k.parent == registration.parent);
                places.push(known.unwrap_or(unit.registrations.len()));
                if known.is_none() {
                    unit.registrations.push(registration);
                }
            }
            for mut moved in moves {
                let bits = places.iter().enumerate().filter(|(at, _)| moved.moves_parent_of(*at));
                let bits = bits.filter(|(_, place)| **place < 32);
                moved.registrations = bits.fold(0, |bits, (_, place)| bits | 1 << place);
                unit.moves.push(moved);
            }
            unit.moves.sort_by_key(|moved| moved.stamp);
            unit.unmoved.extend(unmoved);
        }
        self.rename_parents();
    }

    /// Parents and places named under mistyped codes are the right units.
    fn rename_parents(&mut self) {
        let canonical: BTreeMap<UnitIx, UnitIx> = self
            .alias
            .keys()
            .filter_map(|wrong| {
                let from = self.by_id.get(wrong).copied()?;
                Some((from, self.canonical(from)))
            })
            .collect();
        let right = |at: &mut Option<UnitIx>| {
            *at = at.map(|at| canonical.get(&at).copied().unwrap_or(at));
        };
        for unit in &mut self.units {
            unit.registrations.iter_mut().for_each(|known| right(&mut known.parent));
            for moved in &mut unit.moves {
                right(&mut moved.parent);
                right(&mut moved.located_in);
            }
            unit.origin.iter_mut().for_each(|origin| right(&mut origin.located_in));
        }
    }

    fn resolve<'a>(&'a self, id: &'a UnitId) -> &'a UnitId {
        let mut id = id;
        while let Some(next) = self.alias.get(id) {
            id = next;
        }
        id
    }

    /// All ids in order, with their places.
    pub fn ids(&self) -> impl Iterator<Item = (&UnitId, UnitIx)> {
        self.by_id.iter().map(|(id, place)| (id, *place))
    }

    /// The parent under a registration as known at a clock reading (for authority).
    pub(crate) fn parent_at(&self, unit: UnitIx, registration: usize, at: Hlc) -> Option<UnitIx> {
        let unit = self.unit(unit);
        let moved = unit
            .moves
            .iter()
            .filter(|m| m.moves_parent_of(registration) && m.stamp.hlc <= at)
            .filter(|m| unit.unmoved_at(m).is_none_or(|from| at < from))
            .max_by_key(|m| (m.stamp.hlc, m.stamp.id));
        match moved {
            Some(moved) => moved.parent,
            None => unit.registrations.get(registration).and_then(|r| r.parent),
        }
    }

    /// The parent under a registration on a day (for answers).
    pub fn parent_on(&self, unit: UnitIx, registration: usize, day: Day) -> Option<UnitIx> {
        let unit = self.unit(unit);
        let moved = unit
            .moves
            .iter()
            .rev()
            .filter(|m| unit.unmoved_at(m).is_none_or(|from| day < from.day()))
            .find(|m| m.moves_parent_of(registration) && m.stamp.day <= day);
        match moved {
            Some(moved) => moved.parent,
            None => unit.registrations.get(registration).and_then(|r| r.parent),
        }
    }

    /// The way from a unit's first registration up to the root on a day, the unit itself first.
    pub fn path_on(&self, unit: UnitIx, day: Day) -> Vec<UnitIx> {
        let mut path = vec![unit];
        while let Some(parent) = self.parent_on(path[path.len() - 1], 0, day) {
            if path.contains(&parent) {
                break;
            }
            path.push(parent);
        }
        path
    }

    /// The same as known at a clock reading, beginning under one registration of the unit.
    pub(crate) fn path_at(&self, unit: UnitIx, registration: usize, at: Hlc) -> Vec<UnitIx> {
        let mut path = vec![unit];
        let mut next = self.parent_at(unit, registration, at);
        while let Some(parent) = next {
            if path.contains(&parent) {
                break;
            }
            path.push(parent);
            next = self.parent_at(parent, 0, at);
        }
        path
    }

    /// Whether `above` is `unit` or an ancestor of it by any of its registrations, as known at `at`.
    pub fn is_at_or_above(&self, above: UnitIx, unit: UnitIx, at: Hlc) -> bool {
        let registrations = self.unit(unit).registrations.len().max(1);
        (0..registrations).any(|r| self.path_at(unit, r, at).contains(&above))
    }
}

impl Move {
    pub(crate) fn moves_parent_of(&self, registration: usize) -> bool {
        self.parent.is_some() && registration < 32 && self.registrations >> registration & 1 == 1
    }
}

impl Unit {
    /// Adds a registration in order of clock and id; of one parent the earliest holds. Moves go on moving
    /// the registrations they moved.
    pub(crate) fn register(&mut self, registration: Registration) {
        let order = |r: &Registration| (r.hlc, r.id);
        let before = self.registrations.clone();
        match self.registrations.iter_mut().find(|r| r.parent == registration.parent) {
            Some(known) if order(&registration) < order(known) => *known = registration,
            Some(_) => return,
            None => self.registrations.push(registration),
        }
        self.registrations.sort_by_key(order);
        let place_of = |parent| self.registrations.iter().position(|r| r.parent == parent);
        let places: Vec<Option<usize>> = before.iter().map(|r| place_of(r.parent)).collect();
        for moved in &mut self.moves {
            let old = places.iter().take(32).enumerate();
            let kept = old.filter(|(at, _)| moved.registrations >> at & 1 == 1);
            let now = kept.filter_map(|(_, place)| place.filter(|place| *place < 32));
            moved.registrations = now.fold(0, |bits, place| bits | 1 << place);
        }
    }

    /// From when a move no longer acts. A withdrawal acts from its own clock, never backwards.
    fn unmoved_at(&self, moved: &Move) -> Option<Hlc> {
        self.unmoved.iter().find(|(id, _)| *id == moved.stamp.id).map(|(_, from)| *from)
    }

    /// Its level, once registered.
    pub fn level(&self) -> Option<Level> {
        self.origin.as_ref().map(|o| o.level)
    }

    /// Whether it is an employer.
    pub fn is_employer(&self) -> bool {
        self.origin.as_ref().is_some_and(|o| o.kind == UnitKind::Employer)
    }

    /// Whether it stands in the books and is not closed on `day`.
    pub fn is_open(&self, day: Day) -> bool {
        self.origin.as_ref().is_some_and(|o| o.day <= day) && self.closed.is_none_or(|c| day < c)
    }

    /// Its latest name.
    pub fn name(&self) -> &str {
        let revised = self.changes.iter().rev().find_map(|(_, change)| match change {
            UnitFact::Revised { name: Some(name), .. } => Some(name.as_str()),
            _ => None,
        });
        revised.or(self.origin.as_ref().map(|o| o.profile.name.as_str())).unwrap_or("")
    }

    /// Every code it ever had.
    pub fn codes(&self) -> impl Iterator<Item = &Code> {
        let revised = self.changes.iter().flat_map(|(_, change)| match change {
            UnitFact::Revised { codes, .. } => codes.as_slice(),
            _ => &[],
        });
        self.origin.iter().flat_map(|o| &o.profile.codes).chain(revised)
    }

    /// Its attributes on a day; none before it is registered.
    pub fn on(&self, day: Day) -> Option<UnitOnDay> {
        let mut state =
            UnitOnDay { profile: self.origin.as_ref()?.profile.clone(), headcount: None };
        for (_, change) in self.changes.iter().take_while(|(stamp, _)| stamp.day <= day) {
            state.change(change);
        }
        Some(state)
    }

    /// What a roll-up asks of it on a day; none before it is registered.
    pub fn counted_on(&self, day: Day) -> Option<Counted> {
        let profile = &self.origin.as_ref()?.profile;
        let (mut qualified, mut operating) = (profile.qualified, profile.operating);
        let mut headcount = None;
        for (_, change) in self.changes.iter().take_while(|(stamp, _)| stamp.day <= day) {
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
