//! The daemon: one node, running.
//!
//! One loop over one closed set of happenings drives the sync machine; everything that waits (sockets,
//! servers, clocks) is a task or a thread that sends it happenings. The order law lives in the machine
//! and in the replica: nothing is sent or acknowledged that depends on a block before that block is
//! durable. Loss of NATS stops nothing here.

mod bundle;
mod daily;
mod engine;
mod log;
mod read;
mod renewal;
mod restate;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use engine::Engine;
pub use log::start_log;
pub(crate) use read::journal as read_journal;
pub use run::{DaemonError, Running, run, start, start_host};
