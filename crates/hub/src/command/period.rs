//! `hub period close` and `hub checkpoint`: what was known and published stays askable.

use super::error::CommandError;
use super::session::{Session, transact};
use crate::cli::PeriodClose;
use crate::command_io::STANDARD_STREAM;
use crate::render::{Cell, Lang, Table};
use crate::replica::{self, Draft, Stated};
use crate::report::coverage::instant;
use hub_core::case::{self, CaseState};
use hub_core::catalog::Catalog;
use hub_core::closing::{self, last_day};
use hub_core::fact::{FactBody, FigureFact};
use hub_core::id::UnitId;
use hub_core::measure::{Indicators, Measure};
use hub_core::period::Span;
use hub_core::published;
use hub_core::query::Desk;
use hub_core::reporting;
use hub_core::rollup::Rollup;
use hub_core::texts;
use hub_core::time::{Day, Hlc};
use hub_core::view::View;
use hub_core::view::tree::UnitIx;
use std::io::{BufRead, BufReader};

/// The most units or cases a point names.
const NAMED_MAX: usize = 5;

/// States what this node holds.
///
/// # Errors
/// The node does not sign now or is not enrolled.
pub fn checkpoint(session: &Session<'_>) -> Result<u8, CommandError> {
    session.own_unit()?;
    match session.replica().checkpoint(true)? {
        Some(Stated { hlc, digest, chains, .. }) => {
            let (at, digest) = (instant(hlc.millis()), digest.short());
            session.say(
                &format!("已存证:截至 {at},{chains} 本账,校验码 {digest}"),
                &format!("checkpoint written: {at}, {chains} chains, digest {digest}"),
            )?;
            Ok(0)
        }
        None => Err(CommandError::refused(
            "账本读不全,不能存证;请先运行 hub log repair",
            "blocks cannot be read, so nothing can be stated; run hub log repair first",
        )),
    }
}

/// Something open that has to be acknowledged before a period is closed.
struct Point {
    key: &'static str,
    flag: &'static str,
    zh: &'static str,
    en: &'static str,
    found: Vec<String>,
    accepted: Option<u64>,
}

impl Point {
    fn count(&self) -> u64 {
        self.found.len() as u64
    }

    fn is_settled(&self) -> bool {
        self.found.is_empty() || self.accepted == Some(self.count())
    }
}

/// Closes a period for a unit, or lists what stands in the way.
///
/// # Errors
/// It cannot be closed here or now.
pub fn close(session: &Session<'_>, asked: &PeriodClose) -> Result<u8, CommandError> {
    let names = session.names();
    let unit = match &asked.unit {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => session.own_unit()?,
    };
    let day = last_day(&asked.period).ok_or_else(|| {
        let typed = &asked.period;
        CommandError::refused(
            format!("“{typed}”不是报告期;年度写作 2026(至 9 月 30 日),月份写作 2026-03"),
            format!("\"{typed}\" is no period; write 2026 (to 30 September) or 2026-03"),
        )
    })?;
    if day >= session.today() {
        return Err(CommandError::refused(
            format!("报告期到 {day} 才结束,不能提前封账"),
            format!("the period ends on {day} and cannot be closed before"),
        ));
    }
    let (mut points, revision) = look(session, unit, asked, day)?;
    let table = shown(&points, asked, session.lang);
    session.show(&table)?;
    if asked.dry_run {
        return Ok(u8::from(!points.iter().all(Point::is_settled)));
    }
    if asked.ask {
        answer(session, &mut points)?;
    }
    if let Some(open) = points.iter().find(|point| !point.is_settled()) {
        let (zh, en, flag, count) = (open.zh, open.en, open.flag, open.count());
        session.say(
            &format!("未封账:{zh} {count} 项尚未确认;核对后加 {flag} {count} 再封账"),
            &format!(
                "not closed: {count} {en} not acknowledged; check them and add {flag} {count}"
            ),
        )?;
        return Ok(1);
    }
    write(session, unit, asked, revision)
}

