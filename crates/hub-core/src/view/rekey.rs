//! Persons entered under a wrong number: their facts at one union belong to another key (M6).

use super::branch::BranchIx;
use super::table::MemberIx;
use crate::id::FactId;
use crate::time::Hlc;
use std::collections::{BTreeMap, BTreeSet};

/// From now on the person's facts at this union belong to another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rekey {
    pub(super) branch: BranchIx,
    pub(super) from: MemberIx,
    pub(super) to: MemberIx,
    pub(super) hlc: Hlc,
    pub(super) id: FactId,
    pub(super) qualified: bool,
    /// Its place among all member facts, in arrival order.
    pub(super) place: u32,
}

/// All rekeys, and where each key's facts belong.
#[derive(Debug, Clone, Default)]
pub(super) struct Rekeys {
    pub(super) stated: Vec<Rekey>,
    /// How many of them the edges rest on.
    pub(super) settled: usize,
    /// Those that hold: by union and key.
    edges: BTreeMap<(BranchIx, MemberIx), (MemberIx, bool)>,
    /// The same backwards: keys whose facts go over to a key.
    sources: BTreeMap<MemberIx, BTreeSet<MemberIx>>,
    /// Those that would close a cycle, by fact, with the key they start from.
    cyclic: BTreeMap<FactId, MemberIx>,
    cyclic_ids: BTreeSet<FactId>,
    /// The latest of each union and key, those for a cycle among them.
    latest: BTreeSet<FactId>,
}

impl Rekeys {
    /// M6: the latest of each (union, key) holds; one that closes a cycle is parked. Returns the keys
    /// whose folds change, given the keys whose facts changed.
    pub(super) fn settle(
        &mut self,
        standing: impl IntoIterator<Item = Rekey>,
        dirty: &BTreeSet<MemberIx>,
    ) -> BTreeSet<MemberIx> {
        let mut latest: BTreeMap<(BranchIx, MemberIx), Rekey> = BTreeMap::new();
        for rekey in standing {
            let known = latest.entry((rekey.branch, rekey.from)).or_insert(rekey);
            if (known.hlc, known.id) < (rekey.hlc, rekey.id) {
                *known = rekey;
            }
        }
        let mut in_order: Vec<Rekey> = latest.into_values().collect();
        self.latest = in_order.iter().map(|rekey| rekey.id).collect();
        in_order.sort_by_key(|rekey| (rekey.hlc, rekey.id));
        let before = std::mem::take(&mut self.edges);
        let cyclic_before = std::mem::take(&mut self.cyclic);
        self.sources.clear();
        for rekey in in_order {
            if self.end_of(rekey.branch, rekey.to).0 == rekey.from {
                self.cyclic.insert(rekey.id, rekey.from);
            } else {
                self.edges.insert((rekey.branch, rekey.from), (rekey.to, rekey.qualified));
                self.sources.entry(rekey.to).or_default().insert(rekey.from);
            }
        }
        self.cyclic_ids = self.cyclic.keys().copied().collect();
        self.settled = self.stated.len();
        let mut touched = self.followers(dirty);
        for edges in [&before, &self.edges] {
            for ((branch, from), (to, _)) in edges {
                let key = (*branch, *from);
                if before.get(&key) != self.edges.get(&key) {
                    touched.extend([*from, *to]);
                    touched.insert(follow(&before, *branch, *to));
                    touched.insert(follow(&self.edges, *branch, *to));
                }
            }
        }
        for (one, other) in [(&cyclic_before, &self.cyclic), (&self.cyclic, &cyclic_before)] {
            touched.extend(one.iter().filter(|(id, _)| !other.contains_key(id)).map(|(_, at)| *at));
        }
        touched
    }

    /// The keys that facts of these keys go over to.
    pub(super) fn followers(&self, dirty: &BTreeSet<MemberIx>) -> BTreeSet<MemberIx> {
        let mut followers = BTreeSet::new();
        for ((branch, from), (to, _)) in &self.edges {
            if dirty.contains(from) {
                followers.insert(follow(&self.edges, *branch, *to));
            }
        }
        followers
    }

    /// Where facts of a key at a union belong, and whether its number passes then.
    pub(super) fn end_of(&self, branch: BranchIx, member: MemberIx) -> (MemberIx, Option<bool>) {
        let mut end = (member, None);
        while let Some((to, qualified)) = self.edges.get(&(branch, end.0)) {
            end = (*to, Some(*qualified));
        }
        end
    }

    /// Whether facts of this key may go over to another, or others' to it.
    pub(super) fn touches(&self, branch: BranchIx, member: MemberIx) -> bool {
        self.edges.contains_key(&(branch, member)) || self.sources.contains_key(&member)
    }

    /// Whether none was ever stated or restated.
    pub(super) fn is_empty(&self) -> bool {
        self.stated.is_empty() && self.edges.is_empty()
    }

    /// Whether one waits to be settled.
    pub(super) fn is_behind(&self) -> bool {
        self.settled < self.stated.len()
    }

    /// Whether a rekey is the latest of its union and key: no other is asked.
    pub(super) fn is_latest(&self, id: &FactId) -> bool {
        self.latest.contains(id)
    }

    /// The facts of those parked because they would close a cycle.
    pub(super) fn cyclic(&self) -> &BTreeSet<FactId> {
        &self.cyclic_ids
    }

    /// This key and all whose facts may go over to it, by whatever union.
    pub(super) fn sources_of(&self, member: MemberIx) -> BTreeSet<MemberIx> {
        let mut sources = BTreeSet::from([member]);
        let mut open = vec![member];
        while let Some(at) = open.pop() {
            for from in self.sources.get(&at).into_iter().flatten() {
                if sources.insert(*from) {
                    open.push(*from);
                }
            }
        }
        sources
    }
}

fn follow(
    edges: &BTreeMap<(BranchIx, MemberIx), (MemberIx, bool)>,
    branch: BranchIx,
    member: MemberIx,
) -> MemberIx {
    let mut end = member;
    while let Some((to, _)) = edges.get(&(branch, end)) {
        end = *to;
    }
    end
}
