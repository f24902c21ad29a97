//! Random federations of five levels: several nodes that seal real blocks about units, unions, persons and
//! each other, rightly and wrongly. One seed makes one federation, always the same.

mod checkpoint;
mod decisions;
pub mod expected;
mod figures;
mod forks;
mod governance;
mod members;
mod organisation;
mod restating;
mod successions;

use crate::offices::{Blocks, Entry, Office};
use crate::random::Random;
use hub_core::block::Block;
use hub_core::fact::unit::Level;
use hub_core::fact::{FactBody, Withdrawn};
use hub_core::hash::sha256;
use hub_core::id::{BranchId, ChainId, FactId, FederationId, Lane, MemberKey, UnitId};
use hub_core::time::{DAY_MILLIS, Day, Millis, Precision};
use std::collections::BTreeMap;

/// The day on which federations begin.
const BEGINS: i32 = 20_000;
/// How many persons there are: few, so that unions meet over them.
const PERSONS: u64 = 10;

/// In one of so many federations a union loads the members of another in bulk.
const IN_BULK: u64 = 20;

/// What a federation wrote.
#[derive(Debug)]
pub struct Federation {
    /// The public key of its root.
    pub root_key: [u8; 32],
    /// All blocks.
    pub blocks: Blocks,
    /// Blocks at whose places others stand: the other sides of forks, in the order written.
    pub sides: Vec<Block>,
    /// The places of `blocks` in the order written.
    pub order: Vec<(ChainId, u64)>,
    /// Every pseudonym used.
    pub persons: Vec<MemberKey>,
    /// Facts that show a rule when they stand, or are parked, by name of what was tried.
    pub tried: BTreeMap<&'static str, Vec<FactId>>,
}

/// A unit as its writers see it.
#[derive(Debug, Clone)]
struct Place {
    id: UnitId,
    level: Level,
    parent: Option<usize>,
}

/// A union as its writers see it.
#[derive(Debug, Clone, Copy)]
struct Union {
    id: BranchId,
    host: usize,
}

/// The federation under way.
#[derive(Debug)]
struct Maker {
    rng: Random,
    now: Millis,
    federation: FederationId,
    made: Federation,
    places: Vec<Place>,
    /// Nodes with the unit they are for and whether anyone enrolled them.
    offices: Vec<(Office, usize, bool)>,
    unions: Vec<Union>,
    /// Facts that may be taken back, with the unit they are about.
    statements: Vec<(FactId, usize)>,
    /// How many of them make the tree: few of these are taken back, else nothing is left to see.
    first_statements: usize,
    reports: Vec<(FactId, usize)>,
    /// Starts stated: person and union.
    claims: Vec<(MemberKey, BranchId)>,
    /// Firms registered twice, with both parents.
    doubles: Vec<(usize, usize, usize)>,
    /// Rulings and objections, with their writers.
    decisions: Vec<(FactId, usize)>,
    codes: u32,
    /// Copies of nodes that run beside them with the same key; none in a federation without forks.
    copies: Vec<(usize, Office)>,
    forks: bool,
}

fn person(number: u64) -> MemberKey {
    let digest = sha256(&[b"generated person", &number.to_be_bytes()]).0;
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    MemberKey(key)
}

impl Federation {
    /// The federation of this seed, after so many acts.
    pub fn of(seed: u64, acts: usize) -> Self {
        Self::with(seed, acts, |_| true)
    }

    /// The federation of this seed with some of its acts. What is left out shifts no luck of the others, so
    /// that a history that fails can be made smaller.
    pub fn with(seed: u64, acts: usize, is_kept: impl Fn(usize) -> bool) -> Self {
        Self::made(seed, acts, false, is_kept)
    }

    fn made(seed: u64, acts: usize, forks: bool, is_kept: impl Fn(usize) -> bool) -> Self {
        let mut maker = Maker::new(seed);
        maker.forks = forks;
        maker.begin();
        maker.first_statements = maker.statements.len();
        for act in 0..acts {
            maker.rng = Random::new(Random::new(seed ^ (act as u64 + 1) << 32).number());
            maker.now += maker.rng.below(5 * DAY_MILLIS);
            if is_kept(act) {
                maker.fork();
                maker.act();
            }
        }
        if seed % IN_BULK == IN_BULK - 1 {
            maker.in_bulk(seed);
        }
        maker.made
    }

    /// The federation's id.
    pub fn id(&self) -> FederationId {
        FederationId::of_root_key(&self.root_key)
    }
}

impl Maker {
    fn new(seed: u64) -> Self {
        let root = UnitId::of_territory("990000", 2024);
        let office = Office::new(&format!("{seed}/0"), root);
        let root_key = office.public_key();
        let persons = (0..PERSONS).map(person);
        Self {
            rng: Random::new(seed),
            now: Day(BEGINS).start_millis(),
            federation: FederationId::of_root_key(&root_key),
            made: Federation {
                root_key,
                blocks: Blocks::new(),
                sides: Vec::new(),
                order: Vec::new(),
                persons: persons.collect(),
                tried: BTreeMap::new(),
            },
            places: vec![Place { id: root, level: Level::Province, parent: None }],
            offices: vec![(office, 0, true)],
            unions: Vec::new(),
            statements: Vec::new(),
            first_statements: 0,
            reports: Vec::new(),
            claims: Vec::new(),
            doubles: Vec::new(),
            decisions: Vec::new(),
            codes: 0,
            copies: Vec::new(),
            forks: false,
        }
    }

