//! What is done to valid bytes: the wrong turns of an attacker who knows the layout, and of chance.

use hub_core_tests::random::Random;

/// Values that lengths and counts are fond of.
const EXTREMES: [u64; 12] =
    [0, 1, 2, 0x7f, 0xff, 0x100, 0xffff, 1 << 20, 0x7fff_ffff, 0xffff_ffff, 1 << 62, u64::MAX];
/// The longest piece that is moved, doubled or cut out.
const PIECE_MAX: usize = 64;

/// Changes bytes by a seed.
#[derive(Debug, Clone)]
pub(super) struct Mutator {
    random: Random,
}

impl Mutator {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed) }
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.random.index(all.len())]
    }

    /// A place in something of this length, which is not 0.
    pub(super) fn index(&mut self, length: usize) -> usize {
        self.random.index(length)
    }

    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.random.percent(chance)
    }

    /// Changes the bytes one to three times; pieces may come from `other`.
    pub(super) fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..self.random.between(1, 3) {
            self.change_once(bytes, other);
        }
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        if bytes.is_empty() {
            return bytes.push(self.random.number() as u8);
        }
        let at = self.random.index(bytes.len());
        match self.random.below(9) {
            0 => bytes[at] ^= 1 << self.random.below(8),
            1 => bytes[at] = self.random.number() as u8,
            2 => self.nudge(bytes, at),
            3 => self.set_extreme(bytes, at),
            4 => drop(bytes.drain(at..self.end_of_piece(at, bytes.len()))),
            5 => {
                let piece = bytes[at..self.end_of_piece(at, bytes.len())].to_vec();
                let to = self.random.index(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            6 => {
                let piece = bytes[at..self.end_of_piece(at, bytes.len())].to_vec();
                let to = self.random.index(bytes.len());
                let length = piece.len().min(bytes.len() - to);
                bytes[to..to + length].copy_from_slice(&piece[..length]);
            }
            7 => bytes.truncate(at),
            _ => self.cross(bytes, at, other),
        }
    }

    fn end_of_piece(&mut self, at: usize, length: usize) -> usize {
        at + self.random.index(PIECE_MAX.min(length - at)) + 1
    }

    /// A number of two, four or eight bytes becomes a little more or less.
    fn nudge(&mut self, bytes: &mut [u8], at: usize) {
        let width = 2 << self.random.below(3);
        let Some(field) = bytes.get_mut(at..at + width) else { return };
        let value = field.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let step = self.random.between(1, 9);
        let value = if self.random.percent(50) {
            value.wrapping_add(step)
        } else {
            value.wrapping_sub(step)
        };
        field.copy_from_slice(&value.to_be_bytes()[8 - width..]);
    }

    fn set_extreme(&mut self, bytes: &mut [u8], at: usize) {
        let width = 2 << self.random.below(3);
        let value = *self.pick(&EXTREMES);
        let Some(field) = bytes.get_mut(at..at + width) else { return };
        field.copy_from_slice(&value.to_be_bytes()[8 - width..]);
    }

    /// A piece of another valid input, at the same place or anywhere.
    fn cross(&mut self, bytes: &mut Vec<u8>, at: usize, other: &[u8]) {
        if other.is_empty() {
            return;
        }
        let from = if at < other.len() && self.random.percent(70) {
            at
        } else {
            self.random.index(other.len())
        };
        let piece = other[from..self.end_of_piece(from, other.len())].to_vec();
        let end = (at + piece.len()).min(bytes.len());
        bytes.splice(at..end, piece);
    }
}
