//! Moves of units, and which of a unit's registrations each moves.
//!
//! A registration may be resolved after a move that reaches it, for its writer stands lower: so moves are
//! extended whenever one comes, and the outcome does not hang on the order of resolution.

use super::Resolver;
use crate::fact::{FactBody, UnitFact};
use crate::time::Hlc;
use crate::view::tree::{Move, Stamp, UnitIx};
use crate::view::verdict::Reason;

/// A move in the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Laid {
    /// The fact's place.
    pub(super) place: u32,
    /// The new parent and its writer's office, where it is held; one told of names what it moves.
    pub(super) by: Option<(UnitIx, UnitIx)>,
}

impl Resolver<'_> {
    pub(super) fn judge_moved(&mut self, place: u32, own: UnitIx, hlc: Hlc) -> Result<(), Reason> {
        let fact = &self.facts[place as usize];
        let FactBody::Unit(UnitFact::Moved { unit, parent, .. }) = &fact.fact.body else {
            return Err(Reason::UnknownSubject);
        };
        let unit = self.tree.find_registered(unit).ok_or(Reason::UnknownSubject)?;
        let level = self.tree.unit(unit).level().ok_or(Reason::UnknownSubject)?;
        let parent = match parent {
            Some(parent) => Some(self.tree.find_registered(parent).ok_or(Reason::UnknownSubject)?),
            None => None,
        };
        let mut registrations = 0;
        let mut by = None;
        if let Some(to) = parent {
            if self.tree.unit(to).level().is_none_or(|above| above >= level) {
                return Err(Reason::WrongLevel);
            }
            registrations = self.moved_registrations(unit, to, own, hlc);
            if registrations == 0 {
                return Err(Reason::NoAuthority);
            }
            by = Some((to, own));
        } else if !self.tree.is_at_or_above(own, unit, hlc) {
            return Err(Reason::NoAuthority);
        }
        self.moves.entry(unit).or_default().push(Laid { place, by });
        self.lay_move(place, unit, registrations);
        Ok(())
    }

    pub(super) fn lay_move(&mut self, place: u32, unit: UnitIx, registrations: u32) {
        let fact = &self.facts[place as usize];
        let FactBody::Unit(UnitFact::Moved { parent, located_in, .. }) = &fact.fact.body else {
            return;
        };
        let parent = parent.as_ref().map(|p| self.tree.intern(p));
        let located_in = located_in.as_ref().map(|l| self.tree.intern(l));
        let stamp = Stamp { day: fact.fact.day, hlc: fact.fact.hlc, id: fact.id };
        let moves = &mut self.tree.units[unit as usize].moves;
        moves.push(Move { stamp, registrations, parent, located_in });
        moves.sort_by_key(|m| m.stamp);
        self.authority.forget_words();
        // judged with the move in force: nobody gets the word back by withdrawing what took it
        if let Some(withdrawal) = self.withdrawn(place, Some(unit)) {
            self.withdrawn_later.push((place, withdrawal.id));
            self.tree.units[unit as usize].unmoved.push((stamp.id, withdrawal.hlc));
            self.authority.forget_words();
        }
    }

    /// Those registrations whose old parent and the new one lie strictly below a unit the writer serves.
    fn moved_registrations(&self, unit: UnitIx, to: UnitIx, own: UnitIx, at: Hlc) -> u32 {
        let new_path = self.tree.path_at(to, 0, at);
        let serves_common = |old: UnitIx| {
            let old_path = self.tree.path_at(old, 0, at);
            let common = new_path.iter().skip(1).find(|u| old_path[1..].contains(u));
            common.is_some_and(|common| self.tree.path_at(*common, 0, at).contains(&own))
        };
        let count = self.tree.unit(unit).registrations.len().min(32);
        let olds = (0..count).map(|r| self.tree.parent_at(unit, r, at));
        olds.enumerate()
            .filter(|(_, old)| old.is_some_and(serves_common))
            .fold(0, |bits, (place, _)| bits | 1 << place)
    }

    /// Lets moves reach registrations of the unit that came after them.
    pub(super) fn extend_moves(&mut self, unit: UnitIx) {
        let mut laid = self.moves.get(&unit).cloned().unwrap_or_default();
        let facts = self.facts;
        laid.sort_by_key(|laid| {
            (facts[laid.place as usize].fact.hlc, facts[laid.place as usize].id)
        });
        for Laid { place, by } in laid {
            let fact = &facts[place as usize];
            let bits = match by {
                Some((to, own)) => self.moved_registrations(unit, to, own, fact.fact.hlc),
                None => self.told_registrations(place, unit),
            };
            let moves = &mut self.tree.units[unit as usize].moves;
            let here = moves.iter_mut().filter(|moved| moved.stamp.id == fact.id);
            here.for_each(|moved| moved.registrations |= bits);
        }
    }

    /// The registrations that a move told of names.
    fn told_registrations(&mut self, place: u32, unit: UnitIx) -> u32 {
        let stand_in = self.facts[place as usize].stand_in.as_ref();
        let under = stand_in.map_or(&[][..], |stand_in| &stand_in.under);
        let under: Vec<UnitIx> = under.iter().map(|id| self.tree.intern(id)).collect();
        let known = self.tree.unit(unit).registrations.iter().take(32).enumerate();
        let moved = known.filter(|(_, r)| r.parent.is_some_and(|p| under.contains(&p)));
        moved.fold(0, |bits, (at, _)| bits | 1 << at)
    }
}
