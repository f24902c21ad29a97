//! Appending, reading, opening again.

use crate::blocks::{Chain, filled, hashes, mixed, seen, small};
use hub_core::chain::ChainError;
use hub_core::hash::{Hash, sha256};
use hub_log::{
    AppendError, Entry, IndexState, Journal, OpenError, Options, Origin, Position, Stored,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

#[test]
fn what_was_appended_is_read_before_and_after_reopening() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(60, 200);
    let (journal, recovery) = Journal::open(directory.path(), small(16_384)).expect("open");
    assert!(recovery.created);
    for chunk in entries.chunks(7) {
        assert_eq!(journal.append(chunk).expect("append").len(), chunk.len());
    }
    let before = seen(&journal);
    assert_eq!(before.blocks, hashes(&entries));
    let id = journal.id();
    drop(journal);
    let (journal, recovery) = Journal::open(directory.path(), small(16_384)).expect("open");
    assert_eq!(seen(&journal), before);
    assert_eq!(journal.id(), id);
    assert_eq!((recovery.index, recovery.scanned), (IndexState::Agreed, 1));
    assert_eq!((recovery.cut, recovery.damage), (vec![], vec![]));
    let more = mixed(61, 200);
    journal.append(&more).expect("blocks that are there are not stored again");
    assert_eq!(seen(&journal).blocks, hashes(&more));
}

#[test]
fn the_shipped_stream_is_what_did_not_come_from_the_parent() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(40, 300);
    filled(directory.path(), 16_384, &entries);
    let (journal, _) = Journal::open(directory.path(), small(16_384)).expect("open");
    let expected: Vec<Hash> = entries
        .iter()
        .filter(|entry| entry.origin != Origin::Parent)
        .map(|entry| entry.block.hash())
        .collect();
    let shipped = seen(&journal).shipped;
    assert_eq!(shipped.iter().map(|(_, hash)| *hash).collect::<Vec<_>>(), expected);
    assert_eq!(shipped.iter().map(|(at, _)| *at).collect::<Vec<_>>(), (0..80).collect::<Vec<_>>());
    let mut rolling = Hash::ZERO;
    for (at, hash) in expected.iter().enumerate() {
        assert_eq!(journal.stream_hash(at as u64), Ok(Some(rolling)));
        rolling = sha256(&[&rolling.0, &hash.0]);
    }
    assert_eq!(journal.stream_hash(80), Ok(Some(rolling)));
    assert_eq!(journal.stream_hash(81), Ok(None));
}

#[test]
fn a_scan_gives_all_in_local_order_from_any_place() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(40, 300);
    let (journal, _) = Journal::open(directory.path(), small(16_384)).expect("open");
    let positions: Vec<Position> =
        entries.chunks(9).flat_map(|chunk| journal.append(chunk).expect("append")).collect();
    let all: Vec<Stored> = journal.scan(Position::START).map(|item| item.expect("whole")).collect();
    assert_eq!(all.iter().map(|s| s.position).collect::<Vec<_>>(), positions);
    let stored: Vec<Entry> = all.iter().map(|s| Entry::new(s.block.clone(), s.origin)).collect();
    assert_eq!(stored, entries);
    for at in [1, 50, 119] {
        let rest: Vec<Stored> =
            journal.scan(positions[at]).map(|item| item.expect("whole")).collect();
        assert_eq!(rest, all[at..]);
    }
    assert_eq!(journal.scan(journal.end()).count(), 0);
}

#[test]
fn gaps_and_forks_are_refused_and_store_nothing() {
    let directory = tempfile::tempdir().expect("directory");
    let (journal, _) = Journal::open(directory.path(), small(16_384)).expect("open");
    let mut chain = Chain::new(1);
    let blocks = chain.entries(4, 100, Origin::Own);
    journal.append(&blocks[..1]).expect("append");
    let error = journal.append(&blocks[2..]).expect_err("a gap");
    let AppendError::Chain { error, .. } = error else { panic!("{error}") };
    assert_eq!(*error, ChainError::Gap { expected: 2, found: 3 });
    let fork = Chain::new(1).entries(2, 101, Origin::Own);
    let both = [blocks[1].clone(), fork[0].clone()];
    let error = journal.append(&both).expect_err("a fork");
    assert!(matches!(error, AppendError::Occupied { height: 1, .. }), "{error}");
    assert_eq!(seen(&journal).blocks, hashes(&blocks[..1]));
    journal.append(&blocks).expect("it goes on");
    assert_eq!(journal.stopped(), None);
}

#[test]
fn many_threads_share_the_journal() {
    let directory = tempfile::tempdir().expect("directory");
    let (journal, _) = Journal::open(directory.path(), small(65_536)).expect("open");
    let journal = Arc::new(journal);
    let threads: Vec<_> = (0..16_u8)
        .map(|writer| {
            let journal = Arc::clone(&journal);
            std::thread::spawn(move || {
                let mut chain = Chain::new(writer);
                let mut stored = Vec::new();
                for _ in 0..40 {
                    let entries = chain.entries(1, 60, Origin::Child);
                    journal.append(&entries).expect("append");
                    let block = &entries[0].block;
                    let read = journal.block(&chain.id, block.header().height).expect("read");
                    assert_eq!(read.as_ref(), Some(block));
                    stored.extend(entries);
                }
                stored
            })
        })
        .collect();
    let all: Vec<Entry> =
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
    let before = seen(&journal);
    assert_eq!(before.blocks, hashes(&all));
    drop(journal);
    let (journal, _) = Journal::open(directory.path(), small(65_536)).expect("open");
    assert_eq!(seen(&journal), before);
}

#[test]
fn one_holder_of_a_directory() {
    let directory = tempfile::tempdir().expect("directory");
    let (journal, _) = Journal::open(directory.path(), Options::default()).expect("open");
    let error = Journal::open(directory.path(), Options::default()).expect_err("held");
    let pid = Some(std::process::id());
    assert!(matches!(&error, OpenError::Locked { pid: held, .. } if *held == pid), "{error}");
    drop(journal);
    Journal::open(directory.path(), Options::default()).expect("free again");
}

/// Set for the process that holds the directory while the test asks for it.
const HOLD: &str = "HUB_LOG_TEST_HOLD";

#[test]
fn another_process_is_told_who_holds_the_directory() {
    if let Some(directory) = std::env::var_os(HOLD) {
        let _held = Journal::open(directory.as_ref(), Options::default()).expect("open");
        std::io::stdout().write_all(b"\nheld\n").expect("stdout");
        let mut rest = String::new();
        std::io::stdin().read_to_string(&mut rest).expect("until the other side closes");
        return;
    }
    let directory = tempfile::tempdir().expect("directory");
    let name = "journal::another_process_is_told_who_holds_the_directory";
    let mut holder = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(HOLD, directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start");
    let output = BufReader::new(holder.stdout.take().expect("stdout"));
    let mut lines = output.lines().map(|line| line.expect("text"));
    assert!(lines.any(|line| line == "held"), "the holder ended early");
    let error = Journal::open(directory.path(), Options::default()).expect_err("held");
    let pid = Some(holder.id());
    assert!(matches!(&error, OpenError::Locked { pid: held, .. } if *held == pid), "{error}");
    assert!(error.to_string().contains(&holder.id().to_string()), "{error}");
    drop(holder.stdin.take());
    lines.for_each(drop);
    assert!(holder.wait().expect("end").success());
    Journal::open(directory.path(), Options::default()).expect("free again");
}
