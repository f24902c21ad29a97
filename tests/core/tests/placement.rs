//! Where units and their unions stand when several claim them (DESIGN §7 U1, U2, F2 to F4, M5; K5, K6, K7, K15), with
//! the effect on rates at every level.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core_tests::ask::{bounds, totals};
use hub_core_tests::story::check;

/// The firm `e` of county `a` is registered under `s` of county `b` too; both nodes count its employees.
const TWO_PARENTS: &str = "
    1 B registers s under b
    1 B registers e under s
    1 A counts e to 40
    1 B counts e to 60
";

fn founding(view: &hub_core::view::View, on: i32) -> String {
    totals(view, "t a s b c", "founding.unit", on, on)
}

fn employees(view: &hub_core::view::View, on: i32) -> String {
    totals(view, "t s c", "employees.all", on, on)
}

/// U1 day by day: nobody's union, then that of `b`, then none again, when the one that counted last decides; and
/// what the other node says is shown, uncounted (K5, K6).
#[test]
fn u1_the_registration_of_the_union_that_counts() {
    let (_, view) = check(&format!(
        "{TWO_PARENTS}
        5 B applies V host e to s
        6 B founds V on 5
        6 B approves V for b on 5
        20 B dissolves V
    "
    ));
    assert_eq!(founding(&view, 4), "t 0/1  a 0/1  s 0/0  b 0/0  c 0/1");
    assert_eq!(employees(&view, 4), "t 40  s 0  c 40");
    assert_eq!(founding(&view, 5), "t 0/0  a 0/0  s 1/1  b 1/1  c 1/1");
    assert_eq!(employees(&view, 5), "t 0  s 60  c 60");
    assert_eq!(founding(&view, 20), "t 0/0  a 0/0  s 0/1  b 0/1  c 0/1");
    assert_eq!(totals(&view, "t a s b c", "units.disputed", 4, 4), "t 1  a 1  s 1  b 1  c 1");
    assert_eq!(totals(&view, "t a s b c", "units.disputed", 20, 20), "t 0  a 0  s 0  b 0  c 0");
    assert_eq!(bounds(&view, "s", "founding.unit", 4), "0/0 0/1..0/0");
    assert_eq!(bounds(&view, "s", "founding.unit", 20), "0/1");
}

/// A common ancestor's approval speaks for the parent that the application names.
#[test]
fn u1_a_common_ancestors_approval() {
    let (_, view) = check(&format!(
        "{TWO_PARENTS}
        5 B applies V host e to s
        6 B founds V on 5
        6 C approves V for c on 5
    "
    ));
    assert_eq!(founding(&view, 5), "t 0/0  a 0/0  s 1/1  b 1/1  c 1/1");
}

/// A ruling places the firm from its day, whatever counts; taken back, the rest decides again.
#[test]
fn u1_a_ruling_first() {
    let ruled = |rest: &str| {
        check(&format!(
            "{TWO_PARENTS}
            5 A founds U host e
            6 A approves U for a on 5
            9 C rules units e s>t from 8 {rest}
        "
        ))
        .1
    };
    let view = ruled("");
    assert_eq!(founding(&view, 7), "t 1/1  a 1/1  s 0/0  b 0/0  c 1/1");
    assert_eq!(founding(&view, 8), "t 0/0  a 0/0  s 1/1  b 1/1  c 1/1");
    assert_eq!(employees(&view, 8), "t 0  s 60  c 60");
    assert_eq!(totals(&view, "c", "units.disputed", 8, 8), "c 0");
    let view = ruled("| withdrawn by #8\n 10 C withdraws #7");
    assert_eq!(founding(&view, 8), "t 1/1  a 1/1  s 0/0  b 0/0  c 1/1");
}

/// A closing stated under the other registration is shown and closes nothing (U1, U3).
#[test]
fn u1_a_closing_of_the_other_registration() {
    let closed_by = |node: &str| {
        check(&format!(
            "{TWO_PARENTS}
            5 A founds U host e
            6 A approves U for a on 5
            9 {node} closes e on 8
        "
        ))
        .1
    };
    assert_eq!(founding(&closed_by("B"), 8), "t 1/1  a 1/1  s 0/0  b 0/0  c 1/1");
    assert_eq!(founding(&closed_by("A"), 8), "t 0/0  a 0/0  s 0/0  b 0/0  c 0/0");
}

