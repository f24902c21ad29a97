//! The caller of a command, in this process: real files, and what was printed kept to be read.

use hub::command_io::{CommandIo, DirEntry, DirectIo, FileSink, Screen};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code.
    pub code: u8,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a command on a data directory through the library, as the program would.
pub fn hub(data: &Path, args: &[&str]) -> Ran {
    let io = Capture::default();
    let env = hub::Env { data: Some(data.to_owned()), lang: None };
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let code = hub::run(&args, &env, &io);
    Ran { code, out: taken(&io.out), err: taken(&io.err) }
}

/// Files of this machine, a screen in memory.
struct Capture {
    files: DirectIo,
    screen: Screen,
    out: Mutex<String>,
    err: Mutex<String>,
}

impl Default for Capture {
    fn default() -> Self {
        let screen = Screen { width: 100, terminal: false };
        let files = DirectIo::new(screen.clone());
        Self { files, screen, out: Mutex::default(), err: Mutex::default() }
    }
}

fn taken(text: &Mutex<String>) -> String {
    text.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn added(to: &Mutex<String>, text: &str) {
    to.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
}

impl CommandIo for Capture {
    fn read_file(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        self.files.read_file(path)
    }

    fn create_file(&self, path: &str) -> io::Result<Box<dyn FileSink>> {
        self.files.create_file(path)
    }

    fn list_directory(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        self.files.list_directory(path)
    }

    fn out(&self, text: &str) -> io::Result<()> {
        added(&self.out, text);
        Ok(())
    }

    fn err(&self, text: &str) -> io::Result<()> {
        added(&self.err, text);
        Ok(())
    }

    fn progress(&self, _done: u64, _total: Option<u64>, _what: &str) {}

    fn screen(&self) -> &Screen {
        &self.screen
    }
}
