//! The loop's hands: tells the sync machine what happens and does what it says.

use super::daily::Daily;
use super::read;
use super::renewal::Renewals;
use super::run::DaemonError;
use crate::config::Node;
use crate::host::DaemonRequest;
use crate::nats::{Ack, Channel, Incoming, Link, LinkEvent, LinkHandle, Outgoing};
use crate::replica::{LocalPosition, Replica, SigningRefused};
use crate::status::{self, StatusSnapshot};
use hub_core::fact::governance::ChainHeight;
use hub_core::id::NodeId;
use hub_core::time::Millis;
use hub_node::io::{Event, Input, Output, StoredBlock, Storing};
use hub_node::machine::Machine;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// For so many ticks a delivery is kept that is neither acknowledged nor rejected.
const DELIVERY_TICKS: u64 = 10;

/// The machine, its links, and what is under way between them.
pub(crate) struct Engine {
    node: Node,
    pub(super) replica: Arc<Replica>,
    pub(super) machine: Machine,
    parent: Option<LinkHandle>,
    children: Option<LinkHandle>,
    /// Whether the server for the children is there.
    serving: bool,
    /// The children the machine was told are connected.
    told: BTreeSet<NodeId>,
    /// What the server waits to hear of, and when it came, in ticks.
    deliveries: BTreeMap<u64, (Ack, u64)>,
    next_delivery: u64,
    /// Those not yet looked at to the end.
    fresh: Vec<u64>,
    ticks: u64,
    pub(super) inputs: VecDeque<Input>,
    storing: Vec<Storing>,
    tree_version: u64,
    pub(super) receipt_at: Millis,
    /// What is kept for a bundle back while one is taken in, and for whom.
    pub(super) kept: Option<(NodeId, Vec<Vec<u8>>)>,
    /// Counts blocks made durable.
    pub(super) stored: u64,
    head_copy_at: LocalPosition,
    dropped: u64,
    daily: Daily,
    renewals: Renewals,
    /// The parent's word could not be judged: its enrolment may not have come yet.
    parent_unheard: bool,
}

impl Engine {
    pub(crate) fn new(
        node: Node,
        replica: Arc<Replica>,
        parent: Option<LinkHandle>,
        children: Option<LinkHandle>,
    ) -> Result<Self, DaemonError> {
        let start = status::start(&replica)?;
        let tree_version = replica.tree_version();
        if parent.is_some() {
            replica.expect_comparison();
        }
        let daily = Daily::new(&replica);
        let mut engine = Self {
            node,
            replica,
            machine: Machine::new(),
            parent,
            children,
            serving: false,
            told: BTreeSet::new(),
            deliveries: BTreeMap::new(),
            next_delivery: 0,
            fresh: Vec::new(),
            ticks: 0,
            inputs: VecDeque::from([Input::Start(Box::new(start))]),
            storing: Vec::new(),
            tree_version,
            receipt_at: 0,
            kept: None,
            stored: 0,
            head_copy_at: LocalPosition::START,
            dropped: 0,
            daily,
            renewals: Renewals::default(),
            parent_unheard: false,
        };
        engine.settle()?;
        Ok(engine)
    }

    /// Own blocks are durable up to here.
    pub(super) fn own_blocks(&mut self, end: LocalPosition) -> Result<(), DaemonError> {
        self.inputs.push_back(Input::LocalAppended { up_to: end.0 });
        self.note_tree();
        self.settle()
    }

    /// Time has passed.
    pub(super) fn tick(&mut self) -> Result<(), DaemonError> {
        if let Some(cause) = self.replica.journal().stopped() {
            return Err(DaemonError::Storage(cause.to_owned()));
        }
        self.ticks += 1;
        // The server has delivered these again: the machine goes by the newest delivery of a block.
        let oldest = self.ticks.saturating_sub(DELIVERY_TICKS);
        self.deliveries.retain(|_, (_, came)| *came >= oldest);
        self.inputs.push_back(Input::Tick);
        self.settle()?;
        self.note_receipt();
        self.daily.tick(self.ticks, &self.replica);
        self.renewals.tick(&self.replica);
        let end = self.replica.last_own();
        if end != self.head_copy_at {
            self.head_copy_at = end;
            if let Err(error) = self.replica.save_head_copy() {
                tracing::warn!(%error, "the copy of the heads was not written");
            }
        }
        if self.dropped > 0 {
            tracing::debug!(
                messages = self.dropped,
                "a link was too slow; they will be sent again"
            );
            self.dropped = 0;
        }
        Ok(())
    }

