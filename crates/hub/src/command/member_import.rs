//! `hub member import`: a roster against the books of its unions.

use super::corrections::Corrections;
use super::error::CommandError;
use super::intake::{Intake, IntakeOptions, Outcome, Taken};
use super::member_plan::Plan;
use super::names::Names;
use super::roster::Roster;
use super::session::{Session, import_attribute, next_import, transact};
use crate::import::row::MemberRow;
use crate::import::{Problem, document::Document};
use crate::replica::Draft;
use hub_core::fact::FactBody;
use hub_core::fact::member::{LeaveReason, MemberAct, MemberFact};
use hub_core::id::{BranchId, MemberKey, UnitId};
use hub_core::person::PersonKey;
use hub_core::time::Day;
use hub_log::vault::Person;
use std::collections::{BTreeMap, HashMap, HashSet};

const NUMBER: usize = 1;
const BRANCH: usize = 4;
const EMPLOYER: usize = 5;
const FROM: usize = 11;
const HOST: usize = 12;

/// How many rows are written together: enough to fill blocks, few enough that others wait briefly.
const ROWS_TOGETHER: usize = 65_536;

/// Imports a roster. `branch` names the union of rows that name none.
///
/// # Errors
/// The file is refused as a whole, or the facts cannot be written.
pub fn import(
    session: &Session<'_>,
    options: &IntakeOptions,
    branch: Option<&str>,
    reason: LeaveReason,
) -> Result<u8, CommandError> {
    let mut run = Run::start(session, options, branch)?;
    let mut intake = Intake::open::<MemberRow>(session, options)?;
    loop {
        let mut rows = Vec::new();
        while rows.len() < ROWS_TOGETHER {
            let Some(taken) = intake.take::<MemberRow>()? else { break };
            rows.push(taken);
        }
        let last = rows.len() < ROWS_TOGETHER;
        run.chunk(&mut intake, rows)?;
        if last {
            break;
        }
    }
    run.missing(&mut intake, reason)?;
    let import = (intake.tally.facts > 0 && !options.dry_run).then_some(run.import);
    let tally = intake.finish(session, options, import)?;
    Ok(u8::from(tally.refused > 0))
}

/// A row with its names resolved.
pub(super) struct Resolved {
    pub(super) member: MemberKey,
    pub(super) branch: BranchId,
    pub(super) employer: Option<UnitId>,
    pub(super) host: Option<UnitId>,
    pub(super) from: Option<BranchId>,
    /// The wrong number this row corrects, as the key it gave (K17).
    pub(super) corrects: Option<MemberKey>,
}

struct Run<'a, 'i> {
    session: &'a Session<'i>,
    options: &'a IntakeOptions,
    own: UnitId,
    today: Day,
    key: PersonKey,
    names: Names,
    default_branch: Option<usize>,
    roster: Roster,
    /// Unions whose books were read.
    read: HashSet<BranchId>,
    /// Unions resolved before, with why they cannot be written to.
    resolved: HashMap<String, Result<usize, Problem>>,
    /// Persons the file names, by union.
    named: BTreeMap<BranchId, HashSet<MemberKey>>,
    import: i32,
}

impl<'a, 'i> Run<'a, 'i> {
    fn start(
        session: &'a Session<'i>,
        options: &'a IntakeOptions,
        branch: Option<&str>,
    ) -> Result<Self, CommandError> {
        let own = session.own_unit()?;
        let names = session.names();
        let default_branch = branch.map(|typed| session.branch(&names, typed)).transpose()?;
        Ok(Self {
            own,
            today: session.today(),
            key: session.person_key()?,
            names,
            default_branch,
            roster: Roster::default(),
            read: HashSet::new(),
            resolved: HashMap::new(),
            named: BTreeMap::new(),
            import: next_import(session),
            session,
            options,
        })
    }

    fn chunk(
        &mut self,
        intake: &mut Intake<'_>,
        rows: Vec<Taken<MemberRow>>,
    ) -> Result<(), CommandError> {
        let mut ready = Vec::with_capacity(rows.len());
        for taken in rows {
            match self.resolve(&taken.row) {
                Ok(resolved) => {
                    let key = format!("{}/{}", resolved.branch, resolved.member);
                    match intake.named_before(key, taken.row.row) {
                        Some(first) => {
                            intake.refuse_taken(&taken, NUMBER, Problem::SameKey { first })?;
                        }
                        None => ready.push((taken, resolved)),
                    }
                }
                Err((column, problem)) => intake.refuse_taken(&taken, column, problem)?,
            }
        }
        self.read_books(&ready);
        Corrections::of(self.session, &self.roster, &ready)?.apply(&self.roster, &mut ready);
        // Names and numbers are durable before the first fact that needs them.
        self.keep_persons(&ready)?;
        let (today, import, own) = (self.today, self.import, self.own);
        let (roster, session) = (&self.roster, self.session);
        let (outcomes, facts) = transact(session, self.options.dry_run, |tx| {
            let operator = session.operator;
            let mut plan = Plan { own, today, import, operator, roster, tx, facts: 0 };
            let outcomes: Vec<Outcome> =
                ready.iter().map(|(taken, resolved)| Ok(plan.row(&taken.row, resolved))).collect();
            Ok((outcomes, plan.facts))
        })?;
        for ((taken, resolved), outcome) in ready.iter().zip(outcomes) {
            let named = self.named.entry(resolved.branch).or_default();
            named.insert(resolved.member);
            named.extend(resolved.corrects);
            intake.settle(taken, outcome)?;
        }
        intake.tally.facts += facts;
        Ok(())
    }

