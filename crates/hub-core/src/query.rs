//! Answers: a question about a unit's figures, rows, and the citation that lets anyone recompute them
//! (DESIGN §8). Rendering is the caller's.

use crate::catalog::Catalog;
use crate::closing::Closing;
use crate::fact::unit::UnitKind;
use crate::hash::Hash;
use crate::id::UnitId;
use crate::measure::{Counts, Indicator, Indicators, Measure};
use crate::reporting::DeclaredTotals;
use crate::rollup::Rollup;
use crate::time::{Day, Hlc};
use crate::view::View;
use crate::view::checkpoint::Checkpoint;
use crate::view::tree::UnitIx;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The unit.
    pub unit: UnitIx,
    /// An indicator of `schemas/indicators.json`, or the name of a measure for a plain count.
    pub indicator: String,
    /// Which base of the indicator: `due`, `all`, `50`, `100`, `operating`.
    pub base: String,
    /// One row a what.
    pub by: By,
    /// The day.
    pub as_of: Day,
    /// Each employer under its parent of this day; the day asked for if none.
    pub boundaries: Option<Day>,
    /// What the numbers come from.
    pub basis: Basis,
}

/// What numbers come from (S3): neither replaces the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// The books: units, unions and members one by one.
    #[default]
    Registry,
    /// The sums of standing declared figures.
    Declared,
}

/// One row a what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The total only.
    Total,
    /// A child of the unit, with 本级 for what is directly affiliated.
    Child,
    /// 单位类别.
    Ownership,
    /// 行业门类.
    Industry,
    /// Headcount band.
    Headcount,
}

/// A question that has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryError {
    /// No indicator or measure of this name.
    Indicator {
        /// All there are.
        expected: Vec<String>,
        /// What was asked.
        found: String,
    },
    /// Nobody declares this measure: no element of the basis form stands for it.
    NotDeclared {
        /// Measures that are declared.
        expected: Vec<String>,
        /// The measure.
        found: String,
    },
    /// The indicator has no such base.
    Base {
        /// Those it has.
        expected: Vec<String>,
        /// What was asked.
        found: String,
    },
}

impl By {
    /// Its name for scripts.
    pub fn id(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Child => "child",
            Self::Ownership => "ownership",
            Self::Industry => "industry",
            Self::Headcount => "headcount",
        }
    }

    /// The one of this name.
    pub fn of_id(id: &str) -> Option<Self> {
        let all = [Self::Total, Self::Child, Self::Ownership, Self::Industry, Self::Headcount];
        all.into_iter().find(|by| by.id() == id)
    }
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, expected, found) = match self {
            Self::Indicator { expected, found } => ("indicator", expected, found),
            Self::Base { expected, found } => ("base", expected, found),
            Self::NotDeclared { expected, found } => ("declared measure", expected, found),
        };
        write!(f, "{what}: expected one of {}, found {found}", expected.join(", "))
    }
}

impl std::error::Error for QueryError {}

/// What a row is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// A child.
    Unit(UnitIx),
    /// 本级: what is directly affiliated.
    Direct,
    /// 合计.
    Total,
    /// A group: its code, empty where not stated.
    Group(String),
}

/// A rate, or why there is none. Never stored: derived from the two numbers beside it (S4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// The two numbers make one.
    Derived,
    /// A plain count has none.
    Plain,
    /// 无基数: nothing to divide by.
    NoBase,
    /// 基数不足: more members than employees.
    BaseTooSmall,
    /// 登记前无数据: the day lies before the first load.
    NoData,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Of what.
    pub label: Label,
    /// Over the line, or the count itself.
    pub numerator: i64,
    /// Under the line; none for a plain count.
    pub denominator: Option<i64>,
    /// Whether they make a rate.
    pub rate: Rate,
    /// All counts of the row, by the books.
    pub counts: Counts,
    /// The numerator by the books, beside a declared one (S3).
    pub registry: Option<i64>,
    /// Persons and firms claimed inside this row and outside it too, counted once above: they await
    /// agreement between levels.
    pub awaiting: u64,
    /// The clock of the newest fact of the node here that has been silent longest.
    pub oldest_head: Option<Hlc>,
}

/// Which facts, definitions and view an answer rests on; printed in every export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The indicator with its version, or the measure.
    pub indicator: String,
    /// Hash of its definition.
    pub definition: Hash,
    /// The base.
    pub base: String,
    /// Hash of the catalogue, where the numbers are declared.
    pub catalog: Option<Hash>,
    /// Hash of the policy.
    pub policy: Hash,
    /// The unit.
    pub unit: UnitId,
    /// Names from the root to the unit.
    pub path: Vec<String>,
    /// One row a what.
    pub by: By,
    /// Of which view it is an answer.
    pub known_at: KnownAt,
    /// The day.
    pub as_of: Day,
    /// The day of the boundaries.
    pub boundaries: Day,
    /// The digest of the view.
    pub digest: Hash,
}

