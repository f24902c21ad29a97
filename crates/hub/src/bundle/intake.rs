//! Taking bundles in: who may, in which order, and what becomes of each. The same for files a command names
//! and for those a courier's folder holds.

use super::{BundleFailure, Desk, Part, Shelf, Taken, keys_within};
use crate::replica::Replica;
use hub_core::block::Block;
use hub_core::id::NodeId;
use hub_core::view::View;
use hub_node::bundle::{Bundle, BundleError, Manifest, decode};
use hub_node::io::{Context, Position};

/// A bundle whose messages are what its manifest says.
///
/// # Errors
/// It is none, or not whole.
pub fn checked(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let bundle = decode(bytes)?;
    bundle.check()?;
    Ok(bundle)
}

/// A bundle about to be taken in. Only its manifest stays in memory: discs may hold many.
#[derive(Debug)]
pub struct Arrived {
    /// What the caller calls it.
    pub path: String,
    /// Under which name it waited, if it did.
    waited: Option<String>,
    /// What it says it is.
    pub manifest: Manifest,
}

impl Arrived {
    /// A bundle that came now.
    ///
    /// # Errors
    /// It is none, or not whole.
    pub fn of(path: &str, bytes: &[u8]) -> Result<Self, BundleError> {
        let manifest = checked(bytes)?.manifest;
        Ok(Self { path: path.to_owned(), waited: None, manifest })
    }
}

/// What became of a bundle.
#[derive(Debug)]
pub enum Outcome {
    /// All of it is held here.
    Whole(Taken),
    /// Something before it is missing, or something in it waits.
    Waits {
        /// What was taken of it.
        taken: Taken,
        /// Between which positions bundles are missing, if they are.
        missing: Option<(Position, Position)>,
        /// Whether it is kept here until they come.
        kept: bool,
    },
    /// It cannot be judged yet: nobody vouched for its maker so far.
    UnknownSigner {
        /// Whether it is kept here until somebody does.
        kept: bool,
    },
    /// It is for another node.
    Elsewhere(NodeId),
    /// It is not taken: why, in Chinese and in English.
    Refused(String, String),
}

/// Takes bundles in, and with them what waited for them; `open` gives a bundle's bytes once more, `each`
/// is told what became of it.
///
/// # Errors
/// `open` fails, or the node's storage does. Bundles that are refused or wait are no error.
pub fn take_all<E: From<BundleFailure>>(
    replica: &Replica,
    desk: &mut Desk,
    shelf: &Shelf,
    mut arrived: Vec<Arrived>,
    open: &mut dyn FnMut(&str) -> Result<Vec<u8>, E>,
    each: &mut dyn FnMut(&Arrived, &Outcome) -> Result<(), E>,
) -> Result<(), E> {
    arrived.extend(waiting(shelf)?);
    // The parent's first, for it brings keys; then each stream in its order.
    let parent = replica.parent();
    arrived.sort_by_key(|arrived| {
        let manifest = &arrived.manifest;
        let place = (manifest.stream, manifest.first, manifest.last);
        (Some(manifest.from) != parent, manifest.from, place)
    });
    for arrived in &arrived {
        let bytes = match &arrived.waited {
            Some(name) => shelf.waiting_bundle(name)?.unwrap_or_default(),
            None => open(&arrived.path)?,
        };
        let outcome = match checked(&bytes) {
            Ok(bundle) => take(replica, desk, shelf, arrived, (bytes, bundle))?,
            Err(error) => damaged(&error),
        };
        each(arrived, &outcome)?;
    }
    Ok(())
}

fn waiting(shelf: &Shelf) -> Result<Vec<Arrived>, BundleFailure> {
    let mut arrived = Vec::new();
    for name in shelf.waiting()? {
        let Some(bytes) = shelf.waiting_bundle(&name)? else { continue };
        match Arrived::of(&name, &bytes) {
            Ok(bundle) => arrived.push(Arrived { waited: Some(name), ..bundle }),
            Err(error) => {
                tracing::warn!(name, %error, "a bundle that waited is damaged and dropped");
                shelf.forget_waiting(&name)?;
            }
        }
    }
    Ok(arrived)
}

