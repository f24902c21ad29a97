//! `hub bundle import`: files in any order, any number of times.

use super::super::error::CommandError;
use super::super::session::Session;
use super::read;
use crate::bundle::{Arrived, Desk, Outcome, Shelf, damaged, name_of, take_all};
use crate::command_io::STANDARD_STREAM;
use crate::render::{Cell, Lang, Table};
use hub_core::id::NodeId;
use hub_node::bundle::Manifest;
use std::collections::BTreeMap;

/// How `hub bundle import` imports.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The files.
    pub files: Vec<String>,
}

/// Takes the files in, and with them what waited for them.
///
/// # Errors
/// A file cannot be read, or the node's storage fails. Bundles that are refused or wait are no error: they
/// are shown, and the exit code is 1.
pub fn import(session: &Session<'_>, options: &ImportOptions) -> Result<u8, CommandError> {
    let shelf = Shelf::open(&session.shared.node.data_dir())?;
    let mut table = table(session.lang);
    let (mut arrived, mut typed) = (Vec::new(), BTreeMap::new());
    let mut clean = true;
    for path in &options.files {
        let bytes = read(session.io, path)?;
        match Arrived::of(path, &bytes) {
            Ok(bundle) => arrived.push(bundle),
            Err(error) => {
                clean = false;
                row(session, &mut table, path, None, &damaged(&error));
            }
        }
        if path == STANDARD_STREAM {
            // it cannot be read again
            typed.insert(path.clone(), bytes);
        }
    }
    let mut desk = Desk::of(&session.shared.host)?;
    let total = arrived.len() as u64;
    let mut done = 0;
    let mut open = |path: &str| match typed.get(path) {
        Some(bytes) => Ok(bytes.clone()),
        None => read(session.io, path),
    };
    let mut each = |arrived: &Arrived, outcome: &Outcome| {
        session.io.progress(done, Some(total), "import");
        done += 1;
        clean &= matches!(outcome, Outcome::Whole(_));
        row(session, &mut table, &arrived.path, Some(&arrived.manifest), outcome);
        Ok(())
    };
    let replica = session.replica();
    take_all::<CommandError>(replica, &mut desk, &shelf, arrived, &mut open, &mut each)?;
    session.show(&table)?;
    Ok(u8::from(!clean))
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
        Outcome::UnknownSigner { .. } | Outcome::Elsewhere(_) | Outcome::Refused(..) => 0,
    };
    let name = |node: NodeId| name_of(&session.replica().read(), node);
    let state = in_words(session.lang, manifest.map(|manifest| manifest.from), outcome, &name);
    table.push(vec![Cell::text(path), Cell::text(from), Cell::count(stored), Cell::text(state)]);
}

fn in_words(
    lang: Lang,
    from: Option<NodeId>,
    outcome: &Outcome,
    name: &dyn Fn(NodeId) -> String,
) -> String {
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
        Outcome::Elsewhere(node) => {
            let name = name(*node);
            lang.pick(
                format!("不接受:是发往{name}的,不是给本节点的"),
                format!("refused: it is for {name}, not for this node"),
            )
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
