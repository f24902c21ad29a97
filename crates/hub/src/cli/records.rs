//! Arguments of the commands that enter facts: units, unions, members, figures, undo.

use clap::{Args, Subcommand};

/// Terms of a committee are three or five years, nothing between (工会法 art. 16).
fn term(typed: &str) -> Result<u8, &'static str> {
    match typed {
        "3" => Ok(3),
        "5" => Ok(5),
        _ => Err("3 / 5"),
    }
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
        #[arg(long, required_unless_present = "located_in")]
        parent: Option<String>,
        /// The new territory it lies in
        #[arg(long)]
        located_in: Option<String>,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// Units that follow others: merged, split, redrawn
    Succeed(UnitSucceed),
    /// Correct the code of an employer that was registered under a mistyped one
    Rekey {
        /// The unit, by name, path or code
        unit: String,
        /// The right social credit code
        #[arg(long)]
        code: String,
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

/// `hub unit succeed`.
#[derive(Debug, Clone, Args)]
pub struct UnitSucceed {
    /// A unit that ends, by name, path or code; several if repeated
    #[arg(long, required_unless_present = "file")]
    pub old: Vec<String>,
    /// A unit that follows; several if repeated
    #[arg(long, required_unless_present = "file")]
    pub new: Vec<String>,
    /// Merger, split or redraw; by the numbers of units if not given
    #[arg(long)]
    pub how: Option<String>,
    /// Effective day; today if not given
    #[arg(long)]
    pub day: Option<String>,
    /// A CSV file of many changes
    #[arg(long, conflicts_with_all = ["old", "new", "how", "day"], value_name = "FILE")]
    pub file: Option<String>,
    /// Compare only, write nothing
    #[arg(long)]
    pub dry_run: bool,
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
        #[arg(long, default_value_t = 5, value_parser = term)]
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
    /// Give a union another host unit
    Move {
        /// The union, by name, path or code
        branch: String,
        /// The new host, by name, path or code
        #[arg(long)]
        host: String,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// State that a union went up in another
    Merge {
        /// The union that ends, by name, path or code
        branch: String,
        /// The union it goes up in
        #[arg(long)]
        into: String,
        /// Effective day; today if not given
        #[arg(long)]
        day: Option<String>,
    },
    /// State that a union was registered as a legal person
    Legal {
        /// The union, by name, path or code
        branch: String,
        /// Its own social credit code
        #[arg(long)]
        code: String,
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