fn take(
    replica: &Replica,
    desk: &mut Desk,
    shelf: &Shelf,
    arrived: &Arrived,
    (bytes, bundle): (Vec<u8>, Bundle),
) -> Result<Outcome, BundleFailure> {
    let (waited, manifest) = (&arrived.waited, bundle.manifest.clone());
    let name = manifest.file_name();
    if manifest.to != replica.who().node {
        return Ok(Outcome::Elsewhere(manifest.to));
    }
    if let Err((zh, en)) = is_ours(replica, &manifest) {
        return Ok(Outcome::Refused(zh, en));
    }
    let from_parent = replica.parent() == Some(manifest.from);
    let (mut key, mut stored) = (signer(replica, &bundle, from_parent), 0);
    if key.is_none() {
        if !from_parent {
            return Ok(Outcome::UnknownSigner { kept: false });
        }
        stored = desk.take(Part::blocks_of(&bundle))?.stored;
        key = replica.lookup().key(manifest.from, manifest.from_epoch);
    }
    let Some(key) = key else {
        if waited.is_none() {
            shelf.keep_unjudged(&name, &bytes)?;
        }
        return Ok(Outcome::UnknownSigner { kept: true });
    };
    if let Err(error) = bundle.verify(&key) {
        if let Some(name) = waited {
            shelf.forget_waiting(name)?;
        }
        return Ok(damaged(&error));
    }
    let mut taken = desk.take(Part::of(bundle))?;
    taken.stored += stored;
    shelf.keep_answers(manifest.from, std::mem::take(&mut taken.answers))?;
    let whole = is_whole(&manifest, &taken);
    if whole {
        if let Some(name) = waited {
            shelf.forget_waiting(name)?;
        }
        return Ok(Outcome::Whole(taken));
    }
    let held_to = taken.cursor.filter(|cursor| cursor.stream == manifest.stream);
    let position = held_to.map_or(0, |cursor| cursor.position);
    let missing = (position < manifest.first).then_some((position, manifest.first));
    let kept = waited.is_some() || shelf.keep_waiting(&name, &bytes)?;
    Ok(Outcome::Waits { taken, missing, kept })
}

/// Whether everything a bundle brought is held here.
fn is_whole(manifest: &Manifest, taken: &Taken) -> bool {
    let nothing_in_it = manifest.first == manifest.last;
    let quiet = taken.stored == 0 && taken.held == 0 && taken.refusals.is_empty();
    match taken.cursor {
        Some(cursor) if cursor.stream == manifest.stream => cursor.position >= manifest.last,
        // Of an earlier run, or of a journal the sender has no more and that brought nothing new.
        Some(cursor) if cursor.stream.journal == manifest.stream.journal => {
            cursor.stream.run > manifest.stream.run || nothing_in_it
        }
        Some(_) => quiet || nothing_in_it,
        None => nothing_in_it,
    }
}

/// Whether a bundle is of this federation, from a neighbour, the right way.
fn is_ours(replica: &Replica, manifest: &Manifest) -> Result<(), (String, String)> {
    let who = replica.who();
    if manifest.federation != who.federation {
        let (expected, found) = (who.federation, manifest.federation);
        let en = format!("federation: expected {expected}, found {found}");
        return Err((format!("是另一个联合会的封套({found})"), en));
    }
    let from_parent = replica.parent() == Some(manifest.from);
    let known = from_parent || replica.lookup().scope(manifest.from).is_some();
    if !known || manifest.upwards == from_parent {
        let zh = format!("制作者既不是上级也不是直接下级({})", manifest.from);
        return Err((zh, format!("from: expected a parent or child, found {}", manifest.from)));
    }
    Ok(())
}

/// A bundle that is not whole, or not its maker's.
pub fn damaged(error: &dyn std::fmt::Display) -> Outcome {
    Outcome::Refused(format!("内容不完整或被改动({error})"), error.to_string())
}

/// The key that should have signed. The very first bundle from above brings the proof of its maker's key
/// itself.
fn signer(replica: &Replica, bundle: &Bundle, from_parent: bool) -> Option<[u8; 32]> {
    let who = (bundle.manifest.from, bundle.manifest.from_epoch);
    let known = replica.lookup().key(who.0, who.1);
    let root = *replica.read().root_key();
    if known.is_some() || !from_parent {
        return known;
    }
    let blocks: Vec<Block> = bundle.blocks().collect();
    keys_within(&blocks, &root).get(&who).copied()
}

/// The name of the unit a node serves, or the node's id.
pub fn name_of(view: &View, node: NodeId) -> String {
    let newest = view.authority().newest_of(node);
    newest.map_or_else(|| node.to_string(), |e| view.tree().unit(e.unit).name().to_owned())
}
