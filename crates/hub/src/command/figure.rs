//! `hub figure report`: declared figures from a file, one element or rate a row; a report is one fact.

use super::error::CommandError;
use super::findings::NoNames;
use super::intake::{Came, Intake, IntakeOptions, Outcome, Taken};
use super::names::Names;
use super::session::{Session, import_attribute, next_import, transact};
use crate::import::row::FigureRow;
use crate::import::row::figure::{ELEMENT, RATE, RESIDUAL, REVISION, UNIT};
use crate::import::{Problem, Refusal};
use crate::render::Lang;
use crate::render::words;
use crate::replica::Draft;
use hub_core::fact::figure::{DeclaredRate, ElementValue};
use hub_core::fact::{FactBody, FigureFact};
use hub_core::findings;
use hub_core::id::UnitId;
use hub_core::view::View;
use hub_core::view::figure::Series;
use std::collections::BTreeMap;

/// A report: of a unit, on a form, for a period, its own or a residual one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    unit: UnitId,
    form: u32,
    period: String,
    residual: bool,
}

/// The rows of one report.
#[derive(Default)]
struct Rows {
    taken: Vec<Taken<FigureRow>>,
    values: BTreeMap<u32, i64>,
    rates: Vec<DeclaredRate>,
    residual_of: Vec<UnitId>,
}

/// Files figures. A report that says what stands is not filed again; one that differs is the next
/// revision.
///
/// # Errors
/// The file is refused as a whole, or the facts cannot be written.
pub fn report(session: &Session<'_>, options: &IntakeOptions) -> Result<u8, CommandError> {
    let names = session.names();
    let mut intake = Intake::open::<FigureRow>(session, options)?;
    let mut reports: BTreeMap<Key, Rows> = BTreeMap::new();
    while let Some(taken) = intake.take::<FigureRow>()? {
        if let Err(refused) = gather(session, &names, &mut reports, taken) {
            let (taken, column, problem) = *refused;
            intake.refuse_taken(&taken, column, problem)?;
        }
    }
    for (key, rows) in &mut reports {
        check(&intake, key, rows);
    }
    let import = next_import(session);
    let own = session.own_unit()?;
    let (operator, today) = (session.operator, session.today());
    let came = transact(session, options.dry_run, |tx| {
        let mut came: Vec<Outcome> = Vec::new();
        for (key, rows) in &reports {
            let (outcome, fact) = settle(tx.view(), key, rows, operator);
            came.push(outcome);
            if let Some(fact) = fact {
                tx.push(Draft {
                    operator,
                    attributes: vec![import_attribute(import)],
                    ..Draft::new(own, today, FactBody::Figure(fact))
                });
            }
        }
        Ok(came)
    })?;
    let writes = |outcome: &&Outcome| matches!(outcome, Ok(Came::New | Came::Revised));
    let written = came.iter().filter(writes).count() as u64;
    for (rows, came) in reports.values().zip(came) {
        for taken in &rows.taken {
            intake.settle(taken, came.clone())?;
        }
    }
    intake.tally.facts = written;
    let import = (written > 0 && !options.dry_run).then_some(import);
    let tally = intake.finish(session, options, import)?;
    Ok(u8::from(tally.refused > 0))
}

type Refused = (Taken<FigureRow>, usize, Problem);

/// Adds a row to its report, or says why not.
fn gather(
    session: &Session<'_>,
    names: &Names,
    reports: &mut BTreeMap<Key, Rows>,
    taken: Taken<FigureRow>,
) -> Result<(), Box<Refused>> {
    let row = &taken.row;
    let placed = place(session, names, row);
    let (unit, residual_of) = match placed {
        Ok(placed) => placed,
        Err((column, problem)) => return Err(Box::new((taken, column, problem))),
    };
    let (form, period) = (row.form, row.period.clone());
    let key = Key { unit, form, period, residual: !residual_of.is_empty() };
    let rows = reports.entry(key).or_default();
    if let Some(first) = rows.taken.first() {
        let first = first.row.row;
        if rows.residual_of != residual_of {
            return Err(Box::new((taken, RESIDUAL, Problem::SameKey { first })));
        }
    }
    if let (Some(element), Some(value)) = (row.element, row.value) {
        let known = rows.taken.iter().find(|known| known.row.element == Some(element));
        if let Some(known) = known.filter(|known| known.row.value.is_some()) {
            let first = known.row.row;
            return Err(Box::new((taken, ELEMENT, Problem::SameKey { first })));
        }
        rows.values.insert(element, value);
    }
    if let Some(rate) = &row.rate {
        rows.rates.push(DeclaredRate {
            numerator: row.element.unwrap_or(0),
            denominator: rate.base.unwrap_or(0),
            text: rate.text.clone(),
            name: rate.name.clone(),
        });
    }
    rows.residual_of = residual_of;
    rows.taken.push(taken);
    Ok(())
}

