//! Cases of the domain about persons, with the figures of every level: two unions of different kinds (K2),
//! dispatched workers (K3), retained members (K4), wrong numbers (K17).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::view::View;
use hub_core_tests::ask::totals;
use hub_core_tests::story::check;

/// `U` is the union of `e` under county `a`, `V` one hosted by `g` under county `b`.
fn told(kind: &str, table: &str) -> View {
    let before = format!(
        "
        0 B registers g under b
        1 A counts e to 40
        1 A founds U
        1 A approves U for a
        1 B founds V host g kind {kind}
        1 B approves V for b
    "
    );
    check(&format!("{before}{table}")).1
}

/// A measure at the counties, the city and the province.
fn at(view: &View, measure: &str, on: i32) -> String {
    totals(view, "a b c p", measure, on, on)
}

/// The union of the employer comes before a regional or industrial one, and that before one of flexible
/// workers; the lower is service membership: uncounted and not disputed.
#[test]
fn k2_kinds_of_unions() {
    for kind in ["regional", "flexible"] {
        for table in [
            "2 A joins U person x\n 3 B joins V person x",
            "2 A joins U person x\n 2 B joins V person x by contract",
        ] {
            let view = told(kind, table);
            assert_eq!(at(&view, "members.all", 5), "a 1  b 0  c 1  p 1", "{kind}: {table}");
            let secondary = at(&view, "members.secondary", 5);
            assert_eq!(secondary, "a 0  b 1  c 1  p 1", "{kind}: {table}");
            assert_eq!(at(&view, "members.disputed", 5), "a 0  b 0  c 0  p 0");
        }
        // who leaves the employer's union is then a member of the other
        let view =
            told(kind, "2 A joins U person x\n 3 B joins V person x\n 7 A leaves U person x");
        assert_eq!(at(&view, "members.all", 8), "a 0  b 1  c 1  p 1", "{kind}");
        assert_eq!(at(&view, "members.secondary", 8), "a 0  b 0  c 0  p 0", "{kind}");
        // who held before is taken over, as among own unions (M1)
        let view = told(kind, "2 B joins V person x\n 3 A joins U person x");
        assert_eq!(at(&view, "members.all", 2), "a 0  b 1  c 1  p 1", "{kind}");
        assert_eq!(at(&view, "members.all", 3), "a 1  b 0  c 1  p 1", "{kind}");
        assert_eq!(
            (at(&view, "members.secondary", 3), view.conflicts().len()),
            ("a 0  b 0  c 0  p 0".into(), 1)
        );
    }
}

/// A dispatched worker counts where the membership is, not where the work is done; the firm that takes workers
/// in does not count them among its employees.
#[test]
fn k3_dispatched_workers() {
    let view = told(
        "own",
        "
        1 B counts g to 50 dispatched 20
        2 A joins U person x employer e dispatched g
        2 B joins V person y employer g
    ",
    );
    assert_eq!(at(&view, "members.all", 5), "a 1  b 1  c 2  p 2");
    assert_eq!(at(&view, "employees.all", 5), "a 40  b 50  c 90  p 90");
    assert_eq!(at(&view, "member.A", 5), "a 1/40  b 1/50  c 2/90  p 2/90");
}

/// Retained members are shown and are in no rate; members of a unit that closed are retained at its parent.
#[test]
fn k4_retained_members() {
    let joined = "2 A joins U person x\n 2 A joins U person y\n";
    let view = told("own", &format!("{joined} 9 A retains U person x"));
    assert_eq!(at(&view, "members.all", 8), "a 2  b 0  c 2  p 2");
    assert_eq!(at(&view, "members.all", 9), "a 1  b 0  c 1  p 1");
    assert_eq!(at(&view, "members.retained", 9), "a 1  b 0  c 1  p 1");
    assert_eq!(at(&view, "member.A", 9), "a 1/40  b 0/0  c 1/40  p 1/40");
    // the next start ends the retention
    let again = format!("{joined} 9 A retains U person x\n 12 B joins V person x employer g");
    let view = told("own", &again);
    assert_eq!(at(&view, "members.all", 12), "a 1  b 1  c 2  p 2");
    assert_eq!(at(&view, "members.retained", 12), "a 0  b 0  c 0  p 0");
    let view = told("own", &format!("{joined} 20 A closes e"));
    assert_eq!(at(&view, "members.all", 19), "a 2  b 0  c 2  p 2");
    assert_eq!(totals(&view, "t a c", "members.all", 20, 20), "t 0  a 0  c 0");
    assert_eq!(totals(&view, "t a c", "members.retained", 20, 20), "t 2  a 2  c 2");
}

/// A number whose check digit fails is kept, shown, and not counted until it is corrected; a correction that
/// meets another person is a dual membership.
#[test]
fn k17_wrong_numbers() {
    let wrong = "2 A joins U person x unqualified\n";
    let view = told("own", wrong);
    assert_eq!(at(&view, "members.all", 5), "a 0  b 0  c 0  p 0");
    assert_eq!(at(&view, "members.unqualified", 5), "a 1  b 0  c 1  p 1");
    let view = told("own", &format!("{wrong} 6 A renames U person x to y"));
    assert_eq!(at(&view, "members.all", 7), "a 1  b 0  c 1  p 1");
    assert_eq!(at(&view, "members.unqualified", 7), "a 0  b 0  c 0  p 0");
    let met = format!("{wrong} 4 B joins V person y\n 6 A renames U person x to y");
    let view = told("own", &met);
    assert_eq!(at(&view, "members.all", 7), "a 0  b 1  c 1  p 1");
    assert_eq!(view.conflicts().len(), 1);
}

/// F6: a union whose committee's term has run out is listed, and counts on.
#[test]
fn f6_overdue_elections() {
    let view = told("own", "3 A elects U term 3 on -800\n 3 B elects V term 3 on -100");
    assert_eq!(at(&view, "unions.all", 400), "a 1  b 1  c 2  p 2");
    assert_eq!(at(&view, "unions.overdue", 400), "a 1  b 0  c 1  p 1");
    assert_eq!(at(&view, "founding.unit", 400), "a 1/1  b 0/0  c 1/1  p 1/1");
}
