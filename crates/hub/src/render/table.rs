//! One table, three forms: for the eye (columns aligned by display width), CSV, JSON.
//!
//! Numbers are written whole and unrounded in CSV and JSON; a rate is always written beside what it was
//! made of, so no form invents precision.

use super::words::Lang;
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For the eye.
    #[default]
    Table,
    /// JSON, one object.
    Json,
    /// CSV with a header, UTF-8 with the mark spreadsheets need.
    Csv,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A code for scripts, and the words for it.
    Coded(&'static str, &'static str),
    /// Words under so many steps of indentation, for trees.
    Indented(u8, String),
    /// A count, or money in fen.
    Count(i64),
    /// A numerator over a denominator, shown in percent.
    Rate {
        /// Over the line.
        numerator: u64,
        /// Under the line; 0 is no base.
        denominator: u64,
    },
    /// A rate that cannot be given, and why: 无基数, 基数不足, 登记前无数据.
    NoRate(String),
    /// Not known, not reported, not yet computed: never 0.
    Missing,
}

impl Cell {
    /// A text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A count cell; beyond 63 bits it cannot be a count of anything here.
    pub fn count(count: u64) -> Self {
        i64::try_from(count).map_or(Self::Missing, Self::Count)
    }

    /// A count that may be unknown.
    pub fn maybe_count(count: Option<u64>) -> Self {
        count.map_or(Self::Missing, Self::count)
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in JSON and for scripts.
    pub key: &'static str,
    /// Its heading.
    pub heading: String,
}

/// A table with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// What it shows, above it.
    pub title: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each as long as the columns.
    pub rows: Vec<Vec<Cell>>,
    /// Remarks below it.
    pub notes: Vec<String>,
    /// The citation (凭据): key for scripts, name, value; printed with every form.
    pub citation: Vec<(&'static str, String, String)>,
}

impl Table {
    /// An empty table of these columns: key and heading.
    pub fn new(title: impl Into<String>, columns: &[(&'static str, &str)]) -> Self {
        Self {
            title: title.into(),
            columns: columns
                .iter()
                .map(|(key, heading)| Column { key, heading: (*heading).to_owned() })
                .collect(),
            ..Self::default()
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// Writes the table in a form.
    pub fn render(&self, format: Format, lang: Lang) -> String {
        match format {
            Format::Table => self.for_the_eye(lang),
            Format::Json => self.as_json(),
            Format::Csv => self.as_csv(lang),
        }
    }

    fn for_the_eye(&self, lang: Lang) -> String {
        let mut text = String::new();
        if !self.title.is_empty() {
            text.push_str(&self.title);
            text.push_str("\n\n");
        }
        let shown: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| shown(cell, lang)).collect())
            .collect();
        let headings: Vec<&str> = self.columns.iter().map(|c| c.heading.as_str()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = shown.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
                cells.chain([headings[column].width()]).max().unwrap_or(0)
            })
            .collect();
        // A column of numbers stands right, one of words left.
        let right: Vec<bool> = (0..self.columns.len())
            .map(|column| {
                let words = |row: &Vec<Cell>| {
                    matches!(
                        row.get(column),
                        Some(Cell::Text(_) | Cell::Coded(..) | Cell::Indented(..))
                    )
                };
                !self.rows.is_empty() && !self.rows.iter().any(words)
            })
            .collect();
        line(&mut text, &headings, &widths, &right);
        let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        line(&mut text, &rules, &widths, &right);
        for row in &shown {
            line(&mut text, row, &widths, &right);
        }
        for note in &self.notes {
            text.push_str(lang.pick("注:", "Note: "));
            text.push_str(note);
            text.push('\n');
        }
        if !self.citation.is_empty() {
            text.push('\n');
            text.push_str(lang.pick("凭据", "Citation"));
            text.push('\n');
            let width = self.citation.iter().map(|(_, name, _)| name.width()).max().unwrap_or(0);
            for (_, name, value) in &self.citation {
                text.push_str("  ");
                pad(&mut text, name, width, false);
                text.push_str("  ");
                text.push_str(value);
                text.push('\n');
            }
        }
        text
    }

    fn as_json(&self) -> String {
        let row = |cells: &Vec<Cell>| {
            let pairs = self.columns.iter().zip(cells);
            Value::Object(pairs.map(|(c, cell)| (c.key.to_owned(), value(cell))).collect())
        };
        let citation: Map<String, Value> = self
            .citation
            .iter()
            .map(|(key, _, value)| ((*key).to_owned(), Value::from(value.as_str())))
            .collect();
        let whole = json!({
            "title": self.title,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "notes": self.notes,
            "citation": citation,
        });
        format!("{whole:#}\n")
    }

    fn as_csv(&self, lang: Lang) -> String {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let mut write = |cells: Vec<String>| {
            // Memory takes every record; a flexible writer takes any length.
            let _ = writer.write_record(cells);
        };
        write(self.columns.iter().map(|column| column.heading.clone()).collect());
        for row in &self.rows {
            write(row.iter().map(|cell| bare(cell, lang)).collect());
        }
        for note in &self.notes {
            write(vec![lang.pick("注", "note").to_owned(), note.clone()]);
        }
        for (_, name, value) in &self.citation {
            write(vec![name.clone(), value.clone()]);
        }
        let bytes = writer.into_inner().unwrap_or_default();
        format!("\u{feff}{}", String::from_utf8_lossy(&bytes))
    }
}

/// A count with its thousands apart.
pub fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if count < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate in percent with one decimal, rounded half up. A rate below the whole is never shown as 100.0 %,
/// nor one above nothing as 0.0 %: those two are statements of their own.
pub fn percent(numerator: u64, denominator: u64) -> Option<String> {
    if denominator == 0 {
        return None;
    }
    let (numerator, denominator) = (u128::from(numerator), u128::from(denominator));
    let tenths = (numerator * 2_000 + denominator) / (denominator * 2);
    let tenths = match tenths {
        1_000 if numerator < denominator => 999,
        1_000 if numerator > denominator => 1_001,
        0 if numerator > 0 => 1,
        other => other,
    };
    Some(format!("{}.{}%", tenths / 10, tenths % 10))
}

fn no_base(lang: Lang) -> &'static str {
    lang.pick("无基数", "no base")
}

fn shown(cell: &Cell, lang: Lang) -> String {
    match cell {
        Cell::Text(text) | Cell::NoRate(text) => text.clone(),
        Cell::Coded(_, words) => (*words).to_owned(),
        Cell::Indented(steps, text) => format!("{}{text}", "  ".repeat(usize::from(*steps))),
        Cell::Count(count) => grouped(*count),
        Cell::Rate { numerator, denominator } => {
            percent(*numerator, *denominator).unwrap_or_else(|| no_base(lang).to_owned())
        }
        Cell::Missing => "–".to_owned(),
    }
}

fn bare(cell: &Cell, lang: Lang) -> String {
    match cell {
        Cell::Count(count) => count.to_string(),
        Cell::Missing => String::new(),
        Cell::Coded(_, words) => (*words).to_owned(),
        Cell::Indented(_, text) => text.clone(),
        other => shown(other, lang),
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Coded(code, _) => Value::from(*code),
        Cell::Text(text) | Cell::Indented(_, text) => Value::from(text.as_str()),
        Cell::Count(count) => Value::from(*count),
        Cell::Rate { numerator, denominator } => {
            json!({"numerator": numerator, "denominator": denominator, "percent": percent(*numerator, *denominator)})
        }
        Cell::NoRate(reason) => json!({"percent": null, "reason": reason}),
        Cell::Missing => Value::Null,
    }
}

fn line<T: AsRef<str>>(text: &mut String, cells: &[T], widths: &[usize], right: &[bool]) {
    let before = text.len();
    for (column, cell) in cells.iter().enumerate() {
        if column > 0 {
            text.push_str("  ");
        }
        pad(text, cell.as_ref(), widths[column], right[column]);
    }
    let end = text[before..].trim_end().len();
    text.truncate(before + end);
    text.push('\n');
}

/// Pads to a display width: a Chinese character takes two columns.
fn pad(text: &mut String, cell: &str, width: usize, right: bool) {
    let blank = " ".repeat(width.saturating_sub(cell.width()));
    if right {
        text.push_str(&blank);
        text.push_str(cell);
    } else {
        text.push_str(cell);
        text.push_str(&blank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = [("unit", "单位"), ("unions", "已建"), ("rate", "组建率"), ("low", "下限")];
        let mut table = Table::new("组建率", &columns);
        let rate = Cell::Rate { numerator: 1_599, denominator: 3_261 };
        table.push(vec![Cell::text("黑河市"), Cell::Count(3_261), rate, Cell::Missing]);
        let none = Cell::Rate { numerator: 0, denominator: 0 };
        table.push(vec![Cell::Indented(1, "爱辉区".into()), Cell::Count(7), none, Cell::Missing]);
        table.notes.push("有 2 个单位待上级核定".into());
        table.citation.push(("digest", "校验码".into(), "ab12".into()));
        table
    }

    #[test]
    fn columns_align_by_what_the_eye_sees() {
        let expected = "\
组建率

单位       已建  组建率  下限
────────  ─────  ──────  ────
黑河市    3,261   49.0%     –
  爱辉区      7  无基数     –
注:有 2 个单位待上级核定

凭据
  校验码  ab12
";
        assert_eq!(table().render(Format::Table, Lang::Zh), expected);
    }

    #[test]
    fn scripts_get_numbers() {
        let json: Value = serde_json::from_str(&table().render(Format::Json, Lang::Zh)).unwrap();
        assert_eq!(json["rows"][0]["unions"], 3_261);
        assert_eq!(json["rows"][0]["rate"]["numerator"], 1_599);
        assert_eq!(json["rows"][1]["rate"]["percent"], Value::Null);
        assert_eq!(json["rows"][0]["low"], Value::Null);
        assert_eq!(json["citation"]["digest"], "ab12");
        let csv = table().render(Format::Csv, Lang::Zh);
        assert!(csv.starts_with("\u{feff}单位,已建,组建率,下限\n黑河市,3261,49.0%,\n"), "{csv}");
        assert!(csv.ends_with("校验码,ab12\n"));
    }

    #[test]
    fn a_rate_never_rounds_into_all_or_nothing() {
        assert_eq!(percent(39, 41).unwrap(), "95.1%");
        assert_eq!(percent(10, 79).unwrap(), "12.7%");
        assert_eq!(percent(3_261, 3_261).unwrap(), "100.0%");
        assert_eq!(percent(9_999, 10_000).unwrap(), "99.9%");
        assert_eq!(percent(1, 10_000).unwrap(), "0.1%");
        assert_eq!(percent(0, 5).unwrap(), "0.0%");
        assert_eq!(percent(10_001, 10_000).unwrap(), "100.1%");
        assert_eq!(percent(u64::MAX, u64::MAX).unwrap(), "100.0%");
        assert_eq!(percent(1, 0), None);
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(grouped(100), "100");
    }
}
