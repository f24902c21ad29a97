//! Standing rulings and objections (DESIGN §7 M3, M4; `schemas/rules.md`, Decisions).
//!
//! What is told here is who stated what about which sides, and which rulings over registrations and unions
//! are in force. What they do to a person's claims, the sweep over that person's days tells.

mod judge;

pub(super) use judge::{DecisionPlaces, is_decision};

use super::branch::BranchIx;
use super::tree::UnitIx;
use crate::fact::member::Evidence;
use crate::fact::unit::Level;
use crate::id::{FactId, MemberKey};
use crate::time::{Day, Hlc};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A ruling whose writer may state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The fact.
    pub id: FactId,
    /// Its clock.
    pub hlc: Hlc,
    /// The level of its writer's office.
    pub level: Level,
    /// It acts from this day.
    pub from: Day,
    /// What it is between.
    pub sides: Sides,
    /// Which side wins, by its place; none: nobody.
    pub winner: Option<usize>,
}

/// The sides of a ruling, all of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sides {
    /// Claims of persons.
    Claims(Vec<(MemberKey, BranchIx)>),
    /// Registrations of one unit, by parent.
    Registrations(UnitIx, Vec<UnitIx>),
    /// Unions.
    Unions(Vec<BranchIx>),
}

/// An objection whose writer may state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The fact.
    pub id: FactId,
    /// Its clock.
    pub hlc: Hlc,
    /// It acts from this day at the earliest.
    pub from: Day,
    /// The person.
    pub member: MemberKey,
    /// The union whose claim is objected to.
    pub branch: BranchIx,
    /// What it rests on.
    pub evidence: Evidence,
    /// The unit acted for: unions at or below it are the objector's.
    pub acting: UnitIx,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A ruling (裁定).
    Ruled(Ruling),
    /// An objection (异议).
    Objected(Objection),
}

/// What a ruling in force says of a union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruled {
    /// It is the winner.
    Wins,
    /// It is a loser, or nobody wins.
    Loses,
}

/// In which order rulings that share a side are heard: level of the writer's office, later clock, greater id.
pub(crate) type Precedence = (Level, Reverse<Hlc>, Reverse<FactId>);

/// M4: of rulings that share a side one is in force: each, in order of precedence, unless one before it that is
/// in force shares a side. Yields the places of those in force, in that order.
pub(crate) fn in_force<T: Ord + Copy>(rulings: &[(Precedence, Vec<T>)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rulings.len()).collect();
    order.sort_by_key(|place| rulings[*place].0);
    let mut taken: BTreeSet<T> = BTreeSet::new();
    order.retain(|place| {
        let sides = &rulings[*place].1;
        let free = sides.iter().all(|side| !taken.contains(side));
        if free {
            taken.extend(sides);
        }
        free
    });
    order
}

impl Ruling {
    pub(crate) fn precedence(&self) -> Precedence {
        (self.level, Reverse(self.hlc), Reverse(self.id))
    }
}

impl Decision {
    /// The persons and unions it names, if it is about claims.
    fn claims(&self) -> Vec<(MemberKey, BranchIx)> {
        match self {
            Self::Ruled(Ruling { sides: Sides::Claims(claims), .. }) => claims.clone(),
            Self::Ruled(_) => Vec::new(),
            Self::Objected(objection) => vec![(objection.member, objection.branch)],
        }
    }
}

/// All rulings and objections whose writers may state them.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    standing: BTreeMap<FactId, Decision>,
    by_member: BTreeMap<MemberKey, BTreeSet<FactId>>,
    /// Claims whose decisions changed since they were last taken.
    changed: BTreeSet<(MemberKey, BranchIx)>,
    /// Rulings in force over registrations, in order of precedence, by unit.
    registrations: BTreeMap<UnitIx, Vec<FactId>>,
    /// The ruling in force over a union.
    unions: BTreeMap<BranchIx, FactId>,
}

impl Decisions {
    /// All of them, in order of fact.
    pub fn all(&self) -> impl Iterator<Item = &Decision> {
        self.standing.values()
    }

    /// One of them.
    pub fn decision(&self, id: &FactId) -> Option<&Decision> {
        self.standing.get(id)
    }

