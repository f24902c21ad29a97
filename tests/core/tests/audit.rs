//! An auditor with a log and a root key: what is whole is proven, what is not is named, all of it at once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::SigningKey;
use hub_core::audit::{
    Entry, Finding, FindingKind, Region, ReplayDifference, first_difference, replay,
    replay_difference, root_key_in, verify,
};
use hub_core::block::Block;
use hub_core::chain::ChainError;
use hub_core::fact::governance::LaneHead;
use hub_core::fact::unit::Level;
use hub_core::fact::{FactBody, GovernanceFact};
use hub_core::header::Header;
use hub_core::id::{BranchId, ChainId, FactId, FederationId, Lane};
use hub_core::view::fork::Sides;
use hub_core::view::verdict::Reason;
use hub_core_tests::sample;
use hub_core_tests::world::{World, Writer, registered, territory};
use std::collections::BTreeMap;

type Source = BTreeMap<(ChainId, u64), Block>;

fn entries(blocks: &[Block]) -> Vec<Entry> {
    blocks.iter().cloned().map(Entry::Block).collect()
}

fn source(blocks: &[Block]) -> Source {
    let place = |block: &Block| (block.header().chain, block.header().height);
    blocks.iter().rev().map(|block| (place(block), block.clone())).collect()
}

/// The findings of this log, as kinds with their chain and height.
fn findings(world: &World, log: Vec<Entry>, source: &Source) -> Vec<Finding> {
    verify(&world.root_key(), log, source).findings
}

#[test]
fn a_whole_log_is_proven() {
    let (world, _) = World::populated();
    let proven = verify(&world.root_key(), entries(&world.blocks), &world.source());
    assert_eq!(proven.findings, []);
    assert_eq!((proven.blocks, proven.signatures), (9, 9));
    assert_eq!((proven.facts, proven.standing, proven.withdrawn), (28, 28, 0));
    assert_eq!(proven.heads.len(), 5);
    let replayed = replay(&world.root_key(), &entries(&world.blocks), &world.source());
    assert_eq!(replayed.findings, []);
    assert_eq!(replayed.digest, proven.digest);
    assert_eq!((replayed.member_facts, replayed.persons), (20, 20));
    assert!(replayed.parked.is_empty());
}

#[test]
fn order_and_repetition_prove_the_same() {
    let (world, _) = World::populated();
    let straight = verify(&world.root_key(), entries(&world.blocks), &world.source());
    let mut shuffled = world.blocks.clone();
    shuffled.extend(world.blocks.clone());
    shuffled.reverse();
    let again = verify(&world.root_key(), entries(&shuffled), &world.source());
    assert_eq!(again.findings, []);
    assert_eq!((again.blocks, again.digest), (straight.blocks, straight.digest));
}

#[test]
fn another_root_proves_nothing() {
    let (world, _) = World::populated();
    let other = World::new(77);
    let foreign = findings(&other, entries(&world.blocks), &world.source());
    assert_eq!(foreign.len(), world.blocks.len());
    assert!(foreign.iter().all(|f| matches!(f.kind, FindingKind::Federation { .. })));
    let key = world.root_key();
    let found = world.blocks.iter().find_map(|block| root_key_in(block, &world.federation()));
    assert_eq!(found, Some(key));
    let none = world.blocks.iter().find_map(|block| root_key_in(block, &other.federation()));
    assert_eq!(none, None);
}

