//! What the sync machine may look up here: the journal's index and the view.

use super::{Identity, LocalPosition, Replica, ViewGuard};
use ed25519_dalek::Signer;
use hub_core::SigningKey;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, FactId, NodeId, UnitId};
use hub_core::time::{Hlc, Millis};
use hub_core::view::tree::UnitIx;
use hub_log::Journal;
use hub_node::io::{Context, Position, Scope};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLockReadGuard};

/// For so long it is taken as found what peers are to this node: enrolments begin and end with time, and
/// with a thousand children it is asked at every step.
const NEIGHBOURS_MILLIS: Millis = 1_000;

/// What nodes are to this one, as found in one state of the tree.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    version: u64,
    found_at: Millis,
    units: BTreeMap<NodeId, Option<UnitId>>,
    scopes: BTreeMap<NodeId, Option<Scope>>,
    /// Of every unit with a node of its own that once stood elsewhere: what stood above it, and until when
    /// what was said there concerns it. It hangs on the tree alone.
    former: Option<Arc<Former>>,
}

type Former = Vec<(UnitIx, BTreeMap<UnitIx, Hlc>)>;

/// Answers for one step of the machine; the view stands still while it lives.
pub struct Lookup<'a> {
    journal: &'a Journal,
    view: ViewGuard<'a>,
    who: Identity,
    key: Option<&'a SigningKey>,
    followers: RwLockReadGuard<'a, BTreeSet<NodeId>>,
    neighbours: &'a Mutex<Neighbours>,
    now: Hlc,
    /// One copy of the heads serves all pages of one step.
    heads: RefCell<Option<BTreeMap<ChainId, ChainHead>>>,
}

impl std::fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lookup({})", self.who.node)
    }
}

impl Replica {
    /// What the machine may look up, for one step.
    pub fn lookup(&self) -> Lookup<'_> {
        let view = self.read();
        let who = self.who_in(&view);
        let now = self.clock.now();
        let mut neighbours = super::held(&self.neighbours);
        let age = now.abs_diff(neighbours.found_at);
        if neighbours.version != self.tree_version() || age >= NEIGHBOURS_MILLIS {
            let version = self.tree_version();
            let same = neighbours.version == version;
            let former = neighbours.former.take().filter(|_| same);
            *neighbours = Neighbours { version, found_at: now, former, ..Neighbours::default() };
        }
        drop(neighbours);
        Lookup {
            journal: &self.journal,
            view,
            who,
            key: self.key.as_ref(),
            followers: self.followers.read().unwrap_or_else(PoisonError::into_inner),
            neighbours: &self.neighbours,
            now: Hlc::at(now),
            heads: RefCell::new(None),
        }
    }
}

