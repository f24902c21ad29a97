//! Rows out of bytes: quoted line breaks joined, everything bounded, nothing lost after a bad row.
//!
//! A row is counted as a spreadsheet counts it: title rows and blank rows too, a quoted line break not.
//! Cells are split later; splitting rows first keeps one unclosed quote from swallowing the file.

use super::{Bounds, ImportError};
use std::collections::VecDeque;
use std::io::BufRead;

/// One row of the file, undecoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub row: u64,
    /// Its bytes without the line end; cut short when it is too long.
    pub bytes: Vec<u8>,
    /// What is wrong with it as a row.
    pub fault: Option<LineFault>,
}

/// What can be wrong with a row before its cells are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFault {
    /// Longer than allowed.
    TooLong,
    /// A quote is opened and not closed.
    OpenQuote,
}

/// How much of an overlong row is kept, for the report.
const KEPT_OF_TOO_LONG: usize = 1 << 10;

/// Reads rows.
pub struct Lines<R> {
    source: R,
    bounds: Bounds,
    delimiter: u8,
    terminator: u8,
    row: u64,
    bytes_read: u64,
    waiting: VecDeque<Physical>,
}

struct Physical {
    bytes: Vec<u8>,
    too_long: bool,
}

impl<R: BufRead> Lines<R> {
    /// Rows of this source; `terminator` ends lines (`\n`, or `\r` in files of old Macs).
    pub fn new(source: R, bounds: Bounds, delimiter: u8, terminator: u8) -> Self {
        Self {
            source,
            bounds,
            delimiter,
            terminator,
            row: 0,
            bytes_read: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Bytes read from the source so far, for progress.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The next row, `None` at the end.
    ///
    /// # Errors
    /// The file is larger than its bound, has too many rows, or cannot be read.
    pub fn next_line(&mut self) -> Result<Option<Line>, ImportError> {
        let Some(first) = self.physical()? else { return Ok(None) };
        self.row += 1;
        if self.row > self.bounds.rows_max {
            return Err(ImportError::TooManyRows { max: self.bounds.rows_max });
        }
        let row = self.row;
        if first.too_long {
            return Ok(Some(Line { row, bytes: first.bytes, fault: Some(LineFault::TooLong) }));
        }
        let mut quotes = Quotes::CellStart.over(&first.bytes, self.delimiter);
        if quotes != Quotes::Inside {
            return Ok(Some(Line { row, bytes: first.bytes, fault: None }));
        }
        let mut joined = first.bytes.clone();
        let mut rest = Vec::new();
        while rest.len() + 1 < self.bounds.lines_per_row_max {
            let Some(next) = self.physical()? else { break };
            joined.push(b'\n');
            joined.extend_from_slice(&next.bytes);
            quotes = quotes.over(&next.bytes, self.delimiter);
            let overlong = next.too_long || joined.len() > self.bounds.row_bytes_max;
            rest.push(next);
            if overlong || quotes == Quotes::Broken {
                break;
            }
            if quotes != Quotes::Inside {
                return Ok(Some(Line { row, bytes: joined, fault: None }));
            }
        }
        // The quote stays open: refuse its own line only, and read the following ones as rows.
        rest.into_iter().rev().for_each(|line| self.waiting.push_front(line));
        Ok(Some(Line { row, bytes: first.bytes, fault: Some(LineFault::OpenQuote) }))
    }

    fn physical(&mut self) -> Result<Option<Physical>, ImportError> {
        if let Some(line) = self.waiting.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Physical { bytes: Vec::new(), too_long: false };
        let mut any = false;
        loop {
            let buffer = self.source.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == self.terminator);
            let content = &buffer[..end.unwrap_or(buffer.len())];
            if line.bytes.len() + content.len() > self.bounds.row_bytes_max {
                line.too_long = true;
                let room = KEPT_OF_TOO_LONG.saturating_sub(line.bytes.len()).min(content.len());
                line.bytes.extend_from_slice(&content[..room]);
                line.bytes.truncate(KEPT_OF_TOO_LONG);
            } else if !line.too_long {
                line.bytes.extend_from_slice(content);
            }
            let used = content.len() + usize::from(end.is_some());
            self.source.consume(used);
            self.bytes_read += used as u64;
            if self.bytes_read > self.bounds.file_bytes_max {
                return Err(ImportError::TooLarge { max: self.bounds.file_bytes_max, found: None });
            }
            if end.is_some() {
                break;
            }
        }
        if line.bytes.last() == Some(&b'\r') {
            line.bytes.pop();
        }
        Ok(any.then_some(line))
    }
}

/// Where a reader stands between quotes, by the rules of RFC 4180 as the `csv` crate reads them: a quote
/// opens only at the start of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    CellStart,
    Outside,
    Inside,
    /// A quote inside quotes: the end, or half of an escaped quote.
    Closing,
    /// Text behind the end of a quoted cell. Over several lines it shows that the quote that began was
    /// never closed, and that the one met belongs to a later row.
    Broken,
}

