//! Who has to report, who has, and in time; declared figures beside the books; an indicator that is only data
//! (S3, K10; DESIGN §8).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::catalog::Catalog;
use hub_core::measure::Indicators;
use hub_core::published::INDICATORS;
use hub_core::query::{Answer, Basis, By, Desk, QueryError, Question};
use hub_core::reporting::{duties, is_on_time};
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::story::{DAY_0, check, unit};

/// Day 361 is 2025-09-30, the last of statistical year 2025; 383 is 22 October.
const YEAR_ENDS: i32 = 361;
const DEADLINE: i32 = 383;

/// Duties of a form for a period: unit, deadline, filed, on time.
fn told(view: &View, form: u32, period: &str) -> Vec<(String, i32, bool, bool)> {
    let form = Catalog::standard().form(form).unwrap();
    let duties = duties(view, form, form.period(period).unwrap());
    let name = |at| view.tree().unit(at).name().to_owned();
    let mut told: Vec<_> = duties
        .iter()
        .map(|(at, duty)| {
            let deadline = duty.deadline.0 - DAY_0;
            (name(*at), deadline, duty.report.is_some(), is_on_time(view, duty))
        })
        .collect();
    told.sort();
    told
}

fn due(units: &[(&str, i32)]) -> Vec<(String, i32, bool, bool)> {
    units.iter().map(|(name, deadline)| ((*name).to_owned(), *deadline, false, false)).collect()
}

#[test]
fn hosts_of_counting_unions_and_territories_are_due() {
    let (_, view) = check("1 A founds U\n 1 A approves U for a\n 1 A founds V host f");
    assert_eq!(told(&view, 1, "2025"), due(&[("e", DEADLINE)]), "V has no approval");
    assert!(told(&view, 3, "2025").is_empty(), "nobody owes it");
    // 2025-10 ends on day 392
    let months = told(&view, 2, "2025-10");
    assert_eq!(months, due(&[("a", 397), ("b", 397), ("t", 397)]));
    assert!(told(&view, 2, "2024-09").is_empty(), "before there were any");
    // judged on the period's last day
    let (_, view) = check("1 A founds U\n 1 A approves U for a\n 360 A dissolves U");
    assert!(told(&view, 1, "2025").is_empty());
    let (_, view) = check("1 A founds U\n 1 A approves U for a\n 370 A dissolves U");
    assert_eq!(told(&view, 1, "2025").len(), 1);
    // whom it reports to sets the deadline
    let (_, view) = check(
        "1 C registers g under p | no word\n 1 P registers h under p\n \
         1 P founds U host h kind regional\n 2 P approves U for p",
    );
    assert_eq!(told(&view, 1, "2025"), due(&[("h", 391)]));
}

#[test]
fn k10_in_time_is_what_the_parent_held_by_the_day_after_the_deadline() {
    let founded = "1 A founds U\n 1 A approves U for a\n";
    let on_time = |rest: &str, filed: bool, expected: bool| {
        let (_, view) = check(&format!("{founded}{rest}"));
        let state = (DEADLINE, filed, expected);
        let (_, deadline, found, time) = told(&view, 1, "2025").remove(0);
        assert_eq!((deadline, found, time), state, "{rest}");
    };
    on_time("", false, false);
    on_time("370 A files e values 102=9", true, false);
    on_time("370 A files e values 102=9\n 371 C checkpoints", true, true);
    on_time("383 A files e values 102=9\n 384 C checkpoints", true, true);
    on_time("383 A files e values 102=9\n 385 C checkpoints", true, false);
    on_time("370 C checkpoints\n 371 A files e values 102=9", true, false);
    // its own word, or that of one further up, is not the parent's
    on_time("370 A files e values 102=9\n 371 A checkpoints\n 372 P checkpoints", true, false);
    // a returned report is none, however early
    on_time(
        "370 A files e values 102=9\n 371 C checkpoints\n 372 C returns e report 3",
        false,
        false,
    );
    // a residual figure that lists the unit is a report of it
    on_time("370 A files t values 102=9 rest e,f\n 371 C checkpoints", true, true);
}

fn ask(view: &View, indicator: &str, basis: Basis, by: By) -> Result<Answer, QueryError> {
    let unit = view.tree().find(&unit("c")).unwrap();
    let (base, as_of) = ("due".to_owned(), Day(DAY_0 + YEAR_ENDS + 60));
    let indicator = indicator.to_owned();
    let question = Question { unit, indicator, base, by, as_of, boundaries: None, basis };
    Desk::default().answer(view, &question)
}

