//! The sync machine: inputs in, outputs out (DESIGN §10).
//!
//! Invariants:
//! - S1 A receipt names only what [`Input::Stored`] said is durable, without a hole before it.
//! - S2 A block is stored only if its signature is by a key an enrolment names and it follows its chain; one
//!   whose key signed another for its place, and what follows it, is stored beside it.
//! - S3 What is stored is handed on as it came, whatever its body holds.
//! - S4 Any message may be lost, doubled, late or out of order; none is trusted beyond its signature.
//! - S5 Everything kept of a peer is bounded by [`crate::limits`]; one peer's bounds are its own.
//! - S6 What a child brings is stored within its quota; beyond, nothing of it is stored, held, asked for or
//!   receipted, and nothing is lost: it stays with the child until there is room.
//! - S7 Outputs depend on inputs, the time told and [`Context`] only.

mod accept;
mod ask;
mod batch;
mod bucket;
mod frontier;
mod held;
mod inbound;
mod marks;
mod memory;
mod outbound;
mod pace;
mod parcel;
mod peer;
mod quota;
mod receipt;
mod receive;
mod ship;
mod status;
mod want;

pub use status::{HeldStatus, PeerStatus, QuotaStatus, Status};

use crate::io::{Channel, Context, Event, Input, Output, Position, Start};
use crate::limits::PEERS_MAX;
use crate::wire::{Message, message_id};
use ask::Asking;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, FederationId, NodeId};
use hub_core::time::Millis;
use peer::Peer;
use std::collections::{BTreeMap, BTreeSet};

/// One replica's sync.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    start: Option<Box<Start>>,
    /// The position of the journal's last durable block.
    end: Position,
    parent: Option<NodeId>,
    peers: BTreeMap<NodeId, Peer>,
    /// Blocks handed out to be stored and not yet durable.
    storing: BTreeMap<Hash, InHand>,
    /// The same by place.
    storing_at: BTreeMap<(ChainId, u64), Hash>,
    /// Where chains with blocks in hand will stand.
    heads: BTreeMap<ChainId, ChainHead>,
    /// Which peers' streams await which block.
    awaiting: BTreeMap<Hash, BTreeSet<NodeId>>,
    /// Peers whose streams may move.
    moving: BTreeSet<NodeId>,
    asking: Asking,
    reading: BTreeSet<Position>,
    requests: BTreeMap<u64, NodeId>,
    next_request: u64,
    out: Vec<Output>,
}

/// A block on its way to the disk.
#[derive(Debug, Clone)]
struct InHand {
    block: Block,
    from: NodeId,
    deliveries: Vec<u64>,
}

impl Machine {
    /// A machine that waits for [`Input::Start`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one input at `now` and says what to do, in order. Before [`Input::Start`] all else is
    /// ignored.
    pub fn step(&mut self, now: Millis, input: Input, context: &dyn Context) -> Vec<Output> {
        if let Input::Start(start) = input {
            self.begin(now, start);
        } else if self.start.is_some() {
            self.take(now, input, context);
        }
        self.read_on();
        self.send_receipts(now, context);
        std::mem::take(&mut self.out)
    }

    fn take(&mut self, now: Millis, input: Input, context: &dyn Context) {
        match input {
            Input::Start(_) => {}
            Input::Tick => self.tick(now, context),
            Input::Received { from, channel, bytes, delivery } => {
                self.receive(now, from, channel, &bytes, delivery, context);
            }
            Input::Stored(blocks) => self.stored(now, &blocks, context),
            Input::LocalAppended { up_to } => self.end = self.end.max(up_to),
            Input::JournalRead { after, blocks, end, .. } => {
                self.journal_read(now, after, &blocks, end, context);
            }
            Input::BlocksRead { request, blocks } => {
                self.blocks_read(now, request, blocks, context);
            }
            Input::Connected { peer } => self.connected(now, peer, context),
            Input::Disconnected { peer } => self.disconnected(peer),
            Input::ViewAdvanced => {
                self.asking.note_tree();
                self.release_known_keys(now, context);
            }
            Input::ParentChanged { parent } => self.change_parent(now, parent),
            Input::RequestEnrolment { parent, request } => {
                self.send(parent, Channel::Ask, &Message::EnrolRequest(request));
            }
            Input::AnswerEnrolment { child, answer } => {
                self.send(child, Channel::Down, &Message::EnrolAnswer(answer));
            }
        }
    }

    fn tick(&mut self, now: Millis, context: &dyn Context) {
        self.release_at_the_door(now, context);
        self.resend_stalled(now);
        self.ask_if_due(now, context);
        self.want_what_lacks(now, context);
        self.remember_changes();
    }

    fn connected(&mut self, now: Millis, id: NodeId, context: &dyn Context) {
        if Some(id) == self.parent {
            self.peer(id).connected = true;
            self.resume_up(now);
            self.ask_now(now, context);
        } else if context.scope(id).is_some() && self.has_room_for(id) {
            self.peer(id).connected = true;
            self.send(id, Channel::Down, &Message::WakeUp);
        }
    }

    fn disconnected(&mut self, id: NodeId) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.connected = false;
            if let Some(outbound) = &mut peer.outbound {
                outbound.active = false;
            }
        }
    }

    fn federation(&self) -> FederationId {
        self.start.as_ref().map_or(FederationId::NIL, |start| start.federation)
    }

    fn node(&self) -> NodeId {
        self.start.as_ref().map_or(NodeId::NIL, |start| start.node)
    }

    /// Who signs here, and in which epoch.
    fn writer(&self) -> (NodeId, u32) {
        self.start.as_ref().map_or((NodeId::NIL, 0), |start| (start.node, start.epoch))
    }

    fn follows(&self) -> bool {
        self.start.as_ref().is_some_and(|start| start.follows)
    }

    fn peer(&mut self, id: NodeId) -> &mut Peer {
        self.peers.entry(id).or_default()
    }

    fn has_room_for(&self, id: NodeId) -> bool {
        self.peers.contains_key(&id) || self.peers.len() < PEERS_MAX
    }

    fn send(&mut self, to: NodeId, channel: Channel, message: &Message) {
        self.send_attempt(to, channel, message, 0);
    }

    fn send_attempt(&mut self, to: NodeId, channel: Channel, message: &Message, attempt: u64) {
        let bytes = message.encode(self.federation());
        let message_id = message_id(&bytes, attempt);
        self.out.push(Output::Send { to, channel, bytes, message_id });
    }

    /// Sends on the channel on which blocks go to this peer.
    fn send_blocks(&mut self, to: NodeId, message: &Message, attempt: u64) {
        let channel = if Some(to) == self.parent { Channel::Up } else { Channel::Down };
        self.send_attempt(to, channel, message, attempt);
    }

    /// Sends what a courier may lose.
    fn send_ask(&mut self, to: NodeId, message: &Message) {
        let channel = if Some(to) == self.parent { Channel::Ask } else { Channel::Down };
        self.send(to, channel, message);
    }

    fn report(&mut self, event: Event) {
        self.out.push(Output::Report(event));
    }
}
