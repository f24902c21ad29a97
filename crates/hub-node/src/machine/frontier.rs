//! Comparing what parent and child hold, chain by chain: heals what streams cannot see, such as lanes
//! that came to concern a child only later, and shows a child that its directory is an old one.

use super::Machine;
use crate::io::{ChainRange, Context, Event, Position, Scope};
use crate::limits::{FRONTIER_PAGE_MAX, RANGES_MAX, WANTED_BLOCKS_MAX};
use crate::wire::{Frontier, Message};
use hub_core::chain::ChainHead;
use hub_core::fact::governance::ChainHeight;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, Lane, NodeId};
use hub_core::time::Hlc;

/// How many chains are looked up at a time.
const STRIDE: usize = 1_024;

/// How far the streams between the two are: what lacks may be on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// Whether the child's stream to us is at its end.
    pub(super) up: bool,
    /// Whether ours to the child is, or brings nothing.
    pub(super) down: bool,
    /// Ours to the child is acknowledged to here: what stands before and lacks was passed over when it did not
    /// concern the child yet, or was lost there. The stream does not bring it any more.
    pub(super) passed: Position,
}

impl Machine {
    /// The next page of what we hold.
    pub(super) fn next_frontier_page(&mut self, context: &dyn Context) -> Frontier {
        let node = self.node();
        let (after, whole) = (self.asking.compared_to, !self.asking.compared_whole);
        let mut heads: Vec<ChainHeight> = Vec::new();
        let mut at = after;
        let last = loop {
            let stride = context.heads(at.as_ref(), STRIDE);
            let ended = stride.len() < STRIDE;
            at = stride.last().map(|(chain, _)| *chain).or(at);
            let relevant = stride
                .into_iter()
                .filter(|(chain, head)| head.height > 0 && is_listed(chain, node, whole))
                .map(|(chain, head)| ChainHeight { chain, height: head.height, hash: head.hash });
            heads.extend(relevant);
            if heads.len() > FRONTIER_PAGE_MAX {
                heads.truncate(FRONTIER_PAGE_MAX);
                break false;
            }
            if ended {
                break true;
            }
        };
        self.asking.compared_to = heads.last().map(|head| head.chain);
        self.asking.comparing = !last;
        self.asking.compared_whole |= last;
        Frontier { after, last, whole, heads }
    }

    /// A child's page: what it lacks is sent, what we lack is wanted, and it is told where we hold more
    /// of its own chains.
    pub(super) fn compare_frontier(
        &mut self,
        from: NodeId,
        page: &Frontier,
        ends: Ends,
        context: &dyn Context,
    ) {
        let Some(scope) = self.scope_of(from, context) else { return };
        let mut found = Found::of(from, scope, ends, context);
        let upper = if page.last { None } else { page.heads.last().map(|head| head.chain) };
        let mut theirs = page.heads.iter().peekable();
        let mut at = page.after;
        'chains: loop {
            let stride = context.heads(at.as_ref(), STRIDE);
            let ended = stride.len() < STRIDE;
            for (chain, head) in stride {
                if upper.is_some_and(|upper| chain > upper) {
                    break 'chains;
                }
                while let Some(lower) = theirs.next_if(|head| head.chain < chain) {
                    found.lacks(lower, 0);
                }
                let theirs = theirs.next_if(|head| head.chain == chain);
                let listed = is_listed(&chain, from, page.whole);
                if listed && super::want::may_have(&chain, from, scope, context) {
                    found.compare(&chain, &head, theirs);
                    if page.whole {
                        found.send_sides(&chain, &head);
                    }
                }
                at = Some(chain);
            }
            if ended {
                break;
            }
        }
        for lower in theirs {
            found.lacks(lower, 0);
        }
        let Found { send, want, ahead, .. } = found;
        if !send.is_empty() {
            self.read_for(from, send);
        }
        if !want.is_empty() {
            self.send_ask(from, &Message::Want(want));
        }
        if page.last || !ahead.is_empty() {
            self.send_ask(from, &Message::Ahead(ahead));
        }
    }

    /// The parent says where it holds more of our own chains than we named, or another side of them. A side
    /// that is here already is a fork that is known here; in a file the answer may be older than what was
    /// written since, and what stands here is not ahead.
    pub(super) fn receive_ahead(&mut self, heads: Vec<ChainHeight>, context: &dyn Context) {
        let node = self.node();
        let Some(parent) = self.parent else { return };
        let done = heads.is_empty();
        let lacks = |head: &ChainHeight| {
            head.chain.node == node && !holds(context, &head.chain, head.height, &head.hash)
        };
        let heads: Vec<ChainHeight> = heads.into_iter().filter(lacks).collect();
        if !done && heads.is_empty() {
            return;
        }
        if done {
            if !self.asking.parent_ahead && !self.asking.compared {
                self.asking.compared = true;
                self.report(Event::ComparedWithParent);
            }
            return;
        }
        let lacking = heads.iter().map(|head| ChainRange {
            chain: head.chain,
            first: 1.max(head.height.saturating_sub(WANTED_BLOCKS_MAX)),
            last: head.height,
        });
        let ranges: Vec<ChainRange> = lacking.take(RANGES_MAX).collect();
        self.send_ask(parent, &Message::Want(ranges));
        // What an earlier epoch signed comes back and is in nobody's way.
        let epoch = self.start.as_ref().map_or(0, |start| start.epoch);
        let heads: Vec<ChainHeight> =
            heads.into_iter().filter(|head| head.chain.epoch >= epoch).collect();
        if !heads.is_empty() {
            self.asking.parent_ahead = true;
            self.report(Event::ParentAhead { heads });
        }
    }
}

