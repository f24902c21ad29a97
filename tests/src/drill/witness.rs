//! Those who look at `hub status` all the time and write down every receipt it shows, and the file of all
//! that was promised: receipts, and entries that were confirmed.

use super::Shared;
use super::caller::Caller;
use super::checking::{Entered, Promise, Receipt};
use super::error::DrillError;
use super::station;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(120);

/// What was seen, in memory only as far as counting needs.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    file: File,
    known: BTreeSet<(String, String, u64)>,
    near: u64,
    far: u64,
    failed: Option<std::io::Error>,
}

impl Seen {
    pub(super) fn create(path: &Path) -> Result<Self, DrillError> {
        let file = File::create(path).map_err(DrillError::io("making", path))?;
        let book = Book { file, known: BTreeSet::new(), near: 0, far: 0, failed: None };
        Ok(Self { path: path.to_owned(), book: Mutex::new(book) })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an entry of so many facts was confirmed.
    pub(super) fn entered(&self, held_by: &[String], post: u32, facts: u32) {
        let entered = Entered { held_by: held_by.to_vec(), post, facts };
        self.book().write(&Promise::Entered(entered));
    }

    /// Notes all receipts that a status shows.
    pub(super) fn status(&self, status: &hub::status::StatusSnapshot) {
        let mut book = self.book();
        for (distance, arrival) in status.arrived.iter().enumerate() {
            for place in &arrival.holds {
                let chain = place.chain;
                let receipt = Receipt {
                    shown_by: status.node.to_string(),
                    ancestor: arrival.ancestor.to_string(),
                    node: chain.node.to_string(),
                    epoch: chain.epoch,
                    lane: chain.lane.to_string(),
                    height: place.height,
                    hash: place.hash.to_string(),
                    durable_at: arrival.durable_at,
                };
                let chain = format!("{}/{}/{}", receipt.node, receipt.epoch, receipt.lane);
                if book.known.insert((receipt.ancestor.clone(), chain, receipt.height)) {
                    *(if distance == 0 { &mut book.near } else { &mut book.far }) += 1;
                    book.write(&Promise::Receipt(receipt));
                }
            }
        }
    }

    /// How many different receipts were seen, and how many of them by farther ancestors.
    pub(super) fn receipts(&self) -> (u64, u64) {
        let book = self.book();
        (book.near + book.far, book.far)
    }

    /// The file is whole.
    ///
    /// # Errors
    /// What the file system said while it was written.
    pub(super) fn close(&self) -> Result<(), DrillError> {
        let failed = self.book().failed.take();
        failed.map_or(Ok(()), |error| Err(DrillError::io("writing", &self.path)(error)))
    }
}

impl Book {
    fn write(&mut self, promise: &Promise) {
        let written = serde_json::to_string(promise)
            .map_err(std::io::Error::from)
            .and_then(|line| writeln!(self.file, "{line}"));
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }
}

/// One who looks at one node.
pub(super) struct Witness {
    caller: Caller,
    node: String,
}

impl Witness {
    pub(super) fn new(caller: Caller, node: String) -> Self {
        Self { caller, node }
    }

    /// Looks until told to stop.
    pub(super) fn run(self, seen: &Seen, shared: &Shared) {
        while !shared.is_stopped() {
            // a daemon that is down shows nothing
            if let Ok(status) = station::status(&self.caller) {
                if status.node.to_string() != self.node {
                    let expected = format!("node {}", self.node);
                    return shared.fail(DrillError::finding(expected, status.node.to_string()));
                }
                seen.status(&status);
            }
            std::thread::sleep(PAUSE);
        }
    }
}
