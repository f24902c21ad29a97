//! A Python process that reads histories and says where it differs.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Error, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What the oracle says of a history.
#[derive(Debug, Deserialize)]
pub struct Reply {
    /// Where oracle and engine differ, in words.
    pub differences: Vec<String>,
    /// How often each rule decided.
    pub decided: BTreeMap<String, u64>,
    /// How many numbers were compared.
    pub compared: u64,
    /// The history in readable form, where something differs.
    pub story: Vec<String>,
}

/// The oracle at work.
#[derive(Debug)]
pub struct Link {
    child: Child,
    to: Option<BufWriter<ChildStdin>>,
    from: BufReader<ChildStdout>,
}

impl Link {
    /// Starts `python3` on `tests/oracle`.
    ///
    /// # Errors
    /// There is no `python3`.
    pub fn open() -> Result<Self, Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oracle");
        let mut child = Command::new("python3")
            .args(["-I", "-B"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || Error::other("the oracle has no pipe");
        let to = child.stdin.take().ok_or_else(missing)?;
        let from = child.stdout.take().ok_or_else(missing)?;
        Ok(Self { child, to: Some(BufWriter::new(to)), from: BufReader::new(from) })
    }

    /// What it says of these lines.
    ///
    /// # Errors
    /// It ended, or said something that is no reply.
    pub fn judge(&mut self, lines: &[String]) -> Result<Reply, Error> {
        let to = self.to.as_mut().ok_or_else(|| Error::other("the oracle was closed"))?;
        for line in lines {
            writeln!(to, "{line}")?;
        }
        writeln!(to, "{{\"end\":true}}")?;
        to.flush()?;
        let mut reply = String::new();
        self.from.read_line(&mut reply)?;
        serde_json::from_str(&reply).map_err(Error::other)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // its input ends, so it does
        drop(self.to.take());
        let _ = self.child.wait();
    }
}
