//! `hub figure show|return|approve`: what became of reports, and a superior's word on them (统计法 art. 7: it
//! returns or approves, it never edits).

use super::error::CommandError;
use super::figure;
use super::findings::ids_as_names;
use super::names::Names;
use super::session::Session;
use crate::cli::{Decided, FigureCommand};
use crate::import::Problem;
use crate::render::words;
use crate::render::{Cell, Table};
use crate::replica::Draft;
use hub_core::catalog::{Catalog, Element};
use hub_core::fact::{FactBody, FigureFact};
use hub_core::id::UnitId;
use hub_core::measure::Measure;
use hub_core::period::Span;
use hub_core::rollup::Rollup;
use hub_core::view::View;
use hub_core::view::figure::{Report, Series};

/// Runs a command about figures.
///
/// # Errors
/// A name does not fit, this node may not say it, or the fact cannot be written.
pub fn run(session: &Session<'_>, command: &FigureCommand) -> Result<u8, CommandError> {
    match command {
        FigureCommand::Report(import) => figure::report(session, &import.into()),
        FigureCommand::Show { unit, period } => show(session, unit.as_deref(), period),
        FigureCommand::Return(decided) => {
            if decided.reason.trim().is_empty() {
                return Err(CommandError::refused(
                    "退回要说明原因,请用 --reason",
                    "a return needs a reason: --reason",
                ));
            }
            decide(session, decided, false)
        }
        FigureCommand::Approve(decided) => decide(session, decided, true),
    }
}

fn decide(session: &Session<'_>, decided: &Decided, approves: bool) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let place = session.unit(&names, &decided.unit)?;
    let own_place = names.place_of(&own);
    if !own_place.is_some_and(|own| names.is_at_or_below(place, own)) {
        return Err(CommandError::refused(
            format!("“{}”不在本级范围内,只能由其上级退回或审核", names.unit_path(place)),
            format!("“{}” does not lie below this node's unit", names.unit_path(place)),
        ));
    }
    let unit = names.unit_at(place).id;
    let (form, period) = (decided.form, decided.period.clone());
    let report = {
        let view = session.replica().read();
        let at = view.tree().find(&unit);
        let series = at.map(|unit| Series { form, period, unit, residual: decided.residual });
        series.and_then(|series| match decided.revision {
            None => view.figures().standing_of(&series).map(|report| report.id),
            Some(wanted) => {
                let mut of_series = view.figures().of(&series);
                of_series.find(|report| report.revision == wanted).map(|report| report.id)
            }
        })
    };
    let path = names.unit_path(place);
    let Some(report) = report else {
        let form = (
            words::form(crate::render::Lang::Zh, form),
            words::form(crate::render::Lang::En, form),
        );
        return Err(CommandError::refused(
            format!("“{path}”{}没有现用的《{}》;用 hub figure show 查看", decided.period, form.0),
            format!(
                "“{path}” has no standing {} for {}; see hub figure show",
                form.1, decided.period
            ),
        ));
    };
    let fact = match approves {
        true => FigureFact::Approved { unit, report },
        false => FigureFact::Returned { unit, report, reason: decided.reason.clone() },
    };
    let draft = Draft {
        operator: session.operator,
        ..Draft::new(own, session.today(), FactBody::Figure(fact))
    };
    session.replica().write(vec![draft])?;
    match approves {
        true => session.say(&format!("已审核:{path}"), &format!("approved: {path}"))?,
        false => session.say(
            &format!("已退回:{path};更正重报前不计入合计"),
            &format!("returned: {path}; out of totals until corrected"),
        )?,
    }
    Ok(0)
}

