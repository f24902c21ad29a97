//! Enrolment: how a new node asks, and what it gets (DESIGN §9). The same bytes travel over the
//! courier and in files.

use super::bytes::{Reader, Writer};
use super::receipt::verify;
use super::{HEADER_BYTES, Message, WireError};
use crate::limits::{CHAIN_FILE_BLOCKS_MAX, FRONTIER_PAGE_MAX, TEXT_BYTES_MAX};
use hub_core::block::Block;
use hub_core::fact::governance::LaneHead;
use hub_core::header::{BLOCK_BYTES_MAX, HeaderError};
use hub_core::id::{FederationId, Lane, NodeId};
use hub_core::time::Millis;

/// Set before the signed bytes of a request.
const LABEL: &[u8] = b"hub enrol 0";
/// Set before what the key of the continued epoch signs.
const PROOF_LABEL: &[u8] = b"hub renew 0";

/// A node asks its future parent to be enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolRequest {
    /// The node.
    pub node: NodeId,
    /// The Ed25519 key it will sign with.
    pub key: [u8; 32],
    /// The X25519 key to which the person key is to be sealed.
    pub sealing_key: [u8; 32],
    /// The epoch that begins.
    pub epoch: u32,
    /// The unit it asks to serve, as its operator named it: a name, path or code.
    pub unit: String,
    /// The one-time token the parent's operator handed out; empty when it comes by file.
    pub token: String,
    /// The public key by which the parent's courier is to know it; empty when it works by files alone.
    pub courier: String,
    /// When it was made, by the asker's clock.
    pub requested_at: Millis,
    /// For a later epoch: the epoch it continues and the heads it knows.
    pub continues: Option<(u32, Vec<LaneHead>)>,
    /// For a later epoch: by the key of the continued one, over everything before it and the federation; none
    /// where that key is lost. Without it anybody may have made the request.
    pub proof: Option<[u8; 64]>,
    /// By the key, over everything before it and the federation.
    pub signature: [u8; 64],
}

/// What the parent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolAnswer {
    /// Who had asked.
    pub node: NodeId,
    /// The parent.
    pub parent: NodeId,
    /// Why not, in words; empty when enrolled.
    pub refusal: String,
    /// The root's key, to compare with the pinned one.
    pub root_key: [u8; 32],
    /// The chain file: for each ancestor from the root, and at last for the node, the block that holds
    /// its enrolment.
    pub chain: Vec<Block>,
}

impl EnrolRequest {
    /// The bytes that the key of the continued epoch signs.
    pub fn proven_bytes(&self, federation: FederationId) -> Vec<u8> {
        let mut writer = Writer(PROOF_LABEL.to_vec());
        writer.raw(&federation.0);
        self.write_asked(&mut writer);
        writer.0
    }

    /// The request with the proof that whoever makes it has the key of the continued epoch.
    #[must_use]
    pub fn proven(mut self, federation: FederationId, sign: impl Fn(&[u8]) -> [u8; 64]) -> Self {
        self.proof = Some(sign(&self.proven_bytes(federation)));
        self
    }

    /// Whether it carries a proof by this key of the continued epoch.
    ///
    /// # Errors
    /// It carries another's.
    pub fn is_proven(&self, federation: FederationId, key: &[u8; 32]) -> Result<bool, HeaderError> {
        let proof = self.proof.as_ref();
        proof.map_or(Ok(false), |proof| {
            verify(key, &self.proven_bytes(federation), proof).map(|()| true)
        })
    }

    /// The bytes that are signed.
    pub fn signed_bytes(&self, federation: FederationId) -> Vec<u8> {
        let mut writer = Writer(LABEL.to_vec());
        writer.raw(&federation.0);
        self.write_signed(&mut writer);
        writer.0
    }

    /// The request with its signature.
    #[must_use]
    pub fn signed(mut self, federation: FederationId, sign: impl Fn(&[u8]) -> [u8; 64]) -> Self {
        self.signature = sign(&self.signed_bytes(federation));
        self
    }

