//! Backup and restore: journal, keys, vault and configuration as one file (bytes: `schemas/journal.md`).
//!
//! A backup holds the node's keys: the file is readable by its owner only, and belongs where keys belong.
//! What is restored is a copy of the past: the node may have signed since, so a restored directory is
//! marked, has a journal of another name, and must not sign before its parent enrols a new epoch.

mod format;
mod restore;

pub use restore::{RESTORED_FILE, RestoreReport, restore};

use crate::error::IoFailure;
use crate::journal::{identify, journal_directory, read_id, segment_numbers, segment_path};
use crate::layout::{JournalId, Seed};
use crate::walk::{Piece, Walk};
use format::{MAGIC, Manifest, Part};
use hub_core::hash::sha256;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The longest part of a file that has a hash of its own.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Directories taken whole, and single files, besides the journal.
const DIRECTORIES: [&str; 2] = ["keys", "vault"];
const FILES: [&str; 2] = ["hub.toml", crate::heads::HEAD_FILE];

/// Why a backup cannot be made or restored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupError {
    /// The system refused.
    Io(IoFailure),
    /// There is no journal to take.
    Empty {
        /// The data directory.
        path: PathBuf,
    },
    /// The backup file is there already.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no backup, or not as it was written.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, with expected and found.
        message: String,
    },
    /// The directory to restore to holds something.
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Empty { path } => {
                write!(
                    f,
                    "{}: expected a data directory with a journal, found none",
                    path.display()
                )
            }
            Self::Exists { path } => {
                write!(f, "{}: is there already: choose another name", path.display())
            }
            Self::Damaged { path, message } => write!(
                f,
                "backup {}: {message}; nothing was restored: use another backup",
                path.display()
            ),
            Self::NotEmpty { path } => {
                write!(f, "{}: expected an empty directory: choose another", path.display())
            }
        }
    }
}

impl std::error::Error for BackupError {}

impl From<IoFailure> for BackupError {
    fn from(error: IoFailure) -> Self {
        Self::Io(error)
    }
}

/// What a backup took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The journal.
    pub journal: JournalId,
    /// How many files.
    pub files: u64,
    /// How many bytes of content.
    pub bytes: u64,
    /// How many whole blocks of the last segment it ends with.
    pub tail_blocks: u64,
}

struct Writer<'a> {
    out: File,
    path: &'a Path,
    at: u64,
    parts: Vec<Part>,
}

/// Copies a data directory into a new file `out` (0600). A node may run meanwhile: sealed segments do not
/// change, the last one is taken up to its last whole frame.
///
/// # Errors
/// No journal, `out` exists, the system refuses; a half-written `out` is removed.
pub fn backup(data: &Path, out: &Path) -> Result<BackupReport, BackupError> {
    let mut options = OpenOptions::new();
    let file = match options.write(true).create_new(true).mode(0o600).open(out) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists { path: out.to_owned() });
        }
        Err(error) => return Err(IoFailure::new("create", out, &error).into()),
    };
    let writer = Writer { out: file, path: out, at: 0, parts: Vec::new() };
    let made = write_all(writer, data);
    if made.is_err() {
        let _ = fs::remove_file(out); // the error that counts is the first
    }
    made
}

fn write_all(mut writer: Writer<'_>, data: &Path) -> Result<BackupReport, BackupError> {
    writer.raw(&MAGIC)?;
    let mut files = 0;
    for name in FILES {
        let path = data.join(name);
        if path.is_file() {
            writer.file(name, &path)?;
            files += 1;
        }
    }
    // the vault after the journal: a person entered meanwhile may be in the vault alone, never in the
    // journal alone, where a name would be missing
    let (journal, segments, tail_blocks) = writer.journal(data)?;
    for directory in DIRECTORIES {
        for name in names(&data.join(directory))? {
            writer.file(&format!("{directory}/{name}"), &data.join(directory).join(&name))?;
            files += 1;
        }
    }
    let bytes = writer.parts.iter().map(|part| part.bytes).sum();
    writer.finish(journal)?;
    Ok(BackupReport { journal, files: files + segments, bytes, tail_blocks })
}

