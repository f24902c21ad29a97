//! How one replica behaves: a machine without IO for shipping, receipts, gaps, asks and enrolment
//! (DESIGN §9, §10).
//!
//! Deliberately absent: sockets, files, clocks, randomness, threads, unordered maps. The daemon, the
//! bundles and the simulator drive the same machine: inputs in, outputs out.
//!
//! - [`io`]: what goes in and what comes out;
//! - [`wire`]: the messages between nodes, byte for byte as in `schemas/wire.md`;
//! - [`limits`]: every bound in one place.

pub mod bundle;
pub mod context;
pub mod io;
pub mod limits;
pub mod machine;
pub mod wire;
