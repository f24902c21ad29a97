//! Full replay from a journal on disk, through the code of `hub audit replay`.

use super::error::BenchError;
use super::place::{disk_bytes, open, processor_seconds, province, resident};
use super::province::Size;
use super::report::{Figure, Report, Target};
use hub_core::audit::{Replayed, fold};
use hub_core::header::{FACTS_MAX, Header};
use hub_core::replay::Log;
use hub_log::Journal;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Generates a province where there is none, replays it, and tells what that took.
///
/// # Errors
/// The replay has findings, or does not give what was generated.
pub fn measure(place: &Path, size: Size, report: &mut Report<'_>) -> Result<(), BenchError> {
    report.progress(&format!("replay: a province of {} members", size.members))?;
    let began = Instant::now();
    let (directory, province) = province(place, size)?;
    let generated = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let journal = open(&directory)?;
    let opened = began.elapsed().as_secs_f64();
    let root_key = province.root.public();
    drop(province);
    let before = resident()?.0;
    let (began, used) = (Instant::now(), processor_seconds()?);
    let replayed = fold(&root_key, &journal, &journal);
    let seconds = began.elapsed().as_secs_f64();
    let used = processor_seconds()? - used;
    let grown = resident()?.0.saturating_sub(before);
    check(&replayed, size)?;
    let rows = bytes_of(&journal, &|header| header.codec == 1);
    let full = bytes_of(&journal, &|header| header.codec == 2 && header.count == FACTS_MAX);
    let disk = disk_bytes(&directory)?;
    let began = Instant::now();
    let digest = replayed.view.digest();
    let digest_seconds = began.elapsed().as_secs_f64();
    let facts = replayed.facts as f64;
    report.line(&json!({
        "replay": {
            "members": size.members, "unions": size.unions(), "counties": size.counties(),
            "blocks": replayed.blocks, "facts": replayed.facts,
            "member_facts": replayed.view.member_facts(), "generate_s": generated,
            "open_s": opened, "replay_s": seconds, "replay_cpu_s": used, "digest_s": digest_seconds,
            "digest": digest.to_string(), "resident_grown": grown, "resident_most": resident()?.1,
            "disk": disk, "rows": {"facts": rows.0, "bytes": rows.1},
            "full_member_blocks": {"facts": full.0, "bytes": full.1},
        }
    }))?;
    let members = size.members as f64;
    let what = |name: &str| format!("{name} at {} M", members / 1e6);
    report.figure(Figure {
        what: what("full replay"),
        value: facts / seconds,
        unit: "facts/s",
        target: Some(Target::AtLeast(12e6)),
        holds: format!("{:.0} ns of processor a fact; rest is waiting", used / facts * 1e9),
    })?;
    report.figure(Figure {
        what: what("resident per member"),
        value: grown as f64 / members,
        unit: "bytes",
        target: Some(Target::AtMost(40.0)),
        holds: "table, cells, and all facts about units and unions".to_owned(),
    })?;
    report.figure(Figure {
        what: what("disk per fact in full blocks"),
        value: full.1 as f64 / (full.0 as f64).max(1.0),
        unit: "bytes",
        target: Some(Target::AtMost(28.0)),
        holds: "16 of them are the pseudonym".to_owned(),
    })?;
    report.figure(Figure {
        what: what("disk in all per fact"),
        value: disk as f64 / facts,
        unit: "bytes",
        target: None,
        holds: "index, and six facts in rows for each union".to_owned(),
    })
}

fn check(replayed: &Replayed, size: Size) -> Result<(), BenchError> {
    let wrong = |cause: String| Err(BenchError { step: "replay".to_owned(), cause });
    if let Some(finding) = replayed.findings.first() {
        return wrong(format!("{} findings, the first: {finding}", replayed.findings.len()));
    }
    let persons = replayed.view.persons() as u64;
    if persons != size.members {
        return wrong(format!("expected {} persons, found {persons}", size.members));
    }
    match replayed.view.parked().into_iter().next() {
        Some((reason, facts)) => wrong(format!("{facts} facts parked: {reason}")),
        None => Ok(()),
    }
}

/// Facts and bytes, frames included, of blocks.
fn bytes_of(journal: &Journal, wanted: &dyn Fn(&Header) -> bool) -> (u64, u64) {
    let mut sum = (0, 0);
    Log::scan(journal, wanted, &mut |entry| {
        if let hub_core::audit::Entry::Block(block) = entry {
            let frame = hub_log::FRAME_HEADER_BYTES + block.bytes().len();
            sum = (sum.0 + u64::from(block.header().count), sum.1 + frame as u64);
        }
    });
    sum
}
