//! Closings: what a unit published for a period, and how anyone reads it again (DESIGN §7, S5).
//!
//! A closing names a checkpoint and the hash of the published table. The table is not stored: it is made
//! again of the checkpoint's blocks, and its hash tells whether it is the one that was published.
//!
//! **Invariant:** later facts change today's figures, never published ones.

use crate::fact::{FactBody, FigureFact};
use crate::hash::{Hash, sha256};
use crate::id::{FactId, UnitId};
use crate::known::{Known, KnownError, Shelf};
use crate::measure::{Indicators, Measure};
use crate::period::Span;
use crate::query::{Basis, Bound, By, Desk, Label, Question, Row};
use crate::texts::Law;
use crate::time::{Day, Hlc};
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};
use std::collections::BTreeMap;
use std::fmt;

/// The last day of a period: `2026` is the statistical year that ends in 2026, `2026-03` a month.
pub fn last_day(period: &str) -> Option<Day> {
    Span::parse(period).map(|span| span.last)
}

/// A closing that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The fact.
    pub id: FactId,
    /// Its clock.
    pub hlc: Hlc,
    /// The unit.
    pub unit: UnitId,
    /// The period.
    pub period: String,
    /// Counted from 1; a reopened period closes with the next.
    pub revision: u32,
    /// The checkpoint it was closed at.
    pub checkpoint: FactId,
    /// The view digest there.
    pub digest: Hash,
    /// The hash of the published table.
    pub table: Hash,
    /// The hash of the policy.
    pub policy: Hash,
    /// The hash of the definitions.
    pub definitions: Hash,
    /// Why, when reopened.
    pub reason: String,
}

/// All closings of a unit that stand, by period and revision; of the same revision the one that counts
/// first (S5: the lower clock, then the lower id).
pub fn closings(view: &View, unit: UnitIx) -> Vec<Closing> {
    let tree = view.tree();
    let of_unit =
        |id: &UnitId| tree.find(id).is_some_and(|at| tree.canonical(at) == tree.canonical(unit));
    let mut all: Vec<Closing> = view
        .facts()
        .filter(|(_, verdict)| verdict.stands())
        .filter_map(|(fact, _)| match &fact.fact.body {
            FactBody::Figure(FigureFact::PeriodClosed {
                unit,
                period,
                revision,
                checkpoint,
                digest,
                table,
                policy,
                definitions,
                reason,
            }) if of_unit(unit) => Some(Closing {
                id: fact.id,
                hlc: fact.fact.hlc,
                unit: *unit,
                period: period.clone(),
                revision: *revision,
                checkpoint: *checkpoint,
                digest: *digest,
                table: *table,
                policy: *policy,
                definitions: *definitions,
                reason: reason.clone(),
            }),
            _ => None,
        })
        .collect();
    all.sort_by(|a, b| {
        (&a.period, a.revision, a.hlc, a.id).cmp(&(&b.period, b.revision, b.hlc, b.id))
    });
    all
}

/// The closing that is published for a period: the highest revision, and of it the lowest clock.
pub fn standing(view: &View, unit: UnitIx, period: &str) -> Option<Closing> {
    let all = closings(view, unit);
    let of_period = || all.iter().filter(|closing| closing.period == period);
    let revision = of_period().map(|closing| closing.revision).max()?;
    of_period().find(|closing| closing.revision == revision).cloned()
}

/// The published table as text: every indicator by each base, with low and high where anything is in doubt, and
/// every plain count, of the unit by child, 本级 and 合计, on the last day of the period. Units stand by their
/// id, so that a new name changes nothing.
pub fn table(
    view: &View,
    desk: &mut Desk,
    unit: UnitIx,
    period: &str,
    definitions: &Indicators,
) -> Option<String> {
    let as_of = last_day(period)?;
    let mut blocks: BTreeMap<String, String> = BTreeMap::new();
    let mut answer = |indicator: &str, base: &str| {
        let (indicator, base) = (indicator.to_owned(), base.to_owned());
        let (by, basis, boundaries) = (By::Child, Basis::Registry, None);
        let question = Question { unit, indicator, base, by, as_of, boundaries, basis };
        desk.answer_by(view, &question, definitions).ok()
    };
    for indicator in &definitions.indicators {
        for base in indicator.bases.keys() {
            for row in answer(&indicator.id, base)?.rows {
                let label = label(view, &row.label);
                let of = [label.as_str(), indicator.id.as_str(), base.as_str()].join(" ");
                blocks.entry(label).or_default().push_str(&ratio_line(&of, &row));
            }
        }
    }
    for row in answer(Measure::UnitsAll.id(), "")?.rows {
        let label = label(view, &row.label);
        let counts = definitions.counted().map(|m| (m.id(), row.counts.get(m)));
        let lines: String = counts.map(|(id, count)| format!("{label} {id} {count}\n")).collect();
        blocks.entry(label).or_default().push_str(&lines);
    }
    let id = view.tree().unit(view.tree().canonical(unit)).id;
    let mut text = format!("hub published 0\nunit {id}\nperiod {period}\nas_of {as_of}\n");
    // rows are shown in order of name or code, which may change
    blocks.values().for_each(|lines| text.push_str(lines));
    Some(text)
}

