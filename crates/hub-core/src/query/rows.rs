//! Rows of an answer: by child, by group, 本级 and 合计, each with what stands beside its number (DESIGN §8).

use super::{Bound, By, Label, Rate, Row};
use crate::fact::unit::UnitKind;
use crate::id::NodeId;
use crate::measure::{Counts, Measure};
use crate::reporting::DeclaredTotals;
use crate::rollup::{Bounds, Delta, Inside, Ratio, Rollup};
use crate::time::Hlc;
use crate::view::View;
use crate::view::tree::UnitIx;
use std::collections::{BTreeMap, BTreeSet};

/// What the rows of an answer are made of.
pub(super) struct Table<'a> {
    pub(super) view: &'a View,
    pub(super) rollup: &'a Rollup,
    /// Where the numbers are declared ones.
    pub(super) declared: Option<&'a DeclaredTotals>,
    /// Low and high, where the numbers are those of the books.
    pub(super) bounds: Option<&'a Bounds>,
    pub(super) ratio: Ratio,
    pub(super) unit: UnitIx,
}

/// Counts by the books and as declared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Both {
    registry: Counts,
    declared: Counts,
}

impl Both {
    fn add_all(&mut self, other: &Self) {
        self.registry.add_all(&other.registry);
        self.declared.add_all(&other.declared);
    }
}

/// A row under way: what is counted in it, what to add for low and high, and what it contains.
struct Draft<'a> {
    label: Label,
    both: Both,
    delta: Delta,
    /// A unit whose node vouches for it besides those inside.
    served: UnitIx,
    inside: &'a Inside<'a>,
}

