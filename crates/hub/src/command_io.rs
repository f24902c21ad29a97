//! What a command may touch of the world: the caller's files and the caller's screen.
//!
//! A command is one library function. It runs in the process of the command line when the data directory
//! is free, and inside the daemon when it is not; then files are still those of the caller, read and
//! written on its side of the local socket with its rights. So commands name files only through this
//! trait, never through `std::fs`.

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The name that stands for standard input and standard output where a file is asked for.
pub const STANDARD_STREAM: &str = "-";

/// What the caller's screen is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// Columns of a character of width 1.
    pub width: u16,
    /// Whether a person looks at it: only then progress is shown.
    pub terminal: bool,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DirEntry {
    /// Its name, without the directory.
    pub name: String,
    /// Its length in bytes; 0 for a directory.
    pub bytes: u64,
    /// Whether it is itself a directory.
    pub directory: bool,
}

/// A file being written: nobody sees it under its name before [`FileSink::commit`].
pub trait FileSink: Write + Send {
    /// Makes the file durable and gives it its name; dropped without, it leaves nothing behind.
    ///
    /// # Errors
    /// What the file system says; then the old file, if any, still stands.
    fn commit(self: Box<Self>) -> io::Result<()>;
}

/// The caller's files and screen. Methods take `&self`, so that a command may report while it reads.
///
/// Paths are those the caller typed: relative ones count from the caller's working directory.
pub trait CommandIo: Send + Sync {
    /// Opens a file for reading; [`STANDARD_STREAM`] is the caller's standard input.
    ///
    /// # Errors
    /// What the caller's file system says.
    fn read_file(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Opens a file for writing, all or nothing; [`STANDARD_STREAM`] is the caller's standard output.
    ///
    /// # Errors
    /// What the caller's file system says.
    fn create_file(&self, path: &str) -> io::Result<Box<dyn FileSink>>;

    /// Writes a whole file, all or nothing.
    ///
    /// # Errors
    /// What the caller's file system says.
    fn write_file(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut sink = self.create_file(path)?;
        sink.write_all(bytes)?;
        sink.commit()
    }

    /// The entries of a directory, by name.
    ///
    /// # Errors
    /// What the caller's file system says.
    fn list_directory(&self, path: &str) -> io::Result<Vec<DirEntry>>;

    /// Writes to the caller's standard output.
    ///
    /// # Errors
    /// A closed pipe, or a caller that is gone: the command may stop.
    fn out(&self, text: &str) -> io::Result<()>;

    /// Writes to the caller's standard error.
    ///
    /// # Errors
    /// As for [`CommandIo::out`].
    fn err(&self, text: &str) -> io::Result<()>;

    /// Says how far a long command is; shown on terminals only, so that it costs scripts nothing.
    fn progress(&self, done: u64, total: Option<u64>, what: &str);

    /// What the caller's screen is like.
    fn screen(&self) -> &Screen;
}

/// The caller is this process.
#[derive(Debug)]
pub struct DirectIo {
    screen: Screen,
    progress: indicatif::ProgressBar,
}

impl DirectIo {
    /// Standard streams and the file system of this process.
    pub fn new(screen: Screen) -> Self {
        let progress = indicatif::ProgressBar::hidden();
        if screen.terminal {
            progress.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        Self { screen, progress }
    }
}

impl Drop for DirectIo {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

impl CommandIo for DirectIo {
    fn read_file(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        if path == STANDARD_STREAM {
            return Ok(Box::new(io::stdin()));
        }
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
    }

    fn create_file(&self, path: &str) -> io::Result<Box<dyn FileSink>> {
        if path == STANDARD_STREAM {
            return Ok(Box::new(StandardOutput));
        }
        Ok(Box::new(NewFile::create(Path::new(path))?))
    }

    fn list_directory(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            entries.push(DirEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                bytes: if metadata.is_dir() { 0 } else { metadata.len() },
                directory: metadata.is_dir(),
            });
        }
        entries.sort();
        Ok(entries)
    }

    fn out(&self, text: &str) -> io::Result<()> {
        self.progress.suspend(|| {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }

    fn err(&self, text: &str) -> io::Result<()> {
        self.progress.suspend(|| io::stderr().lock().write_all(text.as_bytes()))
    }

    fn progress(&self, done: u64, total: Option<u64>, what: &str) {
        if let Some(total) = total {
            self.progress.set_length(total);
        }
        self.progress.set_message(what.to_owned());
        self.progress.set_position(done);
    }

    fn screen(&self) -> &Screen {
        &self.screen
    }
}

/// Standard output as a file: written as it comes.
#[derive(Debug)]
struct StandardOutput;

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }
}

impl FileSink for StandardOutput {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        self.flush()
    }
}

/// A file under a passing name beside its place, renamed into it when complete.
#[derive(Debug)]
struct NewFile {
    file: File,
    passing: PathBuf,
    path: PathBuf,
    committed: bool,
}

/// What commands write may hold names and numbers: it is readable by its owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

impl NewFile {
    fn create(path: &Path) -> io::Result<Self> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
        let mut tries = 0_u32;
        loop {
            let passing_name =
                format!(".{}.{}-{tries}.part", name.to_string_lossy(), std::process::id());
            let passing = path.with_file_name(passing_name);
            match private().open(&passing) {
                Ok(file) => {
                    return Ok(Self { file, passing, path: path.to_owned(), committed: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 1_000 => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl FileSink for NewFile {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.passing, &self.path)?;
        self.committed = true;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing to be done about a file that will not go.
            let _ = fs::remove_file(&self.passing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct() -> DirectIo {
        DirectIo::new(Screen { width: 80, terminal: false })
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.csv");
        let path = path.to_str().unwrap();
        let io = direct();

        let mut sink = io.create_file(path).unwrap();
        sink.write_all(b"half").unwrap();
        drop(sink);
        assert!(io.list_directory(directory.path().to_str().unwrap()).unwrap().is_empty());

        io.write_file(path, "会员".as_bytes()).unwrap();
        let mut text = String::new();
        io.read_file(path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "会员");
        let entries = io.list_directory(directory.path().to_str().unwrap()).unwrap();
        assert_eq!(entries, [DirEntry { name: "report.csv".into(), bytes: 6, directory: false }]);
    }

    #[test]
    fn a_directory_is_no_file_to_read() {
        let directory = tempfile::tempdir().unwrap();
        let error = direct().read_file(directory.path().to_str().unwrap()).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
