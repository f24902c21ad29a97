//! What has changed since an answer was computed: most facts are members' and change a few cells, so that
//! what was computed is renewed and not made anew.

use super::View;
use super::cell::CellChange;

/// A state of a view, to ask later what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Anything but member facts.
    org: u64,
    /// Units and unions, those only named among them.
    named: (usize, usize),
    cells: u64,
    extras: u64,
}

/// What has changed where only member facts came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberChanges {
    /// Changes of cells.
    pub(crate) cells: Vec<CellChange>,
    /// Whether persons are in conflict or in doubt, or no longer, or otherwise.
    pub(crate) extras: bool,
}

impl View {
    /// The state it is in.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            org: self.org_changed,
            named: (self.tree.units.len(), self.branches.all.len()),
            cells: self.cells.changed(),
            extras: self.members.extras_changed(),
        }
    }

    /// What has changed since; none if more than member facts, or too much.
    pub(crate) fn changed_since(&self, stamp: &Stamp) -> Option<MemberChanges> {
        let now = self.stamp();
        if (now.org, now.named) != (stamp.org, stamp.named) {
            return None;
        }
        let cells = self.cells.changes_after(stamp.cells)?;
        Some(MemberChanges { cells, extras: now.extras != stamp.extras })
    }
}
