//! Takeovers and the cases they and other conflicts make.

use super::{Alternative, Sweep};
use crate::id::FactId;
use crate::time::{Day, Hlc};
use crate::view::branch::BranchIx;

/// What became of a takeover that nobody agreed to beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseState {
    /// It stands, and the loser's union has not confirmed it.
    Auto,
    /// The loser's union has stated an end since.
    Confirmed,
    /// An objection has undone it (M3).
    Objected,
    /// A ruling has undone it, or put its loser out (M4).
    Ruled,
}

/// A conflict seen while sweeping; the makings of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// M1: a claim took over another that neither named it nor was retained.
    DualMembership {
        /// The start that took over.
        winner: FactId,
        /// The start that was taken over.
        loser: FactId,
        /// The day it did.
        from: Day,
        /// The day it was undone; open while it stands.
        to: Day,
        /// What became of it.
        state: CaseState,
    },
    /// M2: a loser that stays open, and may become holder later.
    Disputed {
        /// The start of the holder; none while nobody holds.
        holder: Option<FactId>,
        /// The start of the loser.
        loser: FactId,
        /// From this day.
        from: Day,
        /// Up to and without this day.
        to: Day,
        /// Whether it lost by a mere tie.
        tied: bool,
        /// Whether by an objection.
        objected: bool,
    },
    /// An end or retention without an open claim.
    OrphanEnd {
        /// The fact.
        fact: FactId,
        /// Its day.
        day: Day,
    },
    /// A death stated by a union that did not hold the person the day before.
    ForeignDeath {
        /// The fact.
        fact: FactId,
        /// Its day.
        day: Day,
    },
    /// M3: an objection whose evidence is weaker than that of the claim, or which a ruling precedes.
    NoEffect {
        /// The objection.
        objection: FactId,
        /// The start of the claim objected to.
        claim: FactId,
        /// The day on which it would have acted.
        day: Day,
    },
}

/// A takeover of a holder by a union, not confirmed by the holder's (M7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// The union that took over.
    pub by: BranchIx,
    /// The day it did.
    pub day: Day,
    /// The clock of the start that did.
    pub hlc: Hlc,
    /// The union that held before.
    pub from: BranchIx,
}

/// A takeover under way.
#[derive(Debug, Clone)]
pub(super) struct Takeover {
    /// Places of both claims.
    pub(super) winner: usize,
    pub(super) loser: usize,
    /// Their unions.
    pub(super) unions: (BranchIx, BranchIx),
    /// The claim named the old union, or the old claim was retained.
    pub(super) clean: bool,
    /// Whether the loser was the holder.
    pub(super) of_holder: bool,
    pub(super) from: Day,
    /// The day on which it was undone.
    pub(super) undone: Day,
    /// From this day on it can no longer be undone: the loser's union has started anew, or the person is dead.
    pub(super) settled: Day,
    /// From this day on the loser is not doubtful any more: the same, or it is ruled out.
    pub(super) decided: Day,
    pub(super) state: CaseState,
    /// The clock of the taking start, and the later one of both starts.
    pub(super) hlc: Hlc,
    pub(super) known: Hlc,
    /// What the loser was.
    pub(super) was: Alternative,
}

impl Takeover {
    pub(super) fn confirm(&mut self) {
        self.state = CaseState::Confirmed;
    }

    pub(super) fn settle(&mut self, day: Day) {
        self.settled = self.settled.min(day);
        self.decided = self.decided.min(day);
    }

    /// A ruling puts the loser out.
    pub(super) fn uphold(&mut self, day: Day) {
        if self.state == CaseState::Auto {
            self.state = CaseState::Ruled;
        }
        self.decided = self.decided.min(day);
    }
}

impl Sweep<'_> {
    /// The cases that takeovers and disputes make, and the takeovers that count as such.
    pub(super) fn tell_cases(&mut self) {
        for takeover in &self.takeovers {
            let (winner, loser) = (&self.claims[takeover.winner], &self.claims[takeover.loser]);
            if !takeover.clean {
                self.swept.conflicts.push(Conflict::DualMembership {
                    winner: winner.start_id,
                    loser: loser.start_id,
                    from: takeover.from,
                    to: takeover.undone,
                    state: takeover.state,
                });
            }
            if takeover.of_holder && takeover.state != CaseState::Confirmed {
                let (by, from) = takeover.unions;
                let (day, hlc) = (takeover.from, takeover.hlc);
                self.swept.taken.push(Taken { by, day, hlc, from });
            }
        }
        let start = |place: usize| self.claims[place].start_id;
        let disputes = self.disputes.iter().map(|dispute| Conflict::Disputed {
            holder: dispute.holder.map(start),
            loser: start(dispute.loser),
            from: dispute.from,
            to: dispute.to,
            tied: dispute.tied,
            objected: dispute.objected,
        });
        self.swept.conflicts.extend(disputes);
    }
}
