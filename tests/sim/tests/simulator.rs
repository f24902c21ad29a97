//! Sync under faults: seeded worlds of 32 nodes on five levels must lose nothing and converge.
//!
//! `HUB_SIM_SEED=n` runs one seed again; `HUB_SIM_SEEDS=n` runs so many.

#![allow(clippy::print_stdout, reason = "a test's report is what it prints")]

use hub_sim_tests::{Tally, run};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many seeds a plain run takes.
const SEEDS: u64 = 80;
/// What must have happened at least once in a plain run.
const MUST_HAPPEN: [&str; 35] = [
    "fault: message lost",
    "fault: message doubled",
    "fault: message delayed past others",
    "fault: partition",
    "fault: crash",
    "fault: unsynced blocks lost",
    "fault: courier wiped",
    "fault: restored from an older copy",
    "fault: restored without a new journal id",
    "fault: rolled back unnoticed",
    "fault: clock too far ahead",
    "fault: fork by a stolen key",
    "fault: byte flipped",
    "fault: a county moved to another city",
    "rule: held for a gap",
    "rule: held for a key",
    "rule: held at the door",
    "rule: delivery refused",
    "rule: over quota, put off",
    "rule: fork proven",
    "rule: follower of a fork kept",
    "rule: stream begun anew",
    "rule: receipt went back",
    "rule: parent ahead of our own chains",
    "rule: compared with parent",
    "rule: receipt of another past",
    "rule: watermark of three ancestors",
    "sent: block of a stream",
    "sent: references",
    "sent: wanted block",
    "sent: receipt",
    "sent: ask",
    "sent: want",
    "sent: wake-up",
    "sent: answer to a frontier",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs worlds side by side, as many as there are cores.
fn run_all(seeds: std::ops::Range<u64>) -> Tally {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(tally);
            }
            match run(seed) {
                Ok(ran) => tally.add(&ran),
                Err(failure) => {
                    next.fetch_max(seeds.end, Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut tally = Tally::default();
        for worker in workers {
            match worker.join() {
                Ok(Ok(ran)) => tally.add(&ran),
                Ok(Err(failure)) => {
                    panic!("{failure}\nHUB_SIM_SEED={} shows it again", failure.seed)
                }
                Err(panicked) => std::panic::resume_unwind(panicked),
            }
        }
        tally
    })
}

#[test]
fn worlds_lose_nothing_and_heal() {
    if let Some(seed) = number("HUB_SIM_SEED") {
        println!("{}", run_all(seed..seed + 1));
        return;
    }
    let seeds = number("HUB_SIM_SEEDS").unwrap_or(SEEDS);
    let tally = run_all(0..seeds);
    println!("{seeds} seeds\n{tally}");
    for what in MUST_HAPPEN {
        assert!(tally.0.get(what).is_some_and(|count| *count > 0), "never happened: {what}");
    }
}

#[test]
fn one_seed_makes_one_world() {
    let (first, second) = (run(7), run(7));
    assert_eq!(first.map_err(|f| f.to_string()), second.map_err(|f| f.to_string()));
}
