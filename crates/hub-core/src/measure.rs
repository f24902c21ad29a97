//! Measures: the plain counts from which every answer is made, and the indicators that are ratios of them.
//!
//! Names, words for people and definitions stand in `schemas/indicators.json`, which is compiled in.

use crate::hash::{Hash, sha256};
use crate::published::INDICATORS;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// A plain count of a unit's subtree on a day.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Measure { $($(#[$doc])* $name,)* }

        impl Measure {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in `schemas/indicators.json`.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

impl Measure {
    /// The measure of this name.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().find(|measure| measure.id() == id).copied()
    }
}

measures! {
    /// Employers open.
    UnitsAll = "units.all",
    /// Of these, with latest headcount 25 or more.
    UnitsDue = "units.due",
    /// 50 or more.
    Units50 = "units.50",
    /// 100 or more.
    Units100 = "units.100",
    /// Operating.
    UnitsOperating = "units.operating",
    /// Without any declared headcount.
    UnitsUnknownHeadcount = "units.unknown_headcount",
    /// Whose code fails its check digit: in no other measure.
    UnitsUnqualified = "units.unqualified",
    /// Registered under two parents, placed by a mere tie (U1).
    UnitsDisputed = "units.disputed",
    /// With more active members than employees.
    UnitsBaseTooSmall = "units.base_too_small",
    /// Covered employers.
    CoveredAll = "covered.all",
    /// Covered and due.
    CoveredDue = "covered.due",
    /// Covered of 50 or more.
    Covered50 = "covered.50",
    /// Covered of 100 or more.
    Covered100 = "covered.100",
    /// Covered and operating.
    CoveredOperating = "covered.operating",
    /// Due, with a standing application or a later stage.
    AppliedDue = "applied.due",
    /// Due, by exclusive stage.
    StageFounded = "stage.due.founded",
    /// Due, approved and not founded.
    StageApproved = "stage.due.approved",
    /// Due, applied and not approved.
    StageApplied = "stage.due.applied",
    /// Due, refused.
    StageRefused = "stage.due.refused",
    /// Due, without application.
    StageNone = "stage.due.none",
    /// Employees of covered employers of known headcount.
    EmployeesCovered = "employees.covered",
    /// Employees of all employers of known headcount.
    EmployeesAll = "employees.all",
    /// Active members at covered employers of known headcount.
    MembersCovered = "members.covered",
    /// Active members at employers of known headcount.
    MembersEmployed = "members.employed",
    /// Active members.
    MembersAll = "members.all",
    /// Active members without employer.
    MembersWithoutEmployer = "members.without_employer",
    /// Active women.
    MembersWomen = "members.women",
    /// Active migrant workers.
    MembersMigrant = "members.migrant",
    /// Retained.
    MembersRetained = "members.retained",
    /// Number fails its check digit.
    MembersUnqualified = "members.unqualified",
    /// Their union does not count and has no successor (M5).
    MembersUnplaced = "members.unplaced",
    /// Transferred out, nowhere started.
    MembersInTransit = "members.in_transit",
    /// Open losing claims, and holders by a mere tie.
    MembersDisputed = "members.disputed",
    /// Service memberships.
    MembersSecondary = "members.secondary",
    /// Enrolled up to the day.
    MembersEnrolled = "members.enrolled",
    /// Counting grassroots unions.
    UnionsAll = "unions.all",
    /// Of these, with an active woman member.
    UnionsWithWomen = "unions.with_women",
    /// Of those, with committee or officer.
    UnionsWomenOrg = "unions.women_org",
    /// With committee.
    UnionsWomenCommittee = "unions.women_committee",
    /// With officer.
    UnionsWomenOfficer = "unions.women_officer",
    /// Counting unions whose term has run out.
    UnionsOverdue = "unions.overdue",
    /// Second own unions of one employer (F4).
    UnionsDisputed = "unions.disputed",
    /// Units that had to file something for the newest ended period of its form.
    ReportersDue = "reporters.due",
    /// Of these, with everything filed.
    ReportersFiled = "reporters.filed",
    /// Of these, everything covered by a checkpoint above in time.
    ReportersOnTime = "reporters.on_time",
    /// Active members of unions at units that declared members.
    CaptureRegistry = "capture.registry",
    /// The members those units declared.
    CaptureDeclared = "capture.declared",
}

