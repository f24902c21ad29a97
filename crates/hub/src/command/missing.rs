//! `hub missing`: who has not reported for a period, until when it was due, and a text to paste (催报).

use super::error::CommandError;
use super::findings::ids_as_names;
use super::names::Names;
use super::session::Session;
use crate::import::Problem;
use crate::render::words;
use crate::render::{Cell, Lang, Table};
use hub_core::catalog::{Catalog, Due, Form};
use hub_core::id::UnitId;
use hub_core::period::Span;
use hub_core::reporting;
use hub_core::time::Day;
use std::collections::BTreeMap;

/// What `hub missing` asks.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The unit; this node's own if none.
    pub unit: Option<String>,
    /// The period: `2026` or `2026-05`.
    pub period: String,
    /// The form; all that are due for such a period if none.
    pub form: Option<u32>,
}

/// A unit that has not filed a form.
struct Missing {
    unit: String,
    form: u32,
    deadline: Day,
}

/// Lists who has not reported; 1 if anybody.
///
/// # Errors
/// No such unit, period or form.
pub fn run(session: &Session<'_>, asked: &Asked) -> Result<u8, CommandError> {
    let names = session.names();
    let unit = match &asked.unit {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => session.own_unit()?,
    };
    let (period, forms) = forms(asked)?;
    let today = session.today();
    let mut due = 0;
    let mut missing = Vec::new();
    {
        let replica = session.replica();
        let view = replica.read();
        let tree = view.tree();
        let Some(at) = tree.find(&unit) else {
            return Err(CommandError::refused("没有这个单位", "no such unit"));
        };
        let boundaries = period.last.min(today);
        let rollup = session.shared.desk().rollup(&view, boundaries, boundaries);
        for form in forms {
            for (filer, duty) in reporting::duties(&view, form, period) {
                if !rollup.is_at_or_above(at, filer) {
                    continue;
                }
                due += 1;
                if duty.report.is_none() {
                    let unit = ids_as_names(&names, &tree.unit(filer).id);
                    missing.push(Missing { unit, form: form.id, deadline: duty.deadline });
                }
            }
        }
    }
    missing.sort_by(|one, other| {
        (one.form, one.deadline, &one.unit).cmp(&(other.form, other.deadline, &other.unit))
    });
    session.show(&table(session.lang, &names, &unit, period, today, due, &missing))?;
    Ok(u8::from(!missing.is_empty()))
}

/// The period typed, and the forms meant.
fn forms(asked: &Asked) -> Result<(Span, Vec<&'static Form>), CommandError> {
    let catalog = Catalog::standard();
    let span = Span::parse(&asked.period).ok_or_else(|| {
        let problem = Problem::Shape { expected: "2026 / 2026-05".into() };
        CommandError::argument(&asked.period, problem)
    })?;
    let due = |form: &&Form| form.due != Due::Nobody && form.cycle == span.cycle;
    let Some(number) = asked.form else {
        return Ok((span, catalog.forms.iter().filter(due).collect()));
    };
    let form = catalog.form(number).filter(due).ok_or_else(|| {
        let known: Vec<String> = catalog
            .forms
            .iter()
            .filter(due)
            .map(|form| format!("{} {}/{}", form.id, form.zh, form.en))
            .collect();
        let problem = Problem::Shape { expected: known.join("; ") };
        CommandError::argument(number.to_string(), problem)
    })?;
    Ok((span, vec![form]))
}

fn table(
    lang: Lang,
    names: &Names,
    unit: &UnitId,
    period: Span,
    today: Day,
    due: u64,
    missing: &[Missing],
) -> Table {
    let name = ids_as_names(names, unit);
    let title =
        lang.pick(format!("{name} {period} 未报单位"), format!("{name}: not filed for {period}"));
    let columns = [
        ("unit", lang.pick("单位", "unit")),
        ("form", lang.pick("报表", "form")),
        ("deadline", lang.pick("截止日", "deadline")),
        ("overdue_days", lang.pick("逾期天数", "days overdue")),
    ];
    let mut table = Table::new(title, &columns);
    for one in missing {
        table.push(vec![
            Cell::text(&one.unit),
            Cell::text(words::form(lang, one.form)),
            Cell::text(one.deadline.to_string()),
            Cell::Count(i64::from((today.0 - one.deadline.0).max(0))),
        ]);
    }
    let (lacking, filed) = (missing.len(), due - missing.len() as u64);
    table.notes.push(lang.pick(
        format!("应报{due}份,已报{filed}份,未报{lacking}份"),
        format!("{due} due, {filed} filed, {lacking} missing"),
    ));
    let mut groups: BTreeMap<(u32, Day), Vec<&str>> = BTreeMap::new();
    for one in missing {
        groups.entry((one.form, one.deadline)).or_default().push(&one.unit);
    }
    for ((form, deadline), units) in groups {
        table.notes.push(reminder(lang, &name, (form, period), (deadline, today), &units));
    }
    table
}

/// The text to paste.
fn reminder(
    lang: Lang,
    name: &str,
    (form, period): (u32, Span),
    (deadline, today): (Day, Day),
    units: &[&str],
) -> String {
    let form = words::form(lang, form);
    let (count, list) = (units.len(), units.join(lang.pick("、", ", ")));
    let days = today.0 - deadline.0;
    let when = match days {
        1.. => lang.pick(format!(",已逾期{days}天"), format!(", {days} days ago")),
        0 => lang.pick(",今天截止".into(), ", today".into()),
        _ => lang.pick(format!(",还有{}天", -days), format!(", in {} days", -days)),
    };
    lang.pick(
        format!(
            "【催报】{name}:{period}《{form}》报送截止日为{deadline}{when},下列{count}个单位尚未报送:{list}。\
             请尽快报送;确无数据的项目请留空,不要填 0;有困难请说明。"
        ),
        format!(
            "[Reminder] {name}: {form} for {period} was due on {deadline}{when}. Not filed by {count}: {list}. \
             Please file; leave blank what is not known, do not write 0; tell us of difficulties."
        ),
    )
}
