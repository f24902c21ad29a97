//! Putting a stream's blocks into messages: whole ones each in its own, references many in one.

use crate::io::{JournalBlock, Position};
use crate::limits::REFERENCES_MAX;
use crate::wire::{Message, Reference, References, Ship, StreamId};
use hub_core::fact::governance::ChainHeight;

/// References on their way into one message.
pub(super) struct Batch {
    /// Where the next message begins.
    pub(super) after: Position,
    blocks: Vec<Reference>,
}

impl Batch {
    pub(super) fn new(after: Position) -> Self {
        Self { after, blocks: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        stream: StreamId,
        whole: bool,
        journal_block: &JournalBlock,
        messages: &mut Vec<Message>,
    ) {
        let position = journal_block.position;
        let block = &journal_block.block;
        if whole {
            self.flush_references(stream, messages);
            let (after, block) = (self.after, block.clone());
            messages.push(Message::Ship(Ship { stream, after, position, block }));
            self.after = position;
            return;
        }
        let header = block.header();
        let (chain, height, hash) = (header.chain, header.height, block.hash());
        let block = ChainHeight { chain, height, hash };
        self.blocks.push(Reference { position, block });
        if self.blocks.len() == REFERENCES_MAX {
            self.flush_references(stream, messages);
        }
    }

    fn flush_references(&mut self, stream: StreamId, messages: &mut Vec<Message>) {
        if let Some(last) = self.blocks.last() {
            let (end, after) = (last.position, self.after);
            let blocks = std::mem::take(&mut self.blocks);
            messages.push(Message::References(References { stream, after, blocks, end }));
            self.after = end;
        }
    }

    /// The rest, with a tail up to `end`.
    pub(super) fn flush(mut self, stream: StreamId, end: Position, messages: &mut Vec<Message>) {
        if self.blocks.is_empty() && end <= self.after {
            return;
        }
        let after = self.after;
        let blocks = std::mem::take(&mut self.blocks);
        messages.push(Message::References(References { stream, after, blocks, end }));
    }
}