/// Counts by measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts([i64; Measure::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; Measure::ALL.len()])
    }
}

impl Counts {
    /// The count of a measure.
    pub fn get(&self, measure: Measure) -> i64 {
        self.0[measure as usize]
    }

    pub(crate) fn add(&mut self, measure: Measure, count: i64) {
        self.0[measure as usize] += count;
    }

    /// All of it less all of another's.
    pub(crate) fn less(&self, other: &Self) -> Self {
        let mut counts = *self;
        counts.0.iter_mut().zip(other.0).for_each(|(own, other)| *own -= other);
        counts
    }

    /// Adds all of another's.
    pub fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += other);
    }
}

/// Words of a measure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MeasureWords {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// Unit of measure: 人, 家, 个.
    pub unit: String,
}

/// An indicator: a ratio of two measures, by base.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Indicator {
    /// Its name, e.g. `founding.unit`.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// `set`: numerator and denominator come from one set and cannot exceed 100 %; `count`: they can.
    pub kind: String,
    /// Numerator and denominator by base; `due` is the default.
    pub bases: BTreeMap<String, (String, String)>,
    /// What it means.
    pub definition: String,
}

/// The compiled-in catalogue of indicators.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Indicators {
    /// Words by measure.
    pub measures: BTreeMap<String, MeasureWords>,
    /// All indicators.
    pub indicators: Vec<Indicator>,
}

impl Indicators {
    /// The catalogue; its text is part of the program and checked by test.
    pub fn standard() -> &'static Self {
        static STANDARD: OnceLock<Indicators> = OnceLock::new();
        STANDARD.get_or_init(|| {
            serde_json::from_str(INDICATORS)
                .unwrap_or(Self { measures: BTreeMap::new(), indicators: Vec::new() })
        })
    }

    /// Reads a published text.
    ///
    /// # Errors
    /// It is none, or names a measure that this program does not count; the error says which.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let bases = read.indicators.iter().flat_map(|indicator| indicator.bases.values());
        let unknown = bases
            .flat_map(|(over, under)| [over, under])
            .chain(read.measures.keys())
            .find(|id| Measure::named(id).is_none())
            .cloned();
        unknown.map_or(Ok(read), |found| {
            Err(format!("measure: expected one of this program, found {found}"))
        })
    }

    /// Grows with every change: the newest version of any indicator.
    pub fn version(&self) -> u32 {
        self.indicators.iter().map(|indicator| indicator.version).max().unwrap_or(1)
    }

    /// The measures, in order of name.
    pub fn counted(&self) -> impl Iterator<Item = Measure> {
        self.measures.keys().filter_map(|id| Measure::named(id))
    }

    /// The indicator of this name.
    pub fn find(&self, id: &str) -> Option<&Indicator> {
        self.indicators.iter().find(|indicator| indicator.id == id)
    }
}

impl Indicator {
    /// Numerator and denominator for a base.
    pub fn ratio(&self, base: &str) -> Option<(Measure, Measure)> {
        let (numerator, denominator) = self.bases.get(base)?;
        Some((Measure::named(numerator)?, Measure::named(denominator)?))
    }

    /// The hash of its definition, for citations: id, version, ratios and meaning.
    pub fn hash(&self) -> Hash {
        let bases = format!("{:?}", self.bases);
        let version = self.version.to_string();
        let parts = [&self.id, &version, &self.kind, &bases, &self.definition];
        sha256(&[b"hub indicator 0", parts.map(String::as_str).join("\n").as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_names_every_measure_and_only_known_ones() {
        let standard: Indicators = serde_json::from_str(INDICATORS).unwrap();
        let named: Vec<&str> = standard.measures.keys().map(String::as_str).collect();
        let mut known: Vec<&str> = Measure::ALL.iter().map(|m| m.id()).collect();
        known.sort_unstable();
        assert_eq!(named, known);
        for indicator in &standard.indicators {
            for base in indicator.bases.keys() {
                assert!(indicator.ratio(base).is_some(), "{} {base}", indicator.id);
            }
        }
    }
}
