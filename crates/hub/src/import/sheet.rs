//! A table out of a file: header found below title rows, columns named, rows decoded.

use super::decode::{self, Encoding};
use super::head::{HEAD_BYTES, check_is_text, delimiter_of, split, terminator_of};
use super::lines::{Line, LineFault, Lines};
use super::{Bounds, ImportError, Problem, Refusal, refused, text};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read};

/// A column a table may have.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec {
    /// Its English heading.
    pub key: &'static str,
    /// Chinese headings, the usual one first.
    pub zh: &'static [&'static str],
    /// Further English headings.
    pub en: &'static [&'static str],
    /// Whether a file without it is refused.
    pub required: bool,
    /// What stands in it, in Chinese, for the documentation.
    pub content: &'static str,
}

/// A column a file must have; see [`ColumnSpec`].
pub const fn required(
    key: &'static str,
    zh: &'static [&'static str],
    en: &'static [&'static str],
    content: &'static str,
) -> ColumnSpec {
    ColumnSpec { key, zh, en, required: true, content }
}

/// A column a file may lack; see [`ColumnSpec`].
pub const fn optional(
    key: &'static str,
    zh: &'static [&'static str],
    en: &'static [&'static str],
    content: &'static str,
) -> ColumnSpec {
    ColumnSpec { key, zh, en, required: false, content }
}

/// A kind of table.
#[derive(Debug, Clone, Copy)]
pub struct TableSpec {
    /// Its name, as in `schemas/import.md`.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [ColumnSpec],
}

/// Headings that are read over without a word: running numbers.
const SILENT_HEADINGS: [&str; 4] = ["序号", "编号序号", "no", "no."];

/// A row with its cells, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Its number, counted as a spreadsheet counts it.
    pub row: u64,
    /// Its cells as the file has them, one for each heading.
    pub cells: Vec<String>,
}

/// What a row came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetRow {
    /// A row to be read.
    Row(RawRow),
    /// A row refused as a whole; its cells as far as they can be shown.
    Refused(RawRow, Refusal),
}

/// An open table.
pub struct Sheet<R> {
    lines: Lines<BufReader<R>>,
    spec: &'static TableSpec,
    bounds: Bounds,
    delimiter: u8,
    habit: Option<Encoding>,
    header: Vec<String>,
    header_row: u64,
    places: Vec<Option<usize>>,
    seen: HashMap<u64, Vec<(u64, u128)>>,
    hasher: [RandomState; 2],
    encodings: [bool; 2],
}

impl<R: Read> Sheet<R> {
    /// Opens a table and finds its header. `size` is the file's size where it is known, so that a file
    /// too large is refused before it is read.
    ///
    /// # Errors
    /// The file as a whole cannot be taken; see [`ImportError`].
    pub fn open(
        source: R,
        size: Option<u64>,
        spec: &'static TableSpec,
        bounds: Bounds,
    ) -> Result<Self, ImportError> {
        if let Some(found) = size.filter(|size| *size > bounds.file_bytes_max) {
            return Err(ImportError::TooLarge { max: bounds.file_bytes_max, found: Some(found) });
        }
        let mut source = BufReader::with_capacity(HEAD_BYTES, source);
        let (delimiter, terminator) = {
            let head = source.fill_buf()?;
            check_is_text(head)?;
            (delimiter_of(head), terminator_of(head))
        };
        if source.buffer().starts_with(b"\xef\xbb\xbf") {
            source.consume(3);
        }
        let mut sheet = Self {
            lines: Lines::new(source, bounds, delimiter, terminator),
            spec,
            bounds,
            delimiter,
            habit: None,
            header: Vec::new(),
            header_row: 0,
            places: Vec::new(),
            seen: HashMap::new(),
            hasher: [RandomState::new(), RandomState::new()],
            encodings: [false; 2],
        };
        sheet.find_header()?;
        Ok(sheet)
    }

    /// The headings as the file has them.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Where each column of the table stands in the file, if it does.
    pub fn places(&self) -> &[Option<usize>] {
        &self.places
    }

