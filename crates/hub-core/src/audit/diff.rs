//! Where two logs, or two replays, first differ.

use super::Replay;
use crate::hash::Hash;
use crate::id::{ChainId, FederationId};
use crate::view::verdict::Reason;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Which blocks a log holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    chains: BTreeMap<ChainId, BTreeMap<u64, BTreeSet<Hash>>>,
}

/// The first place at which two logs differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The chain.
    pub chain: ChainId,
    /// The height.
    pub height: u64,
    /// The block there in the one, of a fork one that the other lacks.
    pub left: Option<Hash>,
    /// The block there in the other.
    pub right: Option<Hash>,
}

/// The first respect in which two replays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayDifference {
    /// They are of two federations.
    Federation(FederationId, FederationId),
    /// They hold different blocks.
    Blocks(Difference),
    /// The same blocks gave other numbers of parked facts: the programs differ.
    Parked {
        /// Why parked.
        reason: Reason,
        /// How many in the one.
        left: u64,
        /// How many in the other.
        right: u64,
    },
    /// The same blocks gave other units, unions, conflicts or figures: the programs differ.
    View(Hash, Hash),
    /// The same blocks gave other persons' shares: the programs differ.
    Members(Hash, Hash),
}

impl Ledger {
    /// Notes a block.
    pub fn add(&mut self, chain: ChainId, height: u64, hash: Hash) {
        self.chains.entry(chain).or_default().entry(height).or_default().insert(hash);
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.chains.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |hash: Option<Hash>| hash.map_or("no block".into(), |hash| hash.to_string());
        let (left, right) = (side(self.left), side(self.right));
        write!(f, "{} height {}: {left} and {right}", self.chain, self.height)
    }
}

impl fmt::Display for ReplayDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Federation(left, right) => write!(f, "federations: {left} and {right}"),
            Self::Blocks(difference) => write!(f, "blocks: {difference}"),
            Self::Parked { reason, left, right } => {
                write!(f, "parked ({reason}): {left} and {right} facts from equal blocks")
            }
            Self::View(left, right) => write!(f, "view: {left} and {right} from equal blocks"),
            Self::Members(left, right) => {
                write!(f, "members: {left} and {right} from equal blocks")
            }
        }
    }
}

/// The first difference of two logs, in order of chain and height; `None` when they hold the same blocks.
pub fn first_difference(left: &Ledger, right: &Ledger) -> Option<Difference> {
    let chains: BTreeSet<&ChainId> = left.chains.keys().chain(right.chains.keys()).collect();
    let none = BTreeMap::new();
    chains.into_iter().find_map(|chain| {
        let ours = left.chains.get(chain).unwrap_or(&none);
        let theirs = right.chains.get(chain).unwrap_or(&none);
        let heights: BTreeSet<&u64> = ours.keys().chain(theirs.keys()).collect();
        let height = heights.into_iter().find(|height| ours.get(height) != theirs.get(height))?;
        // of a fork, the first side that only one of them holds
        let only = |here: Option<&BTreeSet<Hash>>, there: Option<&BTreeSet<Hash>>| {
            let absent = |hash: &&Hash| there.is_none_or(|there| !there.contains(*hash));
            here.into_iter().flatten().find(absent).copied()
        };
        let (ours, theirs) = (ours.get(height), theirs.get(height));
        let (left, right) = (only(ours, theirs), only(theirs, ours));
        Some(Difference { chain: *chain, height: *height, left, right })
    })
}

/// The first respect in which two replays differ, causes before effects; `None` when in none.
pub fn replay_difference(left: &Replay, right: &Replay) -> Option<ReplayDifference> {
    let federations = (left.view.federation(), right.view.federation());
    if federations.0 != federations.1 {
        return Some(ReplayDifference::Federation(federations.0, federations.1));
    }
    if let Some(difference) = first_difference(&left.ledger, &right.ledger) {
        return Some(ReplayDifference::Blocks(difference));
    }
    let reasons: BTreeSet<Reason> =
        left.parked.keys().chain(right.parked.keys()).copied().collect();
    let count = |replay: &Replay, reason| replay.parked.get(reason).copied().unwrap_or(0);
    let parked = reasons.iter().find(|reason| count(left, reason) != count(right, reason));
    if let Some(reason) = parked {
        let (left, right) = (count(left, reason), count(right, reason));
        return Some(ReplayDifference::Parked { reason: *reason, left, right });
    }
    if left.digest != right.digest {
        return Some(ReplayDifference::View(left.digest, right.digest));
    }
    let members = left.member_digest != right.member_digest;
    members.then_some(ReplayDifference::Members(left.member_digest, right.member_digest))
}
