//! A connection that never gives up, and says when it is there.

use super::subject::inbox_prefix;
use crate::keys::NatsUser;
use async_nats::{Client, ConnectOptions, Event, ServerError};
use hub_core::id::NodeId;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How often the server is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first and the longest pause between two attempts to connect.
const RECONNECT_MILLIS: (u64, u64) = (50, 8_000);
/// Commands the client library queues while the server is away; each may hold a block.
const CLIENT_QUEUE: usize = 64;
/// Messages that wait for this node per subscription; more are dropped and asked for again.
pub(super) const SUBSCRIPTION_QUEUE: usize = 256;

/// Whom to dial, as whom.
#[derive(Debug, Clone)]
pub struct Dial {
    /// The server's address, `nats://` or `tls://`; several separated by commas.
    pub url: String,
    /// Certificates that vouch for the server, beside those of the system.
    pub tls_ca: Option<PathBuf>,
    /// Who logs in.
    pub user: Arc<NatsUser>,
    /// The node the user belongs to.
    pub node: NodeId,
}

/// A server that cannot even be dialled.
#[derive(Debug)]
#[non_exhaustive]
pub enum DialError {
    /// The address is none.
    Url {
        /// What was given.
        found: String,
        /// Why it is none.
        error: String,
    },
    /// The client library refuses the settings, a missing certificate file for one.
    Settings(String),
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { found, error } => {
                write!(
                    f,
                    "expected an address such as nats://127.0.0.1:4222, found {found:?}: {error}"
                )
            }
            Self::Settings(error) => write!(f, "NATS settings: {error}"),
        }
    }
}

impl std::error::Error for DialError {}

/// Whether the connection stands; the number rises with every change, so that none is missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) connected: bool,
    pub(crate) changes: u64,
}

/// A client, and what is heard about its connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) standing: watch::Receiver<Standing>,
    /// What the server refuses, in its words.
    pub(crate) denied: mpsc::Receiver<String>,
}

/// Starts to dial and returns at once; the server need not be there.
pub(crate) async fn connect(dial: &Dial) -> Result<Connection, DialError> {
    let (standing_sender, standing) = watch::channel(Standing::default());
    let (denied_sender, denied) = mpsc::channel(64);
    let (said, url) = (Said::default(), dial.url.clone());
    let options = ConnectOptions::new()
        .name(format!("hub {}", dial.node))
        .nkey(dial.user.seed().to_owned())
        .custom_inbox_prefix(inbox_prefix(dial.node))
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| Duration::from_millis(reconnect_millis(attempts)))
        .ping_interval(PING_INTERVAL)
        .connection_timeout(CONNECT_TIMEOUT)
        .client_capacity(CLIENT_QUEUE)
        .subscription_capacity(SUBSCRIPTION_QUEUE)
        .ignore_discovered_servers()
        .event_callback(move |event| {
            note(&event, &standing_sender, &denied_sender);
            said.note(&event, &url);
            std::future::ready(())
        });
    let options = match &dial.tls_ca {
        Some(path) => options.add_root_certificates(path.clone()),
        None => options,
    };
    let servers = dial
        .url
        .split(',')
        .map(|url| {
            let parsed = url.trim().parse::<async_nats::ServerAddr>();
            parsed.map_err(|error| DialError::Url { found: url.into(), error: error.to_string() })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let connected = options.connect(servers).await;
    let client = connected.map_err(|error| DialError::Settings(error.to_string()))?;
    Ok(Connection { client, standing, denied })
}

fn note(event: &Event, standing: &watch::Sender<Standing>, denied: &mpsc::Sender<String>) {
    let change = |connected| {
        standing.send_modify(|standing| {
            *standing = Standing { connected, changes: standing.changes + 1 };
        });
    };
    match event {
        Event::Connected => change(true),
        Event::Disconnected | Event::Closed => change(false),
        Event::ServerError(ServerError::Other(text)) => {
            // A full queue already says that much is refused.
            let _ = denied.try_send(text.clone());
        }
        other => tracing::debug!(event = %other, "nats"),
    }
}

/// Why a connection does not come about, said once for each reason: attempts go on for ever.
#[derive(Debug, Default)]
struct Said(Mutex<Option<String>>);

impl Said {
    fn note(&self, event: &Event, url: &str) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Connected => *last = None,
            Event::ClientError(error) => {
                let error = error.to_string();
                if last.as_ref() != Some(&error) {
                    tracing::warn!(
                        url,
                        error,
                        "the server cannot be reached; tried again and again"
                    );
                    *last = Some(error);
                }
            }
            _ => {}
        }
    }
}

/// The pause before attempt number `attempts`: doubling, and half of it by chance, so that a county's
/// thousand children do not come back in step.
fn reconnect_millis(attempts: usize) -> u64 {
    let (first, longest) = RECONNECT_MILLIS;
    let doubled = first.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(longest);
    jittered(doubled)
}

/// Half of `millis` up to all of it, by chance.
pub(crate) fn jittered(millis: u64) -> u64 {
    // Without random bytes all wait the longest: still correct, only in step.
    let chance = getrandom::u32().unwrap_or(u32::MAX);
    millis / 2 + (millis / 2) * u64::from(chance) / u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        let all: Vec<u64> = (0..64).map(|_| reconnect_millis(20)).collect();
        assert!(all.iter().all(|millis| (4_000..=8_000).contains(millis)));
        assert!(all.iter().any(|millis| *millis != all[0]));
        assert!(reconnect_millis(0) <= 50 && reconnect_millis(usize::MAX) <= 8_000);
    }
}
