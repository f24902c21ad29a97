//! Chains of signed blocks to store.

use hub_core::SigningKey;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::hash::{Hash, sha256};
use hub_core::header::Header;
use hub_core::id::{ChainId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::Hlc;
use hub_log::{Entry, Journal, Options, Origin};
use std::collections::BTreeMap;
use std::path::Path;

/// A writer of one chain.
pub(crate) struct Chain {
    pub(crate) id: ChainId,
    key: SigningKey,
    head: ChainHead,
}

impl Chain {
    pub(crate) fn new(writer: u8) -> Self {
        let key = SigningKey::from_bytes(&[writer; 32]);
        let node = NodeId::of_first_key(&key.verifying_key().to_bytes());
        let lane = match writer % 2 {
            0 => Lane::Up,
            _ => Lane::Down(UnitId([writer; 16])),
        };
        let id = ChainId { node, epoch: 1, lane };
        Self { id, key, head: ChainHead::empty(Hash::ZERO) }
    }

    /// The next block, with a body of so many bytes.
    pub(crate) fn next(&mut self, body: usize) -> Block {
        let height = self.head.height + 1;
        let body: Vec<u8> = (0..body).map(|at| (at as u64 * 37 + height * 11 + 5) as u8).collect();
        self.carrying(&body)
    }

    /// The next block, with this body.
    pub(crate) fn carrying(&mut self, body: &[u8]) -> Block {
        let place = self.head.next_place(FederationId([1; 16]), self.id);
        let header = Header {
            federation: place.federation,
            chain: place.chain,
            height: place.height,
            first_seq: place.first_seq,
            count: 3,
            previous: place.previous,
            first_hlc: Hlc(self.head.last_hlc.0 + 1),
            last_hlc: Hlc(self.head.last_hlc.0 + 3),
            codec: 1,
            body_length: body.len() as u32,
            body_hash: sha256(&[body]),
        };
        let block = Block::signed(header, body, &self.key);
        self.head = self.head.extended(block.header(), block.hash()).expect("it follows");
        block
    }

    pub(crate) fn entries(&mut self, count: usize, body: usize, origin: Origin) -> Vec<Entry> {
        (0..count).map(|_| Entry::new(self.next(body), origin)).collect()
    }
}

/// Small segments, so that few blocks fill several.
pub(crate) fn small(segment_bytes: u64) -> Options {
    Options { segment_bytes, ..Options::default() }
}

/// Entries of three chains and all origins, in turn.
pub(crate) fn mixed(rounds: usize, body: usize) -> Vec<Entry> {
    let mut chains = [Chain::new(1), Chain::new(2), Chain::new(3)];
    let origins = [Origin::Own, Origin::Child, Origin::Parent];
    let mut entries = Vec::new();
    for round in 0..rounds {
        for (chain, origin) in chains.iter_mut().zip(origins) {
            entries.push(Entry::new(chain.next(body + round % 7), origin));
        }
    }
    entries
}

/// A journal in `directory` with these entries, closed again.
pub(crate) fn filled(directory: &Path, segment_bytes: u64, entries: &[Entry]) {
    let (journal, _) = Journal::open(directory, small(segment_bytes)).expect("open");
    for chunk in entries.chunks(5) {
        journal.append(chunk).expect("append");
    }
}

/// All that readers can see of a journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) blocks: BTreeMap<(ChainId, u64), Hash>,
    pub(crate) heads: BTreeMap<ChainId, ChainHead>,
    pub(crate) shipped: Vec<(u64, Hash)>,
    pub(crate) stream: Option<Hash>,
}

pub(crate) fn seen(journal: &Journal) -> Seen {
    let mut blocks = BTreeMap::new();
    for (chain, head) in journal.heads() {
        for height in 1..=head.height {
            let block = journal.block(&chain, height).expect("readable");
            if let Some(block) = block {
                assert_eq!(journal.contains(&chain, height), Ok(Some(block.hash())));
                blocks.insert((chain, height), block.hash());
            }
        }
    }
    let mut shipped = Vec::new();
    loop {
        let from = shipped.last().map_or(0, |(at, _): &(u64, Hash)| at + 1);
        let more = journal.shipment(from, 3_000).expect("readable");
        if more.is_empty() {
            break;
        }
        shipped.extend(more.iter().map(|(at, block)| (*at, block.hash())));
    }
    let stream = journal.stream_hash(journal.shipped()).expect("readable");
    Seen { blocks, heads: journal.heads(), shipped, stream }
}

pub(crate) fn hashes(entries: &[Entry]) -> BTreeMap<(ChainId, u64), Hash> {
    let place = |entry: &Entry| (entry.block.header().chain, entry.block.header().height);
    entries.iter().map(|entry| (place(entry), entry.block.hash())).collect()
}
