//! `hub query`: rates and counts of a unit, with what they rest on.

use super::error::CommandError;
use super::past::{self, When};
use super::session::Session;
use crate::render::Table;
use crate::report::coverage::coverage as table;
use hub_core::id::UnitId;
use hub_core::known::Known;
use hub_core::measure::Indicators;
use hub_core::query::{Answer, Basis, By, Desk, KnownAt, Question};
use hub_core::time::Day;
use hub_core::view::View;

/// What `hub query coverage` asks.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// The unit, by name, path or code; this node's own if none.
    pub unit: Option<String>,
    /// An indicator or a measure.
    pub indicator: String,
    /// The base.
    pub base: String,
    /// One row a what.
    pub by: By,
    /// The day; today if none.
    pub as_of: Option<Day>,
    /// Each employer under its parent of this day; the day asked for if none.
    pub boundaries: Option<Day>,
    /// A day to compare with.
    pub compare: Option<Day>,
    /// What the numbers come from.
    pub basis: Basis,
    /// Of which view.
    pub when: When,
}

/// Answers a question of coverage.
///
/// # Errors
/// No such unit, indicator or base.
pub fn coverage(session: &Session<'_>, asked: &Coverage) -> Result<u8, CommandError> {
    let names = session.names();
    let unit = match &asked.unit {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => session.own_unit()?,
    };
    let replica = session.replica();
    let view = replica.read();
    let table = match &asked.when {
        When::Now => {
            let mut desk = session.shared.desk();
            let of = Of { view: &view, desk: &mut desk, definitions: Indicators::standard() };
            answered(session, asked, unit, of, KnownAt::Current, session.today())?
        }
        when => past::within(session, &view, unit, when, |known, known_at, day| {
            let Known { view, desk, law, .. } = known;
            answered(
                session,
                asked,
                unit,
                Of { view, desk, definitions: &law.definitions },
                known_at,
                day,
            )
        })?,
    };
    drop(view);
    session.show(&table)?;
    Ok(0)
}

/// A view with what is asked of it.
struct Of<'a> {
    view: &'a View,
    desk: &'a mut Desk,
    definitions: &'a Indicators,
}

/// The answer in a view, as a table; `day` is the day asked for where none was typed.
fn answered(
    session: &Session<'_>,
    asked: &Coverage,
    unit: UnitId,
    of: Of<'_>,
    known_at: KnownAt,
    day: Day,
) -> Result<Table, CommandError> {
    let Of { view, desk, definitions } = of;
    let unit = view.tree().find(&unit).ok_or_else(past::no_unit)?;
    let question = |day| Question {
        unit,
        indicator: asked.indicator.clone(),
        base: asked.base.clone(),
        by: asked.by,
        as_of: day,
        boundaries: asked.boundaries,
        basis: asked.basis,
    };
    let mut answer = desk.answer_by(view, &question(asked.as_of.unwrap_or(day)), definitions)?;
    let before: Option<Answer> =
        asked.compare.map(|day| desk.answer_by(view, &question(day), definitions)).transpose()?;
    answer.citation.known_at = known_at;
    Ok(table(view, &answer, before.as_ref(), session.lang, session.replica().now()))
}
