//! One stream as its sender knows it: what is acknowledged, what is in flight, where to read on.

use super::batch::Batch;
use crate::io::{JournalBlock, Position};
use crate::limits::{IN_FLIGHT_MESSAGES_MAX, RESEND_MILLIS, RESEND_MILLIS_MAX};
use crate::wire::{Cursor, Message, References, StreamId, extend};
use hub_core::hash::Hash;
use hub_core::time::Millis;
use std::collections::VecDeque;

/// The bytes a reference counts for in flight.
const REFERENCE_BYTES: usize = 85;

/// How one block of the journal goes on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Not at all.
    Skip,
    /// By name; the receiver wants it if it lacks it.
    Refer,
    /// Whole.
    Ship,
}

/// What an acknowledgement told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    /// More, or what was known.
    Fine,
    /// The receiver lost ground.
    Back {
        /// From here.
        from: Position,
        /// To here.
        to: Position,
    },
    /// The receiver holds more of this stream than our journal has: ours lost ground.
    Ahead,
    /// The stream begins anew.
    Restarted,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    end: Position,
    hash: Hash,
    bytes: usize,
}

/// Invariant: `sent` is where the last entry of `flight` ends, or `acked` when there is none.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    stream: StreamId,
    acked: Cursor,
    sent: Cursor,
    /// Where the next read begins; beyond `sent` there was nothing for the receiver.
    read: Position,
    flight: VecDeque<Flight>,
    flight_bytes: usize,
    flight_bytes_max: usize,
    /// Up to here blocks go by name.
    refer_to: Position,
    /// Read without sending up to this cursor, then compare.
    silent_to: Option<Cursor>,
    /// Whether the receiver can take anything now.
    pub(super) active: bool,
    /// When the receiver last moved, or something was sent again.
    progress_at: Millis,
    /// When the receiver last moved, or first had something to move for.
    moved_at: Millis,
    resend_after: Millis,
    /// Rises when the receiver lost ground, so that no courier takes what is sent again for known.
    attempt: u64,
}

impl Outbound {
    pub(super) fn new(acked: Cursor, flight_bytes_max: usize, now: Millis) -> Self {
        Self {
            stream: acked.stream,
            acked,
            sent: acked,
            read: acked.position,
            flight: VecDeque::new(),
            flight_bytes: 0,
            flight_bytes_max,
            refer_to: 0,
            silent_to: None,
            active: false,
            progress_at: now,
            moved_at: now,
            resend_after: RESEND_MILLIS,
            attempt: 0,
        }
    }

    /// Names what is sent from here on.
    pub(super) fn attempt(&self) -> u64 {
        self.attempt
    }

    pub(super) fn acked(&self) -> Cursor {
        self.acked
    }

    /// Where the next read begins, if there is something to read and room to send it.
    pub(super) fn reads_after(&self, end: Position) -> Option<Position> {
        let room =
            self.flight_bytes < self.flight_bytes_max && self.flight.len() < IN_FLIGHT_MESSAGES_MAX;
        let reads = self.active && self.read < end;
        (reads && (room || self.silent_to.is_some())).then_some(self.read)
    }

    /// Whether everything up to `end` is acknowledged.
    pub(super) fn is_settled(&self, end: Position) -> bool {
        self.acked.position >= end
    }

    /// Whether the receiver has not moved for so long though something is in flight.
    pub(super) fn is_stalled(&self, now: Millis, patience: Millis) -> bool {
        !self.flight.is_empty() && now >= self.moved_at.saturating_add(patience)
    }

    /// Whether everything up to `end` was sent.
    pub(super) fn is_sent(&self, end: Position) -> bool {
        self.read >= end
    }

    /// Goes back to what is acknowledged and sends from there.
    pub(super) fn rewind(&mut self, now: Millis) {
        self.sent = self.acked;
        self.read = self.acked.position;
        self.flight.clear();
        self.flight_bytes = 0;
        self.silent_to = None;
        self.progress_at = now;
    }

    /// Goes on from a place of this stream that the receiver never spoke of, whole blocks from its
    /// beginning on if it is that; whether it is one of this stream.
    pub(super) fn resume_at(&mut self, cursor: Cursor, end: Position, now: Millis) -> bool {
        if cursor.stream != self.stream || cursor.position > end {
            return false;
        }
        if cursor.position == 0 {
            self.refer_to = 0;
        }
        self.acked = cursor;
        self.rewind(now);
        true
    }

    /// Takes all that is in flight as arrived.
    pub(super) fn arrive(&mut self, now: Millis) {
        self.land(self.sent, now);
    }

    /// Begins the stream anew; blocks already in the journal go by name.
    pub(super) fn restart(&mut self, run: u32, end: Position, now: Millis) {
        self.stream.run = run;
        self.acked = Cursor::start(self.stream);
        self.refer_to = end;
        self.attempt = now;
        self.rewind(now);
    }

