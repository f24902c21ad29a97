//! Lists of facts, bounded while they are read: a claimed length reserves nothing and one over
//! [`LIST_MAX`] is refused before its first entry.

use super::LIST_MAX;
use super::governance::LaneHead;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

struct Bounded<T>(Vec<T>);

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Bounded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {LIST_MAX} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Bounded<T>, A::Error> {
        let over = |found: usize| {
            A::Error::custom(format!("list: expected at most {LIST_MAX} entries, found {found}"))
        };
        if let Some(claimed) = access.size_hint().filter(|claimed| *claimed > LIST_MAX) {
            return Err(over(claimed));
        }
        let mut entries = Vec::new();
        while let Some(entry) = access.next_element()? {
            if entries.len() == LIST_MAX {
                return Err(over(LIST_MAX + 1));
            }
            entries.push(entry);
        }
        Ok(Bounded(entries))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// For `#[serde(deserialize_with)]` on a list.
pub(super) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Bounded::deserialize(deserializer).map(|bounded| bounded.0)
}

/// For `#[serde(deserialize_with)]` on the heads an epoch continues.
pub(super) fn continued<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<(u32, Vec<LaneHead>)>, D::Error> {
    let read = Option::<(u32, Bounded<LaneHead>)>::deserialize(deserializer)?;
    Ok(read.map(|(epoch, heads)| (epoch, heads.0)))
}
