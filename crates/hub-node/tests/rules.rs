//! One parent, one child, one rule at a time; mixtures of them are the simulator's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{NOW, federation, key, node};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::{Fact, FactBody, UnitFact};
use hub_core::hash::Hash;
use hub_core::id::{ChainId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Millis, Precision};
use hub_node::io::{
    ChainRange, Channel, Context, Event, Hold, Input, JournalBlock, JournalId, Memory, Origin,
    Output, Position, Quota, Refusal, Scope, Start, StoredBlock,
};
use hub_node::limits::{
    ASK_PACE, DOOR_MILLIS, FRONTIER_PACE, RESTART_AGAIN_MILLIS, WANT_BYTES_PACE,
};
use hub_node::machine::Machine;
use hub_node::wire::{Ask, Cursor, Frontier, Message, Receipt, Ship, StreamId, sign};
use std::collections::BTreeMap;

const STREAM: StreamId = StreamId { journal: JournalId([5; 16]), run: 0 };

/// What the parent, node 1, holds and knows of its child, node 2.
#[derive(Default)]
struct World {
    blocks: BTreeMap<(ChainId, u64), Block>,
    child_enrolled: bool,
}

impl Context for World {
    fn key(&self, of: NodeId, epoch: u32) -> Option<[u8; 32]> {
        let known = epoch == 1 && self.child_enrolled && of == node(2);
        known.then(|| key(2).verifying_key().to_bytes())
    }

