//! Answers: a question about a unit's figures, rows, and the citation that lets anyone recompute them
//! (DESIGN §8). Rendering is the caller's.

mod rows;

use crate::catalog::Catalog;
use crate::closing::Closing;
use crate::hash::Hash;
use crate::id::UnitId;
use crate::measure::{Counts, Indicator, Indicators, Measure};
use crate::reporting::DeclaredTotals;
use crate::rollup::{Bounds, Kind, Ratio, Rollup};
use crate::time::{Day, Hlc};
use crate::view::View;
use crate::view::checkpoint::Checkpoint;
use crate::view::digest::DigestParts;
use crate::view::renewal::{MemberChanges, Stamp};
use crate::view::tree::UnitIx;
use rows::Table;
pub(crate) use rows::row_of;
use std::collections::BTreeMap;
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

/// A number, or a numerator with its denominator, at the least or the most it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Over the line, or the count itself.
    pub numerator: i64,
    /// Under the line; none for a plain count.
    pub denominator: Option<i64>,
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
    /// What it is at the least, and at the most; none where nothing in the row is doubtful.
    pub bounds: Option<(Bound, Bound)>,
    /// All counts of the row, by the books.
    pub counts: Counts,
    /// The numerator by the books, beside a declared one (S3).
    pub registry: Option<i64>,
    /// Persons and firms claimed inside this row and outside it too, counted once above, of whom the node
    /// inside, or the one outside, was not told yet: until then it counts them as its own.
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
    /// The state of the view that all this is of.
    stamp: Option<Stamp>,
    rollups: BTreeMap<(Day, Day), Arc<Rollup>>,
    declared: BTreeMap<(Day, Day), Arc<DeclaredTotals>>,
    bounds: BTreeMap<(Day, Day, Ratio, Kind), Arc<Bounds>>,
    digest: Option<(Hash, DigestParts)>,
    renewed: u64,
}

/// Roll-ups kept.
const ROLLUPS_MAX: usize = 8;

impl Desk {
    /// The roll-up of a day.
    pub fn rollup(&mut self, view: &View, day: Day, boundaries: Day) -> Arc<Rollup> {
        self.renew(view);
        if self.rollups.len() >= ROLLUPS_MAX && !self.rollups.contains_key(&(day, boundaries)) {
            self.rollups.clear();
            self.bounds.clear();
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

    /// Low and high of a ratio in a roll-up of this desk.
    fn bounds(&mut self, view: &View, rollup: &Rollup, ratio: Ratio, kind: Kind) -> Arc<Bounds> {
        let key = (rollup.day, rollup.boundaries(), ratio, kind);
        let bounds = || Arc::new(Bounds::of(view, rollup, ratio, kind));
        Arc::clone(self.bounds.entry(key).or_insert_with(bounds))
    }

    /// How often what it keeps was renewed by what changed, and not made anew.
    pub fn renewed(&self) -> u64 {
        self.renewed
    }

    /// The view's digest.
    pub fn digest(&mut self, view: &View) -> Hash {
        self.renew(view);
        let made = || {
            let parts = view.digest_parts();
            (view.digest_of(&parts), parts)
        };
        self.digest.get_or_insert_with(made).0
    }

    fn renew(&mut self, view: &View) {
        let now = Some(view.stamp());
        if self.stamp == now {
            return;
        }
        let changes = self.stamp.and_then(|stamp| view.changed_since(&stamp));
        match changes {
            Some(changes) => self.carry(view, &changes),
            None => *self = Self { renewed: self.renewed, ..Self::default() },
        }
        self.stamp = now;
    }

    /// Member facts came, and nothing else.
    fn carry(&mut self, view: &View, changes: &MemberChanges) {
        self.renewed += 1;
        self.declared.clear();
        self.bounds.clear();
        self.rollups.retain(|_, rollup| Arc::make_mut(rollup).renew(view, changes));
        if let Some((digest, parts)) = &mut self.digest {
            view.renew_digest_parts(parts, changes);
            *digest = view.digest_of(parts);
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
        let Asked { ratio, kind, name, definition } = asked(question, published)?;
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
        let bounds = declared.is_none().then(|| self.bounds(view, &rollup, ratio, kind));
        let bounds = bounds.as_deref();
        let table = Table { view, rollup: &rollup, declared, bounds, ratio, unit: question.unit };
        let rows = table.rows(question.by);
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

/// The rows of a ratio in a roll-up, without low and high; the total last.
pub(crate) fn rows(
    view: &View,
    rollup: &Rollup,
    declared: Option<&DeclaredTotals>,
    (unit, by): (UnitIx, By),
    ratio: Ratio,
) -> Vec<Row> {
    Table { view, rollup, declared, bounds: None, ratio, unit }.rows(by)
}

/// What a question asks for.
pub(crate) struct Asked {
    pub(crate) ratio: Ratio,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) definition: Hash,
}

pub(crate) fn asked(question: &Question, published: &Indicators) -> Result<Asked, QueryError> {
    if let Some(indicator) = published.find(&question.indicator) {
        let (numerator, denominator) =
            indicator.ratio(&question.base).ok_or_else(|| QueryError::Base {
                expected: indicator.bases.keys().cloned().collect(),
                found: question.base.clone(),
            })?;
        let name = format!("{} v{}", indicator.id, indicator.version);
        let kind = if indicator.kind == "set" { Kind::Set } else { Kind::Count };
        let (ratio, definition) = ((numerator, Some(denominator)), indicator.hash());
        return Ok(Asked { ratio, kind, name, definition });
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
    let name = measure.id().to_owned();
    Ok(Asked { ratio: (*measure, None), kind: Kind::Plain, name, definition })
}

/// Whether both measures have an element of the basis form.
pub(crate) fn is_declared((numerator, denominator): Ratio) -> Result<(), QueryError> {
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
