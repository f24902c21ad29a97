//! `hub branch apply|approve|refuse|found|elect|women|cover|move|merge|legal|dissolve`: one union at a time, and
//! decisions in bulk.

use super::error::CommandError;
use super::intake::{Came, Intake, IntakeOptions, Outcome};
use super::names::Names;
use super::session::{Session, day_of, import_attribute, next_import, transact};
use crate::cli::BranchCommand;
use crate::import::date::Dated;
use crate::import::row::ApprovalRow;
use crate::import::{Problem, code_list, text};
use crate::replica::Draft;
use hub_core::check_digit::is_uscc;
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::{Attribute, BranchFact, FactBody};
use hub_core::id::{BranchId, FactId};
use hub_core::time::Precision;

const BRANCH: usize = 0;

/// Runs a command about one union.
///
/// # Errors
/// A name or day does not fit, this node may not say it, or the fact cannot be written.
pub fn run(session: &Session<'_>, command: &BranchCommand) -> Result<u8, CommandError> {
    match command {
        BranchCommand::Import(import) => super::branch::import(session, &import.into()),
        BranchCommand::Apply { name, kind, unit, to, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            apply(session, &Application { name, kind, unit, to: to.as_deref() }, day)
        }
        BranchCommand::Approve { branch: None, file, dry_run, .. } => {
            let file = file.clone().unwrap_or_default();
            decide(session, &IntakeOptions { file, dry_run: *dry_run, ..IntakeOptions::default() })
        }
        BranchCommand::Approve { branch: Some(branch), document, day, .. } => {
            let document = document.clone().ok_or_else(|| {
                CommandError::refused(
                    "请用 --document 填批复文号",
                    "give the document with --document",
                )
            })?;
            let day = day_of(session, day.as_deref(), false)?;
            decide_one(session, branch, day, Decision::Approve(document))
        }
        BranchCommand::Refuse { branch, reason, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            decide_one(session, branch, day, Decision::Refuse(reason.clone()))
        }
        BranchCommand::Found { branch, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            state(session, branch, day, |branch, names| {
                let profile = known_profile(session, names, branch)?;
                Ok(BranchFact::Founded { branch, profile })
            })
        }
        BranchCommand::Elect { branch, term, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            let term_years = *term;
            state(session, branch, day, |branch, _| {
                Ok(BranchFact::CommitteeElected { branch, term_years, until: None })
            })
        }
        BranchCommand::Women { branch, form, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            let stated = code_list::women_org(&text::plain(form))
                .and_then(|stated| stated.ok_or(Problem::Blank))
                .map_err(|problem| CommandError::argument(form, problem))?;
            state(session, branch, day, |branch, _| {
                Ok(BranchFact::WomenOrgFormed { branch, form: stated })
            })
        }
        BranchCommand::Cover { branch, unit, end, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            state(session, branch, day, |branch, names| {
                let unit = names.unit_at(session.unit(names, unit)?).id;
                Ok(match end {
                    true => BranchFact::Uncovered { branch, unit },
                    false => BranchFact::Covered { branch, unit },
                })
            })
        }
        BranchCommand::Move { .. } | BranchCommand::Merge { .. } | BranchCommand::Legal { .. } => {
            change(session, command)
        }
        BranchCommand::Dissolve { branch, reason, day } => {
            let day = day_of(session, day.as_deref(), true)?;
            let reason = code_list::end_reason(reason)
                .map_err(|problem| CommandError::argument(reason, problem))?;
            state(session, branch, day, |branch, _| Ok(BranchFact::Dissolved { branch, reason }))
        }
    }
}

/// What a union becomes: it has another host, goes up in another union, or is a legal person.
fn change(session: &Session<'_>, command: &BranchCommand) -> Result<u8, CommandError> {
    match command {
        BranchCommand::Move { branch, host, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            state(session, branch, day, |branch, names| {
                let host = names.unit_at(session.unit(names, host)?).id;
                Ok(BranchFact::Moved { branch, host })
            })
        }
        BranchCommand::Merge { branch: typed, into, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            state(session, typed, day, |branch, names| {
                let into = names.branch_at(session.branch(names, into)?).id;
                if into == branch {
                    return Err(CommandError::argument(typed, Problem::OldAndNew));
                }
                Ok(BranchFact::Merged { branch, into })
            })
        }
        BranchCommand::Legal { branch, code, day } => {
            let day = day_of(session, day.as_deref(), false)?;
            let uscc = text::code(code);
            if !is_uscc(&uscc) || !uscc.starts_with('8') {
                let expected = "18 (81…, 89…)".to_owned();
                return Err(CommandError::argument(code, Problem::Shape { expected }));
            }
            state(session, branch, day, |branch, _| {
                Ok(BranchFact::LegalRegistered { branch, uscc })
            })
        }
        _ => Ok(0),
    }
}

