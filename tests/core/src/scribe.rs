//! One node that writes everything: a chain of signed blocks for folding without any IO.

use hub_core::SigningKey;
use hub_core::block::{Block, Place, SealError};
use hub_core::fact::{Attribute, Fact, FactBody};
use hub_core::hash::Hash;
use hub_core::id::{ChainId, FactId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Millis, Precision};
use hub_core::view::View;
use std::collections::BTreeMap;

/// The most facts this scribe puts into a block: few enough for every kind of fact to fit.
const BLOCK_FACTS: usize = 400;

/// The root of a federation, writing in its `up` lane.
#[derive(Debug)]
pub struct Scribe {
    key: SigningKey,
    chain: ChainId,
    clock: Hlc,
    next_seq: u64,
    height: u64,
    previous: Hash,
    pending: Vec<Fact>,
    /// Everything sealed so far.
    pub blocks: BTreeMap<(ChainId, u64), Block>,
}

impl Scribe {
    /// The root whose key is 32 times `seed`, writing from `now` on.
    pub fn new(seed: u8, now: Millis) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let node = NodeId::of_first_key(&key.verifying_key().to_bytes());
        Self {
            chain: ChainId { node, epoch: 1, lane: Lane::Up },
            key,
            clock: Hlc::at(now),
            next_seq: 1,
            height: 1,
            previous: Hash::ZERO,
            pending: Vec::new(),
            blocks: BTreeMap::new(),
        }
    }

    /// Its public key, which is the root key of the federation.
    pub fn root_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Its id.
    pub fn node(&self) -> NodeId {
        self.chain.node
    }

    /// The id the next fact will have.
    pub fn next_fact(&self) -> FactId {
        FactId { chain: self.chain, seq: self.next_seq }
    }

    /// Writes one fact, acting for `unit`.
    ///
    /// # Errors
    /// The facts waiting make no block.
    pub fn write(
        &mut self,
        unit: UnitId,
        day: Day,
        document: Option<String>,
        body: FactBody,
    ) -> Result<FactId, SealError> {
        let is_member = |body: &FactBody| matches!(body, FactBody::Member(_));
        let other_family =
            self.pending.last().is_some_and(|last| is_member(&last.body) != is_member(&body));
        if other_family || self.pending.len() >= BLOCK_FACTS {
            self.seal()?;
        }
        let id = self.next_fact();
        self.clock = self.clock.tick(0);
        self.pending.push(Fact {
            hlc: self.clock,
            day,
            precision: Precision::Day,
            operator: 1,
            unit,
            document,
            attributes: Vec::<Attribute>::new(),
            body,
        });
        self.next_seq += 1;
        Ok(id)
    }

    /// Seals what waits into a block.
    ///
    /// # Errors
    /// The facts make no block.
    pub fn seal(&mut self) -> Result<(), SealError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let place = Place {
            federation: FederationId::of_root_key(&self.root_key()),
            chain: self.chain,
            height: self.height,
            first_seq: self.next_seq - self.pending.len() as u64,
            previous: self.previous,
        };
        let block = Block::seal(place, &self.pending, &self.key)?;
        self.previous = block.hash();
        self.blocks.insert((self.chain, self.height), block);
        self.height += 1;
        self.pending.clear();
        Ok(())
    }

    /// The view of everything sealed.
    pub fn view(&self) -> View {
        let federation = FederationId::of_root_key(&self.root_key());
        let mut view = View::new(federation, self.root_key());
        view.apply_all(self.blocks.values(), &self.blocks);
        view
    }
}
