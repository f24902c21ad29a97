//! Bundles (封套): the messages of a courier in one file with a signed manifest (DESIGN §10).
//!
//! Pure: bytes in, bytes out. Making one is [`Packer`]; importing one is feeding its messages to the
//! machine as [`crate::io::Input::Received`], from the node the manifest names. Receipts travel back the
//! same way.

mod pack;

pub use pack::{Heading, Packed, Packer};

use crate::io::{ChainRange, Channel, JournalId, Position};
use crate::limits::{BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX, BUNDLE_RANGES_MAX, MESSAGE_BYTES_MAX};
use crate::wire::{Cursor, Message, Reader, StreamId, WireError, Writer, verify};
use hub_core::block::Block;
use hub_core::hash::{Hash, sha256};
use hub_core::header::HeaderError;
use hub_core::id::{FederationId, NodeId};
use hub_core::time::Millis;
use std::fmt;

/// The first four bytes of every bundle.
pub const MAGIC: [u8; 4] = *b"HUBP";
/// The version this code writes and reads.
pub const VERSION: u16 = 0;

/// What a bundle says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The federation.
    pub federation: FederationId,
    /// Who made and signed it.
    pub from: NodeId,
    /// The epoch of the key that signed it.
    pub from_epoch: u32,
    /// For whom it is.
    pub to: NodeId,
    /// Whether it goes from child to parent.
    pub upwards: bool,
    /// When it was made, by the maker's clock.
    pub made_at: Millis,
    /// Which stream of the maker's journal it brings a part of.
    pub stream: StreamId,
    /// The part begins after this position …
    pub first: Position,
    /// … with this stream hash …
    pub first_hash: Hash,
    /// … and ends with this position …
    pub last: Position,
    /// … and this stream hash.
    pub last_hash: Hash,
    /// Which heights of which chains it brings whole.
    pub ranges: Vec<ChainRange>,
}

/// A bundle as read: lengths and hash are right, the signature is for the reader to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What it says it is.
    pub manifest: Manifest,
    /// The messages, each as a courier would bring it.
    pub messages: Vec<Vec<u8>>,
    signed: Vec<u8>,
    signature: [u8; 64],
}

/// Bytes that are no bundle, or messages that go into none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// The first bytes are not [`MAGIC`].
    Magic([u8; 4]),
    /// A version this code does not read.
    Version(u16),
    /// A field is wrong.
    Field(WireError),
    /// The messages are not those that were signed.
    Messages {
        /// The hash the manifest names.
        expected: Hash,
        /// The hash of what is there.
        found: Hash,
    },
    /// A message of another stream than the bundle's.
    Stream {
        /// The bundle's.
        expected: StreamId,
        /// The message's.
        found: StreamId,
    },
    /// The messages are not what the manifest, or the message before, says.
    Manifest {
        /// Which statement.
        field: &'static str,
        /// What must stand there.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// More than a bundle may hold.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// At most.
        expected: usize,
        /// So much.
        found: usize,
    },
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic(found) => write!(f, "magic: expected {MAGIC:02x?}, found {found:02x?}"),
            Self::Version(found) => write!(f, "version: expected {VERSION}, found {found}"),
            Self::Field(error) => error.fmt(f),
            Self::Messages { expected, found } => {
                write!(f, "messages: expected hash {expected}, found {found}")
            }
            Self::Stream { expected, found } => {
                let name = |stream: &StreamId| {
                    format!("{}/{}", hub_core::hash::hex_encode(&stream.journal.0), stream.run)
                };
                write!(f, "stream: expected {}, found {}", name(expected), name(found))
            }
            Self::Manifest { field, expected, found } => {
                write!(f, "manifest, {field}: expected {expected}, found {found}")
            }
            Self::TooMuch { what, expected, found } => {
                write!(f, "{what}: expected at most {expected}, found {found}")
            }
        }
    }
}

impl std::error::Error for BundleError {}

impl From<WireError> for BundleError {
    fn from(error: WireError) -> Self {
        Self::Field(error)
    }
}

fn bound(what: &'static str, expected: usize, found: usize) -> Result<(), BundleError> {
    if found <= expected { Ok(()) } else { Err(BundleError::TooMuch { what, expected, found }) }
}

/// Makes a bundle of messages.
///
/// # Errors
/// Too many messages or ranges, or one too long: make several.
pub fn encode(
    manifest: &Manifest,
    messages: &[Vec<u8>],
    sign: impl Fn(&[u8]) -> [u8; 64],
) -> Result<Vec<u8>, BundleError> {
    bound("ranges", BUNDLE_RANGES_MAX, manifest.ranges.len())?;
    bound("messages", BUNDLE_MESSAGES_MAX, messages.len())?;
    let mut body = Writer(Vec::new());
    for message in messages {
        bound("message bytes", MESSAGE_BYTES_MAX, message.len())?;
        body.sized(message);
    }
    bound("bundle bytes", BUNDLE_BYTES_MAX, body.0.len())?;
    let mut writer = Writer(MAGIC.to_vec());
    writer.u16(VERSION);
    writer.raw(&manifest.federation.0);
    writer.raw(&manifest.from.0);
    writer.u32(manifest.from_epoch);
    writer.raw(&manifest.to.0);
    writer.u8(u8::from(manifest.upwards));
    writer.u64(manifest.made_at);
    writer.stream(&manifest.stream);
    writer.u64(manifest.first);
    writer.raw(&manifest.first_hash.0);
    writer.u64(manifest.last);
    writer.raw(&manifest.last_hash.0);
    writer.count(manifest.ranges.len());
    for range in &manifest.ranges {
        writer.chain(&range.chain);
        writer.u64(range.first);
        writer.u64(range.last);
    }
    writer.u32(messages.len() as u32);
    writer.u64(body.0.len() as u64);
    writer.raw(&sha256(&[&body.0]).0);
    let signature = sign(&writer.0);
    writer.raw(&signature);
    writer.raw(&body.0);
    Ok(writer.0)
}

