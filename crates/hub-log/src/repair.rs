//! Repair on demand: the index anew from the journal, then everything read again.

use crate::error::{IoFailure, OpenError};
use crate::journal::{Journal, Options, Recovery};
use crate::verify::{VerifyReport, verify};
use std::path::Path;

/// What a repair did and what it cannot mend: damaged blocks come back by sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairReport {
    /// What opening did: cuts, mended headers, the index rebuilt.
    pub recovery: Recovery,
    /// What is still damaged.
    pub verified: VerifyReport,
}

/// Cuts a torn tail, mends segment headers, rebuilds the index, reads everything again. The directory
/// must be free.
///
/// # Errors
/// As [`Journal::open`], and files that cannot be read.
pub fn repair(data: &Path, options: Options) -> Result<RepairReport, OpenError> {
    let (journal, recovery) = Journal::open_with(data, options, Some("a repair was asked for"))?;
    let verified = verify(data, &mut |_| {}).map_err(|error: IoFailure| OpenError::Io(error))?;
    drop(journal); // held until here, so that nothing is written in between
    Ok(RepairReport { recovery, verified })
}
