//! What goes into the machine and what comes out of it.

use crate::wire::{EnrolAnswer, EnrolRequest};
use hub_core::block::Block;
use hub_core::fact::governance::ChainHeight;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, FederationId, NodeId};
use hub_core::time::Millis;
use std::fmt;

pub use crate::context::{Context, Scope};

/// A place in a journal: rises from block to block, in the order in which the journal holds them, and
/// means nothing more (an ordinal and an end offset both do). 0 stands before the first block.
pub type Position = u64;

/// Names one journal. A rebuilt or restored journal has a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalId(pub [u8; 16]);

/// Which way a message goes; the courier keeps the channels apart (NATS: `.up.`, `.ask.`, `.dn.`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Child to parent: blocks and references to blocks.
    Up,
    /// Child to parent: asks, wants, enrolment requests. May be lost at any time.
    Ask,
    /// Parent to child: everything.
    Down,
}

/// What one child may bring in a span of time, with all that stands below it. So much may also come at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Facts; 0 for as many as it likes.
    pub facts: u64,
    /// Bytes of blocks; 0 for as many as it likes.
    pub bytes: u64,
    /// The span, at most a day.
    pub span: Millis,
}

/// What the machine is told first, and again whenever it is built anew.
#[derive(Debug, Clone)]
pub struct Start {
    /// The federation.
    pub federation: FederationId,
    /// This node.
    pub node: NodeId,
    /// Its epoch: the key with which [`Context::sign`] signs.
    pub epoch: u32,
    /// Its journal.
    pub journal: JournalId,
    /// The position of the journal's last durable block, 0 for none.
    pub end: Position,
    /// The parent, or the node whose journal a standby or an auditor's copy follows.
    pub parent: Option<NodeId>,
    /// Whether this node only follows its parent's journal: it takes everything and ships nothing.
    pub follows: bool,
    /// What each child may bring.
    pub quota: Quota,
    /// From which jitter is derived; any number that differs from node to node.
    pub seed: u64,
    /// What [`Output::Remember`] last gave for each peer.
    pub memories: Vec<Memory>,
}

/// A small record about one peer, opaque to whoever keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// The peer.
    pub peer: NodeId,
    /// The record; at most [`crate::limits::MEMORY_BYTES_MAX`].
    pub bytes: Vec<u8>,
}

/// Whence a block of the journal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Written here.
    Own,
    /// Received from a child.
    Child,
    /// Received from the parent of that time.
    Parent,
}

/// A block as the journal holds it.
#[derive(Debug, Clone)]
pub struct JournalBlock {
    /// Where.
    pub position: Position,
    /// Whence it came.
    pub origin: Origin,
    /// Whether it stands beside its chain, as a side of a fork.
    pub beside: bool,
    /// The block.
    pub block: Block,
}

/// A block the journal has made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlock {
    /// The block's hash.
    pub hash: Hash,
    /// Its position.
    pub position: Position,
}

/// Heights of one chain, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainRange {
    /// Which chain.
    pub chain: ChainId,
    /// The first height.
    pub first: u64,
    /// The last height.
    pub last: u64,
}

/// What the machine is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// The node begins, or goes on after a restart.
    Start(Box<Start>),
    /// Time has passed. Once a second is right; more or less often is harmless.
    Tick,
    /// The courier brought a message.
    Received {
        /// Whom the courier says it is from (NATS: by the subject its user may publish to).
        from: NodeId,
        /// The channel it came on.
        channel: Channel,
        /// The message.
        bytes: Vec<u8>,
        /// The courier's handle, when it waits for an acknowledgement.
        delivery: Option<u64>,
    },
    /// Blocks of [`Output::Store`] are durable (after `fdatasync`).
    Stored(Vec<StoredBlock>),
    /// The node's own blocks up to here are durable.
    LocalAppended {
        /// The position of the last one.
        up_to: Position,
    },
    /// The answer to [`Output::ReadJournal`].
    JournalRead {
        /// As asked.
        reader: NodeId,
        /// As asked.
        after: Position,
        /// The blocks after it, in order, durable ones only.
        blocks: Vec<JournalBlock>,
        /// Where reading goes on: the position of the last block read, `after` when there was none.
        end: Position,
    },
    /// The answer to [`Output::ReadBlocks`]: what is there, in order of the ranges, all sides of forks.
    BlocksRead {
        /// As asked.
        request: u64,
        /// The blocks.
        blocks: Vec<Block>,
    },
    /// The courier to this peer works (again).
    Connected {
        /// Which.
        peer: NodeId,
    },
    /// It does not.
    Disconnected {
        /// Which.
        peer: NodeId,
    },
    /// The view took in blocks: enrolments and the tree may have changed. Needed after governance and
    /// unit facts; harmless after any other.
    ViewAdvanced,
    /// The node has another parent now.
    ParentChanged {
        /// The new one.
        parent: Option<NodeId>,
    },
    /// Ask this peer, which need not know us, to be enrolled.
    RequestEnrolment {
        /// Whom.
        parent: NodeId,
        /// The request, signed by the new node's key.
        request: Box<EnrolRequest>,
    },
    /// Answer a request that came by [`Output::EnrolmentRequested`].
    AnswerEnrolment {
        /// Whom.
        child: NodeId,
        /// The answer.
        answer: Box<EnrolAnswer>,
    },
}

