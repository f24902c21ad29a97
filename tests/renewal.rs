//! Enrolments end: it is said before, what is written after is parked, and a renewal that comes late brings it
//! back, at every level alike.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::config::Node;
use hub::keys::KeyStore;
use hub::ops_nats::Children;
use hub_tests::demo::people::employer_code;
use hub_tests::levels::{Levels, copy_folder};
use std::fs;

/// Enters a firm at the county.
fn enters(levels: &Levels, serial: u32) {
    let code = employer_code(serial);
    let rows = format!("名称,统一社会信用代码,职工人数\n演示第{serial}厂,{code},40\n");
    let rows = levels.file("单位.csv", &rows);
    levels.ok("east", &["unit", "import", &rows]);
}

/// Renews the county's enrolment for so many days.
fn renews(levels: &Levels, days: &str) {
    let (request, answer) = (levels.path("renew.hub"), levels.path("answer.hub"));
    levels.ok("east", &["enrol", "renew", "--out", &request]);
    levels.ok("province", &["enrol", "approve", &request, "--days", days, "--out", &answer]);
    levels.ok("east", &["enrol", "accept", &answer]);
    levels.sync();
}

/// What both levels count of the county.
fn counted(levels: &Levels) -> [i64; 2] {
    ["province", "east"].map(|level| levels.count(level, "演示东县", "units.all"))
}

#[test]
fn an_enrolment_that_ended_is_renewed_late_and_nobodys_work_is_lost() {
    let levels = Levels::found();
    enters(&levels, 1);
    levels.sync();
    let fine = levels.run("east", &["status"]);
    assert!(fine.code == 0 && !fine.out.contains("续期"), "{fine:?}");

    // it is said before, here and above, and whoever asks by a script hears it too
    renews(&levels, "50");
    let soon = levels.run("east", &["status"]);
    assert!(soon.code == 0 && soon.out.contains("不足 60 天"), "{soon:?}");
    renews(&levels, "5");
    let soon = levels.run("east", &["status"]);
    assert!(soon.code == 1 && soon.out.contains("不足 7 天"), "{soon:?}");
    let above = levels.run("province", &["status"]);
    assert!(above.code == 1, "{above:?}");
    let row = above.out.lines().find(|line| line.contains("下级有效期至")).unwrap();
    assert!(row.contains("演示东县") && row.contains("不足 7 天"), "{row}");
    assert!(!above.out.contains("演示西县 20"), "who need not be renewed is not named: {above:?}");

    // it is over: work goes on and does not count
    renews(&levels, "0");
    enters(&levels, 2);
    levels.sync();
    let over = levels.run("east", &["status"]);
    assert!(over.code == 1 && over.out.contains("已过期"), "{over:?}");
    assert_eq!(counted(&levels), [1, 1]);
    let over = levels.run("east", &["--format", "json", "status"]);
    assert_eq!(over.code, 1, "whoever asks by a script is told so in every form");
    let parked = |level: &str| -> serde_json::Value {
        let ran = levels.run(level, &["--format", "json", "status"]);
        let shown: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        shown["parked"].clone()
    };
    assert!(parked("province")["no_authority"].as_u64() > Some(0), "{}", parked("province"));

    // renewed late, all of it counts
    renews(&levels, "730");
    assert_eq!(counted(&levels), [2, 2]);
    enters(&levels, 3);
    levels.sync();
    assert_eq!(counted(&levels), [3, 3]);
    for level in ["province", "east"] {
        assert_eq!(parked(level), serde_json::json!({}), "{level}");
        assert_eq!(levels.run(level, &["status"]).code, 0, "{level}");
    }
}

