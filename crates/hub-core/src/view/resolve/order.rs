//! In which order the facts of one pass are judged: by what rests on what, never by arrival (DESIGN §9).

use super::Resolver;
use crate::fact::governance::GovernanceFact;
use crate::fact::unit::Level;
use crate::fact::{FactBody, UnitFact};
use crate::id::UnitId;
use crate::view::OrgFact;
use std::collections::BTreeMap;

/// In which order facts of one pass are judged, before clock and id: step, level of what is registered or moved,
/// registrations before moves, level of the writer.
pub(super) type Step = (u8, Level, u8, Level);

impl Resolver<'_> {
    /// Cuts by those above; level by level registrations and then moves, so that the way up from a parent is known
    /// before what is below it is judged; successions and aliases; cuts; enrolments in the order in which they
    /// were stated.
    pub(super) fn step(&self, body: &FactBody, writer: Level, pass: Level) -> Step {
        let top = Level::Province;
        match body {
            FactBody::Governance(GovernanceFact::NodeRevoked { .. }) if writer < pass => {
                (0, top, 0, writer)
            }
            FactBody::Unit(UnitFact::Registered { level, .. }) => (1, *level, 0, writer),
            FactBody::Unit(UnitFact::Moved { unit, .. }) => {
                let level = self.levels.get(unit).copied().unwrap_or(Level::Enterprise);
                (1, level, 1, top)
            }
            FactBody::Unit(_) => (2, top, 0, top),
            FactBody::Governance(GovernanceFact::NodeRevoked { .. }) => (3, top, 0, writer),
            _ => (4, top, 0, top),
        }
    }
}

/// The level that any registration gives a unit which a fact moves.
pub(super) fn levels(facts: &[OrgFact]) -> BTreeMap<UnitId, Level> {
    let mut levels: BTreeMap<UnitId, Level> = BTreeMap::new();
    for fact in facts {
        if let FactBody::Unit(UnitFact::Moved { unit, .. }) = &fact.fact.body {
            levels.insert(*unit, Level::Enterprise);
        }
    }
    if levels.is_empty() {
        return levels;
    }
    for fact in facts {
        if let FactBody::Unit(UnitFact::Registered { unit, level, .. }) = &fact.fact.body {
            levels.entry(*unit).and_modify(|known| *known = (*known).min(*level));
        }
    }
    levels
}
