//! What people and scripts see: tables, CSV, JSON, numbers and words.

pub mod table;
pub mod words;

pub use table::{Cell, Format, Table};
pub use words::Lang;
