//! Processes that a test or the demonstration starts: each is ended by whoever started it.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to end by itself before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How often something waited for is looked at.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A started process; dropped, it is ended and waited for.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with everything it prints going to the file `log`.
    ///
    /// # Errors
    /// The program or the log file cannot be had.
    pub fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let err = out.try_clone()?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn()?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// What the system says.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// The last lines it printed.
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
    }

    /// Ends it as an operator would, and waits; kills it when it does not end.
    pub fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(Signal::TERM);
        let since = Instant::now();
        while since.elapsed() < STOP_PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.kill();
    }

    /// Asks it to read its configuration again (`kill -HUP`).
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // an error means it has ended meanwhile, which whoever waits for it sees
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills it (`kill -9`) and waits.
    pub fn kill(&mut self) {
        // both fail only when it has ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A loopback port that was free a moment ago.
///
/// # Errors
/// No port is free.
pub fn free_port() -> io::Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr().map(|address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_ended() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("sleep");
        command.arg("600");
        let process = Process::start(command, log.path()).unwrap();
        let id = process.id();
        assert!(Path::new(&format!("/proc/{id}")).exists());
        drop(process);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn last_words_are_kept() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2"]);
        let mut process = Process::start(command, log.path()).unwrap();
        while process.ended().unwrap().is_none() {
            std::thread::sleep(POLL_INTERVAL);
        }
        assert_eq!(process.last_words(), "one\ntwo");
    }
}
