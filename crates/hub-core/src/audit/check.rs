//! Checking one published answer against a log: proved, refuted, or undecidable, and why (DESIGN §11).
//!
//! The log is folded anew under the root key the auditor names. What is decided rests on three things only:
//! the signed checkpoint the citation names, the blocks of its frontier, and the definitions and policy of
//! this program.

use super::{Finding, FindingKind, Replayed};
use crate::fact::governance::ChainHeight;
use crate::hash::Hash;
use crate::id::{ChainId, FactId, UnitId};
use crate::known::{self, KnownError};
use crate::query::{Basis, By, Desk, Label, QueryError, Question, Row};
use crate::time::Day;
use crate::view::{BlockSource, View};
use std::collections::BTreeMap;
use std::fmt;

/// An answer as it was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    /// The unit.
    pub unit: UnitId,
    /// The indicator or measure, without its version.
    pub indicator: String,
    /// The first digits of the hash of its definition.
    pub definition: String,
    /// The base.
    pub base: String,
    /// The first digits of the hash of the policy.
    pub policy: String,
    /// One row a what.
    pub by: By,
    /// What the numbers come from.
    pub basis: Basis,
    /// The day.
    pub as_of: Day,
    /// The day of the boundaries.
    pub boundaries: Day,
    /// The checkpoint; none for an answer of that very moment.
    pub checkpoint: Option<FactId>,
    /// The view digest.
    pub digest: Hash,
    /// Rows as printed: name, numerator (or count), denominator.
    pub rows: Vec<(String, i64, Option<i64>)>,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// 证实: every row follows from the log.
    Proved {
        /// Its rows.
        rows: Vec<Compared>,
    },
    /// 证伪: the log says otherwise.
    Refuted {
        /// Its rows, those that differ among them.
        rows: Vec<Compared>,
        /// Why.
        cause: Refuted,
    },
    /// 无法判定: what is here does not decide it.
    Undecidable(Undecidable),
}

/// A row as printed beside the same row as it follows from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub label: String,
    /// As printed; none where it was not.
    pub printed: Option<(i64, Option<i64>)>,
    /// As it follows; none where it does not.
    pub found: Option<(i64, Option<i64>)>,
}

impl Compared {
    /// Whether both say the same.
    pub fn agrees(&self) -> bool {
        self.printed == self.found
    }
}

/// Why an answer is refuted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refuted {
    /// Numbers differ.
    Numbers,
    /// The citation names another view than the checkpoint it rests on.
    Digest {
        /// As the checkpoint's writer signed.
        expected: Hash,
        /// As printed.
        found: Hash,
    },
    /// The checkpoint's blocks do not give the view its writer signed.
    Checkpoint {
        /// As signed.
        expected: Hash,
        /// As the blocks give.
        found: Hash,
    },
    /// The checkpoint is not of the node that served the unit then.
    Witness,
}

/// Why nothing can be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecidable {
    /// The checkpoint is not in the log, not whole, or does not stand.
    NoCheckpoint(FactId),
    /// The answer names no checkpoint, and the log holds other blocks than its view.
    OtherBlocks {
        /// As printed.
        expected: Hash,
        /// Of the log.
        found: Hash,
    },
    /// A block of the frontier is missing, or is another one.
    Blocks(KnownError),
    /// Something is wrong with a chain of the frontier.
    Chain(Box<Finding>),
    /// The definition is not the one this program has.
    Definition,
    /// The policy is not the one this program has.
    Policy,
    /// The question has no answer here.
    Question(QueryError),
    /// The unit is not known in that view.
    NoUnit(UnitId),
}

impl fmt::Display for Refuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers => f.write_str("the blocks give other numbers"),
            Self::Digest { expected, found } => {
                write!(f, "digest: expected {expected} as the checkpoint says, found {found}")
            }
            Self::Checkpoint { expected, found } => {
                write!(f, "checkpoint: expected {expected} as signed, found {found} in its blocks")
            }
            Self::Witness => f.write_str("the checkpoint is not of the node serving the unit"),
        }
    }
}

impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCheckpoint(id) => write!(f, "checkpoint: expected {id}, found none"),
            Self::OtherBlocks { expected, found } => {
                write!(f, "no checkpoint is named; view: expected {expected}, found {found}")
            }
            Self::Blocks(error) => error.fmt(f),
            Self::Chain(finding) => finding.fmt(f),
            Self::Definition => f.write_str("definition: expected that of this program"),
            Self::Policy => f.write_str("policy: expected that of this program"),
            Self::Question(error) => error.fmt(f),
            Self::NoUnit(unit) => write!(f, "unit: expected {unit}, found none"),
        }
    }
}

