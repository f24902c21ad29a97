//! A county with a node of its own, and a township below it, move from one city to another by bundles: the new
//! city comes to hold what concerns them, every level gives the same figures, and what they enter later goes up
//! by the new way.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::config::Node;
use hub_tests::demo::people::{employer_code, person};
use hub_tests::levels::{Level, Levels};

const NODES: [Level; 5] = [
    ("province", "演示省", None),
    ("old", "演示甲市", Some("province")),
    ("new", "演示乙市", Some("province")),
    ("county", "演示县", Some("old")),
    ("township", "演示乡", Some("county")),
];
const DIVISIONS: &str = "名称,代码,上级\n演示甲市,9901,\n演示乙市,9902,\n演示县,990101,9901\n\
                         演示乡,990101100,990101\n";
const MEASURES: [&str; 2] = ["units.all", "members.all"];

/// A firm of 40 with its union and a member.
fn enter(levels: &Levels, level: &str, serial: u32) {
    let (code, firm) = (employer_code(serial), format!("演示{serial}厂"));
    let units = format!("名称,统一社会信用代码,职工人数\n{firm},{code},40\n");
    levels.ok(level, &["unit", "import", &levels.file("单位.csv", &units)]);
    let unions = format!(
        "工会名称,类型,单位,批复文号,批复日期,成立日期\n{firm}工会,单独,{firm},演〔2015〕{serial}号,2015-04-01,2015-04-01\n"
    );
    levels.ok(level, &["branch", "import", &levels.file("工会.csv", &unions)]);
    let (union, someone) = (format!("{firm}工会"), person(serial, false));
    let line = ["member", "join", "--branch", &union, "--number", &someone.number];
    let more = ["--name", &someone.name, "--day", "2019-05-01", "--evidence", "花名册"];
    levels.ok(level, &[&line[..], &more[..]].concat());
}

/// The figures of a unit, as a level answers.
fn figures(levels: &Levels, level: &str, unit: &str) -> [i64; 2] {
    MEASURES.map(|measure| levels.count(level, unit, measure))
}

/// Bundles both ways on each way up, so many times, while some neighbours do not know each other yet, or any
/// more.
fn passing_rounds(levels: &Levels, ways: &[(&str, &str, &str)], times: usize) {
    for _ in 0..times {
        for (node, parent, unit) in ways {
            levels.carry_anyhow(node, parent, "parent");
            levels.carry_anyhow(parent, node, unit);
        }
    }
}

/// Bundles both ways on each way up, so many times.
fn rounds(levels: &Levels, ways: &[(&str, &str, &str)], times: usize) {
    for _ in 0..times {
        for (node, parent, unit) in ways {
            levels.carry(node, parent, "parent");
            levels.carry(parent, node, unit);
        }
    }
}

const BEFORE: [(&str, &str, &str); 4] = [
    ("township", "county", "演示乡"),
    ("county", "old", "演示县"),
    ("old", "province", "演示甲市"),
    ("new", "province", "演示乙市"),
];
const AFTER: [(&str, &str, &str); 4] =
    [BEFORE[0], ("county", "new", "演示县"), BEFORE[3], BEFORE[2]];

/// The federation, with firms entered by the township, the county and, before those had nodes, by the cities.
fn federation() -> Levels {
    let levels = Levels::raise(&NODES, DIVISIONS);
    enter(&levels, "township", 1);
    enter(&levels, "county", 2);
    enter(&levels, "old", 3);
    enter(&levels, "new", 4);
    rounds(&levels, &BEFORE, 1);
    assert_eq!(figures(&levels, "province", "演示省"), [4, 4]);
    assert_eq!(figures(&levels, "old", "演示甲市"), [3, 3]);
    levels
}

/// The county asks for a new epoch and `issuer` enrols it.
fn enrolled_anew(levels: &Levels, issuer: &str) {
    let (request, answer) = (levels.path("request.hub"), levels.path("answer.hub"));
    levels.ok("county", &["enrol", "renew", "--out", &request]);
    levels.ok(issuer, &["enrol", "approve", &request, "--out", &answer]);
    levels.ok("county", &["enrol", "accept", &answer]);
}

