//! The ways into a node: what comes in on each, and what it means that it was accepted.

use super::frame::{self, AnswerParts, BundleParts};
use super::mutator::Mutator;
use super::stage::{Stage, Valid, machine};
use super::{MutantError, Tally};
use hub_core::SigningKey;
use hub_core::block::Block;
use hub_node::io::{Channel, Context, Event, Input, Output};
use hub_node::machine::Machine;
use hub_node::wire::{HEADER_BYTES, Message};
use serde::Serialize;

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A block of a child's stream.
    Block,
    /// A bundle.
    Bundle,
    /// A receipt of the parent.
    Receipt,
    /// The answer to an enrolment, with its chain file.
    ChainFile,
    /// A request to be enrolled.
    Request,
    /// A child's ask.
    Ask,
    /// The body of a block that a hostile child signs with its own good key.
    Body,
}

/// One thread's view of the stage.
pub(super) struct Tried<'a> {
    stage: &'a Stage,
    valid: &'a Valid,
    stranger: SigningKey,
    province: Machine,
    city: Machine,
}

/// What became of one mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Refused.
    Refused,
    /// It waits for what is not there; nothing of it counts.
    Waits,
    /// It was no mutant after all: byte for byte what is valid.
    Valid,
    /// Taken though nobody made it.
    Foreign,
}

/// Where the block begins in a message that ships one: header, stream, two positions.
const SHIPPED: usize = HEADER_BYTES + 20 + 16;

impl<'a> Tried<'a> {
    pub(super) fn new(stage: &'a Stage) -> Result<Self, MutantError> {
        Ok(Self {
            stage,
            valid: &stage.valid,
            stranger: stage.stranger(),
            province: machine(&stage.province)?,
            city: machine(&stage.city)?,
        })
    }

    /// Makes one mutant and has it tried.
    pub(super) fn mutant(&mut self, entry: Entry, mutator: &mut Mutator) -> Fate {
        match entry {
            Entry::Block => self.block(mutator),
            Entry::Bundle => self.bundle(mutator),
            Entry::Receipt => self.receipt(mutator),
            Entry::ChainFile => self.chain_file(mutator),
            Entry::Request => self.request(mutator),
            Entry::Ask => self.ask(mutator),
            Entry::Body => self.body(mutator),
        }
    }

    /// A changed block, its framing mostly made to fit; now and then signed by a stranger.
    fn changed_block(&self, block: &[u8], mutator: &mut Mutator) -> Vec<u8> {
        let mut bytes = block.to_vec();
        let other = mutator.pick(&self.valid.blocks);
        mutator.change(&mut bytes, other);
        if mutator.percent(80) {
            frame::block(&mut bytes);
        }
        if mutator.percent(10) {
            frame::sign_block(&mut bytes, &self.stranger);
        }
        bytes
    }

    fn changed_message(&self, message: &[u8], mutator: &mut Mutator) -> Vec<u8> {
        let mut bytes = message.to_vec();
        if message.len() > SHIPPED && mutator.percent(80) {
            let block = self.changed_block(&message[SHIPPED..], mutator);
            bytes.truncate(SHIPPED);
            bytes.extend(block);
        } else {
            let other = mutator.pick(&self.valid.ships);
            mutator.change(&mut bytes, other);
        }
        bytes
    }

    fn block(&mut self, mutator: &mut Mutator) -> Fate {
        let message = mutator.pick(&self.valid.ships);
        let bytes = self.changed_message(message, mutator);
        let from = self.stage.city.who().node;
        let input = Input::Received { from, channel: Channel::Up, bytes, delivery: Some(1) };
        let province = &self.stage.province;
        let outputs = self.province.step(province.now(), input, &province.lookup());
        self.fate(&outputs)
    }

    /// Whether blocks that a node takes are all among the valid ones.
    fn fate(&self, outputs: &[Output]) -> Fate {
        let known =
            |block: &Block| self.valid.blocks.iter().any(|valid| valid[..] == block.bytes()[..]);
        let mut fate = Fate::Refused;
        for output in outputs {
            let all_known = match output {
                Output::Store(batch) => batch.iter().all(|storing| known(&storing.block)),
                Output::Report(Event::Held { .. }) => {
                    fate = Fate::Waits;
                    continue;
                }
                _ => continue,
            };
            if !all_known {
                return Fate::Foreign;
            }
            fate = Fate::Valid;
        }
        fate
    }

    fn bundle(&mut self, mutator: &mut Mutator) -> Fate {
        let (whole, messages) = mutator.pick(&self.valid.bundles);
        let bytes = if mutator.percent(25) {
            let mut bytes = whole.clone();
            let (other, _) = mutator.pick(&self.valid.bundles);
            mutator.change(&mut bytes, other);
            bytes
        } else {
            let mut parts = BundleParts::of(whole, messages);
            if mutator.percent(60) {
                let at = mutator.index(parts.messages.len());
                parts.messages[at] = self.changed_message(&parts.messages[at], mutator);
            } else {
                mutator.change(&mut parts.manifest, whole);
            }
            parts.joined(mutator.percent(20).then_some(&self.stranger))
        };
        let Ok(bundle) = hub_node::bundle::decode(&bytes) else { return Fate::Refused };
        let maker = (bundle.manifest.from, bundle.manifest.from_epoch);
        let Some(key) = self.stage.province.lookup().key(maker.0, maker.1) else {
            return Fate::Refused;
        };
        if bundle.verify(&key).is_err() {
            return Fate::Refused;
        }
        let known = self.valid.bundles.iter().any(|(valid, _)| *valid == bytes);
        if known { Fate::Valid } else { Fate::Foreign }
    }

