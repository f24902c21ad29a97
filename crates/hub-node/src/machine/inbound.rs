//! One stream as its receiver knows it: how far it is durable without a hole.

use crate::io::Position;
use crate::limits::WAITING_MAX;
use crate::wire::{Cursor, StreamId, extend};
use hub_core::hash::Hash;
use hub_core::id::ChainId;
use hub_core::time::Millis;
use std::collections::BTreeMap;

/// One step of the stream beyond the cursor.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Where it ends.
    end: Position,
    /// The block at its end; `None`: the receiver is to have nothing there.
    block: Option<Hash>,
    /// Whether the block is durable here.
    done: bool,
    /// Of a block that does not come by itself: its place in its chain, and when it was last asked for.
    wanted: Option<(ChainId, u64, Millis)>,
}

/// Invariants: every step ends beyond the cursor; `by_hash` names exactly the steps not done.
#[derive(Debug, Clone)]
pub(super) struct Inbound {
    cursor: Cursor,
    /// By where they begin.
    steps: BTreeMap<Position, Step>,
    by_hash: BTreeMap<Hash, Position>,
    /// Blocks no longer awaited though they never came: others were named for their places.
    displaced: Vec<Hash>,
}

impl Inbound {
    pub(super) fn new(cursor: Cursor) -> Self {
        Self { cursor, steps: BTreeMap::new(), by_hash: BTreeMap::new(), displaced: Vec::new() }
    }

    /// How far it is durable.
    pub(super) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Whether a message that begins at `after` of `stream` starts this stream anew.
    pub(super) fn is_restarted_by(&self, stream: StreamId, after: Position) -> bool {
        let known = self.cursor.stream;
        after == 0 && (stream.journal != known.journal || stream.run > known.run)
    }

    /// Blocks still awaited.
    pub(super) fn awaited(&self) -> impl Iterator<Item = &Hash> {
        self.by_hash.keys()
    }

    /// Notes a step; whether there was room and use for it. `done`: its block is durable already.
    pub(super) fn note(
        &mut self,
        after: Position,
        end: Position,
        block: Option<Hash>,
        done: bool,
        wanted: Option<(ChainId, u64)>,
    ) -> bool {
        if end <= self.cursor.position || end <= after {
            return false;
        }
        if let Some(old) = self.steps.get(&after) {
            if old.end == end && old.block == block && !done {
                return !old.done;
            }
            self.forget(after);
        } else if self.steps.len() >= WAITING_MAX {
            return false;
        }
        let done = done || block.is_none();
        if let (Some(hash), false) = (block, done)
            && let Some(before) = self.by_hash.insert(hash, after)
            && before != after
        {
            // one block has one place: what named it for another goes
            self.steps.remove(&before);
        }
        let wanted = wanted.map(|(chain, height)| (chain, height, 0));
        self.steps.insert(after, Step { end, block, done, wanted });
        true
    }

    /// The block came and was left with its sender: it is to be asked for.
    pub(super) fn want(&mut self, hash: &Hash, chain: ChainId, height: u64) {
        let after = self.by_hash.get(hash);
        if let Some(step) = after.and_then(|after| self.steps.get_mut(after)) {
            step.wanted.get_or_insert((chain, height, 0));
        }
    }

    /// The block was refused: its step goes, so that it can come again.
    pub(super) fn drop_step(&mut self, hash: &Hash) {
        if let Some(after) = self.by_hash.remove(hash) {
            self.steps.remove(&after);
        }
    }

    /// The block is durable.
    pub(super) fn done(&mut self, hash: &Hash) {
        if let Some(after) = self.by_hash.remove(hash)
            && let Some(step) = self.steps.get_mut(&after)
        {
            step.done = true;
        }
    }

    /// Moves the cursor over all that is done; whether it moved.
    pub(super) fn advance(&mut self) -> bool {
        let from = self.cursor.position;
        while let Some((&after, &step)) = self.steps.first_key_value() {
            if step.end <= self.cursor.position {
                self.forget(after);
                continue;
            }
            if after > self.cursor.position || !step.done {
                break;
            }
            self.cursor.position = step.end;
            if let Some(hash) = step.block {
                self.cursor.hash = extend(self.cursor.hash, hash);
            }
            self.forget(after);
        }
        self.cursor.position > from
    }

