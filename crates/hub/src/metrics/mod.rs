//! What a node tells those who watch over it: `/metrics` for Prometheus, on an address only if its
//! configuration names one.
//!
//! `text` writes a status snapshot as Prometheus reads it (pure), `serve` answers on the socket, `timed`
//! measures the disk. Names of members or firms never stand here; nodes and units are named by id.

mod serve;
mod text;
mod timed;

pub(crate) use serve::{listen, serve};
pub use text::exposition;
pub(crate) use timed::Timed;
pub use timed::{CLASSES_MICROS, SyncTimes};
