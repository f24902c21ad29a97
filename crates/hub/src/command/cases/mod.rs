//! `hub cases`: the conflicts of the view, listed and shown, ruled, objected to, taken back.

mod bulk;
mod decide;
mod docket;
mod list;
mod show;

use super::error::CommandError;
use super::session::Session;
use crate::cli::CasesCommand;

/// Runs a command about cases.
///
/// # Errors
/// No such case, this node may not decide it, or the facts cannot be written.
pub fn run(session: &Session<'_>, command: &CasesCommand) -> Result<u8, CommandError> {
    match command {
        CasesCommand::List(asked) => list::list(session, asked),
        CasesCommand::Show { id } => show::show(session, id),
        CasesCommand::Rule(asked) if asked.file.is_some() => bulk::rule(session, asked),
        CasesCommand::Rule(asked) => decide::rule(session, asked),
        CasesCommand::Object { id, evidence, from, for_unit, document } => {
            let objection = decide::Objection {
                id,
                evidence,
                from: from.as_deref(),
                for_unit: for_unit.as_deref(),
                document: document.as_deref(),
            };
            decide::object(session, &objection)
        }
        CasesCommand::Withdraw { id, reason } => decide::withdraw(session, id, reason),
    }
}
