//! What can stop a demonstration, each with what was expected and what was found.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a demonstration stopped.
#[derive(Debug)]
pub enum DemoError {
    /// A scenario file says something that cannot be.
    Scenario {
        /// Which file, and the line counted from 1 where it has lines.
        place: String,
        /// What should stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A file, directory, port or process could not be had.
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A command ended otherwise than the story says.
    Command {
        /// The node it ran on.
        node: String,
        /// The command line, without the program.
        line: String,
        /// How it ended, with everything it printed.
        outcome: String,
    },
    /// An answer is not what the source says.
    Answer {
        /// The query.
        line: String,
        /// What the source says.
        expected: String,
        /// What was answered.
        found: String,
    },
    /// Something that must happen did not happen in time.
    Overdue {
        /// What was waited for.
        what: String,
        /// What was seen last.
        last: String,
    },
}

impl DemoError {
    /// For `map_err`: an input or output error while `doing` something with `path`.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// A fault in a scenario file.
    pub fn scenario(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Scenario { place: place.into(), expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario { place, expected, found } => {
                write!(f, "{place}: expected {expected}, found {found}")
            }
            Self::Io { doing, path, source } => {
                write!(f, "{doing} {}: {source}", path.display())
            }
            Self::Command { node, line, outcome } => {
                write!(f, "at {node}: hub {line}\n{outcome}")
            }
            Self::Answer { line, expected, found } => {
                write!(f, "hub {line}: expected {expected}, answered {found}")
            }
            Self::Overdue { what, last } => write!(f, "waited in vain for {what}; last: {last}"),
        }
    }
}

impl std::error::Error for DemoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
