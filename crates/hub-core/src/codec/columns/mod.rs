//! Codec 2: member facts in columns (bytes: `schemas/block.md`).
//!
//! Dictionaries hold the unions, units, operators and documents a block names, in order of first use;
//! columns that repeat are runs; what is random (keys, days, profiles) stands plain. A pseudonym's 16
//! bytes are most of what is left.

mod decode;
mod encode;
mod wire;

use crate::fact::member::{Evidence, Flag, LeaveReason, MemberAct, Origin, Profile, Sex, Start};
use crate::fact::{Attribute, Fact, FactBody, MemberFact};
use crate::id::{BranchId, MemberKey, UnitId};
use crate::time::{Day, Hlc, Precision};

pub(super) use decode::decode;
pub(super) use encode::encode;

/// The most different attribute codes the member facts of one block may carry. Runs make a column of
/// 4096 values a few bytes, so without a bound a small body would ask for much memory.
pub const ATTRIBUTE_CODES_MAX: usize = 32;

/// The member facts of a block: rows of small numbers beside the dictionaries they point into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberBatch {
    /// Unions named.
    pub branches: Vec<BranchId>,
    /// Units named.
    pub units: Vec<UnitId>,
    /// Operators.
    pub operators: Vec<u32>,
    /// Document references.
    pub documents: Vec<String>,
    /// The facts.
    pub rows: Vec<MemberRow>,
    /// New keys of `Rekeyed` facts, by row.
    pub new_keys: Vec<(u32, MemberKey)>,
    /// Attributes, by code, each with the rows that have it.
    pub attributes: Vec<AttributeColumn>,
}

/// One attribute over a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeColumn {
    /// Its code.
    pub code: u16,
    /// Row and value, in order of row.
    pub values: Vec<(u32, i32)>,
}

/// One member fact; `u16` fields point into the batch's dictionaries, those marked «or 0» from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRow {
    /// The person.
    pub member: MemberKey,
    /// When it was written.
    pub hlc: Hlc,
    /// Effective day.
    pub day: Day,
    /// The union.
    pub branch: u16,
    /// The unit acted for.
    pub unit: u16,
    /// The operator.
    pub operator: u16,
    /// The document, or 0.
    pub document: u16,
    /// Employer of a start, or 0.
    pub employer: u16,
    /// Host employer of a start, or 0.
    pub host: u16,
    /// The other union: of a start the one before, of a transfer out the next; or 0.
    pub other: u16,
    /// What happened.
    pub kind: RowKind,
    /// How exactly the day is known.
    pub precision: Precision,
    /// Origin, evidence and qualified of a start; reason of an end; qualified of a rekey.
    pub detail: u8,
    /// Sex, migrant and form of a start or revision.
    pub profile: u8,
}

/// What a row says; the numbers are the bytes of codec 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RowKind {
    /// [`MemberAct::Joined`].
    Joined = 0,
    /// [`MemberAct::TransferredIn`].
    TransferredIn = 1,
    /// [`MemberAct::TransferredOut`].
    TransferredOut = 2,
    /// [`MemberAct::Retained`].
    Retained = 3,
    /// [`MemberAct::Left`].
    Left = 4,
    /// [`MemberAct::Revised`].
    Revised = 5,
    /// [`MemberAct::Rekeyed`].
    Rekeyed = 6,
    /// [`MemberAct::Erased`].
    Erased = 7,
}

impl RowKind {
    const ALL: [Self; 8] = [
        Self::Joined,
        Self::TransferredIn,
        Self::TransferredOut,
        Self::Retained,
        Self::Left,
        Self::Revised,
        Self::Rekeyed,
        Self::Erased,
    ];

    /// Whether it opens a claim.
    pub fn is_start(self) -> bool {
        matches!(self, Self::Joined | Self::TransferredIn)
    }

    fn has_profile(self) -> bool {
        self.is_start() || self == Self::Revised
    }
}

const ORIGINS: [Origin; 4] = [Origin::Existing, Origin::New, Origin::Transferred, Origin::Resumed];
const EVIDENCES: [Evidence; 4] =
    [Evidence::SelfDeclared, Evidence::Roster, Evidence::SocialInsurance, Evidence::LabourContract];
const LEAVES: [LeaveReason; 4] =
    [LeaveReason::Resigned, LeaveReason::Lapsed, LeaveReason::Expelled, LeaveReason::Deceased];
