//! The command line: what may be typed. What it means is in `command`.
//!
//! English help is the documentation comment of each item; Chinese help stands in
//! `render::words::help`, and a test holds that none is missing.

mod args;
mod help;

pub use args::*;
pub use help::{Parsed, parse};
