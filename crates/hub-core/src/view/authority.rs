//! Who may speak: enrolments, cuts, and the word over a unit as spans of the clock (DESIGN §9).
//!
//! Authority is judged at a fact's own clock, never at its effective day, and never by arrival.

use super::intervals::Intervals;
use super::tree::{Tree, Under, UnitIx};
use crate::fact::governance::Enrolment;
use crate::id::{FactId, Lane, NodeId};
use crate::policy::Policy;
use crate::time::{Hlc, Millis};
use std::collections::{BTreeMap, BTreeSet};

/// A node in one of its epochs: the holder of one key.
pub type Writer = (NodeId, u32);

/// An accepted enrolment.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// The fact.
    pub id: FactId,
    /// When it was issued.
    pub issued: Hlc,
    /// What it says.
    pub enrolment: Enrolment,
    /// The unit served.
    pub unit: UnitIx,
    /// From here it is taken back.
    pub withdrawn: Option<Hlc>,
}

/// A signed cut of one epoch; of several the lowest height of each lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The last good height by lane; lanes not named have none.
    pub last_good: BTreeMap<Lane, u64>,
    /// From here the writer has no word: after the last fact of the blocks at the cut.
    pub word_ends: Hlc,
}

impl Cut {
    /// Whether a block at this height is above the cut.
    pub fn parks(&self, lane: &Lane, height: u64) -> bool {
        height > self.last_good.get(lane).copied().unwrap_or(0)
    }

    /// The lower of two cuts, lane by lane.
    pub(crate) fn lowered(&mut self, other: &BTreeMap<Lane, u64>) {
        self.last_good.retain(|lane, height| match other.get(lane) {
            Some(lower) => {
                *height = (*height).min(*lower);
                true
            }
            None => false,
        });
    }
}

/// All that is known of who may speak.
#[derive(Debug, Clone, Default)]
pub struct Authority {
    /// Accepted enrolments, in order of issue (clock, id).
    pub enrolments: Vec<Enrolled>,
    by_unit: BTreeMap<UnitIx, Vec<usize>>,
    by_writer: BTreeMap<Writer, Vec<usize>>,
    /// Cuts by writer.
    pub cuts: BTreeMap<Writer, Cut>,
    keys: BTreeMap<Writer, [u8; 32]>,
    words: BTreeMap<UnitIx, BTreeMap<Writer, Intervals>>,
    /// After a move or a new enrolment both nodes may state for so long, so that honest offline work is
    /// not lost.
    hand_over: Millis,
}

impl Authority {
    /// Nobody may speak yet; the policy says how long a hand-over takes.
    pub(crate) fn under(policy: &Policy) -> Self {
        Self { hand_over: policy.hand_over, ..Self::default() }
    }

    /// For how long after a move or a new enrolment both nodes may state.
    pub(crate) fn hand_over(&self) -> Millis {
        self.hand_over
    }

    pub(crate) fn add(&mut self, enrolled: Enrolled) {
        let writer = (enrolled.enrolment.node, enrolled.enrolment.epoch);
        self.keys.entry(writer).or_insert(enrolled.enrolment.key);
        self.by_unit.entry(enrolled.unit).or_default().push(self.enrolments.len());
        self.by_writer.entry(writer).or_default().push(self.enrolments.len());
        self.enrolments.push(enrolled);
        self.words.clear();
    }

    /// The enrolment of this fact is taken back from `at` on.
    pub(crate) fn withdraw(&mut self, id: &FactId, at: Hlc) {
        if let Some(enrolled) = self.enrolments.iter_mut().rev().find(|e| e.id == *id) {
            enrolled.withdrawn = Some(at);
        }
        self.words.clear();
    }

    /// The key of a writer.
    pub fn key(&self, node: NodeId, epoch: u32) -> Option<[u8; 32]> {
        self.keys.get(&(node, epoch)).copied()
    }

    /// Whether a writer's enrolment may name this key: the first accepted one fixes it.
    pub(crate) fn fits_key(&self, writer: Writer, key: &[u8; 32]) -> bool {
        self.keys.get(&writer).is_none_or(|known| known == key)
    }

    /// The latest enrolment of a writer.
    pub fn enrolment_of(&self, writer: Writer) -> Option<&Enrolled> {
        self.enrolments_of(writer).max_by_key(|e| (e.issued, e.id))
    }

