//! What declared figures become, as tables (S1, S2, K10, K11, K22; the words are told in `src/story.rs` and
//! `src/figures.rs`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::view::View;
use hub_core::view::figure::{Overlap, Series};
use hub_core_tests::story::{Story, check, unit};

/// The value of element 102 in the standing report of `e`.
fn standing(view: &View) -> Option<i64> {
    let at = view.tree().find(&unit("e")).unwrap();
    view.figures().standing(at, 1, "2025").and_then(|report| report.value(102))
}

/// All that totals sum of element 102, by the name of the unit that filed.
fn counted(view: &View) -> Vec<(String, i64)> {
    let counted = view.figures().counted(view.tree(), 1, "2025");
    let named = counted
        .reports
        .iter()
        .map(|(at, report)| (view.tree().unit(*at).name().to_owned(), report.value(102).unwrap()));
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}

#[test]
fn s1_one_report_of_a_unit_form_and_period_stands() {
    let stands = |expected: Option<i64>, table: &str| {
        let (_, view) = check(table);
        assert_eq!(standing(&view), expected, "{table}");
    };
    // K11: a correction has the next revision; both stay in the log
    stands(Some(20), "1 A files e values 102=10\n 2 A files e rev 2 values 102=20");
    // an older revision that comes later is no correction
    stands(Some(20), "1 A files e rev 2 values 102=20\n 2 A files e values 102=10");
    // of one revision the later clock
    stands(Some(11), "1 A files e values 102=10\n 2 A files e values 102=11");
    // approved before filed, whatever the revision
    stands(
        Some(10),
        "1 A files e values 102=10\n 2 A files e rev 2 values 102=20\n 3 C signs e report 1",
    );
    // returned: out of totals, the one before it stands again
    stands(
        Some(10),
        "1 A files e values 102=10\n 2 A files e rev 2 values 102=20\n 3 C returns e report 2",
    );
    stands(None, "1 A files e values 102=10\n 3 C returns e report 1");
    // a return beats an approval; taken back, the approval holds
    stands(None, "1 A files e values 102=10\n 2 C signs e report 1\n 3 C returns e report 1");
    stands(
        Some(10),
        "1 A files e values 102=10\n 2 C signs e report 1\n \
         3 C returns e report 1 | withdrawn by #4\n 4 C withdraws #3",
    );
    // whoever serves the unit: the township's node took over, its report is of the same series
    stands(
        Some(30),
        "1 A files e values 102=10\n 2 A enrols T\n \
         40 T files e rev 2 values 102=30\n 41 A files e rev 9 values 102=40 | no word",
    );
    // nobody else files or decides
    stands(None, "1 B files e values 102=10 | no word");
    stands(Some(10), "1 A files e values 102=10\n 2 B returns e report 1 | no word");
    stands(Some(10), "1 A files e values 102=10\n 2 C returns f report 1 | unknown subject");
    // K22: the same report twice is one figure
    stands(Some(10), "1 A files e values 102=10\n 1 A files e values 102=10");
}

#[test]
fn s1_a_returned_report_is_listed_with_its_reason() {
    let (_, view) = check("1 A files e values 102=10\n 3 C returns e report 1 for c");
    let at = view.tree().find(&unit("e")).unwrap();
    let series = Series { form: 1, period: "2025".into(), unit: at, residual: false };
    let reports: Vec<_> = view.figures().of(&series).collect();
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    let returned: Vec<_> = report.returned.values().collect();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].reason, "漏项");
    assert_eq!(view.tree().unit(returned[0].by).id, unit("c"));
}

#[test]
fn k10_a_late_report_is_filed_and_counts_from_then() {
    let (_, view) = check("700 A files e period 2025 values 102=10");
    assert_eq!(standing(&view), Some(10));
}

fn overlap_of(story: &Story, overlap: &Overlap, view: &View) -> String {
    let line = |id| story.facts.iter().position(|fact| *fact == id).unwrap() + 1;
    let name = view.tree().unit(overlap.unit).name();
    format!("{name}: #{} in totals, #{} out", line(overlap.counted), line(overlap.left_out))
}

#[test]
fn s2_totals_are_sums_and_a_unit_counts_once() {
    let sums = |table: &str, expected: &[(&str, i64)], overlaps: &[&str]| {
        let (story, view) = check(table);
        let expected: Vec<_> = expected.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        assert_eq!(counted(&view), expected, "{table}");
        let counted = view.figures().counted(view.tree(), 1, "2025");
        let mut found: Vec<String> =
            counted.overlaps.iter().map(|o| overlap_of(&story, o, &view)).collect();
        found.sort();
        assert_eq!(found, overlaps, "{table}");
    };
    sums("1 A files e values 102=10\n 1 A files f values 102=5", &[("e", 10), ("f", 5)], &[]);
    // a unit's own figure and its residual one stand side by side
    sums(
        "1 A files t values 102=1\n 1 A files t values 102=7 rest e,f",
        &[("t", 1), ("t", 7)],
        &[],
    );
    // one with a figure of its own is a case, and counts in the residual figure only
    sums(
        "1 A files t values 102=7 rest e,f\n 2 A files e values 102=3",
        &[("t", 7)],
        &["e: #1 in totals, #2 out"],
    );
    // returned, the residual figure speaks for nobody
    sums(
        "1 A files t values 102=7 rest e,f\n 2 A files e values 102=3\n 3 C returns t report 1",
        &[("e", 3)],
        &[],
    );
    // corrected without e it speaks for f only
    sums(
        "1 A files t values 102=7 rest e,f\n 2 A files e values 102=3\n 3 A files t rev 2 values 102=4 rest f",
        &[("e", 3), ("t", 4)],
        &[],
    );
    // two residual figures for one unit: the later in S1's order is out whole
    sums(
        "1 A files t values 102=7 rest e\n 2 A files a rev 2 values 102=9 rest e,f",
        &[("a", 9)],
        &["e: #2 in totals, #1 out"],
    );
    // nobody speaks for units that do not lie below
    sums("1 A files f values 102=9 rest e\n 2 A files e values 102=3", &[("e", 3), ("f", 9)], &[]);
}
