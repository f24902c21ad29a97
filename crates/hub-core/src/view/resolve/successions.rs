//! Which successions stand: who may state them, and which of several that end one unit (U4).

use super::Resolver;
use crate::fact::{FactBody, UnitFact};
use crate::id::{FactId, UnitId};
use crate::time::Hlc;
use crate::view::succession::{Succession, Successions};
use crate::view::tree::{Stamp, UnitIx};
use crate::view::verdict::{Reason, Verdict};
use std::collections::BTreeSet;

impl Resolver<'_> {
    /// U4: whether its writer may state it.
    pub(super) fn judge_succeeded(
        &mut self,
        place: u32,
        own: UnitIx,
        hlc: Hlc,
    ) -> Result<(), Reason> {
        let judged = self.succession(place).and_then(|succession| {
            self.may_succeed(&succession, own, hlc)?;
            Ok(succession)
        });
        self.keep_succession(place, judged)
    }

    /// Keeps a succession for the next round, or no more.
    pub(super) fn keep_succession(
        &mut self,
        place: u32,
        judged: Result<Succession, Reason>,
    ) -> Result<(), Reason> {
        match judged {
            Ok(succession) => {
                self.successions.insert(place, succession);
                Ok(())
            }
            Err(reason) => {
                self.successions.remove(&place);
                Err(reason)
            }
        }
    }

    /// U4: of those whose writers may state them, which stand.
    pub(super) fn settled(&self) -> Successions {
        Successions::settle(self.successions.values().cloned().collect()).0
    }

    /// What a succession says, if all its units are registered and no new one is of a lower level than an
    /// old one.
    pub(super) fn succession(&self, place: u32) -> Result<Succession, Reason> {
        let fact = self.fact(place);
        let FactBody::Unit(UnitFact::Succeeded { old, new, how }) = &fact.fact.body else {
            return Err(Reason::UnknownSubject);
        };
        let known = |ids: &[UnitId]| {
            let found: Option<BTreeSet<UnitIx>> =
                ids.iter().map(|id| self.tree.find_registered(id)).collect();
            found.map(|found| found.into_iter().collect::<Vec<UnitIx>>())
        };
        let old = known(old).ok_or(Reason::UnknownSubject)?;
        let new = known(new).ok_or(Reason::UnknownSubject)?;
        if old.iter().any(|unit| new.contains(unit)) {
            return Err(Reason::Cycle);
        }
        let level = |unit: &UnitIx| self.tree.unit(*unit).level();
        if new.iter().filter_map(level).max() > old.iter().filter_map(level).min() {
            return Err(Reason::WrongLevel);
        }
        let stamp = Stamp { day: fact.fact.day, hlc: fact.fact.hlc, id: fact.id };
        Ok(Succession { stamp, old, new, how: *how })
    }

    /// U4: stated by a node serving a strict ancestor of every old and every new unit, as they stood before.
    fn may_succeed(&self, succession: &Succession, own: UnitIx, hlc: Hlc) -> Result<(), Reason> {
        let before = Hlc(hlc.0.saturating_sub(1));
        let is_below = |unit: &UnitIx| {
            self.tree.heir_at(*unit, before) != own && self.tree.is_at_or_above(own, *unit, before)
        };
        let all = succession.old.iter().chain(&succession.new).all(is_below);
        if all { Ok(()) } else { Err(Reason::NoAuthority) }
    }

    pub(super) fn park_left_out(&mut self, left_out: &BTreeSet<FactId>) {
        let places: Vec<u32> = self.successions.keys().copied().collect();
        for place in places {
            if left_out.contains(&self.fact(place).id) {
                self.verdicts.insert(place, Verdict::Parked(Reason::AlreadySucceeded));
            }
        }
    }
}
