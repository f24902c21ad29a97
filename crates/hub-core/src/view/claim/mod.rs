//! One person's claims: the sweep over days, as a pure function (DESIGN §7 Members, M1 to M4).
//!
//! It reads this person's facts, the decisions about this person, the kinds of the unions named, and nothing
//! of any other person. Who holds the person on a day is decided by evidence, day and fixed ties, never by arrival.

mod books;
mod case;
mod decide;
mod doubt;
mod holder;
mod tell;

use super::branch::BranchIx;
use super::tree::UnitIx;
use crate::fact::branch::BranchKind;
use crate::fact::member::{Evidence, LeaveReason, Origin, Profile};
use crate::id::FactId;
use crate::policy::Policy;
use crate::time::{Day, Hlc};
use case::Takeover;
use decide::{Objecting, Ruling};
use std::collections::BTreeSet;
use tell::{Dispute, Segment};

pub use case::{CaseState, Conflict, Taken};
pub use doubt::{Alternative, Doubtful};

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
    /// Transferred out: the person is then in transit until a start.
    TransferredOut,
    /// Resigned, lapsed or expelled.
    Left(LeaveReason),
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

/// A ruling in force over claims of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRuling {
    /// It acts from this day.
    pub from: Day,
    /// The unions whose claims are its sides.
    pub sides: Vec<BranchIx>,
    /// Which of them wins; none: nobody.
    pub winner: Option<BranchIx>,
}

/// An objection to a claim of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimObjection {
    /// The fact.
    pub id: FactId,
    /// Its clock.
    pub hlc: Hlc,
    /// It acts from this day at the earliest.
    pub from: Day,
    /// The union whose claim is objected to.
    pub branch: BranchIx,
    /// What it rests on.
    pub evidence: Evidence,
    /// The objector's unions.
    pub own: Vec<BranchIx>,
}

/// All that a person's fold reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Standing facts, in any order.
    pub facts: Vec<ClaimFact>,
    /// Rulings in force, in any order; no two share a side.
    pub rulings: Vec<ClaimRuling>,
    /// Standing objections, in any order.
    pub objections: Vec<ClaimObjection>,
}

/// What the rules ask of the world beyond the person.
#[derive(Clone, Copy)]
pub struct Law<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// What a union is.
    pub kind_of: &'a dyn Fn(BranchIx) -> BranchKind,
}

impl Law<'_> {
    /// The rank of a union's kind, lower is stronger.
    fn rank(&self, branch: BranchIx) -> u8 {
        self.policy.rank((self.kind_of)(branch))
    }
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
    /// Another loser, or objected out: open, and may become holder later (M2, M3).
    Disputed,
    /// The person was transferred out and has not started since.
    InTransit,
    /// Ruled out: neither counted nor disputed (M4).
    Overruled,
}

/// Why a span begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The union stated a start, of this origin.
    Started(Origin),
    /// A start ended the retention.
    Resumed,
    /// The union stated a retention.
    Retained,
    /// The union stated a transfer out.
    TransferredOut,
    /// The person left or died.
    Left(LeaveReason),
    /// Another claim took over (M1).
    TakenOver,
    /// The takeover that had closed it was undone (M3, M4).
    Reopened,
    /// A ruling began to act on it, or to act no more.
    Ruled,
    /// An objection to it acts.
    Objected,
    /// Attributes were revised.
    Revised,
    /// Nothing happened to it: another claim became holder, or ceased to be.
    HolderChanged,
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
    /// The start of the claim.
    pub start: FactId,
    /// Why it begins.
    pub began: Cause,
    /// Why it ends; none while it goes on.
    pub ended: Option<Cause>,
}

/// What the sweep yields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// In order of day, then union.
    pub spans: Vec<Span>,
    /// In order of sort, then facts.
    pub conflicts: Vec<Conflict>,
    /// Pairs of unions whose claims await agreement: taken over and unconfirmed, or disputed. Each pair once, the
    /// lesser place first.
    pub rivals: Vec<(BranchIx, BranchIx)>,
    /// Days on which more than one claim may be the right one.
    pub doubts: Vec<Doubtful>,
    /// Takeovers of a holder that its union has not confirmed (M7).
    pub taken: Vec<Taken>,
}

/// A claim under way.
#[derive(Debug, Clone)]
struct Claim {
    branch: BranchIx,
    start_day: Day,
    start_hlc: Hlc,
    start_id: FactId,
    start: Start,
    retained: bool,
    open: bool,
    /// The takeover that closed it, which nobody at this union has confirmed.
    taken_over: Option<usize>,
    transferred: bool,
    /// When it closed, counted in order of the sweep.
    closed: u32,
    enrolled_told: bool,
    /// A ruling that acts puts it out, or makes it the winner.
    ruled_out: bool,
    wins: bool,
    objected_out: bool,
    /// What happened to it on the day swept.
    today: Option<Cause>,
    /// Its latest span.
    span: Option<usize>,
}