/// Taken by its machine, a node has its keys of all epochs, its login and its place in the tree; a revocation
/// takes them all, and the node goes on elsewhere with new ones.
#[test]
fn whoever_stole_a_node_has_no_key_of_any_epoch_left() {
    let levels = Levels::found();
    enters(&levels, 1);
    renews(&levels, "730");
    enters(&levels, 2);
    levels.sync();
    assert_eq!(counted(&levels), [2, 2]);
    let login = || {
        let list = Children::load(&levels.data("province").join("children.toml")).unwrap();
        let east = Node::load(&levels.data("east")).unwrap().config.node;
        list.child.into_iter().find(|child| child.node == east)
    };
    let stolen = login().unwrap();
    copy_folder(&levels.data("east"), &levels.data("thief"));
    fs::remove_file(levels.data("thief").join("keys/node-2.key")).unwrap();
    let said = levels.ok("province", &["enrol", "revoke", "演示东县", "--reason", "机器失窃"]);
    assert!(said.contains("nats-config"), "{said}");
    assert_eq!(login(), None);

    // neither the key of the second epoch counts any more nor that of the first
    let at = |level: &str, serial: u32| {
        let code = employer_code(serial);
        levels.ok(level, &["unit", "register", "--name", "演示新厂", "--code", &code]);
        levels.carry(level, "province", "parent");
        assert_eq!(levels.count("province", "演示东县", "units.all"), 2, "{level}");
    };
    at("thief", 8);
    at("east", 9);
    let parked = levels.json("province", &["status"])["parked"].clone();
    assert_eq!(parked["after_cut"], 2, "what came is kept and shown: {parked}");

    // it is told nothing any more, and a second revocation finds nobody
    let county = ["bundle", "export", "--to", "演示东县", "--out", &levels.path("x")];
    assert_eq!(levels.run("province", &county).code, 2);
    let again = ["enrol", "revoke", "演示东县", "--reason", "机器失窃"];
    assert_eq!(levels.run("province", &again).code, 2);

    // the third epoch has its place back, by another login
    renews(&levels, "730");
    enters(&levels, 3);
    levels.sync();
    assert_eq!(counted(&levels), [3, 3]);
    let renewed = login().unwrap();
    assert!(renewed.nats_user != stolen.nats_user && renewed.former_user.is_none());
    let above = KeyStore::new(levels.data("east").join("keys")).uplink_user().unwrap();
    assert_eq!(above.public(), renewed.nats_user);
}

/// The request may be lost, and who waits for the answer goes on working: it is held above and counts then.
#[test]
fn a_new_epoch_is_asked_for_again_and_work_goes_on_meanwhile() {
    let levels = Levels::found();
    enters(&levels, 1);
    levels.sync();
    let (request, answer) = (levels.path("renew.hub"), levels.path("answer.hub"));
    let lost = levels.path("no such stick/renew.hub");
    assert_ne!(levels.run("east", &["enrol", "renew", "--out", &lost]).code, 0);
    enters(&levels, 2);
    for asks in [["enrol", "renew"], ["clock", "recover"], ["enrol", "renew"]] {
        levels.ok("east", &[&asks[..], &["--out", &request]].concat());
    }
    enters(&levels, 3);
    assert!(!levels.data("east").join("keys/node-3.key").exists(), "one new epoch, not several");
    levels.carry_anyhow("east", "province", "parent");
    assert_eq!(levels.count("province", "演示东县", "units.all"), 1);
    levels.ok("province", &["enrol", "approve", &request, "--out", &answer]);
    levels.ok("east", &["enrol", "accept", &answer]);
    levels.sync();
    enters(&levels, 4);
    levels.sync();
    assert_eq!(counted(&levels), [4, 4]);
    for level in ["province", "east"] {
        assert_eq!(levels.json(level, &["status"])["parked"], serde_json::json!({}), "{level}");
    }
    levels.ok("province", &["audit", "verify"]);

    // a directory put back from a backup may lack what it wrote: it waits until it is enrolled
    let backup = levels.path("backup");
    levels.ok("east", &["backup", &backup]);
    enters(&levels, 5);
    levels.sync();
    fs::remove_dir_all(levels.data("east")).unwrap();
    levels.ok("east", &["restore", &backup]);
    levels.ok("east", &["enrol", "renew", "--out", &request]);
    let early = ["unit", "register", "--name", "演示早厂", "--code", &employer_code(6)];
    assert_eq!(levels.run("east", &early).code, 2);
    levels.ok("province", &["enrol", "approve", &request, "--out", &answer]);
    levels.ok("east", &["enrol", "accept", &answer]);
    levels.sync();
    levels.sync();
    levels.ok("east", &early);
    levels.sync();
    assert_eq!(counted(&levels), [6, 6]);
    levels.ok("province", &["audit", "verify"]);
}
