//! Acts of offices from the command line: units that follow others, codes corrected, unions moved, merged and
//! registered, a node below cut off, a server configured.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command::run::HubCommands;
use hub::config::{CONFIG_FILE, Node};
use hub::daemon;
use hub_tests::demo::people::employer_code;
use hub_tests::levels::Levels;
use serde_json::Value;
use std::fs;
use std::sync::Arc;

/// The standing facts of a kind, newest last.
fn facts(levels: &Levels, level: &str, kind: &str) -> Vec<Value> {
    let shown = levels.json(level, &["log", "show", "--last", "1000", "--kind", kind]);
    shown["rows"].as_array().unwrap().clone()
}

fn wrong(levels: &Levels, level: &str, line: &[&str], word: &str) {
    let ran = levels.run(level, line);
    assert!(ran.code != 0 && ran.err.contains(word), "{word}: {ran:?}");
}

#[test]
fn townships_are_merged_one_by_one_and_by_file() {
    let levels = Levels::found();
    let towns = levels.file(
        "乡镇.csv",
        "名称,代码,级别,类型\n演示甲镇,990101101,乡镇,区域\n演示乙镇,990101102,乡镇,区域\n演示丙镇,990101103,乡镇,区域\n\
         演示丁镇,990101104,乡镇,区域\n演示戊镇,990101105,乡镇,区域\n",
    );
    levels.ok("east", &["unit", "import", &towns, "--list-year", "2023"]);
    let merge = ["unit", "succeed", "--old", "演示甲镇", "--old", "演示乙镇", "--new", "演示丙镇"];
    let told = levels.ok("east", &[&merge[..], &["--day", "2024-01-01", "--dry-run"]].concat());
    assert!(told.contains("没有写入"), "{told}");
    assert!(facts(&levels, "east", "unit.succeeded").is_empty(), "a dry run writes nothing");
    levels.ok("east", &[&merge[..], &["--day", "2024-01-01"]].concat());
    let stated = facts(&levels, "east", "unit.succeeded");
    assert_eq!(stated.len(), 1);
    assert_eq!((&stated[0]["day"], &stated[0]["verdict"]), (&"2024-01-01".into(), &"计入".into()));

    let above = "须由其上级节点登记";
    wrong(&levels, "east", &["unit", "succeed", "--old", "演示东县", "--new", "演示丙镇"], above);
    let both = ["unit", "succeed", "--old", "演示丁镇", "--new", "演示丁镇"];
    wrong(&levels, "east", &both, "既是原单位又是新单位");

    let file = levels.file(
        "承继.csv",
        "原单位,新单位,方式,日期\n演示丁镇,演示丙镇,撤并,2025-01-01\n演示戊镇,演示丙镇,,2025-01-01\n没有的镇,演示丙镇,,\n",
    );
    let ran = levels.run("east", &["--format", "json", "unit", "succeed", "--file", &file]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&answer["rows"][0]["new"], &answer["rows"][0]["refused"]), (&2.into(), &1.into()));
    assert_eq!(facts(&levels, "east", "unit.succeeded").len(), 2, "rows that share a unit are one");
}

#[test]
fn codes_unions_and_a_cut() {
    let levels = Levels::found();
    let (right, other) = (employer_code(21), employer_code(22));
    let mut mistyped = right.clone();
    mistyped.replace_range(16..17, if right.as_bytes()[16] == b'0' { "1" } else { "0" });
    let units =
        format!("名称,统一社会信用代码,职工人数\n演示错厂,{mistyped},30\n演示对厂,{other},30\n");
    let units = levels.file("单位.csv", &units);
    assert_eq!(levels.run("west", &["unit", "import", &units]).code, 0);
    let count = |measure: &str| levels.count("west", "演示西县", measure);
    assert_eq!((count("units.all"), count("units.unqualified")), (1, 1));
    wrong(&levels, "west", &["unit", "rekey", "演示错厂", "--code", &mistyped], "校验位不对");
    levels.ok("west", &["unit", "rekey", "演示错厂", "--code", &right]);
    assert_eq!((count("units.all"), count("units.unqualified")), (2, 0));
    wrong(&levels, "west", &["unit", "rekey", "演示错厂", "--code", &right], "就是这个代码");

    let unions = levels.file(
        "工会.csv",
        "工会名称,类型,单位,批复文号,批复日期,成立日期\n\
         演示错厂工会,单独,演示错厂,演〔2015〕1号,2015-04-01,2015-04-01\n\
         演示对厂工会,单独,演示对厂,演〔2015〕2号,2015-04-01,2015-04-01\n",
    );
    levels.ok("west", &["branch", "import", &unions]);
    assert_eq!(count("unions.all"), 2);
    let merge = ["branch", "merge", "演示错厂工会", "--into", "演示对厂工会"];
    levels.ok("west", &[&merge[..], &["--day", "2020-01-01"]].concat());
    assert_eq!(count("unions.all"), 1);
    let itself = ["branch", "merge", "演示对厂工会", "--into", "演示对厂工会"];
    assert_eq!(levels.run("west", &itself).code, 2);
    let legal = ["branch", "legal", "演示对厂工会", "--code", &other];
    assert_eq!(levels.run("west", &legal).code, 2, "an employer's code is no union's");
    levels.ok("west", &["branch", "move", "演示对厂工会", "--host", "演示错厂"]);
    assert_eq!(facts(&levels, "west", "branch.moved").len(), 1);

    // a node below is cut off: what it wrote before stays, what it writes later is parked above
    levels.sync();
    assert_eq!(levels.count("province", "演示西县", "units.all"), 2);
    levels.ok("province", &["enrol", "revoke", "演示西县", "--reason", "密钥失窃"]);
    levels.ok("west", &["unit", "register", "--name", "演示新厂", "--code", &employer_code(23)]);
    levels.carry("west", "province", "parent");
    assert_eq!(levels.count("province", "演示西县", "units.all"), 2);
    let parked = levels.json("province", &["log", "show", "--last", "50", "--parked"]);
    let parked = parked["rows"].as_array().unwrap();
    assert!(
        parked.iter().any(|row| row["about"] == "演示新厂" || row["kind"] == "unit.registered")
    );
    wrong(
        &levels,
        "east",
        &["enrol", "revoke", "演示西县", "--reason", "x"],
        "没有在本级之下接入的节点",
    );
}

#[test]
fn what_was_edited_while_a_node_runs_outlives_nats_config() {
    let levels = Levels::found();
    let file = levels.data("province").join(CONFIG_FILE);
    let node = Node::load(&levels.data("province")).unwrap();
    let commands = Arc::new(HubCommands::default());
    let running = daemon::start(node, Arc::new(SystemClock), commands).unwrap();
    let edited = fs::read_to_string(&file).unwrap() + "\n[limits]\nchild_facts_per_day = 12345\n";
    fs::write(&file, edited).unwrap();
    let out = levels.path("nats.conf");
    levels.ok("province", &["ops", "nats-config", "--listen", "127.0.0.1:4333", "--out", &out]);
    running.stop().unwrap();
    let config = Node::load(&levels.data("province")).unwrap().config;
    assert_eq!(config.server.map(|server| server.url), Some("nats://127.0.0.1:4333".into()));
    assert_eq!(config.limits.child_facts_per_day, 12_345);
}
