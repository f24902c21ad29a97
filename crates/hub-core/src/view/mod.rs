//! The view: what the fold of a set of blocks says (DESIGN §6).
//!
//! Invariants:
//! - V1 The view is a pure function of the set of blocks, the policy and the root key: never of arrival
//!   order, duplication, batching, restart or the receiver's clock. Places (`UnitIx`, `BranchIx`, ...)
//!   do depend on arrival and never reach an answer or a digest.
//! - V2 Folding block by block gives what replaying all at once gives.
//! - V3 A person's fold reads that person's facts, the kinds of the unions named and authority verdicts.
//! - V4 Nothing is dropped: a fact that does not count is withdrawn or parked, with its reason.

pub mod authority;
mod awaited;
pub mod branch;
pub mod cell;
pub mod checkpoint;
pub mod claim;
pub mod decision;
pub(crate) mod digest;
pub mod figure;
pub mod fork;
mod former;
pub mod host_line;
mod increment;
mod intervals;
mod judge;
mod members;
mod org;
mod read;
mod rekey;
pub(crate) mod renewal;
mod resolve;
pub mod restate;
mod restated;
pub mod succession;
mod table;
mod takeover;
pub mod tree;
mod unit;
pub mod verdict;
mod withdrawal;

use crate::block::Block;
use crate::codec::{Body, CodecError};
use crate::fact::{Fact, FactBody};
use crate::hash::Hash;
use crate::id::{BranchId, ChainId, FactId, FederationId, Lane, NodeId};
use crate::policy::Policy;
use crate::time::{Day, Hlc};
use authority::Authority;
use awaited::Awaited;
use branch::Branches;
use cell::Cells;
use checkpoint::Checkpoints;
use decision::{DecisionPlaces, Decisions};
use figure::Figures;
use fork::{Admitted, Folded, Forks, Heights};
use members::Members;
use restated::Restatements;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tree::Tree;
use verdict::{Reason, Verdict};
use withdrawal::{Withdrawal, Withdrawals};

pub use claim::Conflict;
pub use intervals::Intervals;
pub(crate) use members::Stated;
pub use members::{Counted, Doubt};
pub use takeover::MassTakeover;

/// Where blocks are read from again: a person's fold needs that person's older facts.
pub trait BlockSource {
    /// The block at this height of this chain; `None` when it cannot be read. Where a chain forks, any.
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block>;

    /// The block of this hash there.
    fn side(&self, chain: &ChainId, height: u64, hash: &Hash) -> Option<Block> {
        self.block(chain, height).filter(|block| block.hash() == *hash)
    }
}

impl BlockSource for BTreeMap<(ChainId, u64), Block> {
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        self.get(&(*chain, height)).cloned()
    }
}

/// A fact of any family but members, with the height of its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgFact {
    /// Its id.
    pub id: FactId,
    /// The height of its block.
    pub height: u64,
    /// The fact.
    pub fact: Fact,
    /// Set where it is folded in the stead of a fact that is not held.
    pub(crate) stand_in: Option<Box<restated::StandIn>>,
}

/// A block whose body this version cannot read: stored, relayed, parked whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its chain.
    pub chain: ChainId,
    /// Its height.
    pub height: u64,
    /// How many facts it holds.
    pub count: u32,
    /// Why, with expected and found.
    pub why: String,
}

/// What the fold of the blocks applied so far says.
#[derive(Debug, Clone)]
pub struct View {
    federation: FederationId,
    root_key: [u8; 32],
    policy: Arc<Policy>,
    facts: Vec<OrgFact>,
    verdicts: Vec<Verdict>,
    by_id: BTreeMap<FactId, u32>,
    by_branch: BTreeMap<BranchId, Vec<usize>>,
    heights: Heights,
    forks: Forks,
    withdrawals: Withdrawals,
    restatements: Restatements,
    /// Nodes whose own books (their `up` lanes) are held.
    books: BTreeSet<NodeId>,
    unreadable: BTreeMap<(ChainId, u64), Unreadable>,
    tree: Tree,
    authority: Authority,
    branches: Branches,
    figures: Figures,
    checkpoints: Checkpoints,
    cells: Cells,
    members: Members,
    decisions: Decisions,
    decision_places: DecisionPlaces,
    /// Units that folded facts name and that are not registered.
    awaited: Awaited,
    /// How many of `facts` are folded.
    folded: usize,
    /// Something reaches further than the facts added since: all must be folded anew.
    org_is_dirty: bool,
    /// Grows with every change; answers are cached by it.
    version: u64,
    /// How often anything but member facts was folded.
    org_changed: u64,
    /// How often all of them were folded anew.
    refolds: u64,
}

