//! One child of the crowd: the real sync machine and the real link to its parent, a journal in memory.

use ed25519_dalek::SigningKey;
use hub::keys::NatsUser;
use hub::nats::{Dial, Link, LinkEvent, Outgoing, ParentSettings, spawn_parent_link};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::{Fact, FactBody, UnitFact};
use hub_core::hash::{Hash, sha256};
use hub_core::id::{ChainId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Millis, Precision};
use hub_node::io::{
    Channel, Context, Input, JournalBlock, JournalId, Origin, Output, Position, Quota, Scope,
    Start, StoredBlock,
};
use hub_node::machine::Machine;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How often the machine is told the time, as the daemon does.
const TICK: Duration = Duration::from_secs(1);

/// What all children together did.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Blocks and names of blocks sent, repetitions too.
    pub(super) shipped: AtomicU64,
    /// Asks and what else goes that way.
    pub(super) asked: AtomicU64,
    /// Times a connection came to stand.
    pub(super) connected: AtomicU64,
    /// Children whose blocks are all receipted.
    pub(super) settled: AtomicU64,
}

/// What a child is made of.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) federation: FederationId,
    pub(super) parent: NodeId,
    pub(super) parent_key: [u8; 32],
    pub(super) unit: UnitId,
    pub(super) number: u64,
}

impl Plan {
    pub(super) fn key(&self) -> SigningKey {
        SigningKey::from_bytes(&sha256(&[b"crowd", &self.number.to_be_bytes()]).0)
    }

    pub(super) fn node(&self) -> NodeId {
        NodeId::of_first_key(self.key().verifying_key().as_bytes())
    }

    /// Its user on the parent's server.
    pub(super) fn user(&self) -> Result<NatsUser, hub::keys::KeyError> {
        let secret = sha256(&[b"crowd user", &self.number.to_be_bytes()]).0;
        NatsUser::of_secret(&secret.into())
    }
}

/// The books of a child.
struct Books {
    plan: Plan,
    key: SigningKey,
    chain: ChainId,
    head: ChainHead,
    clock: Hlc,
    blocks: BTreeMap<(ChainId, u64), Block>,
    order: Vec<JournalBlock>,
}

impl Books {
    fn new(plan: Plan) -> Self {
        let chain = ChainId { node: plan.node(), epoch: 1, lane: Lane::Up };
        Self {
            key: plan.key(),
            plan,
            chain,
            head: ChainHead::empty(Hash::ZERO),
            clock: Hlc::ZERO,
            blocks: BTreeMap::new(),
            order: Vec::new(),
        }
    }

    fn end(&self) -> Position {
        self.order.len() as Position
    }

    fn keep(&mut self, block: Block, origin: Origin) -> Position {
        let position = self.end() + 1;
        let header = *block.header();
        self.blocks.insert((header.chain, header.height), block.clone());
        self.order.push(JournalBlock { position, origin, beside: false, block });
        position
    }

    /// Writes a block with one fact.
    fn write(&mut self, now: Millis) -> Result<(), super::CrowdError> {
        self.clock = self.clock.tick(now);
        let fact = Fact {
            hlc: self.clock,
            day: Day::of_millis(now),
            precision: Precision::Day,
            operator: 1,
            unit: self.plan.unit,
            document: None,
            attributes: Vec::new(),
            body: FactBody::Unit(UnitFact::Closed { unit: self.plan.unit, reason: 1 }),
        };
        let place = self.head.next_place(self.plan.federation, self.chain);
        let block = Block::seal(place, &[fact], &self.key).map_err(super::CrowdError::of)?;
        let head = self.head.extended(block.header(), block.hash());
        self.head = head.map_err(super::CrowdError::of)?;
        self.keep(block, Origin::Own);
        Ok(())
    }

    fn start(&self) -> Start {
        Start {
            federation: self.plan.federation,
            node: self.chain.node,
            epoch: 1,
            journal: JournalId(self.chain.node.0),
            end: self.end(),
            parent: Some(self.plan.parent),
            follows: false,
            quota: Quota::default(),
            seed: self.plan.number,
            memories: Vec::new(),
        }
    }
}

impl Context for Books {
    fn key(&self, node: NodeId, epoch: u32) -> Option<[u8; 32]> {
        let own = || (node == self.chain.node).then(|| self.key.verifying_key().to_bytes());
        let known = (node == self.plan.parent).then_some(self.plan.parent_key).or_else(own);
        known.filter(|_| epoch == 1)
    }

    fn head(&self, chain: &ChainId) -> Option<ChainHead> {
        if *chain == self.chain {
            return (self.head.height > 0).then_some(self.head);
        }
        let from = (*chain, 0);
        let (_, last) = self.blocks.range(from..=(*chain, u64::MAX)).next_back()?;
        let header = last.header();
        let (height, hash) = (header.height, last.hash());
        Some(ChainHead { height, hash, next_seq: header.next_seq(), last_hlc: header.last_hlc })
    }

