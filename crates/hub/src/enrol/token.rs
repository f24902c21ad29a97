//! One-time tokens (DESIGN §9): whoever brings one was told it by the parent's operator. Only hashes are
//! kept, in a file its owner alone can read; a token is gone once it was used, or its time is over.

use super::EnrolError;
use crate::tls::write_file;
use hub_core::hash::{Hash, sha256};
use hub_core::id::{FederationId, UnitId};
use hub_core::time::Millis;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The file in the data directory.
const FILE: &str = "tokens.toml";
/// Letters and digits that nobody mistakes for each other when they are read out.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Groups of four letters: 60 bits.
const GROUPS: usize = 3;

/// The tokens a node has handed out.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    file: TokensFile,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensFile {
    #[serde(default)]
    token: Vec<Issued>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issued {
    hash: Hash,
    unit: UnitId,
    expires: Millis,
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefused {
    /// A token was handed out for this unit, and the request brings none.
    Missing,
    /// It was never handed out, or was used.
    Unknown,
    /// It was handed out for another unit.
    OtherUnit,
    /// Its time is over.
    Expired,
}

impl Tokens {
    /// The tokens of the node in this directory.
    ///
    /// # Errors
    /// The file cannot be read, or is none.
    pub fn load(data: &Path) -> Result<Self, EnrolError> {
        let path = data.join(FILE);
        let io = |error| EnrolError::Io { path: path.clone(), error };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(error)),
        };
        let file = toml::from_str(&text)
            .map_err(|error| io(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        Ok(Self { path, file })
    }

    /// Makes a token for a unit and keeps its hash.
    ///
    /// # Errors
    /// No randomness, or the file cannot be written.
    pub fn issue(
        &mut self,
        federation: FederationId,
        unit: UnitId,
        now: Millis,
        expires: Millis,
    ) -> Result<String, EnrolError> {
        let mut bytes = [0; 4 * GROUPS];
        getrandom::fill(&mut bytes).map_err(|error| EnrolError::Io {
            path: self.path.clone(),
            error: io::Error::other(error.to_string()),
        })?;
        let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        let token = groups.join("-");
        self.file.token.retain(|issued| issued.expires > now);
        self.file.token.push(Issued { hash: hash(federation, &token), unit, expires });
        self.save()?;
        Ok(token)
    }

    /// Whether a request that brings this token may be approved for a unit.
    ///
    /// # Errors
    /// It may not.
    pub fn check(
        &self,
        federation: FederationId,
        token: &str,
        unit: UnitId,
        now: Millis,
    ) -> Result<(), TokenRefused> {
        let waits = |issued: &Issued| issued.unit == unit && issued.expires > now;
        if token.trim().is_empty() {
            let expected = self.file.token.iter().any(waits);
            return if expected { Err(TokenRefused::Missing) } else { Ok(()) };
        }
        let hash = hash(federation, token);
        let issued = self.file.token.iter().find(|issued| issued.hash == hash);
        match issued.ok_or(TokenRefused::Unknown)? {
            issued if issued.unit != unit => Err(TokenRefused::OtherUnit),
            issued if issued.expires <= now => Err(TokenRefused::Expired),
            _ => Ok(()),
        }
    }

    /// Forgets a token that was used.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(&mut self, federation: FederationId, token: &str) -> Result<(), EnrolError> {
        let hash = hash(federation, token);
        self.file.token.retain(|issued| issued.hash != hash);
        self.save()
    }

    fn save(&self) -> Result<(), EnrolError> {
        let io = |error| EnrolError::Io { path: self.path.clone(), error };
        let text = toml::to_string(&self.file).map_err(|error| io(io::Error::other(error)))?;
        write_file(&self.path, text.as_bytes(), 0o600).map_err(io)
    }
}

/// Case, spaces and hyphens are how it was read out, not what it is.
fn hash(federation: FederationId, token: &str) -> Hash {
    let plain: String = token.chars().filter(char::is_ascii_alphanumeric).collect();
    sha256(&[b"hub enrol token 0", &federation.0, plain.to_ascii_uppercase().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_token_opens_one_unit_once_and_in_time() {
        let directory = tempfile::tempdir().unwrap();
        let (federation, unit, other) = (FederationId([1; 16]), UnitId([2; 16]), UnitId([3; 16]));
        let mut tokens = Tokens::load(directory.path()).unwrap();
        assert_eq!(tokens.check(federation, "", unit, 1), Ok(()), "none was handed out");
        let token = tokens.issue(federation, unit, 1, 100).unwrap();
        assert_eq!(token.len(), 14, "{token}");
        let mut tokens = Tokens::load(directory.path()).unwrap();
        let check =
            |tokens: &Tokens, token: &str, unit, now| tokens.check(federation, token, unit, now);
        let typed = token.to_lowercase().replace('-', " ");
        assert_eq!(check(&tokens, &typed, unit, 99), Ok(()));
        assert_eq!(check(&tokens, &token, unit, 100), Err(TokenRefused::Expired));
        assert_eq!(check(&tokens, &token, other, 1), Err(TokenRefused::OtherUnit));
        assert_eq!(check(&tokens, "", unit, 1), Err(TokenRefused::Missing));
        assert_eq!(check(&tokens, "2222-2222-2222", unit, 1), Err(TokenRefused::Unknown));
        tokens.forget(federation, &token).unwrap();
        assert_eq!(check(&tokens, &token, unit, 1), Err(TokenRefused::Unknown));
        let file = directory.path().join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert!(!std::fs::read_to_string(&file).unwrap().contains(&token));
    }
}
