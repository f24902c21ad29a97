//! Cases about one person: claims that stand against each other, and ends that end nothing.

use super::decided::{Decided, Ruling};
use super::{Case, CaseKind, CaseSide, CaseState, Effect, Ground, Standing};
use crate::fact::governance::Side;
use crate::fact::member::{Evidence, MemberAct, MemberFact, Origin, Start};
use crate::fact::{ATTRIBUTE_FIRST_JOINED, Fact, FactBody};
use crate::hash::Hash;
use crate::id::{BranchId, FactId, MemberKey};
use crate::rollup::Rollup;
use crate::time::Day;
use crate::view::claim::{CaseState as Taken, Span, Status};
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, Conflict, View};
use std::collections::{BTreeMap, BTreeSet};

/// The spans of persons, each in order of day.
pub(super) type Spans = BTreeMap<MemberKey, Vec<Span>>;

/// The facts of conflicts, read again, and what the persons are on the day.
struct Told<'a> {
    view: &'a View,
    day: Day,
    facts: BTreeMap<FactId, Fact>,
    spans: &'a Spans,
    decided: &'a Decided,
}

/// All cases about persons.
pub(super) fn cases(
    view: &View,
    rollup: &Rollup,
    source: &dyn BlockSource,
    decided: &Decided,
    spans: &Spans,
) -> Vec<Case> {
    let conflicts = view.conflicts();
    let starts = spans.values().flatten().map(|span| span.start);
    let named = conflicts.iter().flat_map(|(_, conflict)| facts_of(conflict)).chain(starts);
    let facts = view.read_facts(named, source);
    let told = Told { view, day: rollup.day, facts, spans, decided };
    let mut cases: Vec<Case> =
        conflicts.iter().filter_map(|(member, conflict)| told.case(*member, conflict)).collect();
    // two claims may take over and dispute each other on several spans of days: the takeover tells, then the
    // latest
    cases.sort_by_key(|case| (case.id, case.kind, std::cmp::Reverse(case.since)));
    cases.dedup_by_key(|case| case.id);
    let known: BTreeSet<Hash> = cases.iter().map(|case| case.id).collect();
    let ruled = decided.over_claims().filter_map(|(ruling, sides)| told.ruled(ruling, sides));
    cases.extend(ruled.filter(|case| !known.contains(&case.id)));
    cases
}

fn facts_of(conflict: &Conflict) -> Vec<FactId> {
    match conflict {
        Conflict::DualMembership { winner, loser, .. } => vec![*winner, *loser],
        Conflict::Disputed { holder, loser, .. } => {
            holder.iter().copied().chain([*loser]).collect()
        }
        Conflict::OrphanEnd { fact, .. } | Conflict::ForeignDeath { fact, .. } => vec![*fact],
        Conflict::NoEffect { claim, .. } => vec![*claim],
    }
}

