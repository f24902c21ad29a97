//! `kill -9` of every daemon and every nats-server of a federation of five levels, under load, more than
//! fifty times; then a program of its own compares all receipts seen with the journals exported.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_tests::drill::{Plan, Tools, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program `hub` as it was built with this test.
fn hub() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    // both packages: with the features that this test was built with, so that nothing is built twice
    build.args(["build", "--locked", "--package", "hub", "--package", "hub-tests", "--bins"]);
    build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
    build.env("CARGO_TARGET_DIR", profile.parent().unwrap());
    // what cargo tells this test of its package: build scripts that look at it would all run anew
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|own| name.starts_with(own)) {
            build.env_remove(&name);
        }
    }
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let output = build.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    profile.join("hub")
}

#[test]
fn nothing_receipted_is_lost_when_everything_is_killed() {
    let tools = Tools {
        hub: hub(),
        checker: env!("CARGO_BIN_EXE_checker").into(),
        nats_server: hub_tests::nats::program().unwrap(),
    };
    let place = tempfile::tempdir().unwrap();
    let plan = Plan::short();
    let report = run(&tools, &plan, place.path()).unwrap_or_else(|error| panic!("{error}"));
    let text = serde_json::to_string_pretty(&report).unwrap();
    assert!(report.hub_kills + report.server_kills >= 50, "{text}");
    assert!(report.hub_kills >= plan.hub_kills && report.pauses > 0, "{text}");
    assert_eq!(report.server_data.len(), 4, "every kind of damage: {text}");
    // how many are seen depends on how fast the machine is
    assert!(report.receipts_seen > 10 && report.receipts_from_afar > 0, "{text}");
    assert!(report.facts_entered >= plan.facts, "{text}");
    let checked = &report.checked;
    assert_eq!((checked.lost, checked.facts_lost, checked.twice), (0, 0, 0), "{text}");
    // every level with each above it: 1 + 2 + 3, and two enterprises of 4
    assert_eq!(report.views_compared, 14, "{text}");
    // what was entered and confirmed is counted, at every level alike
    assert!(report.members >= report.facts_entered, "{text}");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
}

#[test]
fn the_checker_says_what_is_lost_by_its_exit_code() {
    let place = tempfile::tempdir().unwrap();
    let checker = |seen: &str, journal: &str| {
        let (promises, export) = (place.path().join("seen"), place.path().join("export"));
        std::fs::write(&promises, seen).unwrap();
        std::fs::write(&export, journal).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_checker"));
        command.arg("--seen").arg(promises);
        command.arg(format!("--journal=top={}", export.display()));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let empty = r#"{"export":{"digest":"d"}}"#;
    let entered = r#"{"entered":{"held_by":["top"],"post":1,"facts":1}}"#;
    let (code, text) = checker(entered, empty);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(r#""facts_lost": 1"#), "{text}");
    assert_eq!(checker("no promise", empty).0, Some(2));
    assert_eq!(checker(entered, "no export").0, Some(2));
}
