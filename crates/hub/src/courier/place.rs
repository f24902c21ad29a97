//! The two folders.

use crate::bundle::BundleFailure;
use crate::config::{CourierConfig, Node};
use hub_node::limits::BUNDLE_FILE_BYTES_MAX;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folder in the inbox for what is no bundle of ours, with the reason beside each file.
const REFUSED: &str = "refused";
/// The most files looked at in one round.
const FILES_MAX: usize = 1_024;

/// The folders of a courier.
#[derive(Debug, Clone)]
pub(super) struct Place {
    out: PathBuf,
    inbox: PathBuf,
    extension: String,
}

/// A file in the inbox, and by what is seen whether it still grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) changed: Option<SystemTime>,
}

impl Place {
    pub(super) fn open(node: &Node, config: &CourierConfig) -> io::Result<Self> {
        let [out, inbox] = [&config.out, &config.inbox].map(|path| node.resolve(path));
        for folder in [&out, &inbox] {
            if !folder.is_dir() {
                let what = format!("{}: expected a folder", folder.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, what));
            }
        }
        let extension = config.extension.clone();
        let plain = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain {
            let what = format!("extension: expected letters and digits, found {extension:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        Ok(Self { out, inbox, extension })
    }

    /// The files that may be bundles, in the order of their names.
    pub(super) fn found(&self) -> Result<Vec<Found>, BundleFailure> {
        let listed = || -> io::Result<Vec<Found>> {
            let mut found = Vec::new();
            for entry in fs::read_dir(&self.inbox)? {
                let entry = entry?;
                let (name, meta) = (entry.file_name(), entry.metadata()?);
                let Some(name) = name.to_str().filter(|name| self.is_bundle(name)) else {
                    continue;
                };
                if meta.is_file() {
                    let (bytes, changed) = (meta.len(), meta.modified().ok());
                    found.push(Found { name: name.to_owned(), bytes, changed });
                }
            }
            found.sort_by(|a, b| a.name.cmp(&b.name));
            found.truncate(FILES_MAX);
            Ok(found)
        };
        self.tried(&self.inbox, listed())
    }

    fn is_bundle(&self, name: &str) -> bool {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        !name.starts_with('.') && extension == Some(&self.extension)
    }

    /// A file's bytes, never more than a bundle may be long; none when it is gone.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, BundleFailure> {
        let path = self.inbox.join(name);
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            let file = fs::File::open(&path)?;
            file.take(BUNDLE_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => self.tried(&path, other).map(Some),
        }
    }

    /// Takes a file away whose content is held here.
    pub(super) fn remove(&self, name: &str) -> Result<(), BundleFailure> {
        let path = self.inbox.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => self.tried(&path, other),
        }
    }

    /// Puts a file aside and the reason beside it.
    pub(super) fn refuse(&self, name: &str, why: &str) -> Result<(), BundleFailure> {
        let folder = self.inbox.join(REFUSED);
        let moved = || -> io::Result<()> {
            fs::create_dir_all(&folder)?;
            fs::rename(self.inbox.join(name), folder.join(name))?;
            fs::write(folder.join(format!("{name}.txt")), format!("{why}\n"))
        };
        self.tried(&folder, moved())
    }

    /// Puts a bundle into the folder, whole or not at all.
    pub(super) fn put(&self, file_name: &str, bytes: &[u8]) -> io::Result<()> {
        let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
        let name = format!("{stem}.{}", self.extension);
        let passing = self.out.join(format!(".{name}.part"));
        let put = || -> io::Result<()> {
            use std::io::Write;
            let mut file = fs::File::create(&passing)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&passing, self.out.join(&name))
        };
        put().inspect_err(|_| {
            // a full disk: leave nothing half-written behind
            let _ = fs::remove_file(&passing);
        })
    }

    fn tried<T>(&self, path: &Path, done: io::Result<T>) -> Result<T, BundleFailure> {
        done.map_err(|error| BundleFailure::Folder { path: path.to_owned(), error })
    }
}
