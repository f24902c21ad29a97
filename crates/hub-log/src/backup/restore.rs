//! Restoring: every hash first, then the files; the journal under another name.

use super::format::{MAGIC, Manifest, Part, TRAILER_BYTES};
use super::{BackupError, PART_BYTES};
use crate::damage::Damage;
use crate::error::IoFailure;
use crate::journal::{id_path, journal_directory, random_id, segment_path};
use crate::layout::{JournalId, Opinion, Seed, SegmentHeader};
use crate::storage::{self, replace_file};
use crate::walk::{Piece, Walk};
use hub_core::block::Block;
use hub_core::hash::{hex_decode, sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The file that marks a restored data directory: the node must not sign before a new epoch is enrolled.
/// It holds the names of the old and the new journal.
pub const RESTORED_FILE: &str = "restored";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// The journal the backup was made of.
    pub was: JournalId,
    /// The journal now.
    pub journal: JournalId,
    /// How many files were written.
    pub files: u64,
    /// How many blocks the journal has.
    pub blocks: u64,
    /// Damage that was in the journal when the backup was made.
    pub damage: Vec<Damage>,
}

struct Source<'a> {
    file: File,
    path: &'a Path,
}

/// Restores a backup into `data`, which must not exist or be empty. All hashes are checked before
/// anything is written. The mark is written first, so that an interrupted restore is marked too.
///
/// # Errors
/// The backup is damaged or the directory is not empty (nothing is written then), the system refuses.
pub fn restore(backup: &Path, data: &Path) -> Result<RestoreReport, BackupError> {
    let source = Source::open(backup)?;
    let manifest = source.manifest()?;
    for part in &manifest.parts {
        source.part(part)?;
    }
    let damaged = |message: &str| source.damaged(message.to_owned());
    let was = hex_decode(&manifest.journal).and_then(|bytes| bytes.try_into().ok());
    let was = JournalId(was.ok_or_else(|| damaged("journal: expected 16 bytes of hex"))?);
    prepare(data)?;
    let journal = random_id(data)?;
    let mark = format!("{was}\n{journal}\n");
    write_new(&data.join(RESTORED_FILE), mark.as_bytes(), 0o644)?;
    let directory = journal_directory(data);
    make_directory(&directory)?;
    let mut report = RestoreReport { was, journal, files: 0, blocks: 0, damage: Vec::new() };
    let mut at = 0;
    while let Some(first) = manifest.parts.get(at) {
        let count = manifest.parts[at..].iter().take_while(|p| p.path == first.path).count();
        let parts = &manifest.parts[at..at + count];
        at += count;
        report.files += 1;
        match segment_number(&first.path) {
            Some(number) => {
                let mut bytes = Vec::new();
                for part in parts {
                    bytes.extend(source.part(part)?);
                }
                let renamed = rename_segment(&bytes, number, &mut report);
                write_new(&segment_path(&directory, number), &renamed, 0o644)?;
            }
            None => source.copy(parts, data)?,
        }
    }
    let id = format!("{journal}\n");
    let path = id_path(&directory);
    replace_file(&path, id.as_bytes(), 0o644).map_err(|e| IoFailure::new("write", &path, &e))?;
    for names in [&directory, data] {
        let synced = File::open(names).and_then(|names| names.sync_all());
        synced.map_err(|error| IoFailure::new("fsync", names, &error))?;
    }
    Ok(report)
}

fn segment_number(path: &str) -> Option<u64> {
    path.strip_prefix("journal/")?.strip_suffix(".seg")?.parse().ok()
}

fn prepare(data: &Path) -> Result<(), BackupError> {
    match fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty { path: data.to_owned() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directory(data).map_err(BackupError::Io)
        }
        Err(error) => Err(IoFailure::new("list", data, &error).into()),
    }
}

fn make_directory(path: &Path) -> Result<(), IoFailure> {
    storage::make_directory(path, 0o700).map_err(|error| IoFailure::new("create", path, &error))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), IoFailure> {
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| IoFailure::new("write", path, &error))
}