fn no_parked(levels: &Levels, level: &str) {
    let parked = levels.json(level, &["log", "show", "--last", "50", "--parked"]);
    assert_eq!(parked["rows"].as_array().unwrap().len(), 0, "{level}: {parked}");
}

/// A county whose city has no node of its own, until it gets one: the county goes on below it.
const WITHOUT_A_CITY: [Level; 3] = [
    ("province", "演示省", None),
    ("county", "演示县", Some("province")),
    ("township", "演示乡", Some("county")),
];

/// All levels agree about the county after its move.
fn agree(levels: &Levels) {
    for level in ["county", "new", "province"] {
        assert_eq!(figures(levels, level, "演示县"), [2, 2], "{level}");
        assert_eq!(figures(levels, level, "演示乡"), [1, 1], "{level}");
    }
    for level in ["new", "province"] {
        assert_eq!(figures(levels, level, "演示乙市"), [3, 3], "{level}");
    }
    for level in ["old", "province"] {
        assert_eq!(figures(levels, level, "演示甲市"), [1, 1], "{level}");
    }
    assert_eq!(figures(levels, "province", "演示省"), [4, 4]);
    for level in ["province", "old", "new", "county", "township"] {
        no_parked(levels, level);
    }
}

/// What is entered after the move goes up the new way.
fn lives_on(levels: &Levels) {
    enter(levels, "township", 5);
    enter(levels, "county", 6);
    rounds(levels, &AFTER[..3], 1);
    for (level, unit) in [("new", "演示县"), ("province", "演示县"), ("county", "演示县")]
    {
        assert_eq!(figures(levels, level, unit), [4, 4], "{level}");
    }
    assert_eq!(figures(levels, "province", "演示省"), [6, 6]);
    // the receipts of both levels above, old ones of the former city among them no more
    rounds(levels, &AFTER[..3], 1);
    let status = levels.json("county", &["status"]);
    let arrived = status["arrived"].as_array().unwrap();
    assert_eq!(arrived.len(), 2, "{status}");
    assert!(arrived.iter().all(|arrival| arrival["complete"] == true), "{arrived:?}");
}

#[test]
fn a_county_moves_with_its_node_and_the_new_city_enrols_it() {
    let levels = federation();
    levels.ok("province", &["unit", "move", "演示县", "--parent", "演示乙市"]);
    passing_rounds(&levels, &BEFORE, 1);
    enrolled_anew(&levels, "new");
    passing_rounds(&levels, &AFTER, 3);
    agree(&levels);
    lives_on(&levels);
}

#[test]
fn the_province_enrols_it_below_the_new_city_before_the_county_hears_of_the_move() {
    let levels = federation();
    levels.ok("province", &["unit", "move", "演示县", "--parent", "演示乙市"]);
    enrolled_anew(&levels, "province");
    passing_rounds(&levels, &AFTER, 4);
    agree(&levels);
}

#[test]
fn a_city_gets_a_node_late_above_a_county_that_has_one() {
    let levels = Levels::raise(&WITHOUT_A_CITY, DIVISIONS);
    enter(&levels, "township", 1);
    enter(&levels, "county", 2);
    levels.sync();
    let root = Node::load(&levels.data("province")).unwrap().config.root_key;
    let root = hub_core::hash::hex_encode(&root.0);
    let (request, answer) = (levels.path("request.hub"), levels.path("answer.hub"));
    let ask = ["enrol", "request", "--unit", "演示甲市", "--root", &root, "--out", &request];
    levels.ok("old", &ask);
    levels.ok("province", &["enrol", "approve", &request, "--out", &answer]);
    levels.ok("old", &["enrol", "accept", &answer]);
    // what came from below is named to it and comes when it asks
    levels.carry_anyhow("province", "old", "演示甲市");
    enrolled_anew(&levels, "old");
    passing_rounds(&levels, &BEFORE[..3], 3);
    rounds(&levels, &BEFORE[..3], 1);
    enter(&levels, "township", 5);
    rounds(&levels, &BEFORE[..3], 1);
    for level in ["county", "old", "province"] {
        assert_eq!(figures(&levels, level, "演示县"), [3, 3], "{level}");
        no_parked(&levels, level);
    }
}
