//! Arguments of the commands that close periods and explain figures.

use super::{BasisArg, ByArg};
use clap::{Args, Subcommand};

/// `hub period`.
#[derive(Debug, Clone, Subcommand)]
pub enum PeriodCommand {
    /// Close a period for a unit; what is open is listed first and has to be acknowledged
    Close(PeriodClose),
}

/// `hub period close`.
#[derive(Debug, Clone, Args)]
pub struct PeriodClose {
    /// The period: 2026 is the statistical year that ends with September 2026
    pub period: String,
    /// The unit, by name, path or code; this node's own if not given
    #[arg(long)]
    pub unit: Option<String>,
    /// List only, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Acknowledge so many missing reports
    #[arg(long, value_name = "N")]
    pub accept_missing: Option<u64>,
    /// Acknowledge so many open cases
    #[arg(long, value_name = "N")]
    pub accept_cases: Option<u64>,
    /// Acknowledge so many units with more members than employees
    #[arg(long, value_name = "N")]
    pub accept_over: Option<u64>,
    /// Acknowledge so many units of unknown headcount
    #[arg(long, value_name = "N")]
    pub accept_unknown: Option<u64>,
    /// Answer each point with yes or no instead
    #[arg(long)]
    pub ask: bool,
    /// Why a closed period is closed again; it gets the next revision
    #[arg(long)]
    pub reopen: Option<String>,
}

/// `hub explain`.
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// The unit, by name, path or code; this node's own if not given
    #[arg(long)]
    pub unit: Option<String>,
    /// Which rate or count
    #[arg(long, default_value = "founding.unit")]
    pub indicator: String,
    /// Which units are due
    #[arg(long, default_value = "due")]
    pub base: String,
    /// The day asked for; today if not given
    #[arg(long)]
    pub as_of: Option<String>,
    /// Each employer under its parent of this day; then means the day asked for
    #[arg(long, default_value = "then")]
    pub boundaries: String,
    /// As known then: at the newest checkpoint not later
    #[arg(long, value_name = "TIME", conflicts_with = "published")]
    pub known_at: Option<String>,
    /// Published against current: the difference by cause
    #[arg(long, value_name = "PERIOD")]
    pub published: Option<String>,
    /// One part of the answer a what
    #[arg(long, value_enum, conflicts_with = "published")]
    pub by: Option<ByArg>,
    /// Numbers of the books, or as declared
    #[arg(long, value_enum, default_value = "registry", conflicts_with = "published")]
    pub basis: BasisArg,
    /// Every fact, and every member by pseudonym; names only of this node's own books
    #[arg(long)]
    pub full: bool,
}
