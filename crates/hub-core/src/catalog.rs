//! The catalogue of declared figures: forms, elements, who is due, logic checks (`schemas/catalog.json`).
//!
//! Parsed once and typed; what it says is data, so a form, an element or a check is added without a line of
//! code. An element's unit of measure is fixed: comparing or adding elements of different ones is refused (K19).

use crate::fact::unit::Level;
use crate::measure::Measure;
use crate::period::{Cycle, Span};
use crate::published::CATALOG;
use crate::time::Day;
use serde::Deserialize;
use std::fmt;
use std::sync::OnceLock;

/// Forms and elements.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Catalog {
    /// Its version.
    pub version: u32,
    /// Thresholds of checks across reports.
    pub checks: Checks,
    /// All forms.
    pub forms: Vec<Form>,
    /// All elements.
    pub elements: Vec<Element>,
    /// Logic checks within one report.
    pub rules: Vec<Rule>,
    /// Rates by what people call them.
    pub rates: Vec<RateDefinition>,
}

/// Thresholds of checks across reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Checks {
    /// A value more than so many hundredths of the one before it is a jump, or less than the inverse.
    pub jump_hundredths: i64,
    /// Only where the larger of the two is at least so large.
    pub jump_least: i64,
    /// Two units' reports are compared when they fill at least so many elements with more than zero (K22).
    pub identical_values_least: usize,
}

/// A form (报表).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Form {
    /// Its number.
    pub id: u32,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// How often it is filed.
    pub cycle: Cycle,
    /// Who has to file it.
    pub due: Due,
    /// Until when, by the level of the unit above the filer.
    pub deadlines: Vec<Deadline>,
    /// Whether its elements stand for measures under the declared basis.
    pub basis: bool,
    /// Its elements.
    pub elements: Vec<u32>,
}

/// Who has to file a form for a period, judged on the period's last day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Due {
    /// Every unit that hosts a counting grassroots union.
    UnionHosts,
    /// Every territory of these levels.
    Territories {
        /// The levels.
        levels: Vec<Level>,
    },
    /// It is filed when asked for.
    Nobody,
}

/// A deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Deadline {
    /// The level of the unit it is filed to.
    pub received_by: Level,
    /// So many days after the period's last day.
    pub days_after_end: u16,
}

/// An element (指标项).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Element {
    /// Its number.
    pub id: u32,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// Its unit of measure: 人, 户, 人次, 件, 份, 家, 元.
    pub unit: String,
    /// At a day, within the period, or since the year began.
    pub kind: Kind,
    /// Names of the measures it can be compared with.
    #[serde(default)]
    pub registry: Vec<String>,
}

/// What time an element's value is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// At the period's last day.
    Point,
    /// Within the period.
    Period,
    /// From the start of the statistical year.
    Cumulative,
}

/// A logic check (逻辑检查) between elements of one report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// What kind of mistake it finds.
    pub family: Family,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// What must hold.
    #[serde(flatten)]
    pub check: Check,
}

/// What kind of mistake a check finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A part larger than its whole, or parts that do not sum to it.
    Part,
    /// More women than persons.
    Women,
    /// More members than employees.
    Members,
    /// More unions than units they cover.
    Units,
}

/// What must hold between elements.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    /// The part is no more than the whole.
    AtMost {
        /// The part.
        part: u32,
        /// The whole.
        whole: u32,
    },
    /// The parts make the whole.
    Sum {
        /// The whole.
        whole: u32,
        /// The parts.
        parts: Vec<u32>,
    },
}

/// A rate by what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RateDefinition {
    /// Its name; that of the indicator, where there is one.
    pub id: String,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// Words by which a declared rate is known to be this one.
    pub words: Vec<String>,
    /// Numerator and denominator, for each base.
    pub ratios: Vec<(u32, u32)>,
}

/// Elements of different units of measure where one is needed (K19).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixedUnits {
    /// The first element with its unit.
    pub expected: (u32, String),
    /// Another with its.
    pub found: (u32, String),
}

impl fmt::Display for MixedUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((first, unit), (other, its)) = (&self.expected, &self.found);
        write!(f, "expected elements counted in {unit} as {first} is, found {other} in {its}")
    }
}

impl std::error::Error for MixedUnits {}

impl Catalog {
    /// The compiled-in catalogue; that it reads, and that its checks keep to one unit of measure, is tested.
    pub fn standard() -> &'static Self {
        static STANDARD: OnceLock<Catalog> = OnceLock::new();
        STANDARD.get_or_init(|| serde_json::from_str(CATALOG).unwrap_or_default())
    }

    /// The form of this number.
    pub fn form(&self, id: u32) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == id)
    }

    /// The element of this number.
    pub fn element(&self, id: u32) -> Option<&Element> {
        self.elements.iter().find(|element| element.id == id)
    }

    /// The one unit of measure of these elements; none of those the catalogue does not know.
    ///
    /// # Errors
    /// They are counted in different units: they cannot be compared or added (K19).
    pub fn unit_of_measure(&self, elements: &[u32]) -> Result<Option<&str>, MixedUnits> {
        let mut known = elements.iter().filter_map(|id| self.element(*id));
        let Some(first) = known.next() else { return Ok(None) };
        match known.find(|other| other.unit != first.unit) {
            None => Ok(Some(&first.unit)),
            Some(other) => Err(MixedUnits {
                expected: (first.id, first.unit.clone()),
                found: (other.id, other.unit.clone()),
            }),
        }
    }

    /// The rates a declared name speaks of; more than one is a finding (X16).
    pub fn rates_named(&self, name: &str) -> Vec<&RateDefinition> {
        let speaks = |rate: &&RateDefinition| rate.words.iter().any(|word| name.contains(word));
        self.rates.iter().filter(speaks).collect()
    }

    /// The rate these two elements make.
    pub fn rate_of(&self, numerator: u32, denominator: u32) -> Option<&RateDefinition> {
        self.rates.iter().find(|rate| rate.ratios.contains(&(numerator, denominator)))
    }

    /// The form whose elements stand for measures under the declared basis.
    pub fn basis(&self) -> Option<&Form> {
        self.forms.iter().find(|form| form.basis)
    }

    /// The element of the basis form that a measure can be compared with.
    pub fn declared(&self, measure: Measure) -> Option<&Element> {
        let of_form = self.basis()?.elements.iter().filter_map(|id| self.element(*id));
        of_form.into_iter().find(|element| element.registry.iter().any(|id| id == measure.id()))
    }
}

