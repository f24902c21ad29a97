//! `hub query`: rates and counts of a unit, with what they rest on.

use super::error::CommandError;
use super::session::Session;
use crate::report::coverage::coverage as table;
use hub_core::query::{Answer, Basis, By, Question};
use hub_core::time::Day;

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
    let mut desk = session.shared.desk();
    let Some(unit) = view.tree().find(&unit) else {
        return Err(CommandError::refused("没有这个单位", "no such unit"));
    };
    let as_of = asked.as_of.unwrap_or_else(|| session.today());
    let question = |day| Question {
        unit,
        indicator: asked.indicator.clone(),
        base: asked.base.clone(),
        by: asked.by,
        as_of: day,
        boundaries: asked.boundaries,
        basis: asked.basis,
    };
    let answer = desk.answer(&view, &question(as_of))?;
    let before: Option<Answer> =
        asked.compare.map(|day| desk.answer(&view, &question(day))).transpose()?;
    let table = table(&view, &answer, before.as_ref(), session.lang, replica.now());
    drop((desk, view));
    session.show(&table)?;
    Ok(0)
}
