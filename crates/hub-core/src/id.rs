//! Identities: who and what facts are about (DESIGN §3).
//!
//! Every identity is 16 bytes and, where the world gives a natural key, derived from it, so that two
//! nodes that never met give one employer one id.

use crate::hash::{Hash, sha256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The UUIDv5 namespace of employers: names are 18-digit 统一社会信用代码.
const EMPLOYER_NAMESPACE: Uuid = Uuid::from_u128(0x7f2d_39a5_5b0f_5c1e_9a63_2e8f_71c0_d401);
/// The UUIDv5 namespace of territories: names are `code@year`.
const TERRITORY_NAMESPACE: Uuid = Uuid::from_u128(0x7f2d_39a5_5b0f_5c1e_9a63_2e8f_71c0_d402);

/// A text that is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    /// What was read.
    pub found: String,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a UUID, found {:?}", self.found)
    }
}

impl std::error::Error for IdError {}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// All bytes zero: never a real identity; a filler in fixed layouts.
            pub const NIL: Self = Self([0; 16]);

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Uuid::from_bytes(self.0).fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text)
                    .map(|id| Self(id.into_bytes()))
                    .map_err(|_| IdError { found: text.to_owned() })
            }
        }

        // Text for people (JSON), 16 bare bytes for machines: `uuid`'s own serde would add a length.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

identity! {
    /// A federation: derived from its root key, so that the name of a federation proves its root.
    FederationId
}
identity! {
    /// A node (节点): derived from its first key.
    NodeId
}
identity! {
    /// A unit (单位): a point of the tree of territories, employers, committees.
    UnitId
}
identity! {
    /// A union (工会), grassroots or federation.
    BranchId
}
identity! {
    /// A person's pseudonym under the federation's person key; names and numbers never enter a fact.
    MemberKey
}

fn derived(label: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut all: Vec<&[u8]> = vec![label.as_bytes()];
    all.extend_from_slice(parts);
    let Hash(digest) = sha256(&all);
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    Uuid::new_v8(first).into_bytes()
}

impl FederationId {
    /// The federation whose root key this is.
    pub fn of_root_key(key: &[u8; 32]) -> Self {
        Self(derived("hub federation", &[key]))
    }
}

impl NodeId {
    /// The node whose first key this is (UUIDv8 of its hash).
    pub fn of_first_key(key: &[u8; 32]) -> Self {
        Self(derived("hub node", &[key]))
    }
}

impl UnitId {
    /// An employer with a 统一社会信用代码 (UUIDv5). The code must be normalised: 18 characters, upper case.
    pub fn of_employer(uscc: &str) -> Self {
        Self(Uuid::new_v5(&EMPLOYER_NAMESPACE, uscc.as_bytes()).into_bytes())
    }

    /// A territory: its division code and the year of the list in which this code with this meaning
    /// first entered the federation.
    pub fn of_territory(code: &str, year: u16) -> Self {
        Self(Uuid::new_v5(&TERRITORY_NAMESPACE, format!("{code}@{year}").as_bytes()).into_bytes())
    }

    /// A unit without any code (a project site, a market): named by its registration.
    pub fn of_registration(fact: &FactId) -> Self {
        Self(derived("hub unit", &[&fact.to_bytes()]))
    }
}

impl BranchId {
    /// A union is named by the first fact about it.
    pub fn of_first_fact(fact: &FactId) -> Self {
        Self(derived("hub branch", &[&fact.to_bytes()]))
    }
}

/// Where a block flows besides to all ancestors of its writer (DESIGN §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// To the ancestors only.
    Up,
    /// Also to every node of this unit's subtree.
    Down(UnitId),
}

impl Lane {
    /// The fixed 17 bytes of a lane: tag 0 and zeros for `up`, tag 1 and the audience for `down`.
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        if let Self::Down(audience) = self {
            bytes[0] = 1;
            bytes[1..].copy_from_slice(&audience.0);
        }
        bytes
    }

    /// The lane of 17 bytes; `None` when they are no canonical lane.
    pub fn from_bytes(bytes: &[u8; 17]) -> Option<Self> {
        let mut unit = [0; 16];
        unit.copy_from_slice(&bytes[1..]);
        match bytes[0] {
            0 if unit == [0; 16] => Some(Self::Up),
            1 => Some(Self::Down(UnitId(unit))),
            _ => None,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("up"),
            Self::Down(unit) => write!(f, "down:{unit}"),
        }
    }
}

