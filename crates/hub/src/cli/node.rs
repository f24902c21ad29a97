//! Arguments of the commands that ask, audit, and keep a node.

use clap::{Args, Subcommand, ValueEnum};
use hub_core::query::{Basis, By};
use std::path::PathBuf;

/// `hub query`.
#[derive(Debug, Clone, Subcommand)]
pub enum QueryCommand {
    /// A rate or count of a unit
    Coverage(Coverage),
    /// How a unit's members went from one day to another
    Flows(FlowsArgs),
}

/// `hub query flows`.
#[derive(Debug, Clone, Args)]
pub struct FlowsArgs {
    /// The unit, by name, path or code; this node's own if not given
    #[arg(long)]
    pub unit: Option<String>,
    /// The first day; the opening is the day before
    #[arg(long)]
    pub from: String,
    /// The last day; today if not given
    #[arg(long)]
    pub to: Option<String>,
    /// One row for each child
    #[arg(long, value_enum)]
    pub by: Option<FlowsBy>,
}

/// One row a what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowsBy {
    /// Child of the unit
    Child,
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
    /// As known then: at the newest checkpoint not later
    #[arg(long, value_name = "TIME", conflicts_with = "published")]
    pub known_at: Option<String>,
    /// As published by the closing of a period
    #[arg(long, value_name = "PERIOD")]
    pub published: Option<String>,
    /// Numbers of the books, or as declared
    #[arg(long, value_enum, default_value = "registry")]
    pub basis: BasisArg,
}

/// What numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BasisArg {
    /// The books, one by one
    Registry,
    /// Declared figures, summed
    Declared,
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

impl ByArg {
    /// What rows are of; the total alone if nothing is typed.
    pub fn rows(typed: Option<Self>) -> By {
        match typed {
            None => By::Total,
            Some(Self::Child) => By::Child,
            Some(Self::Ownership) => By::Ownership,
            Some(Self::Industry) => By::Industry,
            Some(Self::Headcount) => By::Headcount,
        }
    }
}

