//! Reading and writing fields: big-endian, every length checked before anything is set aside for it.

use super::{Cursor, StreamId, WireError};
use crate::io::JournalId;
use hub_core::fact::governance::ChainHeight;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, Lane, NodeId};

/// The bytes of a chain: node, epoch, lane.
pub(crate) const CHAIN_BYTES: usize = 37;

/// Appends fields.
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.raw(&[value]);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }

    /// A count of a list; callers keep lists within their bounds, all far below 2^16.
    pub(crate) fn count(&mut self, count: usize) {
        self.u16(u16::try_from(count).unwrap_or(u16::MAX));
    }

    /// Bytes with their length.
    pub(crate) fn sized(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.raw(bytes);
    }

    pub(crate) fn chain(&mut self, chain: &ChainId) {
        self.raw(&chain.node.0);
        self.u32(chain.epoch);
        self.raw(&chain.lane.to_bytes());
    }

    pub(crate) fn chain_height(&mut self, head: &ChainHeight) {
        self.chain(&head.chain);
        self.u64(head.height);
        self.raw(&head.hash.0);
    }

    pub(crate) fn stream(&mut self, stream: &StreamId) {
        self.raw(&stream.journal.0);
        self.u32(stream.run);
    }

    pub(crate) fn cursor(&mut self, cursor: &Cursor) {
        self.stream(&cursor.stream);
        self.u64(cursor.position);
        self.raw(&cursor.hash.0);
    }
}

/// Takes fields off the front.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(
        &mut self,
        field: &'static str,
        length: usize,
    ) -> Result<&'a [u8], WireError> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            let found = self.rest.len();
            return Err(WireError::Length { field, expected: length, found });
        };
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(field, N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub(crate) fn hash(&mut self, field: &'static str) -> Result<Hash, WireError> {
        self.array(field).map(Hash)
    }

    /// A flag: 0 or 1.
    pub(crate) fn flag(&mut self, field: &'static str) -> Result<bool, WireError> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(WireError::Field { field, expected: "0 or 1", found: u64::from(found) }),
        }
    }

    /// A count within its bound, of entries of at least `entry_bytes` each that are really there.
    pub(crate) fn count(
        &mut self,
        field: &'static str,
        most: usize,
        entry_bytes: usize,
    ) -> Result<usize, WireError> {
        let count = usize::from(self.u16(field)?);
        if count > most {
            return Err(WireError::Length { field, expected: most, found: count });
        }
        let (expected, found) = (count * entry_bytes, self.rest.len());
        if found < expected {
            return Err(WireError::Length { field, expected, found });
        }
        Ok(count)
    }

    /// Bytes with their length, within a bound.
    pub(crate) fn sized(
        &mut self,
        field: &'static str,
        most: usize,
    ) -> Result<&'a [u8], WireError> {
        let length = self.u32(field)? as usize;
        if length > most {
            return Err(WireError::Length { field, expected: most, found: length });
        }
        self.take(field, length)
    }

    /// UTF-8 text with its length, within a bound, without control characters.
    pub(crate) fn text(&mut self, field: &'static str, most: usize) -> Result<String, WireError> {
        let bytes = self.sized(field, most)?;
        let found = bytes.len() as u64;
        let wrong = WireError::Field { field, expected: "UTF-8 without control characters", found };
        let text = std::str::from_utf8(bytes).map_err(|_| wrong.clone())?;
        if text.chars().any(char::is_control) { Err(wrong) } else { Ok(text.to_owned()) }
    }

    pub(crate) fn node(&mut self, field: &'static str) -> Result<NodeId, WireError> {
        self.array(field).map(NodeId)
    }

    pub(crate) fn chain(&mut self) -> Result<ChainId, WireError> {
        let node = self.node("chain node")?;
        let epoch = self.u32("chain epoch")?;
        if epoch == 0 {
            return Err(WireError::Field {
                field: "chain epoch",
                expected: "at least 1",
                found: 0,
            });
        }
        let lane = self.array::<17>("chain lane")?;
        let wrong = WireError::Field {
            field: "chain lane",
            expected: "tag 0 with zeros, or tag 1",
            found: u64::from(lane[0]),
        };
        Ok(ChainId { node, epoch, lane: Lane::from_bytes(&lane).ok_or(wrong)? })
    }

    pub(crate) fn chain_height(&mut self) -> Result<ChainHeight, WireError> {
        let chain = self.chain()?;
        let height = self.u64("height")?;
        if !(1..=1 << 62).contains(&height) {
            return Err(WireError::Field { field: "height", expected: "1 to 2^62", found: height });
        }
        Ok(ChainHeight { chain, height, hash: self.hash("block hash")? })
    }

    pub(crate) fn stream(&mut self) -> Result<StreamId, WireError> {
        Ok(StreamId { journal: JournalId(self.array("journal")?), run: self.u32("run")? })
    }

    pub(crate) fn cursor(&mut self) -> Result<Cursor, WireError> {
        Ok(Cursor {
            stream: self.stream()?,
            position: self.u64("position")?,
            hash: self.hash("stream hash")?,
        })
    }

    /// All that is left.
    pub(crate) fn tail(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// How much is left.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), WireError> {
        let found = self.rest.len();
        if found == 0 {
            return Ok(());
        }
        Err(WireError::Length { field: "trailing bytes", expected: 0, found })
    }
}
