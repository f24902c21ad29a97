//! Flows: how a unit's members went from one day to another, each step by its cause (DESIGN §8).
//!
//! Members who stood in the books on the opening day are first moved with their units and unions to where
//! these stand on the closing day; then what happened to persons is told under that order. So the parts
//! sum exactly, for any unit and span of days.

use crate::fact::member::Origin;
use crate::query::Label;
use crate::rollup::Rollup;
use crate::time::Day;
use crate::view::cell::{Cell, Class, ClassStatus};
use crate::view::claim::{Cause, Span};
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};
use std::collections::BTreeMap;

/// Why a unit has more or fewer active members than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Newly enrolled (发展会员).
    New,
    /// Came from another union.
    In,
    /// Took a retained membership up again.
    Resumed,
    /// Transferred out, or taken over elsewhere.
    Out,
    /// Retained from now on.
    Retained,
    /// Left, lapsed, expelled or died.
    Left,
    /// Moved with the unit or union: its parent, host, founding or end.
    Moved,
    /// Another claim of the person holds, though none began or ended: a ruling, an objection, the order.
    HolderChanged,
    /// Entered late or corrected: in the books since before, in no other flow.
    Corrected,
}

impl Flow {
    /// All flows, in the order they are told.
    pub const ALL: [Self; 9] = [
        Self::New,
        Self::In,
        Self::Resumed,
        Self::Out,
        Self::Retained,
        Self::Left,
        Self::Moved,
        Self::HolderChanged,
        Self::Corrected,
    ];

