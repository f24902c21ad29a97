//! House rules of the text itself, each with what to do instead. Sizes and maps stand in `house.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

const LINE_CHARS_MAX: usize = 120;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of ours with its path from the root.
fn rust_files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join("crates"), root().join("tests")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() > 60, "the walk sees too little: {}", found.len());
    found
}

/// Lines that hold one of `words`, as `file:line: what`.
fn lines_with(words: &[&str], files: &[(String, String)], instead: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, text) in files {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(*word)) {
                faults.push(format!("{name}:{}: {word}: {instead}", number + 1));
            }
        }
    }
    faults
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn lines_are_short() {
    let mut faults = Vec::new();
    for (name, text) in rust_files() {
        for (number, line) in text.lines().enumerate() {
            let chars = line.chars().count();
            // rules as aligned tables are read across
            let is_table = name.ends_with("_tests.rs");
            if chars > LINE_CHARS_MAX && !is_table {
                faults.push(format!("{name}:{}: {chars} characters: break it", number + 1));
            }
            if line.ends_with([' ', '\t']) {
                faults.push(format!("{name}:{}: space at the end: take it off", number + 1));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn nothing_is_left_for_later() {
    // written so that this file does not find itself
    let words = ["to\u{64}o!", "unimplemente\u{64}!", "FIX\u{4d}E", "TO\u{44}O", "XX\u{58}:"];
    assert_none(&lines_with(&words, &rust_files(), "do it, or say in an issue why not yet"));
}

/// The machine's clock is read in one place; everything else is told the time.
#[test]
fn the_clock_is_read_in_one_place() {
    let files: Vec<(String, String)> = rust_files()
        .into_iter()
        .filter(|(name, _)| name.starts_with("crates/") && name != "crates/hub/src/clock.rs")
        .collect();
    let words = ["SystemTime::no\u{77}", "Utc::no\u{77}"];
    assert_none(&lines_with(&words, &files, "ask crates/hub/src/clock.rs"));
}

/// A test file that Cargo does not know never runs.
#[test]
fn every_test_file_is_declared() {
    let manifest = std::fs::read_to_string(root().join("tests/Cargo.toml")).unwrap();
    let manifest: toml::Value = toml::from_str(&manifest).unwrap();
    let declared: Vec<&str> = manifest["test"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["path"].as_str().unwrap())
        .collect();
    for entry in std::fs::read_dir(root().join("tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".rs") {
            assert!(
                declared.contains(&name.as_str()),
                "tests/{name}: declare it in tests/Cargo.toml"
            );
        }
    }
    for path in declared {
        assert!(
            root().join("tests").join(path).is_file(),
            "tests/{path} is declared and not there"
        );
    }
}

/// A lint that is switched off says why, in the attribute or behind it.
#[test]
fn every_allowance_has_its_reason() {
    let mut faults = Vec::new();
    for (name, text) in rust_files() {
        for (place, _) in text.match_indices("[allo\u{77}(") {
            let rest = &text[place..];
            let end = rest.find(")]").map_or(rest.len(), |end| end + 2);
            let behind = rest[end..].lines().next().unwrap_or("");
            if !rest[..end].contains("reason = \"") && !behind.contains("// ") {
                let line = text[..place].lines().count();
                faults.push(format!("{name}:{line}: allow: say why, reason = \"…\""));
            }
        }
    }
    assert_none(&faults);
}
