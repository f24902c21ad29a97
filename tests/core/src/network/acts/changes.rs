//! Acts that change what was said: moves, closings, withdrawals, nodes enrolled late.

use super::{BEGINS, FAR, Play};
use crate::offices::Entry;
use hub_core::fact::unit::Succession;
use hub_core::fact::{FactBody, GovernanceFact, UnitFact, Withdrawn};
use hub_core::id::{FactId, UnitId};
use hub_core::time::{Day, Hlc};

impl Play {
    /// U2: a firm reports elsewhere from some day on, by a node above both places.
    pub(super) fn move_unit(&mut self, node: usize) {
        let own = &self.network.nodes[node].view;
        let tree = own.tree();
        let known = |employers: bool| {
            let units = tree.ids().filter(|(id, at)| {
                let unit = tree.unit(*at);
                unit.id == **id && unit.origin.is_some() && unit.is_employer() == employers
            });
            units.map(|(id, _)| *id).collect::<Vec<UnitId>>()
        };
        let (units, parents) = (known(true), known(false));
        let (Some(unit), Some(parent)) = (self.pick(&units), self.pick(&parents)) else { return };
        let back = self.rng.pick(&[0, 0, 30, -10]);
        let body = FactBody::Unit(UnitFact::Moved { unit, parent: Some(parent), located_in: None });
        let Some(moved) = self.network.nodes.iter().position(|other| other.unit == unit) else {
            self.say(node, back, body);
            self.did("a move");
            return;
        };
        // a node follows its unit: only whoever stands above both places moves it, for good
        let own = &self.network.nodes[node];
        let (tree, now) = (own.view.tree(), Hlc::at(self.network.now));
        let places = [own.unit, unit, parent].map(|unit| tree.find(&unit));
        let [Some(above), Some(from), Some(to)] = places else { return };
        let strictly_above = |at| at != above && tree.is_at_or_above(above, at, now);
        let before = tree.parent_on(from, 0, self.network.today());
        let may = strictly_above(from) && before.is_some_and(strictly_above) && strictly_above(to);
        if tree.unit(from).registrations.len() > 1 || !may {
            return;
        }
        let server_of = |at| {
            let server = own.view.authority().server_of(tree, at, now)?;
            self.network.node_of(server.enrolment.node)
        };
        let old = before.and_then(server_of);
        let Some(server) = server_of(to) else { return };
        // who has not heard yet that the place has a node of its own leads nobody past it
        let own_node = self.network.nodes.iter().position(|other| other.unit == parent);
        if own_node.is_some_and(|own| own != server && !self.waiting.contains(&own)) {
            return;
        }
        // nor does anybody who has not heard of the move before
        if old != self.network.nodes[moved].parent {
            return;
        }
        // nor past anybody on the way down who has not heard of the unit
        let way = std::iter::successors(Some(server), |at| self.network.nodes[*at].parent);
        let mut below = way.take_while(|at| *at != node);
        if below.any(|at| self.network.nodes[at].view.tree().find_registered(&unit).is_none()) {
            return;
        }
        let entry = Entry::new(self.network.today(), own.unit, body);
        self.network.write(node, &[entry]);
        // whoever stands above both enrols it there, or the new node above would not know it
        if !self.waiting.contains(&moved) {
            let enrolment = self.network.nodes[moved].office.enrolment(0, FAR);
            self.say(node, 0, enrolment);
        }
        self.network.reparent(moved, server);
        self.did("a node moved with its unit");
    }

    pub(super) fn close(&mut self, node: usize) {
        let units = self.served(node, true);
        let Some(unit) = self.pick(&units) else { return };
        self.say(node, 0, FactBody::Unit(UnitFact::Closed { unit, reason: 1 }));
        self.did("a closing");
    }

