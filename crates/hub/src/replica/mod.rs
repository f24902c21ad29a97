//! One node's books: journal, view and key together, and the single writer to them.
//!
//! The daemon and a command that opens the directory itself use the same object. All calls take `&self`;
//! any number of threads may read and write.
//!
//! - P1 What [`Replica::write`] returned is durable; what the view shows is durable.
//! - P2 The view takes in blocks in the journal's order.
//! - P3 Every fact's HLC is greater than that of every block stored before it, its own and others'; but for
//!   blocks of this node's earlier epochs that were ahead of the clock when the journal was opened.
//! - P4 A failed write or fsync stops the replica for good: every later call says so.

mod aside;
mod checkpoint;
mod commit;
mod draft;
mod error;
mod guard;
mod lane;
mod lookup;
mod restate;
mod signing;
mod tail;
#[cfg(test)]
mod tests;

pub use checkpoint::{Stated, state};
pub use draft::{Draft, Identity, Transaction};
pub use error::{ReplicaError, WriteError};
use guard::Guarded;
pub use guard::ViewGuard;
pub use lane::LaneChoice;
pub use lookup::Lookup;
use lookup::Neighbours;
pub(crate) use restate::PORTION;
pub use signing::{CLOCK_BACK_MILLIS, CLOCK_OFF_MILLIS, SigningRefused};
pub use tail::{Backlog, LocalBlock, LocalPosition};

use crate::clock::Clock;
use crate::config::Node;
use crate::keys::KeyStore;
use crate::metrics::{SyncTimes, Timed};
use crate::ops_nats::Children;
use aside::Aside;
use commit::{Commits, Sealing};
use hub_core::SigningKey;
use hub_core::block::Block;
use hub_core::fact::FactBody;
use hub_core::fact::governance::LaneHead;
use hub_core::id::{ChainId, NodeId};
use hub_core::time::{DAY_MILLIS, Hlc, Millis};
use hub_core::view::authority::Enrolled;
use hub_core::view::fork::ForkedChain;
use hub_core::view::restate::Restater;
use hub_core::view::{BlockSource, View};
use hub_log::backup::RESTORED_FILE;
use hub_log::{Journal, Options, Origin, Position, Recovery};
use hub_node::io::{Memory, Quota};
use hub_node::limits::DOOR_MILLIS;
use signing::{Comparison, Gate};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tail::Tail;
use tokio::sync::watch;

/// One node's books.
#[derive(Debug)]
pub struct Replica {
    node: NodeId,
    epoch: u32,
    /// Whether this epoch states nothing before it is enrolled.
    waits: bool,
    parent: Option<NodeId>,
    follows: bool,
    quota: Quota,
    /// Those that follow this node's journal.
    followers: RwLock<BTreeSet<NodeId>>,
    neighbours: Mutex<Neighbours>,
    head_copy: Option<PathBuf>,
    damaged: usize,
    cut: Vec<PathBuf>,
    keys: KeyStore,
    key: Option<SigningKey>,
    clock: Arc<dyn Clock>,
    journal: Journal,
    timed: Arc<Timed>,
    view: Guarded,
    gate: Mutex<Gate>,
    comparison: Comparison,
    sealing: Mutex<Sealing>,
    commits: Mutex<Commits>,
    tail: Mutex<Tail>,
    aside: Aside,
    /// What nodes below lack, and were not told yet.
    restater: Mutex<Restater>,
    /// Counts commits that may have changed enrolments or the tree.
    tree_version: AtomicU64,
    /// Where this node's own blocks end.
    own_end: watch::Sender<LocalPosition>,
}

impl Replica {
    /// Takes the data directory, opens the journal and folds it into a view.
    ///
    /// # Errors
    /// The directory is held by another process (the error says which), the journal or a key cannot be
    /// read. Damage is no error: it is logged and stands in the [`Recovery`].
    pub fn open(node: &Node, clock: Arc<dyn Clock>) -> Result<(Self, Recovery), ReplicaError> {
        let segment_bytes = node.config.limits.segment_bytes;
        Self::open_with(node, clock, Options { segment_bytes, ..Options::default() })
    }

