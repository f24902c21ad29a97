//! Who is below, and who holds what.

use super::{Seat, Seats, join};
use crate::id::{ChainId, FactId, Lane, NodeId, UnitId};
use crate::time::{Day, Hlc};
use crate::view::View;
use crate::view::restated::Restating;
use crate::view::tree::{Tree, UnitIx};
use std::collections::{BTreeMap, BTreeSet};

/// Whether what flowed down a lane came to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Never,
    Perhaps,
    Surely,
}

/// The units that nodes serve, as this node sees them now.
pub(super) struct Places {
    pub(super) own: UnitIx,
    now: Hlc,
    /// Units strictly below the own one that a node is enrolled for.
    below: BTreeSet<UnitIx>,
    /// Nodes that have others below them.
    above_others: BTreeSet<UnitIx>,
    seats: BTreeMap<UnitIx, Seats>,
    holds: BTreeMap<(UnitIx, ChainId), bool>,
    ours: BTreeMap<(UnitIx, ChainId), bool>,
    /// Heights up to which chains are held without gaps.
    whole: BTreeMap<ChainId, u64>,
}

impl Places {
    /// None where the node serves nothing now.
    pub(super) fn of(view: &mut View, node: NodeId, now: Hlc) -> Option<Self> {
        let epochs: Vec<u32> = view.authority.epochs_of(node).collect();
        let own = epochs.into_iter().rev().find_map(|epoch| {
            let (tree, authority) = (&view.tree, &mut view.authority);
            authority.office_at(tree, (node, epoch), now)
        })?;
        let tree = &view.tree;
        let server = view.authority.server_of(tree, own, now)?;
        if server.enrolment.node != node {
            return None;
        }
        let enrolled: BTreeSet<UnitIx> =
            view.authority.enrolments.iter().map(|enrolled| enrolled.unit).collect();
        let below: BTreeSet<UnitIx> = enrolled
            .into_iter()
            .filter(|unit| *unit != own && view.authority.is_served(&view.tree, *unit, now))
            .filter(|unit| reports_to(tree, *unit, own, now))
            .collect();
        let has_below = |unit: &&UnitIx| {
            below.iter().any(|other| other != *unit && reports_to(tree, *other, **unit, now))
        };
        let above_others = below.iter().filter(has_below).copied().collect();
        Some(Self {
            own,
            now,
            below,
            above_others,
            seats: BTreeMap::new(),
            holds: BTreeMap::new(),
            ours: BTreeMap::new(),
            whole: BTreeMap::new(),
        })
    }

    /// Units with a node of their own, each with the nodes between it and this one: those learn where it
    /// stands in their own lanes, for by that they tell what flows on to it.
    pub(super) fn nested(&self, tree: &Tree) -> Vec<(UnitIx, UnitIx)> {
        let mut nested = Vec::new();
        for above in &self.above_others {
            let below = self.below.iter().filter(|unit| *unit != above);
            let below = below.filter(|unit| reports_to(tree, **unit, *above, self.now));
            nested.extend(below.map(|unit| (*unit, *above)));
        }
        nested
    }

    /// Whether any node stands below.
    pub(super) fn has_below(&self) -> bool {
        !self.below.is_empty()
    }

    /// Whether a unit is the own one or above it: what is told to it comes past all below.
    pub(super) fn is_from_above(&self, tree: &Tree, unit: UnitIx) -> bool {
        tree.is_at_or_above(unit, self.own, self.now)
    }

    /// Whether a restatement is by a node above the one of a unit.
    pub(super) fn is_by_one_above(&self, view: &View, unit: UnitIx, by: &Restating) -> bool {
        let mut units = view.authority.units_of(by.id.chain.node);
        units.any(|above| above != unit && reports_to(&view.tree, unit, above, self.now))
    }

    /// Whether what was restated in some lane reached the node of a unit: blocks go where the lane leads when
    /// they pass, by what those who pass them on know then.
    pub(super) fn told(&self, tree: &Tree, seat: UnitIx, by: &Restating) -> Reached {
        let Lane::Down(audience) = by.id.chain.lane else { return Reached::Never };
        let flows = |at: Hlc| self.comparable(tree, seat, &audience, at);
        match (flows(by.hlc), flows(self.now)) {
            (false, false) => Reached::Never,
            (true, true) if self.is_settled(tree, seat, &audience) => Reached::Surely,
            _ => Reached::Perhaps,
        }
    }

