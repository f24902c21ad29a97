//! The measurements behind `ops/bench`.

use hub_tests::bench::error::{BenchError, failed};
use hub_tests::bench::province::Size;
use hub_tests::bench::report::Report;
use hub_tests::bench::{answers, limits, links, replay, writing};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const ALL: [&str; 5] = ["limits", "replay", "writing", "answers", "links"];

struct Arguments {
    members: u64,
    place: PathBuf,
    measures: Vec<String>,
}

fn arguments() -> Result<Arguments, BenchError> {
    let mut arguments =
        Arguments { members: 1_000_000, place: PathBuf::new(), measures: Vec::new() };
    let wrong = |expected: &str, found: &str| BenchError {
        step: "command line".to_owned(),
        cause: format!("expected {expected}, found {found}"),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--members" => {
                let number = words.next().unwrap_or_default();
                arguments.members = number.parse().map_err(failed("--members"))?;
            }
            "--place" => arguments.place = words.next().unwrap_or_default().into(),
            measure if ALL.contains(&measure) => arguments.measures.push(word),
            other => return Err(wrong(&ALL.join(", "), other)),
        }
    }
    if arguments.place.as_os_str().is_empty() {
        return Err(wrong("--place DIRECTORY", "nothing"));
    }
    if arguments.measures.is_empty() {
        arguments.measures = ALL.map(str::to_owned).to_vec();
    }
    Ok(arguments)
}

fn run(report: &mut Report<'_>) -> Result<(), BenchError> {
    let Arguments { members, place, measures } = arguments()?;
    std::fs::create_dir_all(&place).map_err(failed("make the place"))?;
    let size = Size { members };
    for measure in measures {
        match measure.as_str() {
            "limits" => limits::measure(&place, report)?,
            "writing" => writing::measure(&place, size, report)?,
            "links" => links::measure(&place, size, report)?,
            "answers" => answers::measure(&place, size, report)?,
            _ => replay::measure(&place, size, report)?,
        }
    }
    report.table()
}

fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    match run(&mut Report::new(&mut out, &mut err)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // a closed standard error leaves the exit code to tell
            let _ = writeln!(std::io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}
