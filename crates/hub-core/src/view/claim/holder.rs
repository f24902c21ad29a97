//! Who holds the person on a day, and what it takes over (M1, M2).

use super::case::{CaseState, Takeover};
use super::{Cause, Claim, Sweep};
use crate::fact::member::{Evidence, Origin};
use crate::time::Day;

impl Sweep<'_> {
    /// The order of open claims: ruled winner, not retained, kind, not self-declared, later start (an existing
    /// one without a stated day first of all days), stronger evidence, earlier clock, fact id.
    fn order(&self, claim: &Claim) -> impl Ord + use<> {
        use std::cmp::Reverse;
        let day = if claim.is_undated() { Day(i32::MIN) } else { claim.start_day };
        (
            !claim.wins,
            claim.retained,
            self.law.rank(claim.branch),
            claim.start.evidence == Evidence::SelfDeclared,
            Reverse(day),
            Reverse(self.law.policy.strength(claim.start.evidence)),
            claim.start_hlc,
            claim.start_id,
        )
    }

    /// Chooses the holder; `before` is the claim that held the day before and is still open.
    pub(super) fn choose(&mut self, day: Day, before: Option<usize>) {
        let may = |at: &usize| self.claims[*at].open && !self.claims[*at].is_out();
        let standing = (0..self.claims.len()).filter(may);
        self.holder = standing.min_by_key(|at| self.order(&self.claims[*at]));
        let Some(holder) = self.holder else { return };
        let claim = &self.claims[holder];
        if claim.start_day == day && !claim.is_undated() {
            self.take_over(holder, before, day);
        }
    }

    /// M1: the previous holder's claim closes, and so does every loser of the new holder's kind that
    /// started before. A retained loser of higher kind stays retained (M2).
    fn take_over(&mut self, holder: usize, before: Option<usize>, day: Day) {
        let rank = self.law.rank(self.claims[holder].branch);
        for place in 0..self.claims.len() {
            let claim = &self.claims[place];
            if place == holder || !claim.open {
                continue;
            }
            let other = self.law.rank(claim.branch);
            let stays_retained = claim.retained && other < rank;
            let loses = Some(place) == before || other == rank && claim.start_day < day;
            if loses && !stays_retained {
                self.close_taken_over(place, holder, before, day);
            }
        }
    }

    fn close_taken_over(&mut self, loser: usize, winner: usize, before: Option<usize>, day: Day) {
        let (claim, taker) = (&self.claims[loser], &self.claims[winner]);
        let mut takeover = Takeover {
            winner,
            loser,
            unions: (taker.branch, claim.branch),
            clean: taker.start.from == Some(claim.branch) || claim.retained,
            of_holder: Some(loser) == before,
            from: day,
            undone: Day::OPEN,
            settled: Day::OPEN,
            decided: Day::OPEN,
            state: CaseState::Auto,
            hlc: taker.start_hlc,
            known: taker.start_hlc.max(claim.start_hlc),
            was: self.alternative(loser),
        };
        if claim.ruled_out {
            takeover.uphold(day);
        }
        self.close(loser, Cause::TakenOver);
        self.claims[loser].taken_over = Some(self.takeovers.len());
        self.takeovers.push(takeover);
    }

    /// Whether the holder beats another open claim by nothing but the clock, or both merely exist.
    pub(super) fn is_tied(&self, one: &Claim, other: &Claim) -> bool {
        let equal = !one.wins
            && !other.is_out()
            && one.retained == other.retained
            && self.law.rank(one.branch) == self.law.rank(other.branch)
            && (one.start.evidence == Evidence::SelfDeclared)
                == (other.start.evidence == Evidence::SelfDeclared);
        let existing =
            one.start.origin == Origin::Existing && other.start.origin == Origin::Existing;
        let same_start = one.is_undated() == other.is_undated()
            && one.start_day == other.start_day
            && one.start.evidence == other.start.evidence;
        equal && (existing || same_start)
    }
}
