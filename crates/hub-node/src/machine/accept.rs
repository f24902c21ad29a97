//! From a received block to a stored one: what is checked, what is held, what is kept as proof.

use super::held::HeldBlock;
use super::{InHand, Machine};
use crate::io::{Context, Event, Hold, Output, Refusal, StoredBlock, Storing};
use crate::limits::{DOOR_MILLIS, FORKS_MAX};
use hub_core::block::Block;
use hub_core::chain::{ChainError, ChainHead, Fork};
use hub_core::header::HeaderError;
use hub_core::id::{ChainId, NodeId};
use hub_core::time::Millis;

/// What becomes of a block.
enum Verdict {
    /// It is durable here.
    Known,
    /// It is on its way to the disk.
    InHand,
    /// It follows; the chain then stands here.
    Follows(ChainHead),
    /// Another block stands at its place, signed by the same key.
    Fork,
    /// It follows a fork's other side.
    Beside,
    /// It stays with its sender for now.
    PutOff,
    /// It waits.
    Hold(Hold),
    /// It is not taken.
    Refuse(Refusal),
}

/// Where a block is once it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On the disk, and was before.
    Durable,
    /// On its way there, held, or refused.
    Here,
    /// Left with its sender until there is room.
    WithSender,
}

impl Machine {
    /// Judges a block and acts.
    pub(super) fn accept(
        &mut self,
        now: Millis,
        from: NodeId,
        block: Block,
        delivery: Option<u64>,
        context: &dyn Context,
    ) -> Place {
        let over = self.is_over_quota(now, from);
        match self.judge(now, &block, over, context) {
            Verdict::PutOff => {
                self.put_off(now, from, delivery);
                return Place::WithSender;
            }
            Verdict::Known => {
                self.acknowledge_delivery(delivery);
                return Place::Durable;
            }
            Verdict::InHand => {
                if let Some(in_hand) = self.storing.get_mut(&block.hash()) {
                    in_hand.deliveries.extend(delivery);
                }
            }
            Verdict::Follows(head) => {
                let (chain, height, hash) =
                    (block.header().chain, block.header().height, block.hash());
                self.heads.insert(chain, head);
                self.storing_at.insert((chain, height), hash);
                self.store(from, block, delivery, false);
            }
            Verdict::Fork if self.peer(from).forks >= FORKS_MAX => {
                self.refuse(from, delivery, Refusal::Full);
            }
            Verdict::Fork => {
                let (chain, height) = (block.header().chain, block.header().height);
                self.peer(from).forks += 1;
                self.store(from, block, delivery, true);
                self.report(Event::Forked { chain, height });
            }
            Verdict::Beside => self.store(from, block, delivery, true),
            Verdict::Hold(why) => self.hold(now, from, block, delivery, why),
            Verdict::Refuse(refusal) => self.refuse(from, delivery, refusal),
        }
        Place::Here
    }

    fn judge(&self, now: Millis, block: &Block, over: bool, context: &dyn Context) -> Verdict {
        let (header, hash) = (block.header(), block.hash());
        let expected = self.federation();
        if header.federation != expected {
            let error = HeaderError::Federation { expected, found: header.federation };
            return Verdict::Refuse(Refusal::Block(error));
        }
        if self.storing.contains_key(&hash) {
            return Verdict::InHand;
        }
        let (chain, height) = (header.chain, header.height);
        let there = self.storing_at.get(&(chain, height)).copied();
        let there = there.or_else(|| context.known(&chain, height));
        if there == Some(hash) || context.beside(&chain, height, &hash) {
            return Verdict::Known;
        }
        if over {
            return Verdict::PutOff;
        }
        if header.last_hlc.millis() > now.saturating_add(DOOR_MILLIS) {
            return Verdict::Hold(Hold::Door);
        }
        let Some(key) = context.key(chain.node, chain.epoch) else {
            return Verdict::Hold(Hold::UnknownKey);
        };
        if let Err(error) = block.verify(&key) {
            return Verdict::Refuse(Refusal::Block(error));
        }
        if there.is_some() {
            if self.follows_beside(block, context) {
                return Verdict::Beside;
            }
            let standing = self.standing(&chain, height, context);
            let fork = standing.and_then(|standing| Fork::proven(&standing, block, &key));
            // The standing block cannot be read now: without it there is no proof, so later.
            let later = Verdict::Refuse(Refusal::Full);
            return fork.map_or(later, |_| Verdict::Fork);
        }
        self.judge_place(block, context)
    }

    /// Of a well-signed block for a place that is free.
    fn judge_place(&self, block: &Block, context: &dyn Context) -> Verdict {
        let header = block.header();
        if self.follows_beside(block, context) {
            return Verdict::Beside;
        }
        let head = self.heads.get(&header.chain).copied();
        let head = head.or_else(|| context.head(&header.chain));
        // Which head a new epoch continues is for its enrolment to say.
        let head = head.unwrap_or(ChainHead::empty(header.previous));
        match head.extended(header, block.hash()) {
            Ok(head) => Verdict::Follows(head),
            Err(ChainError::Gap { .. }) => Verdict::Hold(Hold::Gap),
            Err(ChainError::Previous { .. }) => Verdict::Beside,
            Err(error) => Verdict::Refuse(Refusal::Chain(error)),
        }
    }

    /// Whether the block before it stands beside its chain, or is about to.
    fn follows_beside(&self, block: &Block, context: &dyn Context) -> bool {
        let header = block.header();
        let previous = header.previous;
        if header.height < 2 {
            return false;
        }
        let in_hand = self.storing.contains_key(&previous)
            && self.storing_at.get(&(header.chain, header.height - 1)) != Some(&previous);
        in_hand || context.beside(&header.chain, header.height - 1, &previous)
    }

