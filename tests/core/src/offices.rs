//! A federation of several nodes that seal real blocks, without any IO.

use hub_core::SigningKey;
use hub_core::block::{Block, SealError};
use hub_core::chain::ChainHead;
use hub_core::fact::governance::{Enrolment, GovernanceFact};
use hub_core::fact::{Attribute, Fact, FactBody};
use hub_core::hash::{Hash, sha256};
use hub_core::header::Header;
use hub_core::id::{ChainId, FactId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Millis, Precision};
use hub_core::view::View;
use std::collections::BTreeMap;

/// Blocks by chain and height.
pub type Blocks = BTreeMap<(ChainId, u64), Block>;

/// A node in one of its epochs.
#[derive(Debug, Clone)]
pub struct Office {
    key: SigningKey,
    /// Its id.
    pub node: NodeId,
    /// Its epoch.
    pub epoch: u32,
    /// The unit it is there for.
    pub unit: UnitId,
    heads: BTreeMap<Lane, ChainHead>,
    clock: Hlc,
}

/// What a fact says and when, before it has a clock.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its day.
    pub day: Day,
    /// How exactly it is known.
    pub precision: Precision,
    /// The unit acted for.
    pub unit: UnitId,
    /// Coded attributes.
    pub attributes: Vec<Attribute>,
    /// What happened.
    pub body: FactBody,
}

impl Entry {
    /// On a day known exactly, without attributes.
    pub fn new(day: Day, unit: UnitId, body: FactBody) -> Self {
        Self { day, precision: Precision::Day, unit, attributes: Vec::new(), body }
    }
}

impl Office {
    /// The key of this seed, for a unit.
    pub fn new(seed: &str, unit: UnitId) -> Self {
        let key = SigningKey::from_bytes(&sha256(&[b"office", seed.as_bytes()]).0);
        let node = NodeId::of_first_key(&key.verifying_key().to_bytes());
        Self { key, node, epoch: 1, unit, heads: BTreeMap::new(), clock: Hlc::ZERO }
    }

    /// The next epoch of a node, with a key of its own.
    pub fn next_epoch(&self, seed: &str) -> Self {
        let fresh = Self::new(seed, self.unit);
        Self { node: self.node, epoch: self.epoch + 1, clock: self.clock, ..fresh }
    }

    /// The next epoch of the root, by the pinned key.
    #[must_use]
    pub fn pinned_epoch(&self) -> Self {
        Self { epoch: self.epoch + 1, heads: BTreeMap::new(), ..self.clone() }
    }

    /// Its public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The chain of one of its lanes.
    pub fn chain(&self, lane: Lane) -> ChainId {
        ChainId { node: self.node, epoch: self.epoch, lane }
    }

    /// The id the next fact in a lane will have.
    pub fn next_fact(&self, lane: Lane) -> FactId {
        FactId { chain: self.chain(lane), seq: self.head(lane).next_seq }
    }

    /// Where its lanes stand: what a cut that spares everything names.
    pub fn heights(&self) -> Vec<(Lane, u64)> {
        self.heads.iter().map(|(lane, head)| (*lane, head.height)).collect()
    }

    /// An enrolment of it from `from` until `expires`.
    pub fn enrolment(&self, from: Millis, expires: Millis) -> FactBody {
        FactBody::Governance(GovernanceFact::NodeEnrolled(Box::new(Enrolment {
            node: self.node,
            key: self.public_key(),
            epoch: self.epoch,
            unit: self.unit,
            may_delegate: true,
            not_before: from,
            expires,
            continues: None,
            person_key: Vec::new(),
        })))
    }

    /// Its heads.
    pub fn heads(&self) -> impl Iterator<Item = (Lane, ChainHead)> {
        self.heads.iter().map(|(lane, head)| (*lane, *head))
    }

    fn head(&self, lane: Lane) -> ChainHead {
        self.heads.get(&lane).copied().unwrap_or(ChainHead::empty(Hash::ZERO))
    }

    /// Seals entries into one block at `at` or just after its last fact.
    ///
    /// # Errors
    /// The entries make no block.
    pub fn seal(
        &mut self,
        federation: FederationId,
        lane: Lane,
        at: Millis,
        entries: &[Entry],
    ) -> Result<Block, SealError> {
        let clock = &mut self.clock;
        let facts: Vec<Fact> = entries
            .iter()
            .map(|entry| {
                *clock = clock.tick(at);
                Fact {
                    hlc: *clock,
                    day: entry.day,
                    precision: entry.precision,
                    operator: 1,
                    unit: entry.unit,
                    document: None,
                    attributes: entry.attributes.clone(),
                    body: entry.body.clone(),
                }
            })
            .collect();
        let place = self.head(lane).next_place(federation, self.chain(lane));
        let block = Block::seal(place, &facts, &self.key)?;
        self.extend(lane, &block);
        Ok(block)
    }

    /// Signs a block of one fact with a body of a codec nobody reads yet.
    pub fn seal_unreadable(&mut self, federation: FederationId, lane: Lane, at: Millis) -> Block {
        self.clock = self.clock.tick(at);
        let place = self.head(lane).next_place(federation, self.chain(lane));
        let body = b"a later version wrote this";
        let header = Header {
            federation,
            chain: place.chain,
            height: place.height,
            first_seq: place.first_seq,
            count: 1,
            previous: place.previous,
            first_hlc: self.clock,
            last_hlc: self.clock,
            codec: 9,
            body_length: body.len() as u32,
            body_hash: sha256(&[body]),
        };
        let block = Block::signed(header, body, &self.key);
        self.extend(lane, &block);
        block
    }

    fn extend(&mut self, lane: Lane, block: &Block) {
        let head = ChainHead {
            height: block.header().height,
            hash: block.hash(),
            next_seq: block.header().next_seq(),
            last_hlc: block.header().last_hlc,
        };
        self.heads.insert(lane, head);
    }
}

/// The view of these blocks, folded at once.
pub fn view_of(root_key: [u8; 32], blocks: &Blocks) -> View {
    let mut view = View::new(FederationId::of_root_key(&root_key), root_key);
    view.apply_all(blocks.values(), blocks);
    view
}