/// Of which view an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KnownAt {
    /// All that is here now.
    #[default]
    Current,
    /// What was known at a checkpoint.
    Known(Checkpoint),
    /// As published by a closing.
    Published(Box<(Closing, Checkpoint)>),
}

impl KnownAt {
    /// The checkpoint, if it is not of today.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        match self {
            Self::Current => None,
            Self::Known(checkpoint) => Some(checkpoint),
            Self::Published(closed) => Some(&closed.1),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Rows, the total last.
    pub rows: Vec<Row>,
    /// What it rests on.
    pub citation: Citation,
}

/// Answers questions of one view, keeping what it computed until the view changes.
#[derive(Debug, Default)]
pub struct Desk {
    version: u64,
    rollups: BTreeMap<(Day, Day), Arc<Rollup>>,
    declared: BTreeMap<(Day, Day), Arc<DeclaredTotals>>,
    digest: Option<Hash>,
}

/// Roll-ups kept.
const ROLLUPS_MAX: usize = 8;

/// Numerator and denominator, or a plain measure.
type Ratio = (Measure, Option<Measure>);

impl Desk {
    /// The roll-up of a day.
    pub fn rollup(&mut self, view: &View, day: Day, boundaries: Day) -> Arc<Rollup> {
        self.renew(view);
        if self.rollups.len() >= ROLLUPS_MAX && !self.rollups.contains_key(&(day, boundaries)) {
            self.rollups.clear();
        }
        let rollup = || Arc::new(Rollup::of(view, day, boundaries));
        Arc::clone(self.rollups.entry((day, boundaries)).or_insert_with(rollup))
    }

    /// What was declared, summed up the tree of a day's roll-up.
    pub fn declared(
        &mut self,
        view: &View,
        rollup: &Rollup,
        boundaries: Day,
    ) -> Arc<DeclaredTotals> {
        self.renew(view);
        if self.declared.len() >= ROLLUPS_MAX {
            self.declared.clear();
        }
        let totals = || Arc::new(DeclaredTotals::of(view, rollup));
        Arc::clone(self.declared.entry((rollup.day, boundaries)).or_insert_with(totals))
    }

    /// The view's digest.
    pub fn digest(&mut self, view: &View) -> Hash {
        self.renew(view);
        *self.digest.get_or_insert_with(|| view.digest())
    }

    fn renew(&mut self, view: &View) {
        if self.version != view.version() {
            *self = Self { version: view.version(), ..Self::default() };
        }
    }

    /// Answers.
    ///
    /// # Errors
    /// No such indicator or base; the error lists those there are.
    pub fn answer(&mut self, view: &View, question: &Question) -> Result<Answer, QueryError> {
        self.answer_by(view, question, Indicators::standard())
    }

    /// Answers by other definitions: an indicator that is a ratio of measures is data.
    ///
    /// # Errors
    /// No such indicator or base; the error lists those there are.
    pub fn answer_by(
        &mut self,
        view: &View,
        question: &Question,
        published: &Indicators,
    ) -> Result<Answer, QueryError> {
        let (ratio, name, definition) = ratio(question, published)?;
        let boundaries = question.boundaries.unwrap_or(question.as_of);
        let rollup = self.rollup(view, question.as_of, boundaries);
        let declared = match question.basis {
            Basis::Registry => None,
            Basis::Declared => {
                is_declared(ratio)?;
                Some(self.declared(view, &rollup, boundaries))
            }
        };
        let declared = declared.as_deref();
        let table = Table { view, rollup: &rollup, declared, ratio, unit: question.unit };
        let rows = match question.by {
            By::Total => vec![table.total()],
            By::Child => table.by_child(),
            by => table.by_group(by),
        };
        let path = path(view, &rollup, question.unit);
        let citation = Citation {
            indicator: name,
            definition,
            base: question.base.clone(),
            catalog: declared.map(|_| crate::published::catalog_hash()),
            policy: view.policy().hash,
            unit: view.tree().unit(view.tree().canonical(question.unit)).id,
            path,
            by: question.by,
            known_at: KnownAt::Current,
            as_of: question.as_of,
            boundaries,
            digest: self.digest(view),
        };
        Ok(Answer { rows, citation })
    }
}

