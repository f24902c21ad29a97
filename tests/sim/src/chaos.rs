//! What is done to the world, drawn anew for each seed so that every mixture occurs.

use crate::replica::Replica;
use crate::tree::{self, NODES, SERVING};
use crate::world::{Happening, World};
use hub_core::fact::{FactBody, UnitFact};
use hub_core::id::Lane;
use hub_core::time::Millis;
use hub_core_tests::random::Random;
use hub_node::io::{Channel, Input, JournalId, Quota};
use hub_node::wire::Message;

/// How bad this world is.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    /// In percent.
    pub(crate) loss: u64,
    pub(crate) duplicates: u64,
    pub(crate) stragglers: u64,
    pub(crate) delay_millis: Millis,
    pub(crate) straggle_millis: Millis,
    pub(crate) sync_millis: Millis,
    pub(crate) read_bytes: usize,
    pub(crate) writes: u64,
    pub(crate) strikes: u64,
    pub(crate) lasts: Millis,
    /// When a county moves to the other city, if it does.
    pub(crate) moves_at: Option<Millis>,
    /// What children may bring; in most worlds as much as they like.
    pub(crate) quota: Quota,
    /// By child: until when the link to its parent is cut, and whether upwards only.
    cuts: Vec<Option<(Millis, bool)>>,
    /// One copy of one node's disk, to be restored once.
    copy: Option<(usize, Box<crate::disk::Disk>, u32)>,
    restored: bool,
    /// Whether a thief has struck. Sides of a fork that a node had seen and lost with its disk come back at a
    /// start, if no message is lost then: the two do not happen in one world.
    forged: bool,
}

impl Faults {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let mut faults = Self::draw_links(random);
        if random.percent(25) {
            faults.quota = Quota { facts: random.between(4, 12), bytes: 0, span: 10_000 };
        }
        if random.percent(30) {
            faults.moves_at = Some(random.below(faults.lasts));
        }
        faults
    }

    fn draw_links(random: &mut Random) -> Self {
        Self {
            loss: random.below(31),
            duplicates: random.below(51),
            stragglers: random.below(20),
            delay_millis: random.between(2, 60),
            straggle_millis: random.between(300, 12_000),
            sync_millis: random.between(1, 40),
            read_bytes: random.between(600, 20_000) as usize,
            writes: random.between(40, 90),
            strikes: random.between(8, 24),
            lasts: random.between(25_000, 45_000),
            moves_at: None,
            quota: Quota::default(),
            cuts: vec![None; NODES],
            copy: None,
            restored: false,
            forged: false,
        }
    }
}

