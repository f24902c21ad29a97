//! Cases about declared figures (S2).

use super::{Case, CaseKind, CaseSide, CaseState, Effect, Ground, Standing};
use crate::id::FactId;
use crate::rollup::Rollup;
use crate::view::View;
use crate::view::figure::{Overlap, Report};
use crate::view::tree::UnitIx;
use std::collections::BTreeSet;

/// Units that two standing figures speak for, one of them or both residual: totals count one of the two.
pub(super) fn cases(view: &View, rollup: &Rollup) -> Vec<Case> {
    let figures = view.figures();
    let periods: BTreeSet<(u32, &str)> =
        figures.all().map(|(series, _)| (series.form, series.period.as_str())).collect();
    let overlaps = periods.into_iter().flat_map(|(form, period)| {
        let counted = figures.counted(view.tree(), form, period);
        counted.overlaps.into_iter().map(move |overlap| (form, period, overlap))
    });
    let case = |(form, period, overlap): (u32, &str, Overlap)| {
        let report = |id: FactId| {
            let mut standing = figures.standing_in(form, period).into_iter();
            standing.find(|(_, report)| report.id == id).map(|(_, report)| report)
        };
        let (counted, left_out) = (report(overlap.counted)?, report(overlap.left_out)?);
        let sides = vec![
            side(view, overlap.counted_of, counted, Standing::Counts),
            side(view, overlap.left_out_of, left_out, Standing::Uncounted),
        ];
        Some(Case {
            id: Case::label([left_out.id, counted.id]),
            kind: CaseKind::ResidualOverlap,
            state: CaseState::Open,
            member: None,
            subject: Some(overlap.unit),
            base: None,
            ground: Ground::Nothing,
            decision: None,
            since: sides.iter().map(|side| side.day).max().unwrap_or(rollup.day),
            known: left_out.hlc.max(counted.hlc),
            effect: Effect { units: 1, ..Effect::default() },
            sides,
        })
    };
    overlaps.filter_map(case).collect()
}

fn side(view: &View, unit: UnitIx, report: &Report, standing: Standing) -> CaseSide {
    let fact = view.fact(&report.id).map(|known| &known.fact);
    CaseSide {
        side: None,
        unit: Some(view.tree().canonical(unit)),
        fact: report.id,
        day: fact.map_or_else(|| report.hlc.day(), |fact| fact.day),
        hlc: report.hlc,
        evidence: None,
        document: fact.and_then(|fact| fact.document.clone()),
        standing,
    }
}
