//! Answers over a large view, and what one more fact costs it.

use super::error::{BenchError, failed};
use super::late::{self, Later};
use super::limits::{Times, micros};
use super::place::{open, province};
use super::province::{BOOKS_OPEN, Province, Size, books_open};
use super::report::{Figure, Report, Target};
use hub_core::audit::fold;
use hub_core::fact::FactBody;
use hub_core::fact::governance::{ChainHeight, GovernanceFact};
use hub_core::known::Shelf;
use hub_core::query::{Basis, By, Desk, Question};
use hub_core::time::{DAY_MILLIS, Day};
use hub_core::view::tree::UnitIx;
use hub_core::view::{BlockSource, View};
use std::path::Path;
use std::time::Instant;

const ASKED: usize = 2_000;

/// Measures answers and late facts.
///
/// # Errors
/// The province has no root unit, or a question no answer.
pub fn measure(place: &Path, size: Size, report: &mut Report<'_>) -> Result<(), BenchError> {
    report.progress(&format!("answers: a province of {} members", size.members))?;
    let (directory, mut province) = province(place, size)?;
    let journal = open(&directory)?;
    let mut view = fold(&province.root.public(), &journal, &journal).view;
    let name = format!("{} M", size.members as f64 / 1e6);
    questions(&view, &name, report)?;
    let mut source = Later::new(&journal);
    known_at(&mut view, &mut source, &mut province, &name, report)?;
    late::measure(&mut view, &mut source, &mut province, &name, report)
}

/// A checkpoint of all that is there, and what it costs to be asked about it.
fn known_at(
    view: &mut View,
    source: &mut Later<'_>,
    province: &mut Province,
    name: &str,
    report: &mut Report<'_>,
) -> Result<(), BenchError> {
    let frontier = view.frontier().into_iter().map(|(chain, height)| {
        let block = source.block(&chain, height);
        block.map(|block| ChainHeight { chain, height, hash: block.hash() })
    });
    let missing = || BenchError { step: "checkpoint".into(), cause: "a block is missing".into() };
    let frontier = frontier.collect::<Option<Vec<_>>>().ok_or_else(missing)?;
    let digest = view.digest();
    let body = GovernanceFact::Checkpointed { frontier, digest, part: 1, parts: 1 };
    province.pen.advance(books_open() + 335 * DAY_MILLIS);
    province.pen.write(Day(BOOKS_OPEN.0 + 335), Vec::new(), FactBody::Governance(body))?;
    let block = province.pen.seal()?.ok_or_else(missing)?;
    source.apply(view, &block);
    let newest = view.checkpoints_of(province.root.id).next_back().ok_or_else(missing)?;
    let mut shelf = Shelf::default();
    for (what, target, holds) in [
        ("known at a checkpoint, first question", None, "folds the log up to there anew"),
        ("known at a kept checkpoint", Some(1_000.0), "finds the view on the shelf"),
    ] {
        let began = Instant::now();
        let known = shelf.at(view, &newest, source).map_err(failed("known at"))?;
        let unit = known.view.tree().root().ok_or_else(missing)?;
        known.desk.answer(&known.view, &question(unit)).map_err(failed("ask"))?;
        report.figure(Figure {
            what: format!("{what}, {name}"),
            value: micros(began) / 1e3,
            unit: "ms",
            target: target.map(Target::AtMost),
            holds: holds.to_owned(),
        })?;
    }
    Ok(())
}

/// The rate that is asked everywhere here.
pub(super) fn question(unit: UnitIx) -> Question {
    Question {
        unit,
        indicator: "founding.unit".to_owned(),
        base: "due".to_owned(),
        by: By::Child,
        as_of: Day(BOOKS_OPEN.0 + 300),
        boundaries: None,
        basis: Basis::Registry,
    }
}

fn questions(view: &View, name: &str, report: &mut Report<'_>) -> Result<(), BenchError> {
    let root = view.tree().root();
    let no_root = || BenchError { step: "ask".into(), cause: "no root unit".into() };
    let mut question = question(root.ok_or_else(no_root)?);
    let mut desk = Desk::default();
    let ask = |desk: &mut Desk, question: &Question| {
        let began = Instant::now();
        let answer = desk.answer(view, question).map_err(failed("ask"))?;
        Ok::<_, BenchError>((micros(began), answer.rows.len()))
    };
    let (cold, _) = ask(&mut desk, &question)?;
    let mut cached = Vec::new();
    for _ in 0..ASKED {
        cached.push(ask(&mut desk, &question)?.0);
    }
    question.as_of = Day(BOOKS_OPEN.0 + 200);
    let (other_day, _) = ask(&mut desk, &question)?;
    let cached = Times::new(cached);
    let mut figure = |what: &str, value: f64, target: Option<f64>, holds: &str| {
        report.figure(Figure {
            what: format!("{what}, {name}"),
            value,
            unit: "ms",
            target: target.map(Target::AtMost),
            holds: holds.to_owned(),
        })
    };
    figure("rate by child, cold", cold / 1e3, None, "roll-up of the day and digest of the view")?;
    figure(
        "rate by child, asked again, p50",
        cached.at(0.5) / 1e3,
        None,
        "reads the roll-up kept",
    )?;
    figure(
        "rate by child, asked again, p99",
        cached.at(0.99) / 1e3,
        Some(0.1),
        "looks through the rival claims and the nodes inside for each row",
    )?;
    figure("as of another day", other_day / 1e3, Some(5.0), "rolls up the whole province anew")
}