    /// The same with a journal kept in another way.
    ///
    /// # Errors
    /// As for [`Replica::open`].
    pub fn open_with(
        node: &Node,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<(Self, Recovery), ReplicaError> {
        let keys = KeyStore::new(node.keys_dir());
        let epoch = keys.newest_epoch()?;
        let key = epoch.map(|epoch| keys.signing_key(epoch)).transpose()?;
        let timed = Arc::new(Timed::new(options.storage));
        let options = Options { storage: timed.clone(), ..options };
        let (journal, recovery) = Journal::open(&node.data_dir(), options)?;
        let aside = Aside::open(&node.data_dir())
            .map_err(|error| ReplicaError::Aside { path: node.data_dir(), error })?;
        let config = &node.config;
        let mut view = View::new(node.federation(), config.root_key.0);
        let (end, last_own, damaged) = replay(&journal, &mut view);
        let heads = journal.heads();
        let epoch = epoch.unwrap_or(1);
        let of_epoch = |chain: &&ChainId| chain.node == config.node && chain.epoch == epoch;
        let own = heads.iter().filter(|(chain, _)| of_epoch(chain));
        // What an epoch signed whose clock ran ahead must not keep the next one ahead too.
        let latest = clock.now().saturating_add(DOOR_MILLIS);
        let ran_ahead = |chain: &ChainId, last: Hlc| {
            chain.node == config.node && chain.epoch < epoch && last.millis() > latest
        };
        let stored = heads.iter().filter(|(chain, head)| !ran_ahead(chain, head.last_hlc));
        let sealing = Sealing::new(
            own.map(|(chain, head)| (chain.lane, *head)).collect(),
            stored.map(|(_, head)| head.last_hlc).max().unwrap_or(Hlc::ZERO),
        );
        let mut gate = Gate::default();
        let followers = followers_of(node)?;
        if node.data_dir().join(RESTORED_FILE).exists() {
            tracing::error!(refused = %SigningRefused::Restored, "this node does not sign");
            gate.behind(SigningRefused::Restored);
        }
        let head_copy = config.head_copy.as_ref().map(|path| node.resolve(path));
        if let Some(path) = &head_copy
            && let Some(refused) = signing::compare_head_copy(path, &journal, (config.node, epoch))
                .map_err(ReplicaError::HeadCopy)?
        {
            tracing::error!(%refused, "this node does not sign");
            gate.behind(refused);
        }
        let (own_end, _) = watch::channel(last_own);
        let own = heads.iter().filter(|(chain, _)| chain.node == config.node);
        let own = own.map(|(chain, head)| (*chain, (head.height, head.hash))).collect();
        let replica = Self {
            node: config.node,
            epoch,
            waits: node.data_dir().join(waiting_file(epoch)).exists(),
            parent: config.above().map(|above| above.node),
            follows: config.follow.is_some(),
            quota: Quota {
                facts: config.limits.child_facts_per_day,
                bytes: config.limits.child_bytes_per_day,
                span: DAY_MILLIS,
            },
            followers: RwLock::new(followers),
            neighbours: Mutex::default(),
            head_copy,
            damaged,
            cut: recovery.cut.iter().map(|cut| cut.kept.clone()).collect(),
            keys,
            key,
            clock,
            journal,
            timed,
            view: Guarded::new(view),
            gate: Mutex::new(gate),
            comparison: Comparison::default(),
            sealing: Mutex::new(sealing),
            commits: Mutex::new(Commits::default()),
            tail: Mutex::new(Tail::new(end, own)),
            aside,
            restater: Mutex::default(),
            tree_version: AtomicU64::new(1),
            own_end,
        };
        Ok((replica, recovery))
    }

    /// Reads the view. Call nothing of this replica within that looks at the view itself (most calls do, and
    /// every write): pass the view on. Debug builds panic at that.
    pub fn read(&self) -> ViewGuard<'_> {
        self.view.read()
    }

    /// Asks the view something for which it folds further (verdicts, a person's claims).
    pub fn ask<T>(&self, question: impl FnOnce(&mut View, &dyn BlockSource) -> T) -> T {
        question(&mut self.view.write(), &self.journal)
    }

    /// The journal, to read.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How long making blocks durable took since the journal was opened.
    pub fn sync_times(&self) -> SyncTimes {
        self.timed.times()
    }

