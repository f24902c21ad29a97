//! U4: which units follow which, from a day (DESIGN §7; 工会法 art. 13 for unions of units that end, K13, K14).
//!
//! One to one, the new unit takes the old one's place in everything that names it. In every other shape
//! nothing is carried but what a move or a member fact says; what is left stands at the nearest common
//! ancestor of the new units. Nothing is rewritten: days before see the old units as they were.

use super::tree::{Stamp, Tree, UnitIx};
use crate::fact::unit::Succession as How;
use crate::id::FactId;
use crate::time::{Day, Hlc};
use std::collections::{BTreeMap, BTreeSet};

/// A standing succession.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// From when it acts and when it was written.
    pub stamp: Stamp,
    /// The units that end.
    pub old: Vec<UnitIx>,
    /// The units that follow.
    pub new: Vec<UnitIx>,
    /// Which kind of change.
    pub how: How,
}

impl Succession {
    /// Whether one unit follows one: then everything is carried.
    pub fn is_one_to_one(&self) -> bool {
        self.old.len() == 1 && self.new.len() == 1
    }

    fn heir(&self) -> Option<UnitIx> {
        self.new.first().copied().filter(|_| self.is_one_to_one())
    }
}

/// All standing successions.
#[derive(Debug, Clone, Default)]
pub struct Successions {
    /// In order of stamp.
    all: Vec<Succession>,
    by_old: BTreeMap<UnitIx, usize>,
    /// Those of one to one, by the unit that follows.
    by_heir: BTreeMap<UnitIx, Vec<usize>>,
}

impl Successions {
    /// Of those whose writers may state them: each unit is old in one at most, the earliest by day, clock and
    /// id, and none closes a cycle. Yields the facts of those left out.
    pub(super) fn settle(mut stated: Vec<Succession>) -> (Self, BTreeSet<FactId>) {
        stated.sort_by_key(|succession| succession.stamp);
        let mut settled = Self::default();
        let mut left_out = BTreeSet::new();
        for succession in stated {
            let taken = succession.old.iter().any(|old| settled.by_old.contains_key(old));
            if taken || settled.closes_a_cycle(&succession) {
                left_out.insert(succession.stamp.id);
            } else {
                settled.all.push(succession);
                settled.reindex();
            }
        }
        (settled, left_out)
    }

    fn closes_a_cycle(&self, succession: &Succession) -> bool {
        let mut open = succession.new.clone();
        let mut seen = BTreeSet::new();
        while let Some(unit) = open.pop() {
            if succession.old.contains(&unit) {
                return true;
            }
            if seen.insert(unit)
                && let Some(at) = self.by_old.get(&unit)
            {
                open.extend(&self.all[*at].new);
            }
        }
        false
    }

    /// All of them, in order of stamp.
    pub(super) fn all(&self) -> &[Succession] {
        &self.all
    }

    fn reindex(&mut self) {
        self.by_old.clear();
        self.by_heir.clear();
        for (at, succession) in self.all.iter().enumerate() {
            self.by_old.extend(succession.old.iter().map(|old| (*old, at)));
            if let Some(heir) = succession.heir() {
                self.by_heir.entry(heir).or_default().push(at);
            }
        }
    }

    /// Names units by other places: some were aliases. Yields the facts of those left out then.
    pub(super) fn rename(&mut self, canonical: &[UnitIx]) -> BTreeSet<FactId> {
        let stated = std::mem::take(&mut self.all).into_iter().map(|mut succession| {
            for unit in succession.old.iter_mut().chain(&mut succession.new) {
                *unit = canonical[*unit as usize];
            }
            succession.old.sort_unstable();
            succession.old.dedup();
            succession.new.sort_unstable();
            succession.new.dedup();
            succession
        });
        let (settled, left_out) = Self::settle(stated.collect());
        *self = settled;
        left_out
    }
}

impl Tree {
    /// All standing successions, in order of day, clock and id.
    pub fn successions(&self) -> &[Succession] {
        &self.successions.all
    }

