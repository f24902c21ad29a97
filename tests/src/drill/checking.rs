//! Promises against journals: what the checker compares. It reads the JSON lines as `schemas/export.md`
//! describes them and uses no code of sync, of the journal, or of the fold; of the core only the hash.

use hub_core::hash::{hex_decode, sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

/// Something the federation said to people, which must hold for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// An ancestor durably holds a chain up to a block.
    Receipt(Receipt),
    /// An entry was confirmed to who made it.
    Entered(Entered),
}

/// A receipt as it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The node that showed it.
    pub shown_by: String,
    /// Who is said to hold the block.
    pub ancestor: String,
    /// The writer of the chain.
    pub node: String,
    /// Its epoch.
    pub epoch: u32,
    /// Its lane, `up` or `down:` and the audience.
    pub lane: String,
    /// The height of the last block.
    pub height: u64,
    /// Its hash.
    pub hash: String,
    /// When the ancestor said so, in ms.
    pub durable_at: u64,
}

/// A confirmed entry of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// The node it was entered at, and all above: they must hold it.
    pub held_by: Vec<String>,
    /// The post that entered it; used for this entry only.
    pub post: u32,
    /// How many members.
    pub facts: u32,
}

/// What the comparison came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Journals compared.
    pub journals: u64,
    /// Blocks in all of them.
    pub blocks: u64,
    /// Facts in all of them.
    pub facts: u64,
    /// Receipts compared.
    pub receipts: u64,
    /// Blocks that these receipts promise, each ancestor's counted.
    pub blocks_promised: u64,
    /// Blocks promised and not there, or not with that hash.
    pub lost: u64,
    /// Confirmed entries compared.
    pub entries: u64,
    /// Facts of confirmed entries that some level lacks.
    pub facts_lost: u64,
    /// Blocks or facts that are there twice.
    pub twice: u64,
    /// Facts that are parked somewhere.
    pub parked: u64,
    /// What is wrong, in words; the first of each kind in each journal.
    pub faults: Vec<String>,
}

type Chain = (String, u32, String);

/// A journal as its export tells it.
#[derive(Debug, Default)]
pub struct Journal {
    node: String,
    chains: BTreeMap<Chain, BTreeMap<u64, String>>,
    heads: BTreeMap<Chain, (u64, String)>,
    /// Member facts by the post that entered them.
    members: BTreeMap<u64, u64>,
    fact_ids: BTreeSet<String>,
    facts: u64,
    twice: u64,
    parked: u64,
    faults: Vec<String>,
}

fn malformed(what: &str, line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("expected {what}, found {line}"))
}

fn chain_of(value: &Value) -> Option<Chain> {
    let epoch = u32::try_from(value["epoch"].as_u64()?).ok()?;
    Some((value["node"].as_str()?.to_owned(), epoch, value["lane"].as_str()?.to_owned()))
}

impl Journal {
    /// Reads the export of a node.
    ///
    /// # Errors
    /// It cannot be read, or is no export.
    pub fn read(node: &str, lines: impl BufRead) -> io::Result<Self> {
        let mut journal = Self { node: node.to_owned(), ..Self::default() };
        for line in lines.lines() {
            let line = line?;
            let value: Value = serde_json::from_str(&line)?;
            let taken = match value.as_object().and_then(|object| object.iter().next()) {
                Some((kind, inside)) => journal.take(kind, inside),
                None => None,
            };
            taken.ok_or_else(|| malformed("a line of an export", &line))?;
        }
        journal.compare_heads();
        Ok(journal)
    }

    fn take(&mut self, kind: &str, inside: &Value) -> Option<()> {
        match kind {
            // its digest is compared with a replay
            "export" => {}
            "block" => self.take_block(inside)?,
            "fact" => self.take_fact(inside)?,
            "head" => {
                let head = &inside["head"];
                let place = (head["height"].as_u64()?, head["hash"].as_str()?.to_owned());
                self.heads.insert(chain_of(&inside["chain"])?, place);
            }
            _ => return None,
        }
        Some(())
    }

    fn take_block(&mut self, block: &Value) -> Option<()> {
        let chain = chain_of(&block["chain"])?;
        let (height, hash) = (block["height"].as_u64()?, block["hash"].as_str()?.to_owned());
        // 229 bytes with the signature; 80..112 is the hash of the block before (schemas/block.md)
        let header = hex_decode(block["header"].as_str()?)?;
        let previous = header.get(80..112)?;
        if sha256(&[&header]).to_string() != hash {
            self.faults.push(format!("{}: {chain:?} {height}: hash of the header", self.node));
        }
        let blocks = self.chains.entry(chain.clone()).or_default();
        if let Some(before) = height.checked_sub(1).and_then(|before| blocks.get(&before))
            && hex_decode(before).as_deref() != Some(previous)
        {
            self.faults.push(format!("{}: {chain:?} {height}: previous hash", self.node));
        }
        let expected = blocks.last_key_value().map_or(1, |(last, _)| last + 1);
        if height != expected {
            let found = format!("expected height {expected}, found {height}");
            self.faults.push(format!("{}: {chain:?}: {found}", self.node));
        }
        if blocks.insert(height, hash).is_some() {
            self.twice += 1;
        }
        Some(())
    }

