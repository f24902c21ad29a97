//! Moves of units: who may state them and which registrations they act on (DESIGN §9, U2).

use super::Resolver;
use crate::fact::{FactBody, UnitFact};
use crate::id::FactId;
use crate::time::Hlc;
use crate::view::tree::{Move, Stamp, UnitIx};
use crate::view::verdict::Reason;

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
        if let Some(to) = parent {
            if self.tree.unit(to).level().is_none_or(|above| above >= level) {
                return Err(Reason::WrongLevel);
            }
            registrations = self.moved_registrations(unit, to, own, (hlc, fact.id));
            if registrations == 0 {
                return Err(Reason::NoAuthority);
            }
        } else if !self.tree.is_at_or_above(own, unit, hlc) {
            return Err(Reason::NoAuthority);
        }
        self.lay_move(place, unit, Some(own), registrations);
        Ok(())
    }

    /// Takes a move that stands out of the tree, so that it is judged anew; says whether the fact is one.
    pub(super) fn lift_move(&mut self, place: u32) -> bool {
        let fact = &self.facts[place as usize];
        let FactBody::Unit(UnitFact::Moved { unit, .. }) = &fact.fact.body else { return false };
        let Some(unit) = self.tree.find_registered(unit) else { return false };
        let unit = &mut self.tree.units[unit as usize];
        unit.moves.retain(|moved| moved.stamp.id != fact.id);
        unit.unmoved.retain(|(moved, _)| *moved != fact.id);
        self.withdrawn_later.retain(|(later, _)| *later != place);
        self.authority.forget_words();
        true
    }

    pub(super) fn lay_move(
        &mut self,
        place: u32,
        unit: UnitIx,
        by: Option<UnitIx>,
        registrations: u32,
    ) {
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
        if let Some(withdrawal) = self.withdrawn(place, by) {
            self.withdrawn_later.push((place, withdrawal.id));
            self.tree.units[unit as usize].unmoved.push((stamp.id, withdrawal.hlc));
            self.authority.forget_words();
        }
    }

    /// Those registrations stated before the move whose old parent and the new one lie strictly below a unit
    /// the writer serves.
    fn moved_registrations(
        &self,
        unit: UnitIx,
        to: UnitIx,
        own: UnitIx,
        moved: (Hlc, FactId),
    ) -> u32 {
        let at = moved.0;
        let new_path = self.tree.path_at(to, 0, at);
        let serves_common = |old: UnitIx| {
            let old_path = self.tree.path_at(old, 0, at);
            let common = new_path.iter().skip(1).find(|u| old_path[1..].contains(u));
            common.is_some_and(|common| self.tree.path_at(*common, 0, at).contains(&own))
        };
        let known = self.tree.unit(unit).registrations.iter().take(32).enumerate();
        known
            .filter(|(_, registration)| (registration.hlc, registration.id) < moved)
            .filter(|(place, _)| self.tree.parent_at(unit, *place, at).is_some_and(serves_common))
            .fold(0, |bits, (place, _)| bits | 1 << place)
    }
}
