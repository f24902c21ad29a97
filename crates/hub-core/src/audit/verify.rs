//! Verifying a log: chains, every signature, delegations, authority.
//!
//! Keys are learnt from the root down: a writer's blocks are read only once an enrolment that stands, in
//! blocks already verified, names its key. So nothing a forger writes can vouch for itself.

use super::links::Links;
use super::{Entry, Finding, FindingKind};
use crate::block::Block;
use crate::chain::ChainHead;
use crate::hash::Hash;
use crate::id::{ChainId, FactId, FederationId, NodeId};
use crate::view::authority::Writer;
use crate::view::verdict::{Reason, Verdict};
use crate::view::{BlockSource, View};
use std::collections::{BTreeMap, BTreeSet};

/// What verifying a log gave.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Whole blocks of this federation, each once.
    pub blocks: u64,
    /// Facts in them.
    pub facts: u64,
    /// Signatures that were checked and good.
    pub signatures: u64,
    /// Where each chain stands by its highest block.
    pub heads: BTreeMap<ChainId, ChainHead>,
    /// Facts by what became of them, of blocks with good signatures.
    pub standing: u64,
    /// Facts taken back.
    pub withdrawn: u64,
    /// Facts kept and uncounted, by reason.
    pub parked: BTreeMap<Reason, u64>,
    /// The digest of the view of all blocks with good signatures.
    pub digest: Hash,
    /// Everything that is not as it should be: damage first in the order it came, then by chain and
    /// height.
    pub findings: Vec<Finding>,
}

/// Verifies a log against a root key. `source` reads the same blocks again; where two stand at one place,
/// the one that came first.
pub fn verify(
    root_key: &[u8; 32],
    entries: impl IntoIterator<Item = Entry>,
    source: &dyn BlockSource,
) -> Verification {
    let federation = FederationId::of_root_key(root_key);
    let mut findings = Vec::new();
    let links = Links::read(entries, federation, &mut findings);
    let damaged = findings.len();
    links.check(&mut findings);
    let mut verifier = Verifier {
        source,
        view: View::new(federation, *root_key),
        keys: BTreeMap::from([((NodeId::of_first_key(root_key), 1), *root_key)]),
        done: BTreeSet::new(),
        bad: BTreeSet::new(),
        signatures: 0,
        findings,
        links,
    };
    while verifier.round() {}
    verifier.leftovers();
    verifier.epochs();
    let judged = verifier.judge();
    let Verifier { links, view, keys, signatures, mut findings, .. } = verifier;
    let key = |chain: &ChainId| keys.get(&(chain.node, chain.epoch)).copied();
    links.check_forks(key, |chain, height, hash| source.side(chain, height, hash), &mut findings);
    findings[damaged..].sort_by_key(|finding| (finding.chain, finding.height));
    Verification {
        blocks: links.blocks,
        facts: links.facts,
        signatures,
        heads: links.heads(),
        standing: judged.standing,
        withdrawn: judged.withdrawn,
        parked: judged.parked,
        digest: view.digest(),
        findings,
    }
}

struct Verifier<'a> {
    source: &'a dyn BlockSource,
    links: Links,
    view: View,
    /// Keys of writers whose enrolment stood when their blocks were verified.
    keys: BTreeMap<Writer, [u8; 32]>,
    done: BTreeSet<Writer>,
    /// Blocks of known writers that are not read again or not signed by their key.
    bad: BTreeSet<(ChainId, u64)>,
    signatures: u64,
    findings: Vec<Finding>,
}

#[derive(Default)]
struct Judged {
    standing: u64,
    withdrawn: u64,
    parked: BTreeMap<Reason, u64>,
}

fn writer_of(chain: &ChainId) -> Writer {
    (chain.node, chain.epoch)
}