    /// The enrolment of a node that was issued last, in whatever epoch.
    pub fn newest_of(&self, node: NodeId) -> Option<&Enrolled> {
        self.newest_at(node, Hlc::MAX)
    }

    /// The enrolment of a node that was issued last by then.
    pub(crate) fn newest_at(&self, node: NodeId, at: Hlc) -> Option<&Enrolled> {
        self.all_of(node).filter(|e| e.issued <= at).max_by_key(|e| (e.issued, e.id))
    }

    /// The latest enrolment of the newest epoch up to this one in which a node was ever enrolled.
    pub fn last_until(&self, node: NodeId, epoch: u32) -> Option<&Enrolled> {
        let last = self.epochs_of(node).take_while(|enrolled| *enrolled <= epoch).last()?;
        self.enrolment_of((node, last))
    }

    /// The epochs in which a node was ever enrolled, rising.
    pub fn epochs_of(&self, node: NodeId) -> impl Iterator<Item = u32> {
        self.by_writer.range((node, 0)..=(node, u32::MAX)).map(|((_, epoch), _)| *epoch)
    }

    /// Whether a node was enrolled and is cut off in every epoch of it: whoever holds its keys has no word left.
    pub fn is_cut_off(&self, node: NodeId) -> bool {
        let mut epochs = self.epochs_of(node).peekable();
        epochs.peek().is_some() && epochs.all(|epoch| self.cuts.contains_key(&(node, epoch)))
    }

    fn all_of(&self, node: NodeId) -> impl Iterator<Item = &Enrolled> {
        let epochs = self.by_writer.range((node, 0)..=(node, u32::MAX));
        epochs.flat_map(|(_, places)| places).map(|place| &self.enrolments[*place])
    }