    fn resolve(&mut self, row: &MemberRow) -> Result<Resolved, (usize, Problem)> {
        let place = match (&row.branch, self.default_branch) {
            (None, None) => return Err((BRANCH, Problem::Blank)),
            (None, Some(place)) => place,
            (Some(typed), _) => self.branch(typed).map_err(|problem| (BRANCH, problem))?,
        };
        let unit = |typed: &Option<String>, column: usize| match typed {
            None => Ok(None),
            Some(typed) => {
                let place = self.names.unit(typed).map_err(|problem| (column, problem))?;
                Ok(Some(self.names.unit_at(place).id))
            }
        };
        let (employer, host) = (unit(&row.employer, EMPLOYER)?, unit(&row.host, HOST)?);
        // A union before that is not known here is a fact about somewhere else: the transfer stands.
        let from = row.from.as_ref().map(|typed| match self.names.branch(typed) {
            Ok(place) => Ok(Some(self.names.branch_at(place).id)),
            Err(Problem::UnknownBranch) => Ok(None),
            Err(problem) => Err((FROM, problem)),
        });
        Ok(Resolved {
            member: self.key.member(row.document.kind, &row.document.number),
            branch: self.names.branch_at(place).id,
            employer,
            host,
            from: from.transpose()?.flatten(),
            corrects: None,
        })
    }

    /// The union a roster names, if this node keeps its books; rosters name the same few over and over.
    fn branch(&mut self, typed: &str) -> Result<usize, Problem> {
        if let Some(known) = self.resolved.get(typed) {
            return known.clone();
        }
        let found = self.names.branch(typed).and_then(|place| {
            let host = self.names.branch_at(place).host.ok_or(Problem::UnknownUnit)?;
            match self.session.served_elsewhere(&self.names.unit_at(host).id) {
                Some(problem) => Err(problem),
                None => Ok(place),
            }
        });
        self.resolved.insert(typed.to_owned(), found.clone());
        found
    }

    fn read_books(&mut self, ready: &[(Taken<MemberRow>, Resolved)]) {
        let named: HashSet<BranchId> = ready.iter().map(|(_, resolved)| resolved.branch).collect();
        if named.is_subset(&self.read) {
            return;
        }
        self.read.extend(named);
        self.roster = Roster::read(self.session.replica(), &self.read);
    }

    fn keep_persons(&self, ready: &[(Taken<MemberRow>, Resolved)]) -> Result<(), CommandError> {
        if self.options.dry_run || ready.is_empty() {
            return Ok(());
        }
        let persons: Vec<(MemberKey, Person)> = ready
            .iter()
            .map(|(taken, resolved)| {
                (resolved.member, person(&taken.row.name, &taken.row.document))
            })
            .collect();
        self.session.shared.vault()?.put_many(&persons)?;
        Ok(())
    }

    /// Members in the books that the file does not name: told, and ended only where it is complete.
    fn missing(
        &mut self,
        intake: &mut Intake<'_>,
        reason: LeaveReason,
    ) -> Result<(), CommandError> {
        let mut gone: Vec<(BranchId, MemberKey)> = Vec::new();
        for (branch, named) in &self.named {
            let standing = self.roster.standing(branch);
            gone.extend(
                standing.iter().filter(|(m, _)| !named.contains(m)).map(|(m, _)| (*branch, *m)),
            );
        }
        intake.tally.missing = gone.len() as u64;
        if gone.is_empty() {
            return Ok(());
        }
        self.tell_missing(&gone)?;
        if !self.options.complete {
            return Ok(());
        }
        let (own, today, import) = (self.own, self.today, self.import);
        let operator = self.session.operator;
        for part in gone.chunks(ROWS_TOGETHER) {
            transact(self.session, self.options.dry_run, |tx| {
                for (branch, member) in part {
                    let act = MemberAct::Left { reason };
                    let fact = MemberFact { member: *member, branch: *branch, act };
                    tx.push(Draft {
                        operator,
                        attributes: vec![import_attribute(import)],
                        ..Draft::new(own, today, FactBody::Member(fact))
                    });
                }
                Ok(())
            })?;
        }
        intake.tally.ended = gone.len() as u64;
        intake.tally.facts += gone.len() as u64;
        Ok(())
    }

    /// Names the first of them on the error stream, which is the caller's own screen.
    fn tell_missing(&self, gone: &[(BranchId, MemberKey)]) -> Result<(), CommandError> {
        const SHOWN: usize = 20;
        let vault = self.session.shared.vault()?;
        let mut text = String::new();
        for (branch, member) in gone.iter().take(SHOWN) {
            let name = vault.get(member)?.map(|person| person.name.clone()).unwrap_or_default();
            let place = self.names.place_of_branch(branch);
            let path = place.map(|place| self.names.branch_path(place)).unwrap_or_default();
            let line = self.session.lang.pick(
                format!("表中缺少:{}({path})\n", *name),
                format!("not in the file: {} ({path})\n", *name),
            );
            text.push_str(&line);
        }
        if gone.len() > SHOWN {
            text.push_str("…\n");
        }
        self.session.io.err(&text).map_err(CommandError::Screen)
    }
}

/// What the vault keeps.
pub(super) fn person(name: &str, document: &Document) -> Person {
    Person {
        name: name.to_owned().into(),
        document: document.kind,
        number: document.number.clone().into(),
        phone: None,
    }
}