    fn known(&self, chain: &ChainId, height: u64) -> Option<Hash> {
        self.blocks.get(&(*chain, height)).map(Block::hash)
    }

    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        self.blocks.get(&(*chain, height)).cloned()
    }

    fn heads(&self, after: Option<&ChainId>, limit: usize) -> Vec<(ChainId, ChainHead)> {
        let mut chains: Vec<ChainId> = self.blocks.keys().map(|(chain, _)| *chain).collect();
        chains.dedup();
        let later = chains.into_iter().filter(|chain| after.is_none_or(|after| chain > after));
        later.filter_map(|chain| Some((chain, self.head(&chain)?))).take(limit).collect()
    }

    fn position(&self, _: &ChainId, _: u64) -> Option<Position> {
        None
    }

    fn concerns(&self, _: UnitId, _: UnitId) -> Option<Hlc> {
        Some(Hlc::MAX)
    }

    fn serves_below(&self, _: UnitId, _: NodeId) -> bool {
        false
    }

    fn scope(&self, _: NodeId) -> Option<Scope> {
        None
    }

    fn beside(&self, _: &ChainId, _: u64, _: &Hash) -> bool {
        false
    }

    fn forked_from(&self, _: &ChainId) -> Option<u64> {
        None
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        hub_node::wire::sign(&self.key, bytes)
    }
}

/// Runs a child until `orders` is gone; each rise of it is that many more blocks to write.
pub(super) async fn run(
    plan: Plan,
    url: String,
    mut orders: watch::Receiver<u64>,
    counters: Arc<Counters>,
    now: fn() -> Millis,
) -> Result<(), super::CrowdError> {
    let (sender, mut events) = mpsc::channel(64);
    let user = Arc::new(plan.user().map_err(super::CrowdError::of)?);
    let dial = Dial { url, tls_ca: None, user, node: plan.node() };
    let settings = ParentSettings { dial, federation: plan.federation, parent: plan.parent };
    let link = spawn_parent_link(settings, sender).await.map_err(super::CrowdError::of)?;
    let parent = plan.parent;
    let mut child =
        Child { machine: Machine::new(), books: Books::new(plan), link, counters, settled: false };
    let start = Box::new(child.books.start());
    child.step(now(), Input::Start(start));
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut written = 0;
    loop {
        tokio::select! {
            changed = orders.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let wanted = *orders.borrow_and_update();
                while written < wanted {
                    child.books.write(now())?;
                    written += 1;
                }
                let up_to = child.books.end();
                child.step(now(), Input::LocalAppended { up_to });
            }
            _ = tick.tick() => child.step(now(), Input::Tick),
            Some((Link::Parent, event)) = events.recv() => match event {
                LinkEvent::Connected => {
                    child.counters.connected.fetch_add(1, Ordering::Relaxed);
                    child.step(now(), Input::Connected { peer: parent });
                }
                LinkEvent::Disconnected => child.step(now(), Input::Disconnected { peer: parent }),
                LinkEvent::Wiped { .. } => {
                    child.step(now(), Input::Disconnected { peer: parent });
                    child.step(now(), Input::Connected { peer: parent });
                }
                LinkEvent::Denied { reason } => return Err(super::CrowdError(reason)),
                LinkEvent::Received(incoming) => {
                    let (from, channel) = (incoming.from, incoming.channel);
                    let (bytes, delivery) = (incoming.bytes, None);
                    child.step(now(), Input::Received { from, channel, bytes, delivery });
                }
            },
        }
        child.count_settled();
    }
}

struct Child {
    machine: Machine,
    books: Books,
    link: hub::nats::LinkHandle,
    counters: Arc<Counters>,
    settled: bool,
}

impl Child {
    fn step(&mut self, now: Millis, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.machine.step(now, input, &self.books) {
                self.carry_out(output, &mut inputs);
            }
        }
    }

    fn carry_out(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Send { to, channel, bytes, message_id } => {
                let counter = match channel {
                    Channel::Up => &self.counters.shipped,
                    Channel::Ask | Channel::Down => &self.counters.asked,
                };
                counter.fetch_add(1, Ordering::Relaxed);
                let message_id = (channel == Channel::Up).then(|| message_id.to_string());
                self.link.send(Outgoing { to, channel, bytes, message_id });
            }
            Output::Store(batch) => {
                let stored = batch.into_iter().map(|storing| {
                    let hash = storing.block.hash();
                    let position = self.books.keep(storing.block, Origin::Parent);
                    StoredBlock { hash, position }
                });
                let stored = stored.collect();
                inputs.push_back(Input::Stored(stored));
            }
            Output::ReadJournal { reader, after, .. } => {
                let blocks = self.books.order.get(after as usize..).unwrap_or_default().to_vec();
                let end = self.books.end().max(after);
                inputs.push_back(Input::JournalRead { reader, after, blocks, end });
            }
            Output::ReadBlocks { request, ranges, .. } => {
                let books = &self.books;
                let blocks = ranges.iter().flat_map(|range| {
                    (range.first..=range.last.min(books.head.height))
                        .filter_map(|height| books.block(&range.chain, height))
                });
                inputs.push_back(Input::BlocksRead { request, blocks: blocks.collect() });
            }
            _ => {}
        }
    }

    /// Whether the parent has confirmed all that was written.
    fn count_settled(&mut self) {
        let status = self.machine.status();
        let acked = status.receipt.map_or(0, |receipt| receipt.cursor.position);
        let settled = self.books.head.height > 0 && acked >= self.books.end();
        if settled != std::mem::replace(&mut self.settled, settled) {
            if settled {
                self.counters.settled.fetch_add(1, Ordering::Relaxed);
            } else {
                self.counters.settled.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}
