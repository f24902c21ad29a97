//! NATS as a courier: it carries bytes between a child and its parent and is trusted with nothing.
//!
//! Deliberately absent: any knowledge of what the bytes say. What arrives is checked by the machine in
//! `hub-node`; what is delivered is known by signed receipts alone, never by what a server says. So every
//! queue here is bounded and may lose: a full queue, a broken connection or a wiped server costs a resend.

mod connect;
mod publish;
mod pull;
mod subject;

mod children;
mod parent;

pub use children::{ChildrenSettings, spawn_children_link};
pub use connect::{Dial, DialError};
pub use hub_node::io::Channel;
pub use parent::{ParentSettings, spawn_parent_link};
pub use subject::{Subjects, inbox_prefix};

use async_nats::jetstream::message::Acker;
use hub_core::id::NodeId;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

/// Messages, and bytes of them, that wait to be sent on one link; see [`LinkHandle::send`].
const SEND_QUEUE: usize = 2_048;
const SEND_QUEUE_BYTES: usize = 32 << 20;

/// Which way a link goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// To the node above, on its server.
    Parent,
    /// To the nodes below, on our server.
    Children,
}

/// What a link tells the loop.
#[derive(Debug)]
pub enum LinkEvent {
    /// The server is there and ready; whatever was sent before may be lost.
    Connected,
    /// The server is gone; nothing is sent until it is back.
    Disconnected,
    /// The server forgot what it kept: blocks under way are lost and must be sent again from the
    /// receipts.
    Wiped {
        /// What shows it, in words for the log.
        evidence: String,
    },
    /// The server refuses something: rights do not fit the enrolment.
    Denied {
        /// In the server's words.
        reason: String,
    },
    /// A message.
    Received(Incoming),
}

/// A message from another node: who sent it is what the server vouches for, no more.
#[derive(Debug)]
pub struct Incoming {
    /// Whose right it took to send it.
    pub from: NodeId,
    /// What for.
    pub channel: Channel,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// For [`Channel::Up`]: tells the server that the message is stored here. Dropped without, the
    /// server delivers the message again.
    pub ack: Option<Ack>,
}

/// The right to say that a message is done with. It also counts the message as under way, which bounds the
/// bytes this node takes in before it has stored them.
pub struct Ack {
    delivered: Box<Delivered>,
    done: mpsc::UnboundedSender<Box<Delivered>>,
}

/// A message delivered and not yet acknowledged.
struct Delivered {
    acker: Acker,
    under_way: Option<OwnedSemaphorePermit>,
}

impl Ack {
    /// The message was looked at, whatever became of it: it no longer counts as under way. What waits
    /// for others must not keep the messages of siblings out.
    pub fn taken_in(&mut self) {
        self.delivered.under_way = None;
    }

    /// Tells the server that it may forget the message: call it once the block is durable, or refused; not before.
    pub fn settled(self) {
        // A link that is gone acknowledges nothing; the server delivers the message again.
        let _ = self.done.send(self.delivered);
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ack")
    }
}

/// A message to another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom: the parent, or a child.
    pub to: NodeId,
    /// What for.
    pub channel: Channel,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// For [`Channel::Up`]: by which the server knows a repetition, the hash of message and attempt in hex.
    pub message_id: Option<String>,
}

/// A running link; dropped, it stops.
#[derive(Debug)]
pub struct LinkHandle {
    outgoing: mpsc::Sender<Outgoing>,
    queued_bytes: Arc<AtomicUsize>,
    tasks: JoinSet<()>,
}

/// The other end of a link's queue.
struct SendQueue {
    receiver: mpsc::Receiver<Outgoing>,
    queued_bytes: Arc<AtomicUsize>,
}

impl SendQueue {
    async fn next(&mut self) -> Option<Outgoing> {
        let message = self.receiver.recv().await?;
        self.queued_bytes.fetch_sub(message.bytes.len(), Ordering::Relaxed);
        Some(message)
    }

    fn clear(&mut self) {
        while let Ok(message) = self.receiver.try_recv() {
            self.queued_bytes.fetch_sub(message.bytes.len(), Ordering::Relaxed);
        }
    }
}

impl LinkHandle {
    /// Queues a message. `false` when the queue is full and the message is dropped: the loop never
    /// waits for a server, and what matters is sent again until a receipt comes.
    pub fn send(&self, message: Outgoing) -> bool {
        let bytes = message.bytes.len();
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if queued + bytes <= SEND_QUEUE_BYTES && self.outgoing.try_send(message).is_ok() {
            return true;
        }
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        false
    }

    fn new() -> (Self, SendQueue) {
        let (outgoing, receiver) = mpsc::channel(SEND_QUEUE);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let handle = Self { outgoing, queued_bytes: queued_bytes.clone(), tasks: JoinSet::new() };
        (handle, SendQueue { receiver, queued_bytes })
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// What the tasks of a link tell the loop with: an event and the link it comes from.
pub type LinkEvents = mpsc::Sender<(Link, LinkEvent)>;
