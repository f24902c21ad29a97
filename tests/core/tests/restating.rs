//! Downward agreement (DESIGN §7; `schemas/rules.md`, Restating): what the node above tells those below of facts they
//! lack, and of which they need to hear nothing.

use hub_core_tests::story::{check, unit};
use std::collections::BTreeMap;

/// What the city restates to each node below, by lines of the table: `a 3 4!  b 1`, where `!` says that it does not
/// count.
fn told(table: &str) -> String {
    let (story, _) = check(table);
    let mut by_unit: BTreeMap<&str, Vec<(usize, bool)>> = BTreeMap::new();
    for (audience, line, counts) in story.restated_by("C", 90) {
        let name = ["a", "b", "e", "f", "t"].into_iter().find(|name| unit(name) == audience);
        by_unit.entry(name.unwrap_or("?")).or_default().push((line, counts));
    }
    let lines = by_unit.into_iter().map(|(name, mut lines)| {
        lines.sort_unstable();
        let lines = lines.into_iter().map(|(line, counts)| format!(" {line}{}", mark(counts)));
        format!("{name}{}", lines.collect::<String>())
    });
    lines.collect::<Vec<_>>().join("  ")
}

fn mark(counts: bool) -> &'static str {
    if counts { "" } else { "!" }
}

/// Two counties with a union each: of `a` at e, of `b` at its own territory.
const UNIONS: &str = "
    1 A founds U host e
    1 A approves U for a
    1 B founds V host b kind regional
    1 B approves V for b
";

/// What is told behind the unions, and what is restated then.
#[test]
fn each_hears_what_bears_on_its_own_and_no_more() {
    let cases: &[(&str, &str)] = &[
        // nothing is shared
        ("", ""),
        ("2 A joins U person x; 2 B joins V person y", ""),
        // a person in two counties: the other's facts, and of the union named its first
        ("2 A joins U person x; 3 B joins V person x", "a 3 6  b 1 5"),
        ("2 A joins U person x; 3 B joins V person x; 9 A leaves U person x", "a 3 6  b 1 5 7"),
        (
            "2 A joins U person x; 3 B joins V person y; 4 A renames U person x to y",
            "a 3 6  b 1 5 7",
        ),
        // what never counted is not mentioned
        ("2 A joins U person x | withdrawn by #7; 3 B joins V person x; 9 A withdraws #5", ""),
        // a decision goes to each side
        (
            "2 A joins U person x; 3 B joins V person x; 9 C rules claims U>V person x",
            "a 3 6 7  b 1 5 7",
        ),
        (
            "2 A joins U person x; 3 B joins V person x; 9 A objects V person x for a",
            "a 3 6  b 1 5 7",
        ),
        // a firm under two parents: the registration, and all of the union there
        ("2 B registers e under b", "a 5  b 1 2"),
        // a member whose employer stands elsewhere, and a firm covered there
        ("2 B joins V person x employer e", "a 3 4 5  b 1 2"),
        ("2 B covers V unit e", "a 3 4 5"),
        // unions that merge, or have one code
        ("2 A merges U into V", "a 3 4  b 1 2 5"),
        ("2 A incorporates U as 81; 2 B incorporates V as 81", "a 3 4 6  b 1 2 5"),
        // a firm that moves: the old county hears of the move, the new one all there is
        ("2 A counts e; 2 A joins U person x; 9 C moves e to b on 9", "a 7  b 1 2 5 6 7"),
    ];
    for (more, expected) in cases {
        let more = more.replace("; ", "\n");
        assert_eq!(told(&format!("{UNIONS}{more}")), *expected, "{more}");
    }
}
