//! Reporting (填报): who has to file a form for a period, who has, and who in time (K10).
//!
//! All of it is judged on the period's last day; who has filed is what stands now, for a report of a period is
//! always written after it. What an answer of a day speaks of is the newest period that has ended by then.

use crate::catalog::{Catalog, Due, Form};
use crate::fact::unit::{Level, UnitKind};
use crate::id::FactId;
use crate::measure::{Counts, Measure};
use crate::period::Span;
use crate::rollup::Rollup;
use crate::time::{Day, Hlc};
use crate::view::View;
use crate::view::branch::BranchIx;
use crate::view::figure::{Report, spoken_for};
use crate::view::tree::UnitIx;
use std::collections::{BTreeMap, BTreeSet};

/// A unit's duty to file a form for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty<'a> {
    /// The unit.
    pub unit: UnitIx,
    /// The last day for filing it.
    pub deadline: Day,
    /// The report by which it is filed: the unit's own, or a residual one that lists it.
    pub report: Option<&'a Report>,
}

/// The duties of one form and period, by unit.
pub fn duties<'a>(view: &'a View, form: &Form, period: Span) -> BTreeMap<UnitIx, Duty<'a>> {
    let due = due(view, form, period.last);
    if due.is_empty() {
        return BTreeMap::new();
    }
    let mut filed: BTreeMap<UnitIx, &Report> = BTreeMap::new();
    let name = period.to_string();
    for (series, report) in view.figures().standing_in(form.id, &name) {
        if series.residual {
            for unit in spoken_for(view.tree(), series.unit, report) {
                let known = filed.entry(unit).or_insert(report);
                let first = (report.hlc, report.id) < (known.hlc, known.id);
                let own = known.residual_of.is_empty();
                if first && !own {
                    *known = report;
                }
            }
        } else {
            filed.insert(series.unit, report);
        }
    }
    let duty = |unit: UnitIx| {
        let deadline = form.deadline(period, received_by(view, unit, period.last))?;
        Some((unit, Duty { unit, deadline, report: filed.get(&unit).copied() }))
    };
    due.into_iter().filter_map(duty).collect()
}

/// Who has to file a form on a day.
fn due(view: &View, form: &Form, day: Day) -> BTreeSet<UnitIx> {
    let tree = view.tree();
    let is_open = |unit: &UnitIx| tree.unit(*unit).is_open(day);
    match &form.due {
        Due::Nobody => BTreeSet::new(),
        Due::UnionHosts => {
            let unions = view.branches().ids().map(|(_, at)| at);
            let counting = unions.filter(|at| crate::rollup::counts(view, *at, day));
            let hosts = counting.filter_map(|at| view.branches().branch(at).host_on(day));
            // a host may have come into the books later than its union counts
            let is_left = |unit: &UnitIx| {
                let unit = tree.unit(*unit);
                unit.origin.is_some() && unit.closed(0).is_none_or(|closed| day < closed)
            };
            hosts.map(|host| tree.heir_on(tree.canonical(host), day)).filter(is_left).collect()
        }
        Due::Territories { levels } => {
            let is_one = |unit: &UnitIx| {
                let origin = tree.unit(*unit).origin.as_ref();
                origin.is_some_and(|o| o.kind == UnitKind::Territory && levels.contains(&o.level))
            };
            (0..tree.units.len() as UnitIx).filter(is_one).filter(is_open).collect()
        }
    }
}

/// The level of the unit a unit files to: its parent's; the root keeps its own.
fn received_by(view: &View, unit: UnitIx, day: Day) -> Level {
    let tree = view.tree();
    let above = tree.parent_on(unit, 0, day).and_then(|parent| tree.unit(parent).level());
    above.or(tree.unit(unit).level()).unwrap_or(Level::Province)
}

/// Whether a report was covered in time: by a checkpoint of the parent of the node that wrote it, on the deadline's
/// day or within the grace after it.
pub fn is_on_time(view: &View, duty: &Duty<'_>) -> bool {
    let Some(report) = duty.report else { return false };
    let latest = Day(duty.deadline.0 + view.policy().on_time_grace_days);
    covered_since(view, report).is_some_and(|since| since.day() <= latest)
}

/// When the node above the writer's unit first vouched for holding a report; for the root, its own node.
fn covered_since(view: &View, report: &Report) -> Option<Hlc> {
    let (authority, tree) = (view.authority(), view.tree());
    let chain = &report.id.chain;
    let office = authority.enrolment_of((chain.node, chain.epoch))?.unit;
    let above = tree.path_at(office, 0, report.hlc).get(1).copied();
    let node = match above {
        Some(above) => authority.server_of(tree, above, report.hlc)?.enrolment.node,
        None => chain.node,
    };
    view.first_covered(node, chain, report.height, report.hlc)
}

