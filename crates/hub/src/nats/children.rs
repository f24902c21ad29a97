//! The link of a parent to its children, on its own server.

use super::connect::{Connection, Dial, DialError, connect};
use super::pull::{Pull, StreamBounds};
use super::{Channel, Incoming, Link, LinkEvent, LinkEvents, LinkHandle, SendQueue, Subjects};
use futures_util::StreamExt;
use hub_core::id::FederationId;
use tokio::sync::mpsc;

/// Which server a parent serves its children on.
#[derive(Debug, Clone)]
pub struct ChildrenSettings {
    /// The server and who logs in there; its node is the parent.
    pub dial: Dial,
    /// The federation.
    pub federation: FederationId,
    /// The most bytes of blocks under way that the server keeps for all children together.
    pub stream_bytes: u64,
    /// The most blocks under way that the server keeps for one child.
    pub messages_per_child: u32,
    /// How many servers of a cluster keep each of them.
    pub replicas: u8,
}

/// Starts the link to the children; the server need not be there yet.
///
/// # Errors
/// Settings that cannot work at all.
pub async fn spawn_children_link(
    settings: ChildrenSettings,
    events: LinkEvents,
) -> Result<LinkHandle, DialError> {
    let connection = connect(&settings.dial).await?;
    let subjects = Subjects::new(settings.federation, settings.dial.node);
    let subscribed = connection.client.subscribe(subjects.of_all(Channel::Ask)).await;
    let ask = subscribed.map_err(|error| DialError::Settings(error.to_string()))?;
    let (mut handle, queue) = LinkHandle::new();
    let bounds = StreamBounds {
        bytes: settings.stream_bytes,
        messages_per_child: settings.messages_per_child,
        replicas: settings.replicas,
    };
    let Connection { client, standing, denied } = connection;
    let pull = Pull::new(client.clone(), standing, subjects.clone(), bounds, events.clone());
    handle.tasks.spawn(receive(ask, subjects.clone(), events.clone()));
    handle.tasks.spawn(send(client, subjects, queue));
    handle.tasks.spawn(report(denied, events));
    pull.spawn(&mut handle.tasks);
    Ok(handle)
}

async fn receive(mut ask: async_nats::Subscriber, subjects: Subjects, events: LinkEvents) {
    while let Some(message) = ask.next().await {
        let Some(from) = subjects.child(Channel::Ask, &message.subject) else { continue };
        let incoming =
            Incoming { from, channel: Channel::Ask, bytes: message.payload.to_vec(), ack: None };
        if events.send((Link::Children, LinkEvent::Received(incoming))).await.is_err() {
            return;
        }
    }
}

async fn send(client: async_nats::Client, subjects: Subjects, mut queue: SendQueue) {
    while let Some(message) = queue.next().await {
        let subject = subjects.of_child(Channel::Down, message.to);
        if let Err(error) = client.publish(subject, message.bytes.into()).await {
            tracing::debug!(%error, "a message to a child was not sent");
        }
    }
}

async fn report(mut denied: mpsc::Receiver<String>, events: LinkEvents) {
    while let Some(reason) = denied.recv().await {
        if events.send((Link::Children, LinkEvent::Denied { reason })).await.is_err() {
            return;
        }
    }
}
