//! What was restated, and what is due because it is not, or not as it is now.

use super::{Due, Latest};
use crate::fact::governance::{RestatedBody, Restatement};
use crate::fact::member::MemberAct;
use crate::fact::{BranchFact, FactBody, GovernanceFact, UnitFact};
use crate::id::UnitId;
use crate::time::Hlc;
use crate::view::View;
use crate::view::restated::{Restating, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be said of a fact now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) said: Restatement,
    pub(super) counts: bool,
}

impl Content {
    pub(super) fn new(fact: &crate::fact::Fact, body: RestatedBody, counts: bool) -> Self {
        let said = Restatement {
            hlc: fact.hlc,
            day: fact.day,
            unit: fact.unit,
            under: Vec::new(),
            day_stated: false,
            body,
        };
        Self { said, counts }
    }

    /// Whether it holds on all days, whatever day it names.
    pub(super) fn is_timeless(&self) -> bool {
        match &self.said.body {
            RestatedBody::Unit(fact) => {
                !matches!(fact, UnitFact::HeadcountDeclared { .. } | UnitFact::Revised { .. })
            }
            RestatedBody::Branch(fact) => {
                fact.profile().is_some()
                    || matches!(fact, BranchFact::Revised { .. } | BranchFact::Moved { .. })
            }
            RestatedBody::Member(fact) => matches!(fact.act, MemberAct::Rekeyed { .. }),
            RestatedBody::Figure(_) | RestatedBody::Withdrawn(_) => true,
            RestatedBody::Ruled { .. } | RestatedBody::Objected { .. } => true,
        }
    }

    /// The clock of the fact.
    pub(super) fn hlc(&self) -> Hlc {
        self.said.hlc
    }
}

/// What is due, in the order found.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) due: Vec<Due>,
    noted: BTreeSet<(Subject, UnitId)>,
    /// Revisions given here, above those in the view.
    revisions: BTreeMap<Subject, u32>,
}

impl Ledger {
    /// Notes that a fact is to be restated to an audience, unless it was, just so.
    pub(super) fn note(
        &mut self,
        view: &View,
        of: Subject,
        audience: UnitId,
        latest: &Latest,
        now: &Content,
    ) {
        let differs = |told: Option<&Restating>| match told.and_then(|by| said(view, by)) {
            // what does not count need not be taken back where it was never said
            None => now.counts,
            Some((said, counts)) => counts != now.counts || (now.counts && *said != now.said),
        };
        let is_due = differs(latest.surely.as_ref()) || differs(latest.perhaps.as_ref());
        if !is_due || !self.noted.insert((of, audience)) {
            return;
        }
        let highest = view.restatements.of(&of).iter().map(|by| by.revision).max().unwrap_or(0);
        let revision = self.revisions.entry(of).or_insert(highest);
        *revision += 1;
        let (content, counts) = (Box::new(now.said.clone()), now.counts);
        let (fact, revision) = (of.0, *revision);
        let fact = GovernanceFact::Restated { fact, content, counts, revision };
        self.due.push(Due { audience, fact });
    }
}

/// What a restatement says, and whether it counts.
fn said<'a>(view: &'a View, by: &Restating) -> Option<(&'a Restatement, bool)> {
    match &view.facts[by.place as usize].fact.body {
        FactBody::Governance(GovernanceFact::Restated { content, counts, .. }) => {
            Some((content, *counts))
        }
        _ => None,
    }
}
