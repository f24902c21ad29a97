//! Stating what this node holds: a checkpoint for those above, an excerpt for each node below.

use super::Replica;
use super::draft::{Draft, Transaction};
use super::error::WriteError;
use super::lane::LaneChoice;
use hub_core::fact::FactBody;
use hub_core::fact::governance::{ChainHeight, GovernanceFact};
use hub_core::hash::Hash;
use hub_core::id::{FactId, Lane, NodeId, UnitId};
use hub_core::known;
use hub_core::time::Hlc;
use hub_core::view::View;
use hub_log::Journal;
use std::collections::{BTreeMap, BTreeSet};

/// Heads in one part: what 256 KiB of a block hold, with room.
const PART_HEADS: usize = 2_000;

/// What a checkpoint came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// Its id.
    pub id: FactId,
    /// Its clock.
    pub hlc: Hlc,
    /// The view digest there.
    pub digest: Hash,
    /// How many chains it names.
    pub chains: usize,
}

impl Replica {
    /// States what this node holds, durably; `None` where nothing has come since the last statement and
    /// `always` does not ask for one all the same, or the node is not enrolled.
    ///
    /// # Errors
    /// This node does not sign now, or the journal stopped.
    pub fn checkpoint(&self, always: bool) -> Result<Option<Stated>, WriteError> {
        self.transact(|transaction| {
            if transaction.who().unit.is_none() {
                return Ok(None);
            }
            let view = transaction.view();
            let last = view.checkpoints_of(transaction.who().node).next_back();
            let changed = last.is_none_or(|last| view.has_more_than(&view.frontier_of(&last)));
            if !changed && !always {
                return Ok(None);
            }
            Ok::<_, WriteError>(state(transaction, &self.journal))
        })
    }
}

/// Adds a checkpoint of what the transaction's view holds, and its excerpts; `None` before enrolment.
pub fn state(transaction: &mut Transaction<'_>, journal: &Journal) -> Option<Stated> {
    let unit = transaction.who().unit?;
    let view = transaction.view();
    let frontier = heads(view);
    let digest = digest_of(view, &frontier, journal)?;
    let today = transaction.now().day();
    let draft = |heads: &[ChainHeight], part: usize, parts: usize, lane| Draft {
        lane: LaneChoice::Lane(lane),
        ..Draft::new(
            unit,
            today,
            FactBody::Governance(GovernanceFact::Checkpointed {
                frontier: heads.to_vec(),
                digest,
                part: part as u32 + 1,
                parts: parts as u32,
            }),
        )
    };
    // excerpts first: theirs is then not the later clock
    for (audience, heads) in excerpts(view, transaction.who().node, &frontier, transaction.now()) {
        for part in heads.chunks(PART_HEADS) {
            transaction.push(draft(part, 0, 1, Lane::Down(audience)));
        }
    }
    let parts: Vec<&[ChainHeight]> = match frontier.is_empty() {
        true => vec![&[]],
        false => frontier.chunks(PART_HEADS).collect(),
    };
    let mut stated = None;
    for (part, heads) in parts.iter().enumerate() {
        let hlc = transaction.now();
        let id = transaction.push(draft(heads, part, parts.len(), Lane::Up));
        stated = Some(Stated { id, hlc, digest, chains: frontier.len() });
    }
    stated
}

/// How far each chain is here without a gap, with the block there. Of a fork that is not settled no side is
/// named: that is for a person to do, not for the clock.
fn heads(view: &View) -> Vec<ChainHeight> {
    let head =
        |(chain, height)| Some(ChainHeight { chain, height, hash: view.hash_at(&chain, height)? });
    view.frontier().into_iter().filter_map(head).collect()
}

/// The digest of just these blocks; `None` when one of them cannot be read.
fn digest_of(view: &View, frontier: &[ChainHeight], journal: &Journal) -> Option<Hash> {
    if view.is_contiguous() && frontier.len() == view.frontier().len() {
        return Some(view.digest());
    }
    // blocks behind a gap are in the view and not in the frontier
    match known::fold(view.federation(), *view.root_key(), frontier, journal) {
        Ok(known) => Some(known.digest()),
        Err(error) => {
            tracing::error!(%error, "no checkpoint: a block cannot be read");
            None
        }
    }
}

/// For each node directly below: the heads of the chains of nodes at or below its unit.
fn excerpts(
    view: &View,
    own: NodeId,
    frontier: &[ChainHeight],
    at: Hlc,
) -> BTreeMap<UnitId, Vec<ChainHeight>> {
    let (tree, authority) = (view.tree(), view.authority());
    let nodes: BTreeSet<NodeId> = authority.enrolments.iter().map(|e| e.enrolment.node).collect();
    let newest = nodes.into_iter().filter_map(|node| authority.newest_of(node));
    let units: BTreeMap<NodeId, u32> = newest.map(|e| (e.enrolment.node, e.unit)).collect();
    let is_child = |(node, unit): &(&NodeId, &u32)| {
        let above = tree.parent_on(**unit, 0, at.day());
        let server = above.and_then(|above| authority.server_of(tree, above, at));
        **node != own && server.is_some_and(|server| server.enrolment.node == own)
    };
    let children: BTreeSet<u32> = units.iter().filter(is_child).map(|(_, unit)| *unit).collect();
    let mut excerpts: BTreeMap<UnitId, Vec<ChainHeight>> = BTreeMap::new();
    for head in frontier.iter().filter(|head| head.chain.node != own) {
        let Some(unit) = units.get(&head.chain.node) else { continue };
        let child = children.iter().find(|child| tree.is_at_or_above(**child, *unit, at));
        if let Some(child) = child {
            excerpts.entry(tree.unit(*child).id).or_default().push(*head);
        }
    }
    excerpts
}
