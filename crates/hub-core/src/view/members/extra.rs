//! What persons add up to: their shares, and what is kept beside them of those in conflict.

use super::{BranchIx, CellIx, Fold, MemberIx, Members, Reason, State};
use crate::id::{BranchId, MemberKey, UnitId};
use crate::time::Day;
use crate::view::cell::{Class, Share};
use crate::view::claim::{Alternative, Conflict, Swept, Taken};

/// What a person is beyond one open share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Extra {
    shares: Vec<Share>,
    conflicts: Vec<Conflict>,
    rivals: Vec<(BranchIx, BranchIx)>,
    doubts: Vec<Doubt>,
    taken: Vec<Taken>,
    parked: Vec<Reason>,
}

/// One person as it counts, or might count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The cell.
    pub cell: CellIx,
    /// As what.
    pub class: Class,
}

/// Days on which one person is in doubt: low takes the least of the alternatives, high the most (DESIGN §8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// From this day.
    pub from: Day,
    /// Up to and without this day.
    pub to: Day,
    /// How the person counts; none where nobody holds it: then it is nowhere, and that is one of the alternatives.
    pub counted: Option<Counted>,
    /// How else it might count.
    pub others: Vec<Counted>,
}

impl Doubt {
    /// Whether the person is in doubt on a day.
    pub fn holds_on(&self, day: Day) -> bool {
        self.from <= day && day < self.to
    }
}

impl Extra {
    /// What it adds to cells.
    pub(super) fn shares(&self) -> &[Share] {
        &self.shares
    }
}

impl Members {
    pub(in crate::view) fn conflicts(&self) -> Vec<(MemberKey, Conflict)> {
        let mut all: Vec<(MemberKey, Conflict)> = Vec::new();
        for (member, extra) in &self.extras {
            let key = self.table.member(*member).key;
            all.extend(extra.conflicts.iter().map(|conflict| (key, *conflict)));
        }
        all.sort_unstable();
        all
    }

    pub(in crate::view) fn rivals(&self) -> impl Iterator<Item = (&[(BranchIx, BranchIx)], u64)> {
        self.rivals.iter().map(|(pairs, persons)| (pairs.as_slice(), *persons))
    }

    pub(in crate::view) fn doubts(&self) -> impl Iterator<Item = (MemberKey, &Doubt)> {
        self.extras.iter().flat_map(|(member, extra)| {
            let key = self.table.member(*member).key;
            extra.doubts.iter().map(move |doubt| (key, doubt))
        })
    }

    /// Takes back what the person added to the cells and adds what it adds now.
    pub(super) fn replace(
        &mut self,
        member: MemberIx,
        swept: Swept,
        parked: Vec<Reason>,
        fold: &mut Fold<'_>,
    ) {
        self.retract(member, fold);
        let mut shares = Vec::new();
        for span in &swept.spans {
            for share in fold.cells.shares_of(span) {
                fold.cells.add(&share, 1);
                shares.push(share);
            }
        }
        for reason in &parked {
            *self.parked.entry(*reason).or_default() += 1;
        }
        let entry = self.table.member_mut(member);
        let simple = swept.conflicts.is_empty() && parked.is_empty();
        match shares.as_slice() {
            [] if simple => entry.set_nothing(),
            [whole] if simple && whole.to == Day::OPEN => entry.set_one(whole, false),
            [whole, enrolment]
                if simple && whole.to == Day::OPEN && *enrolment == whole.as_enrolment() =>
            {
                entry.set_one(whole, true);
            }
            _ => {
                entry.set_many();
                self.keep(member, shares, swept, parked, fold);
            }
        }
    }

    fn keep(
        &mut self,
        member: MemberIx,
        shares: Vec<Share>,
        swept: Swept,
        parked: Vec<Reason>,
        fold: &mut Fold<'_>,
    ) {
        let Swept { conflicts, mut rivals, doubts, taken, .. } = swept;
        if self.restated.is_told(member) {
            rivals.clear();
        }
        if !rivals.is_empty() {
            *self.rivals.entry(rivals.clone()).or_default() += 1;
        }
        for taken in &taken {
            self.takeovers.add(member, taken);
        }
        let mut counted = |one: Alternative| Counted {
            cell: fold.cells.intern(one.branch, one.employer),
            class: one.class,
        };
        let doubts = doubts.into_iter().map(|doubt| Doubt {
            from: doubt.from,
            to: doubt.to,
            counted: doubt.counted.map(&mut counted),
            others: doubt.others.into_iter().map(&mut counted).collect(),
        });
        let doubts = doubts.collect();
        self.extras_changed += 1;
        self.extras.insert(member, Extra { shares, conflicts, rivals, doubts, taken, parked });
    }

    fn retract(&mut self, member: MemberIx, fold: &mut Fold<'_>) {
        let entry = *self.table.member(member);
        match entry.state() {
            State::Nothing => {}
            State::One => fold.cells.add(&entry.one(), -1),
            State::Enrolled => {
                let whole = entry.one();
                fold.cells.add(&whole, -1);
                fold.cells.add(&whole.as_enrolment(), -1);
            }
            State::Many => {
                let Some(extra) = self.extras.remove(&member) else { return };
                self.extras_changed += 1;
                extra.shares.iter().for_each(|share| fold.cells.add(share, -1));
                if let Some(persons) = self.rivals.get_mut(&extra.rivals) {
                    *persons -= 1;
                    if *persons == 0 {
                        self.rivals.remove(&extra.rivals);
                    }
                }
                for taken in &extra.taken {
                    self.takeovers.remove(member, taken);
                }
                for reason in &extra.parked {
                    if let Some(count) = self.parked.get_mut(reason) {
                        *count -= 1;
                    }
                }
                self.parked.retain(|_, count| *count > 0);
            }
        }
    }

    /// Every person with its shares as bytes, in order of key; `name` names a cell.
    pub(in crate::view) fn rows(
        &self,
        name: impl Fn(CellIx) -> (BranchId, Option<UnitId>),
    ) -> Vec<(MemberKey, Vec<u8>)> {
        let row = |shares: &[Share]| {
            let mut parts: Vec<Vec<u8>> = shares
                .iter()
                .map(|share| {
                    let (branch, employer) = name(share.cell);
                    let mut part = share.from.0.to_be_bytes().to_vec();
                    part.extend_from_slice(&share.to.0.to_be_bytes());
                    part.push(share.class.byte());
                    part.extend_from_slice(&branch.0);
                    part.extend_from_slice(&employer.unwrap_or(UnitId::NIL).0);
                    part
                })
                .collect();
            parts.sort_unstable();
            parts.concat()
        };
        let mut rows: Vec<(MemberKey, Vec<u8>)> = Vec::with_capacity(self.table.len());
        for (place, member) in self.table.all().iter().enumerate() {
            let bytes = match member.state() {
                State::Nothing => continue,
                State::One => row(&[member.one()]),
                State::Enrolled => row(&[member.one(), member.one().as_enrolment()]),
                State::Many => {
                    self.extras.get(&(place as MemberIx)).map_or(Vec::new(), |e| row(&e.shares))
                }
            };
            rows.push((member.key, bytes));
        }
        rows.sort_unstable();
        rows
    }
}
