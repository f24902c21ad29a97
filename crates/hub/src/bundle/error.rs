//! Why bundles are not made or not taken in.

use crate::daemon::DaemonError;
use hub_core::id::NodeId;
use hub_node::bundle::BundleError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why bundles are not made or not taken in.
#[derive(Debug)]
#[non_exhaustive]
pub enum BundleFailure {
    /// The other node is neither this node's parent nor a child.
    Stranger {
        /// Which.
        found: NodeId,
    },
    /// This directory keeps no key that could sign.
    NoKey,
    /// The messages go into no bundle.
    Bundle(BundleError),
    /// A file of the caller.
    Output(io::Error),
    /// What is kept between two bundles cannot be read or written.
    Shelf {
        /// Where.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// A folder of the courier cannot be read or written.
    Folder {
        /// Where.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// The node itself.
    Node(DaemonError),
    /// The daemon is ending.
    Ending,
}

impl fmt::Display for BundleFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stranger { found } => {
                write!(f, "the other node: expected parent or child, found {found}")
            }
            Self::NoKey => f.write_str("expected a signing key in this directory, found none"),
            Self::Bundle(error) => error.fmt(f),
            Self::Output(error) => error.fmt(f),
            Self::Shelf { path, error } | Self::Folder { path, error } => {
                write!(f, "{}: {error}", path.display())
            }
            Self::Node(error) => error.fmt(f),
            Self::Ending => f.write_str("the daemon is ending; try again"),
        }
    }
}

impl std::error::Error for BundleFailure {}

impl From<BundleError> for BundleFailure {
    fn from(error: BundleError) -> Self {
        Self::Bundle(error)
    }
}

impl From<DaemonError> for BundleFailure {
    fn from(error: DaemonError) -> Self {
        Self::Node(error)
    }
}
