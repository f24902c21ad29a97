//! Secrets on disk: `keys/` in the data directory, one file each, readable by its owner only.
//!
//! A file holds 32 bytes as one line of hex, so that it can be printed and typed in again. Secrets are
//! never logged, never part of an error, and wiped from memory where they are dropped.

use hub_core::SigningKey;
use hub_core::hash::{hex_decode, hex_encode};
use nkeys::{KeyPair, KeyPairType};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The secret of the NATS user as whom this node logs in at its own server, and at the one above until its first
/// renewal.
const NATS_USER: &str = "nats-user";
/// The secret of the user as whom it logs in above since its last renewal.
const UPLINK_USER: &str = "nats-uplink";
/// The federation's person key, where this node keeps it.
pub const PERSON_KEY: &str = "person";
/// The key under which the vault's keys are kept.
pub const VAULT_KEY: &str = "vault";

/// 32 secret bytes; wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// What goes wrong with key files.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The file system says no.
    Io {
        /// Which file.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// Others may read it.
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds no key.
    Malformed {
        /// Which file.
        path: PathBuf,
    },
    /// There is no such key.
    Missing {
        /// Which file was looked for.
        path: PathBuf,
    },
    /// There is one already: keys are never overwritten.
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The machine gives no random bytes.
    Random(String),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Exposed { path, mode } => write!(
                f,
                "{}: expected a key that only its owner may read (mode 600), found mode {mode:o}; \
                 run: chmod 600 {}",
                path.display(),
                path.display()
            ),
            Self::Malformed { path } => {
                write!(f, "{}: expected 64 hex digits, found something else", path.display())
            }
            Self::Missing { path } => write!(f, "{}: there is no such key", path.display()),
            Self::Exists { path } => {
                write!(f, "{}: there is a key already; keys are never overwritten", path.display())
            }
            Self::Random(error) => write!(f, "the machine gives no random bytes: {error}"),
        }
    }
}

impl std::error::Error for KeyError {}

/// The keys of one node.
#[derive(Debug, Clone)]
pub struct KeyStore {
    directory: PathBuf,
}

impl KeyStore {
    /// The key files in this directory, which need not be there yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.key"))
    }

    /// Reads a secret; `None` when there is none of this name.
    ///
    /// # Errors
    /// A file that others may read, or that holds no key.
    pub fn load(&self, name: &str) -> Result<Option<Secret>, KeyError> {
        let path = self.path(name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeyError::Io { path, error }),
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path, mode });
        }
        let text = match fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(KeyError::Malformed { path });
            }
            Err(error) => return Err(KeyError::Io { path, error }),
        };
        let bytes = hex_decode(text.trim()).map(Zeroizing::new);
        let secret = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        secret.map(|secret| Some(Zeroizing::new(secret))).ok_or(KeyError::Malformed { path })
    }

    /// Stores a secret durably under a name that has none yet.
    ///
    /// # Errors
    /// [`KeyError::Exists`], or what the file system says.
    pub fn store(&self, name: &str, secret: &[u8; 32]) -> Result<(), KeyError> {
        let path = self.path(name);
        let io = |error| KeyError::Io { path: path.clone(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory).map_err(io)?;
        let passing = self.directory.join(format!(".{name}.{}.part", std::process::id()));
        let written = self.write_passing(&passing, secret).and_then(|()| {
            // A link fails where a rename would overwrite.
            fs::hard_link(&passing, &path)
        });
        let removed = fs::remove_file(&passing);
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.exists() => {
                Err(KeyError::Exists { path })
            }
            Err(error) => Err(io(error)),
            Ok(()) => removed
                .and_then(|()| File::open(&self.directory))
                .and_then(|directory| directory.sync_all())
                .map_err(io),
        }
    }

    fn write_passing(&self, passing: &Path, secret: &[u8; 32]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(passing)?;
        let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex_encode(secret))));
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Makes a random secret and stores it under a name that has none yet.
    ///
    /// # Errors
    /// As for [`KeyStore::store`].
    pub fn create(&self, name: &str) -> Result<Secret, KeyError> {
        let secret = random_secret()?;
        self.store(name, &secret)?;
        Ok(secret)
    }

    /// The secret of this name, made when there is none yet.
    ///
    /// # Errors
    /// As for [`KeyStore::load`].
    pub fn load_or_create(&self, name: &str) -> Result<Secret, KeyError> {
        match self.load(name)? {
            Some(secret) => Ok(secret),
            None => match self.create(name) {
                Err(KeyError::Exists { path }) => {
                    self.load(name)?.ok_or(KeyError::Missing { path })
                }
                created => created,
            },
        }
    }

    /// The key with which this node signs in `epoch`.
    ///
    /// # Errors
    /// [`KeyError::Missing`] when there is none, else as for [`KeyStore::load`].
    pub fn signing_key(&self, epoch: u32) -> Result<SigningKey, KeyError> {
        let name = signing_name(epoch);
        let secret =
            self.load(&name)?.ok_or_else(|| KeyError::Missing { path: self.path(&name) })?;
        Ok(SigningKey::from_bytes(&secret))
    }

    /// Makes the key of `epoch`.
    ///
    /// # Errors
    /// As for [`KeyStore::create`].
    pub fn create_signing_key(&self, epoch: u32) -> Result<SigningKey, KeyError> {
        Ok(SigningKey::from_bytes(&*self.create(&signing_name(epoch))?))
    }

    /// Takes the key of `epoch` into a later one as well: the root's, which is pinned.
    ///
    /// # Errors
    /// As for [`KeyStore::create`], or there is no such key.
    pub fn carry_signing_key(&self, epoch: u32, later: u32) -> Result<(), KeyError> {
        self.store(&signing_name(later), &self.signing_key(epoch)?.to_bytes())
    }

    /// The newest epoch a key is there for; `None` when there is none at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn newest_epoch(&self) -> Result<Option<u32>, KeyError> {
        let io = |error| KeyError::Io { path: self.directory.clone(), error };
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let mut newest = None;
        for entry in entries {
            let name = entry.map_err(io)?.file_name();
            let epoch = name.to_str().and_then(|name| {
                name.strip_prefix("node-")?.strip_suffix(".key")?.parse::<u32>().ok()
            });
            newest = newest.max(epoch);
        }
        Ok(newest)
    }

    /// The NATS user of this node, made at the first call. It is not the signing key: a server chooses
    /// what a user signs to log in.
    ///
    /// # Errors
    /// As for [`KeyStore::load`] and [`KeyStore::create`].
    pub fn nats_user(&self) -> Result<NatsUser, KeyError> {
        NatsUser::of_secret(&self.load_or_create(NATS_USER)?)
    }

    /// As whom this node logs in at the server above.
    ///
    /// # Errors
    /// As for [`KeyStore::load`] and [`KeyStore::create`].
    pub fn uplink_user(&self) -> Result<NatsUser, KeyError> {
        match self.load(UPLINK_USER)? {
            Some(secret) => NatsUser::of_secret(&secret),
            None => self.nats_user(),
        }
    }

    /// As whom it is to log in above once its epoch is accepted; made at the first call. Each epoch has a user of
    /// its own: who has stolen an older one is not let in by it for ever.
    ///
    /// # Errors
    /// As for [`KeyStore::load`] and [`KeyStore::create`].
    pub fn next_uplink_user(&self, epoch: u32) -> Result<NatsUser, KeyError> {
        NatsUser::of_secret(&self.load_or_create(&uplink_name(epoch))?)
    }

    /// From now on it logs in above as the user made for this epoch, if one was made and not taken yet.
    ///
    /// # Errors
    /// What the file system says.
    pub fn take_uplink_user(&self, epoch: u32) -> Result<(), KeyError> {
        let path = self.path(&uplink_name(epoch));
        let io = |error| KeyError::Io { path: path.clone(), error };
        match fs::rename(&path, self.path(UPLINK_USER)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed.and_then(|()| File::open(&self.directory)?.sync_all()).map_err(io),
        }
    }
}

