//! Low and high of every row: what a number could be if every doubt went one way (DESIGN §8).
//!
//! They do not add up over units: who may count at one of two townships is doubtful in each, and in the county
//! above not at all. So they are told row by row, and only the units on the ways of doubtful things differ from
//! what is counted.

use super::Rollup;
use super::doubt::{Alternative, Doubt, Unknown};
use super::units::Stage;
use crate::fact::unit::Level;
use crate::measure::{Counts, Measure};
use crate::view::View;
use crate::view::tree::UnitIx;
use std::collections::BTreeSet;

/// How a number is made, which decides what makes it least and most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A plain count.
    Plain,
    /// Numerator and denominator come from one set.
    Set,
    /// Numerator and denominator are counted apart.
    Count,
}

/// Numerator and denominator, or a plain measure.
pub type Ratio = (Measure, Option<Measure>);

/// What to add to numerator and denominator.
type Step = (i64, i64);

/// What to add to what is counted for the least and the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delta {
    /// For the least.
    pub low: Step,
    /// For the most.
    pub high: Step,
}

impl Delta {
    pub(crate) fn add(&mut self, other: Self) {
        for (own, other) in [(&mut self.low, other.low), (&mut self.high, other.high)] {
            own.0 += other.0;
            own.1 += other.1;
        }
    }
}

impl Kind {
    /// The least and the most of what one thing may add, less what it adds: `states` begins with that.
    fn choose(self, states: &[Step]) -> Delta {
        let Some((now_n, now_d)) = states.first().copied() else { return Delta::default() };
        let least = |key: fn(&Step) -> i64| states.iter().map(key).min().unwrap_or(0);
        let most = |key: fn(&Step) -> i64| states.iter().map(key).max().unwrap_or(0);
        let (low, high) = match self {
            Self::Plain => ((least(|s| s.0), 0), (most(|s| s.0), 0)),
            Self::Count => ((least(|s| s.0), most(|s| s.1)), (most(|s| s.0), least(|s| s.1))),
            // low takes in what is uncovered, else leaves out what is covered; high the reverse
            Self::Set => {
                let low = states.iter().min_by_key(|(n, d)| (n - d, *n));
                let high = states.iter().min_by_key(|(n, d)| (-n, *d));
                (low.copied().unwrap_or_default(), high.copied().unwrap_or_default())
            }
        };
        Delta { low: (low.0 - now_n, low.1 - now_d), high: (high.0 - now_n, high.1 - now_d) }
    }

    /// The same for all that stands at a unit which a row may or may not contain: what is counted there is
    /// `now`, with its own least and most.
    fn choose_whole(self, now: Step, own: Delta, is_counted: bool) -> Delta {
        let low = (now.0 + own.low.0, now.1 + own.low.1);
        let high = (now.0 + own.high.0, now.1 + own.high.1);
        let (least, most) = match self {
            Self::Plain => ((0, 0), (high.0, 0)),
            Self::Count => ((0, low.1), (high.0, 0)),
            Self::Set => ((0, low.1 - low.0), (high.0, high.0)),
        };
        let (base_low, base_high) = if is_counted { (low, high) } else { ((0, 0), (0, 0)) };
        Delta {
            low: (least.0 - base_low.0, least.1 - base_low.1),
            high: (most.0 - base_high.0, most.1 - base_high.1),
        }
    }
}

/// A unit that a mere tie places, with all that stands there.
struct Tied {
    unit: UnitIx,
    others: Vec<UnitIx>,
    now: Step,
    own: Delta,
}

/// Whether a row contains a unit, standing under its parent or under another.
pub type Inside<'a> = dyn Fn(UnitIx, Option<UnitIx>) -> bool + 'a;

/// Low and high of one ratio, less what is counted.
pub struct Bounds {
    kind: Kind,
    ratio: Ratio,
    own: Vec<Delta>,
    total: Vec<Delta>,
    /// Doubts about where, each with its states.
    spread: Vec<Doubt>,
    tied: Vec<Tied>,
}

impl std::fmt::Debug for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounds").field("kind", &self.kind).field("ratio", &self.ratio).finish()
    }
}

impl Bounds {
    /// Low and high of a ratio in a roll-up.
    pub fn of(view: &View, rollup: &Rollup, ratio: Ratio, kind: Kind) -> Self {
        let mut bounds = Self {
            kind,
            ratio,
            own: Vec::new(),
            total: Vec::new(),
            spread: Vec::new(),
            tied: Vec::new(),
        };
        let disputed: Vec<(UnitIx, &[UnitIx])> = rollup.tied().collect();
        if rollup.doubts.unknown.is_empty()
            && rollup.doubts.things.is_empty()
            && disputed.is_empty()
        {
            return bounds;
        }
        bounds.own = vec![Delta::default(); view.tree().units.len()];
        bounds.lay_local(rollup);
        bounds.total = bounds.own.clone();
        bounds.sum_up(view, rollup);
        for (unit, others) in disputed {
            bounds.lay_tied(rollup, unit, others);
        }
        for at in 0..bounds.spread.len() {
            let doubt = bounds.spread[at].clone();
            bounds.lay_spread(rollup, &doubt);
        }
        bounds
    }

    /// What to add for the row of a unit's subtree.
    pub fn total(&self, unit: UnitIx) -> Delta {
        self.total.get(unit as usize).copied().unwrap_or_default()
    }

