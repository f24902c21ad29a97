//! One run over an import file: typed rows out, refused and noted rows into the report, counts kept.

use super::error::CommandError;
use super::session::Session;
use crate::cli::ImportArgs;
use crate::command_io::{CommandIo, FileSink};
use crate::import::refused::RefusedWriter;
use crate::import::row::{self, Row};
use crate::import::{Bounds, Problem, RawRow, Refusal, Sheet, SheetRow};
use crate::render::{Cell, Table};
use hub_core::time::Day;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::Path;

/// How often progress is shown, in rows.
const PROGRESS_ROWS: u64 = 2_000;

/// What a run does besides reading.
#[derive(Debug, Clone, Default)]
pub struct IntakeOptions {
    /// The file to read.
    pub file: String,
    /// Where refused and noted rows go; beside the file if not stated.
    pub report: Option<String>,
    /// Read and compare, write nothing.
    pub dry_run: bool,
    /// Rows missing from the file end.
    pub complete: bool,
    /// The most megabytes of a file.
    pub max_mb: Option<u64>,
}

impl From<&ImportArgs> for IntakeOptions {
    fn from(typed: &ImportArgs) -> Self {
        Self {
            file: typed.file.clone(),
            report: typed.report.clone(),
            dry_run: typed.dry_run,
            complete: typed.complete,
            max_mb: typed.max_mb,
        }
    }
}

/// A row that was read, with its notes.
#[derive(Debug)]
pub struct Taken<T> {
    /// Its cells.
    pub raw: RawRow,
    /// What it says.
    pub row: T,
    /// What is worth telling of it.
    pub notes: Vec<Refusal>,
}

/// What a row came to against what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It said something new.
    New,
    /// It changed what was known.
    Revised,
    /// It said what was known.
    Unchanged,
}

/// What a row came to, or the column and what is wrong there.
pub type Outcome = Result<Came, (usize, Problem)>;

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows read.
    pub rows: u64,
    /// Rows refused.
    pub refused: u64,
    /// Rows taken and named: unqualified numbers and the like.
    pub noted: u64,
    /// Rows that said something new.
    pub new: u64,
    /// Rows that changed what was known.
    pub revised: u64,
    /// Rows that said what was known.
    pub unchanged: u64,
    /// Known entries of the same unions or units that the file does not have.
    pub missing: u64,
    /// Of those, ended because the file was said to be complete.
    pub ended: u64,
    /// Facts written.
    pub facts: u64,
}

/// An open run.
pub struct Intake<'a> {
    sheet: Sheet<Box<dyn Read + Send>>,
    report: RefusedWriter<LateFile<'a>>,
    report_path: String,
    io: &'a dyn CommandIo,
    today: Day,
    progress: &'static str,
    seen: HashMap<String, u64>,
    /// What it came to so far.
    pub tally: Tally,
}

impl<'a> Intake<'a> {
    /// Opens the file as a table of rows of type `T`.
    ///
    /// # Errors
    /// The file cannot be read or is refused as a whole.
    pub fn open<T: Row>(
        session: &Session<'a>,
        options: &IntakeOptions,
    ) -> Result<Self, CommandError> {
        let size = size_of(session.io, &options.file);
        let source = session
            .io
            .read_file(&options.file)
            .map_err(|error| CommandError::File { path: options.file.clone(), error })?;
        let mut bounds = Bounds::default();
        if let Some(max) = options.max_mb {
            bounds.file_bytes_max = max << 20;
        }
        let sheet = Sheet::open(source, size, T::TABLE, bounds)
            .map_err(|error| CommandError::Import { path: options.file.clone(), error })?;
        let report_path = options.report.clone().unwrap_or_else(|| report_beside(&options.file));
        let late = LateFile { io: session.io, path: report_path.clone(), sink: None };
        let report = RefusedWriter::new(late, sheet.header(), session.lang);
        Ok(Self {
            report,
            report_path,
            sheet,
            io: session.io,
            today: session.today(),
            progress: session.lang.pick("读取", "reading"),
            seen: HashMap::new(),
            tally: Tally::default(),
        })
    }

