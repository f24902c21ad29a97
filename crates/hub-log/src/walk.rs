//! Reading a segment's frames one after the other: the one path for opening, replay, verification,
//! repair and backup.
//!
//! Where a frame does not check out, the walk says what it hit and goes on behind it: at the frame's
//! end when one byte of its head is wrong (`correct`), else at the next place where a head's checksum
//! fits, which is bound to its journal, segment and offset.

use crate::damage::{Damage, DamageKind, DamagedBlock};
use crate::layout::{
    FRAME_HEAD_SPAN, FRAME_HEADER_BYTES, FrameHead, SEGMENT_HEADER_BYTES, Seed, body_is_whole,
};
use hub_core::header::{Header, MAGIC};
use std::ops::Range;

/// What stands next in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A whole frame.
    Frame {
        offset: u64,
        head: FrameHead,
    },
    Damage(Damage),
}

/// A walk over the frames of one segment.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    seed: Seed,
    /// Whether it is the last segment, whose end is padding.
    last: bool,
    at: usize,
    /// Where the next frame goes.
    end: usize,
}

impl<'a> Walk<'a> {
    /// A walk over a segment's bytes.
    pub(crate) fn new(bytes: &'a [u8], seed: Seed, last: bool) -> Self {
        let at = SEGMENT_HEADER_BYTES.min(bytes.len());
        Self { bytes, seed, last, at, end: SEGMENT_HEADER_BYTES }
    }

    /// A walk from a frame on.
    pub(crate) fn from(mut self, offset: u64) -> Self {
        self.at = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        self.end = self.at;
        self
    }

    /// After the walk: where data ends and the next frame would go. A damaged tail is not data.
    pub(crate) fn end(&self) -> u64 {
        self.end as u64
    }

    /// The bytes of the block of a frame this walk returned.
    pub(crate) fn block(&self, offset: u64, head: &FrameHead) -> &'a [u8] {
        let start = offset as usize + FRAME_HEADER_BYTES;
        &self.bytes[start..start + head.length as usize]
    }

    fn damage(
        &self,
        region: &Range<usize>,
        kind: DamageKind,
        block: Option<DamagedBlock>,
    ) -> Damage {
        Damage {
            segment: self.seed.segment,
            offset: region.start as u64,
            length: region.len() as u64,
            kind,
            block,
        }
    }

    fn head_at(&self, at: usize) -> Option<FrameHead> {
        let head = self.seed.head(at as u64, self.bytes.get(at..)?)?;
        (at + FRAME_HEADER_BYTES + head.length as usize <= self.bytes.len()).then_some(head)
    }

    fn next_head(&self, after: usize) -> Option<usize> {
        let first_magic = after + FRAME_HEADER_BYTES;
        let rest = self.bytes.get(first_magic..)?;
        (0..rest.len().saturating_sub(MAGIC.len()))
            .filter(|at| rest[*at] == MAGIC[0] && rest[*at..*at + MAGIC.len()] == MAGIC)
            .map(|at| at + after)
            .find(|at| self.head_at(*at).is_some())
    }

    /// No whole head at `at`.
    fn broken_head(&mut self) -> Option<Damage> {
        let (at, rest) = (self.at, &self.bytes[self.at..]);
        let last_set = rest.iter().rposition(|byte| *byte != 0);
        if self.last && last_set.is_none() {
            self.at = self.bytes.len();
            return None;
        }
        let next = self.next_head(at + 1);
        if let Some(head) = self.seed.head_corrected(at as u64, rest) {
            let frame_end = at + FRAME_HEADER_BYTES + head.length as usize;
            let inside = frame_end <= self.bytes.len() && next.is_none_or(|next| next >= frame_end);
            if inside && (next.is_some() || !self.last) {
                self.at = frame_end;
                self.end = frame_end;
                return Some(self.damage(
                    &(at..frame_end),
                    DamageKind::FrameHead,
                    Some(name(&head.block, true)),
                ));
            }
            if inside {
                return Some(self.tail(at, frame_end, Some(name(&head.block, true))));
            }
        }
        let claimed = rest.get(FRAME_HEADER_BYTES..).and_then(|bytes| Header::parse(bytes).ok());
        let block = claimed.map(|header| name(&header, false));
        if let Some(next) = next {
            self.at = next;
            self.end = next;
            return Some(self.damage(&(at..next), DamageKind::Unreadable, block));
        }
        let data_end = at + last_set.map_or(0, |last| last + 1);
        if self.last {
            return Some(self.tail(at, data_end, block));
        }
        self.at = self.bytes.len();
        self.end = self.at;
        Some(self.damage(&(at..self.at), DamageKind::Unreadable, block))
    }

    /// Bytes behind the last whole frame: the data end before them.
    fn tail(&mut self, at: usize, to: usize, block: Option<DamagedBlock>) -> Damage {
        let rest = &self.bytes[at..];
        let last_set = at + rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let first_set = rest.iter().position(|byte| *byte != 0).unwrap_or(0);
        self.at = self.bytes.len();
        if block.is_none() && first_set >= FRAME_HEAD_SPAN {
            return self.damage(&(at + first_set..last_set), DamageKind::Padding, None);
        }
        self.damage(&(at..to.max(last_set)), DamageKind::Tail, block)
    }

    fn broken_body(&mut self, at: usize, head: &FrameHead) -> Damage {
        let frame_end = at + FRAME_HEADER_BYTES + head.length as usize;
        let block = Some(name(&head.block, true));
        let rest = &self.bytes[frame_end..];
        if self.last && rest.iter().all(|byte| *byte == 0) {
            return self.tail(at, frame_end, block);
        }
        self.at = frame_end;
        self.end = frame_end;
        self.damage(&(at..frame_end), DamageKind::Body, block)
    }
}

fn name(header: &Header, certain: bool) -> DamagedBlock {
    DamagedBlock { chain: header.chain, height: header.height, certain }
}

impl Iterator for Walk<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let Some(head) = self.head_at(self.at) else {
            return self.broken_head().map(Piece::Damage);
        };
        let offset = self.at as u64;
        if !body_is_whole(&head, self.block(offset, &head)) {
            return Some(Piece::Damage(self.broken_body(self.at, &head)));
        }
        self.at += FRAME_HEADER_BYTES + head.length as usize;
        self.end = self.at;
        Some(Piece::Frame { offset, head })
    }
}
