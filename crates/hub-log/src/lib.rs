//! Blocks on disk: the journal (the truth), the sled index over it, the vault, backups.
//!
//! What must hold, and is tested:
//! - L1 What [`Journal::append`] returned is on the medium; readers see nothing that is not.
//! - L2 A failed write or fsync stops the journal for good; nothing announced is lost by it.
//! - L3 Damage is named (block, or region when it belongs to none), never served, and what stands behind
//!   it is still read.
//! - L4 The index never decides: missing, torn or in disagreement it is rebuilt, with equal answers.
//! - L5 One process holds a data directory.
//!
//! Deliberately absent: signatures and authority (who may write is judged above), the network, a runtime.
//! Bytes: `schemas/journal.md`.

pub mod backup;
mod correct;
mod damage;
mod error;
mod heads;
mod index;
mod journal;
mod layout;
mod lock;
mod repair;
mod spans;
mod storage;
mod table;
pub mod vault;
mod verify;
mod walk;

pub use damage::{Damage, DamageKind, DamagedBlock};
pub use error::{AppendError, IndexError, IoFailure, OpenError, ReadError};
pub use heads::{HEAD_FILE, Heads, HeadsError, read_heads, write_heads};
pub use journal::{Cut, Entry, IndexState, Journal, Options, Position, Recovery, Scan, Stored};
pub use layout::{
    FRAME_FIELDS, FRAME_HEADER_BYTES, JournalId, Origin, SEGMENT_FIELDS, SEGMENT_FORMAT,
    SEGMENT_HEADER_BYTES, SEGMENT_MAGIC,
};
pub use lock::{DirectoryLock, LOCK_FILE};
pub use repair::{RepairReport, repair};
pub use storage::{Disk, Storage};
pub use verify::{VerifyReport, verify};