    /// The next row that can be read; refused ones go to the report on the way.
    ///
    /// # Errors
    /// The file breaks a bound, cannot be read, or the report cannot be written.
    pub fn take<T: Row>(&mut self) -> Result<Option<Taken<T>>, CommandError> {
        loop {
            let next = self.sheet.next_row();
            let next = next.map_err(|error| CommandError::Import { path: String::new(), error })?;
            let Some(next) = next else { return Ok(None) };
            self.tally.rows += 1;
            if self.tally.rows.is_multiple_of(PROGRESS_ROWS) {
                self.io.progress(self.sheet.bytes_read(), None, self.progress);
            }
            let (raw, whole) = match next {
                SheetRow::Row(raw) => (raw, None),
                // Numbers that lost their digits make rows equal: their own fault is told, not that.
                SheetRow::Refused(raw, refusal)
                    if matches!(refusal.problem, Problem::DuplicateRow { .. }) =>
                {
                    (raw, Some(refusal))
                }
                SheetRow::Refused(raw, refusal) => {
                    self.refuse(&raw, &[refusal])?;
                    continue;
                }
            };
            let read = row::read::<T>(&raw, self.sheet.header(), self.sheet.places(), self.today);
            match (read, whole) {
                (Ok((row, notes)), None) => return Ok(Some(Taken { raw, row, notes })),
                (Ok(_), Some(refusal)) => self.refuse(&raw, &[refusal])?,
                (Err(refusals), _) => self.refuse(&raw, &refusals)?,
            }
        }
    }

