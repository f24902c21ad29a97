//! Spoken receipts: what the node above holds of a child's stream, in 24 digits that can be read out and typed,
//! for gates through which nothing comes back (DESIGN §10). Layout and reasons stand in `schemas/bundle.md`.
//!
//! Nothing is ever forgotten because of one. It says less than a signed receipt: its tag shows that whoever
//! made it knew a secret only the two nodes share, and the stream up to there; 33 bits of it.

use hub_core::SigningKey;
use hub_core::hash::sha256;
use hub_core::id::{FederationId, NodeId};
use hub_node::io::Position;
use hub_node::wire::Cursor;
use std::fmt;
use x25519_dalek::{PublicKey, StaticSecret};

/// Set before what is hashed, so that no other hash passes for a tag.
const LABEL: &[u8] = b"hub spoken receipt 0";
/// Digits of the position, of the tag, and to check the typing by.
const DIGITS: [u32; 3] = [12, 10, 2];
/// All of them.
const LENGTH: usize = 24;
/// How many stand together.
const GROUP: usize = 4;

/// What a spoken receipt is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// The federation.
    pub federation: FederationId,
    /// Who holds.
    pub receiver: NodeId,
    /// Whose stream.
    pub child: NodeId,
    /// Up to where.
    pub cursor: Cursor,
}

/// A spoken receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    /// How far the receiver holds the stream.
    pub position: Position,
    tag: u64,
}

/// Digits that are no spoken receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpokenError {
    /// Too few or too many, or something else among them.
    Length {
        /// How many there are.
        found: usize,
    },
    /// One was misheard or mistyped.
    Check,
}

/// The secret of two nodes, from the signing key of one and the public key of the other; none for a key that
/// is none.
pub fn secret_of(own: &SigningKey, other: &[u8; 32]) -> Option<[u8; 32]> {
    let other = ed25519_dalek::VerifyingKey::from_bytes(other).ok()?;
    let own = StaticSecret::from(own.to_scalar_bytes());
    let shared = own.diffie_hellman(&PublicKey::from(other.to_montgomery().to_bytes()));
    shared.was_contributory().then(|| shared.to_bytes())
}

impl Spoken {
    /// The receipt for a stream by nodes of this secret; none beyond what its digits can name.
    pub fn of(subject: &Subject, secret: &[u8; 32]) -> Option<Self> {
        let Subject { federation, receiver, child, cursor } = subject;
        let position = cursor.position;
        let hash = sha256(&[
            LABEL,
            secret,
            &federation.0,
            &receiver.0,
            &child.0,
            &cursor.stream.journal.0,
            &cursor.stream.run.to_be_bytes(),
            &position.to_be_bytes(),
            &cursor.hash.0,
        ]);
        let (first, _) = hash.0.split_first_chunk::<8>()?;
        let tag = u64::from_be_bytes(*first) % 10_u64.pow(DIGITS[1]);
        (position < 10_u64.pow(DIGITS[0])).then_some(Self { position, tag })
    }

    /// What was typed: digits, also full-width ones, with spaces and hyphens anywhere.
    ///
    /// # Errors
    /// It is not 24 digits, or they do not fit each other.
    pub fn parse(typed: &str) -> Result<Self, SpokenError> {
        let hyphens = ['-', '\u{ff0d}', '\u{2014}'];
        let passed = |letter: &char| !letter.is_whitespace() && !hyphens.contains(letter);
        let digits: Vec<Option<u32>> = typed.chars().filter(passed).map(digit).collect();
        let found = digits.len();
        let known: Vec<u32> = digits.into_iter().flatten().collect();
        if found != LENGTH || known.len() != LENGTH {
            return Err(SpokenError::Length { found: known.len() });
        }
        let whole = known.iter().fold(0_u128, |sum, digit| sum * 10 + u128::from(*digit));
        if whole % 97 != 1 {
            return Err(SpokenError::Check);
        }
        let said = whole / 100;
        let (position, tag) = (said / 10_u128.pow(DIGITS[1]), said % 10_u128.pow(DIGITS[1]));
        // twelve and ten digits fit
        Ok(Self { position: position as u64, tag: tag as u64 })
    }
}

