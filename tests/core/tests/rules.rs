//! What unions, units, reports and rekeyed persons become, as tables (DESIGN §7; the words are told in
//! `src/story.rs`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::id::MemberKey;
use hub_core::time::Day;
use hub_core_tests::story::{DAY_0, check, unit};

#[test]
fn f1_approvals_come_from_strictly_above() {
    let counts = |table: &str, from: Option<i32>| {
        let (story, view) = check(table);
        let at = view.branches().find(&story.unions["U"]).unwrap();
        let found = view.branches().branch(at).counts_from().map(|day| day.0 - DAY_0);
        assert_eq!(found, from, "{table}");
    };
    counts("1 A applies U", None);
    counts("1 A applies U\n 2 A founds U", None);
    counts("1 A applies U\n 2 A approves U for t", None);
    counts("1 A applies U\n 2 A approves U for t\n 5 A founds U", Some(5));
    counts("1 A founds U\n 7 A approves U for a", Some(7));
    counts("1 A founds U\n 7 A approves U for e | no word", None);
    counts("1 A founds U kind regional\n 7 A approves U for e", Some(7));
    counts("1 A founds U\n 2 A corrects U kind regional\n 7 A approves U for e", Some(7));
    counts("1 A founds U\n 7 C approves U for c\n 9 A approves U for a", Some(7));
    counts("1 A founds U\n 7 B approves U for b | no word", None);
    counts("1 A founds U\n 7 B approves U for a | no word", None);
    counts("1 A founds U\n 7 A approves U for a\n 8 A refuses U for a", Some(7));
    counts("1 A founds U\n 7 A approves U for a | withdrawn by #3\n 8 A withdraws #2", None);
    counts(
        "1 A founds U\n 7 A approves U for a | withdrawn by #4\n 9 A approves U for t\n 8 A withdraws #2",
        Some(9),
    );
}

#[test]
fn applications_stand_until_refused() {
    let is_applied = |table: &str, on: i32| {
        let (story, view) = check(table);
        let at = view.branches().find(&story.unions["U"]).unwrap();
        view.branches().branch(at).is_applied(Day(DAY_0 + on))
    };
    assert!(is_applied("2 A applies U", 2) && !is_applied("2 A applies U", 1));
    assert!(!is_applied("2 A applies U\n 5 A refuses U for t", 5));
    assert!(is_applied("2 A applies U\n 5 A refuses U for t", 4));
    assert!(is_applied("2 A applies U\n 4 A approves U for t\n 5 A refuses U for t", 5));
}

#[test]
fn f5_one_merger_each_and_no_cycle() {
    let (story, view) = check(
        "
        1 A founds U
        1 A founds V
        1 A founds W
        5 A merges U into V
        6 A merges U into W
        7 A merges V into W
        8 A merges W into U         | closes a cycle
    ",
    );
    let merged = |name: &str| {
        let at = view.branches().find(&story.unions[name]).unwrap();
        let into = view.branches().branch(at).merged.map(|(_, into)| into);
        into.map(|into| view.branches().branch(into).name().to_owned())
    };
    assert_eq!(merged("U").as_deref(), Some("V"));
    assert_eq!(merged("V").as_deref(), Some("W"));
    assert_eq!(merged("W"), None);
}

#[test]
fn u2_moves_act_from_their_day_and_u3_closing_ends() {
    let (story, view) = check(
        "
        0 B registers s under b
        1 A founds U
        1 A approves U for a
        10 C moves e to s on 7
        20 B closes e on 30
    ",
    );
    let tree = view.tree();
    let at = tree.find(&unit("e")).unwrap();
    let parent = |on: i32| tree.unit(tree.parent_on(at, 0, Day(DAY_0 + on)).unwrap()).id;
    assert_eq!((parent(6), parent(7)), (unit("t"), unit("s")));
    let branch = view.branches().branch(view.branches().find(&story.unions["U"]).unwrap());
    let counts = |on: i32| branch.counts_on(tree, Day(DAY_0 + on));
    assert_eq!([0, 1, 29, 30].map(counts), [false, true, true, false]);
}

