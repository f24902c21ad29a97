//! Facts about one person's membership (会籍) at one union (DESIGN §4).

use super::{FactError, check_range};
use crate::id::{BranchId, MemberKey, UnitId};
use serde::{Deserialize, Serialize};

/// A fact about one person at one union.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFact {
    /// The person's pseudonym.
    pub member: MemberKey,
    /// The union whose books say it.
    pub branch: BranchId,
    /// What happened.
    pub act: MemberAct,
}

/// What happened to a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberAct {
    /// Joined (入会).
    Joined(Start),
    /// Transferred in from another union (接转入).
    TransferredIn(Start),
    /// Transferred out (接转出).
    TransferredOut {
        /// Where to, if known.
        to: Option<BranchId>,
    },
    /// Membership retained (保留会籍), e.g. retired or unemployed.
    Retained {
        /// Why, a code of `schemas/codes.md`.
        reason: u8,
    },
    /// Membership ended.
    Left {
        /// Why.
        reason: LeaveReason,
    },
    /// Attributes corrected or changed; what is unknown stays.
    Revised {
        /// New attributes.
        profile: Profile,
    },
    /// The person stands under another key at this union, on all days (M6).
    Rekeyed {
        /// The right key.
        to: MemberKey,
        /// Whether the right number passes its check digit.
        qualified: bool,
    },
    /// The person's names were destroyed in the vault; nothing else changes.
    Erased,
}

/// The start of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Where the member comes from.
    pub origin: Origin,
    /// What the start rests on.
    pub evidence: Evidence,
    /// The employer; none for a member without one, or the host of an own union.
    pub employer: Option<UnitId>,
    /// For a dispatched worker: the unit worked at.
    pub host: Option<UnitId>,
    /// The union named as the one before.
    pub from: Option<BranchId>,
    /// Attributes.
    pub profile: Profile,
    /// Whether the ID number passes its check digit (K17).
    pub qualified: bool,
}

/// Where a member comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// In the books already when they were loaded.
    Existing,
    /// Newly enrolled (发展会员).
    New,
    /// Came from another union.
    Transferred,
    /// Took up a retained membership again.
    Resumed,
}

/// What a start rests on, weakest first, so that greater is stronger (K1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The person's own word.
    SelfDeclared,
    /// A roster of the union.
    Roster,
    /// Social insurance.
    SocialInsurance,
    /// A labour contract.
    LabourContract,
}

impl Evidence {
    /// All of them, in order of the format.
    pub const ALL: [Self; 4] =
        [Self::SelfDeclared, Self::Roster, Self::SocialInsurance, Self::LabourContract];
}

/// Why a membership ended (章程 art. 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// 退会.
    Resigned,
    /// 自动退会.
    Lapsed,
    /// 开除.
    Expelled,
    /// 死亡.
    Deceased,
}

/// Attributes of a member, each perhaps unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Profile {
    /// Sex.
    pub sex: Sex,
    /// Migrant worker (农民工).
    pub migrant: Flag,
    /// Employment form, a code of `schemas/codes.md` (0 unknown, at most 15).
    pub form: u8,
}

impl Profile {
    /// This profile with what `newer` knows.
    #[must_use]
    pub fn revised(self, newer: Self) -> Self {
        Self {
            sex: if newer.sex == Sex::Unknown { self.sex } else { newer.sex },
            migrant: if newer.migrant == Flag::Unknown { self.migrant } else { newer.migrant },
            form: if newer.form == 0 { self.form } else { newer.form },
        }
    }
}

/// Sex, as documents state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Not stated.
    #[default]
    Unknown,
    /// 男.
    Man,
    /// 女.
    Woman,
}

/// Yes, no or not stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Not stated.
    #[default]
    Unknown,
    /// 否.
    No,
    /// 是.
    Yes,
}

impl MemberFact {
    /// The start it states, if it states one.
    pub fn start(&self) -> Option<&Start> {
        match &self.act {
            MemberAct::Joined(start) | MemberAct::TransferredIn(start) => Some(start),
            _ => None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), FactError> {
        let form = match &self.act {
            MemberAct::Joined(start) | MemberAct::TransferredIn(start) => start.profile.form,
            MemberAct::Revised { profile } => profile.form,
            _ => 0,
        };
        check_range("form", u64::from(form), 0, 15)
    }
}
