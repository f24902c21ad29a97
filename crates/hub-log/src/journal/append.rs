//! Appending: many callers, one `fdatasync`.
//!
//! Order law: check, write, fdatasync, then make visible, then answer. A crash before the fdatasync leaves
//! a torn tail that nobody was told of; after it, the frames are found by the next opening.

use super::create::create_segment;
use super::group::{Answer, Request};
use super::{Entry, Journal, Position, Writer, held, journal_directory};
use crate::error::{AppendError, IoFailure};
use crate::layout::{FRAME_HEADER_BYTES, FrameHead, SegmentHeader};
use crate::table::{Beside, Table};
use hub_core::chain::{ChainError, ChainHead};
use hub_core::hash::Hash;
use hub_core::id::ChainId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is done for an entry: it is there already, or it is the n-th new frame of the batch.
enum Step {
    Known(Position),
    New(usize),
}

/// What requests add before it is durable.
#[derive(Default)]
struct Overlay {
    heads: BTreeMap<ChainId, ChainHead>,
    fresh: BTreeMap<(ChainId, u64), (Hash, usize)>,
    besides: BTreeMap<Beside, usize>,
}

impl Overlay {
    fn take_in(&mut self, other: Self) {
        self.heads.extend(other.heads);
        self.fresh.extend(other.fresh);
        self.besides.extend(other.besides);
    }
}

/// Frames encoded and not yet written.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    at: u64,
    frames: Vec<(u64, FrameHead, Hash)>,
}

impl Journal {
    /// Appends blocks and returns when they are on the medium. Callers on other threads share the
    /// `fdatasync`. A block that is stored already is not stored again: its position is returned.
    ///
    /// Blocks must follow their chains, or fill heights of [`Journal::holes`]. All or nothing of one call
    /// is stored.
    ///
    /// # Errors
    /// A block that does not follow, or a fork (nothing of this call is stored, the journal goes on); a
    /// failed write or fsync (the journal stops: whether these blocks are stored is known at the next
    /// opening only).
    pub fn append(&self, entries: &[Entry]) -> Answer {
        self.queue.run(entries, |requests| {
            let mut writer = held(&self.writer);
            self.commit(&mut writer, requests);
        })
    }

