//! DESIGN §9: where a key signed twice at one place, which side counts follows from the blocks held and from
//! nothing else: not from what came first, nor from what was folded before the fork was known.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::audit::{ForkProof, Unproven};
use hub_core::block::Block;
use hub_core::chain::Fork;
use hub_core::fact::FactBody;
use hub_core::fact::unit::UnitFact;
use hub_core::hash::Hash;
use hub_core::id::{FederationId, Lane, NodeId, UnitId};
use hub_core::time::Day;
use hub_core::view::View;
use hub_core::view::fork::{ForkedChain, Sides};
use hub_core::view::verdict::{Reason, Verdict};
use hub_core_tests::federation::Federation;
use hub_core_tests::offices::{Entry, Office};
use hub_core_tests::random::Random;
use std::collections::BTreeMap;

/// How many federations, and how many acts each.
const WORLDS: u64 = 120;
const ACTS: usize = 130;

/// All that may be asked of a view, by names that do not depend on arrival.
#[derive(Debug, PartialEq)]
struct Picture {
    digest: Hash,
    members: Hash,
    forks: Vec<ForkedChain>,
    parked: BTreeMap<Reason, u64>,
    verdicts: BTreeMap<Hash, Vec<Verdict>>,
}

fn picture(view: &mut View, world: &Federation) -> Picture {
    let verdicts = world.all_blocks().map(|block| (block.hash(), view.block_verdicts(block)));
    let verdicts = verdicts.collect();
    Picture {
        digest: view.digest(),
        members: view.member_digest(),
        forks: view.forks().collect(),
        parked: view.parked(),
        verdicts,
    }
}

fn empty(world: &Federation) -> View {
    View::new(world.id(), world.root_key)
}

/// Whether a side of a fork that does not count holds the block.
fn is_left_out(verdicts: &[Verdict]) -> bool {
    let left_out = [Verdict::Parked(Reason::Forked), Verdict::Parked(Reason::OtherSide)];
    verdicts.iter().any(|verdict| left_out.contains(verdict))
}

fn seeds() -> Vec<u64> {
    let one = std::env::var("HUB_SEED").ok().map(|seed| seed.parse().unwrap());
    one.map_or_else(|| (0..WORLDS).collect(), |seed| vec![seed])
}

#[derive(Debug, Default)]
struct Fired {
    forks: usize,
    settled: usize,
    suspended: usize,
    within_a_side: usize,
    sides_of_three: usize,
    uncounted_facts: usize,
    counted_later: usize,
    roots: usize,
    roots_settled: usize,
}

#[test]
fn which_side_counts_follows_from_the_blocks_alone() {
    let mut fired = Fired::default();
    for seed in seeds() {
        let world = Federation::forked(seed, ACTS);
        let sides: Sides = world.all_blocks().cloned().collect();
        let mut whole = empty(&world);
        whole.apply_all(world.all_blocks(), &sides);
        let expected = picture(&mut whole, &world);
        let mut rng = Random::new(seed ^ 1);
        for round in 0..3 {
            let mut order: Vec<&Block> = world.all_blocks().collect();
            let doubled: Vec<&Block> = order.iter().copied().filter(|_| rng.one_in(5)).collect();
            order.extend(doubled);
            rng.shuffle(&mut order);
            let mut view = empty(&world);
            let most = [1, 5, 60][round];
            while !order.is_empty() {
                let size = (1 + rng.index(most)).min(order.len());
                for block in order.split_off(order.len() - size) {
                    view.add(block);
                }
                view.settle(&sides);
            }
            assert_eq!(picture(&mut view, &world), expected, "seed {seed}, round {round}");
        }
        only_what_counts_is_folded(&world, &expected, seed);
        note(&mut fired, &expected, NodeId::of_first_key(&world.root_key));
    }
    println!("{fired:?}");
    if seeds().len() > 1 {
        let Fired { forks, settled, suspended, within_a_side, sides_of_three, .. } = fired;
        let counts = [forks, settled, suspended, within_a_side, sides_of_three];
        assert!(counts.iter().all(|count| *count > 0), "never happened: {fired:?}");
        assert!(fired.uncounted_facts > 0 && fired.counted_later > 0, "{fired:?}");
        assert!(fired.roots_settled > 0 && fired.roots > fired.roots_settled, "{fired:?}");
    }
}

