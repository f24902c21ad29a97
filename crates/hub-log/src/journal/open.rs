//! Opening: the same reading path as everything else; sealed segments are trusted from the index when it
//! agrees, the rest is scanned, torn tails are cut loudly and set aside.

use super::create::{UNFINISHED, create_segment};
use super::group::Queue;
use super::identity::{head_of, identify, random_id, read_id};
use super::{
    Journal, Options, State, Writer, id_path, index_directory, journal_directory, segment_numbers,
    segment_path,
};
use crate::damage::{Damage, DamageKind, DamagedBlock};
use crate::error::{IoFailure, OpenError};
use crate::index::{Contents, Index};
use crate::layout::{
    JournalId, Opinion, SEGMENT_FORMAT, SEGMENT_HEADER_BYTES, SegmentHeader, SegmentStart,
};
use crate::lock::DirectoryLock;
use crate::storage::{make_directory, replace_file};
use crate::table::Table;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The journal.
    pub journal: JournalId,
    /// Whether it was made now.
    pub created: bool,
    /// How the index stood.
    pub index: IndexState,
    /// Segments that were read whole; others were trusted from the index.
    pub scanned: u64,
    /// Damaged regions in the segments read now, cut ones not among them.
    pub damage: Vec<Damage>,
    /// Damaged regions of trusted segments, found by an earlier opening.
    pub known_damage: u64,
    /// What was cut from the end.
    pub cut: Vec<Cut>,
}

/// Bytes cut from the end of the last segment: a write the machine did not finish, or damage to the last
/// blocks. If a block in them was announced, the parent's head or the head file knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Where they stood, and the block when it can be named.
    pub damage: Damage,
    /// Where they are kept.
    pub kept: PathBuf,
}

impl Cut {
    /// The block they begin with, if it can be named.
    pub fn block(&self) -> Option<DamagedBlock> {
        self.damage.block
    }
}

/// How the index stood at opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexState {
    /// It agreed with the journal.
    Agreed,
    /// It lagged behind by so many segments and was brought up.
    Extended(u64),
    /// It was made anew.
    Rebuilt {
        /// Why.
        reason: String,
    },
}

struct Opening {
    journal: PathBuf,
    options: Options,
    id: JournalId,
    numbers: Vec<u64>,
    recovery: Recovery,
}

impl Journal {
    /// Takes the data directory and opens its journal, making both when they are not there.
    ///
    /// # Errors
    /// The directory is held, the journal is of a later format or cannot be named, the system refuses.
    /// Damage is no error: it stands in the [`Recovery`].
    pub fn open(directory: &Path, options: Options) -> Result<(Self, Recovery), OpenError> {
        Self::open_with(directory, options, None)
    }

    /// Opens, with the index made anew when a reason is given.
    pub(crate) fn open_with(
        directory: &Path,
        options: Options,
        rebuild: Option<&str>,
    ) -> Result<(Self, Recovery), OpenError> {
        if !(4096..=1 << 30).contains(&options.segment_bytes) {
            let found = options.segment_bytes;
            return Err(OpenError::SegmentBytes { expected: "4096 to 1073741824", found });
        }
        let journal = journal_directory(directory);
        make_directory(&journal, 0o700)
            .map_err(|error| IoFailure::new("create", &journal, &error))?;
        let lock = DirectoryLock::take(directory)?;
        let _ = fs::remove_file(journal.join(UNFINISHED)); // never part of the journal
        let mut opening = Opening::begin(journal, options)?;
        let (index, contents) = opening.index(&index_directory(directory), rebuild)?;
        let (state, writer) = opening.load(&index, contents)?;
        let Opening { options, id, recovery, .. } = opening;
        let opened = Self {
            directory: directory.to_owned(),
            options,
            id,
            index,
            state: RwLock::new(state),
            writer: Mutex::new(writer),
            queue: Queue::default(),
            stopped: OnceLock::new(),
            files: Mutex::default(),
            recent: Mutex::default(),
            _lock: lock,
        };
        Ok((opened, recovery))
    }
}