/// A block to store, and whence it came.
#[derive(Debug, Clone)]
pub struct Storing {
    /// The block: its signature is good.
    pub block: Block,
    /// The peer it came from.
    pub from: NodeId,
    /// Whether it goes beside its chain: it is a side of a fork, or follows one. Else it follows its chain.
    pub beside: bool,
}

/// What the machine wants done. Outputs of one step are carried out in their order.
#[derive(Debug, Clone)]
pub enum Output {
    /// Append these to the journal, make them durable, then say [`Input::Stored`]. A failure stops the
    /// node: the machine counts on each of them.
    Store(Vec<Storing>),
    /// Hand a message to the courier. Loss is healed; a dropped message is never an error.
    Send {
        /// To whom.
        to: NodeId,
        /// On which channel.
        channel: Channel,
        /// The message.
        bytes: Vec<u8>,
        /// Names it for the courier's deduplication.
        message_id: Hash,
    },
    /// The courier may forget this delivery: its block is durable, or it said nothing to keep.
    Acknowledge {
        /// The courier's handle.
        delivery: u64,
    },
    /// The machine does not take this delivery. The courier may forget it: kept, it would take room from other
    /// children, and what is wanted comes again from its sender, who has no receipt for it.
    Reject {
        /// The courier's handle.
        delivery: u64,
        /// Why.
        refusal: Refusal,
    },
    /// Read the journal after this position, at most so many bytes (but at least one block), then say
    /// [`Input::JournalRead`]. The answer serves all readers that stand at this position.
    ReadJournal {
        /// For whom it is read.
        reader: NodeId,
        /// After which position.
        after: Position,
        /// How much.
        max_bytes: usize,
    },
    /// Read these blocks, at most so many bytes (but at least one block), then say
    /// [`Input::BlocksRead`].
    ReadBlocks {
        /// To be given back.
        request: u64,
        /// Which; heights that are not there are left out.
        ranges: Vec<ChainRange>,
        /// How much.
        max_bytes: usize,
    },
    /// Keep this record of a peer for the next start; a lost or old one costs resending, nothing else.
    Remember(Memory),
    /// A node asks to be enrolled; its signature is good.
    EnrolmentRequested {
        /// Whom the courier says it is from.
        from: NodeId,
        /// The request.
        request: Box<EnrolRequest>,
    },
    /// The parent answered our request for enrolment. Its blocks are not yet judged.
    EnrolmentAnswered {
        /// Who answered.
        from: NodeId,
        /// The answer.
        answer: Box<EnrolAnswer>,
    },
    /// For status and log.
    Report(Event),
}

/// Why a delivery is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no message.
    Garbage(crate::wire::WireError),
    /// The block in it is none, or another federation's, or its signature is bad.
    Block(hub_core::header::HeaderError),
    /// The block does not follow though nothing is missing (its seq or clock).
    Chain(hub_core::chain::ChainError),
    /// The sender is no child, follower or parent of ours, or the channel is not its.
    Stranger,
    /// What is held for the sender is full: it comes again from its sender, who has no receipt for it.
    Full,
    /// The sender has brought what it may bring for now: it comes again from its sender later.
    OverQuota,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Garbage(error) => error.fmt(f),
            Self::Block(error) => error.fmt(f),
            Self::Chain(error) => error.fmt(f),
            Self::Stranger => f.write_str("sender: expected parent, child or follower, found none"),
            Self::Full => f.write_str("held: expected room, found none"),
            Self::OverQuota => f.write_str("quota: expected some left, found none"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Why a block waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Blocks before it are missing and asked for.
    Gap,
    /// No enrolment of its writer's key is known yet.
    UnknownKey,
    /// Its clock is more than ten minutes ahead of ours.
    Door,
}

/// What happened, for status and log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A block waits.
    Held {
        /// Who sent it.
        from: NodeId,
        /// Its chain.
        chain: ChainId,
        /// Its height.
        height: u64,
        /// Why.
        why: Hold,
    },
    /// A delivery was refused.
    Refused {
        /// Who sent it.
        from: NodeId,
        /// Why.
        refusal: Refusal,
    },
    /// A child has brought what it may for now: what more it offers waits with it.
    OverQuota {
        /// Who.
        from: NodeId,
    },
    /// Two blocks signed by one key at one place.
    Forked {
        /// The chain.
        chain: ChainId,
        /// The height.
        height: u64,
    },
    /// A stream from this peer begins anew: its journal is another one, or ours lost ground.
    StreamRestarted {
        /// The peer.
        peer: NodeId,
    },
    /// The parent's receipt went back: it lost ground, and we send again from there.
    ReceiptWentBack {
        /// From here.
        from: Position,
        /// To here.
        to: Position,
    },
    /// The parent holds more of our own chains of this epoch than we do: this directory is older than what this
    /// node once shipped. Nothing may be signed before a new epoch (DESIGN §10).
    ParentAhead {
        /// Where the parent stands.
        heads: Vec<ChainHeight>,
    },
    /// A receipt came whose signature or names are wrong.
    BadReceipt {
        /// Who sent it.
        from: NodeId,
    },
    /// The first frontier comparison with the parent since the start is done, and the parent holds
    /// nothing of this epoch of ours that we lack: signing may begin.
    ComparedWithParent,
}
