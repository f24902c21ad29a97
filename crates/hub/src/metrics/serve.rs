//! The page on a socket: `GET /metrics` and nothing else; whoever asks for more, or slowly, is sent away.

use super::exposition;
use crate::host::DaemonRequest;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// How long one caller may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest request that is read.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// The most callers at once; others wait at the door.
const CALLERS_MAX: usize = 8;
/// How long accepting rests after the system refused a socket.
const REST: Duration = Duration::from_millis(200);

/// Takes the address.
///
/// # Errors
/// As the system says.
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers callers until the daemon's loop is gone.
pub(crate) async fn serve(listener: TcpListener, daemon: mpsc::Sender<DaemonRequest>) {
    let places = Arc::new(Semaphore::new(CALLERS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = daemon.closed() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let daemon = daemon.clone();
        tokio::spawn(async move {
            let _place = place;
            match timeout(PATIENCE, answer(stream, &daemon)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a caller for metrics went away"),
                Err(_) => tracing::debug!("a caller for metrics was too slow"),
            }
        });
    }
}

async fn answer(mut stream: TcpStream, daemon: &mpsc::Sender<DaemonRequest>) -> io::Result<()> {
    let request = read_head(&mut stream).await?;
    let mut words = request.split(|byte| *byte == b' ');
    let (method, target) = (words.next(), words.next());
    let path = target.and_then(|target| target.split(|byte| *byte == b'?').next());
    let (state, body) = match (method, path) {
        (Some(b"GET"), Some(b"/metrics")) => match page(daemon).await {
            Some(page) => ("200 OK", page),
            None => ("503 Service Unavailable", "the node stops\n".to_owned()),
        },
        (Some(b"GET"), _) => ("404 Not Found", "there is only /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {state}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Everything up to the empty line.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let read = stream.read(&mut part).await?;
        if read == 0 || request.len() + read > REQUEST_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "expected a request of HTTP"));
        }
        request.extend_from_slice(&part[..read]);
    }
    Ok(request)
}

async fn page(daemon: &mpsc::Sender<DaemonRequest>) -> Option<String> {
    let (reply, answer) = oneshot::channel();
    daemon.send(DaemonRequest::Status(reply)).await.ok()?;
    answer.await.ok().map(|snapshot| exposition(&snapshot))
}
