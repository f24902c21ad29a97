//! Facts about who may speak and what was decided (DESIGN §4, §7, §9).

use super::member::{Evidence, MemberFact};
use super::unit::Level;
use super::{BranchFact, FactError, FigureFact, UnitFact, Withdrawn};
use super::{check_day, check_list, check_range, check_text};
use crate::hash::Hash;
use crate::id::{BranchId, ChainId, FactId, Lane, MemberKey, NodeId, UnitId};
use crate::time::{Day, Hlc, Millis};
use serde::{Deserialize, Serialize};

/// Where one lane of an epoch stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LaneHead {
    /// Which lane.
    pub lane: Lane,
    /// The height of its last block.
    pub height: u64,
    /// That block's hash.
    pub hash: Hash,
}

/// An enrolment: this key of this node speaks for this unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The node.
    pub node: NodeId,
    /// Its Ed25519 public key in this epoch.
    pub key: [u8; 32],
    /// The epoch.
    pub epoch: u32,
    /// The unit it serves, with all below that no deeper node serves.
    pub unit: UnitId,
    /// Whether it may enrol nodes below.
    pub may_delegate: bool,
    /// Holds from here.
    pub not_before: Millis,
    /// Facts later than this are parked until renewal.
    pub expires: Millis,
    /// For a later epoch: the epoch it continues, and the heads from which.
    #[serde(deserialize_with = "super::bounded::continued")]
    pub continues: Option<(u32, Vec<LaneHead>)>,
    /// The federation's person key, sealed to this node's key; empty where the host keeps it.
    #[serde(deserialize_with = "super::bounded::list")]
    pub person_key: Vec<u8>,
}

/// A head of a chain, as a checkpoint states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChainHeight {
    /// Which chain.
    pub chain: ChainId,
    /// The height of the last block held.
    pub height: u64,
    /// That block's hash.
    pub hash: Hash,
}

/// What a ruling or a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// One person's claim at one union.
    Claim {
        /// The person.
        member: MemberKey,
        /// The union.
        branch: BranchId,
    },
    /// One registration of a unit.
    Registration {
        /// The unit.
        unit: UnitId,
        /// The parent it was registered under.
        parent: UnitId,
    },
    /// One union.
    Branch {
        /// The union.
        branch: BranchId,
    },
}

/// The rule-relevant fields of an outside fact. A type of its own, so that facts do not nest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restatement {
    /// Its HLC.
    pub hlc: Hlc,
    /// Its effective day.
    pub day: Day,
    /// The unit its writer acted for.
    pub unit: UnitId,
    /// Of a unit's fact: the parents in the unit's registrations that it holds for, sorted. Who lacks the
    /// fact may lack what this rests on (U1, U2).
    #[serde(deserialize_with = "super::bounded::list")]
    pub under: Vec<UnitId>,
    /// Of a start: whether a joining day is stated (DESIGN §7, holder).
    pub day_stated: bool,
    /// What happened.
    pub body: RestatedBody,
}

/// What an outside fact said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestatedBody {
    /// About a unit.
    Unit(UnitFact),
    /// About a union.
    Branch(BranchFact),
    /// About a person's membership.
    Member(MemberFact),
    /// About declared figures.
    Figure(FigureFact),
    /// Took back facts that the audience holds: of the withdrawal those facts only. Restatements of one
    /// withdrawal are told apart by the first fact they name.
    Withdrawn(Withdrawn),
    /// A ruling.
    Ruled {
        /// The sides.
        #[serde(deserialize_with = "super::bounded::list")]
        sides: Vec<Side>,
        /// Which of them wins, by its place.
        winner: Option<u32>,
        /// From this day.
        from: Day,
        /// The level of its writer's office then.
        level: Level,
    },
    /// An objection.
    Objected {
        /// The person.
        member: MemberKey,
        /// The union whose claim is objected to.
        branch: BranchId,
        /// From this day.
        from: Day,
        /// What the objection rests on.
        evidence: Evidence,
    },
}

impl Restatement {
    fn check(&self) -> Result<(), FactError> {
        check_day("day", self.day)?;
        check_list("under", self.under.len())?;
        match &self.body {
            RestatedBody::Unit(fact) => fact.check(),
            RestatedBody::Branch(fact) => fact.check(),
            RestatedBody::Member(fact) => fact.check(),
            RestatedBody::Figure(fact) => fact.check(),
            RestatedBody::Withdrawn(fact) => fact.check(),
            RestatedBody::Ruled { sides, winner, from, .. } => check_ruling(sides, *winner, *from),
            RestatedBody::Objected { from, .. } => check_day("from", *from),
        }
    }
}

fn check_ruling(sides: &[Side], winner: Option<u32>, from: Day) -> Result<(), FactError> {
    check_day("from", from)?;
    check_list("sides", sides.len())?;
    check_range("sides", sides.len() as u64, 2, u64::MAX)?;
    check_range("winner", winner.map_or(0, u64::from), 0, sides.len() as u64 - 1)
}

