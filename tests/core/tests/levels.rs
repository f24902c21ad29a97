//! DESIGN §7, downward agreement: 31 nodes of five levels, each holding only what flows to it, give the same
//! figures for the same unit once nothing is under way; and a node learns no more than it must.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::fact::governance::RestatedBody;
use hub_core::fact::{FactBody, GovernanceFact};
use hub_core::time::{Day, Hlc};
use hub_core::view::View;
use hub_core_tests::network::{BEGINS, Play};
use hub_core_tests::random::Random;
use std::collections::BTreeMap;

/// How many networks, and how many acts each.
const NETWORKS: u64 = 16;
const ACTS: usize = 130;

/// Nobody is held twice on one day, at any node (M8).
fn assert_one_holder(play: &mut Play) {
    for node in &mut play.network.nodes {
        for key in &play.persons {
            let spans = node.view.person(key, &node.blocks);
            let mut holders: Vec<(Day, Day)> =
                spans.iter().filter(|span| span.holder).map(|span| (span.from, span.to)).collect();
            holders.sort_unstable();
            assert!(
                holders.windows(2).all(|pair| pair[0].1 <= pair[1].0),
                "two holders: {spans:?}"
            );
        }
    }
}

/// What a node has folded block by block is what its blocks say, and what it found due piece by piece is
/// all that is due.
fn assert_whole(play: &mut Play) {
    let now = Hlc::at(play.network.now);
    let federation = play.network.federation();
    for (number, node) in play.network.nodes.iter_mut().enumerate() {
        let mut fresh = View::new(federation, *node.view.root_key());
        fresh.apply_all(node.blocks.values(), &node.blocks);
        assert_eq!(fresh.digest(), node.view.digest(), "node {number}: replay differs");
        assert_eq!(
            fresh.member_digest(),
            node.view.member_digest(),
            "node {number}: members differ"
        );
        let due = fresh.restatements_due(node.office.node, now, &node.blocks);
        assert!(
            due.is_empty(),
            "node {number} overlooked {} restatements: {:?}",
            due.len(),
            due[0]
        );
    }
}

fn note(play: &Play, counts: &mut BTreeMap<String, usize>) {
    for (what, times) in &play.done {
        *counts.entry(format!("tried: {what}")).or_default() += times;
    }
    // the root holds every block
    for (fact, _) in play.network.nodes[0].view.facts() {
        let FactBody::Governance(GovernanceFact::Restated { content, revision, counts: c, .. }) =
            &fact.fact.body
        else {
            continue;
        };
        let what = match &content.body {
            RestatedBody::Unit(_) => "of a unit",
            RestatedBody::Branch(_) => "of a union",
            RestatedBody::Member(_) => "of a membership",
            RestatedBody::Figure(_) => "of a figure",
            RestatedBody::Withdrawn(_) => "of a withdrawal",
            RestatedBody::Ruled { .. } => "of a ruling",
            RestatedBody::Objected { .. } => "of an objection",
        };
        *counts.entry(format!("restated: {what}")).or_default() += 1;
        if *revision > 1 {
            *counts.entry("restated: again".into()).or_default() += 1;
        }
        if !c {
            *counts.entry("restated: no longer counts".into()).or_default() += 1;
        }
    }
}

/// All of them, or the one asked for by the variable `SEED`, up to `TO`.
fn seeds() -> std::ops::Range<u64> {
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let from = asked("SEED").unwrap_or(0);
    from..asked("TO").unwrap_or(if from == 0 { NETWORKS } else { from + 1 })
}

#[test]
fn every_level_gives_the_same_figures() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut numbers, mut answers, mut restated, mut rounds) = (0, 0, 0, 0);
    for seed in seeds() {
        let mut play = Play::new(seed);
        play.act(ACTS).unwrap_or_else(|found| panic!("network {seed}: {found}"));
        let mut rng = Random::new(seed ^ 7);
        play.network.settle(&mut rng);
        let today = play.network.today().0;
        let days = [BEGINS, (BEGINS + today) / 2, today - 20, today, today + 40].map(Day);
        match play.network.compare(&days) {
            Ok(compared) => numbers += compared,
            Err(differs) => panic!("network {seed}: {differs}"),
        }
        for day in [days[2], days[3]] {
            match play.network.compare_answers(day) {
                Ok(compared) => answers += compared,
                Err(differs) => panic!("network {seed}: {differs}"),
            }
        }
        play.network.check_scope().unwrap_or_else(|found| panic!("network {seed}: {found}"));
        assert_one_holder(&mut play);
        assert_whole(&mut play);
        note(&play, &mut counts);
        restated += play.network.restated;
        rounds += play.network.rounds;
    }
    println!("{NETWORKS} networks of 31 nodes, {restated} restatements, {rounds} rounds to rest");
    println!("{numbers} numbers the same at every level that gives them");
    println!("{answers} answers with low and high the same at every level that gives them");
    counts.iter().for_each(|(what, times)| println!("{times:>7}  {what}"));
    let expected = [
        "restated: of a unit",
        "restated: of a union",
        "restated: of a membership",
        "restated: of a withdrawal",
        "restated: of a ruling",
        "restated: of an objection",
        "restated: of a figure",
        "restated: again",
        "restated: no longer counts",
        "tried: a firm registered twice",
        "tried: a move",
        "tried: a ruling over claims",
        "tried: a ruling over registrations",
        "tried: a ruling over unions",
        "tried: an objection",
        "tried: a report",
        "tried: a merger",
        "tried: a firm becomes another",
        "tried: firms merge or split",
        "tried: a rekey",
        "tried: a death",
        "tried: a retention",
        "tried: a node enrolled late",
    ];
    let silent: Vec<_> = expected.iter().filter(|what| !counts.contains_key(**what)).collect();
    assert!(silent.is_empty(), "never happened: {silent:?}");
}
