//! Both sides of a fork are kept: the second beside the chain that the first goes on.

use crate::blocks::{Chain, hashes, seen, small};
use hub_core::hash::Hash;
use hub_core::view::BlockSource;
use hub_log::{Entry, Journal, Origin, Position, backup, verify};
use std::path::Path;

const SEGMENT: u64 = 16_384;

/// A chain of 40 blocks, and its other side from height 11 on: 60 blocks more.
fn sides() -> (Vec<Entry>, Vec<Entry>) {
    let (mut first, mut second) = (Chain::new(1), Chain::new(1));
    let chain = first.entries(40, 100, Origin::Child);
    second.entries(10, 100, Origin::Child);
    let mut beside = second.entries(60, 90, Origin::Child);
    beside.iter_mut().for_each(|entry| entry.beside = true);
    (chain, beside)
}

fn check(journal: &Journal, chain: &[Entry], beside: &[Entry]) {
    assert_eq!(seen(journal).blocks, hashes(chain), "the chain goes on by its first side");
    let id = chain[0].block.header().chain;
    let all: Vec<(u64, Hash)> =
        beside.iter().map(|e| (e.block.header().height, e.block.hash())).collect();
    assert_eq!(journal.besides(&id, 0), all);
    assert_eq!(journal.besides(&id, 60), all[49..]);
    assert_eq!(journal.forked_chains(), [id]);
    for entry in chain.iter().chain(beside) {
        let (height, hash) = (entry.block.header().height, entry.block.hash());
        assert_eq!(journal.side(&id, height, &hash).as_ref(), Some(&entry.block));
        assert_eq!(journal.is_beside(&id, height, &hash), entry.beside);
    }
    assert_eq!(journal.side(&id, 11, &Hash::ZERO), None);
    let stored: Vec<(Hash, bool)> = journal
        .scan(Position::START)
        .map(|stored| stored.map(|stored| (stored.block.hash(), stored.beside)).expect("whole"))
        .collect();
    let mut expected: Vec<(Hash, bool)> =
        chain.iter().chain(beside).map(|e| (e.block.hash(), e.beside)).collect();
    expected.sort();
    let mut sorted = stored.clone();
    sorted.sort();
    assert_eq!(sorted, expected, "each once, in the journal's order");
    assert_eq!(journal.shipped(), stored.len() as u64, "both sides go up");
}

fn open(directory: &Path) -> Journal {
    Journal::open(directory, small(SEGMENT)).expect("open").0
}

#[test]
fn both_sides_are_found_after_restarts_without_index_and_from_a_backup() {
    let directory = tempfile::tempdir().expect("directory");
    let (chain, beside) = sides();
    let journal = open(directory.path());
    journal.append(&chain[..20]).expect("append");
    let mixed: Vec<Entry> = beside[..30].iter().chain(&chain[20..]).cloned().collect();
    let places = journal.append(&mixed).expect("append");
    assert_eq!(journal.append(&beside[..30]).expect("again"), places[..30], "stored once");
    let twice = [beside[30].clone(), beside[30].clone()];
    let places = journal.append(&twice).expect("append");
    assert_eq!(places[0], places[1]);
    let mut as_beside = chain[5].clone();
    as_beside.beside = true;
    journal.append(&[as_beside]).expect("what stands in the chain is not stored beside it");
    journal.append(&beside[31..]).expect("append");
    check(&journal, &chain, &beside);
    drop(journal);
    check(&open(directory.path()), &chain, &beside);
    std::fs::remove_dir_all(directory.path().join("index")).expect("remove");
    check(&open(directory.path()), &chain, &beside);
    let report = verify(directory.path(), &mut |_| {}).expect("verify");
    assert_eq!((report.damage, report.blocks), (vec![], 100));

    let (saved, restored) = (directory.path().join("backup"), directory.path().join("restored"));
    backup::backup(directory.path(), &saved).expect("backup");
    backup::restore(&saved, &restored).expect("restore");
    check(&open(&restored), &chain, &beside);
}
