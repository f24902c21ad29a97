//! The arguments of every command.

use crate::render::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
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
    /// Take an import or a fact back
    Undo(Undo),
    /// Ask for rates and counts
    #[command(subcommand)]
    Query(QueryCommand),
    /// Where this node stands and what has arrived above
    Status,
    /// Found a federation (province)
    Init(Init),
    /// Join this node to the one above, or admit one below
    #[command(subcommand)]
    Enrol(EnrolCommand),
    /// Run the daemon
    Run,
    /// Copy everything of this node into a directory
    Backup(Directory),
    /// Put a backup into a new data directory
    Restore(Directory),
    /// The log: every fact
    #[command(subcommand)]
    Log(LogCommand),
    /// Prove or refute what this node says
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Operations
    #[command(subcommand)]
    Ops(OpsCommand),
}

/// Options of every import.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The CSV file; - reads standard input
    pub file: String,
    /// Compare only, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The file is whole: what it lacks has ended
    #[arg(long)]
    pub complete: bool,
    /// Where refused rows go; beside the file if not given
    #[arg(long, value_name = "FILE")]
    pub report: Option<String>,
    /// The most megabytes of a file
    #[arg(long, value_name = "MB")]
    pub max_mb: Option<u64>,
}

/// `hub unit`.
#[derive(Debug, Clone, Subcommand)]
pub enum UnitCommand {
    /// Import a list of divisions, committees or employers
    Import {
        /// What to import
        #[command(flatten)]
        import: ImportArgs,
        /// Year of the list of divisions; this year if not given
        #[arg(long, value_name = "YEAR")]
        list_year: Option<u16>,
    },
    /// Register one unit
    Register {
        /// Name of the unit
        #[arg(long)]
        name: String,
        /// Its code: social credit code or division code
        #[arg(long, default_value = "")]
        code: String,
        /// The unit it reports to; this node's own if not given
        #[arg(long, default_value = "")]
        parent: String,
        /// Kind of the unit; an employer if not given
        #[arg(long, default_value = "")]
        kind: String,
        /// Its level
        #[arg(long, default_value = "")]
        level: String,
        /// The territory it lies in
        #[arg(long, default_value = "")]
        located_in: String,
        /// Number of employees
        #[arg(long, default_value = "")]
        employees: String,
        /// Effective day; today if not given
        #[arg(long, default_value = "")]
        day: String,
    },
    /// Move a unit under another parent
    Move {
        /// The unit, by name, path or code
        unit: String,
        /// The new parent
        #[arg(long)]
        parent: Option<String>,
        /// The new territory it lies in
        #[arg(long)]
        located_in: Option<String>,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// Close a unit
    Close {
        /// The unit, by name, path or code
        unit: String,
        /// Why
        #[arg(long, default_value = "注销")]
        reason: String,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
}

/// `hub branch`.
#[derive(Debug, Clone, Subcommand)]
pub enum BranchCommand {
    /// Import existing unions or applications
    Import(ImportArgs),
    /// Apply to found a union
    Apply {
        /// Name of the union
        #[arg(long)]
        name: String,
        /// Kind of the union
        #[arg(long, default_value = "单独")]
        kind: String,
        /// Its unit, by name, path or code
        #[arg(long)]
        unit: String,
        /// The unit applied to; the next above if not given
        #[arg(long)]
        to: Option<String>,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// Approve applications, one or by file
    Approve {
        /// The union, by name, path or code
        #[arg(required_unless_present = "file")]
        branch: Option<String>,
        /// Number of the approving document
        #[arg(long)]
        document: Option<String>,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
        /// A CSV file of many decisions
        #[arg(long, conflicts_with_all = ["branch", "document", "day"], value_name = "FILE")]
        file: Option<String>,
        /// Compare only, write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Refuse an application
    Refuse {
        /// The union, by name, path or code
        branch: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// State that a union was founded
    Found {
        /// The union, by name, path or code
        branch: String,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// State that a committee was elected
    Elect {
        /// The union, by name, path or code
        branch: String,
        /// Term in years, 3 or 5
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(3..=5))]
        term: u8,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// State the women's organisation of a union
    Women {
        /// The union, by name, path or code
        branch: String,
        /// Committee or officer
        #[arg(long)]
        form: String,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// Cover a unit, or end covering it
    Cover {
        /// The union, by name, path or code
        branch: String,
        /// The unit, by name, path or code
        unit: String,
        /// End the coverage
        #[arg(long)]
        end: bool,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// Dissolve a union
    Dissolve {
        /// The union, by name, path or code
        branch: String,
        /// Why
        #[arg(long, default_value = "注销")]
        reason: String,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
}

/// A person as a cadre names one.
#[derive(Debug, Clone, Args)]
pub struct PersonArgs {
    /// Number of the ID document
    #[arg(long)]
    pub number: String,
    /// Kind of the document; ID card if not given
    #[arg(long, default_value = "")]
    pub document: String,
    /// The union, by name, path or code
    #[arg(long)]
    pub branch: String,
    /// Effective day; today if not given
    #[arg(long)]
    pub day: Option<String>,
}

/// `hub member`.
#[derive(Debug, Clone, Subcommand)]
pub enum MemberCommand {
    /// Import a roster
    Import {
        /// What to import
        #[command(flatten)]
        import: ImportArgs,
        /// The union of rows that name none
        #[arg(long)]
        branch: Option<String>,
        /// With --complete: why the missing ended
        #[arg(long, default_value = "退会")]
        reason: String,
    },
    /// A person joins
    Join {
        /// Who and where
        #[command(flatten)]
        person: PersonArgs,
        /// Name of the person
        #[arg(long)]
        name: String,
        /// The employer, by name, path or code
        #[arg(long)]
        employer: Option<String>,
        /// What the membership rests on
        #[arg(long, default_value = "花名册")]
        evidence: String,
    },
    /// A member transfers in from another union, or out
    Transfer {
        /// Who and where
        #[command(flatten)]
        person: PersonArgs,
        /// Name of the person
        #[arg(long, default_value = "")]
        name: String,
        /// Transfer out instead of in
        #[arg(long)]
        out: bool,
        /// The other union
        #[arg(long)]
        other: Option<String>,
        /// What the membership rests on
        #[arg(long, default_value = "花名册")]
        evidence: String,
    },
    /// Retain a membership
    Retain {
        /// Who and where
        #[command(flatten)]
        person: PersonArgs,
        /// Why
        #[arg(long, default_value = "退休")]
        reason: String,
    },
    /// End a membership
    Leave {
        /// Who and where
        #[command(flatten)]
        person: PersonArgs,
        /// Why
        #[arg(long, default_value = "退会")]
        reason: String,
    },
}

/// `hub figure`.
#[derive(Debug, Clone, Subcommand)]
pub enum FigureCommand {
    /// File figures from a CSV file
    Report(ImportArgs),
}

/// `hub undo`.
#[derive(Debug, Clone, Args)]
pub struct Undo {
    /// The number of an import, or the name of a fact as hub log shows it
    #[arg(required_unless_present = "last")]
    pub what: Option<String>,
    /// The last import of this node
    #[arg(long, conflicts_with = "what")]
    pub last: bool,
    /// Why
    #[arg(long, default_value = "录入错误")]
    pub reason: String,
}

/// `hub query`.
#[derive(Debug, Clone, Subcommand)]
pub enum QueryCommand {
    /// A rate or count of a unit
    Coverage(Coverage),
}

/// `hub query coverage`.
#[derive(Debug, Clone, Args)]
pub struct Coverage {
    /// The unit, by name, path or code; this node's own if not given
    #[arg(long)]
    pub unit: Option<String>,
    /// Which rate or count
    #[arg(long, default_value = "founding.unit")]
    pub indicator: String,
    /// One row for each child, or group
    #[arg(long, value_enum)]
    pub by: Option<ByArg>,
    /// The day asked for; today if not given
    #[arg(long)]
    pub as_of: Option<String>,
    /// Each employer under its parent of this day; then means the day asked for
    #[arg(long, default_value = "then")]
    pub boundaries: String,
    /// A day to compare with
    #[arg(long)]
    pub compare: Option<String>,
    /// Which units are due
    #[arg(long, default_value = "due")]
    pub base: String,
}

/// One row a what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ByArg {
    /// Child of the unit
    Child,
    /// Ownership
    Ownership,
    /// Industry
    Industry,
    /// Headcount band
    Headcount,
}

/// `hub init`.
#[derive(Debug, Clone, Args)]
pub struct Init {
    /// Name of the province
    #[arg(long)]
    pub province: String,
    /// Its division code
    #[arg(long)]
    pub code: String,
    /// Year of the list the code is from; this year if not given
    #[arg(long, value_name = "YEAR")]
    pub list_year: Option<u16>,
}

/// `hub enrol`.
#[derive(Debug, Clone, Subcommand)]
pub enum EnrolCommand {
    /// Make a request for the node above
    Request {
        /// The unit this node is to serve, by name, path or code
        #[arg(long)]
        unit: String,
        /// The federation's root key, as the node above reads it out
        #[arg(long, value_name = "KEY")]
        root: String,
        /// The one-time token of the node above, if it gave one
        #[arg(long, default_value = "")]
        token: String,
        /// Where the request goes
        #[arg(long, value_name = "FILE")]
        out: String,
    },
    /// Admit a node below
    Approve {
        /// The request
        file: String,
        /// The unit, if it is to be another than the request names
        #[arg(long)]
        unit: Option<String>,
        /// Days until renewal
        #[arg(long, default_value_t = 730)]
        days: u32,
        /// Hand the person key over, which a node needs to enter members; by default from county up
        #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
        person_key: Option<bool>,
        /// Let the node admit others; by default from township up
        #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
        may_delegate: Option<bool>,
        /// Where the answer goes
        #[arg(long, value_name = "FILE")]
        out: String,
    },
    /// Take the answer of the node above
    Accept {
        /// The answer
        file: String,
        /// The NATS server of the node above; bundles if not given
        #[arg(long)]
        url: Option<String>,
        /// A PEM file that vouches for that server
        #[arg(long, value_name = "FILE")]
        tls_ca: Option<PathBuf>,
    },
}

/// A directory.
#[derive(Debug, Clone, Args)]
pub struct Directory {
    /// The directory
    pub dir: PathBuf,
}

/// `hub log`.
#[derive(Debug, Clone, Subcommand)]
pub enum LogCommand {
    /// The latest facts in words
    Show {
        /// How many
        #[arg(long, default_value_t = 20)]
        last: usize,
        /// Only facts of this kind
        #[arg(long)]
        kind: Option<String>,
        /// Only facts that do not count
        #[arg(long)]
        parked: bool,
    },
    /// Every fact with its block and verdict, one JSON object a line
    Export {
        /// Where it goes; - is standard output
        #[arg(long, default_value = "-", value_name = "FILE")]
        out: String,
        /// One JSON object a line (the only form there is)
        #[arg(long)]
        jsonl: bool,
    },
    /// Check the journal and build its index anew
    Repair,
}

/// `hub audit`.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Every block, chain and signature
    Verify(Audited),
    /// Fold everything again and compare
    Replay(Audited),
}

/// What is audited.
#[derive(Debug, Clone, Args)]
pub struct Audited {
    /// Data directories or bundles; this node's own if none
    pub from: Vec<String>,
    /// The federation's root key; with a directory of another, give what you trust
    #[arg(long, value_name = "KEY")]
    pub root: Option<String>,
}

/// `hub ops`.
#[derive(Debug, Clone, Subcommand)]
pub enum OpsCommand {
    /// Write the configuration of the NATS server for the children
    NatsConfig {
        /// Where the server listens
        #[arg(long, value_name = "ADDRESS")]
        listen: String,
        /// Where the configuration goes
        #[arg(long, value_name = "FILE")]
        out: String,
    },
}
