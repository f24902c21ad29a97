//! Errors by family of operation: opening, appending, reading. Each says what, where, and how to mend it.

use hub_core::chain::ChainError;
use hub_core::hash::Hash;
use hub_core::id::ChainId;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// An operation of the system that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IoFailure {
    /// What was tried, e.g. `fdatasync`.
    pub what: &'static str,
    /// On which file.
    pub path: PathBuf,
    /// The kind of error.
    pub kind: io::ErrorKind,
    /// The system's words.
    pub message: String,
}

impl IoFailure {
    pub(crate) fn new(what: &'static str, path: &Path, error: &io::Error) -> Self {
        Self { what, path: path.to_owned(), kind: error.kind(), message: error.to_string() }
    }

    /// Whether the disk is full (or a quota is).
    pub fn is_no_space(&self) -> bool {
        matches!(
            self.kind,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    }
}

impl fmt::Display for IoFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        if self.is_no_space() {
            write!(f, "no space left to {} {path}: free some space there", self.what)
        } else {
            write!(f, "{} {path}: {}", self.what, self.message)
        }
    }
}

impl std::error::Error for IoFailure {}

/// Why a data directory cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process holds it.
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that holds it, as it wrote there.
        pid: Option<u32>,
    },
    /// A segment of a later version.
    Format {
        /// The segment's file.
        path: PathBuf,
        /// The format this version reads.
        expected: u16,
        /// The format it has.
        found: u16,
    },
    /// No segment and no file says which journal this is.
    Nameless {
        /// The journal's directory.
        path: PathBuf,
    },
    /// A segment of another journal.
    Foreign {
        /// The segment's file.
        path: PathBuf,
        /// This journal.
        expected: crate::JournalId,
        /// That one.
        found: crate::JournalId,
    },
    /// The size of a segment is out of bounds.
    SegmentBytes {
        /// What is allowed.
        expected: &'static str,
        /// What was asked for.
        found: u64,
    },
    /// The index cannot be opened or rebuilt.
    Index(IndexError),
    /// The system refused.
    Io(IoFailure),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { path, pid } => {
                let holder = match pid {
                    Some(pid) => format!("process {pid}"),
                    None => "another process".to_owned(),
                };
                write!(
                    f,
                    "{} is held by {holder}: stop it, or let it run the command",
                    path.display()
                )
            }
            Self::Format { path, expected, found } => write!(
                f,
                "{}: expected format {expected}, found {found}: open it with a newer version",
                path.display()
            ),
            Self::Nameless { path } => write!(
                f,
                "{}: no segment header and no id file can be read: restore from a backup",
                path.display()
            ),
            Self::Foreign { path, expected, found } => write!(
                f,
                "{}: expected journal {expected}, found {found}: move this file away",
                path.display()
            ),
            Self::SegmentBytes { expected, found } => {
                write!(f, "segment size: expected {expected} bytes, found {found}")
            }
            Self::Index(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<IoFailure> for OpenError {
    fn from(error: IoFailure) -> Self {
        Self::Io(error)
    }
}

impl From<IndexError> for OpenError {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

/// The index failed; the journal is not touched by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexError {
    /// What was tried.
    pub what: &'static str,
    /// The directory of the index.
    pub path: PathBuf,
    /// What sled says.
    pub message: String,
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "index {}: {}: {}; the journal is whole: stop the node and run `hub log repair`",
            self.path.display(),
            self.what,
            self.message
        )
    }
}

impl std::error::Error for IndexError {}

/// Why blocks were not appended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppendError {
    /// A block does not follow its chain. Nothing of this call was stored.
    Chain {
        /// The chain.
        chain: ChainId,
        /// The height of the block.
        height: u64,
        /// Why it does not follow.
        error: Box<ChainError>,
    },
    /// Another block stands at its place: a fork. Nothing of this call was stored.
    Occupied {
        /// The chain.
        chain: ChainId,
        /// The height.
        height: u64,
        /// The hash of the block there.
        expected: Hash,
        /// The hash of this one.
        found: Hash,
    },
    /// A write or fsync failed. Whether these blocks are stored is unknown; the journal stops.
    Io(IoFailure),
    /// The index could not be written at the end of a segment; the journal stops.
    Index(IndexError),
    /// The journal stopped before.
    Stopped {
        /// What stopped it.
        cause: String,
    },
    /// Stored blocks could not be read to compare with.
    Read(ReadError),
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain { chain, height, error } => {
                write!(f, "block {chain} height {height} does not follow: {error}")
            }
            Self::Occupied { chain, height, expected, found } => write!(
                f,
                "block {chain} height {height}: expected {expected}, which is stored, found {found}"
            ),
            Self::Io(error) => write!(
                f,
                "{error}; what was announced is safe, the node must stop: mend the disk and start again"
            ),
            Self::Index(error) => write!(f, "{error}; the node must stop"),
            Self::Stopped { cause } => write!(
                f,
                "the journal stopped after: {cause}; nothing is stored until the node starts again"
            ),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AppendError {}

impl From<ReadError> for AppendError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Why stored blocks cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are not as they were written.
    Damaged(Box<crate::Damage>),
    /// The index failed.
    Index(IndexError),
    /// The system refused.
    Io(IoFailure),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(damage) => {
                write!(f, "{damage}: stop the node and run `hub log repair`, then sync")
            }
            Self::Index(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<IoFailure> for ReadError {
    fn from(error: IoFailure) -> Self {
        Self::Io(error)
    }
}

impl From<IndexError> for ReadError {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}
