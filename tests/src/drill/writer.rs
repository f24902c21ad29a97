//! One who enters members at the bottom, without a pause, whatever happens to the node.

use super::Shared;
use super::caller::{Answer, Caller};
use super::error::DrillError;
use super::raise::Union;
use super::witness::Seen;
use crate::demo::people::{Person, person};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Serial numbers of persons between one writer and the next.
const PERSONS_APART: u32 = 40_000_000;
/// Posts, which mark entries, between one writer and the next.
const POSTS_APART: u32 = 100_000_000;
/// How often an entry may be refused before that is a finding: a node that just started may not be ready.
const REFUSALS_MAX: u32 = 50;
/// How long before an entry is tried again.
const PAUSE: Duration = Duration::from_millis(40);

/// A writer.
pub(super) struct Writer {
    caller: Caller,
    branch: String,
    employer: String,
    held_by: Vec<String>,
    batch: u32,
    next_person: u32,
    next_post: u32,
}

impl Writer {
    pub(super) fn new(number: u32, union: &Union, batch: u32) -> Self {
        Self {
            caller: union.caller.clone(),
            branch: union.name.clone(),
            employer: union.employer.clone(),
            held_by: union.held_by.clone(),
            batch,
            next_person: number * PERSONS_APART,
            next_post: number * POSTS_APART + 1,
        }
    }

    /// Enters until told to stop. An entry once begun is tried until it is known to be in.
    pub(super) fn run(mut self, seen: &Seen, shared: &Shared) {
        while !shared.is_stopped() {
            match self.enter(shared) {
                Ok(true) => {
                    seen.entered(&self.held_by, self.next_post, self.batch);
                    shared.facts.fetch_add(u64::from(self.batch), Ordering::Relaxed);
                }
                Ok(false) => return,
                Err(error) => return shared.fail(error),
            }
            self.next_post += 1;
            self.next_person += self.batch;
        }
    }

    /// Enters the next members; `false` when told to stop before it was known that they are in.
    fn enter(&self, shared: &Shared) -> Result<bool, DrillError> {
        let mut refusals = 0;
        loop {
            match self.attempt() {
                Ok(Answer { code: 0, .. }) => return Ok(true),
                // an earlier attempt had come through; only its answer was lost
                Ok(answer) if answer.err.contains("has this member already") => return Ok(true),
                Ok(answer) => {
                    refusals += 1;
                    if refusals > REFUSALS_MAX {
                        return Err(DrillError::Command {
                            node: self.employer.clone(),
                            line: "member …".into(),
                            outcome: format!("{}: {}{}", answer.code, answer.out, answer.err),
                        });
                    }
                }
                Err(_) => {
                    shared.retried.fetch_add(1, Ordering::Relaxed);
                }
            }
            if shared.is_stopped() {
                return Ok(false);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn attempt(&self) -> Result<Answer, hub::socket::CallError> {
        let post = self.next_post.to_string();
        let serials = self.next_person..self.next_person + self.batch;
        let mut persons = serials.map(|serial| person(serial, serial % 3 == 0));
        let branch = &self.branch;
        if self.batch == 1
            && let Some(Person { name, number, .. }) = persons.next()
        {
            let employer = &self.employer;
            let who = ["--operator", &post, "member", "join", "--number", &number, "--name", &name];
            let whither = ["--branch", branch, "--employer", employer];
            return self.caller.call(&[&who[..], &whither[..]].concat(), "");
        }
        let mut rows = "姓名,证件号码,单位,来源\n".to_owned();
        for Person { name, number, .. } in persons {
            rows += &format!("{name},{number},{},发展会员\n", self.employer);
        }
        let args = ["--operator", &post, "member", "import", "-", "--branch", branch];
        self.caller.call(&args, &rows)
    }
}
