//! The courier alone: the same blocks through JetStream, published, stored, pulled and acknowledged, with
//! nothing verified, folded or synced. What a link could reach at most.

use super::error::{BenchError, failed};
use super::limits::{Times, micros};
use super::report::{Figure, Report};
use crate::process::{Process, free_port};
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, stream};
use futures_util::StreamExt;
use hub_core::block::Block;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const SUBJECT: &str = "raw";
/// Single messages, each awaited.
const SINGLES: usize = 400;
/// Published and not yet acknowledged by the server.
const UNDER_WAY: usize = 64;
/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures JetStream itself with these blocks, which hold so many facts.
///
/// # Errors
/// No server, or it does not answer.
pub fn measure(
    place: &Path,
    blocks: &[Block],
    facts: u64,
    report: &mut Report<'_>,
) -> Result<(), BenchError> {
    report.progress("links: JetStream alone")?;
    let port = free_port().map_err(failed("look for a port"))?;
    let mut command = Command::new(crate::nats::program().map_err(failed("find nats-server"))?);
    command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream"]);
    command.arg("--store_dir").arg(place.join("raw"));
    let server = Process::start(command, &place.join("raw.log"));
    let _server = server.map_err(failed("start a nats-server"))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(failed("a runtime"))?.block_on(both(port, blocks, facts, report))
}

async fn both(
    port: u16,
    blocks: &[Block],
    facts: u64,
    report: &mut Report<'_>,
) -> Result<(), BenchError> {
    let (context, mut messages) = open(port).await?;
    let mut times = Vec::new();
    for _ in 0..SINGLES {
        let began = Instant::now();
        publish(&context, vec![0x5a; 300]).await?.await.map_err(failed("publish"))?;
        take(&mut messages).await?;
        times.push(micros(began));
    }
    let times = Times::new(times);
    for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
        report.figure(Figure {
            what: format!("JetStream alone, one hop, {name}"),
            value: times.at(part) / 1e3,
            unit: "ms",
            target: None,
            holds: "300 bytes published, acknowledged, pulled, acknowledged; nothing synced".into(),
        })?;
    }
    let began = Instant::now();
    let sending = async {
        let mut under_way = std::collections::VecDeque::new();
        for block in blocks {
            under_way.push_back(publish(&context, block.bytes().to_vec()).await?);
            if under_way.len() >= UNDER_WAY
                && let Some(oldest) = under_way.pop_front()
            {
                oldest.await.map_err(failed("publish"))?;
            }
        }
        for rest in under_way {
            rest.await.map_err(failed("publish"))?;
        }
        Ok(())
    };
    let taking = async {
        for _ in blocks {
            take(&mut messages).await?;
        }
        Ok(())
    };
    tokio::try_join!(sending, taking)?;
    report.figure(Figure {
        what: "JetStream alone, the same blocks".to_owned(),
        value: facts as f64 / began.elapsed().as_secs_f64(),
        unit: "facts/s",
        target: None,
        holds: "bytes only: nothing read from a journal, verified, synced or folded".to_owned(),
    })
}

type Messages = pull::Stream;

async fn open(port: u16) -> Result<(jetstream::Context, Messages), BenchError> {
    let since = Instant::now();
    let client = loop {
        match async_nats::connect(format!("nats://127.0.0.1:{port}")).await {
            Ok(client) => break client,
            Err(error) if since.elapsed() > PATIENCE => return Err(failed("connect")(error)),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let context = jetstream::new(client);
    let config = stream::Config {
        name: "RAW".into(),
        subjects: vec![SUBJECT.into()],
        retention: stream::RetentionPolicy::WorkQueue,
        ..stream::Config::default()
    };
    let stream = context.create_stream(config).await.map_err(failed("make a stream"))?;
    let config = pull::Config {
        durable_name: Some("raw".into()),
        ack_policy: AckPolicy::Explicit,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(failed("make a consumer"))?;
    let messages = consumer.messages().await.map_err(failed("pull"))?;
    Ok((context, messages))
}

async fn publish(
    context: &jetstream::Context,
    bytes: Vec<u8>,
) -> Result<jetstream::context::PublishAckFuture, BenchError> {
    context.publish(SUBJECT, bytes.into()).await.map_err(failed("publish"))
}

async fn take(messages: &mut Messages) -> Result<(), BenchError> {
    let ended = || BenchError { step: "pull".to_owned(), cause: "the stream ended".to_owned() };
    let message = messages.next().await.ok_or_else(ended)?.map_err(failed("pull"))?;
    message.ack().await.map_err(failed("acknowledge"))
}
