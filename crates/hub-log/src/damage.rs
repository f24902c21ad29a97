//! What can be wrong with stored bytes, and how it is named.

use hub_core::chain::ChainError;
use hub_core::id::ChainId;
use std::fmt;

/// A block that damage hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedBlock {
    /// Its chain.
    pub chain: ChainId,
    /// Its height.
    pub height: u64,
    /// Whether a checksum vouches for chain and height; else they are what damaged bytes say.
    pub certain: bool,
}

/// A region of the journal that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's number.
    pub segment: u64,
    /// The first byte of the region.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// What is wrong.
    pub kind: DamageKind,
    /// The block it belongs to, when it belongs to one that can be named.
    pub block: Option<DamagedBlock>,
}

/// What is wrong with a region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The segment's own header.
    SegmentHeader,
    /// The head of a frame, or the header of its block.
    FrameHead,
    /// The body of a block.
    Body,
    /// Bytes between two whole frames, or up to the end of a sealed segment, that are no frame.
    Unreadable,
    /// Bytes after the last whole frame of the last segment: a write the machine did not finish, or
    /// damage to the last blocks.
    Tail,
    /// Bytes that should be zero, behind the end.
    Padding,
    /// The segment is not there.
    Missing,
    /// The second copy of the journal's name differs.
    JournalName,
    /// The block is whole and does not follow the one before it.
    Link(ChainError),
    /// Heights of a chain are missing before this block.
    Gap {
        /// The first missing height.
        from: u64,
        /// The last missing height.
        to: u64,
    },
    /// A frame says that another number of shipped frames stands before it.
    ShippedCount {
        /// As counted.
        expected: u64,
        /// As it says.
        found: u64,
    },
}

impl Damage {
    /// Whether bytes are damaged; else whole bytes contradict each other.
    pub fn is_of_bytes(&self) -> bool {
        !matches!(
            self.kind,
            DamageKind::Link(_) | DamageKind::Gap { .. } | DamageKind::ShippedCount { .. }
        )
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.offset + self.length;
        if self.kind != DamageKind::JournalName {
            write!(f, "segment {:08} bytes {}..{end}: ", self.segment, self.offset)?;
        }
        match &self.kind {
            DamageKind::SegmentHeader => f.write_str("segment header damaged"),
            DamageKind::FrameHead => f.write_str("frame or block header damaged"),
            DamageKind::Body => f.write_str("body damaged"),
            DamageKind::Unreadable => f.write_str("bytes that are no frame"),
            DamageKind::Tail => f.write_str("unfinished or damaged end"),
            DamageKind::Padding => f.write_str("expected zeros behind the end, found others"),
            DamageKind::Missing => f.write_str("segment missing"),
            DamageKind::JournalName => f.write_str("journal/id names another journal"),
            DamageKind::Link(error) => write!(f, "the block does not follow: {error}"),
            DamageKind::Gap { from, to } => write!(f, "heights {from} to {to} missing before it"),
            DamageKind::ShippedCount { expected, found } => {
                write!(f, "shipped frames before it: expected {expected}, found {found}")
            }
        }?;
        match &self.block {
            Some(block) => {
                let certain = if block.certain { "" } else { " (as damaged bytes say)" };
                write!(f, "; block {} height {}{certain}", block.chain, block.height)
            }
            None => Ok(()),
        }
    }
}
