//! What one segment holds, in memory: built by the same code from fresh appends and from a walk.

use crate::damage::Damage;
use crate::layout::{FRAME_HEADER_BYTES, FrameHead, JournalId, Seed, SegmentStart};
use crate::walk::{Piece, Walk};
use hub_core::chain::ChainHead;
use hub_core::hash::{Hash, sha256};
use hub_core::header::{HEADER_BYTES, Header, block_hash};
use hub_core::id::ChainId;
use std::collections::BTreeMap;

/// Blocks of one chain at successive heights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub first_height: u64,
    /// Offset of the frame and hash of the block, one a height.
    pub blocks: Vec<(u32, Hash)>,
}

/// A frame of the shipped stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shipped {
    /// Its place among the shipped frames of the segment.
    pub ordinal: u32,
    pub offset: u32,
    /// The length of its block.
    pub length: u32,
    /// The rolling hash after it; unknown behind damage.
    pub stream_hash: Option<Hash>,
}

/// A block of a side of a fork that is not the one the chain goes on by here.
pub(crate) type Beside = (ChainId, u64, Hash);

/// What one segment holds.
#[derive(Debug)]
pub(crate) struct Table {
    pub number: u64,
    pub start: SegmentStart,
    pub frames: u64,
    /// Where the next frame goes.
    pub end: u64,
    pub runs: BTreeMap<ChainId, Vec<Run>>,
    /// The highest block of each chain here.
    pub tops: BTreeMap<ChainId, ChainHead>,
    pub shipped: Vec<Shipped>,
    /// Blocks beside their chains, with the offsets of their frames.
    pub besides: Vec<(Beside, u32)>,
    /// The rolling hash at the end; unknown behind damage.
    pub stream_hash: Option<Hash>,
    /// Shipped frames up to the end, damaged ones included as far as known.
    pub shipped_count: u32,
    pub damage: Vec<Damage>,
}

/// What the index keeps of a sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub number: u64,
    pub start: SegmentStart,
    /// The start of the segment behind it.
    pub next: SegmentStart,
    /// Its length in bytes.
    pub end: u64,
    /// How many damaged regions it has.
    pub damaged: u32,
}

impl Table {
    pub(crate) fn new(number: u64, start: SegmentStart, end: u64) -> Self {
        Self {
            number,
            start,
            frames: 0,
            end,
            runs: BTreeMap::new(),
            tops: BTreeMap::new(),
            shipped: Vec::new(),
            besides: Vec::new(),
            stream_hash: Some(start.stream_hash),
            shipped_count: 0,
            damage: Vec::new(),
        }
    }

    /// The table of a segment's bytes.
    pub(crate) fn of_bytes(
        journal: JournalId,
        number: u64,
        start: SegmentStart,
        bytes: &[u8],
        last: bool,
    ) -> Self {
        let mut table = Self::new(number, start, 0);
        let mut walk = Walk::new(bytes, Seed { journal, segment: number }, last);
        while let Some(piece) = walk.next() {
            match piece {
                Piece::Damage(damage) => table.damage.push(damage),
                Piece::Frame { offset, head } => {
                    let mut header = [0; HEADER_BYTES];
                    header.copy_from_slice(&walk.block(offset, &head)[..HEADER_BYTES]);
                    table.push(offset, &head, block_hash(&header));
                }
            }
        }
        table.end = walk.end();
        table
    }

    /// Takes in the frame at `offset`.
    pub(crate) fn push(&mut self, offset: u64, head: &FrameHead, hash: Hash) {
        let offset = offset as u32;
        self.frames += 1;
        self.end = u64::from(offset) + (FRAME_HEADER_BYTES as u64) + u64::from(head.length);
        if head.shipped != self.shipped_count {
            self.stream_hash = None;
        }
        self.shipped_count = head.shipped;
        if head.origin.is_shipped() {
            self.stream_hash = self.stream_hash.map(|before| next_stream_hash(&before, &hash));
            self.shipped_count += 1;
            self.shipped.push(Shipped {
                ordinal: head.shipped,
                offset,
                length: head.length,
                stream_hash: self.stream_hash,
            });
        }
        if head.beside {
            let Header { chain, height, .. } = head.block;
            self.besides.push(((chain, height, hash), offset));
        } else {
            self.push_run(offset, &head.block, hash);
        }
    }

    fn push_run(&mut self, offset: u32, header: &Header, hash: Hash) {
        let top = self.tops.entry(header.chain).or_insert_with(|| head_after(header, hash));
        if top.height < header.height {
            *top = head_after(header, hash);
        }
        let runs = self.runs.entry(header.chain).or_default();
        match runs.last_mut() {
            Some(run) if run.first_height + run.blocks.len() as u64 == header.height => {
                run.blocks.push((offset, hash));
            }
            _ => runs.push(Run { first_height: header.height, blocks: vec![(offset, hash)] }),
        }
    }

    /// Offset and hash of the block at a height.
    pub(crate) fn find(&self, chain: &ChainId, height: u64) -> Option<(u32, Hash)> {
        self.runs.get(chain)?.iter().find_map(|run| {
            let index = usize::try_from(height.checked_sub(run.first_height)?).ok()?;
            run.blocks.get(index).copied()
        })
    }

    /// The start of the segment behind it. Where damage hides the rolling hash, it goes on from the hash
    /// of the journal's own numbers, so that it is the same on every opening and equal to no true one.
    pub(crate) fn next_start(&self) -> SegmentStart {
        let first_shipped = self.start.first_shipped + u64::from(self.shipped_count);
        let broken = || {
            let number = self.number.to_be_bytes();
            sha256(&[b"hub stream broken", &number, &self.start.stream_hash.0])
        };
        SegmentStart {
            first_frame: self.start.first_frame + self.frames,
            first_shipped,
            stream_hash: self.stream_hash.unwrap_or_else(broken),
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            number: self.number,
            start: self.start,
            next: self.next_start(),
            end: self.end,
            damaged: self.damage.len() as u32,
        }
    }
}

/// Where a chain stands behind a block.
pub(crate) fn head_after(header: &Header, hash: Hash) -> ChainHead {
    ChainHead {
        height: header.height,
        hash,
        next_seq: header.next_seq(),
        last_hlc: header.last_hlc,
    }
}

/// The rolling hash after one more block.
pub(crate) fn next_stream_hash(before: &Hash, block: &Hash) -> Hash {
    sha256(&[&before.0, &block.0])
}
