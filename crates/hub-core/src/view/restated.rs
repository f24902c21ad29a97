//! What a node above restated: a view that lacks the fact folds the restatement in its stead (DESIGN §7,
//! downward agreement).
//!
//! A restatement speaks where its writer's own books (its `up` lane) are not held: whoever holds those holds
//! what the writer held, or will. So the view stays a function of its blocks and need not know whose it is.

use super::authority::{Authority, Writer};
use super::resolve::{Resolved, resolve};
use super::tree::{Tree, UnitIx};
use super::verdict::{Reason, Verdict};
use super::withdrawal::Withdrawal;
use super::{OrgFact, View};
use crate::fact::governance::{RestatedBody, Restatement};
use crate::fact::unit::Level;
use crate::fact::{
    ATTRIBUTE_FIRST_JOINED, Attribute, Fact, FactBody, GovernanceFact, MemberFact, UnitFact,
};
use crate::id::{ChainId, FactId, Lane, NodeId, UnitId};
use crate::time::{Day, Hlc, Precision};
use std::collections::{BTreeMap, BTreeSet};

/// What a restatement repeats: the fact, and of a withdrawal the seq of the first fact it names.
pub(crate) type Subject = (FactId, u64);

/// A restating fact, as far as its right to speak needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restating {
    /// Its id.
    pub(crate) id: FactId,
    /// Its clock.
    pub(crate) hlc: Hlc,
    /// The height of its block.
    pub(crate) height: u64,
    /// Its place among the facts.
    pub(crate) place: u32,
    /// Whether it says that the fact counts.
    pub(crate) counts: bool,
    /// Which one; the highest speaks.
    pub(crate) revision: u32,
}

/// What makes a fact one that is folded in another's stead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StandIn {
    /// Who says it.
    pub(crate) by: Restating,
    /// Of a unit's fact: the parents in the unit's registrations that it holds for.
    pub(crate) under: Vec<UnitId>,
    /// Of a ruling: the level of its writer's office.
    pub(crate) level: Option<Level>,
}

/// A membership fact restated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RestatedMember {
    pub(crate) day: Day,
    pub(crate) hlc: Hlc,
    pub(crate) day_stated: bool,
    pub(crate) fact: MemberFact,
}

/// All restatements, by what they repeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restatements {
    by_subject: BTreeMap<Subject, Vec<Restating>>,
    writers: BTreeSet<NodeId>,
    /// Places of those that speak for what they repeat, as last renewed.
    speaking: BTreeSet<u32>,
    /// Places of those that would speak and may not.
    silenced: BTreeSet<u32>,
    /// Units in whose lanes any came.
    audiences: BTreeSet<UnitId>,
    /// Units whose registration was restated.
    units: BTreeSet<UnitId>,
    /// Membership facts restated since they were last told to the members.
    fresh: Vec<Subject>,
}

/// Facts with what is restated of those not held.
pub(crate) struct Told<'a> {
    pub(crate) facts: &'a [OrgFact],
    pub(crate) restatements: &'a Restatements,
}

impl Told<'_> {
    /// The fact whose writer must have the word for this one: itself, or the one that restates it. None
    /// where it is not to be folded.
    pub(crate) fn said_by(&self, fact: &OrgFact) -> Option<FactId> {
        let Some(stand_in) = &fact.stand_in else { return Some(fact.id) };
        let by = &stand_in.by;
        (by.counts && self.restatements.speaks(by.place)).then_some(by.id)
    }
}

/// What a restatement of this body repeats.
pub(crate) fn subject_of(fact: &FactId, body: &RestatedBody) -> Subject {
    match body {
        RestatedBody::Withdrawn(withdrawn) => (*fact, withdrawn.first.seq),
        _ => (*fact, 0),
    }
}

impl Restating {
    fn writer(&self) -> Writer {
        (self.id.chain.node, self.id.chain.epoch)
    }

    /// Whether its block lies above a cut.
    pub(crate) fn is_cut_off(&self, authority: &Authority) -> bool {
        let cut = authority.cuts.get(&self.writer());
        cut.is_some_and(|cut| cut.parks(&self.id.chain.lane, self.height))
    }

