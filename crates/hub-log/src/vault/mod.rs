//! The vault: names and document numbers, encrypted per person, so that destroying one key erases one
//! person and leaves every count and proof.
//!
//! Each record has a random key of its own, wrapped by the vault's key. Erasing overwrites the wrapped key
//! in place and makes that durable; the ciphertext then says nothing to anyone. Two things this cannot
//! reach: copies of the file made before (backups keep erased persons until they are deleted themselves),
//! and old blocks a disk with remapping keeps out of reach.

mod record;

pub use record::{RECORD_FIELDS, RECORD_HEAD_BYTES, VAULT_FORMAT, VAULT_HEADER_BYTES, VAULT_MAGIC};

use crate::error::IoFailure;
use crate::storage::{Disk, Storage, make_directory, replace_file};
use hub_core::id::MemberKey;
use hub_core::person::DocumentKind;
use record::{Head, Kind, WRAPPED, WRAPPED_BYTES};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// The name of the vault's file.
pub const VAULT_FILE: &str = "persons";

/// What the vault keeps of a person; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: Zeroizing<String>,
    /// Which document.
    pub document: DocumentKind,
    /// Its number.
    pub number: Zeroizing<String>,
    /// A telephone number, if known.
    pub phone: Option<Zeroizing<String>>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(withheld)")
    }
}

/// What goes wrong with the vault. No message holds anything of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultError {
    /// The vault was made with another key.
    Key {
        /// The vault's file.
        path: PathBuf,
    },
    /// The file is no vault.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A record does not decrypt.
    Record {
        /// Whose.
        member: MemberKey,
    },
    /// A person cannot be encrypted.
    Seal {
        /// Whose.
        member: MemberKey,
        /// Why, without anything of the person.
        message: String,
    },
    /// The system refused; after a failed write the vault stays closed until it is opened again.
    Io(IoFailure),
    /// A write failed before.
    Stopped {
        /// What failed.
        cause: IoFailure,
    },
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { path } => write!(
                f,
                "vault {}: expected the key it was made with, found another: restore keys/ from the \
                 same backup as the vault",
                path.display()
            ),
            Self::Foreign { path } => write!(
                f,
                "vault {}: expected a vault, found other bytes: restore it from a backup",
                path.display()
            ),
            Self::Record { member } => {
                write!(f, "vault: the record of member {member} is damaged: enter the person again")
            }
            Self::Seal { member, message } => write!(f, "vault: member {member}: {message}"),
            Self::Io(error) => write!(f, "vault: {error}"),
            Self::Stopped { cause } => {
                write!(f, "the vault stopped after: {cause}; start the node again")
            }
        }
    }
}

impl std::error::Error for VaultError {}

impl From<IoFailure> for VaultError {
    fn from(error: IoFailure) -> Self {
        Self::Io(error)
    }
}

/// What opening a vault found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultRecovery {
    /// Regions that are no whole record: offset and length.
    pub damaged: Vec<(u64, u64)>,
    /// Where bytes behind the last whole record are kept, if there were any.
    pub cut: Option<PathBuf>,
}

/// The vault of one node.
pub struct Vault {
    path: PathBuf,
    file: File,
    key: Zeroizing<[u8; 32]>,
    storage: Arc<dyn Storage>,
    state: Mutex<State>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.path.display())
    }
}

#[derive(Default)]
struct State {
    /// Offset and length of each person's record.
    persons: BTreeMap<MemberKey, (u64, u32)>,
    erased: BTreeSet<MemberKey>,
    /// Records of persons with a newer one, whose keys are still to be destroyed.
    stale: Vec<u64>,
    end: u64,
    stopped: Option<IoFailure>,
}

