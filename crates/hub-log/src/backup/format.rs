//! The bytes of a backup: magic, contents one after the other, manifest (JSON), trailer.

use crate::layout::array;
use hub_core::hash::{Hash, sha256};
use serde::{Deserialize, Serialize};

/// The first eight bytes, and the last.
pub(super) const MAGIC: [u8; 8] = *b"HUBBACK0";
/// Length of the manifest (8), its hash (32), magic (8).
pub(super) const TRAILER_BYTES: usize = 48;
/// The longest manifest.
pub(super) const MANIFEST_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// The file's path in the data directory.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// Where the part stands in the file.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
    /// Where it stands in the backup.
    pub at: u64,
    /// Its hash.
    pub sha256: Hash,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The journal it was made of.
    pub journal: String,
    /// In the order they stand in the backup; the parts of one file follow each other.
    pub parts: Vec<Part>,
}

impl Manifest {
    /// Manifest and trailer.
    pub(super) fn to_trailer(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec(self)?;
        let (length, hash) = (bytes.len() as u64, sha256(&[&bytes]));
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&hash.0);
        bytes.extend_from_slice(&MAGIC);
        Ok(bytes)
    }

    /// Where the manifest of a backup of `length` bytes with this trailer starts, its length and hash.
    pub(super) fn place(
        length: u64,
        trailer: &[u8; TRAILER_BYTES],
    ) -> Result<(u64, u64, Hash), String> {
        if trailer[40..] != MAGIC {
            return Err("expected a backup, found other bytes at its end".to_owned());
        }
        let manifest = u64::from_be_bytes(array(trailer, 0));
        let most = MANIFEST_BYTES_MAX.min(length.saturating_sub((TRAILER_BYTES + 8) as u64));
        if manifest > most {
            return Err(format!("manifest: expected at most {most} bytes, found {manifest}"));
        }
        let start = length - TRAILER_BYTES as u64 - manifest;
        Ok((start, manifest, Hash(array(trailer, 8))))
    }

    /// Reads a manifest whose hash was checked, and checks that its parts fill the backup up to it and
    /// stay inside the data directory.
    pub(super) fn parse(bytes: &[u8], start: u64) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let (mut at, mut file) = (MAGIC.len() as u64, ("", 0));
        for part in &manifest.parts {
            let offset = if file.0 == part.path { file.1 } else { 0 };
            if part.at != at || part.offset != offset || part.bytes > super::PART_BYTES as u64 {
                return Err(format!("{}: parts do not follow each other", part.path));
            }
            let inside = part.path.split('/').all(|name| {
                !name.is_empty() && !name.starts_with("..") && name != "." && !name.contains('\0')
            });
            if !inside {
                return Err(format!("{:?}: expected a path inside the directory", part.path));
            }
            at = at.checked_add(part.bytes).ok_or("a part is too long")?;
            file = (&part.path, offset + part.bytes);
        }
        if at != start {
            return Err(format!("contents: expected {start} bytes, found {at}"));
        }
        Ok(manifest)
    }
}
