//! Checkpoints and what was known at them (DESIGN §8): tables, and random federations.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::id::{ChainId, FactId, Lane};
use hub_core::known::{self, KnownError};
use hub_core::time::Hlc;
use hub_core::view::View;
use hub_core_tests::federation::Federation;
use hub_core_tests::offices::Blocks;
use hub_core_tests::story::{Story, check};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;

/// Headcounts known at the newest checkpoint of the node of line `by` not after the line `at`.
fn known_at(story: &Story, view: &View, by: usize, at: usize) -> Result<usize, KnownError> {
    let until = view.fact(&story.fact(at)).unwrap().fact.hlc;
    let checkpoint = view.checkpoint_at(story.fact(by).chain.node, until).unwrap();
    let known = known::at(view, &checkpoint, &story.blocks)?;
    Ok(known
        .branches()
        .ids()
        .filter(|(_, at)| known.branches().branch(*at).profile.is_some())
        .count())
}

#[test]
fn a_later_fact_changes_now_and_never_what_was_known() {
    let (story, view) = check(
        "
        1 A founds U                | withdrawn by #6
        2 A checkpoints
        3 A founds V on 1
        4 A checkpoints
        5 A founds W on 1
        5 A withdraws #1
    ",
    );
    let known = |at| known_at(&story, &view, 2, at).unwrap();
    assert_eq!([2, 3, 4, 5, 6].map(known), [1, 1, 2, 2, 2]);
}

#[test]
fn the_newest_checkpoint_of_that_node_not_later_is_taken() {
    let (story, view) = check(
        "
        1 A checkpoints
        2 C checkpoints
        3 A checkpoints
        4 B founds U host b
        5 A checkpoints             | withdrawn by #6
        6 A withdraws #5
    ",
    );
    let at = |by: usize, at: usize| {
        let until = view.fact(&story.fact(at)).unwrap().fact.hlc;
        let found = view.checkpoint_at(story.fact(by).chain.node, until);
        found.map(|found| (1..=5).find(|line| story.fact(*line) == found.id).unwrap())
    };
    assert_eq!([at(1, 1), at(1, 2), at(1, 3), at(1, 5)], [Some(1), Some(1), Some(3), Some(3)]);
    assert_eq!([at(2, 1), at(2, 2), at(2, 5)], [None, Some(2), Some(2)]);
    assert_eq!(at(4, 5), None);
}

#[test]
fn a_checkpoint_in_parts_counts_once_it_is_whole() {
    let (story, view) = check(
        "
        1 A checkpoints part 1 of 2
        1 A founds U
        2 A checkpoints part 2 of 2
        3 A checkpoints part 1 of 2
        3 A checkpoints again part 2 of 2
    ",
    );
    // another fact stands between the parts of the first
    let node = story.fact(1).chain.node;
    let named: Vec<FactId> = view.checkpoints_of(node).map(|checkpoint| checkpoint.id).collect();
    assert_eq!(named, [story.fact(5)]);
    assert_eq!(view.checkpoint(&story.fact(3)), None);
    assert_eq!(view.checkpoint(&story.fact(4)), None);
    assert_eq!(known_at(&story, &view, 5, 5), Ok(1));
}

#[test]
fn what_a_checkpoint_covers_is_on_time_by_its_clock() {
    let (story, view) = check(
        "
        1 A files e
        2 C checkpoints
        3 A files f
        4 C checkpoints
    ",
    );
    let clock = |line: usize| view.fact(&story.fact(line)).unwrap().fact.hlc;
    let city = story.fact(2).chain.node;
    let place = |line: usize| {
        let fact = view.fact(&story.fact(line)).unwrap();
        (fact.id.chain, fact.height)
    };
    let by = |line: usize, until: Hlc| {
        let (chain, height): (ChainId, u64) = place(line);
        view.is_covered(city, &chain, height, until)
    };
    assert!(by(1, clock(2)) && !by(1, clock(1)));
    assert!(by(3, clock(4)) && !by(3, clock(2)));
    assert!(!view.is_covered(story.fact(1).chain.node, &place(1).0, place(1).1, Hlc::MAX));
}

