//! What a union's own books do to claims: starts, ends, retentions, revisions and deaths.

use super::{Act, Cause, Claim, ClaimFact, Conflict, Start, Sweep};
use crate::fact::member::LeaveReason;
use crate::time::Day;
use crate::view::branch::BranchIx;

impl Sweep<'_> {
    /// A union's own fact, in order of clock.
    pub(super) fn own_fact(&mut self, day: Day, fact: &ClaimFact) {
        match fact.act {
            Act::Start(start) => self.start(day, fact, start),
            Act::TransferredOut => self.end(day, fact, Cause::TransferredOut),
            Act::Left(reason) => self.end(day, fact, Cause::Left(reason)),
            Act::Retained => match self.open_at(fact.branch) {
                Some(open) => {
                    self.claims[open].retained = true;
                    self.claims[open].note(Cause::Retained);
                }
                None => self.orphan(fact),
            },
            Act::Revised(profile) => {
                if let Some(open) = self.open_at(fact.branch) {
                    let claim = &mut self.claims[open];
                    claim.start.profile = claim.start.profile.revised(profile);
                    claim.note(Cause::Revised);
                }
            }
            Act::Death => {}
        }
    }

    /// Opens a claim if none is open there, else ends a retention, else nothing.
    fn start(&mut self, day: Day, fact: &ClaimFact, start: Start) {
        if let Some(open) = self.open_at(fact.branch) {
            let claim = &mut self.claims[open];
            if claim.retained {
                // what the union states of the person last holds
                claim.start.profile = claim.start.profile.revised(start.profile);
                if claim.start_day < day {
                    claim.note(Cause::Resumed);
                }
            }
            claim.retained = false;
            return;
        }
        self.claims.push(Claim {
            branch: fact.branch,
            start_day: day,
            start_hlc: fact.hlc,
            start_id: fact.id,
            start,
            retained: false,
            open: true,
            taken_over: None,
            transferred: false,
            closed: 0,
            enrolled_told: false,
            ruled_out: false,
            wins: false,
            objected_out: false,
            today: Some(Cause::Started(start.origin)),
            span: None,
        });
    }

    /// Closes the open claim there; else confirms the takeover that closed the last one; else it is an orphan.
    fn end(&mut self, day: Day, fact: &ClaimFact, cause: Cause) {
        if let Some(open) = self.open_at(fact.branch) {
            self.close(open, cause);
            self.claims[open].transferred = cause == Cause::TransferredOut;
            return;
        }
        // a claim that is void today never was
        let is_void = |claim: &Claim| !claim.open && claim.start_day == day;
        let of_union = |claim: &&mut Claim| claim.branch == fact.branch && !is_void(claim);
        let last = self.claims.iter_mut().rfind(of_union);
        match last.and_then(|claim| claim.taken_over.take()) {
            Some(takeover) => self.takeovers[takeover].confirm(),
            None => self.orphan(fact),
        }
    }

    fn orphan(&mut self, fact: &ClaimFact) {
        self.swept.conflicts.push(Conflict::OrphanEnd { fact: fact.id, day: fact.day });
    }

    /// Stated by the union that held the person the day before it closes every open claim, and none that was
    /// taken over opens again; by another, its own claim, and it is a case.
    pub(super) fn death(&mut self, day: Day, fact: &ClaimFact, held_before: Option<BranchIx>) {
        let by_holder = held_before == Some(fact.branch);
        if by_holder {
            self.takeovers.iter_mut().for_each(|takeover| takeover.settle(day));
        } else {
            self.swept.conflicts.push(Conflict::ForeignDeath { fact: fact.id, day });
        }
        for place in 0..self.claims.len() {
            let claim = &mut self.claims[place];
            claim.transferred &= claim.branch != fact.branch;
            if claim.open && (by_holder || claim.branch == fact.branch) {
                self.close(place, Cause::Left(LeaveReason::Deceased));
            }
        }
    }
}
