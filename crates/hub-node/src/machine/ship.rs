//! Our journal on its way to the parent, to children and to followers.

use super::Machine;
use super::outbound::{Outbound, Read, Way};
use super::want::may_have;
use crate::io::{Context, JournalBlock, Origin, Output, Position, Scope};
use crate::limits::{DOOR_MILLIS, IN_FLIGHT_BYTES_MAX, READ_BYTES};
use crate::wire::{Cursor, StreamId};
use hub_core::header::Header;
use hub_core::id::{Lane, NodeId};
use hub_core::time::Millis;

impl Machine {
    /// Our stream in its first run.
    pub(super) fn own_stream(&self) -> Option<StreamId> {
        self.start.as_ref().map(|start| StreamId { journal: start.journal, run: 0 })
    }

    /// The courier to the parent works: goes on from the last receipt.
    pub(super) fn resume_up(&mut self, now: Millis) {
        let (Some(parent), Some(stream)) = (self.parent, self.own_stream()) else { return };
        if self.follows() {
            return;
        }
        let peer = self.peer(parent);
        let outbound = peer
            .outbound
            .get_or_insert_with(|| Outbound::new(Cursor::start(stream), IN_FLIGHT_BYTES_MAX, now));
        outbound.rewind(now);
        outbound.reset_patience();
        // Without any acknowledgement yet, the parent says first what it holds of us.
        outbound.active = outbound.acked().position > 0;
    }

    pub(super) fn change_parent(&mut self, now: Millis, parent: Option<NodeId>) {
        if parent == self.parent {
            return;
        }
        if let Some(old) = self.parent {
            self.drop_inbound(old);
            self.peers.remove(&old);
            self.forget(old);
        }
        self.parent = parent;
        let end = self.end;
        if let Some(new) = parent {
            let peer = self.peer(new);
            peer.parent_since = end;
            peer.dirty = true;
            self.asking.begin(now);
        }
    }

    /// Orders the reads that streams need: one for all that stand at one place.
    pub(super) fn read_on(&mut self) {
        let end = self.end;
        let mut wanted = Vec::new();
        for (id, peer) in &self.peers {
            if let Some(after) = peer.outbound.as_ref().and_then(|out| out.reads_after(end))
                && self.reading.insert(after)
            {
                wanted.push((*id, after));
            }
        }
        for (reader, after) in wanted {
            self.out.push(Output::ReadJournal { reader, after, max_bytes: READ_BYTES });
        }
    }

    pub(super) fn journal_read(
        &mut self,
        now: Millis,
        after: Position,
        blocks: &[JournalBlock],
        end: Position,
        context: &dyn Context,
    ) {
        self.reading.remove(&after);
        let (own_end, own) = (self.end, self.writer());
        let readers: Vec<NodeId> = self
            .peers
            .iter()
            .filter(|(_, peer)| {
                let reads = peer.outbound.as_ref().and_then(|out| out.reads_after(own_end));
                reads == Some(after)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in readers {
            let up = Some(id) == self.parent;
            let scope = if up { None } else { context.scope(id) };
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            let since = peer.parent_since;
            let Some(outbound) = &mut peer.outbound else { continue };
            let read = Read { blocks, end, own_end, pass: up, now };
            let messages = outbound.feed(&read, |block| match block {
                block if ran_ahead(block.block.header(), own, now) => Way::Skip,
                block if up => way_up(block, since),
                block => way_down(block, id, scope, context),
            });
            let attempt = outbound.attempt();
            for message in messages {
                self.send_blocks(id, &message, attempt);
            }
        }
    }

    pub(super) fn resend_stalled(&mut self, now: Millis) {
        for peer in self.peers.values_mut() {
            if let Some(outbound) = &mut peer.outbound
                && outbound.active
            {
                outbound.resend_if_stalled(now, peer.heard_at);
            }
        }
    }
}

/// Whether a block is of an earlier epoch of ours whose clock ran ahead: no door lets it in before its time,
/// and all that stands behind it would wait with it. When its time has come, the comparison of frontiers
/// brings it.
pub(super) fn ran_ahead(header: &Header, (node, epoch): (NodeId, u32), now: Millis) -> bool {
    header.chain.node == node
        && header.chain.epoch < epoch
        && header.last_hlc.millis() > now.saturating_add(DOOR_MILLIS)
}

/// To the parent goes what is not from it, and sides of forks wherever they came from. What came from a former
/// parent goes by name: the new one lacks little of it.
fn way_up(block: &JournalBlock, parent_since: Position) -> Way {
    match block.origin {
        Origin::Own | Origin::Child => Way::Ship,
        // who signed twice, and who stands above it, must learn of it
        Origin::Parent if block.beside => Way::Ship,
        Origin::Parent if block.position <= parent_since => Way::Refer,
        Origin::Parent => Way::Skip,
    }
}

/// To a child goes what concerns its unit; what came from below goes by name, for most of it came from
/// that child. To a follower goes everything.
fn way_down(block: &JournalBlock, to: NodeId, scope: Option<Scope>, context: &dyn Context) -> Way {
    let chain = block.block.header().chain;
    match (scope, chain.lane) {
        (Some(Scope::Follower), _) => Way::Ship,
        // of a chain that forks below the peer it needs all sides, its own chains among them
        (Some(scope), _) if block.beside && may_have(&chain, to, scope, context) => {
            if block.origin == Origin::Child { Way::Refer } else { Way::Ship }
        }
        (Some(Scope::Child(unit)), Lane::Down(audience)) if chain.node != to => {
            let said = block.block.header().last_hlc;
            match context.concerns(unit, audience) {
                Some(until) if said <= until && block.origin == Origin::Child => Way::Refer,
                Some(until) if said <= until => Way::Ship,
                _ => Way::Skip,
            }
        }
        _ => Way::Skip,
    }
}
