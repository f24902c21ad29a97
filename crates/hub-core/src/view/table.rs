//! The table of members: a dense array, found through open addressing (LIMITS: what a fold can do).
//!
//! A person with one start and nothing else, as most are, is 32 bytes here and has no entry elsewhere.
//! Places depend on arrival; nothing that leaves the process is in their order.

use super::cell::{CellIx, Class, Share};
use crate::id::MemberKey;
use crate::time::Day;

/// A member's place.
pub(crate) type MemberIx = u32;

/// A member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) key: MemberKey,
    /// The place of the latest fact about it in arrival order, plus one; 0 for none.
    pub(crate) last_fact: u32,
    cell: CellIx,
    from: Day,
    class: u8,
    state: State,
}

/// What is known of a member without looking elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No share.
    Nothing,
    /// One open share.
    One,
    /// One open share that begins as an enrolment.
    Enrolled,
    /// Its shares stand in the side table.
    Many,
}

impl Member {
    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn set_nothing(&mut self) {
        self.state = State::Nothing;
    }

    pub(crate) fn set_many(&mut self) {
        self.state = State::Many;
    }

    pub(crate) fn set_one(&mut self, share: &Share, enrolled: bool) {
        self.cell = share.cell;
        self.from = share.from;
        self.class = share.class.byte();
        self.state = if enrolled { State::Enrolled } else { State::One };
    }

    /// Its one open share.
    pub(crate) fn one(&self) -> Share {
        let class = Class::from_byte(self.class);
        Share { cell: self.cell, class, from: self.from, to: Day::OPEN }
    }
}

/// Members by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    members: Vec<Member>,
    /// Place plus one, 0 for free; a power of two long.
    slots: Vec<u32>,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn all(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn member(&self, at: MemberIx) -> &Member {
        &self.members[at as usize]
    }

    pub(crate) fn member_mut(&mut self, at: MemberIx) -> &mut Member {
        &mut self.members[at as usize]
    }

    pub(crate) fn find(&self, key: &MemberKey) -> Option<MemberIx> {
        if self.slots.is_empty() {
            return None;
        }
        let found = self.slots[self.slot(key)];
        found.checked_sub(1)
    }

    /// The member of this key, made if new.
    pub(crate) fn intern(&mut self, key: &MemberKey) -> MemberIx {
        if self.members.len() * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let slot = self.slot(key);
        if let Some(place) = self.slots[slot].checked_sub(1) {
            return place;
        }
        let place = self.members.len() as MemberIx;
        self.slots[slot] = place + 1;
        self.members.push(Member {
            key: *key,
            last_fact: 0,
            cell: 0,
            from: Day(0),
            class: 0,
            state: State::Nothing,
        });
        place
    }

    /// The slot that holds the key, or the free one where it belongs.
    fn slot(&self, key: &MemberKey) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = mix(key) & mask;
        loop {
            match self.slots[slot].checked_sub(1) {
                Some(place) if self.members[place as usize].key != *key => slot = (slot + 1) & mask,
                _ => return slot,
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(1 << 10)];
        for place in 0..self.members.len() {
            let slot = self.slot(&self.members[place].key);
            self.slots[slot] = place as u32 + 1;
        }
    }
}

/// Keys are pseudonyms, hashes already; both halves are mixed so that a writer who picks keys must at
/// least work for collisions.
fn mix(key: &MemberKey) -> usize {
    let half = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&key.0[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let product =
        u128::from(half(0) ^ 0x9e37_79b9_7f4a_7c15) * u128::from(half(8) ^ 0xd6e8_feb8_6659_fd93);
    (product as u64 ^ (product >> 64) as u64) as usize
}