    fn receipt(&mut self, mutator: &mut Mutator) -> Fate {
        let mut bytes = mutator.pick(&self.valid.receipts).clone();
        let other = mutator.pick(&self.valid.receipts);
        mutator.change(&mut bytes, other);
        let city = &self.stage.city;
        let mut machine = self.city.clone();
        let from = self.stage.province.who().node;
        let input = Input::Received { from, channel: Channel::Down, bytes, delivery: None };
        machine.step(city.now(), input, &city.lookup());
        let Some(taken) = machine.status().receipt else { return Fate::Refused };
        let taken = Message::Receipt(Box::new(taken)).encode(self.stage.federation());
        if self.valid.receipts.contains(&taken) { Fate::Valid } else { Fate::Foreign }
    }

    fn chain_file(&mut self, mutator: &mut Mutator) -> Fate {
        let (whole, blocks) = &self.valid.answer;
        let mut parts = AnswerParts::of(whole, blocks);
        let at = mutator.index(parts.blocks.len());
        if mutator.percent(70) {
            parts.blocks[at] = self.changed_block(&parts.blocks[at], mutator);
        } else if mutator.percent(50) {
            let to = mutator.index(parts.blocks.len() + 1);
            let block = parts.blocks[at].clone();
            parts.blocks.insert(to, block);
        } else {
            mutator.change(&mut parts.head, whole);
        }
        let bytes = parts.joined();
        match hub::enrol::accept(&self.stage.county, &bytes, None, None) {
            Ok(_) if bytes == *whole => Fate::Valid,
            Ok(_) => Fate::Foreign,
            Err(_) => Fate::Refused,
        }
    }

    fn request(&mut self, mutator: &mut Mutator) -> Fate {
        let mut bytes = self.valid.request.clone();
        let other = mutator.pick(&self.valid.receipts);
        mutator.change(&mut bytes, other);
        match hub::enrol::requested(&self.stage.city, &bytes) {
            Ok(_) if bytes == self.valid.request => Fate::Valid,
            Ok(_) => Fate::Foreign,
            Err(_) => Fate::Refused,
        }
    }

    /// An ask is not signed (its sender is known by its user on the server): what decodes must be the one
    /// encoding of what it says, and may cost no more than an answer.
    fn ask(&mut self, mutator: &mut Mutator) -> Fate {
        let mut bytes = mutator.pick(&self.valid.asks).clone();
        let other = mutator.pick(&self.valid.asks);
        mutator.change(&mut bytes, other);
        let federation = self.stage.federation();
        let Ok(message) = Message::decode(&bytes, federation) else { return Fate::Refused };
        if message.encode(federation) != bytes {
            return Fate::Foreign;
        }
        let (province, from) = (&self.stage.province, self.stage.city.who().node);
        let input = Input::Received { from, channel: Channel::Ask, bytes, delivery: None };
        let outputs = self.province.clone().step(province.now(), input, &province.lookup());
        let taken = outputs.iter().any(|output| matches!(output, Output::Store(_)));
        if taken { Fate::Foreign } else { Fate::Waits }
    }

    /// A body decodes to facts that encode to the same bytes again, or it does not decode.
    fn body(&mut self, mutator: &mut Mutator) -> Fate {
        let sample = mutator.pick(&self.stage.bodies);
        let other = mutator.pick(&self.stage.bodies);
        let mut bytes = sample.bytes().to_vec();
        let mut body = bytes.split_off(hub_core::header::HEADER_BYTES);
        mutator.change(&mut body, other.body_bytes());
        if body.is_empty() || body.len() > hub_core::header::BODY_BYTES_MAX as usize {
            return Fate::Refused;
        }
        bytes.extend(&body);
        frame::block(&mut bytes);
        let Ok(block) = Block::parse(bytes) else { return Fate::Refused };
        let Ok(decoded) = block.body() else { return Fate::Refused };
        let facts = decoded.into_facts();
        match hub_core::codec::encode(&facts) {
            Ok((codec, again)) if codec == sample.header().codec && again == body => Fate::Valid,
            _ => Fate::Foreign,
        }
    }

    /// After all that, the child's own blocks get through.
    pub(super) fn check_through(&mut self, tally: &mut Tally) {
        let (province, from) = (&self.stage.province, self.stage.city.who().node);
        for message in &self.valid.ships {
            let bytes = message.clone();
            let input = Input::Received { from, channel: Channel::Up, bytes, delivery: Some(2) };
            self.province.step(province.now(), input, &province.lookup());
        }
        let waiting = self.province.status().storing;
        tally.through += u64::from(waiting == self.valid.blocks.len());
        tally.rounds += 1;
    }
}
