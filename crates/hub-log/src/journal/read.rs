//! Reading single blocks and the shipped stream.

use super::{Journal, Position, held, journal_directory, segment_path};
use crate::damage::{Damage, DamageKind, DamagedBlock};
use crate::error::{IoFailure, ReadError};
use crate::layout::{FRAME_HEAD_SPAN, FRAME_HEADER_BYTES, FrameHead, SegmentStart, body_is_whole};
use crate::table::Table;
use hub_core::block::Block;
use hub_core::fact::governance::ChainHeight;
use hub_core::hash::Hash;
use hub_core::header::{HEADER_BYTES, block_hash};
use hub_core::id::ChainId;
use hub_core::view::BlockSource;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The most segments whose files are held open for reading.
const FILES_MAX: usize = 64;
/// How much is read at once while looking for a frame.
const WINDOW_BYTES: usize = 64 * 1024;

impl BlockSource for Journal {
    /// Damage counts as not there; it is logged, and named by opening and verification.
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        Journal::block(self, chain, height).unwrap_or_else(|error| {
            tracing::error!(%error, "a block cannot be read");
            None
        })
    }

    fn side(&self, chain: &ChainId, height: u64, hash: &Hash) -> Option<Block> {
        self.block_of(chain, height, hash).unwrap_or_else(|error| {
            tracing::error!(%error, "a block cannot be read");
            None
        })
    }
}

impl Journal {
    /// The block at a height of a chain; `None` when it is not stored.
    ///
    /// # Errors
    /// Damage, named; it is never served.
    pub fn block(&self, chain: &ChainId, height: u64) -> Result<Option<Block>, ReadError> {
        let Some((position, _)) = self.locate(chain, height)? else { return Ok(None) };
        self.block_at(position).map(Some)
    }

    /// Where the block at a height of a chain stands; `None` when it is not stored.
    ///
    /// # Errors
    /// As for [`Journal::block`].
    pub fn position(&self, chain: &ChainId, height: u64) -> Result<Option<Position>, ReadError> {
        Ok(self.locate(chain, height)?.map(|(position, _)| position))
    }

