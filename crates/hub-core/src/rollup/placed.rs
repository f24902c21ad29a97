//! Where active members would count, cell by cell: for flows, which follow persons and not totals.

use super::members::Placement;
use super::place::Placed;
use super::unions::OwnUnions;
use super::{Rollup, Work};
use crate::time::Day;
use crate::view::View;
use crate::view::tree::UnitIx;
use std::sync::Arc;

impl Rollup {
    /// Where an active member of each cell counts that day, by the cell's place; none where it does not.
    pub(crate) fn placed(view: &View, day: Day) -> Vec<Option<UnitIx>> {
        let unions = OwnUnions::of(view);
        let mut work = Work::new(view, Arc::new(Placed::on(view, &unions, day)));
        work.choose_own_unions();
        let placement = |cell: &crate::view::cell::Cell| work.placement(cell.branch, cell.employer);
        let placed = view.cells().all().iter().map(|cell| match placement(cell) {
            Placement::Counts(unit, ..) => Some(unit),
            Placement::Unplaced(_) | Placement::Left(..) => None,
            Placement::Closed(_) | Placement::Nowhere => None,
        });
        placed.collect()
    }
}
