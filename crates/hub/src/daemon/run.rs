//! Starting, running and stopping.

use super::engine::Engine;
use crate::clock::Clock;
use crate::config::{Node, ParentConfig, ServerConfig};
use crate::courier::Courier;
use crate::host::{Commands, DaemonRequest, Host};
use crate::keys::{KeyError, NatsUser};
use crate::metrics;
use crate::nats::{
    ChildrenSettings, Dial, DialError, Link, LinkEvent, LinkHandle, ParentSettings,
    spawn_children_link, spawn_parent_link,
};
use crate::replica::{Replica, ReplicaError};
use crate::socket::SocketServer;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

/// How often the machine is told the time.
const TICK: Duration = Duration::from_secs(1);
/// Events of the links that wait for the loop; each may hold a block.
const LINK_EVENTS: usize = 64;
/// The most events taken before what they brought is stored: they share one `fdatasync`.
const BATCH: usize = 128;

/// Why a daemon does not start, or ends by itself.
#[derive(Debug)]
#[non_exhaustive]
pub enum DaemonError {
    /// The data directory cannot be opened.
    Open(ReplicaError),
    /// A server cannot even be dialled.
    Dial(DialError),
    /// A key cannot be read.
    Key(KeyError),
    /// The local socket or the runtime cannot be had.
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// What must be durable could not be made so: nothing goes on after that.
    Storage(String),
}

impl fmt::Display for DaemonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Dial(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Io { what, error } => write!(f, "{what}: {error}"),
            Self::Storage(cause) => write!(f, "the node stopped: {cause}"),
        }
    }
}

impl std::error::Error for DaemonError {}

impl From<ReplicaError> for DaemonError {
    fn from(error: ReplicaError) -> Self {
        Self::Open(error)
    }
}

/// What happens to a daemon. Closed: whatever it reacts to stands here.
#[derive(Debug)]
enum Happening {
    /// It is to end.
    Stop,
    /// Own blocks became durable.
    OwnBlocks,
    /// A command asks.
    Request(DaemonRequest),
    /// A second has passed.
    Tick,
    /// A link says something.
    Link(Link, LinkEvent),
}

/// Runs a node in the foreground until SIGTERM or SIGINT; this is `hub run`.
///
/// # Errors
/// It does not start, or storage fails.
pub fn run(node: &Node, commands: Arc<dyn Commands>) -> Result<(), DaemonError> {
    let runtime = runtime()?;
    let signals = {
        let _entered = runtime.enter();
        Signals::new().map_err(|error| DaemonError::Io { what: "signals", error })?
    };
    let daemon = Daemon::open(&runtime, Host::open_patiently(node)?, commands)?;
    runtime.block_on(daemon.run(signals.any()))
}

/// A daemon on a thread of this process: for tests, and for whoever embeds a node.
#[derive(Debug)]
pub struct Running {
    host: Host,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), DaemonError>>>,
}

impl Running {
    /// The node's books, and its status.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether it runs no more; [`Running::stop`] then says why.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(std::thread::JoinHandle::is_finished)
    }

    /// Stops it and says how it ended.
    ///
    /// # Errors
    /// Storage had failed.
    pub fn stop(mut self) -> Result<(), DaemonError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), DaemonError> {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let panicked = |_| DaemonError::Storage("its loop panicked".into());
        thread.join().map_err(panicked)?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "a daemon ended badly");
        }
    }
}

/// Starts a daemon on a thread of this process.
///
/// # Errors
/// As for [`run`].
pub fn start(
    node: Node,
    clock: Arc<dyn Clock>,
    commands: Arc<dyn Commands>,
) -> Result<Running, DaemonError> {
    start_host(Host::open_with(node, clock)?, commands)
}

/// The same on books that are open already.
///
/// # Errors
/// As for [`run`].
pub fn start_host(host: Host, commands: Arc<dyn Commands>) -> Result<Running, DaemonError> {
    let runtime = runtime()?;
    let daemon = Daemon::open(&runtime, host, commands)?;
    let host = daemon.host.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new()
        .name("hub".into())
        .spawn(move || {
            runtime.block_on(daemon.run(async move {
                // A dropped sender stops it as well.
                let _ = stopped.await;
            }))
        })
        .map_err(|error| DaemonError::Io { what: "a thread", error })?;
    Ok(Running { host, stop: Some(stop), thread: Some(thread) })
}

/// One thread for the links beside the loop's own: an idle node stays small.
fn runtime() -> Result<Runtime, DaemonError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .map_err(|error| DaemonError::Io { what: "the runtime", error })
}

struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn any(mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

struct Daemon {
    host: Host,
    engine: Engine,
    socket: SocketServer,
    requests: mpsc::Receiver<DaemonRequest>,
    events: mpsc::Receiver<(Link, LinkEvent)>,
    own_end: tokio::sync::watch::Receiver<crate::replica::LocalPosition>,
    courier: Option<Courier>,
}

impl Daemon {
    fn open(
        runtime: &Runtime,
        mut host: Host,
        commands: Arc<dyn Commands>,
    ) -> Result<Self, DaemonError> {
        let (ask, requests) = mpsc::channel(16);
        let watched = host.node.config.metrics.as_ref().map(|config| config.listen);
        let watched = watched.map(|at| runtime.block_on(metrics::listen(at))).transpose();
        let watched = watched.map_err(|error| DaemonError::Io { what: "the metrics", error })?;
        host.daemon = Some(ask.clone());
        let (sender, events) = mpsc::channel(LINK_EVENTS);
        let (node, replica) = (&host.node, &host.replica);
        let user = Arc::new(replica.keys().nats_user().map_err(DaemonError::Key)?);
        let (mut parent, mut children) = (None, None);
        if let Some(config) = node.config.above()
            && let Some(url) = &config.url
        {
            let above = Arc::new(replica.keys().uplink_user().map_err(DaemonError::Key)?);
            let link = parent_link(node, replica, config, url, &above, sender.clone());
            parent = Some(runtime.block_on(link)?);
        }
        if let Some(config) = &node.config.server {
            let link = children_link(node, config, &user, sender);
            children = Some(runtime.block_on(link)?);
        }
        let own_end = replica.own_end();
        let engine = Engine::new(node.clone(), replica.clone(), parent, children)?;
        let socket = SocketServer::start(&node.socket(), host.clone(), commands)
            .map_err(|error| DaemonError::Io { what: "the local socket", error })?;
        if !host.replica.follows() {
            runtime.spawn(super::restate::run(host.replica.clone()));
        }
        if let Some(listener) = watched {
            runtime.spawn(metrics::serve(listener, ask));
        }
        let courier = node.config.courier.as_ref();
        let courier = courier.map(|config| Courier::start(host.clone(), config)).transpose();
        let courier = courier.map_err(|error| DaemonError::Io { what: "the folders", error })?;
        tracing::info!(node = %node.config.node, "running");
        Ok(Self { host, engine, socket, requests, events, own_end, courier })
    }

    async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), DaemonError> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = std::pin::pin!(stop);
        let ended = loop {
            let happening = tokio::select! {
                biased;
                () = &mut stop => Happening::Stop,
                Ok(()) = self.own_end.changed() => Happening::OwnBlocks,
                _ = tick.tick() => Happening::Tick,
                Some(request) = self.requests.recv() => Happening::Request(request),
                Some((link, event)) = self.events.recv() => Happening::Link(link, event),
            };
            let took = match happening {
                Happening::Stop => break Ok(()),
                Happening::OwnBlocks => {
                    let end = *self.own_end.borrow_and_update();
                    self.engine.own_blocks(end)
                }
                Happening::Tick => self.engine.tick(),
                Happening::Request(request) => self.engine.answer(request),
                Happening::Link(link, event) => self.take_links(link, event),
            };
            if let Err(error) = took {
                tracing::error!(%error, "the node stops");
                break Err(error);
            }
        };
        self.stop().await;
        ended
    }

    /// Takes one event and those behind it, and stores what they brought together.
    fn take_links(&mut self, link: Link, event: LinkEvent) -> Result<(), DaemonError> {
        self.engine.link(link, event)?;
        for _ in 1..BATCH {
            let Ok((link, event)) = self.events.try_recv() else { break };
            self.engine.link(link, event)?;
        }
        self.engine.store()
    }

    async fn stop(self) {
        let Self { host, engine, mut socket, requests, courier, .. } = self;
        // Nobody answers any more: a command that asks for the status reads it itself, and the courier ends.
        drop(requests);
        drop(courier);
        socket.stop();
        engine.stop().await;
        if let Err(error) = host.replica.save_head_copy() {
            tracing::warn!(%error, "the copy of the heads was not written");
        }
        tracing::info!("stopped");
    }
}

async fn parent_link(
    node: &Node,
    replica: &Replica,
    config: &ParentConfig,
    url: &str,
    user: &Arc<NatsUser>,
    events: mpsc::Sender<(Link, LinkEvent)>,
) -> Result<LinkHandle, DaemonError> {
    let settings = ParentSettings {
        dial: dial(node, url, config.tls_ca.as_ref(), user),
        federation: replica.who().federation,
        parent: config.node,
    };
    spawn_parent_link(settings, events).await.map_err(DaemonError::Dial)
}

async fn children_link(
    node: &Node,
    config: &ServerConfig,
    user: &Arc<NatsUser>,
    events: mpsc::Sender<(Link, LinkEvent)>,
) -> Result<LinkHandle, DaemonError> {
    let settings = ChildrenSettings {
        dial: dial(node, &config.url, config.tls_ca.as_ref(), user),
        federation: node.federation(),
        stream_bytes: config.stream_bytes,
        messages_per_child: config.messages_per_child,
        replicas: config.replicas,
    };
    spawn_children_link(settings, events).await.map_err(DaemonError::Dial)
}

fn dial(node: &Node, url: &str, tls_ca: Option<&PathBuf>, user: &Arc<NatsUser>) -> Dial {
    Dial {
        url: url.to_owned(),
        tls_ca: tls_ca.map(|path| node.resolve(path)),
        user: user.clone(),
        node: node.config.node,
    }
}
