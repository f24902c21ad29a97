//! Cases about one person: claims that stand against each other, and ends that end nothing.

use super::decided::Decided;
use super::{Case, CaseKind, CaseSide, CaseState, Effect, Ground, Standing};
use crate::fact::governance::Side;
use crate::fact::member::{Evidence, MemberAct, MemberFact, Origin, Start};
use crate::fact::{ATTRIBUTE_FIRST_JOINED, Fact, FactBody};
use crate::id::{BranchId, FactId, MemberKey};
use crate::rollup::Rollup;
use crate::time::Day;
use crate::view::claim::CaseState as Taken;
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, Conflict, View};
use std::collections::BTreeMap;

/// The facts of conflicts, read again.
struct Told<'a> {
    view: &'a View,
    day: Day,
    facts: BTreeMap<FactId, Fact>,
}

/// All cases about persons.
pub(super) fn cases(
    view: &View,
    rollup: &Rollup,
    source: &dyn BlockSource,
    decided: &Decided,
) -> Vec<Case> {
    let conflicts = view.conflicts();
    let named = conflicts.iter().flat_map(|(_, conflict)| facts_of(conflict));
    let told = Told { view, day: rollup.day, facts: view.read_facts(named, source) };
    let mut cases: Vec<Case> = conflicts
        .iter()
        .filter_map(|(member, conflict)| told.case(*member, conflict, decided))
        .collect();
    // two claims may take over and dispute each other on several spans of days: the takeover tells, then the
    // latest
    cases.sort_by_key(|case| (case.id, case.kind, std::cmp::Reverse(case.since)));
    cases.dedup_by_key(|case| case.id);
    cases
}

fn facts_of(conflict: &Conflict) -> Vec<FactId> {
    match conflict {
        Conflict::DualMembership { winner, loser, .. } => vec![*winner, *loser],
        Conflict::Disputed { holder, loser, .. } => {
            holder.iter().copied().chain([*loser]).collect()
        }
        Conflict::OrphanEnd { fact, .. } | Conflict::ForeignDeath { fact, .. } => vec![*fact],
        Conflict::NoEffect { objection, claim, .. } => vec![*objection, *claim],
    }
}

impl Told<'_> {
    fn case(&self, member: MemberKey, conflict: &Conflict, decided: &Decided) -> Option<Case> {
        match conflict {
            Conflict::DualMembership { winner, loser, state, .. } => {
                self.dual(member, *winner, *loser, *state, decided)
            }
            Conflict::Disputed { .. } => self.disputed(member, conflict, decided),
            Conflict::OrphanEnd { fact, .. } => self.lone(member, CaseKind::OrphanEnd, *fact),
            Conflict::ForeignDeath { fact, .. } => self.lone(member, CaseKind::ForeignDeath, *fact),
            Conflict::NoEffect { objection, claim, day } => {
                let case = self.lone(member, CaseKind::ObjectionWithoutEffect, *claim)?;
                let id = Case::label([*objection, *claim]);
                Some(Case { id, decision: Some(*objection), since: *day, ..case })
            }
        }
    }

    /// M2: two open claims of which neither ended the other, or one that nobody holds.
    fn disputed(&self, member: MemberKey, conflict: &Conflict, decided: &Decided) -> Option<Case> {
        let Conflict::Disputed { holder, loser, from, to, tied, objected } = conflict else {
            return None;
        };
        let held = holder.and_then(|holder| self.side(member, holder, Standing::Counts));
        let mut sides: Vec<CaseSide> = held.into_iter().collect();
        sides.push(self.side(member, *loser, Standing::Uncounted)?);
        let objections = self.branch_of(*loser).map(|at| decided.objections(member, at));
        let objection = objections.and_then(<[FactId]>::first).filter(|_| *objected);
        let claims: Vec<Side> = sides.iter().filter_map(|side| side.side).collect();
        let ruling = decided.ruling(&claims).map(|ruling| ruling.id);
        let state = match (objection, *to <= self.day) {
            (_, true) => CaseState::Settled,
            (Some(_), _) => CaseState::Objected,
            (None, _) if ruling.is_some() => CaseState::Ruled,
            (None, _) if *tied => CaseState::Open,
            (None, _) => CaseState::Auto,
        };
        let ground = match holder {
            _ if objection.is_some() => Ground::Objection,
            _ if ruling.is_some() => Ground::Ruling,
            Some(holder) => self.ground(*holder, *loser),
            None => Ground::Nothing,
        };
        Some(Case {
            id: Case::label(holder.iter().copied().chain([*loser])),
            kind: CaseKind::DisputedMembership,
            state,
            member: Some(member),
            subject: None,
            base: None,
            ground,
            decision: objection.copied().or(ruling),
            since: *from,
            known: sides.iter().map(|side| side.hlc).max()?,
            sides,
            effect: Effect { persons: 1, ..Effect::default() },
        })
    }

    fn dual(
        &self,
        member: MemberKey,
        winner: FactId,
        loser: FactId,
        taken: Taken,
        decided: &Decided,
    ) -> Option<Case> {
        let mut sides = vec![
            self.side(member, winner, Standing::Counts)?,
            self.side(member, loser, Standing::Uncounted)?,
        ];
        let (since, known) = (sides[0].day.max(sides[1].day), sides[0].hlc.max(sides[1].hlc));
        let mut ground = self.ground(winner, loser);
        let mut state = match taken {
            Taken::Auto => CaseState::Auto,
            Taken::Confirmed => CaseState::Confirmed,
            Taken::Objected => CaseState::Objected,
            Taken::Ruled => CaseState::Ruled,
        };
        let mut decision = None;
        let objections = self.branch_of(winner).map(|at| decided.objections(member, at));
        if let Some(objection) = objections.and_then(<[FactId]>::first)
            && taken == Taken::Objected
        {
            (ground, decision) = (Ground::Objection, Some(*objection));
            (sides[0].standing, sides[1].standing) = (Standing::Uncounted, Standing::Counts);
        }
        let claims: Vec<Side> = sides.iter().filter_map(|side| side.side).collect();
        if let Some(ruling) = decided.ruling(&claims) {
            (state, ground, decision) = (CaseState::Ruled, Ground::Ruling, Some(ruling.id));
            for side in &mut sides {
                let wins = ruling.winner.is_some() && side.side == ruling.winner;
                side.standing = if wins { Standing::Counts } else { Standing::Uncounted };
            }
        }
        let base = Some(1);
        Some(Case {
            id: Case::label([winner, loser]),
            kind: CaseKind::DualMembership,
            state,
            member: Some(member),
            subject: None,
            sides,
            base,
            ground,
            decision,
            since,
            known,
            effect: Effect { persons: 1, ..Effect::default() },
        })
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