fn total(view: &View, indicator: &str, basis: Basis) -> (i64, Option<i64>, Option<i64>) {
    let answer = ask(view, indicator, basis, By::Total).unwrap();
    let row = answer.rows.last().unwrap();
    (row.numerator, row.denominator, row.registry)
}

const BOOKS: &str = "
    1 A founds U
    1 A approves U for a
    2 A joins U person x
    2 A joins U person y
    3 A counts e
";

#[test]
fn s3_declared_and_registry_stand_side_by_side() {
    let (_, view) =
        check(&format!("{BOOKS} 370 A files e values 101=40,102=20\n 370 A files f values 102=5"));
    assert_eq!(total(&view, "members.all", Basis::Registry), (2, None, None));
    assert_eq!(total(&view, "members.all", Basis::Declared), (25, None, Some(2)));
    assert_eq!(total(&view, "member.A", Basis::Declared), (25, Some(40), Some(2)));
    assert_eq!(total(&view, "member.A", Basis::Registry), (2, Some(30), None));
    // 2 of the books beside the 25 declared by the same units
    assert_eq!(total(&view, "capture.members", Basis::Registry), (2, Some(25), None));
    let by_child = ask(&view, "members.all", Basis::Declared, By::Child).unwrap();
    let numerators: Vec<i64> = by_child.rows.iter().map(|row| row.numerator).collect();
    assert_eq!(numerators, [25, 0, 25], "a, b, total");
    let nobody = ask(&view, "founding.unit", Basis::Declared, By::Total).unwrap_err();
    assert!(matches!(nobody, QueryError::NotDeclared { found, .. } if found == "units.due"));
    // a residual figure declares for those it lists: the books of e are beside it
    let (_, view) = check(&format!(
        "{BOOKS} 370 A files t values 102=30 rest e,f\n 371 A files e values 102=9"
    ));
    assert_eq!(total(&view, "members.all", Basis::Declared), (30, None, Some(2)));
    assert_eq!(total(&view, "capture.members", Basis::Registry), (2, Some(30), None));
    // returned: nobody has declared
    let (_, view) =
        check(&format!("{BOOKS} 370 A files e values 102=20\n 371 C returns e report 6"));
    assert_eq!(total(&view, "capture.members", Basis::Registry), (0, Some(0), None));
}

#[test]
fn rows_say_who_was_due_and_who_reported() {
    // as of day 421, 2025-11-29: the year 2025 and the month 2025-10
    let (_, view) = check(&format!("{BOOKS} 370 A files e values 102=9\n 371 C checkpoints"));
    assert_eq!(total(&view, "reporting.complete", Basis::Registry), (1, Some(4), None));
    assert_eq!(total(&view, "reporting.ontime", Basis::Registry), (1, Some(4), None));
    let (_, view) = check(&format!(
        "{BOOKS} 370 A files e values 102=9\n 400 A files a form 2 period 2025-10 values 102=9\n 401 C checkpoints"
    ));
    assert_eq!(total(&view, "reporting.complete", Basis::Registry), (2, Some(4), None));
    assert_eq!(
        total(&view, "reporting.ontime", Basis::Registry),
        (0, Some(4), None),
        "both too late"
    );
}

#[test]
fn an_indicator_that_is_a_ratio_of_measures_is_data() {
    let mut text: serde_json::Value = serde_json::from_str(INDICATORS).unwrap();
    let added = serde_json::json!({
        "id": "demo.retained", "version": 1, "zh": "保留会籍占比", "en": "share of retained members",
        "kind": "count", "bases": {"due": ["members.all", "employees.all"]}, "definition": "as it says",
    });
    text["indicators"].as_array_mut().unwrap().push(added);
    let published: Indicators = serde_json::from_value(text).unwrap();
    let (_, view) = check(BOOKS);
    let question = Question {
        unit: view.tree().find(&unit("c")).unwrap(),
        indicator: "demo.retained".into(),
        base: "due".into(),
        by: By::Total,
        as_of: Day(DAY_0 + 10),
        boundaries: None,
        basis: Basis::Registry,
    };
    assert!(Desk::default().answer(&view, &question).is_err(), "not published");
    let answer = Desk::default().answer_by(&view, &question, &published).unwrap();
    assert_eq!((answer.rows[0].numerator, answer.rows[0].denominator), (2, Some(30)));
    assert_eq!(answer.citation.indicator, "demo.retained v1");
    let own = published.find("demo.retained").unwrap().hash();
    assert_eq!(answer.citation.definition, own);
}
