//! The new node accepts: it follows the chain of enrolments from the pinned root to its own key.

use super::found::write_config;
use super::{EnrolError, SEALING_KEY, seal};
use crate::config::{Node, ParentConfig};
use crate::keys::{KeyStore, PERSON_KEY};
use hub_core::block::Block;
use hub_core::codec::Body;
use hub_core::fact::governance::Enrolment;
use hub_core::fact::{FactBody, GovernanceFact};
use hub_core::id::NodeId;
use hub_node::wire::{EnrolAnswer, Message};
use std::path::{Path, PathBuf};

/// What acceptance brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The parent.
    pub parent: NodeId,
    /// The node's enrolment.
    pub enrolment: Enrolment,
    /// Whether the person key came with it.
    pub person_key: bool,
}

/// Takes an answer in: checks it wholly, keeps the person key, and writes the parent into the
/// configuration. Without `url` the node works by bundles.
///
/// # Errors
/// What does not fit; nothing is written then.
pub fn accept(
    directory: &Path,
    bytes: &[u8],
    url: Option<&str>,
    tls_ca: Option<PathBuf>,
) -> Result<Accepted, EnrolError> {
    let node = Node::load(directory)?;
    let answer = match Message::decode(bytes, node.federation())? {
        Message::EnrolAnswer(answer) => *answer,
        _ => return Err(EnrolError::Kind { expected: "an answer to a request for enrolment" }),
    };
    check_answer(&node, &answer)?;
    let keys = KeyStore::new(node.keys_dir());
    let epoch = keys.newest_epoch()?.unwrap_or(1);
    let own_key = keys.signing_key(epoch)?.verifying_key().to_bytes();
    let (enrolment, issuer) = last_enrolment(&node, &answer.chain, (node.config.node, epoch))?;
    if enrolment.key != own_key || issuer != answer.parent {
        return Err(EnrolError::NotEnrolled);
    }
    let person_key = !enrolment.person_key.is_empty();
    if person_key && keys.load(PERSON_KEY)?.is_none() {
        let own = keys.load(SEALING_KEY)?.ok_or(EnrolError::Sealed)?;
        keys.store(PERSON_KEY, &*seal::open(&enrolment.person_key, &own)?)?;
    }
    let mut config = node.config.clone();
    let url = url.map(str::to_owned);
    config.parent = Some(ParentConfig { node: answer.parent, url, tls_ca });
    write_config(directory, &config)?;
    Ok(Accepted { parent: answer.parent, enrolment, person_key })
}

fn check_answer(node: &Node, answer: &EnrolAnswer) -> Result<(), EnrolError> {
    if answer.node != node.config.node {
        return Err(EnrolError::OtherNode { expected: node.config.node, found: answer.node });
    }
    if answer.root_key != node.config.root_key.0 {
        return Err(EnrolError::OtherRoot);
    }
    if !answer.refusal.is_empty() {
        return Err(EnrolError::Refused(answer.refusal.clone()));
    }
    Ok(())
}

/// Follows the chain, link by link: the first block is the root's, each one enrols who wrote the next, the
/// last enrols this node. Whatever else a file holds is refused: it would be nobody's statement. Returns
/// the last enrolment and who issued it.
fn last_enrolment(
    node: &Node,
    chain: &[Block],
    own: (NodeId, u32),
) -> Result<(Enrolment, NodeId), EnrolError> {
    let root = node.config.root_key.0;
    let mut writer = ((NodeId::of_first_key(&root), 1), root);
    for (place, block) in chain.iter().enumerate() {
        let broken = |why: String| EnrolError::Broken { block: place, why };
        let by = (block.header().chain.node, block.header().chain.epoch);
        if by != writer.0 {
            let ((expected, epoch), found) = (writer.0, by.0);
            return Err(broken(format!(
                "expected a block of node {expected} in epoch {epoch}, found one of {found}"
            )));
        }
        if chain[..place].contains(block) {
            return Err(broken("expected each block once".into()));
        }
        block.verify(&writer.1).map_err(|error| broken(error.to_string()))?;
        let next = match chain.get(place + 1) {
            Some(next) => (next.header().chain.node, next.header().chain.epoch),
            None => own,
        };
        let enrolment = enrolment_in(block, next)
            .ok_or_else(|| broken(format!("expected it to enrol node {}", next.0)))?;
        if place + 1 == chain.len() {
            return Ok((enrolment, by.0));
        }
        writer = (next, enrolment.key);
    }
    Err(EnrolError::NotEnrolled)
}

/// The enrolment of this node and epoch that a block states.
fn enrolment_in(block: &Block, who: (NodeId, u32)) -> Option<Enrolment> {
    let Ok(Body::Rows(facts)) = block.body() else { return None };
    facts.into_iter().find_map(|fact| match fact.body {
        FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment))
            if (enrolment.node, enrolment.epoch) == who =>
        {
            Some(*enrolment)
        }
        _ => None,
    })
}
