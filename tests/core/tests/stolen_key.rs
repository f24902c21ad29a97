//! What a stolen township key can do to others (DESIGN §9; RELIABILITY §6): each way tried, with the figures.
//!
//! `T` serves the township `t` and has the union `U` at `e` there; `V` at `g` is hosted by the county `b`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::catalog::Catalog;
use hub_core::closing;
use hub_core::findings::{self, Kind};
use hub_core::known::Shelf;
use hub_core::reporting::{duties, is_on_time};
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::ask::totals;
use hub_core_tests::story::{DAY_0, Story, check, unit};

const BEFORE: &str = "
    0 A enrols T
    0 A registers s under a
    0 B registers g under b
    1 B founds V host g
    1 B approves V for b
    1 B counts g to 40
    2 B joins V person x employer g
    3 T founds U
    3 A approves U for a
    3 T counts e to 40
";

fn told(table: &str) -> (Story, View) {
    check(&format!("{BEFORE}{table}"))
}

fn members(view: &View, on: i32) -> String {
    totals(view, "t a g b c", "members.all", on, on)
}

#[test]
fn it_speaks_for_nobody_else() {
    let (_, view) = told(
        "
        40 T counts g to 1              | no word
        40 T counts b                   | no word
        40 T founds W host g            | no word
        40 T approves V for t           | no word
        40 T dissolves V                | no word
        40 T leaves V person x          | no word
        40 T moves g to t               | no word
        40 T moves e to b               | no word
        40 T registers h under b        | no word
        40 T closes g                   | no word
        40 T files g values 102=9       | no word
    ",
    );
    assert_eq!(members(&view, 60), "t 0  a 0  g 1  b 1  c 1");
    assert_eq!(totals(&view, "g b c", "employees.all", 60, 60), "g 40  b 40  c 80");
}

#[test]
fn it_enrols_cuts_and_rules_nobody() {
    let (_, view) = told(
        "
        40 T enrols S at s              | no word
        40 T enrols B at t              | no word
        40 T enrols T at b              | no word
        40 T cuts B at 1                | no word
        40 T rules claims U>V person x  | no word
        40 T rules unions U>V from 5    | no word
        40 T objects V person x for g   | no word
        41 S counts s                   | no word
        41 B counts g to 50
    ",
    );
    assert_eq!(members(&view, 60), "t 0  a 0  g 1  b 1  c 1");
}

#[test]
fn it_takes_back_nothing_that_is_not_its_own() {
    let line = BEFORE.lines().filter(|line| !line.trim().is_empty());
    for number in 1..=line.count() {
        let own = number == 8 || number == 10;
        let taken = format!("40 T withdraws #{number}");
        if !own {
            let (_, view) = told(&taken);
            assert_eq!(members(&view, 60), "t 0  a 0  g 1  b 1  c 1", "{taken}");
        }
    }
}

#[test]
fn a_death_it_states_takes_nobody_away() {
    let (_, view) = told("40 T dies U person x");
    assert_eq!(members(&view, 60), "t 0  a 0  g 1  b 1  c 1");
    // nor one behind a claim of its own on the very same day
    let (_, view) = told("40 T joins U person x employer e\n 40 T dies U person x");
    assert_eq!(members(&view, 60), "t 0  a 0  g 1  b 1  c 1");
    // it can lie about whom it has: a case, and a cut undoes the death with the claim
    let lies = "40 T joins U person x employer e\n 45 T dies U person x\n";
    let (_, view) = told(lies);
    assert_eq!(members(&view, 60), "t 0  a 0  g 0  b 0  c 0");
    assert_eq!(view.conflicts().len(), 1);
    let cut = lies.replace('\n', " | after a cut\n") + "50 A cuts T at 2";
    let (_, view) = told(&cut);
    assert_eq!(members(&view, 60), "t 0  a 0  g 1  b 1  c 1");
    assert!(view.conflicts().is_empty());
}

/// M7: found where both unions have a common ancestor, and wholly undone by a cut.
#[test]
fn members_it_drains_come_back() {
    let names = || (b'0'..=b'z').take(55).map(char::from);
    let held: String =
        names().map(|name| format!("4 B joins V person {name} employer g\n")).collect();
    let drained = |verdict: &str| -> String {
        let line = |name| format!("40 T joins U person {name} employer e {verdict}\n");
        names().map(line).collect()
    };
    let (_, view) = told(&format!("{held}{}", drained("")));
    assert_eq!(members(&view, 60), "t 55  a 55  g 1  b 1  c 56");
    let found = view.mass_takeovers();
    assert_eq!((found.len(), found[0].persons), (1, 55));
    assert_eq!(found[0].at.map(|at| view.tree().unit(at).id), Some(unit("c")));
    let cut = format!("{held}{}41 A cuts T at 2", drained("| after a cut"));
    let (_, view) = told(&cut);
    assert_eq!(members(&view, 60), "t 0  a 0  g 56  b 56  c 56");
    assert!(view.mass_takeovers().is_empty() && view.conflicts().is_empty());
}

/// Facts with a clock of long ago, sealed after the superior has stated what it holds: day 361 ends the
/// statistical year 2025, and reports are due by day 383.
#[test]
fn it_back_dates_nothing_past_a_checkpoint() {
    let closed = "
        370 A checkpoints
        371 A shuts a at #11
    ";
    // T was silent since day 3, so that its chain would take a clock of day 300
    let late = "
        300 T joins U person y employer e
        300 T files e values 102=9
        390 C checkpoints
        390 A checkpoints
    ";
    let (story, mut view) = told(&format!("{closed}{late}"));
    let at = view.tree().find(&unit("a")).unwrap();
    // what was published stays
    let mut shelf = Shelf::default();
    let (_, known) = closing::published(&view, at, "2025", &mut shelf, &story.blocks).unwrap();
    assert_eq!(totals(&known.view, "a", "members.all", 361, 361), "a 0");
    assert_eq!(totals(&view, "a", "members.all", 361, 361), "a 1");
    // the report is late, whatever its clock says
    let form = Catalog::standard().form(1).unwrap();
    let due = duties(&view, form, form.period("2025").unwrap());
    let (_, duty) = due.iter().find(|(unit, _)| view.tree().unit(**unit).name() == "e").unwrap();
    assert!(duty.report.is_some() && !is_on_time(&view, duty));
    // and somebody is told
    let day = Day(DAY_0 + 400);
    let rollup = Rollup::of(&view, day, day);
    let found = findings::of(&mut view, &rollup, at, &story.blocks);
    let after = |kind: &Kind| matches!(kind, Kind::AfterClosing { what: "member.joined", .. });
    assert!(found.iter().any(|finding| after(&finding.kind)), "{found:?}");
}
