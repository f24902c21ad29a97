//! `hub query flows`: how a unit's members went from one day to another.

use super::error::CommandError;
use super::session::{Session, day_of};
use crate::cli::FlowsArgs;
use crate::import::Problem;
use crate::render::{Cell, Table};
use crate::report::coverage::row_name;
use hub_core::flow::{Flow, FlowQuestion, FlowRow, flows as flows_of};
use hub_core::time::Day;

/// Answers how the members of a unit went.
///
/// # Errors
/// No such unit, or no such span of days.
pub fn flows(session: &Session<'_>, asked: &FlowsArgs) -> Result<u8, CommandError> {
    let names = session.names();
    let unit = match &asked.unit {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => session.own_unit()?,
    };
    let from = day_of(session, Some(&asked.from), true)?.day;
    let to = day_of(session, asked.to.as_deref(), true)?.day;
    if to < from {
        let typed = asked.to.as_deref().unwrap_or_default();
        return Err(CommandError::argument(typed, Problem::DayBefore { column: "--from" }));
    }
    let by_child = asked.by.is_some();
    let answered = session.replica().ask(|view, source| {
        let unit = view.tree().find(&unit)?;
        let rows = flows_of(view, source, &FlowQuestion { unit, from, to, by_child });
        Some((view.tree().unit(unit).name().to_owned(), rows))
    });
    let Some((name, rows)) = answered else {
        return Err(CommandError::refused("没有这个单位", "no such unit"));
    };
    session.show(&table(session, &name, &rows, (from, to)))?;
    Ok(0)
}

fn table(session: &Session<'_>, name: &str, rows: &[FlowRow], (from, to): (Day, Day)) -> Table {
    let lang = session.lang;
    let mut columns =
        vec![("unit", lang.pick("单位", "unit")), ("opening", lang.pick("期初", "opening"))];
    columns.extend(Flow::ALL.iter().map(|flow| {
        let (zh, en) = heading(*flow);
        (flow.id(), lang.pick(zh, en))
    }));
    columns.push(("closing", lang.pick("期末", "closing")));
    let title = lang.pick(
        format!("{name} 会员增减 {from} 至 {to}"),
        format!("{name}: members from {from} to {to}"),
    );
    let mut table = Table::new(title, &columns);
    let view = session.replica().read();
    for row in rows {
        let mut cells =
            vec![Cell::text(row_name(&view, &row.label, lang)), Cell::Count(row.opening)];
        cells.extend(Flow::ALL.iter().map(|flow| Cell::Count(sign(*flow) * row.get(*flow))));
        cells.push(Cell::Count(row.closing));
        table.push(cells);
    }
    drop(view);
    table.notes.push(lang.pick(
        "期初+发展+转入+恢复-转出-保留-离会±随单位变动±改由他会计入±更正=期末;期初为起始日前一天,期末为截止日。"
            .to_owned(),
        "opening + new + in + resumed - out - retained - left ± moved ± holder changed ± corrected = closing; \
         the opening is the day before the span, the closing its last day."
            .to_owned(),
    ));
    if rows.len() > 1 {
        table.notes.push(lang.pick(
            "下级之间的接转在下级各计一次,在合计中抵消。".to_owned(),
            "Transfers between children count at each of them and cancel in the total.".to_owned(),
        ));
    }
    let digest = {
        let view = session.replica().read();
        session.shared.desk().digest(&view)
    };
    table.citation = vec![
        ("from", lang.pick("起始日", "from").to_owned(), from.to_string()),
        ("to", lang.pick("截止日", "to").to_owned(), to.to_string()),
        ("digest", lang.pick("校验码", "digest").to_owned(), digest.to_string()),
    ];
    table
}

/// What is told as taken away is told without its sign.
fn sign(flow: Flow) -> i64 {
    match flow {
        Flow::Out | Flow::Retained | Flow::Left => -1,
        _ => 1,
    }
}

fn heading(flow: Flow) -> (&'static str, &'static str) {
    match flow {
        Flow::New => ("发展", "new"),
        Flow::In => ("转入", "in"),
        Flow::Resumed => ("恢复", "resumed"),
        Flow::Out => ("转出", "out"),
        Flow::Retained => ("保留", "retained"),
        Flow::Left => ("离会", "left"),
        Flow::Moved => ("随单位变动", "moved"),
        Flow::HolderChanged => ("改由他会", "holder changed"),
        Flow::Corrected => ("更正", "corrected"),
    }
}
