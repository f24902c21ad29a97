//! Facts: the domain events the federation is made of (DESIGN §4; catalogue in `schemas/facts.md`).
//!
//! A fact says what its writer knew, never what anyone concludes. Variant order of every enum here is
//! part of the byte format: append, never reorder.

mod bounded;
pub mod branch;
pub mod figure;
pub mod governance;
mod kind;
pub mod member;
pub mod unit;

use crate::id::{BranchId, FactId, UnitId};
use crate::time::{Day, Hlc, Precision};
use serde::{Deserialize, Serialize};

pub use branch::BranchFact;
pub use figure::FigureFact;
pub use governance::GovernanceFact;
pub use kind::KINDS;
pub use member::MemberFact;
pub use unit::UnitFact;

/// The longest document reference, name, code or reason text of a fact, in bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 512;
/// The most attributes, covered units, element values and the like a fact may list.
pub const LIST_MAX: usize = 4_096;

/// One domain event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// When it was written.
    pub hlc: Hlc,
    /// The civil day from which it holds.
    pub day: Day,
    /// How exactly that day is known.
    pub precision: Precision,
    /// The post that entered it: a number of the node's own list, never a person.
    pub operator: u32,
    /// The unit the writer acted for.
    pub unit: UnitId,
    /// The document it rests on, e.g. the number of an approval (批复文号).
    pub document: Option<String>,
    /// Coded attributes, sorted by code, each code once; unknown codes are carried.
    #[serde(deserialize_with = "bounded::list")]
    pub attributes: Vec<Attribute>,
    /// What happened.
    pub body: FactBody,
}

/// A coded attribute; codes and values stand in `schemas/codes.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attribute {
    /// Which attribute.
    pub code: u16,
    /// Its value: a code of that attribute's list, or a day number, as the list says.
    pub value: i32,
}

/// Attribute: the day a member first joined any union, as a day number (DESIGN §4).
pub const ATTRIBUTE_FIRST_JOINED: u16 = 1;
/// Attribute: which import wrote the fact, a number of the node's own; `hub undo` takes an import back.
pub const ATTRIBUTE_IMPORT: u16 = 2;
/// Attribute: the figure is demonstration data (演示数据), value 1.
pub const ATTRIBUTE_DEMONSTRATION: u16 = 3;

/// What happened, by family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactBody {
    /// About a unit.
    Unit(UnitFact),
    /// About a union.
    Branch(BranchFact),
    /// About a person's membership; travels in column bodies only.
    Member(MemberFact),
    /// About declared figures.
    Figure(FigureFact),
    /// About who may speak and what was decided.
    Governance(GovernanceFact),
    /// Takes wrong facts back.
    Withdrawn(Withdrawn),
}

/// Takes facts back: they stay visible and leave the fold. Valid from the node that wrote them, or the
/// one that serves their subject at the withdrawal's HLC. A withdrawal is not withdrawn; the fact is
/// stated anew. On enrolments and moves it acts from its own HLC, never backwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The first fact taken back.
    pub first: FactId,
    /// How many facts of that chain, from the first on; at least 1.
    pub count: u64,
    /// Why, in words.
    pub reason: String,
}

impl Withdrawn {
    /// Whether it takes this fact back.
    pub fn covers(&self, fact: &FactId) -> bool {
        fact.chain == self.first.chain
            && fact.seq >= self.first.seq
            && fact.seq - self.first.seq < self.count
    }

    pub(crate) fn check(&self) -> Result<(), FactError> {
        check_text("reason", &self.reason)?;
        check_range("count", self.count, 1, u64::MAX - self.first.seq)
    }
}

/// A code of a unit or union with the list it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Code {
    /// Which list.
    pub kind: CodeKind,
    /// The code, normalised: half-width, upper case, no spaces.
    pub value: String,
}

/// The lists codes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// 区划代码 (GB/T 2260, GB/T 10114).
    Division,
    /// 统一社会信用代码 of an employer.
    Uscc,
    /// 统一社会信用代码 of a union (81…).
    UnionUscc,
    /// 基层工会统计代码 of a union.
    UnionStatistical,
    /// A code of the writer's own ledger.
    Local,
}

/// What a fact is about, and so whose word it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A unit.
    Unit(UnitId),
    /// A union: through its host unit.
    Branch(BranchId),
    /// The federation's own order: governance facts say in their own rules who may state them.
    Governance,
    /// Other facts.
    Facts(FactId),
}

/// A body that breaks a bound or a shape no matter what else is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactError {
    /// Which field.
    pub field: &'static str,
    /// What is allowed there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl std::fmt::Display for FactError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: expected {}, found {}", self.field, self.expected, self.found)
    }
}

