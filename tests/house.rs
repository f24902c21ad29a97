//! The rules of the house, as tests: what each crate may depend on, and what a file may look like.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Names of all packages that `package` needs on this machine when it is built for use, and its own.
fn needs(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["--package", package])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// DESIGN §12: the core and the node machine reach no runtime, network, store, clock or randomness.
#[test]
fn pure_crates_reach_no_outside() {
    let outside = [
        "async-nats",
        "chrono",
        "crossbeam-channel",
        "fastrand",
        "getrandom",
        "hub",
        "hub-log",
        "mio",
        "rand",
        "rayon",
        "rustix",
        "sled",
        "smol",
        "socket2",
        "time",
        "tokio",
    ];
    for package in ["hub-core", "hub-node"] {
        let reached = needs(package);
        assert!(reached.contains("serde"), "{package}: the walk reaches nothing");
        for name in outside {
            assert!(!reached.contains(name), "{package} reaches {name}");
        }
    }
    assert!(!needs("hub-core").contains("hub-node"));
    assert!(!needs("hub-log").contains("hub-node"), "log and node do not know each other");
    assert!(!needs("hub-node").contains("hub-log"), "log and node do not know each other");
    // the walk sees what is there
    assert!(needs("hub").contains("tokio") && needs("hub-log").contains("sled"));
}

/// What `cargo metadata` says of the tree as built on this machine.
fn metadata() -> Value {
    let rustc = Command::new("rustc").arg("-vV").current_dir(root()).output().unwrap();
    let text = String::from_utf8(rustc.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether a package can be had under allowed licences only: `AND` binds what `OR` offers.
fn is_allowed(licence: &str, allowed: &BTreeSet<&str>) -> bool {
    let plain = licence.replace('/', " OR ").replace(['(', ')'], "");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|one| allowed.contains(one.trim())))
}

#[test]
fn dependencies_keep_to_deny_toml() {
    let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let deny: toml::Table = text.parse().unwrap();
    let allowed: BTreeSet<&str> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| licence.as_str().unwrap())
        .collect();
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let used: BTreeSet<&str> = nodes.iter().map(|node| node["id"].as_str().unwrap()).collect();
    assert!(used.len() > 100, "the walk sees too little: {}", used.len());
    for package in metadata["packages"].as_array().unwrap() {
        if !used.contains(package["id"].as_str().unwrap()) {
            continue;
        }
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_allowed(licence, &allowed), "{name}: {licence}");
        let source = package["source"].as_str().unwrap_or("our own");
        let known = source == "our own" || source.contains("github.com/rust-lang/crates.io-index");
        assert!(known, "{name}: {source}");
    }
    for entry in deny["advisories"]["ignore"].as_array().unwrap() {
        assert!(entry["reason"].as_str().unwrap().len() > 40, "{entry}: a reason");
    }
}

/// The users' choices that nobody maintains stay behind their seams.
#[test]
fn seams_hold() {
    let metadata = metadata();
    let users = |wanted: &str| -> BTreeSet<String> {
        let packages = metadata["packages"].as_array().unwrap().iter();
        packages
            .filter(|package| {
                let needs = package["dependencies"].as_array().unwrap().iter();
                package["source"].is_null() && needs.into_iter().any(|need| need["name"] == wanted)
            })
            .map(|package| package["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(users("bincode"), BTreeSet::from(["hub-core".to_owned()]));
    assert_eq!(users("sled"), BTreeSet::from(["hub-log".to_owned()]));
}

/// All tracked kinds of text below these folders.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn files_are_rooms_not_halls() {
    let mut all = Vec::new();
    for folder in ["crates", "schemas", "tests", "ops"] {
        files(&root().join(folder), &mut all);
    }
    let machine_paths = ["/ho\u{6d}e/", "/ro\u{6f}t/", "/wor\u{6b}/"];
    let mut faults = Vec::new();
    for path in &all {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let mut fault = |what: &str| faults.push(format!("{}: {what}", path.display()));
        for machine_path in machine_paths {
            if text.contains(machine_path) {
                fault("a machine's path");
            }
        }
        if path.extension().is_some_and(|extension| extension == "rs") {
            // `tests.rs` is the last part of the file beside it
            if !text.starts_with("//!") && !path.ends_with("tests.rs") {
                fault("does not say what it is (//!)");
            }
            if text.lines().count() > 600 {
                fault("more than 600 lines");
            }
            if text.contains("#[\u{69}gnore") {
                fault("a test that does not run");
            }
        }
    }
    assert!(all.len() > 40, "the walk sees too little: {}", all.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every folder of the house has its map.
#[test]
fn folders_have_their_map() {
    for folder in [".", "crates", "schemas", "tests", "ops", "tests/scenarios"] {
        assert!(root().join(folder).join("README.md").is_file(), "{folder}/README.md");
    }
}

/// `ops/planted` can plant each of its bugs: sources that changed leave none behind.
#[test]
fn every_planted_bug_has_its_place() {
    let bugs = hub_tests::planted::bugs(&root()).unwrap();
    assert!(bugs.len() >= 25, "the list is too short: {}", bugs.len());
    for bug in bugs {
        assert_ne!(bug.planted(&root()).unwrap(), "", "{}", bug.what);
        bug.guard().unwrap();
    }
}
