//! Readers beside a running node: verification and backups need no lock and see no false damage.

use crate::blocks::{Chain, hashes, small};
use hub_log::backup::{backup, restore};
use hub_log::{Entry, Journal, Origin, verify};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn verification_and_backups_of_a_journal_being_written() {
    let places = tempfile::tempdir().expect("directory");
    let data = places.path().join("data");
    let (journal, _) = Journal::open(&data, small(32 * 1024)).expect("open");
    let (journal, done) = (Arc::new(journal), Arc::new(AtomicBool::new(false)));
    let writer = {
        let (journal, done) = (Arc::clone(&journal), Arc::clone(&done));
        std::thread::spawn(move || {
            let mut chain = Chain::new(1);
            let mut stored: Vec<Entry> = Vec::new();
            while !done.load(Ordering::SeqCst) && stored.len() < 20_000 {
                let entries = chain.entries(3, 400, Origin::Own);
                journal.append(&entries).expect("append");
                stored.extend(entries);
            }
            stored
        })
    };
    let mut seen = 0;
    for round in 0..12 {
        let at_least = journal.heads().values().map(|head| head.height).sum::<u64>();
        let report = verify(&data, &mut |_| {}).expect("readable");
        assert_eq!(report.damage, vec![], "round {round}");
        assert!(report.blocks >= at_least.max(seen), "what is announced is seen");
        seen = report.blocks;
        let (file, target) = (
            places.path().join(format!("{round}.hub")),
            places.path().join(format!("{round}.restored")),
        );
        let at_least = journal.heads().values().map(|head| head.height).sum::<u64>();
        backup(&data, &file).expect("backup");
        let restored = restore(&file, &target).expect("restore");
        assert_eq!(restored.damage, vec![], "round {round}");
        assert!(restored.blocks >= at_least, "what is announced is in the backup");
    }
    done.store(true, Ordering::SeqCst);
    let stored = writer.join().expect("no panic");
    assert_eq!(crate::blocks::seen(&journal).blocks, hashes(&stored));
}
