//! Any figure taken apart: the parts of each row sum to what the row says.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::explain::explain;
use hub_core::measure::{Indicators, Measure};
use hub_core::query::{Basis, By, Label, Question};
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::federation::Federation;
use hub_core_tests::offices::view_of;
use hub_core_tests::random::Random;

const FEDERATIONS: u64 = 200;
const ACTS: usize = 80;

/// Every indicator by each base, and every measure.
fn figures() -> Vec<(String, String)> {
    let indicators = &Indicators::standard().indicators;
    let ratios = indicators.iter().flat_map(|indicator| {
        indicator.bases.keys().map(|base| (indicator.id.clone(), base.clone()))
    });
    ratios.chain(Measure::ALL.iter().map(|m| (m.id().to_owned(), String::new()))).collect()
}

/// How many rows were taken apart, and how many parts they have.
fn take_apart(view: &View, question: &Question) -> (usize, usize) {
    let rollup = Rollup::of(view, question.as_of, question.boundaries.unwrap_or(question.as_of));
    // not every measure is declared
    let Ok(explained) = explain(view, &rollup, question) else { return (0, 0) };
    let total = explained.rows.last().unwrap();
    assert_eq!(total.label, Label::Total);
    assert_eq!((total.numerator, total.denominator), (explained.numerator, explained.denominator));
    for row in &explained.rows {
        let own = row.label != Label::Total || question.by == By::Total;
        let parts = explained.parts.iter().filter(|part| part.row == row.label);
        let over: i64 = parts.clone().map(|part| part.numerator).sum();
        let under: i64 = parts.map(|part| part.denominator).sum();
        // a unit of two parents is disputed in both rows and part of one
        let disputed = question.indicator == Measure::UnitsDisputed.id();
        if own && !(disputed && question.by != By::Total) {
            let stated = (row.numerator, row.denominator.unwrap_or(0));
            assert_eq!((over, under), stated, "{question:?} {:?}", row.label);
        }
    }
    (explained.rows.len(), explained.parts.len())
}

#[test]
fn parts_sum_to_every_row_of_every_figure() {
    let (mut rows, mut parts) = (0, 0);
    for seed in 0..FEDERATIONS {
        let world = Federation::of(seed, ACTS);
        let view = view_of(world.root_key, &world.blocks);
        let mut rng = Random::new(seed ^ 0xe9);
        let units: Vec<_> = view.tree().ids().map(|(_, at)| at).collect();
        let units: Vec<_> =
            units.into_iter().filter(|at| view.tree().unit(*at).origin.is_some()).collect();
        let last = world.blocks[world.order.last().unwrap()].header().last_hlc.day();
        for (indicator, base) in figures() {
            let one = units[rng.index(units.len())];
            let unit = if rng.one_in(3) { view.tree().root().unwrap() } else { one };
            let by = [By::Total, By::Child, By::Ownership, By::Industry, By::Headcount];
            let as_of = Day(last.0 - rng.below(100) as i32);
            let boundaries = rng.one_in(3).then(|| Day(as_of.0 - rng.below(60) as i32));
            let basis = if rng.one_in(3) { Basis::Declared } else { Basis::Registry };
            let by = rng.pick(&by);
            let question = Question { unit, indicator, base, by, as_of, boundaries, basis };
            let (more, apart) = take_apart(&view, &question);
            (rows, parts) = (rows + more, parts + apart);
        }
    }
    println!("{rows} rows of {parts} parts");
    assert!(rows > 5_000 && parts > 1_000, "{rows} {parts}");
}