#[test]
fn everything_wrong_is_named_at_once() {
    let (mut world, [province, county, township]) = World::populated();
    // a body of a later version
    let unreadable = world.write(
        &county,
        Lane::Up,
        vec![registered("990121200", Level::Township, Some(county.unit))],
    );
    let header = Header { codec: 9, ..*unreadable.header() };
    let unreadable = Block::signed(header, unreadable.body_bytes(), &county.key);
    *world.blocks.last_mut().unwrap() = unreadable.clone();
    // a township that registers beside itself
    let beyond = registered("990121300", Level::Township, Some(county.unit));
    let parked = world.write(&township, Lane::Up, vec![beyond]);
    // a block of the province by another key
    let late = registered("990122", Level::County, Some(province.unit));
    let forged = world.write(&province, Lane::Up, vec![late]);
    let thief = SigningKey::from_bytes(&[0x99; 32]);
    let forged = Block::signed(*forged.header(), forged.body_bytes(), &thief);
    *world.blocks.last_mut().unwrap() = forged.clone();
    // a writer nobody enrolled
    let stranger = Writer::new(9, territory("990123"));
    let strange = world.write(&stranger, Lane::Up, vec![stranger.enrolment(true)]);
    // the county's only block of a down lane has a twin
    let twin_at = ChainId { lane: Lane::Down(county.unit), ..county.chain(Lane::Up) };
    let one = registered("990121500", Level::Township, Some(county.unit));
    let original = world.write(&county, twin_at.lane, vec![one]);
    let other = registered("990121600", Level::Township, Some(county.unit));
    let facts = world.facts(&county, vec![other]);
    let place = hub_core::chain::ChainHead::empty(hub_core::hash::Hash::ZERO)
        .next_place(world.federation(), twin_at);
    let twin = Block::seal(place, &facts, &county.key).unwrap();
    // the first block of members is lost, and the store found damage
    let lost = world.blocks.iter().position(|b| b.header().codec == 2).unwrap();
    let lost = world.blocks.remove(lost);

    let mut log = entries(&world.blocks);
    log.push(Entry::Block(twin.clone()));
    let region = Region {
        place: "segment 0 offset 4096".into(),
        what: "checksum".into(),
        block: Some((lost.header().chain, lost.header().height)),
    };
    log.insert(0, Entry::Damaged(region.clone()));
    let source: Sides = world.blocks.iter().chain([&twin]).cloned().collect();
    let found = verify(&world.root_key(), log, &source).findings;

    let at = |block: &Block, kind: FindingKind| Finding {
        chain: Some(block.header().chain),
        height: Some(block.header().height),
        kind,
    };
    let key = *province.key.verifying_key().as_bytes();
    let signature = hub_core::header::HeaderError::Signature { expected: key };
    let fork = FindingKind::Fork { first: original.hash(), second: twin.hash(), proven: true };
    let why = "codec: expected 1 or 2, found 9".to_owned();
    let first = parked.fact_id(0);
    let suspended = original.fact_id(0);
    let open = FindingKind::Parked { reason: Reason::Forked, first: suspended, facts: 1 };
    let expected = [
        at(&lost, FindingKind::Damaged(region)),
        at(&lost, FindingKind::Missing { to: lost.header().height }),
        at(&forged, FindingKind::Signature(signature)),
        at(&strange, FindingKind::UnknownWriter { blocks: 1 }),
        at(&twin, fork),
        at(&twin, open),
        at(&unreadable, FindingKind::Unreadable { why }),
        at(&parked, FindingKind::Parked { reason: Reason::NoAuthority, first, facts: 1 }),
    ];
    for finding in &expected {
        assert!(found.contains(finding), "expected {finding}");
    }
    let more: Vec<String> =
        found.iter().filter(|f| !expected.contains(f)).map(Finding::to_string).collect();
    assert_eq!(more, Vec::<String>::new());
}

/// A township that enrols a county node of its own and writes blocks for it changes nothing.
#[test]
fn a_forger_cannot_vouch_for_itself() {
    let (mut world, [_, county, township]) = World::populated();
    let before = verify(&world.root_key(), entries(&world.blocks), &world.source());
    let puppet = Writer { key: SigningKey::from_bytes(&[0x66; 32]), epoch: 2, ..county.clone() };
    world.write(&township, Lane::Down(county.unit), vec![puppet.enrolment(true)]);
    let own = Writer::new(0x65, county.unit);
    world.write(&township, Lane::Down(county.unit), vec![own.enrolment(true)]);
    for liar in [&puppet, &own] {
        let claimed = registered("990121400", Level::Township, Some(county.unit));
        world.write(liar, Lane::Up, vec![liar.enrolment(true), claimed]);
    }
    let after = verify(&world.root_key(), entries(&world.blocks), &world.source());
    assert_eq!(after.standing, before.standing);
    assert_eq!(after.digest, before.digest);
    let unknown = after
        .findings
        .iter()
        .filter(|f| matches!(f.kind, FindingKind::UnknownWriter { blocks: 1 }));
    assert_eq!(unknown.count(), 2);
    assert_eq!(after.parked, BTreeMap::from([(Reason::NoAuthority, 2)]));
}

