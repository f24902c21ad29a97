//! U4: units that follow others, and the rates on both sides of the day (DESIGN §7; K13, K14, K16).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::rollup::{Left, Rollup};
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::ask::{children, totals};
use hub_core_tests::story::{DAY_0, check};

const FIRMS: &str = "
    1 A registers u under a
    1 A registers g under u
    1 A counts e
    1 A counts f
    1 A counts g
    1 A founds U host e
    1 A approves U for a
    1 A joins U person x
";

fn told(table: &str) -> View {
    check(&format!("{FIRMS}{table}")).1
}

fn left(view: &View, on: i32) -> Vec<(u64, i64)> {
    let day = Day(DAY_0 + on);
    let rollup = Rollup::of(view, day, day);
    rollup.left().map(|(_, Left { units, members })| (units, members)).collect()
}

/// 撤乡并镇: two townships become one. A firm moved by a fact and firms nobody moved count in the new one;
/// days before see the old ones (K14).
#[test]
fn u4_townships_merged() {
    let view = told(
        "
        10 A registers v under a
        15 A succeeds t,u to v on 20
        25 A moves e to v on 20
    ",
    );
    let founding = |on, boundaries| children(&view, "a", "founding.unit", on, boundaries);
    assert_eq!(founding(19, 19), "t 1/2  u 0/1  v 0/0  合计 1/3");
    assert_eq!(founding(20, 20), "v 1/3  合计 1/3");
    assert_eq!(founding(20, 19), "t 1/2  u 0/1  v 0/0  合计 1/3");
    assert_eq!(founding(19, 20), "v 1/3  合计 1/3");
    let above = |on| totals(&view, "a c p", "founding.unit", on, on);
    assert_eq!(above(19), "a 1/3  c 1/3  p 1/3");
    assert_eq!(above(20), above(19));
    assert_eq!(left(&view, 20), [(2, 0)]);
}

/// A township split in two: what a move names counts there, what nobody moved in 本级 of the county, and that
/// is a finding (K14).
#[test]
fn u4_a_township_split() {
    let view = told(
        "
        10 A registers v under a
        10 A registers s under a
        15 A succeeds t to s,v on 20
        25 A moves e to v on 19
    ",
    );
    let founding = |on, boundaries| children(&view, "a", "founding.unit", on, boundaries);
    assert_eq!(founding(18, 18), "s 0/0  t 1/2  u 0/1  v 0/0  合计 1/3");
    assert_eq!(founding(20, 20), "本级 0/1  s 0/0  u 0/1  v 1/1  合计 1/3");
    assert_eq!(founding(20, 18), founding(18, 18));
    assert_eq!(founding(18, 20), founding(20, 20));
    assert_eq!(left(&view, 18), []);
    assert_eq!(left(&view, 20), [(1, 0)]);
}

/// 撤县设区: a county under another name and code carries its townships, its node and its books (K14, K16).
#[test]
fn u4_a_county_becomes_a_district() {
    let view = told(
        "
        10 C registers k under c
        15 C succeeds a to k on 20
        16 A counts f to 40
        30 A registers h under t
        30 A counts h
        30 A founds H host f
        30 A approves H for k
        40 C enrols K
        41 K founds I host h
        41 K approves I for k
        80 A counts e to 50          | no word
    ",
    );
    let rate = |names, on, boundaries| totals(&view, names, "founding.unit", on, boundaries);
    assert_eq!(rate("a k c p", 19, 19), "a 1/3  k 0/0  c 1/3  p 1/3");
    assert_eq!(rate("a k c p", 20, 20), "a 0/0  k 1/3  c 1/3  p 1/3");
    assert_eq!(rate("a k c p", 41, 41), "a 0/0  k 3/4  c 3/4  p 3/4");
    assert_eq!(rate("a k c p", 41, 19), "a 3/4  k 0/0  c 3/4  p 3/4");
    assert_eq!(rate("t u", 41, 19), rate("t u", 41, 41));
    let members = |on| totals(&view, "t k c", "member.A", on, on);
    assert_eq!(members(20), "t 1/30  k 1/30  c 1/30");
}

/// 改制: the firm goes on under another code; union, members and headcount are carried (K13).
#[test]
fn u4_a_firm_under_another_code() {
    let view = told(
        "
        10 A registers h under u on 10
        15 A succeeds e to h on 20
        25 A closes e on 24
        30 A joins U person y
    ",
    );
    let rate = |names, indicator, on| totals(&view, names, indicator, on, on);
    assert_eq!(rate("e t h u a", "founding.unit", 19), "e 1/1  t 1/2  h 0/0  u 0/1  a 1/3");
    assert_eq!(rate("e t h u a", "founding.unit", 20), "e 0/0  t 0/1  h 1/1  u 1/2  a 1/3");
    assert_eq!(rate("h u a", "member.A", 20), "h 1/30  u 1/30  a 1/30");
    assert_eq!(rate("h u a", "member.A", 30), "h 2/30  u 2/30  a 2/30");
    assert_eq!(totals(&view, "t u a", "founding.unit", 19, 20), "t 0/1  u 1/2  a 1/3");
    assert_eq!(totals(&view, "t u a", "founding.unit", 20, 19), "t 0/1  u 1/2  a 1/3");
}

/// Two firms merge into a third: members stay without place until their union goes up in the new firm's, or
/// they are taken over (K13).
#[test]
fn u4_firms_merged() {
    let view = told(
        "
        10 A registers h under u on 10
        10 A counts h to 60
        10 A founds H host h
        10 A approves H for a
        15 A succeeds e,f to h on 20
        30 A merges U into H on 25
    ",
    );
    let members = |on| {
        let of = |indicator| totals(&view, "t u a", indicator, on, on);
        [of("member.A"), of("members.unplaced"), of("founding.unit")]
    };
    assert_eq!(members(19), ["t 1/30  u 0/60  a 1/90", "t 0  u 0  a 0", "t 1/2  u 1/2  a 2/4"]);
    assert_eq!(members(20), ["t 0/0  u 0/60  a 0/60", "t 0  u 1  a 1", "t 0/0  u 1/2  a 1/2"]);
    assert_eq!(members(25), ["t 0/0  u 1/60  a 1/60", "t 0  u 0  a 0", "t 0/0  u 1/2  a 1/2"]);
    assert_eq!((left(&view, 20), left(&view, 25)), (vec![(0, 1)], vec![]));
}

/// Who may state a succession, and which of several stands.
#[test]
fn u4_verdicts() {
    check(
        "
        1 A registers u under a
        1 C registers k under c
        1 B succeeds t to u on 30           | no word
        1 A succeeds a to k on 30           | no word
        1 A succeeds t to e on 30           | parent level not higher
        1 A succeeds t to t,u on 30         | closes a cycle
        1 A succeeds t to x on 30           | unknown subject
        2 A succeeds t to u on 30
        3 A succeeds t to u on 31           | already succeeded
        4 A succeeds u to t on 40           | already succeeded
        5 A succeeds e to f on 10           | withdrawn by #12
        6 A withdraws #11
    ",
    );
    check(
        "
        1 A registers u under a
        1 A registers v under a
        2 A succeeds t to u on 30           | already succeeded
        3 A succeeds t to v on 20
    ",
    );
}
