//! `hub unit register|move|close`: one unit at a time.

use super::error::CommandError;
use super::intake::Came;
use super::session::{Session, transact};
use super::unit::Plan;
use crate::import::date::Dated;
use crate::import::row::{self, Row, UnitRow};
use crate::import::{Problem, RawRow, Refusal, code_list};
use crate::render::words;
use crate::replica::Draft;
use hub_core::fact::{FactBody, UnitFact};
use hub_core::id::UnitId;

/// Registers one unit from typed fields: column key and cell, read as a row of a list is.
///
/// # Errors
/// A field does not fit, the unit is known already, or the facts cannot be written.
pub fn register(session: &Session<'_>, fields: &[(&str, String)]) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let header: Vec<String> = fields.iter().map(|(key, _)| (*key).to_owned()).collect();
    let columns = UnitRow::TABLE.columns.iter();
    let places: Vec<Option<usize>> =
        columns.map(|column| fields.iter().position(|(key, _)| *key == column.key)).collect();
    let raw = RawRow { row: 1, cells: fields.iter().map(|(_, cell)| cell.clone()).collect() };
    let (row, notes) = row::read::<UnitRow>(&raw, &header, &places, session.today())
        .map_err(|refusals| first_refusal(&refusals))?;
    let year = u16::try_from(session.today().to_ymd().0).unwrap_or(u16::MAX);
    let mut names = session.names();
    let outcome = transact(session, false, |tx| {
        let mut plan = Plan::new(session, own, year, Vec::new(), &mut names, tx);
        plan.rows(&[&row]).pop().unwrap_or(Ok(Came::Unchanged)).map_err(|(column, problem)| {
            let key = UnitRow::TABLE.columns.get(column).map_or("", |column| column.key);
            let typed = fields.iter().find(|(known, _)| *known == key);
            let typed = typed.map_or_else(|| row.name.clone(), |(_, cell)| cell.clone());
            CommandError::argument(typed, problem)
        })
    })?;
    let name = &row.name;
    match outcome {
        Came::New => session.say(&format!("已登记:{name}"), &format!("registered: {name}"))?,
        Came::Revised => session.say(&format!("已更正:{name}"), &format!("revised: {name}"))?,
        Came::Unchanged => {
            session.say(&format!("已有登记,未变:{name}"), &format!("known already: {name}"))?;
        }
    }
    for note in notes {
        let text = format!("{}\n", words::problem(session.lang, &note.problem));
        session.io.err(&text).map_err(CommandError::Screen)?;
    }
    Ok(0)
}

fn first_refusal(refusals: &[Refusal]) -> CommandError {
    let worst = refusals.iter().find(|refusal| !refusal.problem.is_note()).or(refusals.first());
    worst.map_or_else(
        || CommandError::argument("", Problem::Blank),
        |refusal| CommandError::argument(refusal.value.clone(), refusal.problem.clone()),
    )
}

/// Moves a unit to another parent (变更归口).
///
/// # Errors
/// A name does not fit, or the fact cannot be written.
pub fn move_to(
    session: &Session<'_>,
    unit: &str,
    parent: Option<&str>,
    located_in: Option<&str>,
    day: Dated,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let place = session.unit(&names, unit)?;
    let to = parent.map(|typed| session.unit(&names, typed)).transpose()?;
    let located = located_in.map(|typed| session.unit(&names, typed)).transpose()?;
    if to.is_some_and(|to| names.unit_at(to).level >= names.unit_at(place).level) {
        return Err(CommandError::argument(parent.unwrap_or_default(), Problem::ParentTooLow));
    }
    let own_place = names.place_of(&own);
    let below = |at: usize| own_place.is_some_and(|o| o != at && names.is_at_or_below(at, o));
    if !below(place) || to.is_some_and(|to| Some(to) != own_place && !below(to)) {
        return Err(CommandError::refused(
            "变更归口须由新旧上级共同的上级节点办理",
            "a move is made at the node above both the old and the new parent",
        ));
    }
    let fact = UnitFact::Moved {
        unit: names.unit_at(place).id,
        parent: to.map(|to| names.unit_at(to).id),
        located_in: located.map(|at| names.unit_at(at).id),
    };
    write_one(session, own, day, fact)?;
    session.say("已登记变更归口", "the move is recorded")?;
    Ok(0)
}

/// Closes a unit.
///
/// # Errors
/// A name does not fit, its books are kept elsewhere, or the fact cannot be written.
pub fn close(
    session: &Session<'_>,
    unit: &str,
    reason: &str,
    day: Dated,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let id = names.unit_at(session.unit(&names, unit)?).id;
    let reason =
        code_list::end_reason(reason).map_err(|problem| CommandError::argument(reason, problem))?;
    if let Some(problem) = session.served_elsewhere(&id) {
        return Err(CommandError::argument(unit, problem));
    }
    write_one(session, own, day, UnitFact::Closed { unit: id, reason })?;
    session.say("已登记单位终止", "the unit is closed")?;
    Ok(0)
}

fn write_one(
    session: &Session<'_>,
    own: UnitId,
    day: Dated,
    fact: UnitFact,
) -> Result<(), CommandError> {
    let draft = Draft {
        precision: day.precision,
        operator: session.operator,
        ..Draft::new(own, day.day, FactBody::Unit(fact))
    };
    session.replica().write(vec![draft])?;
    Ok(())
}
