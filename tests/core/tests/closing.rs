//! Closings (S5): what was published stays, and the difference to today is split by cause, exactly.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::causes::{self, Asked, Cause, Then, Value};
use hub_core::closing::{self, Closing, PublishedError, last_day};
use hub_core::fact::governance::ChainHeight;
use hub_core::known::{self, Shelf};
use hub_core::measure::{Indicators, Measure};
use hub_core::texts::Law;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core_tests::federation::Federation;
use hub_core_tests::random::Random;
use hub_core_tests::story::{Story, check, unit};
use std::collections::BTreeMap;

fn asked(name: &str, indicator: &str) -> Asked {
    Asked {
        unit: unit(name),
        indicator: indicator.into(),
        base: "due".into(),
        as_of: last_day("2025").unwrap(),
        boundaries: None,
    }
}

fn published(story: &Story, view: &View, name: &str) -> Result<(Closing, View), PublishedError> {
    let (closing, known, _) = published_under(story, view, name)?;
    Ok((closing, known))
}

/// The same with the law it was published under.
fn published_under(
    story: &Story,
    view: &View,
    name: &str,
) -> Result<(Closing, View, Law), PublishedError> {
    let at = view.tree().find(&unit(name)).unwrap();
    let mut shelf = Shelf::default();
    let (closing, known) = closing::published(view, at, "2025", &mut shelf, &story.blocks)?;
    Ok((closing, known.view.clone(), known.law.clone()))
}

fn then<'a>(view: &'a View, frontier: &'a [ChainHeight]) -> Then<'a> {
    Then { view, frontier, definitions: Indicators::standard() }
}

/// A rate as `a/b`.
fn rate(view: &View, name: &str, indicator: &str) -> String {
    shown(causes::value(view, &asked(name, indicator), Indicators::standard()).unwrap())
}

fn shown(value: Value) -> String {
    match value.denominator {
        Some(denominator) => format!("{}/{denominator}", value.numerator),
        None => value.numerator.to_string(),
    }
}

