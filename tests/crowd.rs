//! Hundreds of children lose their parent's server together and come back together: no storm of messages,
//! bounded memory, and every block once. `CHILDREN=1000` for a whole county.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_tests::crowd::run;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Blocks each child writes while the server is gone.
const LATER: u64 = 20;
/// How often one block may be sent: once when it is written, once when the server is back, and again after
/// pauses that double, of which few fit into the time a run may take, however slow the machine.
const SENT_MAX: u64 = 8;
/// Memory for each child, in bytes: its machine, its books, its connection, and what the parent holds for
/// it. Measured at 0.4 MB.
const MEMORY_PER_CHILD: u64 = 1 << 20;

#[test]
fn all_children_come_back_at_once() {
    // a connection each, and some
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let children = std::env::var("CHILDREN").map_or(250, |number| number.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    let report = run(place.path(), children, LATER).unwrap_or_else(|error| panic!("{error}"));
    let text = serde_json::to_string_pretty(&report).unwrap();
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    assert_eq!(report.held, report.blocks, "every block once: {text}");
    assert!(report.shipped <= SENT_MAX * report.blocks, "no storm: {text}");
    assert!(report.connected <= 4 * children, "no flapping: {text}");
    let [before, most] = report.memory;
    assert!(most - before < children * MEMORY_PER_CHILD, "bounded memory: {text}");
}
