//! Mutants: valid signed inputs, changed and framed anew with right lengths and hashes, against every way
//! into a node (RELIABILITY §6: panic any process, change accepted history, sign for another).
//!
//! `stage` raises a small federation on real disks and collects what is valid, `mutator` changes bytes by
//! a seed, `frame` makes lengths and hashes fit again, `entries` says what accepting means for each way
//! in. Generator-based: coverage-guided fuzzing needs a nightly toolchain, which a build must not need.

mod entries;
mod frame;
mod mutator;
mod stage;

pub use entries::Entry;

use entries::{Fate, Tried};
use mutator::Mutator;
use serde::Serialize;
use stage::Stage;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// After so many mutants a machine is asked whether the honest blocks still get through, and begins anew.
const ROUND: u64 = 2_000;
/// How many threads try.
const THREADS: u64 = 2;

/// The stage cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutantError(pub String);

impl MutantError {
    fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for MutantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for MutantError {}

/// What became of the mutants of one entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many were tried.
    pub tried: u64,
    /// Refused.
    pub refused: u64,
    /// Kept waiting, uncounted.
    pub waits: u64,
    /// Byte for byte a valid input; of a body, the one encoding of the facts it holds.
    pub valid: u64,
    /// Accepted though nobody made them.
    pub foreign: u64,
    /// Panics.
    pub panics: u64,
    /// The first number that was accepted or panicked; none if there was none.
    pub first: Option<u64>,
    /// Times the honest blocks were sent after mutants …
    pub rounds: u64,
    /// … and all got through.
    pub through: u64,
}

impl Tally {
    fn note(&mut self, number: u64, fate: Option<Fate>) {
        self.tried += 1;
        match fate {
            Some(Fate::Refused) => self.refused += 1,
            Some(Fate::Waits) => self.waits += 1,
            Some(Fate::Valid) => self.valid += 1,
            Some(Fate::Foreign) => self.foreign += 1,
            None => self.panics += 1,
        }
        if matches!(fate, Some(Fate::Foreign) | None) {
            self.first.get_or_insert(number);
        }
    }

    fn add(&mut self, other: &Self) {
        self.tried += other.tried;
        self.refused += other.refused;
        self.waits += other.waits;
        self.valid += other.valid;
        self.foreign += other.foreign;
        self.panics += other.panics;
        self.first = self.first.or(other.first);
        self.rounds += other.rounds;
        self.through += other.through;
    }
}

/// What all mutants came to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Every entry.
    pub entries: BTreeMap<Entry, Tally>,
    /// How much more memory than before the process ever had while they were tried, in bytes.
    pub memory_bytes: u64,
}

/// Tries so many mutants of each entry.
///
/// # Errors
/// The stage cannot be set.
pub fn run(plan: &[(Entry, u64)]) -> Result<Report, MutantError> {
    let stage = Stage::raise()?;
    let resident = || crate::bench::place::resident().map_err(MutantError::of);
    let (before, _) = resident()?;
    let mut entries: BTreeMap<Entry, Tally> = BTreeMap::new();
    for (entry, count) in plan {
        let tallies: Vec<_> = std::thread::scope(|scope| {
            let (stage, share) = (&stage, count.div_ceil(THREADS));
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let numbers = thread * share..((thread + 1) * share).min(*count);
                    scope.spawn(move || try_all(stage, *entry, numbers))
                })
                .collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        for tally in tallies {
            let tally = tally.map_err(|_| MutantError("a thread ended badly".into()))??;
            entries.entry(*entry).or_default().add(&tally);
        }
    }
    let (_, peak) = resident()?;
    Ok(Report { entries, memory_bytes: peak.saturating_sub(before) })
}

/// Mutant `n` of an entry is the same in every run: what failed is tried again by its number.
fn try_all(
    stage: &Stage,
    entry: Entry,
    numbers: std::ops::Range<u64>,
) -> Result<Tally, MutantError> {
    let mut tally = Tally::default();
    let mut tried = Tried::new(stage)?;
    for number in numbers {
        let mut mutator = Mutator::new((entry as u64) << 48 | number);
        let fate = catch_unwind(AssertUnwindSafe(|| tried.mutant(entry, &mut mutator)));
        tally.note(number, fate.ok());
        if number % ROUND == ROUND - 1 {
            tried.check_through(&mut tally);
            tried = Tried::new(stage)?;
        }
    }
    Ok(tally)
}
