//! The roll-up: where units, unions and members join, on one day (DESIGN §7 M5, F1 to F5, U1 to U3).

mod cover;
mod members;
mod place;
mod unions;
mod units;

use crate::fact::unit::Level;
use crate::measure::Counts;
use crate::measure::Measure;
use crate::time::Day;
use crate::view::View;
use crate::view::branch::{Branch, BranchIx};
use crate::view::tree::{Tree, UnitIx};
use std::collections::{BTreeMap, BTreeSet};

/// Counts of every unit on one day.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// The day.
    pub day: Day,
    /// The parent of each unit, by its place.
    parents: Vec<Option<UnitIx>>,
    children: BTreeMap<UnitIx, Vec<UnitIx>>,
    /// What stands at the unit itself.
    own: Vec<Counts>,
    /// What stands in its subtree.
    total: Vec<Counts>,
    /// Units of two registrations and how each placed: the parents not chosen.
    rivals: BTreeMap<UnitIx, Vec<UnitIx>>,
}

/// Everything needed while rolling up.
struct Work<'a> {
    view: &'a View,
    tree: &'a Tree,
    day: Day,
    /// The first own union that counts, by employer (F4).
    own_of: BTreeMap<UnitIx, BranchIx>,
    /// Own unions that would count but for an earlier one.
    second: BTreeSet<BranchIx>,
    covered: Vec<bool>,
    parents: Vec<Option<UnitIx>>,
    own: Vec<Counts>,
    /// Active members by employer, for the base check.
    active_at: BTreeMap<UnitIx, i64>,
    women_at: BTreeMap<BranchIx, i64>,
    /// Active members credited to each union.
    active_of: BTreeMap<BranchIx, i64>,
}

impl Rollup {
    /// Rolls the view up on a day; parents are those of `boundaries`.
    pub fn of(view: &View, day: Day, boundaries: Day) -> Self {
        let mut work = Work::new(view, day);
        let rivals = work.place_units(boundaries);
        work.cover();
        work.members();
        work.unions();
        work.units();
        crate::reporting::count(view, day, &work.active_of, &mut work.own);
        work.finish(rivals)
    }

    /// The parent of a unit that day.
    pub fn parent(&self, unit: UnitIx) -> Option<UnitIx> {
        self.parents.get(unit as usize).copied().flatten()
    }

    /// The children of a unit that day, in order of id.
    pub fn children(&self, unit: UnitIx) -> &[UnitIx] {
        self.children.get(&unit).map_or(&[], Vec::as_slice)
    }

    /// What stands at the unit itself.
    pub fn own(&self, unit: UnitIx) -> Counts {
        self.own.get(unit as usize).copied().unwrap_or_default()
    }

    /// What stands in its subtree.
    pub fn total(&self, unit: UnitIx) -> Counts {
        self.total.get(unit as usize).copied().unwrap_or_default()
    }

    /// Whether `above` is the unit or an ancestor of it that day.
    pub fn is_at_or_above(&self, above: UnitIx, unit: UnitIx) -> bool {
        std::iter::successors(Some(unit), |at| self.parent(*at)).any(|at| at == above)
    }

    /// Units registered under several parents, with the parents not chosen (U1).
    pub fn rivals(&self) -> impl Iterator<Item = (UnitIx, &[UnitIx])> {
        self.rivals.iter().map(|(unit, parents)| (*unit, parents.as_slice()))
    }
}

impl<'a> Work<'a> {
    fn new(view: &'a View, day: Day) -> Self {
        let tree = view.tree();
        let units = tree.units.len();
        let mut work = Self {
            view,
            tree,
            day,
            own_of: BTreeMap::new(),
            second: BTreeSet::new(),
            covered: vec![false; units],
            parents: vec![None; units],
            own: vec![Counts::default(); units],
            active_at: BTreeMap::new(),
            women_at: BTreeMap::new(),
            active_of: BTreeMap::new(),
        };
        work.choose_own_unions();
        work
    }

    fn counts(&self, branch: &Branch) -> bool {
        branch.counts_on(self.tree, self.day)
    }

    fn finish(self, rivals: BTreeMap<UnitIx, Vec<UnitIx>>) -> Rollup {
        let mut own = self.own;
        for unit in rivals.keys() {
            let open = self.tree.unit(*unit).is_open(self.day);
            own[*unit as usize].add(Measure::UnitsDisputed, i64::from(open));
        }
        let mut total = own.clone();
        for level in Level::ALL.iter().rev() {
            for at in 0..self.tree.units.len() {
                let at_level = self.tree.unit(at as UnitIx).level() == Some(*level);
                if let Some(parent) = self.parents[at]
                    && at_level
                {
                    let counts = total[at];
                    total[parent as usize].add_all(&counts);
                }
            }
        }
        let mut children: BTreeMap<UnitIx, Vec<UnitIx>> = BTreeMap::new();
        for (id, at) in self.tree.ids() {
            let real = self.tree.unit(at).id == *id && self.tree.unit(at).origin.is_some();
            if let Some(parent) = self.parents[at as usize]
                && real
            {
                children.entry(parent).or_default().push(at);
            }
        }
        Rollup { day: self.day, parents: self.parents, children, own, total, rivals }
    }
}
