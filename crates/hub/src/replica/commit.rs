//! Writing: many callers, one journal call, one fold.
//!
//! A writer seals its blocks under `sealing`, which fixes their order, and queues them; whoever then
//! holds `commits` appends all that is queued, folds it into the view, and answers for all.

use super::draft::{Draft, Sealed, Transaction};
use super::error::{WriteError, is_fatal};
use super::tail::{LocalBlock, LocalPosition};
use super::{Replica, held};
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::hash::Hash;
use hub_core::header::Header;
use hub_core::id::{ChainId, FactId, Lane};
use hub_core::time::Hlc;
use hub_log::{AppendError, Entry, Origin, Position};
use hub_node::io::Storing;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::MutexGuard;

/// Where the next block is sealed.
#[derive(Debug)]
pub(super) struct Sealing {
    heads: BTreeMap<Lane, ChainHead>,
    /// The greatest HLC of any stored or sealed block.
    last_hlc: Hlc,
    /// The greatest of this node's own.
    pub(super) last_own: Hlc,
    queue: Vec<Block>,
    /// Counts what was ever queued.
    queued: u64,
}

impl Sealing {
    pub(super) fn new(heads: BTreeMap<Lane, ChainHead>, last_hlc: Hlc) -> Self {
        let last_own = heads.values().map(|head| head.last_hlc).max().unwrap_or(Hlc::ZERO);
        Self { heads, last_hlc, last_own, queue: Vec::new(), queued: 0 }
    }

    /// The greatest clock reading of any stored or sealed block.
    pub(super) fn last_hlc(&self) -> Hlc {
        self.last_hlc
    }
}

/// What was committed.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// Of what was ever queued.
    committed: u64,
    /// What ended all writing.
    failed: Option<AppendError>,
}

impl Replica {
    /// Writes facts durably, all or none, and says their ids.
    ///
    /// # Errors
    /// This node does not sign now, a fact breaks a bound, or the journal stopped.
    pub fn write(&self, drafts: Vec<Draft>) -> Result<Vec<FactId>, WriteError> {
        self.transact(|transaction| {
            Ok::<_, WriteError>(drafts.into_iter().map(|draft| transaction.push(draft)).collect())
        })
    }

    /// Writes the facts that `fill` adds durably, all or none. `fill` may read the view through the
    /// transaction and through nothing else of this replica: the view stands still meanwhile. A
    /// transaction that stays empty writes nothing.
    ///
    /// # Errors
    /// What `fill` says, and as for [`Replica::write`].
    pub fn transact<T, E: From<WriteError>>(
        &self,
        fill: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.comparison.wait();
        let (answer, ticket) = {
            let mut sealing = self.sealing();
            let key = self.check_gate(sealing.last_own).map_err(WriteError::from)?;
            let (answer, sealed) = {
                let view = self.read();
                let (who, now) = (self.who_in(&view), self.clock.now());
                let before = self.heads_before(&view, who);
                let mut transaction =
                    Transaction::new(&view, who, now, sealing.last_hlc, &sealing.heads, before);
                let answer = fill(&mut transaction)?;
                if transaction.is_empty() {
                    return Ok(answer);
                }
                (answer, transaction.seal(key).map_err(WriteError::from)?)
            };
            let Sealed { blocks, heads, last_hlc } = sealed;
            sealing.heads.extend(heads);
            sealing.last_hlc = last_hlc;
            sealing.last_own = last_hlc;
            sealing.queued += blocks.len() as u64;
            sealing.queue.extend(blocks);
            (answer, sealing.queued)
        };
        self.commit(ticket)?;
        Ok(answer)
    }

