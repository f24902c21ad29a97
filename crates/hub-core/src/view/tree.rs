//! The tree of units: who stands under whom, as known at a clock or on a day (DESIGN §3, U1, U2, U4).

use super::succession::Successions;
use crate::id::{FactId, UnitId};
use crate::time::{Day, Hlc};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use super::unit::replace_codes;
pub use super::unit::{Change, Closing, Counted, Headcount, Origin, Stamp, Under, Unit, UnitOnDay};

/// A unit's place in [`Tree::units`]; it depends on arrival and never leaves the process.
pub type UnitIx = u32;

/// Who stands where, on every day.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// All units a fact named, registered or not.
    pub units: Vec<Unit>,
    by_id: BTreeMap<UnitId, UnitIx>,
    alias: BTreeMap<UnitId, UnitId>,
    pub(super) successions: Successions,
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
        self.units.push(Unit::named(id));
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
    /// Yields the successions that then stand no more.
    pub(crate) fn merge_aliases(&mut self) -> BTreeSet<FactId> {
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
            origin.into_iter().for_each(|origin| unit.originate(origin));
            let parents: Vec<Option<UnitIx>> = registrations.iter().map(|r| r.parent).collect();
            registrations.into_iter().for_each(|registration| {
                unit.register(registration);
            });
            let place = |parent: &Option<UnitIx>| {
                unit.registrations.iter().position(|known| known.parent == *parent)
            };
            let places: Vec<usize> = parents.iter().filter_map(place).collect();
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
        let canonical: Vec<UnitIx> =
            (0..self.units.len() as u32).map(|at| self.canonical(at)).collect();
        let mut successions = std::mem::take(&mut self.successions);
        let left_out = successions.rename(&canonical);
        self.lay_successions(successions);
        left_out
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

    /// Under which registrations of a unit something holds that holds under these parents; where it has one
    /// only, under that.
    pub(crate) fn under(&self, unit: UnitIx, parents: &[UnitId]) -> Under {
        let registrations = &self.unit(unit).registrations;
        if registrations.len() < 2 {
            return Under(1);
        }
        let parents: Vec<Option<UnitIx>> = parents.iter().map(|id| self.find(id)).collect();
        let held = registrations.iter().take(32).enumerate();
        let held =
            held.filter(|(_, known)| known.parent.is_some() && parents.contains(&known.parent));
        Under(held.fold(0, |bits, (at, _)| bits | 1 << at))
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

    /// The parent under a registration on a day (for answers): the one named, or where what it names stands
    /// that day (U4).
    pub fn parent_on(&self, unit: UnitIx, registration: usize, day: Day) -> Option<UnitIx> {
        let named = self.named_parent_on(unit, registration, day)?;
        self.standing_on(named, day, &|at| self.path_on(at, day))
    }

    /// The parent named for a registration by the latest move of a day, else by the registration (U2).
    pub fn named_parent_on(&self, unit: UnitIx, registration: usize, day: Day) -> Option<UnitIx> {
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

    /// The same as known at a clock reading, beginning under one registration of the unit; each unit as what
    /// follows it one to one by then.
    pub(crate) fn path_at(&self, unit: UnitIx, registration: usize, at: Hlc) -> Vec<UnitIx> {
        let heir = self.heir_at(unit, at);
        let known = self.unit(heir).registrations.len();
        let registration = if registration < known { registration } else { 0 };
        let mut path = vec![heir];
        let mut next = self.parent_at(heir, registration, at);
        while let Some(parent) = next.map(|named| self.heir_at(named, at)) {
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
        let (above, unit) = (self.heir_at(above, at), self.heir_at(unit, at));
        let registrations = self.unit(unit).registrations.len().max(1);
        (0..registrations).any(|r| self.path_at(unit, r, at).contains(&above))
    }
}

impl Move {
    pub(crate) fn moves_parent_of(&self, registration: usize) -> bool {
        self.parent.is_some() && registration < 32 && self.registrations >> registration & 1 == 1
    }
}
