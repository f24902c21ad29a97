//! Several nodes in memory, each holding only what flows to it: blocks go up whole, and down by the
//! audience of their lane, link by link and in order, when the test lets them.
//!
//! What a node writes goes to the lane that the real rule chooses from the node's own view.

mod acts;
mod check;

use crate::offices::{Blocks, Entry, Office};
use crate::random::Random;
use hub_core::block::Block;
use hub_core::fact::FactBody;
use hub_core::id::{FactId, FederationId, Lane, NodeId, UnitId};
use hub_core::lane::Lanes;
use hub_core::time::{Day, Hlc, Millis};
use hub_core::view::View;
use hub_core::view::restate::Restater;
use std::collections::BTreeMap;

pub use acts::Play;
pub use check::{Figures, figures};

/// The day on which networks begin.
pub const BEGINS: i32 = 20_000;
/// Facts of one restating block.
const RESTATED_FACTS: usize = 200;

/// How a block came to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Own,
    Below,
    Above,
}

/// A node.
#[derive(Debug)]
pub struct Node {
    /// Its unit.
    pub unit: UnitId,
    /// Its keys and chains.
    pub office: Office,
    /// Who is above.
    pub parent: Option<usize>,
    /// Blocks in the order they came.
    journal: Vec<(Origin, Block)>,
    /// All of them by place.
    pub blocks: Blocks,
    /// What they say.
    pub view: View,
    restater: Restater,
    /// How far the node above has read the journal.
    shipped_up: usize,
    /// How much of the journal came from former parents: the new one lacks it.
    parent_since: usize,
    /// Under whom it was before.
    former: Vec<usize>,
    /// How far each node below has.
    shipped_down: BTreeMap<usize, usize>,
}

/// Nodes and the links between them.
#[derive(Debug)]
pub struct Network {
    /// The nodes; the first is the root.
    pub nodes: Vec<Node>,
    root_key: [u8; 32],
    /// The time, the same everywhere.
    pub now: Millis,
    /// Facts that nodes restated.
    pub restated: usize,
    /// Every round without news from any link.
    pub rounds: usize,
}

impl Network {
    /// The root alone, serving a unit.
    pub fn new(seed: &str, root: UnitId) -> Self {
        let office = Office::new(seed, root);
        let root_key = office.public_key();
        let now = Day(BEGINS).start_millis();
        let mut network = Self { nodes: Vec::new(), root_key, now, restated: 0, rounds: 0 };
        network.add(office, None);
        network
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        FederationId::of_root_key(&self.root_key)
    }

    /// Adds a node below another; it is enrolled by facts, as all are.
    pub fn add(&mut self, office: Office, parent: Option<usize>) -> usize {
        let view = View::new(self.federation(), self.root_key);
        self.nodes.push(Node {
            unit: office.unit,
            office,
            parent,
            journal: Vec::new(),
            blocks: Blocks::new(),
            view,
            restater: Restater::default(),
            shipped_up: 0,
            parent_since: 0,
            former: Vec::new(),
            shipped_down: BTreeMap::new(),
        });
        self.nodes.len() - 1
    }

    /// Puts a node below another than before.
    pub fn reparent(&mut self, node: usize, parent: usize) {
        if let Some(old) = self.nodes[node].parent.replace(parent) {
            self.nodes[old].shipped_down.remove(&node);
            self.nodes[node].former.push(old);
        }
        let own = &mut self.nodes[node];
        (own.shipped_up, own.parent_since) = (0, own.journal.len());
    }

    /// Today.
    pub fn today(&self) -> Day {
        Day::of_millis(self.now)
    }

    /// Writes facts as one block each family and lane; their ids.
    pub fn write(&mut self, node: usize, entries: &[Entry]) -> Vec<FactId> {
        let mut ids = Vec::new();
        for entry in entries {
            let lane = self.lane_of(node, &entry.body);
            ids.extend(self.write_in(node, lane, std::slice::from_ref(entry)));
        }
        ids
    }

    /// The lane of a fact, by the rule that nodes use.
    pub fn lane_of(&self, node: usize, body: &FactBody) -> Lane {
        let own = &self.nodes[node];
        let at = Hlc::at(self.now + 1);
        Lanes::new(own.office.node, Some(own.unit), at).of(&own.view, body)
    }

    /// Writes facts of one family in a lane.
    pub fn write_in(&mut self, node: usize, lane: Lane, entries: &[Entry]) -> Vec<FactId> {
        self.now += 1_000;
        let (federation, now) = (self.federation(), self.now);
        // bodies are made in this crate within their bounds
        let Ok(block) = self.nodes[node].office.seal(federation, lane, now, entries) else {
            return Vec::new();
        };
        let ids = (0..entries.len() as u32).map(|at| block.fact_id(at)).collect();
        self.store(node, Origin::Own, block);
        ids
    }

    fn store(&mut self, node: usize, origin: Origin, block: Block) -> bool {
        let node = &mut self.nodes[node];
        let place = (block.header().chain, block.header().height);
        if node.blocks.contains_key(&place) {
            return false;
        }
        node.blocks.insert(place, block.clone());
        node.view.apply(&block, &node.blocks);
        node.journal.push((origin, block));
        true
    }

