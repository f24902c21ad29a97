//! Properties of blocks and bodies: every fact comes back as it went in, equal facts have one encoding,
//! and no bytes, however hit, panic a reader or are taken for something they are not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::block::{Block, Place, SealError};
use hub_core::chain::ChainHead;
use hub_core::codec::{self, Body, CodecError};
use hub_core::fact::member::MemberAct;
use hub_core::fact::{Attribute, Fact, FactBody, FigureFact, GovernanceFact, KINDS};
use hub_core::hash::{Hash, sha256};
use hub_core::header::{
    BODY_BYTES_MAX, FACTS_MAX, HEADER_BYTES, Header, HeaderError, SIGNED_BYTES,
};
use hub_core::time::Hlc;
use hub_core_tests::{sample, strategy};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

fn place() -> Place {
    ChainHead::empty(Hash::ZERO).next_place(sample::federation(), sample::chain())
}

fn seal(facts: &[Fact]) -> Block {
    Block::seal(place(), facts, &sample::signer()).unwrap()
}

/// A block with another body under a header and signature that fit it.
fn with_body(block: &Block, body: &[u8], count: u32) -> Block {
    let header = Header {
        count,
        body_length: body.len() as u32,
        body_hash: sha256(&[body]),
        ..*block.header()
    };
    Block::signed(header, body, &sample::signer())
}

/// Always the same facts, so that a failure repeats.
fn seeded(cases: u32) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[0x5a; 32]);
    TestRunner::new_with_rng(Config { cases, failure_persistence: None, ..Config::default() }, rng)
}

/// What a body that decodes must keep: it encodes to the same bytes, with facts that pass every check.
fn assert_canonical(header: &Header, body: &[u8], decoded: Body) {
    let facts = decoded.into_facts();
    let (codec, again) = codec::encode(&facts).unwrap();
    assert_eq!((codec, again.as_slice()), (header.codec, body));
    assert!(facts.iter().all(|fact| fact.check().is_ok()));
}

#[test]
fn every_fact_comes_back_as_it_went_in() {
    let kinds = RefCell::new(BTreeSet::new());
    seeded(768)
        .run(&strategy::block_facts(24), |facts| {
            kinds.borrow_mut().extend(facts.iter().map(|fact| fact.body.kind()));
            let block = seal(&facts);
            let parsed = Block::parse(block.bytes().clone()).unwrap();
            prop_assert_eq!(&parsed, &block);
            parsed.verify(sample::verifier().as_bytes()).unwrap();
            prop_assert_eq!(parsed.body().unwrap().into_facts(), facts);
            Ok(())
        })
        .unwrap();
    assert_eq!(kinds.into_inner(), BTreeSet::from(KINDS), "kinds the strategy never made");
}

