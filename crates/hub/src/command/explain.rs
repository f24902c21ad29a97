//! `hub explain`: any figure to what it is made of, and what was published to what is so today.

use super::error::CommandError;
use super::past::{self, When};
use super::session::{Session, boundaries_of};
use crate::cli::{self, ByArg};
use crate::render::{Cell, Lang, Table, words};
use crate::report::coverage::{indicator_name, instant, row_name};
use hub_core::causes::{self, Asked, Cause, Split, SplitError, Then, Value};
use hub_core::closing::Closing;
use hub_core::explain::{self, Explanation, Ground};
use hub_core::id::{BranchId, UnitId};
use hub_core::known::Known;
use hub_core::query::{Desk, KnownAt, Label, Question};
use hub_core::time::Day;
use hub_core::view::View;
use std::collections::BTreeSet;

/// Explains a figure.
///
/// # Errors
/// No such unit, indicator or base, or the view asked for cannot be had.
pub fn explain(session: &Session<'_>, asked: &cli::Explain) -> Result<u8, CommandError> {
    let names = session.names();
    let unit = match &asked.unit {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => session.own_unit()?,
    };
    let when = When::of(asked.known_at.as_deref(), asked.published.as_deref())?;
    let day = match &asked.as_of {
        Some(typed) => Some(super::session::day_of(session, Some(typed), true)?.day),
        None => None,
    };
    let boundaries = boundaries_of(session, &asked.boundaries)?;
    let view = session.replica().read();
    let table = match &when {
        When::Now => {
            let mut desk = session.shared.desk();
            let day = day.unwrap_or_else(|| session.today());
            parts(session, asked, unit, &view, &mut desk, (day, boundaries))?
        }
        When::KnownAt(_) => past::within(session, &view, unit, &when, |known, _, of| {
            let Known { view, desk, .. } = known;
            parts(session, asked, unit, view, desk, (day.unwrap_or(of), boundaries))
        })?,
        When::Published(_) => past::within(session, &view, unit, &when, |known, at, of| {
            let on = (day.unwrap_or(of), boundaries);
            difference(session, asked, unit, &view, known, &at, on)
        })?,
    };
    drop(view);
    session.show(&table)?;
    Ok(0)
}

fn ratio(value: Value) -> String {
    match value.denominator {
        Some(denominator) => format!("{}/{denominator}", value.numerator),
        None => value.numerator.to_string(),
    }
}

fn parts(
    session: &Session<'_>,
    asked: &cli::Explain,
    unit: UnitId,
    view: &View,
    desk: &mut Desk,
    (day, boundaries): (Day, Option<Day>),
) -> Result<Table, CommandError> {
    let at = view.tree().find(&unit).ok_or_else(past::no_unit)?;
    let rollup = desk.rollup(view, day, boundaries.unwrap_or(day));
    let question = Question {
        unit: at,
        indicator: asked.indicator.clone(),
        base: asked.base.clone(),
        by: ByArg::rows(asked.by),
        as_of: day,
        boundaries,
        basis: asked.basis.into(),
    };
    let explained = explain::explain(view, &rollup, &question)?;
    let lang = session.lang;
    let columns = [
        ("unit", lang.pick("单位", "unit")),
        ("numerator", lang.pick("分子", "numerator")),
        ("denominator", lang.pick("分母", "denominator")),
        ("kind", lang.pick("依据", "fact")),
        ("rule", lang.pick("规则", "rule")),
        ("day", lang.pick("生效日", "day")),
        ("written", lang.pick("录入", "written")),
        ("node", lang.pick("录入单位", "written by")),
        ("fact", lang.pick("记录号", "fact id")),
        ("block", lang.pick("账页", "block")),
    ];
    let name = view.tree().unit(at).name();
    let figure = indicator_name(&asked.indicator, lang);
    let title = lang.pick(format!("{name} {figure} {day}"), format!("{name}: {figure} {day}"));
    let mut table = Table::new(title, &columns);
    // the total has no parts of its own beside those of the rows
    let rows = explained.rows.iter().filter(|row| asked.by.is_none() || row.label != Label::Total);
    for row in rows {
        let depth = u8::from(asked.by.is_some());
        if asked.by.is_some() {
            let name = Cell::text(row_name(view, &row.label, lang));
            table.push(numbers(name, row.numerator, row.denominator));
        }
        for part in explained.parts.iter().filter(|part| part.row == row.label) {
            let name = Cell::Indented(depth, view.tree().unit(part.unit).name().to_owned());
            let denominator = explained.denominator.map(|_| part.denominator);
            table.push(numbers(name, part.numerator, denominator));
            let facts = part.facts.iter().filter(|_| asked.full);
            facts.for_each(|ground| table.push(of_fact(view, depth + 1, ground, lang)));
        }
    }
    table.notes.push(paragraph(name, &figure, day, &explained, lang));
    if asked.full {
        members(session, view, &explained, day, &mut table)?;
    }
    table.citation.push((
        "digest",
        lang.pick("校验码", "digest").into(),
        desk.digest(view).to_string(),
    ));
    Ok(table)
}

