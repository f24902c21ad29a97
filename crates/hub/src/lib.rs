//! The outside: daemon, NATS, clock, key files, configuration, command line.

pub mod command_io;
