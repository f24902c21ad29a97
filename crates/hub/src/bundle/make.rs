//! Making bundles: the machine's messages for one peer, into files.

use super::BundleFailure;
use crate::daemon::read_journal;
use crate::replica::Replica;
use hub_core::id::NodeId;
use hub_node::bundle::{Heading, Packed, Packer};
use hub_node::io::{Context, Input, Output};
use hub_node::machine::Machine;
use hub_node::wire::{Cursor, Message};
use std::collections::VecDeque;
use std::io;

/// What bundles are wanted.
#[derive(Debug, Clone)]
pub struct Order {
    /// For whom.
    pub peer: NodeId,
    /// From this place of this node's stream on; from the peer's last receipt if none, or if it is a
    /// place of another stream.
    pub from: Option<Cursor>,
    /// What earlier bundles of the peer asked for.
    pub answers: Vec<Vec<u8>>,
    /// How long the messages of one bundle may be together.
    pub bytes_max: usize,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Where the first bundle begins.
    pub begins: Cursor,
    /// Where the last one ends.
    pub ends: Cursor,
}

/// Makes bundles from a copy of the node's machine and hands each to `write`.
///
/// # Errors
/// The peer is a stranger, nothing can be signed, or `write` fails.
pub fn make(
    replica: &Replica,
    machine: Machine,
    order: Order,
    write: &mut dyn FnMut(Packed) -> io::Result<()>,
) -> Result<Made, BundleFailure> {
    let peer = order.peer;
    if replica.lookup().sign(b"") == [0; 64] {
        return Err(BundleFailure::NoKey);
    }
    let (mut machine, now) = (machine, replica.now());
    let begins = machine.open_parcel(now, peer, order.from, &replica.lookup());
    let begins = begins.ok_or(BundleFailure::Stranger { found: peer })?;
    let who = replica.who();
    let heading = Heading {
        federation: who.federation,
        from: who.node,
        from_epoch: who.epoch,
        to: peer,
        upwards: replica.parent() == Some(peer),
        made_at: now,
    };
    let mut making =
        Making { replica, peer, packer: Packer::new(heading, begins, order.bytes_max), write };
    for answer in order.answers {
        // The shelf is not trusted: what is no answer is left out, and asked for again.
        let message = Message::decode(&answer, who.federation);
        if matches!(message, Ok(Message::Loose(_) | Message::Want(_) | Message::Ahead(_))) {
            making.add(answer)?;
        }
    }
    let up_to = replica.end().0;
    let mut reads: VecDeque<Input> = VecDeque::new();
    loop {
        let input = reads.pop_front().unwrap_or(Input::LocalAppended { up_to });
        let outputs = machine.step(now, input, &replica.lookup());
        let moved = making.carry_out(outputs, &mut reads)?;
        machine.assume_arrived(now, peer);
        if !moved && reads.is_empty() {
            break;
        }
    }
    let last = machine.close_parcel(now, peer, &replica.lookup());
    making.carry_out(last, &mut reads)?;
    making.finish(begins)
}

struct Making<'a> {
    replica: &'a Replica,
    peer: NodeId,
    packer: Packer,
    write: &'a mut dyn FnMut(Packed) -> io::Result<()>,
}

impl Making<'_> {
    fn add(&mut self, message: Vec<u8>) -> Result<(), BundleFailure> {
        let lookup = self.replica.lookup();
        let packed = self.packer.add(message, |bytes| lookup.sign(bytes))?;
        drop(lookup);
        match packed {
            Some(packed) => (self.write)(packed).map_err(BundleFailure::Output),
            None => Ok(()),
        }
    }

    /// Packs what is for the peer and answers reads; whether there was a message.
    fn carry_out(
        &mut self,
        outputs: Vec<Output>,
        reads: &mut VecDeque<Input>,
    ) -> Result<bool, BundleFailure> {
        let mut moved = false;
        for output in outputs {
            match output {
                Output::Send { to, bytes, .. } if to == self.peer => {
                    self.add(bytes)?;
                    moved = true;
                }
                Output::ReadJournal { reader, after, max_bytes } => {
                    reads.push_back(read_journal(self.replica, reader, after, max_bytes));
                }
                _ => {}
            }
        }
        Ok(moved)
    }

    fn finish(self, begins: Cursor) -> Result<Made, BundleFailure> {
        let ends = self.packer.ends();
        let lookup = self.replica.lookup();
        let packed = self.packer.finish(|bytes| lookup.sign(bytes))?;
        drop(lookup);
        if let Some(packed) = packed {
            (self.write)(packed).map_err(BundleFailure::Output)?;
        }
        Ok(Made { begins, ends })
    }
}