impl FromStr for Lane {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.strip_prefix("down:") {
            Some(unit) => Ok(Self::Down(unit.parse()?)),
            None if text == "up" => Ok(Self::Up),
            None => Err(IdError { found: text.to_owned() }),
        }
    }
}

impl Serialize for Lane {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            let bytes = self.to_bytes();
            let mut unit = [0; 16];
            unit.copy_from_slice(&bytes[1..]);
            (bytes[0], unit).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Lane {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        let (tag, unit) = <(u8, [u8; 16])>::deserialize(deserializer)?;
        let mut bytes = [0; 17];
        bytes[0] = tag;
        bytes[1..].copy_from_slice(&unit);
        Self::from_bytes(&bytes).ok_or_else(|| D::Error::custom("expected lane tag 0 or 1"))
    }
}

/// One chain of blocks: a lane of one epoch of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainId {
    /// The writer.
    pub node: NodeId,
    /// Which of its keys; the first is 1.
    pub epoch: u32,
    /// Which of its lanes.
    pub lane: Lane,
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.node, self.epoch, self.lane)
    }
}

/// A fact's name: its chain and its place there, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactId {
    /// The chain it was written in.
    pub chain: ChainId,
    /// Its place in the chain; the first fact is 1.
    pub seq: u64,
}

impl FactId {
    /// The fixed 45 bytes from which ids are derived: node, epoch, lane, seq, big-endian.
    pub fn to_bytes(&self) -> [u8; 45] {
        let mut bytes = [0; 45];
        bytes[..16].copy_from_slice(&self.chain.node.0);
        bytes[16..20].copy_from_slice(&self.chain.epoch.to_be_bytes());
        bytes[20..37].copy_from_slice(&self.chain.lane.to_bytes());
        bytes[37..].copy_from_slice(&self.seq.to_be_bytes());
        bytes
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.chain, self.seq)
    }
}

impl FromStr for FactId {
    type Err = IdError;
    /// Reads `node/epoch/lane#seq`, as `Display` writes it.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let bad = || IdError { found: text.to_owned() };
        let (chain, seq) = text.split_once('#').ok_or_else(bad)?;
        let mut parts = chain.splitn(3, '/');
        let mut part = || parts.next().ok_or_else(bad);
        let chain = ChainId {
            node: part()?.parse()?,
            epoch: part()?.parse().map_err(|_| bad())?,
            lane: part()?.parse()?,
        };
        Ok(Self { chain, seq: seq.parse().map_err(|_| bad())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_employer_has_one_id_everywhere() {
        let id = UnitId::of_employer("91350100M000100Y43");
        assert_eq!(id, UnitId::of_employer("91350100M000100Y43"));
        assert_ne!(id, UnitId::of_employer("91350100M000100Y4Z"));
        assert_ne!(UnitId::of_territory("2311", 2023), UnitId::of_territory("2311", 2024));
    }

    #[test]
    fn names_of_facts_read_back() {
        let chain = ChainId {
            node: NodeId::of_first_key(&[7; 32]),
            epoch: 2,
            lane: Lane::Down(UnitId::of_territory("2311", 2023)),
        };
        let fact = FactId { chain, seq: 9 };
        assert_eq!(fact.to_string().parse::<FactId>(), Ok(fact));
        assert!("x/1/up#1".parse::<FactId>().is_err());
    }

    #[test]
    fn a_lane_has_one_encoding() {
        let mut bytes = Lane::Up.to_bytes();
        assert_eq!(Lane::from_bytes(&bytes), Some(Lane::Up));
        bytes[3] = 1;
        assert_eq!(Lane::from_bytes(&bytes), None);
    }
}
