//! Low and high of rows (DESIGN §8): what is doubtful goes the one way and the other, row by row.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::query::By;
use hub_core_tests::ask::{bounds, rows_with_bounds, totals};
use hub_core_tests::story::check;

/// Units of unknown headcount: uncovered ones lower the rate at the least, covered ones raise it at the most.
#[test]
fn unknown_headcounts() {
    let (_, view) = check(
        "
        1 A registers g under t
        1 A registers h under a
        1 A counts e to 60
        1 A founds U host e
        1 A approves U for a
        1 A founds V host f
        1 A approves V for a
        2 A applies W host g
    ",
    );
    // e counts and is covered; f is covered, g applied and h neither, of unknown headcount all three
    assert_eq!(bounds(&view, "a", "founding.unit", 5), "1/1 1/3..2/2");
    assert_eq!(bounds(&view, "t", "founding.unit", 5), "1/1 1/2..2/2");
    assert_eq!(bounds(&view, "a", "founding.unit:all", 5), "2/4");
    assert_eq!(bounds(&view, "a", "founding.unit:50", 5), "1/1 1/3..2/2");
    assert_eq!(bounds(&view, "a", "founding.unit:100", 5), "0/0 0/2..1/1");
    assert_eq!(bounds(&view, "a", "founding.application", 5), "1/1 1/2..3/3");
    assert_eq!(bounds(&view, "a", "units.due", 5), "1 1..4");
    assert_eq!(bounds(&view, "a", "stage.due.none", 5), "0 0..1");
    assert_eq!(
        rows_with_bounds(&view, "a", "founding.unit", 5, By::Child),
        "本级 0/0 0/1..0/0  t 1/1 1/2..2/2  合计 1/1 1/3..2/2"
    );
    assert_eq!(
        rows_with_bounds(&view, "a", "founding.unit", 5, By::Headcount),
        " 0/0 0/2..1/1  50-99 1/1  合计 1/1 1/3..2/2"
    );
}

/// A firm under two parents by a mere tie: in each row it counts or not; above both nothing is doubtful.
#[test]
fn a_firm_under_two_parents() {
    let (_, view) = check(
        "
        1 B registers s under b
        1 B registers e under s
        1 A counts e to 40
        1 B counts e to 50
        1 A counts f
        1 A founds V host f
        1 A approves V for a
        1 B registers h under s
        1 B counts h
    ",
    );
    let founding = |name| bounds(&view, name, "founding.unit", 5);
    assert_eq!(
        ["e", "t", "a", "s", "b"].map(founding),
        ["0/1", "1/2 1/2..1/1", "1/2 1/2..1/1", "0/1 0/2..0/1", "0/1 0/2..0/1",]
    );
    assert_eq!(["c", "p"].map(founding), ["1/3", "1/3"]);
    let employees = |name| bounds(&view, name, "employees.all", 5);
    // what the other parent's node counted is shown, uncounted
    assert_eq!(["t", "s", "c"].map(employees), ["70 30..70", "30 30..70", "100"]);
    let disputed = |name| totals(&view, name, "units.disputed", 5, 5);
    assert_eq!(disputed("e t a s b c p"), "e 1  t 1  a 1  s 1  b 1  c 1  p 1");
    assert_eq!(
        rows_with_bounds(&view, "c", "founding.unit", 5, By::Child),
        "a 1/2 1/2..1/1  b 0/1 0/2..0/1  合计 1/3"
    );
}

/// Where the firm under two parents is of unknown headcount as well, both doubts are heard.
#[test]
fn a_firm_under_two_parents_of_unknown_headcount() {
    let (_, view) = check(
        "
        1 B registers s under b
        1 B registers e under s
    ",
    );
    let founding = |name| bounds(&view, name, "founding.unit", 5);
    assert_eq!(["t", "s"].map(founding), ["0/0 0/2..0/0", "0/0 0/1..0/0"]);
    assert_eq!(founding("c"), "0/0 0/2..0/0");
}

/// One union in each county.
const TWO: &str = "
    0 B registers g under b
    1 A counts e to 40
    1 B counts g to 40
    1 A founds U
    1 A approves U for a
    1 B founds V host g
    1 B approves V for b
";

/// Members of two firms, of their counties and of the city over both.
fn members(table: &str, on: i32) -> [String; 5] {
    let (_, view) = check(&format!("{TWO}{table}"));
    ["e", "a", "g", "b", "c"].map(|name| bounds(&view, name, "members.all", on))
}

/// M1: for ninety days after the later of both starts was written either union may be the right one; above
/// both nothing is doubtful.
#[test]
fn a_takeover_nobody_has_agreed_to() {
    let taken = "
        2 A joins U person x employer e
        5 B joins V person x employer g
    ";
    let doubtful = ["0 0..1", "0 0..1", "1 0..1", "1 0..1", "1"];
    assert_eq!(members(taken, 4), ["1", "1", "0", "0", "1"]);
    assert_eq!(members(taken, 5), doubtful);
    assert_eq!(members(taken, 94), doubtful);
    assert_eq!(members(taken, 95), ["0", "0", "1", "1", "1"]);
    // the old union agrees; or their superior has decided
    let agreed = format!("{taken} 20 A leaves U person x");
    assert_eq!(members(&agreed, 30), ["0", "0", "1", "1", "1"]);
    let ruled = format!("{taken} 20 C rules claims V>U person x from 5");
    assert_eq!(members(&ruled, 30), ["0", "0", "1", "1", "1"]);
}

/// M2: a claim that lost and stays open is doubtful for as long as it does.
#[test]
fn a_claim_in_dispute() {
    let disputed = "
        2 A joins U person x employer e
        5 B joins V person x employer g by self
    ";
    let doubtful = ["1 0..1", "1 0..1", "0 0..1", "0 0..1", "1"];
    assert_eq!(members(disputed, 5), doubtful);
    assert_eq!(members(disputed, 300), doubtful);
    let left = format!("{disputed} 20 B leaves V person x");
    assert_eq!(members(&left, 20), ["1", "1", "0", "0", "1"]);
    let (_, view) = check(&format!("{TWO}{disputed}"));
    let rate = |name| bounds(&view, name, "member.A", 5);
    assert_eq!(["a", "b", "c"].map(rate), ["1/40 0/40..1/40", "0/40 0/40..1/40", "1/80"]);
}

/// M3: objected to, and then nobody is left who holds: that the person is nowhere is a way, too.
#[test]
fn a_person_whom_nobody_holds() {
    let objected = "
        2 A joins U person x employer e
        5 B joins V person x employer g
        9 C objects V person x for a from 9
        12 A leaves U person x
    ";
    assert_eq!(members(objected, 10), ["1 0..1", "1 0..1", "0 0..1", "0 0..1", "1"]);
    assert_eq!(members(objected, 12), ["0", "0", "0 0..1", "0 0..1", "0 0..1"]);
}