impl Table<'_> {
    fn row(&self, draft: Draft<'_>) -> Row {
        let Draft { label, both, delta, served, inside } = draft;
        let counts = self.with_disputed(both.registry, inside);
        let asked = if self.declared.is_some() { both.declared } else { counts };
        let numerator = asked.get(self.ratio.0);
        let denominator = self.ratio.1.map(|measure| asked.get(measure));
        let of_members = matches!(self.ratio.0, Measure::MembersCovered | Measure::MembersEmployed);
        let rate = match denominator {
            _ if asked == Counts::default() => Rate::NoData,
            None => Rate::Plain,
            Some(0) => Rate::NoBase,
            Some(base) if of_members && numerator > base => Rate::BaseTooSmall,
            Some(_) => Rate::Derived,
        };
        let bound = |(over, under): (i64, i64)| Bound {
            numerator: numerator + over,
            denominator: denominator.map(|denominator| denominator + under),
        };
        let is_doubtful = delta != Delta::default();
        // a group is no part of the tree, and no node vouches for it alone
        let is_group = matches!(label, Label::Group(_));
        let within = |unit: UnitIx| !is_group && inside(unit, None);
        Row {
            label,
            numerator,
            denominator,
            rate,
            bounds: is_doubtful.then(|| (bound(delta.low), bound(delta.high))),
            counts,
            registry: self.declared.map(|_| counts.get(self.ratio.0)),
            awaiting: self.awaiting(&within),
            oldest_head: self.oldest_head(served, &within),
        }
    }

    /// U1: a unit that a mere tie places is disputed in every row it is registered in, and once in each.
    fn with_disputed(&self, mut counts: Counts, inside: &Inside<'_>) -> Counts {
        let disputed = self.rollup.disputed(self.view).filter(|(unit, others)| {
            inside(*unit, None) || others.iter().any(|other| inside(*unit, Some(*other)))
        });
        counts.add(Measure::UnitsDisputed, disputed.count() as i64);
        counts
    }

    /// Whether a subtree contains a unit that stands under its parent, or under another.
    fn is_within(&self, top: UnitIx, unit: UnitIx, under: Option<UnitIx>) -> bool {
        let from = under.unwrap_or(unit);
        unit == top || self.rollup.is_at_or_above(top, from)
    }

    fn subtree(&self, label: Label, top: UnitIx) -> Row {
        let inside = |unit: UnitIx, under: Option<UnitIx>| self.is_within(top, unit, under);
        self.row(Draft {
            label,
            both: self.total_of(top),
            delta: self.bounds.map_or(Delta::default(), |bounds| bounds.total(top)),
            served: top,
            inside: &inside,
        })
    }

    pub(super) fn rows(&self, by: By) -> Vec<Row> {
        match by {
            By::Total => vec![self.total()],
            By::Child => self.by_child(),
            by => self.by_group(by),
        }
    }

    fn total(&self) -> Row {
        self.subtree(Label::Total, self.unit)
    }

    /// What stands at the unit itself.
    fn own_of(&self, unit: UnitIx) -> Both {
        let declared = self.declared.map(|declared| declared.own(unit)).unwrap_or_default();
        Both { registry: self.rollup.own(unit), declared }
    }

    /// What stands in its subtree.
    fn total_of(&self, unit: UnitIx) -> Both {
        let declared = self.declared.map(|declared| declared.total(unit)).unwrap_or_default();
        Both { registry: self.rollup.total(unit), declared }
    }

    fn sum_of(&self, units: &[UnitIx]) -> Both {
        let mut sum = Both::default();
        units.iter().for_each(|unit| sum.add_all(&self.own_of(*unit)));
        sum
    }

    fn delta_of(&self, units: &[UnitIx], inside: &Inside<'_>) -> Delta {
        let of_units = |bounds: &Bounds| bounds.of_units(units.iter().copied(), inside);
        self.bounds.map_or(Delta::default(), of_units)
    }

    /// Children that are no employers have a row each; what is directly affiliated has one: 本级. Where
    /// all children are employers each has its own.
    fn by_child(&self) -> Vec<Row> {
        let children = self.rollup.children(self.unit);
        let is_employer = |at: &UnitIx| self.view.tree().unit(*at).is_employer();
        let only_employers = children.iter().all(is_employer);
        let is_listed = |child: &UnitIx| only_employers || !is_employer(child);
        let listed = children.iter().filter(|child| is_listed(child));
        let mut rows: Vec<Row> =
            listed.map(|child| self.subtree(Label::Unit(*child), *child)).collect();
        rows.sort_by_key(|row| match row.label {
            Label::Unit(at) => self.order(at),
            _ => (3, String::new()),
        });
        let direct = children.iter().copied().filter(|child| !is_listed(child));
        rows.splice(0..0, self.direct(&direct.chain([self.unit]).collect::<Vec<_>>()));
        rows.push(self.total());
        rows
    }

    /// 本级: the unit itself and the employers directly below it.
    fn direct(&self, units: &[UnitIx]) -> Option<Row> {
        let both = self.sum_of(units);
        let has_others = units.len() > 1;
        let inside = |unit: UnitIx, under: Option<UnitIx>| {
            let parent = under.or_else(|| self.rollup.parent(unit));
            let is_employer = self.view.tree().unit(unit).is_employer();
            unit == self.unit || (is_employer && has_others && parent == Some(self.unit))
        };
        let delta = self.delta_of(units, &inside);
        let served = self.unit;
        self.row_of_something(Draft { label: Label::Direct, both, delta, served, inside: &inside })
    }

    /// A row, if anything stands in it, or may, or is disputed there.
    fn row_of_something(&self, draft: Draft<'_>) -> Option<Row> {
        let is_there = draft.both != Both::default() || draft.delta != Delta::default();
        let row = self.row(draft);
        (is_there || row.counts != Counts::default()).then_some(row)
    }

    /// Territories by code, then other units by name.
    fn order(&self, at: UnitIx) -> (u8, String) {
        let unit = self.view.tree().unit(at);
        let division = unit.codes().find(|c| c.kind == crate::fact::CodeKind::Division);
        match (&unit.origin, division) {
            (Some(origin), Some(code)) if origin.kind == UnitKind::Territory => {
                (0, code.value.clone())
            }
            _ => (1, unit.name().to_owned()),
        }
    }

    fn by_group(&self, by: By) -> Vec<Row> {
        let mut groups: BTreeMap<String, Vec<UnitIx>> = BTreeMap::new();
        let mut open = vec![self.unit];
        while let Some(at) = open.pop() {
            open.extend(self.rollup.children(at));
            groups.entry(group(self.view, self.rollup, by, at)).or_default().push(at);
        }
        let mut rows: Vec<Row> =
            groups.iter().filter_map(|(group, units)| self.group_row(by, group, units)).collect();
        rows.push(self.total());
        rows
    }

    fn group_row(&self, by: By, group: &str, units: &[UnitIx]) -> Option<Row> {
        let both = self.sum_of(units);
        let inside = |unit: UnitIx, under: Option<UnitIx>| {
            self.is_within(self.unit, unit, under)
                && self::group(self.view, self.rollup, by, unit) == group
        };
        let delta = self.delta_of(units, &inside);
        let (label, served) = (Label::Group(group.to_owned()), self.unit);
        self.row_of_something(Draft { label, both, delta, served, inside: &inside })
    }

    /// Persons claimed by a union inside and one outside, and firms registered inside and outside, where
    /// two nodes serve them and nothing was restated yet.
    fn awaiting(&self, inside: &dyn Fn(UnitIx) -> bool) -> u64 {
        let host = |at| {
            let host = self.view.branches().branch(at).host_on(self.rollup.day);
            let tree = self.view.tree();
            host.map(|unit| tree.heir_on(tree.canonical(unit), self.rollup.day))
        };
        let crosses = |one: Option<UnitIx>, other: Option<UnitIx>| {
            one.is_some_and(inside) != other.is_some_and(inside)
                && self.server(one) != self.server(other)
        };
        let persons: u64 = self
            .view
            .rival_unions()
            .filter(|(pairs, _)| pairs.iter().any(|(one, other)| crosses(host(*one), host(*other))))
            .map(|(_, persons)| persons)
            .sum();
        let firms = self
            .rollup
            .registered()
            .filter(|(unit, _)| !self.view.is_unit_told(*unit))
            .filter(|(unit, registered)| {
                let parent = self.rollup.parent(*unit);
                registered.others.iter().any(|other| crosses(parent, Some(*other)))
            })
            .count();
        persons + firms as u64
    }

    /// The node that serves a unit.
    fn server(&self, unit: Option<UnitIx>) -> Option<NodeId> {
        let server = self.view.authority().server_of(self.view.tree(), unit?, Hlc::MAX)?;
        Some(server.enrolment.node)
    }

    /// The clock of the node that has been silent longest: of those that serve something inside, and of
    /// the one that serves the unit itself, perhaps from above.
    fn oldest_head(&self, served: UnitIx, inside: &dyn Fn(UnitIx) -> bool) -> Option<Hlc> {
        let authority = self.view.authority();
        let of_unit = authority.server_of(self.view.tree(), served, Hlc::MAX);
        let within = authority.enrolments.iter().filter(|e| inside(e.unit));
        let nodes: BTreeSet<_> = within.chain(of_unit).map(|e| e.enrolment.node).collect();
        nodes.into_iter().filter_map(|node| self.view.last_clock(node)).min()
    }
}

