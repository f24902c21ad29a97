//! The scenarios say what their sources say: checked here without starting anything.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::check_digit::{is_citizen_id, is_uscc};
use hub_tests::demo::expand::{Books, expand};
use hub_tests::demo::scenario::Scenario;
use hub_tests::demo::story;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn scenario(name: &str) -> (Scenario, BTreeMap<String, Books>) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let scenario = Scenario::read(&dir).unwrap();
    let books = expand(&scenario).unwrap();
    (scenario, books)
}

const ALL: [&str; 4] = ["heihe", "huanghua", "park", "zunyi"];

#[test]
fn every_story_names_nodes_that_are_there() {
    for name in ALL {
        let (scenario, _) = scenario(name);
        let steps = story::parse(name, &scenario.story).unwrap();
        assert!(steps.len() > 3, "{name}");
        for step in steps {
            match step {
                story::Step::At(call)
                | story::Step::Ask(call, _)
                | story::Step::Find(call, _)
                | story::Step::Pick(_, call) => {
                    assert!(scenario.node(&call.node).is_some(), "{name}: {}", call.node);
                }
                story::Step::Audit(node) => {
                    assert!(scenario.node(&node).is_some(), "{name}: {node}");
                }
                story::Step::Same(other, call) => {
                    assert!(scenario.node(&other).is_some(), "{name}: {other}");
                    assert!(scenario.node(&call.node).is_some(), "{name}: {}", call.node);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn generated_numbers_hit_nobody_real_and_repeat_nowhere() {
    for name in ALL {
        let (_, books) = scenario(name);
        let (mut codes, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for book in books.values() {
            for unit in book.units.iter().filter(|unit| !unit.code.is_empty()) {
                assert!(is_uscc(&unit.code) && unit.code.get(2..4) == Some("99"), "{}", unit.code);
                assert!(codes.insert(unit.code.clone()), "{name}: {} twice", unit.code);
            }
            for member in &book.members {
                assert!(is_citizen_id(&member.number), "{}", member.number);
                assert!(member.number.starts_with("99"));
                assert!(numbers.insert(member.number.clone()), "{name}: {} twice", member.number);
            }
        }
    }
}

/// 黑河 [S0:93]: 1,662 committees + 1,599 officers = 3,261, each union with at least one woman.
#[test]
fn heihe_has_the_unions_of_its_source() {
    let (scenario, books) = scenario("heihe");
    let mut forms: BTreeMap<&str, u32> = BTreeMap::new();
    for book in books.values() {
        let with_women: BTreeSet<&str> =
            book.members.iter().filter(|m| m.woman).map(|m| m.union.as_str()).collect();
        for union in &book.unions {
            *forms.entry(union.women.as_str()).or_default() += 1;
            assert_eq!(union.women != "none", with_women.contains(union.name.as_str()));
        }
    }
    // three more committees are formed by enterprises on their own nodes
    let own = scenario.nodes.iter().filter(|row| row.node.starts_with("演示")).count() as u32;
    assert_eq!((forms["committee"] + own, forms["officer"]), (1_662, 1_599));
    assert_eq!(own, 3);
    let townships = scenario.divisions.iter().filter(|row| row.level == "township").count();
    let counties = scenario.divisions.iter().filter(|row| row.level == "county").count();
    assert_eq!((counties, townships), (6, 160));
}

/// No union has more members than its employers have employees.
#[test]
fn members_fit_into_their_headcount() {
    for name in ALL {
        let (_, books) = scenario(name);
        for book in books.values() {
            let heads: BTreeMap<&str, Option<u32>> =
                book.units.iter().map(|unit| (unit.code.as_str(), unit.headcount)).collect();
            let mut members: BTreeMap<&str, u32> = BTreeMap::new();
            for member in &book.members {
                *members.entry(member.union.as_str()).or_default() += 1;
            }
            for union in &book.unions {
                let covered: Vec<&str> = match union.covers.is_empty() {
                    true => vec![union.host.as_str()],
                    false => union.covers.iter().map(String::as_str).collect(),
                };
                let known: Option<u32> =
                    covered.iter().map(|code| heads.get(code).copied().flatten()).sum();
                let inside = members.get(union.name.as_str()).copied().unwrap_or(0);
                assert!(known.is_none_or(|known| inside <= known), "{name}: {}", union.name);
            }
        }
    }
}

/// 工业园 [S2:11-12], 遵义 [S3:6], 黄骅 [S0:55].
#[test]
fn the_small_ones_have_the_figures_of_their_sources() {
    let (_, books) = scenario("park");
    let park = &books["演示工业园区"];
    assert_eq!(park.units.len(), 79);
    let due: Vec<&str> = park
        .units
        .iter()
        .filter(|unit| unit.headcount.is_some_and(|heads| heads >= 25))
        .map(|unit| unit.code.as_str())
        .collect();
    assert_eq!(due.len(), 41);
    let (founded, applied): (Vec<_>, Vec<_>) = park.unions.iter().partition(|u| u.founded);
    assert_eq!((founded.len(), applied.len()), (10, 39));
    assert!(founded.iter().all(|union| !due.contains(&union.host.as_str())));
    assert!(applied.iter().all(|union| due.contains(&union.host.as_str())));

    let (_, books) = scenario("zunyi");
    let zunyi = &books["遵义市直机关工委"];
    let counts = (zunyi.unions.len(), zunyi.units.len(), zunyi.members.len());
    assert_eq!(counts, (58, 93, 4_859));

    let (_, books) = scenario("huanghua");
    let huanghua = &books["黄骅市"];
    let before = huanghua.unions.iter().filter(|union| union.day.as_str() < "2023-10-01").count();
    assert_eq!((before, huanghua.unions.len()), (374, 385));
    assert_eq!(huanghua.members.iter().filter(|member| member.new).count(), 1_208);
}

/// The imports a story names one by one: valid numbers of area 99 as well, in none of the generated ones.
#[test]
fn literal_imports_are_generated_persons_too() {
    let mut seen = 0;
    for name in ALL {
        let (scenario, books) = scenario(name);
        let generated: BTreeSet<&str> = books
            .values()
            .flat_map(|book| &book.members)
            .map(|member| member.number.as_str())
            .collect();
        for entry in std::fs::read_dir(&scenario.dir).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for cell in text.lines().flat_map(|line| line.split(',')) {
                if cell.len() != 18 || !cell.is_ascii() {
                    continue;
                }
                seen += 1;
                let employer = is_uscc(cell) && cell.get(2..4) == Some("99");
                let person = is_citizen_id(cell) && cell.starts_with("99");
                assert!(employer || person, "{name}: {cell}");
                assert!(!generated.contains(cell), "{name}: {cell} is generated as well");
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// What the story of 黑河 expects beyond its source follows from the plan.
#[test]
fn heihe_has_the_sums_its_story_names() {
    let (scenario, books) = scenario("heihe");
    let due = |unit: &hub_tests::demo::expand::Unit| unit.headcount.is_some_and(|n| n >= 25);
    let due_units: BTreeSet<&str> = books
        .values()
        .flat_map(|book| book.units.iter().filter(|unit| due(unit)).map(|unit| unit.code.as_str()))
        .collect();
    let hosts: BTreeSet<&str> =
        books.values().flat_map(|book| book.unions.iter().map(|u| u.host.as_str())).collect();
    // the three enterprises with a node of their own found theirs in the story
    let covered = hosts.intersection(&due_units).count() + 3;
    let members: usize = books.values().map(|book| book.members.len()).sum();
    assert_eq!((covered, due_units.len(), members), (1_662, 1_736, 55_112));
    for figure in ["合计 1662/1736", "合计 1663/1737", "合计 55112", "合计 55117"] {
        assert!(scenario.story.contains(figure), "{figure}");
    }
}
