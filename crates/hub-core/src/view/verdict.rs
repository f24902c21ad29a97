//! What became of a fact.

use crate::id::FactId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of a fact (DESIGN §6). Parked facts are kept, shown with a reason and uncounted; they
/// unpark by themselves when a later fact makes them valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It takes part in the fold.
    Stands,
    /// It was taken back by this fact.
    Withdrawn(FactId),
    /// It is kept and uncounted.
    Parked(Reason),
}

/// Why a fact is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its writer did not serve its subject at its clock.
    NoAuthority,
    /// Its block lies above a signed cut.
    AfterCut,
    /// Its subject, or a unit or union it rests on, is not known.
    UnknownSubject,
    /// Its subject's id does not follow from its code or its first fact.
    WrongId,
    /// It names an occurrence after the day of its own clock.
    Premature,
    /// It would close a cycle.
    Cycle,
    /// Its parent's level is not higher than its own.
    WrongLevel,
    /// Its block does not decode in this version.
    Unreadable,
    /// A side of a ruling matches no standing claim, registration or union.
    NoClaim,
    /// The sides of a ruling are not of one sort.
    MixedSides,
    /// A unit is old in an earlier succession, or the successions would close a cycle (U4).
    AlreadySucceeded,
    /// Its block is of a side of a fork of which no side counts yet.
    Forked,
    /// Its block is of a side of a fork of which another side counts.
    OtherSide,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAuthority => "no authority",
            Self::AfterCut => "after a cut",
            Self::UnknownSubject => "unknown subject",
            Self::WrongId => "wrong id",
            Self::Premature => "dated after its own clock",
            Self::Cycle => "closes a cycle",
            Self::WrongLevel => "parent level not higher",
            Self::Unreadable => "unreadable",
            Self::NoClaim => "no claim",
            Self::MixedSides => "mixed sides",
            Self::AlreadySucceeded => "already succeeded",
            Self::Forked => "fork not settled",
            Self::OtherSide => "other side of a fork counts",
        })
    }
}

impl Verdict {
    /// Whether it takes part in the fold.
    pub fn stands(&self) -> bool {
        *self == Self::Stands
    }
}
