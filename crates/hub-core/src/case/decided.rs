//! Rulings and objections as cases meet them.

use super::{Case, CaseKind, CaseSide, CaseState, Effect, Ground, Standing};
use crate::fact::governance::{GovernanceFact, Side};
use crate::fact::{Fact, FactBody};
use crate::id::{BranchId, FactId, MemberKey};
use crate::time::{Day, Hlc};
use crate::view::tree::UnitIx;
use crate::view::verdict::Verdict;
use crate::view::{OrgFact, View};
use std::collections::BTreeMap;

/// A standing ruling.
#[derive(Debug, Clone)]
pub(super) struct Ruling {
    pub(super) id: FactId,
    pub(super) winner: Option<Side>,
    /// It acts from this day.
    pub(super) from: Day,
    sides: Vec<Side>,
    /// The level of the unit acted for, then its clock and id: the last in this order goes before.
    order: (std::cmp::Reverse<Option<crate::fact::unit::Level>>, Hlc, FactId),
}

/// Standing rulings by side, and objections by person.
#[derive(Debug, Clone, Default)]
pub(super) struct Decided {
    rulings: BTreeMap<Side, Vec<Ruling>>,
    objections: BTreeMap<(MemberKey, BranchId), Vec<FactId>>,
    parked: Vec<Case>,
}

impl Decided {
    pub(super) fn of(view: &View) -> Self {
        let mut decided = Self::default();
        for (fact, verdict) in view.facts_and_told() {
            let FactBody::Governance(body) = &fact.fact.body else { continue };
            match (body, verdict) {
                (GovernanceFact::Ruled { sides, winner, from, .. }, Verdict::Stands) => {
                    decided.rule(view, fact, sides, *winner, *from);
                }
                (GovernanceFact::Objected { member, branch, .. }, Verdict::Stands) => {
                    decided.objections.entry((*member, *branch)).or_default().push(fact.id);
                }
                (GovernanceFact::Ruled { sides, from, .. }, Verdict::Parked(_)) => {
                    decided.parked.push(parked(view, CaseKind::RulingParked, fact, sides, *from));
                }
                (GovernanceFact::Objected { member, branch, from, .. }, Verdict::Parked(_)) => {
                    let side = Side::Claim { member: *member, branch: *branch };
                    let kind = CaseKind::ObjectionParked;
                    decided.parked.push(parked(view, kind, fact, &[side], *from));
                }
                _ => {}
            }
        }
        decided.rulings.values_mut().for_each(|all| all.sort_by_key(|ruling| ruling.order));
        decided
    }

    fn rule(
        &mut self,
        view: &View,
        fact: &OrgFact,
        sides: &[Side],
        winner: Option<u32>,
        from: Day,
    ) {
        let level = view.tree().find(&fact.fact.unit).and_then(|at| view.tree().unit(at).level());
        let ruling = Ruling {
            id: fact.id,
            winner: winner.and_then(|place| sides.get(place as usize)).copied(),
            from,
            sides: sides.to_vec(),
            order: (std::cmp::Reverse(level), fact.fact.hlc, fact.id),
        };
        for side in sides {
            self.rulings.entry(*side).or_default().push(ruling.clone());
        }
    }

    /// The ruling that decides between these sides: it names two of them at least.
    pub(super) fn ruling(&self, sides: &[Side]) -> Option<&Ruling> {
        let of_sides = sides.iter().filter_map(|side| self.rulings.get(side)).flatten();
        let between = of_sides
            .filter(|ruling| sides.iter().filter(|side| ruling.sides.contains(side)).count() >= 2);
        between.max_by_key(|ruling| ruling.order)
    }

    /// The ruling that names this side and comes first.
    pub(super) fn ruling_over(&self, side: &Side) -> Option<&Ruling> {
        self.rulings.get(side)?.iter().max_by_key(|ruling| ruling.order)
    }

    /// The standing rulings over claims, with their sides.
    pub(super) fn over_claims(&self) -> impl Iterator<Item = (&Ruling, &[Side])> {
        let is_claim = |side: &&Side| matches!(side, Side::Claim { .. });
        let claims = self.rulings.iter().filter(move |(side, _)| is_claim(side));
        let each = claims.flat_map(|(side, rulings)| rulings.iter().map(move |r| (side, r)));
        // a ruling stands under each of its sides: it is told under the first
        let told = each.filter(|(side, ruling)| ruling.sides.iter().min() == Some(*side));
        told.map(|(_, ruling)| (ruling, ruling.sides.as_slice()))
    }

    /// The persons any standing ruling names.
    pub(super) fn persons(&self) -> impl Iterator<Item = MemberKey> + '_ {
        self.rulings.keys().filter_map(|side| match side {
            Side::Claim { member, .. } => Some(*member),
            _ => None,
        })
    }

    /// The standing objections to one person's claim at a union, in order of id.
    pub(super) fn objections(&self, member: MemberKey, branch: BranchId) -> &[FactId] {
        self.objections.get(&(member, branch)).map_or(&[], Vec::as_slice)
    }

    /// Decisions that are kept and do not act.
    pub(super) fn parked(&self) -> Vec<Case> {
        self.parked.clone()
    }
}

fn parked(view: &View, kind: CaseKind, fact: &OrgFact, sides: &[Side], from: Day) -> Case {
    let member = sides.iter().find_map(|side| match side {
        Side::Claim { member, .. } => Some(*member),
        _ => None,
    });
    Case {
        id: Case::label([fact.id]),
        kind,
        state: CaseState::Open,
        member,
        subject: view.tree().find(&fact.fact.unit),
        sides: sides.iter().map(|side| named(view, *side, &fact.fact, fact.id)).collect(),
        base: None,
        ground: Ground::Nothing,
        decision: Some(fact.id),
        since: from,
        known: fact.fact.hlc,
        effect: Effect::default(),
    }
}

/// A side as a decision names it; what it rests on is not known here.
fn named(view: &View, side: Side, fact: &Fact, id: FactId) -> CaseSide {
    CaseSide {
        side: Some(side),
        unit: unit_of(view, &side, fact.hlc.day()),
        fact: id,
        day: fact.day,
        hlc: fact.hlc,
        evidence: None,
        document: fact.document.clone(),
        standing: Standing::Uncounted,
    }
}

/// The unit a side stands at on a day: the host of the union, the parent of the registration.
pub(super) fn unit_of(view: &View, side: &Side, day: Day) -> Option<UnitIx> {
    let host = |branch: &BranchId| {
        let branches = view.branches();
        branches.branch(branches.find(branch)?).host_on(day)
    };
    let unit = match side {
        Side::Claim { branch, .. } | Side::Branch { branch } => host(branch),
        Side::Registration { parent, .. } => view.tree().find(parent),
    };
    unit.map(|at| view.tree().canonical(at))
}
