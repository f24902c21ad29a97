//! The table of members: a dense array, found through open addressing (LIMITS: what a fold can do).
//!
//! A person with one start and nothing else, as most are, is 28 bytes here and a slot of 4, with no entry
//! elsewhere.
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
    /// Day of its one share in bits 0 to 16, class in bits 17 to 24, state in bits 25 and 26.
    packed: u32,
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

const STATES: [State; 4] = [State::Nothing, State::One, State::Enrolled, State::Many];
const DAY_BITS: u32 = 17;
const STATE_AT: u32 = DAY_BITS + 8;

impl Member {
    pub(crate) fn state(&self) -> State {
        STATES[(self.packed >> STATE_AT & 3) as usize]
    }

    pub(crate) fn set_nothing(&mut self) {
        self.packed = (State::Nothing as u32) << STATE_AT;
    }

    pub(crate) fn set_many(&mut self) {
        self.packed = (State::Many as u32) << STATE_AT;
    }

    pub(crate) fn set_one(&mut self, share: &Share, enrolled: bool) {
        let state = if enrolled { State::Enrolled } else { State::One };
        self.cell = share.cell;
        self.packed = pack_day(share.from)
            | u32::from(share.class.byte()) << DAY_BITS
            | (state as u32) << STATE_AT;
    }

    /// Its one open share.
    pub(crate) fn one(&self) -> Share {
        let class = Class::from_byte((self.packed >> DAY_BITS) as u8);
        Share { cell: self.cell, class, from: unpack_day(self.packed), to: Day::OPEN }
    }
}

/// A nameable day in 17 bits, in order.
pub(crate) fn pack_day(day: Day) -> u32 {
    day.0.saturating_sub(Day::FIRST.0).clamp(0, (1 << DAY_BITS) - 1) as u32
}

/// The day of the lowest 17 bits.
pub(crate) fn unpack_day(packed: u32) -> Day {
    Day((packed & ((1 << DAY_BITS) - 1)) as i32 + Day::FIRST.0)
}

/// Members by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    members: Vec<Member>,
    /// 0 for free; else place plus one in as many low bits as the length has, a power of two, and above
    /// them bits of the key's hash, so that another member's key is seldom looked at.
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

    /// Makes room for so many more members at once.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.members.reserve_exact(more);
        let needed = (self.members.len() + more) * 5 / 4 + 1;
        if needed > self.slots.len() {
            self.rehash(needed.next_power_of_two().max(1 << 10));
        }
    }

    pub(crate) fn find(&self, key: &MemberKey) -> Option<MemberIx> {
        if self.slots.is_empty() {
            return None;
        }
        self.search(key, mix(key)).ok()
    }

    /// Looks at where these keys belong, all at once: the memory is fetched while the next is asked for,
    /// which one key after the other would each wait for.
    pub(crate) fn look_ahead<'a>(&self, keys: impl Iterator<Item = &'a MemberKey>) {
        let mask = self.slots.len().wrapping_sub(1);
        let seen = keys.filter_map(|key| self.slots.get(mix(key) as usize & mask));
        std::hint::black_box(seen.fold(0, |all, slot| all ^ slot));
    }

    /// The member of this key, made if new.
    pub(crate) fn intern(&mut self, key: &MemberKey) -> MemberIx {
        if self.members.len() * 5 >= self.slots.len() * 4 {
            self.rehash((self.slots.len() * 2).max(1 << 10));
        }
        let hash = mix(key);
        match self.search(key, hash) {
            Ok(place) => place,
            Err(slot) => {
                let place = self.members.len() as MemberIx;
                self.slots[slot] = self.tag(hash) | (place + 1);
                self.members.push(Member { key: *key, last_fact: 0, cell: 0, packed: 0 });
                place
            }
        }
    }

    fn mask(&self) -> u32 {
        (self.slots.len() - 1) as u32
    }

    fn tag(&self, hash: u64) -> u32 {
        (hash >> 32) as u32 & !self.mask()
    }

    /// The place of the key, or the free slot where it belongs.
    fn search(&self, key: &MemberKey, hash: u64) -> Result<MemberIx, usize> {
        let (mask, tag) = (self.mask(), self.tag(hash));
        let mut slot = hash as u32 & mask;
        loop {
            let found = self.slots[slot as usize];
            if found == 0 {
                return Err(slot as usize);
            }
            let place = (found & mask) - 1;
            if found & !mask == tag && self.members[place as usize].key == *key {
                return Ok(place);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn rehash(&mut self, length: usize) {
        self.slots = vec![0; length];
        let mask = self.mask();
        for (place, member) in self.members.iter().enumerate() {
            let hash = mix(&member.key);
            let mut slot = hash as u32 & mask;
            // all keys differ, so the first free slot is the one
            while self.slots[slot as usize] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot as usize] = self.tag(hash) | (place as u32 + 1);
        }
    }
}

/// Keys are pseudonyms, hashes already; both halves are mixed so that a writer who picks keys must at
/// least work for collisions.
fn mix(key: &MemberKey) -> u64 {
    let half = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&key.0[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let product =
        u128::from(half(0) ^ 0x9e37_79b9_7f4a_7c15) * u128::from(half(8) ^ 0xd6e8_feb8_6659_fd93);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;

    fn key(number: u32) -> MemberKey {
        let mut key = [0; 16];
        key.copy_from_slice(&sha256(&[&number.to_be_bytes()]).0[..16]);
        MemberKey(key)
    }

    #[test]
    fn every_key_has_one_place_however_the_table_grew() {
        for reserved in [0, 100, 5_000] {
            let mut table = Table::default();
            assert_eq!(table.find(&key(0)), None);
            table.reserve(reserved);
            for number in 0..5_000 {
                assert_eq!(table.find(&key(number)), None);
                assert_eq!(table.intern(&key(number)), number);
                assert_eq!(table.intern(&key(number / 2)), number / 2);
            }
            assert!((0..5_000).all(|number| table.find(&key(number)) == Some(number)));
        }
    }

    #[test]
    fn a_share_reads_back() {
        let mut table = Table::default();
        let at = table.intern(&key(1));
        for (day, byte) in [(Day::FIRST, 0), (Day(0), 63), (Day::LAST, 37)] {
            let share = Share { cell: 9, class: Class::from_byte(byte), from: day, to: Day::OPEN };
            table.member_mut(at).set_one(&share, byte == 63);
            assert_eq!(table.member(at).one(), share);
            assert_eq!(table.member(at).state() == State::Enrolled, byte == 63);
        }
        table.member_mut(at).set_many();
        assert_eq!(table.member(at).state(), State::Many);
    }
}
