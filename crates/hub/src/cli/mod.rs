//! The command line: what may be typed. What it means is in `command`.
//!
//! English help is the documentation comment of each item; Chinese help stands in
//! `render::words::help`, and a test holds that none is missing.

mod args;
mod cases;
mod closing;
mod figures;
mod help;
mod node;
mod records;

pub use args::{Cli, Command, LangArg};
pub use cases::{CasesCommand, CasesList, CasesRule};
pub use closing::{Explain, PeriodClose, PeriodCommand};
pub use figures::{Decided, FigureCommand, Findings, Missing};
pub use help::{Parsed, parse};
pub use node::{
    AuditCheck, AuditCommand, AuditFork, Audited, BackupFile, BasisArg, BundleCommand, ByArg,
    ClockCommand, Coverage, EnrolCommand, FlowsArgs, FlowsBy, FollowCommand, ForkCommand, Init,
    LogCommand, NatsConfig, OpsCommand, QueryCommand, SinceArg, Trail,
};
pub use records::{
    BranchCommand, ImportArgs, MemberCommand, PersonArgs, Undo, UnitCommand, UnitSucceed,
};
