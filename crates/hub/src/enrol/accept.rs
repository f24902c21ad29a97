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
use hub_core::time::{Day, Hlc};
use hub_node::wire::{EnrolAnswer, Message};
use std::collections::{BTreeMap, BTreeSet};
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

/// Takes an answer in: checks all of it that can be told without the tree, keeps the person key, and writes the
/// parent into the configuration. Without `url` it goes on with the server of this parent that it knows;
/// where it knows none, it works by bundles.
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
    let (enrolment, proven) = last_enrolment(&node, &answer, (node.config.node, epoch))?;
    if enrolment.key != own_key || !is_parent(&answer, &proven) {
        return Err(EnrolError::NotEnrolled);
    }
    let person_key = !enrolment.person_key.is_empty();
    if person_key && keys.load(PERSON_KEY)?.is_none() {
        let own = keys.load(SEALING_KEY)?.ok_or(EnrolError::Sealed)?;
        keys.store(PERSON_KEY, &*seal::open(&enrolment.person_key, &own)?)?;
    }
    let mut config = node.config.clone();
    // a renewal says nothing of the server: the node goes on with the one it has
    let same = config.parent.take().filter(|known| known.node == answer.parent);
    let (known_url, known_ca) = same.map_or((None, None), |known| (known.url, known.tls_ca));
    let url = url.map(str::to_owned).or(known_url);
    config.parent = Some(ParentConfig { node: answer.parent, url, tls_ca: tls_ca.or(known_ca) });
    write_config(directory, &config)?;
    keys.take_uplink_user(epoch)?;
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

/// Who may have stated something, with the enrolment whose key proves it; none for the root, whose key is pinned.
type Proven = BTreeMap<(NodeId, u32), Option<Enrolment>>;

/// Follows the chain, link by link: each block is by the root or by one enrolled in a block before it, and
/// enrols who wrote a later one, or the parent, or at last this node. Whatever else a file holds is refused: it
/// would be nobody's statement. Returns the last enrolment and all whose keys are proven.
fn last_enrolment(
    node: &Node,
    answer: &EnrolAnswer,
    own: (NodeId, u32),
) -> Result<(Enrolment, Proven), EnrolError> {
    let (root, chain) = (node.config.root_key.0, &answer.chain);
    let root_node = NodeId::of_first_key(&root);
    let mut proven = Proven::from([((root_node, 1), None)]);
    for (place, block) in chain.iter().enumerate() {
        let broken = |why: String| EnrolError::Broken { block: place, why };
        let by = writer_of(block);
        // the root goes by the pinned key in its later epochs too
        let pinned = (by.0 == root_node).then_some(&None);
        let issuer = proven.get(&by).or(pinned).ok_or_else(|| {
            broken(format!(
                "expected a block by a proven node, found one of {} in epoch {}",
                by.0, by.1
            ))
        })?;
        if chain[..place].contains(block) {
            return Err(broken("expected each block once".into()));
        }
        block
            .verify(issuer.as_ref().map_or(&root, |issuer| &issuer.key))
            .map_err(|error| broken(error.to_string()))?;
        let last = place + 1 == chain.len();
        let later = chain[place + 1..].iter().map(writer_of);
        let wanted: BTreeSet<(NodeId, u32)> = if last { [own].into() } else { later.collect() };
        let is_wanted = |e: &Enrolment| {
            wanted.contains(&(e.node, e.epoch)) || (!last && e.node == answer.parent)
        };
        let wanted = enrolments_in(block).filter(|(_, enrolment)| is_wanted(enrolment));
        let stated: Vec<(Hlc, Enrolment)> = wanted.collect();
        for (at, enrolment) in &stated {
            // the root goes on in its next epoch by its own word
            let below = issuer.as_ref().filter(|_| by.0 != root_node);
            may_issue(below, enrolment, *at).map_err(broken)?;
        }
        let Some((_, enrolment)) = stated.last() else {
            let expected = if last { own.0 } else { answer.parent };
            return Err(broken(format!(
                "expected it to enrol node {expected} or one that leads to it"
            )));
        };
        if last {
            return Ok((enrolment.clone(), proven));
        }
        for (_, enrolment) in stated {
            proven.insert((enrolment.node, enrolment.epoch), Some(enrolment));
        }
    }
    Err(EnrolError::NotEnrolled)
}

/// What of the right to enrol can be told without the tree, which a new node has not: the issuer's own enrolment
/// lets it enrol others, covers the clock of the fact, and is for another unit. Where that unit stands is told
/// by the view.
fn may_issue(issuer: Option<&Enrolment>, enrolled: &Enrolment, at: Hlc) -> Result<(), String> {
    let Some(issuer) = issuer else { return Ok(()) };
    if !issuer.may_delegate {
        return Err(format!("expected node {} to have the right to enrol others", issuer.node));
    }
    if issuer.expires <= at.millis() {
        let ended = Day::of_millis(issuer.expires);
        return Err(format!("expected an issuer enrolled then, found one until {ended}"));
    }
    if issuer.unit == enrolled.unit {
        return Err("expected a unit below its issuer's, found the same".to_owned());
    }
    Ok(())
}

/// Whether the node named as the one above is the one that enrolled this node, or one whose key the chain
/// proves for this alone: an ancestor enrolled this node below it.
fn is_parent(answer: &EnrolAnswer, proven: &Proven) -> bool {
    let wrote = |block: &Block| writer_of(block).0 == answer.parent;
    let issued = answer.chain.last().is_some_and(wrote);
    let is_proven = proven.keys().any(|(node, _)| *node == answer.parent);
    issued || (is_proven && !answer.chain.iter().any(wrote))
}

fn writer_of(block: &Block) -> (NodeId, u32) {
    (block.header().chain.node, block.header().chain.epoch)
}

/// The enrolments that a block states, each with its clock.
fn enrolments_in(block: &Block) -> impl Iterator<Item = (Hlc, Enrolment)> + use<> {
    let facts = match block.body() {
        Ok(Body::Rows(facts)) => facts,
        _ => Vec::new(),
    };
    facts.into_iter().filter_map(|fact| match fact.body {
        FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment)) => {
            Some((fact.hlc, *enrolment))
        }
        _ => None,
    })
}
