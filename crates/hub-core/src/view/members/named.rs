//! Which persons the facts of a union name.

use super::Members;
use crate::codec::Body;
use crate::id::{BranchId, MemberKey};
use crate::view::fork::FoldedBlocks;
use crate::view::{BlockSource, View};
use std::collections::BTreeSet;

impl Members {
    fn named_by(
        &self,
        branches: &BTreeSet<BranchId>,
        source: &dyn BlockSource,
    ) -> BTreeSet<MemberKey> {
        let places: BTreeSet<u32> =
            branches.iter().filter_map(|id| self.by_branch.get(id)).flatten().copied().collect();
        let mut named = BTreeSet::new();
        for place in places {
            let block = &self.blocks[place as usize];
            let Some(block) = source.block(&block.chain, block.height) else { continue };
            let Ok(Body::Members(batch)) = block.body() else { continue };
            let here = |row: &&crate::codec::MemberRow| {
                branches.contains(&batch.branches[usize::from(row.branch)])
            };
            named.extend(batch.rows.iter().filter(here).map(|row| row.member));
        }
        named
    }
}

impl View {
    /// Every person whom a fact of one of these unions names.
    pub fn members_named_by(
        &self,
        branches: &BTreeSet<BranchId>,
        source: &dyn BlockSource,
    ) -> BTreeSet<MemberKey> {
        self.members.named_by(branches, &FoldedBlocks { heights: &self.heights, source })
    }
}
