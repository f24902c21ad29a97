//! Blocks: a batch of facts of one node, hashed, chained, signed (DESIGN §5).

use crate::codec::{self, Body, CodecError};
use crate::fact::{Fact, FactError};
use crate::hash::{Hash, sha256};
use crate::header::{HEADER_BYTES, Header, HeaderError, SIGNED_BYTES, block_hash};
use crate::id::{ChainId, FactId, FederationId};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;
use std::sync::Arc;

/// A whole block as received or sealed; its bytes are what is stored, relayed and hashed.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    header: Header,
    hash: Hash,
    bytes: Arc<[u8]>,
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Block({} height {} {})",
            self.header.chain,
            self.header.height,
            self.hash.short()
        )
    }
}

/// Where a block goes in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The federation.
    pub federation: FederationId,
    /// The chain.
    pub chain: ChainId,
    /// The height.
    pub height: u64,
    /// The seq of the first fact.
    pub first_seq: u64,
    /// The hash of the block before.
    pub previous: Hash,
}

/// Facts that make no block.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// A fact breaks a bound.
    Fact {
        /// Its place among the facts, from 0.
        index: usize,
        /// What is wrong.
        error: FactError,
    },
    /// The facts do not go into one body.
    Codec(CodecError),
    /// HLCs must rise from fact to fact.
    Order {
        /// The place of the fact that does not, from 0.
        index: usize,
    },
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fact { index, error } => write!(f, "fact {index}: {error}"),
            Self::Codec(error) => error.fmt(f),
            Self::Order { index } => {
                write!(f, "fact {index}: expected a greater HLC than the fact before it")
            }
        }
    }
}

impl std::error::Error for SealError {}

impl Block {
    /// Encodes, hashes and signs a block.
    ///
    /// # Errors
    /// No facts, too many, a fact out of bounds, mixed families, HLCs that do not rise.
    pub fn seal(place: Place, facts: &[Fact], key: &SigningKey) -> Result<Self, SealError> {
        for (index, fact) in facts.iter().enumerate() {
            fact.check().map_err(|error| SealError::Fact { index, error })?;
            if index > 0 && facts[index - 1].hlc >= fact.hlc {
                return Err(SealError::Order { index });
            }
        }
        let (codec, body) = codec::encode(facts).map_err(SealError::Codec)?;
        let (first_hlc, last_hlc) = (facts[0].hlc, facts[facts.len() - 1].hlc);
        let header = Header {
            federation: place.federation,
            chain: place.chain,
            height: place.height,
            first_seq: place.first_seq,
            count: facts.len() as u32,
            previous: place.previous,
            first_hlc,
            last_hlc,
            codec,
            body_length: body.len() as u32,
            body_hash: sha256(&[&body]),
        };
        Ok(Self::signed(header, &body, key))
    }

    /// A block of this header and body, signed as they stand: for tests of readers and for codecs this
    /// version does not write.
    pub fn signed(header: Header, body: &[u8], key: &SigningKey) -> Self {
        let signed = header.to_signed_bytes();
        let signature = key.sign(&signed).to_bytes();
        let mut head = [0; HEADER_BYTES];
        head[..SIGNED_BYTES].copy_from_slice(&signed);
        head[SIGNED_BYTES..].copy_from_slice(&signature);
        let bytes: Arc<[u8]> = [&head[..], body].concat().into();
        Self { header, hash: block_hash(&head), bytes }
    }

    /// Reads a block: lengths, bounds and body hash are checked, the signature is not.
    ///
    /// # Errors
    /// What is wrong, with expected and found.
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self, HeaderError> {
        let bytes = bytes.into();
        let header = Header::parse(&bytes)?;
        if bytes.len() != header.block_length() {
            let (expected, found) = (header.block_length(), bytes.len());
            return Err(HeaderError::Length { expected, found });
        }
        let found = sha256(&[&bytes[HEADER_BYTES..]]);
        if found != header.body_hash {
            return Err(HeaderError::BodyHash { expected: header.body_hash, found });
        }
        let mut head = [0; HEADER_BYTES];
        head.copy_from_slice(&bytes[..HEADER_BYTES]);
        Ok(Self { header, hash: block_hash(&head), bytes })
    }

    /// Checks the signature (strictly, so that all verifiers agree).
    ///
    /// # Errors
    /// [`HeaderError::Signature`] when it is not by this key.
    pub fn verify(&self, key: &[u8; 32]) -> Result<(), HeaderError> {
        let wrong = HeaderError::Signature { expected: *key };
        let Ok(verifying) = VerifyingKey::from_bytes(key) else { return Err(wrong) };
        let mut signature = [0; 64];
        signature.copy_from_slice(&self.bytes[SIGNED_BYTES..HEADER_BYTES]);
        verifying
            .verify_strict(&self.bytes[..SIGNED_BYTES], &Signature::from_bytes(&signature))
            .map_err(|_| wrong)
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its hash: the name by which the next block and every receipt knows it.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// All its bytes.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// The bytes of its body.
    pub fn body_bytes(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// Decodes the body.
    ///
    /// # Errors
    /// Why it is unreadable. The block stands all the same: it is stored and parked.
    pub fn body(&self) -> Result<Body, CodecError> {
        codec::decode(&self.header, self.body_bytes())
    }

    /// The id of its fact at `index`, from 0.
    pub fn fact_id(&self, index: u32) -> FactId {
        FactId { chain: self.header.chain, seq: self.header.first_seq + u64::from(index) }
    }
}
