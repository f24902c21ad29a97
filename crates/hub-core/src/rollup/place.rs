//! Units under their parents on a day (U1, U2, U4).

use super::unions::OwnUnions;
use crate::fact::unit::Level;
use crate::time::Day;
use crate::view::View;
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

/// Why a unit of several registrations stands where it does (U1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// A ruling in force names this registration.
    Ruled,
    /// It is that of the own union that counts.
    Counts,
    /// It is that of the own union that counted last.
    CountedLast,
    /// It is the earliest, and the unit is disputed.
    Earliest,
}

/// A unit of several registrations on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The registration it stands under, by its place.
    pub registration: usize,
    /// Why.
    pub because: Because,
    /// The parents of the others that day, but for the one it stands under.
    pub others: Vec<UnitIx>,
}

/// Where every unit stands on a day.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) day: Day,
    pub(super) parents: Vec<Option<UnitIx>>,
    /// Those of several registrations.
    pub(super) registered: BTreeMap<UnitIx, Registered>,
}

impl Placed {
    /// U1, U2 and U4: each unit under its parent on a day. From the top down, so that the way up from a parent
    /// is known before the units below it are placed.
    pub(super) fn on(view: &View, unions: &OwnUnions<'_>, day: Day) -> Self {
        let tree = view.tree();
        let mut placed =
            Self { day, parents: vec![None; tree.units.len()], registered: BTreeMap::new() };
        for level in Level::ALL {
            for (at, unit) in tree.units.iter().enumerate() {
                if unit.level() != Some(level) {
                    continue;
                }
                match unit.registrations.len() {
                    0 => {}
                    1 => placed.parents[at] = placed.parent_under(view, at as UnitIx, 0),
                    _ => placed.choose(view, unions, at as UnitIx),
                }
            }
        }
        placed.follow(view);
        placed
    }

    /// The parent of a unit that day.
    pub(super) fn parent(&self, unit: UnitIx) -> Option<UnitIx> {
        self.parents[unit as usize]
    }

    /// The registration a unit stands under.
    pub(super) fn registration(&self, unit: UnitIx) -> usize {
        self.registered.get(&unit).map_or(0, |known| known.registration)
    }

    /// The way up from a unit, itself first.
    pub(super) fn path(&self, unit: UnitIx) -> impl Iterator<Item = UnitIx> + '_ {
        std::iter::successors(Some(unit), |at| self.parents[*at as usize])
    }

    /// Where what is named by a unit stands: at itself, or at what follows it (U4).
    pub(super) fn standing(&self, view: &View, unit: UnitIx) -> Option<UnitIx> {
        let tree = view.tree();
        tree.standing_on(tree.canonical(unit), self.day, &|at| self.path(at).collect())
    }

    fn parent_under(&self, view: &View, unit: UnitIx, registration: usize) -> Option<UnitIx> {
        let tree = view.tree();
        let named = tree.named_parent_on(unit, registration, self.day)?;
        let level = |at: UnitIx| tree.unit(at).level();
        // an alias may lead to a unit that is no higher: no parent, else a path would not end
        self.standing(view, named).filter(|parent| level(*parent) < level(unit))
    }

    /// U1: the registration that a ruling names, else that of the own union that counts, else of the one that
    /// counted last, else the earliest.
    fn choose(&mut self, view: &View, unions: &OwnUnions<'_>, unit: UnitIx) {
        let registrations = &view.tree().unit(unit).registrations;
        let of_union = |union| {
            let branch = view.branches().branch(union);
            branch.registration_on(view.tree(), unit, self.day)
        };
        let ruled = view.decisions().parent_ruled(unit, self.day);
        let of_parent =
            |parent| registrations.iter().position(|known| known.parent == Some(parent));
        let (registration, because) = if let Some(at) = ruled.and_then(of_parent) {
            (at, Because::Ruled)
        } else if let Some(at) = unions.counting(unit, self.day).and_then(of_union) {
            (at, Because::Counts)
        } else if let Some(at) = unions.counted_last(unit, self.day).and_then(of_union) {
            (at, Because::CountedLast)
        } else {
            (0, Because::Earliest)
        };
        let parent = self.parent_under(view, unit, registration);
        let others: Vec<UnitIx> = (0..registrations.len())
            .filter(|other| *other != registration)
            .filter_map(|other| self.parent_under(view, unit, other))
            .filter(|other| Some(*other) != parent)
            .collect();
        self.parents[unit as usize] = parent;
        self.registered.insert(unit, Registered { registration, because, others });
    }

    /// U4: an employer that another follows one to one stands where that one stands.
    fn follow(&mut self, view: &View) {
        let tree = view.tree();
        for succession in tree.successions() {
            for old in succession.old.iter().filter(|old| tree.unit(**old).is_employer()) {
                let heir = tree.heir_on(*old, self.day);
                if heir != *old {
                    self.parents[*old as usize] = self.parents[heir as usize];
                    // what is known of it goes on by the registration it stood under
                    self.registered.entry(*old).and_modify(|known| known.others.clear());
                }
            }
        }
    }
}

impl Registered {
    /// Whether nothing but a tie decides, so that it is disputed under every parent.
    pub fn is_disputed(&self) -> bool {
        self.because == Because::Earliest && !self.others.is_empty()
    }
}
