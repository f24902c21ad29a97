//! Declared figures: rates beside their numbers, logic checks, jumps, the same figures twice (S2, S4, K9, K12,
//! K19, K22).

use super::{Declared, Filled, Finding, Implied, Kind, ReportRef};
use crate::catalog::{Catalog, Check, Rule};
use crate::fact::figure::{DeclaredRate, ElementValue};
use crate::id::{ChainId, FactId, Lane, NodeId, UnitId};
use crate::period::Span;
use crate::rate::{Fit, Stated};
use crate::time::Day;
use crate::view::View;
use crate::view::figure::{Report, Series};
use crate::view::tree::UnitIx;
use std::collections::{BTreeMap, BTreeSet};

/// A report under check.
struct Work<'a> {
    catalog: &'a Catalog,
    values: &'a [ElementValue],
    rates: &'a [DeclaredRate],
    of: ReportRef,
    unit: UnitId,
    found: &'a mut Vec<Finding>,
}

/// The checks that need no other report.
pub(super) fn check_values(
    unit: UnitId,
    (form, period): (u32, &str),
    values: &[ElementValue],
    rates: &[DeclaredRate],
    found: &mut Vec<Finding>,
) {
    let chain = ChainId { node: NodeId([0; 16]), epoch: 0, lane: Lane::Up };
    let of = ReportRef { fact: FactId { chain, seq: 0 }, form, period: period.to_owned() };
    Work { catalog: Catalog::standard(), values, rates, of, unit, found }.alone();
}

/// What a report says: form, period, values by element.
type Told<'a> = (u32, &'a str, Vec<(u32, i64)>);

/// Checks every standing report filed inside, of the newest ended period of its form or a later one.
pub(super) fn check(
    view: &View,
    day: Day,
    inside: &dyn Fn(UnitIx) -> bool,
    found: &mut Vec<Finding>,
) {
    let catalog = Catalog::standard();
    let id = |at: UnitIx| view.tree().unit(view.tree().canonical(at)).id;
    let mut periods: BTreeSet<(u32, &str)> = BTreeSet::new();
    let mut alike: BTreeMap<Told<'_>, Vec<(UnitId, &Report)>> = BTreeMap::new();
    for (series, _) in view.figures().all() {
        let Some(report) = view.figures().standing_of(series) else { continue };
        if !inside(series.unit) || !is_recent(&series.period, day) {
            continue;
        }
        periods.insert((series.form, &series.period));
        let unit = id(series.unit);
        let (values, rates) = (report.values.as_slice(), report.rates.as_slice());
        let mut work = Work { catalog, values, rates, of: refer(series, report), unit, found };
        work.alone();
        work.jumps(view, series);
        if let Some(values) = fingerprint(catalog, report) {
            let key = (series.form, series.period.as_str(), values);
            alike.entry(key).or_default().push((unit, report));
        }
    }
    for ((form, period, _), mut reports) in alike {
        reports.sort_by_key(|(unit, report)| (report.hlc, *unit));
        let Some((first, _)) = reports.first().copied() else { continue };
        for (unit, report) in reports.into_iter().skip(1).filter(|(unit, _)| *unit != first) {
            let report = ReportRef { fact: report.id, form, period: period.to_owned() };
            found.push(Finding { unit, kind: Kind::Identical { report, other: first } });
        }
    }
    for (form, period) in periods {
        for overlap in view.figures().counted(view.tree(), form, period).overlaps {
            if inside(overlap.left_out_of) {
                let fact = overlap.left_out;
                let left_out = ReportRef { fact, form, period: period.to_owned() };
                let counted_of = id(overlap.counted_of);
                let kind = Kind::ResidualOverlap { left_out, counted_of };
                found.push(Finding { unit: id(overlap.unit), kind });
            }
        }
    }
}

/// Whether a period is the newest that has ended by the day, or a later one; a text that is no period is.
fn is_recent(period: &str, day: Day) -> bool {
    let Some(span) = Span::parse(period) else { return true };
    Span::newest_ended(span.cycle, day).is_none_or(|newest| span.last >= newest.last)
}

fn refer(series: &Series, report: &Report) -> ReportRef {
    ReportRef { fact: report.id, form: series.form, period: series.period.clone() }
}

/// The values by which two reports are told to be the same; none where too few are filled.
fn fingerprint(catalog: &Catalog, report: &Report) -> Option<Vec<(u32, i64)>> {
    let filled: Vec<(u32, i64)> =
        report.values.iter().filter(|v| v.value != 0).map(|v| (v.element, v.value)).collect();
    (filled.len() >= catalog.checks.identical_values_least.max(1)).then_some(filled)
}

