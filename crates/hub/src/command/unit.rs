//! `hub unit import`: a list of units against what is known.

use super::error::CommandError;
use super::intake::{Came, Intake, IntakeOptions, Outcome};
use super::names::Names;
use super::session::{Session, import_attribute, next_import, served_elsewhere, transact};
use crate::import::Problem;
use crate::import::date::Dated;
use crate::import::row::UnitRow;
use crate::replica::{Draft, Transaction};
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{Attribute, Code, CodeKind, FactBody, UnitFact};
use hub_core::id::{FactId, UnitId};
use hub_core::time::{Day, Precision};
use hub_core::view::View;
use hub_core::view::tree::UnitOnDay;

const CODE: usize = 1;
const PARENT: usize = 3;
const LOCATED_IN: usize = 5;
const EMPLOYEES: usize = 6;

/// Imports a list of units.
///
/// # Errors
/// The file is refused as a whole, or the facts cannot be written.
pub fn import(
    session: &Session<'_>,
    options: &IntakeOptions,
    list_year: Option<u16>,
) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let mut intake = Intake::open::<UnitRow>(session, options)?;
    let mut rows = Vec::new();
    while let Some(taken) = intake.take::<UnitRow>()? {
        let key = key_of(&taken.row);
        match intake.named_before(key, taken.row.row) {
            Some(first) => intake.refuse_taken(&taken, CODE, Problem::SameKey { first })?,
            None => rows.push(taken),
        }
    }
    let import = next_import(session);
    let today = session.today();
    let year = list_year.unwrap_or_else(|| u16::try_from(today.to_ymd().0).unwrap_or(u16::MAX));
    let mut names = session.names();
    let plain: Vec<&UnitRow> = rows.iter().map(|taken| &taken.row).collect();
    let (outcomes, facts) = transact(session, options.dry_run, |tx| {
        let attributes = vec![import_attribute(import)];
        let mut plan = Plan::new(session, own, year, attributes, &mut names, tx);
        Ok((plan.rows(&plain), plan.facts))
    })?;
    for (taken, outcome) in rows.iter().zip(outcomes) {
        intake.settle(taken, outcome)?;
    }
    intake.tally.facts = facts;
    let import = (intake.tally.facts > 0 && !options.dry_run).then_some(import);
    let tally = intake.finish(session, options, import)?;
    Ok(u8::from(tally.refused > 0))
}

/// One employer or territory by its code, else by parent and name.
fn key_of(row: &UnitRow) -> String {
    match &row.code {
        Some(code) => code.value.clone(),
        None => format!("{}/{}", row.parent.as_deref().unwrap_or(""), row.name),
    }
}

/// Turns rows into facts against what is known.
pub(super) struct Plan<'a, 'tx, 'v> {
    operator: u32,
    own: UnitId,
    year: u16,
    today: Day,
    attributes: Vec<Attribute>,
    names: &'a mut Names,
    tx: &'tx mut Transaction<'v>,
    facts: u64,
}

impl<'a, 'tx, 'v> Plan<'a, 'tx, 'v> {
    pub(super) fn new(
        session: &Session<'_>,
        own: UnitId,
        year: u16,
        attributes: Vec<Attribute>,
        names: &'a mut Names,
        tx: &'tx mut Transaction<'v>,
    ) -> Self {
        let (operator, today) = (session.operator, session.today());
        Self { operator, own, year, today, attributes, names, tx, facts: 0 }
    }