/// What is open, and the revision this closing would be.
fn look(
    session: &Session<'_>,
    unit: UnitId,
    asked: &PeriodClose,
    day: Day,
) -> Result<(Vec<Point>, u32), CommandError> {
    let (replica, own) = (session.replica(), session.own_unit()?);
    let node = replica.who().node;
    // persons in conflict are folded again: before the view is only read
    let all_cases = replica.ask(|view, source| {
        let rollup = Rollup::of(view, day, day);
        case::all(view, &rollup, source)
    });
    let view = replica.read();
    let tree = view.tree();
    let (Some(at), Some(own)) = (tree.find(&unit), tree.find(&own)) else {
        return Err(CommandError::refused("没有这个单位", "no such unit"));
    };
    if !tree.is_at_or_above(own, at, Hlc::at(replica.now())) {
        return Err(CommandError::refused(
            "只能为本单位或下级单位封账",
            "periods are closed for this node's own unit or one below",
        ));
    }
    let served = view.authority().server_of(tree, at, Hlc::at(replica.now()));
    if served.is_some_and(|by| by.enrolment.node != node) {
        return Err(CommandError::refused(
            "该单位有自己的节点,由它自己封账;上级封本级的账时已包含它的数",
            "the unit has a node of its own, which closes its periods; closing this node's own \
             unit covers its figures",
        ));
    }
    let closed = closing::standing(&view, at, &asked.period);
    if let (Some(closed), None) = (&closed, &asked.reopen) {
        let (revision, at) = (closed.revision, instant(closed.hlc.millis()));
        return Err(CommandError::refused(
            format!(
                "{} 已于 {at} 第 {revision} 次封账;重新封账请用 --reopen 写明原因",
                asked.period
            ),
            format!("closed at {at} as revision {revision}; to close again say why with --reopen"),
        ));
    }
    let rollup = session.shared.desk().rollup(&view, day, day);
    let names_of = |units: Vec<UnitIx>| -> Vec<String> {
        units.into_iter().map(|at| tree.unit(at).name().to_owned()).collect()
    };
    let with = |measure: Measure| {
        let inside = below(&rollup, at);
        names_of(inside.into_iter().filter(|at| rollup.own(*at).get(measure) > 0).collect())
    };
    let undecided =
        |state| matches!(state, CaseState::Open | CaseState::Auto | CaseState::Objected);
    let cases = all_cases
        .into_iter()
        .filter(|case| undecided(case.state) && case.concerns(at, &rollup))
        .map(|case| case.id.short())
        .collect();
    let point = |key, flag, zh, en, found, accepted| Point { key, flag, zh, en, found, accepted };
    let points = vec![
        point(
            "missing",
            "--accept-missing",
            "未报单位",
            "missing reports",
            names_of(missing(&view, &rollup, at, &asked.period)),
            asked.accept_missing,
        ),
        point("cases", "--accept-cases", "未决争议", "open cases", cases, asked.accept_cases),
        point(
            "over",
            "--accept-over",
            "会员多于职工的单位",
            "units with more members than employees",
            with(Measure::UnitsBaseTooSmall),
            asked.accept_over,
        ),
        point(
            "unknown",
            "--accept-unknown",
            "职工人数不详的单位",
            "units of unknown headcount",
            with(Measure::UnitsUnknownHeadcount),
            asked.accept_unknown,
        ),
    ];
    Ok((points, closed.map_or(1, |closed| closed.revision + 1)))
}

/// A unit with all below it.
fn below(rollup: &Rollup, unit: UnitIx) -> Vec<UnitIx> {
    let mut found = vec![unit];
    let mut next = 0;
    while let Some(at) = found.get(next).copied() {
        found.extend(rollup.children(at));
        next += 1;
    }
    found
}

/// Units that have to file a form for the period and have not.
fn missing(view: &View, rollup: &Rollup, unit: UnitIx, period: &str) -> Vec<UnitIx> {
    let Some(span) = Span::parse(period) else { return Vec::new() };
    let forms = Catalog::standard().forms.iter().filter(|form| form.cycle == span.cycle);
    let mut missing: Vec<UnitIx> = forms
        .flat_map(|form| reporting::duties(view, form, span))
        .filter(|(_, duty)| duty.report.is_none())
        .map(|(filer, _)| filer)
        .filter(|filer| rollup.is_at_or_above(unit, *filer))
        .collect();
    missing.sort_by_key(|at| view.tree().unit(*at).id);
    missing
}