impl World {
    /// Whether the way from one to the other is cut now.
    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        let (child, upwards) =
            if self.tree.parent(from) == Some(to) { (from, true) } else { (to, false) };
        self.faults.cuts[child]
            .is_some_and(|(until, up_only)| self.now < until && (upwards || !up_only))
    }

    pub(crate) fn write_something(&mut self, node: usize) -> Result<(), String> {
        if !self.replicas[node].up || self.replicas[node].told {
            return Ok(());
        }
        let mut clock = self.now;
        if tree::is_leaf(node) && self.random.percent(6) {
            self.tally.count("fault: clock too far ahead");
            clock += 10 * 60_000 + self.random.between(1, 40_000);
        }
        let down: Vec<usize> =
            (0..SERVING).filter(|other| self.tree.is_above(node, *other)).collect();
        let lane = if self.random.percent(60) {
            Lane::Up
        } else {
            Lane::Down(tree::unit(down[self.random.index(down.len())]))
        };
        for _ in 0..self.random.between(1, 3) {
            let reason = self.random.below(900) as u16;
            let unit = tree::unit(node);
            let body = FactBody::Unit(UnitFact::Closed { unit, reason });
            let block = self.replicas[node].write(clock, lane, body)?;
            self.append_own(node, block);
        }
        Ok(())
    }

    pub(crate) fn strike(&mut self) -> Result<(), String> {
        let node = self.random.index(NODES);
        match self.random.below(10) {
            0..=2 => {
                let busy = self.busy();
                let hit = !busy.is_empty() && self.random.percent(50);
                let node = if hit { busy[self.random.index(busy.len())] } else { node };
                self.crash(node)
            }
            3..=4 => self.cut(node),
            5 => {
                let lost = self.courier.wipe(node);
                if lost > 0 {
                    self.tally.count("fault: courier wiped");
                }
                Ok(())
            }
            6 => self.steal(),
            _ => self.copy_or_restore(),
        }
    }

    fn crash(&mut self, node: usize) -> Result<(), String> {
        if !self.replicas[node].up {
            return Ok(());
        }
        self.tally.count("fault: crash");
        let replica = &mut self.replicas[node];
        replica.up = false;
        let before = replica.disk.blocks.len();
        replica.disk.crash();
        if replica.disk.blocks.len() < before {
            self.tally.count("fault: unsynced blocks lost");
        }
        let after = self.random.between(50, 8_000);
        self.later(after, Happening::Restart(node));
        Ok(())
    }

    pub(crate) fn restart(&mut self, node: usize) -> Result<(), String> {
        if self.replicas[node].up { Ok(()) } else { self.begin(node) }
    }

    /// The nodes that are making something durable now: where a power cut costs most.
    fn busy(&self) -> Vec<usize> {
        let busy = |node: &usize| self.replicas[*node].up && self.replicas[*node].syncing;
        (0..NODES).filter(busy).collect()
    }

    fn cut(&mut self, node: usize) -> Result<(), String> {
        let Some(parent) = self.tree.parent(node) else { return Ok(()) };
        self.tally.count("fault: partition");
        let until = self.now + self.random.between(1_000, 20_000);
        self.faults.cuts[node] = Some((until, self.random.percent(30)));
        if self.random.percent(50) {
            // Sometimes both ends notice, sometimes nobody does.
            let (child, parent_id) = (self.names.ids[node], self.names.ids[parent]);
            self.drive(node, Input::Disconnected { peer: parent_id })?;
            self.drive(parent, Input::Disconnected { peer: child })?;
            let input = Box::new(Input::Connected { peer: parent_id });
            let life = self.replicas[node].life;
            let after = until - self.now;
            self.later(after, Happening::Feed { node, life, input });
        }
        Ok(())
    }

    /// A thief of an enterprise's key sends another first block, and rubbish.
    fn steal(&mut self) -> Result<(), String> {
        if self.faults.copy.is_some() || self.faults.restored {
            return Ok(());
        }
        self.faults.forged = true;
        let node = self.random.between(SERVING as u64 / 2, SERVING as u64 - 1) as usize;
        let Some(to) = self.tree.parent(node) else { return Ok(()) };
        let from = self.names.ids[node];
        let federation = crate::replica::federation();
        if let Some(forged) = self.replicas[node].forge(self.now) {
            self.tally.count("fault: fork by a stolen key");
            let mut bytes = Message::Loose(forged).encode(federation);
            let channel = Channel::Up;
            self.drive(
                to,
                Input::Received { from, channel, bytes: bytes.clone(), delivery: None },
            )?;
            self.tally.count("fault: byte flipped");
            let at = self.random.index(bytes.len());
            bytes[at] ^= 1 << self.random.below(8);
            self.drive(to, Input::Received { from, channel, bytes, delivery: None })?;
        }
        Ok(())
    }

    /// A county, with all below it, moves from one city to the other, which enrols it.
    pub(crate) fn move_one(&mut self) -> Result<(), String> {
        let node = self.random.between(3, 6) as usize;
        let Some(old) = self.tree.parent(node) else { return Ok(()) };
        let (to, ids) = (3 - old, self.names.ids.clone());
        self.tally.count("fault: a county moved to another city");
        self.tree.moved = Some((node, to, self.now));
        let end = self.replicas[node].disk.end();
        self.replicas[node].parent_since = Some(end);
        self.drive(old, Input::Disconnected { peer: ids[node] })?;
        self.drive(node, Input::ParentChanged { parent: Some(ids[to]) })?;
        self.enrol(to, node)?;
        for other in 0..NODES {
            self.drive(other, Input::ViewAdvanced)?;
        }
        self.drive(node, Input::Connected { peer: ids[to] })?;
        self.drive(to, Input::Connected { peer: ids[node] })
    }

    fn copy_or_restore(&mut self) -> Result<(), String> {
        match self.faults.copy.take() {
            None if !self.faults.restored && !self.faults.forged => {
                let node = self.random.between(1, SERVING as u64 - 1) as usize;
                let replica = &self.replicas[node];
                let mut disk = replica.disk.clone();
                disk.crash();
                self.faults.copy = Some((node, Box::new(disk), replica.epoch));
                Ok(())
            }
            None => Ok(()),
            Some((node, disk, _)) => self.restore(node, *disk),
        }
    }

    /// The directory is lost and an older copy put in its place; the operator opens a new epoch, as he
    /// must. One restore a world: two that lose the same block are beyond what is promised.
    fn restore(&mut self, node: usize, disk: crate::disk::Disk) -> Result<(), String> {
        self.faults.restored = true;
        if self.random.percent(30) {
            return self.roll_back(node, disk);
        }
        self.tally.count("fault: restored from an older copy");
        let replica: &mut Replica = &mut self.replicas[node];
        replica.disk = disk;
        replica.epoch += 1;
        replica.told = false;
        replica.up = false;
        if self.random.percent(60) {
            self.replicas[node].disk.id = JournalId([0x80 | node as u8; 16]);
        } else {
            self.tally.count("fault: restored without a new journal id");
        }
        self.begin(node)?;
        match self.tree.parent(node) {
            Some(parent) => self.enrol(parent, node),
            None => Ok(()),
        }
    }

    /// An older copy of the directory is started again and nobody notices: the node signs a second time where
    /// it signed before, until its parent tells it so.
    fn roll_back(&mut self, node: usize, disk: crate::disk::Disk) -> Result<(), String> {
        self.tally.count("fault: rolled back unnoticed");
        let replica: &mut Replica = &mut self.replicas[node];
        replica.disk = disk;
        replica.up = false;
        self.begin(node)?;
        self.write_something(node)
    }

    /// All faults end.
    pub(crate) fn heal(&mut self) -> Result<(), String> {
        self.faults.loss = 0;
        self.faults.duplicates = 0;
        self.faults.stragglers = 0;
        self.faults.cuts = vec![None; NODES];
        (0..NODES).try_for_each(|node| self.restart(node))
    }
}