/// What is published of a table's last closing, what is so today, and every cause that changed it.
fn split(
    table: &str,
    name: &str,
    indicator: &str,
) -> (String, String, Vec<(&'static str, i64, i64)>) {
    let (story, view) = check(table);
    let (closing, known, law) = published_under(&story, &view, name).unwrap();
    let frontier = view.frontier_of(&view.checkpoint(&closing.checkpoint).unwrap());
    let asked = asked(name, indicator);
    let asked_alone = [asked.clone()];
    let then = Then { view: &known, frontier: &frontier, definitions: &law.definitions };
    let split = causes::split(&view, then, &story.blocks, &asked_alone).unwrap();
    let split = &split[0];
    let changed = split.steps.iter().filter(|s| (s.numerator, s.denominator) != (0, 0));
    let changed = changed.map(|s| (s.cause.id(), s.numerator, s.denominator)).collect();
    assert_eq!(split.current, causes::value(&view, &asked, Indicators::standard()).unwrap());
    (shown(split.published), rate(&view, name, indicator), changed)
}

const CLOSED: &str = "
    1 A counts e
    1 A founds U
    1 A approves U for a
    2 A joins U person x employer e
    2 A joins U person y employer e
    370 A checkpoints
    371 A shuts a at #6
";

#[test]
fn s5_later_facts_change_now_and_never_what_is_published() {
    let (story, view) = check(&format!("{CLOSED}\n 380 A counts f on 300"));
    let (closing, known) = published(&story, &view, "a").unwrap();
    assert_eq!((closing.revision, closing.checkpoint), (1, story.fact(6)));
    assert_eq!(rate(&known, "a", "founding.unit"), "1/1");
    assert_eq!(rate(&view, "a", "founding.unit"), "1/2");
}

#[test]
fn s5_the_highest_revision_and_of_it_the_lowest_clock_is_published() {
    let standing = |more: &str| {
        let (story, view) = check(&format!("{CLOSED}{more}"));
        let (closing, _) = published(&story, &view, "a").unwrap();
        (1..).find(|line| story.fact(*line) == closing.id).unwrap()
    };
    assert_eq!(standing(""), 7);
    assert_eq!(standing("\n 372 A shuts a at #6"), 7);
    assert_eq!(standing("\n 372 A shuts a at #6 revision 2"), 8);
    assert_eq!(standing("\n 372 A shuts a at #6 revision 2\n 373 A shuts a at #6 revision 2"), 8);
    let taken_back = CLOSED.replace("shuts a at #6", "shuts a at #6 | withdrawn by #9");
    let (story, view) = check(&format!("{taken_back}\n 372 A shuts a at #6\n 373 A withdraws #7"));
    assert_eq!(published(&story, &view, "a").unwrap().0.id, story.fact(8));
    // a superior closes as well, nobody beside
    check(&format!("{CLOSED}\n 372 B shuts a at #6 | no word\n 373 C shuts a at #6"));
}

#[test]
fn s5_what_was_not_published_so_is_not_read() {
    let error = |table: &str| {
        let (story, view) = check(table);
        published(&story, &view, "a").unwrap_err()
    };
    let closed = Vec::new();
    assert_eq!(error("1 A counts e"), PublishedError::NotClosed { closed, found: "2025".into() });
    let closed = vec!["2024".into()];
    let other = error(&CLOSED.replace("at #6", "at #6 period 2024"));
    assert_eq!(other, PublishedError::NotClosed { closed, found: "2025".into() });
    let falsely = error(&CLOSED.replace("at #6", "falsely at #6"));
    assert!(matches!(falsely, PublishedError::Table { .. }), "{falsely}");
    let no_checkpoint = error(&CLOSED.replace("at #6", "at #5"));
    assert!(matches!(no_checkpoint, PublishedError::NoCheckpoint(_)), "{no_checkpoint}");
}

#[test]
fn s5_a_closing_under_other_texts_is_read_and_its_definitions_explained() {
    for older in ["definitions", "policy"] {
        let told = |publishes: &str| {
            let shuts = format!("371 A shuts a at #6 by older {older}\n");
            let told = CLOSED.replace("371 A shuts a at #6", &shuts);
            told.replace("370 A checkpoints\n", &format!("370 A checkpoints\n{publishes}"))
        };
        // the text stands in the log: from the root, or of definitions from any node
        let by = if older == "policy" { "P" } else { "A" };
        let publishes = format!("    370 {by} publishes older {older}\n");
        let (was, now, changed) = split(&told(&publishes), "a", "founding.unit");
        assert_eq!((was.as_str(), now.as_str()), ("0/0", "1/1"), "{older}");
        assert_eq!(changed, [("definition", 1, 1)], "{older}");
        // nobody has it
        let (story, view) = check(&told(""));
        let refused = published(&story, &view, "a").unwrap_err();
        let PublishedError::Rules { what, .. } = refused else { panic!("{refused}") };
        assert_eq!(what, older);
    }
}

/// What is told later, the indicator, today's figure, and what changed it.
type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, i64, i64)]);

#[test]
fn s5_each_cause_has_its_change() {
    let cases: &[Row<'_>] = &[
        ("", "founding.unit", "1/1", &[]),
        // dated after the last day: of no effect on it
        ("380 A counts f", "founding.unit", "1/1", &[]),
        ("380 A counts f on 300", "founding.unit", "1/2", &[("late", 0, 1)]),
        ("380 A joins U person z employer e on 300", "members.all", "3", &[("late", 1, 0)]),
        ("380 A withdraws #5", "members.all", "1", &[("correction", -1, 0)]),
        ("380 A renames U person x to y", "members.all", "1", &[("duplicate", -1, 0)]),
        (
            "380 C registers s under b\n 381 C moves e to s on 300",
            "founding.unit",
            "0/0",
            &[("reorganisation", -1, -1)],
        ),
        (
            "380 A counts f on 300\n 381 A withdraws #3\n 382 A joins U person z employer e on 9",
            "founding.unit",
            "0/2",
            &[("correction", -1, 0), ("late", 0, 1)],
        ),
    ];
    for (more, indicator, now, causes) in cases {
        let mut told = CLOSED.to_owned();
        for number in [3, 5] {
            if more.contains(&format!("withdraws #{number}")) {
                let withdrawal = more.lines().position(|l| l.contains("withdraws")).unwrap() + 8;
                told = told
                    .lines()
                    .scan(0, |line, text| {
                        *line += i32::from(!text.trim().is_empty());
                        let hit = *line == number && !text.trim().is_empty();
                        let verdict = format!("{text} | withdrawn by #{withdrawal}\n");
                        Some(if hit { verdict } else { format!("{text}\n") })
                    })
                    .collect();
            }
        }
        let (_, current, changed) = split(&format!("{told}\n{more}"), "a", indicator);
        assert_eq!((current.as_str(), changed.as_slice()), (*now, *causes), "{more}");
    }
}

