//! The demonstration: federations of real daemons on real input, and what they answer.
//!
//! `scenario` reads the small tables of `tests/scenarios/`, `expand` makes of them the files a node would
//! import, `people` generates persons and codes, `story` says what is entered and asked and what must come
//! out. Deliberately absent: any shortcut past the command line; all that happens happens through the
//! program `hub`, as people use it.

pub mod error;
pub mod expand;
pub mod people;
pub mod scenario;
pub mod story;
