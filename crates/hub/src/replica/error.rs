//! What goes wrong with a replica, by family: opening, writing.

use super::signing::SigningRefused;
use crate::keys::KeyError;
use hub_core::block::SealError;
use hub_log::{AppendError, HeadsError, OpenError};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a data directory cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplicaError {
    /// The journal cannot be opened; another process may hold it.
    Open(OpenError),
    /// A key cannot be read.
    Key(KeyError),
    /// The folder beside the journal cannot be read or written.
    Aside {
        /// Which data directory.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// The copy of the heads cannot be read or written.
    HeadCopy(HeadsError),
    /// The list of followers cannot be read.
    Followers(String),
}

impl fmt::Display for ReplicaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Aside { path, error } => {
                write!(f, "the folder aside in {}: {error}", path.display())
            }
            Self::HeadCopy(error) => error.fmt(f),
            Self::Followers(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplicaError {}

impl From<OpenError> for ReplicaError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<KeyError> for ReplicaError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// Why facts were not written. Nothing of the call was.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WriteError {
    /// The node does not sign now.
    Refused(SigningRefused),
    /// A fact makes no block.
    Seal(SealError),
    /// The journal did not take it. Whether the blocks are stored is unknown after a failed write; the
    /// node must stop.
    Append(AppendError),
}

impl WriteError {
    /// Whether the node must stop.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Append(error) if is_fatal(error))
    }
}

/// Whether the journal has stopped.
pub(super) fn is_fatal(error: &AppendError) -> bool {
    matches!(error, AppendError::Io(_) | AppendError::Index(_) | AppendError::Stopped { .. })
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Seal(error) => error.fmt(f),
            Self::Append(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<SigningRefused> for WriteError {
    fn from(error: SigningRefused) -> Self {
        Self::Refused(error)
    }
}

impl From<SealError> for WriteError {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

impl From<AppendError> for WriteError {
    fn from(error: AppendError) -> Self {
        Self::Append(error)
    }
}
