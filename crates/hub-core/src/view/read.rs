//! Facts by their names: those of the organisation from the view, members' from their blocks.

use super::{BlockSource, View};
use crate::codec::{Body, MemberBatch};
use crate::fact::Fact;
use crate::id::{ChainId, FactId};
use std::collections::BTreeMap;

impl View {
    /// The facts of these names, each block read once; what cannot be read is missing.
    pub fn read_facts(
        &self,
        ids: impl IntoIterator<Item = FactId>,
        source: &dyn BlockSource,
    ) -> BTreeMap<FactId, Fact> {
        let mut wanted: Vec<FactId> = ids.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut facts = BTreeMap::new();
        let mut open: Option<(ChainId, u64, u64, MemberBatch)> = None;
        for id in wanted {
            if let Some(known) = self.fact(&id) {
                facts.insert(id, known.fact.clone());
                continue;
            }
            let Some((chain, height)) = self.members.block_with(&id) else { continue };
            let is_open = open.as_ref().is_some_and(|(c, h, ..)| (*c, *h) == (chain, height));
            if !is_open {
                open = source.block(&chain, height).and_then(|block| match block.body() {
                    Ok(Body::Members(batch)) => {
                        Some((chain, height, block.header().first_seq, batch))
                    }
                    _ => None,
                });
            }
            let Some((_, _, first, batch)) = &open else { continue };
            let index = (id.seq - first) as usize;
            if index < batch.rows.len() {
                facts.insert(id, batch.fact(index));
            }
        }
        facts
    }
}