const SEXES: [Sex; 3] = [Sex::Unknown, Sex::Man, Sex::Woman];
const FLAGS: [Flag; 3] = [Flag::Unknown, Flag::No, Flag::Yes];
const PRECISIONS: [Precision; 3] = [Precision::Day, Precision::Month, Precision::Year];

/// A profile as one byte: sex in bits 0 and 1, migrant in bits 2 and 3, form in bits 4 to 7.
pub fn pack_profile(profile: Profile) -> u8 {
    profile.sex as u8 | (profile.migrant as u8) << 2 | profile.form << 4
}

/// The profile of a byte; `None` when sex or migrant is 3, which nothing encodes to.
pub fn unpack_profile(byte: u8) -> Option<Profile> {
    Some(Profile {
        sex: *SEXES.get(usize::from(byte & 3))?,
        migrant: *FLAGS.get(usize::from(byte >> 2 & 3))?,
        form: byte >> 4,
    })
}

fn pack_start(start: &Start) -> u8 {
    start.origin as u8 | (start.evidence as u8) << 2 | u8::from(start.qualified) << 4
}

impl MemberRow {
    /// Origin of a start.
    pub fn origin(&self) -> Origin {
        ORIGINS[usize::from(self.detail & 3)]
    }

    /// Evidence of a start.
    pub fn evidence(&self) -> Evidence {
        EVIDENCES[usize::from(self.detail >> 2 & 3)]
    }

    /// Whether the number of a start passes its check digit.
    pub fn qualified(&self) -> bool {
        self.detail >> 4 & 1 == 1
    }
}

impl MemberBatch {
    /// The member fact at `index`; bounds were checked when the batch was decoded.
    pub fn member_fact(&self, index: usize) -> MemberFact {
        let row = &self.rows[index];
        let profile = unpack_profile(row.profile).unwrap_or_default();
        let start = || Start {
            origin: row.origin(),
            evidence: row.evidence(),
            employer: self.named_unit(row.employer),
            host: self.named_unit(row.host),
            from: self.named_branch(row.other),
            profile,
            qualified: row.qualified(),
        };
        let act = match row.kind {
            RowKind::Joined => MemberAct::Joined(start()),
            RowKind::TransferredIn => MemberAct::TransferredIn(start()),
            RowKind::TransferredOut => {
                MemberAct::TransferredOut { to: self.named_branch(row.other) }
            }
            RowKind::Retained => MemberAct::Retained { reason: row.detail },
            RowKind::Left => MemberAct::Left { reason: LEAVES[usize::from(row.detail & 3)] },
            RowKind::Revised => MemberAct::Revised { profile },
            RowKind::Rekeyed => {
                MemberAct::Rekeyed { to: self.new_key(index), qualified: row.detail == 1 }
            }
            RowKind::Erased => MemberAct::Erased,
        };
        MemberFact { member: row.member, branch: self.branches[usize::from(row.branch)], act }
    }

    /// The whole fact at `index`.
    pub fn fact(&self, index: usize) -> Fact {
        let row = &self.rows[index];
        Fact {
            hlc: row.hlc,
            day: row.day,
            precision: row.precision,
            operator: self.operators[usize::from(row.operator)],
            unit: self.units[usize::from(row.unit)],
            document: named(&self.documents, row.document).cloned(),
            attributes: self.attributes_of(index),
            body: FactBody::Member(self.member_fact(index)),
        }
    }

    /// The employer a row names.
    pub fn named_unit(&self, place: u16) -> Option<UnitId> {
        named(&self.units, place).copied()
    }

    /// The union a row names beside its own.
    pub fn named_branch(&self, place: u16) -> Option<BranchId> {
        named(&self.branches, place).copied()
    }

    fn new_key(&self, index: usize) -> MemberKey {
        let found = self.new_keys.binary_search_by_key(&(index as u32), |(row, _)| *row);
        found.map_or(MemberKey::NIL, |place| self.new_keys[place].1)
    }

    fn attributes_of(&self, index: usize) -> Vec<Attribute> {
        let value = |column: &AttributeColumn| {
            let found = column.values.binary_search_by_key(&(index as u32), |(row, _)| *row);
            found.ok().map(|place| Attribute { code: column.code, value: column.values[place].1 })
        };
        self.attributes.iter().filter_map(value).collect()
    }
}

/// Place 0 names nothing, place n the entry n - 1.
fn named<T>(dictionary: &[T], place: u16) -> Option<&T> {
    usize::from(place).checked_sub(1).and_then(|index| dictionary.get(index))
}