    /// Whether it may: in the lane of an audience strictly below its writer's office at its clock, and
    /// not above a cut.
    pub(crate) fn is_right(&self, tree: &Tree, authority: &mut Authority) -> bool {
        let Lane::Down(audience) = self.id.chain.lane else { return false };
        if self.is_cut_off(authority) {
            return false;
        }
        let Some(audience) = tree.find_registered(&audience) else { return false };
        let own = authority.office_at(tree, self.writer(), self.hlc);
        own.is_some_and(|own| own != audience && tree.is_at_or_above(own, audience, self.hlc))
    }
}

impl Restatements {
    fn add(&mut self, subject: Subject, restating: Restating) {
        self.writers.insert(restating.id.chain.node);
        if let Lane::Down(audience) = restating.id.chain.lane {
            self.audiences.insert(audience);
        }
        self.by_subject.entry(subject).or_default().push(restating);
    }

    /// Whether a node has restated anything.
    pub(crate) fn are_by(&self, node: NodeId) -> bool {
        self.writers.contains(&node)
    }

    /// Whether anything came in the lane of this unit: that it is registered tells who may write there.
    pub(crate) fn reached(&self, unit: &UnitId) -> bool {
        self.audiences.contains(unit)
    }

    /// Whether anyone has restated this fact.
    pub(crate) fn touch(&self, fact: &FactId) -> bool {
        self.by_subject.range((*fact, 0)..=(*fact, u64::MAX)).next().is_some()
    }

    /// All of one subject.
    pub(super) fn of(&self, subject: &Subject) -> &[Restating] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Subject, &Restating)> {
        self.by_subject.iter().flat_map(|(subject, all)| all.iter().map(move |by| (subject, by)))
    }

    /// Those of facts from `first` to `last`.
    pub(super) fn between(
        &self,
        first: FactId,
        last: FactId,
    ) -> impl Iterator<Item = (&Subject, &Restating)> {
        let reached = self.by_subject.range((first, 0)..=(last, 0));
        reached.flat_map(|(subject, all)| all.iter().map(move |by| (subject, by)))
    }

    /// The first seqs of the runs for which a withdrawal was restated.
    pub(super) fn of_withdrawal(&self, id: &FactId) -> Vec<u64> {
        self.by_subject.range((*id, 0)..=(*id, u64::MAX)).map(|((_, first), _)| *first).collect()
    }

    /// Those that speak and may not, where another might.
    fn wrong(&self, tree: &Tree, authority: &mut Authority) -> Vec<u32> {
        let several = self.by_subject.values().filter(|all| all.len() > 1);
        let speaking = several.flatten().filter(|by| self.speaking.contains(&by.place));
        speaking.filter(|by| !by.is_right(tree, authority)).map(|by| by.place).collect()
    }

    /// Whether the restatement at this place speaks.
    pub(crate) fn speaks(&self, place: u32) -> bool {
        self.speaking.contains(&place)
    }
}

impl OrgFact {
    /// Whether it is folded in the stead of a fact that is not held, by what a node above says.
    pub fn is_stand_in(&self) -> bool {
        self.stand_in.is_some()
    }
}

impl View {
    /// Whether the nodes concerned were told of a unit's other registrations.
    pub(crate) fn is_unit_told(&self, unit: UnitIx) -> bool {
        self.restatements.units.contains(&self.tree.unit(unit).id)
    }

    /// Takes in a restating fact that was added at `place`.
    pub(super) fn add_restated(&mut self, place: u32) {
        let OrgFact { id, height, fact, .. } = &self.facts[place as usize];
        let FactBody::Governance(GovernanceFact::Restated { fact: of, content, counts, revision }) =
            &fact.body
        else {
            return;
        };
        let by = Restating {
            id: *id,
            hlc: fact.hlc,
            height: *height,
            place,
            counts: *counts,
            revision: *revision,
        };
        let (of, content) = (*of, content.clone());
        let subject = subject_of(&of, &content.body);
        self.restatements.add(subject, by);
        match &content.body {
            RestatedBody::Member(fact) => {
                self.restatements.fresh.push(subject);
                self.members.note_told(&fact.member);
            }
            RestatedBody::Withdrawn(withdrawn) => {
                let first = withdrawn.first.seq;
                let last = first.saturating_add(withdrawn.count - 1);
                let (hlc, height) = (content.hlc, 0);
                let withdrawal =
                    Withdrawal { first, last, id: of, hlc, height, restated: Some(by) };
                self.withdrawals.add(withdrawn.first.chain, withdrawal);
            }
            _ => {
                if let RestatedBody::Unit(UnitFact::Registered { unit, .. }) = &content.body {
                    self.restatements.units.insert(*unit);
                }
                self.add_stand_in(of, by, &content);
            }
        }
    }

