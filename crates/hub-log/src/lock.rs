//! One process holds a data directory.

use crate::error::{IoFailure, OpenError};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

/// The name of the lock file in a data directory.
pub const LOCK_FILE: &str = "lock";

/// The hold on a data directory; it ends when dropped or when the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the directory, which must exist.
    ///
    /// # Errors
    /// [`OpenError::Locked`] when another process (or another hold of this one) has it.
    pub fn take(directory: &Path) -> Result<Self, OpenError> {
        let path: PathBuf = directory.join(LOCK_FILE);
        let failed = |what, error: &std::io::Error| IoFailure::new(what, &path, error);
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false) // a holder's number must stay readable
            .open(&path)
            .map_err(|error| failed("open", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
                return Err(OpenError::Locked { path, pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &error).into()),
        }
        file.set_len(0).map_err(|error| failed("cut", &error))?;
        file.rewind().map_err(|error| failed("rewind", &error))?;
        writeln!(file, "{}", std::process::id()).map_err(|error| failed("write", &error))?;
        Ok(Self { _file: file })
    }
}
