//! A lane comes to concern a child after the stream to it has passed its blocks by; a child comes to a new parent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{NOW, federation, key, node};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::{Fact, FactBody, UnitFact};
use hub_core::hash::Hash;
use hub_core::id::{ChainId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Precision};
use hub_node::io::{
    ChainRange, Channel, Context, Input, JournalBlock, JournalId, Memory, Origin, Output, Position,
    Quota, Scope, Start,
};
use hub_node::machine::Machine;
use hub_node::wire::{Ask, Cursor, Frontier, Message, Receipt, StreamId, sign};

fn unit(number: u8) -> UnitId {
    UnitId([number; 16])
}

/// The books of node 1: its lane for the unit 7, a block each second.
struct Books {
    blocks: Vec<Block>,
    /// Until when that lane concerns the child.
    until: Option<Hlc>,
}

fn lane() -> ChainId {
    ChainId { node: node(1), epoch: 1, lane: Lane::Down(unit(7)) }
}

impl Books {
    fn new(count: u64) -> Self {
        let mut head = ChainHead::empty(Hash::ZERO);
        let mut blocks = Vec::new();
        for second in 0..count {
            let fact = Fact {
                hlc: Hlc::at(NOW + 1_000 * second),
                day: Day::of_millis(NOW),
                precision: Precision::Day,
                operator: 1,
                unit: unit(7),
                document: None,
                attributes: Vec::new(),
                body: FactBody::Unit(UnitFact::Closed { unit: unit(7), reason: 1 }),
            };
            let place = head.next_place(federation(), lane());
            let block = Block::seal(place, &[fact], &key(1)).unwrap();
            head = head.extended(block.header(), block.hash()).unwrap();
            blocks.push(block);
        }
        Self { blocks, until: None }
    }

    fn end(&self) -> Position {
        self.blocks.len() as Position
    }

    fn journal(&self, origin: Origin) -> Vec<JournalBlock> {
        let at = (1..).zip(&self.blocks);
        let beside = false;
        at.map(|(position, block)| JournalBlock { position, origin, beside, block: block.clone() })
            .collect()
    }
}

impl Context for Books {
    fn key(&self, of: NodeId, _: u32) -> Option<[u8; 32]> {
        (1..5).find(|seed| node(*seed) == of).map(|seed| key(seed).verifying_key().to_bytes())
    }

    fn head(&self, chain: &ChainId) -> Option<ChainHead> {
        let last = self.blocks.last().filter(|_| *chain == lane())?;
        let (height, hash) = (last.header().height, last.hash());
        let header = last.header();
        Some(ChainHead { height, hash, next_seq: header.next_seq(), last_hlc: header.last_hlc })
    }

    fn known(&self, chain: &ChainId, height: u64) -> Option<Hash> {
        self.block(chain, height).map(|block| block.hash())
    }

    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        let place = usize::try_from(height).ok()?.checked_sub(1)?;
        self.blocks.get(place).filter(|_| *chain == lane()).cloned()
    }

    fn heads(&self, after: Option<&ChainId>, _: usize) -> Vec<(ChainId, ChainHead)> {
        let head = self.head(&lane()).filter(|_| after.is_none());
        head.map(|head| (lane(), head)).into_iter().collect()
    }

    fn position(&self, chain: &ChainId, height: u64) -> Option<Position> {
        self.known(chain, height).map(|_| height)
    }

    fn concerns(&self, _: UnitId, _: UnitId) -> Option<Hlc> {
        self.until
    }

    fn serves_below(&self, _: UnitId, _: NodeId) -> bool {
        false
    }

    fn scope(&self, peer: NodeId) -> Option<Scope> {
        (peer == node(2)).then_some(Scope::Child(unit(2)))
    }

    fn beside(&self, _: &ChainId, _: u64, _: &Hash) -> bool {
        false
    }

    fn forked_from(&self, _: &ChainId) -> Option<u64> {
        None
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        sign(&key(1), bytes)
    }
}

fn start(parent: Option<NodeId>, end: Position, memories: Vec<Memory>) -> Input {
    Input::Start(Box::new(Start {
        federation: federation(),
        node: node(1),
        epoch: 1,
        journal: JournalId([1; 16]),
        end,
        parent,
        follows: false,
        quota: Quota::default(),
        seed: 1,
        memories,
    }))
}

/// The child holds our stream to here and nothing of the lane.
fn ask(position: Position, heads: Vec<hub_core::fact::governance::ChainHeight>) -> Input {
    let stream = StreamId { journal: JournalId([1; 16]), run: 0 };
    let up = Cursor::start(StreamId { journal: JournalId([2; 16]), run: 0 });
    let down = Some(Cursor { position, ..Cursor::start(stream) });
    let frontier = Some(Frontier { after: None, last: true, whole: false, heads });
    let ask = Message::Ask(Box::new(Ask { down, up, settled: true, frontier }));
    let bytes = ask.encode(federation());
    Input::Received { from: node(2), channel: Channel::Ask, bytes, delivery: None }
}

fn reads(outputs: &[Output]) -> Vec<(u64, Vec<ChainRange>)> {
    let reads = outputs.iter().filter_map(|output| match output {
        Output::ReadBlocks { request, ranges, .. } => Some((*request, ranges.clone())),
        _ => None,
    });
    reads.collect()
}

