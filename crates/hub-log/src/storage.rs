//! The narrow seam between the journal and the disk: everything that changes a file goes through it,
//! so that tests fail each of these calls once, stored and not stored.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the journal does to files. An `Ok` of [`Storage::sync`] means: what was written before is on
/// the medium. Any `Err` means that nobody knows, and the journal stops for good (ATC'20, "Can
/// applications recover from fsync failures?": a second fsync may succeed without the data).
pub trait Storage: Send + Sync + fmt::Debug {
    /// Writes all bytes at an offset.
    ///
    /// # Errors
    /// As the system says; parts may be written.
    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written durable (`fdatasync`: data and the file length).
    ///
    /// # Errors
    /// As the system says; nothing may be taken as durable then.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Cuts a file, or extends it with zeros.
    ///
    /// # Errors
    /// As the system says.
    fn set_length(&self, file: &File, length: u64) -> io::Result<()>;
    /// Gives a file another name in the same directory, replacing what had it.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names of a directory durable.
    ///
    /// # Errors
    /// As the system says.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Storage for Disk {
    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }
}

/// Makes a directory and those above it, and their names durable: a file is no safer than the name of the
/// directory it is in.
///
/// # Errors
/// As the system says.
pub(crate) fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_directory(parent, mode)?;
    }
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Writes a whole small file so that a crash leaves the old or the new one, never a mixture:
/// temporary name, fsync, rename, fsync of the directory.
///
/// # Errors
/// As the system says; the old file stands then.
pub(crate) fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = directory.join(name);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(directory)?.sync_all()
}
