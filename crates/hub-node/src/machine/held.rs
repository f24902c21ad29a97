//! Blocks of one peer that wait: for a predecessor, for a key, for the time to come.

use crate::io::Hold;
use crate::limits::{HELD_BLOCKS_MAX, HELD_BYTES_MAX};
use hub_core::block::Block;
use hub_core::hash::Hash;
use hub_core::id::ChainId;
use hub_core::time::Millis;
use std::collections::BTreeMap;

/// A block that waits.
#[derive(Debug, Clone)]
pub(super) struct HeldBlock {
    pub(super) block: Block,
    pub(super) why: Hold,
    pub(super) since: Millis,
    /// The courier's handle; the newest, when it offers the block again.
    pub(super) delivery: Option<u64>,
}

type Key = (ChainId, u64, Hash);

/// Invariant: at most [`HELD_BLOCKS_MAX`] blocks of together [`HELD_BYTES_MAX`] bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    blocks: BTreeMap<Key, HeldBlock>,
    bytes: usize,
}

impl Held {
    fn key(block: &Block) -> Key {
        (block.header().chain, block.header().height, block.hash())
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &HeldBlock> {
        self.blocks.values()
    }

    pub(super) fn contains(&self, chain: ChainId, height: u64, hash: Hash) -> bool {
        self.blocks.contains_key(&(chain, height, hash))
    }

    /// Whether this block waits here already; then the newest delivery is kept.
    pub(super) fn renew(&mut self, block: &Block, delivery: Option<u64>) -> bool {
        let Some(held) = self.blocks.get_mut(&Self::key(block)) else { return false };
        held.delivery = delivery.or(held.delivery);
        true
    }

    /// Takes a block in, if there is room.
    pub(super) fn hold(&mut self, held: HeldBlock) -> bool {
        let bytes = held.block.bytes().len();
        if self.blocks.len() >= HELD_BLOCKS_MAX || self.bytes + bytes > HELD_BYTES_MAX {
            return false;
        }
        self.bytes += bytes;
        self.blocks.insert(Self::key(&held.block), held);
        true
    }

    /// Takes out what waits at this place of a chain.
    pub(super) fn take_at(&mut self, chain: &ChainId, height: u64) -> Vec<HeldBlock> {
        let span = (*chain, height, Hash::ZERO)..=(*chain, height, Hash([0xff; 32]));
        let keys: Vec<Key> = self.blocks.range(span).map(|(key, _)| *key).collect();
        self.take(&keys)
    }

    /// Takes out what `ripe` says need wait no more.
    pub(super) fn take_if(&mut self, ripe: impl Fn(&HeldBlock) -> bool) -> Vec<HeldBlock> {
        let keys: Vec<Key> =
            self.blocks.iter().filter(|(_, held)| ripe(held)).map(|(key, _)| *key).collect();
        self.take(&keys)
    }

    fn take(&mut self, keys: &[Key]) -> Vec<HeldBlock> {
        let taken: Vec<HeldBlock> = keys.iter().filter_map(|key| self.blocks.remove(key)).collect();
        self.bytes -= taken.iter().map(|held| held.block.bytes().len()).sum::<usize>();
        taken
    }

    /// For each chain with blocks that wait for a predecessor since before `before`: the lowest height.
    pub(super) fn gaps(&self, before: Millis) -> Vec<(ChainId, u64)> {
        let mut gaps: Vec<(ChainId, u64)> = Vec::new();
        for ((chain, height, _), held) in &self.blocks {
            if held.why != Hold::Gap || held.since > before {
                continue;
            }
            if gaps.last().is_none_or(|(last, _)| last != chain) {
                gaps.push((*chain, *height));
            }
        }
        gaps
    }
}
