//! What tests of the core share: federations written in memory, told as tables, or made at random.

pub mod ask;
pub mod federation;
mod figures;
pub mod network;
pub mod offices;
pub mod oracle;
pub mod random;
pub mod sample;
pub mod scribe;
pub mod story;
pub mod strategy;
pub mod vectors;
pub mod world;
