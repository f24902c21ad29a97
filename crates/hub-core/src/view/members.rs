//! Folding members: the table, the facts about each person, and what they add up to.
//!
//! A person's first start goes straight into its cell. Anything else (a second fact, a withdrawal, a
//! verdict that changed) refolds that person from its facts, read again from their blocks.

mod marks;
mod read;
mod restated;

use super::BlockSource;
use super::authority::{Authority, Cut, Writer};
use super::branch::{BranchIx, Branches};
use super::cell::{CellIx, Cells, Share};
use super::claim::{self, Act, ClaimFact, Conflict, Span, Start, Status};
use super::increment::OrgChange;
use super::intervals::Intervals;
use super::judge::{Judge, is_premature};
use super::rekey::{Rekey, Rekeys};
use super::table::{MemberIx, State, Table};
use super::tree::Tree;
use super::verdict::{Reason, Verdict};
use super::withdrawal::Withdrawals;
use crate::codec::columns::{RowKind, unpack_profile};
use crate::codec::{Body, MemberBatch, MemberRow};
use crate::fact::ATTRIBUTE_FIRST_JOINED;
use crate::fact::member::{LeaveReason, MemberAct};
use crate::header::Header;
use crate::id::{BranchId, ChainId, FactId, MemberKey, UnitId};
use crate::policy::Policy;
use crate::time::Day;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Persons refolded in one go: bounds the memory that their facts take meanwhile.
const REFOLD_CHUNK: usize = 1 << 18;

/// Facts whose persons are looked for at once.
const LOOK_AHEAD: usize = 64;

/// A block of member facts, in arrival order.
#[derive(Debug, Clone, Copy)]
struct MemberBlock {
    chain: ChainId,
    height: u64,
    first_seq: u64,
    /// The place of its first fact among all member facts, in arrival order.
    first_fact: u32,
    count: u32,
}

/// What a person is beyond one open share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Extra {
    shares: Vec<Share>,
    conflicts: Vec<Conflict>,
    rivals: Vec<(BranchIx, BranchIx)>,
    parked: Vec<Reason>,
}

/// All persons.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    table: Table,
    blocks: Vec<MemberBlock>,
    /// The unions each block names.
    named: Vec<Box<[BranchId]>>,
    by_chain: BTreeMap<ChainId, BTreeMap<u64, u32>>,
    by_branch: BTreeMap<BranchId, BTreeSet<u32>>,
    /// For a fact that is not its person's first: the one before in arrival order, plus one.
    earlier: BTreeMap<u32, u32>,
    fact_count: u32,
    extras: BTreeMap<MemberIx, Extra>,
    /// How many persons two unions claim, by pair.
    rivals: BTreeMap<(BranchIx, BranchIx), u64>,
    parked: BTreeMap<Reason, u64>,
    pending: Vec<(u32, Header, MemberBatch)>,
    dirty: BTreeSet<MemberIx>,
    dirty_blocks: BTreeSet<u32>,
    /// Kind's rank and word as last used, by writer and union.
    known: BTreeMap<(Writer, BranchIx), (Option<u8>, Intervals)>,
    /// What each withdrawal takes back of a block, by union of its batch, as last used.
    known_withdrawals: BTreeMap<(FactId, u32), Vec<bool>>,
    known_cuts: BTreeMap<Writer, Cut>,
    rekeys: Rekeys,
    restated: restated::RestatedMembers,
}

/// What a fold of members reads and writes beside the members.
pub(super) struct Fold<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) authority: &'a mut Authority,
    pub(super) branches: &'a mut Branches,
    pub(super) cells: &'a mut Cells,
    pub(super) withdrawals: &'a Withdrawals,
    pub(super) policy: &'a Policy,
    pub(super) source: &'a dyn BlockSource,
}

impl Fold<'_> {
    fn judge<'a>(&'a mut self, cyclic: &'a BTreeSet<FactId>) -> Judge<'a> {
        Judge {
            tree: self.tree,
            authority: self.authority,
            branches: self.branches,
            withdrawals: self.withdrawals,
            cyclic,
        }
    }

    fn batch(&self, block: &MemberBlock) -> Option<(Header, MemberBatch)> {
        let block = self.source.block(&block.chain, block.height)?;
        match block.body() {
            Ok(Body::Members(batch)) => Some((*block.header(), batch)),
            _ => None,
        }
    }
}

