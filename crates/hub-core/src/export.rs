//! The JSONL export: every fact with its block, receipt and verdict, one JSON object a line
//! (`schemas/export.md`). A block's lines hold all its bytes say, so blocks are rebuilt from the file alone,
//! and with them every answer.

use crate::block::Block;
use crate::chain::ChainHead;
use crate::codec::{self, CodecError};
use crate::fact::Fact;
use crate::hash::{Hash, hex_decode, hex_encode};
use crate::header::{HEADER_BYTES, Header, HeaderError};
use crate::id::{ChainId, FactId, FederationId, NodeId};
use crate::time::Millis;
use crate::view::verdict::Verdict;
use crate::{header, published};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// First: what the rest rests on.
    Export(Box<Heading>),
    /// A block; the lines of its facts follow.
    Block(Box<BlockLine>),
    /// A fact.
    Fact(Box<FactLine>),
    /// Last: where a chain stands.
    Head(Box<HeadLine>),
}

/// What an export rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The format of blocks.
    pub format: u16,
    /// The federation.
    pub federation: FederationId,
    /// Its root key, in hex.
    pub root_key: String,
    /// The hash of the policy the verdicts were made under.
    pub policy: Hash,
    /// The hash of the definitions of the indicators.
    pub definitions: Hash,
    /// The digest of the view of all blocks that follow, if it was asked for.
    pub digest: Option<Hash>,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockLine {
    /// Its chain.
    pub chain: ChainId,
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: Hash,
    /// The header with its signature, in hex: what `schemas/block.md` lays out.
    pub header: String,
    /// How many lines of facts follow.
    pub facts: u32,
    /// The body in hex, and why it does not read; only where it does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unreadable: Option<UnreadableBody>,
    /// Where the parent's receipt has it, if one covers it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub receipt: Option<Receipt>,
}

/// A body this version does not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableBody {
    /// Why, with expected and found.
    pub why: String,
    /// The body, in hex.
    pub body: String,
}

/// The place of a block in the stream a parent has receipted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Who signed the receipt.
    pub receiver: NodeId,
    /// The journal whose stream is counted, in hex.
    pub journal: String,
    /// The block's place in it, from 0.
    pub position: u64,
    /// When the receiver had it durably.
    pub durable_at: Millis,
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactLine {
    /// Its id, `node/epoch/lane#seq`.
    pub id: String,
    /// Its kind (`schemas/facts.md`).
    pub kind: String,
    /// The chain of its block.
    pub chain: ChainId,
    /// The height of its block.
    pub height: u64,
    /// The hash of its block.
    pub block: Hash,
    /// `stands`, `withdrawn`, `parked`; absent where nobody judged it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<Judged>,
    /// All its fields.
    pub fact: Fact,
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// It takes part in the fold.
    Stands,
    /// It was taken back by this fact.
    Withdrawn(String),
    /// It is kept and uncounted, for this reason.
    Parked(String),
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Stands => Self::Stands,
            Verdict::Withdrawn(by) => Self::Withdrawn(by.to_string()),
            Verdict::Parked(reason) => Self::Parked(reason.to_string()),
        }
    }
}

/// Where a chain stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadLine {
    /// The chain.
    pub chain: ChainId,
    /// Its head.
    pub head: ChainHead,
}

/// The first line of an export.
pub fn heading(root_key: &[u8; 32], digest: Option<Hash>) -> Line {
    Line::Export(Box::new(Heading {
        format: header::FORMAT,
        federation: FederationId::of_root_key(root_key),
        root_key: hex_encode(root_key),
        policy: published::policy_hash(),
        definitions: published::definitions_hash(),
        digest,
    }))
}

/// The lines of a block: its own and one a fact. `verdicts` are those of its facts in order, or empty.
pub fn block_lines(block: &Block, receipt: Option<Receipt>, verdicts: &[Verdict]) -> Vec<Line> {
    let header = block.header();
    let (chain, height, hash) = (header.chain, header.height, block.hash());
    let (facts, unreadable) = match block.body() {
        Ok(body) => (body.into_facts(), None),
        Err(error) => {
            let body = hex_encode(block.body_bytes());
            (Vec::new(), Some(UnreadableBody { why: error.to_string(), body }))
        }
    };
    let own = Line::Block(Box::new(BlockLine {
        chain,
        height,
        hash,
        header: hex_encode(&block.bytes()[..HEADER_BYTES]),
        facts: facts.len() as u32,
        unreadable,
        receipt,
    }));
    let of_fact = |(index, fact): (usize, Fact)| {
        Line::Fact(Box::new(FactLine {
            id: block.fact_id(index as u32).to_string(),
            kind: fact.body.kind().to_owned(),
            chain,
            height,
            block: hash,
            verdict: verdicts.get(index).map(|verdict| Judged::from(*verdict)),
            fact,
        }))
    };
    std::iter::once(own).chain(facts.into_iter().enumerate().map(of_fact)).collect()
}

/// The line of a chain's head.
pub fn head_line(chain: ChainId, head: ChainHead) -> Line {
    Line::Head(Box::new(HeadLine { chain, head }))
}