/// A segment's bytes under the new journal's name: same frames at the same offsets, checksums bound to the
/// new name. Damaged regions stay as they are.
fn rename_segment(bytes: &[u8], number: u64, report: &mut RestoreReport) -> Vec<u8> {
    let (old, new) = (
        Seed { journal: report.was, segment: number },
        Seed { journal: report.journal, segment: number },
    );
    let mut out = Vec::with_capacity(bytes.len());
    match SegmentHeader::read(bytes) {
        Opinion::Header(header) | Opinion::Corrected(header) => {
            let header = SegmentHeader { journal: report.journal, ..header };
            out.extend_from_slice(&header.to_bytes());
        }
        // opening mends it from the segment before
        Opinion::Format(_) | Opinion::Unreadable => {
            out.extend_from_slice(&bytes[..bytes.len().min(crate::SEGMENT_HEADER_BYTES)]);
        }
    }
    let mut walk = Walk::new(bytes, old, false);
    while let Some(piece) = walk.next() {
        match piece {
            Piece::Damage(damage) => {
                let from = damage.offset as usize;
                out.extend_from_slice(&bytes[from..from + damage.length as usize]);
                report.damage.push(damage);
            }
            Piece::Frame { offset, head } => {
                let stored = walk.block(offset, &head);
                if let Ok(block) = Block::parse(stored) {
                    let how = (head.origin, head.beside);
                    new.put_frame(&mut out, offset, how, head.shipped, &block);
                    report.blocks += 1;
                } else {
                    let end = walk.end() as usize;
                    out.extend_from_slice(&bytes[offset as usize..end]);
                }
            }
        }
    }
    out
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(|error| IoFailure::new("open", path, &error))?;
        Ok(Self { file, path })
    }

    fn damaged(&self, message: String) -> BackupError {
        BackupError::Damaged { path: self.path.to_owned(), message }
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), BackupError> {
        let read = self.file.read_exact_at(bytes, at);
        read.map_err(|error| IoFailure::new("read", self.path, &error).into())
    }

    fn manifest(&self) -> Result<Manifest, BackupError> {
        let metadata = self.file.metadata();
        let length = metadata.map_err(|error| IoFailure::new("read", self.path, &error))?.len();
        let (mut magic, mut trailer) = ([0; 8], [0; TRAILER_BYTES]);
        if length < (MAGIC.len() + TRAILER_BYTES) as u64 {
            return Err(self.damaged(format!("expected a backup, found {length} bytes")));
        }
        self.read(0, &mut magic)?;
        if magic != MAGIC {
            return Err(self.damaged("expected a backup, found other bytes".to_owned()));
        }
        self.read(length - TRAILER_BYTES as u64, &mut trailer)?;
        let place = Manifest::place(length, &trailer);
        let (start, bytes, expected) = place.map_err(|message| self.damaged(message))?;
        let mut manifest = vec![0; bytes as usize];
        self.read(start, &mut manifest)?;
        let found = sha256(&[&manifest]);
        if found != expected {
            return Err(self.damaged(format!("manifest: expected {expected}, found {found}")));
        }
        Manifest::parse(&manifest, start).map_err(|message| self.damaged(message))
    }

    /// A part, its hash checked.
    fn part(&self, part: &Part) -> Result<Vec<u8>, BackupError> {
        let mut bytes = vec![0; (part.bytes as usize).min(PART_BYTES)];
        self.read(part.at, &mut bytes)?;
        let (expected, found) = (part.sha256, sha256(&[&bytes]));
        if expected != found {
            let message = format!("{}: expected {expected}, found {found}", part.path);
            return Err(self.damaged(message));
        }
        Ok(bytes)
    }

    fn copy(&self, parts: &[Part], data: &Path) -> Result<(), BackupError> {
        for part in parts {
            let path = data.join(&part.path);
            if let Some(directory) = path.parent() {
                make_directory(directory)?;
            }
            write_new(&path, &self.part(part)?, part.mode)?;
        }
        Ok(())
    }
}