    /// Checks that the key in it signed it, and that a first key is the node's own.
    ///
    /// # Errors
    /// It is not so.
    pub fn verify(&self, federation: FederationId) -> Result<(), HeaderError> {
        if self.epoch == 1 && NodeId::of_first_key(&self.key) != self.node {
            return Err(HeaderError::Signature { expected: self.key });
        }
        verify(&self.key, &self.signed_bytes(federation), &self.signature)
    }

    fn write_signed(&self, writer: &mut Writer) {
        self.write_asked(writer);
        writer.u8(u8::from(self.proof.is_some()));
        if let Some(proof) = &self.proof {
            writer.raw(proof);
        }
    }

    fn write_asked(&self, writer: &mut Writer) {
        writer.raw(&self.node.0);
        writer.raw(&self.key);
        writer.raw(&self.sealing_key);
        writer.u32(self.epoch);
        writer.sized(self.unit.as_bytes());
        writer.sized(self.token.as_bytes());
        writer.sized(self.courier.as_bytes());
        writer.u64(self.requested_at);
        writer.u8(u8::from(self.continues.is_some()));
        if let Some((epoch, heads)) = &self.continues {
            writer.u32(*epoch);
            writer.count(heads.len());
            for head in heads {
                writer.raw(&head.lane.to_bytes());
                writer.u64(head.height);
                writer.raw(&head.hash.0);
            }
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        self.write_signed(writer);
        writer.raw(&self.signature);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            node: reader.node("node")?,
            key: reader.array("key")?,
            sealing_key: reader.array("sealing key")?,
            epoch: reader.u32("epoch")?,
            unit: reader.text("unit", TEXT_BYTES_MAX)?,
            token: reader.text("token", TEXT_BYTES_MAX)?,
            courier: reader.text("courier", TEXT_BYTES_MAX)?,
            requested_at: reader.u64("requested at")?,
            continues: read_continues(reader)?,
            proof: reader.flag("proof")?.then(|| reader.array("proof")).transpose()?,
            signature: reader.array("signature")?,
        })
    }
}

fn read_continues(reader: &mut Reader<'_>) -> Result<Option<(u32, Vec<LaneHead>)>, WireError> {
    if !reader.flag("continues")? {
        return Ok(None);
    }
    let epoch = reader.u32("continued epoch")?;
    let count = reader.count("continued heads", FRONTIER_PAGE_MAX, 57)?;
    let mut heads = Vec::with_capacity(count);
    for _ in 0..count {
        let lane = reader.array::<17>("lane")?;
        let expected = "tag 0 with zeros, or tag 1";
        let wrong = WireError::Field { field: "lane", expected, found: u64::from(lane[0]) };
        heads.push(LaneHead {
            lane: Lane::from_bytes(&lane).ok_or(wrong)?,
            height: reader.u64("height")?,
            hash: reader.hash("hash")?,
        });
    }
    Ok(Some((epoch, heads)))
}

impl EnrolAnswer {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.raw(&self.node.0);
        writer.raw(&self.parent.0);
        writer.sized(self.refusal.as_bytes());
        writer.raw(&self.root_key);
        writer.count(self.chain.len());
        for block in &self.chain {
            writer.sized(block.bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let node = reader.node("node")?;
        let parent = reader.node("parent")?;
        let refusal = reader.text("refusal", TEXT_BYTES_MAX)?;
        let root_key = reader.array("root key")?;
        let count = reader.count("chain file", CHAIN_FILE_BLOCKS_MAX, 4)?;
        let mut chain = Vec::with_capacity(count);
        for _ in 0..count {
            let bytes = reader.sized("chain file block", BLOCK_BYTES_MAX)?;
            chain.push(Block::parse(bytes).map_err(WireError::Block)?);
        }
        Ok(Self { node, parent, refusal, root_key, chain })
    }
}

/// The federation a message claims to be of: for the one reader that has none yet, the new node that
/// opens the answer to its request.
pub fn claimed_federation(bytes: &[u8]) -> Option<FederationId> {
    let header = bytes.get(..HEADER_BYTES)?;
    let mut federation = [0; 16];
    federation.copy_from_slice(&header[HEADER_BYTES - 16..]);
    Message::decode(bytes, FederationId(federation)).ok().map(|_| FederationId(federation))
}
