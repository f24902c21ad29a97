//! Why today's figure is not the published one: the difference by cause (DESIGN §7, S5).
//!
//! The published view's blocks are folded again together with growing groups of the facts that came later,
//! one group after the other in a fixed order. What a step changes is that group's doing, and the steps
//! sum to the difference exactly, because each begins where the one before ended.

use crate::codec::Body;
use crate::fact::governance::ChainHeight;
use crate::fact::member::{MemberAct, Origin, Start};
use crate::fact::unit::UnitKind;
use crate::fact::{BranchFact, Fact, FactBody, FigureFact, GovernanceFact, UnitFact};
use crate::hash::Hash;
use crate::id::{ChainId, FactId, UnitId};
use crate::known::{self, KnownError};
use crate::measure::Indicators;
use crate::query::{self, Basis, By, QueryError, Question};
use crate::rollup::Rollup;
use crate::time::Day;
use crate::view::{BlockSource, View};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What changed a published figure, in the order in which causes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Definitions or the policy.
    Definition,
    /// Units, unions and nodes moved, merged, succeeded, enrolled or cut off.
    Reorganisation,
    /// Two were one: a person, a unit, or a claim outside that was not known.
    Duplicate,
    /// Rulings and objections.
    Ruling,
    /// What was stated wrongly and taken back or revised.
    Correction,
    /// Members that went from union to union.
    Transfer,
    /// What had happened by then and was entered later.
    Late,
}

impl Cause {
    /// All, in order.
    pub const ALL: [Self; 7] = [
        Self::Definition,
        Self::Reorganisation,
        Self::Duplicate,
        Self::Ruling,
        Self::Correction,
        Self::Transfer,
        Self::Late,
    ];

    /// Its name for scripts.
    pub fn id(self) -> &'static str {
        match self {
            Self::Definition => "definition",
            Self::Reorganisation => "reorganisation",
            Self::Duplicate => "duplicate",
            Self::Ruling => "ruling",
            Self::Correction => "correction",
            Self::Transfer => "transfer",
            Self::Late => "late",
        }
    }
}

/// The question whose answer is split.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The unit.
    pub unit: UnitId,
    /// The indicator or measure.
    pub indicator: String,
    /// Its base.
    pub base: String,
    /// The day.
    pub as_of: Day,
    /// Each employer under its parent of this day.
    pub boundaries: Option<Day>,
}

/// A count, or the two numbers of a rate; of a unit that is not there yet 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Value {
    /// Over the line, or the count.
    pub numerator: i64,
    /// Under the line; none for a count.
    pub denominator: Option<i64>,
}

/// What one cause changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The cause.
    pub cause: Cause,
    /// The later facts of this cause, in order of id.
    pub facts: Vec<FactId>,
    /// The figure with this cause and all before it.
    pub after: Value,
    /// Change of the numerator.
    pub numerator: i64,
    /// Change of the denominator.
    pub denominator: i64,
}

/// The difference between what was published and what is so today, by cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// As published.
    pub published: Value,
    /// One step a cause, in order.
    pub steps: Vec<Step>,
    /// Today.
    pub current: Value,
}

/// The value of a question's total in a view, by these definitions.
///
/// # Errors
/// No such indicator or base.
pub fn value(view: &View, asked: &Asked, definitions: &Indicators) -> Result<Value, QueryError> {
    let Some(unit) = view.tree().find(&asked.unit) else { return Ok(Value::default()) };
    let question = Question {
        unit,
        indicator: asked.indicator.clone(),
        base: asked.base.clone(),
        by: By::Total,
        as_of: asked.as_of,
        boundaries: asked.boundaries,
        basis: Basis::Registry,
    };
    // no digest and no citation: these views are steps on the way
    let ratio = query::asked(&question, definitions)?.ratio;
    let boundaries = asked.boundaries.unwrap_or(asked.as_of);
    let rollup = Rollup::of(view, asked.as_of, boundaries);
    let of = (view.tree().canonical(unit), By::Total);
    let total = query::rows(view, &rollup, None, of, ratio).pop();
    Ok(total.map_or_else(Value::default, |total| Value {
        numerator: total.numerator,
        denominator: total.denominator,
    }))
}

/// Why a difference cannot be split.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SplitError {
    /// What is asked was not defined then, or is not now.
    Query(QueryError),
    /// What was known then cannot be folded under today's policy.
    Known(KnownError),
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(error) => error.fmt(f),
            Self::Known(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SplitError {}

impl From<QueryError> for SplitError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<KnownError> for SplitError {
    fn from(error: KnownError) -> Self {
        Self::Known(error)
    }
}

/// What was published: the view of a frontier, folded under the policy of its day, and what its ratios meant then.
#[derive(Debug, Clone, Copy)]
pub struct Then<'a> {
    /// The view.
    pub view: &'a View,
    /// The heads whose blocks it holds.
    pub frontier: &'a [ChainHeight],
    /// The definitions.
    pub definitions: &'a Indicators,
}

