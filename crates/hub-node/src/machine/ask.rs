//! Asks: a child tells how far it got; the parent goes on from there.

use super::Machine;
use super::outbound::{Ack, Outbound};
use crate::io::{Context, Event};
use crate::limits::{
    ASK_BYTES, ASK_JITTER_MILLIS, ASK_MILLIS, ASKS_PER_FRONTIER, COMPARE_AGAIN_MILLIS,
    IN_FLIGHT_DOWN_BYTES_MAX, RESEND_MILLIS,
};
use crate::wire::{Ask, Cursor, Message};
use hub_core::hash::sha256;
use hub_core::id::{ChainId, NodeId};
use hub_core::time::Millis;

/// When to ask next, and how far the comparison of frontiers is.
#[derive(Debug, Clone, Default)]
pub(super) struct Asking {
    next_at: Millis,
    asked: u32,
    /// Received from above since the last ask.
    bytes: usize,
    /// Whether a comparison is under way, and from which chain on.
    pub(super) comparing: bool,
    pub(super) compared_to: Option<ChainId>,
    /// When the last comparison began, and whether the tree may have changed since: then lanes may concern us
    /// that did not.
    compared_at: Millis,
    tree_changed: bool,
    /// Whether all chains were told since the start.
    pub(super) compared_whole: bool,
    /// Whether this comparison found the parent ahead.
    pub(super) parent_ahead: bool,
    /// Whether a comparison since the start found the parent not ahead.
    pub(super) compared: bool,
}

impl Asking {
    pub(super) fn begin(&mut self, now: Millis) {
        *self = Self { next_at: now, ..Self::default() };
    }

    pub(super) fn count_down(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    pub(super) fn note_tree(&mut self) {
        self.tree_changed = true;
    }

    /// Begins a comparison if one is due: now and then, and soon after a change of the tree.
    fn compare_if_due(&mut self, now: Millis) {
        let rested = now >= self.compared_at.saturating_add(COMPARE_AGAIN_MILLIS);
        let due = self.asked.is_multiple_of(ASKS_PER_FRONTIER) || (self.tree_changed && rested);
        if self.comparing || !due {
            return;
        }
        self.comparing = true;
        self.compared_to = None;
        self.parent_ahead = false;
        self.compared_at = now;
        self.tree_changed = false;
    }
}

impl Machine {
    /// Less than [`ASK_JITTER_MILLIS`], another each time and on each node.
    fn jitter(&self) -> Millis {
        let seed = self.start.as_ref().map_or(0, |start| start.seed);
        let drawn = sha256(&[&seed.to_be_bytes(), &self.asking.asked.to_be_bytes()]);
        let [high, low, ..] = drawn.0;
        u64::from(u16::from_be_bytes([high, low])) % ASK_JITTER_MILLIS
    }

    pub(super) fn ask_soon(&mut self, now: Millis) {
        self.asking.next_at = self.asking.next_at.min(now + self.jitter() / 4);
    }

    pub(super) fn ask_if_due(&mut self, now: Millis, context: &dyn Context) {
        let connected =
            self.parent.and_then(|id| self.peers.get(&id)).is_some_and(|peer| peer.connected);
        if connected && now >= self.asking.next_at {
            self.ask_now(now, context);
        }
    }

    /// Much came from above: the parent waits for word of it.
    pub(super) fn ask_after_progress(&mut self, now: Millis, context: &dyn Context) {
        if self.asking.bytes >= ASK_BYTES {
            self.ask_now(now, context);
        }
    }

    pub(super) fn ask_now(&mut self, now: Millis, context: &dyn Context) {
        let (Some(parent), Some(stream)) = (self.parent, self.own_stream()) else { return };
        let settled = self.is_settled();
        self.asking.compare_if_due(now);
        let frontier = self.asking.comparing.then(|| self.next_frontier_page(context));
        let peer = self.peer(parent);
        let down = peer.inbound.as_ref().map(|inbound| inbound.cursor());
        let up = peer.outbound.as_ref().map_or(Cursor::start(stream), |out| out.acked());
        let more = self.asking.comparing;
        self.asking.bytes = 0;
        self.asking.asked = self.asking.asked.wrapping_add(1);
        let pause = if more { 0 } else { ASK_MILLIS };
        self.asking.next_at = now + pause + self.jitter();
        self.send_ask(parent, &Message::Ask(Box::new(Ask { down, up, settled, frontier })));
    }

    /// Asks with the whole frontier, page by page, as if each page were answered at once.
    pub(super) fn ask_wholly(&mut self, now: Millis, context: &dyn Context) {
        self.asking.begin(now);
        loop {
            self.ask_now(now, context);
            if !self.asking.comparing {
                break;
            }
        }
    }

    /// A child or follower asks.
    pub(super) fn receive_ask(
        &mut self,
        now: Millis,
        from: NodeId,
        ask: &Ask,
        context: &dyn Context,
    ) {
        let Some(stream) = self.own_stream() else { return };
        let (end, over) = (self.end, self.is_over_quota(now, from));
        let peer = self.peer(from);
        if !peer.paces.may_ask(now) {
            return;
        }
        peer.connected = true;
        // A child we know no stream of is told so: nothing of this one is here.
        let inbound = peer
            .inbound
            .get_or_insert_with(|| super::inbound::Inbound::new(Cursor::start(ask.up.stream)));
        let level = inbound.cursor() == ask.up;
        peer.receipt.due = true;
        let fresh = Cursor::start(stream);
        let outbound = peer
            .outbound
            .get_or_insert_with(|| Outbound::new(fresh, IN_FLIGHT_DOWN_BYTES_MAX, now));
        let before = outbound.acked();
        let ack = match ask.down {
            Some(cursor) => outbound.acknowledge(cursor, end, true, now),
            None if outbound.acked().position > 0 => outbound.acknowledge(fresh, end, true, now),
            None => Ack::Fine,
        };
        outbound.active = true;
        peer.dirty |= outbound.acked() != before;
        let pass = if outbound.is_sent(end) { outbound.pass() } else { None };
        // A stalled stream cannot bring what it waits for; the comparison can.
        let down = outbound.is_settled(end) || outbound.is_stalled(now, RESEND_MILLIS);
        let passed = outbound.acked().position;
        if ack == Ack::Restarted {
            self.report(Event::StreamRestarted { peer: from });
        }
        if let Some(message) = pass {
            self.send_blocks(from, &message, 0);
        }
        if let Some(frontier) = &ask.frontier
            && self.peer(from).paces.may_compare(now)
        {
            let ends = super::frontier::Ends { up: ask.settled && level && !over, down, passed };
            self.compare_frontier(from, frontier, ends, context);
        }
    }
}