impl Work<'_> {
    fn alone(&mut self) {
        self.elements();
        self.rates.iter().for_each(|rate| self.rate(rate));
        self.catalog.rules.iter().for_each(|rule| self.rule(rule));
    }

    fn value(&self, element: u32) -> Option<i64> {
        self.values.iter().find(|value| value.element == element).map(|value| value.value)
    }

    fn push(&mut self, kind: Kind) {
        self.found.push(Finding { unit: self.unit, kind });
    }

    fn filled(&self, element: u32) -> Option<Filled> {
        self.value(element).map(|value| Filled { element, value })
    }

    fn elements(&mut self) {
        let known = |element: u32| {
            let form = self.catalog.form(self.of.form);
            form.is_some_and(|form| form.elements.contains(&element))
        };
        let unknown: Vec<Filled> = self
            .values
            .iter()
            .filter(|value| !known(value.element))
            .map(|value| Filled { element: value.element, value: value.value })
            .collect();
        for filled in unknown {
            let report = self.of.clone();
            self.push(Kind::ElementUnknown { report, filled });
        }
    }

    /// S4: a declared rate beside its numbers.
    fn rate(&mut self, rate: &DeclaredRate) {
        let (name, text) = (rate.name.clone(), rate.text.clone());
        let declared = Declared { report: self.of.clone(), name, text };
        let named = self.catalog.rates_named(&rate.name);
        if named.len() > 1 {
            let rates = named.iter().map(|rate| rate.id.clone()).collect();
            self.push(Kind::RateOfSeveral { declared: declared.clone(), rates });
        }
        let Some(stated) = Stated::read(&rate.text) else {
            return self.push(Kind::RateUnreadable { declared });
        };
        if rate.numerator != 0
            && rate.denominator != 0
            && let Err(mixed) = self.catalog.unit_of_measure(&[rate.numerator, rate.denominator])
        {
            return self.push(Kind::UnitsMixed { declared, mixed });
        }
        let (over, under) = (self.filled(rate.numerator), self.filled(rate.denominator));
        let (Some(numerator), Some(denominator)) = (over, under) else {
            return self.push(Kind::RateWithoutNumbers { declared });
        };
        if let [only] = named.as_slice()
            && !only.ratios.contains(&(rate.numerator, rate.denominator))
        {
            let is = self.catalog.rate_of(rate.numerator, rate.denominator);
            let rightly = only.ratios.iter().filter_map(|(over, under)| {
                Some((self.filled(*over)?.value, self.filled(*under)?.value))
            });
            self.push(Kind::RateMisnamed {
                declared: declared.clone(),
                numerator,
                denominator,
                called: only.id.clone(),
                is: is.map(|rate| rate.id.clone()),
                rightly: rightly.collect(),
            });
        }
        self.push(match stated.fits(numerator.value, denominator.value) {
            Fit::Differs | Fit::NoBase => {
                let needed = stated.numerators(denominator.value);
                let needed = needed.map(|range| (*range.start(), *range.end()));
                Kind::RateDiffers { declared, numerator, denominator, needed }
            }
            fit => Kind::RateFollows { declared, numerator, denominator, fit },
        });
    }

    fn rule(&mut self, rule: &Rule) {
        match &rule.check {
            Check::AtMost { part, whole } => {
                let (Some(part), Some(whole)) = (self.filled(*part), self.filled(*whole)) else {
                    return;
                };
                if part.value > whole.value {
                    let (report, id, family) = (self.of.clone(), rule.id.clone(), rule.family);
                    self.push(Kind::PartOverWhole { report, rule: id, family, part, whole });
                }
            }
            Check::Sum { whole, parts } => self.sum(rule, *whole, parts),
        }
    }

    /// A part that is not filled may follow from a declared rate with that part under the line.
    fn sum(&mut self, rule: &Rule, whole: u32, parts: &[u32]) {
        let Some(whole) = self.filled(whole) else { return };
        let (mut filled, mut implied) = (Vec::new(), Vec::new());
        let (mut low, mut high) = (0, 0);
        // a part cut off after its last digit may be smaller than one rounded: then the sum may fit too
        let mut least = 0;
        for part in parts {
            if let Some(part) = self.filled(*part) {
                low += part.value;
                high += part.value;
                least += part.value;
                filled.push(part);
                continue;
            }
            let Some((one, wide)) = self.implied(*part) else { return };
            low += one.low;
            high += one.high;
            least += wide;
            implied.push(one);
        }
        if (least..=high).contains(&whole.value) {
            return;
        }
        let (report, rule) = (self.of.clone(), rule.id.clone());
        self.push(Kind::PartsDiffer { report, rule, whole, filled, implied, low, high });
    }

    /// The values a denominator can have by a declared rate, with the least by rounding or truncation.
    fn implied(&self, element: u32) -> Option<(Implied, i64)> {
        self.rates.iter().filter(|rate| rate.denominator == element).find_map(|rate| {
            let numerator = self.value(rate.numerator)?;
            let stated = Stated::read(&rate.text)?;
            let range = stated.denominators(numerator)?;
            let wide = stated.denominators_at_most(numerator)?;
            let (low, high, text) = (*range.start(), *range.end(), rate.text.clone());
            Some((Implied { element, numerator, text, low, high }, *wide.start()))
        })
    }

    fn jumps(&mut self, view: &View, series: &Series) {
        let previous = Span::parse(&series.period).and_then(Span::previous);
        let Some(period_before) = previous.map(|span| span.to_string()) else { return };
        let before = Series { period: period_before.clone(), ..series.clone() };
        let Some(before) = view.figures().standing_of(&before) else { return };
        let checks = self.catalog.checks;
        for value in self.values {
            let Some(known) = before.value(value.element) else { continue };
            let (less, more) = (known.min(value.value), known.max(value.value));
            let far = i128::from(more) * 100
                > i128::from(less.max(0)) * i128::from(checks.jump_hundredths);
            if far && more >= checks.jump_least {
                self.found.push(Finding {
                    unit: self.unit,
                    kind: Kind::Jump {
                        report: self.of.clone(),
                        now: Filled { element: value.element, value: value.value },
                        before: known,
                        period_before: period_before.clone(),
                    },
                });
            }
        }
    }
}
