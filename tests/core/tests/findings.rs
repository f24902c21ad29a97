//! Findings as tables: what is filed or stated, and the names of what somebody should look at (S2, S4, K9, K12,
//! K19, K20, K22; X1, X2, X9, X10, X11, X14, X16 of the work reports).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::findings::{self, Kind};
use hub_core::id::UnitId;
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::story::{DAY_0, Story, check, unit};

/// Day 400 is 2025-11-08: the newest statistical year that has ended is 2025.
const ASKED: i32 = 400;

fn found((story, view): &mut (Story, View), of: &str, on: i32) -> Vec<(String, Kind)> {
    let day = Day(DAY_0 + on);
    let rollup = Rollup::of(view, day, day);
    let at = view.tree().find(&unit(of)).unwrap();
    let found = findings::of(view, &rollup, at, &story.blocks);
    let name = |id: &UnitId| view.tree().unit(view.tree().find(id).unwrap()).name().to_owned();
    found.into_iter().map(|f| (name(&f.unit), f.kind)).collect()
}

/// What a table comes to, notes included, as `unit:name`.
fn names(table: &str, of: &str) -> Vec<String> {
    let mut told = check(table);
    let named = |(unit, kind): (String, Kind)| format!("{unit}:{}", kind.name());
    found(&mut told, of, ASKED).into_iter().map(named).collect()
}

#[test]
fn declared_figures_and_what_is_wrong_with_them() {
    let table: &[(&str, &[&str])] = &[
        // S4: X1, and the same as it was meant
        ("form 3 values 151=126,152=102 rate 改制率:152/151=92%", &["rate-differs"]),
        ("form 3 values 151=126,152=116 rate 改制率:152/151=92%", &["rate-follows"]),
        ("form 3 values 151=0,152=0 rate 改制率:152/151=92%", &["rate-differs"]),
        // X2: applications called foundings; the arithmetic is right
        (
            "form 3 values 132=41,134=39 rate 组建率:134/132=95.1%",
            &["rate-follows", "rate-misnamed"],
        ),
        ("form 3 values 132=41,134=39 rate 申请率:134/132=95.1%", &["rate-follows"]),
        // K9, X11: no numbers; X16: one number, two rates
        ("form 3 rate 组建率:-=99.87%", &["rate-without-numbers"]),
        ("form 3 values 132=41 rate 组建率:136/132=95.1%", &["rate-without-numbers"]),
        (
            "form 3 rate 企业建会和工资集体协商建制率:-=超过85%",
            &["rate-of-several", "rate-without-numbers"],
        ),
        ("form 3 rate 组建率:-=大部分", &["rate-unreadable"]),
        // X10: contracts over enterprises; parts of 2,025 that make 1,803 to 1,820
        ("form 3 values 145=1536,146=1401 rate 覆盖率:146/145=91%", &["units-mixed"]),
        (
            "form 3 values 141=2025,142=142,145=1536 rate 非公有企业集体合同签订率:145/143=92%",
            &["parts-differ", "rate-without-numbers"],
        ),
        (
            "form 3 values 141=1810,142=142,145=1536 rate 非公有企业集体合同签订率:145/143=92%",
            &["rate-without-numbers"],
        ),
        // X14: persons and times
        ("form 3 values 171=600,172=1200 rate 体检率:172/171=200%", &["units-mixed"]),
        // K12: logic checks; equal is fine
        ("values 101=100,102=101", &["declared-members-over-employees"]),
        ("values 101=100,102=100", &[]),
        ("values 101=100,103=101", &["women-over-total"]),
        ("values 102=100,104=101", &["women-over-total"]),
        ("values 102=100,106=101", &["part-over-whole"]),
        ("values 111=59,112=58", &["unions-over-units"]),
        ("form 3 values 131=79,133=10,135=69", &[]),
        ("form 3 values 131=80,133=10,135=69", &["parts-differ"]),
        // not filled is not zero: nothing is compared
        ("values 102=101", &[]),
        ("form 3 values 131=80,133=10", &[]),
        ("values 102=10,999=3", &["element-unknown"]),
        // older years are not asked about
        ("period 2024 values 101=100,102=101", &[]),
        ("period 2026 values 101=100,102=101", &["declared-members-over-employees"]),
    ];
    for (filed, expected) in table {
        let found = names(&format!("1 A files e {filed}"), "p");
        let expected: Vec<String> = expected.iter().map(|name| format!("e:{name}")).collect();
        assert_eq!(found, expected, "{filed}");
    }
}

#[test]
fn the_numbers_of_the_work_reports() {
    let one = |filed: &str| {
        let mut told = check(&format!("1 A files e {filed}"));
        found(&mut told, "e", ASKED).into_iter().map(|(_, kind)| kind).collect::<Vec<_>>()
    };
    let x1 = one("form 3 values 151=126,152=102 rate 改制率:152/151=92%");
    let Kind::RateDiffers { needed, numerator, denominator, .. } = &x1[0] else { panic!("{x1:?}") };
    assert_eq!((numerator.value, denominator.value, *needed), (102, 126, Some((116, 117))));
    let x2 = one("form 3 values 131=79,132=41,133=10,134=39,135=69 rate 组建率:134/132=95.1%");
    let Kind::RateMisnamed { called, is, rightly, .. } = &x2[1] else { panic!("{x2:?}") };
    assert_eq!(called, "founding.unit");
    assert_eq!(is.as_deref(), Some("founding.application"));
    assert_eq!(rightly, &[(10, 79)], "12.66 % by all units");
    let x10 =
        one("form 3 values 141=2025,142=142,145=1536 rate 非公有企业集体合同签订率:145/143=92%");
    let Kind::PartsDiffer { whole, implied, low, high, .. } = &x10[0] else { panic!("{x10:?}") };
    assert_eq!((implied[0].low, implied[0].high), (1_661, 1_678));
    assert_eq!((whole.value, *low, *high), (2_025, 1_803, 1_820));
    assert_eq!((whole.value - high, whole.value - low), (205, 222));
}

