//! The journal: the append-only file of all blocks a node holds, and the truth of the node.

mod append;
mod create;
mod group;
mod identity;
mod log;
mod open;
mod read;
mod scan;

pub(crate) use identity::{identify, random_id, read_id};
pub use open::{Cut, IndexState, Recovery};
pub use scan::{Scan, Stored};

use crate::error::AppendError;
use crate::index::{Holes, Index};
use crate::layout::{JournalId, Origin, SEGMENT_HEADER_BYTES, Seed};
use crate::lock::DirectoryLock;
use crate::storage::{Disk, Storage};
use crate::table::{Beside, Run, Summary, Table, head_after};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::hash::Hash;
use hub_core::header::Header;
use hub_core::id::ChainId;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

/// How a journal is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The length segments are preallocated to, in bytes: 4 KiB to 1 GiB. A longer frame gets a segment
    /// of its own length.
    pub segment_bytes: u64,
    /// What writes the files; [`Disk`] but in tests.
    pub storage: Arc<dyn Storage>,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 8 * 1024 * 1024, storage: Arc::new(Disk) }
    }
}

/// A block to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The block; its signature has been judged before.
    pub block: Block,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it goes beside its chain: it is a side of a fork, or follows one, and another block stands
    /// or will stand at its height.
    pub beside: bool,
}

impl Entry {
    /// A block that follows its chain.
    pub fn new(block: Block, origin: Origin) -> Self {
        Self { block, origin, beside: false }
    }
}

/// The place of a frame, in local order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// The offset of the frame in it.
    pub offset: u64,
}

impl Position {
    /// The first place of every journal.
    pub const START: Self = Self { segment: 0, offset: SEGMENT_HEADER_BYTES as u64 };
}

/// The journal of one data directory.
///
/// All calls take `&self`: any number of threads may append (their blocks share one `fdatasync`) and
/// read at the same time.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    options: Options,
    id: JournalId,
    index: Index,
    state: RwLock<State>,
    writer: Mutex<Writer>,
    queue: group::Queue,
    stopped: OnceLock<String>,
    files: Mutex<BTreeMap<u64, Arc<File>>>,
    recent: Mutex<Option<Arc<Table>>>,
    _lock: DirectoryLock,
}

/// What is durable and readable.
#[derive(Debug)]
struct State {
    heads: BTreeMap<ChainId, ChainHead>,
    holes: Holes,
    besides: BTreeMap<Beside, Position>,
    sealed: Vec<Summary>,
    open: Table,
}

/// The segment being written; only its holder writes.
#[derive(Debug)]
struct Writer {
    file: Arc<File>,
    path: PathBuf,
    /// The preallocated length.
    capacity: u64,
}

impl State {
    fn absorb_block(&mut self, header: &Header, hash: Hash, beside: Option<Position>) {
        if let Some(position) = beside {
            self.besides.insert((header.chain, header.height, hash), position);
            return;
        }
        absorb(&mut self.heads, &mut self.holes, header.chain, header.height, header.height);
        raise(&mut self.heads, header.chain, head_after(header, hash));
    }

    fn absorb_table(&mut self, table: &Table) {
        for (chain, runs) in &table.runs {
            for Run { first_height, blocks } in runs {
                let last = first_height + blocks.len() as u64 - 1;
                absorb(&mut self.heads, &mut self.holes, *chain, *first_height, last);
                let empty = ChainHead::empty(Hash::ZERO);
                let head = self.heads.entry(*chain).or_insert(empty);
                head.height = head.height.max(last);
            }
        }
        for (beside, offset) in &table.besides {
            let position = Position { segment: table.number, offset: u64::from(*offset) };
            self.besides.insert(*beside, position);
        }
        for (chain, top) in &table.tops {
            if self.heads.get(chain).is_none_or(|head| head.height <= top.height) {
                self.heads.insert(*chain, *top);
            }
        }
    }

    fn is_hole(&self, chain: &ChainId, height: u64) -> bool {
        let Some(spans) = self.holes.get(chain) else { return false };
        spans.range(..=height).next_back().is_some_and(|(_, last)| height <= *last)
    }
}

fn raise(heads: &mut BTreeMap<ChainId, ChainHead>, chain: ChainId, head: ChainHead) {
    let stands = heads.entry(chain).or_insert(head);
    if stands.height < head.height {
        *stands = head;
    }
}

/// Heights `first` to `last` of a chain are there: opens a hole before them, or fills one.
fn absorb(
    heads: &mut BTreeMap<ChainId, ChainHead>,
    holes: &mut Holes,
    chain: ChainId,
    first: u64,
    last: u64,
) {
    let head = heads.get(&chain).map_or(0, |head| head.height);
    if first > head + 1 {
        holes.entry(chain).or_default().insert(head + 1, first - 1);
    }
    let Some(spans) = holes.get_mut(&chain) else { return };
    let hit: Vec<(u64, u64)> = spans
        .range(..=last)
        .filter(|(_, to)| **to >= first)
        .map(|(from, to)| (*from, *to))
        .collect();
    for (from, to) in hit {
        spans.remove(&from);
        if from < first {
            spans.insert(from, first - 1);
        }
        if to > last {
            spans.insert(last + 1, to);
        }
    }
    if spans.is_empty() {
        holes.remove(&chain);
    }
}

impl Journal {
    /// Its name: random, made with the journal. A rebuilt or restored journal has another.
    pub fn id(&self) -> JournalId {
        self.id
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where each chain stands, by its highest block.
    pub fn heads(&self) -> BTreeMap<ChainId, ChainHead> {
        self.read_state().heads.clone()
    }

    /// Where one chain stands.
    pub fn head(&self, chain: &ChainId) -> Option<ChainHead> {
        self.read_state().heads.get(chain).copied()
    }

    /// Heights that damage took and that may be appended again, as spans first to last.
    pub fn holes(&self) -> Vec<(ChainId, u64, u64)> {
        let state = self.read_state();
        let spans = state.holes.iter();
        spans.flat_map(|(chain, spans)| spans.iter().map(|(a, b)| (*chain, *a, *b))).collect()
    }

    /// How many blocks the shipped stream has (own and from children).
    pub fn shipped(&self) -> u64 {
        self.read_state().open.next_start().first_shipped
    }

    /// The place behind the last block.
    pub fn end(&self) -> Position {
        let state = self.read_state();
        Position { segment: state.open.number, offset: state.open.end }
    }

    /// What stopped it, if anything did: the node must end then.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    fn stop(&self, error: &AppendError) {
        // the first cause stands
        self.stopped.get_or_init(|| error.to_string());
    }

    fn seed(&self, segment: u64) -> Seed {
        Seed { journal: self.id, segment }
    }

    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The directory of the segments.
pub(crate) fn journal_directory(data: &Path) -> PathBuf {
    data.join("journal")
}

/// The directory of the index.
pub(crate) fn index_directory(data: &Path) -> PathBuf {
    data.join("index")
}

/// The file of a segment.
pub(crate) fn segment_path(journal: &Path, number: u64) -> PathBuf {
    journal.join(format!("{number:08}.seg"))
}

/// The second copy of the journal's name.
pub(crate) fn id_path(journal: &Path) -> PathBuf {
    journal.join("id")
}

/// The numbers of the segments there, in order.
pub(crate) fn segment_numbers(journal: &Path) -> std::io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(journal)? {
        let name = entry?.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".seg")) else { continue };
        if let Ok(number) = stem.parse() {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}
