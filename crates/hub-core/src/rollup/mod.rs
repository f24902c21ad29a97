//! The roll-up: where units, unions and members join, on one day (DESIGN §7 M5, F1 to F5, U1 to U4).

mod bounds;
mod cover;
mod doubt;
mod members;
mod place;
mod placed;
mod renew;
mod unions;
mod units;

pub use bounds::{Bounds, Delta, Inside, Kind, Ratio};
pub use place::{Because, Registered};
pub(crate) use unions::counts;

use crate::fact::unit::Level;
use crate::id::FactId;
use crate::measure::Counts;
use crate::time::Day;
use crate::view::View;
use crate::view::branch::BranchIx;
use crate::view::tree::{Tree, UnitIx, UnitOnDay};
use doubt::{Doubts, Unknown};
use place::Placed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use unions::OwnUnions;

/// Counts of every unit on one day.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// The day.
    pub day: Day,
    /// Where units stand on the day of the boundaries.
    placed: Arc<Placed>,
    /// Where they stand on the day itself.
    then: Arc<Placed>,
    children: BTreeMap<UnitIx, Vec<UnitIx>>,
    /// What stands at the unit itself.
    own: Vec<Counts>,
    /// What stands in its subtree.
    total: Vec<Counts>,
    covered: Vec<bool>,
    active_at: BTreeMap<UnitIx, i64>,
    left: BTreeMap<FactId, Left>,
    doubts: Doubts,
    /// What member facts do not change, and what only they do.
    kept: Kept,
}

/// What a roll-up keeps so that changed cells can be counted into it.
#[derive(Debug, Clone, Default)]
struct Kept {
    own_of: BTreeMap<UnitIx, BranchIx>,
    second: BTreeSet<BranchIx>,
    women_at: BTreeMap<BranchIx, i64>,
    active_of: BTreeMap<BranchIx, i64>,
    /// In how many declared figures a unit's registered members stand beside the declared ones (S3).
    captured: BTreeMap<UnitIx, i64>,
    /// Unions where the count of women is in doubt.
    women_in_doubt: BTreeSet<BranchIx>,
}

/// What a succession left for somebody to say where it belongs (U4): a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Left {
    /// Units that stand in 本级 of the nearest common ancestor of those that follow.
    pub units: u64,
    /// Members unplaced there.
    pub members: i64,
}

/// Everything needed while rolling up.
struct Work<'a> {
    view: &'a View,
    tree: &'a Tree,
    day: Day,
    placed: Arc<Placed>,
    /// The first own union that counts, by employer (F4).
    own_of: BTreeMap<UnitIx, BranchIx>,
    /// Own unions that would count but for an earlier one.
    second: BTreeSet<BranchIx>,
    covered: Vec<bool>,
    own: Vec<Counts>,
    /// Active members by employer, for the base check.
    active_at: BTreeMap<UnitIx, i64>,
    women_at: BTreeMap<BranchIx, i64>,
    /// Active members credited to each union.
    active_of: BTreeMap<BranchIx, i64>,
    left: BTreeMap<FactId, Left>,
    unknown: Vec<Unknown>,
    captured: BTreeMap<UnitIx, i64>,
    women_in_doubt: BTreeSet<BranchIx>,
}

impl Rollup {
    /// Rolls the view up on a day; parents are those of `boundaries`.
    pub fn of(view: &View, day: Day, boundaries: Day) -> Self {
        let unions = OwnUnions::of(view);
        let mut work = Work::new(view, Arc::new(Placed::on(view, &unions, day)));
        work.choose_own_unions();
        work.cover();
        work.members();
        work.unions();
        work.units();
        work.captured = crate::reporting::count(view, day, &work.active_of, &mut work.own);
        let placed = if boundaries == day {
            Arc::clone(&work.placed)
        } else {
            Arc::new(Placed::on(view, &unions, boundaries))
        };
        work.finish(placed)
    }

    /// The day of the boundaries.
    pub fn boundaries(&self) -> Day {
        self.placed.day
    }

    /// The parent of a unit on the day of the boundaries.
    pub fn parent(&self, unit: UnitIx) -> Option<UnitIx> {
        self.placed.parents.get(unit as usize).copied().flatten()
    }

    /// Where what is named by a unit stands on the day: at itself, or at what follows it (U4).
    pub fn standing(&self, view: &View, unit: UnitIx) -> Option<UnitIx> {
        self.then.standing(view, unit)
    }

    /// The children of a unit then, in order of id.
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

    /// Whether `above` is the unit or an ancestor of it then.
    pub fn is_at_or_above(&self, above: UnitIx, unit: UnitIx) -> bool {
        std::iter::successors(Some(unit), |at| self.parent(*at)).any(|at| at == above)
    }

    /// Units of several registrations, with how each was placed (U1).
    pub fn registered(&self) -> impl Iterator<Item = (UnitIx, &Registered)> {
        self.placed.registered.iter().map(|(unit, registered)| (*unit, registered))
    }

    /// Units that a mere tie places, with their other parents (U1).
    pub fn disputed(&self, view: &View) -> impl Iterator<Item = (UnitIx, &[UnitIx])> {
        let day = self.day;
        let tree = view.tree();
        self.tied().filter(move |(unit, _)| {
            tree.unit(*unit).is_open_under(self.then.registration(*unit), day)
        })
    }

    /// The same whether open or not: what stands at a closed unit may stand under either parent too.
    fn tied(&self) -> impl Iterator<Item = (UnitIx, &[UnitIx])> {
        let tied = self.placed.registered.iter().filter(|(_, known)| known.is_disputed());
        tied.map(|(unit, known)| (*unit, known.others.as_slice()))
    }

