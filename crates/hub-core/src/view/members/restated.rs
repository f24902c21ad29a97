//! Membership facts of others, restated by a node above: folded as if they were the facts.

use super::super::restated::RestatedMember;
use super::{BranchIx, ClaimFact, Fold, MemberIx, Members, OrgChange, Rekey, act_of};
use crate::fact::member::MemberAct;
use crate::id::{FactId, MemberKey};
use std::collections::{BTreeMap, BTreeSet};

/// What is restated of members.
#[derive(Debug, Clone, Default)]
pub(super) struct RestatedMembers {
    facts: BTreeMap<FactId, RestatedMember>,
    by_member: BTreeMap<MemberIx, BTreeSet<FactId>>,
    /// The rank of each union named, as last used.
    ranks: BTreeMap<BranchIx, (Option<u8>, BTreeSet<MemberIx>)>,
    rekeys: BTreeSet<FactId>,
    /// Persons of whom anything was restated to anyone, told or heard.
    told: BTreeSet<MemberIx>,
    /// Whether rekeys came or went since they were last settled.
    pub(super) rekeys_changed: bool,
}

impl RestatedMembers {
    /// Whether anything was restated of a person, to this node or by it.
    pub(super) fn is_told(&self, member: MemberIx) -> bool {
        self.told.contains(&member)
    }

    /// Whether anything is restated of a person.
    pub(super) fn touch(&self, member: MemberIx) -> bool {
        self.by_member.contains_key(&member)
    }

    /// What is restated of a person.
    pub(super) fn of(&self, member: MemberIx) -> impl Iterator<Item = (&FactId, &RestatedMember)> {
        let ids = self.by_member.get(&member).into_iter().flatten();
        ids.filter_map(|id| self.facts.get_key_value(id))
    }
}

impl Members {
    /// Something was restated of this person: whoever lacked it knows, or will.
    pub(in super::super) fn note_told(&mut self, key: &MemberKey) {
        let member = self.table.intern(key);
        // whoever restates it too looks again at what was said
        let persons: Vec<MemberIx> = self.persons_of(key).into_iter().collect();
        self.touch(&persons);
        if self.restated.told.insert(member) {
            self.dirty.insert(member);
        }
    }

    /// Whether a block that holds this membership fact was added.
    pub(in super::super) fn holds(&self, fact: &FactId) -> bool {
        let block = self.by_chain.get(&fact.chain);
        let block = block.and_then(|blocks| blocks.range(..=fact.seq).next_back());
        block.is_some_and(|(first, place)| {
            fact.seq - first < u64::from(self.blocks[*place as usize].count)
        })
    }

    /// From now on this is restated of a fact that is not held; nothing if it does not count.
    pub(in super::super) fn restate(&mut self, id: FactId, told: Option<RestatedMember>) {
        let known = self.restated.facts.get(&id).copied();
        if known == told {
            return;
        }
        for told in known.iter().chain(&told) {
            if let MemberAct::Rekeyed { to, .. } = told.fact.act {
                self.restated.rekeys_changed = true;
                let to = self.table.intern(&to);
                self.dirty.insert(to);
            }
        }
        if let Some(known) = known {
            let member = self.table.intern(&known.fact.member);
            self.dirty.insert(member);
            self.restated.facts.remove(&id);
            self.restated.rekeys.remove(&id);
            if let Some(ids) = self.restated.by_member.get_mut(&member) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.restated.by_member.remove(&member);
                }
            }
        }
        if let Some(told) = told {
            let member = self.table.intern(&told.fact.member);
            self.dirty.insert(member);
            self.restated.facts.insert(id, told);
            self.restated.by_member.entry(member).or_default().insert(id);
            if matches!(told.fact.act, MemberAct::Rekeyed { .. }) {
                self.restated.rekeys.insert(id);
            }
        }
    }

    /// Marks the persons restated at unions whose rank is not what it was. Unions without blocks of
    /// members here are asked for nowhere else.
    pub(super) fn mark_changed_ranks(&mut self, fold: &Fold<'_>, change: &OrgChange) {
        for (branch, (known, members)) in &mut self.restated.ranks {
            if !change.reaches(*branch) {
                continue;
            }
            let profile = fold.branches.branch(*branch).profile.as_ref();
            let rank = profile.map(|profile| fold.policy.rank(profile.kind));
            if *known != rank {
                *known = rank;
                self.dirty.extend(members.iter().copied());
            }
        }
    }

    /// Remembers at which unions these persons are restated, with the ranks of those.
    pub(super) fn note_ranks(&mut self, members: &[MemberIx], fold: &mut Fold<'_>) {
        if self.restated.facts.is_empty() {
            return;
        }
        for member in members {
            let told: Vec<RestatedMember> =
                self.restated.of(*member).map(|(_, told)| *told).collect();
            for told in told {
                let branch = fold.branches.intern(&told.fact.branch);
                let profile = fold.branches.branch(branch).profile.as_ref();
                let rank = profile.map(|profile| fold.policy.rank(profile.kind));
                let known = self.restated.ranks.entry(branch).or_default();
                known.0 = rank;
                known.1.insert(*member);
            }
        }
    }

    /// What facts restated of a person, or of one rekeyed to it, say.
    pub(super) fn restated_claims(&self, member: MemberIx, fold: &mut Fold<'_>) -> Vec<ClaimFact> {
        if self.restated.facts.is_empty() {
            return Vec::new();
        }
        let mut claims = Vec::new();
        for source in self.rekeys.sources_of(member) {
            for (id, told) in self.restated.of(source).filter(|(id, _)| !self.holds(id)) {
                let branch = fold.branches.intern(&told.fact.branch);
                let (end, rekeyed) = self.rekeys.end_of(branch, source);
                // a union that is only named holds nobody: it waits until the union is told of
                let is_told = fold.branches.branch(branch).profile.is_some();
                if end != member || !is_told {
                    continue;
                }
                if let Some(act) = act_of(&told.fact.act, told.day_stated, rekeyed, fold) {
                    claims.push(ClaimFact { day: told.day, hlc: told.hlc, id: *id, branch, act });
                }
            }
        }
        claims
    }

    /// The rekeys restated of facts that are not held.
    pub(super) fn restated_rekeys(&self, fold: &mut Fold<'_>) -> Vec<Rekey> {
        let mut rekeys = Vec::new();
        for id in &self.restated.rekeys {
            let Some(told) = self.restated.facts.get(id).filter(|_| !self.holds(id)) else {
                continue;
            };
            let MemberAct::Rekeyed { to, qualified } = told.fact.act else { continue };
            let (from, to) = (self.table.find(&told.fact.member), self.table.find(&to));
            let (Some(from), Some(to)) = (from, to) else { continue };
            let branch = fold.branches.intern(&told.fact.branch);
            let (hlc, id) = (told.hlc, *id);
            rekeys.push(Rekey { branch, from, to, hlc, id, qualified, place: 0 });
        }
        rekeys
    }
}
