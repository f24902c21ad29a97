//! Messages into bundles: each as full as it may be, its manifest drawn from what is in it.

use super::{BundleError, Manifest, bound, encode};
use crate::io::{ChainRange, Position};
use crate::limits::{BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX, BUNDLE_RANGES_MAX, MESSAGE_BYTES_MAX};
use crate::wire::{Cursor, Message, StreamId, extend};
use hub_core::block::Block;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, FederationId, NodeId};
use hub_core::time::Millis;
use std::collections::BTreeMap;

/// What the bundles of one making have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heading {
    /// The federation.
    pub federation: FederationId,
    /// Who makes and signs them.
    pub from: NodeId,
    /// The epoch of the key that signs.
    pub from_epoch: u32,
    /// For whom they are.
    pub to: NodeId,
    /// Whether they go from child to parent.
    pub upwards: bool,
    /// When they are made.
    pub made_at: Millis,
}

/// A bundle, made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// What it says it is.
    pub manifest: Manifest,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What messages bring.
#[derive(Debug, Clone)]
struct Contents {
    first: Cursor,
    last: Cursor,
    ranges: Vec<ChainRange>,
    /// Where in `ranges` a chain was last added to.
    newest: BTreeMap<ChainId, usize>,
}

impl Contents {
    fn new(first: Cursor) -> Self {
        Self { first, last: first, ranges: Vec::new(), newest: BTreeMap::new() }
    }

    /// Takes a message in, which must go on where the stream was left.
    fn note(&mut self, message: &Message) -> Result<(), BundleError> {
        match message {
            Message::Ship(ship) => {
                self.goes_on(ship.stream, ship.after)?;
                self.last.position = ship.position;
                self.last.hash = extend(self.last.hash, ship.block.hash());
                self.note_block(&ship.block);
            }
            Message::References(references) => {
                self.goes_on(references.stream, references.after)?;
                for reference in &references.blocks {
                    self.last.hash = extend(self.last.hash, reference.block.hash);
                }
                self.last.position = references.end;
            }
            Message::Loose(block) => self.note_block(block),
            _ => {}
        }
        Ok(())
    }

    fn goes_on(&self, found: StreamId, after: Position) -> Result<(), BundleError> {
        let expected = self.first.stream;
        if found != expected {
            return Err(BundleError::Stream { expected, found });
        }
        let expected = self.last.position;
        if after != expected {
            return Err(BundleError::Manifest { field: "position", expected, found: after });
        }
        Ok(())
    }

    fn note_block(&mut self, block: &Block) {
        let (chain, height) = (block.header().chain, block.header().height);
        let newest = self.newest.get(&chain).and_then(|at| self.ranges.get_mut(*at));
        match newest {
            Some(range) if range.last + 1 == height => range.last = height,
            _ => {
                self.newest.insert(chain, self.ranges.len());
                self.ranges.push(ChainRange { chain, first: height, last: height });
            }
        }
    }
}

/// Fills one bundle after the other.
#[derive(Debug)]
pub struct Packer {
    heading: Heading,
    bytes_max: usize,
    contents: Contents,
    messages: Vec<Vec<u8>>,
    bytes: usize,
}

impl Packer {
    /// Begins with a stream at this place. `bytes_max` bounds the messages of one bundle; at least one
    /// message goes into each, and never more than a bundle may hold.
    pub fn new(heading: Heading, begins: Cursor, bytes_max: usize) -> Self {
        let bytes_max = bytes_max.min(BUNDLE_BYTES_MAX);
        let contents = Contents::new(begins);
        Self { heading, bytes_max, contents, messages: Vec::new(), bytes: 0 }
    }

    /// How far the stream is packed.
    pub fn ends(&self) -> Cursor {
        self.contents.last
    }

    /// Takes a message in; gives the bundle before it when that is full.
    ///
    /// # Errors
    /// It is no message, too long, of another stream than the others, or leaves a hole in it.
    pub fn add(
        &mut self,
        message: Vec<u8>,
        sign: impl Fn(&[u8]) -> [u8; 64],
    ) -> Result<Option<Packed>, BundleError> {
        bound("message bytes", MESSAGE_BYTES_MAX, message.len())?;
        let decoded = Message::decode(&message, self.heading.federation)?;
        let full = self.bytes + message.len() + 4 > self.bytes_max
            || self.messages.len() == BUNDLE_MESSAGES_MAX
            || self.contents.ranges.len() == BUNDLE_RANGES_MAX;
        let packed = if full && !self.messages.is_empty() { Some(self.pack(sign)?) } else { None };
        self.contents.note(&decoded)?;
        self.bytes += message.len() + 4;
        self.messages.push(message);
        Ok(packed)
    }

    /// The last bundle; none when nothing is left.
    ///
    /// # Errors
    /// As for [`encode`].
    pub fn finish(
        mut self,
        sign: impl Fn(&[u8]) -> [u8; 64],
    ) -> Result<Option<Packed>, BundleError> {
        if self.messages.is_empty() { Ok(None) } else { self.pack(sign).map(Some) }
    }

    fn pack(&mut self, sign: impl Fn(&[u8]) -> [u8; 64]) -> Result<Packed, BundleError> {
        let next = Contents::new(self.contents.last);
        let contents = std::mem::replace(&mut self.contents, next);
        let messages = std::mem::take(&mut self.messages);
        self.bytes = 0;
        let heading = self.heading;
        let manifest = Manifest {
            federation: heading.federation,
            from: heading.from,
            from_epoch: heading.from_epoch,
            to: heading.to,
            upwards: heading.upwards,
            made_at: heading.made_at,
            stream: contents.first.stream,
            first: contents.first.position,
            first_hash: contents.first.hash,
            last: contents.last.position,
            last_hash: contents.last.hash,
            ranges: contents.ranges,
        };
        let bytes = encode(&manifest, &messages, sign)?;
        Ok(Packed { manifest, bytes })
    }
}

/// Compares a manifest with what its messages give.
pub(super) fn check(manifest: &Manifest, messages: &[Vec<u8>]) -> Result<(), BundleError> {
    let wrong = |field, expected, found| Err(BundleError::Manifest { field, expected, found });
    let mut contents = Contents::new(manifest.begins());
    for bytes in messages {
        let message = Message::decode(bytes, manifest.federation)?;
        contents.note(&message)?;
    }
    if contents.last.position != manifest.last {
        return wrong("last position", contents.last.position, manifest.last);
    }
    if contents.last.hash != manifest.last_hash {
        let first_bytes = |hash: Hash| {
            let [a, b, c, d, e, f, g, h, ..] = hash.0;
            u64::from_be_bytes([a, b, c, d, e, f, g, h])
        };
        let (expected, found) = (first_bytes(contents.last.hash), first_bytes(manifest.last_hash));
        return wrong("first bytes of the last stream hash", expected, found);
    }
    if contents.ranges != manifest.ranges {
        let (expected, found) = (contents.ranges.len() as u64, manifest.ranges.len() as u64);
        return wrong("chain ranges", expected, found);
    }
    Ok(())
}
