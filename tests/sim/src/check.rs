//! What every world must show: safety at all times, and after the faults, convergence.

use crate::tree::{self, FOLLOWED, NODES, SERVING, STANDBY, Tree};
use crate::world::World;
use hub_core::block::Block;
use hub_core::hash::Hash;
use hub_core::id::Lane;
use hub_core::time::{Hlc, Millis};
use std::collections::BTreeMap;

/// How long after the faults the world may take: the longest patience of the machine twice, and the
/// courier's memory.
pub(crate) const PATIENCE_MILLIS: Millis = 500_000;

fn audience(block: &Block) -> Option<usize> {
    match block.header().chain.lane {
        Lane::Up => None,
        Lane::Down(unit) => tree::node_of(unit),
    }
}

impl World {
    /// Nobody gets blocks that do not concern it: no sibling's data, ever.
    pub(crate) fn check_privacy(&self, to: usize, block: &Block) -> Result<(), String> {
        let Some(writer) = self.names.index(block.header().chain.node) else {
            return Err(format!("{block:?} of nobody"));
        };
        if self.may_hold(to, writer, block) {
            return Ok(());
        }
        Err(format!("{block:?} of {writer} sent to {to}, whom it does not concern"))
    }

    /// What came to a node before a move stays with it.
    fn may_hold(&self, node: usize, writer: usize, block: &Block) -> bool {
        self.should_hold(node, writer, block)
            || Self::held_by(&self.tree.before(), node, writer, block)
    }

    fn should_hold(&self, node: usize, writer: usize, block: &Block) -> bool {
        let holder = if node == STANDBY { FOLLOWED } else { node };
        let until = audience(block).and_then(|audience| self.tree.concerned(holder, audience));
        let said = block.header().last_hlc;
        Self::held_by(&self.tree, node, writer, block)
            || until.is_some_and(|at| said <= Hlc::at(at))
    }

    fn held_by(tree: &Tree, node: usize, writer: usize, block: &Block) -> bool {
        let node = if node == STANDBY { FOLLOWED } else { node };
        tree.is_above(node, writer)
            || audience(block).is_some_and(|audience| tree.concerns(node, audience))
    }

    /// The first block a node should hold and does not.
    pub(crate) fn lacking(&self) -> Option<String> {
        let mut all: BTreeMap<Hash, &Block> = BTreeMap::new();
        for replica in &self.replicas {
            let durable = replica.disk.durable().iter();
            all.extend(
                durable.map(|journal_block| (journal_block.block.hash(), &journal_block.block)),
            );
        }
        // all sides of a fork among them: each level decides by what it holds
        for (hash, block) in &all {
            let writer = self.names.index(block.header().chain.node)?;
            for node in 0..NODES {
                if self.should_hold(node, writer, block) && !self.replicas[node].disk.holds(hash) {
                    return Some(format!("{node} lacks {block:?} of {writer}"));
                }
            }
        }
        None
    }

    /// At the end: what was receipted is there, nobody holds what is not its, chains are equal.
    pub(crate) fn demand_at_the_end(&mut self) -> Result<(), String> {
        for ((receiver, child), hashes) in &self.receipted {
            if let Some(lost) =
                hashes.iter().find(|hash| !self.replicas[*receiver].disk.holds(hash))
            {
                return Err(format!("{receiver} lost {lost}, receipted to {child}"));
            }
        }
        for node in 0..NODES {
            for journal_block in self.replicas[node].disk.durable() {
                self.check_privacy(node, &journal_block.block)?;
            }
        }
        let blocks = self.replicas[0].disk.durable().len();
        if blocks < SERVING {
            return Err(format!("the province holds {blocks} blocks: the world did nothing"));
        }
        self.tally.count("worlds healed");
        Ok(())
    }
}