impl From<BasisArg> for Basis {
    fn from(typed: BasisArg) -> Self {
        match typed {
            BasisArg::Registry => Self::Registry,
            BasisArg::Declared => Self::Declared,
        }
    }
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
    /// Make a one-time token for a node below, to be read out to its operator
    Token {
        /// The unit it is to serve, by name, path or code
        unit: String,
        /// For how many hours it holds
        #[arg(long, default_value_t = 72)]
        hours: u32,
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
    /// Take the word of a node below: what it wrote later is kept and not counted
    Revoke {
        /// The unit it serves, by name, path or code
        unit: String,
        /// The last day whose books are good; all that is here if not given
        #[arg(long, value_name = "DAY")]
        good_until: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Begin a new epoch: after a restore, or for a new key
    Renew {
        /// Where the request goes
        #[arg(long, value_name = "FILE")]
        out: String,
    },
    /// Take the answer of the node above
    Accept {
        /// The answer
        file: String,
        /// The NATS server of the node above, several of a cluster; bundles if not given
        #[arg(long)]
        url: Vec<String>,
        /// A PEM file that vouches for that server
        #[arg(long, value_name = "FILE")]
        tls_ca: Option<PathBuf>,
    },
}

/// `hub clock`.
#[derive(Debug, Clone, Subcommand)]
pub enum ClockCommand {
    /// Begin a new epoch where the clock ran ahead while facts were signed, and is right now
    Recover {
        /// Where the request for the node above goes
        #[arg(long, value_name = "FILE")]
        out: String,
    },
}

/// `hub follow`.
#[derive(Debug, Clone, Subcommand)]
pub enum FollowCommand {
    /// Make a directory that follows a node's journal, as its standby or as an auditor's copy
    Request {
        /// The node to follow, as its hub status shows it
        #[arg(long, value_name = "ID")]
        node: String,
        /// The federation's root key
        #[arg(long, value_name = "KEY")]
        root: String,
        /// That node's NATS server, several of a cluster; bundles if not given
        #[arg(long)]
        url: Vec<String>,
        /// A PEM file that vouches for that server
        #[arg(long, value_name = "FILE")]
        tls_ca: Option<PathBuf>,
        /// Where the request goes
        #[arg(long, value_name = "FILE")]
        out: String,
    },
    /// Let a directory follow this node's journal: it gets everything this node holds, and has no word
    Approve {
        /// The request
        file: String,
        /// What it is called here
        #[arg(long, default_value = "副本")]
        name: String,
    },
}

/// `hub bundle`.
#[derive(Debug, Clone, Subcommand)]
pub enum BundleCommand {
    /// Write what a neighbour lacks into files
    Export {
        /// For whom: parent, children, followers, or a unit below by name, path or code
        #[arg(long)]
        to: String,
        /// A folder, or a file whose name ends in .hub
        #[arg(long, value_name = "PATH")]
        out: String,
        /// From where on
        #[arg(long, value_enum, default_value = "receipt")]
        since: SinceArg,
        /// The most megabytes of one file
        #[arg(long, value_name = "MB")]
        max_mb: Option<usize>,
    },
    /// Take bundles in
    Import {
        /// The bundles, in any order
        #[arg(required = true)]
        files: Vec<String>,
    },
    /// Where nothing comes back: a receipt to be read out, and to be typed on the other side
    Receipt {
        /// What the node above read out: 24 digits
        #[arg(required_unless_present = "for_child", conflicts_with = "for_child")]
        digits: Vec<String>,
        /// Show the receipt to read out to the node below that serves this unit
        #[arg(long = "for", value_name = "UNIT")]
        for_child: Option<String>,
    },
    /// Say what is in a bundle
    Inspect {
        /// The bundle
        file: String,
        /// The federation's root key; this node's if not given
        #[arg(long, value_name = "KEY")]
        root: Option<String>,
    },
}

/// From where on a bundle is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SinceArg {
    /// After what the other side has receipted
    Receipt,
    /// After the last export, for gates through which no receipt comes back
    LastExport,
    /// From the beginning
    Start,
}

/// A backup.
#[derive(Debug, Clone, Args)]
pub struct BackupFile {
    /// The backup's file
    pub file: PathBuf,
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
    /// Prove or refute one printed answer: 0 proved, 1 refuted, 2 undecidable
    Check(AuditCheck),
    /// All that was ever said of one member, union or unit
    Trail(Trail),
    /// Check a file of hub fork export, alone: 0 proven, 1 not
    Fork(AuditFork),
}

/// `hub audit fork`.
#[derive(Debug, Clone, Args)]
pub struct AuditFork {
    /// The proof
    pub proof: String,
    /// The federation's root key; never read from what is checked
    #[arg(long, value_name = "KEY")]
    pub root: String,
}

/// `hub fork`.
#[derive(Debug, Clone, Subcommand)]
pub enum ForkCommand {
    /// Where a node has signed twice at one place, and what counts
    List,
    /// Write the proof into a file
    Export {
        /// Where it goes
        out: String,
        /// One of the two sides, as the list names it; not needed where there is one fork
        #[arg(long)]
        side: Option<String>,
    },
    /// Name the side that counts, as the node directly above
    Settle {
        /// The side, as the list names it
        side: String,
    },
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

/// `hub audit check`.
#[derive(Debug, Clone, Args)]
pub struct AuditCheck {
    /// An answer of hub query as JSON or CSV, with its citation
    pub report: String,
    /// Data directories or bundles to check against
    #[arg(long, required = true, num_args = 1.., value_name = "DISC")]
    pub from: Vec<String>,
    /// The federation's root key; never read from what is checked
    #[arg(long, value_name = "KEY")]
    pub root: String,
}

/// `hub audit trail`.
#[derive(Debug, Clone, Args)]
pub struct Trail {
    /// Where it is looked for
    #[command(flatten)]
    pub audited: Audited,
    /// A member, by pseudonym
    #[arg(long, required_unless_present_any = ["union", "unit"])]
    pub member: Option<String>,
    /// A union, by name, path, code or id
    #[arg(long, conflicts_with_all = ["member", "unit"])]
    pub union: Option<String>,
    /// A unit, by name, path, code or id
    #[arg(long, conflicts_with_all = ["member", "union"])]
    pub unit: Option<String>,
}

/// `hub ops`.
#[derive(Debug, Clone, Subcommand)]
pub enum OpsCommand {
    /// Write the configuration of the NATS server for the children
    NatsConfig(NatsConfig),
}

/// `hub ops nats-config`.
#[derive(Debug, Clone, Args)]
pub struct NatsConfig {
    /// Where the server listens, host:port; beyond loopback it needs TLS
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "cluster",
        conflicts_with = "cluster"
    )]
    pub listen: Option<String>,
    /// Three times, for a cluster: where one of its servers listens for nodes and for the other servers
    #[arg(long, value_name = "ADDRESS/ADDRESS")]
    pub cluster: Vec<String>,
    /// Where the configuration goes; of a cluster with -1, -2, -3 before the extension
    #[arg(long, value_name = "FILE")]
    pub out: String,
    /// TLS by a private CA in tls/ of the data directory, made when there is none
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub tls: bool,
    /// A name or address by which children reach the server; may be given several times
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
    /// A certificate of another authority
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Listen for WebSocket here too, for networks that open only 443
    #[arg(long, value_name = "ADDRESS")]
    pub websocket: Option<String>,
    /// Without TLS beyond loopback: only where the network itself is encrypted
    #[arg(long)]
    pub plain: bool,
}
