//! What claims are from one day to the next, as spans, disputes and segments of doubt.

use super::{Alternative, Cause, Span, Status, Sweep};
use crate::fact::member::Origin;
use crate::time::Day;

/// A loser that stays open beside a holder, or alone.
pub(super) struct Dispute {
    pub(super) holder: Option<usize>,
    pub(super) loser: usize,
    pub(super) from: Day,
    pub(super) to: Day,
    pub(super) tied: bool,
    pub(super) objected: bool,
}

/// The claim that counts on some days, and those that dispute it.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) from: Day,
    pub(super) to: Day,
    pub(super) counted: Option<Alternative>,
    pub(super) others: Vec<Alternative>,
}

impl Sweep<'_> {
    pub(super) fn tell(&mut self, from: Day, to: Day) {
        let mut segment = Segment { from, to, counted: None, others: Vec::new() };
        for place in 0..self.claims.len() {
            let now = self.status(place).map(|status| self.span(place, status, from, to));
            self.tell_span(place, from, now);
            match now {
                Some(span) if span.holder => segment.counted = Some(Alternative::of(&span)),
                Some(span) if span.status == Status::Disputed => {
                    segment.others.push(self.alternative(place));
                    self.tell_dispute(place, from, to);
                }
                _ => {}
            }
        }
        self.segments.push(segment);
    }

    /// What the claim is on these days.
    fn span(&self, place: usize, status: Status, from: Day, to: Day) -> Span {
        let claim = &self.claims[place];
        let holder = self.holder == Some(place);
        let mut others = self.claims.iter().enumerate();
        let tied = holder
            && others.any(|(at, other)| at != place && other.open && self.is_tied(claim, other));
        let new = claim.start.origin == Origin::New && claim.start_day == from;
        Span {
            from,
            to,
            branch: claim.branch,
            employer: claim.start.employer,
            status,
            holder,
            tied,
            qualified: claim.start.qualified,
            profile: claim.start.profile,
            enrolled: holder && !claim.enrolled_told && new,
            start: claim.start_id,
            began: claim.today.unwrap_or(Cause::HolderChanged),
            ended: None,
        }
    }

    /// What the claim would be if it held.
    pub(super) fn alternative(&self, place: usize) -> Alternative {
        let status = if self.claims[place].retained { Status::Retained } else { Status::Active };
        let span = self.span(place, status, Day::OPEN, Day::OPEN);
        Alternative::of(&Span { holder: true, tied: false, ..span })
    }

    /// Lets the claim's latest span go on, or ends it and begins another.
    fn tell_span(&mut self, place: usize, from: Day, now: Option<Span>) {
        let claim = &mut self.claims[place];
        let last = claim.span.map(|at| &mut self.swept.spans[at]);
        if let Some(last) = last.filter(|last| last.to == from && last.ended.is_none()) {
            let goes_on = now.filter(|now| {
                let (began, enrolled) = (last.began, last.enrolled);
                let same = Span { from: last.from, to: last.to, began, enrolled, ..*now };
                same == *last && !now.enrolled
            });
            if let Some(now) = goes_on {
                last.to = now.to;
                return;
            }
            last.ended = Some(claim.today.unwrap_or(Cause::HolderChanged));
        }
        if let Some(now) = now {
            claim.enrolled_told |= now.enrolled;
            claim.span = Some(self.swept.spans.len());
            self.swept.spans.push(now);
        }
    }

    fn tell_dispute(&mut self, loser: usize, from: Day, to: Day) {
        let holder = self.holder;
        let objected = self.claims[loser].objected_out;
        let tied = holder.is_some_and(|at| self.is_tied(&self.claims[at], &self.claims[loser]));
        if let Some(holder) = holder {
            let pair = (self.claims[holder].branch, self.claims[loser].branch);
            self.swept.rivals.push(pair);
        }
        let now = Dispute { holder, loser, from, to, tied, objected };
        let goes_on = |known: &&mut Dispute| {
            (known.holder, known.loser, known.to, known.tied, known.objected)
                == (holder, loser, from, tied, objected)
        };
        match self.disputes.iter_mut().find(goes_on) {
            Some(known) => known.to = to,
            None => self.disputes.push(now),
        }
    }

    fn status(&self, place: usize) -> Option<Status> {
        let claim = &self.claims[place];
        if !claim.open {
            // nobody holds and none is open: who was transferred out last of all is in transit
            let is_last =
                || self.claims.iter().all(|other| !other.open && other.closed <= claim.closed);
            return (claim.transferred && is_last()).then_some(Status::InTransit);
        }
        if !claim.wins && claim.ruled_out {
            return Some(Status::Overruled);
        }
        if claim.is_out() {
            return Some(Status::Disputed);
        }
        let holder = &self.claims[self.holder?];
        let (own, held) = (self.law.rank(claim.branch), self.law.rank(holder.branch));
        Some(if std::ptr::eq(claim, holder) {
            if claim.retained { Status::Retained } else { Status::Active }
        } else if own > held {
            Status::Secondary
        } else if claim.retained && own < held {
            Status::Retained
        } else {
            Status::Disputed
        })
    }
}