impl Verifier<'_> {
    /// Verifies the blocks of writers whose key became known; says whether there were any.
    fn round(&mut self) -> bool {
        let due: BTreeSet<Writer> = self
            .links
            .chains
            .keys()
            .map(writer_of)
            .filter(|writer| self.keys.contains_key(writer) && !self.done.contains(writer))
            .collect();
        if due.is_empty() {
            return self.pin_root();
        }
        let chains: Vec<ChainId> =
            self.links.chains.keys().filter(|c| due.contains(&writer_of(c))).copied().collect();
        for chain in &chains {
            self.chain(chain);
        }
        self.done.extend(due);
        self.view.settle(self.source);
        for chain in self.links.chains.keys() {
            if let Some(key) = self.view.key(chain.node, chain.epoch) {
                self.keys.entry(writer_of(chain)).or_insert(key);
            }
        }
        true
    }

    /// The root's epochs for which no enrolment names a key go by the pinned one; whether there were any new.
    fn pin_root(&mut self) -> bool {
        let (root, key) = (NodeId::of_first_key(self.view.root_key()), *self.view.root_key());
        let writers = self.links.chains.keys().map(writer_of).filter(|(node, _)| *node == root);
        let unknown: Vec<Writer> = writers.filter(|w| !self.keys.contains_key(w)).collect();
        self.keys.extend(unknown.iter().map(|writer| (*writer, key)));
        !unknown.is_empty()
    }

    fn chain(&mut self, chain: &ChainId) {
        let Some(key) = self.keys.get(&writer_of(chain)).copied() else { return };
        for block in self.sides(chain) {
            self.signatures += 1;
            self.view.add(&block);
        }
        for (height, hash) in self.listed(chain) {
            let verified = match self.read(chain, height, hash) {
                None => Err(FindingKind::Unread),
                Some(block) => block.verify(&key).map(|()| block).map_err(FindingKind::Signature),
            };
            match verified {
                Ok(block) => {
                    self.signatures += 1;
                    self.view.add(&block);
                }
                Err(kind) => {
                    self.bad.insert((*chain, height));
                    self.findings.push(Finding::at(*chain, height, kind));
                }
            }
        }
    }

    /// The other sides of a chain that its key signed.
    fn sides(&self, chain: &ChainId) -> Vec<Block> {
        let Some(key) = self.keys.get(&writer_of(chain)) else { return Vec::new() };
        let forks = self.links.forks.iter();
        let sides = forks.filter(|block| block.header().chain == *chain);
        sides.filter(|block| block.verify(key).is_ok()).cloned().collect()
    }

    fn listed(&self, chain: &ChainId) -> Vec<(u64, Hash)> {
        let links = self.links.chains.get(chain);
        links.into_iter().flatten().map(|(height, link)| (*height, link.hash)).collect()
    }

    fn read(&self, chain: &ChainId, height: u64, hash: Hash) -> Option<Block> {
        self.source.side(chain, height, &hash)
    }

    /// Writers for whom no enrolment stands.
    fn leftovers(&mut self) {
        for (chain, links) in &self.links.chains {
            let first = links.keys().next().copied();
            if let Some(height) = first.filter(|_| !self.done.contains(&writer_of(chain))) {
                let kind = FindingKind::UnknownWriter { blocks: links.len() as u64 };
                self.findings.push(Finding::at(*chain, height, kind));
            }
        }
        for writer @ (node, epoch) in &self.done {
            let is_root = *node == NodeId::of_first_key(self.view.root_key()) && *epoch == 1;
            let stands = self.view.key(*node, *epoch) == self.keys.get(writer).copied();
            if !stands && !is_root {
                let kind = FindingKind::KeyNotAccepted { node: *node, epoch: *epoch };
                self.findings.push(Finding { chain: None, height: None, kind });
            }
        }
    }

    /// First blocks of later epochs continue the heads their enrolments name.
    fn epochs(&mut self) {
        for (chain, links) in &self.links.chains {
            let Some(first) = links.get(&1).filter(|_| self.done.contains(&writer_of(chain)))
            else {
                continue;
            };
            let enrolled = self.view.authority().enrolment_of(writer_of(chain));
            let continues = enrolled.and_then(|e| e.enrolment.continues.as_ref());
            let head = continues.and_then(|(_, heads)| heads.iter().find(|h| h.lane == chain.lane));
            let expected = head.map_or(Hash::ZERO, |head| head.hash);
            let found = first.header.previous;
            if expected != found {
                let kind = FindingKind::Continues { expected, found };
                self.findings.push(Finding::at(*chain, 1, kind));
            }
        }
    }

    /// What became of every fact of the verified blocks.
    fn judge(&mut self) -> Judged {
        let mut judged = Judged::default();
        let chains: Vec<ChainId> = self.links.chains.keys().copied().collect();
        for chain in chains {
            if !self.done.contains(&writer_of(&chain)) {
                continue;
            }
            for block in self.sides(&chain) {
                self.judge_block(&block, &mut judged);
            }
            for (height, hash) in self.listed(&chain) {
                let good = !self.bad.contains(&(chain, height));
                if let Some(block) = self.read(&chain, height, hash).filter(|_| good) {
                    self.judge_block(&block, &mut judged);
                }
            }
        }
        judged
    }

    fn judge_block(&mut self, block: &Block, judged: &mut Judged) {
        let mut parked: BTreeMap<Reason, (FactId, u64)> = BTreeMap::new();
        for (index, verdict) in self.view.block_verdicts(block).into_iter().enumerate() {
            match verdict {
                Verdict::Stands => judged.standing += 1,
                Verdict::Withdrawn(_) => judged.withdrawn += 1,
                Verdict::Parked(reason) => {
                    let first = block.fact_id(index as u32);
                    parked.entry(reason).or_insert((first, 0)).1 += 1;
                }
            }
        }
        let (chain, height) = (block.header().chain, block.header().height);
        for (reason, (first, facts)) in parked {
            *judged.parked.entry(reason).or_default() += facts;
            let kind = match block.body() {
                Err(error) => FindingKind::Unreadable { why: error.to_string() },
                Ok(_) => FindingKind::Parked { reason, first, facts },
            };
            self.findings.push(Finding::at(chain, height, kind));
        }
    }
}
