//! Known at: the view of exactly the blocks a checkpoint names (DESIGN §8).
//!
//! **Invariant:** what is given out has the digest that the checkpoint's writer signed. A view that comes
//! out otherwise is an error that says both digests, never an answer.

use crate::codec;
use crate::fact::governance::ChainHeight;
use crate::hash::Hash;
use crate::id::{ChainId, FactId, FederationId};
use crate::policy::Policy;
use crate::query::Desk;
use crate::texts::Law;
use crate::view::checkpoint::Checkpoint;
use crate::view::{BlockSource, View};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Member facts folded before the view is settled: bounds what waits.
const SETTLE_FACTS: u64 = 1 << 18;

/// Views kept for the next question. Each is as large as the view of today, so few are.
const KEPT_MAX: usize = 2;

/// Why the view of a checkpoint cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownError {
    /// A block of the frontier is not here.
    Missing {
        /// Its chain.
        chain: ChainId,
        /// Its height.
        height: u64,
    },
    /// Another block stands at the head of a chain than the checkpoint names.
    Head {
        /// The chain.
        chain: ChainId,
        /// The height.
        height: u64,
        /// As the checkpoint says.
        expected: Hash,
        /// What is here.
        found: Hash,
    },
    /// The blocks give another view than the checkpoint's writer signed.
    Digest {
        /// As the checkpoint says.
        expected: Hash,
        /// What the blocks give.
        found: Hash,
    },
}

impl fmt::Display for KnownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { chain, height } => {
                write!(f, "{chain} height {height}: expected a block, found none")
            }
            Self::Head { chain, height, expected, found } => {
                write!(f, "{chain} height {height}: expected block {expected}, found {found}")
            }
            Self::Digest { expected, found } => {
                write!(f, "view digest: expected {expected}, found {found}")
            }
        }
    }
}

impl std::error::Error for KnownError {}

/// The view of exactly the blocks up to these heads.
///
/// # Errors
/// A block is missing, or another one stands at a head.
pub fn fold(
    federation: FederationId,
    root_key: [u8; 32],
    frontier: &[ChainHeight],
    source: &dyn BlockSource,
) -> Result<View, KnownError> {
    fold_under(Policy::standard(), federation, root_key, frontier, source)
}

/// The same under a policy.
///
/// # Errors
/// A block is missing, or another one stands at a head.
pub fn fold_under(
    policy: Arc<Policy>,
    federation: FederationId,
    root_key: [u8; 32],
    frontier: &[ChainHeight],
    source: &dyn BlockSource,
) -> Result<View, KnownError> {
    let mut view = View::under(policy, federation, root_key);
    add_all(&mut view, frontier, source, false)?;
    view.settle(source);
    add_all(&mut view, frontier, source, true)?;
    view.settle(source);
    Ok(view)
}

/// The blocks from a head down to where `ends` says so, by height; none where one of them is not here.
pub(crate) fn down_from(
    head: &ChainHeight,
    source: &dyn BlockSource,
    ends: impl Fn(u64, &Hash) -> bool,
) -> BTreeMap<u64, Hash> {
    let ChainHeight { chain, mut height, mut hash } = *head;
    let mut side = BTreeMap::new();
    while height > 0 && !ends(height, &hash) {
        let Some(block) = source.side(&chain, height, &hash) else { return BTreeMap::new() };
        side.insert(height, hash);
        (height, hash) = (height - 1, block.header().previous);
    }
    side
}

/// The blocks of the side of a fork that a head stands on, as far down as another side comes first here.
fn side_of(head: &ChainHeight, source: &dyn BlockSource) -> BTreeMap<u64, Hash> {
    down_from(head, source, |height, hash| {
        source.block(&head.chain, height).is_some_and(|block| block.hash() == *hash)
    })
}

/// One pass: the blocks of members, or all others. Members are folded over what the others say.
fn add_all(
    view: &mut View,
    frontier: &[ChainHeight],
    source: &dyn BlockSource,
    members: bool,
) -> Result<(), KnownError> {
    let mut waiting = 0;
    for head in frontier.iter().copied() {
        let ChainHeight { chain, height: last, hash } = head;
        let mut before = None;
        let sides = side_of(&head, source);
        for height in 1..=last {
            let block = match sides.get(&height) {
                Some(hash) => source.side(&chain, height, hash),
                None => source.block(&chain, height),
            };
            let block = block.ok_or(KnownError::Missing { chain, height })?;
            if let Some(found) = before.replace(block.hash())
                && found != block.header().previous
            {
                let (height, expected) = (height - 1, block.header().previous);
                return Err(KnownError::Head { chain, height, expected, found });
            }
            if height == last && block.hash() != hash {
                let (expected, found) = (hash, block.hash());
                return Err(KnownError::Head { chain, height, expected, found });
            }
            if (block.header().codec == codec::COLUMNS) != members {
                continue;
            }
            waiting += u64::from(block.header().count);
            view.add(&block);
            if members && waiting >= SETTLE_FACTS {
                view.settle(source);
                waiting = 0;
            }
        }
    }
    Ok(())
}

/// The view a checkpoint of `view` vouches for, checked against its digest.
///
/// # Errors
/// A block is missing, another one stands at a head, or the digest comes out otherwise.
pub fn at(
    view: &View,
    checkpoint: &Checkpoint,
    source: &dyn BlockSource,
) -> Result<View, KnownError> {
    at_under(Policy::standard(), view, checkpoint, source)
}

fn at_under(
    policy: Arc<Policy>,
    view: &View,
    checkpoint: &Checkpoint,
    source: &dyn BlockSource,
) -> Result<View, KnownError> {
    let frontier = view.frontier_of(checkpoint);
    let known = fold_under(policy, view.federation(), *view.root_key(), &frontier, source)?;
    let (expected, found) = (checkpoint.digest, known.digest());
    if expected != found {
        return Err(KnownError::Digest { expected, found });
    }
    Ok(known)
}

/// A view of long ago with what was computed of it.
#[derive(Debug)]
pub struct Known {
    checkpoint: FactId,
    /// The view.
    pub view: View,
    /// Answers of it.
    pub desk: Desk,
    /// What it is folded under, and what is asked of it.
    pub law: Law,
}

/// The views of the checkpoints asked for last.
#[derive(Debug, Default)]
pub struct Shelf {
    kept: Vec<Known>,
}

impl Shelf {
    /// The view a checkpoint vouches for, folded unless it was asked for lately.
    ///
    /// # Errors
    /// As for [`at`].
    pub fn at(
        &mut self,
        view: &View,
        checkpoint: &Checkpoint,
        source: &dyn BlockSource,
    ) -> Result<&mut Known, KnownError> {
        self.under(view, checkpoint, Law::standard(), source)
    }

    /// The same under what was law when it was published.
    pub(crate) fn under(
        &mut self,
        view: &View,
        checkpoint: &Checkpoint,
        law: Law,
        source: &dyn BlockSource,
    ) -> Result<&mut Known, KnownError> {
        let is_it = |known: &Known| {
            known.checkpoint == checkpoint.id && known.law.policy.hash == law.policy.hash
        };
        let known = match self.kept.iter().position(is_it) {
            Some(place) => self.kept.remove(place),
            None => {
                // room first: two of them and the view of today are what a node may hold
                self.kept.truncate(KEPT_MAX - 1);
                let view = at_under(law.policy.clone(), view, checkpoint, source)?;
                let desk = Desk::default();
                Known { checkpoint: checkpoint.id, view, desk, law: law.clone() }
            }
        };
        self.kept.insert(0, Known { law, ..known });
        Ok(&mut self.kept[0])
    }
}
