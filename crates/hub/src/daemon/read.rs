//! Reading for the sync machine: the journal in order, and blocks by name.

use crate::replica::{LocalBlock, LocalPosition, Replica};
use hub_core::block::Block;
use hub_core::id::NodeId;
use hub_log::Origin as LogOrigin;
use hub_node::io::{ChainRange, Input, JournalBlock, Origin, Position};

/// What the machine asked of the journal after a position.
pub(crate) fn journal(
    replica: &Replica,
    reader: NodeId,
    after: Position,
    max_bytes: usize,
) -> Input {
    let (blocks, end) = replica.read_after(LocalPosition(after), max_bytes);
    let journal_block = |local: LocalBlock| JournalBlock {
        position: local.position.0,
        origin: match local.origin {
            LogOrigin::Own => Origin::Own,
            LogOrigin::Child => Origin::Child,
            LogOrigin::Parent => Origin::Parent,
        },
        beside: local.beside,
        block: local.block,
    };
    let blocks = blocks.into_iter().map(journal_block).collect();
    Input::JournalRead { reader, after, blocks, end: end.0 }
}

/// The blocks of these ranges, all sides of forks, at most so many bytes but at least one.
pub(super) fn blocks(replica: &Replica, ranges: &[ChainRange], max_bytes: usize) -> Vec<Block> {
    let (mut blocks, mut bytes) = (Vec::new(), 0);
    for range in ranges {
        let journal = replica.journal();
        let head = journal.head(&range.chain).map_or(0, |head| head.height);
        let besides = journal.besides(&range.chain, range.first);
        let top = besides.last().map_or(head, |(height, _)| head.max(*height));
        for height in range.first..=range.last.min(top) {
            let here = besides.iter().filter(|(at, _)| *at == height);
            let beside = here.map(|(_, hash)| journal.block_of(&range.chain, height, hash));
            for block in std::iter::once(journal.block(&range.chain, height)).chain(beside) {
                let block = match block {
                    Ok(Some(block)) => block,
                    Ok(None) => continue,
                    Err(error) => {
                        tracing::error!(%error, "a block that was asked for cannot be read");
                        continue;
                    }
                };
                bytes += block.bytes().len();
                if !blocks.is_empty() && bytes > max_bytes {
                    return blocks;
                }
                blocks.push(block);
            }
        }
    }
    blocks
}
