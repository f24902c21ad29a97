//! Rulings and objections of every kind of side, by those who may and those who may not, and taken back.

use super::{Maker, Union};
use hub_core::fact::governance::{GovernanceFact, Side};
use hub_core::fact::member::{Evidence, LeaveReason, MemberAct, MemberFact};
use hub_core::fact::{FactBody, Withdrawn};
use hub_core::id::{BranchId, FactId, MemberKey};
use hub_core::time::Day;

impl Maker {
    pub(super) fn rule_or_object(&mut self) {
        match self.rng.below(12) {
            0..4 => self.rule_over_claims(),
            4..8 => self.object(),
            8 => self.rule_over_registrations(),
            9 => self.rule_over_unions(),
            10 => self.rule_over_both(),
            _ => self.take_back_a_decision(),
        }
    }

    /// A person with claims at several unions, as far as writers remember; and one of them first.
    fn person_of_several(&mut self) -> Option<(MemberKey, Vec<Union>)> {
        if self.claims.is_empty() {
            return None;
        }
        let (member, first) = self.claims[self.rng.index(self.claims.len())];
        let mut unions: Vec<BranchId> = vec![first];
        for (_, union) in self.claims.iter().rev().filter(|(other, _)| *other == member) {
            if !unions.contains(union) {
                unions.push(*union);
            }
        }
        let known = |id: &BranchId| self.unions.iter().find(|union| union.id == *id).copied();
        let unions: Vec<Union> = unions.iter().filter_map(known).collect();
        (unions.len() > 1).then_some((member, unions))
    }

    /// The node that serves a common ancestor of these places; at times any.
    fn arbiter(&mut self, places: &[usize]) -> usize {
        if self.rng.one_in(6) {
            return self.rng.index(self.offices.len());
        }
        let first = self.path(places[0]);
        let rest: Vec<Vec<usize>> = places[1..].iter().map(|at| self.path(*at)).collect();
        let common: Vec<usize> =
            first.into_iter().filter(|at| rest.iter().all(|path| path.contains(at))).collect();
        let at = if common.is_empty() { 0 } else { common[self.rng.index(common.len())] };
        self.server(at)
    }

    fn rule(&mut self, by: usize, sides: Vec<Side>, from: Day) -> Option<FactId> {
        let winner = (!self.rng.one_in(5)).then(|| self.rng.index(sides.len()) as u32);
        let reason = String::from("依据劳动合同");
        let body = GovernanceFact::Ruled { sides, winner, from, reason };
        let (about, today) = (self.offices[by].1, self.today());
        let fact = self.write_one(by, about, today, FactBody::Governance(body));
        self.decisions.extend(fact.map(|fact| (fact, by)));
        fact
    }

    fn rule_over_claims(&mut self) {
        let Some((member, mut unions)) = self.person_of_several() else { return };
        unions.truncate(2 + usize::from(self.rng.one_in(4)));
        let hosts: Vec<usize> = unions.iter().map(|union| union.host).collect();
        let claim = |union: &Union| Side::Claim { member, branch: union.id };
        let mut sides: Vec<Side> = unions.iter().map(claim).collect();
        if self.rng.one_in(10) {
            // another person's claim, or one that nobody ever stated
            let member = self.rng.pick(&self.made.persons.clone());
            sides[1] = Side::Claim { member, branch: unions[1].id };
        }
        let (by, from) = (self.arbiter(&hosts), self.some_day());
        let fact = self.rule(by, sides, from);
        self.tried("ruling over claims", fact);
    }

    fn rule_over_registrations(&mut self) {
        let Some((unit, one, other)) = self.doubles.last().copied() else { return };
        let side = |parent: usize| Side::Registration {
            unit: self.places[unit].id,
            parent: self.places[parent].id,
        };
        let sides = vec![side(one), side(other)];
        let (by, from) = (self.arbiter(&[one, other]), self.some_day());
        let fact = self.rule(by, sides, from);
        self.tried("ruling over registrations", fact);
    }

    fn rule_over_unions(&mut self) {
        if self.unions.len() < 2 {
            return;
        }
        let one = self.unions[self.rng.index(self.unions.len())];
        let other = self.unions[self.rng.index(self.unions.len())];
        let sides = [one, other].map(|union| Side::Branch { branch: union.id }).to_vec();
        let (by, from) = (self.arbiter(&[one.host, other.host]), self.some_day());
        let fact = self.rule(by, sides, from);
        self.tried("ruling over unions", fact);
    }

    fn rule_over_both(&mut self) {
        let Some((member, unions)) = self.person_of_several() else { return };
        let sides = vec![
            Side::Claim { member, branch: unions[0].id },
            Side::Branch { branch: unions[1].id },
        ];
        let (by, from) = (self.arbiter(&[unions[0].host, unions[1].host]), self.some_day());
        self.rule(by, sides, from);
    }

    /// By the node that serves one of the person's unions, or one above it on its behalf.
    fn object(&mut self) {
        let Some((member, unions)) = self.person_of_several() else { return };
        let host = unions[1].host;
        let path = self.path(host);
        let acting = if self.rng.one_in(3) { path[self.rng.index(path.len())] } else { host };
        let by = if self.rng.one_in(4) { self.superior(acting) } else { self.server(acting) };
        let from = self.some_day();
        let evidence = self.rng.pick(&[
            Evidence::LabourContract,
            Evidence::LabourContract,
            Evidence::SocialInsurance,
            Evidence::Roster,
        ]);
        let branch = unions[0].id;
        let body = GovernanceFact::Objected { member, branch, from, evidence };
        let today = self.today();
        let fact = self.write_one(by, acting, today, FactBody::Governance(body));
        self.decisions.extend(fact.map(|fact| (fact, by)));
        self.tried("objection", fact);
        if self.rng.one_in(3) {
            // who objected lets the person go: nobody may hold it then
            let act = MemberAct::Left { reason: LeaveReason::Resigned };
            let left = FactBody::Member(MemberFact { member, branch: unions[1].id, act });
            let by = self.server(host);
            self.write_one(by, host, today, left);
        }
    }

    fn take_back_a_decision(&mut self) {
        let Some((first, by)) = self.decisions.pop() else { return };
        let (about, today) = (self.offices[by].1, self.today());
        let withdrawn = Withdrawn { first, count: 1, reason: "改判".into() };
        let fact = self.write_one(by, about, today, FactBody::Withdrawn(withdrawn));
        self.tried("decision taken back", fact);
    }
}
