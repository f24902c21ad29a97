//! The report of refused and noted rows: the rows as they were, with what to mend, ready to be mended and
//! imported again. It is the user's own file and the only place where a refused ID number is written.

use super::sheet::RawRow;
use super::{Refusal, text};
use crate::render::words::{self, Lang};
use std::io::{self, Write};

/// The headings the report adds; an import reads over them.
const HEADINGS: [[&str; 2]; 6] = [
    ["导入结果", "import_result"],
    ["原行号", "import_row"],
    ["问题列", "import_column"],
    ["填写的值", "import_value"],
    ["问题", "import_problem"],
    ["改法", "import_mend"],
];

/// Whether a heading is one the report adds.
pub fn is_report_heading(heading: &str) -> bool {
    let plain = text::plain(heading);
    HEADINGS.iter().flatten().any(|known| *known == plain)
}

/// Writes the report, row by row; nothing is written before the first row.
pub struct RefusedWriter<W: Write> {
    sink: Option<W>,
    csv: Option<csv::Writer<W>>,
    header: Vec<String>,
    kept: Vec<usize>,
    lang: Lang,
    rows: u64,
}

impl<W: Write> RefusedWriter<W> {
    /// A report of rows under this header.
    pub fn new(sink: W, header: &[String], lang: Lang) -> Self {
        let kept = (0..header.len()).filter(|place| !is_report_heading(&header[*place])).collect();
        Self { sink: Some(sink), csv: None, header: header.to_vec(), kept, lang, rows: 0 }
    }

    /// How many rows were written.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes one row with all that is wrong with it.
    ///
    /// # Errors
    /// The sink fails.
    pub fn write(&mut self, row: &RawRow, refusals: &[Refusal]) -> io::Result<()> {
        let lang = self.lang;
        let (kept, header) = (self.kept.clone(), self.header.clone());
        let csv = self.opened()?;
        // Cells that do not fit the header may stand under wrong headings: such a row is shown in one
        // cell, so that it cannot go in unmended.
        let cells: Vec<String> = match row.cells.len() == header.len() {
            true => kept.iter().map(|place| guarded(&row.cells[*place])).collect(),
            false => (0..kept.len())
                .map(|at| if at == 0 { guarded(&row.cells.join(",")) } else { String::new() })
                .collect(),
        };
        let join = |part: &dyn Fn(&Refusal) -> String| {
            refusals.iter().map(part).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("；")
        };
        let taken = refusals.iter().all(|refusal| refusal.problem.is_note());
        let added = [
            words::import_result(lang, taken).to_owned(),
            row.row.to_string(),
            join(&|refusal| refusal.column.clone()),
            guarded(&join(&|refusal| refusal.value.clone())),
            join(&|refusal| words::problem(lang, &refusal.problem)),
            join(&|refusal| words::mend(lang, &refusal.problem)),
        ];
        csv.write_record(cells.iter().chain(&added)).map_err(io::Error::other)?;
        self.rows += 1;
        Ok(())
    }

    /// Ends the report and gives the sink back; an empty report has written nothing.
    ///
    /// # Errors
    /// The sink fails.
    pub fn finish(mut self) -> io::Result<Option<W>> {
        match self.csv.take() {
            Some(csv) => {
                csv.into_inner().map(Some).map_err(|error| io::Error::other(error.to_string()))
            }
            None => Ok(self.sink.take()),
        }
    }

    fn opened(&mut self) -> io::Result<&mut csv::Writer<W>> {
        if let Some(mut sink) = self.sink.take() {
            // Spreadsheets read UTF-8 only behind this mark.
            sink.write_all("\u{feff}".as_bytes())?;
            let mut csv = csv::Writer::from_writer(sink);
            let place = usize::from(self.lang == Lang::En);
            let kept = self.kept.iter().map(|place| self.header[*place].as_str());
            let added = HEADINGS.iter().map(|names| names[place]);
            csv.write_record(kept.chain(added)).map_err(io::Error::other)?;
            self.csv = Some(csv);
        }
        self.csv.as_mut().ok_or_else(|| io::Error::other("the report is finished"))
    }
}

/// A cell a spreadsheet will not change when it opens the report: long numbers stay text, and nothing is
/// taken for a formula. The reader takes the wrapping off again.
fn guarded(cell: &str) -> String {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    if digits >= 11 && cell.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return format!("=\"{cell}\"");
    }
    let formula = cell.starts_with(['=', '+', '@']) && !cell.starts_with("=\"");
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::Problem;
    use super::*;

    #[test]
    fn the_report_is_the_row_with_what_to_mend() {
        let header: Vec<String> = ["姓名", "证件号码", "导入结果"].map(String::from).to_vec();
        let mut report = RefusedWriter::new(Vec::new(), &header, Lang::Zh);
        let cells = ["张三", "110105194912310000", "拒收"].map(String::from).to_vec();
        let row = RawRow { row: 7, cells };
        let refusal = Refusal {
            row: 7,
            column: "证件号码".into(),
            value: "110105194912310000".into(),
            problem: Problem::DigitsLost,
        };
        report.write(&row, &[refusal]).unwrap();
        let text = String::from_utf8(report.finish().unwrap().unwrap()).unwrap();
        let mut lines = text.lines();
        assert_eq!(
            lines.next().unwrap(),
            "\u{feff}姓名,证件号码,导入结果,原行号,问题列,填写的值,问题,改法"
        );
        let line = lines.next().unwrap();
        assert!(
            line.starts_with("张三,\"=\"\"110105194912310000\"\"\",拒收,7,证件号码,"),
            "{line}"
        );
        assert!(line.contains("身份证号被存成数字,后三位已丢失,请把该列设为文本后重录"), "{line}");
    }

    #[test]
    fn an_empty_report_writes_nothing() {
        let report = RefusedWriter::new(Vec::new(), &["姓名".to_owned()], Lang::Zh);
        assert_eq!(report.finish().unwrap().unwrap(), b"");
    }
}
