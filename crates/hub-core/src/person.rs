//! Pseudonyms of persons (DESIGN §3): 128 bits of an HMAC under the federation's person key.
//!
//! The number is normalised before it is keyed, so that the same document gives the same member at every
//! node of the federation, however it was typed. Pseudonyms hide nothing from a holder of the key.

use crate::check_digit::id_to_18;
use crate::id::MemberKey;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Separates this use of the key from every other.
const LABEL: &[u8] = b"hub person 1";

/// What kind of document a person is known by. The discriminants are part of the key: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// 居民身份证 (GB 11643), also the residence permits of 港澳台 that carry such a number.
    ResidentId = 1,
    /// 港澳居民来往内地通行证.
    HongKongMacaoPermit = 2,
    /// 台湾居民来往大陆通行证.
    TaiwanPermit = 3,
    /// 护照.
    Passport = 4,
    /// 外国人永久居留身份证.
    ForeignResident = 5,
    /// 其他证件.
    Other = 9,
}

impl DocumentKind {
    /// All kinds, in order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::ResidentId,
        Self::HongKongMacaoPermit,
        Self::TaiwanPermit,
        Self::Passport,
        Self::ForeignResident,
        Self::Other,
    ];
}

/// The federation's person key. It has no `Debug` and no `Display`, so that it reaches no log.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonKey(pub [u8; 32]);

impl PersonKey {
    /// The pseudonym of the person with this document. Case, width of the `X` and the old 15-digit form
    /// make no difference; other characters are taken as they are, so callers clean them before.
    pub fn member(&self, kind: DocumentKind, number: &str) -> MemberKey {
        let number = normalised(kind, number);
        // A MAC of this kind takes a key of any length, so the error cannot occur; an all-zero
        // pseudonym is never a real one (`MemberKey::NIL`).
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return MemberKey::NIL;
        };
        mac.update(LABEL);
        mac.update(&[kind as u8]);
        mac.update(number.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        MemberKey(key)
    }
}

/// The one form of a number: no spaces, upper case, 18 digits for resident IDs.
pub fn normalised(kind: DocumentKind, number: &str) -> String {
    let bare: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    let upper = bare.to_uppercase();
    match kind {
        DocumentKind::ResidentId => id_to_18(&upper),
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hex_encode;

    /// The key whose bytes count up from 0: RFC-like vectors are easier to redo elsewhere with it.
    fn counting_key() -> PersonKey {
        let mut key = [0; 32];
        (0..).zip(key.iter_mut()).for_each(|(value, byte)| *byte = value);
        PersonKey(key)
    }

    #[test]
    fn vectors() {
        let key = counting_key();
        let hex = |kind, number| hex_encode(key.member(kind, number).as_bytes());
        assert_eq!(
            hex(DocumentKind::ResidentId, "11010519491231002X"),
            "2fbcf168df25420c33591fa720aa7a21"
        );
        assert_eq!(hex(DocumentKind::Passport, "E12345678"), "d2c986805d99281f6597a355a520042f");
    }

    #[test]
    fn one_document_one_person_however_it_is_typed() {
        let key = counting_key();
        let whole = key.member(DocumentKind::ResidentId, "11010519491231002X");
        assert_eq!(whole, key.member(DocumentKind::ResidentId, "110105 1949 1231 002x"));
        assert_eq!(whole, key.member(DocumentKind::ResidentId, "110105491231002"));
        assert_ne!(whole, key.member(DocumentKind::Other, "11010519491231002X"));
        assert_ne!(
            whole,
            PersonKey([9; 32]).member(DocumentKind::ResidentId, "11010519491231002X")
        );
    }
}