impl View {
    /// The view of no blocks, under the policy of this program.
    pub fn new(federation: FederationId, root_key: [u8; 32]) -> Self {
        Self::under(Policy::standard(), federation, root_key)
    }

    /// The view of no blocks, to be folded wholly under this policy.
    pub fn under(policy: Arc<Policy>, federation: FederationId, root_key: [u8; 32]) -> Self {
        Self {
            federation,
            root_key,
            authority: Authority::under(&policy),
            policy,
            facts: Vec::new(),
            verdicts: Vec::new(),
            by_id: BTreeMap::new(),
            by_branch: BTreeMap::new(),
            heights: Heights::new(),
            forks: Forks::default(),
            withdrawals: Withdrawals::default(),
            restatements: Restatements::default(),
            books: BTreeSet::new(),
            unreadable: BTreeMap::new(),
            tree: Tree::default(),
            branches: Branches::default(),
            figures: Figures::default(),
            checkpoints: Checkpoints::default(),
            cells: Cells::default(),
            members: Members::default(),
            decisions: Decisions::default(),
            decision_places: DecisionPlaces::default(),
            awaited: Awaited::default(),
            folded: 0,
            org_is_dirty: false,
            version: 0,
            org_changed: 0,
            refolds: 0,
        }
    }

    /// Folds one more block. A block applied before changes nothing.
    pub fn apply(&mut self, block: &Block, source: &dyn BlockSource) {
        self.add(block);
        self.settle(source);
    }

