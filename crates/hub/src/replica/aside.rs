//! Beside the journal: blocks that prove a fork, and small records of peers.

use hub_core::block::Block;
use hub_core::hash::{Hash, hex_decode, hex_encode};
use hub_core::id::NodeId;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The end of a block's file name.
const BLOCK_SUFFIX: &str = ".block";
/// The end of a record's file name.
const PEER_SUFFIX: &str = ".peer";

/// `aside/` in the data directory: one file a block, one a peer.
#[derive(Debug)]
pub(super) struct Aside {
    directory: PathBuf,
    blocks: Mutex<BTreeSet<Hash>>,
}

impl Aside {
    /// Opens the folder, making it when it is not there.
    pub(super) fn open(data: &Path) -> io::Result<Self> {
        let directory = data.join("aside");
        fs::create_dir_all(&directory)?;
        let mut blocks = BTreeSet::new();
        for entry in fs::read_dir(&directory)? {
            let name = entry?.file_name();
            let hash = name.to_str().and_then(|name| name.strip_suffix(BLOCK_SUFFIX));
            blocks.extend(hash.and_then(|hash| hash.parse::<Hash>().ok()));
        }
        Ok(Self { directory, blocks: Mutex::new(blocks) })
    }

    /// Whether this block is kept here.
    pub(super) fn holds(&self, hash: &Hash) -> bool {
        super::held(&self.blocks).contains(hash)
    }

    /// How many blocks are kept here.
    pub(super) fn count(&self) -> usize {
        super::held(&self.blocks).len()
    }

    /// Keeps a block durably.
    pub(super) fn keep(&self, block: &Block) -> io::Result<()> {
        if !self.holds(&block.hash()) {
            self.put(&format!("{}{BLOCK_SUFFIX}", block.hash()), block.bytes(), true)?;
            super::held(&self.blocks).insert(block.hash());
        }
        Ok(())
    }

    /// Keeps a record of a peer. Not made durable: an old one costs resending, nothing else.
    pub(super) fn remember(&self, peer: NodeId, bytes: &[u8]) -> io::Result<()> {
        self.put(&format!("{}{PEER_SUFFIX}", hex_encode(peer.as_bytes())), bytes, false)
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

    fn put(&self, name: &str, bytes: &[u8], durable: bool) -> io::Result<()> {
        let passing = self.directory.join(format!("{name}.part"));
        let mut file = File::create(&passing)?;
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        fs::rename(&passing, self.directory.join(name))?;
        if durable {
            File::open(&self.directory)?.sync_all()?;
        }
        Ok(())
    }
}