/// Splits the differences between what was published and `view`, which holds more and is asked by the definitions
/// of today: one split a question, in the order asked.
///
/// # Errors
/// No such indicator or base, then or now; or the blocks of then are not here.
pub fn split(
    view: &View,
    then: Then<'_>,
    source: &dyn BlockSource,
    asked: &[Asked],
) -> Result<Vec<Split>, SplitError> {
    let later = later_blocks(view, then.frontier, source);
    let groups = group(then.view, &later, source);
    let mut splits = Vec::new();
    for asked in asked {
        let published = value(then.view, asked, then.definitions)?;
        splits.push(Split { published, steps: Vec::new(), current: published });
    }
    let known = under_policy_of(view, then, source)?;
    let is_redefined = then.definitions != Indicators::standard() || known.is_some();
    let known = known.as_ref().unwrap_or(then.view);
    for cause in Cause::ALL {
        let facts = groups.get(&cause).cloned().unwrap_or_default();
        // the last step adds also what no fact says, such as the clocks of blocks that a cut waits for
        let is_step = !facts.is_empty()
            || cause == Cause::Late
            || (cause == Cause::Definition && is_redefined);
        let grown = is_step.then(|| {
            let withheld = groups.iter().filter(|(other, _)| **other > cause);
            grown(known, &later, source, withheld.flat_map(|(_, ids)| ids).copied().collect())
        });
        for (split, asked) in splits.iter_mut().zip(asked) {
            let before = split.current;
            let now = |grown| value(grown, asked, Indicators::standard());
            let after = grown.as_ref().map_or(Ok(before), now)?;
            split.steps.push(Step {
                cause,
                facts: facts.clone(),
                after,
                numerator: after.numerator - before.numerator,
                denominator: after.denominator.unwrap_or(0) - before.denominator.unwrap_or(0),
            });
            split.current = after;
        }
    }
    Ok(splits)
}

/// What was published folded under today's policy; none where it was.
fn under_policy_of(
    view: &View,
    then: Then<'_>,
    source: &dyn BlockSource,
) -> Result<Option<View>, KnownError> {
    if then.view.policy().hash == view.policy().hash {
        return Ok(None);
    }
    let (federation, root_key) = (view.federation(), *view.root_key());
    known::fold_under(view.shared_policy(), federation, root_key, then.frontier, source).map(Some)
}

/// Blocks that a view holds and a frontier does not cover: of a chain that forks also those of another side than
/// it names, whether they count or not.
pub(crate) fn later_blocks(
    view: &View,
    frontier: &[ChainHeight],
    source: &dyn BlockSource,
) -> Vec<(ChainId, u64, Hash)> {
    let covered: BTreeMap<ChainId, (u64, BTreeMap<u64, Hash>)> = frontier
        .iter()
        .map(|head| {
            let forked = view.forks_from(&head.chain);
            let side = |from| known::down_from(head, source, |height, _| height < from);
            let side = forked.map(side).unwrap_or_default();
            (head.chain, (head.height, side))
        })
        .collect();
    let is_covered = |(chain, height, hash): &(ChainId, u64, Hash)| {
        let Some((reach, side)) = covered.get(chain) else { return false };
        let forked = view.forks_from(chain).is_some_and(|from| from <= *height);
        height <= reach && (!forked || side.get(height) == Some(hash))
    };
    view.held().filter(|place| !is_covered(place)).collect()
}

/// The known view with these blocks added, but for the facts withheld.
fn grown(
    known: &View,
    later: &[(ChainId, u64, Hash)],
    source: &dyn BlockSource,
    withheld: BTreeSet<FactId>,
) -> View {
    let mut view = known.clone();
    view.withhold(withheld);
    for (chain, height, hash) in later {
        let Some(block) = source.side(chain, *height, hash) else { continue };
        view.add(&block);
    }
    view.settle(source);
    view
}

