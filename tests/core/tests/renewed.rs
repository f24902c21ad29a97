//! What a desk keeps is renewed by the member facts that come (DESIGN §6, §8): after every block it is what a
//! desk that never saw anything before makes anew. Random federations, their blocks in random order.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::measure::Measure;
use hub_core::query::{Answer, Basis, By, Desk, Question};
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::federation::Federation;
use hub_core_tests::random::Random;

const WORLDS: u64 = 40;
const ACTS: usize = 90;
/// Rates with bounds: of sets, of counts, and a plain count.
const ASKED: [&str; 4] = ["founding.unit", "member.A", "women.org", "members.all"];

/// Days in the middle of what happens, each with boundaries.
fn days(world: &Federation) -> Vec<(Day, Day)> {
    let mut days: Vec<Day> = world
        .blocks
        .values()
        .filter_map(|block| block.body().ok())
        .flat_map(|body| body.into_facts().into_iter().map(|fact| fact.day))
        .collect();
    days.sort_unstable();
    let at = |part: usize| days[days.len() * part / 8];
    vec![(at(4), at(4)), (at(6), at(6)), (Day(at(7).0 + 40), at(3))]
}

fn answers(desk: &mut Desk, view: &View, (as_of, boundaries): (Day, Day)) -> Vec<Answer> {
    let Some(unit) = view.tree().root() else { return Vec::new() };
    let ask = |indicator: &&str| {
        let question = Question {
            unit,
            indicator: (*indicator).to_owned(),
            base: "due".to_owned(),
            by: By::Child,
            as_of,
            boundaries: Some(boundaries),
            basis: Basis::Registry,
        };
        desk.answer(view, &question).unwrap()
    };
    ASKED.iter().map(ask).collect()
}

/// Everything a roll-up says of each unit.
fn told(rollup: &Rollup, view: &View) -> Vec<String> {
    let all = |at| {
        let (own, total) = (rollup.own(at), rollup.total(at));
        let measures = Measure::ALL.iter().map(|m| (own.get(*m), total.get(*m)));
        format!("{at} {} {:?}", rollup.active_at(at), measures.collect::<Vec<_>>())
    };
    (0..view.tree().ids().count() as u32).map(all).collect()
}

#[test]
fn what_is_renewed_is_what_would_be_made_anew() {
    let (mut renewed, mut asked) = (0, 0);
    for seed in 0..WORLDS {
        let world = Federation::of(seed, ACTS);
        let days = days(&world);
        let mut order = world.order.clone();
        if seed % 2 == 1 {
            Random::new(seed).shuffle(&mut order);
        }
        let mut view = View::new(world.id(), world.root_key);
        let mut desk = Desk::default();
        for (step, place) in order.into_iter().enumerate() {
            view.apply(&world.blocks[&place], &world.blocks);
            for day in &days {
                let kept = answers(&mut desk, &view, *day);
                let anew = answers(&mut Desk::default(), &view, *day);
                assert_eq!(kept, anew, "seed {seed}, step {step}, {day:?}");
                let kept = told(&desk.rollup(&view, day.0, day.1), &view);
                let anew = told(&Rollup::of(&view, day.0, day.1), &view);
                assert_eq!(kept, anew, "seed {seed}, step {step}, {day:?}");
                asked += 1;
            }
        }
        renewed += desk.renewed();
    }
    println!("{asked} times asked, {renewed} times renewed");
    assert!(renewed > 400, "{renewed}");
}