fn shown(points: &[Point], asked: &PeriodClose, lang: Lang) -> Table {
    let columns = [
        ("key", lang.pick("项", "key")),
        ("point", lang.pick("待确认", "to acknowledge")),
        ("count", lang.pick("数量", "count")),
        ("acknowledged", lang.pick("已确认", "acknowledged")),
        ("some", lang.pick("如", "among them")),
    ];
    let title = lang
        .pick(format!("封账前检查 {}", asked.period), format!("before closing {}", asked.period));
    let mut table = Table::new(title, &columns);
    for point in points {
        let mut named: Vec<&str> = point.found.iter().take(NAMED_MAX).map(String::as_str).collect();
        if point.found.len() > NAMED_MAX {
            named.push("…");
        }
        table.push(vec![
            Cell::text(point.key),
            Cell::text(lang.pick(point.zh, point.en)),
            Cell::count(point.count()),
            Cell::text(if point.is_settled() {
                lang.pick("是", "yes")
            } else {
                lang.pick("否", "no")
            }),
            Cell::text(named.join(lang.pick("、", ", "))),
        ]);
    }
    table
}

/// Asks for each open point.
fn answer(session: &Session<'_>, points: &mut [Point]) -> Result<(), CommandError> {
    let file = |error| CommandError::File { path: STANDARD_STREAM.to_owned(), error };
    let mut lines = BufReader::new(session.io.read_file(STANDARD_STREAM).map_err(file)?).lines();
    for point in points.iter_mut().filter(|point| !point.is_settled()) {
        let (zh, en, count) = (point.zh, point.en, point.count());
        let asked = session.lang.pick(
            format!("{zh} {count} 项,确认照此封账?(是/否)\n"),
            format!("{count} {en}: close all the same? (yes/no)\n"),
        );
        session.io.err(&asked).map_err(CommandError::Screen)?;
        let line = lines.next().transpose().map_err(file)?.unwrap_or_default();
        if matches!(line.trim(), "是" | "y" | "yes") {
            point.accepted = Some(count);
        }
    }
    Ok(())
}

/// States the texts that this closing will name, where nobody has: a later program reads them in the log.
fn publish_texts(session: &Session<'_>, own: UnitId) -> Result<(), CommandError> {
    let due = {
        let view = session.replica().read();
        let tree = view.tree();
        texts::due(&view, tree.root().is_some() && tree.find(&own) == tree.root())
    };
    if due.is_empty() {
        return Ok(());
    }
    let (operator, today) = (session.operator, session.today());
    transact(session, false, |tx| {
        for text in due {
            tx.push(Draft { operator, ..Draft::new(own, today, FactBody::Governance(text)) });
        }
        Ok(())
    })
}

fn write(
    session: &Session<'_>,
    unit: UnitId,
    asked: &PeriodClose,
    revision: u32,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let (journal, operator, today) =
        (session.replica().journal(), session.operator, session.today());
    publish_texts(session, own)?;
    let (stated, table) = transact(session, false, |tx| {
        let view = tx.view();
        let gap = || {
            CommandError::refused(
                "账本有缺口,不能封账;请先同步补齐",
                "the books have a gap; sync before a period is closed",
            )
        };
        let at = view.tree().find(&unit).filter(|_| view.is_contiguous()).ok_or_else(gap)?;
        let table =
            closing::table(view, &mut Desk::default(), at, &asked.period, Indicators::standard());
        let table = closing::table_hash(&table.ok_or_else(gap)?);
        let stated = replica::state(tx, journal).ok_or_else(gap)?;
        let closed = FigureFact::PeriodClosed {
            unit,
            period: asked.period.clone(),
            revision,
            checkpoint: stated.id,
            digest: stated.digest,
            table,
            policy: published::policy_hash(),
            definitions: published::definitions_hash(),
            reason: asked.reopen.clone().unwrap_or_default(),
        };
        tx.push(Draft { operator, ..Draft::new(own, today, FactBody::Figure(closed)) });
        Ok((stated, table))
    })?;
    let (period, at) = (&asked.period, instant(stated.hlc.millis()));
    let (digest, table) = (stated.digest.short(), table.short());
    session.say(
        &format!("已封账 {period}(第 {revision} 次):截至 {at},校验码 {digest},公布表 {table}"),
        &format!("closed {period} (revision {revision}): {at}, digest {digest}, table {table}"),
    )?;
    Ok(0)
}