/// What reporting adds to the counts of a roll-up: units due and units that have filed all that was due of
/// them, in time or not; and beside the members that units declared, those their books hold (S3). Gives how often
/// the books of a unit are counted so.
pub(crate) fn count(
    view: &View,
    day: Day,
    active_of: &BTreeMap<BranchIx, i64>,
    own: &mut [Counts],
) -> BTreeMap<UnitIx, i64> {
    let mut state: BTreeMap<UnitIx, (bool, bool)> = BTreeMap::new();
    for form in &Catalog::standard().forms {
        let Some(period) = Span::newest_ended(form.cycle, day) else { continue };
        for (unit, duty) in duties(view, form, period) {
            let filed = duty.report.is_some();
            let on_time = filed && is_on_time(view, &duty);
            let known = state.entry(unit).or_insert((true, true));
            *known = (known.0 && filed, known.1 && on_time);
        }
    }
    for (unit, (filed, on_time)) in state {
        let counts = &mut own[unit as usize];
        counts.add(Measure::ReportersDue, 1);
        counts.add(Measure::ReportersFiled, i64::from(filed));
        counts.add(Measure::ReportersOnTime, i64::from(on_time));
    }
    capture(view, day, active_of, own)
}

/// S3: declared members, and the registry's members of the same units: those credited to a union hosted there.
fn capture(
    view: &View,
    day: Day,
    active_of: &BTreeMap<BranchIx, i64>,
    own: &mut [Counts],
) -> BTreeMap<UnitIx, i64> {
    let declared = Declared::of(view, day);
    let mut times: BTreeMap<UnitIx, i64> = BTreeMap::new();
    let Some(element) = Catalog::standard().declared(Measure::MembersAll) else { return times };
    let mut captured: BTreeMap<UnitIx, i64> = BTreeMap::new();
    for (branch, members) in active_of {
        let host = view.branches().branch(*branch).host_on(day);
        let tree = view.tree();
        if let Some(host) = host.map(|host| tree.heir_on(tree.canonical(host), day)) {
            *captured.entry(host).or_default() += members;
        }
    }
    for (filer, units, report) in declared.reports {
        let Some(value) = report.values.iter().find(|value| value.element == element.id) else {
            continue;
        };
        own[filer as usize].add(Measure::CaptureDeclared, value.value);
        for unit in units {
            let members = captured.get(&unit).copied().unwrap_or(0);
            own[unit as usize].add(Measure::CaptureRegistry, members);
            *times.entry(unit).or_default() += 1;
        }
    }
    times
}

/// The declared figures an answer of a day rests on: of the basis form, for the newest period that has ended.
struct Declared<'a> {
    /// The unit that filed, those it speaks for, the report.
    reports: Vec<(UnitIx, Vec<UnitIx>, &'a Report)>,
}

impl<'a> Declared<'a> {
    fn of(view: &'a View, day: Day) -> Self {
        let Some(form) = Catalog::standard().basis() else { return Self { reports: Vec::new() } };
        let Some(period) = Span::newest_ended(form.cycle, day) else {
            return Self { reports: Vec::new() };
        };
        let tree = view.tree();
        let counted = view.figures().counted(tree, form.id, &period.to_string()).reports;
        let reports = counted.into_iter().map(|(filer, report)| {
            let units = match report.residual_of.is_empty() {
                true => vec![filer],
                false => {
                    let units: BTreeSet<UnitIx> = spoken_for(tree, filer, report).collect();
                    units.into_iter().collect()
                }
            };
            (filer, units, report)
        });
        Self { reports: reports.collect() }
    }
}

/// The reports that the totals of a day are made of (S2), by unit that filed.
pub(crate) fn in_totals(view: &View, day: Day) -> Vec<(UnitIx, FactId)> {
    let reports = Declared::of(view, day).reports.into_iter();
    reports.map(|(filer, _, report)| (filer, report.id)).collect()
}

/// Declared figures as counts of the measures they can be compared with, by unit that filed (S3).
fn declared(view: &View, day: Day) -> BTreeMap<UnitIx, Counts> {
    let catalog = Catalog::standard();
    let linked: Vec<(Measure, u32)> = Measure::ALL
        .iter()
        .filter_map(|measure| Some((*measure, catalog.declared(*measure)?.id)))
        .collect();
    let mut counts: BTreeMap<UnitIx, Counts> = BTreeMap::new();
    for (filer, _, report) in Declared::of(view, day).reports {
        let own = counts.entry(filer).or_default();
        for (measure, element) in &linked {
            let value = report.values.iter().find(|value| value.element == *element);
            own.add(*measure, value.map_or(0, |value| value.value));
        }
    }
    counts
}

/// Declared counts of a day summed up the tree.
#[derive(Debug, Clone, Default)]
pub struct DeclaredTotals {
    own: BTreeMap<UnitIx, Counts>,
    total: BTreeMap<UnitIx, Counts>,
}

impl DeclaredTotals {
    /// Sums what units declared up the tree of a roll-up (S2).
    pub fn of(view: &View, rollup: &Rollup) -> Self {
        let own = declared(view, rollup.day);
        let mut total: BTreeMap<UnitIx, Counts> = BTreeMap::new();
        for (filer, counts) in &own {
            for above in std::iter::successors(Some(*filer), |at| rollup.parent(*at)) {
                total.entry(above).or_default().add_all(counts);
            }
        }
        Self { own, total }
    }

    /// What the unit itself declared.
    pub fn own(&self, unit: UnitIx) -> Counts {
        self.own.get(&unit).copied().unwrap_or_default()
    }

    /// What was declared in its subtree.
    pub fn total(&self, unit: UnitIx) -> Counts {
        self.total.get(&unit).copied().unwrap_or_default()
    }
}