/// Checks an answer against a log that was folded. `label` names rows as they were printed.
pub fn check(
    log: &Replayed,
    source: &dyn BlockSource,
    cited: &Cited,
    label: &dyn Fn(&View, &Label) -> String,
) -> Checked {
    let undecidable = Checked::Undecidable;
    let Some(checkpoint) = &cited.checkpoint else {
        let found = log.view.digest();
        if found != cited.digest {
            let expected = cited.digest;
            return undecidable(Undecidable::OtherBlocks { expected, found });
        }
        if let Some(finding) = log.findings.first() {
            return undecidable(Undecidable::Chain(Box::new(finding.clone())));
        }
        return compare(&log.view, cited, label);
    };
    let Some(checkpoint) = log.view.checkpoint(checkpoint) else {
        return undecidable(Undecidable::NoCheckpoint(*checkpoint));
    };
    let frontier = log.view.frontier_of(&checkpoint);
    if let Some(finding) = doubt(&log.findings, &frontier, &checkpoint.id) {
        return undecidable(Undecidable::Chain(Box::new(finding.clone())));
    }
    let refuted = |cause| Checked::Refuted { rows: Vec::new(), cause };
    if checkpoint.digest != cited.digest {
        let (expected, found) = (checkpoint.digest, cited.digest);
        return refuted(Refuted::Digest { expected, found });
    }
    let tree = log.view.tree();
    let Some(at) = tree.find(&cited.unit) else {
        return undecidable(Undecidable::NoUnit(cited.unit));
    };
    let server = log.view.authority().server_of(tree, at, checkpoint.hlc);
    if server.is_none_or(|server| server.enrolment.node != checkpoint.id.chain.node) {
        return refuted(Refuted::Witness);
    }
    match known::at(&log.view, &checkpoint, source) {
        Ok(known) => compare(&known, cited, label),
        Err(KnownError::Digest { expected, found }) => {
            refuted(Refuted::Checkpoint { expected, found })
        }
        Err(error) => undecidable(Undecidable::Blocks(error)),
    }
}

/// The first finding that makes the blocks of the frontier, or the checkpoint itself, doubtful.
fn doubt<'a>(
    findings: &'a [Finding],
    frontier: &[ChainHeight],
    checkpoint: &FactId,
) -> Option<&'a Finding> {
    let mut reach: BTreeMap<ChainId, u64> =
        frontier.iter().map(|head| (head.chain, head.height)).collect();
    reach.insert(checkpoint.chain, u64::MAX);
    findings.iter().find(|finding| {
        let Some(reach) = finding.chain.and_then(|chain| reach.get(&chain)) else { return false };
        // the newest signature vouches for all before it: a bad one leaves the whole chain open
        match finding.kind {
            FindingKind::Signature(_) | FindingKind::UnknownWriter { .. } | FindingKind::Unread => {
                true
            }
            _ => finding.height.is_none_or(|height| height <= *reach),
        }
    })
}

fn compare(view: &View, cited: &Cited, label: &dyn Fn(&View, &Label) -> String) -> Checked {
    let Some(unit) = view.tree().find(&cited.unit) else {
        return Checked::Undecidable(Undecidable::NoUnit(cited.unit));
    };
    let question = Question {
        unit,
        indicator: cited.indicator.clone(),
        base: cited.base.clone(),
        by: cited.by,
        as_of: cited.as_of,
        boundaries: Some(cited.boundaries),
        basis: cited.basis,
    };
    let answer = match Desk::default().answer(view, &question) {
        Ok(answer) => answer,
        Err(error) => return Checked::Undecidable(Undecidable::Question(error)),
    };
    let begins =
        |hash: Hash, digits: &str| !digits.is_empty() && hash.to_string().starts_with(digits);
    if !begins(answer.citation.definition, &cited.definition) {
        return Checked::Undecidable(Undecidable::Definition);
    }
    if !begins(answer.citation.policy, &cited.policy) {
        return Checked::Undecidable(Undecidable::Policy);
    }
    let rows = compared(&answer.rows, cited, &|found| label(view, found));
    if rows.iter().all(Compared::agrees) {
        return Checked::Proved { rows };
    }
    Checked::Refuted { rows, cause: Refuted::Numbers }
}

/// Rows of one name are compared in the order they stand.
fn compared(found: &[Row], cited: &Cited, label: &dyn Fn(&Label) -> String) -> Vec<Compared> {
    let mut left: Vec<(String, (i64, Option<i64>))> =
        found.iter().map(|row| (label(&row.label), (row.numerator, row.denominator))).collect();
    let mut rows = Vec::new();
    for (name, numerator, denominator) in &cited.rows {
        let place = left.iter().position(|(label, _)| label == name);
        let found = place.map(|place| left.remove(place).1);
        let printed = Some((*numerator, *denominator));
        rows.push(Compared { label: name.clone(), printed, found });
    }
    let unprinted = left.into_iter();
    rows.extend(unprinted.map(|(label, found)| Compared {
        label,
        printed: None,
        found: Some(found),
    }));
    rows
}
