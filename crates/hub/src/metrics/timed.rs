//! How long `fdatasync` takes: the first thing to look at when a node is slow, and the first to go wrong
//! on an old disk.

use hub_log::Storage;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The upper ends of the classes in which times are counted, in microseconds.
pub const CLASSES_MICROS: [u64; 8] =
    [500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000];

/// How long calls of `fdatasync` took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTimes {
    /// How many there were.
    pub count: u64,
    /// All of them together, in microseconds.
    pub micros: u64,
    /// The longest, in microseconds.
    pub longest_micros: u64,
    /// How many took no longer than each of [`CLASSES_MICROS`].
    pub classes: [u64; CLASSES_MICROS.len()],
    /// Calls that failed; the node stops at the first.
    pub failed: u64,
}

impl SyncTimes {
    fn note(&mut self, micros: u64) {
        self.count += 1;
        self.micros += micros;
        self.longest_micros = self.longest_micros.max(micros);
        for (class, count) in CLASSES_MICROS.iter().zip(&mut self.classes) {
            *count += u64::from(micros <= *class);
        }
    }
}

/// A store that is timed.
#[derive(Debug)]
pub(crate) struct Timed {
    storage: Arc<dyn Storage>,
    times: Mutex<SyncTimes>,
}

impl Timed {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, times: Mutex::default() }
    }

    pub(crate) fn times(&self) -> SyncTimes {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for Timed {
    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.storage.write_at(file, at, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let since = Instant::now();
        let synced = self.storage.sync(file);
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.note(micros);
        times.failed += u64::from(synced.is_err());
        synced
    }

    fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        self.storage.set_length(file, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.storage.rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.storage.sync_directory(directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_in_every_class_it_is_within() {
        let mut times = SyncTimes::default();
        for micros in [400, 7_000, 2_000_000] {
            times.note(micros);
        }
        assert_eq!((times.count, times.micros, times.longest_micros), (3, 2_007_400, 2_000_000));
        assert_eq!(times.classes, [1, 1, 1, 2, 2, 2, 2, 2]);
    }
}
