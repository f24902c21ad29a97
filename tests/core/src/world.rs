//! A small federation in memory: keys, chains and a clock, so that tests write facts and get blocks.

use crate::sample;
use hub_core::SigningKey;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::governance::Enrolment;
use hub_core::fact::member::MemberAct;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{
    BranchFact, Code, CodeKind, Fact, FactBody, GovernanceFact, MemberFact, UnitFact,
};
use hub_core::hash::Hash;
use hub_core::id::{BranchId, ChainId, FactId, FederationId, Lane, MemberKey, NodeId, UnitId};
use hub_core::time::{DAY_MILLIS, Hlc};
use std::collections::BTreeMap;

/// The first instant of the world.
pub const BEGINNING: u64 = sample::WRITTEN;

/// A federation whose blocks are written here.
#[derive(Debug, Clone)]
pub struct World {
    root: SigningKey,
    heads: BTreeMap<ChainId, ChainHead>,
    clock: Hlc,
    /// All blocks, in the order written.
    pub blocks: Vec<Block>,
}

/// A node that writes.
#[derive(Debug, Clone)]
pub struct Writer {
    /// Its key.
    pub key: SigningKey,
    /// Its id.
    pub node: NodeId,
    /// Its epoch.
    pub epoch: u32,
    /// The unit it serves.
    pub unit: UnitId,
}

impl Writer {
    /// The writer of generated key `seed`, in epoch 1.
    pub fn new(seed: u8, unit: UnitId) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let node = NodeId::of_first_key(key.verifying_key().as_bytes());
        Self { key, node, epoch: 1, unit }
    }

    /// One of its chains.
    pub fn chain(&self, lane: Lane) -> ChainId {
        ChainId { node: self.node, epoch: self.epoch, lane }
    }

    /// Its enrolment for a year.
    pub fn enrolment(&self, may_delegate: bool) -> FactBody {
        FactBody::Governance(GovernanceFact::NodeEnrolled(Box::new(Enrolment {
            node: self.node,
            key: *self.key.verifying_key().as_bytes(),
            epoch: self.epoch,
            unit: self.unit,
            may_delegate,
            not_before: BEGINNING,
            expires: BEGINNING + 365 * DAY_MILLIS,
            continues: None,
            person_key: Vec::new(),
        })))
    }
}

/// A territory of area prefix 99, of the list of 2026.
pub fn territory(code: &str) -> UnitId {
    UnitId::of_territory(code, 2026)
}

/// The registration of a territory.
pub fn registered(code: &str, level: Level, parent: Option<UnitId>) -> FactBody {
    FactBody::Unit(UnitFact::Registered {
        unit: territory(code),
        kind: UnitKind::Territory,
        level,
        parent,
        located_in: None,
        list_year: Some(2026),
        profile: profile(&format!("演示{code}"), CodeKind::Division, code),
    })
}

fn profile(name: &str, kind: CodeKind, code: &str) -> UnitProfile {
    UnitProfile {
        name: name.to_owned(),
        codes: vec![Code { kind, value: code.to_owned() }],
        ownership: None,
        industry: None,
        operating: true,
        no_union_reason: None,
        qualified: true,
    }
}

impl World {
    /// The federation of the root key of generated `seed`, without blocks.
    pub fn new(seed: u8) -> Self {
        let root = SigningKey::from_bytes(&[seed; 32]);
        Self { root, heads: BTreeMap::new(), clock: Hlc::at(BEGINNING), blocks: Vec::new() }
    }

