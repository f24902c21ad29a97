//! Blocks of which several may stand at one place.

use crate::block::Block;
use crate::hash::Hash;
use crate::id::ChainId;
use crate::view::BlockSource;
use std::collections::BTreeMap;

/// All blocks of a set, those of forks with all their sides.
#[derive(Debug, Clone, Default)]
pub struct Sides(BTreeMap<(ChainId, u64), BTreeMap<Hash, Block>>);

impl Sides {
    /// Takes a block in.
    pub fn insert(&mut self, block: Block) {
        let place = (block.header().chain, block.header().height);
        self.0.entry(place).or_default().insert(block.hash(), block);
    }

    /// All of them, in order of place.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.0.values().flat_map(BTreeMap::values)
    }
}

impl FromIterator<Block> for Sides {
    fn from_iter<T: IntoIterator<Item = Block>>(blocks: T) -> Self {
        let mut sides = Self::default();
        blocks.into_iter().for_each(|block| sides.insert(block));
        sides
    }
}

impl BlockSource for Sides {
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        self.0.get(&(*chain, height))?.values().next().cloned()
    }

    fn side(&self, chain: &ChainId, height: u64, hash: &Hash) -> Option<Block> {
        self.0.get(&(*chain, height))?.get(hash).cloned()
    }
}
