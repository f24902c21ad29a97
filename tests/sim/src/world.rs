//! The event loop: time, deliveries, disks. Faults are drawn in `chaos`, demands stand in `check`.

use crate::chaos::Faults;
use crate::courier::{Courier, Parcel};
use crate::replica::{Names, Replica, View, enrolment, key};
use crate::tally::Tally;
use crate::tree::{self, NODES, SERVING, Tree};
use hub_core::SigningKey;
use hub_core::block::Block;
use hub_core::hash::Hash;
use hub_core::id::Lane;
use hub_core::time::Millis;
use hub_core_tests::random::Random;
use hub_node::io::{Channel, Event, Input, Origin, Output, Refusal};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt;

/// When the world begins: 2026-11-20 in Shanghai.
pub(crate) const BEGIN: Millis = 1_795_138_200_000;

/// What went wrong, and the seed that shows it again.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.what)
    }
}

impl std::error::Error for Failure {}

#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Tick(usize),
    Sync { node: usize, life: u32 },
    Feed { node: usize, life: u32, input: Box<Input> },
    Message { from: usize, to: usize, channel: Channel, bytes: Vec<u8> },
    Parcel(u64),
    Write(usize),
    Fault,
    Move,
    Restart(usize),
}

pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) random: Random,
    pub(crate) names: Names,
    pub(crate) tree: Tree,
    keys: Vec<SigningKey>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) courier: Courier,
    pub(crate) faults: Faults,
    pub(crate) tally: Tally,
    queue: BinaryHeap<Reverse<(Millis, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    sequence: u64,
    /// What each node has receipted: (receiver, child) to hashes.
    pub(crate) receipted: BTreeMap<(usize, usize), BTreeSet<Hash>>,
    /// The stream hash each last receipted: the same one again says nothing new.
    pub(crate) checked: BTreeMap<(usize, usize), Hash>,
}