/// Whether a start states its joining day: an `existing` one must say when the person first joined.
fn states_day(batch: &MemberBatch, index: usize) -> bool {
    let stated = batch.attributes.iter().find(|column| column.code == ATTRIBUTE_FIRST_JOINED);
    stated.is_some_and(|column| {
        column.values.binary_search_by_key(&(index as u32), |(row, _)| *row).is_ok()
    })
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Makes room for so many more facts, each perhaps of a new person.
    pub(super) fn reserve(&mut self, facts: usize) {
        self.table.reserve(facts);
    }

    pub(super) fn fact_count(&self) -> u64 {
        u64::from(self.fact_count)
    }

    pub(super) fn parked(&self) -> &BTreeMap<Reason, u64> {
        &self.parked
    }

    pub(super) fn conflicts(&self) -> Vec<(MemberKey, Conflict)> {
        let mut all: Vec<(MemberKey, Conflict)> = Vec::new();
        for (member, extra) in &self.extras {
            let key = self.table.member(*member).key;
            all.extend(extra.conflicts.iter().map(|conflict| (key, *conflict)));
        }
        all.sort_unstable();
        all
    }

    pub(super) fn rivals(&self) -> impl Iterator<Item = ((BranchIx, BranchIx), u64)> {
        self.rivals.iter().map(|(pair, persons)| (*pair, *persons))
    }

    /// Takes a block in; it is folded by [`Members::settle`].
    pub(super) fn add(&mut self, header: &Header, batch: MemberBatch) {
        let place = self.blocks.len() as u32;
        let first_fact = self.fact_count;
        self.fact_count += header.count;
        self.blocks.push(MemberBlock {
            chain: header.chain,
            height: header.height,
            first_seq: header.first_seq,
            first_fact,
            count: header.count,
        });
        self.by_chain.entry(header.chain).or_default().insert(header.first_seq, place);
        for branch in &batch.branches {
            self.by_branch.entry(*branch).or_default().insert(place);
        }
        self.named.push(batch.branches.clone().into());
        self.pending.push((place, *header, batch));
    }

    /// Folds all that was added, and what the change of units and unions reaches.
    pub(super) fn settle(&mut self, fold: &mut Fold<'_>, change: &OrgChange) {
        self.mark_changed_words(fold, change);
        self.mark_changed_ranks(fold, change);
        if change.reaches_withdrawals() {
            self.mark_changed_withdrawals(fold);
        }
        if *change == OrgChange::All {
            self.mark_changed_cuts(fold);
        }
        let org_changed = *change != OrgChange::None;
        let pending = std::mem::take(&mut self.pending);
        for (place, header, batch) in &pending {
            self.fold_batch(*place, header, batch, fold);
        }
        drop(pending);
        self.mark_dirty_blocks(fold);
        self.settle_rekeys(fold, org_changed);
        let dirty: Vec<MemberIx> = std::mem::take(&mut self.dirty).into_iter().collect();
        for chunk in dirty.chunks(REFOLD_CHUNK) {
            self.refold(chunk, fold);
        }
        fold.cells.tidy();
    }

    fn mark_dirty_blocks(&mut self, fold: &Fold<'_>) {
        for place in std::mem::take(&mut self.dirty_blocks) {
            let Some((_, batch)) = fold.batch(&self.blocks[place as usize]) else { continue };
            for row in &batch.rows {
                self.dirty.extend(self.table.find(&row.member));
            }
        }
    }

    fn fold_batch(
        &mut self,
        place: u32,
        header: &Header,
        batch: &MemberBatch,
        fold: &mut Fold<'_>,
    ) {
        let writer = (header.chain.node, header.chain.epoch);
        let last_seq = header.next_seq() - 1;
        let untouched = !fold.withdrawals.touches(&header.chain, header.first_seq, last_seq)
            && !fold.authority.cuts.contains_key(&writer);
        let branches: Vec<(BranchIx, bool)> = batch
            .branches
            .iter()
            .map(|id| {
                let branch = fold.branches.intern(id);
                let known = match self.known.entry((writer, branch)) {
                    // as last settled: it was asked again if anything it rests on has changed since
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(current(writer, branch, fold)),
                };
                let stands =
                    known.0.is_some() && known.1.contains_all(header.first_hlc, header.last_hlc);
                (branch, untouched && stands)
            })
            .collect();
        let units: Vec<u32> = batch.units.iter().map(|id| fold.tree.intern_raw(id)).collect();
        let first_fact = self.blocks[place as usize].first_fact;
        let mut cell = None;
        for (index, row) in batch.rows.iter().enumerate() {
            if index % LOOK_AHEAD == 0 {
                let next = &batch.rows[index..(index + LOOK_AHEAD).min(batch.rows.len())];
                self.table.look_ahead(next.iter().map(|row| &row.member));
            }
            let fact = first_fact + index as u32;
            let member = self.table.intern(&row.member);
            let entry = self.table.member_mut(member);
            let before = std::mem::replace(&mut entry.last_fact, fact + 1);
            if before != 0 {
                self.earlier.insert(fact, before);
            }
            let (branch, stands) = branches[usize::from(row.branch)];
            if row.kind == RowKind::Rekeyed {
                self.add_rekey(member, branch, header, batch, index);
            }
            let simple = before == 0
                && entry_is_new(&self.table, member)
                && stands
                && row.kind.is_start()
                && !is_premature(row)
                && !self.rekeys.touches(branch, member)
                && !self.restated.touch(member);
            if !simple {
                self.dirty.insert(member);
                continue;
            }
            let employer = usize::from(row.employer).checked_sub(1).map(|at| units[at]);
            let key = (branch, employer);
            let at = match cell {
                Some((known, at)) if known == key => at,
                _ => fold.cells.intern(branch, employer),
            };
            cell = Some((key, at));
            self.enter(member, row, at, key, fold);
        }
    }

    /// A person's first fact is a start: it holds the person from its day on.
    fn enter(
        &mut self,
        member: MemberIx,
        row: &MemberRow,
        cell: CellIx,
        (branch, employer): (BranchIx, Option<u32>),
        fold: &mut Fold<'_>,
    ) {
        let span = Span {
            from: row.day,
            to: Day::OPEN,
            branch,
            employer,
            status: Status::Active,
            holder: true,
            tied: false,
            qualified: row.qualified(),
            profile: unpack_profile(row.profile).unwrap_or_default(),
            enrolled: row.origin() == crate::fact::member::Origin::New,
        };
        let mut enrolled = false;
        let mut whole = None;
        for share in Cells::shares_in(cell, &span) {
            fold.cells.add(&share, 1);
            enrolled = whole.is_some();
            whole = whole.or(Some(share));
        }
        if let Some(whole) = whole {
            self.table.member_mut(member).set_one(&whole, enrolled);
        }
    }

    fn add_rekey(
        &mut self,
        from: MemberIx,
        branch: BranchIx,
        header: &Header,
        batch: &MemberBatch,
        index: usize,
    ) {
        let MemberAct::Rekeyed { to, qualified } = batch.member_fact(index).act else { return };
        let to = self.table.intern(&to);
        self.rekeys.stated.push(Rekey {
            branch,
            from,
            to,
            hlc: batch.rows[index].hlc,
            id: FactId { chain: header.chain, seq: header.first_seq + index as u64 },
            qualified,
            place: self.table.member(from).last_fact - 1,
        });
        self.dirty.extend([from, to]);
    }

    /// M6: settles where facts of rekeyed persons belong.
    fn settle_rekeys(&mut self, fold: &mut Fold<'_>, org_changed: bool) {
        let restated = std::mem::take(&mut self.restated.rekeys_changed);
        if (org_changed && !self.rekeys.stated.is_empty()) || self.rekeys.is_behind() || restated {
            let nothing = BTreeSet::new();
            let mut standing = Vec::new();
            for rekey in &self.rekeys.stated {
                let block = self.blocks[self.block_of(rekey.place) as usize];
                let Some((header, batch)) = fold.batch(&block) else { continue };
                let mut judge = fold.judge(&nothing);
                let words = judge.words(&header, &batch);
                let index = (rekey.place - block.first_fact) as usize;
                if judge.row(&header, &batch, index, &words).stands() {
                    standing.push(*rekey);
                }
            }
            standing.extend(self.restated_rekeys(fold));
            let touched = self.rekeys.settle(standing, &self.dirty);
            self.dirty.extend(touched);
        } else {
            let followers = self.rekeys.followers(&self.dirty);
            self.dirty.extend(followers);
        }
    }

    /// The places of all facts that a person's fold reads: its own and those rekeyed to it.
    fn facts_of(&self, member: MemberIx) -> Vec<u32> {
        let mut facts = Vec::new();
        for source in self.rekeys.sources_of(member) {
            let mut next = self.table.member(source).last_fact;
            while let Some(fact) = next.checked_sub(1) {
                facts.push(fact);
                next = self.earlier.get(&fact).copied().unwrap_or(0);
            }
        }
        facts
    }

    fn block_of(&self, fact: u32) -> u32 {
        self.blocks.partition_point(|block| block.first_fact <= fact) as u32 - 1
    }

    /// Refolds persons from their facts, each block read once.
    fn refold(&mut self, members: &[MemberIx], fold: &mut Fold<'_>) {
        self.note_ranks(members, fold);
        let told = self.tell(members, fold);
        let mut rest = &told[..];
        for member in members {
            let (own, later) = rest.split_at(rest.partition_point(|(at, _)| at <= member));
            rest = later;
            let facts = own.iter().filter_map(|(_, told)| told.ok()).collect();
            let parked: Vec<Reason> = own.iter().filter_map(|(_, told)| told.err()).collect();
            let swept =
                claim::sweep(facts, |branch| fold.policy.rank(fold.branches.branch(branch).kind()));
            self.replace(*member, &swept, parked, fold);
        }
    }

    /// What each person's facts say, or why one is parked; in order of member.
    fn tell(
        &self,
        members: &[MemberIx],
        fold: &mut Fold<'_>,
    ) -> Vec<(MemberIx, Result<ClaimFact, Reason>)> {
        let mut places: Vec<(u32, MemberIx)> = members
            .iter()
            .flat_map(|member| self.facts_of(*member).into_iter().map(|fact| (fact, *member)))
            .collect();
        places.sort_unstable();
        let mut told = Vec::with_capacity(places.len());
        let mut rest = &places[..];
        while let Some((fact, _)) = rest.first() {
            let block = self.blocks[self.block_of(*fact) as usize];
            let end = block.first_fact + block.count;
            let (here, later) = rest.split_at(rest.partition_point(|(fact, _)| *fact < end));
            rest = later;
            let Some((header, batch)) = fold.batch(&block) else { continue };
            let words = fold.judge(self.rekeys.cyclic()).words(&header, &batch);
            for (fact, member) in here {
                let index = (fact - block.first_fact) as usize;
                let mut judge = fold.judge(self.rekeys.cyclic());
                match judge.row(&header, &batch, index, &words) {
                    Verdict::Withdrawn(_) => {}
                    Verdict::Parked(reason) => {
                        let own = batch.rows[index].member == self.table.member(*member).key;
                        told.extend(own.then_some((*member, Err(reason))));
                    }
                    Verdict::Stands => {
                        let fact = self.claim_fact(*member, &header, &batch, index, fold);
                        told.extend(fact.map(|fact| (*member, Ok(fact))));
                    }
                }
            }
        }
        for member in members {
            told.extend(self.restated_claims(*member, fold).into_iter().map(|f| (*member, Ok(f))));
        }
        told.sort_by_key(|(member, _)| *member);
        told
    }

    fn claim_fact(
        &self,
        member: MemberIx,
        header: &Header,
        batch: &MemberBatch,
        index: usize,
        fold: &mut Fold<'_>,
    ) -> Option<ClaimFact> {
        let row = &batch.rows[index];
        let fact = batch.member_fact(index);
        let branch = fold.branches.intern(&fact.branch);
        let stated_of = self.table.find(&row.member)?;
        let (end, rekeyed) = self.rekeys.end_of(branch, stated_of);
        if end != member {
            return None;
        }
        let act = act_of(&fact.act, states_day(batch, index), rekeyed, fold)?;
        let id = FactId { chain: header.chain, seq: header.first_seq + index as u64 };
        Some(ClaimFact { day: row.day, hlc: row.hlc, id, branch, act })
    }

    /// Takes back what the person added to the cells and adds what it adds now.
    fn replace(
        &mut self,
        member: MemberIx,
        swept: &claim::Swept,
        parked: Vec<Reason>,
        fold: &mut Fold<'_>,
    ) {
        self.retract(member, fold);
        let mut shares = Vec::new();
        for span in &swept.spans {
            for share in fold.cells.shares_of(span) {
                fold.cells.add(&share, 1);
                shares.push(share);
            }
        }
        for reason in &parked {
            *self.parked.entry(*reason).or_default() += 1;
        }
        let entry = self.table.member_mut(member);
        let simple = swept.conflicts.is_empty() && parked.is_empty();
        match shares.as_slice() {
            [] if simple => entry.set_nothing(),
            [whole] if simple && whole.to == Day::OPEN => entry.set_one(whole, false),
            [whole, enrolment]
                if simple && whole.to == Day::OPEN && *enrolment == whole.as_enrolment() =>
            {
                entry.set_one(whole, true);
            }
            _ => {
                entry.set_many();
                let (conflicts, rivals) = (swept.conflicts.clone(), swept.rivals.clone());
                for pair in &rivals {
                    *self.rivals.entry(*pair).or_default() += 1;
                }
                self.extras.insert(member, Extra { shares, conflicts, rivals, parked });
            }
        }
    }

    fn retract(&mut self, member: MemberIx, fold: &mut Fold<'_>) {
        let entry = *self.table.member(member);
        match entry.state() {
            State::Nothing => {}
            State::One => fold.cells.add(&entry.one(), -1),
            State::Enrolled => {
                let whole = entry.one();
                fold.cells.add(&whole, -1);
                fold.cells.add(&whole.as_enrolment(), -1);
            }
            State::Many => {
                let Some(extra) = self.extras.remove(&member) else { return };
                extra.shares.iter().for_each(|share| fold.cells.add(share, -1));
                for pair in &extra.rivals {
                    let persons = self.rivals.get(pair).copied().unwrap_or(0);
                    match persons {
                        0 | 1 => self.rivals.remove(pair),
                        more => self.rivals.insert(*pair, more - 1),
                    };
                }
                for reason in &extra.parked {
                    if let Some(count) = self.parked.get_mut(reason) {
                        *count -= 1;
                    }
                }
                self.parked.retain(|_, count| *count > 0);
            }
        }
    }

    /// A person's spans, computed from its facts.
    pub(super) fn person(&self, key: &MemberKey, fold: &mut Fold<'_>) -> Vec<Span> {
        let Some(member) = self.table.find(key) else { return Vec::new() };
        let told = self.tell(&[member], fold);
        let facts = told.into_iter().filter_map(|(_, told)| told.ok()).collect();
        claim::sweep(facts, |branch| fold.policy.rank(fold.branches.branch(branch).kind())).spans
    }

    /// The facts of rekeys parked because they would close a cycle.
    pub(super) fn cyclic(&self) -> &BTreeSet<FactId> {
        self.rekeys.cyclic()
    }

    /// Every person with its shares as bytes, in order of key; `name` names a cell.
    pub(super) fn rows(
        &self,
        name: impl Fn(CellIx) -> (BranchId, Option<UnitId>),
    ) -> Vec<(MemberKey, Vec<u8>)> {
        let row = |shares: &[Share]| {
            let mut parts: Vec<Vec<u8>> = shares
                .iter()
                .map(|share| {
                    let (branch, employer) = name(share.cell);
                    let mut part = share.from.0.to_be_bytes().to_vec();
                    part.extend_from_slice(&share.to.0.to_be_bytes());
                    part.push(share.class.byte());
                    part.extend_from_slice(&branch.0);
                    part.extend_from_slice(&employer.unwrap_or(UnitId::NIL).0);
                    part
                })
                .collect();
            parts.sort_unstable();
            parts.concat()
        };
        let mut rows: Vec<(MemberKey, Vec<u8>)> = Vec::with_capacity(self.table.len());
        for (place, member) in self.table.all().iter().enumerate() {
            let bytes = match member.state() {
                State::Nothing => continue,
                State::One => row(&[member.one()]),
                State::Enrolled => row(&[member.one(), member.one().as_enrolment()]),
                State::Many => {
                    self.extras.get(&(place as MemberIx)).map_or(Vec::new(), |e| row(&e.shares))
                }
            };
            rows.push((member.key, bytes));
        }
        rows.sort_unstable();
        rows
    }
}

