//! Who signed a bundle, when nothing but the root's key is known yet.

use hub_core::block::Block;
use hub_core::codec::Body;
use hub_core::fact::{FactBody, GovernanceFact};
use hub_core::id::NodeId;
use std::collections::BTreeMap;

/// The keys of nodes' epochs as blocks prove them from the root's key on: each enrolment counts only in a
/// block signed by a key the root or an earlier block vouches for. Blocks are read in their order.
pub fn keys_within(blocks: &[Block], root_key: &[u8; 32]) -> BTreeMap<(NodeId, u32), [u8; 32]> {
    let root = NodeId::of_first_key(root_key);
    let mut keys = BTreeMap::from([((root, 1), *root_key)]);
    for block in blocks {
        let chain = block.header().chain;
        // the root goes by the pinned key in every epoch for which none names another
        let pinned = (chain.node == root).then_some(root_key);
        let Some(key) = keys.get(&(chain.node, chain.epoch)).or(pinned) else { continue };
        // Most blocks enrol nobody: their signatures need no check here.
        let Ok(Body::Rows(facts)) = block.body() else { continue };
        let enrolments = facts.into_iter().filter_map(|fact| match fact.body {
            FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment)) => Some(enrolment),
            _ => None,
        });
        let enrolments: Vec<_> = enrolments.collect();
        if enrolments.is_empty() || block.verify(key).is_err() {
            continue;
        }
        for enrolment in enrolments {
            keys.entry((enrolment.node, enrolment.epoch)).or_insert(enrolment.key);
        }
    }
    keys
}
