//! Acts of those who decide and report: rulings, objections, declared figures.

use super::Play;
use crate::figures::report;
use crate::offices::Entry;
use hub_core::fact::FactBody;
use hub_core::fact::governance::{GovernanceFact, Side};
use hub_core::fact::member::Evidence;
use hub_core::id::{BranchId, MemberKey, UnitId};
use hub_core::time::Day;

impl Play {
    /// Somebody above decides: over a person's claims, a firm's registrations, or own unions of one firm.
    pub(super) fn rule(&mut self, node: usize) {
        // few stand above two counties: whoever is asked, a city or the province often answers
        let node = if self.rng.one_in(3) { node } else { self.rng.index(3) };
        let (sides, what) = match self.rng.below(4) {
            0 | 1 => (self.claims(node), "a ruling over claims"),
            2 => (self.registrations(node), "a ruling over registrations"),
            _ => (self.own_unions(node), "a ruling over unions"),
        };
        if sides.len() < 2 {
            return;
        }
        let winner = (!self.rng.one_in(4)).then(|| self.rng.index(sides.len()) as u32);
        let from = Day(self.network.today().0 - self.rng.below(60) as i32);
        let body = GovernanceFact::Ruled { sides, winner, from, reason: "已核实".into() };
        self.say(node, 0, FactBody::Governance(body));
        self.did(what);
    }

    /// A node speaks for a union that lost a person.
    pub(super) fn object(&mut self, node: usize) {
        let Some((member, unions)) = self.contested(node) else { return };
        let Some(branch) = self.pick(&unions) else { return };
        let from = Day(self.network.today().0 - self.rng.below(60) as i32);
        let evidence =
            self.rng.pick(&[Evidence::LabourContract, Evidence::Roster, Evidence::SelfDeclared]);
        let body = GovernanceFact::Objected { member, branch, from, evidence };
        self.say(node, 0, FactBody::Governance(body));
        self.did("an objection");
    }

    /// A unit's own figures, or those of a unit above for some below it.
    pub(super) fn report(&mut self, node: usize) {
        let mut units = self.served(node, true);
        units.extend(self.served(node, false));
        let Some(unit) = self.pick(&units) else { return };
        let (employees, members) = (20 + self.rng.below(30), self.rng.below(30));
        let revision = 1 + self.rng.below(2);
        let words = format!("period 2024 rev {revision} values 101={employees},102={members}");
        let words: Vec<&str> = words.split_whitespace().collect();
        let entry = Entry::new(
            self.network.today(),
            self.network.nodes[node].unit,
            FactBody::Figure(report(unit, &words)),
        );
        let id = self.network.write(node, &[entry]).first().copied();
        self.statements.extend(id);
        self.did("a report");
    }

    /// A person whom several unions claim, with those unions, as a node sees it.
    fn contested(&mut self, node: usize) -> Option<(MemberKey, Vec<BranchId>)> {
        let own = &mut self.network.nodes[node];
        let mut persons: Vec<MemberKey> =
            own.view.conflicts().into_iter().map(|(member, _)| member).collect();
        persons.dedup();
        let member = (!persons.is_empty()).then(|| persons[self.rng.index(persons.len())])?;
        let spans = own.view.person(&member, &own.blocks);
        let branches = own.view.branches();
        let mut unions: Vec<BranchId> =
            spans.iter().map(|span| branches.branch(span.branch).id).collect();
        unions.sort_unstable();
        unions.dedup();
        Some((member, unions))
    }

    fn claims(&mut self, node: usize) -> Vec<Side> {
        let Some((member, mut unions)) = self.contested(node) else { return Vec::new() };
        self.rng.shuffle(&mut unions);
        unions.truncate(2);
        unions.into_iter().map(|branch| Side::Claim { member, branch }).collect()
    }

    fn registrations(&mut self, node: usize) -> Vec<Side> {
        let tree = self.network.nodes[node].view.tree();
        let of = |at| tree.unit(at);
        let several: Vec<(UnitId, Vec<UnitId>)> = tree
            .ids()
            .filter(|(_, at)| of(*at).registrations.len() > 1)
            .map(|(id, at)| {
                let parents = of(at).registrations.iter().filter_map(|known| known.parent);
                (*id, parents.map(|parent| of(parent).id).collect())
            })
            .collect();
        if several.is_empty() {
            return Vec::new();
        }
        let (unit, parents) = several[self.rng.index(several.len())].clone();
        parents.into_iter().take(2).map(|parent| Side::Registration { unit, parent }).collect()
    }

    fn own_unions(&mut self, node: usize) -> Vec<Side> {
        let view = &self.network.nodes[node].view;
        let known = view.branches().all.iter().filter(|branch| branch.profile.is_some());
        let hosted: Vec<(u32, BranchId)> =
            known.filter_map(|branch| Some((branch.host_on(Day::OPEN)?, branch.id))).collect();
        let shared = |host: u32| hosted.iter().filter(|(at, _)| *at == host).count() > 1;
        let hosts: Vec<u32> =
            hosted.iter().map(|(host, _)| *host).filter(|host| shared(*host)).collect();
        // else any two: somebody holds them for one union registered twice
        let host = self.pick(&hosts);
        let same = hosted.into_iter().filter(|(at, _)| host.is_none_or(|host| *at == host)).take(2);
        same.map(|(_, branch)| Side::Branch { branch }).collect()
    }
}
