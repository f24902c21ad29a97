//! What once stood above a unit: nodes there have enrolled, registered and approved for it, in lanes of theirs.

use super::authority::Authority;
use super::tree::{Tree, UnitIx};
use crate::time::Hlc;
use std::collections::{BTreeMap, BTreeSet};

impl Authority {
    /// The units that stood above this one, or above what it once reported to, before a change on the way up
    /// (a move, one taken back, a succession), each with the clock at which the hand-over after the latest such
    /// change ends: until then its node may have the word. What stands above it still is among them, if it
    /// did so before the change too.
    pub fn formerly_above(&self, tree: &Tree, unit: UnitIx, at: Hlc) -> BTreeMap<UnitIx, Hlc> {
        let mut above: BTreeMap<UnitIx, Hlc> = BTreeMap::new();
        let (mut open, mut seen) = (vec![at], BTreeSet::new());
        while let Some(at) = open.pop() {
            for registration in 0..tree.unit(unit).registrations.len().max(1) {
                let path = tree.path_at(unit, registration, at);
                let changes = path.iter().flat_map(|on| tree.changed_at(*on));
                for change in changes.filter(|change| *change <= at) {
                    let before = Hlc(change.0.saturating_sub(1));
                    let until = change.plus_millis(self.hand_over());
                    for former in tree.path_at(unit, registration, before).into_iter().skip(1) {
                        let known = above.entry(former).or_insert(until);
                        *known = until.max(*known);
                    }
                    if seen.insert(before) {
                        open.push(before);
                    }
                }
            }
        }
        above
    }
}

impl Tree {
    /// The clocks at which the way up from a unit changed: it moved, a move was taken back, or it followed
    /// another one to one.
    pub(crate) fn changed_at(&self, unit: UnitIx) -> Vec<Hlc> {
        let known = self.unit(unit);
        let moves = known.moves.iter().map(|moved| moved.stamp.hlc);
        let followed = self.forebears(unit).into_iter().map(|(_, hlc)| hlc);
        moves.chain(known.unmoved.iter().map(|(_, at)| *at)).chain(followed).collect()
    }
}
