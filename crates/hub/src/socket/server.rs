//! The daemon's side: accepts callers and runs their commands, each on a thread of its own.

use super::Call;
use super::frame::{Kind, malformed, read_frame};
use super::remote::RemoteIo;
use crate::host::{Commands, Host};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The most commands that run at once; further callers wait at the door.
const CALLS_MAX: usize = 32;
/// How long a caller may take to say what it wants.
const CALL_PATIENCE: Duration = Duration::from_secs(10);
/// How long commands may take to end when the daemon stops.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How often is looked whether they have.
const POLL: Duration = Duration::from_millis(10);

/// The listening socket; stopped or dropped, it is gone.
#[derive(Debug)]
pub struct SocketServer {
    path: PathBuf,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    stopping: AtomicBool,
    running: AtomicUsize,
}

impl SocketServer {
    /// Listens at `path`. The caller must hold the data directory: a socket found there is a leftover.
    ///
    /// # Errors
    /// What the file system says.
    pub fn start(path: &Path, host: Host, commands: Arc<dyn Commands>) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Bound under another name first, so that it never stands open to others.
        let passing = path.with_extension("sock.part");
        let _ = fs::remove_file(&passing);
        let listener = UnixListener::bind(&passing)?;
        fs::set_permissions(&passing, Permissions::from_mode(0o600))?;
        fs::rename(&passing, path)?;
        let state = Arc::new(State::default());
        let accepting = {
            let state = state.clone();
            move || accept(&listener, &state, &host, &commands)
        };
        let thread = thread::Builder::new().name("local socket".into()).spawn(accepting)?;
        Ok(Self { path: path.to_owned(), state, thread: Some(thread) })
    }

    /// Takes no more commands and waits, within bounds, for those that run.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread. Where the socket was taken away there is no way to it: it ends with the process.
        if UnixStream::connect(&self.path).is_ok() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
        let since = Instant::now();
        while self.state.running.load(Ordering::SeqCst) > 0 && since.elapsed() < STOP_PATIENCE {
            thread::sleep(POLL);
        }
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept(listener: &UnixListener, state: &Arc<State>, host: &Host, commands: &Arc<dyn Commands>) {
    for stream in listener.incoming() {
        if state.stopping.load(Ordering::SeqCst) {
            return;
        }
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a caller was not accepted");
                thread::sleep(POLL);
                continue;
            }
        };
        while state.running.load(Ordering::SeqCst) >= CALLS_MAX {
            thread::sleep(POLL);
        }
        state.running.fetch_add(1, Ordering::SeqCst);
        let (running, host, commands) = (Running(state.clone()), host.clone(), commands.clone());
        let serving = move || {
            let _running = running;
            if let Err(error) = serve(stream, &host, &*commands) {
                tracing::debug!(%error, "a caller went away");
            }
        };
        if let Err(error) = thread::Builder::new().name("command".into()).spawn(serving) {
            tracing::error!(%error, "no thread for a command");
        }
    }
}

/// Counts one command until it is dropped, however it ends.
struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn serve(mut stream: UnixStream, host: &Host, commands: &dyn Commands) -> io::Result<()> {
    stream.set_read_timeout(Some(CALL_PATIENCE))?;
    let (kind, payload) = read_frame(&mut stream)?;
    if kind != Kind::Call {
        return Err(malformed("expected a command"));
    }
    // From here on the caller may take its time: it reads files, perhaps from a pipe.
    stream.set_read_timeout(None)?;
    let call: Call = serde_json::from_slice(&payload)?;
    let io = RemoteIo::new(stream, call.screen.clone());
    let code = commands.run(&call, host, &io);
    io.exit(code)
}
