//! Facts restated to nodes below: what is due, at times in the lane of somebody else.

use super::Maker;
use crate::offices::{Entry, view_of};
use hub_core::fact::FactBody;
use hub_core::id::Lane;
use hub_core::time::Hlc;

/// How many facts one act restates at most, and among how many nodes, the highest first, one is chosen.
const FACTS_MAX: usize = 6;
const NODES: usize = 3;

impl Maker {
    /// A node with others below it tells them what they lack.
    pub(super) fn restate(&mut self) {
        let by = self.rng.index(self.offices.len().min(NODES));
        let node = self.offices[by].0.node;
        let mut view = view_of(self.made.root_key, &self.made.blocks);
        let due = view.restatements_due(node, Hlc::at(self.now), &self.made.blocks);
        let (today, unit) = (self.today(), self.places[self.offices[by].1].id);
        for due in due.into_iter().take(FACTS_MAX) {
            let astray = self.rng.one_in(8);
            let audience = match astray {
                true => self.places[self.rng.index(self.places.len())].id,
                false => due.audience,
            };
            let entry = Entry::new(today, unit, FactBody::Governance(due.fact));
            let lane = Lane::Down(audience);
            let sealed = self.offices[by].0.seal(self.federation, lane, self.now, &[entry]);
            let Ok(block) = sealed else { return };
            let fact = block.fact_id(0);
            self.keep(block);
            self.tried(if astray { "restated astray" } else { "restated" }, Some(fact));
            self.statements.push((fact, self.offices[by].1));
        }
    }
}
