//! Facts about unions, grassroots or federation (DESIGN §4).

use super::{Code, FactError, check_codes, check_day, check_text};
use crate::id::{BranchId, UnitId};
use crate::time::Day;
use serde::{Deserialize, Serialize};

/// What a union is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchKind {
    /// 单独基层工会: of one employer.
    Own,
    /// 联合基层工会: of several employers.
    Joint,
    /// 区域性.
    Regional,
    /// 行业性.
    Industrial,
    /// 灵活就业、新就业形态.
    Flexible,
    /// 工会联合会: not a grassroots union.
    Federation,
    /// 系统(机关).
    System,
    /// 分会: not a grassroots union.
    SubBranch,
}

impl BranchKind {
    /// All kinds, in order of the format.
    pub const ALL: [Self; 8] = [
        Self::Own,
        Self::Joint,
        Self::Regional,
        Self::Industrial,
        Self::Flexible,
        Self::Federation,
        Self::System,
        Self::SubBranch,
    ];

    /// Whether it counts as a grassroots union (基层工会).
    pub fn is_grassroots(self) -> bool {
        !matches!(self, Self::Federation | Self::SubBranch)
    }
}

/// What the first fact of a union says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchProfile {
    /// What it is.
    pub kind: BranchKind,
    /// The unit it belongs to; for an own union its employer.
    pub host: UnitId,
    /// Its name.
    pub name: String,
    /// Its codes: natural keys.
    #[serde(deserialize_with = "super::bounded::list")]
    pub codes: Vec<Code>,
}

/// What a women's organisation is (工会法 art. 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WomenOrg {
    /// 女职工委员会.
    Committee,
    /// 女职工委员.
    Officer,
}

/// A fact about a union.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchFact {
    /// An application to found it. Never a founding (K8).
    Applied {
        /// Its id: derived from this fact if it is the first.
        branch: BranchId,
        /// The unit applied to.
        to: UnitId,
        /// What is to be founded.
        profile: BranchProfile,
    },
    /// The next higher union approved (工会法 art. 12). Its document number stands in the fact.
    Approved {
        /// Which union.
        branch: BranchId,
    },
    /// The next higher union refused; without effect after an approval (F1).
    Refused {
        /// Which union.
        branch: BranchId,
        /// Why, in words.
        reason: String,
    },
    /// It was founded. First fact of a union that is loaded from old books.
    Founded {
        /// Its id: derived from this fact if it is the first.
        branch: BranchId,
        /// What was founded.
        profile: BranchProfile,
    },
    /// Attributes changed; a corrected kind holds on all days, the rest from the fact's day.
    Revised {
        /// Which union.
        branch: BranchId,
        /// New name.
        name: Option<String>,
        /// Codes that replace those of the same kind.
        #[serde(deserialize_with = "super::bounded::list")]
        codes: Vec<Code>,
        /// Corrected kind.
        kind: Option<BranchKind>,
    },
    /// Registered as a legal person (法人登记), with its own code.
    LegalRegistered {
        /// Which union.
        branch: BranchId,
        /// Its 统一社会信用代码 (81…).
        uscc: String,
    },
    /// It covers this unit (涵盖) from the fact's day.
    Covered {
        /// Which union.
        branch: BranchId,
        /// The unit covered.
        unit: UnitId,
    },
    /// It no longer covers this unit from the fact's day.
    Uncovered {
        /// Which union.
        branch: BranchId,
        /// The unit.
        unit: UnitId,
    },
    /// A committee was elected on the fact's day (换届).
    CommitteeElected {
        /// Which union.
        branch: BranchId,
        /// Its term in years: 3 or 5 (工会法 art. 16).
        term_years: u8,
        /// The first day after the term, where it does not follow from the day of election.
        until: Option<Day>,
    },
    /// A women's organisation was formed.
    WomenOrgFormed {
        /// Which union.
        branch: BranchId,
        /// A committee or an officer; the latest holds.
        form: WomenOrg,
    },
    /// Its host is another unit from the fact's day.
    Moved {
        /// Which union.
        branch: BranchId,
        /// The new host.
        host: UnitId,
    },
    /// It went up in another union (F5).
    Merged {
        /// Which union ends.
        branch: BranchId,
        /// Its successor.
        into: BranchId,
    },
    /// It was dissolved.
    Dissolved {
        /// Which union.
        branch: BranchId,
        /// Why, a code of `schemas/codes.md`.
        reason: u16,
    },
}

impl BranchFact {
    /// The union it is about.
    pub fn branch(&self) -> BranchId {
        match self {
            Self::Applied { branch, .. }
            | Self::Approved { branch }
            | Self::Refused { branch, .. }
            | Self::Founded { branch, .. }
            | Self::Revised { branch, .. }
            | Self::LegalRegistered { branch, .. }
            | Self::Covered { branch, .. }
            | Self::Uncovered { branch, .. }
            | Self::CommitteeElected { branch, .. }
            | Self::WomenOrgFormed { branch, .. }
            | Self::Moved { branch, .. }
            | Self::Merged { branch, .. }
            | Self::Dissolved { branch, .. } => *branch,
        }
    }

    /// What it says of the union, where it is a first fact.
    pub fn profile(&self) -> Option<&BranchProfile> {
        match self {
            Self::Applied { profile, .. } | Self::Founded { profile, .. } => Some(profile),
            _ => None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), FactError> {
        match self {
            Self::Applied { profile, .. } | Self::Founded { profile, .. } => {
                check_text("name", &profile.name)?;
                check_codes(&profile.codes)
            }
            Self::Refused { reason, .. } => check_text("reason", reason),
            Self::Revised { name, codes, .. } => {
                check_text("name", name.as_deref().unwrap_or(""))?;
                check_codes(codes)
            }
            Self::LegalRegistered { uscc, .. } => check_text("uscc", uscc),
            Self::CommitteeElected { term_years, until, .. } => {
                check_term(*term_years)?;
                until.map_or(Ok(()), |day| check_day("until", day))
            }
            Self::Approved { .. }
            | Self::Covered { .. }
            | Self::Uncovered { .. }
            | Self::WomenOrgFormed { .. }
            | Self::Moved { .. }
            | Self::Merged { .. }
            | Self::Dissolved { .. } => Ok(()),
        }
    }
}

fn check_term(years: u8) -> Result<(), FactError> {
    if matches!(years, 3 | 5) {
        return Ok(());
    }
    Err(FactError { field: "term_years", expected: "3 or 5".into(), found: years.to_string() })
}
