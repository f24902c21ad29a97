//! What the machine may look up.

use crate::io::Position;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, NodeId, UnitId};
use hub_core::time::Hlc;

/// What a peer below may see of our journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A child: the down lanes that concern its unit.
    Child(UnitId),
    /// A standby or an auditor's copy: everything.
    Follower,
    /// One that was a child and is cut off in every epoch: it is heard as before, and has nothing but receipts.
    CutOff,
}

/// What the machine may look up; pure reads of the durable journal's index and of the view.
///
/// Answers must not change within one step.
pub trait Context {
    /// The public key with which `node` signs in `epoch`, if an enrolment (or the pinned root) says so.
    fn key(&self, node: NodeId, epoch: u32) -> Option<[u8; 32]>;
    /// Where a chain stands in the journal.
    fn head(&self, chain: &ChainId) -> Option<ChainHead>;
    /// The hash of the block at this height of the chain itself, if the journal holds it.
    fn known(&self, chain: &ChainId, height: u64) -> Option<Hash>;
    /// The block itself, for the proof of a fork.
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block>;
    /// At most `limit` chains in order, from the first one after `after`, with their heads.
    fn heads(&self, after: Option<&ChainId>, limit: usize) -> Vec<(ChainId, ChainHead)>;
    /// Where the block at this height of the chain itself stands in the journal, if it does.
    fn position(&self, chain: &ChainId, height: u64) -> Option<Position>;
    /// Up to which clock the blocks of a down lane of this audience flow to a node of this unit: for good
    /// ([`Hlc::MAX`]) where the unit is the audience's ancestor or itself, or lies in its subtree; to the end of
    /// the hand-over where the audience once stood above what has a node of its own and is now in the unit's
    /// subtree: what was said there tells who enrolled whom. `None`: never.
    fn concerns(&self, unit: UnitId, audience: UnitId) -> Option<Hlc>;
    /// Whether this node serves the unit or one in its subtree.
    fn serves_below(&self, unit: UnitId, node: NodeId) -> bool;
    /// What this peer may have from us; `None` for a stranger.
    fn scope(&self, peer: NodeId) -> Option<Scope>;
    /// Whether the journal holds this block beside its chain (see [`crate::io::Storing`]).
    fn beside(&self, chain: &ChainId, height: u64, hash: &Hash) -> bool;
    /// The lowest height of a chain at which the journal holds more than one block, if there is any.
    fn forked_from(&self, chain: &ChainId) -> Option<u64>;
    /// Signs a receipt's bytes with this node's key of this epoch.
    fn sign(&self, bytes: &[u8]) -> [u8; 64];
}
