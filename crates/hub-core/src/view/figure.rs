//! Declared figures: which report of a unit, form and period stands (S1), and which are in totals (S2).

use super::tree::{Tree, UnitIx};
use crate::fact::figure::{DeclaredRate, ElementValue};
use crate::id::FactId;
use crate::time::Hlc;
use std::collections::BTreeMap;

/// One filed report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The fact.
    pub id: FactId,
    /// When it was written.
    pub hlc: Hlc,
    /// The height of its block.
    pub height: u64,
    /// Its revision.
    pub revision: u32,
    /// Values by element.
    pub values: Vec<ElementValue>,
    /// Rates as declared.
    pub rates: Vec<DeclaredRate>,
    /// The posts that filed, reviewed and answer for it.
    pub posts: [u32; 3],
    /// The units a residual figure stands for (S2); empty for a unit's own figure.
    pub residual_of: Vec<UnitIx>,
    /// Returns by superiors (退回): while one stands, the report is out of totals.
    pub returned: BTreeMap<FactId, Returned>,
    /// Approvals by superiors (审核), with the unit acted for.
    pub approved: BTreeMap<FactId, UnitIx>,
}

/// A report sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The unit acted for.
    pub by: UnitIx,
    /// Why, in words.
    pub reason: String,
}

impl Report {
    /// The value of an element, where it is filled: zero and not filled differ.
    pub fn value(&self, element: u32) -> Option<i64> {
        self.values.iter().find(|value| value.element == element).map(|value| value.value)
    }

    /// S1's order among reports of one series: approved before filed, then revision, then clock, then id.
    pub fn order(&self) -> (bool, u32, Hlc, FactId) {
        (!self.approved.is_empty(), self.revision, self.hlc, self.id)
    }
}

/// What a report is of: of its reports one stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The form.
    pub form: u32,
    /// The period, in the form facts use.
    pub period: String,
    /// The unit that files, whoever serves it.
    pub unit: UnitIx,
    /// Whether it is a residual figure for other units: beside the unit's own, never instead of it.
    pub residual: bool,
}

/// All reports by what they are of.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    reports: BTreeMap<Series, BTreeMap<FactId, Report>>,
    /// What each report is of.
    places: BTreeMap<FactId, Series>,
}

/// A unit that two standing figures speak for (S2): a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overlap {
    /// The unit.
    pub unit: UnitIx,
    /// The residual figure that is in totals.
    pub counted: FactId,
    /// Its unit.
    pub counted_of: UnitIx,
    /// The figure left out: the unit's own, or another residual one.
    pub left_out: FactId,
    /// Its unit.
    pub left_out_of: UnitIx,
}

/// The standing figures of one form and period.
#[derive(Debug, Clone, Default)]
pub struct Counted<'a> {
    /// Those in totals, with the units that filed them.
    pub reports: Vec<(UnitIx, &'a Report)>,
    /// Those left out, since another speaks for their unit.
    pub overlaps: Vec<Overlap>,
}

impl Figures {
    pub(crate) fn file(&mut self, series: Series, report: Report) {
        self.places.insert(report.id, series.clone());
        self.reports.entry(series).or_default().insert(report.id, report);
    }

    /// The report of this fact.
    pub(crate) fn report_mut(&mut self, id: &FactId) -> Option<&mut Report> {
        self.reports.get_mut(self.places.get(id)?)?.get_mut(id)
    }

    /// The unit whose report this fact is.
    pub(crate) fn unit_of(&self, id: &FactId) -> Option<UnitIx> {
        self.places.get(id).map(|series| series.unit)
    }

    /// S1: of a unit's own reports on a form for a period, approved before filed, then revision, then clock; a
    /// returned one is out.
    pub fn standing(&self, unit: UnitIx, form: u32, period: &str) -> Option<&Report> {
        let series = Series { form, period: period.to_owned(), unit, residual: false };
        self.standing_of(&series)
    }

    /// S1 for any series.
    pub fn standing_of(&self, series: &Series) -> Option<&Report> {
        stands(self.reports.get(series)?)
    }

    /// All series with their reports in order of id.
    pub fn all(&self) -> impl Iterator<Item = (&Series, impl Iterator<Item = &Report>)> {
        self.reports.iter().map(|(series, reports)| (series, reports.values()))
    }

    /// All reports of a series.
    pub fn of(&self, series: &Series) -> impl Iterator<Item = &Report> {
        self.reports.get(series).into_iter().flat_map(BTreeMap::values)
    }

    /// Standing reports of a form and period, a unit's own before its residual one, in no meaningful order of
    /// units.
    pub fn standing_in(&self, form: u32, period: &str) -> Vec<(&Series, &Report)> {
        let first = Series { form, period: period.to_owned(), unit: 0, residual: false };
        let within = |series: &Series| series.form == form && series.period == period;
        let of_form = self.reports.range(first..).take_while(|(series, _)| within(series));
        of_form.filter_map(|(series, reports)| Some((series, stands(reports)?))).collect()
    }

    /// S2: the figures that totals sum. A residual figure stands for the units it lists, if they lie at or below
    /// the unit that files it (at its clock). A unit counts once: its own figure is left out while a residual one
    /// lists it, and of two residual figures that share a unit the later in S1's order. Each is a case.
    pub fn counted(&self, tree: &Tree, form: u32, period: &str) -> Counted<'_> {
        let mut counted = Counted::default();
        let mut own = Vec::new();
        let mut residual = Vec::new();
        for (series, report) in self.standing_in(form, period) {
            let list = if series.residual { &mut residual } else { &mut own };
            list.push((series.unit, report));
        }
        residual.sort_by_key(|(_, report)| std::cmp::Reverse(report.order()));
        let mut spoken: BTreeMap<UnitIx, (FactId, UnitIx)> = BTreeMap::new();
        for (filer, report) in residual {
            let listed: Vec<UnitIx> = spoken_for(tree, filer, report).collect();
            let taken = listed.iter().find_map(|unit| Some((*unit, *spoken.get(unit)?)));
            match taken {
                Some((unit, by)) => counted.overlaps.push(overlap(unit, by, report.id, filer)),
                None => {
                    spoken.extend(listed.into_iter().map(|unit| (unit, (report.id, filer))));
                    counted.reports.push((filer, report));
                }
            }
        }
        for (unit, report) in own {
            match spoken.get(&unit) {
                Some(by) => counted.overlaps.push(overlap(unit, *by, report.id, unit)),
                None => counted.reports.push((unit, report)),
            }
        }
        counted
    }
}

fn overlap(
    unit: UnitIx,
    (counted, counted_of): (FactId, UnitIx),
    left_out: FactId,
    left_out_of: UnitIx,
) -> Overlap {
    Overlap { unit, counted, counted_of, left_out, left_out_of }
}

/// The units a residual figure may speak for, of those it lists.
pub(crate) fn spoken_for<'a>(
    tree: &'a Tree,
    filer: UnitIx,
    report: &'a Report,
) -> impl Iterator<Item = UnitIx> + 'a {
    let listed = report.residual_of.iter().map(|unit| tree.canonical(*unit));
    listed.filter(move |unit| {
        tree.unit(*unit).origin.is_some() && tree.is_at_or_above(filer, *unit, report.hlc)
    })
}

fn stands(reports: &BTreeMap<FactId, Report>) -> Option<&Report> {
    reports.values().filter(|report| report.returned.is_empty()).max_by_key(|r| r.order())
}
