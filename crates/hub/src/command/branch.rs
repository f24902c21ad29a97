//! `hub branch import`: existing unions in bulk, applications among them.

use super::error::CommandError;
use super::intake::{Came, Intake, IntakeOptions, Outcome};
use super::names::Names;
use super::session::{Session, import_attribute, next_import, served_elsewhere, transact};
use crate::import::Problem;
use crate::import::date::Dated;
use crate::import::row::BranchRow;
use crate::replica::{Draft, Transaction};
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::{Attribute, BranchFact, Code, CodeKind, FactBody};
use hub_core::id::{BranchId, FactId, UnitId};
use hub_core::time::{Day, Precision};
use hub_core::view::branch::Branch;

const NAME: usize = 0;
const HOST: usize = 2;
const COVERS: usize = 4;
const APPROVER: usize = 7;
const FOUNDED: usize = 8;

/// Imports a list of unions.
///
/// # Errors
/// The file is refused as a whole, or the facts cannot be written.
pub fn import(session: &Session<'_>, options: &IntakeOptions) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let mut intake = Intake::open::<BranchRow>(session, options)?;
    let mut rows = Vec::new();
    while let Some(taken) = intake.take::<BranchRow>()? {
        let key = format!("{}/{}", taken.row.host, taken.row.name);
        match intake.named_before(key, taken.row.row) {
            Some(first) => intake.refuse_taken(&taken, NAME, Problem::SameKey { first })?,
            None => rows.push(taken),
        }
    }
    let import = next_import(session);
    let mut names = session.names();
    let (outcomes, facts) = transact(session, options.dry_run, |tx| {
        let mut plan = Plan {
            operator: session.operator,
            own,
            today: session.today(),
            attributes: vec![import_attribute(import)],
            complete: options.complete,
            names: &mut names,
            tx,
            facts: 0,
        };
        let outcomes: Vec<Outcome> = rows.iter().map(|taken| plan.row(&taken.row)).collect();
        Ok((outcomes, plan.facts))
    })?;
    for (taken, outcome) in rows.iter().zip(outcomes) {
        intake.settle(taken, outcome)?;
    }
    intake.tally.facts = facts;
    let import = (facts > 0 && !options.dry_run).then_some(import);
    let tally = intake.finish(session, options, import)?;
    Ok(u8::from(tally.refused > 0))
}

struct Plan<'a, 'tx, 'v> {
    operator: u32,
    own: UnitId,
    today: Day,
    attributes: Vec<Attribute>,
    complete: bool,
    names: &'a mut Names,
    tx: &'tx mut Transaction<'v>,
    facts: u64,
}

/// A row with its names resolved.
struct Resolved<'r> {
    row: &'r BranchRow,
    host: usize,
    covers: Vec<UnitId>,
    approver: Option<UnitId>,
}