    /// Whether a lane has led to the node of a unit ever since anybody knew what it is for: it is for that unit,
    /// for one above it, or for one below it that was registered once and has stayed where it was.
    fn is_settled(&self, tree: &Tree, seat: UnitIx, audience: &UnitId) -> bool {
        let Some(found) = tree.find_registered(audience) else { return false };
        if tree.unit(found).id != *audience || tree.is_at_or_above(found, seat, self.now) {
            return tree.unit(found).id == *audience;
        }
        let mut at = found;
        while at != seat {
            let unit = tree.unit(at);
            let stayed = unit.moves.is_empty() && unit.unmoved.is_empty();
            let [only] = unit.registrations.as_slice() else { return false };
            match only.parent {
                Some(parent) if stayed && tree.heir_at(at, self.now) == at => at = parent,
                _ => return false,
            }
        }
        true
    }

    /// The lane meant, or the node's own where what the lane is for stands here no longer.
    pub(super) fn lane(&self, tree: &Tree, seat: UnitIx, audience: UnitId) -> UnitId {
        let at = tree.find_registered(&audience);
        let is_here = at.is_some_and(|at| {
            at != self.own
                && tree.is_at_or_above(self.own, at, self.now)
                && self.comparable(tree, seat, &audience, self.now)
                && self.is_settled(tree, seat, &audience)
        });
        if is_here { audience } else { tree.unit(seat).id }
    }

    /// Of all nodes below those under no other.
    pub(super) fn topmost(&self, tree: &Tree) -> Vec<UnitIx> {
        let under = |unit: &UnitIx| {
            let others = self.above_others.iter().filter(|other| *other != unit);
            others.into_iter().any(|other| reports_to(tree, *unit, *other, self.now))
        };
        self.below.iter().filter(|unit| !under(unit)).copied().collect()
    }

    /// The nodes below that serve a unit or ever did, by any of its registrations, with the audience in
    /// whose lane each is told of it.
    pub(super) fn seats(&mut self, tree: &Tree, unit: UnitIx) -> Seats {
        if let Some(known) = self.seats.get(&unit) {
            return known.clone();
        }
        let mut seats = Seats::new();
        let mut seen: BTreeMap<UnitIx, Day> = BTreeMap::new();
        let mut open = vec![(tree.canonical(unit), Day::OPEN)];
        while let Some((at, until)) = open.pop() {
            if at == self.own || seen.get(&at).is_some_and(|known| *known >= until) {
                continue;
            }
            seen.insert(at, until);
            let mut parents = parents_until(tree, at);
            if self.below.contains(&at) {
                let audience = self.audience(tree, at, unit);
                join(&mut seats, &Seats::from([(at, Seat { audience, until })]), until);
                // those above hold what this node holds, unless it once reported elsewhere
                let path = tree.path_at(at, 0, self.now);
                parents.retain(|parent, _| !path.contains(parent));
            }
            open.extend(parents.into_iter().map(|(parent, day)| (parent, day.min(until))));
            open.extend(followers(tree, at).into_iter().map(|heir| (heir, until)));
        }
        self.seats.insert(unit, seats.clone());
        seats
    }

    /// In the lane of the node's own unit; where others stand below that, in the unit's own, so that they
    /// do not hear of it.
    fn audience(&self, tree: &Tree, seat: UnitIx, unit: UnitIx) -> UnitId {
        let unit = tree.canonical(unit);
        let narrower = self.above_others.contains(&seat)
            && tree.unit(unit).origin.is_some()
            && tree.is_at_or_above(seat, unit, self.now);
        tree.unit(if narrower { unit } else { seat }).id
    }

