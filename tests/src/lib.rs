//! What tests and the demonstration share.

pub mod demo;
pub mod process;
