//! The commands, and what all of them may be told.

use super::{
    AuditCommand, BackupFile, BranchCommand, BundleCommand, CasesCommand, ClockCommand,
    EnrolCommand, Explain, FigureCommand, Findings, FollowCommand, ForkCommand, Init, LogCommand,
    MemberCommand, Missing, OpsCommand, PeriodCommand, QueryCommand, Undo, UnitCommand,
};
use crate::render::Format;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Union membership and founding across the levels of a federation
#[derive(Debug, Clone, Parser)]
#[command(name = "hub", version, disable_help_subcommand = true, infer_subcommands = false)]
pub struct Cli {
    /// The node's data directory; HUB_DATA if not given
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Form of the output
    #[arg(long, global = true, value_enum, default_value = "table")]
    pub format: Format,
    /// Language of messages
    #[arg(long, global = true, value_enum, default_value = "zh")]
    pub lang: LangArg,
    /// Number of the post that enters facts
    #[arg(long, global = true, default_value_t = 0, value_name = "N")]
    pub operator: u32,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LangArg {
    /// Chinese
    Zh,
    /// English
    En,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Units: import lists, move, close
    #[command(subcommand)]
    Unit(UnitCommand),
    /// Unions: import, apply, approve, found, elect
    #[command(subcommand)]
    Branch(BranchCommand),
    /// Members: import rosters, join, transfer, retain, leave
    #[command(subcommand)]
    Member(MemberCommand),
    /// Declared figures
    #[command(subcommand)]
    Figure(FigureCommand),
    /// What somebody should look at: rates that do not follow, parts over wholes, overdue elections
    Findings(Findings),
    /// Who has not reported for a period, with a text to paste
    Missing(Missing),
    /// Take an import or a fact back
    Undo(Undo),
    /// Conflicts: who stands against whom; object, rule, take back
    #[command(subcommand)]
    Cases(CasesCommand),
    /// Ask for rates and counts
    #[command(subcommand)]
    Query(QueryCommand),
    /// Close a period, so that its figures stay as they were published
    #[command(subcommand)]
    Period(PeriodCommand),
    /// From a figure to the facts behind it, or why it is not what was published
    Explain(Explain),
    /// State now what this node holds, so that what was known can be asked for later
    Checkpoint,
    /// Where this node stands and what has arrived above
    Status,
    /// Found a federation (province)
    Init(Init),
    /// Join this node to the one above, or admit one below
    #[command(subcommand)]
    Enrol(EnrolCommand),
    /// The clock: a node whose clock ran ahead signs again
    #[command(subcommand)]
    Clock(ClockCommand),
    /// A standby or an auditor's copy: a directory that follows one node's journal
    #[command(subcommand)]
    Follow(FollowCommand),
    /// Run the daemon
    Run {
        /// The configuration; hub.toml of the data directory if not given
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Exchange by files instead of a network
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Copy everything of this node into one file; it holds the keys
    Backup(BackupFile),
    /// Put a backup into a new data directory
    Restore(BackupFile),
    /// The log: every fact
    #[command(subcommand)]
    Log(LogCommand),
    /// Nodes that signed twice: list, prove, settle
    #[command(subcommand)]
    Fork(ForkCommand),
    /// Prove or refute what this node says
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Operations
    #[command(subcommand)]
    Ops(OpsCommand),
}
