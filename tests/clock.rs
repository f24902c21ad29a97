//! A county whose clock ran ahead: what it signed then is let in nowhere before its time, it refuses to sign
//! once the clock is right, and `hub clock recover` lets it go on without waiting.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::{Clock, SetClock, SystemClock};
use hub::command::run::HubCommands;
use hub::config::Node;
use hub::daemon;
use hub_core::time::DAY_MILLIS;
use hub_tests::demo::people::employer_code;
use hub_tests::levels::Levels;
use std::sync::Arc;

/// A list of one firm.
fn firm(levels: &Levels, serial: u32) -> String {
    let code = employer_code(serial);
    let rows = format!("名称,统一社会信用代码,职工人数\n演示第{serial}厂,{code},40\n");
    levels.file("单位.csv", &rows)
}

/// Enters a firm.
fn enters(levels: &Levels, level: &str, serial: u32) {
    levels.ok(level, &["unit", "import", &firm(levels, serial)]);
}

/// Until what each has for the other is on both sides, and confirmed.
fn settled(levels: &Levels) {
    levels.sync();
    levels.sync();
}

/// A firm entered while the machine's clock is months ahead.
fn enters_ahead(levels: &Levels, level: &str, serial: u32) {
    let node = Node::load(&levels.data(level)).unwrap();
    let clock = Arc::new(SetClock::new(SystemClock.now() + 100 * DAY_MILLIS));
    let ahead = daemon::start(node, clock, Arc::new(HubCommands::default())).unwrap();
    levels.ok(level, &["unit", "import", &firm(levels, serial)]);
    ahead.stop().unwrap();
}

#[test]
fn a_clock_that_ran_ahead_is_recovered_by_a_new_epoch() {
    let levels = Levels::found();
    enters(&levels, "east", 1);
    settled(&levels);

    // the battery of the machine is at fault, and nobody looks
    enters_ahead(&levels, "east", 2);
    let (bag, out) = (levels.path("bag.hub"), levels.path("recover.hub"));
    levels.ok("east", &["bundle", "export", "--to", "parent", "--out", &bag]);
    let held = levels.run("province", &["bundle", "import", &bag]);
    assert_eq!(held.code, 1, "what is ahead stands at the door: {held:?}");
    assert_eq!(levels.count("province", "演示省", "units.all"), 1);

    // set right, the node signs no more, and says what helps
    let refused = levels.run("east", &["unit", "import", &firm(&levels, 3)]);
    assert!(refused.code == 2 && refused.err.contains("hub clock recover"), "{refused:?}");
    let status = levels.run("east", &["status"]);
    assert!(status.code == 1 && status.out.contains("hub clock recover"), "{status:?}");

    // whose clock is right, and the root, open no epoch
    let fine = levels.run("west", &["clock", "recover", "--out", &out]);
    assert!(fine.code == 2 && fine.err.contains("没有问题"), "{fine:?}");
    assert!(!std::path::Path::new(&out).exists(), "nothing was written");
    let told = levels.ok("east", &["clock", "recover", "--out", &out]);
    for word in ["本机时间", "最后一条记录", "回执", "hub enrol approve"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let answer = levels.path("answer.hub");
    levels.ok("province", &["enrol", "approve", &out, "--out", &answer]);
    levels.ok("east", &["enrol", "accept", &answer]);
    levels.ok("province", &["bundle", "export", "--to", "演示东县", "--out", &bag]);
    levels.ok("east", &["bundle", "import", &bag]);

    // it goes on at once; what is too far ahead is shown and not counted, at both levels alike
    enters(&levels, "east", 3);
    levels.ok("east", &["bundle", "export", "--to", "parent", "--out", &bag]);
    let passed = levels.run("province", &["bundle", "import", &bag]);
    assert!(passed.out.contains("已入"), "the older bundle still waited then: {passed:?}");
    settled(&levels);
    for level in ["province", "east"] {
        assert_eq!(levels.count(level, "演示东县", "units.all"), 2, "{level}");
    }
    let status = levels.json("east", &["status"]);
    assert_eq!(status["arrived"][0]["complete"], true, "{status}");
    assert_eq!(status["parent"]["behind"]["facts"], 0, "{status}");
    assert!(status["parked"]["no_authority"].as_u64() > Some(0), "{status}");
    enters(&levels, "east", 2);
    settled(&levels);
    for level in ["province", "east"] {
        assert_eq!(levels.count(level, "演示东县", "units.all"), 3, "{level}");
    }
    let again = levels.run("east", &["clock", "recover", "--out", &out]);
    assert!(again.code == 2 && again.err.contains("没有问题"), "{again:?}");
}

#[test]
fn the_root_recovers_its_clock_by_itself() {
    let levels = Levels::found();
    let below = |name: &str, code: &str| {
        let rows = format!("名称,代码,上级\n{name},{code},演示市\n");
        let rows = levels.file("区划.csv", &rows);
        levels.run("province", &["unit", "import", &rows, "--list-year", "2023"])
    };
    enters_ahead(&levels, "province", 1);
    let refused = below("演示北县", "990103");
    assert!(refused.code == 2 && refused.err.contains("hub clock recover"), "{refused:?}");
    let out = levels.path("nothing.hub");
    let recovered = levels.run("province", &["clock", "recover", "--out", &out]);
    assert!(recovered.code == 0 && recovered.err.contains("立即生效"), "{recovered:?}");
    assert!(!std::path::Path::new(&out).exists(), "there is nobody to ask");
    assert_eq!(below("演示北县", "990103").code, 0);
    // those below take its new epoch for its own
    enters(&levels, "east", 2);
    settled(&levels);
    assert_eq!(levels.json("east", &["status"])["arrived"][0]["complete"], true);
    assert_eq!(levels.count("province", "演示东县", "units.all"), 1);
}
