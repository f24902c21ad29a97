//! Receipts: the only thing that means delivered (DESIGN §10).

use super::bytes::{Reader, Writer};
use super::{Cursor, WireError};
use crate::io::Position;
use crate::limits::WATERMARKS_MAX;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hub_core::header::HeaderError;
use hub_core::id::{FederationId, NodeId};
use hub_core::time::Millis;

/// Set before the signed bytes of a receipt, so that no other signature passes for one.
const LABEL: &[u8] = b"hub receipt 0";

/// What an ancestor further up holds of the child's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// The ancestor.
    pub ancestor: NodeId,
    /// It durably holds the child's stream up to here, at least.
    pub position: Position,
    /// When it said so, by its own clock.
    pub durable_at: Millis,
}

/// Says, signed, how far the receiver durably holds a child's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Who received: it signs.
    pub receiver: NodeId,
    /// The epoch of the key it signs with.
    pub receiver_epoch: u32,
    /// Whose stream.
    pub child: NodeId,
    /// How far, and what the stream was to there.
    pub cursor: Cursor,
    /// When the receiver held that durably, by its clock.
    pub durable_at: Millis,
    /// When this receipt was made, by its clock: of two the later holds.
    pub stated_at: Millis,
    /// What is known from above, nearest ancestor first.
    pub watermarks: Vec<Watermark>,
    /// By the receiver, over everything before it and the federation.
    pub signature: [u8; 64],
}

impl Receipt {
    /// The bytes that are signed.
    pub fn signed_bytes(&self, federation: FederationId) -> Vec<u8> {
        let mut writer = Writer(LABEL.to_vec());
        writer.raw(&federation.0);
        self.write_signed(&mut writer);
        writer.0
    }

    /// The receipt with its signature.
    #[must_use]
    pub fn signed(mut self, federation: FederationId, sign: impl Fn(&[u8]) -> [u8; 64]) -> Self {
        self.signature = sign(&self.signed_bytes(federation));
        self
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// It is not by this key.
    pub fn verify(&self, federation: FederationId, key: &[u8; 32]) -> Result<(), HeaderError> {
        verify(key, &self.signed_bytes(federation), &self.signature)
    }

    fn write_signed(&self, writer: &mut Writer) {
        writer.raw(&self.receiver.0);
        writer.u32(self.receiver_epoch);
        writer.raw(&self.child.0);
        writer.cursor(&self.cursor);
        writer.u64(self.durable_at);
        writer.u64(self.stated_at);
        writer.count(self.watermarks.len());
        for watermark in &self.watermarks {
            writer.raw(&watermark.ancestor.0);
            writer.u64(watermark.position);
            writer.u64(watermark.durable_at);
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        self.write_signed(writer);
        writer.raw(&self.signature);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let receiver = reader.node("receiver")?;
        let receiver_epoch = reader.u32("receiver epoch")?;
        let child = reader.node("child")?;
        let cursor = reader.cursor()?;
        let (durable_at, stated_at) = (reader.u64("durable at")?, reader.u64("stated at")?);
        let count = reader.count("watermarks", WATERMARKS_MAX, 32)?;
        let mut watermarks = Vec::with_capacity(count);
        for _ in 0..count {
            watermarks.push(Watermark {
                ancestor: reader.node("ancestor")?,
                position: reader.u64("position")?,
                durable_at: reader.u64("durable at")?,
            });
        }
        let signature = reader.array("signature")?;
        Ok(Self {
            receiver,
            receiver_epoch,
            child,
            cursor,
            durable_at,
            stated_at,
            watermarks,
            signature,
        })
    }
}

/// Ed25519 over the bytes: what [`crate::io::Context::sign`] does with the node's key.
pub fn sign(key: &SigningKey, bytes: &[u8]) -> [u8; 64] {
    key.sign(bytes).to_bytes()
}

/// Strict Ed25519 over the bytes.
pub(crate) fn verify(
    key: &[u8; 32],
    bytes: &[u8],
    signature: &[u8; 64],
) -> Result<(), HeaderError> {
    let wrong = HeaderError::Signature { expected: *key };
    let Ok(verifying) = VerifyingKey::from_bytes(key) else { return Err(wrong) };
    verifying.verify_strict(bytes, &Signature::from_bytes(signature)).map_err(|_| wrong)
}
