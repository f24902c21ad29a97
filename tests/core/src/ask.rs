//! Questions to a view in few words, for tables of rates.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::story::{DAY_0, unit};
use hub_core::query::{Answer, Basis, Bound, By, Desk, Label, Question, Row};
use hub_core::time::Day;
use hub_core::view::View;

/// The answer about a unit of a story; the base stands after a colon, `due` if none.
pub fn answer(
    view: &View,
    name: &str,
    indicator: &str,
    on: i32,
    boundaries: i32,
    by: By,
) -> Answer {
    let (indicator, base) = indicator.split_once(':').unwrap_or((indicator, "due"));
    let question = Question {
        unit: view.tree().find(&unit(name)).unwrap(),
        indicator: indicator.into(),
        base: base.into(),
        by,
        basis: Basis::Registry,
        as_of: Day(DAY_0 + on),
        boundaries: Some(Day(DAY_0 + boundaries)),
    };
    Desk::default().answer(view, &question).unwrap()
}

fn in_words(row: &Row) -> String {
    match row.denominator {
        Some(denominator) => format!("{}/{denominator}", row.numerator),
        None => row.numerator.to_string(),
    }
}

/// The total of a unit with low and high, as `1/3 0/3..2/3`; the number alone where nothing is doubtful.
pub fn bounds(view: &View, name: &str, indicator: &str, on: i32) -> String {
    let answer = answer(view, name, indicator, on, on, By::Total);
    with_bounds(answer.rows.last().unwrap())
}

/// The rows of a unit with low and high, each as its label and what [`bounds`] writes.
pub fn rows_with_bounds(view: &View, name: &str, indicator: &str, on: i32, by: By) -> String {
    let answer = answer(view, name, indicator, on, on, by);
    let rows = answer.rows.iter().map(|row| format!("{} {}", label(view, row), with_bounds(row)));
    rows.collect::<Vec<_>>().join("  ")
}

fn with_bounds(row: &Row) -> String {
    let bound = |bound: &Bound| match bound.denominator {
        Some(denominator) => format!("{}/{denominator}", bound.numerator),
        None => bound.numerator.to_string(),
    };
    match &row.bounds {
        Some((low, high)) => format!("{} {}..{}", in_words(row), bound(low), bound(high)),
        None => in_words(row),
    }
}

fn label(view: &View, row: &Row) -> String {
    match &row.label {
        Label::Unit(at) => view.tree().unit(*at).name().to_owned(),
        Label::Direct => "本级".into(),
        Label::Total => "合计".into(),
        Label::Group(group) => group.clone(),
    }
}

/// The totals of several units on one day, as `a 1/2  b 0/1`.
pub fn totals(view: &View, names: &str, indicator: &str, on: i32, boundaries: i32) -> String {
    let total = |name: &str| {
        let answer = answer(view, name, indicator, on, boundaries, By::Total);
        format!("{name} {}", in_words(answer.rows.last().unwrap()))
    };
    names.split_whitespace().map(total).collect::<Vec<_>>().join("  ")
}

/// The rows by child of a unit on one day, as `本级 1  t 1/2`.
pub fn children(view: &View, name: &str, indicator: &str, on: i32, boundaries: i32) -> String {
    let answer = answer(view, name, indicator, on, boundaries, By::Child);
    let rows = answer.rows.iter().map(|row| format!("{} {}", label(view, row), in_words(row)));
    rows.collect::<Vec<_>>().join("  ")
}