/// F4 day by day: the earlier counts for as long as both would; the other is disputed, and counts when the first
/// ends. A ruling names the other, and the loser is neither counted nor disputed (K6).
#[test]
fn f4_two_own_unions() {
    let told = |rest: &str| {
        let unions = "
            1 A founds U host e
            1 A approves U for a
            1 A counts e
            2 A joins U
            3 A founds V host e
            3 A approves V for a
        ";
        let (_, view) = check(&format!("{unions}{rest}"));
        move |on| {
            let of = |measure| totals(&view, "t", measure, on, on);
            [of("unions.all"), of("unions.disputed"), of("founding.unit"), of("member.A")]
        }
    };
    let unions = told("9 A dissolves U");
    assert_eq!(unions(2), ["t 1", "t 0", "t 1/1", "t 1/30"]);
    assert_eq!(unions(3), ["t 1", "t 1", "t 1/1", "t 1/30"]);
    assert_eq!(unions(9), ["t 1", "t 0", "t 1/1", "t 1/30"]);
    let unions = told("9 C rules unions V>U from 6");
    assert_eq!(unions(5), ["t 1", "t 1", "t 1/1", "t 1/30"]);
    assert_eq!(unions(6), ["t 1", "t 0", "t 1/1", "t 1/30"]);
    let unions = told("9 C rules unions V>U from 6\n 9 A dissolves V on 8");
    // the loser stays out, and its members wait
    assert_eq!(unions(8), ["t 0", "t 0", "t 0/1", "t 0/0"]);
}

/// F2, F3: distinct units: a firm covered by a regional union and its own is one, and the regional one covers it
/// again when the own one ends (K7).
#[test]
fn f3_own_before_regional_coverage() {
    let (_, view) = check(
        "
        1 A counts e
        1 A counts f
        1 A founds R host t kind regional
        1 A approves R for a
        2 A covers R unit e
        2 A covers R unit f
        4 A founds U host e
        4 A approves U for a
        9 A dissolves U
    ",
    );
    let of = |on| {
        let of = |measure| totals(&view, "t", measure, on, on);
        [of("unions.all"), of("covered.all"), of("founding.unit")]
    };
    assert_eq!(of(3), ["t 1", "t 2", "t 2/2"]);
    assert_eq!(of(4), ["t 2", "t 2", "t 2/2"]);
    assert_eq!(of(9), ["t 1", "t 2", "t 2/2"]);
}

/// M5: a union reaches employers below the parent of its host, and farther when a common ancestor approved it; else
/// its members count at its host, and it covers nothing there.
#[test]
fn m5_how_far_a_union_reaches() {
    let told = |approves: &str| {
        check(&format!(
            "
            1 B registers s under b
            1 B registers g under s
            1 B counts g
            1 A counts e
            1 A founds R host t kind regional
            {approves}
            2 A covers R unit e
            2 A covers R unit g
            3 A joins R employer e person x
            3 A joins R employer g person y
        "
        ))
        .1
    };
    let near = told("1 A approves R for a");
    assert_eq!(totals(&near, "t s c", "covered.all", 5, 5), "t 1  s 0  c 1");
    assert_eq!(totals(&near, "e t g s c", "members.all", 5, 5), "e 1  t 2  g 0  s 0  c 2");
    assert_eq!(totals(&near, "t", "members.without_employer", 5, 5), "t 1");
    let far = told("1 C approves R for c");
    assert_eq!(totals(&far, "t s c", "covered.all", 5, 5), "t 1  s 1  c 2");
    assert_eq!(totals(&far, "e t g s c", "members.all", 5, 5), "e 1  t 1  g 1  s 1  c 2");
}

