//! Questions at random units, days and boundaries, with what the engine answers.

use crate::federation::Federation;
use crate::random::Random;
use hub_core::case::CaseKind;
use hub_core::known;
use hub_core::measure::{Indicators, Measure};
use hub_core::query::{Basis, Bound, By, Desk, Label, Question, Rate, Row};
use hub_core::time::{DAY_MILLIS, Day, Hlc};
use hub_core::view::fork::Sides;
use hub_core::view::tree::UnitIx;
use hub_core::view::{Conflict, View};
use serde_json::{Value, json};

/// How many questions a history is asked.
const QUESTIONS: usize = 4;

/// The questions, each with its answer: rows with every count and every ratio.
pub(super) fn asked(made: &Federation, view: &View, sides: &Sides, seed: u64) -> Vec<Value> {
    let units: Vec<UnitIx> = view
        .tree()
        .ids()
        .filter(|(id, at)| view.tree().find_registered(id) == Some(*at))
        .map(|(_, at)| at)
        .collect();
    let Some(root) = view.tree().root() else { return Vec::new() };
    let mut desk = Desk::default();
    let mut rng = Random::new(seed ^ 0x5151);
    let written = |place: &usize| made.blocks[&made.order[*place]].header().last_hlc;
    let (first, last) = (written(&0).day(), written(&(made.order.len() - 1)).day());
    let mut questions = Vec::new();
    for number in 0..QUESTIONS {
        let unit = if number < 2 { root } else { units[rng.index(units.len())] };
        let by = rng.pick(&[By::Child, By::Child, By::Ownership, By::Industry, By::Headcount]);
        let as_of = some_day(&mut rng, first, last);
        let boundaries = rng.one_in(3).then(|| some_day(&mut rng, first, last));
        let basis = if rng.one_in(4) { Basis::Declared } else { Basis::Registry };
        let asked = Asked { unit, by, as_of, boundaries, basis };
        let rows = asked.rows(&mut desk, view);
        questions.push(json!({"question": asked.told(view), "answer": rows}));
    }
    questions.extend(known_at(view, sides, &units, &mut rng, (first, last)));
    questions
}

/// How often a unit and a clock are tried until there is a checkpoint of that unit's server.
const TRIES: usize = 12;

/// A question of what was known at a clock: answered from the newest checkpoint of the node that served the unit.
fn known_at(
    view: &View,
    sides: &Sides,
    units: &[UnitIx],
    rng: &mut Random,
    (first, last): (Day, Day),
) -> Option<Value> {
    for _ in 0..TRIES {
        let unit = units[rng.index(units.len())];
        let at =
            Hlc::at(first.start_millis() + rng.below((last.0 - first.0 + 2) as u64 * DAY_MILLIS));
        let Some(server) = view.authority().server_of(view.tree(), unit, at) else { continue };
        let Some(checkpoint) = view.checkpoint_at(server.enrolment.node, at) else { continue };
        let by = rng.pick(&[By::Child, By::Total]);
        let as_of = some_day(rng, first, last);
        let id = view.tree().unit(unit).id;
        let asked = Asked { unit, by, as_of, boundaries: None, basis: Basis::Registry };
        let mut question = asked.told(view);
        question["known_at"] = json!(at.0);
        let answer = match known::at(view, &checkpoint, sides) {
            Ok(then) => {
                let unit = then.tree().find_registered(&id)?;
                json!(Asked { unit, ..asked }.rows(&mut Desk::default(), &then))
            }
            // the blocks give another view than its writer signed
            Err(_) => Value::Null,
        };
        let named = checkpoint.id.to_string();
        return Some(json!({"question": question, "checkpoint": named, "answer": answer}));
    }
    None
}

/// Kinds of cases told: those that facts make and nothing else decides.
const CASES: &[CaseKind] = &[
    CaseKind::OrphanEnd,
    CaseKind::ForeignDeath,
    CaseKind::ObjectionWithoutEffect,
    CaseKind::DuplicateBranch,
];

/// All cases of these kinds, each with its facts.
pub(super) fn cases(made: &Federation, view: &mut View, sides: &Sides) -> Value {
    let last = made.order.last().map(|place| made.blocks[place].header().last_hlc);
    let day = Day(last.unwrap_or(Hlc::ZERO).day().0 + 2);
    let rollup = Desk::default().rollup(view, day, day);
    let all = hub_core::case::all(view, &rollup, sides);
    let told = all.iter().filter(|case| CASES.contains(&case.kind)).map(|case| {
        let facts = case.sides.iter().map(|side| side.fact).chain(case.decision.filter(|_| {
            // an objection is part of what it has no effect on; elsewhere it came later
            case.kind == CaseKind::ObjectionWithoutEffect
        }));
        let mut facts: Vec<String> = facts.map(|fact| fact.to_string()).collect();
        facts.sort();
        json!([case.kind.id(), facts])
    });
    let mut told: Vec<Value> = told.collect();
    for (_, conflict) in view.conflicts() {
        if let Conflict::DualMembership { winner, loser, .. } = conflict {
            let mut facts = [winner.to_string(), loser.to_string()];
            facts.sort();
            told.push(json!(["dual-membership", facts]));
        }
    }
    json!({"question": {"cases": true}, "answer": told})
}

