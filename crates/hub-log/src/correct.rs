//! Which single byte is wrong, found from a CRC32C: used to *name* what damage hit and to find the end
//! of a frame whose length was hit, never to change what is stored.
//!
//! A CRC is affine: flipping bits of a message changes its checksum by a value that depends on those
//! bits and their distance from the end only. So the difference between the stored and the computed
//! checksum (the syndrome) names the byte, when one byte is wrong.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The longest message a byte is looked for in.
const MESSAGE_BYTES_MAX: usize = 256;

/// What to flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Correction {
    /// A byte of the message.
    Byte {
        /// Which, from the start.
        at: usize,
        /// Its wrong bits.
        flip: u8,
    },
    /// The checksum itself; the message is whole.
    Checksum,
}

/// The one wrong byte of a message of `length` bytes and its checksum.
pub(crate) fn one_byte(length: usize, syndrome: u32) -> Option<Correction> {
    if syndrome.to_be_bytes().iter().filter(|byte| **byte != 0).count() == 1 {
        return Some(Correction::Checksum);
    }
    let (distance, flip) = *patterns().get(&syndrome)?;
    let at = length.checked_sub(1 + distance)?;
    Some(Correction::Byte { at, flip })
}

fn patterns() -> &'static BTreeMap<u32, (usize, u8)> {
    static PATTERNS: OnceLock<BTreeMap<u32, (usize, u8)>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let mut patterns = BTreeMap::new();
        let mut message = [0; MESSAGE_BYTES_MAX];
        for distance in 0..MESSAGE_BYTES_MAX {
            let tail = MESSAGE_BYTES_MAX - 1 - distance;
            let zero = crc32c::crc32c(&message[tail..]);
            for flip in 1..=u8::MAX {
                message[tail] = flip;
                patterns.insert(crc32c::crc32c(&message[tail..]) ^ zero, (distance, flip));
            }
            message[tail] = 0;
        }
        patterns
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_byte_is_found() {
        let message: Vec<u8> = (0..242_u32).map(|i| (i * 31 % 251) as u8).collect();
        let crc = crc32c::crc32c(&message);
        for at in 0..message.len() {
            for flip in [1, 0x80, 0x5a, 0xff] {
                let mut hit = message.clone();
                hit[at] ^= flip;
                let found = one_byte(message.len(), crc32c::crc32c(&hit) ^ crc);
                assert_eq!(found, Some(Correction::Byte { at, flip }));
            }
        }
        assert_eq!(one_byte(message.len(), 0x0000_4200), Some(Correction::Checksum));
    }

    #[test]
    fn two_wrong_bytes_are_no_one_byte() {
        let message = [7; 100];
        let mut hit = message;
        hit[10] ^= 3;
        hit[60] ^= 9;
        assert_eq!(one_byte(100, crc32c::crc32c(&hit) ^ crc32c::crc32c(&message)), None);
    }
}