    fn is_disputed(&self, unit: UnitIx) -> bool {
        !self.other_parents(unit).is_empty()
    }

    /// The other parents of a unit that a mere tie places.
    fn other_parents(&self, unit: UnitIx) -> &[UnitIx] {
        let known = self.placed.registered.get(&unit).filter(|known| known.is_disputed());
        known.map_or(&[], |known| known.others.as_slice())
    }

    /// The way up from a unit, itself first, under its parent or under another.
    fn path(&self, unit: Option<UnitIx>, under: Option<UnitIx>) -> Vec<UnitIx> {
        let Some(unit) = unit else { return Vec::new() };
        let next = under.or_else(|| self.parent(unit));
        let above = std::iter::successors(next, |at| self.parent(*at));
        std::iter::once(unit).chain(above).collect()
    }

    /// Whether a counting union covers an employer on the day (F2).
    pub fn is_covered(&self, unit: UnitIx) -> bool {
        self.covered.get(unit as usize).copied().unwrap_or(false)
    }

    /// Active members placed at an employer on the day.
    pub fn active_at(&self, unit: UnitIx) -> i64 {
        self.active_at.get(&unit).copied().unwrap_or(0)
    }

    /// What successions left on the day, by the fact (U4).
    pub fn left(&self) -> impl Iterator<Item = (FactId, Left)> {
        self.left.iter().map(|(succession, left)| (*succession, *left))
    }

    /// A unit's attributes on the day: what was stated under the registration it stands under, and, where it
    /// follows another one to one, what that one had and it has not (U1, U4).
    pub fn unit_on(&self, view: &View, unit: UnitIx) -> Option<UnitOnDay> {
        let tree = view.tree();
        let registration = self.then.registration(unit);
        let mut state = tree.unit(unit).on_under(registration, self.day)?;
        for forebear in tree.forebears_on(unit, self.day) {
            if let Some(from) = self.unit_on(view, forebear) {
                state.inherit(&from);
            }
        }
        Some(state)
    }
}

impl<'a> Work<'a> {
    fn new(view: &'a View, placed: Arc<Placed>) -> Self {
        let tree = view.tree();
        let units = tree.units.len();
        Self {
            view,
            tree,
            day: placed.day,
            placed,
            own_of: BTreeMap::new(),
            second: BTreeSet::new(),
            covered: vec![false; units],
            own: vec![Counts::default(); units],
            active_at: BTreeMap::new(),
            women_at: BTreeMap::new(),
            active_of: BTreeMap::new(),
            left: BTreeMap::new(),
            unknown: Vec::new(),
            captured: BTreeMap::new(),
            women_in_doubt: BTreeSet::new(),
        }
    }

    /// Sums up along the boundaries asked for.
    fn finish(mut self, placed: Arc<Placed>) -> Rollup {
        let mut doubts = self.doubts();
        self.gather(&placed, &mut doubts);
        self.count_left_units();
        let mut total = self.own.clone();
        for level in Level::ALL.iter().rev() {
            for at in 0..self.tree.units.len() {
                let at_level = self.tree.unit(at as UnitIx).level() == Some(*level);
                if let Some(parent) = placed.parents[at]
                    && at_level
                {
                    let counts = total[at];
                    total[parent as usize].add_all(&counts);
                }
            }
        }
        let mut children: BTreeMap<UnitIx, Vec<UnitIx>> = BTreeMap::new();
        for (id, at) in self.tree.ids() {
            let unit = self.tree.unit(at);
            let real = unit.id == *id && unit.origin.is_some();
            let gone = !unit.is_employer() && unit.succeeded.is_some_and(|day| day <= placed.day);
            if let Some(parent) = placed.parents[at as usize]
                && real
                && !gone
            {
                children.entry(parent).or_default().push(at);
            }
        }
        let (covered, active_at, left) = (self.covered, self.active_at, self.left);
        let (own, then) = (self.own, self.placed);
        let kept = Kept {
            own_of: self.own_of,
            second: self.second,
            women_at: self.women_at,
            active_of: self.active_of,
            captured: self.captured,
            women_in_doubt: self.women_in_doubt,
        };
        Rollup {
            day: self.day,
            placed,
            then,
            children,
            own,
            total,
            covered,
            active_at,
            left,
            doubts,
            kept,
        }
    }

    /// U4: what stands at a unit that others follow by the day of the boundaries stands where they do. An
    /// employer stays itself: it is listed under its parent of that day.
    fn gather(&mut self, placed: &Placed, doubts: &mut Doubts) {
        for succession in self.tree.successions() {
            for old in &succession.old {
                if succession.stamp.day > placed.day || self.tree.unit(*old).is_employer() {
                    continue;
                }
                if let Some(to) = placed.standing(self.view, *old)
                    && to != *old
                {
                    let counts = std::mem::take(&mut self.own[*old as usize]);
                    self.own[to as usize].add_all(&counts);
                    doubts.gather(*old, to);
                }
            }
        }
    }

    /// U4: units that no move has placed since several followed their parent, or it was one of several.
    fn count_left_units(&mut self) {
        if self.tree.successions().is_empty() {
            return;
        }
        for at in 0..self.tree.units.len() as UnitIx {
            let registration = self.placed.registration(at);
            let unit = self.tree.unit(at);
            let named = self.tree.named_parent_on(at, registration, self.day);
            let split = named.and_then(|named| self.tree.split_on(named, self.day));
            if let Some(split) = split
                && unit.is_open_under(registration, self.day)
            {
                self.left.entry(split.stamp.id).or_default().units += 1;
            }
        }
    }
}
