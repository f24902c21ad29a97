//! The sled index over sealed segments: a cache that the journal can rebuild at any time.
//!
//! sled 0.34.7's `flush` is no fsync on Linux, so each flush is followed by an fsync of our own handle of
//! its file. Everything of a segment goes in by one atomic batch when the segment is sealed. There is one
//! tree, keys are fixed and big-endian, values carry a checksum and stay under 4 KiB.

use crate::error::IndexError;
use crate::journal::Position;
use crate::layout::{JournalId, SegmentStart, array};
use crate::table::{Beside, Run, Summary, Table};
use hub_core::chain::ChainHead;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, Lane, NodeId};
use hub_core::time::Hlc;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The most sampled offsets of an entry, which keeps values under 4 KiB.
const SAMPLES_MAX: usize = 960;
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
const CHAIN_BYTES: usize = 37;
const FORMAT_KEY: &[u8] = b"m";
const FORMAT: u8 = 0;
const BESIDES: u8 = b'a';
const BLOCKS: u8 = b'b';
const HEADS: u8 = b'h';
const HOLES: u8 = b'o';
const SEGMENTS: u8 = b's';

/// Heights of chains that damage took, each span first to last.
pub(crate) type Holes = BTreeMap<ChainId, BTreeMap<u64, u64>>;

/// Where to start looking for a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lookup {
    pub segment: u64,
    /// A frame of the same chain at or before the block.
    pub offset: u64,
}

/// What the index knows as a whole.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub journal: Option<JournalId>,
    pub segments: Vec<Summary>,
    pub heads: BTreeMap<ChainId, ChainHead>,
    pub holes: Holes,
    pub besides: BTreeMap<Beside, Lookup>,
}

impl From<Lookup> for Position {
    fn from(lookup: Lookup) -> Self {
        Self { segment: lookup.segment, offset: lookup.offset }
    }
}

#[derive(Debug)]
pub(crate) struct Index {
    directory: PathBuf,
    db: sled::Db,
}

impl Index {
    /// Opens the index, setting aside sled's snapshots when they stop it.
    pub(crate) fn open(directory: &Path) -> Result<Self, IndexError> {
        match Self::try_open(directory) {
            Ok(index) => Ok(index),
            Err(first) => {
                if !set_aside_snapshots(directory) {
                    return Err(first);
                }
                Self::try_open(directory)
            }
        }
    }

