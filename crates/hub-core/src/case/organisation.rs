//! Cases about units and unions: two registrations of one firm, two own unions of one employer, two unions
//! of one natural key.

use super::decided::Decided;
use super::{Case, CaseKind, CaseSide, CaseState, Effect, Ground, Standing};
use crate::fact::CodeKind;
use crate::fact::branch::BranchKind;
use crate::fact::governance::Side;
use crate::measure::Measure;
use crate::rollup::{Because, Registered, Rollup};
use crate::time::Day;
use crate::view::View;
use crate::view::branch::{Branch, BranchIx};
use crate::view::tree::UnitIx;
use std::collections::BTreeMap;

/// All cases about units and unions on the day of the roll-up.
pub(super) fn cases(view: &View, rollup: &Rollup, decided: &Decided) -> Vec<Case> {
    let fold = Cases { view, rollup, decided };
    let several = rollup.registered().filter(|(_, registered)| !registered.others.is_empty());
    let mut cases: Vec<Case> =
        several.filter_map(|(unit, registered)| fold.disputed_unit(unit, registered)).collect();
    cases.extend(fold.doubles());
    cases.extend(fold.duplicates());
    cases
}

struct Cases<'a> {
    view: &'a View,
    rollup: &'a Rollup,
    decided: &'a Decided,
}