    fn head(&self, chain: &ChainId) -> Option<ChainHead> {
        let (_, last) = self.blocks.iter().rfind(|((of, _), _)| of == chain)?;
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

    fn beside(&self, _: &ChainId, _: u64, _: &Hash) -> bool {
        false
    }

    fn heads(&self, _: Option<&ChainId>, _: usize) -> Vec<(ChainId, ChainHead)> {
        Vec::new()
    }

    fn position(&self, _: &ChainId, _: u64) -> Option<Position> {
        None
    }

    fn concerns(&self, _: UnitId, _: UnitId) -> Option<Hlc> {
        None
    }

    fn serves_below(&self, _: UnitId, _: NodeId) -> bool {
        false
    }

    fn scope(&self, peer: NodeId) -> Option<Scope> {
        (peer == node(2)).then(|| Scope::Child(UnitId::of_territory("990121", 2026)))
    }

    fn forked_from(&self, _: &ChainId) -> Option<u64> {
        None
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        sign(&key(1), bytes)
    }
}

/// The child's first blocks, each stamped so many milliseconds after now.
fn blocks(stamps: &[Millis], signer: u8, reason: u16) -> Vec<Block> {
    let chain = ChainId { node: node(2), epoch: 1, lane: Lane::Up };
    let mut head = ChainHead::empty(Hash::ZERO);
    let unit = UnitId::of_territory("990121", 2026);
    let mut blocks = Vec::new();
    for stamp in stamps {
        let fact = Fact {
            hlc: Hlc::at(NOW + stamp),
            day: Day::of_millis(NOW),
            precision: Precision::Day,
            operator: 1,
            unit,
            document: None,
            attributes: Vec::new(),
            body: FactBody::Unit(UnitFact::Closed { unit, reason }),
        };
        let place = head.next_place(federation(), chain);
        let block = Block::seal(place, &[fact], &key(signer)).unwrap();
        head = head.extended(block.header(), block.hash()).unwrap();
        blocks.push(block);
    }
    blocks
}

fn parent(world: &World) -> Machine {
    let mut machine = Machine::new();
    machine.step(NOW, Input::Start(Box::new(start(Quota::default(), Vec::new()))), world);
    machine
}

fn start(quota: Quota, memories: Vec<Memory>) -> Start {
    Start {
        federation: federation(),
        node: node(1),
        epoch: 1,
        journal: JournalId([1; 16]),
        end: 0,
        parent: None,
        follows: false,
        quota,
        seed: 1,
        memories,
    }
}

fn ship(block: &Block, delivery: u64) -> Input {
    let position = block.header().height;
    let ship = Ship { stream: STREAM, after: position - 1, position, block: block.clone() };
    let bytes = Message::Ship(ship).encode(federation());
    Input::Received { from: node(2), channel: Channel::Up, bytes, delivery: Some(delivery) }
}

/// Stores what the machine wants stored, as a journal would; what it then does.
fn store(machine: &mut Machine, world: &mut World, outputs: &[Output]) -> Vec<Output> {
    let mut stored = Vec::new();
    for output in outputs {
        let Output::Store(batch) = output else { continue };
        for storing in batch {
            let header = *storing.block.header();
            world.blocks.insert((header.chain, header.height), storing.block.clone());
            let position = world.blocks.len() as Position;
            stored.push(StoredBlock { hash: storing.block.hash(), position });
        }
    }
    machine.step(NOW, Input::Stored(stored), world)
}

fn stores(outputs: &[Output]) -> usize {
    let batches = outputs.iter().filter_map(|output| match output {
        Output::Store(batch) => Some(batch.len()),
        _ => None,
    });
    batches.sum()
}

fn receipts(outputs: &[Output]) -> Vec<Receipt> {
    let messages = outputs.iter().filter_map(|output| match output {
        Output::Send { bytes, .. } => Message::decode(bytes, federation()).ok(),
        _ => None,
    });
    let receipts = messages.filter_map(|message| match message {
        Message::Receipt(receipt) => Some(*receipt),
        _ => None,
    });
    receipts.collect()
}

fn acknowledged(outputs: &[Output], wanted: u64) -> bool {
    outputs.iter().any(|o| matches!(o, Output::Acknowledge { delivery } if *delivery == wanted))
}

fn held(outputs: &[Output]) -> Vec<Hold> {
    let events = outputs.iter().filter_map(|output| match output {
        Output::Report(Event::Held { why, .. }) => Some(*why),
        _ => None,
    });
    events.collect()
}

#[test]
fn nothing_is_receipted_or_acknowledged_before_it_is_durable() {
    let mut world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let block = &blocks(&[0], 2, 1)[0];
    let outputs = machine.step(NOW, ship(block, 7), &world);
    assert_eq!((stores(&outputs), receipts(&outputs).len()), (1, 0));
    assert!(!acknowledged(&outputs, 7));
    let outputs = store(&mut machine, &mut world, &outputs);
    assert!(acknowledged(&outputs, 7));
    let receipt = &receipts(&outputs)[0];
    assert_eq!((receipt.cursor.position, receipt.child), (1, node(2)));
    assert!(receipt.verify(federation(), key(1).verifying_key().as_bytes()).is_ok());
    let again = machine.step(NOW, ship(block, 8), &world);
    assert!(acknowledged(&again, 8) && stores(&again) == 0, "known for ever");
}

#[test]
fn a_block_before_its_predecessor_waits_and_is_not_receipted() {
    let mut world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let blocks = blocks(&[0, 1], 2, 1);
    let outputs = machine.step(NOW, ship(&blocks[1], 1), &world);
    assert_eq!(held(&outputs), [Hold::Gap]);
    let outputs = machine.step(NOW, ship(&blocks[0], 2), &world);
    let outputs = store(&mut machine, &mut world, &outputs);
    assert_eq!(stores(&outputs), 1, "the second follows at once");
    let outputs = store(&mut machine, &mut world, &outputs);
    assert_eq!(receipts(&outputs)[0].cursor.position, 2);
}

#[test]
fn a_block_of_an_unknown_key_waits_for_its_enrolment() {
    let mut world = World::default();
    let mut machine = parent(&world);
    let outputs = machine.step(NOW, ship(&blocks(&[0], 2, 1)[0], 1), &world);
    assert_eq!((held(&outputs), stores(&outputs)), (vec![Hold::UnknownKey], 0));
    world.child_enrolled = true;
    assert_eq!(stores(&machine.step(NOW, Input::ViewAdvanced, &world)), 1);
}

#[test]
fn a_clock_too_far_ahead_is_held_at_the_door_and_let_in_in_time() {
    let world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let outputs = machine.step(NOW, ship(&blocks(&[600_001], 2, 1)[0], 1), &world);
    assert_eq!((held(&outputs), stores(&outputs)), (vec![Hold::Door], 0));
    assert_eq!(machine.status().below[0].held.len(), 1, "shown");
    assert_eq!(stores(&machine.step(NOW, Input::Tick, &world)), 0);
    assert_eq!(stores(&machine.step(NOW + 1, Input::Tick, &world)), 1);
}

#[test]
fn a_wrong_signature_a_stranger_and_rubbish_are_refused_by_name() {
    let world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let outputs = machine.step(NOW, ship(&blocks(&[0], 3, 1)[0], 1), &world);
    let refused = |outputs: &[Output]| {
        outputs.iter().find_map(|output| match output {
            Output::Reject { refusal, .. } => Some(refusal.clone()),
            _ => None,
        })
    };
    assert!(matches!(refused(&outputs), Some(Refusal::Block(_))));
    let Input::Received { channel, bytes, .. } = ship(&blocks(&[0], 2, 1)[0], 1) else { return };
    let strange = Input::Received { from: node(9), channel, bytes, delivery: Some(2) };
    assert_eq!(refused(&machine.step(NOW, strange, &world)), Some(Refusal::Stranger));
    let (from, bytes, delivery) = (node(2), vec![1, 2, 3], Some(3));
    let rubbish = Input::Received { from, channel, bytes, delivery };
    assert!(matches!(refused(&machine.step(NOW, rubbish, &world)), Some(Refusal::Garbage(_))));
    assert_eq!(machine.status().below[0].refused, 2, "counted under the sender's name");
}

#[test]
fn two_blocks_by_one_key_at_one_place_are_a_proof() {
    let mut world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let outputs = machine.step(NOW, ship(&blocks(&[0], 2, 1)[0], 1), &world);
    store(&mut machine, &mut world, &outputs);
    let outputs = machine.step(NOW, ship(&blocks(&[0], 2, 2)[0], 2), &world);
    let beside = |output: &Output| matches!(output, Output::Store(batch) if batch[0].beside);
    assert!(outputs.iter().any(beside), "kept and handed on like any other block");
    assert!(
        outputs.iter().any(|o| matches!(o, Output::Report(Event::Forked { height: 1, .. }))),
        "shown"
    );
}

/// Whether a delivery was left with its sender, to come again.
fn put_off(outputs: &[Output]) -> bool {
    outputs
        .iter()
        .any(|o| matches!(o, Output::Reject { refusal, .. } if *refusal == Refusal::OverQuota))
}

#[test]
fn what_is_over_a_childs_quota_stays_with_it_until_there_is_room_and_nothing_is_lost() {
    const HOUR: Millis = 3_600_000;
    let quota = Quota { facts: 2, bytes: 0, span: HOUR };
    let mut world = World { child_enrolled: true, ..World::default() };
    let mut machine = Machine::new();
    machine.step(NOW, Input::Start(Box::new(start(quota, Vec::new()))), &world);
    let blocks = blocks(&[0, 1, 2, 3], 2, 1);
    for (delivery, block) in (1..).zip(&blocks[..2]) {
        let outputs = machine.step(NOW, ship(block, delivery), &world);
        store(&mut machine, &mut world, &outputs);
    }
    let outputs = machine.step(NOW, ship(&blocks[2], 3), &world);
    assert!(put_off(&outputs) && stores(&outputs) == 0, "the third is too much");
    let told = |outputs: &[Output]| {
        outputs.iter().any(|o| matches!(o, Output::Report(Event::OverQuota { .. })))
    };
    assert!(told(&outputs));
    // one far ahead is not even held, nothing is asked for, and all that is known is known
    let outputs = machine.step(NOW, ship(&blocks[3], 4), &world);
    assert!(put_off(&outputs) && held(&outputs).is_empty() && !told(&outputs), "told once");
    let outputs = machine.step(NOW, ship(&blocks[0], 5), &world);
    assert!(acknowledged(&outputs, 5));
    let outputs = machine.step(NOW, Input::Tick, &world);
    let wants = |o: &&Output| match o {
        Output::Send { bytes, .. } => {
            matches!(Message::decode(bytes, federation()), Ok(Message::Want(_)))
        }
        _ => false,
    };
    assert_eq!(outputs.iter().filter(wants).count(), 0);
    let stands = machine.status().below[0].quota;
    assert_eq!((stands.facts, stands.over_since, stands.put_off), (2, Some(NOW), 2));
    // a restart gives nothing away
    let kept = outputs.iter().find_map(|o| match o {
        Output::Remember(memory) => Some(memory.clone()),
        _ => None,
    });
    let again = Start { end: 2, ..start(quota, vec![kept.unwrap()]) };
    machine.step(NOW, Input::Start(Box::new(again)), &world);
    assert!(put_off(&machine.step(NOW, ship(&blocks[2], 6), &world)));
    // as soon as there is room for a little it is asked for, taken whole, and receipted without a hole
    let outputs = machine.step(NOW + 1_000, Input::Tick, &world);
    assert_eq!(outputs.iter().filter(wants).count(), 1);
    let outputs = machine.step(NOW + 1_000, ship(&blocks[2], 7), &world);
    assert_eq!(stores(&outputs), 1);
    let outputs = store(&mut machine, &mut world, &outputs);
    assert_eq!(receipts(&outputs)[0].cursor.position, 3);
    // what that was too much must leak away first
    assert!(put_off(&machine.step(NOW + HOUR / 4, ship(&blocks[3], 8), &world)));
    assert_eq!(stores(&machine.step(NOW + HOUR / 2 + 1_000, ship(&blocks[3], 9), &world)), 1);
    assert_eq!(machine.status().below[0].quota.over_since, None);
}

fn asked(message: &Message) -> Input {
    let (channel, bytes) = (Channel::Ask, message.encode(federation()));
    Input::Received { from: node(2), channel, bytes, delivery: None }
}

fn ask(frontier: Option<Frontier>) -> Input {
    asked(&Message::Ask(Box::new(Ask {
        down: None,
        up: Cursor::start(STREAM),
        settled: false,
        frontier,
    })))
}

#[test]
fn a_child_that_asks_without_end_has_so_much_done_for_it_and_no_more() {
    let world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let mut answered = |now, often: u64, with: Option<Frontier>| {
        let (mut receipts_sent, mut compared) = (0, 0);
        for _ in 0..often {
            let outputs = machine.step(now, ask(with.clone()), &world);
            receipts_sent += receipts(&outputs).len() as u64;
            compared += outputs.iter().filter(|output| is_ahead(output)).count() as u64;
        }
        (receipts_sent, compared)
    };
    let many = 2 * ASK_PACE.at_once;
    assert_eq!(answered(NOW, many, None), (ASK_PACE.at_once, 0));
    assert_eq!(answered(NOW + 1_000, many, None), (ASK_PACE.a_second, 0), "then at the pace");
    let page = Frontier { after: None, last: true, whole: false, heads: Vec::new() };
    let later = NOW + 3_600_000;
    assert_eq!(answered(later, many, Some(page)), (ASK_PACE.at_once, FRONTIER_PACE.at_once));
}

fn is_ahead(output: &Output) -> bool {
    let Output::Send { bytes, .. } = output else { return false };
    matches!(Message::decode(bytes, federation()), Ok(Message::Ahead(_)))
}

#[test]
fn wants_without_end_are_read_for_up_to_the_pace() {
    let mut world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let block = blocks(&[0], 2, 1).remove(0);
    let outputs = machine.step(NOW, ship(&block, 1), &world);
    store(&mut machine, &mut world, &outputs);
    let range = ChainRange { chain: block.header().chain, first: 1, last: 1 };
    let bytes = block.bytes().len() as u64;
    let mut reads = 0;
    // the reader answers at once, so that reads under way bound nothing
    for _ in 0..2 * WANT_BYTES_PACE.at_once / (1_000 * bytes) {
        let outputs = machine.step(NOW, asked(&Message::Want(vec![range])), &world);
        for output in outputs {
            if let Output::ReadBlocks { request, .. } = output {
                reads += 1;
                let blocks = vec![block.clone(); 1_000];
                machine.step(NOW, Input::BlocksRead { request, blocks }, &world);
            }
        }
    }
    assert_eq!(reads, WANT_BYTES_PACE.at_once.div_ceil(1_000 * bytes));
}

#[test]
fn two_machines_of_one_name_have_its_stream_begin_anew_now_and_then_only() {
    let mut world = World { child_enrolled: true, ..World::default() };
    let mut machine = parent(&world);
    let block = blocks(&[0], 2, 1).remove(0);
    let mut restarts = 0;
    let seconds = 20;
    for millis in 0..seconds * 1_000 {
        let stream = StreamId { journal: JournalId([5 + (millis % 2) as u8; 16]), run: 0 };
        let ship = Ship { stream, after: 0, position: 1, block: block.clone() };
        let bytes = Message::Ship(ship).encode(federation());
        let (from, channel) = (node(2), Channel::Up);
        let input = Input::Received { from, channel, bytes, delivery: None };
        let outputs = machine.step(NOW + millis, input, &world);
        let anew = |o: &&Output| matches!(o, Output::Report(Event::StreamRestarted { .. }));
        restarts += outputs.iter().filter(anew).count() as u64;
        store(&mut machine, &mut world, &outputs);
    }
    assert_eq!(restarts, seconds * 1_000 / RESTART_AGAIN_MILLIS);
}

/// What a machine sends of blocks, as it names them: (epoch, whether in its stream).
fn sent(outputs: &[Output]) -> Vec<(u32, bool)> {
    let messages = outputs.iter().filter_map(|output| match output {
        Output::Send { bytes, .. } => Message::decode(bytes, federation()).ok(),
        _ => None,
    });
    let blocks = messages.filter_map(|message| match message {
        Message::Ship(ship) => Some((ship.block.header().chain.epoch, true)),
        Message::Loose(block) => Some((block.header().chain.epoch, false)),
        _ => None,
    });
    blocks.collect()
}

#[test]
fn what_an_epoch_signed_ahead_of_time_holds_up_no_later_one() {
    let ahead = 1_000 * DOOR_MILLIS;
    let world = World::default();
    let mut child = Machine::new();
    let start = Start {
        node: node(2),
        epoch: 2,
        journal: JournalId([2; 16]),
        end: 3,
        parent: Some(node(1)),
        ..start(Quota::default(), Vec::new())
    };
    child.step(NOW, Input::Start(Box::new(start)), &world);
    let mut own = blocks(&[0, ahead], 2, 1);
    let chain = ChainId { node: node(2), epoch: 2, lane: Lane::Up };
    let place = ChainHead::empty(own[1].hash()).next_place(federation(), chain);
    let facts = [own[0].body().unwrap()];
    let [hub_core::codec::Body::Rows(facts)] = &facts else { panic!("rows") };
    own.push(Block::seal(place, facts, &key(3)).unwrap());
    let journal: Vec<JournalBlock> = (1..)
        .zip(&own)
        .map(|(position, block)| JournalBlock {
            position,
            origin: Origin::Own,
            beside: false,
            block: block.clone(),
        })
        .collect();

    let mut parcel = child.clone();
    parcel.open_parcel(NOW, node(1), None, &world).unwrap();
    let read = Input::JournalRead { reader: node(1), after: 0, blocks: journal, end: 3 };
    parcel.step(NOW, Input::LocalAppended { up_to: 3 }, &world);
    let outputs = parcel.step(NOW, read, &world);
    assert_eq!(sent(&outputs), [(1, true), (2, true)], "what is ahead is passed over");

    // asked for, it is sent once its time has come
    let range = ChainRange { chain: own[1].header().chain, first: 2, last: 2 };
    let bytes = Message::Want(vec![range]).encode(federation());
    for (now, expected) in [(NOW, vec![]), (NOW + ahead, vec![(1, false)])] {
        let bytes = bytes.clone();
        let want = Input::Received { from: node(1), channel: Channel::Down, bytes, delivery: None };
        let outputs = child.step(now, want, &world);
        let request = outputs.iter().find_map(|output| match output {
            Output::ReadBlocks { request, .. } => Some(*request),
            _ => None,
        });
        let read = Input::BlocksRead { request: request.unwrap(), blocks: vec![own[1].clone()] };
        assert_eq!(sent(&child.step(now, read, &world)), expected);
    }
}