/// Runs one world to its end.
///
/// # Errors
/// The first demand that was not met.
pub fn run(seed: u64) -> Result<Tally, Failure> {
    let mut world = World::new(seed);
    let ended = world.found().and_then(|()| world.live());
    let tally = world.tally;
    match ended {
        Ok(()) => Ok(tally),
        Err(what) => Err(Failure { seed, what: format!("{what}\n{tally}") }),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let names = Names::new();
        let replicas =
            (0..NODES).map(|index| Replica::new(index, names.ids[index], names.ids[0])).collect();
        Self {
            now: BEGIN,
            faults: Faults::draw(&mut random),
            random,
            names,
            tree: Tree::default(),
            keys: (0..NODES).map(|index| key(index, 1)).collect(),
            replicas,
            courier: Courier::default(),
            tally: Tally::default(),
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            sequence: 0,
            receipted: BTreeMap::new(),
            checked: BTreeMap::new(),
        }
    }

    /// All start; parents enrol their children; all write from time to time.
    fn found(&mut self) -> Result<(), String> {
        for node in 0..NODES {
            self.begin(node)?;
            for child in self.tree.below(node).into_iter().filter(|child| *child < SERVING) {
                self.enrol(node, child)?;
            }
            let at = self.random.below(1_000);
            self.later(at, Happening::Tick(node));
        }
        for _ in 0..self.faults.writes {
            let at = self.random.below(self.faults.lasts);
            let node = self.random.index(SERVING);
            self.later(at, Happening::Write(node));
        }
        if let Some(at) = self.faults.moves_at {
            self.later(at, Happening::Move);
        }
        for _ in 0..self.faults.strikes {
            let at = self.random.below(self.faults.lasts);
            self.later(at, Happening::Fault);
        }
        Ok(())
    }

    fn live(&mut self) -> Result<(), String> {
        let heals_at = BEGIN + self.faults.lasts;
        let mut healed = false;
        let mut look_at = heals_at + 5_000;
        loop {
            let Some(Reverse((at, number))) = self.queue.pop() else {
                return Err("the world stopped".into());
            };
            self.now = at;
            if !healed && at >= heals_at {
                healed = true;
                self.heal()?;
            }
            if healed && at >= look_at {
                look_at = at + 2_500;
                let lacking = self.lacking();
                match lacking {
                    None => return self.demand_at_the_end(),
                    Some(what) if at > heals_at + crate::check::PATIENCE_MILLIS => {
                        return Err(format!("not healed: {what}"));
                    }
                    Some(_) => {}
                }
            }
            if let Some(happening) = self.happenings.remove(&number) {
                self.happen(happening)?;
            }
        }
    }

    pub(crate) fn later(&mut self, after: Millis, happening: Happening) {
        self.sequence += 1;
        self.queue.push(Reverse((self.now + after, self.sequence)));
        self.happenings.insert(self.sequence, happening);
    }

    fn happen(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Tick(node) => {
                self.later(1_000, Happening::Tick(node));
                self.drive(node, Input::Tick)
            }
            Happening::Sync { node, life } if self.replicas[node].life == life => self.sync(node),
            Happening::Feed { node, life, input } if self.replicas[node].life == life => {
                self.drive(node, *input)
            }
            Happening::Sync { .. } | Happening::Feed { .. } => Ok(()),
            Happening::Message { from, to, channel, bytes } => {
                self.deliver(from, to, channel, bytes, None)
            }
            Happening::Parcel(delivery) => {
                let Some(parcel) = self.courier.parcel(delivery).cloned() else { return Ok(()) };
                // Not acknowledged in time, it is offered again.
                self.later(15_000, Happening::Parcel(delivery));
                let Parcel { from, to, bytes } = parcel;
                self.deliver(from, to, Channel::Up, bytes, Some(delivery))
            }
            Happening::Write(node) => self.write_something(node),
            Happening::Fault => self.strike(),
            Happening::Move => self.move_one(),
            Happening::Restart(node) => self.restart(node),
        }
    }

    pub(crate) fn begin(&mut self, node: usize) -> Result<(), String> {
        let parent = self.tree.parent(node).map(|parent| self.names.ids[parent]);
        let seed = self.random.number();
        self.keys[node] = key(node, self.replicas[node].epoch);
        let replica = &mut self.replicas[node];
        replica.up = true;
        replica.life += 1;
        replica.syncing = false;
        let start = replica.start(parent, self.faults.quota, seed);
        self.drive(node, Input::Start(start))?;
        for peer in self.tree.parent(node).into_iter().chain(self.tree.below(node)) {
            let peer = self.names.ids[peer];
            self.drive(node, Input::Connected { peer })?;
        }
        Ok(())
    }

    pub(crate) fn append_own(&mut self, node: usize, block: Block) {
        self.replicas[node].disk.append(Origin::Own, false, block);
        self.sync_soon(node);
    }

    pub(crate) fn enrol(&mut self, parent: usize, child: usize) -> Result<(), String> {
        let epoch = self.replicas[child].epoch;
        let body = enrolment(child, self.names.ids[child], epoch);
        let lane = Lane::Down(tree::unit(child));
        let block = self.replicas[parent].write(self.now, lane, body)?;
        self.append_own(parent, block);
        Ok(())
    }

    fn sync_soon(&mut self, node: usize) {
        if !self.replicas[node].syncing {
            self.replicas[node].syncing = true;
            let life = self.replicas[node].life;
            let after = self.random.between(1, self.faults.sync_millis);
            self.later(after, Happening::Sync { node, life });
        }
    }

    fn sync(&mut self, node: usize) -> Result<(), String> {
        let replica = &mut self.replicas[node];
        replica.syncing = false;
        let keys = replica.disk.keys.len();
        let synced = replica.disk.sync()?;
        let enrolled = replica.disk.keys.len() > keys;
        if let Some(up_to) = synced.own_up_to {
            self.drive(node, Input::LocalAppended { up_to })?;
        }
        if !synced.received.is_empty() {
            self.drive(node, Input::Stored(synced.received))?;
        }
        if enrolled { self.drive(node, Input::ViewAdvanced) } else { Ok(()) }
    }

    fn deliver(
        &mut self,
        from: usize,
        to: usize,
        channel: Channel,
        bytes: Vec<u8>,
        delivery: Option<u64>,
    ) -> Result<(), String> {
        if self.is_cut(from, to) {
            return Ok(());
        }
        let from = self.names.ids[from];
        self.drive(to, Input::Received { from, channel, bytes, delivery })
    }

    pub(crate) fn drive(&mut self, node: usize, input: Input) -> Result<(), String> {
        if !self.replicas[node].up {
            return Ok(());
        }
        let Self { replicas, names, tree, keys, now, .. } = self;
        let replica = &mut replicas[node];
        let view = View { disk: &replica.disk, names, tree: *tree, key: &keys[node], index: node };
        let outputs = replica.machine.step(*now, input, &view);
        outputs.into_iter().try_for_each(|output| self.carry_out(node, output))
    }

    fn carry_out(&mut self, node: usize, output: Output) -> Result<(), String> {
        let life = self.replicas[node].life;
        match output {
            Output::Store(batch) => {
                for storing in batch {
                    let parent = self.tree.parent(node).map(|parent| self.names.ids[parent]);
                    let from_parent = Some(storing.from) == parent;
                    let origin = if from_parent { Origin::Parent } else { Origin::Child };
                    let disk = &mut self.replicas[node].disk;
                    if storing.beside && !disk.starts_beside(&storing.block) {
                        self.tally.count("rule: follower of a fork kept");
                    }
                    // what this node has written meanwhile stands there
                    let beside = storing.beside || disk.is_taken(&storing.block);
                    disk.append(origin, beside, storing.block);
                }
                self.sync_soon(node);
            }
            Output::Send { to, channel, bytes, message_id } => {
                return self.send(node, to, channel, bytes, message_id);
            }
            Output::Acknowledge { delivery } => self.courier.settle(delivery),
            Output::Reject { delivery, refusal } => {
                if matches!(refusal, Refusal::Full | Refusal::OverQuota) {
                    self.tally.count("rule: no room, left to its sender");
                }
                self.courier.settle(delivery);
            }
            Output::ReadJournal { reader, after, max_bytes } => {
                // Small reads, so that many are needed and the world changes between them.
                let max_bytes = max_bytes.min(self.faults.read_bytes);
                let (blocks, end) = self.replicas[node].disk.read(after, max_bytes);
                let input = Box::new(Input::JournalRead { reader, after, blocks, end });
                let wait = self.random.below(5);
                self.later(wait, Happening::Feed { node, life, input });
            }
            Output::ReadBlocks { request, ranges, max_bytes } => {
                let max_bytes = max_bytes.min(self.faults.read_bytes);
                let blocks = self.replicas[node].disk.read_ranges(&ranges, max_bytes);
                let input = Box::new(Input::BlocksRead { request, blocks });
                let wait = self.random.below(5);
                self.later(wait, Happening::Feed { node, life, input });
            }
            Output::Remember(memory) => {
                self.replicas[node].disk.memories.insert(memory.peer, memory.bytes);
            }
            Output::Report(event) => {
                self.replicas[node].told |= matches!(event, Event::ParentAhead { .. });
                self.note(&event);
            }
            Output::EnrolmentRequested { .. } | Output::EnrolmentAnswered { .. } => {
                return Err("enrolment messages though nobody sends any".into());
            }
        }
        Ok(())
    }
}