    /// What to add for a row of these units; `inside` tells which it contains.
    pub fn of_units(&self, units: impl Iterator<Item = UnitIx>, inside: &Inside<'_>) -> Delta {
        let mut sum = Delta::default();
        if self.own.is_empty() {
            return sum;
        }
        units.for_each(|unit| sum.add(self.own[unit as usize]));
        for doubt in &self.spread {
            let is_inside = |way: &Alternative| way.at.is_some_and(|at| inside(at, way.under));
            sum.add(self.kind.choose(&self.states(doubt, &is_inside)));
        }
        for tied in &self.tied {
            let here = inside(tied.unit, None);
            let elsewhere = |other: &UnitIx| inside(tied.unit, Some(*other)) != here;
            if tied.others.iter().any(elsewhere) {
                sum.add(self.kind.choose_whole(tied.now, tied.own, here));
            }
        }
        sum
    }

    fn step(&self, counts: &[(Measure, i64)]) -> Step {
        let of = |measure: Option<Measure>| {
            counts.iter().filter(|(m, _)| Some(*m) == measure).map(|(_, count)| count).sum()
        };
        (of(Some(self.ratio.0)), of(self.ratio.1))
    }

    fn step_of(&self, counts: &Counts) -> Step {
        let under = self.ratio.1.map_or(0, |measure| counts.get(measure));
        (counts.get(self.ratio.0), under)
    }

    fn states(&self, doubt: &Doubt, inside: &dyn Fn(&Alternative) -> bool) -> Vec<Step> {
        let state = |way: &Alternative| if inside(way) { self.step(&way.counts) } else { (0, 0) };
        doubt.alternatives.iter().map(state).collect()
    }

    /// Doubts about one unit only add up; the others are set aside.
    fn lay_local(&mut self, rollup: &Rollup) {
        let mut known: Vec<((bool, Stage), Delta)> = Vec::new();
        for unknown in &rollup.doubts.unknown {
            if rollup.is_disputed(unknown.at) {
                self.set_aside(rollup, &unknown.doubt());
                continue;
            }
            let key = (unknown.covered, unknown.stage);
            let found = known.iter().find(|(seen, _)| *seen == key).map(|(_, delta)| *delta);
            let delta = found.unwrap_or_else(|| self.of_unknown(unknown));
            if found.is_none() {
                known.push((key, delta));
            }
            self.own[unknown.at as usize].add(delta);
        }
        for doubt in &rollup.doubts.things {
            let mut units = doubt.alternatives.iter().filter_map(|way| way.at);
            let first = units.next();
            match first {
                None => {}
                Some(unit) if units.all(|other| other == unit) && !rollup.is_disputed(unit) => {
                    let states = self.states(doubt, &|way| way.at.is_some());
                    let delta = self.kind.choose(&states);
                    self.own[unit as usize].add(delta);
                }
                Some(_) => self.set_aside(rollup, doubt),
            }
        }
    }

    fn of_unknown(&self, unknown: &Unknown) -> Delta {
        self.kind.choose(&self.states(&unknown.doubt(), &|_| true))
    }

    /// Keeps a doubt about where, if it touches the ratio, with every parent of units that are disputed.
    fn set_aside(&mut self, rollup: &Rollup, doubt: &Doubt) {
        if doubt.alternatives.iter().all(|way| self.step(&way.counts) == (0, 0)) {
            return;
        }
        let mut alternatives = Vec::new();
        for way in &doubt.alternatives {
            alternatives.push(way.clone());
        }
        for way in &doubt.alternatives {
            let others = way.at.map_or(&[][..], |at| rollup.other_parents(at));
            alternatives.extend(
                others.iter().map(|other| Alternative { under: Some(*other), ..way.clone() }),
            );
        }
        self.spread.push(Doubt { alternatives });
    }

    fn sum_up(&mut self, view: &View, rollup: &Rollup) {
        for level in Level::ALL.iter().rev() {
            for (at, unit) in view.tree().units.iter().enumerate() {
                if let Some(parent) = rollup.parent(at as UnitIx)
                    && unit.level() == Some(*level)
                {
                    let delta = self.total[at];
                    self.total[parent as usize].add(delta);
                }
            }
        }
    }

    fn lay_spread(&mut self, rollup: &Rollup, doubt: &Doubt) {
        let paths: Vec<Vec<UnitIx>> =
            doubt.alternatives.iter().map(|way| rollup.path(way.at, way.under)).collect();
        let touched: BTreeSet<UnitIx> = paths.iter().flatten().copied().collect();
        for unit in touched {
            let steps = doubt.alternatives.iter().zip(&paths).map(|(way, path)| {
                if path.contains(&unit) { self.step(&way.counts) } else { (0, 0) }
            });
            let delta = self.kind.choose(&steps.collect::<Vec<Step>>());
            self.total[unit as usize].add(delta);
        }
    }

    /// All that stands at a disputed unit counts in the rows of one parent or of another.
    fn lay_tied(&mut self, rollup: &Rollup, unit: UnitIx, others: &[UnitIx]) {
        let mut now = self.step_of(&rollup.total(unit));
        // what is in doubt at the unit itself has its own alternatives
        for doubt in &self.spread {
            let counted = &doubt.alternatives[0];
            if counted.at == Some(unit) && counted.under.is_none() {
                let step = self.step(&counted.counts);
                now = (now.0 - step.0, now.1 - step.1);
            }
        }
        let tied = Tied { unit, others: others.to_vec(), now, own: self.total(unit) };
        let here = rollup.path(Some(unit), None);
        let paths: Vec<Vec<UnitIx>> =
            others.iter().map(|other| rollup.path(Some(unit), Some(*other))).collect();
        let touched: BTreeSet<UnitIx> = paths.iter().chain([&here]).flatten().copied().collect();
        for at in touched {
            let is_counted = here.contains(&at);
            if paths.iter().any(|path| path.contains(&at) != is_counted) {
                let delta = self.kind.choose_whole(tied.now, tied.own, is_counted);
                self.total[at as usize].add(delta);
            }
        }
        self.tied.push(tied);
    }
}
