//! U4: units that follow others, one to one and in other shapes, from a day.

use super::Maker;
use hub_core::fact::unit::{Level, Succession};
use hub_core::fact::{FactBody, UnitFact};
use hub_core::id::UnitId;
use hub_core::time::Day;

impl Maker {
    /// One unit follows one, one is split, several become one; at times a unit follows itself or one of a
    /// lower level.
    pub(super) fn succeed(&mut self) {
        let level = self.rng.pick(&[Level::Township, Level::Enterprise, Level::Enterprise]);
        let (how, olds, news) = match self.rng.below(6) {
            0..3 => (Succession::Merger, 1, 1),
            3 => (Succession::Merger, 2, 1),
            4 => (Succession::Split, 1, 2),
            _ => (Succession::Redraw, 2, 2),
        };
        if self.rng.one_in(2) {
            self.register(level);
        }
        let old = self.some_places(level, olds);
        let odd = if self.rng.one_in(12) { Level::County } else { level };
        let mut new = self.some_places(odd, news);
        if !self.rng.one_in(10) {
            new.retain(|place| !old.contains(place));
        }
        let Some(first) = old.first().copied() else { return };
        if new.is_empty() {
            return;
        }
        let all: Vec<usize> = old.iter().chain(&new).copied().collect();
        let by = self.common_superior(&all);
        let ids = |places: &[usize]| places.iter().map(|at| self.places[*at].id).collect();
        let (old_ids, new_ids): (Vec<UnitId>, Vec<UnitId>) = (ids(&old), ids(&new));
        let day = Day(self.today().0 + self.rng.pick(&[0, -60, -10, 15]));
        let body = UnitFact::Succeeded { old: old_ids, new: new_ids, how };
        let fact = self.write_one(by, first, day, FactBody::Unit(body));
        let what = if old.len() == 1 && new.len() == 1 { "one follows one" } else { "succession" };
        self.tried(what, fact);
    }

    fn some_places(&mut self, level: Level, count: usize) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::new();
        for _ in 0..count {
            if let Some(place) = self.some_place(level)
                && !places.contains(&place)
            {
                places.push(place);
            }
        }
        places
    }

    /// The node that serves a unit above all of these; at times any.
    fn common_superior(&mut self, places: &[usize]) -> usize {
        if self.rng.one_in(8) {
            return self.rng.index(self.offices.len());
        }
        let above: Vec<Vec<usize>> =
            places.iter().map(|at| self.path(*at).into_iter().skip(1).collect()).collect();
        let mut common = above[0].iter().filter(|at| above.iter().all(|path| path.contains(at)));
        let at = common.next().copied().unwrap_or(0);
        self.server(at)
    }
}