/// The unit a row is of, and those it stands for.
fn place(
    session: &Session<'_>,
    names: &Names,
    row: &FigureRow,
) -> Result<(UnitId, Vec<UnitId>), (usize, Problem)> {
    let place = names.unit(&row.unit).map_err(|problem| (UNIT, problem))?;
    let unit = names.unit_at(place).id;
    if let Some(problem) = session.served_elsewhere(&unit) {
        return Err((UNIT, problem));
    }
    let mut residual_of = Vec::new();
    for typed in &row.residual {
        let one = names.unit(typed).map_err(|problem| (RESIDUAL, problem))?;
        if !names.is_at_or_below(one, place) {
            let expected = names.unit_path(place);
            let expected = format!("“{expected}”及其下级单位/units at or below {expected}");
            return Err((RESIDUAL, Problem::Shape { expected }));
        }
        residual_of.push(names.unit_at(one).id);
    }
    residual_of.sort_unstable();
    residual_of.dedup();
    Ok((unit, residual_of))
}

/// Notes what the logic checks say of a report, at the row of the element or rate.
fn check(intake: &Intake<'_>, key: &Key, rows: &mut Rows) {
    let values = values_of(rows);
    let form = (key.form, key.period.as_str());
    for finding in findings::of_values(key.unit, form, &values, &rows.rates) {
        if finding.kind.is_note() {
            continue;
        }
        let say = |lang| words::finding(lang, &finding.kind, &NoNames);
        let problem = Problem::Suspect { zh: say(Lang::Zh), en: say(Lang::En) };
        let elements = finding.kind.elements();
        let of_rate = finding.kind.rate();
        let is_meant = |taken: &&mut Taken<FigureRow>| match of_rate {
            Some(text) => taken.row.rate.as_ref().is_some_and(|rate| rate.text == text),
            None => taken.row.element.is_some_and(|element| elements.contains(&element)),
        };
        let column = if of_rate.is_some() { RATE } else { ELEMENT + 1 };
        if let Some(taken) = rows.taken.iter_mut().find(is_meant) {
            let note: Refusal = intake.refusal(&taken.raw, column, problem);
            taken.notes.push(note);
        }
    }
}

fn values_of(rows: &Rows) -> Vec<ElementValue> {
    let value = |(element, value): (&u32, &i64)| ElementValue { element: *element, value: *value };
    rows.values.iter().map(value).collect()
}

/// What a report comes to against what stands, and the fact, if there is anything to say.
fn settle(view: &View, key: &Key, rows: &Rows, operator: u32) -> (Outcome, Option<FigureFact>) {
    let values = values_of(rows);
    let stated = rows.taken.iter().find_map(|taken| taken.row.revision);
    let mut next = 1;
    let mut known = false;
    if let Some(unit) = view.tree().find(&key.unit) {
        let (form, period) = (key.form, key.period.clone());
        let series = Series { form, period, unit, residual: key.residual };
        let newest = view.figures().of(&series).map(|report| report.revision).max();
        next = newest.unwrap_or(0) + 1;
        if let Some(standing) = view.figures().standing_of(&series) {
            known = true;
            let listed = standing.residual_of.iter().map(|at| view.tree().unit(*at).id);
            let mut listed: Vec<UnitId> = listed.collect();
            listed.sort_unstable();
            let same = standing.values == values
                && standing.rates == rows.rates
                && listed == rows.residual_of
                && stated.is_none_or(|revision| revision == standing.revision);
            if same {
                return (Ok(Came::Unchanged), None);
            }
        }
    }
    if stated.is_some_and(|revision| revision < next) {
        let expected = format!("{next} 或更大/{next} or more");
        return (Err((REVISION, Problem::Shape { expected })), None);
    }
    let post = |at: usize| rows.taken.iter().find_map(|taken| taken.row.posts[at]);
    let fact = FigureFact::Reported {
        unit: key.unit,
        form: key.form,
        period: key.period.clone(),
        revision: stated.unwrap_or(next),
        values,
        rates: rows.rates.clone(),
        posts: [post(0).unwrap_or(operator), post(1).unwrap_or(0), post(2).unwrap_or(0)],
        residual_of: rows.residual_of.clone(),
    };
    (Ok(if known { Came::Revised } else { Came::New }), Some(fact))
}