    /// Rows may name parents that stand further down: what cannot be placed waits for the next round.
    pub(super) fn rows(&mut self, rows: &[&UnitRow]) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = rows.iter().map(|_| None).collect();
        let mut waiting: Vec<usize> = (0..rows.len()).collect();
        loop {
            let before = waiting.len();
            waiting.retain(|at| {
                let outcome = self.row(rows[*at]);
                let waits = matches!(outcome, Err((PARENT | LOCATED_IN, Problem::UnknownUnit)));
                outcomes[*at] = Some(outcome);
                waits
            });
            if waiting.is_empty() || waiting.len() == before {
                return outcomes.into_iter().flatten().collect();
            }
        }
    }

    fn served_elsewhere(&self, unit: &UnitId) -> Option<Problem> {
        served_elsewhere(self.tx.view(), self.tx.who().node, self.tx.now(), unit)
    }

    fn row(&mut self, row: &UnitRow) -> Outcome {
        let parent = row.parent.as_deref().map(|typed| self.names.unit(typed)).transpose();
        let parent = parent.map_err(|problem| (PARENT, problem))?;
        let located = row.located_in.as_deref().map(|typed| self.names.unit(typed)).transpose();
        let located = located.map_err(|problem| (LOCATED_IN, problem))?;
        match self.known(row, parent) {
            Some(place) => self.revise(row, place, parent),
            None => self.register(row, parent, located).map(|()| Came::New),
        }
    }

    fn known(&self, row: &UnitRow, parent: Option<usize>) -> Option<usize> {
        match &row.code {
            Some(code) => self.names.unit_of_code(&code.value),
            None => {
                let parent = parent.or_else(|| self.names.place_of(&self.own))?;
                self.names.child_named(parent, &row.name)
            }
        }
    }

    fn register(
        &mut self,
        row: &UnitRow,
        parent: Option<usize>,
        located: Option<usize>,
    ) -> Result<(), (usize, Problem)> {
        let above = parent
            .or_else(|| self.names.place_of(&self.own))
            .ok_or((PARENT, Problem::UnknownUnit))?;
        if self.names.unit_at(above).level >= row.level {
            return Err((PARENT, Problem::ParentTooLow));
        }
        let own = self.names.place_of(&self.own);
        if !own.is_some_and(|own| self.names.is_at_or_below(above, own)) {
            let by = self.names.unit_at(above).name.clone();
            return Err((PARENT, Problem::ServedElsewhere { by }));
        }
        if row.headcount.is_some()
            && let Some(problem) = self.served_elsewhere(&self.names.unit_at(above).id)
        {
            return Err((EMPLOYEES, problem));
        }
        let list_year =
            (row.code.as_ref().is_some_and(|c| c.kind == CodeKind::Division)).then_some(self.year);
        let mut codes: Vec<Code> = row.code.clone().into_iter().collect();
        codes.extend(row.local.clone().map(|value| Code { kind: CodeKind::Local, value }));
        let body = RegisteredUnit {
            kind: row.kind,
            level: row.level,
            parent: self.names.unit_at(above).id,
            located_in: located.map(|place| self.names.unit_at(place).id),
            list_year,
            profile: UnitProfile {
                name: row.name.clone(),
                codes,
                ownership: row.ownership,
                industry: row.industry,
                operating: row.operating.unwrap_or(true),
                no_union_reason: row.no_union_reason,
                qualified: row.qualified,
            },
        };
        let dated = self.dated(row.day);
        let id = self.push_registration(&body, dated);
        let place = self.names.add_unit(id, &row.name, row.kind, row.level, Some(above));
        for code in &body.profile.codes {
            if code.kind != CodeKind::Local {
                self.names.add_unit_code(place, code);
            }
        }
        self.headcount(id, row, dated);
        Ok(())
    }

    fn push_registration(&mut self, body: &RegisteredUnit, dated: Dated) -> UnitId {
        let (own, attributes, operator) = (self.own, self.attributes.clone(), self.operator);
        let make = |id: FactId| {
            let fact = FactBody::Unit(body.fact(&id));
            Draft {
                precision: dated.precision,
                operator,
                attributes: attributes.clone(),
                ..Draft::new(own, dated.day, fact)
            }
        };
        self.facts += 1;
        let fact = self.tx.push_with(make);
        body.id(&fact)
    }

    fn headcount(&mut self, unit: UnitId, row: &UnitRow, dated: Dated) {
        let Some(headcount) = row.headcount else { return };
        self.push(
            dated,
            UnitFact::HeadcountDeclared {
                unit,
                employees: headcount.employees,
                women: headcount.women,
                migrant: headcount.migrant,
                dispatched: headcount.dispatched,
            },
        );
    }

    fn push(&mut self, dated: Dated, fact: UnitFact) {
        let draft = Draft {
            precision: dated.precision,
            operator: self.operator,
            attributes: self.attributes.clone(),
            ..Draft::new(self.own, dated.day, FactBody::Unit(fact))
        };
        self.facts += 1;
        self.tx.push(draft);
    }

    fn dated(&self, day: Option<Dated>) -> Dated {
        day.unwrap_or(Dated { day: self.today, precision: Precision::Day })
    }

    /// Writes what differs from the view on the row's day; cells left blank say nothing.
    fn revise(&mut self, row: &UnitRow, place: usize, parent: Option<usize>) -> Outcome {
        let id = self.names.unit_at(place).id;
        let known_parent = self.names.unit_at(place).parent;
        let dated = self.dated(row.day);
        let state = state_of(self.tx.view(), &id, dated.day.max(self.today));
        if let Some(parent) = parent
            && Some(parent) != known_parent
        {
            // Another county's registration of the same firm is a fact of its own (U1); within one
            // subtree a change of parent is a move, with its own command.
            return self.register_again(row, id, place, parent);
        }
        let Some(state) = state else { return Ok(Came::Unchanged) };
        let revised = difference(row, id, &state);
        let on_day = state_of(self.tx.view(), &id, dated.day);
        let headcount = row.headcount.filter(|row| {
            let known = on_day.and_then(|state| state.headcount);
            known.is_none_or(|known| {
                known.employees != row.employees
                    || row.women.is_some_and(|women| known.women != Some(women))
                    || row.migrant.is_some_and(|migrant| known.migrant != Some(migrant))
                    || row.dispatched.is_some_and(|sent| known.dispatched != Some(sent))
            })
        });
        if revised.is_none() && headcount.is_none() {
            return Ok(Came::Unchanged);
        }
        if let Some(problem) = self.served_elsewhere(&id) {
            return Err((CODE, problem));
        }
        if let Some(fact) = revised {
            self.push(dated, fact);
        }
        if headcount.is_some() {
            self.headcount(id, row, dated);
        }
        Ok(Came::Revised)
    }

    fn register_again(
        &mut self,
        row: &UnitRow,
        id: UnitId,
        place: usize,
        parent: usize,
    ) -> Outcome {
        let tree = self.tx.view().tree();
        let under = self.names.unit_at(parent).id;
        let registered = tree.find(&id).is_some_and(|at| {
            let unit = tree.unit(at);
            let parents = unit.registrations.iter().filter_map(|r| r.parent);
            parents.into_iter().any(|parent| tree.unit(parent).id == under)
        });
        if registered {
            return Ok(Came::Unchanged);
        }
        let is_employer = self.names.unit_at(place).kind == UnitKind::Employer;
        let own = self.names.place_of(&self.own);
        let known_inside = own.is_some_and(|own| self.names.is_at_or_below(place, own));
        if !is_employer || known_inside {
            let expected = self.names.unit_path(place);
            return Err((
                PARENT,
                Problem::Shape { expected: format!("{expected} (hub unit move)") },
            ));
        }
        self.register(row, Some(parent), None).map(|()| Came::New)
    }
}

