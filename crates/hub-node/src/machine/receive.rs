//! Messages: who may send what on which channel, and where each goes.

use super::Machine;
use super::accept::Place;
use super::inbound::Inbound;
use crate::io::{Channel, Context, Output, Position, Refusal, Scope};
use crate::limits::RESTART_AGAIN_MILLIS;
use crate::wire::{Cursor, Message, References, Ship, StreamId};
use hub_core::hash::Hash;
use hub_core::id::NodeId;
use hub_core::time::Millis;
use std::collections::BTreeSet;

/// What a sender is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Parent,
    Below(Scope),
    Stranger,
}

impl Machine {
    pub(super) fn receive(
        &mut self,
        now: Millis,
        from: NodeId,
        channel: Channel,
        bytes: &[u8],
        delivery: Option<u64>,
        context: &dyn Context,
    ) {
        let message = match Message::decode(bytes, self.federation()) {
            Ok(message) => message,
            Err(error) => return self.refuse(from, delivery, Refusal::Garbage(error)),
        };
        let role = if Some(from) == self.parent {
            Role::Parent
        } else {
            context.scope(from).map_or(Role::Stranger, Role::Below)
        };
        let fits = match (role, channel) {
            (Role::Parent, Channel::Down) | (Role::Below(_), Channel::Up | Channel::Ask) => {
                self.has_room_for(from)
            }
            // A node not yet enrolled, and the one that enrols it, are strangers to each other.
            (_, Channel::Ask) => matches!(message, Message::EnrolRequest(_)),
            (_, Channel::Down) => matches!(message, Message::EnrolAnswer(_)),
            _ => false,
        };
        if !fits {
            return self.refuse(from, delivery, Refusal::Stranger);
        }
        if role != Role::Stranger {
            self.peer(from).heard_at = now;
        }
        let parent = role == Role::Parent;
        match message {
            Message::Ship(ship) => return self.receive_ship(now, from, ship, delivery, context),
            Message::Loose(block) => {
                return self.receive_loose(now, from, block, delivery, context);
            }
            Message::References(references) => {
                self.receive_references(now, from, &references, context);
            }
            Message::Want(ranges) => self.receive_want(now, from, &ranges, context),
            Message::Receipt(receipt) if parent => self.receive_receipt(now, *receipt, context),
            Message::WakeUp if parent => self.ask_soon(now),
            Message::Ahead(heads) if parent => self.receive_ahead(heads, context),
            Message::Ask(ask) if !parent => self.receive_ask(now, from, &ask, context),
            Message::EnrolRequest(request) => self.receive_request(from, request),
            Message::EnrolAnswer(answer) => {
                self.out.push(Output::EnrolmentAnswered { from, answer });
            }
            Message::Receipt(_) | Message::WakeUp | Message::Ahead(_) | Message::Ask(_) => {
                return self.refuse(from, delivery, Refusal::Stranger);
            }
        }
        self.acknowledge_delivery(delivery);
    }

    fn receive_request(&mut self, from: NodeId, request: Box<crate::wire::EnrolRequest>) {
        match request.verify(self.federation()) {
            Ok(()) => self.out.push(Output::EnrolmentRequested { from, request }),
            Err(error) => self.refuse(from, None, Refusal::Block(error)),
        }
    }

    fn receive_ship(
        &mut self,
        now: Millis,
        from: NodeId,
        ship: Ship,
        delivery: Option<u64>,
        context: &dyn Context,
    ) {
        let hash = ship.block.hash();
        // A block is awaited first and judged then: what is in hand already counts for this stream too.
        let noted = self.note_step(now, from, ship.stream, ship.after, ship.position, Some(hash));
        let (chain, height) = (ship.block.header().chain, ship.block.header().height);
        match self.accept(now, from, ship.block, delivery, context) {
            Place::Durable => {
                self.note_durable(&hash);
                self.advance_streams(now);
            }
            // from here on it is one that was named and is asked for, once there is room
            Place::WithSender if noted => {
                if let Some(inbound) = &mut self.peer(from).inbound {
                    inbound.want(&hash, chain, height);
                }
            }
            Place::WithSender => {}
            Place::Here => {
                let held = self.peer(from).held.contains(chain, height, hash);
                if noted && !held && !self.storing.contains_key(&hash) {
                    self.await_no_more(from, &hash);
                }
            }
        }
    }

    fn receive_loose(
        &mut self,
        now: Millis,
        from: NodeId,
        block: hub_core::block::Block,
        delivery: Option<u64>,
        context: &dyn Context,
    ) {
        let hash = block.hash();
        if self.accept(now, from, block, delivery, context) == Place::Durable {
            self.note_durable(&hash);
            self.advance_streams(now);
        }
    }

