//! What can go wrong while a node comes to be.

use crate::config::ConfigError;
use crate::keys::KeyError;
use crate::ops_nats::ChildrenError;
use crate::replica::{ReplicaError, WriteError};
use hub_core::header::HeaderError;
use hub_node::wire::WireError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A node that does not come to be, and why.
#[derive(Debug)]
#[non_exhaustive]
pub enum EnrolError {
    /// The directory already holds a node.
    Taken {
        /// Its configuration.
        path: PathBuf,
    },
    /// A key file.
    Key(KeyError),
    /// The configuration.
    Config(ConfigError),
    /// The list of children.
    Children(ChildrenError),
    /// The books cannot be opened.
    Replica(ReplicaError),
    /// The facts cannot be written.
    Write(WriteError),
    /// A file cannot be written.
    Io {
        /// Which.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// The bytes are no message of this federation.
    Wire(WireError),
    /// The bytes are another message.
    Kind {
        /// Which one was expected.
        expected: &'static str,
    },
    /// A signature does not fit.
    Signature(HeaderError),
    /// This node is not enrolled itself, or may not enrol others.
    NoRight,
    /// The answer is for another node.
    OtherNode {
        /// This one.
        expected: hub_core::id::NodeId,
        /// The answer's.
        found: hub_core::id::NodeId,
    },
    /// The answer names another root than the one pinned here.
    OtherRoot,
    /// The parent refused.
    Refused(String),
    /// The chain of enrolments from the root has a hole before this block.
    Broken {
        /// The place in the chain file, from 0.
        block: usize,
        /// What is wrong there.
        why: String,
    },
    /// The chain of enrolments does not end with this node's key.
    NotEnrolled,
    /// The sealed person key does not open with this node's key.
    Sealed,
    /// A block that should be in the journal is not.
    Missing(hub_core::id::FactId),
}

impl fmt::Display for EnrolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { path } => write!(
                f,
                "{} is there already: this directory holds a node; choose an empty one",
                path.display()
            ),
            Self::Key(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Children(error) => error.fmt(f),
            Self::Replica(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Wire(error) => write!(f, "not a file of this federation: {error}"),
            Self::Kind { expected } => write!(f, "expected {expected}, found another message"),
            Self::Signature(error) => error.fmt(f),
            Self::NoRight => f.write_str(
                "this node may not enrol others: it is not enrolled itself, or without that right",
            ),
            Self::OtherNode { expected, found } => {
                write!(f, "expected an answer to node {expected}, found one to {found}")
            }
            Self::OtherRoot => f.write_str(
                "the answer names another root than the one pinned here: compare the fingerprints",
            ),
            Self::Refused(why) => write!(f, "the parent refused: {why}"),
            Self::Broken { block, why } => {
                write!(f, "the chain of enrolments is broken at block {block}: {why}")
            }
            Self::NotEnrolled => {
                f.write_str("the chain of enrolments does not end with this node's key")
            }
            Self::Sealed => f.write_str("the person key was sealed to another node's key"),
            Self::Missing(fact) => write!(f, "the block of fact {fact} is not in the journal"),
        }
    }
}

impl std::error::Error for EnrolError {}

macro_rules! from {
    ($($variant:ident($error:ty),)*) => {$(
        impl From<$error> for EnrolError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    Key(KeyError),
    Config(ConfigError),
    Children(ChildrenError),
    Replica(ReplicaError),
    Write(WriteError),
    Wire(WireError),
    Signature(HeaderError),
}
