//! Bundles as `schemas/bundle.md` describes them, and what cut, changed and boastful ones come to.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::SigningKey;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::governance::ChainHeight;
use hub_core::fact::{Fact, FactBody, UnitFact};
use hub_core::hash::{Hash, hex_decode, hex_encode};
use hub_core::id::{ChainId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Precision};
use hub_node::bundle::{BundleError, Heading, Packed, Packer, decode, encode};
use hub_node::io::{ChainRange, JournalId};
use hub_node::limits::{
    BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX, BUNDLE_RANGES_MAX, MESSAGE_BYTES_MAX,
};
use hub_node::wire::{Cursor, Message, Reference, References, Ship, StreamId, extend, sign};

const DESCRIPTION: &str = include_str!("../../../schemas/bundle.md");

fn key() -> SigningKey {
    SigningKey::from_bytes(&[0x22; 32])
}

fn public() -> [u8; 32] {
    key().verifying_key().to_bytes()
}

fn heading() -> Heading {
    Heading {
        federation: FederationId::of_root_key(&public()),
        from: NodeId::of_first_key(&public()),
        from_epoch: 1,
        to: NodeId([0x55; 16]),
        upwards: true,
        made_at: 1_795_138_200_000,
    }
}

fn chain() -> ChainId {
    ChainId { node: heading().from, epoch: 1, lane: Lane::Up }
}

fn begins() -> Cursor {
    let stream = StreamId { journal: JournalId([0x33; 16]), run: 1 };
    Cursor { stream, position: 8, hash: Hash([0x44; 32]) }
}

/// The first blocks of one chain, a fact in each.
fn blocks(count: u64) -> Vec<Block> {
    let unit = UnitId::of_territory("990121", 2026);
    let mut head = ChainHead::empty(Hash::ZERO);
    let block = |number: u64| {
        let fact = Fact {
            hlc: Hlc::at(1_795_138_200_000 + number),
            day: Day(20_777),
            precision: Precision::Day,
            operator: 1,
            unit,
            document: None,
            attributes: Vec::new(),
            body: FactBody::Unit(UnitFact::Closed { unit, reason: 1 }),
        };
        let place = head.next_place(heading().federation, chain());
        let block = Block::seal(place, &[fact], &key()).unwrap();
        head = head.extended(block.header(), block.hash()).unwrap();
        block
    };
    (0..count).map(block).collect()
}

/// The blocks as a stream: all whole but every fourth, which goes by name.
fn stream(blocks: &[Block]) -> Vec<Message> {
    let Cursor { stream, mut position, .. } = begins();
    let message = |(number, block): (usize, &Block)| {
        let after = position;
        position += 1;
        if number % 4 == 3 {
            let (height, hash) = (block.header().height, block.hash());
            let block = ChainHeight { chain: chain(), height, hash };
            let blocks = vec![Reference { position, block }];
            return Message::References(References { stream, after, blocks, end: position });
        }
        Message::Ship(Ship { stream, after, position, block: block.clone() })
    };
    blocks.iter().enumerate().map(message).collect()
}

fn signed(bytes: &[u8]) -> [u8; 64] {
    sign(&key(), bytes)
}

fn pack(messages: &[Message], bytes_max: usize) -> Vec<Packed> {
    let mut packer = Packer::new(heading(), begins(), bytes_max);
    let mut packed = Vec::new();
    for message in messages {
        packed.extend(packer.add(message.encode(heading().federation), signed).unwrap());
    }
    packed.extend(packer.finish(signed).unwrap());
    packed
}

fn sample() -> Packed {
    let mut messages = stream(&blocks(1));
    messages.push(Message::Want(vec![ChainRange { chain: chain(), first: 2, last: 3 }]));
    pack(&messages, BUNDLE_BYTES_MAX).remove(0)
}

