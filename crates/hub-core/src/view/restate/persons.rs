//! Persons whose facts some node below lacks: those with facts at unions, or at employers, of several.

use super::stated::Content;
use super::{Scope, Seats, Work, join};
use crate::fact::FactBody;
use crate::fact::branch::BranchKind;
use crate::fact::governance::RestatedBody;
use crate::fact::{ATTRIBUTE_FIRST_JOINED, CodeKind};
use crate::id::{ChainId, FactId};
use crate::time::{Day, Hlc};
use crate::view::Stated;
use crate::view::branch::BranchIx;
use crate::view::table::MemberIx;
use crate::view::tree::UnitIx;
use std::collections::{BTreeMap, BTreeSet};

/// Persons looked at in one go: bounds the memory that their facts take meanwhile.
const CHUNK: usize = 1 << 16;

/// Which nodes below need what of each union, by its place.
pub(super) struct Unions {
    /// Its members: those of its hosts, and of the unions it merged with.
    pub(super) members: Vec<Seats>,
    /// All facts about it: the same, and those of units it covers, of employers its members name, and of
    /// unions with a natural key of its.
    pub(super) full: Vec<Seats>,
}

/// A fact to restate, and to whom.
pub(super) type ToRestate = (FactId, Content, Seats);

impl Work<'_> {
    pub(super) fn unions(&mut self) -> Unions {
        let count = self.view.branches.all.len();
        let (mut members, mut covered) = (vec![Seats::new(); count], vec![Seats::new(); count]);
        let mut employers = vec![Seats::new(); count];
        for at in 0..count {
            let branch = &self.view.branches.all[at];
            let ends = branch.hosts.iter().skip(1).map(|(stamp, _)| stamp.day).chain([Day::OPEN]);
            for ((_, host), end) in branch.hosts.iter().zip(ends) {
                let seats = self.places.seats(&self.view.tree, *host);
                join(&mut members[at], &seats, end);
            }
            for (unit, _, to) in &branch.covers {
                join(&mut covered[at], &self.places.seats(&self.view.tree, *unit), *to);
            }
        }
        for (branch, employer) in self.employed() {
            let seats = self.places.seats(&self.view.tree, employer);
            join(&mut employers[branch as usize], &seats, Day::OPEN);
        }
        let merged: Vec<(usize, usize)> = (0..count)
            .filter_map(|at| Some((at, self.view.branches.all[at].merged?.1 as usize)))
            .collect();
        share(&mut members, &merged);
        let mut full = members.clone();
        self.at_employers(&members, &mut full);
        extend(&mut full, &employers);
        extend(&mut full, &covered);
        share(&mut full, &merged);
        share(&mut full, &self.natural_keys());
        share(&mut full, &self.own_of_one_employer());
        Unions { members, full }
    }

    /// An own union counts those whom it employs, wherever they are members (M5): it matters where they do.
    fn at_employers(&self, members: &[Seats], full: &mut [Seats]) {
        let tree = &self.view.tree;
        let heir = |at: UnitIx| tree.heir_on(tree.canonical(at), Day::OPEN);
        let mut seats: BTreeMap<UnitIx, Seats> = BTreeMap::new();
        for (branch, employer) in self.employed() {
            join(seats.entry(heir(employer)).or_default(), &members[branch as usize], Day::OPEN);
        }
        for (at, branch) in self.view.branches.all.iter().enumerate() {
            let own = branch.profile.as_ref().is_some_and(|p| p.kind == BranchKind::Own);
            for (_, host) in branch.hosts.iter().filter(|_| own) {
                if let Some(seats) = seats.get(&heir(*host)) {
                    join(&mut full[at], seats, Day::OPEN);
                }
            }
        }
    }

    /// Unions with the employers of those who are, or might be, members there.
    pub(super) fn employed(&self) -> BTreeSet<(BranchIx, UnitIx)> {
        let cells = self.view.cells.all();
        let held = cells.iter().filter(|cell| cell.changes().any(|(_, _, count)| count != 0));
        let doubts = self.view.members.doubts().flat_map(|(_, doubt)| &doubt.others);
        let doubtful = doubts.map(|other| &cells[other.cell as usize]);
        let all = held.chain(doubtful);
        all.filter_map(|cell| Some((cell.branch, cell.employer?))).collect()
    }

    /// Pairs of unions with one natural key.
    fn natural_keys(&self) -> Vec<(usize, usize)> {
        let mut first: BTreeMap<(CodeKind, &str), usize> = BTreeMap::new();
        let mut pairs = Vec::new();
        for (at, branch) in self.view.branches.all.iter().enumerate() {
            let codes = branch.profile.iter().flat_map(|profile| &profile.codes);
            let keys = [CodeKind::UnionUscc, CodeKind::UnionStatistical];
            for code in codes.filter(|code| keys.contains(&code.kind)) {
                let known = *first.entry((code.kind, &code.value)).or_insert(at);
                pairs.extend((known != at).then_some((known, at)));
            }
        }
        pairs
    }

    /// Pairs of own unions of one employer: which of them counts rests on both (F4).
    fn own_of_one_employer(&self) -> Vec<(usize, usize)> {
        let mut first: BTreeMap<UnitIx, usize> = BTreeMap::new();
        let mut pairs = Vec::new();
        for (at, branch) in self.view.branches.all.iter().enumerate() {
            let own = branch.profile.as_ref().is_some_and(|p| p.kind == BranchKind::Own);
            for (_, host) in branch.hosts.iter().filter(|_| own) {
                let tree = &self.view.tree;
                let employer = tree.heir_on(tree.canonical(*host), Day::OPEN);
                let known = *first.entry(employer).or_insert(at);
                pairs.extend((known != at).then_some((known, at)));
            }
        }
        pairs
    }

    /// What of the facts of persons is to be restated, and to whom.
    pub(super) fn persons(&mut self, scope: &Scope, unions: &Unions) -> Vec<ToRestate> {
        let candidates: Vec<MemberIx> = match scope {
            Scope::All => (0..self.view.members.len() as MemberIx).collect(),
            Scope::Some { persons, blocks } => {
                let mut persons = persons.clone();
                for place in blocks {
                    if !self.are_plain(&[*place], unions) {
                        persons.extend(self.view.members_in(*place, self.source));
                    }
                }
                persons.into_iter().collect()
            }
        };
        let mut plain = BTreeMap::new();
        let candidates: Vec<MemberIx> = candidates
            .into_iter()
            .filter(|member| !self.is_plain(*member, unions, &mut plain))
            .collect();
        let mut found = Vec::new();
        for chunk in candidates.chunks(CHUNK) {
            let stated = self.view.stated_of(chunk, self.source);
            for of_person in stated.chunk_by(|a, b| a.member == b.member) {
                self.person(of_person, unions, &mut found);
            }
        }
        found
    }

    /// Whether every node that may need a person's facts holds all of them, as blocks alone tell.
    fn is_plain(
        &mut self,
        member: MemberIx,
        unions: &Unions,
        plain: &mut BTreeMap<u32, bool>,
    ) -> bool {
        if self.view.members.is_restated(member) {
            return false;
        }
        let blocks = self.view.members.blocks_of(member);
        if let [only] = blocks.as_slice() {
            if let Some(known) = plain.get(only) {
                return *known;
            }
            let is_plain = self.are_plain(&blocks, unions);
            plain.insert(*only, is_plain);
            return is_plain;
        }
        self.are_plain(&blocks, unions)
    }

    fn are_plain(&mut self, blocks: &[u32], unions: &Unions) -> bool {
        let mut seats = BTreeSet::new();
        let mut chains: BTreeSet<(ChainId, Hlc)> = BTreeSet::new();
        for place in blocks {
            let (chain, height) = self.view.members.place_of(*place);
            let (named, units) = self.view.members.named_in(*place);
            let folded = self.view.heights.get(&chain).and_then(|heights| heights.get(&height));
            chains.insert((chain, folded.map_or(Hlc::ZERO, |folded| folded.clock)));
            for id in named {
                if let Some(at) = self.view.branches.find(id) {
                    seats.extend(unions.members[at as usize].keys().copied());
                }
            }
            for at in units.iter().filter_map(|unit| self.view.tree.find(unit)) {
                seats.extend(self.places.seats(&self.view.tree, at).into_keys());
            }
        }
        seats.into_iter().all(|seat| {
            chains.iter().all(|(chain, at)| self.places.holds(self.view, seat, chain, *at))
        })
    }

    /// All facts of a person go to every node with a union or an employer in them.
    fn person(&mut self, stated: &[Stated], unions: &Unions, found: &mut Vec<ToRestate>) {
        let mut seats = Seats::new();
        let mut named: BTreeSet<BranchIx> = BTreeSet::new();
        let mut employers = BTreeSet::new();
        for one in stated.iter().filter(|one| one.counts) {
            let FactBody::Member(fact) = &one.fact.body else { continue };
            let Some(branch) = self.view.branches.find(&fact.branch) else { continue };
            named.insert(branch);
            let mut here = unions.members[branch as usize].clone();
            let employer = fact.start().and_then(|start| start.employer);
            if let Some(at) = employer.and_then(|id| self.view.tree.find(&id)) {
                employers.insert(at);
                join(&mut here, &self.places.seats(&self.view.tree, at), Day::OPEN);
            }
            // a person who came after the unit had gone is nobody there
            here.retain(|_, seat| one.fact.day < seat.until);
            join(&mut seats, &here, Day::OPEN);
        }
        for branch in named {
            join(self.kinds.entry(branch).or_default(), &seats, Day::OPEN);
        }
        for employer in employers {
            join(self.employers.entry(employer).or_default(), &seats, Day::OPEN);
        }
        for one in stated.iter().filter(|one| one.is_held) {
            let whole = self.places.is_whole(self.view, &one.id.chain, one.height);
            if whole && let Some(content) = content_of(one) {
                found.push((one.id, content, seats.clone()));
            }
        }
    }

    /// The nodes that need what is decided of a person.
    pub(super) fn seats_of_person(&mut self, member: MemberIx, unions: &Unions) -> Seats {
        let stated = self.view.stated_of(&[member], self.source);
        let mut seats = Seats::new();
        for one in stated.iter().filter(|one| one.counts) {
            let FactBody::Member(fact) = &one.fact.body else { continue };
            if let Some(branch) = self.view.branches.find(&fact.branch) {
                join(&mut seats, &unions.members[branch as usize], Day::OPEN);
            }
            let employer = fact.start().and_then(|start| start.employer);
            if let Some(at) = employer.and_then(|id| self.view.tree.find(&id)) {
                join(&mut seats, &self.places.seats(&self.view.tree, at), Day::OPEN);
            }
        }
        seats
    }
}

