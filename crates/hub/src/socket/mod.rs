//! The local socket: a command line asks the daemon that holds the directory to run its command.
//!
//! `hub.sock` in the data directory, mode 0600: who may open the directory may use it, nobody else. The
//! daemon runs the command; the caller's side opens the caller's files and prints.

mod client;
mod frame;
mod remote;
mod server;
#[cfg(test)]
mod tests;

pub use client::{CallError, call};
pub use server::SocketServer;

use crate::command_io::Screen;
use serde::{Deserialize, Serialize};

/// A command as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What was typed behind the name of the program.
    pub args: Vec<String>,
    /// The language of the caller, as the environment says, e.g. `zh_CN.UTF-8`.
    pub lang: Option<String>,
    /// The caller's screen.
    pub screen: Screen,
}

/// How far a command is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    done: u64,
    total: Option<u64>,
    what: String,
}

/// An error of the caller's file system on its way to the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Failure {
    kind: String,
    message: String,
}

/// The kinds of error a command may tell apart; all others are just errors.
const KINDS: [std::io::ErrorKind; 8] = [
    std::io::ErrorKind::NotFound,
    std::io::ErrorKind::PermissionDenied,
    std::io::ErrorKind::AlreadyExists,
    std::io::ErrorKind::IsADirectory,
    std::io::ErrorKind::NotADirectory,
    std::io::ErrorKind::InvalidInput,
    std::io::ErrorKind::StorageFull,
    std::io::ErrorKind::BrokenPipe,
];

impl From<&std::io::Error> for Failure {
    fn from(error: &std::io::Error) -> Self {
        Self { kind: format!("{:?}", error.kind()), message: error.to_string() }
    }
}

impl From<Failure> for std::io::Error {
    fn from(failure: Failure) -> Self {
        let known = KINDS.into_iter().find(|kind| format!("{kind:?}") == failure.kind);
        Self::new(known.unwrap_or(std::io::ErrorKind::Other), failure.message)
    }
}
