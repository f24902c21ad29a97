//! The courier of the up channel: keeps what it took until it is acknowledged, offers it again, drops
//! what it has seen within two minutes; and may lose everything at any time.

use hub_core::hash::Hash;
use hub_core::time::Millis;
use std::collections::BTreeMap;

/// How long it remembers what it has seen.
const WINDOW_MILLIS: Millis = 120_000;

#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Courier {
    parcels: BTreeMap<u64, Parcel>,
    seen: BTreeMap<(usize, Hash), Millis>,
    next: u64,
}

impl Courier {
    /// Takes a message in, unless it knows it; its handle.
    pub(crate) fn take(&mut self, now: Millis, id: Hash, parcel: Parcel) -> Option<u64> {
        let seen = self.seen.entry((parcel.to, id)).or_default();
        if *seen != 0 && *seen + WINDOW_MILLIS > now {
            return None;
        }
        *seen = now;
        self.next += 1;
        self.parcels.insert(self.next, parcel);
        Some(self.next)
    }

    pub(crate) fn parcel(&self, delivery: u64) -> Option<&Parcel> {
        self.parcels.get(&delivery)
    }

    pub(crate) fn settle(&mut self, delivery: u64) {
        self.parcels.remove(&delivery);
    }

    /// Loses everything one node's server held; how much that was.
    pub(crate) fn wipe(&mut self, to: usize) -> usize {
        let before = self.parcels.len();
        self.parcels.retain(|_, parcel| parcel.to != to);
        self.seen.retain(|(server, _), _| *server != to);
        before - self.parcels.len()
    }
}