fn group(
    known: &View,
    later: &[(ChainId, u64, Hash)],
    source: &dyn BlockSource,
) -> BTreeMap<Cause, Vec<FactId>> {
    let blocks: Vec<_> = later
        .iter()
        .filter_map(|(chain, height, hash)| source.side(chain, *height, hash))
        .collect();
    let mut decisions: BTreeSet<FactId> = BTreeSet::new();
    let mut groups: BTreeMap<Cause, Vec<FactId>> = BTreeMap::new();
    let mut add = |cause, id| groups.entry(cause).or_default().push(id);
    let mut withdrawals = Vec::new();
    for block in &blocks {
        match block.body() {
            Ok(Body::Rows(facts)) => {
                for (index, fact) in facts.into_iter().enumerate() {
                    let id = block.fact_id(index as u32);
                    if is_decision(&fact.body) {
                        decisions.insert(id);
                    }
                    match &fact.body {
                        FactBody::Withdrawn(withdrawn) => withdrawals.push((id, withdrawn.clone())),
                        _ => add(cause_of(known, &fact), id),
                    }
                }
            }
            Ok(Body::Members(batch)) => {
                for index in 0..batch.rows.len() {
                    let cause = cause_of_member(&batch.member_fact(index).act);
                    add(cause, block.fact_id(index as u32));
                }
            }
            // nobody knows what it says: it is part of no group and changes nothing
            Err(_) => {}
        }
    }
    for (id, withdrawn) in withdrawals {
        let decided = known.fact(&withdrawn.first).is_some_and(|fact| is_decision(&fact.fact.body));
        let of_decision = decided || decisions.contains(&withdrawn.first);
        add(if of_decision { Cause::Ruling } else { Cause::Correction }, id);
    }
    for ids in groups.values_mut() {
        ids.sort_unstable();
    }
    groups
}

fn is_decision(body: &FactBody) -> bool {
    let FactBody::Governance(fact) = body else { return false };
    matches!(fact, GovernanceFact::Ruled { .. } | GovernanceFact::Objected { .. })
}

/// The cause a later fact stands for, by its kind and by what was known when the period was closed.
fn cause_of(known: &View, fact: &Fact) -> Cause {
    match &fact.body {
        FactBody::Unit(unit) => cause_of_unit(known, unit),
        FactBody::Branch(BranchFact::Moved { .. } | BranchFact::Merged { .. }) => {
            Cause::Reorganisation
        }
        FactBody::Branch(BranchFact::Revised { .. }) => Cause::Correction,
        FactBody::Member(member) => cause_of_member(&member.act),
        FactBody::Figure(FigureFact::Reported { revision, .. }) if *revision > 1 => {
            Cause::Correction
        }
        FactBody::Figure(FigureFact::Returned { .. }) | FactBody::Withdrawn(_) => Cause::Correction,
        FactBody::Governance(fact) => match fact {
            GovernanceFact::CatalogPublished { .. } | GovernanceFact::PolicyPublished { .. } => {
                Cause::Definition
            }
            GovernanceFact::NodeEnrolled(_) | GovernanceFact::NodeRevoked { .. } => {
                Cause::Reorganisation
            }
            // what a checkpoint changes is who reported on time
            GovernanceFact::Checkpointed { .. } => Cause::Late,
            GovernanceFact::Restated { .. } => Cause::Duplicate,
            GovernanceFact::Ruled { .. } | GovernanceFact::Objected { .. } => Cause::Ruling,
        },
        FactBody::Branch(_) | FactBody::Figure(_) => Cause::Late,
    }
}

fn cause_of_unit(known: &View, unit: &UnitFact) -> Cause {
    match unit {
        UnitFact::Registered { kind, .. } if *kind != UnitKind::Employer => Cause::Reorganisation,
        UnitFact::Moved { .. } | UnitFact::Succeeded { .. } => Cause::Reorganisation,
        UnitFact::Rekeyed { .. } => Cause::Duplicate,
        UnitFact::Revised { .. } => Cause::Correction,
        // the first number is late; one that replaces a number corrects it
        UnitFact::HeadcountDeclared { unit, .. } => {
            let tree = known.tree();
            let at = tree.find(unit).map(|at| tree.canonical(at));
            if at.is_some_and(|at| tree.unit(at).has_headcount()) {
                Cause::Correction
            } else {
                Cause::Late
            }
        }
        UnitFact::Registered { .. } | UnitFact::Closed { .. } => Cause::Late,
    }
}

fn cause_of_member(act: &MemberAct) -> Cause {
    let moves = |start: &Start| start.origin == Origin::Transferred || start.from.is_some();
    match act {
        MemberAct::TransferredIn(_) | MemberAct::TransferredOut { .. } => Cause::Transfer,
        MemberAct::Joined(start) if moves(start) => Cause::Transfer,
        MemberAct::Rekeyed { .. } => Cause::Duplicate,
        MemberAct::Revised { .. } => Cause::Correction,
        MemberAct::Joined(_)
        | MemberAct::Retained { .. }
        | MemberAct::Left { .. }
        | MemberAct::Erased => Cause::Late,
    }
}
