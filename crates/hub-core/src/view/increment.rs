//! Folding only what came: most facts about units and unions reach nothing but their own.
//!
//! A fact that shapes the tree or the authority over it, a withdrawal of one, a merger, a block that a cut
//! waits for, or the registration of a unit that some fact has named before: then all is folded anew. Both ways
//! give the same view (V2). A fact parked for want of its subject costs nothing until that subject comes.

use super::branch::BranchIx;
use super::decision::is_decision;
use super::resolve::{is_structural, register_employer};
use super::verdict::{Reason, Verdict};
use super::{OrgFact, View};
use crate::fact::governance::{GovernanceFact, Side};
use crate::fact::unit::UnitKind;
use crate::fact::{BranchFact, FactBody, UnitFact};
use crate::id::{BranchId, UnitId};
use std::collections::BTreeSet;

/// What folding facts about units, unions and governance may have changed for members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OrgChange {
    /// Nothing.
    None,
    /// These unions, and perhaps what is withdrawn.
    Local {
        /// The unions.
        branches: BTreeSet<BranchIx>,
        /// Whether withdrawals may reach further, or less far, than they did: one came, or a union has
        /// another host.
        withdrawals: bool,
    },
    /// Anything.
    All,
}

impl OrgChange {
    /// Whether a union's kind or the word over it may be another.
    pub(super) fn reaches(&self, branch: BranchIx) -> bool {
        match self {
            Self::None => false,
            Self::Local { branches, .. } => branches.contains(&branch),
            Self::All => true,
        }
    }

    /// Whether what withdrawals reach may be another.
    pub(super) fn reaches_withdrawals(&self) -> bool {
        match self {
            Self::None => false,
            Self::Local { withdrawals, .. } => *withdrawals,
            Self::All => true,
        }
    }
}

/// Whether a fact is a decision over claims of a person.
fn is_of_claims(body: &FactBody) -> bool {
    match body {
        FactBody::Governance(GovernanceFact::Ruled { sides, .. }) => {
            sides.iter().all(|side| matches!(side, Side::Claim { .. }))
        }
        FactBody::Governance(GovernanceFact::Objected { .. }) => true,
        _ => false,
    }
}

impl View {
    /// Folds what was added since the last time.
    pub(super) fn fold_facts(&mut self) -> OrgChange {
        let fresh = self.folded..self.facts.len();
        if fresh.is_empty() && !self.org_is_dirty {
            return OrgChange::None;
        }
        let all = self.org_is_dirty || !self.is_local(fresh.clone());
        self.org_is_dirty = false;
        self.folded = self.facts.len();
        let change = if all { self.fold_all() } else { self.fold_few(fresh.clone()) };
        for fact in &self.facts[fresh] {
            self.awaited.note(fact, &self.tree);
        }
        if all {
            self.awaited.settle(&self.tree);
        }
        change
    }

    /// Folds all facts anew.
    fn fold_all(&mut self) -> OrgChange {
        self.refolds += 1;
        self.fold_org();
        self.index_checkpoints(0..self.facts.len());
        OrgChange::All
    }

    /// Folds these alone, which reach nothing but their own.
    fn fold_few(&mut self, fresh: std::ops::Range<usize>) -> OrgChange {
        self.verdicts.resize(self.facts.len(), Verdict::Parked(Reason::NoAuthority));
        let moves_withdrawals = |fact: &OrgFact| match &fact.fact.body {
            FactBody::Withdrawn(_) => true,
            FactBody::Branch(branch) => {
                branch.profile().is_some() || matches!(branch, BranchFact::Moved { .. })
            }
            _ => false,
        };
        let withdrawals = self.facts[fresh.clone()].iter().any(moves_withdrawals);
        if self.facts[fresh.clone()].iter().any(|fact| self.hosts_others(&fact.fact.body)) {
            self.members.touch_all();
        }
        let branches = self.fold_local(fresh.clone());
        self.index_checkpoints(fresh);
        OrgChange::Local { branches, withdrawals }
    }

    /// Whether a fact tells where a union's members are of matter now, besides those it names: its host moves,
    /// or it was awaited by a union that had merged into it.
    fn hosts_others(&self, body: &FactBody) -> bool {
        let FactBody::Branch(fact) = body else { return false };
        let awaited = |at: BranchIx| {
            let merged = self.branches.all.iter().filter_map(|union| union.merged);
            merged.into_iter().any(|(_, into)| into == at)
        };
        matches!(fact, BranchFact::Moved { .. })
            || fact.profile().is_some() && self.branches.find(&fact.branch()).is_some_and(awaited)
    }

    /// Whether a unit is one that no fact folded so far has named: its registration is awaited by nothing.
    fn is_new(&self, unit: &UnitId) -> bool {
        self.tree.find(unit).is_none()
            && !self.awaited.contains(unit)
            && !self.restatements.reached(unit)
    }

