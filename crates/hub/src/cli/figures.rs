//! Arguments of `hub figure`, `hub findings` and `hub missing`.

use super::ImportArgs;
use clap::{Args, Subcommand};

/// `hub figure`.
#[derive(Debug, Clone, Subcommand)]
pub enum FigureCommand {
    /// File figures from a CSV file
    Report(ImportArgs),
    /// Show reports, what became of them, and the books beside them
    Show {
        /// The unit, by name, path or code; this node's own if not given
        #[arg(long)]
        unit: Option<String>,
        /// The period: 2026 or 2026-05
        #[arg(long)]
        period: String,
    },
    /// Send a report back; it leaves totals until it is corrected
    Return(Decided),
    /// Approve a report
    Approve(Decided),
}

/// The report a superior decides on.
#[derive(Debug, Clone, Args)]
pub struct Decided {
    /// The unit that filed it, by name, path or code
    pub unit: String,
    /// Number of the form
    #[arg(long, default_value_t = 1)]
    pub form: u32,
    /// The period: 2026 or 2026-05
    #[arg(long)]
    pub period: String,
    /// Its revision; the one that stands if not given
    #[arg(long)]
    pub revision: Option<u32>,
    /// The residual figure the unit filed for others
    #[arg(long)]
    pub residual: bool,
    /// Why; a return needs it
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `hub findings`.
#[derive(Debug, Clone, Args)]
pub struct Findings {
    /// The unit, by name, path or code; this node's own if not given
    #[arg(long)]
    pub unit: Option<String>,
    /// The day asked for; today if not given
    #[arg(long)]
    pub as_of: Option<String>,
    /// Only findings of this code, e.g. rate-differs
    #[arg(long)]
    pub kind: Option<String>,
    /// What is only worth knowing too
    #[arg(long)]
    pub notes: bool,
}

/// `hub missing`.
#[derive(Debug, Clone, Args)]
pub struct Missing {
    /// The unit, by name, path or code; this node's own if not given
    #[arg(long)]
    pub unit: Option<String>,
    /// The period: 2026 or 2026-05
    #[arg(long)]
    pub period: String,
    /// Number of the form; all that are due if not given
    #[arg(long)]
    pub form: Option<u32>,
}
