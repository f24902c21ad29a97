//! Units that facts name and that nobody has registered: what waits for one of them is judged anew once it is
//! registered, and by nothing else that reaches its own unit alone.
//!
//! What a fact parked as of unknown subject waits for it names itself, or another fact of its union does: a
//! unit. What waits for a union is judged with that union's facts, what waits for a report with all figures,
//! and whatever else shapes the tree or the authority over it has all judged anew anyway.

use super::OrgFact;
use super::tree::Tree;
use crate::fact::governance::Side;
use crate::fact::{BranchFact, FactBody, FigureFact, GovernanceFact, UnitFact};
use crate::id::UnitId;
use std::collections::BTreeSet;

/// Units named and not registered.
#[derive(Debug, Clone, Default)]
pub(super) struct Awaited(BTreeSet<UnitId>);

impl Awaited {
    /// Whether a fact folded before has named this unit, which was not registered then.
    pub(super) fn contains(&self, unit: &UnitId) -> bool {
        self.0.contains(unit)
    }

    /// Notes what a fact just folded names.
    pub(super) fn note(&mut self, fact: &OrgFact, tree: &Tree) {
        each_unit(fact, &mut |unit| {
            if tree.find_registered(unit).is_none() {
                self.0.insert(*unit);
            }
        });
    }

    /// Forgets those that are registered by now.
    pub(super) fn settle(&mut self, tree: &Tree) {
        self.0.retain(|unit| tree.find_registered(unit).is_none());
    }
}

/// Shows every unit that a fact names.
fn each_unit(fact: &OrgFact, see: &mut dyn FnMut(&UnitId)) {
    see(&fact.fact.unit);
    fact.stand_in.iter().flat_map(|stand_in| &stand_in.under).for_each(&mut *see);
    match &fact.fact.body {
        FactBody::Unit(unit) => of_unit_fact(unit, see),
        FactBody::Branch(branch) => of_branch_fact(branch, see),
        FactBody::Figure(figure) => {
            see(&figure.unit());
            if let FigureFact::Reported { residual_of, .. } = figure {
                residual_of.iter().for_each(see);
            }
        }
        FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment)) => see(&enrolment.unit),
        FactBody::Governance(GovernanceFact::Ruled { sides, .. }) => {
            for side in sides {
                if let Side::Registration { unit, parent } = side {
                    see(unit);
                    see(parent);
                }
            }
        }
        FactBody::Governance(_) | FactBody::Withdrawn(_) | FactBody::Member(_) => {}
    }
}

fn of_unit_fact(fact: &UnitFact, see: &mut dyn FnMut(&UnitId)) {
    see(&fact.unit());
    match fact {
        UnitFact::Registered { parent, located_in, .. }
        | UnitFact::Moved { parent, located_in, .. } => {
            parent.iter().chain(located_in).for_each(see);
        }
        UnitFact::Succeeded { old, new, .. } => old.iter().chain(new).for_each(see),
        UnitFact::Rekeyed { to, .. } => see(to),
        UnitFact::Revised { .. } | UnitFact::HeadcountDeclared { .. } | UnitFact::Closed { .. } => {
        }
    }
}

fn of_branch_fact(fact: &BranchFact, see: &mut dyn FnMut(&UnitId)) {
    if let Some(profile) = fact.profile() {
        see(&profile.host);
    }
    match fact {
        BranchFact::Applied { to: unit, .. }
        | BranchFact::Covered { unit, .. }
        | BranchFact::Uncovered { unit, .. }
        | BranchFact::Moved { host: unit, .. } => see(unit),
        _ => {}
    }
}
