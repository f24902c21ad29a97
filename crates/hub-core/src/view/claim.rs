//! One person's claims: the sweep over days, as a pure function (DESIGN §7 Members, M1 and M2).
//!
//! It reads this person's facts, the kinds of the unions named and nothing of any other person. Who holds
//! the person on a day is decided by evidence, day and fixed ties, never by arrival.

use super::branch::BranchIx;
use super::tree::UnitIx;
use crate::fact::member::{Evidence, Origin, Profile};
use crate::id::FactId;
use crate::time::{Day, Hlc};

/// One standing fact of the person, with the names in it resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimFact {
    /// Effective day.
    pub day: Day,
    /// Clock.
    pub hlc: Hlc,
    /// The fact.
    pub id: FactId,
    /// The union whose books say it.
    pub branch: BranchIx,
    /// What happened.
    pub act: Act,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A start.
    Start(Start),
    /// Transferred out, resigned, lapsed or expelled.
    End {
        /// Whether by transfer: the person is then in transit until a start.
        transferred: bool,
    },
    /// Died.
    Death,
    /// Retained.
    Retained,
    /// Attributes revised.
    Revised(Profile),
}

/// A start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Where the member comes from.
    pub origin: Origin,
    /// Whether a joining day is stated; an `existing` start without one ranks as the earliest.
    pub day_stated: bool,
    /// What it rests on.
    pub evidence: Evidence,
    /// The employer.
    pub employer: Option<UnitIx>,
    /// The union named as the one before.
    pub from: Option<BranchIx>,
    /// Attributes.
    pub profile: Profile,
    /// Whether the ID number passes its check digit.
    pub qualified: bool,
}

/// What a claim is on a span of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It holds the person.
    Active,
    /// It holds the person, whose membership is retained; or a retained loser of higher kind.
    Retained,
    /// A loser of lower kind: service membership, uncounted, not disputed (M2).
    Secondary,
    /// Another loser: open, and may become holder later (M2).
    Disputed,
    /// The person was transferred out and has not started since.
    InTransit,
}

/// What the person is on a span of days, at one union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From this day.
    pub from: Day,
    /// Up to and without this day.
    pub to: Day,
    /// The union.
    pub branch: BranchIx,
    /// The employer.
    pub employer: Option<UnitIx>,
    /// What the claim is.
    pub status: Status,
    /// Whether the claim holds the person.
    pub holder: bool,
    /// Whether it holds by a mere tie: decided by clock, or between two existing starts.
    pub tied: bool,
    /// Whether the number passes its check digit.
    pub qualified: bool,
    /// Attributes.
    pub profile: Profile,
    /// Whether it begins as newly enrolled on `from`.
    pub enrolled: bool,
}

/// A conflict seen while sweeping; the makings of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// M1: a claim took over another that neither named it nor was retained; state `auto`.
    DualMembership {
        /// The start that took over.
        winner: FactId,
        /// The start that was taken over.
        loser: FactId,
        /// Whether the loser's union has confirmed it since.
        confirmed: bool,
    },
    /// An end or retention without an open claim.
    OrphanEnd {
        /// The fact.
        fact: FactId,
    },
    /// A death stated by a union that did not hold the person the day before.
    ForeignDeath {
        /// The fact.
        fact: FactId,
    },
}

/// What the sweep yields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// In order of day, then union.
    pub spans: Vec<Span>,
    /// In order of fact.
    pub conflicts: Vec<Conflict>,
    /// Pairs of unions whose claims await agreement: taken over and unconfirmed, or disputed.
    pub rivals: Vec<(BranchIx, BranchIx)>,
}

#[derive(Debug, Clone)]
struct Claim {
    branch: BranchIx,
    start_day: Day,
    start_hlc: Hlc,
    start_id: FactId,
    start: Start,
    retained: bool,
    open: bool,
    /// Closed by a takeover that nobody at this union has confirmed: the place in `conflicts`, if it made one.
    taken_over: Option<Option<usize>>,
    transferred: bool,
    /// When it closed, counted in order of the sweep.
    closed: u32,
    enrolled_told: bool,
}

impl Claim {
    /// In the books when they were loaded, nobody knows since when: ranks as the earliest.
    fn is_undated(&self) -> bool {
        self.start.origin == Origin::Existing && !self.start.day_stated
    }
}

