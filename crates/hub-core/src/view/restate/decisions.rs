//! What was decided or taken back where a node below cannot see it: rulings and objections are written in
//! `up`, and so are withdrawals.

use super::persons::Unions;
use super::stated::Content;
use super::{Seat, Seats, Work, join};
use crate::fact::governance::{RestatedBody, Side};
use crate::fact::{FactBody, GovernanceFact, Withdrawn};
use crate::id::{ChainId, FactId, Lane, MemberKey, UnitId};
use crate::time::Day;
use crate::view::OrgFact;
use crate::view::decision::Precedence;
use crate::view::tree::UnitIx;
use crate::view::verdict::Verdict;
use crate::view::withdrawal::Withdrawal;
use std::cmp::Reverse;
use std::collections::BTreeMap;

impl Work<'_> {
    pub(super) fn decisions(&mut self, unions: &Unions) {
        let mut rulings = Vec::new();
        for place in 0..self.view.facts.len() {
            let OrgFact { id, height, fact, stand_in } = &self.view.facts[place];
            if stand_in.is_some() || !self.places.is_whole(self.view, &id.chain, *height) {
                continue;
            }
            let (id, fact) = (*id, fact.clone());
            let FactBody::Governance(decided) = &fact.body else { continue };
            match decided {
                GovernanceFact::Ruled { sides, .. } => {
                    let Some(content) = self.decision_at(place) else { continue };
                    let mut seats = Seats::new();
                    for side in sides {
                        join(&mut seats, &self.seats_of(side, unions), Day::OPEN);
                    }
                    let sides = sides.clone();
                    rulings.push(Told { id, content, sides, seats });
                }
                GovernanceFact::Objected { member, .. } => {
                    let Some(content) = self.decision_at(place) else { continue };
                    let seats = self.seats_of_key(member, unions);
                    self.restate(id, 0, &content, &seats);
                }
                _ => {}
            }
        }
        share_what_replaces(&mut rulings);
        for Told { id, content, seats, .. } in &rulings {
            self.restate(*id, 0, content, seats);
        }
        self.withdrawals();
    }

    /// What is restated of a ruling or an objection.
    pub(super) fn decision_at(&mut self, place: usize) -> Option<Content> {
        let OrgFact { id, fact, .. } = &self.view.facts[place];
        let (id, fact) = (*id, fact.clone());
        let FactBody::Governance(decided) = &fact.body else { return None };
        let body = match decided {
            GovernanceFact::Ruled { sides, winner, from, .. } => {
                let level = self.view.level_of_office(&id, fact.hlc)?;
                let (sides, winner, from) = (sides.clone(), *winner, *from);
                RestatedBody::Ruled { sides, winner, from, level }
            }
            GovernanceFact::Objected { member, branch, from, evidence } => {
                let (member, branch) = (*member, *branch);
                let (from, evidence) = (*from, *evidence);
                RestatedBody::Objected { member, branch, from, evidence }
            }
            _ => return None,
        };
        Some(Content::new(&fact, body, self.view.verdicts[place].stands()))
    }

    fn seats_of(&mut self, side: &Side, unions: &Unions) -> Seats {
        match side {
            Side::Claim { member, .. } => self.seats_of_key(member, unions),
            Side::Registration { unit, .. } => {
                let Some(at) = self.view.tree.find(unit) else { return Seats::new() };
                let mut seats = self.places.seats(&self.view.tree, at);
                // where a firm stands matters to whoever has its workers as members
                if let Some(of_members) = self.employers.get(&at) {
                    join(&mut seats, of_members, Day::OPEN);
                }
                seats
            }
            Side::Branch { branch } => {
                let at = self.view.branches.find(branch);
                at.map(|at| unions.full[at as usize].clone()).unwrap_or_default()
            }
        }
    }

    /// The person of a key, and whoever the key was rekeyed to.
    fn seats_of_key(&mut self, key: &MemberKey, unions: &Unions) -> Seats {
        let mut seats = Seats::new();
        for member in self.view.members.persons_of(key) {
            join(&mut seats, &self.seats_of_person(member, unions), Day::OPEN);
        }
        seats
    }

    /// A withdrawal goes to nodes that hold what it takes back and not the withdrawal itself, and to
    /// those that a withdrawn move was restated to.
    fn withdrawals(&mut self) {
        let all: Vec<(ChainId, Withdrawal)> = self
            .view
            .withdrawals
            .all()
            .filter(|(_, withdrawal)| withdrawal.restated.is_none())
            .map(|(chain, withdrawal)| (*chain, *withdrawal))
            .collect();
        for (chain, withdrawal) in all {
            if !self.places.is_whole(self.view, &withdrawal.id.chain, withdrawal.height) {
                continue;
            }
            let mut audiences = self.audiences(&chain);
            join(&mut audiences, &self.lanes_of_moves(&chain, &withdrawal), Day::OPEN);
            let lacking: Seats = audiences
                .into_iter()
                .filter(|(seat, _)| {
                    self.places.is_ours(self.view, *seat, &withdrawal.id, withdrawal.hlc)
                })
                .collect();
            if !lacking.is_empty() {
                self.withdrawal(chain, &withdrawal, &lacking);
            }
        }
    }

    /// Whom the facts of a chain reached below here, with the lane that reaches the same.
    fn audiences(&mut self, chain: &ChainId) -> Seats {
        let tree = &self.view.tree;
        let reached: Vec<UnitIx> = match chain.lane {
            Lane::Down(audience) => tree.find(&audience).into_iter().collect(),
            Lane::Up => self.view.authority.units_of(chain.node).collect(),
        };
        let mut seats = Seats::new();
        for at in reached {
            let found = self.places.seats(&self.view.tree, at);
            if found.is_empty() && self.places.is_from_above(&self.view.tree, at) {
                let top = self.places.topmost(&self.view.tree);
                let whole = |at: UnitIx| whole(self.view.tree.unit(at).id);
                seats.extend(top.into_iter().map(|at| (at, whole(at))));
            }
            let lane = whole(self.view.tree.unit(at).id);
            seats.extend(found.into_keys().map(|seat| (seat, lane)));
        }
        seats
    }

    /// Lanes in which moves that it takes back were restated.
    fn lanes_of_moves(&mut self, chain: &ChainId, withdrawal: &Withdrawal) -> Seats {
        let first = FactId { chain: *chain, seq: withdrawal.first };
        let last = FactId { chain: *chain, seq: withdrawal.last };
        let mut lanes = Vec::new();
        for (subject, by) in self.view.restatements.between(first, last) {
            if let Lane::Down(audience) = by.id.chain.lane
                && self.view.by_id.contains_key(&subject.0)
            {
                lanes.extend(self.view.tree.find(&audience));
            }
        }
        let mut seats = Seats::new();
        for at in lanes {
            let found = self.places.seats(&self.view.tree, at);
            let lane = whole(self.view.tree.unit(at).id);
            seats.extend(found.into_keys().map(|seat| (seat, lane)));
        }
        seats
    }

    /// Restates the runs of facts that a withdrawal does take back.
    fn withdrawal(&mut self, chain: ChainId, withdrawal: &Withdrawal, seats: &Seats) {
        let runs = self.runs(chain, withdrawal);
        let stated = self.view.restatements.of_withdrawal(&withdrawal.id);
        let firsts: Vec<u64> = runs.keys().copied().chain(stated).collect();
        for first in firsts {
            let count = runs.get(&first).copied();
            let withdrawn = Withdrawn {
                first: FactId { chain, seq: first },
                count: count.unwrap_or(1),
                reason: String::new(),
            };
            let Some(fact) = self.view.fact(&withdrawal.id).map(|known| known.fact.clone()) else {
                continue;
            };
            let body = RestatedBody::Withdrawn(withdrawn);
            let content = Content::new(&fact, body, count.is_some());
            self.restate(withdrawal.id, first, &content, seats);
        }
    }

    /// The facts in reach whose verdict it is, as runs: first and how many.
    fn runs(&mut self, chain: ChainId, withdrawal: &Withdrawal) -> BTreeMap<u64, u64> {
        let first = FactId { chain, seq: withdrawal.first };
        let last = FactId { chain, seq: withdrawal.last };
        let by = Verdict::Withdrawn(withdrawal.id);
        let of_others = self.view.by_id.range(first..=last);
        let of_others = of_others.filter(|(_, place)| self.view.verdicts[**place as usize] == by);
        let mut seqs: Vec<u64> = of_others.map(|(id, _)| id.seq).collect();
        for block in self.view.member_blocks(&first, &last, self.source) {
            let verdicts = self.view.block_verdicts(&block);
            let taken = verdicts.into_iter().enumerate().filter(|(_, verdict)| *verdict == by);
            seqs.extend(taken.map(|(index, _)| block.header().first_seq + index as u64));
        }
        seqs.sort_unstable();
        let mut runs: BTreeMap<u64, u64> = BTreeMap::new();
        let mut open: Option<(u64, u64)> = None;
        for seq in seqs {
            match &mut open {
                Some((first, count)) if *first + *count == seq => *count += 1,
                _ => {
                    runs.extend(open);
                    open = Some((seq, 1));
                }
            }
        }
        runs.extend(open);
        runs
    }
}

/// In the lane of this unit, for good.
fn whole(audience: UnitId) -> Seat {
    Seat { audience, until: Day::OPEN }
}

/// A ruling, and who is told of it.
struct Told {
    id: FactId,
    content: Content,
    sides: Vec<Side>,
    seats: Seats,
}

impl Told {
    fn precedence(&self) -> Option<Precedence> {
        let RestatedBody::Ruled { level, .. } = &self.content.said.body else { return None };
        Some((*level, Reverse(self.content.hlc()), Reverse(self.id)))
    }
}

/// Who is told of a ruling is told of every one that goes before it and shares a side: whether the one is in
/// force rests on the other, whatever else that other is about.
fn share_what_replaces(rulings: &mut [Told]) {
    rulings.sort_by_key(|ruling| Reverse(ruling.precedence()));
    let mut sharing: BTreeMap<Side, Seats> = BTreeMap::new();
    for ruling in rulings {
        for side in &ruling.sides {
            if let Some(seats) = sharing.get(side) {
                join(&mut ruling.seats, seats, Day::OPEN);
            }
        }
        if ruling.content.counts {
            for side in &ruling.sides {
                join(sharing.entry(*side).or_default(), &ruling.seats, Day::OPEN);
            }
        }
    }
}