#[test]
fn coverage_runs_from_day_to_day() {
    let (story, view) = check(
        "
        1 A founds U kind regional host t
        2 A covers U unit e
        3 A covers U unit e
        5 A uncovers U unit e
        9 A covers U unit e
        2 A covers U unit f
        2 A uncovers U unit f
    ",
    );
    let branch = view.branches().branch(view.branches().find(&story.unions["U"]).unwrap());
    let covered = |on: i32| branch.covered_on(Day(DAY_0 + on)).count();
    assert_eq!([1, 2, 4, 5, 8, 9].map(covered), [0, 1, 1, 0, 0, 1]);
}

#[test]
fn a_union_stays_where_its_first_fact_put_it() {
    let (story, view) = check(
        "
        5 A applies U
        6 A founds U host b on 1
        7 B joins U                 | no word
        7 A joins U
        8 A hosts U host b
        9 B joins U person q
        9 A joins U person r        | no word
    ",
    );
    let branch = view.branches().branch(view.branches().find(&story.unions["U"]).unwrap());
    let host = |on: i32| view.tree().unit(branch.host_on(Day(DAY_0 + on)).unwrap()).id;
    assert_eq!((host(1), host(8)), (unit("e"), unit("b")));
}

#[test]
fn reports_are_returned_by_superiors_of_their_own_unit() {
    check(
        "
        1 A files e
        2 A enrols T
        3 T files f
        4 B returns b report 1      | unknown subject
        4 B returns e report 1      | no word
        4 C returns e report 1
        4 A returns e report 3      | unknown subject
        4 A returns f report 3
    ",
    );
}

#[test]
fn m6_rekeys_carry_claims_and_close_no_cycle() {
    let (story, mut view) = check(
        "
        1 A founds U
        2 A joins U person x
        3 A renames U person x to y
        4 A renames U person y to z
        5 A renames U person z to x     | closes a cycle
    ",
    );
    let mut spans = |name: u8| view.person(&MemberKey([name; 16]), &story.blocks).len();
    assert_eq!([spans(b'x'), spans(b'y'), spans(b'z')], [0, 0, 1]);
    let (story, mut view) = check(
        "
        1 A founds U
        2 A joins U person x
        3 A renames U person x to y
        4 A renames U person x to z
        5 A renames U person x to w     | withdrawn by #6
        6 A withdraws #5
    ",
    );
    let mut spans = |name: u8| view.person(&MemberKey([name; 16]), &story.blocks).len();
    assert_eq!([spans(b'x'), spans(b'y'), spans(b'z'), spans(b'w')], [0, 0, 1, 0]);
}

#[test]
fn m6_facts_reach_the_right_person_whenever_they_come() {
    let spans = |table: &str| {
        let (story, mut view) = check(table);
        view.person(&MemberKey([b'y'; 16]), &story.blocks).len()
    };
    // what the wrong number's books add later is added to the right one
    let told_before = spans(
        "
        1 A founds U
        3 A renames U person x to y
        5 A describes U person x
        6 A joins U person y on 2
    ",
    );
    assert_eq!(told_before, 2);
    // and so is what counts only once its writer is enrolled
    let counts_later = spans(
        "
        1 A founds U
        2 T joins U person x
        3 A renames U person x to y
        4 A enrols T from 1
    ",
    );
    assert_eq!(counts_later, 1);
}

#[test]
fn members_outlive_an_alias_of_their_employer() {
    let (story, mut view) = check(
        "
        1 A registers g under t
        2 A founds U host t kind regional
        3 A rekeys e to g           | withdrawn by #5
        4 A joins U employer e
        6 A withdraws #3
    ",
    );
    let spans = view.person(&MemberKey([7; 16]), &story.blocks);
    let employer = spans[0].employer.map(|at| view.tree().unit(view.tree().canonical(at)).id);
    assert_eq!(employer, Some(unit("e")));
}