/// Whether a block is here, in its chain or beside it.
fn holds(context: &dyn Context, chain: &ChainId, height: u64, hash: &Hash) -> bool {
    context.known(chain, height).as_ref() == Some(hash) || context.beside(chain, height, hash)
}

/// Whether a node's page tells of this chain.
fn is_listed(chain: &ChainId, node: NodeId, whole: bool) -> bool {
    whole || chain.node == node || chain.lane != Lane::Up
}

struct Found<'a> {
    from: NodeId,
    scope: Scope,
    ends: Ends,
    context: &'a dyn Context,
    /// The child lacks these.
    send: Vec<ChainRange>,
    /// We lack these.
    want: Vec<ChainRange>,
    /// Of the child's own chains we hold more.
    ahead: Vec<ChainHeight>,
}

impl<'a> Found<'a> {
    fn of(from: NodeId, scope: Scope, ends: Ends, context: &'a dyn Context) -> Self {
        let (send, want, ahead) = (Vec::new(), Vec::new(), Vec::new());
        Self { from, scope, ends, context, send, want, ahead }
    }

    fn compare(&mut self, chain: &ChainId, ours: &ChainHead, theirs: Option<&ChainHeight>) {
        let (context, mine) = (self.context, chain.node == self.from);
        let height = theirs.map_or(0, |head| head.height);
        if let Some(theirs) = theirs
            && theirs.height > ours.height
            && !context.beside(chain, theirs.height, &theirs.hash)
        {
            return self.lacks(theirs, ours.height);
        }
        let same = theirs.is_none_or(|head| context.known(chain, head.height) == Some(head.hash));
        if mine && (height < ours.height || !same) {
            if self.ahead.len() < FRONTIER_PAGE_MAX {
                let (height, hash) = (ours.height, ours.hash);
                self.ahead.push(ChainHeight { chain: *chain, height, hash });
            }
        } else if let Some(theirs) = theirs
            && !same
            && !context.beside(chain, height, &theirs.hash)
        {
            // another side of a fork, of our own chain perhaps: it is proof
            self.rival(theirs);
        } else if height < ours.height
            && self.send.len() < RANGES_MAX
            && self.is_to_be_sent(chain, height + 1)
        {
            let (first, last) = (height + 1, ours.height);
            self.send.push(ChainRange { chain: *chain, first, last });
        }
    }

    fn rival(&mut self, theirs: &ChainHeight) {
        if self.ends.up && self.want.len() < RANGES_MAX {
            let first = 1.max(theirs.height.saturating_sub(WANTED_BLOCKS_MAX));
            self.want.push(ChainRange { chain: theirs.chain, first, last: theirs.height });
        }
    }

    /// Of a chain that forks all sides are sent once after the child's start: its heads do not tell whether it
    /// lost one.
    fn send_sides(&mut self, chain: &ChainId, ours: &ChainHead) {
        if let Some(first) = self.context.forked_from(chain)
            && self.send.len() < RANGES_MAX
        {
            let last = ours.height.saturating_add(WANTED_BLOCKS_MAX);
            self.send.push(ChainRange { chain: *chain, first, last });
        }
    }

    /// Whether the first block that a child lacks of a chain is for it, and no stream brings it.
    fn is_to_be_sent(&self, chain: &ChainId, height: u64) -> bool {
        let context = self.context;
        let passed = || context.position(chain, height).is_some_and(|at| at <= self.ends.passed);
        if !self.ends.down && !passed() {
            return false;
        }
        let Scope::Child(unit) = self.scope else { return true };
        let Lane::Down(audience) = chain.lane else { return true };
        if context.concerns(unit, audience).is_none_or(|until| until == Hlc::MAX) {
            return true;
        }
        context.block(chain, height).is_some_and(|block| {
            super::want::may_have_block(&block, self.from, self.scope, context)
        })
    }

    fn lacks(&mut self, theirs: &ChainHeight, ours: u64) {
        if self.ends.up && self.want.len() < RANGES_MAX {
            let last = theirs.height.min(ours + WANTED_BLOCKS_MAX);
            self.want.push(ChainRange { chain: theirs.chain, first: ours + 1, last });
        }
    }
}