    /// Its name for scripts.
    pub fn id(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::In => "in",
            Self::Resumed => "resumed",
            Self::Out => "out",
            Self::Retained => "retained",
            Self::Left => "left",
            Self::Moved => "moved",
            Self::HolderChanged => "holder_changed",
            Self::Corrected => "corrected",
        }
    }

    fn gained(began: Cause) -> Self {
        match began {
            Cause::Started(Origin::New) => Self::New,
            Cause::Started(Origin::Transferred) => Self::In,
            Cause::Started(Origin::Resumed) | Cause::Resumed => Self::Resumed,
            Cause::Started(Origin::Existing) | Cause::Revised => Self::Corrected,
            _ => Self::HolderChanged,
        }
    }

    fn lost(ended: Option<Cause>) -> Self {
        match ended {
            Some(Cause::TransferredOut | Cause::TakenOver) => Self::Out,
            Some(Cause::Left(_)) => Self::Left,
            Some(Cause::Retained) => Self::Retained,
            Some(Cause::Revised | Cause::Started(_) | Cause::Resumed) => Self::Corrected,
            _ => Self::HolderChanged,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowQuestion {
    /// The unit.
    pub unit: UnitIx,
    /// The first day of the span: the opening is what stood the day before.
    pub from: Day,
    /// The last day of the span.
    pub to: Day,
    /// One row a child besides the total.
    pub by_child: bool,
}

/// How the active members of one unit went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRow {
    /// Of what.
    pub label: Label,
    /// Active members on the day before the span.
    pub opening: i64,
    /// What each cause added or, below zero, took.
    pub flows: BTreeMap<Flow, i64>,
    /// Active members on the last day of the span.
    pub closing: i64,
}

impl FlowRow {
    fn new(label: Label) -> Self {
        Self { label, opening: 0, flows: BTreeMap::new(), closing: 0 }
    }

    /// What a cause added, or took below zero.
    pub fn get(&self, flow: Flow) -> i64 {
        self.flows.get(&flow).copied().unwrap_or(0)
    }

    /// Whether opening and flows make the closing.
    pub fn sums(&self) -> bool {
        self.opening + self.flows.values().sum::<i64>() == self.closing
    }

    fn add(&mut self, flow: Flow, count: i64) {
        if count != 0 {
            *self.flows.entry(flow).or_default() += count;
        }
    }
}

/// The flows of a unit over a span of days; the total last.
pub fn flows(view: &mut View, source: &dyn BlockSource, asked: &FlowQuestion) -> Vec<FlowRow> {
    let before = Day(asked.from.0 - 1);
    let opening = Rollup::of(view, before, before);
    let closing = Rollup::of(view, asked.to, asked.to);
    let mut ledger = Ledger::new(view, asked, &opening, &closing);
    let placed = Rollup::placed(view, asked.to);
    ledger.stock(view, (before, &Rollup::placed(view, before)), (asked.to, &placed));
    view.each_changed(before, asked.to, source, &mut |spans, cells| {
        let placed = |span: &Span| {
            let cell = cells.find(span.branch, span.employer)?;
            placed.get(cell as usize).copied().flatten()
        };
        ledger.person(before, asked.to, spans, &placed);
    });
    ledger.finish()
}

/// The rows under way: 本级, the children, the total.
struct Ledger {
    rows: Vec<FlowRow>,
    /// The row of each unit on the opening and on the closing day; none outside the unit asked for.
    opening: Vec<Option<usize>>,
    closing: Vec<Option<usize>>,
}

impl Ledger {
    fn new(view: &View, asked: &FlowQuestion, opening: &Rollup, closing: &Rollup) -> Self {
        let tree = view.tree();
        let mut children: Vec<UnitIx> = Vec::new();
        if asked.by_child {
            let both = closing.children(asked.unit).iter().chain(opening.children(asked.unit));
            children.extend(both);
            children.sort_by_key(|at| tree.unit(*at).id);
            children.dedup();
            // as in other answers: employers have rows of their own only where all children are employers
            if !children.iter().all(|at| tree.unit(*at).is_employer()) {
                children.retain(|at| !tree.unit(*at).is_employer());
            }
        }
        let mut rows = vec![FlowRow::new(Label::Direct)];
        rows.extend(children.iter().map(|at| FlowRow::new(Label::Unit(*at))));
        rows.push(FlowRow::new(Label::Total));
        let places: BTreeMap<UnitIx, usize> =
            children.iter().enumerate().map(|(place, at)| (*at, place + 1)).collect();
        let of = |rollup: &Rollup| {
            let units = 0..tree.units.len();
            units.map(|at| row_of(rollup, asked.unit, &places, at as UnitIx)).collect()
        };
        Self { opening: of(opening), closing: of(closing), rows }
    }

    /// Adds to a row and to the total.
    fn both(&mut self, row: Option<usize>, mut add: impl FnMut(&mut FlowRow)) {
        let Some(row) = row else { return };
        add(&mut self.rows[row]);
        let total = self.rows.len() - 1;
        add(&mut self.rows[total]);
    }

    /// What a row and the total lost to another row or gained from it.
    fn pass(
        &mut self,
        from: Option<usize>,
        to: Option<usize>,
        lost: Flow,
        gained: Flow,
        count: i64,
    ) {
        if from == to {
            return;
        }
        if let Some(from) = from {
            self.rows[from].add(lost, -count);
        }
        if let Some(to) = to {
            self.rows[to].add(gained, count);
        }
        let total = self.rows.len() - 1;
        match (from, to) {
            (Some(_), None) => self.rows[total].add(lost, -count),
            (None, Some(_)) => self.rows[total].add(gained, count),
            _ => {}
        }
    }

    /// What stood in the books on both days, and what of it moved with its unit or union in between.
    fn stock(
        &mut self,
        view: &View,
        (before, then): (Day, &[Option<UnitIx>]),
        (until, now): (Day, &[Option<UnitIx>]),
    ) {
        for (place, cell) in view.cells().all().iter().enumerate() {
            let (opened, closed) = (active(cell, before), active(cell, until));
            if opened == 0 && closed == 0 {
                continue;
            }
            let row = |placed: &[Option<UnitIx>], rows: &[Option<usize>]| {
                let at = placed.get(place).copied().flatten()?;
                rows.get(at as usize).copied().flatten()
            };
            let (from, to) = (row(then, &self.opening), row(now, &self.closing));
            self.both(from, |row| row.opening += opened);
            self.pass(from, to, Flow::Moved, Flow::Moved, opened);
            self.both(to, |row| row.closing += closed);
        }
    }

    /// What happened to one person after a day up to another, with units and unions as on the latter.
    fn person(
        &mut self,
        after: Day,
        until: Day,
        spans: &[Span],
        placed: &dyn Fn(&Span) -> Option<UnitIx>,
    ) {
        let within = |day: Day| after < day && day <= until;
        let active = |span: &&Span| Class::of(span).status() == ClassStatus::Active;
        let mut held: Vec<&Span> = spans.iter().filter(active).collect();
        held.sort_by_key(|span| span.from);
        let row = |rows: &[Option<usize>], span: Option<&Span>| {
            let at = placed(span?)?;
            rows.get(at as usize).copied().flatten()
        };
        for (place, span) in held.iter().enumerate() {
            if within(span.from) {
                let last = place.checked_sub(1).map(|last| held[last]);
                let last = last.filter(|last| last.to == span.from);
                let (from, to) = (row(&self.closing, last), row(&self.closing, Some(span)));
                let lost = Flow::lost(last.and_then(|last| last.ended));
                self.pass(from, to, lost, Flow::gained(span.began), 1);
            }
            let goes_over = held.get(place + 1).is_some_and(|next| next.from == span.to);
            if within(span.to) && !goes_over {
                let from = row(&self.closing, Some(span));
                self.pass(from, None, Flow::lost(span.ended), Flow::Corrected, 1);
            }
        }
    }

    /// The rows: 本级 only where anything stands there, none but the total where there are no others.
    fn finish(mut self) -> Vec<FlowRow> {
        let direct = &self.rows[0];
        let is_empty = direct.opening == 0 && direct.closing == 0 && direct.flows.is_empty();
        if is_empty || self.rows.len() == 2 {
            self.rows.remove(0);
        }
        self.rows
    }
}

/// The row of a unit: the child of the unit asked for on its way up, or 本级; none outside.
fn row_of(
    rollup: &Rollup,
    asked: UnitIx,
    children: &BTreeMap<UnitIx, usize>,
    at: UnitIx,
) -> Option<usize> {
    let mut row = 0;
    for up in std::iter::successors(Some(at), |at| rollup.parent(*at)) {
        if up == asked {
            return Some(row);
        }
        row = children.get(&up).copied().unwrap_or(0);
    }
    None
}

/// Active members of a cell on a day.
fn active(cell: &Cell, day: Day) -> i64 {
    let counts = cell.on(day);
    let of_status = |byte: usize| Class::from_byte(byte as u8).status() == ClassStatus::Active;
    counts.iter().enumerate().filter(|(byte, _)| of_status(*byte)).map(|(_, n)| i64::from(*n)).sum()
}