/// A line with two numbers and no fact.
fn numbers(name: Cell, numerator: i64, denominator: Option<i64>) -> Vec<Cell> {
    let denominator = denominator.map_or(Cell::Missing, Cell::Count);
    let mut row = vec![name, Cell::Count(numerator), denominator];
    row.extend(std::iter::repeat_n(Cell::Missing, 7));
    row
}

fn of_fact(view: &View, depth: u8, ground: &Ground, lang: Lang) -> Vec<Cell> {
    let chain = &ground.id.chain;
    let office = view.authority().enrolment_of((chain.node, chain.epoch));
    let office = office.map_or("", |office| view.tree().unit(office.unit).name());
    vec![
        Cell::Indented(depth, String::new()),
        Cell::Missing,
        Cell::Missing,
        Cell::Coded(ground.kind, words::fact::kind(lang, ground.kind)),
        Cell::text(ground.rule),
        Cell::text(ground.day.to_string()),
        Cell::text(instant(ground.hlc.millis())),
        Cell::text(office),
        Cell::text(ground.id.to_string()),
        Cell::count(ground.height),
    ]
}

/// The members of these unions, by pseudonym; a name only where this node's own books have it.
fn members(
    session: &Session<'_>,
    view: &View,
    explained: &Explanation,
    day: Day,
    table: &mut Table,
) -> Result<(), CommandError> {
    let unions: BTreeSet<BranchId> =
        explained.parts.iter().flat_map(|part| part.unions.iter().copied()).collect();
    // spans are folded further from the facts, which the view asked for must not notice
    let mut view = view.clone();
    let journal = session.replica().journal();
    for member in explain::members(&mut view, &unions, day, journal) {
        let at = view.branches().find(&member.branch);
        let union = at.map_or("", |at| view.branches().branch(at).name());
        let (key, since) = (member.member, member.since);
        let name = session.person(&key)?.map(|person| format!("({})", *person.name));
        let name = name.unwrap_or_default();
        table.notes.push(session.lang.pick(
            format!("会员 {key}{name} 在 {union},自 {since}"),
            format!("member {key} {name} at {union} since {since}"),
        ));
    }
    Ok(())
}

/// To be read aloud.
fn paragraph(name: &str, figure: &str, day: Day, explained: &Explanation, lang: Lang) -> String {
    let Explanation { numerator, denominator, parts, .. } = explained;
    let over = parts.iter().filter(|part| part.numerator != 0).count();
    let under = parts.iter().filter(|part| part.denominator != 0).count();
    let facts: usize = parts.iter().map(|part| part.facts.len()).sum();
    let unions: BTreeSet<&BranchId> = parts.iter().flat_map(|part| &part.unions).collect();
    let unions = unions.len();
    match denominator {
        Some(denominator) => lang.pick(
            format!(
                "截至 {day},{name}的{figure}:分母 {denominator},来自 {under} 个单位;分子 {numerator},\
                 来自 {over} 个单位;涉及工会 {unions} 个,依据记录 {facts} 条。"
            ),
            format!(
                "On {day}, {figure} of {name}: {denominator} under the line from {under} units, \
                 {numerator} over it from {over} units, {unions} unions, {facts} facts."
            ),
        ),
        None => lang.pick(
            format!(
                "截至 {day},{name}的{figure}为 {numerator},来自 {over} 个单位;涉及工会 {unions} 个,\
                 依据记录 {facts} 条。"
            ),
            format!(
                "On {day}, {figure} of {name} is {numerator}, from {over} units, {unions} unions, \
                 {facts} facts."
            ),
        ),
    }
}

/// The words of a cause.
pub fn cause(cause: Cause, lang: Lang) -> &'static str {
    match cause {
        Cause::Definition => lang.pick("口径变更", "definitions changed"),
        Cause::Reorganisation => lang.pick("区划和归口调整", "reorganisation"),
        Cause::Duplicate => lang.pick("剔除重复", "duplicates removed"),
        Cause::Ruling => lang.pick("裁定和异议", "rulings and objections"),
        Cause::Correction => lang.pick("更正和撤回", "corrections"),
        Cause::Transfer => lang.pick("会籍接转", "transfers"),
        Cause::Late => lang.pick("迟报补录", "late entries"),
    }
}

