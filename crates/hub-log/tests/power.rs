//! Power cut: everything that was not fsynced is lost, in whole or in part; what was announced is there.

use crate::blocks::{hashes, mixed, seen, small};
use hub_log::{Disk, Journal, Options, Storage, verify};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What undoes a call that is not durable yet.
#[derive(Debug)]
enum Undo {
    Bytes { file: File, inode: u64, at: u64, old: Vec<u8> },
    Length { file: File, inode: u64, old: u64 },
    Name { from: PathBuf, to: PathBuf },
}

impl Undo {
    fn is_of(&self, wanted: u64) -> bool {
        match self {
            Self::Bytes { inode, .. } | Self::Length { inode, .. } => *inode == wanted,
            Self::Name { .. } => false,
        }
    }
}

/// The real disk, which remembers how to lose what was not fsynced.
#[derive(Debug, Default)]
struct Volatile {
    undo: Mutex<Vec<Undo>>,
}

impl Volatile {
    fn remember(&self, undo: Undo) {
        self.undo.lock().expect("no panic").push(undo);
    }

    /// The power goes: of what is not durable every `keep`-th call (0: none) survives.
    fn cut(&self, keep: usize) {
        let mut undo = std::mem::take(&mut *self.undo.lock().expect("no panic"));
        for (at, undo) in undo.drain(..).enumerate().rev() {
            if keep > 0 && at % keep == 0 {
                continue;
            }
            match undo {
                Undo::Bytes { file, at, old, .. } => file.write_all_at(&old, at).expect("write"),
                Undo::Length { file, old, .. } => file.set_len(old).expect("length"),
                Undo::Name { from, to } => fs::rename(to, from).expect("rename"),
            }
        }
    }
}

impl Storage for Volatile {
    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        let metadata = file.metadata()?;
        let length = (metadata.len().saturating_sub(at) as usize).min(bytes.len());
        let mut old = vec![0; length];
        file.read_exact_at(&mut old, at)?;
        old.resize(bytes.len(), 0);
        self.remember(Undo::Bytes { file: file.try_clone()?, inode: metadata.ino(), at, old });
        Disk.write_at(file, at, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let inode = file.metadata()?.ino();
        self.undo.lock().expect("no panic").retain(|undo| !undo.is_of(inode));
        Ok(())
    }

    fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        let metadata = file.metadata()?;
        let (inode, old) = (metadata.ino(), metadata.len());
        self.remember(Undo::Length { file: file.try_clone()?, inode, old });
        Disk.set_length(file, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.remember(Undo::Name { from: from.to_owned(), to: to.to_owned() });
        Disk.rename(from, to)
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        let mut undo = self.undo.lock().expect("no panic");
        undo.retain(|undo| !matches!(undo, Undo::Name { .. }));
        Ok(())
    }
}

#[test]
fn what_was_announced_survives_a_power_cut_after_any_append() {
    let entries = mixed(20, 300);
    for appends in 0..entries.len().div_ceil(3) {
        for keep in [0, 2, 3] {
            let directory = tempfile::tempdir().expect("directory");
            let storage = Arc::new(Volatile::default());
            let options = Options { segment_bytes: 8_192, storage: Arc::clone(&storage) as _ };
            let (journal, _) = Journal::open(directory.path(), options).expect("open");
            for chunk in entries.chunks(3).take(appends) {
                journal.append(chunk).expect("append");
            }
            drop(journal);
            storage.cut(keep);
            let (journal, recovery) = Journal::open(directory.path(), small(8_192)).expect("open");
            assert_eq!(recovery.damage, vec![]);
            let announced = &entries[..(appends * 3).min(entries.len())];
            assert_eq!(seen(&journal).blocks, hashes(announced), "after {appends} appends");
            journal.append(&entries).expect("it goes on");
            drop(journal);
            assert_eq!(verify(directory.path(), &mut |_| {}).expect("readable").damage, vec![]);
        }
    }
}

/// The tester itself: a journal on a disk whose fsync does nothing is caught by the same power cut.
#[test]
fn the_power_cut_notices_a_missing_fsync() {
    #[derive(Debug)]
    struct NoSync(Arc<Volatile>);

    impl Storage for NoSync {
        fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
            self.0.write_at(file, at, bytes)
        }
        fn sync(&self, _: &File) -> io::Result<()> {
            Ok(())
        }
        fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
            self.0.set_length(file, length)
        }
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.0.rename(from, to)
        }
        fn sync_directory(&self, directory: &Path) -> io::Result<()> {
            self.0.sync_directory(directory)
        }
    }

    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(2, 300);
    {
        let (journal, _) = Journal::open(directory.path(), small(8_192)).expect("open");
        journal.append(&entries[..3]).expect("append");
    }
    let volatile = Arc::new(Volatile::default());
    let storage = Arc::new(NoSync(Arc::clone(&volatile)));
    let options = Options { segment_bytes: 8_192, storage };
    let (journal, _) = Journal::open(directory.path(), options).expect("open");
    journal.append(&entries[3..]).expect("append");
    drop(journal);
    volatile.cut(0);
    let (journal, _) = Journal::open(directory.path(), small(8_192)).expect("open");
    assert_eq!(seen(&journal).blocks, hashes(&entries[..3]), "the announced blocks are lost");
}