/// A governance fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GovernanceFact {
    /// A node was enrolled, or its enrolment renewed.
    NodeEnrolled(Box<Enrolment>),
    /// A signed cut: blocks of this epoch above these heights are parked; of several the lowest.
    NodeRevoked {
        /// The node.
        node: NodeId,
        /// The epoch.
        epoch: u32,
        /// The last good height of each lane; a lane not named has none.
        #[serde(deserialize_with = "super::bounded::list")]
        last_good: Vec<(Lane, u64)>,
        /// Why, in words.
        reason: String,
    },
    /// A ruling (裁定) by a common ancestor (M4).
    Ruled {
        /// The sides; two at least.
        #[serde(deserialize_with = "super::bounded::list")]
        sides: Vec<Side>,
        /// Which of them wins, by its place; none: nobody.
        winner: Option<u32>,
        /// From this day.
        from: Day,
        /// Why, in words.
        reason: String,
    },
    /// An objection (异议) to a takeover (M3).
    Objected {
        /// The person.
        member: MemberKey,
        /// The union whose claim is objected to.
        branch: BranchId,
        /// From this day.
        from: Day,
        /// What the objection rests on.
        evidence: Evidence,
    },
    /// An outside fact that touches a subject of this subtree, and what became of it (DESIGN §7).
    Restated {
        /// The fact.
        fact: FactId,
        /// The fact's rule-relevant fields.
        content: Box<Restatement>,
        /// Whether it counts.
        counts: bool,
        /// Counted from 1; the highest holds.
        revision: u32,
    },
    /// What its writer held without a gap at its HLC, and vouches for. In `up` it is a checkpoint, whole or
    /// one part of it; in a down lane it is an excerpt for that audience: the heads of its own chains.
    Checkpointed {
        /// One entry a chain, in rising order of chain.
        #[serde(deserialize_with = "super::bounded::list")]
        frontier: Vec<ChainHeight>,
        /// The view digest there; of an excerpt, that of the checkpoint it is from.
        digest: Hash,
        /// Which part of the checkpoint, counted from 1: a long frontier is cut, and its parts are facts
        /// one behind the other in their chain. The id of the last names the checkpoint.
        part: u32,
        /// How many parts there are.
        parts: u32,
    },
    /// Forms, elements, indicators, deadlines, code lists: the text of a catalogue (JSON).
    CatalogPublished {
        /// Counted from 1.
        version: u32,
        /// Its hash.
        hash: Hash,
        /// The text.
        text: String,
    },
    /// A policy: parameters and rule-set version (JSON).
    PolicyPublished {
        /// Counted from 1.
        version: u32,
        /// Its hash.
        hash: Hash,
        /// The text.
        text: String,
    },
}

/// The longest catalogue or policy, in bytes of UTF-8.
pub const PUBLISHED_TEXT_BYTES_MAX: usize = 128 * 1024;
/// The longest sealed person key, in bytes.
pub const SEALED_KEY_BYTES_MAX: usize = 256;

impl GovernanceFact {
    pub(crate) fn check(&self) -> Result<(), FactError> {
        match self {
            Self::NodeEnrolled(enrolment) => {
                let sealed = enrolment.person_key.len() as u64;
                check_range("person_key", sealed, 0, SEALED_KEY_BYTES_MAX as u64)?;
                check_range("epoch", u64::from(enrolment.epoch), 1, u64::from(u32::MAX))?;
                check_range("expires", enrolment.expires, enrolment.not_before, u64::MAX >> 16)?;
                check_list("continues", enrolment.continues.as_ref().map_or(0, |c| c.1.len()))
            }
            Self::NodeRevoked { last_good, reason, .. } => {
                check_list("last_good", last_good.len())?;
                check_text("reason", reason)
            }
            Self::Ruled { sides, winner, from, reason } => {
                check_ruling(sides, *winner, *from)?;
                check_text("reason", reason)
            }
            Self::Objected { from, .. } => check_day("from", *from),
            Self::Restated { content, .. } => content.check(),
            Self::Checkpointed { frontier, part, parts, .. } => {
                check_range("parts", u64::from(*parts), 1, u64::from(u32::MAX))?;
                check_range("part", u64::from(*part), 1, u64::from(*parts))?;
                check_list("frontier", frontier.len())?;
                check_order(frontier)
            }
            Self::CatalogPublished { text, .. } | Self::PolicyPublished { text, .. } => {
                check_range("text", text.len() as u64, 0, PUBLISHED_TEXT_BYTES_MAX as u64)
            }
        }
    }
}

fn check_order(frontier: &[ChainHeight]) -> Result<(), FactError> {
    match frontier.windows(2).find(|pair| pair[0].chain >= pair[1].chain) {
        None => Ok(()),
        Some(pair) => Err(FactError {
            field: "frontier",
            expected: "chains in rising order, each once".into(),
            found: format!("{} before {}", pair[0].chain, pair[1].chain),
        }),
    }
}
