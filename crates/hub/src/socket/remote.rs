//! The caller's files and screen, as a command inside the daemon sees them.

use super::frame::{CHUNK, Kind, malformed, read_frame, split_handle, write_frame};
use super::{Failure, Progress};
use crate::command_io::{CommandIo, DirEntry, FileSink, Screen};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// Both directions; whoever holds it may ask and wait for the answer.
type Connection = Arc<Mutex<UnixStream>>;

/// The caller at the other end of a connection.
#[derive(Debug)]
pub(super) struct RemoteIo {
    connection: Connection,
    screen: Screen,
}

impl RemoteIo {
    pub(super) fn new(stream: UnixStream, screen: Screen) -> Self {
        Self { connection: Arc::new(Mutex::new(stream)), screen }
    }

    /// The last word.
    pub(super) fn exit(&self, code: u8) -> io::Result<()> {
        say(&self.connection, Kind::Exit, &[code])
    }
}

fn say(connection: &Connection, kind: Kind, payload: &[u8]) -> io::Result<()> {
    let mut stream = connection.lock().unwrap_or_else(PoisonError::into_inner);
    write_frame(&mut *stream, kind, payload)
}

/// Asks the caller's side something and waits for its answer.
fn ask(connection: &Connection, kind: Kind, payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = connection.lock().unwrap_or_else(PoisonError::into_inner);
    write_frame(&mut *stream, kind, payload)?;
    match read_frame(&mut *stream)? {
        (Kind::Done | Kind::Data, answer) => Ok(answer),
        (Kind::Failed, text) => {
            let failure: Failure = serde_json::from_slice(&text)?;
            Err(failure.into())
        }
        _ => Err(malformed("an answer of an unexpected kind")),
    }
}

fn handle_of(answer: &[u8]) -> io::Result<[u8; 4]> {
    Ok(split_handle(answer)?.0.to_be_bytes())
}

fn say_text(connection: &Connection, kind: Kind, text: &str) -> io::Result<()> {
    let mut rest = text;
    while !rest.is_empty() {
        let cut = (0..=CHUNK.min(rest.len())).rev().find(|at| rest.is_char_boundary(*at));
        let (chunk, after) = rest.split_at(cut.unwrap_or(rest.len()));
        say(connection, kind, chunk.as_bytes())?;
        rest = after;
    }
    Ok(())
}

impl CommandIo for RemoteIo {
    fn read_file(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        let answer = ask(&self.connection, Kind::Open, path.as_bytes())?;
        let reader =
            RemoteReader { connection: self.connection.clone(), handle: handle_of(&answer)? };
        Ok(Box::new(BufReader::with_capacity(CHUNK, reader)))
    }

    fn create_file(&self, path: &str) -> io::Result<Box<dyn FileSink>> {
        let answer = ask(&self.connection, Kind::Create, path.as_bytes())?;
        Ok(Box::new(RemoteSink {
            connection: self.connection.clone(),
            handle: handle_of(&answer)?,
            buffer: Vec::new(),
        }))
    }

    fn list_directory(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let answer = ask(&self.connection, Kind::List, path.as_bytes())?;
        Ok(serde_json::from_slice(&answer)?)
    }

    fn out(&self, text: &str) -> io::Result<()> {
        say_text(&self.connection, Kind::Out, text)
    }

    fn err(&self, text: &str) -> io::Result<()> {
        say_text(&self.connection, Kind::Err, text)
    }

    fn progress(&self, done: u64, total: Option<u64>, what: &str) {
        if !self.screen.terminal {
            return;
        }
        let progress = Progress { done, total, what: what.to_owned() };
        if let Ok(text) = serde_json::to_vec(&progress) {
            // A caller that is gone is noticed by the next word that matters.
            let _ = say(&self.connection, Kind::Progress, &text);
        }
    }

    fn screen(&self) -> &Screen {
        &self.screen
    }
}

struct RemoteReader {
    connection: Connection,
    handle: [u8; 4],
}

impl Read for RemoteReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wanted = into.len().min(CHUNK) as u32;
        let request = [self.handle, wanted.to_be_bytes()].concat();
        let bytes = ask(&self.connection, Kind::Read, &request)?;
        let place = into.get_mut(..bytes.len()).ok_or_else(|| malformed("more than asked for"))?;
        place.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl Drop for RemoteReader {
    fn drop(&mut self) {
        // A caller that is gone has closed its files.
        let _ = say(&self.connection, Kind::Close, &self.handle);
    }
}

struct RemoteSink {
    connection: Connection,
    handle: [u8; 4],
    buffer: Vec<u8>,
}

impl RemoteSink {
    fn send(&mut self) -> io::Result<()> {
        for chunk in self.buffer.chunks(CHUNK) {
            ask(&self.connection, Kind::Write, &[&self.handle, chunk].concat())?;
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Write for RemoteSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

impl FileSink for RemoteSink {
    fn commit(mut self: Box<Self>) -> io::Result<()> {
        self.send()?;
        ask(&self.connection, Kind::Commit, &self.handle).map(drop)
    }
}

impl Drop for RemoteSink {
    fn drop(&mut self) {
        // After a commit the other side knows no such handle and does nothing.
        let _ = say(&self.connection, Kind::Close, &self.handle);
    }
}
