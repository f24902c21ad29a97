//! One chain under way: facts in, full signed blocks out.

use super::error::{BenchError, failed};
use hub_core::SigningKey;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::{Attribute, Fact, FactBody};
use hub_core::hash::{Hash, sha256};
use hub_core::header::FACTS_MAX;
use hub_core::id::{ChainId, FactId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Millis, Precision};

/// Rows are longer than columns: so many of them always fit a block.
const ROWS_MAX: usize = 600;

/// A node of the generated province.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its key.
    pub key: SigningKey,
    /// Its id.
    pub id: NodeId,
    /// The unit it serves.
    pub unit: UnitId,
}

impl Node {
    /// The generated node of this name.
    pub fn named(name: &str, unit: UnitId) -> Self {
        let Hash(seed) = sha256(&[b"generated node", name.as_bytes()]);
        let key = SigningKey::from_bytes(&seed);
        Self { id: NodeId::of_first_key(key.verifying_key().as_bytes()), key, unit }
    }

    /// Its public key.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

/// One chain of a node, from its head on.
#[derive(Debug)]
pub struct Pen {
    federation: FederationId,
    chain: ChainId,
    node: Node,
    head: ChainHead,
    clock: Hlc,
    waiting: Vec<Fact>,
    members_wait: bool,
}

impl Pen {
    /// A chain of this node that has no block yet, written from `now` on.
    pub fn new(federation: FederationId, node: &Node, lane: Lane, now: Millis) -> Self {
        Self {
            federation,
            chain: ChainId { node: node.id, epoch: 1, lane },
            node: node.clone(),
            head: ChainHead::empty(Hash::ZERO),
            clock: Hlc::at(now),
            waiting: Vec::with_capacity(FACTS_MAX as usize),
            members_wait: false,
        }
    }

    /// The id the next fact gets.
    pub fn next_fact(&self) -> FactId {
        FactId { chain: self.chain, seq: self.head.next_seq + self.waiting.len() as u64 }
    }

    /// Its clock may not stand before `now`.
    pub fn advance(&mut self, now: Millis) {
        self.clock = self.clock.max(Hlc::at(now));
    }

    /// Writes a fact; a full block comes back.
    ///
    /// # Errors
    /// Facts that make no block.
    pub fn write(
        &mut self,
        day: Day,
        attributes: Vec<Attribute>,
        body: FactBody,
    ) -> Result<Option<Block>, BenchError> {
        let member = matches!(body, FactBody::Member(_));
        let most = if self.members_wait { FACTS_MAX as usize } else { ROWS_MAX };
        let full = self.waiting.len() >= most || member != self.members_wait;
        let block = if full { self.seal()? } else { None };
        self.members_wait = member;
        self.clock = self.clock.tick(0);
        let document =
            matches!(&body, FactBody::Branch(hub_core::fact::BranchFact::Approved { .. }))
                .then(|| format!("演工发〔2026〕{}号", self.head.next_seq % 997 + 1));
        self.waiting.push(Fact {
            hlc: self.clock,
            day,
            precision: Precision::Day,
            operator: 1,
            unit: self.node.unit,
            document,
            attributes,
            body,
        });
        Ok(block)
    }

    /// Seals what waits.
    ///
    /// # Errors
    /// Facts that make no block.
    pub fn seal(&mut self) -> Result<Option<Block>, BenchError> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        let place = self.head.next_place(self.federation, self.chain);
        let block = Block::seal(place, &self.waiting, &self.node.key).map_err(failed("seal"))?;
        self.head = self.head.extended(block.header(), block.hash()).map_err(failed("extend"))?;
        self.waiting.clear();
        Ok(Some(block))
    }
}