/// Sweeps the days. `rank` is the kind's rank of a union, lower is stronger.
pub fn sweep(mut facts: Vec<ClaimFact>, rank: impl Fn(BranchIx) -> u8) -> Swept {
    facts.sort_by_key(|fact| (fact.day, fact.hlc, fact.id));
    let swept = Swept::default();
    let mut sweep =
        Sweep { claims: Vec::new(), holder: None, closings: 0, swept, takeovers: Vec::new(), rank };
    let mut rest = &facts[..];
    while let Some(first) = rest.first() {
        let day = first.day;
        let (today, later) = rest.split_at(rest.partition_point(|fact| fact.day == day));
        let next = later.first().map_or(Day::OPEN, |fact| fact.day);
        sweep.day(day, today, next);
        rest = later;
    }
    let unconfirmed = |place: &usize| {
        matches!(
            sweep.swept.conflicts.get(*place),
            Some(Conflict::DualMembership { confirmed: false, .. })
        )
    };
    let open =
        sweep.takeovers.iter().filter(|(place, _)| unconfirmed(place)).map(|(_, pair)| *pair);
    sweep.swept.rivals.extend(open);
    sweep.swept.rivals.sort_unstable();
    sweep.swept.rivals.dedup();
    sweep.swept.conflicts.sort();
    join(&mut sweep.swept.spans);
    sweep.swept
}

struct Sweep<R> {
    claims: Vec<Claim>,
    holder: Option<usize>,
    closings: u32,
    swept: Swept,
    /// Unions of the takeovers that made a conflict, by its place.
    takeovers: Vec<(usize, (BranchIx, BranchIx))>,
    rank: R,
}

impl<R: Fn(BranchIx) -> u8> Sweep<R> {
    fn day(&mut self, day: Day, facts: &[ClaimFact], next: Day) {
        let before = self.holder;
        let held_before = before.map(|holder| self.claims[holder].branch);
        for fact in facts {
            self.own_fact(day, fact);
        }
        for fact in facts.iter().filter(|fact| fact.act == Act::Death) {
            self.death(fact, held_before);
        }
        // length zero is void; such a claim began today, so the places of older ones stay
        self.claims
            .retain(|claim| claim.open || claim.start_day < day || claim.taken_over.is_some());
        self.choose(day, before.filter(|place| self.claims[*place].open));
        self.tell(day, next);
    }

    fn open_at(&self, branch: BranchIx) -> Option<usize> {
        self.claims.iter().position(|claim| claim.open && claim.branch == branch)
    }

    /// A union's own fact, in order of clock.
    fn own_fact(&mut self, day: Day, fact: &ClaimFact) {
        match fact.act {
            Act::Start(start) => self.start(day, fact, start),
            Act::End { transferred } => self.end(fact, transferred),
            Act::Retained => match self.open_at(fact.branch) {
                Some(open) => self.claims[open].retained = true,
                None => self.orphan(fact),
            },
            Act::Revised(profile) => {
                if let Some(open) = self.open_at(fact.branch) {
                    let claim = &mut self.claims[open].start;
                    claim.profile = claim.profile.revised(profile);
                }
            }
            Act::Death => {}
        }
    }