#[test]
fn reports_beside_others() {
    let table: &[(&str, &[&str])] = &[
        // a jump against the period before, beyond twice or below half, of 50 and more
        ("1 A files e period 2024 values 102=100\n 2 A files e values 102=201", &["e:jump"]),
        ("1 A files e period 2024 values 102=100\n 2 A files e values 102=200", &[]),
        ("1 A files e period 2024 values 102=100\n 2 A files e values 102=49", &["e:jump"]),
        ("1 A files e period 2024 values 102=10\n 2 A files e values 102=49", &[]),
        ("1 A files e period 2024 values 102=0\n 2 A files e values 102=50", &["e:jump"]),
        // the one before was returned: nothing to compare with
        (
            "1 A files e period 2024 values 102=100\n 2 C returns e report 1\n 3 A files e values 102=201",
            &[],
        ),
        // K22: two units, one report; a warning only
        (
            "1 A files e values 101=9,102=8,103=7,104=6\n 2 A files f values 101=9,102=8,103=7,104=6",
            &["f:identical-reports"],
        ),
        (
            "1 A files e values 101=9,102=8,103=0,104=0\n 2 A files f values 101=9,102=8,103=0,104=0",
            &[],
        ),
        // S2
        ("1 A files t values 102=7 rest e,f\n 2 A files e values 102=3", &["e:residual-overlap"]),
        // a correction ends the finding
        ("1 A files e values 101=5,102=6\n 2 A files e rev 2 values 101=6,102=5", &[]),
    ];
    for (told, expected) in table {
        assert_eq!(names(told, "p"), *expected, "{told}");
    }
    let told = "1 A files e values 101=5,102=6";
    assert_eq!(names(told, "a"), ["e:declared-members-over-employees"]);
    assert!(names(told, "b").is_empty(), "another county's is none of its business");
}

#[test]
fn what_the_books_themselves_say() {
    let founded = "1 A founds U\n 1 A approves U for a\n";
    // F2: covered and without members
    assert_eq!(names(founded, "p"), ["e:empty-unit"]);
    let held = format!("{founded} 2 A joins U person x\n");
    assert!(names(&held, "p").is_empty());
    // X9: a term of five years that began six ago
    let overdue = format!("{held} 3 A elects U term 3 on -800\n");
    assert_eq!(names(&overdue, "p"), ["e:election-overdue"]);
    assert!(names(&format!("{held} 3 A elects U term 3 on -600\n"), "p").is_empty());
    // X8: written on day 3, dated day 30
    let ahead = format!("{held} 3 A elects U term 3 on 30 | dated after its own clock\n");
    assert_eq!(names(&ahead, "p"), ["e:future-dated"]);
    let kind = found(&mut check(&ahead), "e", ASKED).remove(0).1;
    let Kind::Premature { day, written, .. } = kind else { panic!("{kind:?}") };
    assert_eq!((day.0 - DAY_0, written.0 - DAY_0), (30, 3));
}

/// U4, K14: two townships that one follows; a firm that nobody moved stands in the county until somebody does.
#[test]
fn what_a_succession_left() {
    let merged = "
        1 A registers u under a
        1 A registers v under a
        5 A succeeds t,u to v on 10
    ";
    let split = "
        1 A registers u under a
        1 A registers v under a
        5 A succeeds t to u,v on 10
    ";
    for (table, at) in [(merged, "v"), (split, "a")] {
        let mut told = check(table);
        let left: Vec<_> = found(&mut told, "p", 20)
            .into_iter()
            .filter_map(|(unit, kind)| match kind {
                Kind::LeftBySuccession { day, units, members, .. } => {
                    Some((unit, day.0 - DAY_0, units, members))
                }
                _ => None,
            })
            .collect();
        assert_eq!(left, [(at.to_owned(), 10, 2, 0)], "{table}");
        // e and f are moved, and nothing is left
        let moved = format!("{table} 12 A moves e to v on 12\n 12 A moves f to v on 12\n");
        assert!(
            found(&mut check(&moved), "p", 20)
                .iter()
                .all(|(_, kind)| kind.name() != "left-by-succession")
        );
    }
}

/// S5, K11: what is dated within a closed period and came later, counted by office and kind.
#[test]
fn what_came_after_a_closing() {
    let closed = "
        1 A counts e
        1 A founds U
        1 A approves U for a
        2 A joins U person x employer e
        370 A checkpoints
        371 A shuts a at #5
    ";
    let late = |more: &str| {
        let mut told = check(&format!("{closed}{more}"));
        let after = |(unit, kind)| match kind {
            Kind::AfterClosing { period, what, count, earliest, .. } => {
                Some(format!("{unit} {period} {what} {count} {}", earliest.0 - DAY_0))
            }
            _ => None,
        };
        found(&mut told, "a", ASKED).into_iter().filter_map(after).collect::<Vec<_>>()
    };
    let nothing: [&str; 0] = [];
    assert_eq!(late(""), nothing);
    assert_eq!(late("380 A joins U person y employer e"), nothing, "dated after the period");
    assert_eq!(
        late(
            "
        380 A joins U person y employer e on 300
        381 A joins U person z employer e on 200
        382 A counts e to 70 on 100
    "
        ),
        ["a 2025 member.joined 2 200", "a 2025 unit.headcount_declared 1 100"]
    );
    let taken = "
        380 A joins U person y employer e on 300 | withdrawn by #8
        381 A withdraws #7
    ";
    assert_eq!(late(taken), nothing, "taken back");
}
