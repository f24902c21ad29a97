//! Cases as tables: facts in, conflicts out (DESIGN §7; the words are told in `src/story.rs`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::case::{self, Case, CaseKind, Standing};
use hub_core::fact::governance::Side;
use hub_core::hash::Hash;
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::ask::totals;
use hub_core_tests::story::{DAY_0, Story, check, unit};

/// Union U at e under a's township, union V at g under b, both counting from day 1.
const TWO: &str = "
    0 B registers g under b
    1 A founds U
    1 A approves U for a
    1 B founds V host g
    1 B approves V for b
";

fn cases(story: &Story, view: &mut View, on: i32) -> Vec<Case> {
    let day = Day(DAY_0 + on);
    let rollup = Rollup::of(view, day, day);
    case::all(view, &rollup, &story.blocks)
}

/// A case in a line: kind, state, what decided, each side with how it stands, the base.
fn line(story: &Story, view: &View, case: &Case) -> String {
    let side = |side: &case::CaseSide| {
        let name = match side.side {
            Some(Side::Claim { branch, .. } | Side::Branch { branch }) => {
                let named = story.unions.iter().find(|(_, id)| **id == branch);
                named.map_or("?", |(name, _)| name.as_str()).to_owned()
            }
            _ => side.unit.map_or_else(String::new, |at| view.tree().unit(at).name().to_owned()),
        };
        let sign = match side.standing {
            Standing::Counts => "+",
            Standing::Disputed => "?",
            Standing::Uncounted => "-",
        };
        format!("{name}{sign}")
    };
    let sides: Vec<String> = case.sides.iter().map(side).collect();
    let base = case.base.map_or_else(String::new, |place| format!(" base {}", sides[place]));
    let since = case.since.0 - DAY_0;
    let (kind, state, ground) = (case.kind.id(), case.state.id(), case.ground.id());
    format!("{kind} {state} by {ground}: {}{base} since {since}", sides.join(" "))
}

/// The cases of a table on a day, without those that are past.
fn told(table: &str, on: i32) -> Vec<String> {
    let (story, mut view) = check(&format!("{TWO}{table}"));
    let all = cases(&story, &mut view, on);
    let open = all.iter().filter(|case| case.state != case::CaseState::Settled);
    open.map(|case| line(&story, &view, case)).collect()
}

#[test]
fn m1_a_takeover_is_a_case_until_confirmed() {
    let both = "2 A joins U person q\n 5 B joins V person q\n";
    let auto = "dual-membership auto by later-start: V+ U- base U- since 5";
    assert_eq!(told(both, 9), [auto]);
    let confirmed = "dual-membership confirmed by later-start: V+ U- base U- since 5";
    assert_eq!(told(&format!("{both} 6 A leaves U person q"), 9), [confirmed]);
    // who named the old union did not take over silently
    assert!(told("2 A joins U person q\n 5 B joins V person q after U\n", 9).is_empty());
}

#[test]
fn what_decided_is_named() {
    let by = |one: &str, other: &str| {
        let table = format!("3 A joins U person q {one}\n 3 B joins V person q {other}\n");
        let lines = told(&table, 9);
        let words: Vec<&str> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
        words.join(", ")
    };
    assert_eq!(by("by contract", "by roster"), "disputed-membership auto by evidence");
    assert_eq!(by("by self", "by roster"), "disputed-membership auto by not-self-declared");
    assert_eq!(by("", ""), "disputed-membership open by clock");
}

#[test]
fn m4_a_ruling_turns_a_case_and_its_withdrawal_turns_it_back() {
    let both = "2 A joins U person q\n 5 B joins V person q\n";
    let ruled = told(&format!("{both} 8 C rules claims U>V person q from 6"), 9);
    assert!(ruled[0].starts_with("dual-membership ruled by ruling: "), "{ruled:?}");
    assert!(ruled[0].contains("U+") && ruled[0].contains("V-"), "{ruled:?}");
    // one that acts from the very day of the takeover leaves none, and is told all the same, by the same id
    let at_once = told(&format!("{both} 8 C rules claims U>V person q from 5"), 9);
    assert_eq!(at_once, ["dual-membership ruled by ruling: U+ V- base U+ since 5"]);
    let nobody = told(&format!("{both} 8 C rules claims U,V person q from 6"), 9);
    assert!(nobody[0].contains("U-") && nobody[0].contains("V-"), "{nobody:?}");
    let table = "2 A joins U person q\n 5 B joins V person q\n
        8 C rules claims U>V person q from 6  | withdrawn by #9
        9 C withdraws #8\n";
    assert_eq!(told(table, 9), ["dual-membership auto by later-start: V+ U- base U- since 5"]);
    // a county is no common superior: its ruling is kept, shown, and does not act
    let parked = told(&format!("{both} 8 A rules claims U>V person q from 6 | no word"), 9);
    assert!(parked.iter().any(|line| line.starts_with("ruling-parked open")), "{parked:?}");
    assert!(parked.iter().any(|line| line.starts_with("dual-membership auto")), "{parked:?}");
}