    /// Notes that this row names this key; the row that named it before, if one did.
    pub fn named_before(&mut self, key: String, row: u64) -> Option<u64> {
        match self.seen.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => Some(*known.get()),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(row);
                None
            }
        }
    }

    /// Refuses a row.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn refuse(&mut self, raw: &RawRow, refusals: &[Refusal]) -> Result<(), CommandError> {
        self.tally.refused += 1;
        self.write(raw, refusals)
    }

    /// Refuses a row that was read, for one more reason found later.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn refuse_taken<T>(
        &mut self,
        taken: &Taken<T>,
        column: usize,
        problem: Problem,
    ) -> Result<(), CommandError> {
        let mut refusals = taken.notes.clone();
        refusals.push(self.refusal(&taken.raw, column, problem));
        self.refuse(&taken.raw, &refusals)
    }

    /// Accepts a row; its notes, if any, go to the report.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn accept<T>(&mut self, taken: &Taken<T>) -> Result<(), CommandError> {
        if taken.notes.is_empty() {
            return Ok(());
        }
        self.tally.noted += 1;
        self.write(&taken.raw, &taken.notes)
    }

    /// Counts and reports what a row came to.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn settle<T>(&mut self, taken: &Taken<T>, outcome: Outcome) -> Result<(), CommandError> {
        match outcome {
            Err((column, problem)) => return self.refuse_taken(taken, column, problem),
            Ok(Came::New) => self.tally.new += 1,
            Ok(Came::Revised) => self.tally.revised += 1,
            Ok(Came::Unchanged) => self.tally.unchanged += 1,
        }
        self.accept(taken)
    }

    /// A problem with a cell of a row.
    pub fn refusal(&self, raw: &RawRow, column: usize, problem: Problem) -> Refusal {
        let place = self.sheet.places().get(column).copied().flatten();
        let heading = place.and_then(|place| self.sheet.header().get(place));
        let value = place.and_then(|place| raw.cells.get(place));
        Refusal {
            row: raw.row,
            column: heading.cloned().unwrap_or_default(),
            value: value.cloned().unwrap_or_default(),
            problem,
        }
    }

    fn write(&mut self, raw: &RawRow, refusals: &[Refusal]) -> Result<(), CommandError> {
        self.report
            .write(raw, refusals)
            .map_err(|error| CommandError::File { path: self.report_path.clone(), error })
    }

    /// Ends the run: the report is made durable, and what the run came to is told.
    ///
    /// # Errors
    /// The report or the screen cannot be written.
    pub fn finish(
        self,
        session: &Session<'_>,
        options: &IntakeOptions,
        import: Option<i32>,
    ) -> Result<Tally, CommandError> {
        let lang = session.lang;
        let columns = [
            ("rows", lang.pick("读取行", "rows")),
            ("new", lang.pick("新增", "new")),
            ("revised", lang.pick("更正", "revised")),
            ("unchanged", lang.pick("未变", "unchanged")),
            ("refused", lang.pick("拒收", "refused")),
            ("noted", lang.pick("待核", "to be checked")),
            ("missing", lang.pick("表中缺少", "missing")),
            ("ended", lang.pick("退出", "ended")),
        ];
        let title = match options.dry_run {
            true => lang.pick("试导入(没有写入任何数据)", "dry run (nothing was written)"),
            false => lang.pick("导入", "import"),
        };
        let mut table = Table::new(title, &columns);
        let tally = self.tally.clone();
        let counts = [
            tally.rows,
            tally.new,
            tally.revised,
            tally.unchanged,
            tally.refused,
            tally.noted,
            tally.missing,
            tally.ended,
        ];
        table.push(counts.map(Cell::count).to_vec());
        let unused = self.sheet.unused().join(lang.pick("、", ", "));
        if !unused.is_empty() {
            table.notes.push(
                lang.pick(format!("未使用的列:{unused}"), format!("unused columns: {unused}")),
            );
        }
        if self.sheet.is_mixed() {
            table.notes.push(lang.pick(
                "文件中混有UTF-8和GB18030两种编码,已逐行识别".to_owned(),
                "the file mixes UTF-8 and GB18030; each row was read in its own".to_owned(),
            ));
        }
        if tally.missing > tally.ended {
            table.notes.push(
                lang.pick(
                    "表中缺少的仍保留;确认名册完整后用 --complete 作退出处理".to_owned(),
                    "what is missing stays; use --complete once the roster is known to be whole"
                        .to_owned(),
                ),
            );
        }
        if self.report.rows() > 0 {
            let path = &self.report_path;
            table.notes.push(lang.pick(
                format!("拒收和待核的行在 {path},改好后可直接再导入"),
                format!("refused and noted rows are in {path}; mend and import it"),
            ));
        }
        if let Some(import) = import {
            table.citation.push((
                "import",
                lang.pick("导入批次", "import").into(),
                import.to_string(),
            ));
        }
        let late = self
            .report
            .finish()
            .map_err(|error| CommandError::File { path: self.report_path.clone(), error })?;
        if let Some(sink) = late.and_then(|late| late.sink) {
            sink.commit()
                .map_err(|error| CommandError::File { path: self.report_path.clone(), error })?;
        }
        session.show(&table)?;
        Ok(tally)
    }
}

/// The size of a file, where its directory tells it: one too large is then refused unread.
fn size_of(io: &dyn CommandIo, file: &str) -> Option<u64> {
    let path = Path::new(file);
    let name = path.file_name()?.to_str()?;
    let parent = path.parent().and_then(Path::to_str).filter(|parent| !parent.is_empty());
    let entries = io.list_directory(parent.unwrap_or(".")).ok()?;
    entries.iter().find(|entry| entry.name == name).map(|entry| entry.bytes)
}

/// `花名册.csv` → `花名册.待改.csv`.
fn report_beside(file: &str) -> String {
    if file == crate::command_io::STANDARD_STREAM {
        return "import.待改.csv".to_owned();
    }
    let stem = file.strip_suffix(".csv").or_else(|| file.strip_suffix(".CSV")).unwrap_or(file);
    // A report that is mended and imported again reports to itself.
    let stem = stem.strip_suffix(".待改").unwrap_or(stem);
    format!("{stem}.待改.csv")
}

/// A file that is made when the first byte is written, so that a run without faults leaves none.
struct LateFile<'a> {
    io: &'a dyn CommandIo,
    path: String,
    sink: Option<Box<dyn FileSink>>,
}

impl Write for LateFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.sink.is_none() {
            self.sink = Some(self.io.create_file(&self.path)?);
        }
        self.sink.as_mut().map_or(Ok(0), |sink| sink.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.as_mut().map_or(Ok(()), |sink| sink.flush())
    }
}