fn label(view: &View, label: &Label) -> String {
    match label {
        Label::Unit(at) => view.tree().unit(view.tree().canonical(*at)).id.to_string(),
        Label::Direct => "direct".to_owned(),
        Label::Total => "total".to_owned(),
        Label::Group(group) => group.clone(),
    }
}

/// One line of a ratio: both numbers, and what they could be if every doubt went one way.
fn ratio_line(of: &str, row: &Row) -> String {
    let pair = |over: i64, under: Option<i64>| format!("{over}/{}", under.unwrap_or(0));
    let doubt = row.bounds.map(|bounds| {
        let [low, high] = <[Bound; 2]>::from(bounds).map(|b| pair(b.numerator, b.denominator));
        format!(" low {low} high {high}")
    });
    format!("{of} {}{}\n", pair(row.numerator, row.denominator), doubt.unwrap_or_default())
}

/// The hash by which a closing names its table.
pub fn table_hash(table: &str) -> Hash {
    sha256(&[table.as_bytes()])
}

/// Why published figures cannot be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishedError {
    /// The period was never closed for the unit.
    NotClosed {
        /// The periods that were.
        closed: Vec<String>,
        /// The one asked for.
        found: String,
    },
    /// The checkpoint of the closing is not here, or not whole.
    NoCheckpoint(FactId),
    /// The blocks of the checkpoint.
    Known(KnownError),
    /// The closing names another view than its checkpoint.
    Digest {
        /// As the closing says.
        expected: Hash,
        /// As its checkpoint says.
        found: Hash,
    },
    /// It was published under rules or definitions of which neither this program nor the log has the text.
    Rules {
        /// `policy` or `definitions`.
        what: &'static str,
        /// As the closing says.
        expected: Hash,
        /// This program's.
        found: Hash,
    },
    /// The unit was not known at the checkpoint.
    NoUnit,
    /// The blocks give another table than was published.
    Table {
        /// As the closing says.
        expected: Hash,
        /// What the blocks give.
        found: Hash,
    },
}

impl fmt::Display for PublishedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotClosed { closed, found } => {
                write!(f, "period: expected one of [{}], found {found}", closed.join(", "))
            }
            Self::NoCheckpoint(id) => write!(f, "checkpoint: expected {id} whole, found none"),
            Self::Known(error) => error.fmt(f),
            Self::Digest { expected, found } => {
                write!(f, "checkpoint digest: expected {expected}, found {found}")
            }
            Self::Rules { what, expected, found } => {
                write!(f, "{what}: expected {expected}, found {found}")
            }
            Self::NoUnit => f.write_str("unit: expected it in the closing's view, found none"),
            Self::Table { expected, found } => {
                write!(f, "published table: expected {expected}, found {found}")
            }
        }
    }
}

impl std::error::Error for PublishedError {}

impl From<KnownError> for PublishedError {
    fn from(error: KnownError) -> Self {
        Self::Known(error)
    }
}

/// The closing of a unit's period with the view it was published from, its table checked.
///
/// # Errors
/// It was not closed, or what is here is not what was published.
pub fn published<'a>(
    view: &View,
    unit: UnitIx,
    period: &str,
    shelf: &'a mut Shelf,
    source: &dyn BlockSource,
) -> Result<(Closing, &'a mut Known), PublishedError> {
    let closing = standing(view, unit, period).ok_or_else(|| {
        let mut closed: Vec<String> =
            closings(view, unit).into_iter().map(|closing| closing.period).collect();
        closed.dedup();
        PublishedError::NotClosed { closed, found: period.to_owned() }
    })?;
    let law = Law::of(&closing, view)?;
    let checkpoint = view
        .checkpoint(&closing.checkpoint)
        .filter(|checkpoint| checkpoint.hlc < closing.hlc)
        .ok_or(PublishedError::NoCheckpoint(closing.checkpoint))?;
    if checkpoint.digest != closing.digest {
        let (expected, found) = (closing.digest, checkpoint.digest);
        return Err(PublishedError::Digest { expected, found });
    }
    let known = shelf.under(view, &checkpoint, law, source)?;
    let at = known.view.tree().find(&closing.unit).ok_or(PublishedError::NoUnit)?;
    let Known { view: then, desk, law, .. } = &mut *known;
    let again = table(then, desk, at, period, &law.definitions).ok_or(PublishedError::NoUnit)?;
    let (expected, found) = (closing.table, table_hash(&again));
    if expected != found {
        return Err(PublishedError::Table { expected, found });
    }
    Ok((closing, known))
}
