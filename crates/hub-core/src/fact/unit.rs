//! Facts about units: territories, employers, committees, parks (DESIGN §4).

use super::{Code, FactError, check_codes, check_list, check_range, check_text};
use crate::id::UnitId;
use serde::{Deserialize, Serialize};

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// 区域: a province, city, county or township.
    Territory,
    /// 单位: an employer.
    Employer,
    /// 系统(机关)工委.
    SystemCommittee,
    /// 产业.
    Industry,
    /// 园区.
    Park,
    /// 集团.
    Group,
    /// 村、社区.
    Community,
}

/// The five levels, highest first. A unit's parent has a higher level, not always the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 省.
    Province,
    /// 市.
    City,
    /// 县.
    County,
    /// 乡镇、街道.
    Township,
    /// 单位.
    Enterprise,
}

impl Level {
    /// All levels, highest first.
    pub const ALL: [Self; 5] =
        [Self::Province, Self::City, Self::County, Self::Township, Self::Enterprise];
}

/// What a registration says of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitProfile {
    /// Its name.
    pub name: String,
    /// Its codes.
    #[serde(deserialize_with = "super::bounded::list")]
    pub codes: Vec<Code>,
    /// 单位类别 (`schemas/codes.md`), e.g. 110 state-owned, 170 private.
    pub ownership: Option<u16>,
    /// The letter A to T of GB/T 4754-2017, as a byte.
    pub industry: Option<u8>,
    /// Whether it operates (正常生产经营).
    pub operating: bool,
    /// Why it has no union (未建原因), a code of `schemas/codes.md`.
    pub no_union_reason: Option<u16>,
    /// Whether its codes pass their check digits; if not it is visible, uncounted, correctable (K17).
    pub qualified: bool,
}

/// A fact about a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitFact {
    /// The unit exists and reports to `parent`. Holds on all days.
    Registered {
        /// Its id, derived as DESIGN §3 says.
        unit: UnitId,
        /// What it is.
        kind: UnitKind,
        /// Its level.
        level: Level,
        /// Who it reports to and who approves (归口); none for the root only.
        parent: Option<UnitId>,
        /// The territory it lies in, for cross-tables.
        located_in: Option<UnitId>,
        /// For a territory: the year of the list in which this code first entered the federation.
        list_year: Option<u16>,
        /// The rest.
        profile: UnitProfile,
    },
    /// Attributes changed from the fact's day; what is `None` stays.
    Revised {
        /// Which unit.
        unit: UnitId,
        /// New name.
        name: Option<String>,
        /// Codes that replace those of the same kind.
        #[serde(deserialize_with = "super::bounded::list")]
        codes: Vec<Code>,
        /// New ownership.
        ownership: Option<u16>,
        /// New industry.
        industry: Option<u8>,
        /// Whether it operates.
        operating: Option<bool>,
        /// New reason for having no union; 0 takes it back.
        no_union_reason: Option<u16>,
        /// Whether its codes now pass.
        qualified: Option<bool>,
    },
    /// Declared headcount at the fact's day, in persons (人).
    HeadcountDeclared {
        /// Which unit.
        unit: UnitId,
        /// 职工: all employees, without those dispatched in.
        employees: u32,
        /// Women among them, if known.
        women: Option<u32>,
        /// Migrant workers among them, if known.
        migrant: Option<u32>,
        /// Workers dispatched in, if known; not among the employees.
        dispatched: Option<u32>,
    },
    /// From the fact's day it reports to another parent or lies elsewhere (U2).
    Moved {
        /// Which unit.
        unit: UnitId,
        /// Its new parent, if that changes.
        parent: Option<UnitId>,
        /// Its new territory, if that changes.
        located_in: Option<UnitId>,
    },
    /// Merger, split or redrawing (U4).
    Succeeded {
        /// The units that end.
        #[serde(deserialize_with = "super::bounded::list")]
        old: Vec<UnitId>,
        /// The units that follow.
        #[serde(deserialize_with = "super::bounded::list")]
        new: Vec<UnitId>,
        /// Which kind of change.
        how: Succession,
    },
    /// The unit ends: its own union is dissolved and coverage ends that day (U3).
    Closed {
        /// Which unit.
        unit: UnitId,
        /// Why, a code of `schemas/codes.md`.
        reason: u16,
    },
    /// A timeless alias for an employer registered under a mistyped code.
    Rekeyed {
        /// The id of the mistyped code.
        unit: UnitId,
        /// The right id.
        to: UnitId,
    },
}

/// How units follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Succession {
    /// 合并.
    Merger,
    /// 分立.
    Split,
    /// 区划调整.
    Redraw,
}

impl UnitFact {
    /// The unit it is about; for a succession the first old one.
    pub fn unit(&self) -> UnitId {
        match self {
            Self::Registered { unit, .. }
            | Self::Revised { unit, .. }
            | Self::HeadcountDeclared { unit, .. }
            | Self::Moved { unit, .. }
            | Self::Closed { unit, .. }
            | Self::Rekeyed { unit, .. } => *unit,
            Self::Succeeded { old, .. } => old.first().copied().unwrap_or(UnitId::NIL),
        }
    }

    pub(crate) fn check(&self) -> Result<(), FactError> {
        match self {
            Self::Registered { profile, .. } => {
                check_text("name", &profile.name)?;
                check_codes(&profile.codes)?;
                check_industry(profile.industry)
            }
            Self::Revised { name, codes, industry, .. } => {
                check_text("name", name.as_deref().unwrap_or(""))?;
                check_codes(codes)?;
                check_industry(*industry)
            }
            Self::Succeeded { old, new, .. } => {
                check_list("old", old.len())?;
                check_list("new", new.len())?;
                check_range("old", old.len() as u64, 1, u64::MAX)?;
                check_range("new", new.len() as u64, 1, u64::MAX)
            }
            Self::HeadcountDeclared { .. }
            | Self::Moved { .. }
            | Self::Closed { .. }
            | Self::Rekeyed { .. } => Ok(()),
        }
    }
}

fn check_industry(industry: Option<u8>) -> Result<(), FactError> {
    match industry {
        Some(letter) => {
            check_range("industry", u64::from(letter), u64::from(b'A'), u64::from(b'T'))
        }
        None => Ok(()),
    }
}
