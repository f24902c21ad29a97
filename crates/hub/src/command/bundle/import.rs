//! `hub bundle import`: files in any order, any number of times.

use super::super::error::CommandError;
use super::super::session::Session;
use super::{checked, name_of, read};
use crate::bundle::{Desk, Part, Shelf, Taken, keys_within};
use crate::command_io::{CommandIo, STANDARD_STREAM};
use crate::render::{Cell, Lang, Table};
use crate::replica::Replica;
use hub_core::block::Block;
use hub_core::id::NodeId;
use hub_node::bundle::{Bundle, BundleError, Manifest};
use hub_node::io::{Context, Position};

/// How `hub bundle import` imports.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The files.
    pub files: Vec<String>,
}

/// A bundle about to be taken in. Only its manifest stays in memory: discs may hold many.
struct Arrived {
    /// What the caller calls it.
    path: String,
    /// Under which name it waited, if it did.
    waited: Option<String>,
    /// Its bytes, where they cannot be read again.
    bytes: Option<Vec<u8>>,
    manifest: Manifest,
}

impl Arrived {
    fn of(path: &str, bytes: Vec<u8>) -> Result<Self, BundleError> {
        let manifest = checked(&bytes)?.manifest;
        let bytes = (path == STANDARD_STREAM).then_some(bytes);
        Ok(Self { path: path.to_owned(), waited: None, bytes, manifest })
    }

    /// The file once more, and what it holds.
    fn open(&mut self, io: &dyn CommandIo, shelf: &Shelf) -> Result<Opened, CommandError> {
        let bytes = match (self.bytes.take(), &self.waited) {
            (Some(bytes), _) => bytes,
            (None, Some(name)) => shelf.waiting_bundle(name)?.unwrap_or_default(),
            (None, None) => read(io, &self.path)?,
        };
        Ok(checked(&bytes).map(|bundle| (bytes, bundle)))
    }
}

/// A bundle and its bytes, or why it is none.
type Opened = Result<(Vec<u8>, Bundle), BundleError>;

/// What became of a bundle.
enum Outcome {
    /// All of it is held here.
    Whole(Taken),
    /// Something before it is missing, or something in it waits; it is kept here.
    Waits { taken: Taken, missing: Option<(Position, Position)>, kept: bool },
    /// It cannot be judged yet: nobody vouched for its maker so far.
    UnknownSigner { kept: bool },
    /// It is not taken: why, in Chinese and in English.
    Refused(String, String),
}

/// Takes the files in, and with them what waited for them.
///
/// # Errors
/// A file cannot be read, or the node's storage fails. Bundles that are refused or wait are no error: they
/// are shown, and the exit code is 1.
pub fn import(session: &Session<'_>, options: &ImportOptions) -> Result<u8, CommandError> {
    let shelf = Shelf::open(&session.shared.node.data_dir())?;
    let mut table = table(session.lang);
    let mut arrived = Vec::new();
    let mut clean = true;
    for path in &options.files {
        let bytes = read(session.io, path)?;
        match Arrived::of(path, bytes) {
            Ok(bundle) => arrived.push(bundle),
            Err(error) => {
                clean = false;
                let refused = damaged(&error);
                row(session, &mut table, path, None, &refused);
            }
        }
    }
    arrived.extend(waiting(&shelf)?);
    // The parent's first, for it brings keys; then each stream in its order.
    let parent = session.replica().parent();
    arrived.sort_by_key(|arrived| {
        let manifest = &arrived.manifest;
        (
            Some(manifest.from) != parent,
            manifest.from,
            manifest.stream,
            manifest.first,
            manifest.last,
        )
    });
    let mut desk = Desk::of(&session.shared.host)?;
    let total = arrived.len() as u64;
    for (done, mut arrived) in arrived.into_iter().enumerate() {
        session.io.progress(done as u64, Some(total), "import");
        let outcome = match arrived.open(session.io, &shelf)? {
            Ok(opened) => take(session.replica(), &mut desk, &shelf, &arrived, opened)?,
            Err(error) => damaged(&error),
        };
        clean &= matches!(outcome, Outcome::Whole(_));
        row(session, &mut table, &arrived.path, Some(&arrived.manifest), &outcome);
    }
    session.show(&table)?;
    Ok(u8::from(!clean))
}

