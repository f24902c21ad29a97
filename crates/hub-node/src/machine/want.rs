//! Wants: blocks asked for by name, and the answers.

use super::Machine;
use super::ship::ran_ahead;
use crate::io::{ChainRange, Context, Output, Scope};
use crate::limits::{
    RANGES_MAX, READS_MAX, WANT_AFTER_MILLIS, WANT_AGAIN_MILLIS, WANT_BYTES_MAX, WANTED_BLOCKS_MAX,
};
use crate::wire::Message;
use hub_core::block::Block;
use hub_core::id::{ChainId, Lane, NodeId};
use hub_core::time::Millis;

/// Whether a peer below may have this chain from us: those of its subtree (it had them, and may have
/// lost them), and the down lanes that concern it.
pub(super) fn may_have(chain: &ChainId, peer: NodeId, scope: Scope, context: &dyn Context) -> bool {
    match (scope, chain.lane) {
        (Scope::Follower, _) => true,
        (Scope::CutOff, _) => false,
        (Scope::Child(_), _) if chain.node == peer => true,
        (Scope::Child(unit), Lane::Down(audience)) => {
            context.concerns(unit, audience).is_some() || context.serves_below(unit, chain.node)
        }
        (Scope::Child(unit), Lane::Up) => context.serves_below(unit, chain.node),
    }
}

/// Whether it may have this block of such a chain: of a lane that concerns it up to some clock only what was
/// said by then.
pub(super) fn may_have_block(
    block: &Block,
    peer: NodeId,
    scope: Scope,
    context: &dyn Context,
) -> bool {
    let header = block.header();
    match (scope, header.chain.lane) {
        (Scope::Child(unit), Lane::Down(audience))
            if header.chain.node != peer && !context.serves_below(unit, header.chain.node) =>
        {
            context.concerns(unit, audience).is_some_and(|until| header.last_hlc <= until)
        }
        _ => may_have(&header.chain, peer, scope, context),
    }
}

impl Machine {
    /// A peer wants blocks.
    pub(super) fn receive_want(
        &mut self,
        now: Millis,
        from: NodeId,
        ranges: &[ChainRange],
        context: &dyn Context,
    ) {
        if !self.peer(from).paces.may_want(now) {
            return;
        }
        let scope = self.scope_of(from, context);
        let granted = |range: &&ChainRange| {
            // The parent may have everything we hold; it is our blocks' way up.
            scope.is_none_or(|scope| may_have(&range.chain, from, scope, context))
        };
        let ranges: Vec<ChainRange> = ranges.iter().filter(granted).copied().collect();
        if !ranges.is_empty() {
            self.read_for(from, ranges);
        }
    }

    pub(super) fn read_for(&mut self, from: NodeId, ranges: Vec<ChainRange>) {
        if self.peer(from).reads >= READS_MAX {
            return;
        }
        self.peer(from).reads += 1;
        let request = self.next_request;
        self.next_request += 1;
        self.requests.insert(request, from);
        self.out.push(Output::ReadBlocks { request, ranges, max_bytes: WANT_BYTES_MAX });
    }

    pub(super) fn blocks_read(
        &mut self,
        now: Millis,
        request: u64,
        blocks: Vec<Block>,
        context: &dyn Context,
    ) {
        let Some(to) = self.requests.remove(&request) else { return };
        let scope = self.scope_of(to, context);
        // It was a child when it asked and is none any more.
        let gone = scope.is_none() && Some(to) != self.parent;
        let Some(peer) = self.peers.get_mut(&to) else { return };
        peer.reads = peer.reads.saturating_sub(1);
        let own = self.writer();
        let granted = |block: &Block| {
            let may = scope.is_none_or(|scope| may_have_block(block, to, scope, context));
            may && !ran_ahead(block.header(), own, now)
        };
        for block in blocks.into_iter().filter(|_| !gone).filter(granted) {
            self.peer(to).paces.brought(block.bytes().len());
            // Asked for again, it is sent again: the time makes each answer another message.
            self.send_blocks(to, &Message::Loose(block), now);
        }
    }

    /// Asks for what fills gaps and for referenced blocks that did not come.
    pub(super) fn want_what_lacks(&mut self, now: Millis, context: &dyn Context) {
        let ids: Vec<NodeId> = self.peers.keys().copied().collect();
        for id in ids {
            if self.is_over_quota(now, id) {
                continue;
            }
            if now >= self.peer(id).wanted_at.saturating_add(WANT_AGAIN_MILLIS) {
                let gaps = self.peer(id).held.gaps(now.saturating_sub(WANT_AFTER_MILLIS));
                let mut ranges: Vec<ChainRange> = Vec::new();
                for (chain, height) in gaps.into_iter().take(RANGES_MAX) {
                    let head = context.head(&chain).map_or(0, |head| head.height);
                    let first = head + 1;
                    let last = (height - 1).min(head + WANTED_BLOCKS_MAX);
                    if first <= last {
                        ranges.push(ChainRange { chain, first, last });
                    } else if height > 1 {
                        // It follows the other side of a fork whose root we never saw.
                        ranges.push(ChainRange { chain, first: height - 1, last: height - 1 });
                    }
                }
                if !ranges.is_empty() {
                    self.peer(id).wanted_at = now;
                    self.send_ask(id, &Message::Want(ranges));
                }
            }
            self.want_referenced(now, id);
        }
    }

    /// Asks a peer for the blocks it named that are not here.
    pub(super) fn want_referenced(&mut self, now: Millis, from: NodeId) {
        if self.is_over_quota(now, from) {
            return;
        }
        // a block has a fact at least: more than there is room for would be left with its sender
        let limit = self.room_for(from).min(WANTED_BLOCKS_MAX) as usize;
        let Some(inbound) = &mut self.peer(from).inbound else { return };
        let before = now.saturating_sub(WANT_AGAIN_MILLIS);
        let lacking = inbound.lacking(now, before, limit);
        let mut ranges: Vec<ChainRange> = Vec::new();
        for (chain, height) in lacking {
            match ranges.iter_mut().rev().find(|range| range.chain == chain) {
                Some(range) if range.last + 1 == height => range.last = height,
                _ => ranges.push(ChainRange { chain, first: height, last: height }),
            }
        }
        for part in ranges.chunks(RANGES_MAX) {
            self.send_ask(from, &Message::Want(part.to_vec()));
        }
    }
}