fn signing_name(epoch: u32) -> String {
    format!("node-{epoch}")
}

fn uplink_name(epoch: u32) -> String {
    format!("{UPLINK_USER}-{epoch}")
}

/// 32 bytes from the machine's random source.
///
/// # Errors
/// When the machine gives none.
pub fn random_secret() -> Result<Secret, KeyError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(secret)
}

/// A NATS user: an Ed25519 key of its own (an "nkey").
pub struct NatsUser {
    seed: Zeroizing<String>,
    public: String,
}

impl NatsUser {
    /// The user of these secret bytes.
    ///
    /// # Errors
    /// Bytes that make no key.
    pub fn of_secret(secret: &Secret) -> Result<Self, KeyError> {
        let random = |error: nkeys::error::Error| KeyError::Random(error.to_string());
        let pair = KeyPair::new_from_raw(KeyPairType::User, **secret).map_err(random)?;
        let seed = Zeroizing::new(pair.seed().map_err(random)?);
        Ok(Self { seed, public: pair.public_key() })
    }

    /// Its public name, `U…`: what the server's configuration lists.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Its secret seed, `SU…`: what logs in.
    pub fn seed(&self) -> &str {
        &self.seed
    }
}

impl fmt::Debug for NatsUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsUser({})", self.public)
    }
}

/// Whether this is the public name of a NATS user.
pub fn is_nats_user(public: &str) -> bool {
    public.starts_with('U') && KeyPair::from_public_key(public).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_kept_private_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeyStore::new(directory.path().join("keys"));
        assert_eq!(keys.newest_epoch().unwrap(), None);
        assert!(matches!(keys.signing_key(1), Err(KeyError::Missing { .. })));

        let first = keys.create_signing_key(1).unwrap();
        assert_eq!(keys.signing_key(1).unwrap(), first);
        assert!(matches!(keys.create_signing_key(1), Err(KeyError::Exists { .. })));
        keys.create_signing_key(12).unwrap();
        assert_eq!(keys.newest_epoch().unwrap(), Some(12));

        let user = keys.nats_user().unwrap();
        assert_eq!(keys.nats_user().unwrap().public(), user.public());
        assert!(is_nats_user(user.public()) && !is_nats_user("U") && !is_nats_user(user.seed()));
        assert!(!format!("{user:?}").contains(user.seed()));
        // above it goes by another from each renewal on, once that is accepted
        let next = keys.next_uplink_user(2).unwrap();
        assert_eq!(keys.next_uplink_user(2).unwrap().public(), next.public());
        assert_eq!(keys.uplink_user().unwrap().public(), user.public());
        for _ in 0..2 {
            keys.take_uplink_user(2).unwrap();
            assert_eq!(keys.uplink_user().unwrap().public(), next.public());
        }
        assert_eq!(keys.nats_user().unwrap().public(), user.public());

        for entry in fs::read_dir(keys.directory()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeyStore::new(directory.path());
        keys.create(VAULT_KEY).unwrap();
        let path = directory.path().join("vault.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = keys.load(VAULT_KEY).unwrap_err();
        assert!(matches!(error, KeyError::Exposed { mode: 0o640, .. }));
        assert!(error.to_string().contains("chmod 600"));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(keys.load(VAULT_KEY), Err(KeyError::Malformed { .. })));
    }
}