pub(crate) fn ratio(
    question: &Question,
    published: &Indicators,
) -> Result<(Ratio, String, Hash), QueryError> {
    if let Some(indicator) = published.find(&question.indicator) {
        let (numerator, denominator) =
            indicator.ratio(&question.base).ok_or_else(|| QueryError::Base {
                expected: indicator.bases.keys().cloned().collect(),
                found: question.base.clone(),
            })?;
        let name = format!("{} v{}", indicator.id, indicator.version);
        return Ok(((numerator, Some(denominator)), name, indicator.hash()));
    }
    let measure = Measure::ALL.iter().find(|measure| measure.id() == question.indicator);
    let all = || {
        let indicators = published.indicators.iter().map(|i: &Indicator| i.id.clone());
        indicators.chain(Measure::ALL.iter().map(|m| m.id().to_owned())).collect()
    };
    let measure = measure.ok_or_else(|| QueryError::Indicator {
        expected: all(),
        found: question.indicator.clone(),
    })?;
    let definition = crate::hash::sha256(&[b"hub measure 0", measure.id().as_bytes()]);
    Ok(((*measure, None), measure.id().to_owned(), definition))
}

/// Whether both measures have an element of the basis form.
fn is_declared((numerator, denominator): Ratio) -> Result<(), QueryError> {
    let catalog = Catalog::standard();
    for measure in denominator.into_iter().chain([numerator]) {
        if catalog.declared(measure).is_none() {
            let declared = Measure::ALL.iter().filter(|known| catalog.declared(**known).is_some());
            let expected = declared.map(|known| known.id().to_owned()).collect();
            return Err(QueryError::NotDeclared { expected, found: measure.id().to_owned() });
        }
    }
    Ok(())
}

fn path(view: &View, rollup: &Rollup, unit: UnitIx) -> Vec<String> {
    let up = std::iter::successors(Some(unit), |at| rollup.parent(*at));
    let mut names: Vec<String> = up.map(|at| view.tree().unit(at).name().to_owned()).collect();
    names.reverse();
    names
}

struct Table<'a> {
    view: &'a View,
    rollup: &'a Rollup,
    /// Where the numbers are declared ones.
    declared: Option<&'a DeclaredTotals>,
    ratio: Ratio,
    unit: UnitIx,
}

/// Counts by the books and as declared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Both {
    registry: Counts,
    declared: Counts,
}

impl Both {
    fn add_all(&mut self, other: &Self) {
        self.registry.add_all(&other.registry);
        self.declared.add_all(&other.declared);
    }
}

