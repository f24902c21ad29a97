//! Receipts, given and taken.

use super::Machine;
use super::outbound::Ack;
use crate::io::{Channel, Context, Event, Scope};
use crate::limits::{STRAGGLER_MILLIS, WATERMARK_MILLIS, WATERMARKS_MAX};
use crate::wire::{Message, Receipt, Watermark};
use hub_core::id::NodeId;
use hub_core::time::Millis;

impl Machine {
    /// What our ancestors hold of our own stream, nearest first.
    fn own_watermarks(&self) -> Vec<Watermark> {
        let parent = self.parent.and_then(|id| self.peers.get(&id));
        let Some((receipt, _)) = parent.and_then(|peer| peer.received.as_ref()) else {
            return Vec::new();
        };
        let acked = parent.and_then(|peer| peer.outbound.as_ref()).map(|out| out.acked());
        // A receipt of a stream that began anew since says nothing of the new one.
        if acked.is_none_or(|acked| acked.stream != receipt.cursor.stream) {
            return Vec::new();
        }
        let nearest = Watermark {
            ancestor: receipt.receiver,
            position: receipt.cursor.position,
            durable_at: receipt.durable_at,
        };
        let further = receipt.watermarks.iter().copied();
        std::iter::once(nearest).chain(further).take(WATERMARKS_MAX).collect()
    }

    /// Sends the receipts that are due: at once where a position moved or a child asked, now and then
    /// where only ancestors have news.
    pub(super) fn send_receipts(&mut self, now: Millis, context: &dyn Context) {
        let Some(start) = &self.start else { return };
        let (federation, node, epoch) = (start.federation, start.node, start.epoch);
        let ours = self.own_watermarks();
        let parent = self.parent;
        let mut receipts = Vec::new();
        for (id, peer) in &mut self.peers {
            if Some(*id) == parent {
                continue;
            }
            let Some(inbound) = &peer.inbound else { continue };
            let slow = now >= peer.receipt.told_at.saturating_add(WATERMARK_MILLIS);
            if !peer.receipt.due && !slow {
                continue;
            }
            // Looked at once a while, told or not: there may be a thousand, and this is each step.
            peer.receipt.told_at = now;
            let watermarks = peer.marks.watermarks(&ours);
            if !peer.receipt.due && watermarks == peer.receipt.told {
                continue;
            }
            peer.receipt.due = false;
            peer.receipt.told.clone_from(&watermarks);
            let receipt = Receipt {
                receiver: node,
                receiver_epoch: epoch,
                child: *id,
                cursor: inbound.cursor(),
                durable_at: peer.durable_at,
                stated_at: now,
                watermarks,
                signature: [0; 64],
            };
            receipts.push(receipt.signed(federation, |bytes| context.sign(bytes)));
        }
        for receipt in receipts {
            self.send(receipt.child, Channel::Down, &Message::Receipt(Box::new(receipt)));
        }
    }

    /// A receipt from the parent.
    pub(super) fn receive_receipt(&mut self, now: Millis, receipt: Receipt, context: &dyn Context) {
        let Some(parent) = self.parent else { return };
        let good = receipt.receiver == parent
            && receipt.child == self.node()
            && context
                .key(receipt.receiver, receipt.receiver_epoch)
                .is_some_and(|key| receipt.verify(self.federation(), &key).is_ok());
        if !good {
            return self.report(Event::BadReceipt { from: receipt.receiver });
        }
        let end = self.end;
        let peer = self.peer(parent);
        if let Some((last, at)) = &peer.received
            && receipt.stated_at < last.stated_at
            && now < at.saturating_add(STRAGGLER_MILLIS)
        {
            return;
        }
        let cursor = receipt.cursor;
        peer.received = Some((receipt, now));
        peer.dirty = true;
        let connected = peer.connected;
        let Some(outbound) = &mut peer.outbound else { return };
        let ack = outbound.acknowledge(cursor, end, false, now);
        outbound.active = connected;
        match ack {
            Ack::Fine => {}
            Ack::Back { from, to } => self.report(Event::ReceiptWentBack { from, to }),
            Ack::Restarted | Ack::Ahead => self.report(Event::StreamRestarted { peer: parent }),
        }
    }

    /// Whether all we have to ship is receipted.
    pub(super) fn is_settled(&self) -> bool {
        let parent = self.parent.and_then(|id| self.peers.get(&id));
        parent.and_then(|peer| peer.outbound.as_ref()).is_some_and(|out| out.is_settled(self.end))
    }

    /// What a peer may have of our stream.
    pub(super) fn scope_of(&self, id: NodeId, context: &dyn Context) -> Option<Scope> {
        if Some(id) == self.parent { None } else { context.scope(id) }
    }
}
