//! What tests and the demonstration share.

pub mod demo;
pub mod process;
pub mod sample;
pub mod strategy;
