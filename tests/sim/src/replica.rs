//! One node: a machine, its disk, its keys.

use crate::disk::Disk;
use crate::tree::{self, Tree};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::governance::Enrolment;
use hub_core::fact::{Fact, FactBody, GovernanceFact, UnitFact};
use hub_core::hash::Hash;
use hub_core::id::{ChainId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Millis, Precision};
use hub_core::{SigningKey, hash};
use hub_node::io::{Context, JournalId, Memory, Position, Quota, Scope, Start};
use hub_node::machine::Machine;
use std::collections::BTreeMap;

/// How long enrolments hold: longer than any run.
const EXPIRES: Millis = 1 << 42;

pub(crate) struct Replica {
    pub(crate) index: usize,
    pub(crate) id: NodeId,
    pub(crate) epoch: u32,
    pub(crate) machine: Machine,
    pub(crate) disk: Disk,
    pub(crate) up: bool,
    /// Rises with each crash: what was under way for an older life is void.
    pub(crate) life: u32,
    pub(crate) syncing: bool,
    /// The parent said that this epoch has signed more than is here: nothing is written in it.
    pub(crate) told: bool,
    /// Where its journal ended when it came to another parent.
    pub(crate) parent_since: Option<Position>,
    /// Own chains with what is not yet synced.
    heads: BTreeMap<Lane, ChainHead>,
    hlc: Hlc,
}

/// The key of a node in an epoch, the same in every world.
pub(crate) fn key(index: usize, epoch: u32) -> SigningKey {
    let seed = hash::sha256(&[b"simulated", &(index as u64).to_be_bytes(), &epoch.to_be_bytes()]);
    SigningKey::from_bytes(&seed.0)
}

pub(crate) fn node_id(index: usize) -> NodeId {
    NodeId::of_first_key(key(index, 1).verifying_key().as_bytes())
}

pub(crate) fn federation() -> FederationId {
    FederationId::of_root_key(key(0, 1).verifying_key().as_bytes())
}

/// Node ids by index, made once: deriving a key is not free.
pub(crate) struct Names {
    pub(crate) ids: Vec<NodeId>,
    by_id: BTreeMap<NodeId, usize>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let ids: Vec<NodeId> = (0..tree::NODES).map(node_id).collect();
        let by_id = ids.iter().enumerate().map(|(index, id)| (*id, index)).collect();
        Self { ids, by_id }
    }

    pub(crate) fn index(&self, id: NodeId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }
}

impl Replica {
    pub(crate) fn new(index: usize, id: NodeId, root: NodeId) -> Self {
        let pinned = (root, key(0, 1).verifying_key().to_bytes());
        Self {
            index,
            id,
            epoch: 1,
            machine: Machine::new(),
            disk: Disk::new(JournalId([index as u8; 16]), pinned),
            up: true,
            life: 0,
            syncing: false,
            told: false,
            parent_since: None,
            heads: BTreeMap::new(),
            hlc: Hlc::ZERO,
        }
    }

    /// What the machine is told at a start; what was not synced is forgotten.
    pub(crate) fn start(&mut self, parent: Option<NodeId>, quota: Quota, seed: u64) -> Box<Start> {
        self.heads.clear();
        let chains = self.disk.chains.keys().filter(|chain| chain.node == self.id);
        self.heads = chains
            .filter(|chain| chain.epoch == self.epoch)
            .filter_map(|chain| self.disk.head(chain).map(|head| (chain.lane, head)))
            .collect();
        let memories = self.disk.memories.iter();
        Box::new(Start {
            federation: federation(),
            node: self.id,
            epoch: self.epoch,
            journal: self.disk.id,
            end: self.disk.end(),
            parent,
            follows: self.index == tree::STANDBY,
            quota,
            seed,
            memories: memories
                .filter(|(_, bytes)| !bytes.is_empty())
                .map(|(peer, bytes)| Memory { peer: *peer, bytes: bytes.clone() })
                .collect(),
        })
    }

    fn fact(&mut self, now: Millis, body: FactBody) -> Fact {
        self.hlc = self.hlc.tick(now);
        let unit = tree::unit(self.index);
        Fact {
            hlc: self.hlc,
            day: Day::of_millis(now),
            precision: Precision::Day,
            operator: 1,
            unit,
            document: None,
            attributes: Vec::new(),
            body,
        }
    }

