//! A loopback proxy between a child and its parent's server that swallows, holds or tears what passes, one way or
//! both: what networks do to connections.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What becomes of bytes that go one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They arrive.
    Passes,
    /// They wait where they are.
    Holds,
    /// They are lost, and the sender does not learn of it. A connection that lost any ends when they pass again.
    Swallows,
}

/// What becomes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// They stand.
    Open,
    /// The server's end is gone and the child's stands: nobody tells the child, now or later.
    HalfOpen,
    /// They end, and no new one comes to stand.
    Shut,
}

/// A proxy; dropped, its connections end.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    up: watch::Sender<Way>,
    down: watch::Sender<Way>,
    door: watch::Sender<Door>,
    bytes: Arc<[AtomicU64; 2]>,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Faults {
    target: String,
    up: watch::Receiver<Way>,
    down: watch::Receiver<Way>,
    door: watch::Receiver<Door>,
    bytes: Arc<[AtomicU64; 2]>,
}

impl Proxy {
    /// Stands before the server of this address (`nats://host:port`).
    ///
    /// # Errors
    /// No port is free.
    pub fn start(url: &str) -> io::Result<Self> {
        let listener = StdListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let ((up, sees_up), (down, sees_down)) =
            (watch::channel(Way::Passes), watch::channel(Way::Passes));
        let (door, sees_door) = watch::channel(Door::Open);
        let bytes = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let faults = Faults {
            target: url.trim_start_matches("nats://").to_owned(),
            up: sees_up,
            down: sees_down,
            door: sees_door,
            bytes: bytes.clone(),
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.spawn(async move {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, faults.clone()));
            }
        });
        Ok(Self { port, up, down, door, bytes, _runtime: runtime })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// What becomes of bytes from the child.
    pub fn up(&self, way: Way) {
        self.up.send_replace(way);
    }

    /// What becomes of bytes to the child.
    pub fn down(&self, way: Way) {
        self.down.send_replace(way);
    }

    /// What becomes of connections.
    pub fn door(&self, door: Door) {
        self.door.send_replace(door);
    }

    /// How many bytes the child sent and was sent, lost ones among them.
    pub fn bytes(&self) -> [u64; 2] {
        [&self.bytes[0], &self.bytes[1]].map(|bytes| bytes.load(Ordering::Relaxed))
    }
}

/// Carries one connection until an end is gone or the door is no longer open.
async fn connection(client: TcpStream, faults: Faults) {
    let Faults { target, up, down, mut door, bytes } = faults;
    if *door.borrow_and_update() == Door::Shut {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (mut from_client, mut to_client) = tokio::io::split(client);
    {
        let (from_server, to_server) = tokio::io::split(server);
        let upwards = carry(&mut from_client, to_server, up, &bytes[0]);
        let downwards = carry(from_server, &mut to_client, down, &bytes[1]);
        tokio::select! {
            () = upwards => return,
            () = downwards => return,
            changed = door.wait_for(|door| *door != Door::Open) => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
    // The server's end is closed. The child's stands, whatever comes later, unless the door is shut.
    let _ = door.wait_for(|door| *door == Door::Shut).await;
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
    counted: &AtomicU64,
) {
    let (mut buffer, mut lost) = (vec![0; 64 << 10], false);
    loop {
        let now = *way.borrow_and_update();
        if now == Way::Passes && lost {
            return;
        }
        let read = async {
            if now == Way::Holds {
                std::future::pending().await
            } else {
                from.read(&mut buffer).await
            }
        };
        let read = tokio::select! {
            read = read => read,
            changed = way.changed() => {
                if changed.is_err() {
                    return;
                }
                continue;
            }
        };
        let Some(count) = read.ok().filter(|count| *count > 0) else { return };
        counted.fetch_add(count as u64, Ordering::Relaxed);
        if now == Way::Swallows {
            lost = true;
        } else if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
