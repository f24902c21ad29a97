//! Who may rule and object, and whether a ruling's sides match anything (`schemas/rules.md`, 1, 2 and 8).

use super::{Decision, Objection, Ruling, Sides};
use crate::fact::governance::{GovernanceFact, Side};
use crate::fact::{FactBody, Withdrawn};
use crate::id::{BranchId, FactId, UnitId};
use crate::time::Hlc;
use crate::view::org::OrgFold;
use crate::view::tree::UnitIx;
use crate::view::verdict::{Reason, Verdict};
use crate::view::{OrgFact, View};
use std::collections::{BTreeMap, BTreeSet};

/// Where the facts are that rule or object.
#[derive(Debug, Clone, Default)]
pub(in crate::view) struct DecisionPlaces {
    all: Vec<usize>,
    /// Rulings over claims and unions, by union: its host decides who may rule.
    by_union: BTreeMap<BranchId, Vec<usize>>,
    /// Rulings with another sort of side: few, and any registration may reach them.
    others: Vec<usize>,
}

impl DecisionPlaces {
    /// Takes note of a fact about to be added at `place`, if it is a decision.
    pub(in crate::view) fn note(&mut self, place: usize, body: &FactBody) {
        let sides = match body {
            FactBody::Governance(GovernanceFact::Ruled { sides, .. }) => sides.as_slice(),
            FactBody::Governance(GovernanceFact::Objected { .. }) => &[],
            _ => return,
        };
        self.all.push(place);
        let mut unions = BTreeSet::new();
        for side in sides {
            match side {
                Side::Claim { branch, .. } | Side::Branch { branch } => {
                    unions.insert(*branch);
                }
                Side::Registration { .. } => self.others.push(place),
            }
        }
        self.others.dedup();
        for union in unions {
            self.by_union.entry(union).or_default().push(place);
        }
    }
}

/// Whether a fact rules or objects.
pub(in crate::view) fn is_decision(body: &FactBody) -> bool {
    let FactBody::Governance(fact) = body else { return false };
    matches!(fact, GovernanceFact::Ruled { .. } | GovernanceFact::Objected { .. })
}

impl View {
    /// Judges all rulings and objections, once the hosts of unions are known.
    pub(in crate::view) fn judge_decisions(&mut self) {
        let places: BTreeSet<usize> = self.decision_places.all.iter().copied().collect();
        self.judge_decisions_at(places);
    }

    /// Judges those that these fresh facts are, take back, or reach through these unions.
    pub(in crate::view) fn judge_decisions_reached(
        &mut self,
        fresh: &[usize],
        unions: impl Iterator<Item = BranchId>,
    ) {
        if self.decision_places.all.is_empty() {
            return;
        }
        let mut places: BTreeSet<usize> = self.decision_places.others.iter().copied().collect();
        for union in unions {
            places.extend(self.decision_places.by_union.get(&union).into_iter().flatten());
        }
        for place in fresh.iter().copied() {
            match &self.facts[place].fact.body {
                FactBody::Withdrawn(withdrawn) => places.extend(self.taken_back(withdrawn)),
                body if is_decision(body) => {
                    places.insert(place);
                }
                _ => {}
            }
        }
        self.judge_decisions_at(places);
    }