/// What is restated of a membership fact.
pub(super) fn content_of(stated: &Stated) -> Option<Content> {
    let FactBody::Member(fact) = &stated.fact.body else { return None };
    let body = RestatedBody::Member(*fact);
    let mut content = Content::new(&stated.fact, body, stated.counts);
    content.said.day_stated = stated.fact.attribute(ATTRIBUTE_FIRST_JOINED).is_some();
    Some(content)
}

fn extend(all: &mut [Seats], more: &[Seats]) {
    all.iter_mut().zip(more).for_each(|(all, more)| join(all, more, Day::OPEN));
}

/// Everything tied by these pairs, however far, gets what each has.
fn share(all: &mut [Seats], pairs: &[(usize, usize)]) {
    let mut root: Vec<usize> = (0..all.len()).collect();
    fn find(root: &mut [usize], at: usize) -> usize {
        let mut end = at;
        while root[end] != end {
            root[end] = root[root[end]];
            end = root[end];
        }
        end
    }
    for (one, other) in pairs {
        let (one, other) = (find(&mut root, *one), find(&mut root, *other));
        root[one.max(other)] = one.min(other);
    }
    let mut sums: BTreeMap<usize, Seats> = BTreeMap::new();
    let tied: BTreeSet<usize> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
    for at in &tied {
        join(sums.entry(find(&mut root, *at)).or_default(), &all[*at], Day::OPEN);
    }
    for at in tied {
        if let Some(sum) = sums.get(&find(&mut root, at)) {
            join(&mut all[at], sum, Day::OPEN);
        }
    }
}
