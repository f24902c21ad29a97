//! Flows: opening and causes make the closing, for any unit and span of days (DESIGN §8).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::flow::{Flow, FlowQuestion, FlowRow, flows};
use hub_core::measure::Measure;
use hub_core::query::Label;
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core::view::tree::UnitIx;
use hub_core_tests::federation::Federation;
use hub_core_tests::offices::{Blocks, view_of};
use hub_core_tests::random::Random;
use hub_core_tests::story::{DAY_0, check, unit};
use std::collections::BTreeMap;

fn members(view: &View, unit: UnitIx, day: Day) -> i64 {
    Rollup::of(view, day, day).total(unit).get(Measure::MembersAll)
}

fn total(rows: &[FlowRow]) -> &FlowRow {
    rows.iter().find(|row| row.label == Label::Total).unwrap()
}

/// Every row sums; the total opens and closes as the roll-up counts; the rows open and close as the total.
fn assert_sums(view: &mut View, blocks: &Blocks, asked: &FlowQuestion) -> Vec<FlowRow> {
    let rows = flows(view, blocks, asked);
    for row in &rows {
        assert!(row.sums(), "{asked:?}: {row:?}");
    }
    let whole = total(&rows);
    assert_eq!(whole.opening, members(view, asked.unit, Day(asked.from.0 - 1)), "{asked:?}");
    assert_eq!(whole.closing, members(view, asked.unit, asked.to), "{asked:?}");
    if rows.len() > 1 {
        let parts = rows.iter().filter(|row| row.label != Label::Total);
        let sum = parts.fold((0, 0), |sum, row| (sum.0 + row.opening, sum.1 + row.closing));
        assert_eq!(sum, (whole.opening, whole.closing), "{asked:?}");
    }
    rows
}

#[test]
fn random_histories_sum_for_every_unit_and_span() {
    let mut seen: BTreeMap<Flow, i64> = BTreeMap::new();
    for seed in 0..100 {
        let world = Federation::of(seed, 150);
        let mut view = view_of(world.root_key, &world.blocks);
        let all: Vec<UnitIx> = view.tree().ids().map(|(_, at)| at).collect();
        let root = view.tree().root().unwrap();
        let mut rng = Random::new(seed);
        let from = Day(20_000 + rng.below(200) as i32);
        let to = Day(from.0 + rng.below(250) as i32);
        let mut units = vec![root];
        units.extend((0..5).map(|_| all[rng.below(all.len() as u64) as usize]));
        for unit in units {
            let asked = FlowQuestion { unit, from, to, by_child: true };
            for row in assert_sums(&mut view, &world.blocks, &asked) {
                for (flow, count) in row.flows {
                    *seen.entry(flow).or_default() += count.abs();
                }
            }
        }
    }
    println!("{seen:?}");
    // the rarer ones stand in the table below
    let often = [Flow::New, Flow::Resumed, Flow::Out, Flow::Left, Flow::Moved, Flow::HolderChanged];
    for flow in often {
        assert!(seen.get(&flow).is_some_and(|count| *count > 0), "{flow:?} never: {seen:?}");
    }
}

/// What a table makes of a unit's members from day 5 to day 20.
fn told(table: &str, name: &str) -> String {
    let (story, mut view) = check(table);
    let at = view.tree().find(&unit(name)).unwrap();
    let (from, to) = (Day(DAY_0 + 5), Day(DAY_0 + 20));
    let asked = FlowQuestion { unit: at, from, to, by_child: false };
    let rows = assert_sums(&mut view, &story.blocks, &asked);
    let row = total(&rows);
    let flows = Flow::ALL.iter().filter(|flow| row.get(**flow) != 0);
    let flows: Vec<String> =
        flows.map(|flow| format!("{} {:+}", flow.id(), row.get(*flow))).collect();
    format!("{} | {} | {}", row.opening, flows.join(" "), row.closing)
}

#[test]
fn each_cause_is_named() {
    let two = "
        0 B registers g under b
        1 A founds U
        1 A approves U for a
        1 B founds V host g
        1 B approves V for b
        2 A joins U person q
    ";
    let of = |table: &str, name: &str| told(&format!("{two}{table}"), name);
    assert_eq!(of("", "a"), "1 |  | 1");
    assert_eq!(of("6 A joins U person r", "a"), "1 | new +1 | 2");
    assert_eq!(of("6 A leaves U person q", "a"), "1 | left -1 | 0");
    assert_eq!(of("6 A retains U person q", "a"), "1 | retained -1 | 0");
    let resumed = "6 A retains U person q\n 8 A joins U person q\n";
    assert_eq!(of(resumed, "a"), "1 | resumed +1 retained -1 | 1");
    assert_eq!(of("6 A joins U person r existing", "a"), "1 | corrected +1 | 2");
    assert_eq!(of("7 B joins V person q", "a"), "1 | out -1 | 0");
    assert_eq!(of("7 B joins V person q", "b"), "0 | new +1 | 1");
    assert_eq!(of("7 B joins V person q transferred", "b"), "0 | in +1 | 1");
    assert_eq!(of("7 B joins V person q", "c"), "1 |  | 1");
    // the firm moves to the other county, with its union and member; a new member follows
    let moved = "0 B registers s under b\n 7 C moves e to s\n 9 B joins U person r\n";
    assert_eq!(of(moved, "a"), "1 | moved -1 | 0");
    assert_eq!(of(moved, "b"), "0 | new +1 moved +1 | 2");
    assert_eq!(of(moved, "c"), "1 | new +1 | 2");
    // the union ends: its member counts nowhere
    assert_eq!(of("8 A dissolves U", "a"), "1 | moved -1 | 0");
    // a ruling gives the person back without any start
    let ruled = "7 B joins V person q\n 9 C rules claims U>V person q from 12\n";
    assert_eq!(of(ruled, "a"), "1 | out -1 holder_changed +1 | 1");
    assert_eq!(of(ruled, "b"), "0 | new +1 holder_changed -1 | 0");
}
