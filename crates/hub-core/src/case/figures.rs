//! Cases about declared figures (S2).

use super::{Case, CaseKind, CaseSide, CaseState, Effect, Ground, Standing};
use crate::rollup::Rollup;
use crate::view::View;
use crate::view::figure::Report;
use crate::view::tree::UnitIx;

/// Residual figures that cover a unit with a standing figure of its own: it is in the total twice.
pub(super) fn cases(view: &View, rollup: &Rollup) -> Vec<Case> {
    let figures = view.figures();
    let mut cases = Vec::new();
    for (unit, form, period, _) in figures.all() {
        let Some(residual) = figures.standing(unit, form, period) else { continue };
        for covered in &residual.residual_of {
            let covered = view.tree().canonical(*covered);
            let Some(own) = figures.standing(covered, form, period) else { continue };
            if covered == view.tree().canonical(unit) || own.id == residual.id {
                continue;
            }
            let sides = vec![side(view, covered, own), side(view, unit, residual)];
            cases.push(Case {
                id: Case::label([own.id, residual.id]),
                kind: CaseKind::ResidualOverlap,
                state: CaseState::Open,
                member: None,
                subject: Some(covered),
                base: None,
                ground: Ground::Nothing,
                decision: None,
                since: sides.iter().map(|side| side.day).max().unwrap_or(rollup.day),
                known: own.hlc.max(residual.hlc),
                effect: Effect { units: 1, ..Effect::default() },
                sides,
            });
        }
    }
    cases
}

fn side(view: &View, unit: UnitIx, report: &Report) -> CaseSide {
    let fact = view.fact(&report.id).map(|known| &known.fact);
    CaseSide {
        side: None,
        unit: Some(view.tree().canonical(unit)),
        fact: report.id,
        day: fact.map_or_else(|| report.hlc.day(), |fact| fact.day),
        hlc: report.hlc,
        evidence: None,
        document: fact.and_then(|fact| fact.document.clone()),
        standing: Standing::Counts,
    }
}
