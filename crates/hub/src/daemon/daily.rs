//! The checkpoint of each day: what this node holds, stated once a civil day when something has changed.

use crate::replica::Replica;
use hub_core::time::Day;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Ticks before the first of a run: a node that was off first hears what it missed.
const SETTLING_TICKS: u64 = 60;
/// Ticks until it is tried again after it failed: the clock may have to be set right first.
const RETRY_TICKS: u64 = 600;

/// When the next is due.
#[derive(Debug)]
pub(super) struct Daily {
    /// The last day that has its own.
    done: Day,
    not_before: u64,
    /// One under way, and the day it is of. It folds and waits, which the loop must not.
    running: Option<(Day, JoinHandle<bool>)>,
}

impl Daily {
    pub(super) fn new(replica: &Replica) -> Self {
        let node = replica.who().node;
        let last = replica.read().checkpoints_of(node).next_back();
        let done = last.map_or(Day::FIRST, |last| last.hlc.day());
        Self { done, not_before: SETTLING_TICKS, running: None }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, ticks: u64, replica: &Arc<Replica>) {
        if replica.follows() {
            return;
        }
        if let Some((day, thread)) = self.running.take() {
            if !thread.is_finished() {
                self.running = Some((day, thread));
                return;
            }
            match thread.join() {
                Ok(true) => self.done = day,
                Ok(false) => self.not_before = ticks + RETRY_TICKS,
                Err(_) => {
                    tracing::error!(
                        "writing the checkpoint of the day failed; it is tried again later"
                    );
                    self.not_before = ticks + RETRY_TICKS;
                }
            }
        }
        let today = Day::of_millis(replica.now());
        if ticks < self.not_before || today <= self.done {
            return;
        }
        let replica = Arc::clone(replica);
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(move || {
            match replica.checkpoint(false) {
                Ok(stated) => {
                    tracing::info!(written = stated.is_some(), "checkpoint of the day");
                    true
                }
                Err(error) => {
                    tracing::warn!(%error, "no checkpoint was written");
                    false
                }
            }
        });
        match thread {
            Ok(thread) => self.running = Some((today, thread)),
            Err(error) => {
                tracing::warn!(%error, "no checkpoint was written");
                self.not_before = ticks + RETRY_TICKS;
            }
        }
    }
}
