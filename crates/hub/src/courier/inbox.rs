//! What came: taken in, left until it is whole, or put aside with the reason.

use super::place::{Found, Place};
use crate::bundle::{Arrived, BundleFailure, Desk, Outcome, Shelf, damaged, take_all};
use crate::replica::Replica;
use hub_node::limits::BUNDLE_FILE_BYTES_MAX;
use std::collections::BTreeMap;

/// After so many rounds in which a broken file did not change it is not being copied any more.
const STILL_ROUNDS: u32 = 3;

/// The inbox of a courier.
#[derive(Debug)]
pub(super) struct Inbox {
    place: Place,
    /// Files that are not whole, and for how many rounds they have looked like this.
    growing: BTreeMap<String, (Found, u32)>,
}

impl Inbox {
    pub(super) fn new(place: Place) -> Self {
        Self { place, growing: BTreeMap::new() }
    }

    /// Takes in what is there, together with what waited for it.
    pub(super) fn round(
        &mut self,
        replica: &Replica,
        desk: &mut Desk,
        shelf: &Shelf,
    ) -> Result<(), BundleFailure> {
        let found = self.place.found()?;
        self.growing.retain(|name, _| found.iter().any(|found| found.name == *name));
        let own = replica.who().node;
        let mut arrived = Vec::new();
        for file in found {
            let Some(bytes) = self.place.read(&file.name)? else { continue };
            match Arrived::of(&file.name, &bytes) {
                // the folder may be shared by neighbours
                Ok(bundle) if bundle.manifest.to != own => {}
                Ok(bundle) => arrived.push(bundle),
                Err(error) => self.note_broken(file, &error)?,
            }
        }
        if arrived.is_empty() {
            return Ok(());
        }
        let place = &self.place;
        let mut open = |name: &str| Ok(place.read(name)?.unwrap_or_default());
        let mut each = |arrived: &Arrived, outcome: &Outcome| settle(place, arrived, outcome);
        take_all::<BundleFailure>(replica, desk, shelf, arrived, &mut open, &mut each)
    }

    /// A file that is no whole bundle: perhaps it is still being copied.
    fn note_broken(
        &mut self,
        file: Found,
        error: &hub_node::bundle::BundleError,
    ) -> Result<(), BundleFailure> {
        let known = self.growing.get(&file.name);
        let rounds = match known {
            Some((before, rounds)) if *before == file => rounds + 1,
            _ => 0,
        };
        if rounds < STILL_ROUNDS && file.bytes <= BUNDLE_FILE_BYTES_MAX as u64 {
            self.growing.insert(file.name.clone(), (file, rounds));
            return Ok(());
        }
        self.growing.remove(&file.name);
        let Outcome::Refused(zh, en) = damaged(error) else { return Ok(()) };
        tracing::warn!(file = file.name, reason = en, "a file in the folder is no bundle");
        self.place.refuse(&file.name, &format!("{zh}\n{en}"))
    }
}

/// What happens to the file.
fn settle(place: &Place, arrived: &Arrived, outcome: &Outcome) -> Result<(), BundleFailure> {
    let name = &arrived.path;
    match outcome {
        Outcome::Whole(taken) => {
            tracing::info!(name, blocks = taken.stored, "a bundle was taken in");
            place.remove(name)
        }
        Outcome::Waits { kept: true, missing, .. } => {
            tracing::info!(name, ?missing, "a bundle waits for what is before it");
            place.remove(name)
        }
        Outcome::UnknownSigner { kept: true } => place.remove(name),
        // no room on the shelf: the folder keeps it
        Outcome::Waits { kept: false, .. } | Outcome::UnknownSigner { kept: false } => Ok(()),
        Outcome::Elsewhere(_) => Ok(()),
        Outcome::Refused(zh, en) => {
            tracing::warn!(name, reason = en, "a bundle was refused");
            place.refuse(name, &format!("{zh}\n{en}"))
        }
    }
}