#[test]
fn a_chain_that_does_not_follow_is_named() {
    let (world, [.., township]) = World::populated();
    let chain = township.chain(Lane::Up);
    let third = world.source()[&(chain, 3)].clone();
    let header = Header { previous: sample::federation_hash(), ..*third.header() };
    let moved = Block::signed(header, third.body_bytes(), &township.key);
    let blocks: Vec<Block> = world
        .blocks
        .iter()
        .map(|block| if *block == third { moved.clone() } else { block.clone() })
        .collect();
    let found = findings(&world, entries(&blocks), &source(&blocks));
    let second = world.source()[&(chain, 2)].hash();
    let is_link = |finding: &&Finding| matches!(finding.kind, FindingKind::Link(_));
    let links: Vec<(Option<u64>, &FindingKind)> =
        found.iter().filter(is_link).map(|finding| (finding.height, &finding.kind)).collect();
    let link = |expected, found| FindingKind::Link(ChainError::Previous { expected, found });
    let wrong = link(second, sample::federation_hash());
    let after = link(moved.hash(), third.hash());
    assert_eq!(links, [(Some(3), &wrong), (Some(4), &after)]);
    // two blocks are named for the second place by one key: from there on nothing counts
    let open = FindingKind::Parked {
        reason: Reason::Forked,
        first: world.source()[&(chain, 2)].fact_id(0),
        facts: 1,
    };
    assert!(found.contains(&Finding { chain: Some(chain), height: Some(2), kind: open }));
}

#[test]
fn two_logs_differ_first_where_they_do() {
    let (world, [.., township]) = World::populated();
    let whole = replay(&world.root_key(), &entries(&world.blocks), &world.source());
    let same = replay(&world.root_key(), &entries(&world.blocks), &world.source());
    assert_eq!(replay_difference(&whole, &same), None);
    let short = &world.blocks[..world.blocks.len() - 1];
    let cut = replay(&world.root_key(), &entries(short), &source(short));
    let chain = township.chain(Lane::Up);
    let difference = first_difference(&whole.ledger, &cut.ledger).unwrap();
    assert_eq!((difference.chain, difference.height, difference.right), (chain, 4, None));
    assert_eq!(difference.left, world.blocks.last().map(Block::hash));
    let expected = Some(ReplayDifference::Blocks(difference));
    assert_eq!(replay_difference(&whole, &cut), expected);
    assert_eq!(whole.ledger.len(), world.blocks.len());
    let other = World::new(7);
    let empty = replay(&other.root_key(), &Vec::new(), &Source::new());
    assert!(empty.ledger.is_empty());
    let federations: (FederationId, FederationId) = (world.federation(), other.federation());
    let expected = Some(ReplayDifference::Federation(federations.0, federations.1));
    assert_eq!(replay_difference(&whole, &empty), expected);
}

/// A rotated key: its first block continues the head its enrolment names, or that is a finding.
#[test]
fn a_new_epoch_continues_the_head_it_was_given() {
    for honest in [true, false] {
        let (mut world, [_, county, township]) = World::populated();
        let up = township.chain(Lane::Up);
        let head = world.head(&up);
        let key = SigningKey::from_bytes(&[0x44; 32]);
        let rotated = Writer { key, epoch: 2, ..township.clone() };
        let mut enrolment = rotated.enrolment(false);
        if let FactBody::Governance(GovernanceFact::NodeEnrolled(enrolled)) = &mut enrolment {
            let lane = LaneHead { lane: Lane::Up, height: head.height, hash: head.hash };
            enrolled.continues = Some((1, vec![lane]));
        }
        world.write(&county, Lane::Down(township.unit), vec![enrolment]);
        let from = if honest { head.hash } else { world.blocks[0].hash() };
        world.continue_from(rotated.chain(Lane::Up), from);
        let branch = BranchId::of_first_fact(&FactId { chain: up, seq: 2 });
        let block = world.write(&rotated, Lane::Up, vec![World::joined(branch, 77)]);
        let proven = verify(&world.root_key(), entries(&world.blocks), &world.source());
        let kind = FindingKind::Continues { expected: head.hash, found: from };
        let (chain, height) = (Some(block.header().chain), Some(1));
        let expected = if honest { vec![] } else { vec![Finding { chain, height, kind }] };
        assert_eq!(proven.findings, expected);
        assert_eq!(proven.standing, 30, "28 facts, the enrolment and one member");
    }
}
