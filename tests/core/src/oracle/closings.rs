//! Questions about closings: what is published, why it cannot be read again, and why today differs.

use crate::federation::Federation;
use crate::random::Random;
use hub_core::causes::{self, Asked, Cause, Split, Then, Value};
use hub_core::closing::{self, Closing, PublishedError};
use hub_core::fact::{FactBody, FigureFact};
use hub_core::findings::{self, Kind};
use hub_core::id::UnitId;
use hub_core::known::Shelf;
use hub_core::measure::{Indicators, Measure};
use hub_core::query::Desk;
use hub_core::time::Hlc;
use hub_core::view::View;
use hub_core::view::fork::Sides;
use serde_json::{Value as Json, json};

/// How many ratios are asked of one closing.
const RATIOS: usize = 6;

/// A closing stated in the history, read again; at times one of a period nobody closed.
pub(super) fn asked(made: &Federation, view: &mut View, sides: &Sides, seed: u64) -> Option<Json> {
    let mut rng = Random::new(seed ^ 0xc105);
    let stated: Vec<(UnitId, String)> = view
        .facts()
        .filter_map(|(fact, _)| match &fact.fact.body {
            FactBody::Figure(FigureFact::PeriodClosed { unit, period, .. }) => {
                Some((*unit, period.clone()))
            }
            _ => None,
        })
        .collect();
    if stated.is_empty() {
        return None;
    }
    let (unit, mut period) = stated[rng.index(stated.len())].clone();
    if rng.one_in(12) {
        period = "2023".into();
    }
    let at = view.tree().find_registered(&unit)?;
    let ratios: Vec<(String, String)> = (0..RATIOS).map(|_| some_ratio(&mut rng)).collect();
    let question = json!({"closing": true, "unit": unit, "period": period, "ratios": ratios});
    let mut shelf = Shelf::default();
    let mut answer = match closing::published(view, at, &period, &mut shelf, sides) {
        Err(error) => json!({"refused": why(&error)}),
        Ok((closing, known)) => {
            let as_of = closing::last_day(&period)?;
            let asked = ratios.into_iter().map(|(indicator, base)| Asked {
                unit,
                indicator,
                base,
                as_of,
                boundaries: None,
            });
            let asked: Vec<Asked> = asked.collect();
            let checkpoint = view.checkpoint(&closing.checkpoint)?;
            let frontier = view.frontier_of(&checkpoint);
            let definitions = &known.law.definitions;
            let then = Then { view: &known.view, frontier: &frontier, definitions };
            let splits = causes::split(view, then, sides, &asked).ok()?;
            json!({
                "fact": closing.id.to_string(),
                "published": splits.iter().map(|s| pair(s.published)).collect::<Vec<_>>(),
                "steps": (0..Cause::ALL.len()).map(|at| step(&splits, at)).collect::<Vec<_>>(),
                "current": splits.iter().map(|s| pair(s.current)).collect::<Vec<_>>(),
            })
        }
    };
    answer["after"] = after_closing(made, view, sides, unit)?;
    Some(json!({"question": question, "answer": answer}))
}

/// An indicator by one of its bases, or a measure.
fn some_ratio(rng: &mut Random) -> (String, String) {
    let indicators = &Indicators::standard().indicators;
    if rng.one_in(3) {
        let measure = rng.pick(Measure::ALL);
        return (measure.id().to_owned(), String::new());
    }
    let indicator = &indicators[rng.index(indicators.len())];
    let bases: Vec<&String> = indicator.bases.keys().collect();
    (indicator.id.clone(), bases[rng.index(bases.len())].clone())
}

/// One cause: how many facts, and what they changed in each ratio.
fn step(splits: &[Split], at: usize) -> Json {
    let changes =
        splits.iter().map(|split| [split.steps[at].numerator, split.steps[at].denominator]);
    let first = &splits[0].steps[at];
    json!([first.cause.id(), first.facts.len(), changes.collect::<Vec<_>>()])
}

fn pair(value: Value) -> Json {
    json!([value.numerator, value.denominator])
}

fn why(error: &PublishedError) -> &'static str {
    match error {
        PublishedError::NotClosed { .. } => "not closed",
        PublishedError::NoCheckpoint(_) => "no checkpoint",
        PublishedError::Digest { .. } => "another digest",
        PublishedError::NoUnit => "no unit",
        PublishedError::Table { .. } => "another table",
        PublishedError::Known(_) => "another view",
        _ => "other rules",
    }
}

/// The findings about facts that came after the unit's last closing: acted for, kind, how many, the earliest day.
fn after_closing(made: &Federation, view: &mut View, sides: &Sides, unit: UnitId) -> Option<Json> {
    let last = made.order.last().map(|place| made.blocks[place].header().last_hlc);
    let day = last.unwrap_or(Hlc::ZERO).day();
    let rollup = Desk::default().rollup(view, day, day);
    let at = view.tree().find_registered(&unit)?;
    let told = findings::of(view, &rollup, at, sides).into_iter().filter_map(|finding| {
        let Kind::AfterClosing { what, count, earliest, .. } = finding.kind else { return None };
        Some(json!([finding.unit, what, count, earliest]))
    });
    Some(told.collect())
}

/// Every closing of the history that is published, by unit and period.
pub(super) fn standing(view: &View) -> Json {
    let mut told = Vec::new();
    for (id, at) in view.tree().ids() {
        if view.tree().find_registered(id) != Some(at) {
            continue;
        }
        let mut all = closing::closings(view, at);
        all.dedup_by(|one, other| one.period == other.period);
        let published = all.iter().filter_map(|any| closing::standing(view, at, &any.period));
        told.extend(
            published.map(|Closing { id: fact, period, .. }| json!([id, period, fact.to_string()])),
        );
    }
    json!({"question": {"closings": true}, "answer": told})
}
