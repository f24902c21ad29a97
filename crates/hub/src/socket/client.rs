//! The caller's side: hands the command over, then serves its files and prints until it ends.

use super::frame::{Kind, malformed, read_frame, split_handle, write_frame};
use super::{Call, Failure, Progress};
use crate::command_io::{CommandIo, FileSink};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Why the daemon did not run a command.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// No daemon listens.
    Nobody,
    /// The connection broke: whether the command was run to its end is unknown.
    Broken(io::Error),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("no daemon listens"),
            Self::Broken(error) => write!(
                f,
                "the connection to the daemon broke ({error}); whether the command was run to its end \
                 is unknown: look with hub log show"
            ),
        }
    }
}

impl std::error::Error for CallError {}

/// Has the daemon behind this socket run a command; returns its exit code.
///
/// # Errors
/// Nobody listens, or the connection breaks.
pub fn call(socket: &Path, call: &Call, io: &dyn CommandIo) -> Result<u8, CallError> {
    let stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => CallError::Nobody,
        _ => CallError::Broken(error),
    })?;
    let mut caller = Caller { stream, io, next: 1, open: BTreeMap::new(), sinks: BTreeMap::new() };
    caller.run(call).map_err(CallError::Broken)
}

struct Caller<'a> {
    stream: UnixStream,
    io: &'a dyn CommandIo,
    next: u32,
    open: BTreeMap<u32, Box<dyn Read + Send>>,
    sinks: BTreeMap<u32, Box<dyn FileSink>>,
}

impl Caller<'_> {
    fn run(&mut self, call: &Call) -> io::Result<u8> {
        write_frame(&mut self.stream, Kind::Call, &serde_json::to_vec(call)?)?;
        loop {
            let (kind, payload) = read_frame(&mut self.stream)?;
            match kind {
                Kind::Exit => return Ok(payload.first().copied().unwrap_or(2)),
                Kind::Out => self.io.out(&text(&payload)?)?,
                Kind::Err => self.io.err(&text(&payload)?)?,
                Kind::Progress => {
                    let progress: Progress = serde_json::from_slice(&payload)?;
                    self.io.progress(progress.done, progress.total, &progress.what);
                }
                Kind::Close => {
                    let (handle, _) = split_handle(&payload)?;
                    self.open.remove(&handle);
                    self.sinks.remove(&handle);
                }
                asked => {
                    let answer = self.answer(asked, &payload);
                    self.reply(answer)?;
                }
            }
        }
    }

    fn reply(&mut self, answer: io::Result<(Kind, Vec<u8>)>) -> io::Result<()> {
        match answer {
            Ok((kind, payload)) => write_frame(&mut self.stream, kind, &payload),
            Err(error) => {
                let failure = serde_json::to_vec(&Failure::from(&error))?;
                write_frame(&mut self.stream, Kind::Failed, &failure)
            }
        }
    }

    fn answer(&mut self, asked: Kind, payload: &[u8]) -> io::Result<(Kind, Vec<u8>)> {
        match asked {
            Kind::Open => {
                let file = self.io.read_file(&text(payload)?)?;
                let handle = self.handle();
                self.open.insert(handle, file);
                Ok((Kind::Done, handle.to_be_bytes().to_vec()))
            }
            Kind::Read => {
                let (handle, wanted) = split_handle(payload)?;
                let (wanted, _) = split_handle(wanted)?;
                let file = self.open.get_mut(&handle).ok_or_else(|| malformed("no such file"))?;
                let mut bytes = vec![0; (wanted as usize).min(super::frame::CHUNK)];
                let read = file.read(&mut bytes)?;
                bytes.truncate(read);
                Ok((Kind::Data, bytes))
            }
            Kind::Create => {
                let sink = self.io.create_file(&text(payload)?)?;
                let handle = self.handle();
                self.sinks.insert(handle, sink);
                Ok((Kind::Done, handle.to_be_bytes().to_vec()))
            }
            Kind::Write => {
                let (handle, bytes) = split_handle(payload)?;
                let sink = self.sinks.get_mut(&handle).ok_or_else(|| malformed("no such file"))?;
                sink.write_all(bytes)?;
                Ok((Kind::Done, Vec::new()))
            }
            Kind::Commit => {
                let (handle, _) = split_handle(payload)?;
                let sink = self.sinks.remove(&handle).ok_or_else(|| malformed("no such file"))?;
                sink.commit()?;
                Ok((Kind::Done, Vec::new()))
            }
            Kind::List => {
                let entries = self.io.list_directory(&text(payload)?)?;
                Ok((Kind::Data, serde_json::to_vec(&entries)?))
            }
            _ => Err(malformed("a question of an unexpected kind")),
        }
    }

    fn handle(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

/// Text in a frame; long texts are cut between characters.
fn text(payload: &[u8]) -> io::Result<String> {
    String::from_utf8(payload.to_vec()).map_err(|_| malformed("text that is not UTF-8"))
}
