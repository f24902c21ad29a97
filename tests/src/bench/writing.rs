//! Writing: an import in bulk, single facts durable one by one and by many at once, opening again.

use super::error::{BenchError, failed};
use super::limits::{Times, micros};
use super::pen::{Node, Pen};
use super::place::{open, processor_seconds};
use super::province::{BOOKS_OPEN, Province, Size, Union, books_open, store};
use super::report::{Figure, Report, Target};
use super::roster;
use hub_core::block::Block;
use hub_core::id::{BranchId, FederationId, Lane, UnitId};
use hub_log::{Entry, FRAME_HEADER_BYTES, Journal, Origin};
use std::path::Path;
use std::sync::Barrier;
use std::time::Instant;

const SINGLES: u64 = 500;
const WRITERS: u64 = 64;
const EACH: u64 = 40;

/// Measures writing.
///
/// # Errors
/// A journal does not take what is written.
pub fn measure(place: &Path, size: Size, report: &mut Report<'_>) -> Result<(), BenchError> {
    let directory = place.join("writing");
    match std::fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed("clear the directory")(error));
        }
        _ => {}
    }
    std::fs::create_dir_all(&directory).map_err(failed("make the directory"))?;
    let size = Size { members: size.members.min(1_000_000) };
    report.progress(&format!("writing: an import of {} members", size.members))?;
    let journal = open(&directory)?;
    let (began, used) = (Instant::now(), processor_seconds()?);
    store(&mut Province::new(size), &journal)?;
    let (seconds, used) = (began.elapsed().as_secs_f64(), processor_seconds()? - used);
    report.figure(Figure {
        what: "bulk import, sealed and durable".to_owned(),
        value: size.members as f64 / seconds,
        unit: "rows/s",
        target: Some(Target::AtLeast(1e6)),
        holds: format!(
            "one thread, {:.0} ns of processor a row; reading files and names is not in it",
            used / size.members as f64 * 1e9
        ),
    })?;
    single(&journal, report)?;
    many(&journal, report)?;
    drop(journal);
    let began = Instant::now();
    drop(open(&directory)?);
    report.figure(Figure {
        what: format!("open the journal at {} M", size.members as f64 / 1e6),
        value: began.elapsed().as_secs_f64(),
        unit: "s",
        target: None,
        holds: "without a snapshot a start is this and a full replay".to_owned(),
    })
}

fn union() -> Union {
    Union { id: BranchId([1; 16]), host: UnitId([2; 16]) }
}

/// Blocks of one fact each, of a chain of its own.
fn blocks(name: &str, count: u64) -> Result<Vec<Block>, BenchError> {
    let node = Node::named(name, UnitId([3; 16]));
    let federation = FederationId::of_root_key(&node.public());
    let mut pen = Pen::new(federation, &node, Lane::Up, books_open());
    let mut blocks = Vec::new();
    for number in 0..count {
        let (_, attributes, body) = roster::joined(number, &union(), 1);
        pen.write(BOOKS_OPEN, attributes, body)?;
        blocks.extend(pen.seal()?);
    }
    Ok(blocks)
}

fn single(journal: &Journal, report: &mut Report<'_>) -> Result<(), BenchError> {
    let blocks = blocks("single", SINGLES)?;
    let bytes: usize = blocks.iter().map(|block| block.bytes().len() + FRAME_HEADER_BYTES).sum();
    let mut times = Vec::new();
    for block in blocks {
        let began = Instant::now();
        journal.append(&[Entry::new(block, Origin::Own)]).map_err(failed("append"))?;
        times.push(micros(began));
    }
    let times = Times::new(times);
    report.figure(Figure {
        what: "single durable append, p50".to_owned(),
        value: times.at(0.5) / 1e3,
        unit: "ms",
        target: None,
        holds: "one fdatasync of a preallocated segment".to_owned(),
    })?;
    report.figure(Figure {
        what: "single durable append, p99".to_owned(),
        value: times.at(0.99) / 1e3,
        unit: "ms",
        target: Some(Target::AtMost(0.5)),
        holds: "compare overwrite_4k_fdatasync of this run; a new segment is in it".to_owned(),
    })?;
    report.figure(Figure {
        what: "disk per single-fact block".to_owned(),
        value: bytes as f64 / SINGLES as f64,
        unit: "bytes",
        target: Some(Target::AtMost(320.0)),
        holds: "a joining with employer and two attributes; 229 are the signed header".to_owned(),
    })
}

fn many(journal: &Journal, report: &mut Report<'_>) -> Result<(), BenchError> {
    let chains: Vec<Vec<Block>> = (0..WRITERS)
        .map(|writer| blocks(&format!("writer {writer}"), EACH))
        .collect::<Result<_, _>>()?;
    let start = Barrier::new(WRITERS as usize + 1);
    let results: Vec<Result<(), BenchError>>;
    let seconds;
    (seconds, results) = std::thread::scope(|scope| {
        let writers: Vec<_> = chains
            .into_iter()
            .map(|blocks| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    blocks.into_iter().try_for_each(|block| {
                        let entry = Entry::new(block, Origin::Own);
                        journal.append(&[entry]).map(|_| ()).map_err(failed("append"))
                    })
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        let died = |_| Err(BenchError { step: "append".into(), cause: "a writer died".into() });
        let results = writers.into_iter().map(|w| w.join().unwrap_or_else(died)).collect();
        (began.elapsed().as_secs_f64(), results)
    });
    results.into_iter().collect::<Result<Vec<()>, _>>()?;
    report.figure(Figure {
        what: "durable appends, 64 writers".to_owned(),
        value: (WRITERS * EACH) as f64 / seconds,
        unit: "facts/s",
        target: Some(Target::AtLeast(100e3)),
        holds: "a signed block for each fact, an fdatasync for all that wait".to_owned(),
    })
}
