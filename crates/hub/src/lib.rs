//! The outside: daemon, NATS, clock, key files, configuration, command line.

pub mod clock;
pub mod command_io;
pub mod config;
pub mod enrol;
pub mod import;
pub mod keys;
pub mod nats;
pub mod ops_nats;
pub mod render;
pub mod replica;
pub mod report;
