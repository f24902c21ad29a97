//! Publishing into JetStream, in order, again and again until the server has it.

use super::connect::jittered;
use super::{LinkEvent, Outgoing};
use async_nats::HeaderMap;
use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::publish::PublishAck;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// The header by which the server knows a repetition.
const MESSAGE_ID: &str = "Nats-Msg-Id";
/// Bytes and messages published and not yet acknowledged.
const UNDER_WAY_BYTES: usize = 8 << 20;
const UNDER_WAY_MESSAGES: usize = 64;
/// The first and the longest pause after the server did not take a message.
const RETRY_MILLIS: (u64, u64) = (100, 5_000);

/// Where the server's stream stood when a message was published: the last number it is known to have given,
/// and how often it was found to be another.
#[derive(Debug, Clone, Copy)]
struct Standing {
    sequence: u64,
    streams: u64,
}

type Attempt = BoxFuture<'static, (Outgoing, Standing, Result<PublishAck, PublishError>)>;

/// Messages on their way into the stream.
pub(super) struct Publisher {
    context: jetstream::Context,
    subject: String,
    attempts: FuturesOrdered<Attempt>,
    under_way_bytes: usize,
    /// What the server did not take, in order.
    again: VecDeque<Outgoing>,
    failures: u32,
    not_before: Instant,
    /// The stream the server answered for last.
    stream: Option<String>,
    standing: Standing,
}

impl Publisher {
    pub(super) fn new(client: async_nats::Client, subject: String) -> Self {
        let context = jetstream::ContextBuilder::new()
            .timeout(Duration::from_secs(5))
            // The library counts attempts given up for a while longer.
            .max_ack_inflight(64 * UNDER_WAY_MESSAGES)
            .build(client);
        Self {
            context,
            subject,
            attempts: FuturesOrdered::new(),
            under_way_bytes: 0,
            again: VecDeque::new(),
            failures: 0,
            not_before: Instant::now(),
            stream: None,
            standing: Standing { sequence: 0, streams: 0 },
        }
    }

    /// Whether another message may be taken on.
    pub(super) fn has_room(&self) -> bool {
        self.again.is_empty()
            && self.under_way_bytes < UNDER_WAY_BYTES
            && self.attempts.len() < UNDER_WAY_MESSAGES
    }

    /// Forgets everything under way: whoever sent it sends it again from its receipts.
    pub(super) fn clear(&mut self) {
        self.attempts = FuturesOrdered::new();
        self.under_way_bytes = 0;
        self.again.clear();
        self.failures = 0;
    }

    /// Publishes a message behind all before it: attempts are first polled in this order.
    pub(super) fn publish(&mut self, message: Outgoing) {
        let mut headers = HeaderMap::new();
        if let Some(id) = &message.message_id {
            headers.insert(MESSAGE_ID, id.as_str());
        }
        self.under_way_bytes += message.bytes.len();
        let payload = message.bytes.clone().into();
        let (context, subject) = (self.context.clone(), self.subject.clone());
        let standing = self.standing;
        // Without the runtime's turns, for one that yields midway would be overtaken by those behind it.
        self.attempts.push_back(Box::pin(tokio::task::unconstrained(async move {
            let outcome = match context.publish_with_headers(subject, headers, payload).await {
                Ok(ack) => ack.await,
                Err(error) => Err(error),
            };
            (message, standing, outcome)
        })));
    }

    /// Waits until something happens to a message under way: the server takes one, or it is time to try
    /// again. Pends for ever when there is none. Loses nothing when dropped before it is done.
    pub(super) async fn next(&mut self) -> Option<LinkEvent> {
        if self.attempts.is_empty() {
            if self.again.is_empty() {
                return std::future::pending().await;
            }
            tokio::time::sleep_until(self.not_before).await;
            while self.attempts.len() < UNDER_WAY_MESSAGES
                && self.under_way_bytes < UNDER_WAY_BYTES
                && let Some(message) = self.again.pop_front()
            {
                self.publish(message);
            }
        }
        let (message, standing, outcome) = self.attempts.next().await?;
        self.under_way_bytes = self.under_way_bytes.saturating_sub(message.bytes.len());
        match outcome {
            Ok(ack) => {
                self.failures = 0;
                self.note(&ack, standing)
            }
            Err(error) => self.failed(message, &error),
        }
    }

    /// A message numbered no higher than one that was acknowledged before it was published: the stream is another
    /// than it was. Of several under way together the server may number any first.
    fn note(&mut self, ack: &PublishAck, then: Standing) -> Option<LinkEvent> {
        if ack.duplicate {
            return None;
        }
        let other = self.stream.as_ref().is_some_and(|stream| *stream != ack.stream);
        let judged = then.streams == self.standing.streams;
        self.stream = Some(ack.stream.clone());
        if !judged || !(other || ack.sequence <= then.sequence) {
            self.standing.sequence = self.standing.sequence.max(ack.sequence);
            return None;
        }
        self.standing = Standing { sequence: ack.sequence, streams: then.streams + 1 };
        let evidence = format!(
            "stream {} numbered a block {} that was published after {}",
            ack.stream, ack.sequence, then.sequence
        );
        Some(LinkEvent::Wiped { evidence })
    }

    fn failed(&mut self, message: Outgoing, error: &PublishError) -> Option<LinkEvent> {
        if error.kind() == PublishErrorKind::MaxPayloadExceeded {
            let bytes = message.bytes.len();
            return Some(LinkEvent::Denied {
                reason: format!("message of {bytes} bytes: {error}"),
            });
        }
        // No answer in time says nothing about what the server did; the message id makes a second
        // attempt harmless.
        tracing::debug!(%error, "the server did not take a message");
        self.again.push_back(message);
        let (first, longest) = RETRY_MILLIS;
        let pause = first.saturating_mul(1 << self.failures.min(10)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + Duration::from_millis(jittered(pause));
        None
    }
}
