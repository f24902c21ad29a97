//! Waiting for what comes in its own time: a test fails when it never comes, not when it is slow.

use crate::process::POLL_INTERVAL;
use std::time::{Duration, Instant};

/// Looks again and again until something holds.
///
/// # Panics
/// It does not hold however long one waits: after `patience` nobody believes in it any more.
#[allow(clippy::panic, reason = "what tests stand on fails by panicking")]
pub fn until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        if since.elapsed() > patience {
            panic!("never: {what}");
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
