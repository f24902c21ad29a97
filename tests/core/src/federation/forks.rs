//! Nodes that run twice with one key: data directories copied, or put back from an older day.

use super::{Federation, Maker};
use crate::offices::Entry;
use hub_core::block::Block;
use hub_core::fact::FactBody;
use hub_core::fact::governance::{ChainHeight, GovernanceFact};
use hub_core::hash::sha256;
use hub_core::id::Lane;
use hub_core::time::DAY_MILLIS;

impl Federation {
    /// The federation of this seed in which nodes are copied and run twice.
    pub fn forked(seed: u64, acts: usize) -> Self {
        Self::forked_with(seed, acts, |_| true)
    }

    /// The same with some of its acts.
    pub fn forked_with(seed: u64, acts: usize, is_kept: impl Fn(usize) -> bool) -> Self {
        Self::made(seed, acts, true, is_kept)
    }

    /// All blocks: those at free places in the order written, then the other sides.
    pub fn all_blocks(&self) -> impl Iterator<Item = &Block> {
        self.order.iter().map(|place| &self.blocks[place]).chain(&self.sides)
    }
}

impl Maker {
    /// At times copies a node, has the other copy of one write, or has a superior name a side.
    pub(super) fn fork(&mut self) {
        if !self.forks {
            return;
        }
        // a copy may itself be copied: three sides, and forks within a side
        if self.rng.one_in(12) {
            let at = match self.rng.one_in(8) {
                true => 0,
                false => self.rng.index(self.offices.len()),
            };
            self.copies.push((at, self.offices[at].0.clone()));
        }
        for at in 0..self.copies.len() {
            if self.rng.one_in(3) {
                let (office, copy) = &mut self.copies[at];
                std::mem::swap(&mut self.offices[*office].0, copy);
            }
        }
        if self.copies.iter().any(|(office, _)| *office == 0) && self.rng.one_in(6) {
            self.begin_an_epoch_of_the_root();
        }
        if !self.copies.is_empty() && self.rng.one_in(5) {
            self.name_a_side();
        }
    }

    /// The root goes on in a new epoch, by the pinned key: there it may name a side of what it signed before.
    fn begin_an_epoch_of_the_root(&mut self) {
        let mut root = self.offices[0].0.pinned_epoch();
        let place = self.offices[0].1;
        let enrolled = root.enrolment(self.now, self.now + 3_650 * DAY_MILLIS);
        let entry = Entry::new(self.today(), self.places[place].id, enrolled);
        let lane = Lane::Down(self.places[place].id);
        if let Ok(block) = root.seal(self.federation, lane, self.now, &[entry]) {
            self.keep(block);
            self.offices[0].0 = root;
        }
    }

    /// The node above one that runs twice states how far it holds its chains: those of one copy.
    fn name_a_side(&mut self) {
        let at = self.rng.index(self.copies.len());
        let (office, copy) = (self.copies[at].0, &self.copies[at].1);
        let named = if self.rng.one_in(2) { copy } else { &self.offices[office].0 };
        let mut frontier: Vec<ChainHeight> = named
            .heads()
            .map(|(lane, head)| {
                let (chain, height, hash) = (named.chain(lane), head.height, head.hash);
                ChainHeight { chain, height, hash }
            })
            .collect();
        frontier.sort();
        if frontier.is_empty() {
            return;
        }
        if self.rng.one_in(20) {
            // a block that nobody has
            frontier[0].hash = sha256(&[b"no block", &frontier[0].hash.0]);
        }
        let place = self.offices[office].1;
        let parent = self.places[place].parent.unwrap_or(0);
        let by = self.server(parent);
        let digest = sha256(&[b"view"]);
        let stated = GovernanceFact::Checkpointed { frontier, digest, part: 1, parts: 1 };
        let (unit, today) = (self.places[self.offices[by].1].id, self.today());
        let entry = Entry::new(today, unit, FactBody::Governance(stated));
        let lane = Lane::Down(self.places[place].id);
        if let Ok(block) = self.offices[by].0.seal(self.federation, lane, self.now, &[entry]) {
            self.keep(block);
        }
    }
}
