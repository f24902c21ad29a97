//! The index never decides: whatever happens to it, answers are the same.

use crate::blocks::{Seen, filled, mixed, seen, small};
use hub_log::{IndexState, Journal, repair};
use std::fs;
use std::path::Path;

const SEGMENT: u64 = 16 * 1024;

fn reopened(directory: &Path) -> (Seen, IndexState) {
    let (journal, recovery) = Journal::open(directory, small(SEGMENT)).expect("open");
    assert_eq!((recovery.damage, recovery.cut), (vec![], vec![]));
    (seen(&journal), recovery.index)
}

/// After `harm` to the index it is made anew with equal answers, and agrees at the next opening.
fn rebuilt_after(harm: impl Fn(&Path)) {
    let directory = tempfile::tempdir().expect("directory");
    filled(directory.path(), SEGMENT, &mixed(40, 250));
    let (before, state) = reopened(directory.path());
    assert_eq!(state, IndexState::Agreed);
    harm(&directory.path().join("index"));
    let (after, state) = reopened(directory.path());
    assert!(matches!(state, IndexState::Rebuilt { .. }), "{state:?}");
    assert_eq!(after, before);
    assert_eq!(reopened(directory.path()), (before, IndexState::Agreed));
}

#[test]
fn a_missing_index_is_rebuilt() {
    rebuilt_after(|index| fs::remove_dir_all(index).expect("remove"));
}

#[test]
fn a_garbled_index_is_rebuilt() {
    rebuilt_after(|index| {
        let path = index.join("db");
        let mut bytes = fs::read(&path).expect("read");
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (at * 31 % 251) as u8;
        }
        fs::write(&path, bytes).expect("write");
    });
}

#[test]
fn an_index_of_another_journal_is_rebuilt() {
    let other = tempfile::tempdir().expect("directory");
    filled(other.path(), SEGMENT, &mixed(45, 250));
    rebuilt_after(|index| {
        fs::remove_dir_all(index).expect("remove");
        fs::rename(other.path().join("index"), index).expect("move");
    });
}

#[test]
fn an_unfinished_snapshot_does_not_stop_the_node() {
    let directory = tempfile::tempdir().expect("directory");
    filled(directory.path(), SEGMENT, &mixed(40, 250));
    let (before, _) = reopened(directory.path());
    let index = directory.path().join("index");
    fs::write(index.join("snap.ffffffffffffffff.generating"), [0x5a; 300]).expect("write");
    fs::write(index.join("snap.fffffffffffffff0"), [0xa5; 300]).expect("write");
    let (after, _) = reopened(directory.path());
    assert_eq!(after, before);
}

#[test]
fn an_index_that_lags_is_brought_up() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(40, 250);
    filled(directory.path(), SEGMENT, &entries[..60]);
    let kept = tempfile::tempdir().expect("directory");
    let (index, old) = (directory.path().join("index"), kept.path().join("index"));
    fs::create_dir(&old).expect("create");
    for entry in fs::read_dir(&index).expect("list") {
        let entry = entry.expect("entry");
        if entry.file_type().expect("type").is_file() {
            fs::copy(entry.path(), old.join(entry.file_name())).expect("copy");
        }
    }
    filled(directory.path(), SEGMENT, &entries);
    let (before, _) = reopened(directory.path());
    fs::remove_dir_all(&index).expect("remove");
    fs::rename(&old, &index).expect("move");
    let (after, state) = reopened(directory.path());
    assert_eq!(after, before);
    assert!(matches!(state, IndexState::Extended(1..)), "{state:?}");
}

#[test]
fn sealed_segments_that_changed_are_seen_by_their_length_and_header() {
    let directory = tempfile::tempdir().expect("directory");
    filled(directory.path(), SEGMENT, &mixed(40, 250));
    let path = directory.path().join("journal/00000000.seg");
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, &bytes[..bytes.len() - 100]).expect("write");
    let (journal, recovery) = Journal::open(directory.path(), small(SEGMENT)).expect("open");
    assert!(matches!(recovery.index, IndexState::Rebuilt { .. }));
    assert_eq!(recovery.damage.len(), 1);
    assert_eq!(journal.holes().len(), 1);
}

#[test]
fn repair_makes_the_index_anew_on_demand() {
    let directory = tempfile::tempdir().expect("directory");
    filled(directory.path(), SEGMENT, &mixed(40, 250));
    let (before, _) = reopened(directory.path());
    let report = repair(directory.path(), small(SEGMENT)).expect("repair");
    assert!(matches!(report.recovery.index, IndexState::Rebuilt { .. }));
    assert_eq!(report.verified.damage, vec![]);
    assert_eq!(report.verified.heads, before.heads);
    assert_eq!(reopened(directory.path()), (before, IndexState::Agreed));
}
