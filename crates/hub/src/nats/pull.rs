//! Taking what children sent up out of the stream: one stream, one durable consumer, both made and
//! checked here. Works on nats-server 2.9 and later.

use super::connect::{SUBSCRIPTION_QUEUE, Standing, jittered};
use super::{Ack, Channel, Delivered, Incoming, Link, LinkEvent, LinkEvents, Subjects};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::{self, stream};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// The name of the one consumer.
const CONSUMER: &str = "hub";
/// Bytes taken and not yet stored, beside one batch on its way: 16 MB in all.
const UNDER_WAY_KIB: u32 = 12 << 10;
/// Bounds of one batch. A batch beyond the server's send buffer is lost without a word.
const BATCH_BYTES: usize = 4 << 20;
/// What does not fit the client's queue for a subscription is dropped there without a word, and the batch
/// then waits for it until it ends: a batch must fit with room to spare.
const BATCH_MESSAGES: usize = 128;
const _: () = assert!(2 * BATCH_MESSAGES <= SUBSCRIPTION_QUEUE);
/// How long a request for a batch stands; after that the stream is looked at again.
const BATCH_WAIT: Duration = Duration::from_secs(10);
/// The server delivers again what is not acknowledged in this time: also what was on its way when a
/// connection broke, so it is short. Storing takes milliseconds, and a second delivery costs one look-up.
const ACK_WAIT: Duration = Duration::from_secs(5);
/// The most messages delivered and not acknowledged, over all children: far above what the stream keeps
/// for one child, so that one whose blocks wait (a gap, a clock ahead) stops no other.
const ACK_PENDING: i64 = 100_000;
/// How long the server remembers message ids. The receiver is idempotent for ever, this only saves work;
/// and a parent that lost its disk must soon be sent again what it once acknowledged.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(20);
/// The pause after the server could not be asked.
const RETRY_MILLIS: u64 = 500;

/// Bounds of the stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamBounds {
    pub(super) bytes: u64,
    pub(super) messages_per_child: u32,
    pub(super) replicas: u8,
}

/// By what a stream is known to be the same as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    created_nanos: i128,
    last_sequence: u64,
}

type Done = Box<Delivered>;

pub(super) struct Pull {
    context: jetstream::Context,
    standing: watch::Receiver<Standing>,
    subjects: Subjects,
    bounds: StreamBounds,
    events: LinkEvents,
    under_way: Arc<Semaphore>,
    done: mpsc::UnboundedSender<Done>,
    acknowledged: mpsc::UnboundedReceiver<Done>,
}

/// Why a batch ended.
enum Ended {
    Quietly,
    Changed,
    Stop,
}

impl Pull {
    pub(super) fn new(
        client: async_nats::Client,
        standing: watch::Receiver<Standing>,
        subjects: Subjects,
        bounds: StreamBounds,
        events: LinkEvents,
    ) -> Self {
        let context =
            jetstream::ContextBuilder::new().timeout(Duration::from_secs(5)).build(client);
        let (done, acknowledged) = mpsc::unbounded_channel();
        let under_way = Arc::new(Semaphore::new(UNDER_WAY_KIB as usize));
        Self { context, standing, subjects, bounds, events, under_way, done, acknowledged }
    }

    pub(super) fn spawn(self, tasks: &mut JoinSet<()>) {
        let Self { context, standing, subjects, bounds, events, under_way, done, acknowledged } =
            self;
        tasks.spawn(acknowledge(acknowledged));
        let task = Task { context, standing, subjects, bounds, events, under_way, done };
        tasks.spawn(task.run());
    }
}

/// Passes acknowledgements on. Bounded by what is under way.
async fn acknowledge(mut acknowledged: mpsc::UnboundedReceiver<Done>) {
    while let Some(delivered) = acknowledged.recv().await {
        // One that is lost costs a second delivery.
        if let Err(error) = delivered.acker.ack().await {
            tracing::debug!(%error, "an acknowledgement was not sent");
        }
        drop(delivered.under_way);
    }
}

struct Task {
    context: jetstream::Context,
    standing: watch::Receiver<Standing>,
    subjects: Subjects,
    bounds: StreamBounds,
    events: LinkEvents,
    under_way: Arc<Semaphore>,
    done: mpsc::UnboundedSender<Done>,
}

impl Task {
    async fn run(mut self) {
        let mut known: Option<Identity> = None;
        let mut failures = 0_u32;
        loop {
            if self.standing.wait_for(|standing| standing.connected).await.is_err() {
                return;
            }
            let consumer = match self.try_ready(&mut known).await {
                Ok(consumer) => consumer,
                Err(error) => {
                    // Said once a series, and again now and then.
                    if failures.is_multiple_of(100) {
                        tracing::warn!(error, "the stream for the children is not ready");
                    }
                    failures = failures.saturating_add(1);
                    tokio::time::sleep(Duration::from_millis(jittered(RETRY_MILLIS))).await;
                    continue;
                }
            };
            failures = 0;
            if !self.tell(LinkEvent::Connected).await {
                return;
            }
            self.standing.mark_unchanged();
            match self.take(&consumer, &mut known).await {
                Ended::Stop => return,
                Ended::Quietly | Ended::Changed => {
                    if !self.tell(LinkEvent::Disconnected).await {
                        return;
                    }
                }
            }
        }
    }

    async fn tell(&self, event: LinkEvent) -> bool {
        self.events.send((Link::Children, event)).await.is_ok()
    }

