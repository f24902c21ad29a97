//! Rulings in bulk: good rows are ruled, every bad one is named.

use super::decide::{Part, Ruling};
use super::docket::Docket;
use crate::cli::CasesRule;
use crate::command::error::CommandError;
use crate::command::intake::{Came, Intake, IntakeOptions, Outcome};
use crate::command::session::{Session, import_attribute, next_import};
use crate::import::Problem;
use crate::import::row::RulingRow;
use crate::import::row::ruling::{CASE, FROM, WINNER};
use crate::replica::Draft;
use hub_core::fact::FactBody;
use hub_core::fact::governance::GovernanceFact;

/// Rules the cases of a file.
pub(super) fn rule(session: &Session<'_>, asked: &CasesRule) -> Result<u8, CommandError> {
    session.own_unit()?;
    let options = IntakeOptions {
        file: asked.file.clone().unwrap_or_default(),
        dry_run: asked.dry_run,
        report: asked.report.clone(),
        ..IntakeOptions::default()
    };
    let mut intake = Intake::open::<RulingRow>(session, &options)?;
    let docket = Docket::open(session);
    let import = next_import(session);
    let (mut drafts, mut settled) = (Vec::new(), Vec::new());
    while let Some(taken) = intake.take::<RulingRow>()? {
        let outcome = match docket.find(&taken.row.case) {
            Err(problem) => Err((CASE, problem)),
            Ok(case) => match intake.named_before(case.id.to_string(), taken.row.row) {
                Some(first) => Err((CASE, Problem::SameKey { first })),
                None => row(&docket, case, &taken.row, import),
            },
        };
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
    let tally = intake.finish(session, &options, import)?;
    Ok(u8::from(tally.refused > 0))
}

/// The ruling of a row; none where this node has ruled just so already.
fn row(
    docket: &Docket<'_, '_>,
    case: &hub_core::case::Case,
    row: &RulingRow,
    import: i32,
) -> Result<Option<Draft>, (usize, Problem)> {
    let ruling = Ruling {
        winner: &row.winner,
        from: row.from,
        reason: &row.reason,
        document: &row.document,
    };
    let mut draft = docket.ruling(case, &ruling).map_err(|(part, problem)| {
        let column = match part {
            Part::Case => CASE,
            Part::Winner => WINNER,
            Part::From => FROM,
        };
        (column, problem)
    })?;
    let FactBody::Governance(GovernanceFact::Ruled { sides, winner, from, .. }) = &draft.body
    else {
        return Ok(None);
    };
    let winning = winner.and_then(|place| sides.get(place as usize));
    let replica = docket.session.replica();
    let node = replica.who().node;
    let view = replica.read();
    let stands = super::decide::decisions_of(node, &view, case).any(|id| {
        let known = view.fact(&id).map(|known| &known.fact);
        known.is_some_and(|known| match &known.body {
            FactBody::Governance(GovernanceFact::Ruled { sides, winner, from: since, .. }) => {
                winner.and_then(|place| sides.get(place as usize)) == winning
                    && since == from
                    && known.document == draft.document
            }
            _ => false,
        })
    });
    drop(view);
    draft.attributes = vec![import_attribute(import)];
    Ok((!stands).then_some(draft))
}
