//! A disk in memory: what was written and not synced is lost in a crash.

use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::{FactBody, GovernanceFact};
use hub_core::hash::Hash;
use hub_core::id::{ChainId, NodeId};
use hub_node::io::{ChainRange, JournalBlock, JournalId, Origin, Position, StoredBlock};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) id: JournalId,
    pub(crate) blocks: Vec<JournalBlock>,
    durable: usize,
    pub(crate) chains: BTreeMap<ChainId, Vec<usize>>,
    pub(crate) hashes: BTreeMap<Hash, usize>,
    /// Blocks beside their chains, by place and hash.
    pub(crate) besides: BTreeMap<(ChainId, u64, Hash), usize>,
    pub(crate) memories: BTreeMap<NodeId, Vec<u8>>,
    pub(crate) keys: BTreeMap<(NodeId, u32), [u8; 32]>,
}

/// What one sync made durable.
pub(crate) struct Synced {
    pub(crate) received: Vec<StoredBlock>,
    pub(crate) own_up_to: Option<Position>,
}

impl Disk {
    pub(crate) fn new(id: JournalId, pinned: (NodeId, [u8; 32])) -> Self {
        Self {
            id,
            blocks: Vec::new(),
            durable: 0,
            chains: BTreeMap::new(),
            hashes: BTreeMap::new(),
            besides: BTreeMap::new(),
            memories: BTreeMap::new(),
            keys: BTreeMap::from([((pinned.0, 1), pinned.1)]),
        }
    }

    pub(crate) fn append(&mut self, origin: Origin, beside: bool, block: Block) {
        let position = self.blocks.len() as Position + 1;
        self.blocks.push(JournalBlock { position, origin, beside, block });
    }

    pub(crate) fn end(&self) -> Position {
        self.durable as Position
    }

    pub(crate) fn durable(&self) -> &[JournalBlock] {
        &self.blocks[..self.durable]
    }

    pub(crate) fn holds(&self, hash: &Hash) -> bool {
        self.hashes.contains_key(hash)
    }

    /// Makes everything written durable. A block that does not extend its chain is the simulator's find:
    /// the machine must never have asked for it.
    pub(crate) fn sync(&mut self) -> Result<Synced, String> {
        let mut synced = Synced { received: Vec::new(), own_up_to: None };
        for index in self.durable..self.blocks.len() {
            let JournalBlock { position, origin, beside, block } = self.blocks[index].clone();
            self.index(index, beside, &block)?;
            if origin == Origin::Own {
                synced.own_up_to = Some(position);
            } else {
                let hash = block.hash();
                synced.received.push(StoredBlock { hash, position });
            }
        }
        self.durable = self.blocks.len();
        Ok(synced)
    }

    fn index(&mut self, index: usize, beside: bool, block: &Block) -> Result<(), String> {
        let (chain, height) = (block.header().chain, block.header().height);
        if beside {
            self.besides.insert((chain, height, block.hash()), index);
            return match self.hashes.insert(block.hash(), index) {
                None => Ok(()),
                Some(_) => Err(format!("stored twice: {block:?}")),
            };
        }
        let head = self.head(&chain).unwrap_or(ChainHead::empty(block.header().previous));
        head.extended(block.header(), block.hash())
            .map_err(|error| format!("stored {block:?} though {error}"))?;
        if self.hashes.insert(block.hash(), index).is_some() {
            return Err(format!("stored twice: {block:?}"));
        }
        self.chains.entry(chain).or_default().push(index);
        if let Ok(body) = block.body() {
            for fact in body.into_facts() {
                if let FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment)) = fact.body {
                    self.keys.insert((enrolment.node, enrolment.epoch), enrolment.key);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn crash(&mut self) {
        self.blocks.truncate(self.durable);
    }

    pub(crate) fn head(&self, chain: &ChainId) -> Option<ChainHead> {
        let last = self.chains.get(chain)?.last()?;
        let block = &self.blocks[*last].block;
        Some(ChainHead {
            height: block.header().height,
            hash: block.hash(),
            next_seq: block.header().next_seq(),
            last_hlc: block.header().last_hlc,
        })
    }

    pub(crate) fn block(&self, chain: &ChainId, height: u64) -> Option<&Block> {
        let index = self.chains.get(chain)?.get(usize::try_from(height).ok()?.checked_sub(1)?)?;
        Some(&self.blocks[*index].block)
    }

    pub(crate) fn position(&self, chain: &ChainId, height: u64) -> Option<Position> {
        let index = self.chains.get(chain)?.get(usize::try_from(height).ok()?.checked_sub(1)?)?;
        Some(self.blocks[*index].position)
    }

    /// Whether a block beside its chain is the first of its side.
    pub(crate) fn starts_beside(&self, block: &Block) -> bool {
        let header = block.header();
        let before = (header.chain, header.height.saturating_sub(1), header.previous);
        !self.besides.contains_key(&before)
    }

    /// Whether another block was written at a block's place and is not durable yet.
    pub(crate) fn is_taken(&self, block: &Block) -> bool {
        let place = (block.header().chain, block.header().height);
        let unsynced = self.blocks[self.durable..].iter();
        unsynced
            .filter(|other| !other.beside && other.block.hash() != block.hash())
            .any(|other| (other.block.header().chain, other.block.header().height) == place)
    }

    /// The lowest height at which a block stands beside this chain.
    pub(crate) fn forked_from(&self, chain: &ChainId) -> Option<u64> {
        let span = (*chain, 0, Hash::ZERO)..=(*chain, u64::MAX, Hash([0xff; 32]));
        self.besides.range(span).next().map(|((_, height, _), _)| *height)
    }

    /// All blocks at a height.
    pub(crate) fn sides(&self, chain: &ChainId, height: u64) -> impl Iterator<Item = &Block> {
        let span = (*chain, height, Hash::ZERO)..=(*chain, height, Hash([0xff; 32]));
        let besides = self.besides.range(span).map(|(_, index)| &self.blocks[*index].block);
        self.block(chain, height).into_iter().chain(besides)
    }

    pub(crate) fn read(&self, after: Position, max_bytes: usize) -> (Vec<JournalBlock>, Position) {
        let mut blocks: Vec<JournalBlock> = Vec::new();
        let mut bytes = 0;
        for journal_block in self.durable().iter().skip(after as usize) {
            bytes += journal_block.block.bytes().len();
            if bytes > max_bytes && !blocks.is_empty() {
                break;
            }
            blocks.push(journal_block.clone());
        }
        let end = blocks.last().map_or(after, |last| last.position);
        (blocks, end)
    }

    pub(crate) fn read_ranges(&self, ranges: &[ChainRange], max_bytes: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut bytes = 0;
        for range in ranges {
            for height in range.first..=range.last {
                for block in self.sides(&range.chain, height) {
                    bytes += block.bytes().len();
                    if bytes > max_bytes && !blocks.is_empty() {
                        return blocks;
                    }
                    blocks.push(block.clone());
                }
            }
        }
        blocks
    }
}