fn difference(
    session: &Session<'_>,
    asked: &cli::Explain,
    unit: UnitId,
    view: &View,
    known: &Known,
    known_at: &KnownAt,
    (day, boundaries): (Day, Option<Day>),
) -> Result<Table, CommandError> {
    let KnownAt::Published(closed) = known_at else { return Err(past::no_unit()) };
    let (closing, checkpoint) = &**closed;
    let question = Asked {
        unit,
        indicator: asked.indicator.clone(),
        base: asked.base.clone(),
        as_of: day,
        boundaries,
    };
    let frontier = view.frontier_of(checkpoint);
    let journal = session.replica().journal();
    let then = Then { view: &known.view, frontier: &frontier, definitions: &known.law.definitions };
    let splits = causes::split(view, then, journal, &[question]).map_err(|error| match error {
        SplitError::Query(error) => CommandError::from(error),
        error => CommandError::Machine(error.to_string()),
    })?;
    let lang = session.lang;
    let at = view.tree().find(&unit).ok_or_else(past::no_unit)?;
    let name = view.tree().unit(at).name().to_owned();
    let figure = indicator_name(&asked.indicator, lang);
    let title = lang.pick(
        format!("{name} {figure} {} 公布数与现时数", closing.period),
        format!("{name}: {figure} {}, published and current", closing.period),
    );
    let columns = [
        ("cause", lang.pick("原因", "cause")),
        ("facts", lang.pick("后来的记录", "later facts")),
        ("numerator", lang.pick("分子增减", "numerator")),
        ("denominator", lang.pick("分母增减", "denominator")),
        ("after", lang.pick("累计", "so far")),
    ];
    let mut table = Table::new(title, &columns);
    for split in &splits {
        fill(&mut table, split, lang);
        table.notes.push(aloud(&name, &figure, closing, split, lang));
    }
    let digest = lang.pick("校验码", "digest").to_owned();
    table.citation.push(("digest", digest, closing.digest.to_string()));
    let published = lang.pick("公布表", "published table").to_owned();
    table.citation.push(("table", published, closing.table.to_string()));
    Ok(table)
}

fn fill(table: &mut Table, split: &Split, lang: Lang) {
    let line = |words: &str, facts: Cell, numerator: Cell, denominator: Cell, after: Value| {
        vec![Cell::text(words), facts, numerator, denominator, Cell::text(ratio(after))]
    };
    let none = || Cell::Missing;
    table.push(line(lang.pick("公布数", "published"), none(), none(), none(), split.published));
    for step in &split.steps {
        let facts = Cell::count(step.facts.len() as u64);
        let (over, under) = (Cell::Count(step.numerator), Cell::Count(step.denominator));
        table.push(line(cause(step.cause, lang), facts, over, under, step.after));
    }
    let over = split.current.numerator - split.published.numerator;
    let under = split.current.denominator.unwrap_or(0) - split.published.denominator.unwrap_or(0);
    let facts = split.steps.iter().map(|step| step.facts.len() as u64).sum();
    let total = lang.pick("现时数", "current");
    let (over, under) = (Cell::Count(over), Cell::Count(under));
    table.push(line(total, Cell::count(facts), over, under, split.current));
}

/// To be read aloud.
fn aloud(name: &str, figure: &str, closing: &Closing, split: &Split, lang: Lang) -> String {
    let (before, now) = (ratio(split.published), ratio(split.current));
    let changes: Vec<String> = split
        .steps
        .iter()
        .filter(|step| (step.numerator, step.denominator) != (0, 0))
        .map(|step| {
            let words = cause(step.cause, lang);
            let (over, under) = (step.numerator, step.denominator);
            match split.published.denominator.or(split.current.denominator) {
                Some(_) => lang.pick(
                    format!("{words}使分子{over:+}、分母{under:+}"),
                    format!("{words}: {over:+} over and {under:+} under the line"),
                ),
                None => format!("{words}{}{over:+}", lang.pick("", " ")),
            }
        })
        .collect();
    let period = &closing.period;
    if changes.is_empty() {
        return lang.pick(
            format!("{name} {period} 年度{figure}公布为 {before},现时数与公布数一致。"),
            format!("{figure} of {name} for {period} was published as {before}; it is so today."),
        );
    }
    let changes = changes.join(lang.pick(",", ", "));
    lang.pick(
        format!("{name} {period} 年度{figure}公布为 {before},现时为 {now}:{changes}。"),
        format!(
            "{figure} of {name} for {period} was published as {before} and is {now}: {changes}."
        ),
    )
}
