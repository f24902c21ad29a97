//! A thousand children lose their parent's server together and come back together: no storm of messages,
//! bounded memory, and every block once. `CHILDREN=200` for a smaller crowd.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_tests::crowd::run;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Blocks each child writes while the server is gone.
const LATER: u64 = 20;
/// Memory for each child, in bytes: its machine, its books, its connection, and what the parent holds for
/// it. Measured at a fifth of this.
const MEMORY_PER_CHILD: u64 = 1 << 20;

#[test]
fn a_thousand_children_come_back_at_once() {
    // a connection each, and some
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let children = std::env::var("CHILDREN").map_or(1_000, |number| number.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    let report = run(place.path(), children, LATER).unwrap_or_else(|error| panic!("{error}"));
    let text = serde_json::to_string_pretty(&report).unwrap();
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    assert_eq!(report.held, report.blocks, "every block once: {text}");
    // each block is sent when it is written, and once more when the server that had it is back
    assert!(report.shipped <= 3 * report.blocks, "no storm: {text}");
    assert!(report.connected <= 4 * children, "no flapping: {text}");
    let [before, most] = report.memory;
    assert!(most - before < children * MEMORY_PER_CHILD, "bounded memory: {text}");
}
