//! Checkpoints: what a node holds, rightly and wrongly, whole, in parts and as excerpts; and closings at them.

use super::Maker;
use crate::offices::{Entry, view_of};
use hub_core::fact::FactBody;
use hub_core::fact::figure::FigureFact;
use hub_core::fact::governance::{ChainHeight, GovernanceFact};
use hub_core::hash::{Hash, sha256};
use hub_core::id::{FactId, Lane};
use hub_core::measure::Indicators;
use hub_core::query::Desk;
use hub_core::view::View;
use hub_core::{closing, published};

/// Few periods and mostly the root's, so that closings meet.
const PERIODS: [&str; 3] = ["2024", "2024-11", "2025-02"];

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
        let view = view_of(self.made.root_key, &self.made.blocks);
        let digest = if wrong { sha256(&[b"another view"]) } else { view.digest() };
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
        let named = self.state(by, Lane::Up, &bodies, what);
        if self.rng.one_in(2) {
            let (_, audience, _) = self.offices[self.rng.index(self.offices.len())];
            let lane = Lane::Down(self.places[audience].id);
            let excerpt = self.rng.index(frontier.len() + 1);
            self.state(by, lane, &[stated(&frontier[..excerpt], 1, 1)], "excerpt");
        }
        if let Some(checkpoint) = named
            && !self.rng.one_in(4)
        {
            self.close(by, checkpoint, &view, digest);
        }
    }

    /// Closes a period at a checkpoint; at times with another table, digest or checkpoint than it should be.
    fn close(&mut self, by: usize, checkpoint: FactId, view: &View, digest: Hash) {
        let about = if self.rng.one_in(2) { 0 } else { self.offices[by].1 };
        let unit = self.places[about].id;
        let period = self.rng.pick(&PERIODS);
        let known = view.tree().find_registered(&unit);
        let table = known.and_then(|at| {
            closing::table(view, &mut Desk::default(), at, period, Indicators::standard())
        });
        let (mut checkpoint, mut digest) = (checkpoint, digest);
        let mut table = table.map_or(Hash::ZERO, |table| closing::table_hash(&table));
        match self.rng.below(12) {
            0 => table = sha256(&[b"another table"]),
            1 => digest = sha256(&[b"another digest"]),
            2 => checkpoint = self.statements[self.rng.index(self.statements.len())].0,
            _ => {}
        }
        self.now += self.rng.below(2) * 60_000;
        let server = self.server(about);
        let today = self.today();
        let body = FigureFact::PeriodClosed {
            unit,
            period: period.into(),
            revision: 1 + self.rng.below(2) as u32,
            checkpoint,
            digest,
            table,
            policy: published::policy_hash(),
            definitions: published::definitions_hash(),
            reason: String::new(),
        };
        let fact = self.write_one(server, about, today, FactBody::Figure(body));
        self.tried("closing", fact);
    }

    fn state(
        &mut self,
        by: usize,
        lane: Lane,
        bodies: &[FactBody],
        what: &'static str,
    ) -> Option<FactId> {
        let today = self.today();
        let unit = self.places[self.offices[by].1].id;
        let entries: Vec<Entry> =
            bodies.iter().map(|body| Entry::new(today, unit, body.clone())).collect();
        let sealed = self.offices[by].0.seal(self.federation, lane, self.now, &entries);
        let block = sealed.ok()?;
        let last = block.fact_id(entries.len() as u32 - 1);
        self.keep(block);
        self.tried(what, Some(last));
        // a statement is withdrawn like any other fact
        self.statements.push((last, self.offices[by].1));
        Some(last)
    }
}
