//! Facts about declared figures (DESIGN §4, §7 S1 to S5).

use super::{FactError, check_list, check_text};
use crate::hash::Hash;
use crate::id::{FactId, UnitId};
use serde::{Deserialize, Serialize};

/// The union statistical year a figure belongs to runs 1 Oct to 30 Sep and is named by the year it ends
/// in; a month is named `YYYY-MM`, a year `YYYY`.
pub type Period = String;

/// One element's value; zero and not filled differ, so an unfilled element is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementValue {
    /// Which element of the form (`schemas/catalog.json`).
    pub element: u32,
    /// Its value in the element's unit of measure; money in fen.
    pub value: i64,
}

/// A rate as its writer declared it; kept, never used (K9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredRate {
    /// Which element stands over the line; 0 where the writer does not say (K9).
    pub numerator: u32,
    /// Which element stands under the line; 0 where the writer does not say.
    pub denominator: u32,
    /// The text, e.g. `92%`.
    pub text: String,
    /// What the writer calls it, e.g. `组建率`.
    pub name: String,
}

/// A fact about figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureFact {
    /// A form was filed (填报) for a unit and period.
    Reported {
        /// The unit the figures are of.
        unit: UnitId,
        /// Which form.
        form: u32,
        /// Which period.
        period: Period,
        /// Counted from 1; a correction has the next.
        revision: u32,
        /// Values by element, in rising order of element.
        #[serde(deserialize_with = "super::bounded::list")]
        values: Vec<ElementValue>,
        /// Rates as declared.
        #[serde(deserialize_with = "super::bounded::list")]
        rates: Vec<DeclaredRate>,
        /// The posts that filed, reviewed and answer for it.
        posts: [u32; 3],
        /// The units a residual figure stands for; empty for a unit's own figure (S2).
        #[serde(deserialize_with = "super::bounded::list")]
        residual_of: Vec<UnitId>,
    },
    /// A superior sent a report back (退回); it leaves totals and is listed.
    Returned {
        /// The report.
        unit: UnitId,
        /// Which fact.
        report: FactId,
        /// Why, in words.
        reason: String,
    },
    /// A superior approved a report (审核).
    Approved {
        /// The unit of the report.
        unit: UnitId,
        /// Which fact.
        report: FactId,
    },
    /// A period was closed for a unit (封账).
    PeriodClosed {
        /// The unit.
        unit: UnitId,
        /// Which period.
        period: Period,
        /// Counted from 1; a reopened period closes with the next.
        revision: u32,
        /// The checkpoint it was closed at.
        checkpoint: FactId,
        /// The view digest there.
        digest: Hash,
        /// Hash of the published table.
        table: Hash,
        /// Hash of the policy.
        policy: Hash,
        /// Hash of the definitions.
        definitions: Hash,
        /// Why, when reopened.
        reason: String,
    },
    /// A target for an indicator (目标).
    TargetSet {
        /// For which unit.
        unit: UnitId,
        /// Which indicator.
        indicator: String,
        /// Which period.
        period: Period,
        /// The target, in thousandths of the indicator's unit.
        value: i64,
    },
}

impl FigureFact {
    /// The unit it is about.
    pub fn unit(&self) -> UnitId {
        match self {
            Self::Reported { unit, .. }
            | Self::Returned { unit, .. }
            | Self::Approved { unit, .. }
            | Self::PeriodClosed { unit, .. }
            | Self::TargetSet { unit, .. } => *unit,
        }
    }

    pub(crate) fn check(&self) -> Result<(), FactError> {
        match self {
            Self::Reported { period, values, rates, residual_of, .. } => {
                check_text("period", period)?;
                check_list("values", values.len())?;
                check_list("rates", rates.len())?;
                check_list("residual_of", residual_of.len())?;
                if !values.windows(2).all(|pair| pair[0].element < pair[1].element) {
                    return Err(FactError {
                        field: "values",
                        expected: "elements in rising order, each once".into(),
                        found: format!(
                            "{:?}",
                            values.iter().map(|v| v.element).collect::<Vec<_>>()
                        ),
                    });
                }
                rates.iter().try_for_each(|rate| {
                    check_text("rate", &rate.text)?;
                    check_text("rate", &rate.name)
                })
            }
            Self::Returned { reason, .. } => check_text("reason", reason),
            Self::Approved { .. } => Ok(()),
            Self::PeriodClosed { period, reason, .. } => {
                check_text("period", period)?;
                check_text("reason", reason)
            }
            Self::TargetSet { indicator, period, .. } => {
                check_text("indicator", indicator)?;
                check_text("period", period)
            }
        }
    }
}