impl Opening {
    fn begin(journal: PathBuf, options: Options) -> Result<Self, OpenError> {
        let failed = |what, error: &std::io::Error| IoFailure::new(what, &journal, error);
        let mut numbers = segment_numbers(&journal).map_err(|error| failed("list", &error))?;
        let created = numbers.is_empty();
        let named = read_id(&journal);
        let mut damage = Vec::new();
        let id = if created {
            let id = random_id(&journal)?;
            let header = SegmentHeader { journal: id, segment: 0, start: SegmentStart::ZERO };
            create_segment(&journal, &options, header, 0)?;
            numbers.push(0);
            id
        } else {
            let id = identify(&journal, &numbers, named)?;
            id.ok_or_else(|| OpenError::Nameless { path: journal.clone() })?
        };
        if named != Some(id) {
            if !created {
                damage.push(whole(0, 0, 0, DamageKind::JournalName));
            }
            let text = format!("{id}\n");
            replace_file(&id_path(&journal), text.as_bytes(), 0o644)
                .map_err(|error| failed("write", &error))?;
        }
        let index = IndexState::Agreed;
        let recovery = Recovery {
            journal: id,
            created,
            index,
            scanned: 0,
            damage,
            known_damage: 0,
            cut: Vec::new(),
        };
        Ok(Self { journal, options, id, numbers, recovery })
    }

    /// The index, empty when it is to be rebuilt.
    fn index(
        &mut self,
        directory: &Path,
        rebuild: Option<&str>,
    ) -> Result<(Index, Contents), OpenError> {
        let reason = if let Some(reason) = rebuild {
            reason.to_owned()
        } else {
            let opened = Index::open(directory)
                .and_then(|index| index.contents().map(|contents| (index, contents)));
            match opened {
                Ok((index, contents)) => match self.disagreement(&contents) {
                    None => {
                        if contents.segments.is_empty() && self.numbers.len() > 1 {
                            let reason = "it was missing or empty".to_owned();
                            self.recovery.index = IndexState::Rebuilt { reason };
                        }
                        return Ok((index, contents));
                    }
                    Some(reason) => reason,
                },
                Err(error) => error.to_string(),
            }
        };
        self.recovery.index = IndexState::Rebuilt { reason };
        Ok((Index::recreate(directory)?, Contents::default()))
    }

    fn disagreement(&self, contents: &Contents) -> Option<String> {
        if contents.segments.is_empty() {
            let empty = contents.heads.is_empty() && contents.holes.is_empty();
            return (!empty).then(|| "it names chains but no segments".to_owned());
        }
        if contents.journal != Some(self.id) {
            return Some("it belongs to another journal".to_owned());
        }
        if contents.segments.len() >= self.numbers.len() {
            return Some("it names more sealed segments than there are".to_owned());
        }
        let mut start = SegmentStart::ZERO;
        for (at, summary) in contents.segments.iter().enumerate() {
            let path = segment_path(&self.journal, summary.number);
            let expected =
                SegmentHeader { journal: self.id, segment: summary.number, start: summary.start };
            let (head, length) = match head_of(&path) {
                Ok(found) => found,
                Err(error) => return Some(error.to_string()),
            };
            let agrees = summary.number == at as u64
                && self.numbers[at] == summary.number
                && summary.start == start
                && length == summary.end
                && SegmentHeader::parse(&head) == Some(expected);
            if !agrees {
                return Some(format!("segment {:08} is another one", self.numbers[at]));
            }
            start = summary.next;
        }
        None
    }

    fn load(&mut self, index: &Index, contents: Contents) -> Result<(State, Writer), OpenError> {
        let known = contents.segments.iter().map(|summary| u64::from(summary.damaged)).sum();
        self.recovery.known_damage = known;
        let mut expected = contents.segments.last().map_or(SegmentStart::ZERO, |last| last.next);
        let mut next = contents.segments.len() as u64;
        let mut state = State {
            heads: contents.heads,
            holes: contents.holes,
            besides: contents.besides.into_iter().map(|(beside, at)| (beside, at.into())).collect(),
            sealed: contents.segments,
            open: Table::new(0, SegmentStart::ZERO, SEGMENT_HEADER_BYTES as u64),
        };
        let numbers = self.numbers.split_off(state.sealed.len());
        for (at, number) in numbers.iter().enumerate() {
            while next < *number {
                self.recovery.damage.push(whole(next, 0, 0, DamageKind::Missing));
                next += 1;
            }
            let last = at + 1 == numbers.len();
            let (table, writer) = self.scan(*number, expected, last)?;
            self.recovery.scanned += 1;
            state.absorb_table(&table);
            expected = table.next_start();
            next = number + 1;
            if last {
                self.extended(at as u64);
                state.open = table;
                return Ok((state, writer));
            }
            index.seal(self.id, &table, &state.heads, &state.holes)?;
            state.sealed.push(table.summary());
        }
        Err(OpenError::Nameless { path: self.journal.clone() })
    }