    /// Answers a command.
    pub(super) fn answer(&mut self, request: DaemonRequest) -> Result<(), DaemonError> {
        // A command that went away needs no answer.
        match request {
            DaemonRequest::Status(reply) => {
                let status = self.machine.status();
                let snapshot = StatusSnapshot::of(&self.node, &self.replica, &status, true);
                let _ = reply.send(snapshot);
            }
            DaemonRequest::Machine(reply) => {
                let _ = reply.send(Box::new(self.machine.clone()));
            }
            DaemonRequest::Bundle(part, reply) => {
                let _ = reply.send(self.take_part(part)?);
            }
        }
        Ok(())
    }

    /// Takes what a link says; blocks it brings wait for [`Engine::store`].
    pub(super) fn link(&mut self, link: Link, event: LinkEvent) -> Result<(), DaemonError> {
        match event {
            LinkEvent::Connected => {
                tracing::info!(?link, "connected");
                self.connection(link, true);
            }
            LinkEvent::Disconnected => {
                tracing::info!(?link, "disconnected");
                self.connection(link, false);
            }
            LinkEvent::Wiped { evidence } => {
                tracing::warn!(?link, evidence, "the server forgot what was under way: sent again");
                self.connection(link, false);
                self.connection(link, true);
            }
            LinkEvent::Denied { reason } => {
                tracing::warn!(?link, reason, "the server refuses something");
            }
            LinkEvent::Received(incoming) => self.received(incoming),
        }
        self.work()
    }

    /// Stores what waits, and goes on with what follows from it.
    pub(super) fn store(&mut self) -> Result<(), DaemonError> {
        self.settle()?;
        for delivery in std::mem::take(&mut self.fresh) {
            if let Some((ack, _)) = self.deliveries.get_mut(&delivery) {
                ack.taken_in();
            }
        }
        Ok(())
    }

    pub(super) async fn stop(self) {
        for link in [self.parent, self.children].into_iter().flatten() {
            link.stop().await;
        }
    }

    fn connection(&mut self, link: Link, connected: bool) {
        let said = |peer| {
            if connected { Input::Connected { peer } } else { Input::Disconnected { peer } }
        };
        match link {
            Link::Parent => self.inputs.extend(self.replica.parent().map(said)),
            Link::Children => {
                self.serving = connected;
                if connected {
                    self.tell_children();
                } else {
                    self.inputs.extend(std::mem::take(&mut self.told).into_iter().map(said));
                }
            }
        }
    }

    /// Tells the machine of children it was not told of: new ones, or all once the server is there.
    fn tell_children(&mut self) {
        for peer in status::hearers(&self.replica) {
            if self.told.insert(peer) {
                self.inputs.push_back(Input::Connected { peer });
            }
        }
    }

    fn received(&mut self, incoming: Incoming) {
        let delivery = incoming.ack.map(|ack| {
            self.next_delivery += 1;
            self.deliveries.insert(self.next_delivery, (ack, self.ticks));
            self.fresh.push(self.next_delivery);
            self.next_delivery
        });
        self.inputs.push_back(Input::Received {
            from: incoming.from,
            channel: incoming.channel,
            bytes: incoming.bytes,
            delivery,
        });
    }

    /// Works until nothing follows any more.
    pub(super) fn settle(&mut self) -> Result<(), DaemonError> {
        loop {
            self.work()?;
            if self.storing.is_empty() {
                return Ok(());
            }
            self.append()?;
        }
    }

    /// Steps the machine through all inputs.
    pub(super) fn work(&mut self) -> Result<(), DaemonError> {
        while let Some(input) = self.inputs.pop_front() {
            let outputs = {
                let lookup = self.replica.lookup();
                self.machine.step(self.replica.now(), input, &lookup)
            };
            for output in outputs {
                self.carry_out(output)?;
            }
        }
        Ok(())
    }

    /// Makes all blocks that wait durable with one `fdatasync`, then says so.
    fn append(&mut self) -> Result<(), DaemonError> {
        let storing = std::mem::take(&mut self.storing);
        let hashes: Vec<_> = storing.iter().map(|storing| storing.block.hash()).collect();
        let positions = self
            .replica
            .ingest(storing)
            .map_err(|error| DaemonError::Storage(error.to_string()))?;
        self.stored += hashes.len() as u64;
        let stored = hashes.into_iter().zip(positions);
        let stored = stored.map(|(hash, at)| StoredBlock { hash, position: at.0 });
        self.inputs.push_back(Input::Stored(stored.collect()));
        self.note_tree();
        Ok(())
    }

