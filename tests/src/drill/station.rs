//! One node: its directory, its daemon, and the nats-server for those below it.

use super::Tools;
use super::caller::{Answer, Caller};
use super::damage::Damage;
use super::error::DrillError;
use crate::process::{POLL_INTERVAL, Process};
use hub::socket::CallError;
use hub::status::StatusSnapshot;
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long a single step of raising may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of a station's two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The daemon.
    Hub,
    /// The server for the children.
    Server,
}

/// One node.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) name: &'static str,
    /// The unit it serves: a code.
    pub(super) unit: String,
    /// The place of its parent among all stations; the root has none.
    pub(super) parent: Option<usize>,
    /// Its node id, once it has one.
    pub(super) id: String,
    pub(super) data: PathBuf,
    /// Where its server listens, if it has children.
    pub(super) port: Option<u16>,
    tools: Tools,
    daemon: Option<Process>,
    server: Option<Process>,
}

impl Station {
    pub(super) fn new(
        tools: &Tools,
        place: &Path,
        name: &'static str,
        unit: &str,
        parent: Option<usize>,
    ) -> Self {
        Self {
            name,
            unit: unit.to_owned(),
            parent,
            id: String::new(),
            data: place.join(name),
            port: None,
            tools: tools.clone(),
            daemon: None,
            server: None,
        }
    }

    pub(super) fn caller(&self) -> Caller {
        Caller::new(&self.data)
    }

    /// A file of this station beside its directory.
    pub(super) fn file(&self, kind: &str) -> PathBuf {
        self.data.with_extension(kind)
    }

    /// Runs the program `hub` on this node, however it ends.
    pub(super) fn run(&self, args: &[&str]) -> Result<Output, DrillError> {
        let output =
            Command::new(&self.tools.hub).arg("--data").arg(&self.data).args(args).output();
        output.map_err(DrillError::io("running", &self.tools.hub))
    }

    /// The same, and anything but success is an error.
    pub(super) fn hub(&self, args: &[&str]) -> Result<String, DrillError> {
        let output = self.run(args)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(DrillError::Command {
            node: self.name.to_owned(),
            line: args.join(" "),
            outcome: format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr)),
        })
    }

    /// Has the daemon run a command until it succeeds: what a node above or below wrote must come first.
    pub(super) fn ask_until_done(&self, args: &[&str]) -> Result<String, DrillError> {
        let since = Instant::now();
        loop {
            let last = match self.caller().call(args, "") {
                Ok(Answer { code: 0, out, .. }) => return Ok(out),
                Ok(answer) => answer.err,
                Err(error) => error.to_string(),
            };
            if since.elapsed() > PATIENCE {
                let what = format!("{}: hub {}", self.name, args.join(" "));
                return Err(DrillError::Overdue { what, last: self.with_last_words(last) });
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// What `hub status` shows now.
    pub(super) fn status(&self) -> Result<StatusSnapshot, String> {
        status(&self.caller())
    }

    /// Waits until the daemon answers and knows whom it serves.
    pub(super) fn await_enrolled(&self) -> Result<StatusSnapshot, DrillError> {
        let since = Instant::now();
        loop {
            let last = match self.status() {
                Ok(status) if status.unit.is_some() => return Ok(status),
                Ok(status) => format!("{status:?}"),
                Err(error) => error,
            };
            if since.elapsed() > PATIENCE {
                let what = format!("{} knows whom it serves", self.name);
                return Err(DrillError::Overdue { what, last: self.with_last_words(last) });
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// What is said when something goes wrong here: `last`, and what the processes printed last.
    pub(super) fn with_last_words(&self, last: impl std::fmt::Display) -> String {
        let words = |process: &Option<Process>| {
            process.as_ref().map(Process::last_words).unwrap_or_default()
        };
        format!("{last}\n{}\n{}", words(&self.daemon), words(&self.server))
    }

    /// The parts it has.
    pub(super) fn parts(&self) -> Vec<Part> {
        match self.port {
            Some(_) => vec![Part::Hub, Part::Server],
            None => vec![Part::Hub],
        }
    }

    fn part(&mut self, part: Part) -> &mut Option<Process> {
        match part {
            Part::Hub => &mut self.daemon,
            Part::Server => &mut self.server,
        }
    }

    /// Starts a part if it is not there.
    pub(super) fn start(&mut self, part: Part) -> Result<(), DrillError> {
        if self.part(part).is_some() {
            return Ok(());
        }
        let (command, log) = match part {
            Part::Hub => {
                let mut command = Command::new(&self.tools.hub);
                command.arg("--data").arg(&self.data).arg("run");
                (command, self.file("log"))
            }
            Part::Server => {
                let mut command = Command::new(&self.tools.nats_server);
                command.arg("--config").arg(self.file("conf"));
                (command, self.file("nats.log"))
            }
        };
        let process = Process::start(command, &log).map_err(DrillError::io("starting", &log))?;
        *self.part(part) = Some(process);
        Ok(())
    }

    /// Kills a part (`kill -9`); says whether it was there.
    ///
    /// # Errors
    /// It had ended by itself.
    pub(super) fn kill(&mut self, part: Part) -> Result<bool, DrillError> {
        self.check_runs(part)?;
        let Some(mut process) = self.part(part).take() else { return Ok(false) };
        process.kill();
        Ok(true)
    }

    /// Ends the daemon as an operator would.
    pub(super) fn stop_daemon(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.stop();
        }
    }

    /// Does something to the data of the server, which must be down; says what was done.
    pub(super) fn damage_server(&self, damage: Damage) -> Result<Damage, DrillError> {
        damage.apply(&self.data.join("jetstream"), &self.file("kept"))
    }

    /// Stops a part for a while, or lets it go on.
    pub(super) fn signal(&mut self, part: Part, signal: Signal) {
        let id = self.part(part).as_ref().map(Process::id);
        let pid = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // one that has ended is found by the next look at it
            let _ = kill_process(pid, signal);
        }
    }

    /// A part that is there must run.
    ///
    /// # Errors
    /// It ended though nobody killed it.
    pub(super) fn check_runs(&mut self, part: Part) -> Result<(), DrillError> {
        let (name, log) = (self.name, self.file("log"));
        let Some(process) = self.part(part).as_mut() else { return Ok(()) };
        match process.ended().map_err(DrillError::io("looking after", &log))? {
            None => Ok(()),
            Some(status) => Err(DrillError::Ended {
                who: format!("{name} {part:?} ({status})"),
                words: process.last_words(),
            }),
        }
    }
}

/// What `hub status` shows the caller now; why not, if it cannot.
pub(super) fn status(caller: &Caller) -> Result<StatusSnapshot, String> {
    let called = caller.call(&["status", "--format", "json"], "");
    let answer = called.map_err(|error: CallError| error.to_string())?;
    serde_json::from_str(&answer.out).map_err(|error| format!("{error}: {}", answer.err))
}