/// The rows of the first table after a heading, cell by cell.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let section = DESCRIPTION.split(heading).nth(1).unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let table = lines.take_while(|line| line.starts_with('|')).skip(2);
    table.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_vector_is_what_the_code_writes() {
    let vector = DESCRIPTION.split("vector `bundle`:\n```\n").nth(1).unwrap();
    let text: String = vector.split("```").next().unwrap().split_whitespace().collect();
    let packed = sample();
    assert_eq!(text, hex_encode(&packed.bytes), "the bytes of schemas/bundle.md");
    let bundle = decode(&hex_decode(&text).unwrap()).unwrap();
    assert_eq!(bundle.manifest, packed.manifest);
    assert_eq!((bundle.check(), bundle.verify(&public())), (Ok(()), Ok(())));
    assert_eq!(bundle.blocks().collect::<Vec<_>>(), blocks(1));
    let name = bundle.manifest.file_name();
    assert!(name.is_ascii() && name.ends_with("-000000000008-000000000009.hub"), "{name}");
}

#[test]
fn fields_stand_where_the_table_says() {
    let (packed, mut place) = (sample(), 0);
    let manifest = &packed.manifest;
    for row in rows("## Layout") {
        let [field, at, bytes, _] = row[..] else { panic!("{row:?}") };
        if let Ok(at) = at.parse::<usize>() {
            assert_eq!(at, place, "{field}");
        }
        let Ok(bytes) = bytes.parse::<usize>() else {
            place += if field == "range" { 53 * manifest.ranges.len() } else { 0 };
            continue;
        };
        let found = &packed.bytes[place..place + bytes];
        let number = || found.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        match field {
            "magic" => assert_eq!(found, b"HUBP"),
            "version" => assert_eq!(number(), 0),
            "federation" => assert_eq!(found, manifest.federation.0),
            "from" => assert_eq!(found, manifest.from.0),
            "from epoch" => assert_eq!(number(), u64::from(manifest.from_epoch)),
            "to" => assert_eq!(found, manifest.to.0),
            "upwards" => assert_eq!(number(), u64::from(manifest.upwards)),
            "made at" => assert_eq!(number(), manifest.made_at),
            "journal" => assert_eq!(found, manifest.stream.journal.0),
            "run" => assert_eq!(number(), u64::from(manifest.stream.run)),
            "first" => assert_eq!(number(), manifest.first),
            "first hash" => assert_eq!(found, manifest.first_hash.0),
            "last" => assert_eq!(number(), manifest.last),
            "last hash" => assert_eq!(found, manifest.last_hash.0),
            "ranges" => assert_eq!(number(), manifest.ranges.len() as u64),
            "messages" => assert_eq!(number(), 2),
            "messages bytes" => assert_eq!(number() as usize, packed.bytes.len() - place - 8 - 96),
            "messages hash" => {
                let body = &packed.bytes[place + 32 + 64..];
                assert_eq!(found, hub_core::hash::sha256(&[body]).0);
            }
            "signature" => assert_eq!(found, signed(&packed.bytes[..place])),
            other => panic!("a field no test knows: {other}"),
        }
        place += bytes;
    }
    let bounds: Vec<usize> = rows("## Bounds").iter().map(|row| row[1].parse().unwrap()).collect();
    let known = [BUNDLE_RANGES_MAX, BUNDLE_MESSAGES_MAX, BUNDLE_BYTES_MAX, MESSAGE_BYTES_MAX];
    assert_eq!(bounds, known);
}

#[test]
fn no_cut_and_no_flipped_bit_passes() {
    let bytes = sample().bytes;
    for cut in 0..bytes.len() {
        assert!(decode(&bytes[..cut]).is_err());
    }
    assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let good = decode(&flipped).is_ok_and(|bundle| bundle.verify(&public()).is_ok());
        assert!(!good, "bit {bit} may change unseen");
    }
}

#[test]
fn claims_beyond_the_bounds_are_refused_by_name() {
    let packed = sample();
    let counts = 169 + 53 * packed.manifest.ranges.len();
    let with = |at: usize, claim: &[u8]| {
        let mut bytes = packed.bytes.clone();
        bytes[at..at + claim.len()].copy_from_slice(claim);
        decode(&bytes).unwrap_err()
    };
    let messages = (BUNDLE_MESSAGES_MAX as u32 + 1).to_be_bytes();
    assert!(matches!(with(counts, &messages), BundleError::TooMuch { what: "messages", .. }));
    for length in [BUNDLE_BYTES_MAX as u64 + 1, u64::MAX] {
        let error = with(counts + 4, &length.to_be_bytes());
        assert!(matches!(error, BundleError::TooMuch { what: "bundle bytes", .. }), "{error}");
    }
    // More ranges than bytes are there for, and more than a bundle may list.
    for ranges in [1_000_u16, u16::MAX] {
        assert!(matches!(with(167, &ranges.to_be_bytes()), BundleError::Field(_)));
    }
    // More messages than there are: the hash is right, the count is not.
    assert!(matches!(with(counts, &3_u32.to_be_bytes()), BundleError::Field(_)));
    assert_eq!(with(0, b"HUBM"), BundleError::Magic(*b"HUBM"));
    assert_eq!(with(4, &7_u16.to_be_bytes()), BundleError::Version(7));
}