/// A question, but for its indicator.
struct Asked {
    unit: UnitIx,
    by: By,
    as_of: Day,
    boundaries: Option<Day>,
    basis: Basis,
}

impl Asked {
    fn told(&self, view: &View) -> Value {
        json!({
            "unit": view.tree().unit(self.unit).id,
            "by": name_of(self.by),
            "as_of": self.as_of,
            "boundaries": self.boundaries,
            "declared": self.basis == Basis::Declared,
        })
    }

    /// Asks for every indicator by every base; rows of one place are the same but for their ratio.
    fn rows(&self, desk: &mut Desk, view: &View) -> Vec<Value> {
        let mut rows: Vec<Value> = Vec::new();
        let indicators = &Indicators::standard().indicators;
        let ratios = indicators.iter().flat_map(|indicator| {
            indicator.bases.keys().map(|base| (indicator.id.as_str(), base.as_str()))
        });
        for (indicator, base) in ratios.chain(PLAIN.iter().map(|measure| (*measure, ""))) {
            let question = Question {
                unit: self.unit,
                indicator: indicator.to_owned(),
                base: base.to_owned(),
                by: self.by,
                as_of: self.as_of,
                boundaries: self.boundaries,
                basis: self.basis,
            };
            let Ok(answer) = desk.answer(view, &question) else { continue };
            for row in &answer.rows {
                let place = label_of(view, &row.label);
                // a row that only a doubt puts there is there for its ratio alone
                let known = rows.iter().position(|told| told["label"] == place.as_str());
                let at = known.unwrap_or_else(|| {
                    rows.push(place_of(view, row));
                    rows.len() - 1
                });
                rows[at]["ratios"][format!("{indicator}/{base}")] = ratio_of(row);
            }
        }
        rows
    }
}

/// Mostly within the history, at times before, on its last day or after.
fn some_day(rng: &mut Random, first: Day, last: Day) -> Day {
    match rng.below(8) {
        0 => last,
        1 => Day(last.0 + 40),
        2 => Day(first.0 - 150),
        // after the end of the statistical year that reports are of, and its deadlines
        3 => Day(first.0 + 370 + rng.below(30) as i32),
        _ => Day(first.0 - 20 + rng.below((last.0 - first.0) as u64 + 20) as i32),
    }
}

fn name_of(by: By) -> &'static str {
    match by {
        By::Total => "total",
        By::Child => "child",
        By::Ownership => "ownership",
        By::Industry => "industry",
        By::Headcount => "headcount",
    }
}

/// Measures asked for plainly, besides the indicators.
const PLAIN: &[&str] =
    &["units.all", "covered.due", "members.all", "members.women", "unions.women_org"];

/// Numerator, denominator, whether they make a rate, low and high.
fn ratio_of(row: &Row) -> Value {
    let pair = |bound: Bound| json!([bound.numerator, bound.denominator]);
    let bounds = row.bounds.map(|(low, high)| [pair(low), pair(high)]);
    json!([row.numerator, row.denominator, rate_of(row.rate), bounds])
}

pub(super) fn label_of(view: &View, label: &Label) -> String {
    match label {
        Label::Unit(unit) => view.tree().unit(*unit).id.to_string(),
        Label::Direct => "direct".to_owned(),
        Label::Total => "total".to_owned(),
        Label::Group(code) => format!("group:{code}"),
    }
}

fn place_of(view: &View, row: &Row) -> Value {
    let counts: serde_json::Map<String, Value> = Measure::ALL
        .iter()
        .map(|measure| (measure.id().to_owned(), row.counts.get(*measure).into()))
        .collect();
    json!({
        "label": label_of(view, &row.label),
        "counts": counts,
        "awaiting": row.awaiting,
        "oldest_head": row.oldest_head.map(|Hlc(clock)| clock),
        "ratios": {},
    })
}

fn rate_of(rate: Rate) -> &'static str {
    match rate {
        Rate::Derived => "derived",
        Rate::Plain => "plain",
        Rate::NoBase => "no base",
        Rate::BaseTooSmall => "base too small",
        Rate::NoData => "no data",
    }
}