impl Cases<'_> {
    /// U1: the registration under whose parent the unit stands that day, against the others.
    fn disputed_unit(&self, unit: UnitIx, registered: &Registered) -> Option<Case> {
        let tree = self.view.tree();
        let known = tree.unit(unit);
        let mut sides: Vec<CaseSide> = Vec::new();
        for (place, registration) in known.registrations.iter().enumerate() {
            let fact = self.view.told_fact(&registration.id);
            let parent = tree.parent_on(unit, place, self.rollup.day).map(|at| tree.canonical(at));
            let stated = registration.parent.map(|at| tree.unit(at).id);
            sides.push(CaseSide {
                side: stated.map(|parent| Side::Registration { unit: known.id, parent }),
                unit: parent,
                fact: registration.id,
                day: fact.as_ref().map_or_else(|| registration.hlc.day(), |fact| fact.day),
                hlc: registration.hlc,
                evidence: None,
                document: fact.and_then(|fact| fact.document.clone()),
                standing: match place == registered.registration {
                    true => Standing::Counts,
                    false => Standing::Uncounted,
                },
            });
        }
        let first = sides.iter().min_by_key(|side| (side.hlc, side.fact)).map(|side| side.fact);
        let ground = match registered.because {
            Because::Counts | Because::CountedLast => Ground::CountingUnion,
            Because::Ruled | Because::Earliest => Ground::EarlierRegistration,
        };
        let counts = self.rollup.own(unit);
        let effect = Effect {
            persons: counts.get(Measure::MembersAll),
            units: 1,
            unions: counts.get(Measure::UnionsAll),
        };
        self.of_sides(CaseKind::DisputedUnit, Some(unit), sides, first, ground, effect)
    }

    /// Own unions that would count that day, by employer, in the order of F4.
    fn own_unions(&self) -> BTreeMap<UnitIx, Vec<BranchIx>> {
        let mut unions: BTreeMap<UnitIx, Vec<BranchIx>> = BTreeMap::new();
        let (view, day) = (self.view, self.rollup.day);
        for (_, at) in view.branches().ids() {
            let branch = view.branches().branch(at);
            if branch.kind() == BranchKind::Own
                && branch.counts_on(view.tree(), day)
                && let Some(host) = branch.host_on(day)
            {
                unions.entry(view.tree().canonical(host)).or_default().push(at);
            }
        }
        for all in unions.values_mut() {
            all.sort_by_key(|at| {
                let branch = view.branches().branch(*at);
                let approval = branch.approvals.first().map(|a| (a.stamp.hlc, a.stamp.id));
                (branch.counts_from(), approval)
            });
        }
        unions
    }

    /// F4: several own unions of one employer would count that day.
    fn doubles(&self) -> Vec<Case> {
        let several = self.own_unions().into_iter().filter(|(_, unions)| unions.len() > 1);
        several.filter_map(|(employer, unions)| self.double(employer, &unions)).collect()
    }

    fn double(&self, employer: UnitIx, unions: &[BranchIx]) -> Option<Case> {
        let branch = |place: usize| self.view.branches().branch(unions[place]);
        let sides: Vec<CaseSide> = (0..unions.len())
            .filter_map(|place| {
                let standing = if place == 0 { Standing::Counts } else { Standing::Disputed };
                self.union_side(branch(place), standing)
            })
            .collect();
        let base = sides.first()?.fact;
        let ground = match branch(0).counts_from() == branch(1).counts_from() {
            true => Ground::EarlierApproval,
            false => Ground::EarlierCounting,
        };
        let effect = Effect { unions: 1, ..Effect::default() };
        let kind = CaseKind::DoubleOwnUnion;
        self.of_sides(kind, Some(employer), sides, Some(base), ground, effect)
    }

    /// Two introduced unions of one natural key.
    fn duplicates(&self) -> Vec<Case> {
        let mut of_code: BTreeMap<(CodeKind, &str), Vec<BranchIx>> = BTreeMap::new();
        for (_, at) in self.view.branches().ids() {
            let branch = self.view.branches().branch(at);
            for code in branch.profile.iter().flat_map(|profile| &profile.codes) {
                if matches!(code.kind, CodeKind::UnionUscc | CodeKind::UnionStatistical) {
                    of_code.entry((code.kind, &code.value)).or_default().push(at);
                }
            }
        }
        let mut found: Vec<Vec<BranchIx>> =
            of_code.into_values().filter(|unions| unions.len() > 1).collect();
        found.sort_unstable();
        // two unions may share both keys: one case
        found.dedup();
        found.iter().filter_map(|unions| self.duplicate(unions)).collect()
    }

    fn duplicate(&self, unions: &[BranchIx]) -> Option<Case> {
        let mut sides: Vec<CaseSide> = unions
            .iter()
            .filter_map(|at| {
                let branch = self.view.branches().branch(*at);
                let counts = branch.counts_on(self.view.tree(), self.rollup.day);
                let standing = if counts { Standing::Counts } else { Standing::Uncounted };
                self.union_side(branch, standing)
            })
            .collect();
        sides.sort_by_key(|side| (side.hlc, side.fact));
        let base = sides.first()?.fact;
        let effect = Effect { unions: 1, ..Effect::default() };
        let kind = CaseKind::DuplicateBranch;
        self.of_sides(kind, None, sides, Some(base), Ground::Nothing, effect)
    }

    /// A union as a side: its introducing fact, and the document of its earliest approval.
    fn union_side(&self, branch: &Branch, standing: Standing) -> Option<CaseSide> {
        let (stamp, _) = branch.hosts.first()?;
        let host = branch.host_on(self.rollup.day).map(|at| self.view.tree().canonical(at));
        Some(CaseSide {
            side: Some(Side::Branch { branch: branch.id }),
            unit: host,
            fact: stamp.id,
            day: branch.counts_from().unwrap_or(stamp.day),
            hlc: stamp.hlc,
            evidence: None,
            document: branch.approvals.first().and_then(|approval| approval.document.clone()),
            standing,
        })
    }

    /// A case of these sides, ruled if a ruling decides between them.
    fn of_sides(
        &self,
        kind: CaseKind,
        subject: Option<UnitIx>,
        mut sides: Vec<CaseSide>,
        first: Option<crate::id::FactId>,
        ground: Ground,
        effect: Effect,
    ) -> Option<Case> {
        let claims: Vec<Side> = sides.iter().filter_map(|side| side.side).collect();
        let ruling = self.decided.ruling(&claims).filter(|ruling| ruling.from <= self.rollup.day);
        if let Some(winner) = ruling.and_then(|ruling| ruling.winner) {
            for side in &mut sides {
                let wins = side.side == Some(winner);
                side.standing = if wins { Standing::Counts } else { Standing::Uncounted };
            }
        }
        let open = matches!(ground, Ground::EarlierRegistration | Ground::Nothing);
        let state = match ruling {
            Some(_) => CaseState::Ruled,
            None if open => CaseState::Open,
            None => CaseState::Auto,
        };
        if ruling.is_none() && open && kind == CaseKind::DisputedUnit {
            sides.iter_mut().for_each(|side| {
                if side.standing == Standing::Uncounted {
                    side.standing = Standing::Disputed;
                }
            });
        }
        sides
            .sort_by_key(|side| (side.standing != Standing::Counts, side.day, side.hlc, side.fact));
        let facts = sides.iter().map(|side| side.fact);
        Some(Case {
            id: Case::label(facts),
            kind,
            state,
            member: None,
            subject,
            base: first.and_then(|first| sides.iter().position(|side| side.fact == first)),
            ground: if ruling.is_some() { Ground::Ruling } else { ground },
            decision: ruling.map(|ruling| ruling.id),
            since: sides.iter().map(|side| side.day).max().unwrap_or(Day::OPEN),
            known: sides.iter().map(|side| side.hlc).max()?,
            effect,
            sides,
        })
    }
}
