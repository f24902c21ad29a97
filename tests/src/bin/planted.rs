//! `ops/planted`: plants each known bug and has the test that guards against it run. Prints a report as JSON.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a report on stdout, progress on stderr"
)]

use hub_tests::planted::{Garden, PlantError, bugs};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

fn run(root: &Path, target: &Path, only: &[String]) -> Result<bool, PlantError> {
    let garden = Garden::lay(root, target)?;
    let is_asked = |what: &str| only.is_empty() || only.iter().any(|part| what.contains(part));
    let (mut caught, mut missed) = (Vec::new(), Vec::new());
    for bug in bugs(root)?.into_iter().filter(|bug| is_asked(&bug.what)) {
        let is_caught = garden.catches(&bug)?;
        eprintln!(
            "{} {} ({})",
            if is_caught { "caught" } else { "MISSED" },
            bug.what,
            bug.caught_by
        );
        if is_caught { &mut caught } else { &mut missed }.push(bug.what);
    }
    let all_caught = missed.is_empty();
    println!("{:#}", json!({ "caught": caught, "missed": missed }));
    Ok(all_caught)
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(root), Some(target)) = (words.next(), words.next()) else {
        eprintln!("planted: expected the root of the sources and the folder to build in");
        return ExitCode::from(2);
    };
    let only: Vec<String> = words.collect();
    match run(Path::new(&root), Path::new(&target), &only) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("planted: {error}");
            ExitCode::from(2)
        }
    }
}
