//! Units and unions that nodes below need to know of: what others cover there, merge with, or are
//! registered as; and where the units stand that persons there name.

use super::persons::{Unions, content_of};
use super::places::parents_ever;
use super::stated::Content;
use super::{Scope, Seat, Seats, Work, join};
use crate::fact::governance::RestatedBody;
use crate::fact::{BranchFact, FactBody, FigureFact, UnitFact};
use crate::id::{FactId, Lane, UnitId};
use crate::time::Day;
use crate::view::restated::Subject;
use crate::view::table::MemberIx;
use crate::view::tree::UnitIx;
use crate::view::verdict::Verdict;
use crate::view::{OrgFact, View};
use std::collections::{BTreeMap, BTreeSet};

impl Work<'_> {
    pub(super) fn organisation(&mut self, unions: &Unions) {
        let frame = self.frame(unions);
        let mut due = Vec::new();
        for place in 0..self.view.facts.len() {
            let seats = self.seats_of_fact(place, unions, &frame);
            if !seats.is_empty()
                && let Some(content) = self.content_at(place)
            {
                due.push((place, content, seats));
            }
        }
        // what others rest on first: the tree, then unions, then figures
        let rank = |content: &Content| match &content.said.body {
            RestatedBody::Unit(UnitFact::Registered { level, .. }) => (0, Some(*level)),
            RestatedBody::Unit(_) => (1, None),
            RestatedBody::Branch(_) => (2, None),
            _ => (3, None),
        };
        let id_of = |view: &View, place: usize| view.facts[place].id;
        due.sort_by_key(|(place, content, _)| {
            (rank(content), content.hlc(), id_of(self.view, *place))
        });
        for (place, content, seats) in due {
            let id = id_of(self.view, place);
            self.restate(id, 0, &content, &seats);
        }
    }

    /// Which nodes need to know where a unit stands, besides those that serve it: hosts of unions and
    /// employers of persons that matter there, and all above any of them.
    fn frame(&mut self, unions: &Unions) -> BTreeMap<UnitIx, Seats> {
        let mut frame: BTreeMap<UnitIx, Seats> = self.employers.clone();
        for (at, branch) in self.view.branches.all.iter().enumerate() {
            let kind = self.kinds.get(&(at as u32));
            for (_, host) in &branch.hosts {
                let seats = frame.entry(self.view.tree.canonical(*host)).or_default();
                join(seats, &unions.full[at], Day::OPEN);
                if let Some(kind) = kind {
                    join(seats, kind, Day::OPEN);
                }
            }
        }
        for (branch, employer) in self.employed() {
            let seats = frame.entry(self.view.tree.canonical(employer)).or_default();
            join(seats, &unions.members[branch as usize], Day::OPEN);
        }
        for at in 0..self.view.tree.units.len() as UnitIx {
            if self.view.tree.unit(at).origin.is_some() {
                let seats = self.places.seats(&self.view.tree, at);
                if !seats.is_empty() {
                    join(frame.entry(at).or_default(), &seats, Day::OPEN);
                }
            }
        }
        for (unit, above) in self.places.nested(&self.view.tree) {
            let seat = Seat { audience: self.view.tree.unit(above).id, until: Day::OPEN };
            join(frame.entry(unit).or_default(), &Seats::from([(above, seat)]), Day::OPEN);
        }
        let tied = tied_by_succession(self.view);
        let mut open: Vec<UnitIx> = frame.keys().copied().collect();
        while let Some(at) = open.pop() {
            let seats = frame.get(&at).cloned().unwrap_or_default();
            let tied = tied.get(&at).into_iter().flatten().copied();
            for parent in parents_ever(&self.view.tree, at).into_iter().chain(tied) {
                let known = frame.entry(parent).or_default();
                let before = known.len();
                join(known, &seats, Day::OPEN);
                if known.len() != before {
                    open.push(parent);
                }
            }
        }
        // the frame is told in the nodes' own lanes: whether a lane is one may rest on it
        for seats in frame.values_mut() {
            for (at, seat) in seats.iter_mut() {
                *seat = Seat { audience: self.view.tree.unit(*at).id, until: Day::OPEN };
            }
        }
        frame
    }

    fn seats_of_fact(
        &mut self,
        place: usize,
        unions: &Unions,
        frame: &BTreeMap<UnitIx, Seats>,
    ) -> Seats {
        let OrgFact { id, height, fact, stand_in } = &self.view.facts[place];
        if stand_in.is_some() || !self.places.is_whole(self.view, &id.chain, *height) {
            return Seats::new();
        }
        let framed = |unit: &UnitId| {
            let at = self.view.tree.find(unit);
            at.and_then(|at| frame.get(&at)).cloned().unwrap_or_default()
        };
        match &fact.body {
            FactBody::Unit(
                UnitFact::HeadcountDeclared { unit, .. } | UnitFact::Revised { unit, .. },
            ) => {
                let at = self.view.tree.find(unit);
                at.map(|at| self.places.seats(&self.view.tree, at)).unwrap_or_default()
            }
            FactBody::Unit(UnitFact::Succeeded { old, new, .. }) => {
                old.iter().chain(new).flat_map(framed).collect()
            }
            FactBody::Unit(UnitFact::Rekeyed { unit, to }) => {
                framed(unit).into_iter().chain(framed(to)).collect()
            }
            FactBody::Unit(unit) => framed(&unit.unit()),
            FactBody::Branch(branch) => {
                let Some(at) = self.view.branches.find(&branch.branch()) else {
                    return Seats::new();
                };
                let mut seats = unions.full[at as usize].clone();
                if shapes_claims(branch)
                    && let Some(kind) = self.kinds.get(&at)
                {
                    join(&mut seats, kind, Day::OPEN);
                }
                seats
            }
            FactBody::Figure(
                figure @ (FigureFact::Reported { .. }
                | FigureFact::Returned { .. }
                | FigureFact::Approved { .. }),
            ) => {
                let at = self.view.tree.find(&figure.unit());
                at.map(|at| self.places.seats(&self.view.tree, at)).unwrap_or_default()
            }
            _ => Seats::new(),
        }
    }

    /// What is restated of a fact about units, unions or figures.
    pub(super) fn content_at(&self, place: usize) -> Option<Content> {
        let fact = &self.view.facts[place].fact;
        let verdict = self.view.verdicts[place];
        // a move withdrawn acts until it is; the withdrawal is restated beside it
        let acts_on = matches!(fact.body, FactBody::Unit(UnitFact::Moved { .. }))
            && matches!(verdict, Verdict::Withdrawn(_));
        let counts = verdict.stands() || acts_on;
        let body = match &fact.body {
            FactBody::Unit(unit) => RestatedBody::Unit(unit.clone()),
            FactBody::Branch(branch) => RestatedBody::Branch(branch.clone()),
            FactBody::Figure(figure) => RestatedBody::Figure(figure.clone()),
            _ => return None,
        };
        let mut content = Content::new(fact, body, counts);
        content.said.under = self.view.registrations_of(place);
        Some(content)
    }

    /// Looks again at what was restated before: what no longer counts is said so, whoever needs it now.
    pub(super) fn again(&mut self, scope: &Scope) {
        let mut stated: Vec<(Subject, UnitId)> = Vec::new();
        for (subject, by) in self.view.restatements.all() {
            let Lane::Down(audience) = by.id.chain.lane else { continue };
            let below = self
                .view
                .tree
                .find(&audience)
                .is_some_and(|at| !self.places.seats(&self.view.tree, at).is_empty());
            if below {
                stated.push((*subject, audience));
            }
        }
        let mut of_members: Vec<(FactId, UnitIx, MemberIx)> = Vec::new();
        for ((fact, sub), audience) in stated {
            let Some(at) = self.view.tree.find(&audience) else { continue };
            if let Some(place) = self.view.by_id.get(&fact).copied() {
                let place = place as usize;
                let content = (sub == 0)
                    .then_some(place)
                    .and_then(|place| self.content_at(place).or_else(|| self.decision_at(place)));
                if let Some(content) = content {
                    let seats = self.seats_in(at);
                    self.restate(fact, 0, &content, &seats);
                }
            } else if let Some(member) = self.view.restated_of(&(fact, sub)) {
                let asked = match scope {
                    Scope::All => true,
                    Scope::Some { persons, .. } => persons.contains(&member),
                };
                of_members.extend(asked.then_some((fact, at, member)));
            }
        }
        let asked: BTreeSet<MemberIx> = of_members.iter().map(|(_, _, member)| *member).collect();
        let asked: Vec<MemberIx> = asked.into_iter().collect();
        let stated = self.view.stated_of(&asked, self.source);
        let contents: BTreeMap<FactId, Content> = stated
            .iter()
            .filter(|one| one.is_held)
            .filter_map(|one| Some((one.id, content_of(one)?)))
            .collect();
        for (fact, at, _) in of_members {
            if let Some(content) = contents.get(&fact) {
                let seats = self.seats_in(at);
                self.restate(fact, 0, content, &seats);
            }
        }
    }

    /// The nodes below that a lane of this audience reaches first.
    fn seats_in(&mut self, audience: UnitIx) -> Seats {
        let seats = self.places.seats(&self.view.tree, audience);
        let seat = Seat { audience: self.view.tree.unit(audience).id, until: Day::OPEN };
        seats.into_keys().map(|at| (at, seat)).collect()
    }
}

/// The units that a succession names beside each: whether it stands rests on where all of them do (U4), and who
/// holds one that does not stand finds so by the same.
fn tied_by_succession(view: &View) -> BTreeMap<UnitIx, BTreeSet<UnitIx>> {
    let mut tied: BTreeMap<UnitIx, BTreeSet<UnitIx>> = BTreeMap::new();
    for OrgFact { fact, .. } in &view.facts {
        let FactBody::Unit(UnitFact::Succeeded { old, new, .. }) = &fact.body else { continue };
        let named: BTreeSet<UnitIx> =
            old.iter().chain(new).filter_map(|unit| view.tree.find_registered(unit)).collect();
        for at in &named {
            tied.entry(*at).or_default().extend(&named);
        }
    }
    tied
}

/// Whether a fact about a union shapes claims: what it is, and where it is hosted.
fn shapes_claims(fact: &BranchFact) -> bool {
    fact.profile().is_some()
        || matches!(fact, BranchFact::Moved { .. } | BranchFact::Revised { kind: Some(_), .. })
}
