//! What a run says: a line of JSON for each figure, and a table for people at the end.

use super::error::{BenchError, failed};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write;

/// A figure beside what DESIGN §14 wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// Its unit of measure.
    pub unit: &'static str,
    /// The target of DESIGN §14, none where it names none.
    pub target: Option<Target>,
    /// What holds it back, or what it consists of.
    pub holds: String,
}

/// A target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
}

impl Target {
    /// How good a figure is: 1 meets the target, 2 is twice as good.
    pub fn ratio(self, value: f64) -> f64 {
        match self {
            Self::AtLeast(target) => value / target,
            Self::AtMost(target) => target / value,
        }
    }
}

/// All figures of a run.
pub struct Report<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    figures: Vec<Figure>,
}

impl std::fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.figures.fmt(f)
    }
}

impl<'a> Report<'a> {
    /// A report that writes JSON lines to `out`, progress and table to `err`.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self { out, err, figures: Vec::new() }
    }

    /// Says what is being done.
    ///
    /// # Errors
    /// The output is closed.
    pub fn progress(&mut self, text: &str) -> Result<(), BenchError> {
        writeln!(self.err, "{text}").map_err(failed("write progress"))
    }

    /// A line of JSON.
    ///
    /// # Errors
    /// The output is closed.
    pub fn line(&mut self, value: &Value) -> Result<(), BenchError> {
        writeln!(self.out, "{value}").map_err(failed("write a line"))
    }

    /// A figure: a line of JSON now, a row of the table later.
    ///
    /// # Errors
    /// The output is closed.
    pub fn figure(&mut self, figure: Figure) -> Result<(), BenchError> {
        let (bound, target) = match figure.target {
            None => (Value::Null, Value::Null),
            Some(Target::AtLeast(target)) => (json!("at least"), json!(target)),
            Some(Target::AtMost(target)) => (json!("at most"), json!(target)),
        };
        let ratio = figure.target.map(|target| target.ratio(figure.value));
        self.line(&json!({
            "figure": figure.what, "value": figure.value, "unit": figure.unit, "bound": bound,
            "target": target, "ratio": ratio, "holds": figure.holds,
        }))?;
        self.figures.push(figure);
        Ok(())
    }

    /// The table of all figures: target, figure, ratio, and what holds it back.
    ///
    /// # Errors
    /// The output is closed.
    pub fn table(&mut self) -> Result<(), BenchError> {
        let mut text = String::new();
        let widest = self.figures.iter().map(|figure| figure.what.len()).max().unwrap_or(0);
        for figure in &self.figures {
            let target = match figure.target {
                None => "-".to_owned(),
                Some(Target::AtLeast(target)) => format!(">= {}", short(target)),
                Some(Target::AtMost(target)) => format!("<= {}", short(target)),
            };
            let ratio = figure
                .target
                .map_or("-".to_owned(), |target| format!("{:.2}", target.ratio(figure.value)));
            let (what, value, unit) = (&figure.what, short(figure.value), figure.unit);
            let holds = &figure.holds;
            // a String takes all that is written
            let _ = writeln!(
                text,
                "{what:widest$}  {value:>9} {unit:<8} {target:>10}  {ratio:>6}  {holds}"
            );
        }
        write!(self.err, "{text}").map_err(failed("write the table"))
    }
}

/// Three significant digits.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2} M", value / 1e6),
        size if size >= 1e4 => format!("{:.1} k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