/// The row in which a unit below another is counted.
pub(crate) fn row_of(view: &View, rollup: &Rollup, top: UnitIx, by: By, at: UnitIx) -> Label {
    match by {
        By::Total => Label::Total,
        By::Child => {
            let up = std::iter::successors(Some(at), |at| rollup.parent(*at));
            let child = up.take_while(|at| *at != top).last();
            let is_employer = |at: &UnitIx| view.tree().unit(*at).is_employer();
            let only_employers = || rollup.children(top).iter().all(is_employer);
            match child.filter(|child| !is_employer(child) || only_employers()) {
                Some(child) => Label::Unit(child),
                None => Label::Direct,
            }
        }
        by => Label::Group(group(view, rollup, by, at)),
    }
}

fn group(view: &View, rollup: &Rollup, by: By, at: UnitIx) -> String {
    let Some(state) = rollup.unit_on(view, at) else {
        return String::new();
    };
    match by {
        By::Ownership => state.profile.ownership.map_or(String::new(), |code| code.to_string()),
        By::Industry => state.profile.industry.map_or(String::new(), |l| char::from(l).to_string()),
        By::Headcount => state.headcount.map_or("", |h| band(h.employees)).to_owned(),
        By::Total | By::Child => String::new(),
    }
}

/// Headcount bands, by their least number.
fn band(employees: u32) -> &'static str {
    match employees {
        0..25 => "0-24",
        25..50 => "25-49",
        50..100 => "50-99",
        100..1_000 => "100-999",
        _ => "1000-",
    }
}