    /// Sends again what has been in flight too long; whether it did. Not before the receiver was heard since: while
    /// it is away a courier that keeps all would only fill up.
    pub(super) fn resend_if_stalled(&mut self, now: Millis, heard_at: Millis) -> bool {
        let waits = now < self.progress_at.saturating_add(self.resend_after);
        if self.flight.is_empty() || waits || heard_at <= self.progress_at {
            return false;
        }
        self.resend_after = (self.resend_after * 2).min(RESEND_MILLIS_MAX);
        self.rewind(now);
        true
    }

    /// Forgets the growing patience: the courier works again.
    pub(super) fn reset_patience(&mut self) {
        self.resend_after = RESEND_MILLIS;
    }

    /// The receiver says how far it holds the stream. `trusting`: a cursor beyond what was sent is taken at its
    /// word (a child knows best what it holds); else the journal is read to there first and compared.
    pub(super) fn acknowledge(
        &mut self,
        cursor: Cursor,
        end: Position,
        trusting: bool,
        now: Millis,
    ) -> Ack {
        let theirs = cursor.stream;
        if theirs.journal != self.stream.journal || theirs.run < self.stream.run {
            // It knows another stream of ours, or none; what it then holds is found out by name.
            if self.acked.position > 0 {
                self.restart(self.stream.run, end, now);
                return Ack::Restarted;
            }
            if cursor.position > 0 && self.refer_to == 0 {
                self.restart(self.stream.run, end, now);
            }
            return Ack::Fine;
        }
        if theirs.run > self.stream.run {
            self.restart(theirs.run.saturating_add(1), end, now);
            return Ack::Restarted;
        }
        if cursor.position > end {
            self.restart(self.stream.run.saturating_add(1), end, now);
            return Ack::Ahead;
        }
        self.acknowledge_same(cursor, end, trusting, now)
    }

    fn acknowledge_same(
        &mut self,
        cursor: Cursor,
        end: Position,
        trusting: bool,
        now: Millis,
    ) -> Ack {
        if cursor.position < self.acked.position {
            let (from, to) = (self.acked.position, cursor.position);
            self.acked = cursor;
            self.attempt = now;
            if to == 0 {
                self.refer_to = end;
            }
            self.rewind(now);
            return Ack::Back { from, to };
        }
        if cursor.position > self.sent.position {
            if trusting {
                self.acked = cursor;
                self.rewind(now);
            } else {
                self.silent_to = Some(cursor);
            }
            return Ack::Fine;
        }
        let hash = if cursor.position == self.acked.position {
            Some(self.acked.hash)
        } else {
            self.flight.iter().find(|entry| entry.end == cursor.position).map(|entry| entry.hash)
        };
        match hash {
            Some(hash) if hash != cursor.hash => {
                self.restart(self.stream.run.saturating_add(1), end, now);
                Ack::Restarted
            }
            Some(_) => {
                self.land(cursor, now);
                Ack::Fine
            }
            // Between two ends of what is in flight: the receiver is midway, the rest will follow.
            None => Ack::Fine,
        }
    }

    fn land(&mut self, cursor: Cursor, now: Millis) {
        if cursor.position > self.acked.position {
            self.progress_at = now;
            self.moved_at = now;
            self.resend_after = RESEND_MILLIS;
        }
        self.acked = cursor;
        while let Some(first) = self.flight.front()
            && first.end <= cursor.position
        {
            self.flight_bytes -= first.bytes;
            self.flight.pop_front();
        }
    }

    /// Takes blocks read after the position asked for, and gives the messages to send.
    pub(super) fn feed(
        &mut self,
        read: &Read<'_>,
        way: impl Fn(&JournalBlock) -> Way,
    ) -> Vec<Message> {
        if self.flight.is_empty() {
            self.progress_at = read.now;
            if self.acked.position >= self.read {
                self.moved_at = read.now;
            }
        }
        let mut messages = Vec::new();
        let mut batch = Batch::new(self.sent.position);
        let mut full = false;
        for journal_block in read.blocks {
            let way = match way(journal_block) {
                Way::Ship if journal_block.position <= self.refer_to => Way::Refer,
                way => way,
            };
            if way == Way::Skip {
                self.read = journal_block.position;
                continue;
            }
            if let Some(named) = self.silent_to {
                let goes_on = self.listen(journal_block, named, read);
                batch.after = self.sent.position;
                match goes_on {
                    Silence::Kept => continue,
                    Silence::Agreed => {}
                    Silence::Broken => return Vec::new(),
                }
            }
            if self.is_full() {
                full = true;
                break;
            }
            self.send(way, journal_block, &mut batch, &mut messages);
        }
        if !full {
            self.read = self.read.max(read.end);
        }
        if let Some(named) = self.silent_to
            && self.read >= named.position
        {
            if !self.compare(named, read) {
                return Vec::new();
            }
            batch.after = self.sent.position;
        }
        if read.pass {
            self.pass_tail();
        }
        batch.flush(self.stream, self.sent.position, &mut messages);
        messages
    }