impl Lookup<'_> {
    /// The unit a node serves: by the enrolment issued last, held or not. What was enrolled once may
    /// still ship what it wrote; what counts is judged in the view.
    fn unit_of(&self, node: NodeId) -> Option<UnitId> {
        if let Some(found) = super::held(self.neighbours).units.get(&node) {
            return *found;
        }
        let unit = self.find_unit_of(node);
        super::held(self.neighbours).units.insert(node, unit);
        unit
    }

    fn find_unit_of(&self, node: NodeId) -> Option<UnitId> {
        self.view.authority().newest_of(node).map(|newest| newest.enrolment.unit)
    }

    /// Whether `above` is `below` or one of its ancestors.
    fn is_at_or_above(&self, above: UnitId, below: UnitId) -> bool {
        let tree = self.view.tree();
        match (tree.find(&above), tree.find(&below)) {
            (Some(above), Some(below)) => tree.is_at_or_above(above, below, self.now),
            _ => above == below,
        }
    }

    /// What a peer may have from this node.
    fn find_scope(&self, peer: NodeId) -> Option<Scope> {
        if peer == self.who.node {
            return None;
        }
        if self.followers.contains(&peer) {
            return Some(Scope::Follower);
        }
        let unit = self.unit_of(peer)?;
        let above = self.server_above(unit).map(|(node, _)| node);
        let cut_off = self.view.authority().is_cut_off(peer);
        let scope = if cut_off { Scope::CutOff } else { Scope::Child(unit) };
        (above == Some(self.who.node)).then_some(scope)
    }

    /// Of units with a node of their own that once stood elsewhere: what stood above them.
    fn former(&self) -> Arc<Former> {
        if let Some(former) = &super::held(self.neighbours).former {
            return former.clone();
        }
        let (tree, authority) = (self.view.tree(), self.view.authority());
        let served: BTreeSet<UnitIx> = authority.enrolments.iter().map(|e| e.unit).collect();
        let above = |unit: UnitIx| (unit, authority.formerly_above(tree, unit, self.now));
        let moved = served.into_iter().map(above).filter(|(_, above)| !above.is_empty());
        let former = Arc::new(moved.collect::<Former>());
        super::held(self.neighbours).former = Some(former.clone());
        former
    }

    /// Up to which clock what was said to an audience concerns what is at or below a unit now, because it once
    /// stood below that audience.
    fn concerned(&self, unit: UnitId, audience: UnitId) -> Option<Hlc> {
        let tree = self.view.tree();
        let (unit, audience) = (tree.find(&unit)?, tree.find(&audience)?);
        let former = self.former();
        let below = former.iter().filter(|(at, _)| tree.is_at_or_above(unit, *at, self.now));
        below.filter_map(|(_, above)| above.get(&audience).copied()).max()
    }

    /// The node that serves the unit above this one, and its enrolment.
    pub(crate) fn server_above(&self, unit: UnitId) -> Option<(NodeId, FactId)> {
        let tree = self.view.tree();
        let place = tree.find(&unit)?;
        let parent = tree.parent_on(place, 0, self.now.day())?;
        let server = self.view.authority().server_of(tree, parent, self.now)?;
        Some((server.enrolment.node, server.id))
    }
}

impl Context for Lookup<'_> {
    fn key(&self, node: NodeId, epoch: u32) -> Option<[u8; 32]> {
        self.view.key(node, epoch)
    }

    fn head(&self, chain: &ChainId) -> Option<ChainHead> {
        self.journal.head(chain)
    }

    fn known(&self, chain: &ChainId, height: u64) -> Option<Hash> {
        self.journal.contains(chain, height).unwrap_or_else(|error| {
            tracing::error!(%error, "a stored block cannot be read");
            None
        })
    }

    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        self.journal.block(chain, height).unwrap_or_else(|error| {
            tracing::error!(%error, "a stored block cannot be read");
            None
        })
    }

    fn heads(&self, after: Option<&ChainId>, limit: usize) -> Vec<(ChainId, ChainHead)> {
        let mut heads = self.heads.borrow_mut();
        let heads = heads.get_or_insert_with(|| self.journal.heads());
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = heads.range((from, Bound::Unbounded)).take(limit);
        page.map(|(chain, head)| (*chain, *head)).collect()
    }

    fn position(&self, chain: &ChainId, height: u64) -> Option<Position> {
        let found = self.journal.position(chain, height).unwrap_or_else(|error| {
            tracing::error!(%error, "a stored block cannot be found");
            None
        });
        found.map(|position| LocalPosition::from(position).0)
    }

    fn concerns(&self, unit: UnitId, audience: UnitId) -> Option<Hlc> {
        let now = self.is_at_or_above(unit, audience) || self.is_at_or_above(audience, unit);
        if now { Some(Hlc::MAX) } else { self.concerned(unit, audience) }
    }

    fn serves_below(&self, unit: UnitId, node: NodeId) -> bool {
        self.unit_of(node).is_some_and(|served| self.is_at_or_above(unit, served))
    }

    fn scope(&self, peer: NodeId) -> Option<Scope> {
        if let Some(found) = super::held(self.neighbours).scopes.get(&peer) {
            return *found;
        }
        let scope = self.find_scope(peer);
        super::held(self.neighbours).scopes.insert(peer, scope);
        scope
    }

    fn beside(&self, chain: &ChainId, height: u64, hash: &Hash) -> bool {
        self.journal.is_beside(chain, height, hash)
    }

    fn forked_from(&self, chain: &ChainId) -> Option<u64> {
        self.journal.besides(chain, 0).first().map(|(height, _)| *height)
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        // A node without a key has no children: nobody accepts these zeros.
        self.key.map_or([0; 64], |key| key.sign(bytes).to_bytes())
    }
}