    /// A province, a county and a township with their nodes, an employer with its union and 20 members.
    pub fn populated() -> (Self, [Writer; 3]) {
        let mut world = Self::new(1);
        let province = Writer::new(1, territory("99"));
        let county = Writer::new(2, territory("990121"));
        let township = Writer::new(3, territory("990121100"));
        let own = vec![registered("99", Level::Province, None), province.enrolment(true)];
        world.write(&province, Lane::Up, own);
        let below = registered("990121", Level::County, Some(province.unit));
        world.write(&province, Lane::Up, vec![below]);
        world.write(&province, Lane::Down(county.unit), vec![county.enrolment(true)]);
        let below = registered("990121100", Level::Township, Some(county.unit));
        world.write(&county, Lane::Up, vec![below]);
        world.write(&county, Lane::Down(township.unit), vec![township.enrolment(false)]);
        let branch = world.found(&township);
        for start in [0_u8, 10] {
            let joined = (start..start + 10).map(|number| Self::joined(branch, number)).collect();
            world.write(&township, Lane::Up, joined);
        }
        (world, [province, county, township])
    }

    /// Registers the samples' employer below the writer's unit, founds its union, tells its id.
    fn found(&mut self, writer: &Writer) -> BranchId {
        let host = sample::employer();
        let employer = FactBody::Unit(UnitFact::Registered {
            unit: host,
            kind: UnitKind::Employer,
            level: Level::Enterprise,
            parent: Some(writer.unit),
            located_in: Some(writer.unit),
            list_year: None,
            profile: profile("演示机械厂", CodeKind::Uscc, "91990121MA0000015B"),
        });
        self.write(writer, Lane::Up, vec![employer]);
        let chain = writer.chain(Lane::Up);
        let branch = BranchId::of_first_fact(&FactId { chain, seq: self.head(&chain).next_seq });
        let name = "演示机械厂工会".to_owned();
        let profile = BranchProfile { kind: BranchKind::Own, host, name, codes: Vec::new() };
        let founded = FactBody::Branch(BranchFact::Founded { branch, profile });
        self.write(writer, Lane::Up, vec![founded]);
        branch
    }

    /// Generated person `number` joins.
    pub fn joined(branch: BranchId, number: u8) -> FactBody {
        let member = MemberKey([number.wrapping_add(1); 16]);
        FactBody::Member(MemberFact { member, branch, act: MemberAct::Joined(sample::start()) })
    }

    /// The root key.
    pub fn root_key(&self) -> [u8; 32] {
        *self.root.verifying_key().as_bytes()
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        FederationId::of_root_key(&self.root_key())
    }

    /// Where a chain stands.
    pub fn head(&self, chain: &ChainId) -> ChainHead {
        self.heads.get(chain).copied().unwrap_or(ChainHead::empty(Hash::ZERO))
    }

    /// Begins a chain of a later epoch at the head of an earlier one.
    pub fn continue_from(&mut self, chain: ChainId, head: Hash) {
        self.heads.insert(chain, ChainHead::empty(head));
    }

    /// The facts of these bodies, each a millisecond after the one before.
    pub fn facts(&mut self, writer: &Writer, bodies: Vec<FactBody>) -> Vec<Fact> {
        let fact = |body| {
            self.clock = self.clock.plus_millis(1);
            Fact { hlc: self.clock, unit: writer.unit, ..sample::fact(body) }
        };
        bodies.into_iter().map(fact).collect()
    }

    /// Writes a block of these facts.
    #[allow(clippy::expect_used, reason = "a test that cannot write its facts is wrong")]
    pub fn write(&mut self, writer: &Writer, lane: Lane, bodies: Vec<FactBody>) -> Block {
        let facts = self.facts(writer, bodies);
        let chain = writer.chain(lane);
        let head = self.head(&chain);
        let place = head.next_place(self.federation(), chain);
        let block = Block::seal(place, &facts, &writer.key).expect("facts in bounds");
        let next = head.extended(block.header(), block.hash()).expect("the next block");
        self.heads.insert(chain, next);
        self.blocks.push(block.clone());
        block
    }

    /// The blocks by chain and height, for reading again.
    pub fn source(&self) -> BTreeMap<(ChainId, u64), Block> {
        let place = |block: &Block| (block.header().chain, block.header().height);
        self.blocks.iter().map(|block| (place(block), block.clone())).collect()
    }
}