    /// The key files.
    pub fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// The clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Who writes here.
    pub fn who(&self) -> Identity {
        self.who_in(&self.read())
    }

    fn who_in(&self, view: &View) -> Identity {
        let (node, epoch) = (self.node, self.epoch);
        let unit_of = |enrolled: &Enrolled| enrolled.enrolment.unit;
        let unit = view.authority().enrolment_of((node, epoch)).map(unit_of);
        let before = view.authority().last_until(node, epoch).filter(|_| !self.waits);
        let office = unit.or(before.map(unit_of));
        Identity { federation: view.federation(), node, epoch, unit, office }
    }

    /// What a new epoch that is not enrolled yet continues: the heads of the one before, as its request says.
    fn heads_before(&self, view: &View, who: Identity) -> Vec<LaneHead> {
        if who.unit.is_some() || who.office.is_none() {
            return Vec::new();
        }
        let before = view.authority().last_until(who.node, who.epoch);
        before.map_or_else(Vec::new, |before| self.heads_of(before.enrolment.epoch))
    }

    /// Where this node's lanes stand in one of its epochs.
    pub(crate) fn heads_of(&self, epoch: u32) -> Vec<LaneHead> {
        let heads = self.journal.heads().into_iter();
        let own = heads.filter(|(chain, _)| (chain.node, chain.epoch) == (self.node, epoch));
        let lanes = own.map(|(chain, head)| LaneHead {
            lane: chain.lane,
            height: head.height,
            hash: head.hash,
        });
        lanes.collect()
    }

    /// Whether this directory only follows another node's journal.
    pub fn follows(&self) -> bool {
        self.follows
    }

    /// What each child may bring in a day.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Those that follow this node's journal, in order.
    pub fn followers(&self) -> Vec<NodeId> {
        let followers = self.followers.read().unwrap_or_else(PoisonError::into_inner);
        followers.iter().copied().collect()
    }

    /// Lets a node follow this one's journal from now on; the list in the data directory is the caller's.
    pub fn admit_follower(&self, node: NodeId) {
        self.followers.write().unwrap_or_else(PoisonError::into_inner).insert(node);
        self.tree_version.fetch_add(1, Ordering::Relaxed);
    }

    /// The node above, or the one whose journal is followed, as configured.
    pub fn parent(&self) -> Option<NodeId> {
        self.parent
    }

    /// Whether this node would sign now.
    ///
    /// # Errors
    /// Why not, and how to mend it.
    pub fn may_sign(&self) -> Result<(), SigningRefused> {
        let last_own = self.sealing().last_own;
        self.check_gate(last_own).map(|_| ())
    }

    /// The clock of the newest fact that this node signed in its epoch; zero when there is none.
    pub fn last_own_hlc(&self) -> Hlc {
        self.sealing().last_own
    }

    fn check_gate(&self, last_own: Hlc) -> Result<&SigningKey, SigningRefused> {
        let key = self.key.as_ref().ok_or(SigningRefused::NoKey)?;
        held(&self.gate).check(last_own, self.clock.now())?;
        if let Some(refused) = self.forked() {
            return Err(refused);
        }
        Ok(key)
    }

    /// Whether another copy of this node has signed in this epoch too, and the side here does not count.
    fn forked(&self) -> Option<SigningRefused> {
        let own = |chain: &ChainId| (chain.node, chain.epoch) == (self.node, self.epoch);
        if !self.journal.forked_chains().iter().any(own) {
            return None;
        }
        let view = self.read();
        let counts = |fork: &ForkedChain| {
            let here = self.journal.contains(&fork.chain, fork.height).ok().flatten();
            fork.sides.iter().any(|side| side.counts && Some(side.hash) == here)
        };
        let forked = view.forks().find(|fork| own(&fork.chain) && !counts(fork))?;
        let (chain, height) = (forked.chain, forked.height);
        Some(SigningRefused::Forked { chain, height, settled: forked.settled_by.is_some() })
    }

    /// How many places of the journal could not be read when it was opened: what they held is missing
    /// from every answer.
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// Where the torn ends are kept that were cut from the journal when it was opened.
    pub fn cut(&self) -> &[PathBuf] {
        &self.cut
    }