fn sent(outputs: &[Output]) -> Vec<Message> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send { bytes, .. } => Message::decode(bytes, federation()).ok(),
        _ => None,
    });
    sent.collect()
}

/// The machine reads up to where the child says it holds the stream.
fn reads_on(machine: &mut Machine, books: &Books) {
    let (reader, after, blocks) = (node(2), 0, books.journal(Origin::Own));
    let read = Input::JournalRead { reader, after, blocks, end: books.end() };
    machine.step(NOW, read, books);
}

#[test]
fn what_a_stream_passed_by_is_sent_once_its_lane_concerns_the_child() {
    let mut books = Books::new(4);
    let mut machine = Machine::new();
    // the journal goes on beyond what the child acknowledged: bundles are never at its end
    machine.step(NOW, start(None, books.end() + 9, Vec::new()), &books);
    assert!(reads(&machine.step(NOW, ask(4, Vec::new()), &books)).is_empty(), "not the child's");
    reads_on(&mut machine, &books);
    books.until = Some(Hlc::at(NOW + 2_000));
    let outputs = machine.step(NOW, ask(4, Vec::new()), &books);
    let [(request, ranges)] = reads(&outputs).try_into().unwrap();
    assert_eq!(ranges, [ChainRange { chain: lane(), first: 1, last: 4 }]);
    let input = Input::BlocksRead { request, blocks: books.blocks.clone() };
    let loose = sent(&machine.step(NOW, input, &books));
    assert_eq!(
        loose.len(),
        3,
        "of a lane of former days what was said by then, no more: {loose:?}"
    );
    // the child holds these: nothing is left to send, however often it asks
    let (chain, hash) = (lane(), books.blocks[2].hash());
    let held = hub_core::fact::governance::ChainHeight { chain, height: 3, hash };
    assert!(reads(&machine.step(NOW, ask(4, vec![held]), &books)).is_empty());
    books.until = Some(Hlc::MAX);
    assert_eq!(reads(&machine.step(NOW, ask(4, vec![held]), &books)).len(), 1);
}

#[test]
fn what_a_stream_will_bring_is_not_sent_beside_it() {
    let mut books = Books::new(4);
    books.until = Some(Hlc::MAX);
    let mut machine = Machine::new();
    machine.step(NOW, start(None, books.end(), Vec::new()), &books);
    assert!(reads(&machine.step(NOW, ask(0, Vec::new()), &books)).is_empty());
}

/// The records the machine wants kept, as a later start is given them.
fn remembered(outputs: &[Output], mut before: Vec<Memory>) -> Vec<Memory> {
    for output in outputs {
        let Output::Remember(memory) = output else { continue };
        before.retain(|known| known.peer != memory.peer);
        before.extend(Some(memory.clone()).filter(|memory| !memory.bytes.is_empty()));
    }
    before
}

/// What goes by name of blocks that came from above, when the parent says it holds nothing yet.
fn named_to(machine: &mut Machine, books: &Books, parent: u8) -> usize {
    let stream = StreamId { journal: JournalId([1; 16]), run: 0 };
    machine.step(NOW, Input::Connected { peer: node(parent) }, books);
    let receipt = Receipt {
        receiver: node(parent),
        receiver_epoch: 1,
        child: node(1),
        cursor: Cursor::start(stream),
        durable_at: NOW,
        stated_at: NOW,
        watermarks: Vec::new(),
        signature: [0; 64],
    };
    let receipt = receipt.signed(federation(), |bytes| sign(&key(parent), bytes));
    let bytes = Message::Receipt(Box::new(receipt)).encode(federation());
    let from = node(parent);
    let said = Input::Received { from, channel: Channel::Down, bytes, delivery: None };
    machine.step(NOW, said, books);
    let (reader, after, blocks) = (node(parent), 0, books.journal(Origin::Parent));
    let read = Input::JournalRead { reader, after, blocks, end: books.end() };
    let messages = sent(&machine.step(NOW, read, books)).into_iter();
    let named = messages.map(|message| match message {
        Message::References(references) => references.blocks.len(),
        _ => 0,
    });
    named.sum()
}

#[test]
fn a_new_parent_is_told_by_name_of_what_former_ones_said_and_the_old_one_is_forgotten() {
    let books = Books::new(4);
    let mut machine = Machine::new();
    let mut kept = remembered(&machine.step(NOW, start(Some(node(3)), 0, vec![]), &books), vec![]);
    assert_eq!(named_to(&mut machine, &books, 3), 0, "it said so itself");
    kept = remembered(&machine.step(NOW, Input::Tick, &books), kept);
    assert_eq!(kept.len(), 1);
    // the operator writes the new one into the configuration and starts the node again
    let outputs = machine.step(NOW, start(Some(node(4)), books.end(), kept.clone()), &books);
    kept = remembered(&outputs, kept);
    assert_eq!(kept.iter().map(|memory| memory.peer).collect::<Vec<_>>(), [node(4)]);
    assert!(machine.status().below.is_empty(), "the former parent is no child");
    // and again, before anything was said: what goes by name stays the same
    machine.step(NOW, start(Some(node(4)), books.end(), kept), &books);
    assert_eq!(named_to(&mut machine, &books, 4), 4);
}