    /// The hash of the block at a height, if it is stored and whole as far as the index knows.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn contains(&self, chain: &ChainId, height: u64) -> Result<Option<Hash>, crate::ReadError> {
        Ok(self.locate(chain, height)?.map(|(_, hash)| hash))
    }

    fn stopped_error(&self) -> AppendError {
        AppendError::Stopped { cause: self.stopped().unwrap_or("a failed call").to_owned() }
    }

    fn commit(&self, writer: &mut Writer, requests: &[Request]) {
        let mut batch = Overlay::default();
        let mut new = Vec::new();
        let mut plans = Vec::new();
        for request in requests {
            plans.push(self.plan(request, &mut batch, &mut new));
        }
        let stored = if new.is_empty() { Ok(Vec::new()) } else { self.store(writer, &new) };
        if let Err(error) = &stored {
            self.stop(error);
        }
        for (request, plan) in requests.iter().zip(plans) {
            let answer = plan.and_then(|steps| {
                let place = |step: &Step| match (step, &stored) {
                    (Step::Known(position), _) => Ok(*position),
                    (Step::New(index), Ok(positions)) => Ok(positions[*index]),
                    (Step::New(_), Err(error)) => Err(error.clone()),
                };
                steps.iter().map(place).collect()
            });
            request.answer(answer);
        }
    }

    /// Checks one call against what is stored and what the batch adds before it.
    fn plan(
        &self,
        request: &Request,
        batch: &mut Overlay,
        new: &mut Vec<Entry>,
    ) -> Result<Vec<Step>, AppendError> {
        if self.stopped.get().is_some() {
            return Err(self.stopped_error());
        }
        let mut own = Overlay::default();
        let mut added = Vec::new();
        let mut steps = Vec::new();
        for entry in request.entries() {
            let next = new.len() + added.len();
            let step = self.check(entry, batch, &mut own, next)?;
            if matches!(step, Step::New(index) if index == next) {
                added.push(entry.clone());
            }
            steps.push(step);
        }
        batch.take_in(own);
        new.append(&mut added);
        Ok(steps)
    }

    fn check(
        &self,
        entry: &Entry,
        batch: &Overlay,
        own: &mut Overlay,
        next: usize,
    ) -> Result<Step, AppendError> {
        let (header, found) = (entry.block.header(), entry.block.hash());
        let (chain, height) = (header.chain, header.height);
        let key = (chain, height);
        if entry.beside {
            return self.check_beside((chain, height, found), batch, own, next);
        }
        let occupied = |expected| AppendError::Occupied { chain, height, expected, found };
        if let Some((hash, index)) = own.fresh.get(&key).or_else(|| batch.fresh.get(&key)) {
            return if *hash == found { Ok(Step::New(*index)) } else { Err(occupied(*hash)) };
        }
        let head = own.heads.get(&chain).or_else(|| batch.heads.get(&chain)).copied();
        let head = head.or_else(|| self.head(&chain));
        let head = head.unwrap_or(ChainHead::empty(Hash::ZERO));
        if height <= head.height {
            match self.locate(&chain, height)? {
                Some((position, hash)) if hash == found => return Ok(Step::Known(position)),
                Some((_, hash)) => return Err(occupied(hash)),
                None => self.check_hole(entry)?,
            }
        } else {
            let after = head.extended(header, found).map_err(|error| AppendError::Chain {
                chain,
                height,
                error: Box::new(error),
            })?;
            own.heads.insert(chain, after);
        }
        own.fresh.insert(key, (found, next));
        Ok(Step::New(next))
    }

    /// A side of a fork need not follow; it is stored once.
    fn check_beside(
        &self,
        beside: Beside,
        batch: &Overlay,
        own: &mut Overlay,
        next: usize,
    ) -> Result<Step, AppendError> {
        let (chain, height, hash) = beside;
        let key = (chain, height);
        let fresh = own.fresh.get(&key).or_else(|| batch.fresh.get(&key));
        let fresh = fresh.filter(|(there, _)| *there == hash).map(|(_, index)| index);
        let known =
            fresh.or_else(|| own.besides.get(&beside)).or_else(|| batch.besides.get(&beside));
        if let Some(index) = known {
            return Ok(Step::New(*index));
        }
        if let Some(position) = self.read_state().besides.get(&beside) {
            return Ok(Step::Known(*position));
        }
        match self.locate(&chain, height)? {
            Some((position, there)) if there == hash => Ok(Step::Known(position)),
            _ => {
                own.besides.insert(beside, next);
                Ok(Step::New(next))
            }
        }
    }

    /// A block for a height that damage took must fit the blocks on both sides, where they are there.
    fn check_hole(&self, entry: &Entry) -> Result<(), AppendError> {
        let (header, hash) = (entry.block.header(), entry.block.hash());
        let (chain, height) = (header.chain, header.height);
        let wrong = |expected, found| AppendError::Chain {
            chain,
            height,
            error: Box::new(ChainError::Previous { expected, found }),
        };
        if height > 1
            && let Some(expected) = self.contains(&chain, height - 1)?
            && expected != header.previous
        {
            return Err(wrong(expected, header.previous));
        }
        match self.block(&chain, height + 1)? {
            Some(next) if next.header().previous != hash => {
                Err(wrong(next.header().previous, hash))
            }
            _ => Ok(()),
        }
    }

    fn store(&self, writer: &mut Writer, new: &[Entry]) -> Answer {
        let mut positions = Vec::with_capacity(new.len());
        let mut pending = Pending::default();
        let (mut segment, mut end, mut shipped) = self.open_end();
        pending.at = end;
        for entry in new {
            let length = (FRAME_HEADER_BYTES + entry.block.bytes().len()) as u64;
            if end + length > writer.capacity {
                self.flush(writer, &mut pending)?;
                self.rotate(writer, length)?;
                (segment, end, shipped) = self.open_end();
                pending.at = end;
            }
            let seed = self.seed(segment);
            let how = (entry.origin, entry.beside);
            let head = seed.put_frame(&mut pending.bytes, end, how, shipped, &entry.block);
            pending.frames.push((end, head, entry.block.hash()));
            positions.push(Position { segment, offset: end });
            shipped += u32::from(entry.origin.is_shipped());
            end += length;
        }
        self.flush(writer, &mut pending)?;
        Ok(positions)
    }

    fn open_end(&self) -> (u64, u64, u32) {
        let state = self.read_state();
        (state.open.number, state.open.end, state.open.shipped_count)
    }

    /// Writes what is pending, makes it durable, then visible.
    fn flush(&self, writer: &Writer, pending: &mut Pending) -> Result<(), AppendError> {
        if pending.frames.is_empty() {
            return Ok(());
        }
        let storage = &self.options.storage;
        let failed =
            |what| move |error| AppendError::Io(IoFailure::new(what, &writer.path, &error));
        storage.write_at(&writer.file, pending.at, &pending.bytes).map_err(failed("write"))?;
        storage.sync(&writer.file).map_err(failed("fdatasync"))?;
        let mut state = self.write_state();
        for (offset, head, hash) in pending.frames.drain(..) {
            state.open.push(offset, &head, hash);
            let segment = state.open.number;
            let beside = head.beside.then_some(Position { segment, offset });
            state.absorb_block(&head.block, hash, beside);
        }
        pending.bytes.clear();
        Ok(())
    }

    /// Seals the open segment and goes on in the next.
    fn rotate(&self, writer: &mut Writer, frame: u64) -> Result<(), AppendError> {
        let storage = &self.options.storage;
        let (number, end, start) = {
            let state = self.read_state();
            (state.open.number, state.open.end, state.open.next_start())
        };
        let path = writer.path.clone();
        let failed = |what, error| AppendError::Io(IoFailure::new(what, &path, &error));
        storage.set_length(&writer.file, end).map_err(|error| failed("cut", error))?;
        storage.sync(&writer.file).map_err(|error| failed("fdatasync", error))?;
        let header = SegmentHeader { journal: self.id, segment: number + 1, start };
        let directory = journal_directory(&self.directory);
        *writer =
            create_segment(&directory, &self.options, header, frame).map_err(AppendError::Io)?;
        {
            let state = self.read_state();
            self.index
                .seal(self.id, &state.open, &state.heads, &state.holes)
                .map_err(AppendError::Index)?;
        }
        let next = Table::new(number + 1, start, crate::layout::SEGMENT_HEADER_BYTES as u64);
        let mut state = self.write_state();
        let sealed = std::mem::replace(&mut state.open, next);
        state.sealed.push(sealed.summary());
        *held(&self.recent) = Some(Arc::new(sealed));
        Ok(())
    }
}