impl Table<'_> {
    /// The row of what lies `inside`; `served` is a unit whose node vouches for it besides those inside.
    fn row(
        &self,
        label: Label,
        both: Both,
        served: UnitIx,
        inside: &dyn Fn(UnitIx) -> bool,
    ) -> Row {
        let counts = self.with_disputed(both.registry, inside);
        let asked = if self.declared.is_some() { both.declared } else { counts };
        let numerator = asked.get(self.ratio.0);
        let denominator = self.ratio.1.map(|measure| asked.get(measure));
        let of_members = matches!(self.ratio.0, Measure::MembersCovered | Measure::MembersEmployed);
        let rate = match denominator {
            _ if asked == Counts::default() => Rate::NoData,
            None => Rate::Plain,
            Some(0) => Rate::NoBase,
            Some(base) if of_members && numerator > base => Rate::BaseTooSmall,
            Some(_) => Rate::Derived,
        };
        Row {
            label,
            numerator,
            denominator,
            rate,
            counts,
            registry: self.declared.map(|_| counts.get(self.ratio.0)),
            awaiting: self.awaiting(inside),
            oldest_head: self.oldest_head(served, inside),
        }
    }

    /// U1: a unit that a mere tie places is disputed in every row it is registered in, and once in each.
    fn with_disputed(&self, mut counts: Counts, inside: &dyn Fn(UnitIx) -> bool) -> Counts {
        let tree = self.view.tree();
        let disputed = self.rollup.registered().filter(|(unit, registered)| {
            let here = inside(*unit) || registered.others.iter().any(|other| inside(*other));
            here && registered.is_disputed() && tree.unit(*unit).is_open(self.rollup.day)
        });
        counts.add(Measure::UnitsDisputed, disputed.count() as i64);
        counts
    }

    fn total(&self) -> Row {
        let inside = |at: UnitIx| self.rollup.is_at_or_above(self.unit, at);
        self.row(Label::Total, self.total_of(self.unit), self.unit, &inside)
    }

    /// What stands at the unit itself.
    fn own_of(&self, unit: UnitIx) -> Both {
        let declared = self.declared.map(|declared| declared.own(unit)).unwrap_or_default();
        Both { registry: self.rollup.own(unit), declared }
    }

    /// What stands in its subtree.
    fn total_of(&self, unit: UnitIx) -> Both {
        let declared = self.declared.map(|declared| declared.total(unit)).unwrap_or_default();
        Both { registry: self.rollup.total(unit), declared }
    }

    /// Children that are no employers have a row each; what is directly affiliated has one: 本级. Where
    /// all children are employers each has its own.
    fn by_child(&self) -> Vec<Row> {
        let children = self.rollup.children(self.unit);
        let is_employer = |at: &UnitIx| self.view.tree().unit(*at).is_employer();
        let only_employers = children.iter().all(is_employer);
        let mut rows = Vec::new();
        let mut direct = self.own_of(self.unit);
        let mut listed = Vec::new();
        for child in children {
            if is_employer(child) && !only_employers {
                direct.add_all(&self.total_of(*child));
                continue;
            }
            let inside = |at: UnitIx| self.rollup.is_at_or_above(*child, at);
            rows.push(self.row(Label::Unit(*child), self.total_of(*child), *child, &inside));
            listed.push(*child);
        }
        rows.sort_by_key(|row| match row.label {
            Label::Unit(at) => self.order(at),
            _ => (3, String::new()),
        });
        if direct != Both::default() {
            let inside = |at: UnitIx| {
                let below = |child: &UnitIx| self.rollup.is_at_or_above(*child, at);
                self.rollup.is_at_or_above(self.unit, at) && !listed.iter().any(below)
            };
            rows.insert(0, self.row(Label::Direct, direct, self.unit, &inside));
        }
        rows.push(self.total());
        rows
    }

    /// Territories by code, then other units by name.
    fn order(&self, at: UnitIx) -> (u8, String) {
        let unit = self.view.tree().unit(at);
        let division = unit.codes().find(|c| c.kind == crate::fact::CodeKind::Division);
        match (&unit.origin, division) {
            (Some(origin), Some(code)) if origin.kind == UnitKind::Territory => {
                (0, code.value.clone())
            }
            _ => (1, unit.name().to_owned()),
        }
    }

    fn by_group(&self, by: By) -> Vec<Row> {
        let mut groups: BTreeMap<String, Both> = BTreeMap::new();
        let mut open = vec![self.unit];
        while let Some(at) = open.pop() {
            open.extend(self.rollup.children(at));
            let own = self.own_of(at);
            if own != Both::default() {
                groups.entry(self.group(by, at)).or_default().add_all(&own);
            }
        }
        let nobody = |_: UnitIx| false;
        let mut rows: Vec<Row> = groups
            .into_iter()
            .map(|(group, counts)| self.row(Label::Group(group), counts, self.unit, &nobody))
            .collect();
        rows.push(self.total());
        rows
    }

    fn group(&self, by: By, at: UnitIx) -> String {
        let Some(state) = self.rollup.unit_on(self.view, at) else {
            return String::new();
        };
        match by {
            By::Ownership => state.profile.ownership.map_or(String::new(), |code| code.to_string()),
            By::Industry => {
                state.profile.industry.map_or(String::new(), |l| char::from(l).to_string())
            }
            By::Headcount => state.headcount.map_or("", |h| band(h.employees)).to_owned(),
            By::Total | By::Child => String::new(),
        }
    }

    /// Persons claimed by a union inside and one outside, and firms registered inside and outside.
    fn awaiting(&self, inside: &dyn Fn(UnitIx) -> bool) -> u64 {
        let host = |at| {
            let host = self.view.branches().branch(at).host_on(self.rollup.day);
            let tree = self.view.tree();
            host.map(|unit| tree.heir_on(tree.canonical(unit), self.rollup.day))
        };
        let crosses = |one: Option<UnitIx>, other: Option<UnitIx>| {
            one.is_some_and(inside) != other.is_some_and(inside)
        };
        let persons: u64 = self
            .view
            .rival_unions()
            .filter(|((one, other), _)| crosses(host(*one), host(*other)))
            .map(|(_, persons)| persons)
            .sum();
        let firms = self
            .rollup
            .registered()
            .filter(|(unit, registered)| {
                let parent = self.rollup.parent(*unit);
                registered.others.iter().any(|other| crosses(parent, Some(*other)))
            })
            .count();
        persons + firms as u64
    }

    /// The clock of the node that has been silent longest: of those that serve something inside, and of
    /// the one that serves the unit itself, perhaps from above.
    fn oldest_head(&self, served: UnitIx, inside: &dyn Fn(UnitIx) -> bool) -> Option<Hlc> {
        let authority = self.view.authority();
        let of_unit = authority.server_of(self.view.tree(), served, Hlc::MAX);
        let within = authority.enrolments.iter().filter(|e| inside(e.unit));
        let nodes: BTreeSet<_> = within.chain(of_unit).map(|e| e.enrolment.node).collect();
        nodes.into_iter().filter_map(|node| self.view.last_clock(node)).min()
    }
}

/// Headcount bands, by their least number.
fn band(employees: u32) -> &'static str {
    match employees {
        0..25 => "0-24",
        25..50 => "25-49",
        50..100 => "50-99",
        100..1_000 => "100-999",
        _ => "1000-",
    }
}
