//! What is kept between two bundles: `bundles/` in the data directory.
//!
//! Nothing here is trusted or needed: lost, it costs sending again.

use super::BundleFailure;
use hub_core::hash::{Hash, hex_encode, sha256};
use hub_core::id::NodeId;
use hub_core::time::Millis;
use hub_node::io::JournalId;
use hub_node::limits::{BUNDLE_FILE_BYTES_MAX, MESSAGE_BYTES_MAX};
use hub_node::wire::{Cursor, StreamId};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most bundles that wait for those before them.
const WAITING_MAX: usize = 64;
/// The most of them whose maker nobody has vouched for: anybody may have made them.
const UNJUDGED_MAX: usize = 8;
/// How the names of these begin.
const UNJUDGED: &str = "unjudged-";
/// The most bytes kept for the next bundle to one peer.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// The folder.
#[derive(Debug)]
pub struct Shelf {
    directory: PathBuf,
}

impl Shelf {
    /// Opens the folder, making it when it is not there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(data: &Path) -> Result<Self, BundleFailure> {
        let shelf = Self { directory: data.join("bundles") };
        shelf.tried(fs::create_dir_all(shelf.waiting_directory()))?;
        Ok(shelf)
    }

    /// How far the bundles last made for a peer went.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sent(&self, peer: NodeId) -> Result<Option<Cursor>, BundleFailure> {
        Ok(self.read(&self.of_peer(peer, "sent"))?.and_then(|bytes| cursor(&bytes)))
    }

    /// Notes how far the bundles just made for a peer went.
    ///
    /// # Errors
    /// What the file system says.
    pub fn note_sent(&self, peer: NodeId, cursor: &Cursor) -> Result<(), BundleFailure> {
        self.put(&self.of_peer(peer, "sent"), &cursor_bytes(cursor))
    }

    /// How far a peer said by telephone that it holds this node's stream, and when that was typed.
    ///
    /// # Errors
    /// What the file system says.
    pub fn told(&self, peer: NodeId) -> Result<Option<(Cursor, Millis)>, BundleFailure> {
        let bytes = self.read(&self.of_peer(peer, "told"))?.unwrap_or_default();
        let Some((at, rest)) = bytes.split_first_chunk::<8>() else { return Ok(None) };
        Ok(cursor(rest).map(|cursor| (cursor, Millis::from_be_bytes(*at))))
    }

    /// Notes it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn note_told(
        &self,
        peer: NodeId,
        cursor: &Cursor,
        at: Millis,
    ) -> Result<(), BundleFailure> {
        let bytes = [&at.to_be_bytes()[..], &cursor_bytes(cursor)].concat();
        self.put(&self.of_peer(peer, "told"), &bytes)
    }

    /// What the courier last said to a peer besides blocks, and when.
    ///
    /// # Errors
    /// What the file system says.
    pub fn voiced(&self, peer: NodeId) -> Result<Option<(Hash, Millis)>, BundleFailure> {
        let bytes = self.read(&self.of_peer(peer, "voiced"))?.unwrap_or_default();
        let Some((hash, rest)) = bytes.split_first_chunk::<32>() else { return Ok(None) };
        let at = rest.first_chunk::<8>().map(|at| Millis::from_be_bytes(*at));
        Ok(at.map(|at| (Hash(*hash), at)))
    }

    /// Notes what the courier just said to a peer besides blocks, and when.
    ///
    /// # Errors
    /// What the file system says.
    pub fn note_voiced(&self, peer: NodeId, said: Hash, at: Millis) -> Result<(), BundleFailure> {
        let bytes = [&said.0[..], &at.to_be_bytes()].concat();
        self.put(&self.of_peer(peer, "voiced"), &bytes)
    }

    /// What a peer's bundles asked for.
    ///
    /// # Errors
    /// What the file system says.
    pub fn answers(&self, peer: NodeId) -> Result<Vec<Vec<u8>>, BundleFailure> {
        let bytes = self.read(&self.of_peer(peer, "answers"))?.unwrap_or_default();
        let (mut answers, mut rest) = (Vec::new(), bytes.as_slice());
        // A torn end is left out.
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let Some((answer, tail)) = tail.split_at_checked(length) else { break };
            if length <= MESSAGE_BYTES_MAX {
                answers.push(answer.to_vec());
            }
            rest = tail;
        }
        Ok(answers)
    }

    /// Keeps answers for the next bundle to a peer, each once.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_answers(&self, peer: NodeId, new: Vec<Vec<u8>>) -> Result<(), BundleFailure> {
        let mut answers = self.answers(peer)?;
        for answer in new {
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        }
        let mut bytes = Vec::new();
        for answer in answers {
            if bytes.len() + answer.len() + 4 <= ANSWER_BYTES_MAX {
                bytes.extend((answer.len() as u32).to_be_bytes());
                bytes.extend(answer);
            }
        }
        self.put(&self.of_peer(peer, "answers"), &bytes)
    }

    /// Forgets the answers to a peer: they are in its bundle.
    ///
    /// # Errors
    /// What the file system says.
    pub fn forget_answers(&self, peer: NodeId) -> Result<(), BundleFailure> {
        self.remove(&self.of_peer(peer, "answers"))
    }

    /// The names of bundles that wait for those before them.
    ///
    /// # Errors
    /// What the file system says.
    pub fn waiting(&self) -> Result<Vec<String>, BundleFailure> {
        let mut names = Vec::new();
        for entry in self.tried(fs::read_dir(self.waiting_directory()))? {
            let name = self.tried(entry)?.file_name();
            names.extend(name.to_str().filter(|name| name.ends_with(".hub")).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// A bundle that waits; none when it is gone.
    ///
    /// # Errors
    /// What the file system says.
    pub fn waiting_bundle(&self, name: &str) -> Result<Option<Vec<u8>>, BundleFailure> {
        self.read(&self.waiting_directory().join(name))
    }

    /// Keeps a bundle until those before it come; whether there is room.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_waiting(&self, name: &str, bytes: &[u8]) -> Result<bool, BundleFailure> {
        let is_judged = |known: &&String| !known.starts_with(UNJUDGED);
        let waiting = self.waiting()?;
        let full = waiting.iter().filter(is_judged).count() >= WAITING_MAX;
        if full && !waiting.iter().any(|known| known == name) {
            return Ok(false);
        }
        self.put(&self.waiting_directory().join(name), bytes)?;
        Ok(true)
    }

    /// Keeps a bundle until somebody vouches for its maker, in the place of the oldest such where there are many.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_unjudged(&self, name: &str, bytes: &[u8]) -> Result<(), BundleFailure> {
        let mut unjudged = Vec::new();
        for known in self.waiting()?.into_iter().filter(|known| known.starts_with(UNJUDGED)) {
            let path = self.waiting_directory().join(&known);
            let kept_at = self.tried(fs::metadata(path).and_then(|file| file.modified()))?;
            unjudged.push((kept_at, known));
        }
        unjudged.sort();
        let spare = (unjudged.len() + 1).saturating_sub(UNJUDGED_MAX);
        for (_, oldest) in unjudged.iter().take(spare) {
            self.forget_waiting(oldest)?;
        }
        let digest = sha256(&[bytes]);
        let name = format!("{UNJUDGED}{}-{name}", hex_encode(&digest.0[..4]));
        self.put(&self.waiting_directory().join(name), bytes)
    }

    /// Forgets a bundle that waited.
    ///
    /// # Errors
    /// What the file system says.
    pub fn forget_waiting(&self, name: &str) -> Result<(), BundleFailure> {
        self.remove(&self.waiting_directory().join(name))
    }

    fn waiting_directory(&self) -> PathBuf {
        self.directory.join("waiting")
    }

    fn of_peer(&self, peer: NodeId, what: &str) -> PathBuf {
        self.directory.join(format!("{}.{what}", hex_encode(peer.as_bytes())))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, BundleFailure> {
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return self.tried(Err(error)),
        };
        let mut bytes = Vec::new();
        self.tried(file.take(BUNDLE_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))?;
        Ok(Some(bytes))
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> Result<(), BundleFailure> {
        let passing = path.with_extension("part");
        self.tried(fs::write(&passing, bytes))?;
        self.tried(fs::rename(&passing, path))
    }

    fn remove(&self, path: &Path) -> Result<(), BundleFailure> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.tried(Err(error)),
            _ => Ok(()),
        }
    }

    fn tried<T>(&self, done: io::Result<T>) -> Result<T, BundleFailure> {
        done.map_err(|error| BundleFailure::Shelf { path: self.directory.clone(), error })
    }
}

fn cursor_bytes(cursor: &Cursor) -> Vec<u8> {
    let mut bytes = cursor.stream.journal.0.to_vec();
    bytes.extend(cursor.stream.run.to_be_bytes());
    bytes.extend(cursor.position.to_be_bytes());
    bytes.extend(cursor.hash.0);
    bytes
}

fn cursor(bytes: &[u8]) -> Option<Cursor> {
    let (journal, rest) = bytes.split_first_chunk::<16>()?;
    let (run, rest) = rest.split_first_chunk::<4>()?;
    let (position, rest) = rest.split_first_chunk::<8>()?;
    let hash = <[u8; 32]>::try_from(rest).ok()?;
    let stream = StreamId { journal: JournalId(*journal), run: u32::from_be_bytes(*run) };
    Some(Cursor { stream, position: u64::from_be_bytes(*position), hash: Hash(hash) })
}
