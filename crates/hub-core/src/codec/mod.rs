//! Bodies: how the facts of a block are laid out (bytes: `schemas/block.md`).
//!
//! Codec 1 holds rows of every family but members; codec 2 holds member facts in columns. Which one a
//! batch goes into follows from its facts, so that equal facts have one encoding.

pub mod columns;
mod rows;

use crate::fact::{Fact, FactBody, FactError};
use crate::header::{BODY_BYTES_MAX, FACTS_MAX, Header};
use std::fmt;

pub use columns::{MemberBatch, MemberRow};

/// Codec 1: rows.
pub const ROWS: u8 = 1;
/// Codec 2: columns of member facts.
pub const COLUMNS: u8 = 2;

/// A decoded body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Facts of every family but members.
    Rows(Vec<Fact>),
    /// Member facts.
    Members(MemberBatch),
}

impl Body {
    /// All facts, each built in full.
    pub fn into_facts(self) -> Vec<Fact> {
        match self {
            Self::Rows(facts) => facts,
            Self::Members(batch) => (0..batch.rows.len()).map(|index| batch.fact(index)).collect(),
        }
    }
}

/// A body that cannot be made or read. A block with such a body is stored and parked as unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecError {
    /// No facts, or too many.
    Count {
        /// What is allowed.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// Too long for a block.
    TooLong {
        /// The most bytes.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// Member facts and others in one block.
    Mixed,
    /// A fact to be encoded whose HLC is not greater than that of the fact before it.
    Clock {
        /// Its place among the facts, from 0.
        index: usize,
    },
    /// A codec this version does not know.
    UnknownCodec(u8),
    /// A kind, or a value of a list, that this version does not know.
    UnknownKind {
        /// Of which list.
        list: &'static str,
        /// The number found.
        found: u64,
    },
    /// The body ends inside a value.
    Truncated {
        /// At which byte.
        at: usize,
        /// How many bytes the value still needs.
        expected: usize,
        /// How many are left.
        found: usize,
    },
    /// A value claims to be longer than any body.
    Claim {
        /// At which byte.
        at: usize,
        /// The longest body.
        expected: u32,
        /// The length it claims.
        found: u64,
    },
    /// Bytes are left after the last fact.
    Trailing {
        /// How many were used.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A value is encoded in another way than the one allowed, or breaks a limit.
    NotCanonical {
        /// At which byte, as near as known.
        at: usize,
        /// What is wrong, with expected and found.
        what: String,
    },
    /// A fact breaks a bound.
    Fact {
        /// Its place in the block, from 0.
        index: usize,
        /// What is wrong.
        error: FactError,
    },
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { expected, found } => {
                write!(f, "facts: expected {expected}, found {found}")
            }
            Self::TooLong { expected, found } => {
                write!(f, "body: expected at most {expected} bytes, found {found}")
            }
            Self::Mixed => f.write_str("body: expected member facts or others, found both"),
            Self::Clock { index } => {
                write!(f, "fact {index}: expected a greater HLC than the fact before it")
            }
            Self::UnknownCodec(found) => write!(f, "codec: expected 1 or 2, found {found}"),
            Self::UnknownKind { list, found } => {
                write!(f, "{list}: expected a known kind, found {found}")
            }
            Self::Truncated { at, expected, found } => {
                write!(f, "body byte {at}: expected {expected} more bytes, found {found}")
            }
            Self::Claim { at, expected, found } => {
                write!(f, "body byte {at}: expected a length of at most {expected}, found {found}")
            }
            Self::Trailing { expected, found } => {
                write!(f, "body: expected {expected} bytes, found {found}")
            }
            Self::NotCanonical { at, what } => write!(f, "body byte {at}: {what}"),
            Self::Fact { index, error } => write!(f, "fact {index}: {error}"),
        }
    }
}

impl std::error::Error for CodecError {}

/// Encodes facts; says with which codec.
///
/// # Errors
/// No facts, more than [`FACTS_MAX`], mixed families, HLCs that do not rise, a body too long for a block.
pub fn encode(facts: &[Fact]) -> Result<(u8, Vec<u8>), CodecError> {
    if facts.is_empty() || facts.len() > FACTS_MAX as usize {
        return Err(CodecError::Count { expected: "1 to 4096", found: facts.len() });
    }
    if let Some(index) = facts.windows(2).position(|pair| pair[0].hlc >= pair[1].hlc) {
        return Err(CodecError::Clock { index: index + 1 });
    }
    let members = facts.iter().filter(|f| matches!(f.body, FactBody::Member(_))).count();
    let (codec, body) = match members {
        0 => (ROWS, rows::encode(facts)?),
        all if all == facts.len() => (COLUMNS, columns::encode(facts)?),
        _ => return Err(CodecError::Mixed),
    };
    if body.len() > BODY_BYTES_MAX as usize {
        return Err(CodecError::TooLong { expected: BODY_BYTES_MAX as usize, found: body.len() });
    }
    Ok((codec, body))
}

/// Decodes a body whose length and hash are already checked.
///
/// # Errors
/// Why it is unreadable.
pub fn decode(header: &Header, body: &[u8]) -> Result<Body, CodecError> {
    match header.codec {
        ROWS => rows::decode(header, body).map(Body::Rows),
        COLUMNS => columns::decode(header, body).map(Body::Members),
        other => Err(CodecError::UnknownCodec(other)),
    }
}