/// The view of a set with forks is the view of what counts of it, and nothing more.
fn only_what_counts_is_folded(world: &Federation, expected: &Picture, seed: u64) {
    let counted =
        || world.all_blocks().filter(|block| !is_left_out(&expected.verdicts[&block.hash()]));
    let sides: Sides = counted().cloned().collect();
    let mut view = empty(world);
    view.apply_all(counted(), &sides);
    assert_eq!(view.forks().count(), 0, "seed {seed}: one side alone is no fork");
    let found = (view.digest(), view.member_digest());
    assert_eq!(found, (expected.digest, expected.members), "seed {seed}");
}

fn note(fired: &mut Fired, picture: &Picture, root: NodeId) {
    let mut last = None;
    for fork in &picture.forks {
        fired.forks += 1;
        fired.settled += usize::from(fork.settled_by.is_some());
        if fork.chain.node == root {
            fired.roots += 1;
            let Some(by) = fork.settled_by else { continue };
            fired.roots_settled += 1;
            assert!(by.chain.node == root && by.chain.epoch > fork.chain.epoch, "{fork:?}");
        }
        fired.suspended += usize::from(fork.settled_by.is_none());
        fired.within_a_side += usize::from(last == Some(fork.chain));
        fired.sides_of_three += usize::from(fork.sides.len() > 2);
        last = Some(fork.chain);
        let counting = fork.sides.iter().filter(|side| side.counts).count();
        assert!(counting <= 1 && (counting == 1) == fork.settled_by.is_some(), "{fork:?}");
        // what came later than another side and counts all the same
        let late = fork.sides.iter().any(|side| {
            side.counts && fork.sides.iter().any(|other| !other.counts && other.last < side.last)
        });
        fired.counted_later += usize::from(late);
    }
    let left_out = [Reason::Forked, Reason::OtherSide];
    let facts = left_out.iter().filter_map(|reason| picture.parked.get(reason));
    fired.uncounted_facts += facts.sum::<u64>() as usize;
}

/// A county that the root enrolled, copied, and a block of each copy.
fn proof() -> (ForkProof, [u8; 32]) {
    let unit = |code| UnitId::of_territory(code, 2024);
    let mut root = Office::new("root", unit("990000"));
    let root_key = root.public_key();
    let federation = FederationId::of_root_key(&root_key);
    let mut county = Office::new("county", unit("990001"));
    let today = Day(20_000);
    let entry = |office: &Office, body| Entry::new(today, office.unit, body);
    let seal = |office: &mut Office, lane, body| {
        let entry = entry(office, body);
        office.seal(federation, lane, today.start_millis(), &[entry]).unwrap()
    };
    let enrolment = county.enrolment(0, 1 << 46);
    let enrolments = vec![seal(&mut root, Lane::Up, enrolment)];
    let mut copy = county.clone();
    let closed = |reason| FactBody::Unit(UnitFact::Closed { unit: unit("990001"), reason });
    let first = seal(&mut county, Lane::Up, closed(1));
    let second = seal(&mut copy, Lane::Up, closed(2));
    (ForkProof { sides: Fork { first, second }, enrolments }, root_key)
}

#[test]
fn a_proof_stands_alone_and_with_any_byte_changed_it_does_not() {
    let (proof, root_key) = proof();
    let bytes = proof.encode();
    assert_eq!(ForkProof::decode(&bytes).as_ref(), Ok(&proof));
    let proven = proof.check(&root_key).unwrap();
    assert_eq!((proven.height, proven.issuers.len()), (1, 2));
    assert_eq!(proven.chain, proof.sides.first.header().chain);
    let checked = |bytes: &[u8], root: &[u8; 32]| ForkProof::decode(bytes)?.check(root);
    let mut other_root = root_key;
    other_root[0] ^= 1;
    assert!(matches!(checked(&bytes, &other_root), Err(Unproven::Federation { .. })));
    for at in 0..bytes.len() {
        assert!(checked(&bytes[..at], &root_key).is_err(), "cut at {at}");
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(checked(&changed, &root_key).is_err(), "byte {at}");
    }
    assert!(checked(&[&bytes[..], b"x"].concat(), &root_key).is_err(), "nothing follows");
    let Fork { first, second } = proof.sides.clone();
    let twice = Fork { first: first.clone(), second: first.clone() };
    let alone = ForkProof { sides: twice, enrolments: proof.enrolments.clone() };
    assert_eq!(alone.check(&root_key), Err(Unproven::NoFork));
    // without the enrolment nobody knows whose key it is
    let unknown =
        ForkProof { sides: Fork { first: second, second: first }, enrolments: Vec::new() };
    assert!(matches!(unknown.check(&root_key), Err(Unproven::UnknownKey { .. })));
}
