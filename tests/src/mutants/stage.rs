//! Where mutants are tried: a province and a city on real disks, a county that asks to be enrolled, and
//! the valid inputs that pass between them.

use super::MutantError;
use ed25519_dalek::SigningKey;
use hub::bundle::{Order, make};
use hub::clock::SystemClock;
use hub::config::Node;
use hub::enrol::{self, Approval, Asking, Founding};
use hub::replica::{Draft, Replica};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{Code, CodeKind, Fact, FactBody, UnitFact};
use hub_core::hash::Hash;
use hub_core::id::{FederationId, NodeId, UnitId};
use hub_core::time::Day;
use hub_core_tests::sample;
use hub_core_tests::world::World;
use hub_node::io::{Channel, Context, Input, Output, Storing};
use hub_node::machine::Machine;
use hub_node::wire::{Cursor, Message, Receipt, Watermark};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many blocks the city ships.
const BLOCKS: usize = 24;
/// How long the messages of one bundle may be together.
const BUNDLE_BYTES: usize = 4_096;

/// The federation of one run.
pub(super) struct Stage {
    _home: tempfile::TempDir,
    pub(super) province: Replica,
    pub(super) city: Replica,
    /// The directory of the county that has asked and not yet accepted.
    pub(super) county: PathBuf,
    pub(super) valid: Valid,
    /// A block of every kind of fact, and one of many member facts.
    pub(super) bodies: Vec<Block>,
}

/// What is accepted, and nothing else may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Valid {
    /// The city's blocks on their way up, each with its place in the stream.
    pub(super) ships: Vec<Vec<u8>>,
    /// The same blocks.
    pub(super) blocks: Vec<Vec<u8>>,
    /// The same stream in bundles, with their messages.
    pub(super) bundles: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// The province's receipts.
    pub(super) receipts: Vec<Vec<u8>>,
    /// The city's asks.
    pub(super) asks: Vec<Vec<u8>>,
    /// The county's request.
    pub(super) request: Vec<u8>,
    /// The answer with the chain file, and its blocks.
    pub(super) answer: (Vec<u8>, Vec<Vec<u8>>),
}

/// A machine that has just started on these books.
pub(super) fn machine(replica: &Replica) -> Result<Machine, MutantError> {
    let start = hub::status::start(replica).map_err(MutantError::of)?;
    let mut machine = Machine::new();
    machine.step(replica.now(), Input::Start(Box::new(start)), &replica.lookup());
    Ok(machine)
}

impl Stage {
    pub(super) fn raise() -> Result<Self, MutantError> {
        let home = tempfile::tempdir().map_err(MutantError::of)?;
        let place = |name: &str| home.path().join(name);
        let (at_province, at_city, county) = (place("province"), place("city"), place("county"));
        let founding = Founding {
            name: "演示省".into(),
            code: "99".into(),
            list_year: 2026,
            level: Level::Province,
        };
        let root_key = enrol::found(&at_province, &founding, Arc::new(SystemClock));
        let root_key = root_key.map_err(MutantError::of)?;
        let province = open(&at_province)?;
        let unit = register(&province, "9901", Level::City)?;
        enrol_below(&province, root_key, &at_city, unit)?;
        let city = open(&at_city)?;
        give_down(&province, &city)?;
        let unit = register(&city, "990121", Level::County)?;
        let asking = Asking { root_key, unit: "演示990121".into(), token: "8F3K-22QD".into() };
        let now = city.now();
        let (_, request) = enrol::request(&county, &asking, now).map_err(MutantError::of)?;
        let answer = approve(&city, &at_city, &request, unit)?;
        for number in 0..BLOCKS {
            register(&city, &format!("9901{:02}", 30 + number), Level::County)?;
        }
        let (valid, bodies) = (Valid::default(), bodies()?);
        let mut stage = Self { _home: home, province, city, county, valid, bodies };
        stage.valid.answer = (answer.clone(), chain_file(&answer, stage.federation())?);
        stage.valid.request = request;
        stage.note_stream()?;
        stage.note_asks()?;
        stage.note_receipts();
        Ok(stage)
    }

    pub(super) fn federation(&self) -> FederationId {
        self.province.who().federation
    }

    /// Everything the city ships, in messages and in bundles.
    fn note_stream(&mut self) -> Result<(), MutantError> {
        let order = Order {
            peer: self.province.who().node,
            from: None,
            answers: Vec::new(),
            bytes_max: BUNDLE_BYTES,
        };
        let mut packed = Vec::new();
        let mut write = |bundle: hub_node::bundle::Packed| {
            packed.push(bundle.bytes);
            Ok(())
        };
        make(&self.city, machine(&self.city)?, order, &mut write).map_err(MutantError::of)?;
        let federation = self.federation();
        for bytes in packed {
            let bundle = hub_node::bundle::decode(&bytes).map_err(MutantError::of)?;
            for message in &bundle.messages {
                if let Ok(Message::Ship(ship)) = Message::decode(message, federation) {
                    self.valid.ships.push(message.clone());
                    self.valid.blocks.push(ship.block.bytes().to_vec());
                }
            }
            self.valid.bundles.push((bytes, bundle.messages));
        }
        Ok(())
    }