/// The plain files of a directory, in order; temporary ones are nobody's.
fn names(directory: &Path) -> Result<Vec<String>, IoFailure> {
    let failed = |error: io::Error| IoFailure::new("list", directory, &error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let plain = entry.file_type().map_err(failed)?.is_file();
        if let (true, Ok(name)) = (plain, entry.file_name().into_string())
            && !name.ends_with(".tmp")
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) -> Result<(), IoFailure> {
        self.out.write_all(bytes).map_err(|error| IoFailure::new("write", self.path, &error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn part(&mut self, name: &str, mode: u32, offset: u64, bytes: &[u8]) -> Result<(), IoFailure> {
        let (at, length) = (self.at, bytes.len() as u64);
        self.raw(bytes)?;
        let sha256 = sha256(&[bytes]);
        self.parts.push(Part { path: name.to_owned(), mode, offset, bytes: length, at, sha256 });
        Ok(())
    }

    /// A file as long as it is now.
    fn file(&mut self, name: &str, path: &Path) -> Result<(), IoFailure> {
        use std::io::Read;
        let failed = |error: io::Error| IoFailure::new("read", path, &error);
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.permissions().mode() & 0o777;
        let mut rest = file.take(metadata.len());
        let mut offset = 0;
        loop {
            let mut bytes = Vec::new();
            let part = rest.by_ref().take(PART_BYTES as u64);
            { part }.read_to_end(&mut bytes).map_err(failed)?;
            if bytes.is_empty() && offset > 0 {
                return Ok(());
            }
            self.part(name, mode, offset, &bytes)?;
            offset += bytes.len() as u64;
            if bytes.len() < PART_BYTES {
                return Ok(());
            }
        }
    }

    fn journal(&mut self, data: &Path) -> Result<(JournalId, u64, u64), BackupError> {
        let directory = journal_directory(data);
        let numbers = match segment_numbers(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(IoFailure::new("list", &directory, &error).into());
            }
            numbers => numbers.unwrap_or_default(),
        };
        let id = identify(&directory, &numbers, read_id(&directory))?;
        let id = id.ok_or_else(|| BackupError::Empty { path: data.to_owned() })?;
        let mut tail_blocks = 0;
        for number in &numbers {
            let path = segment_path(&directory, *number);
            let mut bytes =
                fs::read(&path).map_err(|error| IoFailure::new("read", &path, &error))?;
            if Some(number) == numbers.last() {
                let mut walk = Walk::new(&bytes, Seed { journal: id, segment: *number }, true);
                let frames = walk.by_ref().filter(|piece| matches!(piece, Piece::Frame { .. }));
                tail_blocks = frames.count() as u64;
                let end = walk.end() as usize;
                bytes.truncate(end);
            }
            let name = format!("journal/{number:08}.seg");
            for (at, part) in bytes.chunks(PART_BYTES).enumerate() {
                self.part(&name, 0o644, (at * PART_BYTES) as u64, part)?;
            }
        }
        Ok((id, numbers.len() as u64, tail_blocks))
    }

    fn finish(mut self, journal: JournalId) -> Result<(), BackupError> {
        let parts = std::mem::take(&mut self.parts);
        let trailer = Manifest { journal: journal.to_string(), parts }
            .to_trailer()
            .map_err(|error| IoFailure::new("write", self.path, &error.into()))?;
        self.raw(&trailer)?;
        let failed = |what| move |error| IoFailure::new(what, self.path, &error);
        self.out.sync_all().map_err(failed("fsync"))?;
        if let Some(directory) = self.path.parent().filter(|path| !path.as_os_str().is_empty()) {
            File::open(directory).and_then(|names| names.sync_all()).map_err(failed("fsync"))?;
        }
        Ok(())
    }
}