    /// Folds many blocks at once; the same as one by one, and faster.
    pub fn apply_all<'a>(
        &mut self,
        blocks: impl IntoIterator<Item = &'a Block>,
        source: &dyn BlockSource,
    ) {
        blocks.into_iter().for_each(|block| self.add(block));
        self.settle(source);
    }

    /// Takes a block in without folding it yet: call [`View::settle`] before asking anything.
    pub fn add(&mut self, block: &Block) {
        self.add_decoded(block, block.body());
    }

    /// Makes room for so many member facts that are about to be added.
    pub(crate) fn reserve_members(&mut self, facts: usize) {
        self.members.reserve(facts);
    }

    /// The same with the body decoded already, by [`Block::body`] of this block.
    pub(crate) fn add_decoded(&mut self, block: &Block, body: Result<Body, CodecError>) {
        match self.forks.admit(&self.heights, block.header(), block.hash()) {
            Admitted::Fold => self.fold_block(block, body),
            Admitted::Contested => self.version += 1,
            Admitted::Known => {}
        }
    }

    fn fold_block(&mut self, block: &Block, body: Result<Body, CodecError>) {
        let header = block.header();
        let (chain, height) = (header.chain, header.height);
        let folded = Folded { clock: header.last_hlc, hash: block.hash() };
        self.heights.entry(chain).or_default().insert(height, folded);
        self.version += 1;
        if chain.lane == Lane::Up {
            self.note_books(chain.node);
        }
        // a cut may wait for the clock of just this block
        let cut = self.authority.cuts.get(&(chain.node, chain.epoch));
        self.org_is_dirty |= cut.is_some();
        match body {
            Ok(Body::Rows(facts)) => {
                let bodies = facts.iter().map(|fact| &fact.body);
                self.checkpoints.note_block(chain, height, bodies);
                for (index, fact) in facts.into_iter().enumerate() {
                    self.add_fact(block.fact_id(index as u32), height, fact);
                }
            }
            Ok(Body::Members(batch)) => self.members.add(header, batch),
            Err(error) => {
                let (count, why) = (header.count, error.to_string());
                let unreadable = Unreadable { chain, height, count, why };
                self.unreadable.insert((chain, height), unreadable);
            }
        }
    }

    /// Treats these facts of blocks that are still to be added as not there.
    pub(crate) fn withhold(&mut self, facts: BTreeSet<FactId>) {
        self.withdrawals.withhold(facts);
    }

    /// The height from which a chain forks.
    pub(crate) fn forks_from(&self, chain: &ChainId) -> Option<u64> {
        self.forks.from(chain)
    }

    /// All blocks held: those folded, and all sides of forks.
    pub(crate) fn held(&self) -> impl Iterator<Item = (ChainId, u64, Hash)> {
        let folded = self.heights.iter().flat_map(|(chain, heights)| {
            let from = self.forks_from(chain).unwrap_or(u64::MAX);
            heights.range(..from).map(|(at, here)| (*chain, *at, here.hash))
        });
        folded.chain(self.forks.sides())
    }

    fn add_fact(&mut self, id: FactId, height: u64, fact: Fact) {
        if self.withdrawals.withholds(&id) {
            return;
        }
        if let FactBody::Withdrawn(withdrawn) = &fact.body {
            let (first, hlc) = (withdrawn.first.seq, fact.hlc);
            let last = first.saturating_add(withdrawn.count - 1);
            let withdrawal = Withdrawal { first, last, id, hlc, height, restated: None };
            self.withdrawals.add(withdrawn.first.chain, withdrawal);
        }
        if let FactBody::Branch(branch) = &fact.body {
            self.by_branch.entry(branch.branch()).or_default().push(self.facts.len());
        }
        let place = self.facts.len() as u32;
        self.decision_places.note(self.facts.len(), &fact.body);
        self.by_id.insert(id, place);
        self.facts.push(OrgFact { id, height, fact, stand_in: None });
        self.add_restated(place);
    }

    /// Folds all that was added.
    pub fn settle(&mut self, source: &dyn BlockSource) {
        self.settle_counted(source);
        self.settle_forks(source);
    }

    /// Folds what was added and is of no side that does not count.
    fn settle_counted(&mut self, source: &dyn BlockSource) {
        let of_persons = self.awaits_persons_only();
        let change = self.fold_facts();
        let reaches_org = match &change {
            increment::OrgChange::None => false,
            increment::OrgChange::Local { .. } => !of_persons,
            increment::OrgChange::All => true,
        };
        self.org_changed += u64::from(reaches_org);
        self.restate_members(change == increment::OrgChange::All);
        let (members, mut fold) = self.members_and_fold(source);
        let rematched = members.settle(&mut fold, &change);
        self.tell_matched(&rematched);
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// The policy it is folded under.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn shared_policy(&self) -> Arc<Policy> {
        self.policy.clone()
    }

    /// The pinned root key.
    pub fn root_key(&self) -> &[u8; 32] {
        &self.root_key
    }

    /// Grows with every block; equal versions of one view give equal answers.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How often everything but members' facts was folded anew, the first time included: most of what comes
    /// reaches its own unit or union only and costs just that.
    pub fn refolds(&self) -> u64 {
        self.refolds
    }

    /// The tree of units.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The unions.
    pub fn branches(&self) -> &Branches {
        &self.branches
    }

    /// Members by union and employer.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Declared figures.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Who may speak.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The key of a node in an epoch, from accepted enrolments; the root's is the pinned one in its first epoch, and
    /// in every other that none names another key for.
    pub fn key(&self, node: NodeId, epoch: u32) -> Option<[u8; 32]> {
        let pinned = (node == NodeId::of_first_key(&self.root_key)).then_some(self.root_key);
        match pinned {
            Some(_) if epoch == 1 => pinned,
            _ => self.authority.key(node, epoch).or(pinned),
        }
    }

    /// All facts but members', with their verdicts, in no meaningful order.
    pub fn facts(&self) -> impl Iterator<Item = (&OrgFact, Verdict)> {
        let all = self.facts.iter().zip(self.verdicts.iter().copied());
        all.filter(|(fact, _)| !fact.is_stand_in())
    }

    /// The same with what stands in for facts that are not held, as nodes above restated them.
    pub(crate) fn facts_and_told(&self) -> impl Iterator<Item = (&OrgFact, Verdict)> {
        let all = self.facts.iter().zip(self.verdicts.iter().copied());
        all.filter(|(fact, verdict)| !fact.is_stand_in() || verdict.stands())
    }

    /// One of these facts.
    pub fn fact(&self, id: &FactId) -> Option<&OrgFact> {
        self.by_id.get(id).map(|place| &self.facts[*place as usize])
    }

    /// Blocks whose body this version cannot read.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.unreadable.values()
    }

    /// How many persons any fact named.
    pub fn persons(&self) -> usize {
        self.members.len()
    }

    /// How many member facts were added.
    pub fn member_facts(&self) -> u64 {
        self.members.fact_count()
    }

    /// Conflicts among members' claims, in order of person.
    pub fn conflicts(&self) -> Vec<(crate::id::MemberKey, Conflict)> {
        self.members.conflicts()
    }

    /// Persons that await agreement: the pairs of unions whose claims dispute over each, with how many persons
    /// there are of just these.
    pub fn rival_unions(
        &self,
    ) -> impl Iterator<Item = (&[(branch::BranchIx, branch::BranchIx)], u64)> {
        self.members.rivals()
    }

    /// Rulings and objections whose writers may state them.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// Persons in doubt, with the days on which they are and how else they might count (DESIGN §8); a person
    /// has at most one on a day.
    pub fn doubts(&self) -> impl Iterator<Item = (crate::id::MemberKey, &Doubt)> {
        self.members.doubts()
    }

    /// The clock of the newest fact of a node.
    pub fn last_clock(&self, node: NodeId) -> Option<Hlc> {
        // the first chain a node can have
        let first = ChainId { node, epoch: 0, lane: Lane::Up };
        let chains = self.heights.range(first..).take_while(|(chain, _)| chain.node == node);
        chains.filter_map(|(_, heights)| heights.values().next_back()).map(|top| top.clock).max()
    }

    /// A person's spans, in order of day.
    pub fn person(
        &mut self,
        key: &crate::id::MemberKey,
        source: &dyn BlockSource,
    ) -> Vec<claim::Span> {
        let (members, mut fold) = self.members_and_fold(source);
        members.person(key, &mut fold).spans
    }

    /// Shows every person's spans, computed anew from its facts, in no meaningful order.
    pub fn each_person(&mut self, source: &dyn BlockSource, show: &mut dyn FnMut(&[claim::Span])) {
        let (members, mut fold) = self.members_and_fold(source);
        members.each_person(&mut fold, show);
    }

    /// The civil day of the latest clock of all blocks; none without blocks.
    pub fn last_day(&self) -> Option<Day> {
        let tops = self.heights.values().filter_map(|heights| heights.values().next_back());
        tops.map(|top| top.clock).max().map(|clock| clock.day())
    }

    /// What became of a fact; a member fact is read again from its block.
    pub fn verdict(&mut self, id: &FactId, source: &dyn BlockSource) -> Option<Verdict> {
        if let Some(place) = self.by_id.get(id) {
            return Some(self.verdicts[*place as usize]);
        }
        self.verdict_in_block(id, source).or_else(|| {
            let reason = self.forks.parks_fact(id);
            reason.map(Verdict::Parked)
        })
    }

    fn verdict_in_block(&mut self, id: &FactId, source: &dyn BlockSource) -> Option<Verdict> {
        let heights: Vec<u64> = self.heights.get(&id.chain)?.keys().copied().collect();
        // blocks are in order of seq, so the one that holds the fact is found by halving
        let (mut low, mut high) = (0, heights.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let block = self.block_at(&id.chain, heights[middle], source)?;
            let header = block.header();
            if id.seq < header.first_seq {
                high = middle;
            } else if id.seq >= header.next_seq() {
                low = middle + 1;
            } else {
                let index = (id.seq - header.first_seq) as usize;
                return self.block_verdicts(&block).get(index).copied();
            }
        }
        None
    }

    /// What became of each fact of a block that was added.
    pub fn block_verdicts(&mut self, block: &Block) -> Vec<Verdict> {
        let header = block.header();
        if let Some(reason) = self.forks.parks(&header.chain, header.height, &block.hash()) {
            return vec![Verdict::Parked(reason); header.count as usize];
        }
        match block.body() {
            Err(_) => vec![Verdict::Parked(Reason::Unreadable); block.header().count as usize],
            Ok(Body::Rows(facts)) => (0..facts.len() as u32)
                .map(|index| self.by_id.get(&block.fact_id(index)))
                .map(|place| place.map_or(Verdict::Stands, |p| self.verdicts[*p as usize]))
                .collect(),
            Ok(Body::Members(batch)) => {
                let judge = judge::Judge {
                    tree: &self.tree,
                    authority: &mut self.authority,
                    branches: &self.branches,
                    withdrawals: &self.withdrawals,
                    cyclic: self.members.cyclic(),
                };
                judge.batch(block.header(), &batch)
            }
        }
    }

    /// How many facts are parked, by reason.
    pub fn parked(&self) -> BTreeMap<Reason, u64> {
        let mut parked = self.members.parked().clone();
        for (_, verdict) in self.facts() {
            if let Verdict::Parked(reason) = verdict {
                *parked.entry(reason).or_default() += 1;
            }
        }
        for unreadable in self.unreadable.values() {
            *parked.entry(Reason::Unreadable).or_default() += u64::from(unreadable.count);
        }
        for (reason, count) in self.forks.parked() {
            *parked.entry(reason).or_default() += count;
        }
        parked
    }
}