struct Application<'a> {
    name: &'a str,
    kind: &'a str,
    unit: &'a str,
    to: Option<&'a str>,
}

fn apply(
    session: &Session<'_>,
    application: &Application<'_>,
    day: Dated,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let host = session.unit(&names, application.unit)?;
    let id = names.unit_at(host).id;
    if let Some(problem) = session.served_elsewhere(&id) {
        return Err(CommandError::argument(application.unit, problem));
    }
    let kind = code_list::branch_kind(&text::plain(application.kind))
        .map_err(|problem| CommandError::argument(application.kind, problem))?;
    let name = text::name(application.name);
    if names.branch_at_host(host, &name).is_some() {
        return Err(CommandError::refused(
            format!("“{}”已经登记过“{name}”", names.unit_path(host)),
            format!("“{name}” stands in the books of “{}” already", names.unit_path(host)),
        ));
    }
    let to = match application.to {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => names.unit_at(host).parent.map_or(own, |parent| names.unit_at(parent).id),
    };
    let profile = BranchProfile { kind, host: id, name: name.clone(), codes: Vec::new() };
    let operator = session.operator;
    transact(session, false, |tx| {
        tx.push_with(|id: FactId| {
            let branch = BranchId::of_first_fact(&id);
            let fact = BranchFact::Applied { branch, to, profile: profile.clone() };
            let precision = day.precision;
            Draft { precision, operator, ..Draft::new(own, day.day, FactBody::Branch(fact)) }
        });
        Ok(())
    })?;
    session.say(&format!("已登记申请:{name}"), &format!("application recorded: {name}"))?;
    Ok(0)
}

/// States a fact about a union whose books this node keeps.
fn state(
    session: &Session<'_>,
    branch: &str,
    day: Dated,
    fact: impl FnOnce(BranchId, &Names) -> Result<BranchFact, CommandError>,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let place = session.branch(&names, branch)?;
    let known = names.branch_at(place);
    if let Some(host) = known.host
        && let Some(problem) = session.served_elsewhere(&names.unit_at(host).id)
    {
        return Err(CommandError::argument(branch, problem));
    }
    let fact = fact(known.id, &names)?;
    let draft = Draft {
        precision: day.precision,
        operator: session.operator,
        ..Draft::new(own, day.day, FactBody::Branch(fact))
    };
    session.replica().write(vec![draft])?;
    let path = names.branch_path(place);
    session.say(&format!("已登记:{path}"), &format!("recorded: {path}"))?;
    Ok(0)
}

fn known_profile(
    session: &Session<'_>,
    names: &Names,
    branch: BranchId,
) -> Result<BranchProfile, CommandError> {
    let view = session.replica().read();
    let branches = view.branches();
    let known = branches.find(&branch).map(|at| branches.branch(at));
    let profile = known.and_then(|known| known.profile.clone());
    let host = names.place_of_branch(&branch).and_then(|place| names.branch_at(place).host);
    match (profile, host) {
        (Some(profile), Some(host)) => Ok(BranchProfile {
            kind: profile.kind,
            host: names.unit_at(host).id,
            name: profile.name,
            codes: profile.codes,
        }),
        _ => Err(CommandError::refused("没有这个工会的登记", "the union is not in the books")),
    }
}

/// What a superior says to an application.
enum Decision {
    /// Yes, by this document.
    Approve(String),
    /// No, for this reason.
    Refuse(String),
}