impl State {
    fn take_in(&mut self, offset: u64, head: &Head) {
        self.end = offset + head.record_bytes() as u64;
        match head.kind {
            Kind::Person if head.destroyed => {}
            Kind::Person => {
                self.erased.remove(&head.member);
                let place = (offset, head.record_bytes() as u32);
                self.stale.extend(self.persons.insert(head.member, place).map(|old| old.0));
            }
            Kind::Tombstone => {
                self.erased.insert(head.member);
                self.stale.extend(self.persons.remove(&head.member).map(|old| old.0));
            }
        }
    }
}

impl Vault {
    /// Opens the vault in `directory` (0700, its file 0600), making it when it is not there. The data
    /// directory must be held.
    ///
    /// # Errors
    /// Another key, a foreign file, the system.
    pub fn open(directory: &Path, key: &[u8; 32]) -> Result<(Self, VaultRecovery), VaultError> {
        Self::open_on(directory, key, Arc::new(Disk))
    }

    /// Opens the vault on another storage than the real disk, for tests of failing disks.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_on(
        directory: &Path,
        key: &[u8; 32],
        storage: Arc<dyn Storage>,
    ) -> Result<(Self, VaultRecovery), VaultError> {
        let path = directory.join(VAULT_FILE);
        let failed = |what: &'static str| {
            let path = path.clone();
            move |error| VaultError::Io(IoFailure::new(what, &path, &error))
        };
        make_directory(directory, 0o700).map_err(failed("create"))?;
        if !path.exists() {
            let header = record::header(key).map_err(std::io::Error::other);
            let header = header.map_err(failed("make a key for"))?;
            replace_file(&path, &header, 0o600).map_err(failed("create"))?;
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).mode(0o600);
        let mut file = options.open(&path).map_err(failed("open"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read"))?;
        let header = bytes.get(..VAULT_HEADER_BYTES);
        let header =
            header.filter(|h| h[..4] == VAULT_MAGIC && h[4..6] == VAULT_FORMAT.to_be_bytes());
        let header = header.ok_or_else(|| VaultError::Foreign { path: path.clone() })?;
        if !record::opens(key, header) {
            return Err(VaultError::Key { path });
        }
        let (state, mut recovery) = walk(&bytes);
        let end = state.end as usize;
        if end < bytes.len() {
            let kept = directory.join(format!("cut-{end}.bin"));
            replace_file(&kept, &bytes[end..], 0o600).map_err(failed("keep the end of"))?;
            storage.set_length(&file, state.end).map_err(failed("cut"))?;
            storage.sync(&file).map_err(failed("fdatasync"))?;
            recovery.cut = Some(kept);
        }
        let state = Mutex::new(state);
        let vault = Self { path, file, key: Zeroizing::new(*key), storage, state };
        vault.destroy_stale(&mut vault.state())?;
        Ok((vault, recovery))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many persons it holds.
    pub fn len(&self) -> usize {
        self.state().persons.len()
    }

    /// Whether it holds nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this person was erased and not entered again.
    pub fn is_erased(&self, member: &MemberKey) -> bool {
        self.state().erased.contains(member)
    }

    /// Stores persons, all durable by one fsync when it returns. A person stored already with the same
    /// content is left alone; other content replaces it and destroys the old record's key. Returns how
    /// many were written.
    ///
    /// # Errors
    /// The system; nothing may be taken as stored then.
    pub fn put_many(&self, persons: &[(MemberKey, Person)]) -> Result<usize, VaultError> {
        let mut state = self.state();
        usable(&state)?;
        let mut bytes = Vec::new();
        let mut heads = Vec::new();
        for (member, person) in persons {
            let stands = match state.persons.get(member) {
                Some(place) => record::open(&self.key, &self.read(*place)?),
                None => None,
            };
            if stands.as_ref() == Some(person) {
                continue;
            }
            let sealed = record::seal(&self.key, member, person)
                .map_err(|message| VaultError::Seal { member: *member, message })?;
            let offset = state.end + bytes.len() as u64;
            heads.extend(record::head(&sealed).map(|head| (offset, head)));
            bytes.extend(sealed);
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        self.write(&mut state, &bytes)?;
        for (offset, head) in &heads {
            state.take_in(*offset, head);
        }
        self.destroy_stale(&mut state)?;
        Ok(heads.len())
    }

    /// A person, if they are there.
    ///
    /// # Errors
    /// A damaged record, the system.
    pub fn get(&self, member: &MemberKey) -> Result<Option<Person>, VaultError> {
        let Some(place) = self.state().persons.get(member).copied() else { return Ok(None) };
        let record = self.read(place)?;
        let whole = record::head(&record).is_some_and(|head| head.member == *member);
        let person = whole.then(|| record::open(&self.key, &record)).flatten();
        person.map(Some).ok_or(VaultError::Record { member: *member })
    }

    /// Destroys a person's key, durably, and leaves a tombstone. Says whether the person was there.
    ///
    /// # Errors
    /// The system; erase again after the next opening then.
    pub fn erase(&self, member: &MemberKey) -> Result<bool, VaultError> {
        let mut state = self.state();
        usable(&state)?;
        let Some((offset, _)) = state.persons.get(member).copied() else { return Ok(false) };
        self.destroy(&mut state, &[offset])?;
        let tombstone = record::tombstone(member);
        let at = state.end;
        self.write(&mut state, &tombstone)?;
        if let Some(head) = record::head(&tombstone) {
            state.take_in(at, &head);
        }
        state.stale.clear(); // its key is destroyed
        Ok(true)
    }

    fn destroy_stale(&self, state: &mut State) -> Result<(), VaultError> {
        let stale = std::mem::take(&mut state.stale);
        if stale.is_empty() { Ok(()) } else { self.destroy(state, &stale) }
    }

    fn destroy(&self, state: &mut State, offsets: &[u64]) -> Result<(), VaultError> {
        let zeros = [0; WRAPPED_BYTES];
        let overwrite =
            |offset: &u64| self.storage.write_at(&self.file, offset + WRAPPED as u64, &zeros);
        let done = offsets.iter().try_for_each(overwrite);
        let done = done.and_then(|()| self.storage.sync(&self.file));
        done.map_err(|error| self.stop(state, &error))
    }

    fn write(&self, state: &mut State, bytes: &[u8]) -> Result<(), VaultError> {
        let written = self.storage.write_at(&self.file, state.end, bytes);
        let written = written.and_then(|()| self.storage.sync(&self.file));
        written.map_err(|error| self.stop(state, &error))
    }

    fn stop(&self, state: &mut State, error: &std::io::Error) -> VaultError {
        let failure = IoFailure::new("write", &self.path, error);
        state.stopped = Some(failure.clone());
        VaultError::Io(failure)
    }

    fn read(&self, (offset, length): (u64, u32)) -> Result<Vec<u8>, VaultError> {
        let mut record = vec![0; length as usize];
        let read = self.file.read_exact_at(&mut record, offset);
        read.map_err(|error| IoFailure::new("read", &self.path, &error))?;
        Ok(record)
    }
}

fn usable(state: &State) -> Result<(), VaultError> {
    match &state.stopped {
        Some(cause) => Err(VaultError::Stopped { cause: cause.clone() }),
        None => Ok(()),
    }
}

/// Goes from record to record; behind damage on at the next whole one.
fn walk(bytes: &[u8]) -> (State, VaultRecovery) {
    let mut state = State { end: VAULT_HEADER_BYTES as u64, ..State::default() };
    let mut recovery = VaultRecovery::default();
    let mut at = VAULT_HEADER_BYTES;
    while at < bytes.len() {
        if let Some(head) = record::head(&bytes[at..]) {
            state.take_in(at as u64, &head);
            at += head.record_bytes();
            continue;
        }
        let next = (at + 1..bytes.len()).find(|next| record::head(&bytes[*next..]).is_some());
        let Some(next) = next else { break };
        recovery.damaged.push((at as u64, (next - at) as u64));
        at = next;
    }
    (state, recovery)
}