/// Reads a bundle; check [`Bundle::verify`] before anything in it is used.
///
/// # Errors
/// What is wrong first, in the order of the layout.
pub fn decode(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let mut reader = Reader::new(bytes);
    let magic = reader.array::<4>("magic")?;
    if magic != MAGIC {
        return Err(BundleError::Magic(magic));
    }
    let version = reader.u16("version")?;
    if version != VERSION {
        return Err(BundleError::Version(version));
    }
    let manifest = read_manifest(&mut reader)?;
    let count = reader.u32("messages")? as usize;
    bound("messages", BUNDLE_MESSAGES_MAX, count)?;
    let length = reader.u64("bundle bytes")?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    bound("bundle bytes", BUNDLE_BYTES_MAX, length)?;
    let expected = reader.hash("messages hash")?;
    let signed_bytes = bytes.len() - reader.left();
    let signature = reader.array("signature")?;
    let body = reader.take("messages", length)?;
    reader.end()?;
    let found = sha256(&[body]);
    if found != expected {
        return Err(BundleError::Messages { expected, found });
    }
    let mut reader = Reader::new(body);
    let mut messages = Vec::new();
    for _ in 0..count {
        messages.push(reader.sized("message", MESSAGE_BYTES_MAX)?.to_vec());
    }
    reader.end()?;
    Ok(Bundle { manifest, messages, signed: bytes[..signed_bytes].to_vec(), signature })
}

fn read_manifest(reader: &mut Reader<'_>) -> Result<Manifest, BundleError> {
    let federation = FederationId(reader.array("federation")?);
    let (from, from_epoch) = (reader.node("from")?, reader.u32("from epoch")?);
    let to = reader.node("to")?;
    let upwards = reader.flag("upwards")?;
    let made_at = reader.u64("made at")?;
    let journal = JournalId(reader.array("journal")?);
    let stream = StreamId { journal, run: reader.u32("run")? };
    let (first, first_hash) = (reader.u64("first")?, reader.hash("first hash")?);
    let (last, last_hash) = (reader.u64("last")?, reader.hash("last hash")?);
    let count = reader.count("ranges", BUNDLE_RANGES_MAX, 53)?;
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        let chain = reader.chain()?;
        let (first, last) = (reader.u64("range")?, reader.u64("range")?);
        ranges.push(ChainRange { chain, first, last });
    }
    Ok(Manifest {
        federation,
        from,
        from_epoch,
        to,
        upwards,
        made_at,
        stream,
        first,
        first_hash,
        last,
        last_hash,
        ranges,
    })
}

impl Manifest {
    /// Where the part begins.
    pub fn begins(&self) -> Cursor {
        Cursor { stream: self.stream, position: self.first, hash: self.first_hash }
    }

    /// Where it ends.
    pub fn ends(&self) -> Cursor {
        Cursor { stream: self.stream, position: self.last, hash: self.last_hash }
    }

    /// The channel on which a courier would bring its messages.
    pub fn channel(&self) -> Channel {
        if self.upwards { Channel::Up } else { Channel::Down }
    }

    /// The file's name: ASCII, the same for the same part of the same stream.
    ///
    /// `hub-<federation>-<from>-<to>-<first>-<last>.hub`, the first eight hex digits of each id and the
    /// positions in hex.
    pub fn file_name(&self) -> String {
        let short = |id: &[u8; 16]| hub_core::hash::hex_encode(&id[..4]);
        let (federation, from, to) =
            (short(&self.federation.0), short(&self.from.0), short(&self.to.0));
        format!("hub-{federation}-{from}-{to}-{:012x}-{:012x}.hub", self.first, self.last)
    }
}

impl Bundle {
    /// The blocks it brings whole, in its order.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let federation = self.manifest.federation;
        self.messages.iter().filter_map(move |bytes| match Message::decode(bytes, federation) {
            Ok(Message::Ship(ship)) => Some(ship.block),
            Ok(Message::Loose(block)) => Some(block),
            _ => None,
        })
    }

    /// Checks that the messages are what the manifest says of them.
    ///
    /// # Errors
    /// A message that is none, or the first statement that does not hold.
    pub fn check(&self) -> Result<(), BundleError> {
        pack::check(&self.manifest, &self.messages)
    }

    /// Checks that its maker, whose key this is, signed the manifest; its hash covers the messages.
    ///
    /// # Errors
    /// It is not so.
    pub fn verify(&self, key: &[u8; 32]) -> Result<(), HeaderError> {
        verify(key, &self.signed, &self.signature)
    }
}