/// A registration before its id is known.
struct RegisteredUnit {
    kind: UnitKind,
    level: Level,
    parent: UnitId,
    located_in: Option<UnitId>,
    list_year: Option<u16>,
    profile: UnitProfile,
}

impl RegisteredUnit {
    /// By its code, else by the fact that registers it (DESIGN §3).
    fn id(&self, fact: &FactId) -> UnitId {
        let code = self.profile.codes.iter().find(|code| code.kind != CodeKind::Local);
        match (code, self.list_year) {
            (Some(Code { kind: CodeKind::Uscc, value }), _) => UnitId::of_employer(value),
            (Some(Code { kind: CodeKind::Division, value }), Some(year)) => {
                UnitId::of_territory(value, year)
            }
            _ => UnitId::of_registration(fact),
        }
    }

    fn fact(&self, id: &FactId) -> UnitFact {
        UnitFact::Registered {
            unit: self.id(id),
            kind: self.kind,
            level: self.level,
            parent: Some(self.parent),
            located_in: self.located_in,
            list_year: self.list_year,
            profile: self.profile.clone(),
        }
    }
}

fn state_of(view: &View, id: &UnitId, day: Day) -> Option<UnitOnDay> {
    let tree = view.tree();
    tree.unit(tree.find(id)?).on(day)
}

/// The revision that makes the known state what the row says; none where it says nothing new.
fn difference(row: &UnitRow, unit: UnitId, known: &UnitOnDay) -> Option<UnitFact> {
    let profile = &known.profile;
    let name = (profile.name != row.name).then(|| row.name.clone());
    let stated = row.code.iter().cloned();
    let local = row.local.clone().map(|value| Code { kind: CodeKind::Local, value });
    let codes: Vec<Code> = stated
        .chain(local)
        .filter(|code| code.kind != CodeKind::Division)
        .filter(|code| !profile.codes.contains(code))
        .collect();
    let ownership = row.ownership.filter(|value| profile.ownership != Some(*value));
    let industry = row.industry.filter(|value| profile.industry != Some(*value));
    let operating = row.operating.filter(|value| profile.operating != *value);
    let reason = row.no_union_reason.filter(|value| profile.no_union_reason != Some(*value));
    let same = name.is_none()
        && codes.is_empty()
        && ownership.is_none()
        && industry.is_none()
        && operating.is_none()
        && reason.is_none();
    (!same).then_some(UnitFact::Revised {
        unit,
        name,
        codes,
        ownership,
        industry,
        operating,
        no_union_reason: reason,
        qualified: None,
    })
}