    /// Seals a block with one fact; `now` may be a wrong clock's.
    pub(crate) fn write(
        &mut self,
        now: Millis,
        lane: Lane,
        body: FactBody,
    ) -> Result<Block, String> {
        let fact = self.fact(now, body);
        let chain = ChainId { node: self.id, epoch: self.epoch, lane };
        let head = self.heads.get(&lane).copied().unwrap_or(ChainHead::empty(Hash::ZERO));
        let place = head.next_place(federation(), chain);
        let block = Block::seal(place, &[fact], &key(self.index, self.epoch))
            .map_err(|error| error.to_string())?;
        let head = head.extended(block.header(), block.hash()).map_err(|e| e.to_string())?;
        self.heads.insert(lane, head);
        Ok(block)
    }

    /// Another block for a place this node has filled already: what a thief of its key would sign.
    pub(crate) fn forge(&mut self, now: Millis) -> Option<Block> {
        let chain = ChainId { node: self.id, epoch: self.epoch, lane: Lane::Up };
        let standing = *self.disk.block(&chain, 1)?.header();
        let body = FactBody::Unit(UnitFact::Closed { unit: tree::unit(self.index), reason: 999 });
        let fact = self.fact(now, body);
        let place = hub_core::block::Place {
            federation: federation(),
            chain,
            height: 1,
            first_seq: standing.first_seq,
            previous: standing.previous,
        };
        Block::seal(place, &[fact], &key(self.index, self.epoch)).ok()
    }
}

/// The enrolment of a node's key.
pub(crate) fn enrolment(index: usize, id: NodeId, epoch: u32) -> FactBody {
    FactBody::Governance(GovernanceFact::NodeEnrolled(Box::new(Enrolment {
        node: id,
        key: key(index, epoch).verifying_key().to_bytes(),
        epoch,
        unit: tree::unit(index),
        may_delegate: !tree::is_leaf(index),
        not_before: 0,
        expires: EXPIRES,
        continues: None,
        person_key: Vec::new(),
    })))
}

/// What a machine may look up.
pub(crate) struct View<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) names: &'a Names,
    pub(crate) tree: Tree,
    pub(crate) key: &'a SigningKey,
    pub(crate) index: usize,
}

impl Context for View<'_> {
    fn key(&self, node: NodeId, epoch: u32) -> Option<[u8; 32]> {
        self.disk.keys.get(&(node, epoch)).copied()
    }

    fn head(&self, chain: &ChainId) -> Option<ChainHead> {
        self.disk.head(chain)
    }

    fn known(&self, chain: &ChainId, height: u64) -> Option<Hash> {
        self.disk.block(chain, height).map(Block::hash)
    }

    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        self.disk.block(chain, height).cloned()
    }

    fn beside(&self, chain: &ChainId, height: u64, hash: &Hash) -> bool {
        self.disk.besides.contains_key(&(*chain, height, *hash))
    }

    fn heads(&self, after: Option<&ChainId>, limit: usize) -> Vec<(ChainId, ChainHead)> {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, |chain| Bound::Excluded(*chain));
        let chains = self.disk.chains.range((from, Bound::Unbounded)).take(limit);
        chains.filter_map(|(chain, _)| Some((*chain, self.disk.head(chain)?))).collect()
    }

    fn position(&self, chain: &ChainId, height: u64) -> Option<Position> {
        self.disk.position(chain, height)
    }

    fn concerns(&self, unit: UnitId, audience: UnitId) -> Option<Hlc> {
        let (node, audience) = (tree::node_of(unit)?, tree::node_of(audience)?);
        let for_good = self.tree.concerns(node, audience).then_some(Hlc::MAX);
        for_good.or_else(|| self.tree.concerned(node, audience).map(Hlc::at))
    }

    fn serves_below(&self, unit: UnitId, node: NodeId) -> bool {
        let served = self.names.index(node).filter(|index| *index != tree::STANDBY);
        match (tree::node_of(unit), served) {
            (Some(upper), Some(node)) => self.tree.is_above(upper, node),
            _ => false,
        }
    }

    fn scope(&self, peer: NodeId) -> Option<Scope> {
        let peer = self.names.index(peer)?;
        if self.tree.parent(peer) != Some(self.index) {
            return None;
        }
        let child = Scope::Child(tree::unit(peer));
        Some(if peer == tree::STANDBY { Scope::Follower } else { child })
    }

    fn forked_from(&self, chain: &ChainId) -> Option<u64> {
        self.disk.forked_from(chain)
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        hub_node::wire::sign(self.key, bytes)
    }
}
