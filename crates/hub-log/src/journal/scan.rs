//! Replay: all blocks in local order, a segment at a time, the next one read ahead by a thread.

use super::{Journal, Position, journal_directory, segment_path};
use crate::damage::{Damage, DamageKind};
use crate::error::{IoFailure, ReadError};
use crate::layout::{FRAME_HEADER_BYTES, JournalId, Origin, Seed};
use crate::walk::{Piece, Walk};
use hub_core::block::Block;
use hub_core::header::Header;
use std::collections::VecDeque;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// A block as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub position: Position,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it stands beside its chain, as a side of a fork.
    pub beside: bool,
    /// The block.
    pub block: Block,
}

/// A segment to read, up to the last durable byte.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub number: u64,
    pub path: PathBuf,
    pub end: u64,
}

/// A segment's number and bytes.
type Segment = (u64, Result<Vec<u8>, IoFailure>);

/// The blocks of a journal in local order, as durable when the scan began. Damage comes as an error in
/// its place, and the scan goes on behind it.
#[derive(Debug)]
pub struct Scan {
    journal: JournalId,
    from: Position,
    parts: VecDeque<Part>,
    segment: Option<(u64, Vec<u8>, usize)>,
    ahead: Option<Receiver<Segment>>,
    reader: Option<JoinHandle<()>>,
}

impl Journal {
    /// All blocks from a position on, in local order.
    pub fn scan(&self, from: Position) -> Scan {
        let directory = journal_directory(self.directory());
        let part = |number, end| Part { number, path: segment_path(&directory, number), end };
        let state = self.read_state();
        let mut parts: VecDeque<Part> = state
            .sealed
            .iter()
            .filter(|summary| summary.number >= from.segment)
            .map(|summary| part(summary.number, summary.end))
            .collect();
        parts.push_back(part(state.open.number, state.open.end));
        Scan::new(self.id(), from, parts)
    }
}

impl Scan {
    pub(crate) fn new(journal: JournalId, from: Position, parts: VecDeque<Part>) -> Self {
        Self { journal, from, parts, segment: None, ahead: None, reader: None }
    }

    /// The next segment's bytes; the first is read here, the others by a thread that stays one ahead.
    fn next_segment(&mut self) -> Option<Segment> {
        if let Some(ahead) = &self.ahead {
            return ahead.recv().ok();
        }
        let part = self.parts.pop_front()?;
        if !self.parts.is_empty() {
            let parts = std::mem::take(&mut self.parts);
            let (send, receive) = sync_channel(1);
            let spawned =
                std::thread::Builder::new().name("journal scan".to_owned()).spawn(move || {
                    for part in parts {
                        if send.send((part.number, read_part(&part))).is_err() {
                            return;
                        }
                    }
                });
            match spawned {
                Ok(reader) => (self.reader, self.ahead) = (Some(reader), Some(receive)),
                Err(error) => {
                    let failure = IoFailure::new("start a reader for", &part.path, &error);
                    return Some((part.number, Err(failure)));
                }
            }
        }
        Some((part.number, read_part(&part)))
    }

    /// The next block whose header is wanted, or damage; other blocks are passed over unread.
    pub(super) fn next_wanted(
        &mut self,
        wanted: &dyn Fn(&Header) -> bool,
    ) -> Option<Result<Stored, ReadError>> {
        loop {
            match self.piece(wanted) {
                Some(None) => continue,
                Some(item) => return item,
                None => {}
            }
            let (number, bytes) = self.next_segment()?;
            match bytes {
                Err(error) => return Some(Err(error.into())),
                Ok(bytes) => {
                    let first = Position::START.offset;
                    let here = number == self.from.segment;
                    let at = if here { self.from.offset.max(first) } else { first };
                    self.segment = Some((number, bytes, at as usize));
                }
            }
        }
    }

    /// What stands next in the segment; nothing in it for a block not wanted.
    fn piece(
        &mut self,
        wanted: &dyn Fn(&Header) -> bool,
    ) -> Option<Option<Result<Stored, ReadError>>> {
        let (number, bytes, at) = self.segment.as_mut()?;
        let seed = Seed { journal: self.journal, segment: *number };
        let mut walk = Walk::new(bytes, seed, false).from(*at as u64);
        let Some(piece) = walk.next() else {
            self.segment = None;
            return None;
        };
        let stored = match piece {
            Piece::Damage(damage) => {
                *at = (damage.offset + damage.length) as usize;
                Err(ReadError::Damaged(Box::new(damage)))
            }
            Piece::Frame { head, .. } if !wanted(&head.block) => {
                *at = walk.end() as usize;
                return Some(None);
            }
            Piece::Frame { offset, head } => {
                *at = offset as usize + FRAME_HEADER_BYTES + head.length as usize;
                let position = Position { segment: *number, offset };
                let parsed = Block::parse(walk.block(offset, &head));
                let damage = Damage {
                    segment: *number,
                    offset,
                    length: (FRAME_HEADER_BYTES as u64) + u64::from(head.length),
                    kind: DamageKind::Body,
                    block: None,
                };
                parsed
                    .map(|block| {
                        let (origin, beside) = (head.origin, head.beside);
                        Stored { position, origin, beside, block }
                    })
                    .map_err(|_| ReadError::Damaged(Box::new(damage)))
            }
        };
        Some(Some(stored))
    }
}

impl Iterator for Scan {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_wanted(&|_| true)
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.ahead = None; // the reader's next send fails and it ends
        if let Some(reader) = self.reader.take() {
            let _ = reader.join(); // it returns nothing
        }
    }
}

fn read_part(part: &Part) -> Result<Vec<u8>, IoFailure> {
    let failed = |error| IoFailure::new("read", &part.path, &error);
    let file = std::fs::File::open(&part.path).map_err(failed)?;
    let mut bytes = Vec::with_capacity(part.end as usize + 1);
    file.take(part.end).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
