//! What goes out: bundles are written when there is something to say, and again when nobody confirmed them
//! for long.

use super::place::Place;
use crate::bundle::{BundleFailure, Desk, Order, Shelf, make};
use crate::config::CourierConfig;
use crate::replica::Replica;
use hub_core::hash::{Hash, sha256};
use hub_core::id::{FederationId, NodeId};
use hub_core::time::Millis;
use hub_node::bundle::Packed;
use hub_node::machine::{Machine, Status};
use hub_node::wire::{Ask, Cursor, Message, Receipt};
use std::io;

/// Milliseconds of an hour.
const HOUR_MILLIS: Millis = 3_600_000;

/// The outbox of a courier.
#[derive(Debug)]
pub(super) struct Outbox {
    place: Place,
    bytes_max: usize,
    /// How long to wait for a receipt before the same is written again; never where none can come back.
    resend_after: Option<Millis>,
}

impl Outbox {
    pub(super) fn new(place: Place, config: &CourierConfig) -> Self {
        let resend = Millis::from(config.resend_hours) * HOUR_MILLIS;
        let bytes_max = (config.max_mb as usize).saturating_mul(1 << 20);
        Self { place, bytes_max, resend_after: (!config.one_way).then_some(resend) }
    }

    /// Writes what there is to say to one neighbour.
    pub(super) fn round(
        &self,
        replica: &Replica,
        desk: &Desk,
        shelf: &Shelf,
        peer: NodeId,
    ) -> Result<(), BundleFailure> {
        let machine = desk.machine()?;
        let (sent, voiced) = (shelf.sent(peer)?, shelf.voiced(peer)?);
        let last_at = voiced.map_or(0, |(_, at)| at);
        let overdue = self.is_overdue(&machine, peer, sent, replica.now().saturating_sub(last_at));
        let from = if overdue { None } else { sent };
        let answers = shelf.answers(peer)?;
        let before = (!overdue).then(|| voiced.map(|(voice, _)| voice)).flatten();
        let federation = replica.who().federation;
        let mut voice = Voice { federation, before, said: Hash::ZERO, quiet: Vec::new() };
        let (mut files, mut spoke) = (0_u64, false);
        let order = Order { peer, from, answers, bytes_max: self.bytes_max };
        let mut write = |packed: Packed| -> io::Result<()> {
            let speaks = voice.speaks(&packed);
            spoke = spoke || speaks;
            voice.quiet.push(packed);
            if spoke {
                for packed in voice.quiet.drain(..) {
                    self.place.put(&packed.manifest.file_name(), &packed.bytes)?;
                    files += 1;
                }
            }
            Ok(())
        };
        let made = match make(replica, machine, order, &mut write) {
            // not enrolled yet: nothing can be signed, nothing is to be said
            Err(BundleFailure::NoKey | BundleFailure::Stranger { .. }) => return Ok(()),
            other => other?,
        };
        if spoke {
            shelf.note_sent(peer, &made.ends)?;
            shelf.note_voiced(peer, voice.said, replica.now())?;
            shelf.forget_answers(peer)?;
            tracing::info!(%peer, files, "bundles were written");
        }
        Ok(())
    }

    /// Whether what was written so long ago was never confirmed.
    fn is_overdue(
        &self,
        machine: &Machine,
        peer: NodeId,
        sent: Option<Cursor>,
        since: Millis,
    ) -> bool {
        let (Some(after), Some(sent)) = (self.resend_after, sent) else { return false };
        let acked = acked(&machine.status(), peer);
        let confirmed = acked
            .is_some_and(|acked| acked.stream == sent.stream && acked.position >= sent.position);
        !confirmed && since >= after
    }
}

fn acked(status: &Status, peer: NodeId) -> Option<Cursor> {
    let peers = status.parent.iter().chain(&status.below);
    peers.into_iter().find(|known| known.node == peer)?.outbound
}

/// Tells a bundle that says something from one that only repeats what the last one said.
struct Voice {
    federation: FederationId,
    /// What the last bundle said besides blocks; none when it is to be said again anyway.
    before: Option<Hash>,
    /// What this one says besides blocks.
    said: Hash,
    /// Bundles that say nothing, kept until one does: a stream has no holes.
    quiet: Vec<Packed>,
}

impl Voice {
    fn speaks(&mut self, packed: &Packed) -> bool {
        let Ok(bundle) = hub_node::bundle::decode(&packed.bytes) else { return true };
        let mut speaks = false;
        for bytes in &bundle.messages {
            match Message::decode(bytes, self.federation) {
                Ok(Message::Receipt(receipt)) => self.add(&of_receipt(&receipt)),
                Ok(Message::Ask(ask)) => self.add(&of_ask(&ask, self.federation)),
                // a stream that merely passes what does not concern the neighbour
                Ok(Message::References(references)) => speaks |= !references.blocks.is_empty(),
                _ => speaks = true,
            }
        }
        speaks || self.before != Some(self.said)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.said = sha256(&[&self.said.0, bytes]);
    }
}

/// How far a receipt goes, without when it was said.
fn of_receipt(receipt: &Receipt) -> Vec<u8> {
    let mut bytes = receipt.cursor.hash.0.to_vec();
    bytes.extend(receipt.cursor.position.to_be_bytes());
    for mark in &receipt.watermarks {
        bytes.extend(mark.ancestor.0);
        bytes.extend(mark.position.to_be_bytes());
    }
    bytes
}

/// What an ask tells of what is held here. Its own stream is told by the blocks themselves.
fn of_ask(ask: &Ask, federation: FederationId) -> Vec<u8> {
    let told = Ask { up: Cursor::start(ask.up.stream), down: None, ..ask.clone() };
    Message::Ask(Box::new(told)).encode(federation)
}
