//! How the blocks of a log hang together, whatever order they came in.

use super::{Entry, Finding, FindingKind};
use crate::block::Block;
use crate::chain::{ChainHead, Fork};
use crate::hash::Hash;
use crate::header::Header;
use crate::id::{ChainId, FederationId};
use std::collections::BTreeMap;

/// What is kept of a block: its header, without the body.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) header: Header,
    pub(super) hash: Hash,
}

/// All blocks of a log by chain and height.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) chains: BTreeMap<ChainId, BTreeMap<u64, Link>>,
    /// Blocks at a height where another stands already.
    pub(super) forks: Vec<Block>,
    pub(super) blocks: u64,
    pub(super) facts: u64,
}

impl Links {
    /// Takes in what a log holds; foreign blocks and damage become findings.
    pub(super) fn read(
        entries: impl IntoIterator<Item = Entry>,
        federation: FederationId,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let mut links = Self::default();
        for entry in entries {
            links.take(entry, federation, findings);
        }
        links
    }

    /// Takes one entry in.
    pub(super) fn take(
        &mut self,
        entry: Entry,
        federation: FederationId,
        findings: &mut Vec<Finding>,
    ) {
        match entry {
            Entry::Damaged(region) => findings.push(Finding {
                chain: region.block.map(|(chain, _)| chain),
                height: region.block.map(|(_, height)| height),
                kind: FindingKind::Damaged(region),
            }),
            Entry::Block(block) if block.header().federation != federation => {
                let (header, expected) = (block.header(), federation);
                let kind = FindingKind::Federation { expected, found: header.federation };
                findings.push(Finding::at(header.chain, header.height, kind));
            }
            Entry::Block(block) => self.add(block),
        }
    }

    fn add(&mut self, block: Block) {
        let header = *block.header();
        let chain = self.chains.entry(header.chain).or_default();
        match chain.get(&header.height) {
            // the same block twice is no fault: delivery is at least once
            Some(known) if known.hash == block.hash() => {}
            Some(_) => self.forks.push(block),
            None => {
                chain.insert(header.height, Link { header, hash: block.hash() });
                self.blocks += 1;
                self.facts += u64::from(header.count);
            }
        }
    }

    /// Gaps, and blocks that do not follow.
    pub(super) fn check(&self, findings: &mut Vec<Finding>) {
        for (chain, links) in &self.chains {
            let mut head = ChainHead::empty(Hash::ZERO);
            for (height, link) in links {
                if *height > head.height + 1 {
                    let kind = FindingKind::Missing { to: height - 1 };
                    findings.push(Finding::at(*chain, head.height + 1, kind));
                } else if let Err(error) = head.extended(&link.header, link.hash) {
                    findings.push(Finding::at(*chain, *height, FindingKind::Link(error)));
                }
                head = link.head();
            }
        }
    }

    /// Forks, proven where one key signed both sides.
    pub(super) fn check_forks(
        &self,
        key: impl Fn(&ChainId) -> Option<[u8; 32]>,
        read: impl Fn(&ChainId, u64, &Hash) -> Option<Block>,
        findings: &mut Vec<Finding>,
    ) {
        for block in &self.forks {
            let (chain, height) = (block.header().chain, block.header().height);
            let Some(known) = self.chains.get(&chain).and_then(|links| links.get(&height)) else {
                continue;
            };
            let other = read(&chain, height, &known.hash);
            let proven = key(&chain)
                .zip(other)
                .is_some_and(|(key, other)| Fork::proven(&other, block, &key).is_some());
            let kind = FindingKind::Fork { first: known.hash, second: block.hash(), proven };
            findings.push(Finding::at(chain, height, kind));
        }
    }

    /// Where each chain stands by its highest block.
    pub(super) fn heads(&self) -> BTreeMap<ChainId, ChainHead> {
        let head = |links: &BTreeMap<u64, Link>| links.values().next_back().map(Link::head);
        self.chains.iter().filter_map(|(chain, links)| Some((*chain, head(links)?))).collect()
    }
}

impl Link {
    fn head(&self) -> ChainHead {
        ChainHead {
            height: self.header.height,
            hash: self.hash,
            next_seq: self.header.next_seq(),
            last_hlc: self.header.last_hlc,
        }
    }
}
