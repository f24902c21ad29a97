//! The cases of today with the names of what they are about.

use crate::command::error::CommandError;
use crate::command::names::Names;
use crate::command::session::Session;
use crate::import::Problem;
use crate::render::words;
use hub_core::case::{self, Case, CaseKind, CaseSide};
use hub_core::fact::governance::Side;
use hub_core::id::UnitId;
use hub_core::rollup::Rollup;
use hub_core::view::tree::UnitIx;
use std::sync::Arc;

/// The most cases an ambiguous beginning lists.
const CANDIDATES_MAX: usize = 8;
/// The digits of an id that are shown.
pub(super) const ID_DIGITS: usize = 8;

/// The cases of today.
pub(super) struct Docket<'a, 'i> {
    pub(super) session: &'a Session<'i>,
    pub(super) cases: Vec<Case>,
    pub(super) rollup: Arc<Rollup>,
    pub(super) names: Names,
    /// The unit this node serves.
    pub(super) own: Option<UnitIx>,
}

impl<'a, 'i> Docket<'a, 'i> {
    pub(super) fn open(session: &'a Session<'i>) -> Self {
        let names = session.names();
        let (replica, today) = (session.replica(), session.today());
        let own = replica.who().office;
        let (rollup, own) = {
            let view = replica.read();
            let own = own.and_then(|unit| view.tree().find(&unit));
            (session.shared.desk().rollup(&view, today, today), own)
        };
        let cases = replica.ask(|view, source| case::all(view, &rollup, source));
        Self { session, cases, rollup, names, own }
    }

    /// The case whose id begins so.
    pub(super) fn find(&self, typed: &str) -> Result<&Case, Problem> {
        let typed = typed.trim().to_ascii_lowercase();
        let begins = |case: &&Case| !typed.is_empty() && case.id.to_string().starts_with(&typed);
        let fitting: Vec<&Case> = self.cases.iter().filter(begins).collect();
        match fitting.as_slice() {
            [] => Err(Problem::UnknownCase),
            [only] => Ok(only),
            several => {
                let shown = several.iter().take(CANDIDATES_MAX);
                let candidates = shown.map(|case| case.id.short()).collect();
                Err(Problem::Ambiguous { candidates })
            }
        }
    }

    /// The case a person typed.
    pub(super) fn case(&self, typed: &str) -> Result<&Case, CommandError> {
        self.find(typed).map_err(|problem| CommandError::argument(typed, problem))
    }

    fn unit_id(&self, at: UnitIx) -> UnitId {
        self.session.replica().read().tree().unit(at).id
    }

    /// Where a unit stands, in words.
    pub(super) fn unit_path(&self, at: UnitIx) -> String {
        let id = self.unit_id(at);
        let place = self.names.place_of(&id);
        place.map_or_else(|| id.to_string(), |place| self.names.unit_path(place))
    }

    /// A side in words: the union, or the parent of the registration.
    pub(super) fn side_name(&self, side: &CaseSide) -> String {
        match side.side {
            Some(Side::Claim { branch, .. } | Side::Branch { branch }) => {
                let place = self.names.place_of_branch(&branch);
                place.map_or_else(|| branch.to_string(), |place| self.names.branch_path(place))
            }
            _ => side.unit.map_or_else(String::new, |at| self.unit_path(at)),
        }
    }

    /// What a case is about, in words; a person's name only if it stands in this node's own vault.
    pub(super) fn subject(&self, case: &Case) -> Result<String, CommandError> {
        if let Some(member) = case.member {
            let known = self.session.person(&member)?;
            return Ok(match known {
                Some(person) => person.name.to_string(),
                None => words::case::unnamed_member(self.session.lang, &member),
            });
        }
        if let Some(unit) = case.subject {
            return Ok(self.unit_path(unit));
        }
        let named = case.sides.first().map(|side| self.side_name(side));
        Ok(named.unwrap_or_default())
    }

    /// Whether this node's unit lies at or above all sides: whether it may rule.
    pub(super) fn may_rule(&self, case: &Case) -> bool {
        let Some(own) = self.own else { return false };
        case.can_be_ruled()
            && case
                .sides
                .iter()
                .all(|side| side.unit.is_some_and(|unit| self.rollup.is_at_or_above(own, unit)))
    }

    /// The places of the sides at or below a unit.
    pub(super) fn sides_of(&self, case: &Case, unit: UnitIx) -> Vec<usize> {
        let below =
            |side: &CaseSide| side.unit.is_some_and(|at| self.rollup.is_at_or_above(unit, at));
        (0..case.sides.len()).filter(|place| below(&case.sides[*place])).collect()
    }

    /// Whether this node's side may object: it has a side, and the one that counts is another's.
    pub(super) fn may_object(&self, case: &Case) -> bool {
        let about_a_person =
            matches!(case.kind, CaseKind::DualMembership | CaseKind::DisputedMembership);
        let ours = self.own.map(|own| self.sides_of(case, own)).unwrap_or_default();
        about_a_person && !ours.is_empty() && ours.len() < case.sides.len() && !ours.contains(&0)
    }
}
