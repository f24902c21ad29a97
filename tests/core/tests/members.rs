//! Who counts where, as tables told by several nodes, with the effect at every level (DESIGN §7 M1 to M8 and
//! the cases K of the domain that concern members; the words are told in `src/story.rs`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::audit::conserve;
use hub_core::id::MemberKey;
use hub_core::measure::Measure;
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_core::view::claim::{CaseState, Status};
use hub_core::view::decision::Ruled;
use hub_core_tests::story::{DAY_0, Story, check, person_of, unit};

/// Employer `g` under county `b` beside `e` under `a`, each with an own union that counts.
const TWO_COUNTIES: &str = "
    0 B registers g under b
    1 A founds U
    1 A approves U for a
    1 B founds V host g
    1 B approves V for b
";

fn told(rest: &str) -> (Story, View) {
    check(&format!("{TWO_COUNTIES}{rest}"))
}

fn day(number: i32) -> Day {
    Day(DAY_0 + number)
}

/// A measure at province, city and both counties; and what persons add up to is what is counted.
fn levels(story: &Story, view: &mut View, measure: Measure, on: i32) -> [i64; 4] {
    assert_eq!(conserve(view, &story.blocks, day(on)).broken, []);
    let rollup = Rollup::of(view, day(on), day(on));
    ["p", "c", "a", "b"]
        .map(|name| rollup.total(view.tree().find(&unit(name)).unwrap()).get(measure))
}

/// The union that holds the one person of a table on a day.
fn holder(story: &Story, view: &mut View, on: i32) -> String {
    let spans = view.person(&MemberKey([7; 16]), &story.blocks);
    let on = day(on);
    let held = spans.iter().find(|span| span.holder && span.from <= on && on < span.to);
    let id = held.map(|span| view.branches().branch(span.branch).id);
    let name = story.unions.iter().find(|(_, known)| Some(**known) == id);
    name.map_or("-".into(), |(name, _)| name.clone())
}

fn holders<const N: usize>(rest: &str, days: [i32; N]) -> [String; N] {
    let (story, mut view) = told(rest);
    days.map(|on| holder(&story, &mut view, on))
}

#[test]
fn k1_who_changes_jobs_is_counted_once_at_the_new_union() {
    let (story, mut view) = told("2 A joins U\n 5 B joins V\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 4), [1, 1, 1, 0]);
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 5), [1, 1, 0, 1]);
    // on one day the stronger evidence counts, and the other is disputed
    let (story, mut view) = told("5 A joins U by contract\n 5 B joins V\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 5), [1, 1, 1, 0]);
    assert_eq!(levels(&story, &mut view, Measure::MembersDisputed, 5), [1, 1, 0, 1]);
    assert_eq!(view.doubts().count(), 1);
}

#[test]
fn k2_the_employers_union_before_the_regional_one() {
    let (story, mut view) = told(
        "
        1 B founds R host b kind regional
        1 B approves R for b
        2 B joins R employer g
        3 A joins U
        4 B joins R person q employer g
        5 B joins V person q
    ",
    );
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [2, 2, 1, 1]);
    let (story, mut view) = told(
        "
        1 B founds R host b kind regional
        1 B approves R for b
        2 A joins U
        3 B joins R employer g
    ",
    );
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [1, 1, 1, 0]);
    assert_eq!(levels(&story, &mut view, Measure::MembersSecondary, 9), [1, 1, 0, 1]);
}

