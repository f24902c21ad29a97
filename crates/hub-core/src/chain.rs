//! Chains: how blocks follow each other in one lane of one epoch.

use crate::block::{Block, Place};
use crate::hash::Hash;
use crate::header::Header;
use crate::id::{ChainId, FederationId};
use crate::time::Hlc;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The height of the last block; 0 for a chain without blocks.
    pub height: u64,
    /// Its hash; for a chain without blocks the head it continues, or zero.
    pub hash: Hash,
    /// The seq the next fact gets.
    pub next_seq: u64,
    /// The HLC of the last fact.
    pub last_hlc: Hlc,
}

/// A block that does not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainError {
    /// Blocks before it are missing.
    Gap {
        /// The height that would follow.
        expected: u64,
        /// Its height.
        found: u64,
    },
    /// It, or another at its height, is there already.
    Known {
        /// The height of the head.
        head: u64,
        /// Its height.
        found: u64,
    },
    /// It names another block before it than the one that is there: a fork.
    Previous {
        /// The hash of the head.
        expected: Hash,
        /// The hash it names.
        found: Hash,
    },
    /// Its first fact is not the next one.
    Seq {
        /// The next seq.
        expected: u64,
        /// Its first seq.
        found: u64,
    },
    /// Its clock stands before the chain's.
    Hlc {
        /// The last HLC of the chain.
        expected_after: Hlc,
        /// Its first HLC.
        found: Hlc,
    },
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { expected, found } => {
                write!(f, "gap: expected height {expected}, found {found}")
            }
            Self::Known { head, found } => {
                write!(f, "known: expected a height above {head}, found {found}")
            }
            Self::Previous { expected, found } => {
                write!(f, "previous hash: expected {expected}, found {found}")
            }
            Self::Seq { expected, found } => {
                write!(f, "first seq: expected {expected}, found {found}")
            }
            Self::Hlc { expected_after, found } => {
                write!(f, "first HLC: expected after {expected_after}, found {found}")
            }
        }
    }
}

impl std::error::Error for ChainError {}

impl ChainHead {
    /// A chain without blocks. `continues` is the head of the epoch before, zero for the first.
    pub const fn empty(continues: Hash) -> Self {
        Self { height: 0, hash: continues, next_seq: 1, last_hlc: Hlc::ZERO }
    }

    /// The head after `block`.
    ///
    /// # Errors
    /// Why it does not follow. The first block of a chain may name any block before it: which head a new
    /// epoch continues is a matter of its enrolment, not of its shape.
    pub fn extended(&self, header: &Header, hash: Hash) -> Result<Self, ChainError> {
        let expected = self.height + 1;
        if header.height > expected {
            return Err(ChainError::Gap { expected, found: header.height });
        }
        if header.height < expected {
            return Err(ChainError::Known { head: self.height, found: header.height });
        }
        if self.height > 0 && header.previous != self.hash {
            return Err(ChainError::Previous { expected: self.hash, found: header.previous });
        }
        if header.first_seq != self.next_seq {
            return Err(ChainError::Seq { expected: self.next_seq, found: header.first_seq });
        }
        if self.height > 0 && header.first_hlc <= self.last_hlc {
            return Err(ChainError::Hlc { expected_after: self.last_hlc, found: header.first_hlc });
        }
        Ok(Self {
            height: header.height,
            hash,
            next_seq: header.next_seq(),
            last_hlc: header.last_hlc,
        })
    }

    /// The place of the next block.
    pub fn next_place(&self, federation: FederationId, chain: ChainId) -> Place {
        Place {
            federation,
            chain,
            height: self.height + 1,
            first_seq: self.next_seq,
            previous: self.hash,
        }
    }
}

/// Two blocks signed by one key at one height of one chain: portable proof of a fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The one.
    pub first: Block,
    /// The other.
    pub second: Block,
}

impl Fork {
    /// The proof, if the two blocks are one: same chain and height, other hash, both signed by `key`.
    pub fn proven(first: &Block, second: &Block, key: &[u8; 32]) -> Option<Self> {
        let same_place = first.header().chain == second.header().chain
            && first.header().height == second.header().height;
        let proven = same_place
            && first.hash() != second.hash()
            && first.verify(key).is_ok()
            && second.verify(key).is_ok();
        proven.then(|| Self { first: first.clone(), second: second.clone() })
    }
}
