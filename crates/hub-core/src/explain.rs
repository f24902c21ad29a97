//! From a figure to what it is made of: which units, unions, members and facts, and by which rule.
//!
//! Every figure of a unit's subtree is a sum over the units in it (the roll-up); a part is one of them that
//! adds something, with the facts that make it so.

use crate::fact::{Fact, FactBody};
use crate::id::{BranchId, FactId, MemberKey, UnitId};
use crate::measure::Indicators;
use crate::query::{self, QueryError, Question};
use crate::rollup::Rollup;
use crate::time::{Day, Hlc};
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};
use std::collections::{BTreeMap, BTreeSet};

/// A fact behind a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The fact; its chain names the node.
    pub id: FactId,
    /// The height of its block.
    pub height: u64,
    /// Its kind.
    pub kind: &'static str,
    /// Its day.
    pub day: Day,
    /// When it was written.
    pub hlc: Hlc,
    /// The rule by which it tells here.
    pub rule: &'static str,
}

/// What one unit adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The unit.
    pub unit: UnitIx,
    /// Over the line.
    pub numerator: i64,
    /// Under the line.
    pub denominator: i64,
    /// Unions that stand there or cover it on the day.
    pub unions: Vec<BranchId>,
    /// Facts about the unit and these unions up to the day, in order of day and clock.
    pub facts: Vec<Ground>,
}

/// A figure taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Over the line.
    pub numerator: i64,
    /// Under the line; none for a count.
    pub denominator: Option<i64>,
    /// What each unit adds, those of the subtree that add something, in order of id.
    pub parts: Vec<Part>,
}

/// Takes the total of a question apart.
///
/// # Errors
/// No such indicator or base.
pub fn explain(
    view: &View,
    rollup: &Rollup,
    question: &Question,
) -> Result<Explanation, QueryError> {
    let (over, under) = query::asked(question, Indicators::standard())?.ratio;
    let facts = Facts::of(view, question.as_of);
    let unit = view.tree().canonical(question.unit);
    let mut open = vec![unit];
    let mut parts = Vec::new();
    while let Some(at) = open.pop() {
        open.extend(rollup.children(at));
        let own = rollup.own(at);
        let (numerator, denominator) = (own.get(over), under.map_or(0, |under| own.get(under)));
        if (numerator, denominator) != (0, 0) {
            parts.push(facts.part(at, numerator, denominator));
        }
    }
    parts.sort_by_key(|part| view.tree().unit(part.unit).id);
    let total = rollup.total(unit);
    let denominator = under.map(|under| total.get(under));
    Ok(Explanation { numerator: total.get(over), denominator, parts })
}

/// Standing facts up to a day, by what they are about.
struct Facts {
    by_unit: BTreeMap<UnitIx, Vec<Ground>>,
    by_branch: BTreeMap<BranchId, Vec<Ground>>,
    unions: BTreeMap<UnitIx, BTreeSet<BranchId>>,
}

impl Facts {
    fn of(view: &View, day: Day) -> Self {
        let tree = view.tree();
        let mut facts =
            Self { by_unit: BTreeMap::new(), by_branch: BTreeMap::new(), unions: BTreeMap::new() };
        for (stated, verdict) in view.facts() {
            if !verdict.stands() || stated.fact.day > day {
                continue;
            }
            let ground = Ground {
                id: stated.id,
                height: stated.height,
                kind: stated.fact.body.kind(),
                day: stated.fact.day,
                hlc: stated.fact.hlc,
                rule: rule_of(&stated.fact),
            };
            match &stated.fact.body {
                FactBody::Unit(fact) => {
                    if let Some(at) = tree.find(&fact.unit()) {
                        facts.by_unit.entry(tree.canonical(at)).or_default().push(ground);
                    }
                }
                FactBody::Branch(fact) => {
                    facts.by_branch.entry(fact.branch()).or_default().push(ground);
                }
                _ => {}
            }
        }
        for (id, at) in view.branches().ids() {
            let branch = view.branches().branch(at);
            for unit in branch.covered_on(day).chain(branch.host_on(day)) {
                facts.unions.entry(tree.canonical(unit)).or_default().insert(*id);
            }
        }
        facts
    }

    fn part(&self, unit: UnitIx, numerator: i64, denominator: i64) -> Part {
        let unions: Vec<BranchId> = self.unions.get(&unit).into_iter().flatten().copied().collect();
        let mut facts = self.by_unit.get(&unit).cloned().unwrap_or_default();
        for branch in &unions {
            facts.extend(self.by_branch.get(branch).into_iter().flatten().cloned());
        }
        facts.sort_by_key(|ground| (ground.day, ground.hlc, ground.id));
        Part { unit, numerator, denominator, unions, facts }
    }
}

/// The rule by which a fact of this kind tells in a roll-up.
fn rule_of(fact: &Fact) -> &'static str {
    use crate::fact::{BranchFact, UnitFact};
    match &fact.body {
        FactBody::Unit(fact) => match fact {
            UnitFact::Registered { .. } => "U1",
            UnitFact::Moved { .. } => "U2",
            UnitFact::Closed { .. } => "U3",
            UnitFact::Succeeded { .. } => "U4",
            _ => "stated",
        },
        FactBody::Branch(fact) => match fact {
            BranchFact::Covered { .. } | BranchFact::Uncovered { .. } => "F2",
            BranchFact::Merged { .. } => "F5",
            BranchFact::CommitteeElected { .. } => "F6",
            _ => "F1",
        },
        _ => "stated",
    }
}

/// A member that stands at a unit on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// The person.
    pub member: MemberKey,
    /// The union that holds it.
    pub branch: BranchId,
    /// Its employer, as stated.
    pub employer: Option<UnitId>,
    /// Since when.
    pub since: Day,
}

/// The members these unions hold on a day, in order of person.
pub fn members(
    view: &mut View,
    unions: &BTreeSet<BranchId>,
    day: Day,
    source: &dyn BlockSource,
) -> Vec<Standing> {
    let mut standing = Vec::new();
    for member in view.members_named_by(unions, source) {
        for span in view.person(&member, source) {
            let branch = view.branches().branch(span.branch).id;
            let now = span.from <= day && day < span.to;
            if now && span.holder && unions.contains(&branch) {
                let tree = view.tree();
                let employer = span.employer.map(|at| tree.unit(tree.canonical(at)).id);
                standing.push(Standing { member, branch, employer, since: span.from });
            }
        }
    }
    standing.sort_unstable();
    standing
}