    /// The block of this hash at a height of a chain, wherever it stands.
    ///
    /// # Errors
    /// As for [`Journal::block`].
    pub fn block_of(
        &self,
        chain: &ChainId,
        height: u64,
        hash: &Hash,
    ) -> Result<Option<Block>, ReadError> {
        let beside = self.read_state().besides.get(&(*chain, height, *hash)).copied();
        if let Some(position) = beside {
            return self.block_at(position).map(Some);
        }
        match self.locate(chain, height)? {
            Some((position, there)) if there == *hash => self.block_at(position).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether a block stands beside its chain.
    pub fn is_beside(&self, chain: &ChainId, height: u64, hash: &Hash) -> bool {
        self.read_state().besides.contains_key(&(*chain, height, *hash))
    }

    /// Places and hashes of the blocks that stand beside a chain, from a height on, in order.
    pub fn besides(&self, chain: &ChainId, from: u64) -> Vec<(u64, Hash)> {
        let state = self.read_state();
        let besides = state.besides.range((*chain, from, Hash::ZERO)..);
        let of_chain = besides.take_while(|((with, _, _), _)| with == chain);
        of_chain.map(|((_, height, hash), _)| (*height, *hash)).collect()
    }

    /// The chains beside which blocks stand.
    pub fn forked_chains(&self) -> Vec<ChainId> {
        let mut chains: Vec<ChainId> =
            self.read_state().besides.keys().map(|(chain, _, _)| *chain).collect();
        chains.dedup();
        chains
    }

    /// How far of each chain this journal holds all blocks, in order of chain.
    ///
    /// # Errors
    /// Bytes that cannot be read (behind a hole only).
    pub fn frontier(&self) -> Result<Vec<ChainHeight>, ReadError> {
        let heads = self.heads();
        let holes = self.holes();
        let mut frontier = Vec::with_capacity(heads.len());
        for (chain, head) in heads {
            let hole = holes.iter().find(|(with, _, _)| *with == chain);
            let (height, hash) = match hole {
                None => (head.height, Some(head.hash)),
                Some((_, from, _)) if *from == 1 => (0, None),
                Some((_, from, _)) => (from - 1, self.contains(&chain, from - 1)?),
            };
            if let Some(hash) = hash {
                frontier.push(ChainHeight { chain, height, hash });
            }
        }
        Ok(frontier)
    }

    /// Blocks of the shipped stream from place `from` (counted from 0) on, with their places, up to about
    /// `max_bytes` and at least one. A place that is missing was damaged: the receiver asks for it by
    /// chain and height.
    ///
    /// # Errors
    /// Damage, when not even the first of them can be read.
    pub fn shipment(&self, from: u64, max_bytes: usize) -> Result<Vec<(u64, Block)>, ReadError> {
        let mut blocks = Vec::new();
        let (mut from, mut bytes) = (from, 0);
        loop {
            let Some((base, places, segment, next)) = self.shipped_places(from, max_bytes)? else {
                return Ok(blocks);
            };
            for (ordinal, offset, length) in places {
                if !blocks.is_empty() && bytes + length as usize > max_bytes {
                    return Ok(blocks);
                }
                let position = Position { segment, offset: u64::from(offset) };
                match self.block_at(position) {
                    Ok(block) => blocks.push((base + u64::from(ordinal), block)),
                    Err(error) if blocks.is_empty() => return Err(error),
                    Err(_) => return Ok(blocks),
                }
                bytes += length as usize;
            }
            if next <= from {
                return Ok(blocks);
            }
            from = next;
        }
    }

    /// The rolling hash over the first `position` blocks of the shipped stream: `sha256(before, block
    /// hash)` from zero on. `None` beyond its end or where damage hides it.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn stream_hash(&self, position: u64) -> Result<Option<Hash>, ReadError> {
        self.with_segment_of_shipped(position, |table| {
            if position == table.start.first_shipped {
                return Some(table.start.stream_hash);
            }
            let ordinal = (position - table.start.first_shipped - 1) as u32;
            let at = table.shipped.binary_search_by_key(&ordinal, |frame| frame.ordinal).ok()?;
            table.shipped[at].stream_hash
        })
        .map(Option::flatten)
    }

    /// Places of shipped frames from `from` on in its segment: base, (ordinal, offset, length), segment,
    /// and the first place of the next segment.
    #[allow(clippy::type_complexity)] // four parts that only `shipment` takes apart
    fn shipped_places(
        &self,
        from: u64,
        max_bytes: usize,
    ) -> Result<Option<(u64, Vec<(u32, u32, u32)>, u64, u64)>, ReadError> {
        self.with_segment_of_shipped(from, |table| {
            let base = table.start.first_shipped;
            let first = table.shipped.partition_point(|f| base + u64::from(f.ordinal) < from);
            let mut bytes = 0;
            let places = table.shipped[first..]
                .iter()
                .take_while(|frame| {
                    let within = bytes <= max_bytes;
                    bytes += frame.length as usize;
                    within
                })
                .map(|frame| (frame.ordinal, frame.offset, frame.length))
                .collect();
            (base, places, table.number, table.next_start().first_shipped)
        })
    }

    /// Runs on the table of the segment that place `shipped` of the stream falls into.
    fn with_segment_of_shipped<T>(
        &self,
        shipped: u64,
        run: impl Fn(&Table) -> T,
    ) -> Result<Option<T>, ReadError> {
        let (number, start) = {
            let state = self.read_state();
            if shipped > state.open.next_start().first_shipped {
                return Ok(None);
            }
            if shipped >= state.open.start.first_shipped {
                return Ok(Some(run(&state.open)));
            }
            let at = state.sealed.partition_point(|s| s.next.first_shipped <= shipped);
            match state.sealed.get(at) {
                Some(summary) => (summary.number, summary.start),
                None => return Ok(None),
            }
        };
        Ok(Some(run(&*self.table(number, start)?)))
    }

    /// The table of a sealed segment; the last one asked for is kept.
    fn table(&self, number: u64, start: SegmentStart) -> Result<Arc<Table>, ReadError> {
        if let Some(table) = &*held(&self.recent)
            && table.number == number
        {
            return Ok(Arc::clone(table));
        }
        let bytes = self.segment_bytes(number)?;
        let table = Arc::new(Table::of_bytes(self.id(), number, start, &bytes, false));
        *held(&self.recent) = Some(Arc::clone(&table));
        Ok(table)
    }

    fn segment_bytes(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        let path = segment_path(&journal_directory(self.directory()), number);
        std::fs::read(&path).map_err(|error| IoFailure::new("read", &path, &error).into())
    }

    /// Where the block at a height stands, and its hash.
    pub(super) fn locate(
        &self,
        chain: &ChainId,
        height: u64,
    ) -> Result<Option<(Position, Hash)>, ReadError> {
        {
            let state = self.read_state();
            let above = state.heads.get(chain).is_none_or(|head| head.height < height);
            if height == 0 || above || state.is_hole(chain, height) {
                return Ok(None);
            }
            if let Some((offset, hash)) = state.open.find(chain, height) {
                let segment = state.open.number;
                return Ok(Some((Position { segment, offset: u64::from(offset) }, hash)));
            }
        }
        let Some(lookup) = self.index.lookup(chain, height)? else { return Ok(None) };
        self.seek(lookup.segment, lookup.offset, chain, height)
    }

    /// Goes from frame to frame of a sealed segment until the block is met.
    fn seek(
        &self,
        segment: u64,
        offset: u64,
        chain: &ChainId,
        height: u64,
    ) -> Result<Option<(Position, Hash)>, ReadError> {
        let (seed, mut at) = (self.seed(segment), offset);
        let (mut window, mut start) = (Vec::new(), at);
        loop {
            let inside = (at - start) as usize;
            if inside + FRAME_HEAD_SPAN > window.len() {
                window = self.read_at(segment, at, WINDOW_BYTES)?;
                start = at;
            }
            let Some(head) = seed.head(at, &window[(at - start) as usize..]) else {
                return self.seek_whole(segment, chain, height);
            };
            if !head.beside && head.block.chain == *chain && head.block.height == height {
                let from = (at - start) as usize + FRAME_HEADER_BYTES;
                let mut header = [0; HEADER_BYTES];
                header.copy_from_slice(&window[from..from + HEADER_BYTES]);
                return Ok(Some((Position { segment, offset: at }, block_hash(&header))));
            }
            at += FRAME_HEADER_BYTES as u64 + u64::from(head.length);
        }
    }

    /// The slow way, past damage.
    fn seek_whole(
        &self,
        segment: u64,
        chain: &ChainId,
        height: u64,
    ) -> Result<Option<(Position, Hash)>, ReadError> {
        let bytes = self.segment_bytes(segment)?;
        let table = Table::of_bytes(self.id(), segment, SegmentStart::ZERO, &bytes, false);
        if let Some((offset, hash)) = table.find(chain, height) {
            return Ok(Some((Position { segment, offset: u64::from(offset) }, hash)));
        }
        let block = DamagedBlock { chain: *chain, height, certain: true };
        let region = table.damage.first().map_or((0, bytes.len() as u64), |d| (d.offset, d.length));
        Err(ReadError::Damaged(Box::new(Damage {
            segment,
            offset: region.0,
            length: region.1,
            kind: DamageKind::Unreadable,
            block: Some(block),
        })))
    }

    /// The block of the frame at a position.
    fn block_at(&self, position: Position) -> Result<Block, ReadError> {
        let Position { segment, offset } = position;
        let damaged = |length, kind, head: Option<&FrameHead>| {
            let block = head.map(|head| DamagedBlock {
                chain: head.block.chain,
                height: head.block.height,
                certain: true,
            });
            ReadError::Damaged(Box::new(Damage { segment, offset, length, kind, block }))
        };
        let mut bytes = self.read_at(segment, offset, 4096)?;
        let Some(head) = self.seed(segment).head(offset, &bytes) else {
            return Err(damaged(FRAME_HEAD_SPAN as u64, DamageKind::FrameHead, None));
        };
        let length = FRAME_HEADER_BYTES + head.length as usize;
        if bytes.len() < length {
            let read = bytes.len();
            bytes.extend(self.read_at(segment, offset + read as u64, length - read)?);
        }
        let whole = bytes.get(FRAME_HEADER_BYTES..length).filter(|b| body_is_whole(&head, b));
        let block = whole.and_then(|bytes| Block::parse(bytes).ok());
        block.ok_or_else(|| damaged(length as u64, DamageKind::Body, Some(&head)))
    }

    fn read_at(&self, segment: u64, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let path = segment_path(&journal_directory(self.directory()), segment);
        let failed = |what, error: &std::io::Error| IoFailure::new(what, &path, error);
        let file = {
            let mut files = held(&self.files);
            match files.get(&segment) {
                Some(file) => Arc::clone(file),
                None => {
                    let file = File::open(&path).map_err(|error| failed("open", &error))?;
                    if files.len() >= FILES_MAX {
                        files.clear();
                    }
                    let file = Arc::new(file);
                    files.insert(segment, Arc::clone(&file));
                    file
                }
            }
        };
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("read", &error).into()),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}
