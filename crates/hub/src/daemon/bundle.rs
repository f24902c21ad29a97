//! Bundles through the daemon's machine: their messages come as a courier's would.

use super::engine::Engine;
use super::run::DaemonError;
use crate::bundle::{Part, Taken};
use hub_core::id::NodeId;
use hub_node::io::{Input, Refusal};
use hub_node::machine::{Machine, PeerStatus};
use hub_node::wire::Message;

/// So many messages are taken before what they brought is stored with one `fdatasync`.
const BATCH: usize = 256;
/// The most bytes kept for a bundle back; the rest is asked for again.
const KEPT_BYTES_MAX: usize = 16 << 20;

impl Engine {
    /// Takes a bundle's messages in and stores what they bring.
    ///
    /// # Errors
    /// Storage failed.
    pub(crate) fn take_part(&mut self, part: Part) -> Result<Taken, DaemonError> {
        let (from, stored) = (part.from, self.stored);
        let before = self.peer(from);
        let (connected, refused, put_off) = before.map_or((false, 0, 0), |peer| {
            (peer.connected, peer.refused as usize, peer.quota.put_off)
        });
        let parent = self.replica.parent() == Some(from);
        if parent && !connected {
            // A receipt is compared with what was shipped, as after any reconnection.
            self.inputs.push_back(Input::Connected { peer: from });
        }
        self.kept = Some((from, Vec::new()));
        for (place, bytes) in part.messages.into_iter().enumerate() {
            // What an ask names must be durable when it is judged.
            if part.asks.contains(&place) || place % BATCH == BATCH - 1 {
                self.settle()?;
            }
            let (channel, delivery) = (part.channel, None);
            self.inputs.push_back(Input::Received { from, channel, bytes, delivery });
            self.work()?;
        }
        self.settle()?;
        if !connected {
            // An ask in a bundle opens no channel.
            self.inputs.push_back(Input::Disconnected { peer: from });
        }
        self.note_carried_receipt();
        self.inputs.push_back(Input::Tick);
        self.settle()?;
        let answers = self.kept.take().map_or_else(Vec::new, |(_, answers)| answers);
        let after = self.peer(from);
        let mut refusals = after.as_ref().map_or_else(Vec::new, |peer| {
            let new = (peer.refused as usize).saturating_sub(refused).min(peer.refusals.len());
            peer.refusals[peer.refusals.len() - new..].to_vec()
        });
        if after.as_ref().is_some_and(|peer| peer.quota.put_off > put_off) {
            refusals.push(Refusal::OverQuota);
        }
        Ok(Taken {
            stored: self.stored - stored,
            cursor: after.as_ref().and_then(|peer| peer.inbound),
            held: after.as_ref().map_or(0, |peer| peer.held.len()),
            refusals,
            answers,
        })
    }

    /// The machine as it stands.
    pub(crate) fn machine_copy(&self) -> Machine {
        self.machine.clone()
    }

    fn peer(&self, id: NodeId) -> Option<PeerStatus> {
        let status = self.machine.status();
        status.parent.into_iter().chain(status.below).find(|peer| peer.node == id)
    }

    /// A receipt that came in a file was stated some time ago: it shows a clock that stands before it,
    /// never one that stands behind.
    fn note_carried_receipt(&mut self) {
        let Some(receipt) = self.machine.status().receipt else { return };
        if receipt.stated_at > self.receipt_at {
            self.receipt_at = receipt.stated_at;
            if receipt.stated_at > self.replica.now() {
                self.replica.heard_parent_clock(receipt.stated_at);
            }
        }
    }

    /// Keeps for the next bundle back what no export would say by itself.
    pub(super) fn keep_for_bundle(&mut self, to: NodeId, bytes: &[u8]) {
        if self.kept.is_none() {
            return;
        }
        let federation = self.replica.who().federation;
        let Some((peer, kept)) = &mut self.kept else { return };
        let size: usize = kept.iter().map(Vec::len).sum();
        if *peer != to || size + bytes.len() > KEPT_BYTES_MAX {
            return;
        }
        let message = Message::decode(bytes, federation);
        if matches!(message, Ok(Message::Loose(_) | Message::Want(_) | Message::Ahead(_))) {
            kept.push(bytes.to_vec());
        }
    }
}