    /// The kind of table.
    pub fn spec(&self) -> &'static TableSpec {
        self.spec
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.lines.bytes_read()
    }

    /// Whether both encodings have been met.
    pub fn is_mixed(&self) -> bool {
        self.encodings == [true; 2]
    }

    /// Headings no column of the table has; their cells are not used.
    pub fn unused(&self) -> Vec<&str> {
        let known = |place: usize| self.places.contains(&Some(place));
        self.header
            .iter()
            .enumerate()
            .filter(|(place, heading)| {
                let plain = normal_heading(heading);
                !known(*place)
                    && !plain.is_empty()
                    && !SILENT_HEADINGS.contains(&plain.as_str())
                    && !refused::is_report_heading(heading)
            })
            .map(|(_, heading)| heading.as_str())
            .collect()
    }

    /// Optional columns the file does not have.
    pub fn absent(&self) -> Vec<&'static ColumnSpec> {
        self.spec
            .columns
            .iter()
            .zip(&self.places)
            .filter(|(_, p)| p.is_none())
            .map(|(c, _)| c)
            .collect()
    }

    /// The next row that is not blank; `None` at the end. A repeated header (sheets put one below the
    /// other) is passed over.
    ///
    /// # Errors
    /// The file breaks a bound or cannot be read.
    pub fn next_row(&mut self) -> Result<Option<SheetRow>, ImportError> {
        while let Some(line) = self.lines.next_line()? {
            let row = line.row;
            let cells = match self.cells_of(&line) {
                Ok(cells) => cells,
                Err((shown, problem)) => return Ok(Some(self.refuse(row, shown, problem))),
            };
            if cells.iter().all(|cell| text::plain(cell).is_empty()) || cells == self.header {
                continue;
            }
            if let Some(cell) = cells.iter().find(|cell| cell.len() > self.bounds.cell_bytes_max) {
                let mut cell = cell.chars().take(100).collect::<String>();
                cell.push('…');
                let max = self.bounds.cell_bytes_max;
                return Ok(Some(self.refuse(row, vec![cell], Problem::CellTooLong { max })));
            }
            // What stands in a report for bytes that were no text is no name.
            if cells.iter().any(|cell| cell.contains(char::REPLACEMENT_CHARACTER)) {
                return Ok(Some(self.refuse(row, cells, Problem::Encoding)));
            }
            let expected = self.header.len();
            let extra_is_blank = cells.iter().skip(expected).all(|cell| cell.trim().is_empty());
            if cells.len() < expected || !extra_is_blank {
                let problem = Problem::CellCount { expected, found: cells.len() };
                return Ok(Some(self.refuse(row, cells, problem)));
            }
            let mut cells = cells;
            cells.truncate(expected);
            if let Some(first) = self.stands_already(row, &cells) {
                return Ok(Some(self.refuse(row, cells, Problem::DuplicateRow { first })));
            }
            return Ok(Some(SheetRow::Row(RawRow { row, cells })));
        }
        Ok(None)
    }

    fn refuse(&self, row: u64, cells: Vec<String>, problem: Problem) -> SheetRow {
        let refusal = Refusal { row, column: String::new(), value: String::new(), problem };
        SheetRow::Refused(RawRow { row, cells }, refusal)
    }

    /// The first row with the same content in the columns that are used. Rows are remembered by 192 bits
    /// of keyed hashes, so a whole roster is not kept in memory.
    fn stands_already(&mut self, row: u64, cells: &[String]) -> Option<u64> {
        let used: Vec<String> =
            self.places.iter().flatten().map(|place| text::plain(&cells[*place])).collect();
        let [first, second] = &self.hasher;
        let short = first.hash_one(&used);
        let long = u128::from(second.hash_one(&used)) << 64
            | u128::from(second.hash_one((&used, used.len())));
        let bucket = self.seen.entry(short).or_default();
        if let Some((known, _)) = bucket.iter().find(|(_, hash)| *hash == long) {
            return Some(*known);
        }
        bucket.push((row, long));
        None
    }

    fn cells_of(&mut self, line: &Line) -> Result<Vec<String>, (Vec<String>, Problem)> {
        match line.fault {
            Some(LineFault::TooLong) => {
                let problem = Problem::RowTooLong { max: self.bounds.row_bytes_max };
                return Err((vec![decode::lossy(&line.bytes)], problem));
            }
            Some(LineFault::OpenQuote) => {
                return Err((vec![decode::lossy(&line.bytes)], Problem::OpenQuote));
            }
            None => {}
        }
        let cells = split(&line.bytes, self.delimiter);
        let slices: Vec<&[u8]> = cells.iter().map(|cell| &**cell).collect();
        match decode::decode_row(&slices, self.habit) {
            Ok((text, encoding)) => {
                match encoding {
                    Some(Encoding::Utf8) => self.encodings[0] = true,
                    Some(Encoding::Gb18030) => self.encodings[1] = true,
                    None => {}
                }
                Ok(text)
            }
            Err(decode::Undecodable) => {
                let shown = slices.iter().map(|cell| decode::lossy(cell)).collect();
                Err((shown, Problem::Encoding))
            }
        }
    }

    fn find_header(&mut self) -> Result<(), ImportError> {
        let required = self.spec.columns.iter().filter(|column| column.required).count();
        let mut best: Option<(u64, usize, Vec<String>)> = None;
        let mut first_text: Option<Vec<String>> = None;
        for _ in 0..self.bounds.title_rows_max {
            let Some(line) = self.lines.next_line()? else { break };
            let row = line.row;
            let Ok(cells) = self.cells_of(&line) else { continue };
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let known = cells.iter().filter(|cell| self.column_of(cell).is_some()).count();
            if known >= required.max(1) && known > 1 || known > 0 && cells.len() == known {
                return self.take_header(row, cells);
            }
            if best.as_ref().is_none_or(|(_, most, _)| known > *most) && known > 1 {
                best = Some((row, known, cells.clone()));
            }
            first_text.get_or_insert(cells);
        }
        match best {
            // A header that lacks required columns is named as such, not as no header.
            Some((row, _, cells)) => self.take_header(row, cells),
            None => Err(ImportError::NoHeader {
                expected: self.required_headings(),
                found: first_text.unwrap_or_default(),
            }),
        }
    }

    fn required_headings(&self) -> Vec<String> {
        let required = self.spec.columns.iter().filter(|column| column.required);
        required.map(heading_of).collect()
    }

    fn take_header(&mut self, row: u64, cells: Vec<String>) -> Result<(), ImportError> {
        let mut places = vec![None; self.spec.columns.len()];
        for (place, cell) in cells.iter().enumerate() {
            let Some(column) = self.column_of(cell) else { continue };
            if let Some(first) = places[column] {
                let first: &String = &cells[first];
                return Err(ImportError::ColumnTwice { headings: [first.clone(), cell.clone()] });
            }
            places[column] = Some(place);
        }
        let missing: Vec<String> = self
            .spec
            .columns
            .iter()
            .zip(&places)
            .filter(|(column, place)| column.required && place.is_none())
            .map(|(column, _)| heading_of(column))
            .collect();
        if !missing.is_empty() {
            return Err(ImportError::MissingColumns { row, missing, found: cells });
        }
        self.habit = match self.encodings {
            [_, true] => Some(Encoding::Gb18030),
            [true, false] => Some(Encoding::Utf8),
            [false, false] => None,
        };
        self.header = cells.iter().map(|cell| text::plain(cell)).collect();
        // Trailing blank headings come from cells that were once formatted; they hold nothing.
        while self.header.last().is_some_and(String::is_empty) {
            self.header.pop();
        }
        self.header_row = row;
        self.places = places;
        Ok(())
    }

    fn column_of(&self, heading: &str) -> Option<usize> {
        let plain = normal_heading(heading);
        let is = |column: &ColumnSpec| {
            column.key == plain
                || column.zh.iter().chain(column.en).any(|known| normal_heading(known) == plain)
        };
        (!plain.is_empty()).then(|| self.spec.columns.iter().position(is)).flatten()
    }
}

/// How a column is named to people: Chinese heading with the English one.
fn heading_of(column: &ColumnSpec) -> String {
    format!("{}/{}", column.zh.first().copied().unwrap_or(column.key), column.key)
}

/// A heading without width, spaces, marks of duty and hints in brackets: `身份证号码（必填）*`.
fn normal_heading(heading: &str) -> String {
    let plain = text::plain(heading).to_lowercase();
    let without_hint = plain.split(['(', '（', '[', '【']).next().unwrap_or_default();
    without_hint.chars().filter(|c| !c.is_whitespace() && !matches!(c, '*' | ':' | '_')).collect()
}

#[cfg(test)]
mod tests;
