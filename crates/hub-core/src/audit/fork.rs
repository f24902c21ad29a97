//! A fork as a file that proves itself (`schemas/fork.md`): the two blocks, and the enrolments by which their
//! key follows from the root. Whoever holds the root's fingerprint needs nothing else.

use crate::block::Block;
use crate::chain::Fork;
use crate::codec::Body;
use crate::fact::{FactBody, GovernanceFact};
use crate::header::HeaderError;
use crate::id::{ChainId, FederationId, NodeId};
use std::collections::BTreeMap;
use std::fmt;

/// The first eight bytes of a proof.
pub const FORK_MAGIC: [u8; 8] = *b"HUBFORK0";
/// The most blocks of a proof: two sides, and an enrolment for each level and epoch between.
pub const FORK_BLOCKS_MAX: usize = 64;

/// Two blocks of one place, and why their key is the writer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkProof {
    /// The two blocks.
    pub sides: Fork,
    /// The blocks of the enrolments from the root down to the writer, in that order.
    pub enrolments: Vec<Block>,
}

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenFork {
    /// The chain.
    pub chain: ChainId,
    /// The height.
    pub height: u64,
    /// Who enrolled whom, from the root down to the writer.
    pub issuers: Vec<NodeId>,
}

/// Why a file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unproven {
    /// It is no such file.
    Magic,
    /// It ends too early, or goes on behind its end.
    Length {
        /// What its counts say.
        expected: usize,
        /// What is there.
        found: usize,
    },
    /// Too few blocks, or too many.
    Blocks {
        /// How many.
        found: usize,
    },
    /// A block of it is none.
    Block {
        /// Which, from 0.
        at: usize,
        /// What is wrong.
        error: HeaderError,
    },
    /// A block belongs to another federation than the root key's.
    Federation {
        /// The root key's.
        expected: FederationId,
        /// The block's.
        found: FederationId,
    },
    /// The two blocks are one, or stand at two places.
    NoFork,
    /// No enrolment in it names the key of this writer.
    UnknownKey {
        /// The node.
        node: NodeId,
        /// The epoch.
        epoch: u32,
    },
    /// A signature is not by the writer's key.
    Signature {
        /// Which block, from 0.
        at: usize,
        /// What is wrong.
        error: HeaderError,
    },
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("expected a proof of a fork, found other bytes"),
            Self::Length { expected, found } => {
                write!(f, "length: expected {expected} bytes, found {found}")
            }
            Self::Blocks { found } => {
                write!(f, "blocks: expected 3 to {FORK_BLOCKS_MAX}, found {found}")
            }
            Self::Block { at, error } => write!(f, "block {at}: {error}"),
            Self::Federation { expected, found } => {
                write!(f, "federation: expected {expected}, found {found}")
            }
            Self::NoFork => {
                f.write_str("expected two different blocks of one place, found one, or two places")
            }
            Self::UnknownKey { node, epoch } => {
                write!(f, "expected an enrolment of node {node} in epoch {epoch}, found none")
            }
            Self::Signature { at, error } => write!(f, "block {at}: {error}"),
        }
    }
}

impl std::error::Error for Unproven {}

/// Keys by node and epoch, each with the way down from the root.
type Keys = BTreeMap<(NodeId, u32), ([u8; 32], Vec<NodeId>)>;