fn entry_is_new(table: &Table, member: MemberIx) -> bool {
    table.member(member).state() == State::Nothing
}

/// What a membership fact does to a claim; `rekeyed` is whether a right number passes (M6).
fn act_of(
    act: &MemberAct,
    day_stated: bool,
    rekeyed: Option<bool>,
    fold: &mut Fold<'_>,
) -> Option<Act> {
    Some(match act {
        MemberAct::Joined(start) | MemberAct::TransferredIn(start) => Act::Start(Start {
            origin: start.origin,
            day_stated,
            evidence: start.evidence,
            employer: start.employer.map(|id| fold.tree.intern_raw(&id)),
            from: start.from.map(|id| fold.branches.intern(&id)),
            profile: start.profile,
            qualified: rekeyed.unwrap_or(start.qualified),
        }),
        MemberAct::TransferredOut { .. } => Act::End { transferred: true },
        MemberAct::Left { reason: LeaveReason::Deceased } => Act::Death,
        MemberAct::Left { .. } => Act::End { transferred: false },
        MemberAct::Retained { .. } => Act::Retained,
        MemberAct::Revised { profile } => Act::Revised(*profile),
        MemberAct::Rekeyed { .. } | MemberAct::Erased => return None,
    })
}

/// The rank of a union's kind, none while it is only named, and the writer's word over it.
fn current(writer: Writer, branch: BranchIx, fold: &mut Fold<'_>) -> (Option<u8>, Intervals) {
    let rank = fold.branches.branch(branch).profile.as_ref().map(|p| fold.policy.rank(p.kind));
    let nothing = BTreeSet::new();
    (rank, fold.judge(&nothing).word(writer, branch))
}
