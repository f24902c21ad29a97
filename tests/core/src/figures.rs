//! Reports as tables tell them.
//!
//! `A files e form 1 period 2025 rev 2 values 101=30,102=20 rate 组建率:102/101=92% rest e,f`: all but the
//! unit may be left out. A rate without elements is `组建率:-=85%`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::story::{option, unit};
use hub_core::fact::FigureFact;
use hub_core::fact::figure::{DeclaredRate, ElementValue};
use hub_core::id::UnitId;

/// The report a line tells.
pub(crate) fn report(of: UnitId, words: &[&str]) -> FigureFact {
    let number = |name: &str| option(words, name).map_or(1, |word| word.parse().unwrap());
    let list = |name: &str| option(words, name).into_iter().flat_map(|word| word.split(','));
    FigureFact::Reported {
        unit: of,
        form: number("form"),
        period: option(words, "period").unwrap_or("2025").into(),
        revision: number("rev"),
        values: list("values").map(value).collect(),
        rates: list("rate").map(rate).collect(),
        posts: [1; 3],
        residual_of: list("rest").map(unit).collect(),
    }
}

fn value(word: &str) -> ElementValue {
    let (element, value) = word.split_once('=').unwrap();
    ElementValue { element: element.parse().unwrap(), value: value.parse().unwrap() }
}

fn rate(word: &str) -> DeclaredRate {
    let (name, rest) = word.split_once(':').unwrap();
    let (ratio, text) = rest.split_once('=').unwrap();
    let ratio = ratio.split_once('/').map(|(over, under)| (over.parse(), under.parse()));
    let (numerator, denominator) = match ratio {
        Some((over, under)) => (over.unwrap(), under.unwrap()),
        None => (0, 0),
    };
    DeclaredRate { numerator, denominator, text: text.into(), name: name.into() }
}
