//! Rulings and objections taking effect on a person's claims (M3, M4; `schemas/rules.md`, Decisions).

use super::case::CaseState;
use super::{Cause, ClaimObjection, ClaimRuling, Conflict, Sweep};
use crate::fact::member::Evidence;
use crate::time::Day;

/// A ruling and how far it has come.
pub(super) struct Ruling {
    told: ClaimRuling,
    /// From its day until it lapses.
    acts: bool,
}

impl Ruling {
    pub(super) fn new(told: ClaimRuling) -> Self {
        Self { told, acts: false }
    }
}

/// An objection, and whether it has acted or come to nothing.
pub(super) struct Objecting {
    told: ClaimObjection,
    done: bool,
}

impl Objecting {
    pub(super) fn new(told: ClaimObjection) -> Self {
        Self { told, done: false }
    }
}

impl Sweep<'_> {
    /// What decisions do on a day: rulings lapse or begin, then objections act.
    pub(super) fn decide(&mut self, day: Day) {
        if !self.rulings.is_empty() {
            self.rule(day);
        }
        if !self.objections.is_empty() {
            self.object(day);
        }
    }

    fn rule(&mut self, day: Day) {
        let mut changed = false;
        for place in 0..self.rulings.len() {
            let (acts, from) = (self.rulings[place].acts, self.rulings[place].told.from);
            if from == day {
                self.rulings[place].acts = true;
            } else if acts && self.lapses(place, day) {
                self.rulings[place].acts = false;
            }
            changed |= acts != self.rulings[place].acts;
        }
        if !changed {
            return;
        }
        let before: Vec<bool> = self.claims.iter().map(|claim| claim.is_out()).collect();
        for place in 0..self.claims.len() {
            self.mark_ruled(place, day);
        }
        self.reopen_winners(day);
        for (place, was_out) in before.into_iter().enumerate() {
            if self.claims[place].open && self.claims[place].is_out() && !was_out {
                self.reopen_taken_by(place, day, CaseState::Ruled);
            }
        }
    }

    /// A ruling lapses when, after its day, a claim opens that is not self-declared and of no lower kind than
    /// the winner's, or without a winner than the strongest side's.
    fn lapses(&self, ruling: usize, day: Day) -> bool {
        let told = &self.rulings[ruling].told;
        let strongest = || told.sides.iter().map(|side| self.law.rank(*side)).min();
        let bound = told.winner.map(|winner| self.law.rank(winner)).or_else(strongest);
        self.claims.iter().any(|claim| {
            claim.open
                && claim.start_day == day
                && claim.start.evidence != Evidence::SelfDeclared
                && bound.is_some_and(|bound| self.law.rank(claim.branch) <= bound)
        })
    }

    /// Whether rulings that act put this claim out or make it the winner: it began on or before their day.
    fn mark_ruled(&mut self, place: usize, day: Day) {
        let claim = &self.claims[place];
        let (branch, start) = (claim.branch, claim.start_day);
        let bind = |ruling: &&Ruling| {
            ruling.acts && start <= ruling.told.from && ruling.told.sides.contains(&branch)
        };
        let (mut wins, mut out) = (false, false);
        for ruling in self.rulings.iter().filter(bind) {
            let is_winner = ruling.told.winner == Some(branch);
            wins |= is_winner;
            out |= !is_winner;
        }
        let claim = &mut self.claims[place];
        if (claim.wins, claim.ruled_out) != (wins, out) {
            (claim.wins, claim.ruled_out) = (wins, out);
            claim.note(Cause::Ruled);
            if let Some(takeover) = claim.taken_over.filter(|_| out) {
                self.takeovers[takeover].uphold(day);
            }
        }
    }

    /// A winner's claim that a takeover closed, unconfirmed, opens again on the ruling's day.
    fn reopen_winners(&mut self, day: Day) {
        for place in 0..self.rulings.len() {
            let told = &self.rulings[place].told;
            let (true, Some(winner)) = (told.from == day, told.winner) else { continue };
            let last = self.claims.iter().rposition(|claim| claim.branch == winner);
            if let Some(last) = last
                && let Some(takeover) = self.claims[last].taken_over
            {
                self.reopen(takeover, day, CaseState::Ruled);
            }
        }
    }

    /// Objections in order of clock, each once; one that acts may open the way for another.
    fn object(&mut self, day: Day) {
        while let Some((place, claim)) = self.next_objection(day) {
            self.objections[place].done = true;
            let told = &self.objections[place].told;
            let (given, stated) = (told.evidence, self.claims[claim].start.evidence);
            let policy = self.law.policy;
            let is_weaker = policy.strength(given) < policy.strength(stated);
            if is_weaker || self.claims[claim].wins {
                let (objection, claim) = (told.id, self.claims[claim].start_id);
                self.swept.conflicts.push(Conflict::NoEffect { objection, claim, day });
                continue;
            }
            let was_out = self.claims[claim].is_out();
            self.claims[claim].objected_out = true;
            self.claims[claim].note(Cause::Objected);
            if !was_out {
                self.reopen_taken_by(claim, day, CaseState::Objected);
            }
        }
    }

    /// The first objection whose day has come, whose objector has a claim that is open or was taken over and may
    /// open again, and whose other claim is open.
    fn next_objection(&self, day: Day) -> Option<(usize, usize)> {
        self.objections.iter().enumerate().find_map(|(place, objection)| {
            let told = &objection.told;
            let is_due = !objection.done && told.from <= day;
            let may_reopen = |takeover: usize| day < self.takeovers[takeover].settled;
            let has_claim = || {
                let mut own = self.claims.iter().filter(|claim| told.own.contains(&claim.branch));
                own.any(|claim| claim.open || claim.taken_over.is_some_and(may_reopen))
            };
            let open = is_due.then(|| self.open_at(told.branch)).flatten()?;
            has_claim().then_some((place, open))
        })
    }

    /// What a claim now out took over opens again; one of these that is out itself hands on to those it had
    /// taken over.
    fn reopen_taken_by(&mut self, out: usize, day: Day, state: CaseState) {
        let mut open = vec![out];
        while let Some(winner) = open.pop() {
            for takeover in 0..self.takeovers.len() {
                let loser = self.takeovers[takeover].loser;
                if self.takeovers[takeover].winner == winner
                    && self.reopen(takeover, day, state)
                    && self.claims[loser].is_out()
                {
                    open.push(loser);
                }
            }
        }
    }

    /// Opens again what a takeover closed, unless it was confirmed, the loser's union has started anew since, or
    /// the person is dead.
    fn reopen(&mut self, takeover: usize, day: Day, state: CaseState) -> bool {
        let loser = self.takeovers[takeover].loser;
        let branch = self.claims[loser].branch;
        let last = self.claims.iter().rposition(|claim| claim.branch == branch);
        if self.claims[loser].taken_over != Some(takeover)
            || last != Some(loser)
            || self.takeovers[takeover].settled <= day
        {
            return false;
        }
        let claim = &mut self.claims[loser];
        (claim.open, claim.taken_over) = (true, None);
        claim.today = Some(Cause::Reopened);
        self.takeovers[takeover].state = state;
        self.takeovers[takeover].undone = day;
        true
    }
}