#[test]
fn every_fact_comes_back_from_json() {
    seeded(256)
        .run(&strategy::block_facts(8), |facts| {
            for fact in facts {
                let text = serde_json::to_string(&fact).unwrap();
                prop_assert_eq!(serde_json::from_str::<Fact>(&text).unwrap(), fact);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_full_block_of_every_kind_fits_its_bounds() {
    let facts: Vec<Fact> = (0..u64::from(FACTS_MAX))
        .map(|step| {
            let act = MemberAct::Left { reason: hub_core::fact::member::LeaveReason::Resigned };
            let mut fact = sample::fact(sample::member((step % 251) as u8, act));
            fact.hlc = Hlc(fact.hlc.0 + step);
            fact
        })
        .collect();
    assert_eq!(seal(&facts).body().unwrap().into_facts(), facts);
    let mut over = facts.clone();
    over.push(Fact { hlc: Hlc(facts[4095].hlc.0 + 1), ..facts[0].clone() });
    let counted = CodecError::Count { expected: "1 to 4096", found: 4097 };
    assert_eq!(Block::seal(place(), &over, &sample::signer()), Err(SealError::Codec(counted)));
    let none = CodecError::Count { expected: "1 to 4096", found: 0 };
    assert_eq!(Block::seal(place(), &[], &sample::signer()), Err(SealError::Codec(none)));
}

#[test]
fn every_byte_of_a_block_is_under_its_signature() {
    for fact in sample::every_kind() {
        let block = seal(&[fact]);
        for place in 0..block.bytes().len() {
            let mut bytes = block.bytes().to_vec();
            bytes[place] ^= 1 << (place % 8);
            let Ok(hit) = Block::parse(bytes) else { continue };
            assert!(hit.verify(sample::verifier().as_bytes()).is_err(), "byte {place}");
        }
    }
}

/// Bodies hit at random, resealed so that the codec has to judge them: bytes changed, taken out, put in,
/// copied over, and counts lied about. Nothing panics, and what is accepted has no other encoding.
#[test]
fn hit_bodies_are_refused_or_canonical() {
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let hits = (strategy::block_facts(12), proptest::collection::vec(any::<(u16, u8, u8)>(), 1..5));
    seeded(6_000)
        .run(&hits, |(facts, hits)| {
            let block = seal(&facts);
            let mut body = block.body_bytes().to_vec();
            let mut count = block.header().count;
            for (place, kind, value) in hits {
                let place = usize::from(place) % body.len().max(1);
                match kind % 6 {
                    0 if !body.is_empty() => body[place] = value,
                    1 if !body.is_empty() => body[place] ^= 1 << (value % 8),
                    2 if body.len() > 1 => drop(body.remove(place)),
                    3 => body.insert(place, value),
                    4 => body.truncate(place.max(1)),
                    _ => count = (count + u32::from(value % 3)).clamp(1, FACTS_MAX),
                }
            }
            if body.is_empty() {
                return Ok(());
            }
            let hit = with_body(&block, &body, count);
            let hit = Block::parse(hit.bytes().clone()).unwrap();
            match hit.body() {
                Ok(decoded) => {
                    assert_canonical(hit.header(), &body, decoded);
                    accepted.set(accepted.get() + 1);
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused.set(refused.get() + 1);
                }
            }
            Ok(())
        })
        .unwrap();
    let (accepted, refused) = (accepted.get(), refused.get());
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 100 && refused > 1_000, "{accepted} accepted, {refused} refused");
}

#[test]
fn random_bytes_are_no_block() {
    seeded(2_000)
        .run(&proptest::collection::vec(any::<u8>(), 0..600), |bytes| {
            prop_assert!(Block::parse(bytes.clone()).is_err());
            for codec in [codec::ROWS, codec::COLUMNS] {
                let sealed = seal(&[sample::every_kind()[0].clone()]);
                let header = Header { codec, count: 3, ..*sealed.header() };
                if let Ok(decoded) = codec::decode(&header, &bytes) {
                    assert_canonical(&header, &bytes, decoded);
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_header_names_what_is_wrong() {
    let block = seal(&[sample::every_kind()[0].clone()]);
    let hit = |place: usize, value: u8| {
        let mut bytes = block.bytes().to_vec();
        bytes[place] = value;
        Block::parse(bytes).map(|_| ()).unwrap_err()
    };
    let all = block.bytes().len();
    let length = |bytes: &[u8]| Block::parse(bytes.to_vec()).map(|_| ()).unwrap_err();
    let short = HeaderError::Length { expected: HEADER_BYTES, found: 100 };
    assert_eq!(length(&block.bytes()[..100]), short);
    let cut = HeaderError::Length { expected: all, found: all - 1 };
    assert_eq!(length(&block.bytes()[..all - 1]), cut);
    let more = [block.bytes(), &[0_u8][..]].concat();
    assert_eq!(length(&more), HeaderError::Length { expected: all, found: all + 1 });
    assert_eq!(hit(0, b'X'), HeaderError::Magic(*b"XUBB"));
    assert_eq!(hit(5, 9), HeaderError::Format(9));
    assert_eq!(hit(6, 2), HeaderError::Suite(2));
    assert!(matches!(hit(43, 2), HeaderError::Lane(_)));
    let bounds = |error| match error {
        HeaderError::Bounds { field, .. } => field,
        other => panic!("{other}"),
    };
    assert_eq!(bounds(hit(42, 0)), "epoch");
    assert_eq!(bounds(hit(60, 0xff)), "height");
    assert_eq!(bounds(hit(68, 0xff)), "first_seq");
    assert_eq!(bounds(hit(76, 1)), "count");
    assert_eq!(bounds(hit(112, 0xff)), "last_hlc");
    assert_eq!(bounds(hit(129, 1)), "body_length");
    assert!(matches!(hit(all - 1, 0xff), HeaderError::BodyHash { .. }));
    let mut bytes = block.bytes().to_vec();
    bytes[SIGNED_BYTES] ^= 1;
    let key = *sample::verifier().as_bytes();
    let wrong = Block::parse(bytes).unwrap().verify(&key);
    assert_eq!(wrong, Err(HeaderError::Signature { expected: key }));
}

fn rows_of(facts: &[Fact]) -> Block {
    let block = seal(facts);
    assert_eq!(block.header().codec, codec::ROWS);
    block
}

fn refused(block: &Block, body: &[u8]) -> CodecError {
    with_body(block, body, block.header().count).body().unwrap_err()
}

#[test]
fn rows_name_what_is_wrong() {
    let named = sample::every_kind().into_iter().find(|f| f.body.kind() == "branch.refused");
    let block = rows_of(&[named.unwrap()]);
    let body = block.body_bytes();
    let cut = refused(&block, &body[..body.len() - 3]);
    let text = "材料不全".len();
    let expected = CodecError::Truncated { at: body.len() - text, expected: text, found: text - 3 };
    assert_eq!(cut, expected);
    let trailing = refused(&block, &[body, &[0]].concat());
    let (expected, found) = (body.len(), body.len() + 1);
    assert_eq!(trailing, CodecError::Trailing { expected, found });
    let lied = with_body(&block, body, 2).body().unwrap_err();
    assert!(matches!(lied, CodecError::Truncated { .. } | CodecError::NotCanonical { .. }));

    // the reason's length, one byte before its text, in the nine-byte form: first a huge, then a long one
    let claim = |length: u64| {
        let start = body.len() - text - 1;
        let mut bytes = body[..start].to_vec();
        bytes.push(253);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&body[start + 1..]);
        refused(&block, &bytes)
    };
    let at = body.len() - text - 1;
    let huge = CodecError::Claim { at, expected: BODY_BYTES_MAX, found: 1 << 40 };
    assert_eq!(claim(1 << 40), huge);
    let CodecError::NotCanonical { at: place, what } = claim(text as u64) else { panic!() };
    assert_eq!((place, what.as_str()), (at, "shortest form: expected 0c, found fd"));
    let ends = claim(200);
    assert!(matches!(ends, CodecError::Truncated { expected: 200, found: 12, .. }), "{ends}");

    let mut bytes = body.to_vec();
    let last = bytes.len() - 1;
    bytes[last] = 0xff;
    assert!(refused(&block, &bytes).to_string().contains("expected UTF-8"));
    bytes[last] = body[last];
    bytes[last - 2] = 7;
    assert!(matches!(refused(&block, &bytes), CodecError::NotCanonical { .. }));
    let control = body[..body.len() - text].to_vec();
    let control = [control, "\u{7}材料不\u{7}\u{7}".bytes().collect()].concat();
    let CodecError::Fact { index: 0, error } = refused(&block, &control) else { panic!() };
    assert_eq!(error.field, "reason");
}

#[test]
fn unknown_kinds_and_codecs_are_named() {
    let block = rows_of(&[sample::every_kind()[5].clone()]);
    // step, day (3), precision, operator, unit, document, attributes, family
    let family = 1 + 3 + 1 + 1 + 16 + 1 + 1;
    let mut body = block.body_bytes().to_vec();
    assert_eq!(body[family..family + 2], [0, 5], "the family and the variant stand here");
    body[family] = 77;
    assert_eq!(refused(&block, &body), CodecError::UnknownKind { list: "variant", found: 77 });
    body[family] = 0;
    body[family + 1] = 99;
    assert_eq!(refused(&block, &body), CodecError::UnknownKind { list: "variant", found: 99 });
    let header = Header { codec: 9, ..*block.header() };
    let foreign = Block::signed(header, block.body_bytes(), &sample::signer());
    let parsed = Block::parse(foreign.bytes().clone()).unwrap();
    assert_eq!(parsed.body(), Err(CodecError::UnknownCodec(9)), "stored, but unreadable");

    let left = seal(&[sample::fact(sample::member(1, MemberAct::Erased))]);
    // one union, one unit, one operator, no document, the mask; then the kinds as one run
    let kinds = 17 + 17 + 2 + 1 + 2;
    let mut body = left.body_bytes().to_vec();
    assert_eq!(body[kinds..kinds + 2], [1, 7], "the run of kinds stands here");
    body[kinds + 1] = 99;
    let unknown = CodecError::UnknownKind { list: "member facts", found: 99 };
    assert_eq!(refused(&left, &body), unknown);
}

#[test]
fn member_facts_travel_in_columns_only() {
    let member = sample::fact(sample::member(1, MemberAct::Erased));
    let mut unit = sample::every_kind()[5].clone();
    unit.hlc = Hlc(member.hlc.0 + 1);
    let mixed = Block::seal(place(), &[member, unit.clone()], &sample::signer());
    assert_eq!(mixed, Err(SealError::Codec(CodecError::Mixed)));
    // a member fact smuggled into rows: family 2 in the place of family 0, with a body that decodes
    let block = rows_of(&[unit]);
    let family = 24;
    let mut body = block.body_bytes()[..family].to_vec();
    body.push(2);
    body.extend_from_slice(&[1; 32]);
    body.push(7);
    assert_eq!(refused(&block, &body), CodecError::Mixed);
}

/// A list that claims 2^60 entries, and columns that would unfold to far more than their bytes.
#[test]
fn bombs_are_refused_before_they_unfold() {
    let digest = Hash::ZERO;
    let empty = GovernanceFact::Checkpointed { frontier: Vec::new(), digest, part: 1, parts: 1 };
    let block = rows_of(&[sample::fact(FactBody::Governance(empty))]);
    let list = block.body_bytes().len() - 35;
    assert_eq!(block.body_bytes()[list], 0, "the length of the frontier stands here");
    for claimed in [1_u64 << 60, 4_097] {
        let mut body = block.body_bytes()[..list].to_vec();
        body.push(253);
        body.extend_from_slice(&claimed.to_be_bytes());
        body.extend_from_slice(&[0; 200]);
        let error = refused(&block, &body).to_string();
        let expected = format!("expected at most 4096 entries, found {claimed}");
        assert!(error.contains(&expected), "{error}");
    }
    let mut many = sample::fact(sample::member(1, MemberAct::Erased));
    many.attributes = (0..33).map(|code| Attribute { code, value: 0 }).collect();
    let counted = CodecError::Count { expected: "at most 32 attribute codes", found: 33 };
    let sealed = Block::seal(place(), &[many.clone()], &sample::signer());
    assert_eq!(sealed, Err(SealError::Codec(counted)));
    many.attributes.pop();
    let block = seal(&[many]);
    let codes = block.body_bytes().len() - 1 - 32 * 5;
    assert_eq!(block.body_bytes()[codes], 32, "the number of codes stands here");
    let mut body = block.body_bytes().to_vec();
    body[codes] = 33;
    assert!(refused(&block, &body).to_string().contains("expected at most 32, found 33"));
}

#[test]
fn facts_out_of_bounds_make_no_block() {
    let mut report = sample::every_kind().into_iter().find(|f| f.body.kind() == "figure.reported");
    let report = report.as_mut().unwrap();
    if let FactBody::Figure(FigureFact::Reported { values, .. }) = &mut report.body {
        values.reverse();
    }
    let sealed = Block::seal(place(), std::slice::from_ref(report), &sample::signer());
    let Err(SealError::Fact { index: 0, error }) = sealed else { panic!("{sealed:?}") };
    assert_eq!((error.field, error.found.as_str()), ("values", "[102, 101]"));
    let twice = vec![sample::every_kind()[0].clone(); 2];
    let sealed = Block::seal(place(), &twice, &sample::signer());
    assert_eq!(sealed, Err(SealError::Order { index: 1 }));
    assert_eq!(codec::encode(&twice), Err(CodecError::Clock { index: 1 }));
}
