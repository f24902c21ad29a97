//! The block header: one fixed layout for disk and wire (bytes: `schemas/block.md`).
//!
//! Integers are big-endian. The signature covers every header byte before it; the body hash inside the
//! header makes it cover the body. Stored bytes are hashed and signed, never a re-encoding.

use crate::hash::{Hash, sha256};
use crate::id::{ChainId, FederationId, Lane, NodeId};
use crate::time::Hlc;
use std::fmt;

/// The first four bytes of every block.
pub const MAGIC: [u8; 4] = *b"HUBB";
/// The format this version writes and reads.
pub const FORMAT: u16 = 0;
/// Suite 1: SHA-256 and Ed25519. Others are reserved.
pub const SUITE: u8 = 1;
/// The length of a header with its signature.
pub const HEADER_BYTES: usize = 229;
/// The length of the signed part.
pub const SIGNED_BYTES: usize = HEADER_BYTES - 64;
/// The most facts of a block.
pub const FACTS_MAX: u32 = 4_096;
/// The longest body.
pub const BODY_BYTES_MAX: u32 = BLOCK_BYTES_MAX as u32 - HEADER_BYTES as u32;
/// The longest block, header and body (LIMITS: what NATS carries well).
pub const BLOCK_BYTES_MAX: usize = 256 * 1024;

/// Everything a block says of itself before its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The federation it belongs to.
    pub federation: FederationId,
    /// Writer, epoch, lane.
    pub chain: ChainId,
    /// Its place in the chain; the first block is 1.
    pub height: u64,
    /// The seq of its first fact; a chain's first fact is 1.
    pub first_seq: u64,
    /// How many facts it holds, 1 to [`FACTS_MAX`].
    pub count: u32,
    /// The hash of the block before; for the first block of a later epoch the head it continues, of the
    /// very first zero.
    pub previous: Hash,
    /// The HLC of its first fact.
    pub first_hlc: Hlc,
    /// The HLC of its last fact.
    pub last_hlc: Hlc,
    /// How the body is encoded; see [`crate::codec`].
    pub codec: u8,
    /// The body's length in bytes.
    pub body_length: u32,
    /// The body's hash.
    pub body_hash: Hash,
}

/// Bytes that are no header.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// Too few bytes, or more or fewer than the header claims.
    Length {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The first bytes are not [`MAGIC`].
    Magic([u8; 4]),
    /// A format this version does not read.
    Format(u16),
    /// A suite this version does not know.
    Suite(u8),
    /// Bytes 43 to 59 are no lane.
    Lane([u8; 17]),
    /// A field is out of its bounds.
    Bounds {
        /// Which.
        field: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What stands there.
        found: u64,
    },
    /// The body's hash is another one.
    BodyHash {
        /// As the header says.
        expected: Hash,
        /// As the bytes give.
        found: Hash,
    },
    /// The signature does not fit this key.
    Signature {
        /// The key it was checked against.
        expected: [u8; 32],
    },
    /// Another federation's block.
    Federation {
        /// Ours.
        expected: FederationId,
        /// Theirs.
        found: FederationId,
    },
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(f, "length: expected {expected} bytes, found {found}")
            }
            Self::Magic(found) => write!(f, "magic: expected {MAGIC:02x?}, found {found:02x?}"),
            Self::Format(found) => write!(f, "format: expected {FORMAT}, found {found}"),
            Self::Suite(found) => write!(f, "suite: expected {SUITE}, found {found}"),
            Self::Lane(found) => write!(f, "lane: expected tag 0 or 1, found {found:02x?}"),
            Self::Bounds { field, expected, found } => {
                write!(f, "{field}: expected {expected}, found {found}")
            }
            Self::BodyHash { expected, found } => {
                write!(f, "body hash: expected {expected}, found {found}")
            }
            Self::Signature { expected } => write!(
                f,
                "signature: expected one by key {}, found another",
                crate::hash::hex_encode(expected)
            ),
            Self::Federation { expected, found } => {
                write!(f, "federation: expected {expected}, found {found}")
            }
        }
    }
}

impl std::error::Error for HeaderError {}

