//! Group commit: whoever finds nobody leading leads. The leader stores what all waiting callers brought
//! with one `fdatasync`, answers them, and hands the lead to a caller that came meanwhile. Nobody but the
//! leader touches the writer, and a caller is woken once.

use super::{Entry, Position, held};
use crate::error::AppendError;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What a caller gets.
pub(super) type Answer = Result<Vec<Position>, AppendError>;

/// A caller's turn.
#[derive(Debug)]
enum Turn {
    Waiting,
    Lead,
    Done(Answer),
}

#[derive(Debug)]
struct Slot {
    turn: Mutex<Turn>,
    changed: Condvar,
}

impl Slot {
    fn set(&self, turn: Turn) {
        *held(&self.turn) = turn;
        self.changed.notify_one();
    }
}

/// A caller waiting for its blocks to be durable.
#[derive(Debug)]
pub(super) struct Request {
    entries: Vec<Entry>,
    slot: Arc<Slot>,
}

impl Request {
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.slot.set(Turn::Done(answer));
    }

    fn is_answered(&self) -> bool {
        matches!(*held(&self.slot.turn), Turn::Done(_))
    }
}

#[derive(Debug, Default)]
struct Waiting {
    requests: Vec<Request>,
    led: bool,
}

/// Callers waiting, and whether one of them leads.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
}

/// The lead over a batch. Dropped, it answers whom a panic left without an answer and hands on the lead,
/// so that nobody waits for ever.
struct Lead<'a> {
    queue: &'a Queue,
    batch: Vec<Request>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        for request in self.batch.iter().filter(|request| !request.is_answered()) {
            let cause = "a batch that was not finished".to_owned();
            request.answer(Err(AppendError::Stopped { cause }));
        }
        let mut waiting = held(&self.queue.waiting);
        match waiting.requests.first() {
            Some(next) => next.slot.set(Turn::Lead),
            None => waiting.led = false,
        }
    }
}

impl Queue {
    /// Brings entries and waits for the answer; `commit`, run by whoever leads, answers every request.
    pub(super) fn run(&self, entries: &[Entry], commit: impl Fn(&[Request])) -> Answer {
        let slot = Arc::new(Slot { turn: Mutex::new(Turn::Waiting), changed: Condvar::new() });
        let leads = {
            let mut waiting = held(&self.waiting);
            let request = Request { entries: entries.to_vec(), slot: Arc::clone(&slot) };
            waiting.requests.push(request);
            !mem::replace(&mut waiting.led, true)
        };
        if leads {
            self.lead(&commit);
        }
        loop {
            let mut turn = held(&slot.turn);
            while matches!(*turn, Turn::Waiting) {
                turn = slot.changed.wait(turn).unwrap_or_else(PoisonError::into_inner);
            }
            let now = mem::replace(&mut *turn, Turn::Waiting);
            drop(turn);
            match now {
                Turn::Done(answer) => return answer,
                Turn::Lead | Turn::Waiting => self.lead(&commit),
            }
        }
    }

    fn lead(&self, commit: &impl Fn(&[Request])) {
        let batch = mem::take(&mut held(&self.waiting).requests);
        let lead = Lead { queue: self, batch };
        commit(&lead.batch);
    }
}