#[test]
fn k3_a_dispatched_worker_counts_where_the_membership_is() {
    let (story, mut view) = told("2 A joins U employer e dispatched g\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [1, 1, 1, 0]);
}

#[test]
fn k4_retained_members_are_members_and_in_no_numerator() {
    let (story, mut view) = told("2 A joins U\n 5 A retains U\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [0; 4]);
    assert_eq!(levels(&story, &mut view, Measure::MembersRetained, 9), [1, 1, 1, 0]);
    // a later union of lower kind holds; who is retained below it is counted nowhere
    let (story, mut view) = told(
        "
        1 B founds F host g kind flexible
        1 B approves F for b
        2 A joins U
        5 A retains U
        7 B joins F employer g
    ",
    );
    assert_eq!(levels(&story, &mut view, Measure::MembersRetained, 9), [0; 4]);
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [1, 1, 0, 1]);
    // a closed employer's members are retained at its parent
    let (story, mut view) = told("2 A joins U\n 5 A closes e\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersRetained, 9), [1, 1, 1, 0]);
}

#[test]
fn k17_a_wrong_number_is_visible_and_uncounted_until_it_is_corrected() {
    let (story, mut view) = told("2 A joins U person x unqualified\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [0; 4]);
    assert_eq!(levels(&story, &mut view, Measure::MembersUnqualified, 9), [1, 1, 1, 0]);
    // the right number is another union's member: K1
    let (story, mut view) = told(
        "
        2 B joins V person y
        4 A joins U person x unqualified
        9 A renames U person x to y
    ",
    );
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [1, 1, 1, 0]);
    assert_eq!(view.conflicts().len(), 1);
}

#[test]
fn k20_what_is_dated_ahead_waits_and_does_not_count() {
    let (story, mut view) = told("2 A joins U on 5 | dated after its own clock\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [0; 4]);
}

#[test]
fn m3_objections_come_from_the_unit_acted_for_or_above() {
    let rest = |objection: &str| format!("2 A joins U\n 5 B joins V\n {objection}\n");
    let found = |objection: &str| holders(&rest(objection), [8, 9]);
    assert_eq!(found("9 A objects V from 9 for a"), ["V", "U"]);
    assert_eq!(found("9 A objects V from 9 for e"), ["V", "U"]);
    // a county on behalf of a hosted union, and the city
    assert_eq!(found("9 C objects V from 9 for a"), ["V", "U"]);
    assert_eq!(found("9 C objects V from 9 for c"), ["V", "U"]);
    assert_eq!(found("9 B objects V from 9 for a | no word"), ["V", "V"]);
    // for a unit where the person has no claim: it waits
    assert_eq!(found("9 A objects V from 9 for f"), ["V", "V"]);
    assert_eq!(found("9 A objects V from 7 for a"), ["U", "U"]);
    assert_eq!(
        found("9 A objects V from 9 for a | withdrawn by #9\n 9 A withdraws #8"),
        ["V", "V"]
    );
    // nobody else takes it back
    assert_eq!(found("9 A objects V from 9 for a\n 9 B withdraws #8"), ["V", "U"]);
}

#[test]
fn m3_the_objectors_unions_are_where_their_hosts_were() {
    // U moves under b's county before the objection: it is no union of a's any more
    let moved = "
        2 A joins U
        5 B joins V
        7 A hosts U host b on 7
        9 A objects V from 9 for a
    ";
    assert_eq!(holders(moved, [9]), ["V"]);
    let later = "
        2 A joins U
        5 B joins V
        9 A objects V from 9 for a
        11 A hosts U host b on 7
    ";
    assert_eq!(holders(later, [9]), ["U"]);
}

#[test]
fn m4_rulings_come_from_a_common_ancestor_of_all_sides() {
    told(
        "
        2 A joins U
        5 B joins V
        9 A rules claims U>V from 9                 | no word
        9 B rules claims U>V from 9                 | no word
        9 C rules claims U>V from 9
        9 P rules claims U>V from 9
        9 A rules claims U>V person q from 9        | no word
        9 C rules claims U>V person q from 9        | no claim
        9 C rules both U,V from 9                   | mixed sides
        9 A rules unions U>V from 9                 | no word
        9 C rules unions U>V from 9
        9 C rules units e t>b from 9                | no claim
        9 C rules units g b,t from 9                | no claim
    ",
    );
    // it takes effect by itself once the sides match
    told(
        "
        3 C rules claims U>V from 9
        4 A joins U
        5 B joins V
    ",
    );
}

#[test]
fn m4_of_rulings_that_share_a_side_one_is_in_force() {
    let rest = |rulings: &str| format!("2 A joins U\n 5 B joins V\n {rulings}\n");
    let found = |rulings: &str| holders(&rest(rulings), [8, 9, 12]);
    assert_eq!(found("9 C rules claims U>V from 9"), ["V", "U", "U"]);
    assert_eq!(found("9 C rules claims U,V from 9"), ["V", "-", "-"]);
    // the later of one level
    assert_eq!(
        found("9 C rules claims V>U from 9\n 10 C rules claims U>V from 12"),
        ["V", "V", "U"]
    );
    // the higher level, though earlier
    assert_eq!(
        found("9 P rules claims U>V from 9\n 10 C rules claims V>U from 9"),
        ["V", "U", "U"]
    );
    // and the next once it is withdrawn
    let withdrawn = "
        9 P rules claims V>U from 9     | withdrawn by #10
        9 C rules claims U>V from 9
        9 P withdraws #8
    ";
    assert_eq!(found(withdrawn), ["V", "U", "U"]);
}

#[test]
fn m4_a_ruling_moves_one_person_between_counties_and_no_sum_above() {
    let (story, mut view) = told("2 A joins U\n 5 B joins V\n 9 C rules claims U>V from 9\n");
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 8), [1, 1, 0, 1]);
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [1, 1, 1, 0]);
    assert_eq!(levels(&story, &mut view, Measure::MembersDisputed, 9), [0; 4]);
    let spans = view.person(&MemberKey([7; 16]), &story.blocks);
    assert!(spans.iter().any(|span| span.status == Status::Overruled));
    let ruled = view.conflicts().into_iter().any(|(_, conflict)| {
        matches!(conflict, hub_core::view::Conflict::DualMembership { state: CaseState::Ruled, .. })
    });
    assert!(ruled);
}