impl ForkProof {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let blocks: Vec<&Block> =
            [&self.sides.first, &self.sides.second].into_iter().chain(&self.enrolments).collect();
        let mut bytes = FORK_MAGIC.to_vec();
        bytes.extend_from_slice(&(blocks.len() as u16).to_be_bytes());
        for block in blocks {
            bytes.extend_from_slice(&(block.bytes().len() as u32).to_be_bytes());
            bytes.extend_from_slice(block.bytes());
        }
        bytes
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unproven> {
        let rest = bytes.strip_prefix(&FORK_MAGIC).ok_or(Unproven::Magic)?;
        let short = |expected| Unproven::Length { expected, found: bytes.len() };
        let (count, mut rest) = rest.split_first_chunk::<2>().ok_or_else(|| short(10))?;
        let count = usize::from(u16::from_be_bytes(*count));
        if !(3..=FORK_BLOCKS_MAX).contains(&count) {
            return Err(Unproven::Blocks { found: count });
        }
        let mut blocks = Vec::new();
        for at in 0..count {
            let read = bytes.len() - rest.len();
            let (length, after) = rest.split_first_chunk::<4>().ok_or_else(|| short(read + 4))?;
            let length = u32::from_be_bytes(*length) as usize;
            let block = after.get(..length).ok_or_else(|| short(read + 4 + length))?;
            rest = &after[length..];
            blocks.push(Block::parse(block).map_err(|error| Unproven::Block { at, error })?);
        }
        if !rest.is_empty() {
            return Err(short(bytes.len() - rest.len()));
        }
        let enrolments = blocks.split_off(2);
        match <[Block; 2]>::try_from(blocks) {
            Ok([first, second]) => Ok(Self { sides: Fork { first, second }, enrolments }),
            Err(blocks) => Err(Unproven::Blocks { found: blocks.len() }),
        }
    }

    /// Checks the proof by nothing but the root key.
    ///
    /// # Errors
    /// What it does not prove.
    pub fn check(&self, root_key: &[u8; 32]) -> Result<ProvenFork, Unproven> {
        let Fork { first, second } = &self.sides;
        let expected = FederationId::of_root_key(root_key);
        let all = [first, second].into_iter().chain(&self.enrolments);
        for found in all.map(|block| block.header().federation) {
            if found != expected {
                return Err(Unproven::Federation { expected, found });
            }
        }
        let (one, other) = (first.header(), second.header());
        let same_place = (one.chain, one.height) == (other.chain, other.height);
        if !same_place || first.hash() == second.hash() {
            return Err(Unproven::NoFork);
        }
        let issued = self.keys(root_key)?;
        let ChainId { node, epoch, .. } = one.chain;
        let root = NodeId::of_first_key(root_key);
        let pinned = || (node == root).then(|| (*root_key, vec![root]));
        let named = issued.get(&(node, epoch)).cloned().or_else(pinned);
        let (key, issuers) = named.ok_or(Unproven::UnknownKey { node, epoch })?;
        for (at, block) in [first, second].into_iter().enumerate() {
            block.verify(&key).map_err(|error| Unproven::Signature { at, error })?;
        }
        Ok(ProvenFork { chain: one.chain, height: one.height, issuers })
    }

    /// The keys that the enrolments name, each with who stands between it and the root: a block counts for
    /// them only if its own key is known by then and may delegate.
    fn keys(&self, root_key: &[u8; 32]) -> Result<Keys, Unproven> {
        let root = NodeId::of_first_key(root_key);
        let mut keys = BTreeMap::from([((root, 1), (*root_key, vec![root]))]);
        // the root goes by it in every epoch for which none names another
        let pinned = |node| (node == root).then(|| (*root_key, vec![root]));
        let mut delegates = vec![(root, 1)];
        for (place, block) in self.enrolments.iter().enumerate() {
            let ChainId { node, epoch, .. } = block.header().chain;
            let unknown = Unproven::UnknownKey { node, epoch };
            let known = keys.get(&(node, epoch)).cloned();
            let (key, issuers) = known.or_else(|| pinned(node)).ok_or(unknown)?;
            let at = place + 2;
            block.verify(&key).map_err(|error| Unproven::Signature { at, error })?;
            let Ok(Body::Rows(facts)) = block.body() else { continue };
            if node != root && !delegates.contains(&(node, epoch)) {
                continue;
            }
            for fact in facts {
                let FactBody::Governance(GovernanceFact::NodeEnrolled(enrolled)) = fact.body else {
                    continue;
                };
                let who = (enrolled.node, enrolled.epoch);
                let named = who.1 > 1 || who.0 == NodeId::of_first_key(&enrolled.key);
                if named && !keys.contains_key(&who) {
                    let path = issuers.iter().copied().chain([who.0]).collect();
                    keys.insert(who, (enrolled.key, path));
                }
                if enrolled.may_delegate && named {
                    delegates.push(who);
                }
            }
        }
        Ok(keys)
    }
}