    fn add_stand_in(&mut self, of: FactId, by: Restating, content: &Restatement) {
        let (body, level) = match content.body.clone() {
            RestatedBody::Unit(unit) => (FactBody::Unit(unit), None),
            RestatedBody::Branch(branch) => (FactBody::Branch(branch), None),
            RestatedBody::Figure(figure) => (FactBody::Figure(figure), None),
            RestatedBody::Ruled { sides, winner, from, level } => {
                let ruled = GovernanceFact::Ruled { sides, winner, from, reason: String::new() };
                (FactBody::Governance(ruled), Some(level))
            }
            RestatedBody::Objected { member, branch, from, evidence } => {
                let objected = GovernanceFact::Objected { member, branch, from, evidence };
                (FactBody::Governance(objected), None)
            }
            RestatedBody::Member(_) | RestatedBody::Withdrawn(_) => return,
        };
        let place = self.facts.len();
        if let FactBody::Branch(branch) = &body {
            self.by_branch.entry(branch.branch()).or_default().push(place);
        }
        self.decision_places.note(place, &body);
        let fact = Fact {
            hlc: content.hlc,
            day: content.day,
            precision: Precision::Day,
            operator: 0,
            unit: content.unit,
            document: None,
            attributes: Vec::new(),
            body,
        };
        let stand_in = Some(Box::new(StandIn { by, under: content.under.clone(), level }));
        self.facts.push(OrgFact { id: of, height: 0, fact, stand_in });
    }

    /// Notes that a node's own books are held: from now on its restatements speak for nothing here.
    pub(super) fn note_books(&mut self, node: NodeId) {
        if self.books.insert(node) {
            self.org_is_dirty |= self.restatements.are_by(node);
        }
    }

    /// The restatement that speaks for a fact: the highest revision, where the fact is not held. A tie
    /// goes to the later clock, then the greater id.
    fn spoken_for(&self, subject: &Subject) -> Option<&Restating> {
        let silenced = &self.restatements.silenced;
        self.speaker_among(subject, |by| !silenced.contains(&by.place))
    }

    fn speaker_among(
        &self,
        subject: &Subject,
        may: impl Fn(&Restating) -> bool,
    ) -> Option<&Restating> {
        if self.by_id.contains_key(&subject.0) || self.members.holds(&subject.0) {
            return None;
        }
        let stated = self.restatements.by_subject.get(subject)?;
        let foreign = stated.iter().filter(|by| !self.books.contains(&by.id.chain.node));
        foreign.filter(|by| may(by)).max_by_key(|by| (by.revision, by.hlc, by.id))
    }

    /// Resolves authority by what is held and told. Who may not tell is known only then: it is silenced
    /// where another tells the same, and all is resolved anew.
    pub(super) fn resolved(&mut self) -> Resolved {
        self.restatements.silenced.clear();
        loop {
            self.renew_restatements();
            let heights = &self.heights;
            let clock_of = |chain: &ChainId, height: u64| -> Option<Hlc> {
                heights.get(chain)?.range(..=height).next_back().map(|(_, folded)| folded.clock)
            };
            let names = self.tree.names_only();
            let told = Told { facts: &self.facts, restatements: &self.restatements };
            let (withdrawals, policy) = (&self.withdrawals, &self.policy);
            let mut resolved =
                resolve(names, &told, withdrawals, &self.root_key, policy, &clock_of);
            let wrong = self.restatements.wrong(&resolved.tree, &mut resolved.authority);
            if wrong.is_empty() {
                return resolved;
            }
            self.restatements.silenced.extend(wrong);
        }
    }

    /// Finds anew which restatements speak.
    fn renew_restatements(&mut self) {
        let subjects = self.restatements.by_subject.keys();
        let speaking = subjects.filter_map(|subject| Some(self.spoken_for(subject)?.place));
        self.restatements.speaking = speaking.collect();
        self.withdrawals.speaking.clone_from(&self.restatements.speaking);
    }