/// On random histories: as published plus every step is today's figure, for any unit, figure and day.
#[test]
fn causes_sum_exactly_whatever_happened() {
    let mut changed: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut splits, mut facts) = (0, 0);
    for seed in 0..90 {
        let world = Federation::of(seed, 150);
        let mut view = View::new(world.id(), world.root_key);
        view.apply_all(world.blocks.values(), &world.blocks);
        let checkpoints: Vec<_> = view
            .checkpointers()
            .flat_map(|node| view.checkpoints_of(node).collect::<Vec<_>>())
            .collect();
        let mut rng = Random::new(seed);
        for checkpoint in checkpoints {
            let Ok(known) = known::at(&view, &checkpoint, &world.blocks) else { continue };
            let frontier = view.frontier_of(&checkpoint);
            let units: Vec<_> = view.tree().ids().map(|(id, _)| *id).collect();
            let standard = &Indicators::standard().indicators;
            let ids: Vec<(String, String)> = standard
                .iter()
                .map(|i| (i.id.clone(), i.bases.keys().next().unwrap().clone()))
                .chain(Measure::ALL.iter().map(|m| (m.id().to_owned(), "due".to_owned())))
                .collect();
            let questions: Vec<Asked> = (0..60)
                .map(|_| {
                    let (indicator, base) = ids[rng.index(ids.len())].clone();
                    let unit =
                        if rng.one_in(2) { units[rng.index(units.len())] } else { root(&view) };
                    let as_of = Day(checkpoint.hlc.day().0 - rng.below(40) as i32);
                    Asked { unit, indicator, base, as_of, boundaries: None }
                })
                .collect();
            let found =
                causes::split(&view, then(&known, &frontier), &world.blocks, &questions).unwrap();
            for (asked, split) in questions.iter().zip(found) {
                let (mut over, mut under) =
                    (split.published.numerator, split.published.denominator.unwrap_or(0));
                for step in &split.steps {
                    over += step.numerator;
                    under += step.denominator;
                    facts += step.facts.len();
                    let differs = (step.numerator, step.denominator) != (0, 0);
                    *changed.entry(step.cause.id()).or_default() += u64::from(differs);
                }
                let now = causes::value(&view, asked, Indicators::standard()).unwrap();
                assert_eq!((over, under), (now.numerator, now.denominator.unwrap_or(0)));
                assert_eq!(split.current, now, "{seed} {asked:?}");
                splits += 1;
            }
        }
    }
    println!("{splits} splits over {facts} later facts; changed by {changed:?}");
    assert!(splits > 500, "{splits}");
    let causes = [Cause::Reorganisation, Cause::Correction, Cause::Transfer, Cause::Late];
    assert!(causes.iter().all(|cause| changed[cause.id()] > 0), "{changed:?}");
}

fn root(view: &View) -> hub_core::id::UnitId {
    let roots = view.tree().ids().filter(|(_, at)| {
        view.tree().unit(*at).origin.is_some() && view.tree().parent_on(*at, 0, Day::LAST).is_none()
    });
    roots.map(|(id, _)| *id).next().unwrap()
}
