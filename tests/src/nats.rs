//! A real nats-server on a free port, with the configuration that `hub` writes for it.

use crate::process::{POLL_INTERVAL, Process, free_port};
use hub::ops_nats::{ServerPlan, replace_file};
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// A running nats-server; dropped, it is ended.
#[derive(Debug)]
pub struct NatsServer {
    process: Option<Process>,
    program: PathBuf,
    directory: PathBuf,
    config: PathBuf,
    port: u16,
}

/// The path of a usable nats-server, as `ops/nats-server` finds or fetches it.
///
/// # Errors
/// There is none; the script's words say why.
pub fn program() -> io::Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ops/nats-server");
    let output = Command::new(script).output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(words));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

impl NatsServer {
    /// Starts a server that keeps everything in `directory`. The plan's address and store are replaced
    /// by a free port and a place there.
    ///
    /// # Errors
    /// No server, no port, or it does not come up; then with its last words.
    pub fn start(plan: &ServerPlan, directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut server = Self {
            process: None,
            program: program()?,
            directory: directory.to_owned(),
            config: directory.join("nats.conf"),
            port: free_port()?,
        };
        server.write_config(plan)?;
        server.restart()?;
        Ok(server)
    }

    /// Starts a server with a configuration as it was written, which listens on this port.
    ///
    /// # Errors
    /// No server, or it does not come up; then with its last words.
    pub fn of_config(config: &Path, port: u16, directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut server = Self {
            process: None,
            program: program()?,
            directory: directory.to_owned(),
            config: config.to_owned(),
            port,
        };
        server.restart()?;
        Ok(server)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn store_dir(&self) -> PathBuf {
        self.directory.join("jetstream")
    }

    fn write_config(&self, plan: &ServerPlan) -> io::Result<()> {
        let plan = ServerPlan {
            listen: format!("127.0.0.1:{}", self.port),
            store_dir: self.store_dir(),
            ..plan.clone()
        };
        replace_file(&self.config, &plan.to_config())
    }

    /// Writes another configuration and has the running server read it, as an operator would.
    ///
    /// # Errors
    /// The file cannot be written, or the server is not running.
    pub fn reload(&self, plan: &ServerPlan) -> io::Result<()> {
        self.write_config(plan)?;
        self.rereads()
    }

    /// Has the running server read its configuration again.
    ///
    /// # Errors
    /// The server is not running.
    pub fn rereads(&self) -> io::Result<()> {
        let id = self.process.as_ref().map(Process::id);
        let pid = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("the nats-server is not running"))?;
        Ok(kill_process(pid, Signal::HUP)?)
    }

    /// Starts it again on the same port, with what its directory holds.
    ///
    /// # Errors
    /// It does not come up; with its last words.
    pub fn restart(&mut self) -> io::Result<()> {
        self.kill();
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&self.config);
        let mut process = Process::start(command, &self.directory.join("nats.log"))?;
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if process.ended()?.is_some() || since.elapsed() > START_PATIENCE {
                return Err(io::Error::other(process.last_words()));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.process = Some(process);
        Ok(())
    }

    /// Kills it (`kill -9`).
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Kills it and removes all it kept.
    ///
    /// # Errors
    /// What the file system says.
    pub fn kill_and_wipe(&mut self) -> io::Result<()> {
        self.kill();
        std::fs::remove_dir_all(self.store_dir())
    }
}
