//! Replay: the view that a set of blocks gives, with its digest and what did not count.
//!
//! Every hash is checked, and per chain the newest signature, which vouches for all blocks before it.

use super::conserve::{Conserved, conserve};
use super::diff::Ledger;
use super::links::Links;
use super::{Entry, Finding, FindingKind};
use crate::hash::Hash;
use crate::id::{ChainId, FederationId};
use crate::replay::Log;
use crate::view::verdict::Reason;
use crate::view::{BlockSource, View};
use std::collections::{BTreeMap, BTreeSet};

/// What a replay gave.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The view.
    pub view: View,
    /// Its digest: units, unions by day, conflicts, figures.
    pub digest: Hash,
    /// The digest of every person's shares.
    pub member_digest: Hash,
    /// Whole blocks of this federation, each once.
    pub blocks: u64,
    /// Facts in them.
    pub facts: u64,
    /// Member facts among them.
    pub member_facts: u64,
    /// Persons any fact named.
    pub persons: u64,
    /// Facts kept and uncounted, by reason.
    pub parked: BTreeMap<Reason, u64>,
    /// What persons are on the day of the latest clock, and whether they add up (M8).
    pub conserved: Option<Conserved>,
    /// Which blocks there were, by chain and height.
    pub ledger: Ledger,
    /// What is wrong with the blocks: damage, gaps, links, newest signatures; and what does not add up.
    pub findings: Vec<Finding>,
}

/// A replayed log before its digests are computed.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The view.
    pub view: View,
    /// Whole blocks of this federation, each once.
    pub blocks: u64,
    /// Facts in them.
    pub facts: u64,
    /// Which blocks there were, by chain and height.
    pub ledger: Ledger,
    /// What is wrong with the blocks: damage, gaps, links, newest signatures.
    pub findings: Vec<Finding>,
}

/// Replays a log against a root key. `source` reads the same blocks again.
pub fn replay(root_key: &[u8; 32], log: &dyn Log, source: &dyn BlockSource) -> Replay {
    let Replayed { mut view, blocks, facts, ledger, mut findings } = fold(root_key, log, source);
    let conserved = view.last_day().map(|day| conserve(&mut view, source, day));
    if let Some(conserved) = &conserved {
        let day = conserved.day;
        findings.extend(conserved.broken.iter().map(|broken| Finding {
            chain: None,
            height: None,
            kind: FindingKind::NotConserved { day, broken: broken.clone() },
        }));
    }
    Replay {
        digest: view.digest(),
        member_digest: view.member_digest(),
        blocks,
        facts,
        member_facts: view.member_facts(),
        persons: view.persons() as u64,
        parked: view.parked(),
        conserved,
        ledger,
        findings,
        view,
    }
}

/// The same without the digests: hashes, links, rules and newest signatures.
pub fn fold(root_key: &[u8; 32], log: &dyn Log, source: &dyn BlockSource) -> Replayed {
    let federation = FederationId::of_root_key(root_key);
    let mut view = View::new(federation, *root_key);
    let mut findings = Vec::new();
    let mut links = Links::default();
    let mut damaged = BTreeSet::new();
    crate::replay::replay(&mut view, log, source, &mut |entry| {
        let ours = match &entry {
            // each pass over the log may meet the same damage
            Entry::Damaged(region) if !damaged.insert(region.clone()) => return false,
            Entry::Damaged(_) => false,
            Entry::Block(block) => block.header().federation == federation,
        };
        links.take(entry, federation, &mut findings);
        ours
    });
    links.check(&mut findings);
    for (chain, blocks) in &links.chains {
        let newest = blocks.iter().next_back().map(|(height, link)| (*height, link.hash));
        newest_signature(&view, chain, newest, source, &mut findings);
    }
    let key = |chain: &ChainId| view.key(chain.node, chain.epoch);
    links.check_forks(key, |chain, height, hash| source.side(chain, height, hash), &mut findings);
    let mut ledger = Ledger::default();
    for (chain, blocks) in &links.chains {
        blocks.iter().for_each(|(height, link)| ledger.add(*chain, *height, link.hash));
    }
    for block in &links.forks {
        ledger.add(block.header().chain, block.header().height, block.hash());
    }
    Replayed { view, blocks: links.blocks, facts: links.facts, ledger, findings }
}

fn newest_signature(
    view: &View,
    chain: &ChainId,
    newest: Option<(u64, Hash)>,
    source: &dyn BlockSource,
    findings: &mut Vec<Finding>,
) {
    let Some((height, hash)) = newest else { return };
    let kind = match (source.side(chain, height, &hash), view.key(chain.node, chain.epoch)) {
        (None, _) => FindingKind::Unread,
        (Some(_), None) => FindingKind::UnknownWriter { blocks: height },
        (Some(block), Some(key)) => match block.verify(&key) {
            Ok(()) => return,
            Err(error) => FindingKind::Signature(error),
        },
    };
    findings.push(Finding::at(*chain, height, kind));
}