    fn enrolments_of(&self, writer: Writer) -> impl Iterator<Item = &Enrolled> {
        let places = self.by_writer.get(&writer).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.enrolments[*place])
    }

    /// The units of all accepted enrolments of a node, in whatever epoch.
    pub(crate) fn units_of(&self, node: NodeId) -> impl Iterator<Item = UnitIx> {
        self.all_of(node).map(|enrolled| enrolled.unit)
    }

    /// The unit the writer is enrolled for and holds the word over at `at`; of several the one of the
    /// latest enrolment.
    pub fn office_at(&mut self, tree: &Tree, writer: Writer, at: Hlc) -> Option<UnitIx> {
        let mut of_writer: Vec<(Hlc, FactId, UnitIx)> =
            self.enrolments_of(writer).map(|e| (e.issued, e.id, e.unit)).collect();
        of_writer.sort_unstable();
        let units = of_writer.into_iter().rev().map(|(_, _, unit)| unit);
        let unit = units.into_iter().find(|unit| self.speaks(tree, writer, *unit, at))?;
        Some(tree.heir_at(unit, at))
    }

    /// The node that serves a unit at a clock reading: the deepest enrolled at or above it.
    pub fn server_of(&self, tree: &Tree, unit: UnitIx, at: Hlc) -> Option<&Enrolled> {
        let path = tree.path_at(unit, 0, at);
        path.iter().find_map(|above| self.active(tree, *above, at, at).into_iter().next())
    }

    /// Whether any node is enrolled for just this unit at `at`.
    pub(crate) fn is_served(&self, tree: &Tree, unit: UnitIx, at: Hlc) -> bool {
        !self.active(tree, unit, at, at).is_empty()
    }

    /// Enrolments for just this unit, or one that it follows one to one by `read` (U4), that hold at `at`, the
    /// latest issued first. Expired ones hold the place (nobody else gets the word).
    fn active(&self, tree: &Tree, unit: UnitIx, at: Hlc, read: Hlc) -> Vec<&Enrolled> {
        let here = self.places_of(unit).iter();
        let forebears = tree.forebears(unit);
        let acting = forebears.iter().filter(|(old, _)| tree.heir_at(*old, read) == unit);
        let carried = acting.flat_map(|(old, _)| self.places_of(*old));
        let mut active: Vec<&Enrolled> = here
            .chain(carried)
            .map(|place| &self.enrolments[*place])
            .filter(|enrolled| self.holds(enrolled, at))
            .collect();
        active.sort_by_key(|e| std::cmp::Reverse((e.issued, e.id)));
        active
    }

    fn places_of(&self, unit: UnitIx) -> &[usize] {
        self.by_unit.get(&unit).map_or(&[][..], Vec::as_slice)
    }

    fn holds(&self, enrolled: &Enrolled, at: Hlc) -> bool {
        let writer = (enrolled.enrolment.node, enrolled.enrolment.epoch);
        let cut = self.cuts.get(&writer).is_some_and(|cut| cut.word_ends < at);
        Hlc::at(enrolled.enrolment.not_before) <= at
            && enrolled.withdrawn.is_none_or(|withdrawn| at < withdrawn)
            && !cut
    }

    /// Whether the writer's enrolment of these, with its renewals, covers `at`.
    fn is_fresh(here: &[&Enrolled], writer: Writer, at: Hlc) -> bool {
        let of_writer = here.iter().filter(|e| (e.enrolment.node, e.enrolment.epoch) == writer);
        of_writer.map(|e| e.enrolment.expires).max().is_some_and(|end| at.millis() < end)
    }

    /// The spans of the clock in which the writer may state facts about the unit: it serves it, or did
    /// until a move or a new enrolment less than the hand-over ago.
    pub fn word(&mut self, tree: &Tree, writer: Writer, unit: UnitIx) -> &Intervals {
        let seat = self.seat(tree, unit);
        let known = self.words.get(&seat).is_some_and(|words| words.contains_key(&writer));
        let fresh = (!known).then(|| self.compute_word(tree, writer, seat));
        let words = self.words.entry(seat).or_default();
        let word = words.entry(writer).or_default();
        if let Some(fresh) = fresh {
            *word = fresh;
        }
        word
    }

    /// The unit at or above this one over which everybody's word is the same and which has a word of its
    /// own: a unit of one registration that never moved and for which nobody is enrolled has not.
    fn seat(&self, tree: &Tree, unit: UnitIx) -> UnitIx {
        let mut seat = unit;
        // levels bound the depth; the bound guards against aliases that tie a knot
        for _ in 0..16 {
            let here = tree.unit(seat);
            let [only] = here.registrations.as_slice() else { break };
            let Some(parent) = only.parent else { break };
            let follows = here.succeeded.is_some() || !tree.forebears(seat).is_empty();
            if !here.moves.is_empty() || self.by_unit.contains_key(&seat) || follows {
                break;
            }
            seat = parent;
        }
        seat
    }

    /// Whether the writer may state facts about the unit at `at`.
    pub fn speaks(&mut self, tree: &Tree, writer: Writer, unit: UnitIx, at: Hlc) -> bool {
        self.word(tree, writer, unit).contains(at)
    }

    pub(crate) fn forget_words(&mut self) {
        self.words.clear();
    }

    /// The unit was registered: words over it may be others now, those over the rest stay.
    pub(crate) fn forget_words_over(&mut self, unit: UnitIx) {
        self.words.remove(&unit);
    }

    fn compute_word(&self, tree: &Tree, writer: Writer, unit: UnitIx) -> Intervals {
        let marks: Vec<Hlc> = self.marks(tree, unit).into_iter().collect();
        let mut word = Intervals::default();
        for (place, from) in marks.iter().enumerate() {
            let to = marks.get(place + 1).copied().unwrap_or(Hlc::MAX);
            if self.speaks_at(tree, writer, unit, *from) {
                word.push(*from, to);
            }
        }
        word
    }

    /// Every clock reading at which the word over this unit may pass from one to another.
    fn marks(&self, tree: &Tree, unit: UnitIx) -> BTreeSet<Hlc> {
        let mut marks = BTreeSet::from([Hlc::ZERO]);
        let mut seen = BTreeSet::new();
        let mut open = vec![unit];
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            let here = tree.unit(at);
            open.extend(here.registrations.iter().filter_map(|r| r.parent));
            if let Some(succession) = tree.succession_of(at) {
                let hlc = succession.stamp.hlc;
                marks.extend([hlc, hlc.plus_millis(self.hand_over)]);
                open.extend(&succession.new);
            }
            for (forebear, hlc) in tree.forebears(at) {
                marks.extend([hlc, hlc.plus_millis(self.hand_over)]);
                open.push(forebear);
            }
            for moved in &here.moves {
                marks.extend([moved.stamp.hlc, moved.stamp.hlc.plus_millis(self.hand_over)]);
                for (_, unmoved) in &here.unmoved {
                    marks.extend([*unmoved, unmoved.plus_millis(self.hand_over)]);
                }
                open.extend(moved.parent);
            }
            for place in self.by_unit.get(&at).map_or(&[][..], Vec::as_slice) {
                let enrolled = &self.enrolments[*place];
                let writer = (enrolled.enrolment.node, enrolled.enrolment.epoch);
                marks.extend([
                    Hlc::at(enrolled.enrolment.not_before),
                    Hlc::at(enrolled.enrolment.expires),
                    enrolled.issued,
                    enrolled.issued.plus_millis(self.hand_over),
                ]);
                marks.extend(enrolled.withdrawn);
                marks.extend(self.cuts.get(&writer).map(|cut| Hlc(cut.word_ends.0 + 1)));
            }
        }
        marks
    }

    fn speaks_at(&self, tree: &Tree, writer: Writer, unit: UnitIx, at: Hlc) -> bool {
        let registrations = tree.unit(tree.heir_at(unit, at)).registrations.len().max(1);
        (0..registrations)
            .any(|registration| self.speaks_under(tree, writer, unit, registration, at))
    }

    /// Whether the writer may state facts about the unit at `at` by the path of one of its registrations.
    fn speaks_under(
        &self,
        tree: &Tree,
        writer: Writer,
        unit: UnitIx,
        registration: usize,
        at: Hlc,
    ) -> bool {
        let now = tree.path_at(unit, registration, at);
        if self.speaks_on_path(tree, &now, writer, (at, at)) {
            return true;
        }
        recent_moves(tree, &now, at, self.hand_over).into_iter().any(|before| {
            let then = tree.path_at(unit, registration, before);
            self.speaks_on_path(tree, &then, writer, (at, before))
        })
    }

    /// U1: the registrations of a unit by whose path the writer has the word at `at`, bit n for the n-th. What a
    /// writer says of a unit of one registration is said under that.
    pub(crate) fn told_under(&self, tree: &Tree, writer: Writer, unit: UnitIx, at: Hlc) -> Under {
        let registrations = tree.unit(unit).registrations.len().min(32);
        if registrations < 2 {
            return Under(1);
        }
        let speaks =
            |registration: &usize| self.speaks_under(tree, writer, unit, *registration, at);
        Under((0..registrations).filter(speaks).fold(0, |bits, place| bits | 1 << place))
    }

    /// Walks up: the deepest enrolled unit has the word; those it took it from keep it for the hand-over. The path
    /// is that of the second clock.
    fn speaks_on_path(
        &self,
        tree: &Tree,
        path: &[UnitIx],
        writer: Writer,
        (at, read): (Hlc, Hlc),
    ) -> bool {
        for unit in path {
            let active = self.active(tree, *unit, at, read);
            // what a succession carries takes nothing from who is enrolled for the unit itself
            let mut taken: BTreeMap<UnitIx, Hlc> = BTreeMap::new();
            for enrolled in &active {
                let same = (enrolled.enrolment.node, enrolled.enrolment.epoch) == writer;
                let since = [enrolled.unit, *unit].iter().filter_map(|at| taken.get(at)).min();
                let in_time = since.is_none_or(|since| at < since.plus_millis(self.hand_over));
                taken.insert(enrolled.unit, enrolled.issued);
                if same && in_time {
                    return Self::is_fresh(&active, writer, at);
                }
            }
            // the first enrolment here took the word from above
            let first = active.last().map(|enrolled| enrolled.issued);
            let handed_over = first.is_some_and(|since| since.plus_millis(self.hand_over) <= at);
            if handed_over {
                return false;
            }
        }
        false
    }
}

/// The readings just before each move or succession on this path that is younger than the hand-over.
fn recent_moves(tree: &Tree, path: &[UnitIx], at: Hlc, hand_over: Millis) -> Vec<Hlc> {
    let is_recent = |hlc: Hlc| hlc <= at && at < hlc.plus_millis(hand_over);
    path.iter()
        .flat_map(|at| tree.changed_at(*at))
        .filter(|hlc| is_recent(*hlc))
        .map(|hlc| Hlc(hlc.0.saturating_sub(1)))
        .collect()
}

impl Authority {
    /// The same with its enrolments in order of issue: places by unit are told anew.
    pub(crate) fn resorted(mut self) -> Self {
        self.by_unit.clear();
        self.by_writer.clear();
        for (place, enrolled) in self.enrolments.iter().enumerate() {
            let writer = (enrolled.enrolment.node, enrolled.enrolment.epoch);
            self.by_unit.entry(enrolled.unit).or_default().push(place);
            self.by_writer.entry(writer).or_default().push(place);
        }
        self.words.clear();
        self
    }
}