    /// The places of the facts but members' that a withdrawal names.
    pub(in crate::view) fn taken_back(
        &self,
        withdrawn: &Withdrawn,
    ) -> impl Iterator<Item = usize> + '_ {
        let last = withdrawn.first.seq.saturating_add(withdrawn.count - 1);
        let last = FactId { chain: withdrawn.first.chain, seq: last };
        let named = self.by_id.range(withdrawn.first..=last);
        named.map(|(_, place)| *place as usize)
    }

    fn judge_decisions_at(&mut self, places: BTreeSet<usize>) {
        if places.is_empty() {
            return;
        }
        let mut decisions = std::mem::take(&mut self.decisions);
        let mut found: BTreeMap<FactId, Option<Decision>> = BTreeMap::new();
        for place in places {
            let id = self.facts[place].id;
            // of several restatements of one decision at most one takes part
            if !self.org().takes_part(place) {
                found.entry(id).or_default();
                continue;
            }
            let judged = self.org().decision(place);
            let about_claims =
                matches!(judged, Ok(Decision::Ruled(Ruling { sides: Sides::Claims(_), .. })));
            self.verdicts[place] = match &judged {
                Ok(_) if about_claims && !self.members.is_matched(&id) => {
                    Verdict::Parked(Reason::NoClaim)
                }
                Ok(_) => Verdict::Stands,
                Err(verdict) => *verdict,
            };
            found.insert(id, judged.ok());
        }
        found.into_iter().for_each(|(id, decision)| decisions.set(id, decision));
        decisions.settle();
        self.decisions = decisions;
    }

    /// Tells the verdicts of rulings over claims, as the persons' folds found them.
    pub(in crate::view) fn tell_matched(&mut self, changed: &[FactId]) {
        for id in changed {
            let Some(place) = self.by_id.get(id) else { continue };
            if self.decisions.decision(id).is_some() {
                let matched = self.members.is_matched(id);
                let parked = Verdict::Parked(Reason::NoClaim);
                self.verdicts[*place as usize] = if matched { Verdict::Stands } else { parked };
            }
        }
    }
}

