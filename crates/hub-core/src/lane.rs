//! Which lane a fact goes to (DESIGN §5): who else must learn of it besides the ancestors.

use crate::fact::unit::UnitKind;
use crate::fact::{BranchFact, FactBody, GovernanceFact, UnitFact};
use crate::id::{BranchId, Lane, NodeId, UnitId};
use crate::time::Hlc;
use crate::view::View;
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

/// The deepest chain of new units one transaction may register under each other.
const DEPTH_MAX: usize = 16;

/// Chooses lanes for one node at one instant.
#[derive(Debug)]
pub struct Lanes {
    node: NodeId,
    own_unit: Option<UnitId>,
    at: Hlc,
    /// Hosts of unions and parents of units that this transaction itself makes known.
    hosts: BTreeMap<BranchId, UnitId>,
    parents: BTreeMap<UnitId, Option<UnitId>>,
    decided: BTreeMap<UnitId, Lane>,
}

impl Lanes {
    /// For a node that serves this unit, at this clock reading.
    pub fn new(node: NodeId, own_unit: Option<UnitId>, at: Hlc) -> Self {
        let (hosts, parents, decided) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { node, own_unit, at, hosts, parents, decided }
    }

    /// The lane of a fact of this body.
    pub fn of(&mut self, view: &View, body: &FactBody) -> Lane {
        match body {
            FactBody::Unit(fact) => self.of_unit_fact(view, fact),
            FactBody::Branch(fact) => {
                let host = match fact {
                    BranchFact::Applied { profile, .. } | BranchFact::Founded { profile, .. } => {
                        Some(profile.host)
                    }
                    other => self.host(view, other.branch()),
                };
                self.of_subject(view, host)
            }
            FactBody::Member(fact) => {
                let host = self.host(view, fact.branch);
                self.of_subject(view, host)
            }
            FactBody::Figure(fact) => self.of_subject(view, Some(fact.unit())),
            FactBody::Governance(fact) => self.of_governance(view, fact),
            // Written once, in `up`, and restated where it matters.
            FactBody::Withdrawn(_) => Lane::Up,
        }
    }

    /// Remembers what a fact of this transaction makes known before the view knows it.
    pub fn note(&mut self, body: &FactBody) {
        match body {
            FactBody::Branch(
                BranchFact::Applied { branch, profile, .. }
                | BranchFact::Founded { branch, profile, .. },
            ) => {
                self.hosts.insert(*branch, profile.host);
            }
            FactBody::Unit(UnitFact::Registered { unit, parent, .. }) => {
                self.parents.insert(*unit, *parent);
            }
            _ => {}
        }
    }

    fn host(&self, view: &View, branch: BranchId) -> Option<UnitId> {
        if let Some(host) = self.hosts.get(&branch) {
            return Some(*host);
        }
        let branches = view.branches();
        let branch = branches.branch(branches.find(&branch)?);
        let host = branch.host_on(self.at.day())?;
        Some(view.tree().unit(host).id)
    }

    fn of_unit_fact(&mut self, view: &View, fact: &UnitFact) -> Lane {
        match fact {
            // Territories and committees are the frame of the tree: all below must know them.
            UnitFact::Registered { kind, parent, unit, .. } if *kind != UnitKind::Employer => {
                Lane::Down(parent.unwrap_or(*unit))
            }
            UnitFact::Registered { parent, .. } => self.of_subject(view, *parent),
            other => self.of_frame(view, other.unit()),
        }
    }

    /// Facts about units of the frame flow where their registration did.
    fn of_frame(&mut self, view: &View, unit: UnitId) -> Lane {
        let tree = view.tree();
        let known = tree.find(&unit).map(|at| tree.unit(at));
        let origin = known.and_then(|unit| unit.origin.as_ref());
        if origin.is_none_or(|origin| origin.kind == UnitKind::Employer) {
            return self.of_subject(view, Some(unit));
        }
        let parent = known.and_then(|unit| unit.registrations.first()?.parent);
        Lane::Down(parent.map_or(unit, |parent| tree.unit(parent).id))
    }

    fn of_governance(&self, view: &View, fact: &GovernanceFact) -> Lane {
        match fact {
            GovernanceFact::NodeEnrolled(enrolment) => Lane::Down(enrolment.unit),
            GovernanceFact::NodeRevoked { node, .. } => {
                let newest = view.authority().newest_of(*node);
                self.down(newest.map(|enrolled| enrolled.enrolment.unit))
            }
            // Whoever restates says to whom; this is what its subject alone tells.
            GovernanceFact::Restated { content, .. } => self.down(Some(content.unit)),
            GovernanceFact::Ruled { .. } | GovernanceFact::Objected { .. } => Lane::Up,
            // It names chains that nodes below must not know of; their own get excerpts.
            GovernanceFact::Checkpointed { .. } => Lane::Up,
            GovernanceFact::CatalogPublished { .. } | GovernanceFact::PolicyPublished { .. } => {
                self.down(None)
            }
        }
    }

    fn down(&self, unit: Option<UnitId>) -> Lane {
        unit.or(self.own_unit).map_or(Lane::Up, Lane::Down)
    }

    /// `up` for what this node serves itself; for what a node below serves, down to that node's unit.
    fn of_subject(&mut self, view: &View, unit: Option<UnitId>) -> Lane {
        let Some(unit) = unit else { return Lane::Up };
        if let Some(lane) = self.decided.get(&unit) {
            return *lane;
        }
        let lane = self.decide(view, unit);
        self.decided.insert(unit, lane);
        lane
    }

    fn decide(&self, view: &View, unit: UnitId) -> Lane {
        let tree = view.tree();
        let mut unit = unit;
        // A unit of this very transaction is served by whoever serves its parent.
        let mut place: Option<UnitIx> = tree.find(&unit);
        for _ in 0..DEPTH_MAX {
            let Some(Some(parent)) = self.parents.get(&unit) else { break };
            if place.is_some() {
                break;
            }
            unit = *parent;
            place = tree.find(&unit);
        }
        let Some(place) = place else { return Lane::Up };
        let Some(server) = view.authority().server_of(tree, place, self.at) else {
            return Lane::Up;
        };
        if server.enrolment.node == self.node || !self.is_below(view, server.enrolment.unit) {
            return Lane::Up;
        }
        Lane::Down(server.enrolment.unit)
    }

    fn is_below(&self, view: &View, unit: UnitId) -> bool {
        let tree = view.tree();
        let (Some(own), Some(unit)) =
            (self.own_unit.and_then(|own| tree.find(&own)), tree.find(&unit))
        else {
            return false;
        };
        own != unit && tree.is_at_or_above(own, unit, self.at)
    }
}
