//! The outside: daemon, NATS, clock, key files, configuration, command line.

pub mod bundle;
pub mod cli;
pub mod clock;
pub mod command;
pub mod command_io;
pub mod config;
mod courier;
pub mod daemon;
pub mod enrol;
pub mod expiry;
pub mod host;
pub mod import;
pub mod keys;
pub mod metrics;
pub mod nats;
pub mod ops_nats;
pub mod render;
pub mod replica;
pub mod report;
pub mod socket;
pub mod status;
pub mod tls;

pub use command::run::{Env, run};