fn waiting(shelf: &Shelf) -> Result<Vec<Arrived>, CommandError> {
    let mut arrived = Vec::new();
    for name in shelf.waiting()? {
        let Some(bytes) = shelf.waiting_bundle(&name)? else { continue };
        match Arrived::of(&name, bytes) {
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
) -> Result<Outcome, CommandError> {
    let (waited, manifest) = (&arrived.waited, bundle.manifest.clone());
    let name = manifest.file_name();
    if let Err((zh, en)) = is_ours(replica, &manifest) {
        return Ok(Outcome::Refused(zh, en));
    }
    let from_parent = replica.parent() == Some(manifest.from);
    let known = signer(replica, &bundle, from_parent);
    let verified = known.map(|key| bundle.verify(&key));
    match verified {
        Some(Err(error)) => return Ok(damaged(&error)),
        None if !from_parent => return Ok(Outcome::UnknownSigner { kept: false }),
        // What it brings is judged block by block anyway, and may itself lead to its maker's key.
        Some(Ok(())) | None => {}
    }
    let mut taken = desk.take(Part::of(bundle))?;
    shelf.keep_answers(manifest.from, std::mem::take(&mut taken.answers))?;
    if verified.is_none() && replica.lookup().key(manifest.from, manifest.from_epoch).is_none() {
        let kept = waited.is_some() || shelf.keep_waiting(&name, &bytes)?;
        return Ok(Outcome::UnknownSigner { kept });
    }
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

/// Whether a bundle is for this node, from a neighbour, the right way.
fn is_ours(replica: &Replica, manifest: &Manifest) -> Result<(), (String, String)> {
    let who = replica.who();
    if manifest.federation != who.federation {
        let (expected, found) = (who.federation, manifest.federation);
        let en = format!("federation: expected {expected}, found {found}");
        return Err((format!("是另一个联合会的封套({found})"), en));
    }
    let view = replica.read();
    if manifest.to != who.node {
        let zh = format!("是发往{}的,不是给本节点的", name_of(&view, manifest.to));
        return Err((zh, format!("for: expected {}, found {}", who.node, manifest.to)));
    }
    drop(view);
    let from_parent = replica.parent() == Some(manifest.from);
    let known = from_parent || replica.lookup().scope(manifest.from).is_some();
    if !known || manifest.upwards == from_parent {
        let zh = format!("制作者既不是上级也不是直接下级({})", manifest.from);
        return Err((zh, format!("from: expected a parent or child, found {}", manifest.from)));
    }
    Ok(())
}

/// A bundle that is not whole, or not its maker's.
fn damaged(error: &dyn std::fmt::Display) -> Outcome {
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

fn table(lang: Lang) -> Table {
    let columns = [
        ("file", lang.pick("文件", "file")),
        ("from", lang.pick("来自", "from")),
        ("stored", lang.pick("新数据块", "new blocks")),
        ("state", lang.pick("结果", "result")),
    ];
    Table::new(lang.pick("导入封套", "bundles taken in").to_owned(), &columns)
}

fn row(
    session: &Session<'_>,
    table: &mut Table,
    path: &str,
    manifest: Option<&Manifest>,
    outcome: &Outcome,
) {
    let from = manifest
        .map_or(String::new(), |manifest| name_of(&session.replica().read(), manifest.from));
    let stored = match outcome {
        Outcome::Whole(taken) | Outcome::Waits { taken, .. } => taken.stored,
        Outcome::UnknownSigner { .. } | Outcome::Refused(..) => 0,
    };
    let state = in_words(session.lang, manifest.map(|manifest| manifest.from), outcome);
    table.push(vec![Cell::text(path), Cell::text(from), Cell::count(stored), Cell::text(state)]);
}

fn in_words(lang: Lang, from: Option<NodeId>, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Whole(taken) if taken.stored == 0 => {
            lang.pick("已入(没有新内容)", "in (nothing new)").to_owned()
        }
        Outcome::Whole(_) => lang.pick("已入", "in").to_owned(),
        Outcome::Waits { taken, missing, kept } => {
            let what = match (missing, taken.refusals.last()) {
                (Some((first, last)), _) => {
                    let from = from.map_or(String::new(), |from| short(&from));
                    let file = format!("hub-*-{from}-*-{first:012x}-*.hub");
                    lang.pick(
                        format!("缺少前面的封套 {file}(到 {last:012x} 为止)"),
                        format!("the bundles before it are missing: {file} up to {last:012x}"),
                    )
                }
                (None, Some(refusal)) => lang.pick(
                    format!("有内容未被接受:{refusal}"),
                    format!("something was not taken: {refusal}"),
                ),
                (None, None) => {
                    let held = taken.held;
                    lang.pick(
                        format!("有 {held} 块在等待所缺的内容,已列入回程封套"),
                        format!(
                            "{held} blocks wait for what they lack; the bundle back asks for it"
                        ),
                    )
                }
            };
            format!("{what}{}", kept_in_words(lang, *kept))
        }
        Outcome::UnknownSigner { kept } => {
            let what = lang.pick("还不能确认制作者", "its maker cannot be confirmed yet");
            format!("{what}{}", kept_in_words(lang, *kept))
        }
        Outcome::Refused(zh, en) => lang.pick(format!("不接受:{zh}"), format!("refused: {en}")),
    }
}

fn kept_in_words(lang: Lang, kept: bool) -> &'static str {
    if kept {
        lang.pick(";已留存,补齐后自动处理", "; kept until they come")
    } else {
        lang.pick(";未留存,请补齐后再导入", "; not kept: import it again then")
    }
}

fn short(node: &NodeId) -> String {
    hub_core::hash::hex_encode(&node.0[..4])
}
