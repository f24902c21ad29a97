//! The demonstration: federations of real daemons on real input, and what they answer.
//!
//! `scenario` reads the small tables of `tests/scenarios/`, `expand` makes of them the rows a node would
//! import, `people` generates persons and codes, `books` writes the files. `story` says what is entered and
//! asked and what must come out; `world` holds the nodes, `acts` raises and settles them, `play` plays the
//! story on them. Deliberately absent: any shortcut past the command line; all that happens happens through
//! the program `hub`, as people use it.

pub mod acts;
pub mod answer;
pub mod books;
pub mod error;
pub mod expand;
pub mod people;
pub mod play;
pub mod scenario;
pub mod story;
pub mod world;
