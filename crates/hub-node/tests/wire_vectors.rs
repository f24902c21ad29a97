//! The vectors of `schemas/wire.md` decode, encode to the same bytes, and no cut or flip of them panics.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::block::{Block, Place};
use hub_core::fact::governance::{ChainHeight, LaneHead};
use hub_core::fact::{Fact, FactBody, UnitFact};
use hub_core::hash::{Hash, hex_decode, hex_encode};
use hub_core::id::{ChainId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Precision};
use hub_core::{SigningKey, chain::ChainHead};
use hub_node::io::{ChainRange, JournalId};
use hub_node::wire::{
    Ask, Cursor, EnrolAnswer, EnrolRequest, Frontier, Message, Receipt, Reference, References,
    Ship, StreamId, Watermark, sign,
};

const DESCRIPTION: &str = include_str!("../../../schemas/wire.md");

fn key() -> SigningKey {
    SigningKey::from_bytes(&[0x22; 32])
}

fn node() -> NodeId {
    NodeId::of_first_key(key().verifying_key().as_bytes())
}

fn federation() -> FederationId {
    FederationId::of_root_key(key().verifying_key().as_bytes())
}

fn chain() -> ChainId {
    ChainId { node: node(), epoch: 1, lane: Lane::Up }
}

fn block() -> Block {
    let unit = UnitId::of_territory("990121", 2026);
    let fact = Fact {
        hlc: Hlc::at(1_795_138_200_000),
        day: Day(20_777),
        precision: Precision::Day,
        operator: 1,
        unit,
        document: None,
        attributes: Vec::new(),
        body: FactBody::Unit(UnitFact::Closed { unit, reason: 1 }),
    };
    let place: Place = ChainHead::empty(Hash::ZERO).next_place(federation(), chain());
    Block::seal(place, &[fact], &key()).unwrap()
}

fn samples() -> Vec<(&'static str, Message)> {
    let stream = StreamId { journal: JournalId([0x33; 16]), run: 1 };
    let cursor = Cursor { stream, position: 9, hash: Hash([0x44; 32]) };
    let head = ChainHeight { chain: chain(), height: 1, hash: block().hash() };
    let receipt = Receipt {
        receiver: node(),
        receiver_epoch: 1,
        child: NodeId([0x55; 16]),
        cursor,
        durable_at: 1_795_138_200_001,
        stated_at: 1_795_138_200_002,
        watermarks: vec![Watermark { ancestor: NodeId([0x66; 16]), position: 7, durable_at: 3 }],
        signature: [0; 64],
    };
    let request = EnrolRequest {
        node: node(),
        key: key().verifying_key().to_bytes(),
        sealing_key: [0x77; 32],
        epoch: 1,
        unit: "黑河市".into(),
        token: "8F3K-22QD".into(),
        courier: "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4".into(),
        requested_at: 1_795_138_200_000,
        continues: None,
        proof: None,
        signature: [0; 64],
    };
    let continued = LaneHead { lane: Lane::Up, height: 1, hash: block().hash() };
    let renewal =
        EnrolRequest { epoch: 2, continues: Some((1, vec![continued])), ..request.clone() };
    let renewal = renewal.proven(federation(), |bytes| sign(&key(), bytes));
    let frontier = Frontier { after: None, last: true, whole: false, heads: vec![head] };
    let ask = Ask { down: Some(cursor), up: cursor, settled: true, frontier: Some(frontier) };
    let reference = Reference { position: 8, block: head };
    vec![
        ("ship", Message::Ship(Ship { stream, after: 8, position: 9, block: block() })),
        (
            "references",
            Message::References(References { stream, after: 7, blocks: vec![reference], end: 9 }),
        ),
        ("loose", Message::Loose(block())),
        (
            "receipt",
            Message::Receipt(Box::new(receipt.signed(federation(), |bytes| sign(&key(), bytes)))),
        ),
        ("ask", Message::Ask(Box::new(ask))),
        ("want", Message::Want(vec![ChainRange { chain: chain(), first: 1, last: 3 }])),
        ("wake-up", Message::WakeUp),
        ("ahead", Message::Ahead(vec![head])),
        (
            "enrol-request",
            Message::EnrolRequest(Box::new(
                request.signed(federation(), |bytes| sign(&key(), bytes)),
            )),
        ),
        (
            "enrol-renewal",
            Message::EnrolRequest(Box::new(
                renewal.signed(federation(), |bytes| sign(&key(), bytes)),
            )),
        ),
        (
            "enrol-answer",
            Message::EnrolAnswer(Box::new(EnrolAnswer {
                node: node(),
                parent: NodeId([0x66; 16]),
                refusal: String::new(),
                root_key: key().verifying_key().to_bytes(),
                chain: vec![block()],
            })),
        ),
    ]
}

fn vector(name: &str) -> Vec<u8> {
    let opening = format!("vector `{name}`:\n```\n");
    let from = DESCRIPTION.find(&opening).unwrap_or_else(|| panic!("no {opening}"));
    let text = &DESCRIPTION[from + opening.len()..];
    let hex: String = text[..text.find("```").unwrap()].split_whitespace().collect();
    hex_decode(&hex).unwrap()
}

#[test]
fn the_description_holds_what_the_code_writes() {
    for (name, message) in samples() {
        let bytes = message.encode(federation());
        assert_eq!(hex_encode(&vector(name)), hex_encode(&bytes), "{name}");
        assert_eq!(Message::decode(&bytes, federation()), Ok(message), "{name}");
    }
}

#[test]
fn cut_grown_and_flipped_messages_are_errors_or_other_messages_but_never_panics() {
    for (name, message) in samples() {
        let bytes = message.encode(federation());
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut], federation()).is_err(), "{name} cut at {cut}");
        }
        let grown = [&bytes[..], &[0]].concat();
        assert!(Message::decode(&grown, federation()).is_err(), "{name} grown");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Message::decode(&flipped, federation()) {
                assert_eq!(other.encode(federation()), flipped, "{name}: two encodings");
            }
        }
    }
}

#[test]
fn a_changed_receipt_or_request_is_not_signed() {
    for (_, message) in samples() {
        match message {
            Message::Receipt(mut receipt) => {
                let public = key().verifying_key().to_bytes();
                assert_eq!(receipt.verify(federation(), &public), Ok(()));
                receipt.cursor.position += 1;
                assert!(receipt.verify(federation(), &public).is_err());
            }
            Message::EnrolRequest(mut request) => {
                assert_eq!(request.verify(federation()), Ok(()));
                let public = key().verifying_key().to_bytes();
                assert_eq!(request.is_proven(federation(), &public), Ok(request.epoch == 2));
                request.unit.push('x');
                assert!(request.verify(federation()).is_err());
                assert_eq!(request.is_proven(federation(), &public).is_ok(), request.epoch == 1);
            }
            _ => {}
        }
    }
}