impl OrgFold<'_> {
    fn decision(&mut self, place: usize) -> Result<Decision, Verdict> {
        let fact = &self.facts[place];
        match self.general(place, None) {
            // who restates a decision has judged it
            Some(Verdict::Stands) if fact.is_stand_in() => {}
            Some(verdict) => return Err(verdict),
            None => {}
        }
        match &fact.fact.body {
            FactBody::Governance(GovernanceFact::Ruled { .. }) => {
                self.ruling(place, fact).map(Decision::Ruled)
            }
            FactBody::Governance(GovernanceFact::Objected { .. }) => {
                self.objection(place, fact).map(Decision::Objected)
            }
            _ => Err(Reason::UnknownSubject),
        }
        .map_err(Verdict::Parked)
    }

    /// M4: valid from an office at or above every side's host, at the ruling's clock.
    fn ruling(&mut self, place: usize, fact: &OrgFact) -> Result<Ruling, Reason> {
        let FactBody::Governance(GovernanceFact::Ruled { sides, winner, from, .. }) =
            &fact.fact.body
        else {
            return Err(Reason::UnknownSubject);
        };
        let (id, hlc) = (fact.id, fact.fact.hlc);
        if !self.are_of_one_sort(sides) {
            return Err(Reason::MixedSides);
        }
        let hosts: Vec<Option<UnitIx>> =
            sides.iter().map(|side| self.host_of_side(side, hlc)).collect();
        let level = match &fact.stand_in {
            Some(stand_in) => stand_in.level.ok_or(Reason::NoAuthority)?,
            None => {
                let office = self.office(place).ok_or(Reason::NoAuthority)?;
                let mut known = hosts.iter().flatten();
                if !known.all(|host| self.tree.is_at_or_above(office, *host, hlc)) {
                    return Err(Reason::NoAuthority);
                }
                self.tree.unit(office).level().ok_or(Reason::NoAuthority)?
            }
        };
        // whoever restates a ruling has matched it: some of its sides may be of no matter here, and unknown
        let sides = if fact.is_stand_in() {
            self.named_sides(sides)
        } else if hosts.iter().any(Option::is_none) {
            None
        } else {
            self.matched(sides)
        };
        let sides = sides.ok_or(Reason::NoClaim)?;
        let winner = winner.map(|winner| winner as usize);
        Ok(Ruling { id, hlc, level, from: *from, sides, winner })
    }

    /// M3: valid from an office at or above the unit acted for, at the objection's clock.
    fn objection(&mut self, place: usize, fact: &OrgFact) -> Result<Objection, Reason> {
        let FactBody::Governance(GovernanceFact::Objected { member, branch, from, evidence }) =
            &fact.fact.body
        else {
            return Err(Reason::UnknownSubject);
        };
        let (id, hlc) = (fact.id, fact.fact.hlc);
        let acting = self.tree.find_registered(&fact.fact.unit).ok_or(Reason::UnknownSubject)?;
        if !fact.is_stand_in() {
            let office = self.office(place).ok_or(Reason::NoAuthority)?;
            if !self.tree.is_at_or_above(office, acting, hlc) {
                return Err(Reason::NoAuthority);
            }
        }
        let (member, from, evidence) = (*member, *from, *evidence);
        let branch = self.branches.intern(branch);
        Ok(Objection { id, hlc, from, member, branch, evidence, acting })
    }

    /// Whether all sides are claims, or registrations of one unit, or unions.
    fn are_of_one_sort(&self, sides: &[Side]) -> bool {
        let unit_of =
            |unit: &UnitId| self.tree.find(unit).map_or(*unit, |at| self.tree.unit(at).id);
        let sort = |side: &Side| match side {
            Side::Claim { .. } => (0, None),
            Side::Registration { unit, .. } => (1, Some(unit_of(unit))),
            Side::Branch { .. } => (2, None),
        };
        sides.windows(2).all(|pair| sort(&pair[0]) == sort(&pair[1]))
    }

    /// The unit whose common ancestor may rule: a union's host as known at the clock, or the parent that a
    /// registration names.
    fn host_of_side(&self, side: &Side, at: Hlc) -> Option<UnitIx> {
        match side {
            Side::Claim { branch, .. } | Side::Branch { branch } => {
                let branch = self.branches.branch(self.branches.find(branch)?);
                branch.profile.as_ref()?;
                branch.host_at(at).map(|host| self.tree.canonical(host))
            }
            Side::Registration { parent, .. } => self.tree.find_registered(parent),
        }
    }

    /// The sides by place, known or only named.
    fn named_sides(&mut self, sides: &[Side]) -> Option<Sides> {
        let (tree, branches) = (&mut *self.tree, &mut *self.branches);
        Some(match sides.first()? {
            Side::Claim { .. } => Sides::Claims(
                sides
                    .iter()
                    .filter_map(|side| match side {
                        Side::Claim { member, branch } => Some((*member, branches.intern(branch))),
                        _ => None,
                    })
                    .collect(),
            ),
            Side::Registration { unit, .. } => Sides::Registrations(
                tree.find_registered(unit)?,
                sides
                    .iter()
                    .filter_map(|side| match side {
                        Side::Registration { parent, .. } => Some(tree.intern(parent)),
                        _ => None,
                    })
                    .collect(),
            ),
            Side::Branch { .. } => Sides::Unions(
                sides
                    .iter()
                    .filter_map(|side| match side {
                        Side::Branch { branch } => Some(branches.intern(branch)),
                        _ => None,
                    })
                    .collect(),
            ),
        })
    }

    /// The sides by place, if units have the registrations and unions are introduced; whether persons have the
    /// claims, their folds tell.
    fn matched(&self, sides: &[Side]) -> Option<Sides> {
        let union = |id: &BranchId| self.branches.find(id);
        match sides.first()? {
            Side::Claim { .. } => {
                let claims = sides.iter().map(|side| match side {
                    Side::Claim { member, branch } => Some((*member, union(branch)?)),
                    _ => None,
                });
                Some(Sides::Claims(claims.collect::<Option<_>>()?))
            }
            Side::Registration { unit, .. } => {
                let unit = self.tree.find_registered(unit)?;
                let parents = sides.iter().map(|side| match side {
                    Side::Registration { parent, .. } => {
                        let parent = self.tree.find_registered(parent)?;
                        let mut known = self.tree.unit(unit).registrations.iter();
                        known.any(|known| known.parent == Some(parent)).then_some(parent)
                    }
                    _ => None,
                });
                Some(Sides::Registrations(unit, parents.collect::<Option<_>>()?))
            }
            Side::Branch { .. } => {
                let unions = sides.iter().map(|side| match side {
                    Side::Branch { branch } => union(branch),
                    _ => None,
                });
                Some(Sides::Unions(unions.collect::<Option<_>>()?))
            }
        }
    }
}