impl Claim {
    /// In the books when they were loaded, nobody knows since when: ranks as the earliest.
    fn is_undated(&self) -> bool {
        self.start.origin == Origin::Existing && !self.start.day_stated
    }

    /// Notes what happened to it today: a start is told before whatever else befell it, a revision after.
    fn note(&mut self, cause: Cause) {
        if self.today.is_none_or(|known| known == Cause::Revised) {
            self.today = Some(cause);
        }
    }

    /// Never holder: ruled out or objected out. Objections do not reach a ruled winner.
    fn is_out(&self) -> bool {
        !self.wins && (self.ruled_out || self.objected_out)
    }
}

/// The sweep under way.
struct Sweep<'a> {
    law: Law<'a>,
    claims: Vec<Claim>,
    holder: Option<usize>,
    closings: u32,
    rulings: Vec<Ruling>,
    objections: Vec<Objecting>,
    takeovers: Vec<Takeover>,
    disputes: Vec<Dispute>,
    segments: Vec<Segment>,
    swept: Swept,
}

/// Sweeps the days of one person.
pub fn sweep(told: Told, law: Law<'_>) -> Swept {
    let Told { mut facts, rulings, mut objections } = told;
    facts.sort_by_key(|fact| (fact.day, fact.hlc, fact.id));
    objections.sort_by_key(|objection| (objection.hlc, objection.id));
    let mut days: BTreeSet<Day> = facts.iter().map(|fact| fact.day).collect();
    days.extend(rulings.iter().map(|ruling| ruling.from));
    days.extend(objections.iter().map(|objection| objection.from));
    let mut sweep = Sweep {
        law,
        claims: Vec::new(),
        holder: None,
        closings: 0,
        rulings: rulings.into_iter().map(Ruling::new).collect(),
        objections: objections.into_iter().map(Objecting::new).collect(),
        takeovers: Vec::new(),
        disputes: Vec::new(),
        segments: Vec::new(),
        swept: Swept::default(),
    };
    let mut rest = &facts[..];
    let mut days = days.into_iter().peekable();
    while let Some(day) = days.next() {
        let (today, later) = rest.split_at(rest.partition_point(|fact| fact.day == day));
        rest = later;
        let next = days.peek().copied().unwrap_or(Day::OPEN);
        sweep.day(day, today, next);
    }
    sweep.finish()
}

impl Sweep<'_> {
    /// One day, in this order: each union's own facts, deaths, void claims go, decisions take effect, the
    /// holder is chosen, takeovers.
    fn day(&mut self, day: Day, facts: &[ClaimFact], next: Day) {
        let before = self.holder;
        let held_before = before.map(|holder| self.claims[holder].branch);
        self.claims.iter_mut().for_each(|claim| claim.today = None);
        for fact in facts {
            self.own_fact(day, fact);
        }
        for fact in facts.iter().filter(|fact| fact.act == Act::Death) {
            self.death(day, fact, held_before);
        }
        // length zero is void; such a claim began today, so the places of older ones stay
        self.claims.retain(|claim| claim.open || claim.start_day < day);
        self.settle_takeovers(day);
        self.decide(day);
        self.choose(day, before.filter(|place| self.claims[*place].open));
        self.tell(day, next);
    }

    /// A union that has started anew is no longer given back what was taken over from it before.
    fn settle_takeovers(&mut self, day: Day) {
        let fresh = |claim: &&Claim| claim.start_day == day;
        for claim in self.claims.iter().filter(fresh) {
            let of_union = |takeover: &&mut Takeover| takeover.unions.1 == claim.branch;
            self.takeovers.iter_mut().filter(of_union).for_each(|takeover| takeover.settle(day));
        }
    }

    /// The open claim at a union.
    fn open_at(&self, branch: BranchIx) -> Option<usize> {
        self.claims.iter().position(|claim| claim.open && claim.branch == branch)
    }

    fn close(&mut self, place: usize, cause: Cause) {
        self.closings += 1;
        let claim = &mut self.claims[place];
        claim.open = false;
        claim.closed = self.closings;
        claim.today = Some(cause);
    }

    fn finish(mut self) -> Swept {
        self.swept.rivals.extend(self.takeovers.iter().filter_map(|takeover| {
            (takeover.state == CaseState::Auto && !takeover.clean).then_some(takeover.unions)
        }));
        self.swept
            .rivals
            .iter_mut()
            .for_each(|pair| *pair = (pair.0.min(pair.1), pair.0.max(pair.1)));
        self.swept.rivals.sort_unstable();
        self.swept.rivals.dedup();
        self.tell_cases();
        self.tell_doubts();
        self.swept.conflicts.sort();
        self.swept.spans.sort_by_key(|span| (span.from, span.branch));
        self.swept
    }
}

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
