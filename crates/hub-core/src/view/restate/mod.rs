//! What a node has to restate to those below it (DESIGN §7, downward agreement; `schemas/rules.md`,
//! Restating).
//!
//! A pure function of the view and of which node asks: the facts that some node below lacks and needs for
//! its figures, where nobody nearer holds them. What was restated already is read from the view itself, so
//! nothing is remembered elsewhere, and a second call after the first was written finds nothing.

mod ask;
mod decisions;
mod organisation;
mod persons;
mod places;
mod stated;

use super::{BlockSource, View};
use crate::fact::GovernanceFact;
use crate::fact::governance::RestatedBody;
use crate::id::{FactId, NodeId, UnitId};
use crate::time::{Day, Hlc};
use places::{Places, Reached};
use stated::Ledger;
use std::collections::{BTreeMap, BTreeSet};

use super::branch::BranchIx;
use super::restated::{Restating, Subject};
use super::table::MemberIx;
use super::tree::UnitIx;

/// One fact to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The unit in whose down lane.
    pub audience: UnitId,
    /// What: always [`GovernanceFact::Restated`].
    pub fact: GovernanceFact,
}

/// How a node below is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seat {
    /// In the lane of this unit.
    audience: UnitId,
    /// What happened from this day on is no longer its business: the subject stands elsewhere.
    until: Day,
}

/// The nodes below that need to know, by their units.
type Seats = BTreeMap<UnitIx, Seat>;

/// Adds more nodes; who is there already needs to know for as long as either says.
fn join(seats: &mut Seats, more: &Seats, until: Day) {
    for (unit, seat) in more {
        let until = seat.until.min(until);
        let known = seats.entry(*unit).or_insert(Seat { until, ..*seat });
        known.until = known.until.max(until);
        // of several lanes that reach it always the same one
        known.audience = known.audience.min(seat.audience);
    }
}

/// Which persons to look at.
#[derive(Debug, Clone)]
enum Scope {
    /// Everybody.
    All,
    /// Nothing else has changed.
    Some {
        /// Persons whose facts did.
        persons: BTreeSet<MemberIx>,
        /// Blocks of membership facts that came.
        blocks: BTreeSet<u32>,
    },
}

/// Finds what is due, looking only at what changed since it was last asked.
#[derive(Debug, Clone, Default)]
pub struct Restater {
    /// The view as last looked at.
    version: u64,
    /// Which nodes below need a union's kind, or a unit's place, for a person's sake.
    kinds: BTreeMap<BranchIx, Seats>,
    employers: BTreeMap<UnitIx, Seats>,
    /// More was due than was asked for.
    behind: bool,
}

impl Due {
    /// Whether it says where a unit stands: by that nodes tell whom a lane reaches, so it is written first.
    pub fn is_frame(&self) -> bool {
        let GovernanceFact::Restated { content, .. } = &self.fact else { return false };
        matches!(content.body, RestatedBody::Unit(_))
    }
}

impl View {
    /// All that this node has to restate, computed from everything there is.
    pub fn restatements_due(
        &mut self,
        node: NodeId,
        now: Hlc,
        source: &dyn BlockSource,
    ) -> Vec<Due> {
        Restater::default().due(self, node, now, source, usize::MAX)
    }
}

impl Restater {
    /// Whether a view of this version may hold anything not looked at.
    pub fn may_find(&self, version: u64) -> bool {
        self.version != version || self.behind
    }

    /// What this node has to restate, at most `limit` facts; the rest is due the next time. Call it after
    /// the facts of the time before are in the view.
    pub fn due(
        &mut self,
        view: &mut View,
        node: NodeId,
        now: Hlc,
        source: &dyn BlockSource,
        limit: usize,
    ) -> Vec<Due> {
        if !self.may_find(view.version) {
            return Vec::new();
        }
        // what was touched is told to one that asks again and again; another begins with everybody
        let changed = view.members.take_touched();
        let scope = match changed {
            Some((persons, blocks)) if self.version > 0 && !self.behind => {
                Scope::Some { persons, blocks }
            }
            _ => Scope::All,
        };
        self.version = view.version;
        if matches!(scope, Scope::All) {
            self.kinds.clear();
            self.employers.clear();
        }
        let Some(places) = Places::of(view, node, now) else { return Vec::new() };
        let mut work = Work {
            view,
            source,
            places,
            kinds: std::mem::take(&mut self.kinds),
            employers: std::mem::take(&mut self.employers),
            ledger: Ledger::default(),
        };
        work.all(&scope);
        self.kinds = work.kinds;
        self.employers = work.employers;
        let mut due = work.ledger.due;
        self.behind = due.len() > limit;
        due.truncate(limit);
        due
    }
}

/// What is needed while looking.
struct Work<'a> {
    view: &'a mut View,
    source: &'a dyn BlockSource,
    places: Places,
    kinds: BTreeMap<BranchIx, Seats>,
    employers: BTreeMap<UnitIx, Seats>,
    ledger: Ledger,
}

impl Work<'_> {
    /// Persons first, for they say which unions and units matter; written is what others rest on first.
    fn all(&mut self, scope: &Scope) {
        if !self.places.has_below() {
            return;
        }
        let unions = self.unions();
        let persons = self.persons(scope, &unions);
        self.organisation(&unions);
        self.decisions(&unions);
        for (fact, restated, seats) in persons {
            self.restate(fact, 0, &restated, &seats);
        }
        self.again(scope);
    }

    /// What a node below was last told of a fact, by those above it, in whatever lane reached it.
    fn latest(&self, of: &Subject, seat: UnitIx) -> Latest {
        let (view, places) = (&*self.view, &self.places);
        let mut latest = Latest::default();
        for by in view.restatements.of(of) {
            if view.verdicts[by.place as usize].stands() && places.is_by_one_above(view, seat, by) {
                let rank = |by: &Restating| (by.revision, by.hlc, by.id);
                let later = |known: &Option<Restating>| {
                    known.as_ref().is_none_or(|known| rank(known) < rank(by))
                };
                let told = places.told(&view.tree, seat, by);
                if told != Reached::Never && later(&latest.perhaps) {
                    latest.perhaps = Some(*by);
                }
                if told == Reached::Surely && later(&latest.surely) {
                    latest.surely = Some(*by);
                }
            }
        }
        latest
    }

    /// Notes what is due of one fact to the nodes of `seats` that lack it.
    fn restate(&mut self, fact: FactId, sub: u64, now: &stated::Content, seats: &Seats) {
        for (at, seat) in seats {
            let concerns = now.is_timeless() || now.said.day < seat.until;
            if concerns && self.places.is_ours(self.view, *at, &fact, now.hlc()) {
                let of = (fact, sub);
                let audience = self.places.lane(&self.view.tree, *at, seat.audience);
                let latest = self.latest(&of, *at);
                // what a node further up has said stays its business
                if latest
                    .surely
                    .is_none_or(|by| !self.places.is_by_one_above(self.view, self.places.own, &by))
                {
                    self.ledger.note(self.view, of, audience, &latest, now);
                }
            }
        }
    }
}

/// What a node below was told last of a fact.
#[derive(Debug, Clone, Copy, Default)]
struct Latest {
    /// In a lane that reached it for certain.
    surely: Option<Restating>,
    /// The same, or in one that reached it if it was under way quickly: the unit that the lane is for has
    /// come or gone since.
    perhaps: Option<Restating>,
}