    fn receive_references(
        &mut self,
        now: Millis,
        from: NodeId,
        references: &References,
        context: &dyn Context,
    ) {
        if !self.begin_stream(now, from, references.stream, references.after) {
            return;
        }
        let mut after = references.after;
        for reference in &references.blocks {
            let (block, end) = (reference.block, reference.position);
            let there = context.known(&block.chain, block.height) == Some(block.hash);
            let done = there || context.beside(&block.chain, block.height, &block.hash);
            let wanted = Some((block.chain, block.height));
            if let Some(inbound) = &mut self.peer(from).inbound
                && inbound.note(after, end, Some(block.hash), done, wanted)
                && !done
            {
                self.awaiting.entry(block.hash).or_default().insert(from);
            }
            after = end;
        }
        if let Some(inbound) = &mut self.peer(from).inbound
            && references.end > after
        {
            inbound.note(after, references.end, None, true, None);
        }
        self.forget_displaced(from);
        self.advance_streams_of(now, &BTreeSet::from([from]));
        self.want_referenced(now, from);
    }

    /// Whether messages of this stream move the peer's inbound stream; begins it anew when they must.
    fn begin_stream(
        &mut self,
        now: Millis,
        from: NodeId,
        stream: StreamId,
        after: Position,
    ) -> bool {
        let peer = self.peer(from);
        let rests = now < peer.restarted_at.saturating_add(RESTART_AGAIN_MILLIS);
        match &peer.inbound {
            Some(inbound) if inbound.cursor().stream == stream => return true,
            Some(inbound) if rests || !inbound.is_restarted_by(stream, after) => return false,
            _ => {}
        }
        let known = peer.inbound.is_some();
        if known {
            peer.restarted_at = now;
        }
        self.drop_inbound(from);
        self.peer(from).inbound = Some(Inbound::new(Cursor::start(stream)));
        if known {
            self.report(crate::io::Event::StreamRestarted { peer: from });
        }
        true
    }

    pub(super) fn drop_inbound(&mut self, from: NodeId) {
        let Some(inbound) = self.peer(from).inbound.take() else { return };
        for hash in inbound.awaited() {
            self.forget_awaited(from, hash);
        }
        let peer = self.peer(from);
        peer.marks.clear();
        peer.dirty = true;
    }

    fn note_step(
        &mut self,
        now: Millis,
        from: NodeId,
        stream: StreamId,
        after: Position,
        end: Position,
        block: Option<Hash>,
    ) -> bool {
        if !self.begin_stream(now, from, stream, after) {
            return false;
        }
        let Some(inbound) = &mut self.peer(from).inbound else { return false };
        let noted = inbound.note(after, end, block, false, None);
        if let (true, Some(hash)) = (noted, block) {
            self.awaiting.entry(hash).or_default().insert(from);
        }
        self.forget_displaced(from);
        noted
    }

    /// What a stream awaits no more waits nowhere: else a peer could have us remember without end.
    fn forget_displaced(&mut self, from: NodeId) {
        let inbound = self.peers.get_mut(&from).and_then(|peer| peer.inbound.as_mut());
        for hash in inbound.map_or_else(Vec::new, Inbound::displaced) {
            self.forget_awaited(from, &hash);
        }
    }

    fn forget_awaited(&mut self, from: NodeId, hash: &Hash) {
        if let Some(peers) = self.awaiting.get_mut(hash) {
            peers.remove(&from);
            if peers.is_empty() {
                self.awaiting.remove(hash);
            }
        }
    }

    fn await_no_more(&mut self, from: NodeId, hash: &Hash) {
        if let Some(inbound) = &mut self.peer(from).inbound {
            inbound.drop_step(hash);
        }
        self.forget_awaited(from, hash);
    }

    /// A block is durable: every stream that awaits it may move.
    pub(super) fn note_durable(&mut self, hash: &Hash) {
        for id in self.awaiting.remove(hash).unwrap_or_default() {
            if let Some(inbound) = self.peers.get_mut(&id).and_then(|peer| peer.inbound.as_mut()) {
                inbound.done(hash);
            }
            self.moving.insert(id);
        }
    }

    pub(super) fn advance_streams(&mut self, now: Millis) {
        let moving = std::mem::take(&mut self.moving);
        self.advance_streams_of(now, &moving);
    }

    fn advance_streams_of(&mut self, now: Millis, ids: &BTreeSet<NodeId>) {
        let (end, parent) = (self.end, self.parent);
        for id in ids {
            let Some(peer) = self.peers.get_mut(id) else { continue };
            let Some(inbound) = &mut peer.inbound else { continue };
            if inbound.advance() {
                let position = inbound.cursor().position;
                peer.durable_at = now;
                peer.dirty = true;
                if Some(*id) != parent {
                    peer.receipt.due = true;
                    peer.marks.note(position, end);
                }
            }
            self.forget_displaced(*id);
        }
    }
}