    fn extended(&mut self, segments: u64) {
        if segments > 0 && self.recovery.index == IndexState::Agreed {
            self.recovery.index = IndexState::Extended(segments);
        }
    }

    /// Reads one segment whole, mends its header, cuts the tail of the last.
    fn scan(
        &mut self,
        number: u64,
        expected: SegmentStart,
        last: bool,
    ) -> Result<(Table, Writer), OpenError> {
        let path = segment_path(&self.journal, number);
        let failed = |what: &'static str, error: std::io::Error| {
            OpenError::Io(IoFailure::new(what, &path, &error))
        };
        let mut open = fs::OpenOptions::new();
        let mut file =
            open.read(true).write(true).open(&path).map_err(|error| failed("open", error))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| failed("read", error))?;
        let start = self.start_of(number, &path, &bytes, expected)?;
        let header = SegmentHeader { journal: self.id, segment: number, start };
        if SegmentHeader::parse(&bytes) != Some(header) {
            let length = SEGMENT_HEADER_BYTES as u64;
            self.recovery.damage.push(whole(number, 0, length, DamageKind::SegmentHeader));
            let storage = &self.options.storage;
            storage
                .write_at(&file, 0, &header.to_bytes())
                .and_then(|()| storage.sync(&file))
                .map_err(|error| failed("mend", error))?;
            bytes.resize(bytes.len().max(SEGMENT_HEADER_BYTES), 0);
        }
        let mut table = Table::of_bytes(self.id, number, start, &bytes, last);
        if last {
            self.cut_tail(&mut table, &file, &path, &bytes)?;
        }
        self.recovery.damage.extend(table.damage.iter().cloned());
        let capacity = bytes.len() as u64;
        Ok((table, Writer { file: Arc::new(file), path, capacity }))
    }

    /// A whole header is believed; one wrong byte of it is seen through; else the segment before says.
    fn start_of(
        &self,
        number: u64,
        path: &Path,
        bytes: &[u8],
        expected: SegmentStart,
    ) -> Result<SegmentStart, OpenError> {
        match SegmentHeader::read(bytes) {
            Opinion::Format(found) => {
                let path = path.to_owned();
                Err(OpenError::Format { path, expected: SEGMENT_FORMAT, found })
            }
            Opinion::Header(header) if !header.names(self.id, number) => {
                let (expected, found) = (self.id, header.journal);
                Err(OpenError::Foreign { path: path.to_owned(), expected, found })
            }
            Opinion::Header(header) => Ok(header.start),
            Opinion::Corrected(header) if header.names(self.id, number) => Ok(header.start),
            Opinion::Corrected(_) | Opinion::Unreadable => Ok(expected),
        }
    }

    fn cut_tail(
        &mut self,
        table: &mut Table,
        file: &File,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(), OpenError> {
        let failed = |what: &'static str, path: &Path, error: std::io::Error| {
            OpenError::Io(IoFailure::new(what, path, &error))
        };
        let is_end =
            |damage: &Damage| matches!(damage.kind, DamageKind::Tail | DamageKind::Padding);
        let Some(at) = table.damage.iter().position(is_end) else { return Ok(()) };
        let damage = table.damage.remove(at);
        let (from, to) = (damage.offset as usize, (damage.offset + damage.length) as usize);
        let kept = self.journal.join(format!("cut-{:08}-{from}.bin", damage.segment));
        replace_file(&kept, &bytes[from..to], 0o600)
            .map_err(|error| failed("write", &kept, error))?;
        // zeros again, so that no rest of it stands behind later frames
        let storage = &self.options.storage;
        storage
            .write_at(file, damage.offset, &vec![0; to - from])
            .and_then(|()| storage.sync(file))
            .map_err(|error| failed("cut", path, error))?;
        tracing::warn!(%damage, kept = %kept.display(), "cut the end of the journal");
        self.recovery.cut.push(Cut { damage, kept });
        Ok(())
    }
}

fn whole(segment: u64, offset: u64, length: u64, kind: DamageKind) -> Damage {
    Damage { segment, offset, length, kind, block: None }
}