/// The draft of a decision about a union, if this node's unit lies above it (F1; 工会法 art. 12).
fn decision(
    session: &Session<'_>,
    names: &Names,
    place: usize,
    day: Dated,
    decision: Decision,
    attributes: Vec<Attribute>,
) -> Result<Draft, Problem> {
    let own = session.replica().who().office.ok_or(Problem::NotAbove)?;
    let branch = names.branch_at(place);
    let (host, by) = (branch.host, names.place_of(&own));
    let (Some(host), Some(by)) = (host, by) else { return Err(Problem::UnknownUnit) };
    let kind = kind_of(session, branch.id);
    if !names.is_at_or_below(host, by) || (host == by && kind == BranchKind::Own) {
        return Err(Problem::NotAbove);
    }
    let (document, fact) = match decision {
        Decision::Approve(document) => {
            (Some(text::name(&document)), BranchFact::Approved { branch: branch.id })
        }
        Decision::Refuse(reason) => (None, BranchFact::Refused { branch: branch.id, reason }),
    };
    Ok(Draft {
        precision: day.precision,
        operator: session.operator,
        document,
        attributes,
        ..Draft::new(own, day.day, FactBody::Branch(fact))
    })
}

fn kind_of(session: &Session<'_>, branch: BranchId) -> BranchKind {
    let view = session.replica().read();
    let branches = view.branches();
    branches.find(&branch).map_or(BranchKind::SubBranch, |at| branches.branch(at).kind())
}

fn decide_one(
    session: &Session<'_>,
    typed: &str,
    day: Dated,
    said: Decision,
) -> Result<u8, CommandError> {
    let names = session.names();
    let place = session.branch(&names, typed)?;
    let approves = matches!(said, Decision::Approve(_));
    let draft = decision(session, &names, place, day, said, Vec::new())
        .map_err(|problem| CommandError::argument(typed, problem))?;
    session.replica().write(vec![draft])?;
    let path = names.branch_path(place);
    match approves {
        true => session.say(&format!("已批复:{path}"), &format!("approved: {path}"))?,
        false => session.say(&format!("已登记不予批复:{path}"), &format!("refused: {path}"))?,
    }
    Ok(0)
}

/// Many decisions from a file; a decision that stands already is not written again.
fn decide(session: &Session<'_>, options: &IntakeOptions) -> Result<u8, CommandError> {
    session.own_unit()?;
    let mut intake = Intake::open::<ApprovalRow>(session, options)?;
    let names = session.names();
    let import = next_import(session);
    let (mut drafts, mut settled) = (Vec::new(), Vec::new());
    while let Some(taken) = intake.take::<ApprovalRow>()? {
        let outcome = decide_row(session, &names, &taken.row, import);
        let outcome: Outcome = outcome.map(|draft| match draft {
            Some(draft) => {
                drafts.push(draft);
                Came::New
            }
            None => Came::Unchanged,
        });
        settled.push((taken, outcome));
    }
    intake.tally.facts = drafts.len() as u64;
    let import = (!drafts.is_empty() && !options.dry_run).then_some(import);
    if !options.dry_run {
        session.replica().write(drafts)?;
    }
    for (taken, outcome) in settled {
        intake.settle(&taken, outcome)?;
    }
    let tally = intake.finish(session, options, import)?;
    Ok(u8::from(tally.refused > 0))
}

fn decide_row(
    session: &Session<'_>,
    names: &Names,
    row: &ApprovalRow,
    import: i32,
) -> Result<Option<Draft>, (usize, Problem)> {
    let place = names.branch(&row.branch).map_err(|problem| (BRANCH, problem))?;
    let today = Dated { day: session.today(), precision: Precision::Day };
    let day = row.day.unwrap_or(today);
    if stands_already(session, names.branch_at(place).id, row, day) {
        return Ok(None);
    }
    let said = match (row.approved, &row.document, &row.reason) {
        (true, Some(document), _) => Decision::Approve(document.clone()),
        (_, _, reason) => Decision::Refuse(reason.clone().unwrap_or_default()),
    };
    decision(session, names, place, day, said, vec![import_attribute(import)])
        .map(Some)
        .map_err(|problem| (BRANCH, problem))
}

fn stands_already(session: &Session<'_>, id: BranchId, row: &ApprovalRow, day: Dated) -> bool {
    let view = session.replica().read();
    let branches = view.branches();
    let Some(known) = branches.find(&id).map(|at| branches.branch(at)) else { return false };
    match row.approved {
        true => known.approvals.iter().any(|approval| approval.document == row.document),
        false => known.refused.contains(&day.day),
    }
}