    /// Where the next block is sealed; the view is read under it, so it is taken before the view.
    pub(super) fn sealing(&self) -> MutexGuard<'_, Sealing> {
        self.view.comes_later();
        held(&self.sealing)
    }

    /// What was committed; the view is written under it, so it is taken before the view.
    fn commits(&self) -> MutexGuard<'_, Commits> {
        self.view.comes_later();
        held(&self.commits)
    }

    /// Returns once everything queued up to `ticket` is durable and in the view.
    fn commit(&self, ticket: u64) -> Result<(), WriteError> {
        let mut commits = self.commits();
        if commits.committed >= ticket {
            return Ok(());
        }
        if let Some(error) = &commits.failed {
            return Err(error.clone().into());
        }
        let (blocks, queued) = {
            let mut sealing = self.sealing();
            (std::mem::take(&mut sealing.queue), sealing.queued)
        };
        let entries: Vec<Entry> =
            blocks.into_iter().map(|block| Entry::new(block, Origin::Own)).collect();
        match self.journal.append(&entries) {
            Ok(positions) => {
                let last = self.take_in(&entries, &positions);
                commits.committed = queued;
                if let Some(last) = last {
                    self.own_end.send_replace(last);
                }
                Ok(())
            }
            Err(error) => {
                // What is sealed and not stored leaves a gap in the chain: nothing can follow it.
                commits.failed = Some(error.clone());
                Err(error.into())
            }
        }
    }

    /// Stores blocks of other nodes durably, which must be well signed and follow their chains or be of a
    /// side of a fork, folds them into the view, and says where they stand.
    ///
    /// # Errors
    /// One that does not follow, then none is stored; or the journal stopped.
    pub fn ingest(&self, blocks: Vec<Storing>) -> Result<Vec<LocalPosition>, AppendError> {
        let mut commits = self.commits();
        // while blocks of this very epoch come in, this node seals none: else two could take one place
        let is_own = |block: &Block| self.is_of_own_epoch(&block.header().chain);
        let own_came = blocks.iter().any(|storing| is_own(&storing.block));
        let mut sealing = own_came.then(|| self.sealing());
        let entries = self.placed(blocks, sealing.as_deref());
        if let Some(error) = &commits.failed {
            return Err(error.clone());
        }
        let positions = match self.journal.append(&entries) {
            Ok(positions) => positions,
            Err(error) => {
                if is_fatal(&error) {
                    commits.failed = Some(error.clone());
                }
                return Err(error);
            }
        };
        if let Some(sealing) = &mut sealing {
            self.go_on_after(&entries, sealing);
        }
        drop(sealing);
        self.take_in(&entries, &positions);
        drop(commits);
        let newest = entries.iter().map(|entry| entry.block.header().last_hlc).max();
        if let Some(newest) = newest {
            let mut sealing = self.sealing();
            sealing.last_hlc = sealing.last_hlc.max(newest);
        }
        Ok(positions.into_iter().map(LocalPosition::from).collect())
    }

    fn is_of_own_epoch(&self, chain: &ChainId) -> bool {
        (chain.node, chain.epoch) == (self.node, self.epoch)
    }

    /// Where blocks go: into their chains, or beside them. Since they were judged, this node may itself have
    /// signed at the place of one: then that one, and what follows it, stands beside its chain.
    fn placed(&self, blocks: Vec<Storing>, sealing: Option<&Sealing>) -> Vec<Entry> {
        let mut put_beside: BTreeSet<Hash> = BTreeSet::new();
        let entry = |Storing { block, from, beside }| {
            let Header { chain, height, previous, .. } = *block.header();
            let is_known_beside =
                || height > 1 && self.journal.is_beside(&chain, height - 1, &previous);
            let follows =
                put_beside.contains(&previous) || (chain.node == self.node && is_known_beside());
            let beside = beside || follows || self.is_taken(&block, sealing);
            if beside {
                put_beside.insert(block.hash());
            }
            let origin = if Some(from) == self.parent { Origin::Parent } else { Origin::Child };
            Entry { origin, beside, block }
        };
        blocks.into_iter().map(entry).collect()
    }

    /// Whether this node itself has signed another block at the place of this one, stored by now or not.
    fn is_taken(&self, block: &Block, sealing: Option<&Sealing>) -> bool {
        let Header { chain, height, .. } = *block.header();
        if chain.node != self.node {
            return false;
        }
        if let Some(there) = self.journal.contains(&chain, height).ok().flatten() {
            return there != block.hash();
        }
        let head = sealing.filter(|_| self.is_of_own_epoch(&chain));
        let head = head.and_then(|sealing| sealing.heads.get(&chain.lane));
        let waits = |head: &ChainHead| {
            let stored = self.journal.head(&chain).map_or(0, |stored| stored.height);
            (stored + 1..=head.height).contains(&height)
        };
        head.is_some_and(waits)
    }

    /// What this node signs next follows what came back to it of its own chains, as after a new start.
    fn go_on_after(&self, entries: &[Entry], sealing: &mut Sealing) {
        for entry in entries {
            let chain = entry.block.header().chain;
            let stored = self.journal.head(&chain).filter(|_| self.is_of_own_epoch(&chain));
            let Some(stored) = stored else { continue };
            let sealed = sealing.heads.get(&chain.lane).map_or(0, |head| head.height);
            if stored.height > sealed {
                sealing.heads.insert(chain.lane, stored);
                sealing.last_own = sealing.last_own.max(stored.last_hlc);
            }
        }
    }

    /// Takes durable blocks into tail and view; returns the position of the last. Called with `commits`
    /// held, so that all see the journal's order.
    fn take_in(&self, entries: &[Entry], positions: &[Position]) -> Option<LocalPosition> {
        {
            let mut tail = held(&self.tail);
            for (entry, position) in entries.iter().zip(positions) {
                let position = LocalPosition::from(*position);
                // A block that was there before keeps its place.
                if position > tail.end() {
                    let Entry { origin, beside, block } = entry.clone();
                    tail.push(LocalBlock { position, origin, beside, block });
                }
            }
        }
        self.view.write().apply_all(entries.iter().map(|entry| &entry.block), &self.journal);
        self.note_tree(entries.iter().map(|entry| &entry.block));
        positions.last().map(|position| LocalPosition::from(*position))
    }
}
