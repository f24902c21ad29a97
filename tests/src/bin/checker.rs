//! Compares what was promised with what journals hold: `checker --seen FILE --journal=NODE=FILE …`.
//!
//! Prints its verdict as JSON. Exit 0: nothing is lost, nothing is there twice; 1: findings; 2: could not
//! run.

use hub_tests::drill::checking::{Journal, Verdict, check};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::process::ExitCode;

fn open(path: &str) -> io::Result<BufReader<File>> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
    File::open(path).map(BufReader::new).map_err(named)
}

fn run() -> io::Result<Verdict> {
    let usage = || io::Error::other("checker --seen FILE --journal=NODE=FILE …");
    let mut seen = None;
    let mut journals = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--seen" {
            seen = words.next();
        } else {
            let named = word.strip_prefix("--journal=").and_then(|rest| rest.split_once('='));
            let (node, path) = named.ok_or_else(usage)?;
            journals.push(Journal::read(node, open(path)?)?);
        }
    }
    check(open(&seen.ok_or_else(usage)?)?, &journals)
}

fn main() -> ExitCode {
    let verdict = run().and_then(|verdict| {
        writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&verdict)?)?;
        Ok(verdict)
    });
    match verdict {
        Ok(verdict) => ExitCode::from(u8::from(!verdict.faults.is_empty())),
        Err(error) => {
            // a closed standard error leaves the exit code to tell
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}
