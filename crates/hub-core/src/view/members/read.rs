//! Reading member facts again by their names: a view keeps places, not facts.

use super::{MemberIx, Members};
use crate::id::{ChainId, FactId, MemberKey};

impl Members {
    /// The place of a person.
    pub(in crate::view) fn place(&self, key: &MemberKey) -> Option<MemberIx> {
        self.table.find(key)
    }

    /// The block of members' facts that holds this fact.
    pub(in crate::view) fn block_with(&self, fact: &FactId) -> Option<(ChainId, u64)> {
        let blocks = self.by_chain.get(&fact.chain)?;
        let (_, place) = blocks.range(..=fact.seq).next_back()?;
        let block = &self.blocks[*place as usize];
        let holds = fact.seq - block.first_seq < u64::from(block.count);
        holds.then_some((block.chain, block.height))
    }
}