impl std::error::Error for FactError {}

impl Fact {
    /// What the fact is about.
    pub fn subject(&self) -> Subject {
        match &self.body {
            FactBody::Unit(fact) => Subject::Unit(fact.unit()),
            FactBody::Branch(fact) => Subject::Branch(fact.branch()),
            FactBody::Member(fact) => Subject::Branch(fact.branch),
            FactBody::Figure(fact) => Subject::Unit(fact.unit()),
            FactBody::Governance(_) => Subject::Governance,
            FactBody::Withdrawn(fact) => Subject::Facts(fact.first),
        }
    }

    /// Whether it may name a future day and act from it (DESIGN §6); all others are occurrences.
    pub fn is_announcement(&self) -> bool {
        match &self.body {
            FactBody::Unit(fact) => matches!(
                fact,
                UnitFact::Moved { .. } | UnitFact::Succeeded { .. } | UnitFact::Closed { .. }
            ),
            FactBody::Branch(fact) => matches!(fact, BranchFact::Dissolved { .. }),
            FactBody::Figure(fact) => matches!(fact, FigureFact::TargetSet { .. }),
            FactBody::Governance(fact) => matches!(
                fact,
                GovernanceFact::NodeEnrolled(_)
                    | GovernanceFact::PolicyPublished { .. }
                    | GovernanceFact::CatalogPublished { .. }
            ),
            FactBody::Member(_) | FactBody::Withdrawn(_) => false,
        }
    }

    /// The attribute of this code.
    pub fn attribute(&self, code: u16) -> Option<i32> {
        self.attributes.iter().find(|a| a.code == code).map(|a| a.value)
    }

    /// Whether its day lies after the day of its HLC though it names an occurrence: parked. A month
    /// or year known only roughly may end at most the day after the HLC's day (DESIGN §4).
    pub fn is_premature(&self) -> bool {
        let latest = match self.precision {
            Precision::Day => self.hlc.day(),
            Precision::Month | Precision::Year => self.hlc.day().next(),
        };
        self.day > latest && !self.is_announcement()
    }

    /// Checks bounds and shapes that hold whatever else is known.
    ///
    /// # Errors
    /// The first field that breaks one.
    pub fn check(&self) -> Result<(), FactError> {
        check_day("day", self.day)?;
        if let Some(document) = &self.document {
            check_text("document", document)?;
        }
        check_list("attributes", self.attributes.len())?;
        if !self.attributes.windows(2).all(|pair| pair[0].code < pair[1].code) {
            return Err(FactError {
                field: "attributes",
                expected: "codes in rising order, each once".into(),
                found: format!("{:?}", self.attributes.iter().map(|a| a.code).collect::<Vec<_>>()),
            });
        }
        match &self.body {
            FactBody::Unit(fact) => fact.check(),
            FactBody::Branch(fact) => fact.check(),
            FactBody::Member(fact) => fact.check(),
            FactBody::Figure(fact) => fact.check(),
            FactBody::Governance(fact) => fact.check(),
            FactBody::Withdrawn(fact) => fact.check(),
        }
    }
}

pub(crate) fn check_text(field: &'static str, text: &str) -> Result<(), FactError> {
    if text.len() <= TEXT_BYTES_MAX && !text.chars().any(|c| c.is_control()) {
        return Ok(());
    }
    Err(FactError {
        field,
        expected: format!("at most {TEXT_BYTES_MAX} bytes without control characters"),
        found: format!("{} bytes", text.len()),
    })
}

pub(crate) fn check_list(field: &'static str, length: usize) -> Result<(), FactError> {
    if length <= LIST_MAX {
        return Ok(());
    }
    Err(FactError {
        field,
        expected: format!("at most {LIST_MAX} entries"),
        found: length.to_string(),
    })
}

pub(crate) fn check_range(
    field: &'static str,
    found: u64,
    least: u64,
    most: u64,
) -> Result<(), FactError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(FactError { field, expected: format!("{least} to {most}"), found: found.to_string() })
}

pub(crate) fn check_day(field: &'static str, day: Day) -> Result<(), FactError> {
    if day.is_nameable() {
        return Ok(());
    }
    Err(FactError {
        field,
        expected: format!("{} to {}", Day::FIRST, Day::LAST),
        found: day.0.to_string(),
    })
}

pub(crate) fn check_codes(codes: &[Code]) -> Result<(), FactError> {
    check_list("codes", codes.len())?;
    codes.iter().try_for_each(|code| check_text("code", &code.value))
}