    fn standing(&self, chain: &ChainId, height: u64, context: &dyn Context) -> Option<Block> {
        let in_hand =
            self.storing_at.get(&(*chain, height)).and_then(|hash| self.storing.get(hash));
        in_hand.map(|in_hand| in_hand.block.clone()).or_else(|| context.block(chain, height))
    }

    fn store(&mut self, from: NodeId, block: Block, delivery: Option<u64>, beside: bool) {
        self.charge(from, &block);
        let deliveries = delivery.into_iter().collect();
        self.storing.insert(block.hash(), InHand { block: block.clone(), from, deliveries });
        let storing = Storing { block, from, beside };
        if let Some(Output::Store(batch)) = self.out.last_mut() {
            batch.push(storing);
        } else {
            self.out.push(Output::Store(vec![storing]));
        }
    }

    fn hold(&mut self, now: Millis, from: NodeId, block: Block, delivery: Option<u64>, why: Hold) {
        let (chain, height) = (block.header().chain, block.header().height);
        let peer = self.peer(from);
        if peer.held.renew(&block, delivery) {
            return;
        }
        if !peer.held.hold(HeldBlock { block, why, since: now, delivery }) {
            return self.refuse(from, delivery, Refusal::Full);
        }
        self.report(Event::Held { from, chain, height, why });
    }

    /// Blocks are durable: streams move on, what waited for them is judged again.
    pub(super) fn stored(&mut self, now: Millis, blocks: &[StoredBlock], context: &dyn Context) {
        let mut extended = Vec::new();
        for stored in blocks {
            self.end = self.end.max(stored.position);
            if let Some(in_hand) = self.storing.remove(&stored.hash) {
                let header = in_hand.block.header();
                let (chain, height) = (header.chain, header.height);
                for delivery in in_hand.deliveries {
                    self.acknowledge_delivery(Some(delivery));
                }
                if self.storing_at.get(&(chain, height)) == Some(&stored.hash) {
                    self.storing_at.remove(&(chain, height));
                    if self.heads.get(&chain).is_some_and(|head| head.height == height) {
                        self.heads.remove(&chain);
                    }
                }
                if Some(in_hand.from) == self.parent {
                    self.asking.count_down(in_hand.block.bytes().len());
                }
                extended.push((chain, height));
            }
            self.note_durable(&stored.hash);
        }
        self.advance_streams(now);
        for (chain, height) in extended {
            self.release_next(now, &chain, height, context);
        }
        self.ask_after_progress(now, context);
    }

    fn release_next(&mut self, now: Millis, chain: &ChainId, height: u64, context: &dyn Context) {
        let waiting: Vec<NodeId> = self.holders();
        for from in waiting {
            let ripe = self.peer(from).held.take_at(chain, height + 1);
            self.judge_again(now, from, ripe, context);
        }
    }

    fn holders(&self) -> Vec<NodeId> {
        self.peers.iter().filter(|(_, peer)| peer.held.len() > 0).map(|(id, _)| *id).collect()
    }

    /// Enrolments may have come: what waited for a key is judged again.
    pub(super) fn release_known_keys(&mut self, now: Millis, context: &dyn Context) {
        for from in self.holders() {
            let ripe = self.peer(from).held.take_if(|held| {
                let chain = held.block.header().chain;
                held.why == Hold::UnknownKey && context.key(chain.node, chain.epoch).is_some()
            });
            self.judge_again(now, from, ripe, context);
        }
    }

    /// Time has passed: what stood at the door is judged again.
    pub(super) fn release_at_the_door(&mut self, now: Millis, context: &dyn Context) {
        let latest = now.saturating_add(DOOR_MILLIS);
        for from in self.holders() {
            let ripe = self.peer(from).held.take_if(|held| {
                held.why == Hold::Door && held.block.header().last_hlc.millis() <= latest
            });
            self.judge_again(now, from, ripe, context);
        }
    }

    /// Judges held blocks again, and with each that is taken those that waited for it.
    fn judge_again(
        &mut self,
        now: Millis,
        from: NodeId,
        ripe: Vec<HeldBlock>,
        context: &dyn Context,
    ) {
        let mut work: Vec<(NodeId, HeldBlock)> =
            ripe.into_iter().rev().map(|held| (from, held)).collect();
        while let Some((from, held)) = work.pop() {
            let header = *held.block.header();
            let hash = held.block.hash();
            let place = self.accept(now, from, held.block, held.delivery, context);
            let durable = place == Place::Durable;
            if durable {
                self.note_durable(&hash);
                self.advance_streams(now);
            }
            if durable || self.storing.contains_key(&hash) {
                for holder in self.holders() {
                    let next = self.peer(holder).held.take_at(&header.chain, header.height + 1);
                    work.extend(next.into_iter().map(|held| (holder, held)));
                }
            }
        }
    }

    pub(super) fn acknowledge_delivery(&mut self, delivery: Option<u64>) {
        self.out.extend(delivery.map(|delivery| Output::Acknowledge { delivery }));
    }

    /// Counts and names a refusal.
    pub(super) fn refuse(&mut self, from: NodeId, delivery: Option<u64>, refusal: Refusal) {
        if let Some(delivery) = delivery {
            self.out.push(Output::Reject { delivery, refusal: refusal.clone() });
        }
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.refuse(refusal.clone());
        }
        self.report(Event::Refused { from, refusal });
    }
}
