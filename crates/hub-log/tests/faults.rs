//! Every call that changes a file fails once, before and after it took effect: what was announced stays.

use crate::blocks::{hashes, mixed, seen, small};
use hub_log::{AppendError, Disk, Entry, Journal, OpenError, Options, Storage, verify};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How the chosen call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// It does nothing.
    NotStored,
    /// It does everything and says that it failed.
    Stored,
    /// A write that ends in the middle.
    Torn,
}

/// The real disk, on which the n-th call fails.
#[derive(Debug)]
struct Faulty {
    calls: AtomicU64,
    fails: u64,
    failure: Failure,
    kind: io::ErrorKind,
}

impl Faulty {
    fn call(
        &self,
        run: &dyn Fn() -> io::Result<()>,
        part: &dyn Fn() -> io::Result<()>,
    ) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::SeqCst) != self.fails {
            return run();
        }
        match self.failure {
            Failure::NotStored => {}
            Failure::Stored => run()?,
            Failure::Torn => part()?,
        }
        Err(self.kind.into())
    }
}

impl Storage for Faulty {
    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        let half = &bytes[..bytes.len() / 2];
        self.call(&|| Disk.write_at(file, at, bytes), &|| Disk.write_at(file, at, half))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.call(&|| Disk.sync(file), &|| Ok(()))
    }

    fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        self.call(&|| Disk.set_length(file, length), &|| Ok(()))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(&|| Disk.rename(from, to), &|| Ok(()))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.call(&|| Disk.sync_directory(directory), &|| Ok(()))
    }
}

fn faulty(fails: u64, failure: Failure, kind: io::ErrorKind) -> (Arc<Faulty>, Options) {
    let storage = Arc::new(Faulty { calls: AtomicU64::new(0), fails, failure, kind });
    (Arc::clone(&storage), Options { segment_bytes: 8_192, storage })
}

/// Runs into one failure; says whether there was one.
fn run(entries: &[Entry], fails: u64, failure: Failure) -> bool {
    let directory = tempfile::tempdir().expect("directory");
    let (storage, options) = faulty(fails, failure, io::ErrorKind::Other);
    let mut announced = 0;
    match Journal::open(directory.path(), options) {
        Err(OpenError::Io(_)) => {}
        Err(other) => panic!("call {fails} {failure:?}: {other}"),
        Ok((journal, _)) => {
            for chunk in entries.chunks(4) {
                match journal.append(chunk) {
                    Ok(_) => announced += chunk.len(),
                    Err(AppendError::Io(_)) => break,
                    Err(other) => panic!("call {fails} {failure:?}: {other}"),
                }
            }
            let seen = seen(&journal);
            assert!(hashes(&entries[..announced]).iter().all(|b| seen.blocks.contains_key(b.0)));
            if announced < entries.len() {
                let again = journal.append(&entries[..4]).expect_err("it stopped");
                assert!(matches!(again, AppendError::Stopped { .. }), "{again}");
                assert!(journal.stopped().is_some());
            }
        }
    }
    let failed = storage.calls.load(Ordering::SeqCst) > fails;
    let (journal, _) = Journal::open(directory.path(), small(8_192)).expect("open again");
    let blocks = seen(&journal).blocks;
    for (place, hash) in hashes(&entries[..announced]) {
        let found = blocks.get(&place);
        assert_eq!(found, Some(&hash), "call {fails} {failure:?}: announced and lost");
    }
    journal.append(entries).expect("it goes on");
    assert_eq!(seen(&journal).blocks, hashes(entries), "call {fails} {failure:?}");
    drop(journal);
    let report = verify(directory.path(), &mut |_| {}).expect("readable");
    assert_eq!(report.damage, vec![], "call {fails} {failure:?}");
    failed
}

#[test]
fn nothing_announced_is_lost_whichever_call_fails() {
    let entries = mixed(20, 300);
    for failure in [Failure::NotStored, Failure::Stored, Failure::Torn] {
        let failures = (0..).take_while(|fails| run(&entries, *fails, failure)).count();
        assert!(failures > 40, "only {failures} calls were made to fail");
    }
}

#[test]
fn a_full_disk_is_named() {
    let directory = tempfile::tempdir().expect("directory");
    let (_, options) = faulty(9, Failure::Torn, io::ErrorKind::StorageFull);
    let (journal, _) = Journal::open(directory.path(), options).expect("open");
    let error = mixed(20, 300).chunks(4).find_map(|chunk| journal.append(chunk).err());
    let error = error.expect("the disk is full");
    assert!(matches!(&error, AppendError::Io(failure) if failure.is_no_space()), "{error}");
    assert!(error.to_string().contains("no space left"), "{error}");
}

/// A copy of the files as a crash at this moment could leave them: opened like any journal.
#[test]
fn a_crash_between_any_two_appends_loses_nothing() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(16, 300);
    let (journal, _) = Journal::open(directory.path(), small(8_192)).expect("open");
    for (at, chunk) in entries.chunks(4).enumerate() {
        journal.append(chunk).expect("append");
        let copy = tempfile::tempdir().expect("directory");
        copy_all(directory.path(), copy.path());
        let (after, recovery) = Journal::open(copy.path(), small(8_192)).expect("open");
        assert_eq!(seen(&after).blocks, hashes(&entries[..(at * 4 + 4).min(entries.len())]));
        assert_eq!(recovery.cut, vec![]);
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("create");
    for entry in std::fs::read_dir(from).expect("list") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("type").is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copy");
        }
    }
}