/// Reports of a period filed in a unit's subtree: values with the books beside them (S3), and what became of
/// each report (S1).
fn show(session: &Session<'_>, unit: Option<&str>, period: &str) -> Result<u8, CommandError> {
    let span = Span::parse(period).ok_or_else(|| {
        CommandError::argument(period, Problem::Shape { expected: "2026 / 2026-05".into() })
    })?;
    let names = session.names();
    let unit = match unit {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => session.own_unit()?,
    };
    let lang = session.lang;
    let columns = [
        ("unit", lang.pick("单位", "unit")),
        ("form", lang.pick("报表", "form")),
        ("revision", lang.pick("第几次", "revision")),
        ("state", lang.pick("状态", "state")),
        ("element", lang.pick("指标", "element")),
        ("declared", lang.pick("上报数", "declared")),
        ("registry", lang.pick("台账数", "registry")),
        ("measure", lang.pick("计量单位", "counted in")),
    ];
    let path = ids_as_names(&names, &unit);
    let title = lang.pick(format!("{path} {period} 填报"), format!("{path}: figures of {period}"));
    let mut table = Table::new(title, &columns);
    {
        let view = session.replica().read();
        let Some(at) = view.tree().find(&unit) else {
            return Err(CommandError::refused("没有这个单位", "no such unit"));
        };
        let day = span.last.min(session.today());
        let rollup = session.shared.desk().rollup(&view, day, day);
        let mut rows: Vec<(String, &Series, &Report)> = Vec::new();
        for (series, reports) in view.figures().all() {
            if series.period == period && rollup.is_at_or_above(at, series.unit) {
                let name = ids_as_names(&names, &view.tree().unit(series.unit).id);
                rows.extend(reports.map(|report| (name.clone(), series, report)));
            }
        }
        rows.sort_by_key(|(name, series, report)| {
            (name.clone(), series.form, series.residual, report.revision, report.hlc)
        });
        for (name, series, report) in rows {
            let shown = Shown { session, names: &names, view: &view, rollup: &rollup };
            shown.report(&mut table, &name, series, report);
        }
    }
    session.show(&table)?;
    Ok(u8::from(table.rows.is_empty()))
}

struct Shown<'a> {
    session: &'a Session<'a>,
    names: &'a Names,
    view: &'a View,
    rollup: &'a Rollup,
}

impl Shown<'_> {
    fn report(&self, table: &mut Table, name: &str, series: &Series, report: &Report) {
        let lang = self.session.lang;
        let state = self.state(series, report);
        let form = words::form(lang, series.form);
        for value in &report.values {
            let element = Catalog::standard().element(value.element);
            let registry = element
                .filter(|_| !series.residual)
                .and_then(|element| self.registry(series, element));
            let measure = element.map_or("", |element| element.unit.as_str());
            table.push(vec![
                Cell::text(name),
                Cell::text(form.clone()),
                Cell::count(u64::from(report.revision)),
                Cell::text(state.clone()),
                Cell::text(words::element(lang, value.element)),
                Cell::Count(value.value),
                registry.map_or(Cell::Missing, Cell::Count),
                Cell::text(measure),
            ]);
        }
        for rate in &report.rates {
            let text = format!("{} {}", rate.name, rate.text);
            table.notes.push(lang.pick(
                format!("{name}《{form}》另填比率(只作核对):{text}"),
                format!("{name}, {form}: declared rate, compared only: {text}"),
            ));
        }
    }

    /// The unit's own count by the books of what the element can be compared with.
    fn registry(&self, series: &Series, element: &Element) -> Option<i64> {
        let first = element.registry.first()?;
        let measure = Measure::ALL.iter().find(|measure| measure.id() == first)?;
        Some(self.rollup.own(series.unit).get(*measure))
    }

    fn state(&self, series: &Series, report: &Report) -> String {
        let lang = self.session.lang;
        if let Some(returned) = report.returned.values().next() {
            let by = ids_as_names(self.names, &self.unit(returned.by));
            let reason = &returned.reason;
            return lang.pick(
                format!("已退回({by}:{reason}),不计入"),
                format!("returned by {by}: {reason}; not in totals"),
            );
        }
        let stands = self.view.figures().standing_of(series).map(|standing| standing.id);
        let mut state = match stands == Some(report.id) {
            true => lang.pick("现用", "stands").to_owned(),
            false => lang.pick("已被更正", "superseded").to_owned(),
        };
        if let Some(by) = report.approved.values().next() {
            let by = ids_as_names(self.names, &self.unit(*by));
            state.push_str(&lang.pick(format!(",{by}已审核"), format!(", approved by {by}")));
        }
        if series.residual {
            let units =
                report.residual_of.iter().map(|at| ids_as_names(self.names, &self.unit(*at)));
            let units: Vec<String> = units.collect();
            let units = units.join(lang.pick("、", ", "));
            state.push_str(&lang.pick(format!(",代报:{units}"), format!(", for {units}")));
        }
        state
    }

    fn unit(&self, at: u32) -> UnitId {
        self.view.tree().unit(at).id
    }
}
