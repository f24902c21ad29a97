//! What the books say of units and unions on a day: more members than employees, covered units without members,
//! terms that have run out, what successions left, occurrences dated ahead (F2, F6, U4, X8, X9, K14, K20).

use super::{Finding, Kind};
use crate::fact::{Fact, FactBody};
use crate::measure::Measure;
use crate::rollup::Rollup;
use crate::view::View;
use crate::view::tree::UnitIx;
use crate::view::verdict::{Reason, Verdict};

/// Checks everything inside.
pub(super) fn check(
    view: &View,
    rollup: &Rollup,
    unit: UnitIx,
    inside: &dyn Fn(UnitIx) -> bool,
    found: &mut Vec<Finding>,
) {
    units(view, rollup, inside, found);
    elections(view, rollup, inside, found);
    takeovers(view, inside, found);
    left(view, rollup, inside, found);
    premature(view, rollup.parent(unit).is_none(), inside, found);
}

fn units(view: &View, rollup: &Rollup, inside: &dyn Fn(UnitIx) -> bool, found: &mut Vec<Finding>) {
    let tree = view.tree();
    for (id, at) in tree.ids().filter(|(id, at)| tree.unit(*at).id == **id) {
        let own = rollup.own(at);
        let members = own.get(Measure::MembersAll);
        let too_small = own.get(Measure::UnitsBaseTooSmall) > 0;
        let empty = own.get(Measure::CoveredAll) > 0 && members == 0;
        if !too_small && !empty || !inside(at) {
            continue;
        }
        let kind = match too_small {
            true => {
                let employees = own.get(Measure::EmployeesAll);
                Kind::MembersOverHeadcount { members, employees }
            }
            false => Kind::EmptyUnit,
        };
        found.push(Finding { unit: *id, kind });
    }
}

fn elections(
    view: &View,
    rollup: &Rollup,
    inside: &dyn Fn(UnitIx) -> bool,
    found: &mut Vec<Finding>,
) {
    let tree = view.tree();
    for (id, at) in view.branches().ids() {
        let branch = view.branches().branch(at);
        if !branch.is_overdue(rollup.day) || !branch.counts_on(tree, rollup.day) {
            continue;
        }
        let Some(host) = branch.host_on(rollup.day).map(|host| tree.canonical(host)) else {
            continue;
        };
        let latest = branch.elections.iter().rev().find(|(elected, _)| *elected <= rollup.day);
        let Some((_, until)) = latest.filter(|_| inside(host)) else { continue };
        let (until, days) = (*until, rollup.day.0 - until.0);
        let kind = Kind::ElectionOverdue { branch: *id, until, days };
        found.push(Finding { unit: tree.unit(host).id, kind });
    }
}

/// M7, at the nearest common ancestor of the unions involved.
fn takeovers(view: &View, inside: &dyn Fn(UnitIx) -> bool, found: &mut Vec<Finding>) {
    let id = |at: &u32| view.branches().branch(*at).id;
    for taken in view.mass_takeovers() {
        let at = taken.at.unwrap_or(taken.host);
        if !inside(at) {
            continue;
        }
        let kind = Kind::MassTakeover {
            branch: id(&taken.union),
            month: taken.month,
            persons: taken.persons,
            most: taken.most,
            from: taken.from.iter().map(id).collect(),
        };
        found.push(Finding { unit: view.tree().unit(at).id, kind });
    }
}

/// U4, at the unit where what nobody has placed yet stands.
fn left(view: &View, rollup: &Rollup, inside: &dyn Fn(UnitIx) -> bool, found: &mut Vec<Finding>) {
    let tree = view.tree();
    let id = |at: &UnitIx| tree.unit(*at).id;
    for (fact, left) in rollup.left() {
        let stated = tree.successions().iter().find(|succession| succession.stamp.id == fact);
        let Some(stated) = stated else { continue };
        let standing = stated.old.first().and_then(|old| rollup.standing(view, *old));
        let Some(at) = standing.filter(|at| inside(*at)) else { continue };
        let kind = Kind::LeftBySuccession {
            old: stated.old.iter().map(id).collect(),
            day: stated.stamp.day,
            units: left.units,
            members: left.members,
        };
        found.push(Finding { unit: id(&at), kind });
    }
}

fn premature(view: &View, of_all: bool, inside: &dyn Fn(UnitIx) -> bool, found: &mut Vec<Finding>) {
    let tree = view.tree();
    let mut listed = 0;
    for (fact, verdict) in view.facts() {
        if verdict != Verdict::Parked(Reason::Premature) {
            continue;
        }
        listed += 1;
        let Some(at) = subject(view, &fact.fact).filter(|at| inside(*at)) else {
            continue;
        };
        let what = fact.fact.body.kind();
        let (day, written) = (fact.fact.day, fact.fact.hlc.day());
        let kind = Kind::Premature { fact: fact.id, what, day, written };
        found.push(Finding { unit: tree.unit(at).id, kind });
    }
    found.sort_by_key(|finding| match &finding.kind {
        Kind::Premature { fact, .. } => Some(*fact),
        _ => None,
    });
    let all = view.parked().get(&Reason::Premature).copied().unwrap_or(0);
    let Some(root) = tree.root().filter(|_| of_all && all > listed) else { return };
    let kind = Kind::PrematureMembers { count: all - listed };
    found.push(Finding { unit: tree.unit(root).id, kind });
}

/// The unit a fact is about; where that is not known, the one acted for.
fn subject(view: &View, fact: &Fact) -> Option<UnitIx> {
    let tree = view.tree();
    let of_body = match &fact.body {
        FactBody::Unit(unit) => tree.find_registered(&unit.unit()),
        FactBody::Figure(figure) => tree.find_registered(&figure.unit()),
        FactBody::Branch(branch) => {
            let known = view.branches().find(&branch.branch());
            let host = known.and_then(|at| view.branches().branch(at).host_on(fact.day));
            host.map(|host| tree.canonical(host))
        }
        _ => None,
    };
    of_body.or_else(|| tree.find_registered(&fact.unit))
}