impl Header {
    /// The signed part, laid out.
    pub fn to_signed_bytes(&self) -> [u8; SIGNED_BYTES] {
        let mut bytes = [0; SIGNED_BYTES];
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(&MAGIC);
        put(&FORMAT.to_be_bytes());
        put(&[SUITE]);
        put(&self.federation.0);
        put(&self.chain.node.0);
        put(&self.chain.epoch.to_be_bytes());
        put(&self.chain.lane.to_bytes());
        put(&self.height.to_be_bytes());
        put(&self.first_seq.to_be_bytes());
        put(&self.count.to_be_bytes());
        put(&self.previous.0);
        put(&self.first_hlc.0.to_be_bytes());
        put(&self.last_hlc.0.to_be_bytes());
        put(&[self.codec]);
        put(&self.body_length.to_be_bytes());
        put(&self.body_hash.0);
        bytes
    }

    /// Reads a header from the start of `bytes`, without looking at body or signature.
    ///
    /// # Errors
    /// What is wrong first, in the order of the layout.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        if bytes.len() < HEADER_BYTES {
            return Err(HeaderError::Length { expected: HEADER_BYTES, found: bytes.len() });
        }
        let mut cursor = Cursor { bytes, at: 0 };
        let magic = cursor.take::<4>();
        if magic != MAGIC {
            return Err(HeaderError::Magic(magic));
        }
        let format = u16::from_be_bytes(cursor.take());
        if format != FORMAT {
            return Err(HeaderError::Format(format));
        }
        let [suite] = cursor.take::<1>();
        if suite != SUITE {
            return Err(HeaderError::Suite(suite));
        }
        let federation = FederationId(cursor.take());
        let node = NodeId(cursor.take());
        let epoch = u32::from_be_bytes(cursor.take());
        let lane = cursor.take::<17>();
        let lane = Lane::from_bytes(&lane).ok_or(HeaderError::Lane(lane))?;
        let header = Self {
            federation,
            chain: ChainId { node, epoch, lane },
            height: u64::from_be_bytes(cursor.take()),
            first_seq: u64::from_be_bytes(cursor.take()),
            count: u32::from_be_bytes(cursor.take()),
            previous: Hash(cursor.take()),
            first_hlc: Hlc(u64::from_be_bytes(cursor.take())),
            last_hlc: Hlc(u64::from_be_bytes(cursor.take())),
            codec: cursor.take::<1>()[0],
            body_length: u32::from_be_bytes(cursor.take()),
            body_hash: Hash(cursor.take()),
        };
        header.check()?;
        Ok(header)
    }

    /// The length of the whole block.
    pub fn block_length(&self) -> usize {
        HEADER_BYTES + self.body_length as usize
    }

    /// The seq after its last fact.
    pub fn next_seq(&self) -> u64 {
        self.first_seq + u64::from(self.count)
    }

    fn check(&self) -> Result<(), HeaderError> {
        let bounds = |field, expected, found, good| {
            if good { Ok(()) } else { Err(HeaderError::Bounds { field, expected, found }) }
        };
        let epoch = self.chain.epoch;
        bounds("epoch", "at least 1", u64::from(epoch), epoch >= 1)?;
        bounds("height", "1 to 2^62", self.height, (1..=1 << 62).contains(&self.height))?;
        bounds("first_seq", "1 to 2^62", self.first_seq, (1..=1 << 62).contains(&self.first_seq))?;
        let count = u64::from(self.count);
        bounds("count", "1 to 4096", count, (1..=FACTS_MAX).contains(&self.count))?;
        let forward = self.first_hlc <= self.last_hlc;
        bounds("last_hlc", "not before first_hlc", self.last_hlc.0, forward)?;
        let length = u64::from(self.body_length);
        bounds(
            "body_length",
            "1 to 261915",
            length,
            (1..=BODY_BYTES_MAX).contains(&self.body_length),
        )
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    /// The caller has checked that all fields fit.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        field
    }
}

/// The hash that names a block: of its header with signature (the body is inside by its hash).
pub fn block_hash(header: &[u8; HEADER_BYTES]) -> Hash {
    sha256(&[header])
}
