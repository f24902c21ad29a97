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

type Attempt = BoxFuture<'static, (Outgoing, Result<PublishAck, PublishError>)>;

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
    newest: Option<(String, u64)>,
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
            newest: None,
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
        self.attempts.push_back(Box::pin(async move {
            let outcome = match context.publish_with_headers(subject, headers, payload).await {
                Ok(ack) => ack.await,
                Err(error) => Err(error),
            };
            (message, outcome)
        }));
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
        let (message, outcome) = self.attempts.next().await?;
        self.under_way_bytes = self.under_way_bytes.saturating_sub(message.bytes.len());
        match outcome {
            Ok(ack) => {
                self.failures = 0;
                self.note(&ack)
            }
            Err(error) => self.failed(message, &error),
        }
    }

    /// A new message numbered below an older one: the stream is another than it was.
    fn note(&mut self, ack: &PublishAck) -> Option<LinkEvent> {
        if ack.duplicate {
            return None;
        }
        let found = (ack.stream.clone(), ack.sequence);
        let before = self.newest.replace(found)?;
        if before.0 == ack.stream && before.1 < ack.sequence {
            return None;
        }
        Some(LinkEvent::Wiped {
            evidence: format!(
                "stream {} numbered a block {} after {} in {}",
                ack.stream, ack.sequence, before.1, before.0
            ),
        })
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
