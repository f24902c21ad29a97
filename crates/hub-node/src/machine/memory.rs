//! What a node remembers of a peer from one start to the next. Losing it costs resending, no more;
//! every field is checked against the journal before it is believed.

use super::Machine;
use super::inbound::Inbound;
use super::marks::Marks;
use super::outbound::Outbound;
use super::quota::Spent;
use crate::io::{JournalId, Memory, Output, Position, Start};
use crate::limits::{IN_FLIGHT_BYTES_MAX, IN_FLIGHT_DOWN_BYTES_MAX, MEMORY_BYTES_MAX};
use crate::wire::{Cursor, Reader, Receipt, WireError, Writer};
use hub_core::id::NodeId;
use hub_core::time::Millis;

/// The layout below; another one is as good as none.
const VERSION: u8 = 3;

/// A record of one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    /// Our journal when it was made …
    journal: JournalId,
    /// … and where that ended.
    end: Position,
    parent_since: Position,
    durable_at: Millis,
    /// The peer's stream as we hold it.
    inbound: Option<Cursor>,
    /// Our stream as the peer acknowledged it.
    outbound: Option<Cursor>,
    /// Of the parent: its last receipt.
    received: Option<Receipt>,
    /// Of a child: its stream's places in our journal.
    marks: Marks,
    /// Of a child: what it brought of late, facts, bytes and when.
    spent: (u64, u64, Millis),
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(vec![VERSION]);
        writer.raw(&self.journal.0);
        writer.u64(self.end);
        writer.u64(self.parent_since);
        writer.u64(self.durable_at);
        for cursor in [&self.inbound, &self.outbound] {
            writer.u8(u8::from(cursor.is_some()));
            if let Some(cursor) = cursor {
                writer.cursor(cursor);
            }
        }
        writer.u8(u8::from(self.received.is_some()));
        if let Some(receipt) = &self.received {
            receipt.write(&mut writer);
        }
        self.marks.write(&mut writer);
        writer.u64(self.spent.0);
        writer.u64(self.spent.1);
        writer.u64(self.spent.2);
        writer.0
    }

    fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > MEMORY_BYTES_MAX {
            let (expected, found) = (MEMORY_BYTES_MAX, bytes.len());
            return Err(WireError::Length { field: "memory", expected, found });
        }
        let mut reader = Reader::new(bytes);
        let version = reader.u8("memory version")?;
        if version != VERSION {
            return Err(WireError::Version(u16::from(version)));
        }
        let journal = JournalId(reader.array("journal")?);
        let (end, parent_since) = (reader.u64("end")?, reader.u64("parent since")?);
        let durable_at = reader.u64("durable at")?;
        let mut cursor = || -> Result<Option<Cursor>, WireError> {
            if reader.flag("cursor")? { reader.cursor().map(Some) } else { Ok(None) }
        };
        let (inbound, outbound) = (cursor()?, cursor()?);
        let received =
            if reader.flag("receipt")? { Some(Receipt::read(&mut reader)?) } else { None };
        let marks = Marks::read(&mut reader)?;
        let spent = (reader.u64("facts")?, reader.u64("bytes")?, reader.u64("spent at")?);
        reader.end()?;
        Ok(Self {
            journal,
            end,
            parent_since,
            durable_at,
            inbound,
            outbound,
            received,
            marks,
            spent,
        })
    }
}

impl Machine {
    pub(super) fn begin(&mut self, now: Millis, start: Box<Start>) {
        *self = Self { parent: start.parent, end: start.end, ..Self::default() };
        self.asking.begin(now);
        for memory in &start.memories {
            let Ok(record) = Record::decode(&memory.bytes) else { continue };
            if record.received.is_some() && Some(memory.peer) != start.parent {
                self.forget(memory.peer);
            } else if self.has_room_for(memory.peer)
                && record.journal == start.journal
                && record.end <= start.end
            {
                self.recall(now, memory.peer, &record);
            }
        }
        let known = start.parent.is_none_or(|parent| self.peers.contains_key(&parent));
        if let Some(parent) = start.parent {
            let end = self.end;
            let peer = self.peer(parent);
            peer.dirty = true;
            if !known {
                peer.parent_since = end;
            }
        }
        self.start = Some(start);
        if !known {
            // Kept before anything is sent: what goes by name to this parent must stay the same.
            self.remember_changes();
        }
    }

    /// Of a former parent nothing is kept.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.out.push(Output::Remember(Memory { peer, bytes: Vec::new() }));
    }

    fn recall(&mut self, now: Millis, id: NodeId, record: &Record) {
        let (end, is_parent) = (self.end, Some(id) == self.parent);
        let acked = record.outbound.filter(|cursor| cursor.position <= end);
        let peer = self.peer(id);
        peer.parent_since = record.parent_since;
        peer.durable_at = record.durable_at;
        peer.inbound = record.inbound.map(Inbound::new);
        if is_parent {
            peer.outbound = acked.map(|acked| Outbound::new(acked, IN_FLIGHT_BYTES_MAX, now));
            // It came long ago: the next one holds, whatever it says.
            peer.received = record.received.clone().map(|receipt| (receipt, 0));
        } else {
            peer.outbound = acked.map(|acked| Outbound::new(acked, IN_FLIGHT_DOWN_BYTES_MAX, now));
            peer.marks = record.marks.clone();
            let (facts, bytes, at) = record.spent;
            peer.spent = Spent::of(facts, bytes, at);
            if let (true, Some(cursor)) = (peer.marks.is_empty(), record.inbound) {
                peer.marks.note(cursor.position, end);
            }
        }
    }

    /// Gives the records that changed since they were last given.
    pub(super) fn remember_changes(&mut self) {
        let Some(start) = &self.start else { return };
        let (journal, end) = (start.journal, self.end);
        for (id, peer) in &mut self.peers {
            if !std::mem::take(&mut peer.dirty) {
                continue;
            }
            let record = Record {
                journal,
                end,
                parent_since: peer.parent_since,
                durable_at: peer.durable_at,
                inbound: peer.inbound.as_ref().map(Inbound::cursor),
                outbound: peer.outbound.as_ref().map(Outbound::acked),
                received: peer.received.as_ref().map(|(receipt, _)| receipt.clone()),
                marks: peer.marks.clone(),
                spent: peer.spent.amounts(),
            };
            self.out.push(Output::Remember(Memory { peer: *id, bytes: record.encode() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::StreamId;
    use hub_core::hash::Hash;

    #[test]
    fn a_record_reads_back_and_a_damaged_one_is_refused() {
        let stream = StreamId { journal: JournalId([3; 16]), run: 2 };
        let cursor = Cursor { stream, position: 77, hash: Hash([4; 32]) };
        let record = Record {
            journal: JournalId([1; 16]),
            end: 90,
            parent_since: 5,
            durable_at: 6,
            inbound: Some(cursor),
            outbound: None,
            received: Some(Receipt {
                receiver: NodeId([5; 16]),
                receiver_epoch: 1,
                child: NodeId([6; 16]),
                cursor,
                durable_at: 7,
                stated_at: 8,
                watermarks: Vec::new(),
                signature: [9; 64],
            }),
            marks: {
                let mut marks = Marks::default();
                marks.note(70, 80);
                marks.note(77, 90);
                marks
            },
            spent: (11, 12, 13),
        };
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes), Ok(record));
        for cut in 0..bytes.len() {
            assert!(Record::decode(&bytes[..cut]).is_err());
        }
        assert!(Record::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
}
