//! CSV as unions really keep it, read row by row into typed rows.
//!
//! Pure functions over readers: no clock (callers say what day it is), no disk, no view. Everything a
//! spreadsheet does to a roster is undone here or refused with its own message: encodings, title rows,
//! full-width digits, dates in five forms, ID numbers that became floating-point numbers. Every refused
//! row is named; none stops the rows after it. Columns stand in `schemas/import.md`.

pub mod code_list;
pub mod date;
pub mod decode;
pub mod document;
mod head;
pub mod lines;
pub mod problem;
pub mod refused;
pub mod row;
pub mod sheet;
pub mod text;

pub use problem::{Problem, Refusal};
pub use sheet::{ColumnSpec, RawRow, Sheet, SheetRow, TableSpec};

use std::fmt;

/// How much of a file is read; beyond it the file or the row is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the whole file.
    pub file_bytes_max: u64,
    /// Rows of the whole file.
    pub rows_max: u64,
    /// Bytes of one row.
    pub row_bytes_max: usize,
    /// Bytes of one cell.
    pub cell_bytes_max: usize,
    /// Lines one row may run over, by line breaks inside quoted cells.
    pub lines_per_row_max: usize,
    /// Among how many first rows the header is searched.
    pub title_rows_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            file_bytes_max: 256 << 20,
            rows_max: 5_000_000,
            row_bytes_max: 64 << 10,
            cell_bytes_max: 16 << 10,
            lines_per_row_max: 100,
            title_rows_max: 20,
        }
    }
}

/// Why a whole file is refused.
#[derive(Debug)]
pub enum ImportError {
    /// The file is larger than allowed; nothing beyond the bound was read.
    TooLarge {
        /// The bound, in bytes.
        max: u64,
        /// The size, where it is known before reading.
        found: Option<u64>,
    },
    /// More rows than allowed.
    TooManyRows {
        /// The bound.
        max: u64,
    },
    /// Not text: a spreadsheet or a document.
    NotCsv {
        /// What its first bytes say it is.
        found: &'static str,
    },
    /// No header row with known column names.
    NoHeader {
        /// The columns a file of this kind must have.
        expected: Vec<String>,
        /// The first row that is not blank.
        found: Vec<String>,
    },
    /// The header lacks columns.
    MissingColumns {
        /// The row of the header.
        row: u64,
        /// The columns that are missing.
        missing: Vec<String>,
        /// The columns there are.
        found: Vec<String>,
    },
    /// One column stands twice.
    ColumnTwice {
        /// The two headings that mean the same.
        headings: [String; 2],
    },
    /// The file could not be read.
    Io(std::io::Error),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::render::words::import_error(crate::render::words::Lang::En, self))
    }
}

impl std::error::Error for ImportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<std::io::Error> for ImportError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