    /// Opens a claim if none is open there, else ends a retention, else nothing.
    fn start(&mut self, day: Day, fact: &ClaimFact, start: Start) {
        if let Some(open) = self.open_at(fact.branch) {
            self.claims[open].retained = false;
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
        });
    }

    fn end(&mut self, fact: &ClaimFact, transferred: bool) {
        if let Some(open) = self.open_at(fact.branch) {
            self.close(open);
            self.claims[open].transferred = transferred;
            return;
        }
        // confirms a takeover, where one closed the claim and none has opened there since
        let last = self.claims.iter_mut().rfind(|claim| claim.branch == fact.branch);
        match last.and_then(|claim| claim.taken_over.take()) {
            Some(conflict) => {
                if let Some(Conflict::DualMembership { confirmed, .. }) =
                    conflict.and_then(|place| self.swept.conflicts.get_mut(place))
                {
                    *confirmed = true;
                }
            }
            None => self.orphan(fact),
        }
    }

    fn close(&mut self, place: usize) {
        self.closings += 1;
        let claim = &mut self.claims[place];
        claim.open = false;
        claim.closed = self.closings;
    }

    fn orphan(&mut self, fact: &ClaimFact) {
        self.swept.conflicts.push(Conflict::OrphanEnd { fact: fact.id });
    }

    /// Stated by the union that held the person the day before it closes every open claim; by another,
    /// its own claim, and it is a case.
    fn death(&mut self, fact: &ClaimFact, held_before: Option<BranchIx>) {
        let by_holder = held_before == Some(fact.branch);
        if !by_holder {
            self.swept.conflicts.push(Conflict::ForeignDeath { fact: fact.id });
        }
        for place in 0..self.claims.len() {
            let claim = &mut self.claims[place];
            claim.transferred &= claim.branch != fact.branch;
            if claim.open && (by_holder || claim.branch == fact.branch) {
                self.close(place);
            }
        }
    }

    /// The order of open claims: not retained, kind, not self-declared, later start (an existing one
    /// without a stated day first of all days), stronger evidence, earlier clock, fact id.
    fn order(&self, claim: &Claim) -> impl Ord + use<R> {
        use std::cmp::Reverse;
        let day = if claim.is_undated() { Day(i32::MIN) } else { claim.start_day };
        (
            claim.retained,
            (self.rank)(claim.branch),
            claim.start.evidence == Evidence::SelfDeclared,
            Reverse(day),
            Reverse(claim.start.evidence),
            claim.start_hlc,
            claim.start_id,
        )
    }

    /// Chooses the holder; `before` is the claim that held the day before and is still open.
    fn choose(&mut self, day: Day, before: Option<usize>) {
        let open = (0..self.claims.len()).filter(|at| self.claims[*at].open);
        self.holder = open.min_by_key(|at| self.order(&self.claims[*at]));
        let Some(holder) = self.holder else { return };
        let claim = &self.claims[holder];
        if claim.start_day == day && !claim.is_undated() {
            self.take_over(holder, before, day);
        }
    }

    /// M1: the previous holder's claim closes, and so does every loser of the new holder's kind that
    /// started before. A retained loser of higher kind stays retained (M2).
    fn take_over(&mut self, holder: usize, before: Option<usize>, day: Day) {
        let rank = (self.rank)(self.claims[holder].branch);
        let (winner, named) = (self.claims[holder].start_id, self.claims[holder].start.from);
        for place in 0..self.claims.len() {
            let claim = &self.claims[place];
            if place == holder || !claim.open {
                continue;
            }
            let other = (self.rank)(claim.branch);
            let stays_retained = claim.retained && other < rank;
            let loses = Some(place) == before || other == rank && claim.start_day < day;
            if !loses || stays_retained {
                continue;
            }
            let clean = named == Some(claim.branch) || claim.retained;
            let conflict = (!clean).then(|| {
                let loser = claim.start_id;
                self.swept.conflicts.push(Conflict::DualMembership {
                    winner,
                    loser,
                    confirmed: false,
                });
                let place = self.swept.conflicts.len() - 1;
                self.takeovers.push((place, (self.claims[holder].branch, claim.branch)));
                place
            });
            self.close(place);
            self.claims[place].taken_over = Some(conflict);
        }
    }

    /// Whether the holder beats another open claim by nothing but the clock, or both merely exist.
    fn is_tied(&self, one: &Claim, other: &Claim) -> bool {
        let equal = one.retained == other.retained
            && (self.rank)(one.branch) == (self.rank)(other.branch)
            && (one.start.evidence == Evidence::SelfDeclared)
                == (other.start.evidence == Evidence::SelfDeclared);
        let existing =
            one.start.origin == Origin::Existing && other.start.origin == Origin::Existing;
        let same_start = one.is_undated() == other.is_undated()
            && one.start_day == other.start_day
            && one.start.evidence == other.start.evidence;
        equal && (existing || same_start)
    }

    fn tell(&mut self, from: Day, to: Day) {
        for place in 0..self.claims.len() {
            let claim = &self.claims[place];
            let is_holder = self.holder == Some(place);
            let Some(status) = self.status(place) else { continue };
            let tied = is_holder
                && self
                    .claims
                    .iter()
                    .enumerate()
                    .any(|(at, other)| at != place && other.open && self.is_tied(claim, other));
            let enrolled = is_holder
                && !claim.enrolled_told
                && claim.start.origin == Origin::New
                && claim.start_day == from;
            if status == Status::Disputed
                && let Some(holder) = self.holder
            {
                self.swept.rivals.push((self.claims[holder].branch, claim.branch));
            }
            self.swept.spans.push(Span {
                from,
                to,
                branch: claim.branch,
                employer: claim.start.employer,
                status,
                holder: is_holder,
                tied,
                qualified: claim.start.qualified,
                profile: claim.start.profile,
                enrolled,
            });
            self.claims[place].enrolled_told |= enrolled;
        }
    }

    fn status(&self, place: usize) -> Option<Status> {
        let claim = &self.claims[place];
        let Some(holder) = self.holder.map(|holder| &self.claims[holder]) else {
            // nobody holds: whoever was transferred out, with no start since, is in transit
            let since = self.claims.iter().any(|other| other.closed > claim.closed);
            return (claim.transferred && !since).then_some(Status::InTransit);
        };
        if !claim.open {
            return None;
        }
        let (own, held) = ((self.rank)(claim.branch), (self.rank)(holder.branch));
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

/// Joins spans that go on unchanged.
fn join(spans: &mut Vec<Span>) {
    spans.sort_by_key(|span| (span.branch, span.from));
    spans.dedup_by(|later, earlier| {
        let same =
            Span { from: later.from, to: later.to, enrolled: later.enrolled, ..*earlier } == *later;
        let goes_on = same && earlier.to == later.from && !later.enrolled;
        if goes_on {
            earlier.to = later.to;
        }
        goes_on
    });
    spans.sort_by_key(|span| (span.from, span.branch));
}

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
