//! A million changed inputs, framed anew, through every way into a node: none panics, none is taken, memory
//! stays bounded, and the honest blocks still get through. `MUTANTS=20` tries twenty times as many.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_tests::mutants::{Entry, run};

/// How many of each entry; a million in all.
const PLAN: [(Entry, u64); 7] = [
    (Entry::Block, 350_000),
    (Entry::Bundle, 150_000),
    (Entry::Receipt, 150_000),
    (Entry::ChainFile, 50_000),
    (Entry::Request, 50_000),
    (Entry::Ask, 100_000),
    (Entry::Body, 150_000),
];
/// How much more memory than before trying may take, in bytes: what one child may have held back
/// (16 MiB) for each of two machines, and as much again for the machines themselves.
const MEMORY_MAX: u64 = 64 << 20;

#[test]
fn no_changed_input_is_taken_and_none_panics() {
    let times: u64 = std::env::var("MUTANTS").map_or(1, |times| times.parse().unwrap());
    let report = run(&PLAN.map(|(entry, count)| (entry, count * times))).unwrap();
    let text = serde_json::to_string_pretty(&report).unwrap();
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    for (entry, count) in PLAN {
        let tally = &report.entries[&entry];
        assert_eq!(tally.tried, count * times, "{text}");
        assert_eq!((tally.foreign, tally.panics), (0, 0), "{entry:?}: {text}");
        assert!(tally.refused > tally.tried / 4, "{entry:?}, mutants are mutants: {text}");
        assert_eq!(tally.rounds, tally.through, "{entry:?}: {text}");
    }
    assert!(report.entries[&Entry::Block].valid > 0, "what is valid is taken: {text}");
    assert!(report.memory_bytes < MEMORY_MAX, "{text}");
}
