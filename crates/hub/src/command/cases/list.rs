//! `hub cases list`: one line a conflict.

use super::docket::{Docket, ID_DIGITS};
use crate::cli::CasesList;
use crate::command::error::CommandError;
use crate::command::session::Session;
use crate::import::Problem;
use crate::render::{Cell, Table, words};
use hub_core::case::{Case, CaseKind, CaseState, Standing};

/// Lists the cases asked for.
pub(super) fn list(session: &Session<'_>, asked: &CasesList) -> Result<u8, CommandError> {
    let lang = session.lang;
    let kind = asked.kind.as_deref().map(kind_of).transpose()?;
    let state = asked.state.as_deref().map(state_of).transpose()?;
    let docket = Docket::open(session);
    let unit = match &asked.unit {
        Some(typed) => {
            let place = session.unit(&docket.names, typed)?;
            let id = docket.names.unit_at(place).id;
            session.replica().read().tree().find(&id)
        }
        None => None,
    };
    let wanted = |case: &&Case| {
        kind.is_none_or(|kind| case.kind == kind)
            && state.map_or(case.state != CaseState::Settled, |state| case.state == state)
            && unit.is_none_or(|unit| case.concerns(unit, &docket.rollup))
            && (!asked.mine || is_mine(&docket, case))
    };
    let columns = [
        ("id", lang.pick("编号", "id")),
        ("kind", lang.pick("种类", "kind")),
        ("state", lang.pick("进展", "state")),
        ("about", lang.pick("对象", "about")),
        ("counts", lang.pick("计入", "counts at")),
        ("against", lang.pick("另一方", "against")),
        ("ground", lang.pick("依据", "decided by")),
        ("since", lang.pick("起于", "since")),
        ("persons", lang.pick("涉及人数", "persons")),
        ("units", lang.pick("涉及单位", "units")),
        ("unions", lang.pick("涉及工会", "unions")),
    ];
    let mut table = Table::new(lang.pick("争议", "cases"), &columns);
    for case in docket.cases.iter().filter(wanted) {
        table.push(row(&docket, case)?);
    }
    let shown = table.rows.len();
    let settled = docket.cases.iter().filter(|case| case.state == CaseState::Settled).count();
    table.notes.push(lang.pick(
        format!("共 {shown} 件;hub cases show 编号 看双方和可办的事"),
        format!("{shown} cases; hub cases show ID tells both sides and what can be done"),
    ));
    if settled > 0 && state.is_none() {
        table.notes.push(lang.pick(
            format!("另有 {settled} 件已了结,未列;--state 已了结 可查看"),
            format!("{settled} more are settled and not listed; --state settled lists them"),
        ));
    }
    session.show(&table)?;
    Ok(0)
}

fn is_mine(docket: &Docket<'_, '_>, case: &Case) -> bool {
    let undecided = matches!(case.state, CaseState::Open | CaseState::Auto | CaseState::Objected);
    undecided && (docket.may_rule(case) || docket.may_object(case))
}

fn row(docket: &Docket<'_, '_>, case: &Case) -> Result<Vec<Cell>, CommandError> {
    let lang = docket.session.lang;
    let of = |counts: bool| {
        let sides = case.sides.iter().filter(|side| (side.standing == Standing::Counts) == counts);
        let names: Vec<String> = sides.map(|side| docket.side_name(side)).collect();
        if names.is_empty() {
            Cell::Missing
        } else {
            Cell::text(names.join(lang.pick("、", ", ")))
        }
    };
    Ok(vec![
        Cell::text(case.id.to_string()[..ID_DIGITS].to_owned()),
        Cell::text(words::case::kind(lang, case.kind)),
        Cell::text(words::case::state(lang, case.state)),
        Cell::text(docket.subject(case)?),
        of(true),
        of(false),
        Cell::text(words::case::ground(lang, case.ground)),
        Cell::text(case.since.to_string()),
        Cell::Count(case.effect.persons),
        Cell::Count(case.effect.units),
        Cell::Count(case.effect.unions),
    ])
}

fn kind_of(typed: &str) -> Result<CaseKind, CommandError> {
    let named = |kind: &&CaseKind| kind.id() == typed || words::case::is_kind(**kind, typed);
    CaseKind::ALL.iter().find(named).copied().ok_or_else(|| {
        let known = CaseKind::ALL.iter().map(|kind| kind.id()).collect();
        CommandError::argument(typed, Problem::NotInList { known })
    })
}

fn state_of(typed: &str) -> Result<CaseState, CommandError> {
    let named = |state: &&CaseState| state.id() == typed || words::case::is_state(**state, typed);
    CaseState::ALL.iter().find(named).copied().ok_or_else(|| {
        let known = CaseState::ALL.iter().map(|state| state.id()).collect();
        CommandError::argument(typed, Problem::NotInList { known })
    })
}
