//! Typing commands at a node's local socket, without a process for each.

use hub::command_io::{CommandIo, DirEntry, FileSink, Screen};
use hub::socket::{self, Call, CallError};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// One who sits at a node.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    socket: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its exit code.
    pub(super) code: u8,
    /// What it printed.
    pub(super) out: String,
    /// What it complained of.
    pub(super) err: String,
}

impl Caller {
    pub(super) fn new(data: &Path) -> Self {
        Self { socket: data.join("hub.sock") }
    }

    /// Has the daemon run a command; `input` is what it reads from standard input.
    pub(super) fn call(&self, args: &[&str], input: &str) -> Result<Answer, CallError> {
        let desk = Desk {
            screen: Screen { width: 200, terminal: false },
            input: input.to_owned(),
            out: Mutex::default(),
            err: Arc::default(),
        };
        let mut typed = vec!["--lang".to_owned(), "en".to_owned()];
        typed.extend(args.iter().map(|arg| (*arg).to_owned()));
        let call = Call { args: typed, lang: None, screen: desk.screen.clone() };
        let code = socket::call(&self.socket, &call, &desk)?;
        let text =
            |screen: &Mutex<String>| screen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Answer { code, out: text(&desk.out), err: text(&desk.err) })
    }
}

/// The caller's screen and the one sheet on its desk.
struct Desk {
    screen: Screen,
    input: String,
    out: Mutex<String>,
    err: Arc<Mutex<String>>,
}

fn unsupported<T>(path: &str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, format!("{path}: only standard input")))
}

fn print(screen: &Mutex<String>, text: &str) {
    screen.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
}

/// A sheet that a command fills; what stands on it is told with the complaints.
struct Sheet {
    text: Vec<u8>,
    pile: Arc<Mutex<String>>,
}

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileSink for Sheet {
    fn commit(self: Box<Self>) -> io::Result<()> {
        print(&self.pile, &String::from_utf8_lossy(&self.text));
        Ok(())
    }
}

impl CommandIo for Desk {
    fn read_file(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        match path {
            hub::command_io::STANDARD_STREAM => {
                Ok(Box::new(Cursor::new(self.input.clone().into_bytes())))
            }
            _ => unsupported(path),
        }
    }

    fn create_file(&self, _: &str) -> io::Result<Box<dyn FileSink>> {
        Ok(Box::new(Sheet { text: Vec::new(), pile: Arc::clone(&self.err) }))
    }

    fn list_directory(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        unsupported(path)
    }

    fn out(&self, text: &str) -> io::Result<()> {
        print(&self.out, text);
        Ok(())
    }

    fn err(&self, text: &str) -> io::Result<()> {
        print(&self.err, text);
        Ok(())
    }

    fn progress(&self, _: u64, _: Option<u64>, _: &str) {}

    fn screen(&self) -> &Screen {
        &self.screen
    }
}
