//! What tests and the demonstration share.

pub mod bench;
pub mod capture;
pub mod crowd;
pub mod demo;
pub mod drill;
pub mod levels;
pub mod mutants;
pub mod nats;
pub mod planted;
pub mod process;
pub mod proxy;
pub mod stations;
pub mod wait;
