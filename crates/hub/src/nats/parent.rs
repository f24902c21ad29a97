//! The link of a child to its parent, on the parent's server.

use super::connect::{Connection, Dial, DialError, connect};
use super::publish::Publisher;
use super::{
    Channel, Incoming, Link, LinkEvent, LinkEvents, LinkHandle, Outgoing, SendQueue, Subjects,
};
use futures_util::StreamExt;
use hub_core::id::{FederationId, NodeId};

/// Whose child dials whom.
#[derive(Debug, Clone)]
pub struct ParentSettings {
    /// The server and who logs in there; its node is the child.
    pub dial: Dial,
    /// The federation.
    pub federation: FederationId,
    /// The parent.
    pub parent: NodeId,
}

/// Starts the link to the parent; the server need not be there, now or ever.
///
/// # Errors
/// Settings that cannot work at all.
pub async fn spawn_parent_link(
    settings: ParentSettings,
    events: LinkEvents,
) -> Result<LinkHandle, DialError> {
    let connection = connect(&settings.dial).await?;
    let subjects = Subjects::new(settings.federation, settings.parent);
    let child = settings.dial.node;
    let down = subjects.of_child(Channel::Down, child);
    let subscribed = connection.client.subscribe(down).await;
    let down = subscribed.map_err(|error| DialError::Settings(error.to_string()))?;
    let (mut handle, queue) = LinkHandle::new();
    handle.tasks.spawn(receive(down, settings.parent, events.clone()));
    let up = subjects.of_child(Channel::Up, child);
    let task = SendTask {
        publisher: Publisher::new(connection.client.clone(), up),
        ask: subjects.of_child(Channel::Ask, child),
        connection,
        queue,
        events,
    };
    handle.tasks.spawn(task.run());
    Ok(handle)
}

async fn receive(mut down: async_nats::Subscriber, parent: NodeId, events: LinkEvents) {
    while let Some(message) = down.next().await {
        let incoming = Incoming {
            from: parent,
            channel: Channel::Down,
            bytes: message.payload.to_vec(),
            ack: None,
        };
        if events.send((Link::Parent, LinkEvent::Received(incoming))).await.is_err() {
            return;
        }
    }
}

struct SendTask {
    connection: Connection,
    publisher: Publisher,
    ask: String,
    queue: SendQueue,
    events: LinkEvents,
}

enum Step {
    StandingChanged,
    Denied(String),
    Send(Outgoing),
    Tell(LinkEvent),
    Nothing,
    Stop,
}

impl SendTask {
    async fn run(mut self) {
        let mut connected = false;
        loop {
            match self.step(connected).await {
                Step::StandingChanged => {
                    let standing = *self.connection.standing.borrow_and_update();
                    if connected && !self.tell(LinkEvent::Disconnected).await {
                        return;
                    }
                    // What was queued before the loop knows of the connection is sent anew by it.
                    self.publisher.clear();
                    self.queue.clear();
                    connected = standing.connected;
                    if connected && !self.tell(LinkEvent::Connected).await {
                        return;
                    }
                }
                Step::Denied(reason) => {
                    if !self.tell(LinkEvent::Denied { reason }).await {
                        return;
                    }
                }
                Step::Send(message) => self.send(message).await,
                Step::Nothing => {}
                Step::Tell(event) => {
                    if !self.tell(event).await {
                        return;
                    }
                }
                Step::Stop => return,
            }
        }
    }

    async fn step(&mut self, connected: bool) -> Step {
        tokio::select! {
            biased;
            changed = self.connection.standing.changed() => match changed {
                Ok(()) => Step::StandingChanged,
                Err(_) => Step::Stop,
            },
            Some(reason) = self.connection.denied.recv() => Step::Denied(reason),
            event = self.publisher.next(), if connected => event.map_or(Step::Nothing, Step::Tell),
            message = self.queue.next(), if connected && self.publisher.has_room() => {
                message.map_or(Step::Stop, Step::Send)
            }
        }
    }

    async fn send(&mut self, message: Outgoing) {
        match message.channel {
            Channel::Up => self.publisher.publish(message),
            Channel::Ask | Channel::Down => {
                let sent = self.connection.client.publish(self.ask.clone(), message.bytes.into());
                if let Err(error) = sent.await {
                    tracing::debug!(%error, "a question was not sent");
                }
            }
        }
    }

    async fn tell(&mut self, event: LinkEvent) -> bool {
        self.events.send((Link::Parent, event)).await.is_ok()
    }
}