#[test]
fn a_manifest_that_says_something_else_than_its_messages_is_found() {
    let packed = sample();
    let messages = decode(&packed.bytes).unwrap().messages;
    let lie = |change: &dyn Fn(&mut hub_node::bundle::Manifest)| {
        let mut manifest = packed.manifest.clone();
        change(&mut manifest);
        let bundle = decode(&encode(&manifest, &messages, signed).unwrap()).unwrap();
        assert_eq!(bundle.verify(&public()), Ok(()), "signed, and yet no truth");
        bundle.check().unwrap_err()
    };
    let stream = lie(&|manifest| manifest.stream.run += 1);
    assert!(matches!(stream, BundleError::Stream { .. }));
    let lies: [(&str, BundleError); 4] = [
        ("position", lie(&|manifest| manifest.first -= 1)),
        ("last position", lie(&|manifest| manifest.last += 1)),
        ("first bytes of the last stream hash", lie(&|manifest| manifest.last_hash.0[0] ^= 1)),
        ("chain ranges", lie(&|manifest| manifest.ranges.clear())),
    ];
    for (expected, error) in lies {
        assert!(
            matches!(error, BundleError::Manifest { field, .. } if field == expected),
            "{error}"
        );
    }
}

#[test]
fn bundles_of_any_size_bring_the_same_stream() {
    let blocks = blocks(23);
    let messages = stream(&blocks);
    let mut hash = begins().hash;
    for block in &blocks {
        hash = extend(hash, block.hash());
    }
    let bytes: Vec<Vec<u8>> = messages.iter().map(|m| m.encode(heading().federation)).collect();
    for bytes_max in [0, 1, 400, 777, 1_500, 4_000, usize::MAX] {
        let packed = pack(&messages, bytes_max);
        let (mut at, mut brought) = (begins(), Vec::new());
        for packed in &packed {
            let bundle = decode(&packed.bytes).unwrap();
            assert_eq!((bundle.check(), bundle.manifest.begins()), (Ok(()), at));
            at = bundle.manifest.ends();
            let length: usize = bundle.messages.iter().map(|message| message.len() + 4).sum();
            assert!(length <= bytes_max || bundle.messages.len() == 1);
            brought.extend(bundle.messages);
        }
        assert_eq!((at.position, at.hash), (8 + 23, hash));
        assert_eq!(brought, bytes);
    }
}

#[test]
fn a_message_that_leaves_a_hole_or_is_of_another_stream_goes_into_no_bundle() {
    let blocks = blocks(2);
    let mut packer = Packer::new(heading(), begins(), BUNDLE_BYTES_MAX);
    let second = stream(&blocks).remove(1).encode(heading().federation);
    let hole = BundleError::Manifest { field: "position", expected: 8, found: 9 };
    assert_eq!(packer.add(second, signed), Err(hole));
    let stream = StreamId { run: 2, ..begins().stream };
    let other = Ship { stream, after: 8, position: 9, block: blocks[0].clone() };
    let other = Message::Ship(other).encode(heading().federation);
    assert!(matches!(packer.add(other, signed), Err(BundleError::Stream { .. })));
    assert!(matches!(packer.add(vec![0; 40], signed), Err(BundleError::Field(_))));
    let long = vec![0; MESSAGE_BYTES_MAX + 1];
    assert!(matches!(packer.add(long, signed), Err(BundleError::TooMuch { .. })));
    assert_eq!(packer.finish(signed), Ok(None), "nothing of these is in it");
}