    /// Throws the index away and opens an empty one.
    pub(crate) fn recreate(directory: &Path) -> Result<Self, IndexError> {
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failure("remove", directory, &error))
            }
            _ => Self::try_open(directory),
        }
    }

    fn try_open(directory: &Path) -> Result<Self, IndexError> {
        let config =
            sled::Config::new().path(directory).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let db = guarded("open", directory, || config.open())?;
        Ok(Self { directory: directory.to_owned(), db })
    }

    /// Everything but the blocks. An entry that does not check out is an error.
    pub(crate) fn contents(&self) -> Result<Contents, IndexError> {
        guarded("read", &self.directory, || self.read_contents())?
            .ok_or_else(|| failure("read", &self.directory, &"an entry is not as written"))
    }

    fn read_contents(&self) -> sled::Result<Option<Contents>> {
        let mut contents = Contents::default();
        if let Some(value) = self.db.get(FORMAT_KEY)? {
            match unseal(&value) {
                Some(value) if value.len() == 17 && value[0] == FORMAT => {
                    contents.journal = Some(JournalId(array(value, 1)));
                }
                _ => return Ok(None),
            }
        }
        for item in self.db.scan_prefix([SEGMENTS]) {
            let (_, value) = item?;
            match unseal(&value).and_then(summary_of) {
                Some(summary) => contents.segments.push(summary),
                None => return Ok(None),
            }
        }
        for item in self.db.scan_prefix([HEADS]) {
            let (key, value) = item?;
            match (chain_of(&key), unseal(&value).and_then(head_of)) {
                (Some(chain), Some(head)) => contents.heads.insert(chain, head),
                _ => return Ok(None),
            };
        }
        for item in self.db.scan_prefix([BESIDES]) {
            let (key, value) = item?;
            let value = unseal(&value).filter(|value| value.len() == 12);
            let (Some(chain), Some(value)) = (chain_of(&key), value) else { return Ok(None) };
            if key.len() != 1 + CHAIN_BYTES + 40 {
                return Ok(None);
            }
            let height = u64::from_be_bytes(array(&key, 1 + CHAIN_BYTES));
            let hash = Hash(array(&key, 1 + CHAIN_BYTES + 8));
            let offset = u64::from(u32::from_be_bytes(array(value, 8)));
            let place = Lookup { segment: u64::from_be_bytes(array(value, 0)), offset };
            contents.besides.insert((chain, height, hash), place);
        }
        for item in self.db.scan_prefix([HOLES]) {
            let (key, value) = item?;
            let (Some(chain), Some(value)) = (chain_of(&key), unseal(&value)) else {
                return Ok(None);
            };
            if key.len() != 1 + CHAIN_BYTES + 8 || value.len() != 8 {
                return Ok(None);
            }
            let from = u64::from_be_bytes(array(&key, 1 + CHAIN_BYTES));
            let spans = contents.holes.entry(chain).or_default();
            spans.insert(from, u64::from_be_bytes(array(value, 0)));
        }
        Ok(Some(contents))
    }

    /// Takes in a sealed segment with the heads and holes as they stand behind it, durably.
    pub(crate) fn seal(
        &self,
        journal: JournalId,
        table: &Table,
        heads: &BTreeMap<ChainId, ChainHead>,
        holes: &Holes,
    ) -> Result<(), IndexError> {
        let mut batch = sled::Batch::default();
        batch.insert(FORMAT_KEY, seal(&[&[FORMAT], &journal.0]));
        for (chain, runs) in &table.runs {
            for run in runs {
                batch.insert(block_key(chain, run.first_height), run_value(table.number, run));
            }
            if let Some(head) = heads.get(chain) {
                batch.insert(chain_key(HEADS, chain), head_value(head));
            }
        }
        for ((chain, height, hash), offset) in &table.besides {
            let mut key = chain_key(BESIDES, chain);
            key.extend_from_slice(&height.to_be_bytes());
            key.extend_from_slice(&hash.0);
            batch.insert(key, seal(&[&table.number.to_be_bytes(), &offset.to_be_bytes()]));
        }
        let put = guarded("write", &self.directory, || {
            for item in self.db.scan_prefix([HOLES]) {
                batch.remove(item?.0);
            }
            for (chain, spans) in holes {
                for (from, to) in spans {
                    let mut key = chain_key(HOLES, chain);
                    key.extend_from_slice(&from.to_be_bytes());
                    batch.insert(key, seal(&[&to.to_be_bytes()]));
                }
            }
            let mut key = vec![SEGMENTS];
            key.extend_from_slice(&table.number.to_be_bytes());
            batch.insert(key, summary_value(&table.summary()));
            self.db.apply_batch(batch)?;
            self.db.flush()
        });
        put?;
        self.sync()
    }

    /// sled's flush reaches the page cache only.
    fn sync(&self) -> Result<(), IndexError> {
        let failed = |error| failure("fsync", &self.directory, &error);
        File::open(self.directory.join("db")).and_then(|db| db.sync_all()).map_err(failed)?;
        File::open(&self.directory).and_then(|names| names.sync_all()).map_err(failed)
    }

    /// Where to look for a block of a sealed segment.
    pub(crate) fn lookup(
        &self,
        chain: &ChainId,
        height: u64,
    ) -> Result<Option<Lookup>, IndexError> {
        let after = block_key(chain, height.saturating_add(1));
        let found = guarded("read", &self.directory, || self.db.get_lt(&after))?;
        let Some((key, value)) = found else { return Ok(None) };
        if key.len() != after.len() || key[..=CHAIN_BYTES] != after[..=CHAIN_BYTES] {
            return Ok(None);
        }
        let bad = || failure("read", &self.directory, &"an entry is not as written");
        let value = unseal(&value).filter(|value| value.len() >= 24).ok_or_else(bad)?;
        let above = height - u64::from_be_bytes(array(&key, 1 + CHAIN_BYTES));
        let count = u64::from_be_bytes(array(value, 8));
        if above >= count {
            return Ok(None);
        }
        let stride = u64::from_be_bytes(array(value, 16)).max(1);
        let at = 24 + 4 * (above / stride) as usize;
        if at + 4 > value.len() {
            return Err(bad());
        }
        Ok(Some(Lookup {
            segment: u64::from_be_bytes(array(value, 0)),
            offset: u64::from(u32::from_be_bytes(array(value, at))),
        }))
    }
}

