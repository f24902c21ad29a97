//! Which heights of each chain are there, and whether they link up, in whatever order they come.

use crate::damage::{Damage, DamageKind, DamagedBlock};
use crate::journal::Position;
use crate::table::head_after;
use hub_core::block::Block;
use hub_core::chain::{ChainError, ChainHead};
use hub_core::hash::Hash;
use hub_core::id::ChainId;
use std::collections::BTreeMap;

/// Successive heights that link up.
#[derive(Debug)]
struct Span {
    /// What the first block names as the block before it.
    previous: Hash,
    /// Where the first block stands, and the length of its frame.
    place: (Position, u64),
    head: ChainHead,
}

/// The spans of each chain, by first height.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    chains: BTreeMap<ChainId, BTreeMap<u64, Span>>,
}

impl Spans {
    /// Takes in a block; says how it fails to follow or to be followed.
    pub(crate) fn add(&mut self, block: &Block, position: Position, length: u64) -> Option<Damage> {
        let (header, hash) = (block.header(), block.hash());
        let (chain, height) = (header.chain, header.height);
        let spans = self.chains.entry(chain).or_default();
        let mut wrong = None;
        let before = spans.range(..=height).next_back().map(|(first, span)| (*first, span.head));
        let own = match before {
            Some((_, head)) if head.height >= height => {
                wrong = Some(ChainError::Known { head: head.height, found: height });
                None
            }
            Some((first, head)) if head.height + 1 == height => {
                wrong = head.extended(header, hash).err();
                Some(first)
            }
            _ => Some(height),
        };
        if let Some(first) = own {
            let span = spans.entry(first).or_insert_with(|| Span {
                previous: header.previous,
                place: (position, length),
                head: head_after(header, hash),
            });
            span.head = head_after(header, hash);
            if let Some(next) = spans.remove(&(height + 1)) {
                if next.previous != hash {
                    let (expected, found) = (hash, next.previous);
                    wrong = wrong.or(Some(ChainError::Previous { expected, found }));
                }
                if let Some(span) = spans.get_mut(&first) {
                    span.head = next.head;
                }
            }
        }
        let block = Some(DamagedBlock { chain, height, certain: true });
        wrong.map(|error| place((position, length), DamageKind::Link(error), block))
    }

    /// Where each chain stands by its highest block.
    pub(crate) fn heads(&self) -> BTreeMap<ChainId, ChainHead> {
        let top = |spans: &BTreeMap<u64, Span>| spans.last_key_value().map(|(_, span)| span.head);
        self.chains.iter().filter_map(|(chain, spans)| Some((*chain, top(spans)?))).collect()
    }

    /// Heights that are missing below others, but for those whose damage is already named.
    pub(crate) fn gaps(&self, named: &[DamagedBlock]) -> Vec<Damage> {
        let mut gaps = Vec::new();
        for (chain, spans) in &self.chains {
            let mut next = 1;
            for (first, span) in spans {
                let known = |height| named.iter().any(|b| b.chain == *chain && b.height == height);
                let mut from = next;
                while from < *first && known(from) {
                    from += 1;
                }
                if from < *first {
                    let kind = DamageKind::Gap { from, to: first - 1 };
                    let block = DamagedBlock { chain: *chain, height: from, certain: true };
                    gaps.push(place(span.place, kind, Some(block)));
                }
                next = span.head.height + 1;
            }
        }
        gaps
    }
}

fn place(
    (position, length): (Position, u64),
    kind: DamageKind,
    block: Option<DamagedBlock>,
) -> Damage {
    let Position { segment, offset } = position;
    Damage { segment, offset, length, kind, block }
}
