//! Reading everything again: frames, checksums, body hashes, chain links. Never writes, never locks.
//!
//! Signatures and authority are judged by the caller, who is handed every whole block.

use crate::damage::{Damage, DamageKind, DamagedBlock};
use crate::error::IoFailure;
use crate::journal::{
    Position, Stored, id_path, identify, journal_directory, read_id, segment_numbers, segment_path,
};
use crate::layout::{
    FRAME_HEADER_BYTES, JournalId, Opinion, SEGMENT_HEADER_BYTES, Seed, SegmentHeader, SegmentStart,
};
use crate::spans::Spans;
use crate::table::Table;
use crate::walk::{Piece, Walk};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::id::ChainId;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How often the last segment is read again while its end changes under the reader.
const REREADS: usize = 5;

/// What reading everything found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The journal, if any byte says which.
    pub journal: Option<JournalId>,
    /// How many segments were read.
    pub segments: u64,
    /// How many whole blocks there are.
    pub blocks: u64,
    /// Where each chain stands, by its highest whole block.
    pub heads: BTreeMap<ChainId, ChainHead>,
    /// Everything that is not as it should be, in local order; gaps of chains last.
    pub damage: Vec<Damage>,
}

struct Verifier<'a> {
    directory: PathBuf,
    journal: JournalId,
    report: VerifyReport,
    spans: Spans,
    on_block: &'a mut dyn FnMut(&Stored),
}

/// Reads the whole journal of a data directory, held by a node or not, and reports all damage. Every
/// whole block is handed to `on_block`, in local order.
///
/// # Errors
/// Files that cannot be listed or read.
pub fn verify(data: &Path, on_block: &mut dyn FnMut(&Stored)) -> Result<VerifyReport, IoFailure> {
    let directory = journal_directory(data);
    let failed = |error| IoFailure::new("list", &directory, &error);
    let numbers = segment_numbers(&directory).map_err(failed)?;
    let named = read_id(&directory);
    let journal = identify(&directory, &numbers, named)?;
    let report = VerifyReport {
        journal,
        segments: numbers.len() as u64,
        blocks: 0,
        heads: BTreeMap::new(),
        damage: Vec::new(),
    };
    // without a name no checksum fits: all bytes are then reported as unreadable
    let id = journal.unwrap_or(JournalId([0; 16]));
    let spans = Spans::default();
    let mut verifier = Verifier { directory, journal: id, report, spans, on_block };
    if named != Some(id) {
        let length = fs::metadata(id_path(&verifier.directory)).map_or(0, |file| file.len());
        verifier.found(0, 0, length, DamageKind::JournalName);
    }
    verifier.segments(&numbers)?;
    let Verifier { mut report, spans, .. } = verifier;
    report.heads = spans.heads();
    let known: Vec<DamagedBlock> =
        report.damage.iter().filter_map(|damage| damage.block).filter(|b| b.certain).collect();
    report.damage.extend(spans.gaps(&known));
    Ok(report)
}

impl Verifier<'_> {
    fn found(&mut self, segment: u64, offset: u64, length: u64, kind: DamageKind) {
        self.report.damage.push(Damage { segment, offset, length, kind, block: None });
    }

    fn segments(&mut self, numbers: &[u64]) -> Result<(), IoFailure> {
        let mut expected = Some(SegmentStart::ZERO);
        let mut next = 0;
        for (at, number) in numbers.iter().enumerate() {
            for missing in next..*number {
                self.found(missing, 0, 0, DamageKind::Missing);
                expected = None;
            }
            let last = at + 1 == numbers.len();
            let bytes = self.read(*number, last)?;
            let start = self.header(*number, &bytes, expected);
            let damaged = self.report.damage.len();
            let end = self.frames(*number, start, &bytes, last);
            // behind damage the next header alone knows how the stream goes on
            expected = (self.report.damage.len() == damaged).then_some(end);
            next = number + 1;
        }
        Ok(())
    }

    /// The bytes of a segment; the last one may be written to while it is read.
    fn read(&self, number: u64, last: bool) -> Result<Vec<u8>, IoFailure> {
        let path = segment_path(&self.directory, number);
        let read = || fs::read(&path).map_err(|error| IoFailure::new("read", &path, &error));
        let mut bytes = read()?;
        for _ in 0..REREADS {
            let seed = Seed { journal: self.journal, segment: number };
            let mut walk = Walk::new(&bytes, seed, last);
            let torn = |piece| matches!(piece, Piece::Damage(d) if d.kind == DamageKind::Tail);
            if !last || !walk.any(torn) {
                break;
            }
            let again = read()?;
            if again == bytes {
                break;
            }
            bytes = again;
        }
        Ok(bytes)
    }

    fn header(
        &mut self,
        number: u64,
        bytes: &[u8],
        expected: Option<SegmentStart>,
    ) -> SegmentStart {
        let start = match SegmentHeader::read(bytes) {
            Opinion::Header(header) if header.names(self.journal, number) => {
                if expected.is_none_or(|expected| expected == header.start) {
                    return header.start;
                }
                header.start
            }
            Opinion::Corrected(header) if header.names(self.journal, number) => header.start,
            _ => expected.unwrap_or(SegmentStart::ZERO),
        };
        let length = SEGMENT_HEADER_BYTES.min(bytes.len()) as u64;
        self.found(number, 0, length, DamageKind::SegmentHeader);
        start
    }

    /// Reads all frames of a segment; says where the next one starts.
    fn frames(
        &mut self,
        number: u64,
        start: SegmentStart,
        bytes: &[u8],
        last: bool,
    ) -> SegmentStart {
        let seed = Seed { journal: self.journal, segment: number };
        let mut walk = Walk::new(bytes, seed, last);
        let mut table = Table::new(number, start, 0);
        let mut damaged = false;
        while let Some(piece) = walk.next() {
            let (offset, head) = match piece {
                Piece::Damage(damage) => {
                    self.report.damage.push(damage);
                    damaged = true;
                    continue;
                }
                Piece::Frame { offset, head } => (offset, head),
            };
            let length = FRAME_HEADER_BYTES as u64 + u64::from(head.length);
            let Ok(block) = Block::parse(walk.block(offset, &head)) else {
                self.found(number, offset, length, DamageKind::Body);
                continue;
            };
            let (expected, found) = (table.shipped_count, head.shipped);
            if !damaged && expected != found {
                let (expected, found) = (u64::from(expected), u64::from(found));
                let kind = DamageKind::ShippedCount { expected, found };
                self.found(number, offset, length, kind);
            }
            table.push(offset, &head, block.hash());
            let position = Position { segment: number, offset };
            if !head.beside {
                self.report.damage.extend(self.spans.add(&block, position, length));
            }
            self.report.blocks += 1;
            let (origin, beside) = (head.origin, head.beside);
            (self.on_block)(&Stored { position, origin, beside, block });
        }
        table.next_start()
    }
}