    /// One node gives another a block, after those before it in its chain that the other lacks.
    fn hand_over(&mut self, from: usize, to: usize, origin: Origin, block: Block) -> bool {
        let (chain, height) = (block.header().chain, block.header().height);
        let lacking = (1..height).filter(|at| !self.nodes[to].blocks.contains_key(&(chain, *at)));
        let before: Vec<Block> =
            lacking.filter_map(|at| self.nodes[from].blocks.get(&(chain, at)).cloned()).collect();
        let mut news = false;
        for block in before.into_iter().chain([block]) {
            news |= self.store(to, origin, block);
        }
        news
    }

    /// A few blocks go up; whether any was news.
    pub fn ship_up(&mut self, node: usize, count: usize) -> bool {
        let Some(parent) = self.nodes[node].parent else { return false };
        let mut news = false;
        for _ in 0..count {
            // a stranger is not let in
            if !self.knows(parent, node) {
                break;
            }
            let own = &mut self.nodes[node];
            let Some((origin, block)) = own.journal.get(own.shipped_up).cloned() else { break };
            let goes = origin != Origin::Above || own.shipped_up < own.parent_since;
            own.shipped_up += 1;
            news |= goes && self.hand_over(node, parent, Origin::Below, block);
        }
        news
    }

    /// A few blocks go down; whether any was news.
    pub fn ship_down(&mut self, node: usize, count: usize) -> bool {
        let Some(parent) = self.nodes[node].parent else { return false };
        let (id, unit) = (self.nodes[node].office.node, self.nodes[node].unit);
        let mut news = false;
        for _ in 0..count {
            // a stranger is told nothing
            if !self.knows(parent, node) {
                break;
            }
            let above = &mut self.nodes[parent];
            let at = *above.shipped_down.entry(node).or_insert(0);
            let Some((_, block)) = above.journal.get(at).cloned() else { break };
            above.shipped_down.insert(node, at + 1);
            let chain = block.header().chain;
            let Lane::Down(audience) = chain.lane else { continue };
            if chain.node != id && concerns(&above.view, unit, audience, self.now) {
                news |= self.hand_over(parent, node, Origin::Above, block);
            }
        }
        news
    }

    /// Whether a node has heard that another is enrolled.
    fn knows(&self, node: usize, other: usize) -> bool {
        let id = self.nodes[other].office.node;
        let enrolments = &self.nodes[node].view.authority().enrolments;
        enrolments.iter().any(|enrolled| enrolled.enrolment.node == id)
    }

    /// The link begins anew: everything is delivered once more.
    pub fn duplicate(&mut self, node: usize) {
        self.nodes[node].shipped_up = 0;
        if let Some(parent) = self.nodes[node].parent {
            self.nodes[parent].shipped_down.insert(node, 0);
        }
    }

    /// A node restates what is due; whether anything was.
    pub fn restate(&mut self, node: usize, limit: usize) -> bool {
        let at = Hlc::at(self.now);
        let own = &mut self.nodes[node];
        let (id, blocks) = (own.office.node, &own.blocks);
        let due = own.restater.due(&mut own.view, id, at, blocks, limit);
        self.restated += due.len();
        let (unit, today) = (own.unit, self.today());
        let mut by_audience: BTreeMap<(bool, UnitId), Vec<Entry>> = BTreeMap::new();
        for due in &due {
            let entry = Entry::new(today, unit, FactBody::Governance(due.fact.clone()));
            by_audience.entry((!due.is_frame(), due.audience)).or_default().push(entry);
        }
        for ((_, audience), entries) in by_audience {
            for part in entries.chunks(RESTATED_FACTS) {
                self.write_in(node, Lane::Down(audience), part);
            }
        }
        !due.is_empty()
    }

    /// Links and nodes work in any order until nothing is left to do.
    pub fn settle(&mut self, rng: &mut Random) {
        for _ in 0..400 {
            let mut order: Vec<usize> = (0..self.nodes.len()).collect();
            rng.shuffle(&mut order);
            let mut news = false;
            for node in order {
                let count = if rng.one_in(3) { 1 + rng.index(20) } else { usize::MAX };
                news |= self.ship_up(node, count) | self.ship_down(node, count);
                news |= self.restate(node, if rng.one_in(4) { 3 } else { usize::MAX });
            }
            news |= self.is_under_way();
            self.rounds += 1;
            if !news {
                return;
            }
        }
        panic!("nodes do not come to rest");
    }

    fn is_under_way(&self) -> bool {
        (0..self.nodes.len()).any(|node| {
            let own = &self.nodes[node];
            own.parent.is_some_and(|parent| {
                let above = &self.nodes[parent];
                let down = above.shipped_down.get(&node).copied().unwrap_or(0);
                let is_behind = own.shipped_up < own.journal.len() || down < above.journal.len();
                is_behind && self.knows(parent, node)
            })
        })
    }

    /// The node of this id.
    pub fn node_of(&self, id: NodeId) -> Option<usize> {
        self.nodes.iter().position(|node| node.office.node == id)
    }
}

/// Whether a down lane of this audience flows to a node of this unit.
fn concerns(view: &View, unit: UnitId, audience: UnitId, now: Millis) -> bool {
    let tree = view.tree();
    let (Some(unit), Some(audience)) = (tree.find(&unit), tree.find(&audience)) else {
        return unit == audience;
    };
    let at = Hlc::at(now);
    tree.is_at_or_above(unit, audience, at) || tree.is_at_or_above(audience, unit, at)
}
