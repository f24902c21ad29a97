//! Making a segment.

use super::{Options, Writer, segment_path};
use crate::error::IoFailure;
use crate::layout::{SEGMENT_HEADER_BYTES, SegmentHeader};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;

/// The name a segment has until it is whole.
pub(crate) const UNFINISHED: &str = "new.seg.tmp";
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// Makes a segment with room for a frame of `frame` bytes: zeros and header under a temporary name,
/// fsync, rename, fsync of the directory. A crash at any step leaves no file of the segment's name, or
/// the whole one.
pub(super) fn create_segment(
    journal: &Path,
    options: &Options,
    header: SegmentHeader,
    frame: u64,
) -> Result<Writer, IoFailure> {
    let temporary = journal.join(UNFINISHED);
    let made = fill(&temporary, journal, options, header, frame);
    if made.is_err() {
        // the space is wanted back; the error that counts is the first
        let _ = fs::remove_file(&temporary);
    }
    made
}

fn fill(
    temporary: &Path,
    journal: &Path,
    options: &Options,
    header: SegmentHeader,
    frame: u64,
) -> Result<Writer, IoFailure> {
    let storage = &options.storage;
    let failed = |what| move |error| IoFailure::new(what, temporary, &error);
    let mut open = OpenOptions::new();
    let open = open.read(true).write(true).create(true).truncate(true);
    let file = open.open(temporary).map_err(failed("create"))?;
    let capacity = options.segment_bytes.max(SEGMENT_HEADER_BYTES as u64 + frame);
    let mut at = 0;
    // zeros, not `fallocate`: overwriting written blocks needs no metadata at each fdatasync
    while at < capacity {
        let length = ZEROS.len().min((capacity - at) as usize);
        storage.write_at(&file, at, &ZEROS[..length]).map_err(failed("preallocate"))?;
        at += length as u64;
    }
    storage.write_at(&file, 0, &header.to_bytes()).map_err(failed("write"))?;
    storage.sync(&file).map_err(failed("fdatasync"))?;
    let path = segment_path(journal, header.segment);
    storage.rename(temporary, &path).map_err(failed("rename"))?;
    let directory_failed = |error| IoFailure::new("fsync", journal, &error);
    storage.sync_directory(journal).map_err(directory_failed)?;
    Ok(Writer { file: Arc::new(file), path, capacity })
}
