//! The bytes of segments and frames (described in `schemas/journal.md`; a test compares the two).
//!
//! Integers are big-endian. A frame's head checksum is seeded with journal, segment and offset, so that
//! bytes of a frame anywhere else (inside a body, in a copied file) never pass for a frame.

use crate::correct::{self, Correction};
use hub_core::block::Block;
use hub_core::hash::Hash;
use hub_core::header::{BLOCK_BYTES_MAX, HEADER_BYTES, Header};
use std::fmt;

/// The first four bytes of every segment.
pub const SEGMENT_MAGIC: [u8; 4] = *b"HUBJ";
/// The format this version writes and reads.
pub const SEGMENT_FORMAT: u16 = 0;
/// The length of a segment header.
pub const SEGMENT_HEADER_BYTES: usize = 84;
/// The length of a frame before its block.
pub const FRAME_HEADER_BYTES: usize = 17;
/// What the head checksum covers and itself: frame header and block header.
pub(crate) const FRAME_HEAD_SPAN: usize = FRAME_HEADER_BYTES + HEADER_BYTES;

/// Field, offset and size of the segment header, in order.
pub const SEGMENT_FIELDS: [(&str, usize, usize); 8] = [
    ("magic", 0, 4),
    ("format", 4, 2),
    ("header_length", 6, 2),
    ("journal", 8, 16),
    ("segment", 24, 8),
    ("first_shipped", 32, 8),
    ("stream_hash", 40, 32),
    ("first_frame", 72, 8),
];
/// Where the segment header's checksum stands.
const SEGMENT_CRC: usize = 80;

/// Field, offset and size of the frame header, in order.
pub const FRAME_FIELDS: [(&str, usize, usize); 5] = [
    ("length", 0, 4),
    ("shipped", 4, 4),
    ("origin", 8, 1),
    ("body_crc", 9, 4),
    ("head_crc", 13, 4),
];

/// A journal's name: random, made once; a rebuilt or restored journal has another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalId(pub [u8; 16]);

impl fmt::Display for JournalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for JournalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JournalId({self})")
    }
}

/// Where a block came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Written here.
    Own,
    /// Received from a child.
    Child,
    /// Received from the parent: not part of the stream shipped to it.
    Parent,
}

impl Origin {
    /// Its byte in a frame.
    pub fn to_byte(self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Child => 1,
            Self::Parent => 2,
        }
    }

    /// The origin of this byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Own),
            1 => Some(Self::Child),
            2 => Some(Self::Parent),
            _ => None,
        }
    }

    /// Whether such blocks are shipped to the parent.
    pub fn is_shipped(self) -> bool {
        self != Self::Parent
    }
}

/// Where a segment starts in the order of the whole journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentStart {
    /// How many frames stand before it.
    pub first_frame: u64,
    /// How many shipped frames stand before it.
    pub first_shipped: u64,
    /// The rolling hash of the shipped stream up to it.
    pub stream_hash: Hash,
}

impl SegmentStart {
    /// The start of a journal.
    pub(crate) const ZERO: Self =
        Self { first_frame: 0, first_shipped: 0, stream_hash: Hash::ZERO };
}

/// What the first bytes of a segment say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// Whole.
    Header(SegmentHeader),
    /// One byte is wrong; seen through.
    Corrected(SegmentHeader),
    /// A later format.
    Format(u16),
    /// Nothing that can be read.
    Unreadable,
}

/// A segment header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub journal: JournalId,
    pub segment: u64,
    pub start: SegmentStart,
}

impl SegmentHeader {
    /// Whether it is of this segment of this journal.
    pub(crate) fn names(&self, journal: JournalId, segment: u64) -> bool {
        self.journal == journal && self.segment == segment
    }

    pub(crate) fn to_bytes(self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..4].copy_from_slice(&SEGMENT_MAGIC);
        bytes[4..6].copy_from_slice(&SEGMENT_FORMAT.to_be_bytes());
        bytes[6..8].copy_from_slice(&(SEGMENT_HEADER_BYTES as u16).to_be_bytes());
        bytes[8..24].copy_from_slice(&self.journal.0);
        bytes[24..32].copy_from_slice(&self.segment.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.start.first_shipped.to_be_bytes());
        bytes[40..72].copy_from_slice(&self.start.stream_hash.0);
        bytes[72..80].copy_from_slice(&self.start.first_frame.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[..SEGMENT_CRC]);
        bytes[SEGMENT_CRC..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// Reads a header; `None` when a byte of it is not as written.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match Self::read(bytes) {
            Opinion::Header(header) => Some(header),
            _ => None,
        }
    }

    /// Reads what can be read of a header.
    pub(crate) fn read(bytes: &[u8]) -> Opinion {
        let Some(bytes) = bytes.get(..SEGMENT_HEADER_BYTES) else { return Opinion::Unreadable };
        let crc = u32::from_be_bytes(array(bytes, SEGMENT_CRC));
        let syndrome = crc32c::crc32c(&bytes[..SEGMENT_CRC]) ^ crc;
        if syndrome == 0 {
            let format = u16::from_be_bytes(array(bytes, 4));
            if bytes[..4] == SEGMENT_MAGIC && format != SEGMENT_FORMAT {
                return Opinion::Format(format);
            }
            return Self::fields(bytes).map_or(Opinion::Unreadable, Opinion::Header);
        }
        let mut bytes = bytes.to_vec();
        match correct::one_byte(SEGMENT_CRC, syndrome) {
            None => return Opinion::Unreadable,
            Some(Correction::Checksum) => {}
            Some(Correction::Byte { at, flip }) => bytes[at] ^= flip,
        }
        Self::fields(&bytes).map_or(Opinion::Unreadable, Opinion::Corrected)
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        let good = bytes[..4] == SEGMENT_MAGIC
            && u16::from_be_bytes(array(bytes, 4)) == SEGMENT_FORMAT
            && usize::from(u16::from_be_bytes(array(bytes, 6))) == SEGMENT_HEADER_BYTES;
        good.then(|| Self {
            journal: JournalId(array(bytes, 8)),
            segment: u64::from_be_bytes(array(bytes, 24)),
            start: SegmentStart {
                first_shipped: u64::from_be_bytes(array(bytes, 32)),
                stream_hash: Hash(array(bytes, 40)),
                first_frame: u64::from_be_bytes(array(bytes, 72)),
            },
        })
    }
}

