//! Which journal a directory holds.

use super::{id_path, segment_path};
use crate::error::IoFailure;
use crate::layout::{JournalId, Opinion, SEGMENT_HEADER_BYTES, SegmentHeader};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A fresh name.
pub(crate) fn random_id(journal: &Path) -> Result<JournalId, IoFailure> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| {
        IoFailure::new("make an id for", journal, &std::io::Error::other(error))
    })?;
    Ok(JournalId(id))
}

/// The name in the journal's id file.
pub(crate) fn read_id(journal: &Path) -> Option<JournalId> {
    let text = fs::read_to_string(id_path(journal)).ok()?;
    let bytes = hub_core::hash::hex_decode(text.trim())?;
    bytes.try_into().ok().map(JournalId)
}

/// The first bytes and the length of a segment.
pub(crate) fn head_of(path: &Path) -> Result<(Vec<u8>, u64), IoFailure> {
    let failed = |error| IoFailure::new("read", path, &error);
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut head = vec![0; length.min(SEGMENT_HEADER_BYTES as u64) as usize];
    file.read_exact_at(&mut head, 0).map_err(failed)?;
    Ok((head, length))
}

/// Which journal the segments belong to: what most whole headers say, else one seen through one wrong
/// byte, else the id file.
pub(crate) fn identify(
    journal: &Path,
    numbers: &[u64],
    named: Option<JournalId>,
) -> Result<Option<JournalId>, IoFailure> {
    let mut votes: BTreeMap<JournalId, usize> = BTreeMap::new();
    let mut corrected = None;
    for number in numbers {
        let (head, _) = head_of(&segment_path(journal, *number))?;
        match SegmentHeader::read(&head) {
            Opinion::Header(header) => *votes.entry(header.journal).or_default() += 1,
            Opinion::Corrected(header) => corrected = corrected.or(Some(header.journal)),
            Opinion::Format(_) | Opinion::Unreadable => {}
        }
    }
    let most = votes.into_iter().max_by_key(|(id, votes)| (*votes, named == Some(*id)));
    Ok(most.map(|(id, _)| id).or(corrected).or(named))
}
