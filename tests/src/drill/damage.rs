//! What may happen to the data of a nats-server that is down: kept, removed, cut off, or put back as it was
//! at an earlier time. It is a courier's data: nothing may depend on it.

use super::error::DrillError;
use serde::Serialize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What happened to a server's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// Nothing; and a copy is kept for later.
    None,
    /// All of it is removed.
    Wiped,
    /// It is replaced by the copy kept last.
    RolledBack,
    /// Its longest file of messages loses its second half.
    Truncated,
}

/// The order in which servers meet them.
const TURNS: [Damage; 4] = [Damage::None, Damage::Wiped, Damage::RolledBack, Damage::Truncated];

impl Damage {
    /// What happens at the `number`-th kill.
    pub(super) fn at(number: u64) -> Self {
        TURNS[(number % TURNS.len() as u64) as usize]
    }

    /// Does it to the data in `store`; the copy is kept at `kept`. Says what was done: without a copy or
    /// a file of messages nothing is.
    pub(super) fn apply(self, store: &Path, kept: &Path) -> Result<Self, DrillError> {
        match self {
            Self::None => {
                remove(kept)?;
                copy(store, kept)?;
            }
            Self::Wiped => remove(store)?,
            Self::RolledBack if kept.is_dir() => {
                remove(store)?;
                copy(kept, store)?;
            }
            Self::Truncated => {
                let mut found = Vec::new();
                messages(store, &mut found)?;
                let Some((bytes, path)) = found.into_iter().max() else { return Ok(Self::None) };
                let file = File::options().write(true).open(&path);
                file.and_then(|file| file.set_len(bytes / 2))
                    .map_err(DrillError::io("cutting", &path))?;
            }
            Self::RolledBack => return Ok(Self::None),
        }
        Ok(self)
    }
}

fn remove(directory: &Path) -> Result<(), DrillError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(DrillError::io("removing", directory)(error))
        }
        _ => Ok(()),
    }
}

/// Files of messages with their lengths; empty ones are left out.
fn messages(directory: &Path, found: &mut Vec<(u64, PathBuf)>) -> Result<(), DrillError> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory).map_err(DrillError::io("listing", directory))? {
        let path = entry.map_err(DrillError::io("listing", directory))?.path();
        if path.is_dir() {
            messages(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "blk") {
            let bytes = fs::metadata(&path).map_err(DrillError::io("measuring", &path))?.len();
            found.extend((bytes > 0).then_some((bytes, path)));
        }
    }
    Ok(())
}

/// Copies a directory with all its files; what is neither, such as a socket, is left out.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), DrillError> {
    fs::create_dir_all(to).map_err(DrillError::io("making", to))?;
    if !from.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(from).map_err(DrillError::io("listing", from))? {
        let path = entry.map_err(DrillError::io("listing", from))?.path();
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if path.is_dir() {
            copy(&path, &target)?;
        } else if path.is_file() {
            fs::copy(&path, &target).map_err(DrillError::io("copying", &path))?;
        }
    }
    Ok(())
}
