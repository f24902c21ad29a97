//! From a figure to what it is made of: which units, unions, members and facts, and by which rule.
//!
//! Every figure of a unit's subtree is a sum over the units in it (the roll-up); a part is one of them that
//! adds something, with the facts that make it so.

use crate::fact::{Fact, FactBody};
use crate::id::{BranchId, FactId, MemberKey, UnitId};
use crate::measure::{Indicators, Measure};
use crate::query::{self, Basis, Label, QueryError, Question, Row};
use crate::reporting::{self, DeclaredTotals};
use crate::rollup::{Ratio, Rollup};
use crate::time::{Day, Hlc};
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, OrgFact, View};
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
    /// The row it is counted in.
    pub row: Label,
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
    /// The rows of the answer, the total last.
    pub rows: Vec<Row>,
    /// What each unit adds, those of the subtree that add something, in order of id.
    pub parts: Vec<Part>,
}

/// Takes a question's answer apart.
///
/// # Errors
/// No such indicator or base, or nobody declares it.
pub fn explain(
    view: &View,
    rollup: &Rollup,
    question: &Question,
) -> Result<Explanation, QueryError> {
    let ratio = query::asked(question, Indicators::standard())?.ratio;
    let declared = match question.basis {
        Basis::Registry => None,
        Basis::Declared => {
            query::is_declared(ratio)?;
            Some(DeclaredTotals::of(view, rollup))
        }
    };
    let unit = view.tree().canonical(question.unit);
    let rows = query::rows(view, rollup, declared.as_ref(), (unit, question.by), ratio);
    let facts = match &declared {
        None => Facts::of(view, question.as_of),
        Some(_) => Facts::declared(view, question.as_of),
    };
    let disputed = disputed_in(view, rollup, unit, ratio);
    let own = |at: UnitIx, measure| {
        let of_books = || rollup.own(at).get(measure) + disputed.get(&(at, measure)).unwrap_or(&0);
        declared.as_ref().map_or_else(of_books, |declared| declared.own(at).get(measure))
    };
    let mut parts = Vec::new();
    for at in below(rollup, unit).chain(disputed.keys().map(|(at, _)| *at)).collect::<BTreeSet<_>>()
    {
        let adds = (own(at, ratio.0), ratio.1.map_or(0, |under| own(at, under)));
        if adds != (0, 0) {
            let row = query::row_of(view, rollup, unit, question.by, at);
            parts.push(facts.part(at, adds, row));
        }
    }
    parts.sort_by_key(|part| view.tree().unit(part.unit).id);
    let (numerator, denominator) =
        rows.last().map_or((0, None), |total| (total.numerator, total.denominator));
    Ok(Explanation { numerator, denominator, rows, parts })
}

/// A unit and all below it.
fn below(rollup: &Rollup, unit: UnitIx) -> impl Iterator<Item = UnitIx> {
    let mut open = vec![unit];
    std::iter::from_fn(move || {
        let at = open.pop()?;
        open.extend(rollup.children(at));
        Some(at)
    })
}

/// U1: units that a mere tie places, which count as disputed wherever they are registered: in no unit's own counts.
fn disputed_in(
    view: &View,
    rollup: &Rollup,
    top: UnitIx,
    (over, under): Ratio,
) -> BTreeMap<(UnitIx, Measure), i64> {
    if ![Some(over), under].contains(&Some(Measure::UnitsDisputed)) {
        return BTreeMap::new();
    }
    let inside = |at: UnitIx| rollup.is_at_or_above(top, at);
    let within = rollup
        .disputed(view)
        .filter(|(at, others)| inside(*at) || others.iter().any(|other| inside(*other)));
    within.map(|(at, _)| ((at, Measure::UnitsDisputed), 1)).collect()
}

/// Standing facts up to a day, by what they are about.
#[derive(Default)]
struct Facts {
    by_unit: BTreeMap<UnitIx, Vec<Ground>>,
    by_branch: BTreeMap<BranchId, Vec<Ground>>,
    unions: BTreeMap<UnitIx, BTreeSet<BranchId>>,
}

impl Facts {
    fn of(view: &View, day: Day) -> Self {
        let tree = view.tree();
        let mut facts = Self::default();
        for (stated, verdict) in view.facts() {
            if !verdict.stands() || stated.fact.day > day {
                continue;
            }
            let ground = ground(stated);
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

    /// Of the figures that totals of the day are made of.
    fn declared(view: &View, day: Day) -> Self {
        let mut facts = Self::default();
        for (filer, report) in reporting::in_totals(view, day) {
            let Some(stated) = view.fact(&report) else { continue };
            facts.by_unit.entry(filer).or_default().push(ground(stated));
        }
        facts
    }

    fn part(&self, unit: UnitIx, (numerator, denominator): (i64, i64), row: Label) -> Part {
        let unions: Vec<BranchId> = self.unions.get(&unit).into_iter().flatten().copied().collect();
        let mut facts = self.by_unit.get(&unit).cloned().unwrap_or_default();
        for branch in &unions {
            facts.extend(self.by_branch.get(branch).into_iter().flatten().cloned());
        }
        facts.sort_by_key(|ground| (ground.day, ground.hlc, ground.id));
        Part { unit, numerator, denominator, row, unions, facts }
    }
}

fn ground(stated: &OrgFact) -> Ground {
    Ground {
        id: stated.id,
        height: stated.height,
        kind: stated.fact.body.kind(),
        day: stated.fact.day,
        hlc: stated.fact.hlc,
        rule: rule_of(&stated.fact),
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
        FactBody::Figure(_) => "S1",
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
