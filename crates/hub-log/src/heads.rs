//! The head file: a small copy of where the node's own chains stand, kept beside the journal and, if
//! configured, outside the data directory. If it is ahead of the journal at start, the journal was set
//! back (an old disk, a lost tail), and the node must not sign at heights it has used (DESIGN §10).

use crate::error::IoFailure;
use crate::layout::JournalId;
use crate::storage::replace_file;
use hub_core::chain::ChainHead;
use hub_core::hash::{Hash, hex_decode, sha256};
use hub_core::id::{ChainId, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The name of the head file in a data directory.
pub const HEAD_FILE: &str = "head";
const FORMAT: u32 = 0;

/// What the head file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// Whose chains they are.
    pub node: NodeId,
    /// The journal they stood in.
    pub journal: JournalId,
    /// Where each of the node's own chains stood.
    pub heads: BTreeMap<ChainId, ChainHead>,
}

/// Why a head file cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadsError {
    /// The system refused.
    Io(IoFailure),
    /// The file is not as it was written.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl fmt::Display for HeadsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Damaged { path, message } => write!(
                f,
                "head file {}: {message}: compare with the parent's receipts, then remove the file",
                path.display()
            ),
        }
    }
}

impl std::error::Error for HeadsError {}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    node: NodeId,
    journal: String,
    heads: Vec<(ChainId, ChainHead)>,
    /// Over all of the above: the file's own words are checked before they are believed.
    check: Hash,
}

impl File {
    fn expected_check(&self) -> Result<Hash, serde_json::Error> {
        let content = (self.format, &self.node, &self.journal, &self.heads);
        Ok(sha256(&[b"hub head file", &serde_json::to_vec(&content)?]))
    }
}

/// Writes a head file so that a crash leaves the old or the new one.
///
/// # Errors
/// The system refuses; the old file stands.
pub fn write_heads(path: &Path, heads: &Heads) -> Result<(), HeadsError> {
    let failed = |error: io::Error| HeadsError::Io(IoFailure::new("write", path, &error));
    let mut file = File {
        format: FORMAT,
        node: heads.node,
        journal: heads.journal.to_string(),
        heads: heads.heads.iter().map(|(chain, head)| (*chain, *head)).collect(),
        check: Hash::ZERO,
    };
    file.check = file.expected_check().map_err(|error| failed(error.into()))?;
    let mut text = serde_json::to_vec_pretty(&file).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    replace_file(path, &text, 0o600).map_err(failed)
}

/// Reads a head file; `None` when there is none.
///
/// # Errors
/// It is not as it was written, or cannot be read.
pub fn read_heads(path: &Path) -> Result<Option<Heads>, HeadsError> {
    let damaged = |message: String| HeadsError::Damaged { path: path.to_owned(), message };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(HeadsError::Io(IoFailure::new("read", path, &error))),
    };
    let file: File = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let check = file.expected_check().map_err(|error| damaged(error.to_string()))?;
    if file.format != FORMAT {
        return Err(damaged(format!("format: expected {FORMAT}, found {}", file.format)));
    }
    if check != file.check {
        return Err(damaged(format!("check: expected {check}, found {}", file.check)));
    }
    let journal = hex_decode(&file.journal).and_then(|bytes| bytes.try_into().ok());
    let journal = journal.ok_or_else(|| damaged("journal: expected 16 bytes of hex".to_owned()))?;
    Ok(Some(Heads {
        node: file.node,
        journal: JournalId(journal),
        heads: file.heads.into_iter().collect(),
    }))
}
