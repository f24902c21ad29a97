//! After the breaking: everything arrives, is exported, and is compared by programs that know nothing of it.

use super::checking::Verdict;
use super::error::DrillError;
use super::raise::{Federation, TOWNSHIP};
use super::station::{Part, Station};
use super::witness::Seen;
use super::{Report, Tools, damage};
use crate::process::POLL_INTERVAL;
use hub::status::StatusSnapshot;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long all that was written may take to arrive everywhere once nothing breaks any more.
const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until every node's own facts are receipted by all nodes above it and nothing waits anywhere.
pub(super) fn settle(stations: &mut [Station], seen: &Seen) -> Result<(), DrillError> {
    let since = Instant::now();
    loop {
        let mut open = Vec::new();
        for at in 0..stations.len() {
            for part in stations[at].parts() {
                stations[at].check_runs(part)?;
            }
            let above = |at: &usize| stations[*at].parent;
            let depth = std::iter::successors(above(&at), above).count();
            let station = &stations[at];
            let why = match station.status() {
                Ok(status) => {
                    seen.status(&status);
                    what_is_open(&status, depth)
                }
                Err(error) => Some(error),
            };
            open.extend(why.map(|why| station.with_last_words(format!("{}: {why}", station.name))));
        }
        if open.is_empty() {
            return seen.close();
        }
        if since.elapsed() > PATIENCE {
            let what = "every fact at every level, once nothing breaks".to_owned();
            return Err(DrillError::Overdue { what, last: open.join("\n") });
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn what_is_open(status: &StatusSnapshot, depth: usize) -> Option<String> {
    let complete = status.arrived.iter().filter(|arrival| arrival.complete).count();
    if complete < depth {
        return Some(format!("arrived at {complete} of {depth} above"));
    }
    if let Some(why) = &status.does_not_sign {
        return Some(format!("does not sign: {why}"));
    }
    let mut links = status.parent.iter().chain(&status.children);
    let waits =
        links.find(|link| link.behind.is_none_or(|b| b.blocks > 0) || !link.held.is_empty());
    waits.map(|link| format!("{link:?}"))
}

/// Exports all journals, has them checked, and compares what the levels answer.
pub(super) fn check(
    tools: &Tools,
    federation: &mut Federation,
    seen: &Seen,
    place: &Path,
    report: &mut Report,
) -> Result<(), DrillError> {
    report.members = same_table(&federation.stations)?;
    if report.members < report.facts_entered {
        let expected = format!("at least {} members counted", report.facts_entered);
        return Err(DrillError::finding(expected, report.members.to_string()));
    }
    report.views_compared = same_views(&mut federation.stations, seen)?;
    for station in &mut federation.stations {
        station.stop_daemon();
        station.kill(Part::Server)?;
        let out = station.file("jsonl");
        station.hub(&["log", "export", "--jsonl", "--out", &out.to_string_lossy()])?;
    }
    report.checked = run_checker(tools, &federation.stations, seen)?;
    if !report.checked.faults.is_empty() {
        return Err(DrillError::finding("no fault", report.checked.faults.join("\n")));
    }
    report.digest = same_digest(&federation.stations, &federation.root_key, place)?;
    Ok(())
}

/// The count of members in the township, as each level that holds it tells it.
fn same_table(stations: &[Station]) -> Result<u64, DrillError> {
    let line = ["query", "coverage", "--unit", TOWNSHIP, "--indicator", "member.A"];
    let line = [&line[..], &["--by", "child", "--format", "json"]].concat();
    let mut first: Option<Vec<Value>> = None;
    for station in stations.iter().filter(|station| station.parts().contains(&Part::Server)) {
        let text = station.hub(&line)?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let mut rows = answer["rows"].as_array().cloned().unwrap_or_default();
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            // how long ago it was heard from: each level by its own clock
            row.remove("oldest");
        }
        let expected = first.get_or_insert_with(|| rows.clone());
        if *expected != rows {
            return Err(DrillError::finding(
                format!("at {} as above: {expected:?}", station.name),
                format!("{rows:?}"),
            ));
        }
    }
    let total = first.as_ref().and_then(|rows| rows.last()?["numerator"].as_u64());
    total.ok_or_else(|| DrillError::finding("a total", format!("{first:?}")))
}

/// What every node states of itself, folded anew there and at all levels above to just that frontier: the
/// digests must be equal. Gives how many pairs of levels were compared.
fn same_views(stations: &mut [Station], seen: &Seen) -> Result<u64, DrillError> {
    for station in &*stations {
        station.hub(&["checkpoint"])?;
    }
    settle(stations, seen)?;
    let mut compared = 0;
    for below in 0..stations.len() {
        let unit = &stations[below].unit;
        let own = known(&stations[below], unit)?;
        let above = |at: &usize| stations[*at].parent;
        for at in std::iter::successors(above(&below), above) {
            let found = known(&stations[at], unit)?;
            if found != own {
                let expected = format!("at {}: {own:?} as at {unit}", stations[at].name);
                return Err(DrillError::finding(expected, format!("{found:?}")));
            }
            compared += 1;
        }
    }
    Ok(compared)
}

/// The newest checkpoint of the node that serves a unit, and the digest of the view it vouches for.
fn known(station: &Station, unit: &str) -> Result<[String; 2], DrillError> {
    let line = ["query", "coverage", "--unit", unit, "--indicator", "member.A"];
    // later than any checkpoint: the newest
    let line = [&line[..], &["--known-at", "2099-01-01", "--format", "json"]].concat();
    let answer: Value = serde_json::from_str(&station.hub(&line)?).unwrap_or_default();
    let told = |key: &str| answer["citation"][key].as_str().unwrap_or_default().to_owned();
    let told = ["checkpoint", "digest"].map(told);
    if told.iter().any(String::is_empty) {
        return Err(DrillError::finding("a checkpoint and a digest", answer.to_string()));
    }
    Ok(told)
}

fn run_checker(tools: &Tools, stations: &[Station], seen: &Seen) -> Result<Verdict, DrillError> {
    let mut command = Command::new(&tools.checker);
    command.arg("--seen").arg(&seen.path);
    for station in stations {
        command.arg(format!("--journal={}={}", station.id, station.file("jsonl").display()));
    }
    let output = command.output().map_err(DrillError::io("running", &tools.checker))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let verdict: Option<Verdict> = serde_json::from_str(&text).ok();
    let told = verdict.filter(|verdict| output.status.success() == verdict.faults.is_empty());
    told.ok_or_else(|| {
        let words = String::from_utf8_lossy(&output.stderr);
        DrillError::finding("a verdict of the checker", format!("{text}{words}"))
    })
}

/// The digest of the top as exported, and as replayed from a copy of its directory.
fn same_digest(stations: &[Station], root: &str, place: &Path) -> Result<String, DrillError> {
    let top = &stations[0];
    let exported = std::fs::read_to_string(top.file("jsonl"))
        .map_err(DrillError::io("reading", &top.file("jsonl")))?;
    let heading: Value = exported
        .lines()
        .next()
        .and_then(|line| serde_json::from_str(line).ok())
        .unwrap_or_default();
    let exported = heading["export"]["digest"].as_str().unwrap_or_default().to_owned();
    let copy = place.join("copy");
    damage::copy(&top.data, &copy)?;
    let copy = copy.to_string_lossy();
    let text = top.hub(&["audit", "replay", &copy, "--root", root, "--format", "json"])?;
    let replay: Value = serde_json::from_str(&text).unwrap_or_default();
    let rows = replay["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let digest = rows.iter().find(|row| row["key"] == "digest").map(|row| &row["value"]);
    if exported.is_empty() || digest.and_then(Value::as_str) != Some(&exported) {
        return Err(DrillError::finding(format!("digest {exported:?} of the top"), text));
    }
    Ok(exported)
}
