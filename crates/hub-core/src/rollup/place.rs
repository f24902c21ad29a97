//! Units under their parents on a day (U1, U2).

use super::Work;
use crate::time::Day;
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

impl Work<'_> {
    /// U1 and U2: each unit under its parent on the day of the boundaries.
    pub(super) fn place_units(&mut self, boundaries: Day) -> BTreeMap<UnitIx, Vec<UnitIx>> {
        let mut rivals = BTreeMap::new();
        for at in 0..self.tree.units.len() {
            let unit = at as UnitIx;
            let registrations = self.tree.unit(unit).registrations.len();
            let level = self.tree.unit(unit).level();
            // an alias may lead to a unit that is no higher: no parent, else a path would not end
            let is_higher = |p: &UnitIx| {
                self.tree.unit(*p).level().is_some_and(|above| level.is_none_or(|own| above < own))
            };
            let parent_under = |r: usize| {
                let parent = self.tree.parent_on(unit, r, boundaries);
                parent.map(|p| self.tree.canonical(p)).filter(is_higher)
            };
            let chosen = match registrations {
                0 | 1 => 0,
                _ => self.chosen_registration(unit, boundaries),
            };
            self.parents[at] = parent_under(chosen);
            let others: Vec<UnitIx> = (0..registrations)
                .filter(|r| *r != chosen)
                .filter_map(parent_under)
                .filter(|parent| Some(*parent) != self.parents[at])
                .collect();
            if !others.is_empty() {
                rivals.insert(unit, others);
            }
        }
        rivals
    }

    /// U1: the registration of the union that F4 counts; else the earliest.
    fn chosen_registration(&self, unit: UnitIx, boundaries: Day) -> usize {
        let registrations = &self.tree.unit(unit).registrations;
        let own = self.own_of.get(&unit).map(|at| self.view.branches().branch(*at));
        let approved_by = own.and_then(|own| own.approvals.first()).map(|a| a.by);
        let applied_to = own.and_then(|own| own.applied.first()).map(|(_, to)| *to);
        let speaks_for = |r: &usize| {
            let Some(parent) = self.tree.parent_on(unit, *r, boundaries) else { return false };
            let path = self.tree.path_on(parent, boundaries);
            applied_to.or(approved_by).is_some_and(|unit| path.contains(&unit))
        };
        let fitting: Vec<usize> = (0..registrations.len()).filter(speaks_for).collect();
        let earliest = |r: &usize| (registrations[*r].hlc, registrations[*r].id);
        let all: Vec<usize> = (0..registrations.len()).collect();
        let among = if fitting.is_empty() { &all } else { &fitting };
        among.iter().copied().min_by_key(earliest).unwrap_or(0)
    }

    pub(super) fn path(&self, unit: UnitIx) -> impl Iterator<Item = UnitIx> + '_ {
        std::iter::successors(Some(unit), |at| self.parents[*at as usize])
    }
}