impl Line {
    /// The line as JSON, without the line feed.
    ///
    /// # Errors
    /// JSON that cannot be written; no line of the hub is such.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// Lines that are no export.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// A line that is no JSON of an export.
    Json {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A fact where none is due, or something else where a fact is.
    Facts {
        /// Which line, from 1.
        line: usize,
        /// How many facts of the block are due.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A fact under another id than its place gives.
    Id {
        /// Which line, from 1.
        line: usize,
        /// The id of its place.
        expected: Box<FactId>,
        /// As it says.
        found: String,
    },
    /// Facts that encode to no body.
    Codec {
        /// Which line ends the block, from 1.
        line: usize,
        /// Why.
        error: CodecError,
    },
    /// The header and the facts make no block.
    Header {
        /// Which line ends the block, from 1.
        line: usize,
        /// Why.
        error: HeaderError,
    },
    /// The block has another hash than its line says.
    Hash {
        /// Which line ends the block, from 1.
        line: usize,
        /// As the line says.
        expected: Hash,
        /// As the bytes give.
        found: Hash,
    },
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { line, what } => write!(f, "line {line}: {what}"),
            Self::Facts { line, expected, found } => {
                write!(f, "line {line}: expected {expected} facts of the block, found {found}")
            }
            Self::Id { line, expected, found } => {
                write!(f, "line {line}: expected fact {expected}, found {found}")
            }
            Self::Codec { line, error } => write!(f, "line {line}: {error}"),
            Self::Header { line, error } => write!(f, "line {line}: {error}"),
            Self::Hash { line, expected, found } => {
                write!(f, "line {line}: block hash: expected {expected}, found {found}")
            }
        }
    }
}

impl std::error::Error for ExportError {}

/// Rebuilds blocks from lines. Body hash and block hash are checked, signatures are not: that is for
/// whoever folds the blocks.
#[derive(Debug, Default)]
pub struct Reader {
    line: usize,
    open: Option<(BlockLine, Vec<Fact>)>,
    heading: Option<Heading>,
}

impl Reader {
    /// What the export rests on, once its first line was taken. The root of trust is never taken from
    /// here but from the reader's own configuration.
    pub fn heading(&self) -> Option<&Heading> {
        self.heading.as_ref()
    }

    /// Takes the next line; gives a block when it is whole.
    ///
    /// # Errors
    /// A line that is no JSON of an export, or that does not fit those before it.
    pub fn take(&mut self, text: &str) -> Result<Option<Block>, ExportError> {
        self.line += 1;
        let line = serde_json::from_str::<Line>(text)
            .map_err(|error| ExportError::Json { line: self.line, what: error.to_string() })?;
        match line {
            Line::Fact(fact) => self.take_fact(*fact)?,
            other => {
                self.finish()?;
                match other {
                    Line::Export(heading) => self.heading = Some(*heading),
                    Line::Block(block) => self.open = Some((*block, Vec::new())),
                    Line::Fact(_) | Line::Head(_) => {}
                }
            }
        }
        match &self.open {
            Some((block, facts)) if facts.len() == block.facts as usize => self.close().map(Some),
            _ => Ok(None),
        }
    }

    /// After the last line: whether a block is not whole.
    ///
    /// # Errors
    /// Facts are missing.
    pub fn finish(&self) -> Result<(), ExportError> {
        match &self.open {
            None => Ok(()),
            Some((block, facts)) => Err(ExportError::Facts {
                line: self.line,
                expected: block.facts as usize,
                found: facts.len(),
            }),
        }
    }

    fn take_fact(&mut self, fact: FactLine) -> Result<(), ExportError> {
        let line = self.line;
        let Some((block, facts)) = &mut self.open else {
            return Err(ExportError::Facts { line, expected: 0, found: 1 });
        };
        let first = header_of(block).map_err(|error| ExportError::Header { line, error })?.1;
        let seq = first.first_seq.saturating_add(facts.len() as u64);
        let expected = FactId { chain: first.chain, seq };
        if fact.id != expected.to_string() {
            return Err(ExportError::Id { line, expected: Box::new(expected), found: fact.id });
        }
        facts.push(fact.fact);
        Ok(())
    }

    fn close(&mut self) -> Result<Block, ExportError> {
        let line = self.line;
        let Some((block, facts)) = self.open.take() else {
            return Err(ExportError::Facts { line, expected: 0, found: 0 });
        };
        let body = match &block.unreadable {
            Some(unreadable) => hex_decode(&unreadable.body)
                .ok_or_else(|| ExportError::Json { line, what: "body: expected hex".to_owned() })?,
            None => codec::encode(&facts).map_err(|error| ExportError::Codec { line, error })?.1,
        };
        let (mut bytes, _) =
            header_of(&block).map_err(|error| ExportError::Header { line, error })?;
        bytes.extend_from_slice(&body);
        let whole = Block::parse(bytes).map_err(|error| ExportError::Header { line, error })?;
        if whole.hash() != block.hash {
            let (expected, found) = (block.hash, whole.hash());
            return Err(ExportError::Hash { line, expected, found });
        }
        Ok(whole)
    }
}

fn header_of(block: &BlockLine) -> Result<(Vec<u8>, Header), HeaderError> {
    let bytes = hex_decode(&block.header).unwrap_or_default();
    if bytes.len() != HEADER_BYTES {
        return Err(HeaderError::Length { expected: HEADER_BYTES, found: bytes.len() });
    }
    let header = Header::parse(&bytes)?;
    Ok((bytes, header))
}