/// A garbled file makes sled panic in places; the index is then rebuilt like after any other error.
fn guarded<T>(
    what: &'static str,
    directory: &Path,
    run: impl FnOnce() -> sled::Result<T>,
) -> Result<T, IndexError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(failure(what, directory, &error)),
        Err(_) => Err(failure(what, directory, &"sled gave up on its own file")),
    }
}

fn failure(what: &'static str, path: &Path, message: &dyn ToString) -> IndexError {
    IndexError { what, path: path.to_owned(), message: message.to_string() }
}

/// Renames `snap.*` away: a snapshot that was being written is taken for a whole one by sled.
fn set_aside_snapshots(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    let mut any = false;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("snap.") {
            let mut aside = std::ffi::OsString::from("aside.");
            aside.push(&name);
            any |= fs::rename(entry.path(), directory.join(aside)).is_ok();
        }
    }
    any
}

fn chain_key(kind: u8, chain: &ChainId) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + CHAIN_BYTES + 40);
    key.push(kind);
    key.extend_from_slice(&chain.node.0);
    key.extend_from_slice(&chain.epoch.to_be_bytes());
    key.extend_from_slice(&chain.lane.to_bytes());
    key
}

fn block_key(chain: &ChainId, height: u64) -> Vec<u8> {
    let mut key = chain_key(BLOCKS, chain);
    key.extend_from_slice(&height.to_be_bytes());
    key
}

fn chain_of(key: &[u8]) -> Option<ChainId> {
    let bytes = key.get(1..=CHAIN_BYTES)?;
    Some(ChainId {
        node: NodeId(array(bytes, 0)),
        epoch: u32::from_be_bytes(array(bytes, 16)),
        lane: Lane::from_bytes(&array(bytes, 20))?,
    })
}

fn seal(parts: &[&[u8]]) -> Vec<u8> {
    let mut value = parts.concat();
    let crc = crc32c::crc32c(&value);
    value.extend_from_slice(&crc.to_be_bytes());
    value
}

fn unseal(value: &[u8]) -> Option<&[u8]> {
    let (value, crc) = value.split_last_chunk::<4>()?;
    (crc32c::crc32c(value) == u32::from_be_bytes(*crc)).then_some(value)
}

fn run_value(segment: u64, run: &Run) -> Vec<u8> {
    let stride = run.blocks.len().div_ceil(SAMPLES_MAX).max(1);
    let mut value = Vec::new();
    value.extend_from_slice(&segment.to_be_bytes());
    value.extend_from_slice(&(run.blocks.len() as u64).to_be_bytes());
    value.extend_from_slice(&(stride as u64).to_be_bytes());
    for (offset, _) in run.blocks.iter().step_by(stride) {
        value.extend_from_slice(&offset.to_be_bytes());
    }
    seal(&[&value])
}

fn head_value(head: &ChainHead) -> Vec<u8> {
    seal(&[
        &head.height.to_be_bytes(),
        &head.hash.0,
        &head.next_seq.to_be_bytes(),
        &head.last_hlc.0.to_be_bytes(),
    ])
}

fn head_of(value: &[u8]) -> Option<ChainHead> {
    (value.len() == 56).then(|| ChainHead {
        height: u64::from_be_bytes(array(value, 0)),
        hash: Hash(array(value, 8)),
        next_seq: u64::from_be_bytes(array(value, 40)),
        last_hlc: Hlc(u64::from_be_bytes(array(value, 48))),
    })
}

fn summary_value(summary: &Summary) -> Vec<u8> {
    let mut value = summary.number.to_be_bytes().to_vec();
    for start in [&summary.start, &summary.next] {
        value.extend_from_slice(&start.first_frame.to_be_bytes());
        value.extend_from_slice(&start.first_shipped.to_be_bytes());
        value.extend_from_slice(&start.stream_hash.0);
    }
    value.extend_from_slice(&summary.end.to_be_bytes());
    value.extend_from_slice(&summary.damaged.to_be_bytes());
    seal(&[&value])
}

fn summary_of(value: &[u8]) -> Option<Summary> {
    let start = |at| SegmentStart {
        first_frame: u64::from_be_bytes(array(value, at)),
        first_shipped: u64::from_be_bytes(array(value, at + 8)),
        stream_hash: Hash(array(value, at + 16)),
    };
    (value.len() == 116).then(|| Summary {
        number: u64::from_be_bytes(array(value, 0)),
        start: start(8),
        next: start(56),
        end: u64::from_be_bytes(array(value, 104)),
        damaged: u32::from_be_bytes(array(value, 112)),
    })
}