#[test]
fn m4_sides_follow_rekeys() {
    let rest = "
        2 A joins U person x
        5 B joins V person y
        9 C rules claims U>V person y from 9        | no claim
    ";
    told(rest);
    let (story, mut view) = told(
        "
        2 A joins U person x
        5 B joins V person y
        9 C rules claims U>V person y from 9
        10 A renames U person x to y
    ",
    );
    let spans = view.person(&person_of("y"), &story.blocks);
    let last = spans.iter().find(|span| span.holder && span.to == Day::OPEN).unwrap();
    assert_eq!(view.branches().branch(last.branch).id, story.unions["U"]);
}

#[test]
fn rulings_over_units_and_unions_name_a_parent_and_a_union() {
    let (story, view) = told(
        "
        2 B registers e under b
        3 C rules units e b>t from 7
        3 C rules unions V>U from 8
        4 A rules unions U>V from 3         | no word
    ",
    );
    let (tree, decisions) = (view.tree(), view.decisions());
    let at = tree.find(&unit("e")).unwrap();
    let parent = |on: i32| decisions.parent_ruled(at, day(on)).map(|parent| tree.unit(parent).id);
    assert_eq!((parent(6), parent(7)), (None, Some(unit("b"))));
    let union = |name: &str, on: i32| {
        decisions.union_ruled(view.branches().find(&story.unions[name]).unwrap(), day(on))
    };
    assert_eq!((union("U", 7), union("V", 7)), (None, None));
    assert_eq!((union("U", 8), union("V", 8)), (Some(Ruled::Loses), Some(Ruled::Wins)));
}

/// Employer `g` under county `k` of another city `d`; so many persons of `U` are claimed by its union `V`.
fn taken(persons: usize, rest: &str, verdict: &str) -> (Story, View) {
    let mut table = String::from(
        "
        0 P registers d under p
        0 P enrols D
        0 D registers k under d
        0 D enrols K
        0 K registers g under k
        1 A founds U
        1 A approves U for a
        1 K founds V host g
    ",
    );
    let names = (b'0'..=b'z').take(persons).map(char::from);
    for name in names.clone() {
        table.push_str(&format!("2 A joins U person {name}\n"));
    }
    for name in names {
        table.push_str(&format!("5 K joins V person {name} | {verdict}\n"));
    }
    table.push_str(rest);
    check(&table)
}

#[test]
fn m7_takeovers_in_bulk_are_found_and_a_cut_gives_everybody_back() {
    let persons = 55;
    let (story, view) = taken(persons, "", "");
    let found = view.mass_takeovers();
    assert_eq!(found.len(), 1);
    let host = |at| view.tree().unit(at).id;
    assert_eq!((found[0].persons, found[0].most), (55, 50));
    assert_eq!(view.branches().branch(found[0].union).id, story.unions["V"]);
    assert_eq!((host(found[0].host), found[0].at.map(host)), (unit("g"), Some(unit("p"))));
    // fewer than the policy's number, or than the host employs
    assert!(taken(50, "", "").1.mass_takeovers().is_empty());
    assert!(taken(persons, "6 K counts g to 55\n", "").1.mass_takeovers().is_empty());
    assert_eq!(taken(persons, "6 K counts g to 54\n", "").1.mass_takeovers().len(), 1);
    // confirmed by the union that held them
    let left: String =
        (b'0'..b'6').map(|n| format!("7 A leaves U person {}\n", char::from(n))).collect();
    assert!(taken(persons, &left, "").1.mass_takeovers().is_empty());
    // the key was stolen: its facts are cut off, and every earlier holder comes back
    let (story, mut view) = taken(persons, "9 D cuts K at 2\n", "after a cut");
    assert!(view.mass_takeovers().is_empty());
    assert_eq!(levels(&story, &mut view, Measure::MembersAll, 9), [55, 55, 55, 0]);
    assert!(view.conflicts().is_empty());
}

#[test]
fn m7_takeovers_within_the_parents_subtree_are_none() {
    let persons = 55;
    let mut table = String::from(TWO_COUNTIES);
    let names = (b'0'..=b'z').take(persons).map(char::from);
    names.clone().for_each(|name| table.push_str(&format!("2 A joins U person {name}\n")));
    names.for_each(|name| table.push_str(&format!("5 B joins V person {name}\n")));
    let (_, view) = check(&table);
    assert!(view.mass_takeovers().is_empty());
    assert_eq!(view.conflicts().len(), persons);
}
