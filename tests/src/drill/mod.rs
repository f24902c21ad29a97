//! The drill: a federation of five levels as real processes, killed under load again and again; then a
//! checker that shares nothing with it compares what was promised with what is there.
//!
//! `station` is one node with its daemon and server, `raise` founds and enrols the levels, `writer` enters
//! facts at the bottom, `witness` writes down every receipt that is shown, `chaos` kills and pauses by a
//! seed, `damage` is what servers lose, `aftermath` heals, waits, exports, and has everything checked.
//! `checking` is what `src/bin/checker.rs` does. Deliberately absent: any look into a process; all is seen
//! through the program `hub` and its local socket.

mod aftermath;
mod caller;
mod chaos;
pub mod checking;
pub mod damage;
pub mod error;
mod raise;
mod station;
mod witness;
mod writer;

use error::DrillError;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The programs a drill is made of.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The program `hub`.
    pub hub: PathBuf,
    /// The program `checker`.
    pub checker: PathBuf,
    /// The program `nats-server`.
    pub nats_server: PathBuf,
}

/// How much a drill does.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// What the order of all breaking follows from.
    pub seed: u64,
    /// The least number of daemons killed.
    pub hub_kills: u64,
    /// The least number of nats-servers killed; most lose data as well.
    pub server_kills: u64,
    /// The least number of processes paused.
    pub pauses: u64,
    /// The least number of member facts entered while all this happens.
    pub facts: u64,
    /// Facts entered at once: 1 is `hub member join`, more is `hub member import`.
    pub batch: u32,
    /// Longest pause between two breakages, in milliseconds.
    pub pace_millis: u64,
    /// How long breaking may take at most, in seconds.
    pub patience_seconds: u64,
}

impl Plan {
    /// As much as every change is tried with.
    pub fn short() -> Self {
        Self {
            seed: 1,
            hub_kills: 36,
            server_kills: 16,
            pauses: 4,
            facts: 200,
            batch: 1,
            pace_millis: 700,
            patience_seconds: 240,
        }
    }

    /// As much as a release is tried with; takes hours.
    pub fn long() -> Self {
        Self {
            hub_kills: 1_000,
            server_kills: 100,
            pauses: 50,
            facts: 200_000,
            batch: 50,
            patience_seconds: 6 * 3_600,
            ..Self::short()
        }
    }
}

/// What a drill did and found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Daemons killed (`kill -9`).
    pub hub_kills: u64,
    /// nats-servers killed (`kill -9`).
    pub server_kills: u64,
    /// What happened to the data of these while they were down.
    pub server_data: BTreeMap<damage::Damage, u64>,
    /// Processes stopped for a while (`SIGSTOP`).
    pub pauses: u64,
    /// Member facts whose entering was confirmed.
    pub facts_entered: u64,
    /// Entries whose answer a kill cut off, so that they were tried again.
    pub entries_retried: u64,
    /// Different receipts seen: an ancestor holds a chain up to a block.
    pub receipts_seen: u64,
    /// Of these, by ancestors farther than the parent.
    pub receipts_from_afar: u64,
    /// What the checker said.
    pub checked: checking::Verdict,
    /// Pairs of levels whose views of the lower one's unit, at its newest checkpoint, were compared.
    pub views_compared: u64,
    /// The digest that the top and its replay agree on.
    pub digest: String,
    /// Members the coverage table of the township counts, the same at every level that holds it.
    pub members: u64,
    /// Seconds of raising, breaking, and healing with checks.
    pub seconds: [u64; 3],
}

/// What the threads of one drill share.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// The first thing that went wrong on a thread.
    failed: Mutex<Option<DrillError>>,
    facts: std::sync::atomic::AtomicU64,
    retried: std::sync::atomic::AtomicU64,
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn fail(&self, error: DrillError) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn check(&self) -> Result<(), DrillError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), Err)
    }
}

/// Runs a drill in the empty directory `place`, whose path must be short: it holds local sockets.
///
/// # Errors
/// Something cannot be had, ends by itself, or is not as it must be.
pub fn run(tools: &Tools, plan: &Plan, place: &std::path::Path) -> Result<Report, DrillError> {
    let began = Instant::now();
    let mut federation = raise::raise(tools, place)?;
    let raised = began.elapsed();
    let seen = witness::Seen::create(&place.join("seen.jsonl"))?;
    let shared = Shared::default();
    let mut report = Report::default();
    let result = std::thread::scope(|scope| {
        for (number, union) in federation.unions.iter().enumerate() {
            let writer = writer::Writer::new(number as u32, union, plan.batch);
            let (seen, shared) = (&seen, &shared);
            scope.spawn(move || writer.run(seen, shared));
        }
        for station in &federation.stations {
            let witness = witness::Witness::new(station.caller(), station.id.clone());
            let (seen, shared) = (&seen, &shared);
            scope.spawn(move || witness.run(seen, shared));
        }
        let result = chaos::unleash(&mut federation.stations, plan, &shared, &mut report);
        shared.stop.store(true, Ordering::Relaxed);
        // whatever happened, nobody may wait for a process that stands still
        let woken = chaos::heal(&mut federation.stations);
        result.and(woken)
    });
    result?;
    shared.check()?;
    let broken = began.elapsed();
    report.facts_entered = shared.facts.load(Ordering::Relaxed);
    report.entries_retried = shared.retried.load(Ordering::Relaxed);
    aftermath::settle(&mut federation.stations, &seen)?;
    (report.receipts_seen, report.receipts_from_afar) = seen.receipts();
    aftermath::check(tools, &mut federation, &seen, place, &mut report)?;
    let seconds = |from: Duration, to: Duration| (to - from).as_secs();
    report.seconds = [raised.as_secs(), seconds(raised, broken), seconds(broken, began.elapsed())];
    Ok(report)
}
