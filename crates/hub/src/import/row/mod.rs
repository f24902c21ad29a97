//! Typed rows: what one row of each kind of table says.
//!
//! A row reader takes cells and the day of today, and gives the row with its notes, or everything that is
//! wrong with it at once, so that a mended row is not refused a second time for a second cell.

pub mod approval;
pub mod branch;
pub mod figure;
pub mod member;
pub mod ruling;
pub mod succession;
pub mod unit;

use super::date::{self, Dated};
use super::sheet::{RawRow, TableSpec};
use super::{Problem, Refusal, text};
use hub_core::check_digit::is_uscc;
use hub_core::time::Day;

pub use approval::ApprovalRow;
pub use branch::BranchRow;
pub use figure::FigureRow;
pub use member::MemberRow;
pub use ruling::RulingRow;
pub use succession::SuccessionRow;
pub use unit::UnitRow;

/// A kind of row.
pub trait Row: Sized {
    /// The table it stands in.
    const TABLE: &'static TableSpec;

    /// Reads a row. What is wrong or worth telling is said to `cells`; `None` when the row is refused.
    fn read(cells: &mut Cells<'_>, today: Day) -> Option<Self>;
}

/// The cells of one row by column, and what was found wrong with them.
pub struct Cells<'a> {
    row: &'a RawRow,
    header: &'a [String],
    places: &'a [Option<usize>],
    refusals: Vec<Refusal>,
}

/// Reads one row.
///
/// # Errors
/// Everything that is wrong with it, and its notes.
pub fn read<T: Row>(
    row: &RawRow,
    header: &[String],
    places: &[Option<usize>],
    today: Day,
) -> Result<(T, Vec<Refusal>), Vec<Refusal>> {
    let mut cells = Cells { row, header, places, refusals: Vec::new() };
    let read = T::read(&mut cells, today);
    match read.filter(|_| cells.refusals.iter().all(|refusal| refusal.problem.is_note())) {
        Some(read) => Ok((read, cells.refusals)),
        None => Err(cells.refusals),
    }
}

impl Cells<'_> {
    /// The row's number.
    pub fn row(&self) -> u64 {
        self.row.row
    }

    /// The cell as the file has it; empty where the file has no such column.
    pub fn raw(&self, column: usize) -> &str {
        let place = self.places.get(column).copied().flatten();
        place.and_then(|place| self.row.cells.get(place)).map_or("", String::as_str)
    }

    /// Whether the cell says nothing.
    pub fn is_blank(&self, column: usize) -> bool {
        text::is_blank(self.raw(column))
    }

    /// Notes a problem with a cell.
    pub fn fault(&mut self, column: usize, problem: Problem) {
        let place = self.places.get(column).copied().flatten();
        let heading = place.and_then(|place| self.header.get(place)).cloned().unwrap_or_default();
        let value = self.raw(column).to_owned();
        self.refusals.push(Refusal { row: self.row.row, column: heading, value, problem });
    }

    /// A name; `None` where blank.
    pub fn name(&mut self, column: usize) -> Option<String> {
        if self.is_blank(column) {
            return None;
        }
        let name = text::name(self.raw(column));
        let max = hub_core::fact::TEXT_BYTES_MAX;
        if name.len() > max {
            self.fault(column, Problem::CellTooLong { max });
            return None;
        }
        Some(name)
    }

    /// A name that must be there.
    pub fn required_name(&mut self, column: usize) -> Option<String> {
        if self.is_blank(column) {
            self.fault(column, Problem::Blank);
        }
        self.name(column)
    }

    /// A cell read by a function of its plain text; `None` where blank or wrong.
    pub fn with<T>(
        &mut self,
        column: usize,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        if self.is_blank(column) {
            return None;
        }
        match read(&text::plain(self.raw(column))) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault(column, problem);
                None
            }
        }
    }

    /// A day of what has happened: not after `today`.
    pub fn past_day(&mut self, column: usize, today: Day) -> Option<Dated> {
        let dated = self.with(column, date::parse)?;
        if dated.day > today {
            self.fault(column, Problem::FutureDay { latest: today });
            return None;
        }
        if date::may_be_october(self.raw(column)) {
            self.fault(column, Problem::PerhapsOctober);
        }
        Some(dated)
    }

    /// A 统一社会信用代码: the code and whether its check digit is right; `None` where blank or no code
    /// at all.
    pub fn uscc(&mut self, column: usize) -> Option<(String, bool)> {
        if self.is_blank(column) {
            return None;
        }
        let code = text::code(self.raw(column));
        let fits = self.uscc_shape(column, &code);
        fits.then(|| {
            let qualified = is_uscc(&code);
            if !qualified {
                self.fault(column, Problem::UsccCheckDigit);
            }
            (code, qualified)
        })
    }

    /// Whether a code has the length and characters of one; says so if not.
    pub fn uscc_shape(&mut self, column: usize, code: &str) -> bool {
        let plain = text::plain(self.raw(column));
        let scientific = plain.contains(['.', '+']) && plain.contains(['E', 'e']);
        let lost =
            code.len() == 18 && code.ends_with("000") && code.bytes().all(|b| b.is_ascii_digit());
        if scientific || lost && !is_uscc(code) {
            self.fault(column, Problem::DigitsLost);
            return false;
        }
        if let Some(found) = code.chars().find(|c| !c.is_ascii_alphanumeric()) {
            self.fault(column, Problem::Character { found });
            return false;
        }
        if code.len() != 18 {
            self.fault(column, Problem::Length { expected: "18", found: code.len() });
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests;