impl Plan<'_, '_, '_> {
    fn row(&mut self, row: &BranchRow) -> Outcome {
        let host = self.names.unit(&row.host).map_err(|problem| (HOST, problem))?;
        let covers = row.covers.iter().map(|typed| self.names.unit(typed));
        let covers: Vec<usize> =
            covers.collect::<Result<_, _>>().map_err(|problem| (COVERS, problem))?;
        let covers = covers.into_iter().map(|place| self.names.unit_at(place).id).collect();
        let host_id = self.names.unit_at(host).id;
        if let Some(problem) =
            served_elsewhere(self.tx.view(), self.tx.who().node, self.tx.now(), &host_id)
        {
            return Err((HOST, problem));
        }
        let approver = self.approver(row, host)?;
        let resolved = Resolved { row, host, covers, approver };
        match self.known(row, host) {
            Some(place) => self.revise(&resolved, place),
            None => self.introduce(&resolved).map(|()| Came::New),
        }
    }

    /// By its own codes, else by name at its host.
    fn known(&self, row: &BranchRow, host: usize) -> Option<usize> {
        let by_code = |code: &str| self.names.branch_of_code(code);
        let uscc = row.uscc.as_ref().and_then(|(code, _)| by_code(code));
        uscc.or_else(|| row.statistical.as_deref().and_then(by_code))
            .or_else(|| self.names.branch_at_host(host, &row.name))
    }

    /// The unit whose approval the row states (工会法 art. 12): it must lie above the host, or be the
    /// host of a union that is not an employer's own, and its word must be this node's to write.
    fn approver(&self, row: &BranchRow, host: usize) -> Result<Option<UnitId>, (usize, Problem)> {
        if row.approved.is_none() && row.document.is_none() {
            return Ok(None);
        }
        let typed = row.approver.as_deref().map(|typed| self.names.unit(typed)).transpose();
        let by = match typed.map_err(|problem| (APPROVER, problem))? {
            Some(place) => place,
            None => self.names.place_of(&self.own).ok_or((APPROVER, Problem::UnknownUnit))?,
        };
        let above = self.names.is_at_or_below(host, by);
        if !above || (by == host && row.kind == BranchKind::Own) {
            return Err((APPROVER, Problem::NotAbove));
        }
        let id = self.names.unit_at(by).id;
        let elsewhere = served_elsewhere(self.tx.view(), self.tx.who().node, self.tx.now(), &id);
        match elsewhere {
            Some(problem) => Err((APPROVER, problem)),
            None => Ok(Some(id)),
        }
    }

    fn introduce(&mut self, resolved: &Resolved<'_>) -> Result<(), (usize, Problem)> {
        let row = resolved.row;
        let first_day = row.applied.or(row.founded).or(row.approved);
        let first_day = first_day.ok_or((FOUNDED, Problem::Blank))?;
        let host = self.names.unit_at(resolved.host).id;
        let profile =
            BranchProfile { kind: row.kind, host, name: row.name.clone(), codes: codes_of(row) };
        let to = resolved.approver.or_else(|| self.above(resolved.host)).unwrap_or(self.own);
        let applies = row.applied.is_some() || row.founded.is_none();
        let (own, operator, attributes) = (self.own, self.operator, self.attributes.clone());
        let make = |id: FactId| {
            let (branch, profile) = (BranchId::of_first_fact(&id), profile.clone());
            let fact = match applies {
                true => BranchFact::Applied { branch, to, profile },
                false => BranchFact::Founded { branch, profile },
            };
            Draft {
                precision: first_day.precision,
                operator,
                attributes: attributes.clone(),
                ..Draft::new(own, first_day.day, FactBody::Branch(fact))
            }
        };
        self.facts += 1;
        let branch = BranchId::of_first_fact(&self.tx.push_with(make));
        let place = self.names.add_branch(branch, &row.name, Some(resolved.host));
        for code in &profile.codes {
            self.names.add_branch_code(place, code);
        }
        if let Some(founded) = row.founded
            && applies
        {
            self.push(founded, BranchFact::Founded { branch, profile });
        }
        self.rest(resolved, branch, None);
        Ok(())
    }

    /// The unit above, which an application goes to.
    fn above(&self, host: usize) -> Option<UnitId> {
        let parent = self.names.unit_at(host).parent?;
        Some(self.names.unit_at(parent).id)
    }

    fn revise(&mut self, resolved: &Resolved<'_>, place: usize) -> Outcome {
        let id = self.names.branch_at(place).id;
        let view = self.tx.view();
        let branches = view.branches();
        let Some(known) = branches.find(&id).map(|at| branches.branch(at)) else {
            // Introduced by an earlier row of this very file.
            return Ok(Came::Unchanged);
        };
        let before = self.facts;
        let row = resolved.row;
        let profile = known.profile.as_ref();
        let name = profile.filter(|p| p.name != row.name).map(|_| row.name.clone());
        let codes: Vec<Code> = codes_of(row)
            .into_iter()
            .filter(|code| profile.is_some_and(|p| !p.codes.contains(code)))
            .collect();
        let kind = profile.filter(|p| p.kind != row.kind).map(|_| row.kind);
        if name.is_some() || !codes.is_empty() || kind.is_some() {
            let fact = BranchFact::Revised { branch: id, name, codes, kind };
            self.push(self.now(), fact);
        }
        if let Some(founded) = row.founded
            && known.founded.is_none()
        {
            let host = self.names.unit_at(resolved.host).id;
            let (name, codes) = (row.name.clone(), codes_of(row));
            let profile = BranchProfile { kind: row.kind, host, name, codes };
            self.push(founded, BranchFact::Founded { branch: id, profile });
        }
        self.rest(resolved, id, Some(known));
        Ok(if self.facts > before { Came::Revised } else { Came::Unchanged })
    }

    /// Everything but the first fact, where the row says more than is known.
    fn rest(&mut self, resolved: &Resolved<'_>, branch: BranchId, known: Option<&Branch>) {
        let row = resolved.row;
        let start = row.founded.or(row.approved).or(row.applied).unwrap_or(self.now());
        if let Some(by) = resolved.approver {
            let day = row.approved.unwrap_or(start);
            let stands = known.is_some_and(|known| {
                known.approvals.iter().any(|a| {
                    a.stamp.day == day.day && (row.document.is_none() || a.document == row.document)
                })
            });
            if !stands {
                let draft = Draft {
                    document: row.document.clone(),
                    ..self.draft(day, BranchFact::Approved { branch })
                };
                self.facts += 1;
                self.tx.push(Draft { unit: by, ..draft });
            }
        }
        if let Some((uscc, _)) = &row.uscc
            && known.is_none_or(|known| known.legal_registered.is_none())
        {
            self.push(start, BranchFact::LegalRegistered { branch, uscc: uscc.clone() });
        }
        self.coverage(resolved, branch, known, start);
        self.election(row, branch, known, start);
        if let Some(Some(form)) = row.women
            && known.and_then(|known| known.women_on(self.today)) != Some(form)
        {
            let day =
                if known.is_some_and(|known| !known.women.is_empty()) { self.now() } else { start };
            self.push(day, BranchFact::WomenOrgFormed { branch, form });
        }
    }

    fn coverage(
        &mut self,
        resolved: &Resolved<'_>,
        branch: BranchId,
        known: Option<&Branch>,
        start: Dated,
    ) {
        let host = self.names.unit_at(resolved.host).id;
        let tree = self.tx.view().tree();
        let covered: Vec<UnitId> = known
            .map(|known| known.covered_on(self.today).map(|at| tree.unit(at).id).collect())
            .unwrap_or_default();
        let is_own = resolved.row.kind == BranchKind::Own;
        let newly = resolved.covers.iter().filter(|unit| !covered.contains(unit));
        for unit in newly.filter(|unit| !(is_own && **unit == host)) {
            let day = if known.is_some() { self.now() } else { start };
            self.push(day, BranchFact::Covered { branch, unit: *unit });
        }
        if self.complete && !resolved.row.covers.is_empty() {
            for unit in covered.iter().filter(|unit| !resolved.covers.contains(unit)) {
                if !(is_own && *unit == host) {
                    self.push(self.now(), BranchFact::Uncovered { branch, unit: *unit });
                }
            }
        }
    }

    fn election(
        &mut self,
        row: &BranchRow,
        branch: BranchId,
        known: Option<&Branch>,
        start: Dated,
    ) {
        if row.elected.is_none() && row.until.is_none() && row.term_years.is_none() {
            return;
        }
        let elected = row.elected.unwrap_or(start);
        let term_years = row.term_years.unwrap_or_else(|| term_of(elected.day, row.until));
        let ends = row.until.unwrap_or_else(|| elected.day.plus_years(i32::from(term_years)));
        let stands = known.is_some_and(|known| known.elections.contains(&(elected.day, ends)));
        if !stands {
            let until = row.until;
            self.push(elected, BranchFact::CommitteeElected { branch, term_years, until });
        }
    }

    fn now(&self) -> Dated {
        Dated { day: self.today, precision: Precision::Day }
    }

    fn draft(&self, day: Dated, fact: BranchFact) -> Draft {
        Draft {
            precision: day.precision,
            operator: self.operator,
            attributes: self.attributes.clone(),
            ..Draft::new(self.own, day.day, FactBody::Branch(fact))
        }
    }

    fn push(&mut self, day: Dated, fact: BranchFact) {
        self.facts += 1;
        let draft = self.draft(day, fact);
        self.tx.push(draft);
    }
}

fn codes_of(row: &BranchRow) -> Vec<Code> {
    let uscc = row.uscc.as_ref().map(|(value, _)| (CodeKind::UnionUscc, value.clone()));
    let statistical = row.statistical.clone().map(|value| (CodeKind::UnionStatistical, value));
    uscc.into_iter().chain(statistical).map(|(kind, value)| Code { kind, value }).collect()
}

/// Three years where the end lies at most three and a half years off, else five (工会法 art. 16).
fn term_of(elected: Day, until: Option<Day>) -> u8 {
    match until {
        Some(until) if until.0 - elected.0 <= 3 * 365 + 183 => 3,
        _ => 5,
    }
}
