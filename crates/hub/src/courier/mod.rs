//! The watched folder as courier of `hub run` (DESIGN §10): bundles for the neighbours are put into one
//! folder, those for this node are found in another. What carries them (a one-way gate, a synchronised
//! share, a person with a stick) is none of the hub's business; it may lose, double, reorder and cut.
//!
//! `inbox` takes in, `outbox` writes, `place` is the two folders. Each round does both. Nothing here is
//! trusted or needed for good: what is lost is written again from the last receipt.

mod inbox;
mod outbox;
mod place;

use crate::bundle::{BundleFailure, Desk, Shelf};
use crate::config::{CourierConfig, Neighbours};
use crate::host::Host;
use crate::status;
use hub_core::id::NodeId;
use inbox::Inbox;
use outbox::Outbox;
use place::Place;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// The shortest time between two rounds.
const SHORTEST: Duration = Duration::from_millis(50);

/// The thread of a daemon's courier; dropped, it ends after its round.
#[derive(Debug)]
pub(crate) struct Courier {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Courier {
    /// Begins with a first round at once.
    ///
    /// # Errors
    /// A folder is not there, or there is no thread.
    pub(crate) fn start(host: Host, config: &CourierConfig) -> io::Result<Self> {
        let place = Place::open(&host.node, config)?;
        let mut rounds = Rounds::new(host, config.clone(), place).map_err(io::Error::other)?;
        let every = Duration::from_secs(u64::from(config.every_seconds)).max(SHORTEST);
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            loop {
                match rounds.round() {
                    Err(BundleFailure::Ending) => return,
                    Err(error) => tracing::warn!(%error, "a round of the courier failed"),
                    Ok(()) => {}
                }
                if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("courier".into()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // a panic there was reported by its own hook
            let _ = thread.join();
        }
    }
}

/// What goes on from round to round.
struct Rounds {
    host: Host,
    config: CourierConfig,
    desk: Desk,
    shelf: Shelf,
    inbox: Inbox,
    outbox: Outbox,
}

impl Rounds {
    fn new(host: Host, config: CourierConfig, place: Place) -> Result<Self, BundleFailure> {
        let desk = Desk::of(&host)?;
        let shelf = Shelf::open(&host.node.data_dir())?;
        let (inbox, outbox) = (Inbox::new(place.clone()), Outbox::new(place, &config));
        Ok(Self { host, config, desk, shelf, inbox, outbox })
    }

    fn round(&mut self) -> Result<(), BundleFailure> {
        let replica = &self.host.replica;
        self.inbox.round(replica, &mut self.desk, &self.shelf)?;
        for peer in self.peers() {
            self.outbox.round(replica, &self.desk, &self.shelf, peer)?;
        }
        Ok(())
    }

    /// The neighbours that are served by folder: those named, else those without a server.
    fn peers(&self) -> Vec<NodeId> {
        let (replica, config) = (&self.host.replica, &self.host.node.config);
        let serves = |which: Neighbours, reached: bool| match self.config.to.as_slice() {
            [] => !reached,
            named => named.contains(&which),
        };
        let reached = config.above().is_some_and(|above| above.url.is_some());
        let mut peers = Vec::new();
        if serves(Neighbours::Parent, reached) {
            peers.extend(replica.parent());
        }
        if serves(Neighbours::Children, config.server.is_some()) {
            peers.extend(status::children(replica));
        }
        peers
    }
}