    /// Tells the machine when enrolments or the tree may have changed.
    fn note_tree(&mut self) {
        let found = self.replica.tree_version();
        if std::mem::replace(&mut self.tree_version, found) != found {
            self.inputs.push_back(Input::ViewAdvanced);
            if std::mem::take(&mut self.parent_unheard) {
                // The enrolment may be here now: ask for what could not be judged, at once.
                self.connection(Link::Parent, false);
                self.connection(Link::Parent, true);
            }
            if self.serving {
                self.tell_children();
            }
        }
    }

    fn carry_out(&mut self, output: Output) -> Result<(), DaemonError> {
        match output {
            Output::Store(blocks) => self.storing.extend(blocks),
            Output::Send { to, channel, bytes, message_id } => {
                self.keep_for_bundle(to, &bytes);
                let message_id = (channel == Channel::Up).then(|| message_id.to_string());
                self.send(Outgoing { to, channel, bytes, message_id });
            }
            Output::Acknowledge { delivery } => {
                if let Some((ack, _)) = self.deliveries.remove(&delivery) {
                    ack.settled();
                }
            }
            Output::Reject { delivery, refusal } => {
                tracing::debug!(%refusal, "a delivery was refused");
                if let Some((ack, _)) = self.deliveries.remove(&delivery) {
                    ack.settled();
                }
            }
            Output::ReadJournal { reader, after, max_bytes } => {
                let input = read::journal(&self.replica, reader, after, max_bytes);
                self.inputs.push_back(input);
            }
            Output::ReadBlocks { request, ranges, max_bytes } => {
                let blocks = read::blocks(&self.replica, &ranges, max_bytes);
                self.inputs.push_back(Input::BlocksRead { request, blocks });
            }
            Output::Remember(memory) => {
                if let Err(error) = self.replica.remember(&memory) {
                    tracing::warn!(%error, "a record of a peer was not kept");
                }
            }
            Output::EnrolmentRequested { from, .. } => {
                tracing::info!(%from, "a node asks to be enrolled; by file: hub enrol approve");
            }
            Output::EnrolmentAnswered { from, .. } => {
                tracing::info!(%from, "the parent answered a request to be enrolled");
            }
            Output::Report(event) => self.report(event),
        }
        Ok(())
    }

    fn send(&mut self, message: Outgoing) {
        let link = match message.channel {
            Channel::Up | Channel::Ask => &self.parent,
            Channel::Down => &self.children,
        };
        let sent = link.as_ref().is_some_and(|link| link.send(message));
        self.dropped += u64::from(!sent);
    }

    fn report(&mut self, event: Event) {
        match event {
            Event::ParentAhead { heads } => {
                self.forbid_signing(&heads);
                self.replica.note_comparison();
            }
            Event::ComparedWithParent => {
                self.replica.note_comparison();
                tracing::info!("the parent holds nothing of ours that we lack");
            }
            Event::BadReceipt { from } if Some(from) == self.replica.parent() => {
                tracing::info!(%from, "a receipt of the parent cannot be judged yet");
                self.parent_unheard = true;
            }
            Event::StreamRestarted { peer } => tracing::info!(%peer, "a stream begins anew"),
            other => tracing::warn!(event = ?other, "sync"),
        }
    }

    fn forbid_signing(&self, heads: &[ChainHeight]) {
        for head in heads {
            // a side that is here is a fork that is known here, and judged as such
            let here = self.replica.journal().block_of(&head.chain, head.height, &head.hash);
            if matches!(here, Ok(Some(_))) {
                continue;
            }
            let found = self.replica.journal().head(&head.chain).map_or(0, |head| head.height);
            let (chain, expected) = (head.chain, head.height);
            let refused = SigningRefused::Behind { chain, expected, found, known_by: "the parent" };
            tracing::error!(%refused, "this node does not sign");
            self.replica.forbid_signing(refused);
        }
    }

    /// A receipt just heard shows the parent's clock.
    fn note_receipt(&mut self) {
        let Some(receipt) = self.machine.status().receipt else { return };
        if receipt.stated_at > self.receipt_at {
            // The first one may be remembered from before the start: it says nothing about now.
            if self.receipt_at > 0 {
                self.replica.heard_parent_clock(receipt.stated_at);
            }
            self.receipt_at = receipt.stated_at;
        }
    }
}