    /// Whether of the units that these facts register one is registered twice, or is to stand above another: in
    /// what order they are judged matters then.
    fn depends_on_order(&self, fresh: std::ops::Range<usize>) -> bool {
        let mut units = BTreeSet::new();
        let mut parents = BTreeSet::new();
        let mut twice = false;
        for fact in self.facts[fresh].iter().filter(|fact| !fact.is_stand_in()) {
            if let FactBody::Unit(UnitFact::Registered { unit, parent, .. }) = &fact.fact.body {
                twice |= !units.insert(*unit);
                parents.extend(*parent);
            }
        }
        twice || !units.is_disjoint(&parents)
    }

    /// Whether these facts reach nothing but their own unit or union.
    fn is_local(&self, fresh: std::ops::Range<usize>) -> bool {
        if self.depends_on_order(fresh.clone()) {
            return false;
        }
        fresh.into_iter().all(|place| {
            let fact = &self.facts[place];
            if self.is_restated(place) {
                return false;
            }
            if fact.is_stand_in() {
                return true;
            }
            if self.withdrawals.touches(&fact.id.chain, fact.id.seq, fact.id.seq) {
                return false;
            }
            match &fact.fact.body {
                FactBody::Unit(UnitFact::Registered {
                    kind: UnitKind::Employer,
                    unit,
                    parent: Some(_),
                    ..
                }) => self.is_new(unit),
                FactBody::Branch(BranchFact::Merged { .. }) => false,
                // one parked for closing a cycle is as far-reaching as one that stands
                FactBody::Branch(fact) => {
                    let places = self.by_branch.get(&fact.branch()).into_iter().flatten();
                    let bodies = places.map(|place| &self.facts[*place].fact.body);
                    let merges = |body: &FactBody| {
                        matches!(body, FactBody::Branch(BranchFact::Merged { .. }))
                    };
                    !bodies.into_iter().any(merges)
                }
                // what it takes back are members' facts, decisions, or facts that have not come yet
                FactBody::Withdrawn(withdrawn) => self
                    .taken_back(withdrawn)
                    .all(|place| is_decision(&self.facts[place].fact.body)),
                FactBody::Member(_) => false,
                body => !is_structural(body),
            }
        })
    }

    /// Whether facts not folded yet reach nothing but persons: decisions over claims, and withdrawals of such or
    /// of members' facts.
    pub(super) fn awaits_persons_only(&self) -> bool {
        self.facts[self.folded..].iter().all(|fact| match &fact.fact.body {
            _ if fact.is_stand_in() => false,
            FactBody::Withdrawn(withdrawn) => {
                self.taken_back(withdrawn).all(|place| is_of_claims(&self.facts[place].fact.body))
            }
            body => is_of_claims(body),
        })
    }

    /// Folds them; returns the unions they are about.
    fn fold_local(&mut self, fresh: std::ops::Range<usize>) -> BTreeSet<BranchIx> {
        // what stands in for a fact reaches further, or is not folded at all
        let fresh: Vec<usize> = fresh.filter(|place| !self.facts[*place].is_stand_in()).collect();
        let is_registration = |place: &&usize| is_structural(&self.facts[**place].fact.body);
        let registered: Vec<usize> = fresh.iter().filter(is_registration).copied().collect();
        for place in registered {
            let (tree, authority) = (&mut self.tree, &mut self.authority);
            let (facts, withdrawals) = (&self.facts, &self.withdrawals);
            self.verdicts[place] =
                register_employer(place as u32, facts, withdrawals, tree, authority);
        }
        let mut touched: BTreeSet<BranchId> = BTreeSet::new();
        let mut figures = false;
        let by_branch = std::mem::take(&mut self.by_branch);
        let mut fold = self.org();
        for place in fresh.iter().copied() {
            fold.unit_or_governance(place);
            match &fold.facts[place].fact.body {
                FactBody::Unit(unit) => {
                    if let Some(unit) = fold.tree.find(&unit.unit()) {
                        fold.sort_changes_of(unit);
                    }
                }
                FactBody::Branch(branch) => {
                    touched.insert(branch.branch());
                }
                FactBody::Figure(_) => figures = true,
                _ => {}
            }
        }
        for id in &touched {
            if let Some(places) = by_branch.get(id) {
                fold.branch(*id, places.clone());
            }
        }
        let folded = figures.then(|| fold.figures());
        self.by_branch = by_branch;
        if let Some(figures) = folded {
            self.figures = figures;
        }
        self.judge_decisions_reached(&fresh, touched.iter().copied());
        touched.iter().filter_map(|id| self.branches.find(id)).collect()
    }
}
