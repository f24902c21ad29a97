//! `hub bundle export`: what a neighbour lacks, into files.

use super::super::error::CommandError;
use super::super::session::Session;
use crate::bundle::{BundleFailure, Desk, Shelf, Since, name_of, send};
use crate::render::{Cell, Table};
use crate::status;
use hub_core::id::NodeId;
use hub_node::bundle::Packed;
use hub_node::io::{Context, Scope};
use hub_node::limits::BUNDLE_BYTES_MAX;

/// For whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The node above.
    Parent,
    /// The node below that serves this unit, named by name, path or code.
    Child(String),
    /// All nodes below, each its own files.
    AllChildren,
    /// All that follow this node's journal, each its own files.
    Followers,
}

/// How `hub bundle export` exports.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// For whom.
    pub to: Recipient,
    /// A folder that exists, or, ending in `.hub`, a file when everything goes into one.
    pub out: String,
    /// From where on.
    pub since: Since,
    /// How many bytes of messages one file may hold; 64 MiB if not said.
    pub bytes_max: Option<usize>,
}

/// A file written.
struct Written {
    to: NodeId,
    path: String,
    packed: Packed,
}

/// Writes the bundles.
///
/// # Errors
/// No such neighbour, or something cannot be written.
pub fn export(session: &Session<'_>, options: &ExportOptions) -> Result<u8, CommandError> {
    let peers = recipients(session, &options.to)?;
    // without a daemon nobody else tells the nodes below what they lack
    session.shared.host.replica.restate_all()?;
    let desk = Desk::of(&session.shared.host)?;
    let shelf = Shelf::open(&session.shared.node.data_dir())?;
    let one_file = options.out.ends_with(".hub");
    if one_file && peers.len() > 1 {
        return Err(CommandError::refused(
            "有多个下级,--out 请给文件夹",
            "there are several children: give a folder",
        ));
    }
    let mut table = table(session);
    for peer in peers {
        export_to(session, &desk, &shelf, peer, options, |written| {
            row(session, &mut table, &written);
        })?;
    }
    session.show(&table)?;
    Ok(0)
}

fn export_to(
    session: &Session<'_>,
    desk: &Desk,
    shelf: &Shelf,
    peer: NodeId,
    options: &ExportOptions,
    mut note: impl FnMut(Written),
) -> Result<(), CommandError> {
    let bytes_max = options.bytes_max.unwrap_or(BUNDLE_BYTES_MAX);
    let one_file = options.out.ends_with(".hub");
    let mut files = 0;
    let mut failed = None;
    let sending = (peer, options.since, bytes_max);
    let sent = send(session.replica(), desk, shelf, sending, &mut |packed| {
        let path = match one_file {
            true => options.out.clone(),
            false => {
                format!("{}/{}", options.out.trim_end_matches('/'), packed.manifest.file_name())
            }
        };
        if one_file && files > 0 {
            return Err(std::io::Error::other("expected one file, found need of several"));
        }
        files += 1;
        session.io.progress(packed.manifest.last, None, "export");
        let written = session.io.write_file(&path, &packed.bytes);
        if written.is_err() {
            failed = Some(path.clone());
        }
        written?;
        note(Written { to: peer, path, packed });
        Ok(())
    });
    sent.map(|_| ()).map_err(|failure| match (failure, failed) {
        (BundleFailure::Output(error), Some(path)) => CommandError::File { path, error },
        (BundleFailure::Output(_), None) => CommandError::refused(
            "一个文件装不下,请给文件夹",
            "it does not fit into one file: give a folder",
        ),
        (other, _) => other.into(),
    })
}

fn recipients(session: &Session<'_>, to: &Recipient) -> Result<Vec<NodeId>, CommandError> {
    let replica = session.replica();
    match to {
        Recipient::Parent => {
            let none = || CommandError::refused("本节点没有上级", "this node has no parent");
            Ok(vec![replica.parent().ok_or_else(none)?])
        }
        Recipient::Child(typed) => Ok(vec![child_of(session, typed)?.0]),
        Recipient::AllChildren => Ok(status::children(replica)),
        Recipient::Followers => Ok(replica.followers()),
    }
}

/// The node of its own directly below that serves a unit, and the unit's name.
pub(super) fn child_of(
    session: &Session<'_>,
    typed: &str,
) -> Result<(NodeId, String), CommandError> {
    let replica = session.replica();
    let names = session.names();
    let unit = names.unit_at(session.unit(&names, typed)?);
    let children = status::children(replica);
    let found = {
        let lookup = replica.lookup();
        let served = Some(Scope::Child(unit.id));
        children.into_iter().find(|node| lookup.scope(*node) == served)
    };
    let name = &unit.name;
    let none = || {
        CommandError::refused(
            format!("“{name}”没有直接接入本节点的节点"),
            format!("{name}: no node of its own below this one"),
        )
    };
    Ok((found.ok_or_else(none)?, name.clone()))
}

fn table(session: &Session<'_>) -> Table {
    let lang = session.lang;
    let columns = [
        ("to", lang.pick("发往", "to")),
        ("file", lang.pick("文件", "file")),
        ("blocks", lang.pick("数据块", "blocks")),
        ("bytes", lang.pick("字节", "bytes")),
    ];
    Table::new(lang.pick("已导出封套", "bundles written").to_owned(), &columns)
}

fn row(session: &Session<'_>, table: &mut Table, written: &Written) {
    let ranges = &written.packed.manifest.ranges;
    let blocks: u64 = ranges.iter().map(|range| range.last - range.first + 1).sum();
    table.push(vec![
        Cell::text(name_of(&session.replica().read(), written.to)),
        Cell::text(&written.path),
        Cell::count(blocks),
        Cell::count(written.packed.bytes.len() as u64),
    ]);
}