    /// Whether a fact added now reaches beyond itself because it was restated, or because it restates
    /// for a node that holds neither it nor its writer's books.
    pub(super) fn is_restated(&self, place: usize) -> bool {
        let fact = &self.facts[place];
        if let Some(stand_in) = &fact.stand_in {
            let subject = (fact.id, 0);
            return self.spoken_for(&subject).is_some_and(|by| by.place == stand_in.by.place);
        }
        match &fact.fact.body {
            FactBody::Governance(GovernanceFact::Restated { fact: of, content, .. }) => {
                matches!(content.body, RestatedBody::Withdrawn(_))
                    && self.spoken_for(&subject_of(of, &content.body)).is_some()
            }
            _ => self.restatements.touch(&fact.id),
        }
    }

    /// Tells the members what is restated of them, all of it or what came since.
    pub(super) fn restate_members(&mut self, all: bool) {
        let mut fresh = std::mem::take(&mut self.restatements.fresh);
        if all {
            let subjects = self.restatements.by_subject.keys();
            fresh = subjects.filter(|subject| subject.1 == 0).copied().collect();
        }
        for subject in fresh {
            let told = self.restated_member(&subject);
            self.members.restate(subject.0, told);
        }
    }

    /// A fact that is held, or as a node above restated it.
    pub(crate) fn told_fact(&self, id: &FactId) -> Option<Fact> {
        if let Some(held) = self.fact(id) {
            return Some(held.fact.clone());
        }
        if let Some(told) = self.restated_member(&(*id, 0)) {
            let first = Attribute { code: ATTRIBUTE_FIRST_JOINED, value: told.day.0 };
            return Some(Fact {
                hlc: told.hlc,
                day: told.day,
                precision: Precision::Day,
                operator: 0,
                unit: UnitId::NIL,
                document: None,
                attributes: told.day_stated.then_some(first).into_iter().collect(),
                body: FactBody::Member(told.fact),
            });
        }
        let stands = |by: &Restating| self.verdicts[by.place as usize].stands();
        let by = self.speaker_among(&(*id, 0), stands).filter(|by| by.counts)?;
        // what is folded in its stead stands behind the fact that restates it
        let folded = self.facts.get(by.place as usize + 1)?;
        let is_its = folded.stand_in.as_ref().is_some_and(|stand_in| stand_in.by.id == by.id);
        is_its.then(|| folded.fact.clone())
    }

    fn restated_member(&self, subject: &Subject) -> Option<RestatedMember> {
        let stands = |by: &Restating| self.verdicts[by.place as usize].stands();
        let by = self.speaker_among(subject, stands).filter(|by| by.counts)?;
        match &self.facts[by.place as usize].fact.body {
            FactBody::Governance(GovernanceFact::Restated { content, .. }) => match content.body {
                RestatedBody::Member(fact) => Some(RestatedMember {
                    day: content.day,
                    hlc: content.hlc,
                    day_stated: content.day_stated,
                    fact,
                }),
                _ => None,
            },
            _ => None,
        }
    }
}

impl super::org::OrgFold<'_> {
    /// Whether a restating fact is one its writer may state.
    pub(super) fn restates(&mut self, place: usize) -> bool {
        let OrgFact { id, height, fact, .. } = &self.facts[place];
        let (id, hlc, height, place) = (*id, fact.hlc, *height, place as u32);
        let by = Restating { id, hlc, height, place, counts: true, revision: 0 };
        by.is_right(self.tree, self.authority)
    }

    /// The verdict on a fact folded in another's stead: what the node above said, if it may and speaks.
    pub(super) fn stand_in_verdict(&mut self, place: usize) -> Option<Verdict> {
        let by = self.facts[place].stand_in.as_ref()?.by;
        let speaks = self.restatements.speaks(by.place) && by.counts;
        let stands = speaks && by.is_right(self.tree, self.authority);
        Some(if stands { Verdict::Stands } else { Verdict::Parked(Reason::NoAuthority) })
    }

    /// Whether a fact takes part: it is held, or speaks for one that is not.
    pub(super) fn takes_part(&self, place: usize) -> bool {
        let stand_in = self.facts[place].stand_in.as_ref();
        stand_in.is_none_or(|stand_in| self.restatements.speaks(stand_in.by.place))
    }
}
