//! `hub figure report`: declared figures from a file, one element a row; a report is one fact.

use super::error::CommandError;
use super::intake::{Came, Intake, IntakeOptions, Taken};
use super::session::{Session, import_attribute, next_import, transact};
use crate::import::Problem;
use crate::import::row::FigureRow;
use crate::replica::Draft;
use hub_core::fact::figure::ElementValue;
use hub_core::fact::{FactBody, FigureFact};
use hub_core::id::UnitId;
use hub_core::view::View;
use std::collections::BTreeMap;

const UNIT: usize = 0;
const ELEMENT: usize = 3;

/// A report: of a unit, on a form, for a period.
type Key = (UnitId, u32, String);

/// Files figures. A report that says what stands is not filed again; one that differs is the next
/// revision.
///
/// # Errors
/// The file is refused as a whole, or the facts cannot be written.
pub fn report(session: &Session<'_>, options: &IntakeOptions) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let mut intake = Intake::open::<FigureRow>(session, options)?;
    let mut reports: BTreeMap<Key, BTreeMap<u32, Taken<FigureRow>>> = BTreeMap::new();
    while let Some(taken) = intake.take::<FigureRow>()? {
        let unit = match names.unit(&taken.row.unit) {
            Ok(place) => names.unit_at(place).id,
            Err(problem) => {
                intake.refuse_taken(&taken, UNIT, problem)?;
                continue;
            }
        };
        if let Some(problem) = session.served_elsewhere(&unit) {
            intake.refuse_taken(&taken, UNIT, problem)?;
            continue;
        }
        let key = (unit, taken.row.form, taken.row.period.clone());
        let elements = reports.entry(key).or_default();
        match elements.get(&taken.row.element) {
            Some(first) => {
                let first = first.row.row;
                intake.refuse_taken(&taken, ELEMENT, Problem::SameKey { first })?;
            }
            None => {
                elements.insert(taken.row.element, taken);
            }
        }
    }
    let import = next_import(session);
    let (operator, today) = (session.operator, session.today());
    let came = transact(session, options.dry_run, |tx| {
        let mut came = Vec::new();
        for ((unit, form, period), elements) in &reports {
            let values: Vec<ElementValue> = elements
                .values()
                .map(|taken| ElementValue { element: taken.row.element, value: taken.row.value })
                .collect();
            let (revision, known) = standing(tx.view(), unit, *form, period);
            if known.as_ref() == Some(&values) {
                came.push(Came::Unchanged);
                continue;
            }
            came.push(if known.is_some() { Came::Revised } else { Came::New });
            let fact = FigureFact::Reported {
                unit: *unit,
                form: *form,
                period: period.clone(),
                revision: revision + 1,
                values,
                rates: Vec::new(),
                posts: [operator, 0, 0],
                residual_of: Vec::new(),
            };
            tx.push(Draft {
                operator,
                attributes: vec![import_attribute(import)],
                ..Draft::new(own, today, FactBody::Figure(fact))
            });
        }
        Ok(came)
    })?;
    let written = came.iter().filter(|came| **came != Came::Unchanged).count() as u64;
    for (elements, came) in reports.values().zip(came) {
        for taken in elements.values() {
            intake.settle(taken, Ok(came))?;
        }
    }
    intake.tally.facts = written;
    let import = (written > 0 && !options.dry_run).then_some(import);
    let tally = intake.finish(session, options, import)?;
    Ok(u8::from(tally.refused > 0))
}

/// The highest revision filed, and the values of the report that stands (S1).
fn standing(
    view: &View,
    unit: &UnitId,
    form: u32,
    period: &str,
) -> (u32, Option<Vec<ElementValue>>) {
    let Some(at) = view.tree().find(unit) else { return (0, None) };
    let of_key = |filed: &(u32, u32, &str, &[hub_core::view::figure::Report])| {
        filed.0 == at && filed.1 == form && filed.2 == period
    };
    let filed = view.figures().all().find(of_key);
    let revision =
        filed.iter().flat_map(|filed| filed.3).map(|report| report.revision).max().unwrap_or(0);
    let values = view.figures().standing(at, form, period).map(|report| report.values.clone());
    (revision, values)
}
