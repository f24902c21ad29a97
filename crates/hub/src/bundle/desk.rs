//! The machine that makes and takes bundles: the daemon's while one runs, else one of this process.

use super::BundleFailure;
use crate::daemon::Engine;
use crate::host::{DaemonRequest, Host};
use hub_core::id::NodeId;
use hub_node::bundle::Bundle;
use hub_node::io::{Channel, Refusal};
use hub_node::machine::Machine;
use hub_node::wire::{Cursor, Message};
use tokio::sync::{mpsc, oneshot};

/// The messages of a bundle, to be taken in.
#[derive(Debug, Clone)]
pub struct Part {
    /// Who made it.
    pub from: NodeId,
    /// The channel on which a courier would bring it.
    pub channel: Channel,
    /// Its messages.
    pub messages: Vec<Vec<u8>>,
    /// Which of them bring no block.
    pub(crate) asks: Vec<usize>,
}

impl Part {
    /// The messages of a bundle whose signature was checked.
    pub fn of(bundle: Bundle) -> Self {
        let federation = bundle.manifest.federation;
        let brings_block = |bytes: &[u8]| {
            matches!(Message::decode(bytes, federation), Ok(Message::Ship(_) | Message::Loose(_)))
        };
        let asks = bundle.messages.iter().enumerate();
        let asks = asks.filter(|(_, bytes)| !brings_block(bytes)).map(|(place, _)| place).collect();
        let (from, channel) = (bundle.manifest.from, bundle.manifest.channel());
        Self { from, channel, messages: bundle.messages, asks }
    }

    /// The blocks alone of a bundle whose signature cannot be checked yet: each is judged by itself, and one may lead
    /// to the maker's key. Whatever else stands in it anybody may have written.
    pub(crate) fn blocks_of(bundle: &Bundle) -> Self {
        let federation = bundle.manifest.federation;
        let messages = bundle.blocks().map(|block| Message::Loose(block).encode(federation));
        let (from, channel) = (bundle.manifest.from, bundle.manifest.channel());
        Self { from, channel, messages: messages.collect(), asks: Vec::new() }
    }
}

/// What became of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// How many blocks it made durable here.
    pub stored: u64,
    /// How far the sender's stream is held now, without a hole.
    pub cursor: Option<Cursor>,
    /// How many of the sender's blocks wait.
    pub held: usize,
    /// What was refused, the last few by name.
    pub refusals: Vec<Refusal>,
    /// What is to go into the next bundle back.
    pub answers: Vec<Vec<u8>>,
}

/// The machine that makes and takes bundles.
pub struct Desk(Place);

enum Place {
    Here(Box<Engine>),
    Daemon(mpsc::Sender<DaemonRequest>),
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.0 {
            Place::Here(_) => "Desk(here)",
            Place::Daemon(_) => "Desk(daemon)",
        })
    }
}

impl Desk {
    /// The machine of a node.
    ///
    /// # Errors
    /// What is kept of peers cannot be read.
    pub fn of(host: &Host) -> Result<Self, BundleFailure> {
        Ok(Self(match &host.daemon {
            Some(daemon) => Place::Daemon(daemon.clone()),
            None => {
                let engine = Engine::new(host.node.clone(), host.replica.clone(), None, None)?;
                Place::Here(Box::new(engine))
            }
        }))
    }

    /// A copy of the machine as it stands.
    ///
    /// # Errors
    /// The daemon is ending.
    pub fn machine(&self) -> Result<Machine, BundleFailure> {
        match &self.0 {
            Place::Here(engine) => Ok(engine.machine_copy()),
            Place::Daemon(daemon) => ask(daemon, DaemonRequest::Machine).map(|machine| *machine),
        }
    }

    /// Takes a bundle's messages in; what they brought is durable when this returns.
    ///
    /// # Errors
    /// Storage failed, or the daemon is ending.
    pub fn take(&mut self, part: Part) -> Result<Taken, BundleFailure> {
        match &mut self.0 {
            Place::Here(engine) => Ok(engine.take_part(part)?),
            Place::Daemon(daemon) => ask(daemon, |reply| DaemonRequest::Bundle(part, reply)),
        }
    }
}

fn ask<T>(
    daemon: &mpsc::Sender<DaemonRequest>,
    request: impl FnOnce(oneshot::Sender<T>) -> DaemonRequest,
) -> Result<T, BundleFailure> {
    let (reply, answer) = oneshot::channel();
    daemon.blocking_send(request(reply)).map_err(|_| BundleFailure::Ending)?;
    answer.blocking_recv().map_err(|_| BundleFailure::Ending)
}
