//! The messages between nodes; `schemas/wire.md` is their one description.
//!
//! Invariants:
//! 1. one message has one encoding: what decodes, encodes to the same bytes;
//! 2. every length is checked before memory is set aside for it;
//! 3. a block travels verbatim: its bytes are a message's tail.

mod bytes;
mod decode;
mod encode;
mod enrol;
mod receipt;

pub use enrol::{EnrolAnswer, EnrolRequest, claimed_federation};
pub use receipt::{Receipt, Watermark, sign};

use crate::io::{ChainRange, JournalId, Position};
use hub_core::block::Block;
use hub_core::fact::governance::ChainHeight;
use hub_core::hash::{Hash, sha256};
use hub_core::header::HeaderError;
use hub_core::id::{ChainId, FederationId};
use std::fmt;

pub(crate) use bytes::{Reader, Writer};
pub(crate) use receipt::verify;

/// The first four bytes of every message.
pub const MAGIC: [u8; 4] = *b"HUBM";
/// The version this code writes and reads.
pub const VERSION: u16 = 0;
/// The length of the header: magic, version, kind, federation.
pub const HEADER_BYTES: usize = 23;

/// One run of one journal: a stream of shipped blocks. The run rises when sender and receiver find that
/// they disagree about the stream; it then begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    /// The sender's journal.
    pub journal: JournalId,
    /// Counted from 0.
    pub run: u32,
}

/// How far a stream is known, and what it was to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Which stream.
    pub stream: StreamId,
    /// Up to this position of the sender's journal.
    pub position: Position,
    /// The hash of the stream to there; see [`extend`].
    pub hash: Hash,
}

impl Cursor {
    /// The beginning of a stream.
    pub const fn start(stream: StreamId) -> Self {
        Self { stream, position: 0, hash: Hash::ZERO }
    }
}

/// The hash of a stream after one more block: SHA-256 of the hash before and the block's hash. It
/// begins with [`Hash::ZERO`].
pub fn extend(stream: Hash, block: Hash) -> Hash {
    sha256(&[&stream.0, &block.0])
}

/// A block of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ship {
    /// Which stream.
    pub stream: StreamId,
    /// Where the message before it ended.
    pub after: Position,
    /// Where the block stands.
    pub position: Position,
    /// The block.
    pub block: Block,
}

/// Names a block of a stream without bringing it: the receiver wants it if it lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands.
    pub position: Position,
    /// Its chain, height and hash.
    pub block: ChainHeight,
}

/// Blocks of a stream by name; none at all when the receiver is to have nothing up to `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    /// Which stream.
    pub stream: StreamId,
    /// Where the message before it ended.
    pub after: Position,
    /// The blocks, in rising position.
    pub blocks: Vec<Reference>,
    /// How far this message goes: the last position or beyond.
    pub end: Position,
}

/// A page of what a child holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    /// The page tells of all relevant chains after this one; from the first on when there is none.
    pub after: Option<ChainId>,
    /// Whether no chain comes after the page's last.
    pub last: bool,
    /// Whether all chains are relevant (once after a start, for a journal may have been restored), or
    /// only own chains and down lanes.
    pub whole: bool,
    /// The heads of relevant chains, in order of chain.
    pub heads: Vec<ChainHeight>,
}

/// A child tells how far it got, and asks for what comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// How far it holds the parent's stream to it.
    pub down: Option<Cursor>,
    /// Its own stream to the parent, as far as it believes it receipted.
    pub up: Cursor,
    /// Whether all it has to ship is receipted.
    pub settled: bool,
    /// What it holds: now and then, and after a start.
    pub frontier: Option<Frontier>,
}

/// Which kind of message, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A block of the sender's stream.
    Ship(Ship),
    /// Blocks of the sender's stream by name.
    References(References),
    /// A block that was wanted, outside of any stream.
    Loose(Block),
    /// How far the parent has a child's stream, durably (signed).
    Receipt(Box<Receipt>),
    /// A child's ask.
    Ask(Box<Ask>),
    /// Ranges of chains the sender lacks.
    Want(Vec<ChainRange>),
    /// There is something to ask for.
    WakeUp,
    /// Heads of the child's own chains that lie beyond those it named. Empty: there are none, the
    /// comparison is done.
    Ahead(Vec<ChainHeight>),
    /// A node asks to be enrolled.
    EnrolRequest(Box<EnrolRequest>),
    /// The answer.
    EnrolAnswer(Box<EnrolAnswer>),
}

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// Too few or too many bytes.
    Length {
        /// Of what.
        field: &'static str,
        /// How many there should be, or may be at most.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The first bytes are not [`MAGIC`].
    Magic([u8; 4]),
    /// A version this code does not read.
    Version(u16),
    /// A kind this version does not know.
    Kind(u8),
    /// Another federation's message.
    Federation {
        /// Ours.
        expected: FederationId,
        /// Theirs.
        found: FederationId,
    },
    /// A field is out of its bounds, or the encoding is not the one this content has.
    Field {
        /// Which.
        field: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What stands there.
        found: u64,
    },
    /// The block in it is none.
    Block(HeaderError),
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { field, expected, found } => {
                write!(f, "{field}: expected {expected} bytes, found {found}")
            }
            Self::Magic(found) => write!(f, "magic: expected {MAGIC:02x?}, found {found:02x?}"),
            Self::Version(found) => write!(f, "version: expected {VERSION}, found {found}"),
            Self::Kind(found) => write!(f, "kind: expected 1 to 10, found {found}"),
            Self::Federation { expected, found } => {
                write!(f, "federation: expected {expected}, found {found}")
            }
            Self::Field { field, expected, found } => {
                write!(f, "{field}: expected {expected}, found {found}")
            }
            Self::Block(error) => write!(f, "block: {error}"),
        }
    }
}

impl std::error::Error for WireError {}

impl Message {
    /// Encodes the message.
    pub fn encode(&self, federation: FederationId) -> Vec<u8> {
        encode::message(self, federation)
    }

    /// Reads a message. Blocks in it are parsed, not verified.
    ///
    /// # Errors
    /// What is wrong first, in the order of the layout.
    pub fn decode(bytes: &[u8], federation: FederationId) -> Result<Self, WireError> {
        decode::message(bytes, federation)
    }
}

/// The name of a message for the courier's deduplication: the hash of all its bytes and of the attempt.
/// For one attempt it is as good as the block's hash. But the same block at the same place of another
/// stream, or sent again because the receiver lost it, is another message: a courier that dropped it as
/// known would stop the stream for as long as it remembers.
pub fn message_id(bytes: &[u8], attempt: u64) -> Hash {
    sha256(&[bytes, &attempt.to_be_bytes()])
}