    fn take_fact(&mut self, fact: &Value) -> Option<()> {
        self.facts += 1;
        if !self.fact_ids.insert(fact["id"].as_str()?.to_owned()) {
            self.twice += 1;
        }
        self.parked += u64::from(fact["verdict"]["parked"].is_string());
        if fact["kind"] == "member.joined" {
            *self.members.entry(fact["fact"]["operator"].as_u64()?).or_default() += 1;
        }
        Some(())
    }

    fn compare_heads(&mut self) {
        for (chain, blocks) in &self.chains {
            let last = blocks.last_key_value().map(|(height, hash)| (*height, hash.clone()));
            if last.as_ref() != self.heads.get(chain) {
                let found = format!("{chain:?}: its head line does not name its last block");
                self.faults.push(format!("{}: {found}", self.node));
            }
        }
    }

    fn block(&self, receipt: &Receipt) -> Option<&str> {
        let chain = (receipt.node.clone(), receipt.epoch, receipt.lane.clone());
        self.chains.get(&chain)?.get(&receipt.height).map(String::as_str)
    }
}

/// Compares promises with journals by node.
///
/// # Errors
/// The promises cannot be read.
pub fn check(promises: impl BufRead, journals: &[Journal]) -> io::Result<Verdict> {
    let by_node: BTreeMap<&str, &Journal> =
        journals.iter().map(|journal| (journal.node.as_str(), journal)).collect();
    let mut verdict = Verdict { journals: journals.len() as u64, ..Verdict::default() };
    let mut highest: BTreeMap<(String, Chain), u64> = BTreeMap::new();
    for line in promises.lines() {
        match serde_json::from_str(&line?)? {
            Promise::Receipt(receipt) => {
                verdict.receipt(&receipt, by_node.get(receipt.ancestor.as_str()).copied());
                let chain = (receipt.node, receipt.epoch, receipt.lane);
                let known = highest.entry((receipt.ancestor, chain)).or_default();
                *known = receipt.height.max(*known);
            }
            Promise::Entered(entered) => verdict.entered(&entered, &by_node),
        }
    }
    verdict.blocks_promised = highest.values().sum();
    for ((ancestor, chain), height) in &highest {
        verdict.whole(ancestor, chain, *height, by_node.get(ancestor.as_str()).copied());
    }
    for journal in journals {
        verdict.blocks += journal.chains.values().map(|blocks| blocks.len() as u64).sum::<u64>();
        verdict.facts += journal.facts;
        verdict.twice += journal.twice;
        verdict.parked += journal.parked;
        verdict.faults.extend(journal.faults.iter().cloned());
    }
    if verdict.twice > 0 {
        verdict.faults.push(format!("{} blocks or facts are there twice", verdict.twice));
    }
    if verdict.parked > 0 {
        verdict.faults.push(format!("{} facts are parked", verdict.parked));
    }
    if verdict.receipts == 0 || verdict.entries == 0 {
        verdict.faults.push("nothing was promised: nothing is shown".to_owned());
    }
    Ok(verdict)
}

impl Verdict {
    fn receipt(&mut self, receipt: &Receipt, journal: Option<&Journal>) {
        self.receipts += 1;
        let found = journal.and_then(|journal| journal.block(receipt));
        if found != Some(&receipt.hash) {
            self.lost += 1;
            self.faults.push(format!("lost: {receipt:?}: found {found:?}"));
        }
    }

    /// A receipt promises every block below the one it names.
    fn whole(&mut self, ancestor: &str, chain: &Chain, height: u64, journal: Option<&Journal>) {
        let blocks = journal.and_then(|journal| journal.chains.get(chain));
        let found = blocks.map_or(0, |blocks| blocks.range(1..=height).count() as u64);
        if found < height {
            self.lost += height - found;
            self.faults.push(format!("{ancestor}: {chain:?}: {found} of {height} blocks"));
        }
    }

    fn entered(&mut self, entered: &Entered, by_node: &BTreeMap<&str, &Journal>) {
        self.entries += 1;
        let expected = u64::from(entered.facts);
        for node in &entered.held_by {
            let journal = by_node.get(node.as_str());
            let found = journal.and_then(|j| j.members.get(&u64::from(entered.post)));
            let found = found.copied().unwrap_or(0);
            if found == expected {
                continue;
            }
            self.facts_lost += expected.saturating_sub(found);
            self.twice += found.saturating_sub(expected);
            let post = entered.post;
            self.faults.push(format!("{node}: entry {post}: {found} of {expected} facts"));
        }
    }
}

#[cfg(test)]
mod tests;