    fn ruling(&self, id: &FactId) -> Option<&Ruling> {
        match self.standing.get(id) {
            Some(Decision::Ruled(ruling)) => Some(ruling),
            _ => None,
        }
    }

    /// U1 (1): the parent that a ruling in force names for a unit on a day; rulings without a winner are as
    /// if they were not there.
    pub fn parent_ruled(&self, unit: UnitIx, day: Day) -> Option<UnitIx> {
        let rulings = self.registrations.get(&unit)?.iter().filter_map(|id| self.ruling(id));
        rulings.filter(|ruling| ruling.from <= day).find_map(|ruling| match &ruling.sides {
            Sides::Registrations(_, parents) => Some(parents[ruling.winner?]),
            _ => None,
        })
    }

    /// F4 (1) and natural keys: what the ruling in force over a union says of it on a day.
    pub fn union_ruled(&self, union: BranchIx, day: Day) -> Option<Ruled> {
        let ruling = self.ruling(self.unions.get(&union)?).filter(|ruling| ruling.from <= day)?;
        let Sides::Unions(unions) = &ruling.sides else { return None };
        let wins = ruling.winner.is_some_and(|winner| unions[winner] == union);
        Some(if wins { Ruled::Wins } else { Ruled::Loses })
    }

    /// Rulings in force over registrations and unions; for claims the person's sweep tells.
    pub fn in_force(&self) -> impl Iterator<Item = &Ruling> {
        let ids = self.unions.values().chain(self.registrations.values().flatten());
        let ids: BTreeSet<FactId> = ids.copied().collect();
        ids.into_iter().filter_map(|id| self.ruling(&id))
    }

    /// Whether any decision names this person.
    pub(crate) fn names(&self, member: &MemberKey) -> bool {
        !self.by_member.is_empty() && self.by_member.contains_key(member)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_member.is_empty()
    }

    /// The decisions that name this person.
    pub(crate) fn of(&self, member: &MemberKey) -> impl Iterator<Item = &Decision> {
        let ids = self.by_member.get(member).into_iter().flatten();
        ids.filter_map(|id| self.standing.get(id))
    }

    /// Claims whose decisions changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<(MemberKey, BranchIx)> {
        std::mem::take(&mut self.changed)
    }

    /// Sets or takes away what became of one fact.
    fn set(&mut self, id: FactId, now: Option<Decision>) {
        let before = self.standing.get(&id);
        if before == now.as_ref() {
            return;
        }
        for claim in before.map_or(Vec::new(), Decision::claims) {
            self.changed.insert(claim);
            if let Some(ids) = self.by_member.get_mut(&claim.0) {
                ids.remove(&id);
            }
        }
        match now {
            Some(now) => {
                for claim in now.claims() {
                    self.changed.insert(claim);
                    self.by_member.entry(claim.0).or_default().insert(id);
                }
                self.standing.insert(id, now);
            }
            None => {
                self.standing.remove(&id);
            }
        }
        self.by_member.retain(|_, ids| !ids.is_empty());
    }

    /// Tells anew which rulings over registrations and unions are in force.
    fn settle(&mut self) {
        self.registrations.clear();
        self.unions.clear();
        let mut registrations = Vec::new();
        let mut unions = Vec::new();
        for decision in self.standing.values() {
            let Decision::Ruled(ruling) = decision else { continue };
            match &ruling.sides {
                Sides::Registrations(unit, parents) => {
                    let sides = parents.iter().map(|parent| (*unit, *parent)).collect();
                    registrations.push((ruling.precedence(), sides));
                }
                Sides::Unions(sides) => unions.push((ruling.precedence(), sides.clone())),
                Sides::Claims(_) => {}
            }
        }
        for place in in_force(&registrations) {
            let ((.., Reverse(id)), sides) = &registrations[place];
            let unit = sides.first().map(|(unit, _): &(UnitIx, UnitIx)| *unit);
            self.registrations.entry(unit.unwrap_or_default()).or_default().push(*id);
        }
        for place in in_force(&unions) {
            let ((.., Reverse(id)), sides) = &unions[place];
            self.unions.extend(sides.iter().map(|side| (*side, *id)));
        }
    }
}