#[test]
fn a_view_that_comes_out_otherwise_is_no_answer() {
    let (story, view) = check("1 A founds U\n 2 A checkpoints falsely\n 3 A checkpoints");
    assert!(matches!(known_at(&story, &view, 2, 2), Err(KnownError::Digest { .. })));
    assert_eq!(known_at(&story, &view, 3, 3), Ok(1));
    let checkpoint = view.checkpoint(&story.fact(3)).unwrap();
    let mut lacking: Blocks = story.blocks.clone();
    let chain = story.fact(1).chain;
    lacking.remove(&(chain, 1));
    let found = known::at(&view, &checkpoint, &lacking).unwrap_err();
    assert_eq!(found, KnownError::Missing { chain, height: 1 });
    let other = story.blocks[&(chain, 2)].clone();
    let head = view.frontier_of(&checkpoint).iter().find(|h| h.chain == chain).unwrap().height;
    lacking.clone_from(&story.blocks);
    lacking.insert((chain, head), other);
    assert!(matches!(known::at(&view, &checkpoint, &lacking), Err(KnownError::Head { .. })));
}

/// Known-at is a fresh fold of that prefix, whatever came later, and its digest is the one signed.
#[test]
fn known_at_every_checkpoint_is_a_fold_of_its_blocks_alone() {
    let (checked, in_parts, false_ones) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[0x6b; 32]);
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, rng)
        .run(&any::<u64>(), |seed| {
            let world = Federation::of(seed, 150);
            let mut view = View::new(world.id(), world.root_key);
            view.apply_all(world.blocks.values(), &world.blocks);
            for node in view.checkpointers().collect::<Vec<_>>() {
                for checkpoint in view.checkpoints_of(node).collect::<Vec<_>>() {
                    let until = world.order.iter().position(|place| {
                        world.blocks[place].header().chain == checkpoint.id.chain
                            && world.blocks[place].header().next_seq() > checkpoint.id.seq
                    });
                    let prefix = &world.order[..until.unwrap()];
                    let mut fresh = View::new(world.id(), world.root_key);
                    fresh.apply_all(prefix.iter().map(|p| &world.blocks[p]), &world.blocks);
                    match known::at(&view, &checkpoint, &world.blocks) {
                        Ok(known) => {
                            prop_assert_eq!(known.digest(), fresh.digest());
                            prop_assert_eq!(known.member_digest(), fresh.member_digest());
                            prop_assert_eq!(known.parked(), fresh.parked());
                            checked.set(checked.get() + 1);
                            in_parts.set(in_parts.get() + u32::from(checkpoint.parts > 1));
                        }
                        Err(KnownError::Digest { found, .. }) => {
                            prop_assert_eq!(found, fresh.digest());
                            false_ones.set(false_ones.get() + 1);
                        }
                        Err(error) => prop_assert!(false, "{}", error),
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    let counts = [checked.get(), in_parts.get(), false_ones.get()];
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

/// An excerpt proves what it names and is nothing to fold.
#[test]
fn excerpts_are_no_checkpoints() {
    let (mut excerpts, mut whole) = (0, 0);
    for seed in 0..40 {
        let world = Federation::of(seed, 150);
        let mut view = View::new(world.id(), world.root_key);
        view.apply_all(world.blocks.values(), &world.blocks);
        let all = view.checkpointers().collect::<Vec<_>>();
        let named = all.iter().flat_map(|node| view.checkpoints_of(*node));
        whole += named.inspect(|found| assert_eq!(found.id.chain.lane, Lane::Up)).count();
        for fact in world.tried.get("excerpt").into_iter().flatten() {
            assert!(view.checkpoint(fact).is_none());
            excerpts += 1;
        }
    }
    assert!(excerpts > 0 && whole > 0);
}