    /// Whether the node of a unit holds this chain: of a node at or below it, or of a down lane that
    /// flows to it.
    pub(super) fn holds(&mut self, view: &View, seat: UnitIx, chain: &ChainId, at: Hlc) -> bool {
        let flows = |place: &mut Self, at: Hlc| match chain.lane {
            Lane::Up => false,
            Lane::Down(audience) => {
                place.comparable(&view.tree, seat, &audience, at)
                    && place.is_settled(&view.tree, seat, &audience)
            }
        };
        let from_below = match self.holds.get(&(seat, *chain)) {
            Some(known) => *known,
            None => {
                let tree = &view.tree;
                let below = |unit: UnitIx| reports_to(tree, unit, seat, self.now);
                let known = view.authority.units_of(chain.node).any(below);
                self.holds.insert((seat, *chain), known);
                known
            }
        };
        // what flowed past before the unit came here is not sent again, nor is what brings it here
        from_below || (flows(self, Hlc(at.0.saturating_sub(1))) && flows(self, self.now))
    }

    fn comparable(&self, tree: &Tree, seat: UnitIx, audience: &UnitId, at: Hlc) -> bool {
        tree.find(audience).is_some_and(|audience| {
            tree.is_at_or_above(seat, audience, at) || tree.is_at_or_above(audience, seat, at)
        })
    }

    /// Whether it is this node that restates a fact to the node of a unit below: that one lacks it, and
    /// so does every node between.
    pub(super) fn is_ours(&mut self, view: &View, seat: UnitIx, fact: &FactId, at: Hlc) -> bool {
        let up = fact.chain.lane == Lane::Up;
        if up && let Some(known) = self.ours.get(&(seat, fact.chain)) {
            return *known;
        }
        let tree = &view.tree;
        let mut between: Vec<UnitIx> = self
            .below
            .iter()
            .filter(|unit| reports_to(tree, seat, **unit, self.now))
            .copied()
            .collect();
        between.retain(|unit| *unit != self.own);
        let ours = !between.into_iter().any(|unit| self.holds(view, unit, &fact.chain, at));
        if up {
            self.ours.insert((seat, fact.chain), ours);
        }
        ours
    }

    /// Whether a chain is held here without gaps up to this height.
    pub(super) fn is_whole(&mut self, view: &View, chain: &ChainId, height: u64) -> bool {
        let whole = *self.whole.entry(*chain).or_insert_with(|| {
            let heights = view.heights.get(chain).into_iter().flatten().map(|(height, _)| *height);
            (1..).zip(heights).take_while(|(next, found)| next == found).count() as u64
        });
        height <= whole
    }
}

/// Whether a unit's node is the node of another unit, or reports to it: by its first registration.
fn reports_to(tree: &Tree, unit: UnitIx, above: UnitIx, now: Hlc) -> bool {
    unit == above || tree.path_at(unit, 0, now).contains(&above)
}

/// Every parent a unit ever had, with the first day from which it no longer had it.
fn parents_until(tree: &Tree, unit: UnitIx) -> BTreeMap<UnitIx, Day> {
    let known = tree.unit(unit);
    let mut days: BTreeSet<Day> = known.moves.iter().map(|moved| moved.stamp.day).collect();
    days.extend(known.unmoved.iter().map(|(_, at)| at.day()));
    let mut parents = BTreeMap::new();
    for registration in 0..known.registrations.len() {
        let begins = std::iter::once(Day(i32::MIN)).chain(days.iter().copied());
        let ends = days.iter().copied().chain([Day::OPEN]);
        for (begin, end) in begins.zip(ends) {
            let Some(parent) = tree.parent_on(unit, registration, begin) else { continue };
            let until = parents.entry(tree.canonical(parent)).or_insert(end);
            *until = (*until).max(end);
        }
    }
    parents
}

/// What follows a unit (U4): what named it stands there, or above there, from then on.
fn followers(tree: &Tree, unit: UnitIx) -> Vec<UnitIx> {
    let succession = tree.succession_of(unit).into_iter();
    succession.flat_map(|succession| &succession.new).map(|new| tree.canonical(*new)).collect()
}

/// Every parent a unit ever had, under any registration.
pub(super) fn parents_ever(tree: &Tree, unit: UnitIx) -> Vec<UnitIx> {
    let unit = tree.unit(unit);
    let registered = unit.registrations.iter().filter_map(|registration| registration.parent);
    let moved = unit.moves.iter().filter_map(|moved| moved.parent);
    registered.chain(moved).map(|parent| tree.canonical(parent)).collect()
}
