//! Arguments of `hub cases`.

use clap::{Args, Subcommand};

/// `hub cases`.
#[derive(Debug, Clone, Subcommand)]
pub enum CasesCommand {
    /// List the conflicts: who stands against whom, and how far each has come
    List(CasesList),
    /// Show one conflict, both sides beside each other, and what each can do
    Show {
        /// The case; the first digits suffice
        id: String,
    },
    /// Rule which side counts, one case or many from a file
    Rule(CasesRule),
    /// Object to what counts the person elsewhere
    Object {
        /// The case; the first digits suffice
        id: String,
        /// What the objection rests on: labour contract, social insurance, roster
        #[arg(long)]
        evidence: String,
        /// From this day; the day the sides stand against each other if not given
        #[arg(long)]
        from: Option<String>,
        /// On behalf of this unit; this node's own if not given
        #[arg(long = "for", value_name = "UNIT")]
        for_unit: Option<String>,
        /// Number of the document it rests on
        #[arg(long)]
        document: Option<String>,
    },
    /// Take this node's own ruling or objection back
    Withdraw {
        /// The case; the first digits suffice
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// `hub cases list`.
#[derive(Debug, Clone, Args)]
pub struct CasesList {
    /// Only cases that touch this unit or one below, by name, path or code
    #[arg(long)]
    pub unit: Option<String>,
    /// Only cases of this kind, e.g. dual-membership
    #[arg(long)]
    pub kind: Option<String>,
    /// Only cases in this state: open, auto, confirmed, objected, ruled, settled
    #[arg(long)]
    pub state: Option<String>,
    /// Only cases in which this node can still object or rule
    #[arg(long)]
    pub mine: bool,
}

/// `hub cases rule`.
#[derive(Debug, Clone, Args)]
pub struct CasesRule {
    /// The case; the first digits suffice
    #[arg(required_unless_present = "file")]
    pub id: Option<String>,
    /// The side that counts: its number, its union or unit, or none
    #[arg(long, required_unless_present = "file", value_name = "SIDE|none")]
    pub winner: Option<String>,
    /// From this day; the day the sides stand against each other if not given
    #[arg(long)]
    pub from: Option<String>,
    /// Why
    #[arg(long, required_unless_present = "file")]
    pub reason: Option<String>,
    /// Number of the ruling's document
    #[arg(long, required_unless_present = "file")]
    pub document: Option<String>,
    /// A CSV file of many rulings
    #[arg(long, conflicts_with_all = ["id", "winner", "from", "reason", "document"], value_name = "FILE")]
    pub file: Option<String>,
    /// Compare only, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where refused rows go; beside the file if not given
    #[arg(long, value_name = "FILE")]
    pub report: Option<String>,
}
