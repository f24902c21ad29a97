//! Framing anew: lengths, counts and hashes are made to fit what was changed, so that a mutant gets past
//! the first checks and only a signature can refuse it. Layouts: `schemas/block.md`, `bundle.md`, `wire.md`.

use hub_core::SigningKey;
use hub_core::hash::sha256;
use hub_core::header::{HEADER_BYTES, SIGNED_BYTES};
use hub_node::wire::sign;

/// Where a block's header says how long its body is; the hash of the body follows.
const BODY_LENGTH: usize = 129;
const BODY_HASH: usize = 133;

/// Body length and body hash as the bytes give them.
pub(super) fn block(bytes: &mut [u8]) {
    if bytes.len() <= HEADER_BYTES {
        return;
    }
    let body = (bytes.len() - HEADER_BYTES) as u32;
    let hash = sha256(&[&bytes[HEADER_BYTES..]]);
    bytes[BODY_LENGTH..BODY_HASH].copy_from_slice(&body.to_be_bytes());
    bytes[BODY_HASH..SIGNED_BYTES].copy_from_slice(&hash.0);
}

/// Signs a block anew, with the key of someone who may not.
pub(super) fn sign_block(bytes: &mut [u8], key: &SigningKey) {
    if bytes.len() >= HEADER_BYTES {
        let signature = sign(key, &bytes[..SIGNED_BYTES]);
        bytes[SIGNED_BYTES..HEADER_BYTES].copy_from_slice(&signature);
    }
}

/// A bundle in its parts.
#[derive(Debug, Clone)]
pub(super) struct BundleParts {
    /// Everything before the number of messages.
    pub(super) manifest: Vec<u8>,
    /// The messages.
    pub(super) messages: Vec<Vec<u8>>,
    /// The signature as it was made.
    pub(super) signature: Vec<u8>,
}

/// Count of messages, length of the body, hash of the body: what the signature covers last.
const BUNDLE_TAIL: usize = 4 + 8 + 32;

impl BundleParts {
    /// Takes a valid bundle apart.
    pub(super) fn of(bytes: &[u8], messages: &[Vec<u8>]) -> Self {
        let body: usize = messages.iter().map(|message| 4 + message.len()).sum();
        let signed = bytes.len() - body - 64;
        Self {
            manifest: bytes[..signed - BUNDLE_TAIL].to_vec(),
            messages: messages.to_vec(),
            signature: bytes[signed..signed + 64].to_vec(),
        }
    }

    /// Puts it together with lengths, count and hash that fit; signed by `key` if there is one.
    pub(super) fn joined(&self, key: Option<&SigningKey>) -> Vec<u8> {
        let body = sized(&self.messages);
        let mut bytes = self.manifest.clone();
        bytes.extend((self.messages.len() as u32).to_be_bytes());
        bytes.extend((body.len() as u64).to_be_bytes());
        bytes.extend(sha256(&[&body]).0);
        let signature = key.map(|key| sign(key, &bytes).to_vec());
        bytes.extend(signature.as_ref().unwrap_or(&self.signature));
        bytes.extend(body);
        bytes
    }
}

/// An answer to an enrolment in its parts.
#[derive(Debug, Clone)]
pub(super) struct AnswerParts {
    /// Everything before the number of blocks.
    pub(super) head: Vec<u8>,
    /// The chain file.
    pub(super) blocks: Vec<Vec<u8>>,
}

impl AnswerParts {
    /// Takes a valid answer apart.
    pub(super) fn of(bytes: &[u8], blocks: &[Vec<u8>]) -> Self {
        let tail: usize = blocks.iter().map(|block| 4 + block.len()).sum();
        Self { head: bytes[..bytes.len() - tail - 2].to_vec(), blocks: blocks.to_vec() }
    }

    /// Puts it together with lengths and count that fit.
    pub(super) fn joined(&self) -> Vec<u8> {
        let mut bytes = self.head.clone();
        bytes.extend((self.blocks.len() as u16).to_be_bytes());
        bytes.extend(sized(&self.blocks));
        bytes
    }
}

fn sized(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u32).to_be_bytes());
        bytes.extend(part);
    }
    bytes
}
