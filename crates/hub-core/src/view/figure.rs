//! Declared figures: which report of a unit, form and period stands (S1).

use super::tree::UnitIx;
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
    /// Its revision.
    pub revision: u32,
    /// Values by element.
    pub values: Vec<ElementValue>,
    /// Rates as declared.
    pub rates: Vec<DeclaredRate>,
    /// The units a residual figure stands for (S2).
    pub residual_of: Vec<UnitIx>,
    /// Whether a superior sent it back.
    pub returned: bool,
    /// Whether a superior approved it.
    pub approved: bool,
}

/// All reports by unit, form and period.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    reports: BTreeMap<Series, Vec<Report>>,
    /// Where each report stands.
    places: BTreeMap<FactId, (Series, usize)>,
}

/// Unit, form and period.
type Series = (UnitIx, u32, String);

impl Figures {
    pub(crate) fn file(&mut self, unit: UnitIx, form: u32, period: &str, report: Report) {
        let series = (unit, form, period.to_owned());
        let filed = self.reports.entry(series.clone()).or_default();
        self.places.insert(report.id, (series, filed.len()));
        filed.push(report);
    }

    /// The report of this fact.
    pub(crate) fn report_mut(&mut self, id: &FactId) -> Option<&mut Report> {
        let (series, place) = self.places.get(id)?;
        self.reports.get_mut(series)?.get_mut(*place)
    }

    /// The unit whose report this fact is.
    pub(crate) fn unit_of(&self, id: &FactId) -> Option<UnitIx> {
        self.places.get(id).map(|((unit, _, _), _)| *unit)
    }

    /// S1: approved before filed, then revision, then clock; a returned one is out.
    pub fn standing(&self, unit: UnitIx, form: u32, period: &str) -> Option<&Report> {
        let filed = self.reports.get(&(unit, form, period.to_owned()))?;
        let in_order = |report: &&Report| (report.approved, report.revision, report.hlc, report.id);
        filed.iter().filter(|report| !report.returned).max_by_key(in_order)
    }

    /// All reports, in order of unit place, form and period.
    pub fn all(&self) -> impl Iterator<Item = (UnitIx, u32, &str, &[Report])> {
        self.reports.iter().map(|((unit, form, period), reports)| {
            (*unit, *form, period.as_str(), reports.as_slice())
        })
    }

    /// S2: the sum of one element over standing reports of these units.
    pub fn total(
        &self,
        units: impl Iterator<Item = UnitIx>,
        form: u32,
        period: &str,
        element: u32,
    ) -> (i64, u64) {
        let mut sum = (0, 0);
        for unit in units {
            let value = self.standing(unit, form, period).and_then(|report| {
                report.values.iter().find(|v| v.element == element).map(|v| v.value)
            });
            if let Some(value) = value {
                sum = (sum.0 + value, sum.1 + 1);
            }
        }
        sum
    }
}
