//! What a neighbour says by telephone: given for a child, taken from the parent. It moves where the next export
//! begins, and is shown apart from signed receipts; nothing else follows from it.

use super::{BundleFailure, Desk, Order, Shelf, Spoken, Subject, make, secret_of};
use crate::config::Node;
use crate::keys::KeyError;
use crate::replica::{Backlog, LocalPosition, Replica};
use hub_core::id::NodeId;
use hub_core::time::Millis;
use hub_log::Origin;
use hub_node::bundle::Packed;
use hub_node::io::{Context, Position};
use hub_node::limits::{BUNDLE_BYTES_MAX, READ_BYTES};
use hub_node::machine::Machine;
use hub_node::wire::{Cursor, Message, extend};
use serde::{Deserialize, Serialize};
use std::io;

/// What the parent last said by telephone, beyond what it has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When it was typed, by this node's clock.
    pub at: Millis,
    /// Whether it then held all that this node has written by now.
    pub complete: bool,
    /// What was written since; none when it is too much to count.
    pub behind: Option<Backlog>,
}

/// Why a spoken receipt is not given or not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotTold {
    /// Nothing of the child is here, or more than the digits can name.
    Nothing,
    /// A signed receipt already goes further.
    Older,
    /// It is not the parent's word about this journal.
    Wrong,
    /// A key cannot be read.
    Key(KeyError),
    /// The node itself.
    Bundle(BundleFailure),
}

impl From<BundleFailure> for NotTold {
    fn from(error: BundleFailure) -> Self {
        Self::Bundle(error)
    }
}

impl From<KeyError> for NotTold {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// The newest spoken receipt for a child.
///
/// # Errors
/// Nothing of it is here.
pub fn issue(replica: &Replica, desk: &Desk, child: NodeId) -> Result<Spoken, NotTold> {
    let who = replica.who();
    let status = desk.machine()?.status();
    let peer = status.below.into_iter().find(|peer| peer.node == child);
    let cursor = peer.and_then(|peer| peer.inbound).filter(|cursor| cursor.position > 0);
    let cursor = cursor.ok_or(NotTold::Nothing)?;
    let own = replica.keys().signing_key(who.epoch)?;
    let theirs = keys_of(replica, child).pop().ok_or(NotTold::Nothing)?;
    let secret = secret_of(&own, &theirs).ok_or(NotTold::Nothing)?;
    let subject = Subject { federation: who.federation, receiver: who.node, child, cursor };
    Spoken::of(&subject, &secret).ok_or(NotTold::Nothing)
}

/// Takes what the parent said: the next export goes on from there. Returns how many facts of this node stand
/// behind that.
///
/// # Errors
/// It does not fit this node's journal and the parent's key, or is older than what is signed; then nothing
/// changes.
pub fn take(
    replica: &Replica,
    desk: &Desk,
    shelf: &Shelf,
    (parent, spoken): (NodeId, Spoken),
) -> Result<u64, NotTold> {
    let who = replica.who();
    let machine = desk.machine()?;
    let signed = signed(&machine);
    if signed.is_some_and(|signed| spoken.position <= signed.position) {
        return Err(NotTold::Older);
    }
    if spoken.position > replica.end().0 {
        return Err(NotTold::Wrong);
    }
    let cursor = cursor_at(replica, machine, parent, spoken.position)?;
    let subject = Subject { federation: who.federation, receiver: parent, child: who.node, cursor };
    let mut own = Vec::new();
    for epoch in 1..=who.epoch {
        own.push(replica.keys().signing_key(epoch)?);
    }
    let theirs = keys_of(replica, parent);
    let fits = own.iter().rev().any(|own| {
        let secrets = theirs.iter().rev().filter_map(|theirs| secret_of(own, theirs));
        secrets.into_iter().any(|secret| Spoken::of(&subject, &secret) == Some(spoken))
    });
    if !fits {
        return Err(NotTold::Wrong);
    }
    shelf.note_told(parent, &cursor, replica.now())?;
    shelf.note_sent(parent, &cursor)?;
    Ok(own_facts_after(replica, LocalPosition(cursor.position)))
}

/// How many facts this node wrote into its journal after a position.
fn own_facts_after(replica: &Replica, position: LocalPosition) -> u64 {
    let (mut after, mut facts) = (position, 0);
    loop {
        let (blocks, end) = replica.read_after(after, READ_BYTES);
        let own = blocks.iter().filter(|block| block.origin == Origin::Own);
        facts += own.map(|block| u64::from(block.block.header().count)).sum::<u64>();
        if end <= after {
            return facts;
        }
        after = end;
    }
}

/// What the parent last said by telephone about this journal, unless a signed receipt goes as far.
pub fn told(node: &Node, replica: &Replica, signed: Option<Cursor>) -> Option<Told> {
    let shelf = Shelf::open(&node.data_dir()).ok()?;
    let (cursor, at) = shelf.told(replica.parent()?).ok()??;
    let same = cursor.stream.journal.0 == replica.journal().id().0;
    let further = signed.is_none_or(|signed| signed.position < cursor.position);
    (same && further).then(|| Told {
        at,
        complete: cursor.position >= replica.last_own().0,
        behind: replica.backlog(LocalPosition(cursor.position)),
    })
}

/// How far the parent has signed that it holds this node's stream.
fn signed(machine: &Machine) -> Option<Cursor> {
    machine.status().parent.and_then(|parent| parent.outbound).filter(|cursor| cursor.position > 0)
}

/// The keys of a node in its epochs, oldest first.
fn keys_of(replica: &Replica, node: NodeId) -> Vec<[u8; 32]> {
    let epochs: Vec<u32> = replica.read().authority().epochs_of(node).collect();
    let lookup = replica.lookup();
    epochs.into_iter().filter_map(|epoch| lookup.key(node, epoch)).collect()
}

/// Where this node's stream to the parent stands at a position beyond what is signed: told by what would go
/// into a bundle.
fn cursor_at(
    replica: &Replica,
    machine: Machine,
    parent: NodeId,
    position: Position,
) -> Result<Cursor, BundleFailure> {
    let federation = replica.who().federation;
    let start = signed(&machine).or_else(|| machine.outbound_stream(parent).map(Cursor::start));
    let start = start.ok_or(BundleFailure::Stranger { found: parent })?;
    let mut hash = start.hash;
    let mut read = |packed: Packed| -> io::Result<()> {
        let bundle = hub_node::bundle::decode(&packed.bytes).map_err(io::Error::other)?;
        for bytes in &bundle.messages {
            let blocks = match Message::decode(bytes, federation) {
                Ok(Message::Ship(ship)) => vec![(ship.position, ship.block.hash())],
                Ok(Message::References(references)) => {
                    let blocks = references.blocks.iter();
                    blocks.map(|named| (named.position, named.block.hash)).collect()
                }
                _ => Vec::new(),
            };
            for (_, block) in blocks.into_iter().filter(|(at, _)| *at <= position) {
                hash = extend(hash, block);
            }
        }
        Ok(())
    };
    let order =
        Order { peer: parent, from: None, answers: Vec::new(), bytes_max: BUNDLE_BYTES_MAX };
    let made = make(replica, machine, order, &mut read)?;
    Ok(Cursor { stream: made.begins.stream, position, hash })
}