    /// The succession that ends a unit.
    pub fn succession_of(&self, unit: UnitIx) -> Option<&Succession> {
        self.successions.by_old.get(&unit).map(|at| &self.successions.all[*at])
    }

    /// Lays successions over the units they end.
    pub(super) fn lay_successions(&mut self, settled: Successions) {
        for unit in &mut self.units {
            unit.succeeded = None;
        }
        for succession in &settled.all {
            for old in &succession.old {
                self.units[*old as usize].succeeded = Some(succession.stamp.day);
            }
        }
        self.successions = settled;
    }

    fn heir(&self, mut unit: UnitIx, acts: impl Fn(&Stamp) -> bool) -> UnitIx {
        while let Some(succession) = self.succession_of(unit)
            && let Some(heir) = succession.heir()
            && acts(&succession.stamp)
        {
            unit = heir;
        }
        unit
    }

    /// The unit that everything named by this one is on a day: itself, or what follows it one to one.
    pub fn heir_on(&self, unit: UnitIx, day: Day) -> UnitIx {
        self.heir(unit, |stamp| stamp.day <= day)
    }

    /// The same for authority, as known at a clock reading.
    pub(crate) fn heir_at(&self, unit: UnitIx, at: Hlc) -> UnitIx {
        self.heir(unit, |stamp| stamp.hlc <= at)
    }

    /// The units that this one follows one to one, with the clocks from which it does, near and far.
    pub(crate) fn forebears(&self, unit: UnitIx) -> Vec<(UnitIx, Hlc)> {
        let mut all = Vec::new();
        let mut open = vec![unit];
        while let Some(heir) = open.pop() {
            for at in self.successions.by_heir.get(&heir).into_iter().flatten() {
                let succession = &self.successions.all[*at];
                open.extend(&succession.old);
                all.extend(succession.old.iter().map(|old| (*old, succession.stamp.hlc)));
            }
        }
        all
    }

    /// The units that this one follows one to one by a day, the nearest and earliest first.
    pub fn forebears_on(&self, unit: UnitIx, day: Day) -> Vec<UnitIx> {
        let places = self.successions.by_heir.get(&unit).map_or(&[][..], Vec::as_slice);
        let acting = places.iter().map(|at| &self.successions.all[*at]);
        acting.filter(|s| s.stamp.day <= day).flat_map(|s| s.old.iter().copied()).collect()
    }

    /// Where what is named by a unit stands on a day: at the unit, at what follows it one to one, or, where
    /// several follow or are followed, at the nearest common ancestor of those that follow. `path` tells the
    /// way up from a unit, itself first.
    pub fn standing_on(
        &self,
        unit: UnitIx,
        day: Day,
        path: &dyn Fn(UnitIx) -> Vec<UnitIx>,
    ) -> Option<UnitIx> {
        if self.successions.all.is_empty() {
            return Some(unit);
        }
        let unit = self.heir_on(unit, day);
        match self.split_on(unit, day) {
            None => Some(unit),
            Some(split) => self.nearest_common(split, day, path),
        }
    }

    /// The succession of another shape than one to one that ended a unit, or what follows it, by a day.
    pub fn split_on(&self, unit: UnitIx, day: Day) -> Option<&Succession> {
        let split = self.succession_of(self.heir_on(unit, day))?;
        (!split.is_one_to_one() && split.stamp.day <= day).then_some(split)
    }

    fn nearest_common(
        &self,
        split: &Succession,
        day: Day,
        path: &dyn Fn(UnitIx) -> Vec<UnitIx>,
    ) -> Option<UnitIx> {
        let mut paths = split.new.iter().map(|new| {
            let standing = self.standing_on(*new, day, path);
            standing.map_or(Vec::new(), path)
        });
        let mut common = paths.next()?;
        for other in paths {
            common.retain(|unit| other.contains(unit));
        }
        common.first().copied()
    }
}
