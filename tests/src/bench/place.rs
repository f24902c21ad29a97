//! Where a run works, and what the process and its files weigh.

use super::error::{BenchError, failed};
use super::province::{Province, Size, store};
use hub_log::{Journal, Options};
use std::fs;
use std::path::{Path, PathBuf};

/// A province's data directory, generated once per size and kept while the place is.
///
/// # Errors
/// The journal does not take what is generated.
pub fn province(place: &Path, size: Size) -> Result<(PathBuf, Province), BenchError> {
    let directory = place.join(format!("province-{}", size.members));
    let done = directory.join("generated");
    let mut province = Province::new(size);
    if done.exists() {
        // the same numbers give the same province: only its unions are named again
        province.write(&mut |_| Ok(()))?;
        return Ok((directory, province));
    }
    fs::create_dir_all(&directory).map_err(failed("make the data directory"))?;
    let journal = open(&directory)?;
    store(&mut province, &journal)?;
    drop(journal);
    fs::write(&done, b"").map_err(failed("mark the province"))?;
    Ok((directory, province))
}

/// Opens a journal as a node does.
///
/// # Errors
/// It does not open, or shows damage.
pub fn open(directory: &Path) -> Result<Journal, BenchError> {
    let opened = Journal::open(directory, Options::default());
    let (journal, recovery) = opened.map_err(failed("open the journal"))?;
    if recovery.damage.is_empty() {
        return Ok(journal);
    }
    let cause = format!("{} damaged regions", recovery.damage.len());
    Err(BenchError { step: "open the journal".to_owned(), cause })
}

/// Bytes in use by a directory's files, those preallocated and not yet written among them.
///
/// # Errors
/// A file cannot be looked at.
pub fn disk_bytes(directory: &Path) -> Result<u64, BenchError> {
    let mut sum = 0;
    for entry in fs::read_dir(directory).map_err(failed("list"))? {
        let entry = entry.map_err(failed("list"))?;
        let meta = entry.metadata().map_err(failed("look at a file"))?;
        sum += if meta.is_dir() { disk_bytes(&entry.path())? } else { meta.len() };
    }
    Ok(sum)
}

/// The resident memory of this process in bytes: now, and at its highest.
///
/// # Errors
/// There is no `/proc`.
pub fn resident() -> Result<(u64, u64), BenchError> {
    let text = fs::read_to_string("/proc/self/status").map_err(failed("read /proc/self/status"))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib: Option<u64> = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        kib.map_or(0, |kib| kib * 1024)
    };
    Ok((field("VmRSS:"), field("VmHWM:")))
}

/// The processor time this process has used so far, all threads together, in seconds.
///
/// # Errors
/// There is no `/proc`.
pub fn processor_seconds() -> Result<f64, BenchError> {
    let text = fs::read_to_string("/proc/self/stat").map_err(failed("read /proc/self/stat"))?;
    // fields 14 and 15 in hundredths of a second, counted behind the name in parentheses
    let behind = text.rsplit(')').next().unwrap_or_default();
    let ticks = behind.split_whitespace().skip(11).take(2);
    Ok(ticks.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0)
}