/// M5, F5: members of a merged union count where its successor does; of a union without successor nowhere.
#[test]
fn m5_merged_and_dissolved_unions() {
    let told = |end: &str| {
        let (_, view) = check(&format!(
            "
            1 A counts e
            1 A counts f
            1 A founds U host e
            1 A approves U for a
            1 A founds V host f
            1 A approves V for a
            2 A joins U
            {end}
        "
        ));
        move |on| {
            let of = |measure| totals(&view, "e f t", measure, on, on);
            [of("members.all"), of("members.unplaced"), of("members.retained")]
        }
    };
    let members = told("5 A merges U into V");
    assert_eq!(members(4), ["e 1  f 0  t 1", "e 0  f 0  t 0", "e 0  f 0  t 0"]);
    // the employer goes on, and its members with it
    assert_eq!(members(5), ["e 1  f 0  t 1", "e 0  f 0  t 0", "e 0  f 0  t 0"]);
    let members = told("5 A merges U into V\n 7 A closes e");
    assert_eq!(members(7), ["e 0  f 1  t 1", "e 0  f 0  t 0", "e 0  f 0  t 0"]);
    let members = told("5 A dissolves U");
    assert_eq!(members(5), ["e 0  f 0  t 0", "e 1  f 0  t 1", "e 0  f 0  t 0"]);
}

/// K15: a firm that moves counts in one place on every day; boundaries of either day may be asked for.
#[test]
fn k15_a_firm_that_moves() {
    let (_, view) = check(
        "
        1 B registers s under b
        1 A counts e
        1 A founds U host e
        1 A approves U for a
        9 C moves e to s on 7
    ",
    );
    let rate = |on, boundaries| totals(&view, "t a s b c", "founding.unit", on, boundaries);
    assert_eq!(rate(6, 6), "t 1/1  a 1/1  s 0/0  b 0/0  c 1/1");
    assert_eq!(rate(7, 7), "t 0/0  a 0/0  s 1/1  b 1/1  c 1/1");
    assert_eq!((rate(6, 7), rate(7, 6)), (rate(7, 7), rate(6, 6)));
}

/// K8: an application is no founding; the stages are exclusive and sum.
#[test]
fn k8_applications_are_no_foundings() {
    let (_, view) = check(
        "
        1 A counts e
        1 A counts f
        2 A applies U host e to t
        4 A approves U for t
        6 A founds U
        3 A applies V host f to t
        5 A refuses V for t
    ",
    );
    let of = |on| {
        let of = |measure: &str| totals(&view, "t", measure, on, on);
        let stages = ["none", "applied", "approved", "founded", "refused"];
        let stages = stages.map(|stage| of(&format!("stage.due.{stage}"))[2..].to_owned()).concat();
        (of("founding.unit"), of("founding.application"), stages)
    };
    let row = |unit: &str, application: &str, stages: &str| {
        (format!("t {unit}"), format!("t {application}"), stages.to_owned())
    };
    assert_eq!(of(1), row("0/2", "0/2", "20000"));
    assert_eq!(of(2), row("0/2", "1/2", "11000"));
    assert_eq!(of(3), row("0/2", "2/2", "02000"));
    assert_eq!(of(4), row("0/2", "2/2", "01100"));
    assert_eq!(of(5), row("0/2", "1/2", "00101"));
    assert_eq!(of(6), row("1/2", "1/2", "00011"));
}

/// Counts of members over a headcount are no rate: 基数不足; a unit without headcount is on neither side (X17).
#[test]
fn members_over_headcount_and_unknown_headcounts() {
    let (_, view) = check(
        "
        1 A counts e to 1
        1 A founds U host e
        1 A approves U for a
        1 A founds V host f
        1 A approves V for a
        2 A joins U person x
        2 A joins U person y
        2 A joins V person z
    ",
    );
    assert_eq!(totals(&view, "e f t", "member.A", 5, 5), "e 2/1  f 0/0  t 2/1");
    assert_eq!(totals(&view, "e f t", "units.base_too_small", 5, 5), "e 1  f 0  t 1");
    assert_eq!(totals(&view, "e f t", "units.unknown_headcount", 5, 5), "e 0  f 1  t 1");
}
