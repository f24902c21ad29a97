//! What goes into a bundle: everything for one peer, as if each message arrived at once.
//!
//! For a copy of the machine that is dropped afterwards: what it assumes, no receiver said.

use super::Machine;
use super::outbound::Outbound;
use crate::io::{Context, Output};
use crate::limits::{IN_FLIGHT_BYTES_MAX, IN_FLIGHT_DOWN_BYTES_MAX};
use crate::wire::{Cursor, StreamId};
use hub_core::id::NodeId;
use hub_core::time::Millis;

impl Machine {
    /// Turns this copy to one peer: its stream goes on from the last acknowledgement, or from `from` if
    /// that is a place of the same stream. Returns where; `None` when the peer is neither our parent nor
    /// below us.
    ///
    /// Then give it any input, answer its reads, take the messages, say [`Machine::assume_arrived`], and so
    /// on until it reads no more; at last [`Machine::close_parcel`].
    pub fn open_parcel(
        &mut self,
        now: Millis,
        peer: NodeId,
        from: Option<Cursor>,
        context: &dyn Context,
    ) -> Option<Cursor> {
        let start = Cursor::start(self.own_stream()?);
        let up = Some(peer) == self.parent;
        let known = if up { !self.follows() } else { context.scope(peer).is_some() };
        if !known || !self.has_room_for(peer) {
            return None;
        }
        for other in self.peers.values_mut() {
            if let Some(outbound) = &mut other.outbound {
                outbound.active = false;
            }
        }
        let end = self.end;
        let peer = self.peer(peer);
        peer.receipt.due = true;
        let most = if up { IN_FLIGHT_BYTES_MAX } else { IN_FLIGHT_DOWN_BYTES_MAX };
        let outbound = peer.outbound.get_or_insert_with(|| Outbound::new(start, most, now));
        if !from.is_some_and(|from| outbound.resume_at(from, end, now)) {
            outbound.rewind(now);
        }
        outbound.active = true;
        Some(outbound.acked())
    }

    /// The stream on which we speak to a peer, or would.
    pub fn outbound_stream(&self, peer: NodeId) -> Option<StreamId> {
        let outbound = self.peers.get(&peer).and_then(|peer| peer.outbound.as_ref());
        outbound.map(|outbound| outbound.acked().stream).or_else(|| self.own_stream())
    }

    /// What was sent to the peer is in the bundle: the next may follow.
    pub fn assume_arrived(&mut self, now: Millis, peer: NodeId) {
        if let Some(outbound) = &mut self.peer(peer).outbound {
            outbound.arrive(now);
        }
    }

    /// The last messages of a bundle: how far the stream goes, and to a parent an ask with all we hold.
    pub fn close_parcel(
        &mut self,
        now: Millis,
        peer: NodeId,
        context: &dyn Context,
    ) -> Vec<Output> {
        if let Some(pass) = self.peer(peer).outbound.as_mut().and_then(Outbound::pass) {
            self.send_blocks(peer, &pass, 0);
        }
        self.assume_arrived(now, peer);
        if Some(peer) == self.parent {
            self.ask_wholly(now, context);
        }
        std::mem::take(&mut self.out)
    }
}