    /// U4: firms merge, split, or become another, by a node above all of them. One that has a node of its own
    /// is not followed one to one: that would hand its node over.
    pub(super) fn succeed(&mut self, node: usize) {
        let own = &self.network.nodes[node].view;
        let (tree, now) = (own.tree(), Hlc::at(self.network.now));
        let Some(above) = tree.find(&self.network.nodes[node].unit) else { return };
        let firms = tree.ids().filter(|(id, at)| {
            let unit = tree.unit(*at);
            unit.id == **id && unit.is_employer() && tree.is_at_or_above(above, *at, now)
        });
        let mut firms: Vec<UnitId> =
            firms.map(|(id, _)| *id).filter(|id| *id != self.network.nodes[node].unit).collect();
        self.rng.shuffle(&mut firms);
        let (olds, news) = self.rng.pick(&[(1, 1), (1, 1), (1, 1), (2, 1), (1, 2), (2, 2)]);
        if olds + news == 2 {
            firms.retain(|firm| self.network.nodes.iter().all(|node| node.unit != *firm));
        }
        if firms.len() < olds + news {
            return;
        }
        let (old, new) = (firms[..olds].to_vec(), firms[olds..olds + news].to_vec());
        let how = match (olds, news) {
            (1, 1) => Succession::Redraw,
            (1, _) => Succession::Split,
            _ => Succession::Merger,
        };
        let back = self.rng.pick(&[0, 0, 20, -10]);
        self.say(node, back, FactBody::Unit(UnitFact::Succeeded { old, new, how }));
        self.did(if olds + news == 2 { "a firm becomes another" } else { "firms merge or split" });
    }

    pub(super) fn withdraw(&mut self, node: usize) {
        let own = self.network.nodes[node].office.node;
        let mine: Vec<FactId> =
            self.statements.iter().filter(|id| id.chain.node == own).copied().collect();
        let recent = self.statements.len().min(80);
        let others = self.statements[self.statements.len() - recent..].to_vec();
        let from = if self.rng.one_in(3) { &others } else { &mine };
        let from = from.clone();
        let Some(first) = self.pick(&from) else { return };
        // the tree of the nodes stays: by it this test leads blocks
        let count = 1 + self.rng.below(2);
        let named = (0..count).map(|more| FactId { seq: first.seq + more, ..first });
        if named.into_iter().any(|fact| self.is_frame(&fact)) {
            return;
        }
        let withdrawn = Withdrawn { first, count, reason: "录入有误".into() };
        self.say(node, 0, FactBody::Withdrawn(withdrawn));
        self.did("a withdrawal");
    }

    /// Whether a fact was written while the network was set up, or later made a node part of it or moved one.
    fn is_frame(&self, fact: &FactId) -> bool {
        let nodes = &self.network.nodes;
        let Some(known) = nodes.iter().find_map(|node| node.view.fact(fact)) else { return false };
        let leads_nodes = match &known.fact.body {
            FactBody::Governance(GovernanceFact::NodeEnrolled(_)) => true,
            FactBody::Unit(UnitFact::Moved { unit, .. }) => {
                nodes.iter().any(|node| node.unit == *unit)
            }
            _ => false,
        };
        leads_nodes || known.fact.hlc.day() <= Day(BEGINS)
    }

    pub(super) fn enrol_late(&mut self) {
        let ready = |node: &usize| {
            let parent = self.network.nodes[*node].parent;
            parent.is_none_or(|parent| !self.waiting.contains(&parent))
        };
        let ready: Vec<usize> = self.waiting.iter().copied().filter(ready).collect();
        let Some(node) = self.pick(&ready) else { return };
        self.waiting.retain(|other| *other != node);
        self.enrol(node);
        self.did("a node enrolled late");
        self.take_in(node);
    }

    /// Nodes whose units stand below a node that has just been enrolled report to it from now on.
    fn take_in(&mut self, node: usize) {
        let Some(above) = self.network.nodes[node].parent else { return };
        let (unit, now) = (self.network.nodes[node].unit, Hlc::at(self.network.now));
        // somebody may have moved one there of which not everybody has heard
        let stands_below = |other: UnitId| {
            self.network.nodes.iter().any(|known| {
                let tree = known.view.tree();
                let places = tree.find(&unit).zip(tree.find(&other));
                places.is_some_and(|(unit, other)| tree.is_at_or_above(unit, other, now))
            })
        };
        let is_below = |other: &usize| {
            let at = &self.network.nodes[*other];
            *other != node && at.parent == Some(above) && stands_below(at.unit)
        };
        let below: Vec<usize> = (0..self.network.nodes.len()).filter(is_below).collect();
        for other in below {
            if !self.waiting.contains(&other) {
                let enrolment = self.network.nodes[other].office.enrolment(0, FAR);
                self.say(above, 0, enrolment);
            }
            self.network.reparent(other, node);
        }
    }
}