    fn act(&mut self) {
        match self.rng.below(100) {
            0..16 => self.governance(),
            16..30 => self.unit(),
            30..50 => self.union(),
            50..76 => self.member(),
            76..83 => self.rule_or_object(),
            83..89 => self.figure(),
            89..95 => self.withdrawal(),
            95..98 => self.checkpoint(),
            98 => self.restate(),
            _ => self.unreadable(),
        }
    }

    /// The day it is.
    fn today(&self) -> Day {
        Day::of_millis(self.now)
    }

    /// A day on which something may have happened: mostly lately, at times tomorrow or last year.
    fn some_day(&mut self) -> Day {
        let back = match self.rng.below(12) {
            0 => -1,
            1 => 200,
            2..6 => 0,
            _ => self.rng.below(40) as i32,
        };
        Day(self.today().0 - back)
    }

    /// The way up from a place, itself first.
    fn path(&self, place: usize) -> Vec<usize> {
        let mut path = vec![place];
        // a wrong registration and a move can close a circle in the writers' heads
        while let Some(parent) = self.places[path[path.len() - 1]].parent
            && !path.contains(&parent)
        {
            path.push(parent);
        }
        path
    }

    /// The node that serves a place as far as writers know; at times any node at all.
    fn server(&mut self, place: usize) -> usize {
        if self.rng.one_in(30) {
            return self.rng.index(self.offices.len());
        }
        let path = self.path(place);
        let serving = |at: &usize| {
            self.offices.iter().rposition(|(_, unit, enrolled)| unit == at && *enrolled)
        };
        path.iter().find_map(serving).unwrap_or(0)
    }

    /// A node that serves a unit above a place; at times any node at all.
    fn superior(&mut self, place: usize) -> usize {
        match self.places[place].parent {
            Some(parent) if !self.rng.one_in(12) => {
                let path = self.path(parent);
                let above = path[self.rng.index(path.len())];
                self.server(above)
            }
            _ => self.server(place),
        }
    }

    fn some_place(&mut self, level: Level) -> Option<usize> {
        let at_level = |at: &usize| self.places[*at].level == level;
        let places: Vec<usize> = (0..self.places.len()).filter(at_level).collect();
        (!places.is_empty()).then(|| places[self.rng.index(places.len())])
    }

    fn entry(&mut self, place: usize, day: Day, body: FactBody) -> Entry {
        let mut entry = Entry::new(day, self.places[place].id, body);
        if self.rng.one_in(15) {
            entry.precision = Precision::Month;
        }
        entry
    }

    /// Writes entries of one family as one block; their ids.
    fn write(&mut self, by: usize, about: usize, entries: &[Entry]) -> Vec<FactId> {
        let below = self.offices[by].1 != about && self.rng.one_in(2);
        let lane = if below { Lane::Down(self.places[about].id) } else { Lane::Up };
        let (federation, now) = (self.federation, self.now);
        // bodies are made in this crate within their bounds
        let Ok(block) = self.offices[by].0.seal(federation, lane, now, entries) else {
            return Vec::new();
        };
        let ids: Vec<FactId> = (0..entries.len() as u32).map(|at| block.fact_id(at)).collect();
        self.keep(block);
        self.statements.extend(ids.iter().map(|id| (*id, about)));
        ids
    }

    fn write_one(&mut self, by: usize, about: usize, day: Day, body: FactBody) -> Option<FactId> {
        let entry = self.entry(about, day, body);
        self.write(by, about, &[entry]).first().copied()
    }

    fn keep(&mut self, block: Block) {
        let place = (block.header().chain, block.header().height);
        if self.made.blocks.contains_key(&place) {
            self.made.sides.push(block);
            return;
        }
        self.made.order.push(place);
        self.made.blocks.insert(place, block);
    }

    fn tried(&mut self, what: &'static str, fact: Option<FactId>) {
        self.made.tried.entry(what).or_default().extend(fact);
    }

    fn withdrawal(&mut self) {
        let since = if self.rng.one_in(15) { 0 } else { self.first_statements };
        let recent = self.statements.len().saturating_sub(since).min(60);
        if recent == 0 {
            return;
        }
        let at = self.statements.len() - 1 - self.rng.index(recent);
        let (first, about) = self.statements[at];
        let writer = |(office, ..): &(Office, usize, bool)| office.chain(Lane::Up).node;
        let own = self.offices.iter().rposition(|office| writer(office) == first.chain.node);
        let by = match self.rng.below(3) {
            0 => self.server(about),
            1 => self.superior(about),
            _ => own.unwrap_or(0),
        };
        let count = if self.rng.one_in(5) { 1 + self.rng.below(4) } else { 1 };
        let withdrawn = Withdrawn { first, count, reason: "录入有误".into() };
        let today = self.today();
        self.write_one(by, about, today, FactBody::Withdrawn(withdrawn));
    }

    fn unreadable(&mut self) {
        let by = self.rng.index(self.offices.len());
        let block = self.offices[by].0.seal_unreadable(self.federation, Lane::Up, self.now);
        self.keep(block);
    }
}
