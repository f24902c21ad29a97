//! What can stop a drill.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a drill stopped, or what it found.
#[derive(Debug)]
pub enum DrillError {
    /// A file, port or process could not be had.
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A command ended otherwise than it should.
    Command {
        /// The node it ran on.
        node: String,
        /// What was typed.
        line: String,
        /// How it ended, with what it printed.
        outcome: String,
    },
    /// Something that must happen did not happen in time.
    Overdue {
        /// What was waited for.
        what: String,
        /// What was seen last.
        last: String,
    },
    /// A process ended that nobody had killed.
    Ended {
        /// Which.
        who: String,
        /// Its last lines.
        words: String,
    },
    /// What must be equal or nothing is not.
    Finding {
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl DrillError {
    /// An error of the file system, to be given to `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    pub(super) fn finding(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Finding { expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for DrillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, path, source } => write!(f, "{doing} {}: {source}", path.display()),
            Self::Command { node, line, outcome } => {
                write!(f, "{node}: hub {line}: {outcome}")
            }
            Self::Overdue { what, last } => write!(f, "not in time: {what}; seen last: {last}"),
            Self::Ended { who, words } => {
                write!(f, "{who} ended by itself; its last words:\n{words}")
            }
            Self::Finding { expected, found } => write!(f, "expected {expected}, found {found}"),
        }
    }
}

impl std::error::Error for DrillError {}