    /// Makes or finds stream and consumer.
    async fn try_ready(
        &self,
        known: &mut Option<Identity>,
    ) -> Result<Consumer<pull::Config>, String> {
        let wanted = self.stream_config();
        let created = self.context.get_or_create_stream(wanted.clone()).await;
        let mut stream = created.map_err(|error| error.to_string())?;
        let found = &stream.cached_info().config;
        if !same_bounds(found, &wanted) {
            let updated = self.context.update_stream(&wanted).await;
            updated.map_err(|error| format!("stream {}: {error}", wanted.name))?;
        }
        let info = stream.info().await.map_err(|error| error.to_string())?.clone();
        self.compare(known, &info).await;
        let created = stream.get_or_create_consumer(CONSUMER, consumer_config()).await;
        created.map_err(|error| error.to_string())
    }

    fn stream_config(&self) -> stream::Config {
        stream::Config {
            name: self.subjects.stream(),
            description: Some("blocks on their way from children to this node".into()),
            subjects: vec![self.subjects.of_all(Channel::Up)],
            retention: stream::RetentionPolicy::WorkQueue,
            storage: stream::StorageType::File,
            discard: stream::DiscardPolicy::New,
            discard_new_per_subject: true,
            max_messages_per_subject: i64::from(self.bounds.messages_per_child),
            max_bytes: i64::try_from(self.bounds.bytes).unwrap_or(i64::MAX),
            max_consumers: 1,
            duplicate_window: DUPLICATE_WINDOW,
            num_replicas: usize::from(self.bounds.replicas),
            ..stream::Config::default()
        }
    }

    /// Tells the loop when the stream is another, or went back.
    async fn compare(&self, known: &mut Option<Identity>, info: &stream::Info) {
        let found = Identity {
            created_nanos: info.created.unix_timestamp_nanos(),
            last_sequence: info.state.last_sequence,
        };
        let Some(before) = known.replace(found) else { return };
        let evidence = if before.created_nanos != found.created_nanos {
            "the stream was made anew".to_owned()
        } else if found.last_sequence < before.last_sequence {
            let (before, found) = (before.last_sequence, found.last_sequence);
            format!("the stream's last sequence went back from {before} to {found}")
        } else {
            return;
        };
        self.tell(LinkEvent::Wiped { evidence }).await;
    }

    /// Takes batches until the connection changes or the stream cannot be read.
    async fn take(
        &mut self,
        consumer: &Consumer<pull::Config>,
        known: &mut Option<Identity>,
    ) -> Ended {
        loop {
            let request = consumer
                .batch()
                .max_messages(BATCH_MESSAGES)
                .max_bytes(BATCH_BYTES)
                .expires(BATCH_WAIT)
                .messages();
            let mut batch = match request.await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::debug!(%error, "a batch was not asked for");
                    return Ended::Changed;
                }
            };
            let mut taken = 0_u64;
            loop {
                let next = tokio::select! {
                    biased;
                    changed = self.standing.changed() => {
                        return if changed.is_ok() { Ended::Changed } else { Ended::Stop };
                    }
                    next = batch.next() => next,
                };
                match next {
                    Some(Ok(message)) => {
                        taken += 1;
                        if let Some(known) = known {
                            let sequence = message.info().map_or(0, |info| info.stream_sequence);
                            known.last_sequence = known.last_sequence.max(sequence);
                        }
                        if !self.deliver(message).await {
                            return Ended::Stop;
                        }
                    }
                    // Also how a batch ends that is full by bytes; one that ends without a message
                    // may mean that the consumer is gone.
                    Some(Err(error)) => tracing::debug!(%error, "a batch ended"),
                    None => break,
                }
            }
            if taken == 0 && !self.still_there(known).await {
                return Ended::Quietly;
            }
        }
    }

    async fn still_there(&self, known: &mut Option<Identity>) -> bool {
        let Ok(stream) = self.context.get_stream(self.subjects.stream()).await else {
            return false;
        };
        self.compare(known, stream.cached_info()).await;
        stream.consumer_info(CONSUMER).await.is_ok()
    }

    async fn deliver(&self, message: jetstream::Message) -> bool {
        let (message, acker) = message.split();
        let kib = u32::try_from(message.payload.len() / 1_024 + 1).unwrap_or(u32::MAX);
        let permits = self.under_way.clone().acquire_many_owned(kib.min(UNDER_WAY_KIB)).await;
        let Ok(under_way) = permits else { return false };
        let delivered = Box::new(Delivered { acker, under_way: Some(under_way) });
        let Some(from) = self.subjects.child(Channel::Up, &message.subject) else {
            // No child's subject: nobody will ever want it.
            let _ = self.done.send(delivered);
            return true;
        };
        let incoming = Incoming {
            from,
            channel: Channel::Up,
            bytes: message.payload.to_vec(),
            ack: Some(Ack { delivered, done: self.done.clone() }),
        };
        self.tell(LinkEvent::Received(incoming)).await
    }
}

fn consumer_config() -> pull::Config {
    pull::Config {
        durable_name: Some(CONSUMER.into()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: ACK_PENDING,
        ..pull::Config::default()
    }
}

fn same_bounds(found: &stream::Config, wanted: &stream::Config) -> bool {
    found.subjects == wanted.subjects
        && found.max_bytes == wanted.max_bytes
        && found.max_messages_per_subject == wanted.max_messages_per_subject
        && found.discard_new_per_subject == wanted.discard_new_per_subject
        && found.num_replicas == wanted.num_replicas
}