impl Form {
    /// The last day for filing a period to a unit of this level: its own deadline, or that of the next
    /// level above it that has one.
    pub fn deadline(&self, period: Span, received_by: Level) -> Option<Day> {
        let own = self.deadlines.iter().filter(|deadline| deadline.received_by <= received_by);
        let nearest = own.max_by_key(|deadline| deadline.received_by)?;
        Some(Day(period.last.0 + i32::from(nearest.days_after_end)))
    }

    /// Reads a period of this form.
    pub fn period(&self, text: &str) -> Option<Span> {
        Span::parse(text).filter(|span| span.cycle == self.cycle)
    }
}

impl Check {
    /// The elements it compares.
    pub fn elements(&self) -> Vec<u32> {
        match self {
            Self::AtMost { part, whole } => vec![*part, *whole],
            Self::Sum { whole, parts } => [&[*whole], parts.as_slice()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_reads_and_names_only_what_it_has() {
        let catalog: Catalog = serde_json::from_str(CATALOG).unwrap();
        let ids: BTreeSet<u32> = catalog.elements.iter().map(|element| element.id).collect();
        assert_eq!(ids.len(), catalog.elements.len(), "an element twice");
        assert!(catalog.forms.len() >= 3 && catalog.checks.jump_hundredths > 100);
        for form in &catalog.forms {
            assert!(form.elements.iter().all(|id| ids.contains(id)), "form {}", form.id);
            assert_eq!(form.deadlines.is_empty(), form.due == Due::Nobody, "form {}", form.id);
        }
        for rule in &catalog.rules {
            let elements = rule.check.elements();
            assert!(elements.iter().all(|id| ids.contains(id)), "{}", rule.id);
            catalog.unit_of_measure(&elements).unwrap();
        }
        for rate in &catalog.rates {
            for (numerator, denominator) in &rate.ratios {
                assert_eq!(
                    catalog.unit_of_measure(&[*numerator, *denominator]).unwrap().map(|_| 1),
                    Some(1)
                );
            }
        }
        for element in &catalog.elements {
            for id in &element.registry {
                let measure = Measure::ALL.iter().find(|measure| measure.id() == id);
                assert!(measure.is_some(), "{}: no measure {id}", element.id);
                assert_eq!(catalog.declared(*measure.unwrap()), Some(element), "{id} twice");
            }
        }
        assert_eq!(catalog.forms.iter().filter(|form| form.basis).count(), 1);
    }

    #[test]
    fn deadlines_are_those_of_the_statistical_year() {
        let catalog = Catalog::standard();
        let (survey, monthly) = (catalog.form(1).unwrap(), catalog.form(2).unwrap());
        let year = survey.period("2026").unwrap();
        let until = |level| survey.deadline(year, level).unwrap().to_string();
        assert_eq!(until(Level::Province), "2026-10-30");
        for level in [Level::City, Level::County, Level::Township] {
            assert_eq!(until(level), "2026-10-22", "{level:?}");
        }
        let month = monthly.period("2026-02").unwrap();
        assert_eq!(monthly.deadline(month, Level::City).unwrap().to_string(), "2026-03-05");
        assert_eq!(survey.period("2026-05"), None);
        assert_eq!(monthly.period("2026"), None);
    }

    #[test]
    fn k19_units_of_measure_are_never_mixed() {
        let catalog = Catalog::standard();
        assert_eq!(catalog.unit_of_measure(&[171, 102]).unwrap(), Some("人"));
        let persons_and_times = catalog.unit_of_measure(&[171, 172]).unwrap_err();
        assert_eq!(persons_and_times.expected, (171, "人".into()));
        assert_eq!(persons_and_times.found, (172, "人次".into()));
        let contracts = catalog.unit_of_measure(&[146, 145]).unwrap_err();
        assert_eq!(
            contracts.to_string(),
            "expected elements counted in 份 as 146 is, found 145 in 家"
        );
        assert!(catalog.unit_of_measure(&[102, 181]).is_err(), "persons and households");
    }

    #[test]
    fn names_tell_which_rates_are_meant() {
        let catalog = Catalog::standard();
        let named = |name: &str| -> Vec<&str> {
            catalog.rates_named(name).iter().map(|rate| rate.id.as_str()).collect()
        };
        assert_eq!(named("企业建会和工资集体协商建制率"), ["founding.unit", "wage.agreement"]);
        assert_eq!(named("组建率"), ["founding.unit"]);
        assert!(named("合格率").is_empty());
        assert_eq!(catalog.rate_of(134, 132).unwrap().id, "founding.application");
        assert_eq!(catalog.rate_of(133, 131).unwrap().id, "founding.unit");
        assert_eq!(catalog.rate_of(102, 103), None);
    }
}
