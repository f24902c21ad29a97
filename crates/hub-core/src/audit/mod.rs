//! Audit: proving or refuting a log from its bytes and a root key alone (DESIGN §11).
//!
//! Nothing here writes, stops at the first fault, or takes its root of trust from the data: the root key
//! comes from the caller. Blocks come from an iterator, once; what has to be read again comes from a
//! [`BlockSource`](crate::view::BlockSource) over the same blocks.

mod check;
mod conserve;
mod diff;
mod fork;
mod links;
mod replay;
mod verify;

use crate::block::Block;
use crate::chain::ChainError;
use crate::codec::Body;
use crate::fact::{FactBody, GovernanceFact};
use crate::hash::Hash;
use crate::header::HeaderError;
use crate::id::{ChainId, FactId, FederationId, NodeId};
use crate::time::Day;
use crate::view::verdict::Reason;
use std::fmt;

pub use check::{Checked, Cited, Compared, Refuted, Undecidable, check};
pub use conserve::{Broken, Category, Conserved, category_of, conserve};
pub use diff::{Difference, Ledger, ReplayDifference, first_difference, replay_difference};
pub use fork::{FORK_BLOCKS_MAX, FORK_MAGIC, ForkProof, ProvenFork, Unproven};
pub use replay::{Replay, Replayed, fold, replay};
pub use verify::{Verification, verify};

/// What a log holds at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A block whose lengths and body hash fit.
    Block(Block),
    /// Bytes that are none, as the store found them.
    Damaged(Region),
}

/// Damage the store found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// Where: as the store names places, e.g. segment and offset.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// The block it hit, where that can be told.
    pub block: Option<(ChainId, u64)>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The chain, where it is about one.
    pub chain: Option<ChainId>,
    /// The first height it is about.
    pub height: Option<u64>,
    /// What it is.
    pub kind: FindingKind,
}

/// What is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// Bytes are damaged.
    Damaged(Region),
    /// Another federation's block.
    Federation {
        /// Ours.
        expected: FederationId,
        /// Theirs.
        found: FederationId,
    },
    /// Blocks of a chain are missing, from the finding's height on.
    Missing {
        /// The last missing height.
        to: u64,
    },
    /// A block does not follow the one before it.
    Link(ChainError),
    /// Two blocks stand at one height of one chain.
    Fork {
        /// The one.
        first: Hash,
        /// The other.
        second: Hash,
        /// Whether the same key signed both: portable proof against its holder.
        proven: bool,
    },
    /// The first block of an epoch continues another head than its enrolment names.
    Continues {
        /// As the enrolment says.
        expected: Hash,
        /// As the block says.
        found: Hash,
    },
    /// A block cannot be read again from where it was listed.
    Unread,
    /// The signature is not by the writer's enrolled key.
    Signature(HeaderError),
    /// No accepted enrolment names a key for this writer: its blocks prove nothing.
    UnknownWriter {
        /// How many blocks of the chain that leaves open.
        blocks: u64,
    },
    /// The enrolment that named the key no longer stands once all is folded.
    KeyNotAccepted {
        /// The writer.
        node: NodeId,
        /// Its epoch.
        epoch: u32,
    },
    /// Facts of a block are parked.
    Parked {
        /// Why.
        reason: Reason,
        /// The first of them.
        first: FactId,
        /// How many of the block.
        facts: u64,
    },
    /// M8: what persons add up to is not what is counted.
    NotConserved {
        /// On this day.
        day: Day,
        /// What does not hold.
        broken: Broken,
    },
    /// A body this version does not read.
    Unreadable {
        /// Why, with expected and found.
        why: String,
    },
}

impl Finding {
    fn at(chain: ChainId, height: u64, kind: FindingKind) -> Self {
        Self { chain: Some(chain), height: Some(height), kind }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(chain) = &self.chain {
            write!(f, "{chain} ")?;
        }
        if let Some(height) = self.height {
            write!(f, "height {height}: ")?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(region) => write!(f, "damaged: {}: {}", region.place, region.what),
            Self::Federation { expected, found } => {
                write!(f, "federation: expected {expected}, found {found}")
            }
            Self::Missing { to } => {
                write!(f, "missing: expected blocks to height {to}, found none")
            }
            Self::Link(error) => error.fmt(f),
            Self::Fork { first, second, proven } => {
                let how =
                    if *proven { "one key signed both" } else { "not both signed by its key" };
                write!(f, "fork: expected one block, found {first} and {second} ({how})")
            }
            Self::Continues { expected, found } => {
                write!(f, "epoch: expected to continue {expected}, found {found}")
            }
            Self::Unread => f.write_str("expected the block where it was listed, found none"),
            Self::Signature(error) => error.fmt(f),
            Self::UnknownWriter { blocks } => {
                write!(
                    f,
                    "writer: expected an accepted enrolment, found none; {blocks} blocks open"
                )
            }
            Self::KeyNotAccepted { node, epoch } => {
                write!(f, "key of {node} epoch {epoch}: expected its enrolment to stand")
            }
            Self::Parked { reason, first, facts } => {
                write!(f, "parked: {facts} facts from {first}: {reason}")
            }
            Self::NotConserved { day, broken } => write!(f, "conservation on {day}: {broken}"),
            Self::Unreadable { why } => write!(f, "unreadable: {why}"),
        }
    }
}

/// The root key that proves to be `federation`'s, where this block names one: a federation's id is
/// derived from its root key, so an id on a command line is a fingerprint that no disc can forge.
pub fn root_key_in(block: &Block, federation: &FederationId) -> Option<[u8; 32]> {
    let Ok(Body::Rows(facts)) = block.body() else { return None };
    facts.iter().find_map(|fact| match &fact.body {
        FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment)) => {
            let fits = FederationId::of_root_key(&enrolment.key) == *federation;
            fits.then_some(enrolment.key)
        }
        _ => None,
    })
}
