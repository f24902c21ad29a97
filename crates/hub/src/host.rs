//! What a command works on: one node's books, opened here or held by the daemon.

use crate::bundle::{Part, Taken};
use crate::clock::{Clock, SystemClock};
use crate::command_io::CommandIo;
use crate::config::Node;
use crate::replica::{Replica, ReplicaError};
use crate::socket::{self, Call, CallError};
use crate::status::StatusSnapshot;
use hub_log::OpenError;
use hub_node::machine::Machine;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How often a command looks whether the daemon answers.
const DAEMON_POLL: Duration = Duration::from_millis(50);

/// The command library: parses and runs one command.
///
/// It is the same in the process of the command line and in the daemon.
pub trait Commands: Send + Sync {
    /// Runs a command and returns its exit code: 0 fine, 1 findings or no match, 2 error. Everything it
    /// has to say goes through `io`.
    fn run(&self, call: &Call, host: &Host, io: &dyn CommandIo) -> u8;
}

/// One node's books and what runs around them.
#[derive(Debug, Clone)]
pub struct Host {
    /// The configuration.
    pub node: Node,
    /// The books.
    pub replica: Arc<Replica>,
    /// The loop of the daemon, when the command runs inside it.
    pub(crate) daemon: Option<mpsc::Sender<DaemonRequest>>,
}

/// What a command asks the daemon's loop.
#[derive(Debug)]
pub(crate) enum DaemonRequest {
    /// How everything stands.
    Status(oneshot::Sender<StatusSnapshot>),
    /// A copy of the sync machine, from which bundles are made.
    Machine(oneshot::Sender<Box<Machine>>),
    /// The messages of a bundle, to be taken in.
    Bundle(Part, oneshot::Sender<Taken>),
}

impl Host {
    /// Opens the directory in this process.
    ///
    /// # Errors
    /// As for [`Replica::open`].
    pub fn open(node: Node) -> Result<Self, ReplicaError> {
        Self::open_with(node, Arc::new(SystemClock))
    }

    /// The same, and waits while another process holds the directory: a command that found no daemon
    /// holds it for a moment, and a daemon told to stop may not be gone yet.
    ///
    /// # Errors
    /// As for [`Replica::open`].
    pub(crate) fn open_patiently(node: &Node) -> Result<Self, ReplicaError> {
        let since = Instant::now();
        let patience = patience(node);
        loop {
            match Self::open(node.clone()) {
                Err(ReplicaError::Open(OpenError::Locked { .. })) if since.elapsed() < patience => {
                    thread::sleep(DAEMON_POLL);
                }
                opened => return opened,
            }
        }
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// As for [`Replica::open`].
    pub fn open_with(node: Node, clock: Arc<dyn Clock>) -> Result<Self, ReplicaError> {
        let (replica, recovery) = Replica::open(&node, clock)?;
        for cut in &recovery.cut {
            tracing::warn!(kept = %cut.kept.display(), "a torn end of the journal was cut");
        }
        for damage in &recovery.damage {
            tracing::error!(?damage, "damage in the journal");
        }
        Ok(Self { node, replica: Arc::new(replica), daemon: None })
    }

    /// How everything stands: chains, links, receipts, what waits.
    ///
    /// # Errors
    /// What is kept of peers cannot be read.
    pub fn status(&self) -> Result<StatusSnapshot, ReplicaError> {
        if let Some(daemon) = &self.daemon {
            let (reply, answer) = oneshot::channel();
            let asked = daemon.blocking_send(DaemonRequest::Status(reply)).is_ok();
            if asked && let Ok(snapshot) = answer.blocking_recv() {
                return Ok(snapshot);
            }
        }
        StatusSnapshot::without_daemon(&self.node, &self.replica)
    }
}

/// How long one process waits for another that holds the directory.
fn patience(node: &Node) -> Duration {
    Duration::from_secs(u64::from(node.config.limits.command_wait_seconds))
}

/// Why a command could not be run at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The directory cannot be opened.
    Open(ReplicaError),
    /// The daemon holds it and cannot be talked to.
    Call(CallError),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a command where the directory is: in the daemon if one holds it, else here.
///
/// # Errors
/// Neither works.
pub fn run(
    node: &Node,
    call: &Call,
    commands: &dyn Commands,
    io: &dyn CommandIo,
) -> Result<u8, RunError> {
    let since = Instant::now();
    let patience = patience(node);
    loop {
        match socket::call(&node.socket(), call, io) {
            Ok(code) => return Ok(code),
            Err(CallError::Nobody) => {}
            Err(error) => return Err(RunError::Call(error)),
        }
        match Host::open(node.clone()) {
            Ok(host) => {
                let code = commands.run(call, &host, io);
                if let Err(error) = host.replica.save_head_copy() {
                    tracing::warn!(%error, "the copy of the heads was not written");
                }
                return Ok(code);
            }
            Err(ReplicaError::Open(OpenError::Locked { .. })) if since.elapsed() < patience => {
                thread::sleep(DAEMON_POLL);
            }
            Err(error) => return Err(RunError::Open(error)),
        }
    }
}
