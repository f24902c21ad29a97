//! What tests and the demonstration share.

pub mod bench;
pub mod capture;
pub mod demo;
pub mod drill;
pub mod federation;
pub mod nats;
pub mod offices;
pub mod process;
pub mod sample;
pub mod scribe;
pub mod sim;
pub mod story;
pub mod strategy;
pub mod vectors;
pub mod world;