/// The bit of the origin's byte that says that a block stands beside its chain.
const BESIDE: u8 = 0x80;

/// What stands before a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// The length of the block.
    pub length: u32,
    /// How many shipped frames of this segment stand before it.
    pub shipped: u32,
    pub origin: Origin,
    /// Whether the block stands beside its chain, as a side of a fork.
    pub beside: bool,
    pub body_crc: u32,
    pub block: Header,
}

/// The place a frame's checksum is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed {
    pub journal: JournalId,
    pub segment: u64,
}

impl Seed {
    fn head_crc(&self, offset: u64, head: &[u8]) -> u32 {
        let crc = crc32c::crc32c(&self.journal.0);
        let crc = crc32c::crc32c_append(crc, &self.segment.to_be_bytes());
        let crc = crc32c::crc32c_append(crc, &offset.to_be_bytes());
        let crc = crc32c::crc32c_append(crc, &head[..13]);
        crc32c::crc32c_append(crc, &head[FRAME_HEADER_BYTES..FRAME_HEAD_SPAN])
    }

    /// Appends the frame of a block that will stand at `offset`.
    pub(crate) fn put_frame(
        &self,
        out: &mut Vec<u8>,
        offset: u64,
        (origin, beside): (Origin, bool),
        shipped: u32,
        block: &Block,
    ) -> FrameHead {
        let bytes = block.bytes();
        let made = FrameHead {
            length: bytes.len() as u32,
            shipped,
            origin,
            beside,
            body_crc: crc32c::crc32c(block.body_bytes()),
            block: *block.header(),
        };
        let mut head = [0; FRAME_HEAD_SPAN];
        head[..4].copy_from_slice(&made.length.to_be_bytes());
        head[4..8].copy_from_slice(&shipped.to_be_bytes());
        head[8] = origin.to_byte() | if beside { BESIDE } else { 0 };
        head[9..13].copy_from_slice(&made.body_crc.to_be_bytes());
        head[FRAME_HEADER_BYTES..].copy_from_slice(&bytes[..HEADER_BYTES]);
        let crc = self.head_crc(offset, &head);
        head[13..FRAME_HEADER_BYTES].copy_from_slice(&crc.to_be_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(block.body_bytes());
        made
    }

    /// The whole head at `offset` of a segment whose bytes from there on are `bytes`.
    pub(crate) fn head(&self, offset: u64, bytes: &[u8]) -> Option<FrameHead> {
        let head = bytes.get(..FRAME_HEAD_SPAN)?;
        if head[FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + 4] != hub_core::header::MAGIC {
            return None;
        }
        let crc = u32::from_be_bytes(array(head, 13));
        (self.head_crc(offset, head) == crc).then(|| fields(head))?
    }

    /// The head of which at most one byte is damaged.
    pub(crate) fn head_corrected(&self, offset: u64, bytes: &[u8]) -> Option<FrameHead> {
        let mut head = bytes.get(..FRAME_HEAD_SPAN)?.to_vec();
        let syndrome = self.head_crc(offset, &head) ^ u32::from_be_bytes(array(&head, 13));
        // the checksum covers the bytes before it and the block header after it
        if let Correction::Byte { at, flip } = correct::one_byte(FRAME_HEAD_SPAN - 4, syndrome)? {
            let at = if at < 13 { at } else { at + 4 };
            head[at] ^= flip;
        }
        fields(&head)
    }
}

/// Whether a body is as it was written.
pub(crate) fn body_is_whole(head: &FrameHead, block: &[u8]) -> bool {
    crc32c::crc32c(&block[HEADER_BYTES..]) == head.body_crc
}

fn fields(head: &[u8]) -> Option<FrameHead> {
    let length = u32::from_be_bytes(array(head, 0));
    let block = Header::parse(&head[FRAME_HEADER_BYTES..]).ok()?;
    let origin = Origin::from_byte(head[8] & !BESIDE)?;
    let bounded = (HEADER_BYTES..=BLOCK_BYTES_MAX).contains(&(length as usize));
    (bounded && block.block_length() == length as usize).then(|| FrameHead {
        length,
        shipped: u32::from_be_bytes(array(head, 4)),
        origin,
        beside: head[8] & BESIDE != 0,
        body_crc: u32::from_be_bytes(array(head, 9)),
        block,
    })
}

/// The field at `at`; callers have checked that it is inside.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}