    fn forget(&mut self, after: Position) {
        if let Some(step) = self.steps.remove(&after)
            && let Some(hash) = step.block
            && self.by_hash.get(&hash) == Some(&after)
        {
            self.by_hash.remove(&hash);
            self.displaced.push(hash);
        }
    }

    /// Blocks no longer awaited since this was last asked.
    pub(super) fn displaced(&mut self) -> Vec<Hash> {
        let mut displaced = std::mem::take(&mut self.displaced);
        displaced.retain(|hash| !self.by_hash.contains_key(hash));
        displaced
    }

    /// Blocks to ask for now, at most `limit`; those asked for after `before` are left out.
    pub(super) fn lacking(
        &mut self,
        now: Millis,
        before: Millis,
        limit: usize,
    ) -> Vec<(ChainId, u64)> {
        let mut lacking = Vec::new();
        for step in self.steps.values_mut().filter(|step| !step.done) {
            let Some((chain, height, asked)) = &mut step.wanted else { continue };
            if *asked > before {
                continue;
            }
            if lacking.len() == limit {
                break;
            }
            *asked = now;
            lacking.push((*chain, *height));
        }
        lacking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::JournalId;

    fn stream() -> Inbound {
        Inbound::new(Cursor::start(StreamId { journal: JournalId([1; 16]), run: 0 }))
    }

    #[test]
    fn the_cursor_stops_before_the_first_hole() {
        let (a, b) = (Hash([1; 32]), Hash([2; 32]));
        let mut inbound = stream();
        assert!(inbound.note(0, 10, Some(a), false, None));
        assert!(inbound.note(10, 20, Some(b), true, None));
        assert!(!inbound.advance());
        inbound.done(&a);
        assert!(inbound.advance());
        assert_eq!(inbound.cursor().position, 20);
        assert_eq!(inbound.cursor().hash, extend(extend(Hash::ZERO, a), b));
        assert!(!inbound.note(0, 10, Some(a), false, None), "what is receipted is not noted again");
    }

    #[test]
    fn steps_cut_otherwise_on_resending_still_join() {
        let (a, b) = (Hash([1; 32]), Hash([2; 32]));
        let mut inbound = stream();
        inbound.note(0, 7, None, true, None);
        inbound.note(5, 10, Some(a), true, None);
        inbound.note(9, 10, Some(b), true, None);
        assert!(inbound.advance());
        assert_eq!(inbound.cursor().position, 10);
        assert_eq!(inbound.cursor().hash, extend(Hash::ZERO, a));
        assert!(!inbound.advance() && inbound.steps.is_empty() && inbound.by_hash.is_empty());
    }

    #[test]
    fn what_is_named_anew_for_a_place_is_awaited_in_place_of_the_old() {
        let (a, b) = (Hash([1; 32]), Hash([2; 32]));
        let mut inbound = stream();
        assert!(inbound.note(0, 10, Some(a), false, None) && inbound.displaced().is_empty());
        assert!(inbound.note(0, 10, Some(b), false, None));
        assert_eq!(
            (inbound.displaced(), inbound.awaited().collect::<Vec<_>>()),
            (vec![a], vec![&b])
        );
        inbound.note(20, 30, Some(b), false, None);
        assert_eq!((inbound.steps.len(), inbound.by_hash.len()), (1, 1), "one block, one place");
        inbound.note(0, 40, None, true, None);
        assert!(inbound.advance());
        assert_eq!((inbound.displaced(), inbound.steps.len()), (vec![b], 0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut inbound = stream();
        for place in 1..=2 * WAITING_MAX as u64 {
            inbound.note(place, place + 1, Some(Hash([3; 32])), true, None);
        }
        assert_eq!(inbound.steps.len(), WAITING_MAX);
    }
}
