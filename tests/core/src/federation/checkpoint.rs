//! Checkpoints: what a node holds, rightly and wrongly, whole, in parts and as excerpts.

use super::Maker;
use crate::offices::{Entry, view_of};
use hub_core::fact::FactBody;
use hub_core::fact::governance::{ChainHeight, GovernanceFact};
use hub_core::hash::sha256;
use hub_core::id::Lane;

impl Maker {
    /// A node states all that was written so far, with the digest of its view.
    pub(super) fn checkpoint(&mut self) {
        let by = self.rng.index(self.offices.len());
        let mut frontier: Vec<ChainHeight> = Vec::new();
        for ((chain, height), block) in &self.made.blocks {
            frontier.retain(|head| head.chain != *chain);
            frontier.push(ChainHeight { chain: *chain, height: *height, hash: block.hash() });
        }
        let wrong = self.rng.one_in(6);
        let digest = match wrong {
            true => sha256(&[b"another view"]),
            false => view_of(self.made.root_key, &self.made.blocks).digest(),
        };
        let stated = |heads: &[ChainHeight], part, parts| {
            let frontier = heads.to_vec();
            FactBody::Governance(GovernanceFact::Checkpointed { frontier, digest, part, parts })
        };
        let parts = match self.rng.below(3) {
            0 => frontier.chunks(frontier.len().div_ceil(2).max(1)).collect(),
            _ => vec![frontier.as_slice()],
        };
        let count = parts.len() as u32;
        let what = match (wrong, count) {
            (true, _) => "checkpoint of another view",
            (false, 1) => "checkpoint",
            (false, _) => "checkpoint in parts",
        };
        let bodies: Vec<FactBody> =
            parts.into_iter().zip(1..).map(|(heads, part)| stated(heads, part, count)).collect();
        self.state(by, Lane::Up, &bodies, what);
        if self.rng.one_in(2) {
            let (_, audience, _) = self.offices[self.rng.index(self.offices.len())];
            let lane = Lane::Down(self.places[audience].id);
            let excerpt = self.rng.index(frontier.len() + 1);
            self.state(by, lane, &[stated(&frontier[..excerpt], 1, 1)], "excerpt");
        }
    }

    fn state(&mut self, by: usize, lane: Lane, bodies: &[FactBody], what: &'static str) {
        let today = self.today();
        let unit = self.places[self.offices[by].1].id;
        let entries: Vec<Entry> =
            bodies.iter().map(|body| Entry::new(today, unit, body.clone())).collect();
        let sealed = self.offices[by].0.seal(self.federation, lane, self.now, &entries);
        let Ok(block) = sealed else { return };
        let last = block.fact_id(entries.len() as u32 - 1);
        self.keep(block);
        self.tried(what, Some(last));
        // a statement is withdrawn like any other fact
        self.statements.push((last, self.offices[by].1));
    }
}