    /// Tells the receiver of a tail that holds nothing for it, so that its next ask begins there.
    pub(super) fn pass(&mut self) -> Option<Message> {
        let after = self.sent.position;
        self.pass_tail();
        let (stream, end) = (self.stream, self.sent.position);
        let blocks = Vec::new();
        (end > after).then_some(Message::References(References { stream, after, blocks, end }))
    }

    fn pass_tail(&mut self) {
        if self.silent_to.is_none() && self.read > self.sent.position {
            self.sent.position = self.read;
            self.flight.push_back(Flight { end: self.read, hash: self.sent.hash, bytes: 0 });
        }
    }

    fn send(
        &mut self,
        way: Way,
        journal_block: &JournalBlock,
        batch: &mut Batch,
        messages: &mut Vec<Message>,
    ) {
        let position = journal_block.position;
        let hash = extend(self.sent.hash, journal_block.block.hash());
        self.sent = Cursor { stream: self.stream, position, hash };
        self.read = position;
        let whole = way == Way::Ship;
        let bytes = if whole { journal_block.block.bytes().len() } else { REFERENCE_BYTES };
        self.flight.push_back(Flight { end: position, hash, bytes });
        self.flight_bytes += bytes;
        batch.add(self.stream, whole, journal_block, messages);
    }

    fn is_full(&self) -> bool {
        self.flight_bytes >= self.flight_bytes_max || self.flight.len() >= IN_FLIGHT_MESSAGES_MAX
    }

    /// In silence nothing is sent up to the cursor the receiver named; there the two must agree.
    fn listen(&mut self, journal_block: &JournalBlock, named: Cursor, read: &Read<'_>) -> Silence {
        let position = journal_block.position;
        if position <= named.position {
            let hash = extend(self.sent.hash, journal_block.block.hash());
            self.sent = Cursor { stream: self.stream, position, hash };
            self.read = position;
            if position < named.position || self.compare(named, read) {
                return Silence::Kept;
            }
            return Silence::Broken;
        }
        if self.compare(named, read) { Silence::Agreed } else { Silence::Broken }
    }

    fn compare(&mut self, named: Cursor, read: &Read<'_>) -> bool {
        self.silent_to = None;
        if self.sent.hash != named.hash {
            self.restart(self.stream.run.saturating_add(1), read.own_end, read.now);
            return false;
        }
        self.acked = named;
        self.sent = named;
        self.read = self.read.max(named.position);
        true
    }
}

enum Silence {
    Kept,
    Agreed,
    Broken,
}

/// What was read of the journal.
pub(super) struct Read<'a> {
    /// The blocks.
    pub(super) blocks: &'a [JournalBlock],
    /// Where reading goes on.
    pub(super) end: Position,
    /// Where the journal ends.
    pub(super) own_end: Position,
    /// Whether to tell the receiver at once of a tail that holds nothing for it.
    pub(super) pass: bool,
    /// The time.
    pub(super) now: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::JournalId;

    #[test]
    fn a_receiver_of_another_past_begins_the_stream_anew() {
        let start = Cursor::start(StreamId { journal: JournalId([1; 16]), run: 0 });
        let here = Cursor { position: 3, hash: Hash([3; 32]), ..start };
        let mut out = Outbound::new(here, 1 << 20, 0);
        let there = Cursor { hash: Hash([4; 32]), ..here };
        assert_eq!(out.acknowledge(here, 3, false, 1), Ack::Fine);
        assert_eq!(out.acknowledge(there, 3, false, 2), Ack::Restarted);
        assert_eq!((out.acked().position, out.acked().stream.run), (0, 1));
    }

    #[test]
    fn a_tail_passed_over_is_acknowledged_though_all_was_sent_again() {
        let stream = StreamId { journal: JournalId([1; 16]), run: 0 };
        let start = Cursor::start(stream);
        let mut out = Outbound::new(start, 1 << 20, 0);
        out.active = true;
        // nothing that was read is for the receiver
        let read = Read { blocks: &[], end: 3, own_end: 3, pass: false, now: 0 };
        assert!(out.feed(&read, |_| Way::Skip).is_empty());
        assert!(out.pass().is_some());
        out.rewind(1);
        assert!(out.feed(&read, |_| Way::Skip).is_empty());
        let told = Cursor { position: 3, ..start };
        assert_eq!(out.acknowledge(told, 3, true, 2), Ack::Fine);
        assert!(out.is_settled(3) && out.reads_after(3).is_none());
    }
}