fn digit(letter: char) -> Option<u32> {
    let wide = (letter as u32).checked_sub(0xff10).filter(|digit| *digit < 10);
    letter.to_digit(10).or(wide)
}

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = u128::from(self.position) * 10_u128.pow(DIGITS[1]) + u128::from(self.tag);
        // ISO 7064 MOD 97-10: finds every single wrong digit and every two that changed places
        let check = 98 - (said * 100) % 97;
        let digits = format!("{:0width$}", said * 100 + check, width = LENGTH);
        for (place, letter) in digits.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SpokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(f, "expected {LENGTH} digits, found {found}"),
            Self::Check => {
                f.write_str("the digits do not fit each other: one was misheard or mistyped")
            }
        }
    }
}

impl std::error::Error for SpokenError {}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::hash::Hash;
    use hub_node::io::JournalId;
    use hub_node::wire::StreamId;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn public(seed: u8) -> [u8; 32] {
        key(seed).verifying_key().to_bytes()
    }

    fn subject() -> Subject {
        let stream = StreamId { journal: JournalId([0x33; 16]), run: 1 };
        Subject {
            federation: FederationId([0x11; 16]),
            receiver: NodeId([0x44; 16]),
            child: NodeId([0x55; 16]),
            cursor: Cursor { stream, position: 2_792, hash: Hash([0x66; 32]) },
        }
    }

    /// That of the vector in `schemas/bundle.md`.
    fn spoken() -> Spoken {
        Spoken::of(&subject(), &secret_of(&key(0x22), &public(0x23)).unwrap()).unwrap()
    }

    #[test]
    fn both_sides_know_the_same_and_the_schema_says_it() {
        let other = secret_of(&key(0x23), &public(0x22)).unwrap();
        assert_eq!(Spoken::of(&subject(), &other), Some(spoken()));
        let schema = include_str!("../../../../schemas/bundle.md");
        assert!(schema.contains(&format!("`{}`", spoken())), "{}", spoken());
    }

    #[test]
    fn what_is_read_out_reads_back_and_typing_errors_are_found() {
        let said = spoken().to_string();
        assert_eq!(Spoken::parse(&said), Ok(spoken()));
        let wide: String = said
            .chars()
            .map(|letter| match letter.to_digit(10) {
                Some(digit) => char::from_u32(0xff10 + digit).unwrap(),
                None => '\u{ff0d}',
            })
            .collect();
        assert_eq!(Spoken::parse(&wide), Ok(spoken()));
        let digits: Vec<char> = said.chars().filter(|letter| *letter != ' ').collect();
        for place in 0..digits.len() {
            for other in '0'..='9' {
                let mut wrong = digits.clone();
                wrong[place] = other;
                let wrong: String = wrong.iter().collect();
                assert_eq!(Spoken::parse(&wrong).is_ok(), other == digits[place], "{wrong}");
            }
            if place > 0 && digits[place] != digits[place - 1] {
                let mut swapped = digits.clone();
                swapped.swap(place, place - 1);
                let swapped: String = swapped.iter().collect();
                assert_eq!(Spoken::parse(&swapped), Err(SpokenError::Check), "{swapped}");
            }
        }
        assert_eq!(Spoken::parse(&said[1..]), Err(SpokenError::Length { found: 23 }));
        assert!(Spoken::parse(&said.replace('0', "O")).is_err());
    }

    #[test]
    fn it_is_bound_to_both_nodes_the_journal_and_what_went_before() {
        let secret = secret_of(&key(0x22), &public(0x23)).unwrap();
        let others: [fn(&mut Subject); 6] = [
            |subject| subject.federation.0[0] ^= 1,
            |subject| subject.receiver.0[0] ^= 1,
            |subject| subject.child.0[0] ^= 1,
            |subject| subject.cursor.stream.journal.0[0] ^= 1,
            |subject| subject.cursor.stream.run += 1,
            |subject| subject.cursor.hash.0[0] ^= 1,
        ];
        for change in others {
            let mut other = subject();
            change(&mut other);
            assert_ne!(Spoken::of(&other, &secret), Some(spoken()), "{other:?}");
        }
        let stranger = secret_of(&key(0x24), &public(0x23)).unwrap();
        assert_ne!(Spoken::of(&subject(), &stranger), Some(spoken()));
        let mut far = subject();
        far.cursor.position = 10_u64.pow(12);
        assert_eq!(Spoken::of(&far, &secret), None);
    }
}
