//! Folding members: the table, the facts about each person, and what they add up to.
//!
//! A person's first start goes straight into its cell. Anything else (a second fact, a withdrawal, a
//! verdict that changed) refolds that person from its facts, read again from their blocks.

mod about;
mod extra;
mod flow;
mod marks;
mod named;
mod read;
mod refold;
mod rekeyed;
mod restated;
mod touched;

use super::BlockSource;
use super::authority::{Authority, Cut, Writer};
use super::branch::{BranchIx, Branches};
use super::cell::{CellIx, Cells};
use super::claim::{Cause, ClaimFact, Span, Status};
use super::decision::Decisions;
use super::fork::FoldedBlocks;
use super::increment::OrgChange;
use super::intervals::Intervals;
use super::judge::{Judge, is_premature};
use super::rekey::{Rekey, Rekeys};
use super::table::{MemberIx, State, Table};
use super::takeover::Takeovers;
use super::tree::Tree;
use super::verdict::Reason;
use super::withdrawal::Withdrawals;
use crate::codec::columns::{RowKind, unpack_profile};
use crate::codec::{Body, MemberBatch, MemberRow};
use crate::fact::member::Origin;
use crate::header::Header;
use crate::id::{BranchId, ChainId, FactId, UnitId};
use crate::policy::Policy;
use crate::time::Day;
use extra::Extra;
use refold::act_of;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

pub use extra::{Counted, Doubt};
pub(crate) use touched::Stated;

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

/// All persons.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    table: Table,
    blocks: Vec<MemberBlock>,
    /// The unions each block names.
    named: Vec<Box<[BranchId]>>,
    /// The units each block names: employers, and those acted for.
    named_units: Vec<Box<[UnitId]>>,
    by_chain: BTreeMap<ChainId, BTreeMap<u64, u32>>,
    by_branch: BTreeMap<BranchId, BTreeSet<u32>>,
    /// For a fact that is not its person's first: the one before in arrival order, plus one.
    earlier: BTreeMap<u32, u32>,
    fact_count: u32,
    extras: BTreeMap<MemberIx, Extra>,
    /// How often any of these has changed.
    extras_changed: u64,
    /// How many persons are claimed by just these pairs of unions.
    rivals: BTreeMap<Vec<(BranchIx, BranchIx)>, u64>,
    parked: BTreeMap<Reason, u64>,
    pending: Vec<(u32, Header, MemberBatch)>,
    dirty: BTreeSet<MemberIx>,
    dirty_blocks: BTreeSet<u32>,
    /// Kind's rank and word as last used, by writer and union.
    known: BTreeMap<(Writer, BranchIx), (Option<u8>, Intervals)>,
    /// What each withdrawal takes back of a block, by union of its batch, as last used.
    known_withdrawals: BTreeMap<(FactId, u32), Vec<bool>>,
    known_cuts: BTreeMap<Writer, Cut>,
    /// Whether a union was at or below the unit that an objection to a person's claim acted for, as last used.
    asked: BTreeMap<(BranchIx, FactId), (MemberIx, bool)>,
    /// Rulings over claims whose sides the person's facts match.
    matched: BTreeSet<FactId>,
    /// Those that do, or do not, since the last settling began.
    rematched: Vec<FactId>,
    takeovers: Takeovers,
    rekeys: Rekeys,
    restated: restated::RestatedMembers,
    touched: Option<touched::Touched>,
}

/// What a fold of members reads and writes beside the members.
pub(super) struct Fold<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) authority: &'a mut Authority,
    pub(super) branches: &'a mut Branches,
    pub(super) cells: &'a mut Cells,
    pub(super) withdrawals: &'a Withdrawals,
    pub(super) policy: &'a Policy,
    pub(super) decisions: &'a mut Decisions,
    pub(super) source: FoldedBlocks<'a>,
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

    /// How often what is kept of persons in conflict or doubt has changed.
    pub(super) fn extras_changed(&self) -> u64 {
        self.extras_changed
    }

    pub(super) fn parked(&self) -> &BTreeMap<Reason, u64> {
        &self.parked
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
        self.named_units.push(batch.units.clone().into());
        self.pending.push((place, *header, batch));
    }

    /// Folds all that was added, and what the change of units and unions reaches. Returns the rulings that may
    /// match the claims of a person now, or no longer.
    pub(super) fn settle(&mut self, fold: &mut Fold<'_>, change: &OrgChange) -> Vec<FactId> {
        if *change == OrgChange::All {
            self.touch_all();
        }
        self.mark_changed_words(fold, change);
        self.mark_changed_ranks(fold, change);
        if change.reaches_withdrawals() {
            self.mark_changed_withdrawals(fold);
        }
        if *change == OrgChange::All {
            self.mark_changed_cuts(fold);
        }
        self.mark_changed_decisions(fold, change);
        let org_changed = *change != OrgChange::None;
        let pending = std::mem::take(&mut self.pending);
        for (place, header, batch) in &pending {
            self.touch_block(*place);
            self.fold_batch(*place, header, batch, fold);
        }
        drop(pending);
        self.mark_dirty_blocks(fold);
        self.settle_rekeys(fold, org_changed);
        let dirty: Vec<MemberIx> = std::mem::take(&mut self.dirty).into_iter().collect();
        self.touch(&dirty);
        for chunk in dirty.chunks(REFOLD_CHUNK) {
            self.refold(chunk, fold);
        }
        fold.cells.tidy();
        std::mem::take(&mut self.rematched)
    }

    /// Whether the sides of a ruling over claims match those of one person.
    pub(super) fn is_matched(&self, ruling: &FactId) -> bool {
        self.matched.contains(ruling)
    }

    pub(super) fn takeovers(&self) -> &Takeovers {
        &self.takeovers
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
                && !self.restated.touch(member)
                && !fold.decisions.names(&row.member);
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
            let id = FactId { chain: header.chain, seq: header.first_seq + index as u64 };
            self.enter(member, (row, id), at, key, fold);
        }
    }

    /// A person's first fact is a start: it holds the person from its day on.
    fn enter(
        &mut self,
        member: MemberIx,
        (row, start): (&MemberRow, FactId),
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
            enrolled: row.origin() == Origin::New,
            start,
            began: Cause::Started(row.origin()),
            ended: None,
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

    /// The facts of rekeys parked because they would close a cycle.
    pub(super) fn cyclic(&self) -> &BTreeSet<FactId> {
        self.rekeys.cyclic()
    }

    fn block_of(&self, fact: u32) -> u32 {
        self.blocks.partition_point(|block| block.first_fact <= fact) as u32 - 1
    }
}

fn entry_is_new(table: &Table, member: MemberIx) -> bool {
    table.member(member).state() == State::Nothing
}

/// The rank of a union's kind, none while it is only named, and the writer's word over it.
fn current(writer: Writer, branch: BranchIx, fold: &mut Fold<'_>) -> (Option<u8>, Intervals) {
    let rank = fold.branches.branch(branch).profile.as_ref().map(|p| fold.policy.rank(p.kind));
    let nothing = BTreeSet::new();
    (rank, fold.judge(&nothing).word(writer, branch))
}