    /// What the city asks once it is connected, and again a while later.
    fn note_asks(&mut self) -> Result<(), MutantError> {
        let mut machine = machine(&self.city)?;
        let peer = self.province.who().node;
        let now = self.city.now();
        let mut outputs = machine.step(now, Input::Connected { peer }, &self.city.lookup());
        for seconds in 1..=90 {
            outputs.extend(machine.step(now + seconds * 1_000, Input::Tick, &self.city.lookup()));
        }
        let asks = outputs.into_iter().filter_map(|output| match output {
            Output::Send { channel: Channel::Ask, bytes, .. } => Some(bytes),
            _ => None,
        });
        self.valid.asks = asks.collect();
        Ok(())
    }

    fn note_receipts(&mut self) {
        let (federation, who) = (self.federation(), self.province.who());
        let lookup = self.province.lookup();
        let mut receipts = Vec::new();
        for message in &self.valid.ships {
            let Ok(Message::Ship(ship)) = Message::decode(message, federation) else { continue };
            let cursor =
                Cursor { stream: ship.stream, position: ship.position, hash: Hash([7; 32]) };
            let ancestor = NodeId([receipts.len() as u8; 16]);
            let receipt = Receipt {
                receiver: who.node,
                receiver_epoch: who.epoch,
                child: self.city.who().node,
                cursor,
                durable_at: self.province.now(),
                stated_at: self.province.now(),
                watermarks: vec![Watermark { ancestor, position: ship.after, durable_at: 9 }],
                signature: [0; 64],
            };
            let receipt = receipt.signed(federation, |bytes| lookup.sign(bytes));
            receipts.push(Message::Receipt(Box::new(receipt)).encode(federation));
        }
        drop(lookup);
        self.valid.receipts = receipts;
    }

    /// A key that nobody enrolled.
    pub(super) fn stranger(&self) -> SigningKey {
        SigningKey::from_bytes(&[0x5a; 32])
    }
}

fn bodies() -> Result<Vec<Block>, MutantError> {
    let seal = |facts: &[Fact]| {
        let place = ChainHead::empty(Hash::ZERO).next_place(sample::federation(), sample::chain());
        Block::seal(place, facts, &sample::signer()).map_err(MutantError::of)
    };
    let each = sample::every_kind();
    let mut blocks: Vec<Block> =
        each.iter().map(|fact| seal(std::slice::from_ref(fact))).collect::<Result<_, _>>()?;
    let joined = |number: u8| {
        let mut fact = sample::fact(World::joined(sample::branch(), number));
        fact.hlc = fact.hlc.plus_millis(u64::from(number));
        fact
    };
    let many: Vec<Fact> = (0..200).map(joined).collect();
    blocks.push(seal(&many)?);
    Ok(blocks)
}

fn open(directory: &Path) -> Result<Replica, MutantError> {
    let node = Node::load(directory).map_err(MutantError::of)?;
    Ok(Replica::open(&node, Arc::new(SystemClock)).map_err(MutantError::of)?.0)
}

/// Registers a territory below the unit the node serves, in a block of its own.
fn register(replica: &Replica, code: &str, level: Level) -> Result<UnitId, MutantError> {
    let unit = UnitId::of_territory(code, 2026);
    let parent = replica.who().unit.ok_or(MutantError("the node serves no unit".into()))?;
    let registered = UnitFact::Registered {
        unit,
        kind: UnitKind::Territory,
        level,
        parent: Some(parent),
        located_in: None,
        list_year: Some(2026),
        profile: UnitProfile {
            name: format!("演示{code}"),
            codes: vec![Code { kind: CodeKind::Division, value: code.to_owned() }],
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        },
    };
    let today = Day::of_millis(replica.now());
    let draft = Draft::new(parent, today, FactBody::Unit(registered));
    replica.write(vec![draft]).map_err(MutantError::of)?;
    Ok(unit)
}

/// The whole enrolment of a node below the province.
fn enrol_below(
    parent: &Replica,
    root_key: hub::config::RootKey,
    directory: &Path,
    unit: UnitId,
) -> Result<(), MutantError> {
    let asking = Asking { root_key, unit: "演示9901".into(), token: String::new() };
    let (_, request) = enrol::request(directory, &asking, parent.now()).map_err(MutantError::of)?;
    let answer = approve(parent, directory, &request, unit)?;
    enrol::accept(directory, &answer, None, None).map_err(MutantError::of)?;
    Ok(())
}

fn approve(
    parent: &Replica,
    directory: &Path,
    request: &[u8],
    unit: UnitId,
) -> Result<Vec<u8>, MutantError> {
    let request = enrol::requested(parent, request).map_err(MutantError::of)?;
    let approval = Approval { unit, may_delegate: true, days: 365, with_person_key: false };
    let children = directory.with_extension("children.toml");
    let approved = enrol::approve(parent, &request, &approval, &children);
    Ok(approved.map_err(MutantError::of)?.answer)
}

/// What the parent holds reaches the child, as its down lanes would.
fn give_down(parent: &Replica, child: &Replica) -> Result<(), MutantError> {
    let mut blocks = Vec::new();
    for stored in parent.journal().scan(hub_log::Position::START) {
        let (block, from) = (stored.map_err(MutantError::of)?.block, parent.who().node);
        blocks.push(Storing { block, from, beside: false });
    }
    child.ingest(blocks).map_err(MutantError::of)?;
    Ok(())
}

fn chain_file(answer: &[u8], federation: FederationId) -> Result<Vec<Vec<u8>>, MutantError> {
    match Message::decode(answer, federation).map_err(MutantError::of)? {
        Message::EnrolAnswer(answer) => {
            Ok(answer.chain.iter().map(|block| block.bytes().to_vec()).collect())
        }
        _ => Err(MutantError("the answer is none".into())),
    }
}