impl Told<'_> {
    fn case(&self, member: MemberKey, conflict: &Conflict) -> Option<Case> {
        match conflict {
            Conflict::DualMembership { winner, loser, from, state, .. } => {
                self.dual(member, (*winner, *loser), *from, *state)
            }
            Conflict::Disputed { .. } => self.disputed(member, conflict),
            Conflict::OrphanEnd { fact, .. } => self.lone(member, CaseKind::OrphanEnd, *fact),
            Conflict::ForeignDeath { fact, .. } => self.lone(member, CaseKind::ForeignDeath, *fact),
            Conflict::NoEffect { objection, claim, day } => {
                let case = self.lone(member, CaseKind::ObjectionWithoutEffect, *claim)?;
                let id = Case::label([*objection, *claim]);
                // what a ruling has decided waits for nobody
                let (state, ground) = match self.is_ruled(member, *claim) {
                    true => (CaseState::Ruled, Ground::Ruling),
                    false => (case.state, case.ground),
                };
                let decision = Some(*objection);
                Some(Case { id, state, ground, decision, since: *day, ..case })
            }
        }
    }

    /// M1: a claim took over another.
    fn dual(
        &self,
        member: MemberKey,
        (winner, loser): (FactId, FactId),
        since: Day,
        taken: Taken,
    ) -> Option<Case> {
        let ruling = self.ruling(member, &[winner, loser]);
        let objection = self.objection(member, winner);
        let (state, ground, decision) = match (taken, ruling) {
            (Taken::Ruled, _) | (_, Some(_)) => (CaseState::Ruled, Ground::Ruling, ruling),
            (Taken::Objected, _) => (CaseState::Objected, Ground::Objection, objection),
            (Taken::Confirmed, _) => (CaseState::Confirmed, self.ground(winner, loser), None),
            (Taken::Auto, _) => (CaseState::Auto, self.ground(winner, loser), None),
        };
        let mut case = self.of_claims(member, CaseKind::DualMembership, &[winner, loser], since)?;
        case.base = case.sides.iter().position(|side| side.fact == loser);
        let alive = [winner, loser].iter().any(|start| self.span(member, *start).is_some());
        let state = if alive { state } else { CaseState::Settled };
        Some(Case { state, ground, decision, ..case })
    }

    /// M4: claims that a ruling kept from ever standing against each other: it acts before a day's takeovers.
    fn ruled(&self, ruling: &Ruling, sides: &[Side]) -> Option<Case> {
        let mut starts: Vec<FactId> = Vec::new();
        let mut person = None;
        for side in sides {
            let Side::Claim { member, branch } = side else { return None };
            person = Some(*member);
            let branch = self.view.branches().find(branch)?;
            let mut spans = self.spans.get(member)?.iter().filter(|span| span.branch == branch);
            let begun = spans.clone().rfind(|span| span.from <= self.day);
            starts.push(begun.or_else(|| spans.next())?.start);
        }
        let member = person.filter(|_| ruling.from <= self.day)?;
        let days = starts.iter().filter_map(|start| Some(self.told(*start)?.0.day));
        let case = self.of_claims(member, CaseKind::DualMembership, &starts, days.max()?)?;
        let base = case.sides.iter().min_by_key(|side| (side.day, side.hlc, side.fact));
        let base = base.map(|side| side.fact);
        let alive = starts.iter().any(|start| self.span(member, *start).is_some());
        Some(Case {
            state: if alive { CaseState::Ruled } else { CaseState::Settled },
            ground: Ground::Ruling,
            decision: Some(ruling.id),
            base: case.sides.iter().position(|side| Some(side.fact) == base),
            ..case
        })
    }

    /// M2: two open claims of which neither ended the other, or one that nobody holds.
    fn disputed(&self, member: MemberKey, conflict: &Conflict) -> Option<Case> {
        let Conflict::Disputed { holder, loser, from, to, tied, objected } = conflict else {
            return None;
        };
        let claims: Vec<FactId> = holder.iter().copied().chain([*loser]).collect();
        let ruling = self.ruling(member, &claims);
        let objection = self.objection(member, *loser).filter(|_| *objected);
        let by_order = holder.map_or(Ground::Nothing, |holder| self.ground(holder, *loser));
        let (state, ground, decision) = match (objection, ruling) {
            (Some(_), _) => (CaseState::Objected, Ground::Objection, objection),
            (None, Some(_)) => (CaseState::Ruled, Ground::Ruling, ruling),
            (None, None) if *tied || holder.is_none() => (CaseState::Open, by_order, None),
            (None, None) => (CaseState::Auto, by_order, None),
        };
        let case = self.of_claims(member, CaseKind::DisputedMembership, &claims, *from)?;
        let state = if *to <= self.day { CaseState::Settled } else { state };
        Some(Case { state, ground, decision, ..case })
    }

    /// A case of these starts, each as it stands on the day: the one that counts first.
    fn of_claims(
        &self,
        member: MemberKey,
        kind: CaseKind,
        starts: &[FactId],
        since: Day,
    ) -> Option<Case> {
        let sides = starts.iter().map(|start| {
            let span = self.span(member, *start);
            let standing = match span.map(|span| span.status) {
                Some(Status::Active | Status::Retained) if span.is_some_and(|s| s.holder) => {
                    Standing::Counts
                }
                Some(Status::Disputed) => Standing::Disputed,
                _ => Standing::Uncounted,
            };
            self.side(member, *start, standing)
        });
        let mut sides: Vec<CaseSide> = sides.collect::<Option<_>>()?;
        sides.sort_by_key(|side| (side.standing, side.day, side.hlc, side.fact));
        Some(Case {
            id: Case::label(starts.iter().copied()),
            kind,
            state: CaseState::Auto,
            member: Some(member),
            subject: None,
            base: None,
            ground: Ground::Nothing,
            decision: None,
            since,
            known: sides.iter().map(|side| side.hlc).max()?,
            sides,
            effect: Effect { persons: 1, ..Effect::default() },
        })
    }

    /// What the claim of this start is on the day.
    fn span(&self, member: MemberKey, start: FactId) -> Option<&Span> {
        let spans = self.spans.get(&member)?.iter();
        let today = |span: &&Span| span.from <= self.day && self.day < span.to;
        spans.filter(today).find(|span| span.start == start)
    }

    /// The ruling that acts between claims of a person, on the day.
    fn ruling(&self, member: MemberKey, starts: &[FactId]) -> Option<FactId> {
        let sides = starts.iter().filter_map(|start| self.branch_of(*start));
        let sides: Vec<Side> = sides.map(|branch| Side::Claim { member, branch }).collect();
        self.decided.ruling(&sides).filter(|ruling| ruling.from <= self.day).map(|ruling| ruling.id)
    }

    /// Whether a ruling that acts on the day names a claim.
    fn is_ruled(&self, member: MemberKey, start: FactId) -> bool {
        let side = self.branch_of(start).map(|branch| Side::Claim { member, branch });
        let ruling = side.and_then(|side| self.decided.ruling_over(&side));
        ruling.is_some_and(|ruling| ruling.from <= self.day)
    }

    fn objection(&self, member: MemberKey, start: FactId) -> Option<FactId> {
        let branch = self.branch_of(start)?;
        self.decided.objections(member, branch).first().copied()
    }

    /// A fact that meets no open claim.
    fn lone(&self, member: MemberKey, kind: CaseKind, fact: FactId) -> Option<Case> {
        let side = self.side(member, fact, Standing::Uncounted)?;
        Some(Case {
            id: Case::label([fact]),
            kind,
            state: CaseState::Open,
            member: Some(member),
            subject: None,
            since: side.day,
            known: side.hlc,
            sides: vec![side],
            base: None,
            ground: Ground::Nothing,
            decision: None,
            effect: Effect::default(),
        })
    }

    fn told(&self, fact: FactId) -> Option<(&Fact, &MemberFact)> {
        let fact = self.facts.get(&fact)?;
        match &fact.body {
            FactBody::Member(member) => Some((fact, member)),
            _ => None,
        }
    }

    fn branch_of(&self, fact: FactId) -> Option<BranchId> {
        self.told(fact).map(|(_, member)| member.branch)
    }

    fn side(&self, member: MemberKey, id: FactId, standing: Standing) -> Option<CaseSide> {
        let (fact, stated) = self.told(id)?;
        Some(CaseSide {
            side: Some(Side::Claim { member, branch: stated.branch }),
            unit: self.host(&stated.branch),
            fact: id,
            day: fact.day,
            hlc: fact.hlc,
            evidence: start_of(stated).map(|start| start.evidence),
            document: fact.document.clone(),
            standing,
        })
    }

    fn host(&self, branch: &BranchId) -> Option<UnitIx> {
        let branches = self.view.branches();
        let host = branches.branch(branches.find(branch)?).host_on(self.day)?;
        Some(self.view.tree().canonical(host))
    }

    /// Which step of the order of holders told the winner from the loser (DESIGN §7, Members).
    fn ground(&self, winner: FactId, loser: FactId) -> Ground {
        let both = (self.order(winner), self.order(loser));
        let (Some(one), Some(other)) = both else { return Ground::Nothing };
        if one.rank != other.rank {
            Ground::Kind
        } else if one.declared != other.declared {
            Ground::NotSelfDeclared
        } else if one.day != other.day {
            Ground::LaterStart
        } else if one.evidence != other.evidence {
            Ground::Evidence
        } else {
            Ground::Clock
        }
    }

    fn order(&self, fact: FactId) -> Option<Order> {
        let (fact, member) = self.told(fact)?;
        let start = start_of(member)?;
        let branches = self.view.branches();
        let undated =
            start.origin == Origin::Existing && fact.attribute(ATTRIBUTE_FIRST_JOINED).is_none();
        Some(Order {
            rank: self.view.policy().rank(branches.branch(branches.find(&member.branch)?).kind()),
            declared: start.evidence == Evidence::SelfDeclared,
            day: (!undated).then_some(fact.day),
            evidence: start.evidence,
        })
    }
}

/// What tells two claims apart, in the order in which it does.
struct Order {
    rank: u8,
    declared: bool,
    day: Option<Day>,
    evidence: Evidence,
}

fn start_of(member: &MemberFact) -> Option<&Start> {
    match &member.act {
        MemberAct::Joined(start) | MemberAct::TransferredIn(start) => Some(start),
        _ => None,
    }
}