impl Quotes {
    fn over(self, bytes: &[u8], delimiter: u8) -> Self {
        let mut state = self;
        for byte in bytes {
            state = match (state, *byte) {
                (Self::Inside, b'"') => Self::Closing,
                (Self::Inside, _) | (Self::CellStart | Self::Closing, b'"') => Self::Inside,
                (Self::Broken, _) => Self::Broken,
                (_, other) if other == delimiter => Self::CellStart,
                (Self::Closing, b'\r') => Self::Closing,
                (Self::Closing, _) => Self::Broken,
                _ => Self::Outside,
            };
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Cursor};

    fn rows(text: &str, bounds: Bounds) -> Vec<(u64, String, Option<LineFault>)> {
        // A small buffer makes every boundary fall inside a line somewhere.
        let source = BufReader::with_capacity(3, Cursor::new(text.as_bytes().to_vec()));
        let mut lines = Lines::new(source, bounds, b',', b'\n');
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push((line.row, String::from_utf8(line.bytes).unwrap(), line.fault));
        }
        all
    }

    fn plain(row: u64, text: &str) -> (u64, String, Option<LineFault>) {
        (row, text.to_owned(), None)
    }

    #[test]
    fn quoted_line_breaks_belong_to_one_row() {
        let found = rows("a,b\r\n\"x\ny\",\"he said \"\"so\"\"\"\r\n\r\nlast,1", Bounds::default());
        assert_eq!(
            found,
            [
                plain(1, "a,b"),
                plain(2, "\"x\ny\",\"he said \"\"so\"\"\""),
                plain(3, ""),
                plain(4, "last,1")
            ]
        );
    }

    #[test]
    fn a_quote_inside_a_cell_opens_nothing() {
        assert_eq!(rows("5\" pipe,b\nc,d\n", Bounds::default()).len(), 2);
    }

    #[test]
    fn an_open_quote_costs_its_own_line_only() {
        let found = rows("a,\"b\nc,d\ne,f\n", Bounds::default());
        assert_eq!(found[0], (1, "a,\"b".to_owned(), Some(LineFault::OpenQuote)));
        assert_eq!(found[1..], [plain(2, "c,d"), plain(3, "e,f")]);
    }

    #[test]
    fn an_open_quote_does_not_reach_into_a_later_quoted_cell() {
        let found = rows("a,\"b\nc,d\ne,\"f\ng\"\nh,i\n", Bounds::default());
        assert_eq!(found[0], (1, "a,\"b".to_owned(), Some(LineFault::OpenQuote)));
        assert_eq!(found[1..], [plain(2, "c,d"), plain(3, "e,\"f\ng\""), plain(4, "h,i")]);
        // Within one line a stray letter behind a quote is read as the csv crate reads it.
        assert_eq!(rows("\"a\"b,c\nd,e\n", Bounds::default()).len(), 2);
    }

    #[test]
    fn a_long_row_is_cut_and_the_next_one_read() {
        let bounds = Bounds { row_bytes_max: 8, ..Bounds::default() };
        let found = rows("aaaaaaaaaaaaaaaaaaaa\nb\n", bounds);
        assert_eq!(found[0].2, Some(LineFault::TooLong));
        assert_eq!(found[1], plain(2, "b"));
    }

    #[test]
    fn a_large_file_is_refused_at_the_bound() {
        let bounds = Bounds { file_bytes_max: 5, ..Bounds::default() };
        let mut lines = Lines::new(Cursor::new(b"a\nb\nc\nd\n".to_vec()), bounds, b',', b'\n');
        let error = loop {
            match lines.next_line() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the file is larger than its bound"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ImportError::TooLarge { max: 5, .. }));
    }
}
