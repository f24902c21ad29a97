//! Writing what a neighbour lacks, and noting what was written: the same for files a command asks for and
//! for those a courier puts into its folder.

use super::{BundleFailure, Desk, Made, Order, Shelf, make};
use crate::replica::Replica;
use hub_core::id::NodeId;
use hub_node::bundle::Packed;
use hub_node::wire::Cursor;
use std::io;

/// From where on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Since {
    /// What the other side has not receipted, as far as bundles or messages from it told.
    #[default]
    Receipt,
    /// What no export before this one brought: for gates through which no receipt comes back.
    LastExport,
    /// Everything, for a receiver that lost or never had it.
    Start,
}

/// Makes bundles for one peer and hands each to `write`; when all are written, what was sent is noted.
///
/// # Errors
/// The peer is a stranger, nothing can be signed, or `write` fails.
pub fn send(
    replica: &Replica,
    desk: &Desk,
    shelf: &Shelf,
    (peer, since, bytes_max): (NodeId, Since, usize),
    write: &mut dyn FnMut(Packed) -> io::Result<()>,
) -> Result<Made, BundleFailure> {
    let machine = desk.machine()?;
    let from = match since {
        Since::Receipt => None,
        Since::LastExport => shelf.sent(peer)?,
        Since::Start => machine.outbound_stream(peer).map(Cursor::start),
    };
    let order = Order { peer, from, answers: shelf.answers(peer)?, bytes_max };
    let made = make(replica, machine, order, write)?;
    shelf.note_sent(peer, &made.ends)?;
    shelf.forget_answers(peer)?;
    Ok(made)
}
