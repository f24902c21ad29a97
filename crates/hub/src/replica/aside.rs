//! Beside the journal: small records of peers.

use hub_core::hash::{hex_decode, hex_encode};
use hub_core::id::NodeId;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The end of a record's file name.
const PEER_SUFFIX: &str = ".peer";

/// `aside/` in the data directory: one file a peer.
#[derive(Debug)]
pub(super) struct Aside {
    directory: PathBuf,
}

impl Aside {
    /// Opens the folder, making it when it is not there.
    pub(super) fn open(data: &Path) -> io::Result<Self> {
        let directory = data.join("aside");
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// Keeps a record of a peer. Not made durable: an old one costs resending, nothing else.
    pub(super) fn remember(&self, peer: NodeId, bytes: &[u8]) -> io::Result<()> {
        let name = format!("{}{PEER_SUFFIX}", hex_encode(peer.as_bytes()));
        let passing = self.directory.join(format!("{name}.part"));
        File::create(&passing)?.write_all(bytes)?;
        fs::rename(&passing, self.directory.join(name))
    }

    /// All records of peers.
    pub(super) fn memories(&self) -> io::Result<Vec<(NodeId, Vec<u8>)>> {
        let mut memories = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let peer = name
                .to_str()
                .and_then(|name| hex_decode(name.strip_suffix(PEER_SUFFIX)?))
                .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
            if let Some(peer) = peer {
                memories.push((NodeId(peer), fs::read(entry.path())?));
            }
        }
        memories.sort();
        Ok(memories)
    }
}