    /// From now on the first writer waits until this node's heads are compared with its parent's, within
    /// bounds: a directory restored from a backup must not sign twice at one height (DESIGN §10), and an
    /// unreachable parent must not stop work.
    pub fn expect_comparison(&self) {
        self.comparison.expect();
    }

    /// The heads are compared.
    pub fn note_comparison(&self) {
        self.comparison.done();
    }

    /// Notes that the parent holds more of this node's chains than this directory does: nothing is signed
    /// from here on.
    pub fn forbid_signing(&self, refused: SigningRefused) {
        held(&self.gate).behind(refused);
    }

    /// Notes the parent's clock, as a receipt just heard says.
    pub fn heard_parent_clock(&self, parent: Millis) {
        held(&self.gate).heard_parent(parent, self.clock.now());
    }

    /// Says where this node's own blocks end, each time that they do; for the loop that ships them.
    pub fn own_end(&self) -> watch::Receiver<LocalPosition> {
        self.own_end.subscribe()
    }

    /// Writes the copy of the heads outside the data directory, if one is configured.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save_head_copy(&self) -> Result<(), ReplicaError> {
        let Some(path) = &self.head_copy else { return Ok(()) };
        // A copy must not forget what an older journal does not know.
        if matches!(self.may_sign(), Err(SigningRefused::Behind { .. })) {
            return Ok(());
        }
        signing::write_head_copy(path, &self.journal, self.node).map_err(ReplicaError::HeadCopy)
    }

    /// Keeps a small record of a peer; an old one costs resending, nothing else.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remember(&self, memory: &Memory) -> Result<(), ReplicaError> {
        let kept = self.aside.remember(memory.peer, &memory.bytes);
        kept.map_err(|error| self.aside_error(error))
    }

    /// The records kept of peers.
    ///
    /// # Errors
    /// What the file system says.
    pub fn memories(&self) -> Result<Vec<Memory>, ReplicaError> {
        let memories = self.aside.memories().map_err(|error| self.aside_error(error))?;
        Ok(memories.into_iter().map(|(peer, bytes)| Memory { peer, bytes }).collect())
    }

    fn aside_error(&self, error: std::io::Error) -> ReplicaError {
        ReplicaError::Aside { path: self.journal.directory().to_owned(), error }
    }

    /// Grows when an enrolment or the tree may have changed.
    pub fn tree_version(&self) -> u64 {
        self.tree_version.load(Ordering::Acquire)
    }

    fn note_tree<'a>(&self, mut blocks: impl Iterator<Item = &'a Block>) {
        if blocks.any(touches_tree) {
            self.tree_version.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// The file in the data directory that says that an epoch states nothing before it is enrolled.
pub(crate) fn waiting_file(epoch: u32) -> String {
    format!("epoch-{epoch}.waits")
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who follows a node's journal, by the list in its data directory.
fn followers_of(node: &Node) -> Result<BTreeSet<NodeId>, ReplicaError> {
    let path = node.followers_file();
    let list = Children::load(&path).map_err(|error| ReplicaError::Followers(error.to_string()))?;
    Ok(list.child.iter().map(|follower| follower.node).collect())
}

/// Folds all blocks of the journal; returns where it ends, where this node's own blocks do, and how many
/// places of it are damaged.
fn replay(journal: &Journal, view: &mut View) -> (LocalPosition, LocalPosition, usize) {
    let (mut end, mut last_own) = (LocalPosition::START, LocalPosition::START);
    let mut damaged = 0;
    for stored in journal.scan(Position::START) {
        match stored {
            Ok(stored) => {
                end = stored.position.into();
                if stored.origin == Origin::Own {
                    last_own = end;
                }
                view.add(&stored.block);
            }
            Err(error) => {
                damaged += 1;
                tracing::error!(%error, "damage in the journal");
            }
        }
    }
    view.settle(journal);
    (end, last_own, damaged)
}

/// Whether a block may change who serves what.
fn touches_tree(block: &Block) -> bool {
    use hub_core::codec::Body;
    let Ok(Body::Rows(facts)) = block.body() else { return false };
    facts.iter().any(|fact| {
        matches!(fact.body, FactBody::Unit(_) | FactBody::Governance(_) | FactBody::Withdrawn(_))
    })
}
