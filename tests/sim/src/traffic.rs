//! What is sent: counted, checked, and then lost, doubled, delayed or delivered.

use crate::courier::Parcel;
use crate::world::{Happening, World};
use hub_core::hash::Hash;
use hub_core::id::NodeId;
use hub_core::time::Millis;
use hub_node::io::{Channel, Event, Hold, JournalBlock, Origin};
use hub_node::wire::{Message, Receipt, extend};

impl World {
    pub(crate) fn send(
        &mut self,
        from: usize,
        to: NodeId,
        channel: Channel,
        bytes: Vec<u8>,
        message_id: Hash,
    ) -> Result<(), String> {
        let Some(to) = self.names.index(to) else { return Err("sent to nobody".into()) };
        let message = Message::decode(&bytes, crate::replica::federation())
            .map_err(|error| format!("sent what does not decode: {error}"))?;
        self.tally.count(name(&message));
        if let Message::Receipt(receipt) = &message {
            self.check_receipt(from, to, receipt)?;
        }
        if let Message::Loose(block) | Message::Ship(hub_node::wire::Ship { block, .. }) = &message
        {
            self.check_privacy(to, block)?;
        }
        if self.is_cut(from, to) || self.random.percent(self.faults.loss) {
            self.tally.count("fault: message lost");
            return Ok(());
        }
        let mut copies = 1;
        if self.random.percent(self.faults.duplicates) {
            self.tally.count("fault: message doubled");
            copies = 2;
        }
        if channel == Channel::Up {
            let parcel = Parcel { from, to, bytes };
            let Some(delivery) = self.courier.take(self.now, message_id, parcel) else {
                self.tally.count("courier: known message dropped");
                return Ok(());
            };
            for _ in 0..copies {
                let delay = self.delay();
                self.later(delay, Happening::Parcel(delivery));
            }
            return Ok(());
        }
        for _ in 0..copies {
            let delay = self.delay();
            let bytes = bytes.clone();
            self.later(delay, Happening::Message { from, to, channel, bytes });
        }
        Ok(())
    }

    fn delay(&mut self) -> Millis {
        if self.random.percent(self.faults.stragglers) {
            self.tally.count("fault: message delayed past others");
            return self.random.between(200, self.faults.straggle_millis);
        }
        self.random.between(1, self.faults.delay_millis)
    }

    pub(crate) fn note(&mut self, event: &Event) {
        self.tally.count(match event {
            Event::Held { why: Hold::Gap, .. } => "rule: held for a gap",
            Event::Held { why: Hold::UnknownKey, .. } => "rule: held for a key",
            Event::Held { why: Hold::Door, .. } => "rule: held at the door",
            Event::Refused { .. } => "rule: delivery refused",
            Event::OverQuota { .. } => "rule: over quota, put off",
            Event::Forked { .. } => "rule: fork proven",
            Event::StreamRestarted { .. } => "rule: stream begun anew",
            Event::ReceiptWentBack { .. } => "rule: receipt went back",
            Event::ParentAhead { .. } => "rule: parent ahead of our own chains",
            Event::BadReceipt { .. } => "rule: receipt of unknown key left",
            Event::ComparedWithParent => "rule: compared with parent",
            _ => "rule: another",
        });
    }

    /// Notes what a receipt covers and demands that it is durably there.
    fn check_receipt(&mut self, from: usize, to: usize, receipt: &Receipt) -> Result<(), String> {
        let cursor = receipt.cursor;
        if receipt.watermarks.len() == 3 && receipt.watermarks.iter().all(|mark| mark.position > 0)
        {
            self.tally.count("rule: watermark of three ancestors");
        }
        if self.checked.insert((from, to), cursor.hash) == Some(cursor.hash) {
            return Ok(());
        }
        let child = &self.replicas[to];
        if child.disk.id != cursor.stream.journal {
            return Ok(());
        }
        let to_there = || child.disk.durable().iter().filter(|b| b.position <= cursor.position);
        // to a parent it came to later it names what former ones said
        let since = child.parent_since.unwrap_or(0);
        let plain = to_there().filter(|b| b.origin != Origin::Parent).collect();
        let named = |b: &&JournalBlock| b.origin != Origin::Parent || b.position <= since;
        let with_former = to_there().filter(named).collect();
        let is_meant = |covered: &Vec<&JournalBlock>| {
            let hashes = covered.iter().map(|journal_block| journal_block.block.hash());
            hashes.fold(Hash::ZERO, extend) == cursor.hash
        };
        let ways: [Vec<&JournalBlock>; 2] = [plain, with_former];
        let Some(covered) = ways.into_iter().find(is_meant) else {
            // Of what the child's journal held before it was restored.
            self.tally.count("rule: receipt of another past");
            return Ok(());
        };
        let receipted = self.receipted.entry((from, to)).or_default();
        for journal_block in covered {
            let hash = journal_block.block.hash();
            if !self.replicas[from].disk.holds(&hash) {
                return Err(format!("{from} receipted {journal_block:?} of {to} and lacks it"));
            }
            receipted.insert(hash);
        }
        Ok(())
    }
}

fn name(message: &Message) -> &'static str {
    match message {
        Message::Ship(_) => "sent: block of a stream",
        Message::References(_) => "sent: references",
        Message::Loose(_) => "sent: wanted block",
        Message::Receipt(_) => "sent: receipt",
        Message::Ask(_) => "sent: ask",
        Message::Want(_) => "sent: want",
        Message::WakeUp => "sent: wake-up",
        Message::Ahead(_) => "sent: answer to a frontier",
        Message::EnrolRequest(_) | Message::EnrolAnswer(_) => "sent: enrolment",
    }
}