#[test]
fn m3_an_objection_gives_the_person_back() {
    let both = "2 A joins U person q by contract\n 5 B joins V person q\n";
    let told_of = told(&format!("{both} 7 A objects V person q from 6 by contract"), 9);
    let dual: Vec<&String> = told_of.iter().filter(|l| l.starts_with("dual-membership")).collect();
    assert_eq!(dual.len(), 1, "{told_of:?}");
    assert!(dual[0].starts_with("dual-membership objected by objection"), "{dual:?}");
    assert!(dual[0].contains("U+") && dual[0].contains("V?"), "{dual:?}");
    // one that acts from the very day of the takeover leaves none: the two dispute the person
    let at_once = told(&format!("{both} 7 A objects V person q from 5 by contract"), 9);
    assert_eq!(at_once, ["disputed-membership objected by objection: U+ V? since 5"]);
    let both = "2 A joins U person q\n 5 B joins V person q by contract\n";
    let weak = told(&format!("{both} 7 A objects V person q from 5 by roster"), 9);
    assert!(weak.iter().any(|line| line.starts_with("objection-without-effect")), "{weak:?}");
    assert!(weak.iter().any(|line| line.starts_with("dual-membership auto")), "{weak:?}");
    // what a ruling has answered waits for nobody
    let ruled = "7 A objects V person q from 5 by roster\n 8 C rules claims V>U person q from 5";
    let ruled = told(&format!("{both} {ruled}"), 9);
    let answered = "objection-without-effect ruled by ruling";
    assert!(ruled.iter().any(|line| line.starts_with(answered)), "{ruled:?}");
}

#[test]
fn ends_without_a_beginning_are_cases() {
    let lines = told("4 A leaves U person q", 9);
    assert_eq!(lines, ["orphan-end open by nothing: U- since 4"]);
}

#[test]
fn a_case_past_is_settled() {
    let (story, mut view) = check(&format!(
        "{TWO} 2 A joins U person q\n 5 B joins V person q\n 7 B leaves V person q\n"
    ));
    let states: Vec<_> = [6, 9]
        .map(|on| cases(&story, &mut view, on).iter().map(|case| case.state.id()).collect())
        .into_iter()
        .collect::<Vec<Vec<&str>>>();
    assert_eq!(states, [vec!["auto"], vec!["settled"]]);
}

#[test]
fn u1_two_registrations_and_f4_two_own_unions() {
    let (story, mut view) = check(
        "
        0 B registers e under b
        1 A founds U
        1 A approves U for a
        3 B founds W host e
        3 B approves W for b
    ",
    );
    let all = cases(&story, &mut view, 9);
    let kinds: Vec<&str> = all.iter().map(|case| case.kind.id()).collect();
    assert_eq!(kinds, ["double-own-union", "disputed-unit"]);
    let double = line(&story, &view, &all[0]);
    assert_eq!(double, "double-own-union auto by earlier-counting: U+ W? base U+ since 3");
    assert_eq!(all[1].subject.map(|at| view.tree().unit(at).id), Some(unit("e")));
    assert_eq!(all[1].effect.units, 1);
    // of both registrations the city is the common superior: it or one above it rules
    let day = Day(DAY_0 + 9);
    let rollup = Rollup::of(&view, day, day);
    for case in &all {
        let above = case.common_ancestor(&rollup).map(|at| view.tree().unit(at).id);
        let expected = if case.kind == CaseKind::DisputedUnit { "c" } else { "e" };
        assert_eq!(above, Some(unit(expected)), "{case:?}");
        let concerns = |name: &str| case.concerns(view.tree().find(&unit(name)).unwrap(), &rollup);
        assert!(concerns("c") && concerns("a") && concerns("p"), "{case:?}");
    }
}

#[test]
fn ids_are_labels_of_the_facts_and_depend_on_no_order() {
    let table = format!("{TWO} 2 A joins U person q\n 5 B joins V person q\n");
    let ids = |table: &str| -> Vec<Hash> {
        let (story, mut view) = check(table);
        cases(&story, &mut view, 9).iter().map(|case| case.id).collect()
    };
    let first = ids(&table);
    assert_eq!((first.len(), ids(&table)), (1, first.clone()));
    // a decision changes the state of a case, never its name
    let ruled = ids(&format!("{table} 8 C rules claims U>V person q from 6"));
    assert!(ruled.contains(&first[0]), "{ruled:?}");
    let at_once = ids(&format!("{table} 8 C rules claims U>V person q from 5"));
    assert_eq!(at_once, first);
    assert_eq!(CaseKind::ALL.len(), 11);
}

/// Two unions that were registered as one legal person: both count until somebody rules (DESIGN §3).
#[test]
fn one_code_of_two_unions() {
    let same = "
        2 A incorporates U as 81990121MA00000312
        3 B incorporates V as 81990121MA00000312
    ";
    assert_eq!(told(same, 9), ["duplicate-branch open by nothing: U+ V+ base U+ since 1"]);
    let ruled = format!("{same} 5 C rules unions V>U from 6");
    assert_eq!(told(&ruled, 9), ["duplicate-branch ruled by ruling: V+ U- base U- since 1"]);
    let (_, view) = check(&format!("{TWO}{ruled}"));
    let unions = |on| totals(&view, "a b c", "unions.all", on, on);
    assert_eq!([unions(5), unions(6)], ["a 1  b 1  c 2", "a 0  b 1  c 1"]);
    let other = "
        2 A incorporates U as 81990121MA00000312
        3 B incorporates V as 81990121MA00000392
    ";
    assert!(told(other, 9).is_empty());
}
