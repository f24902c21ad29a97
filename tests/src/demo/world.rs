//! The nodes of one federation: their directories, daemons and NATS servers, and the program `hub` run
//! on each as a person would run it.

use super::error::DemoError;
use super::scenario::Scenario;
use crate::process::Process;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The programs a world is made of.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The program `hub`.
    pub hub: PathBuf,
    /// The program `nats-server`; without it everything travels in bundles.
    pub nats_server: Option<PathBuf>,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// Its name in the story.
    pub name: String,
    /// The node it reports to.
    pub parent: Option<String>,
    /// Its data directory; the name is short and ASCII, because a local socket's path may be so long only.
    pub data: PathBuf,
    /// Where its people keep their files; commands run there.
    pub desk: PathBuf,
    /// Its daemon, once started.
    pub daemon: Option<Process>,
}

/// All nodes of one federation.
#[derive(Debug)]
pub struct World {
    /// The programs.
    pub tools: Tools,
    /// What it plays.
    pub scenario: Scenario,
    // daemons end before the servers they talk to: fields are dropped in order
    /// The nodes by name.
    pub nodes: BTreeMap<String, Node>,
    /// The NATS servers by the name of the node that serves its children there.
    pub servers: BTreeMap<String, Process>,
    /// The root's public key, once the federation is founded.
    pub root_key: String,
    /// The ports of those servers.
    pub ports: BTreeMap<String, u16>,
}

impl World {
    /// Makes the directories of all nodes of a scenario under `place`.
    pub fn new(tools: Tools, scenario: Scenario, place: &Path) -> Result<Self, DemoError> {
        let mut nodes = BTreeMap::new();
        for (at, row) in scenario.nodes.iter().enumerate() {
            let base = place.join(format!("{}{at}", scenario.name));
            let node = Node {
                name: row.node.clone(),
                parent: row.parent.clone(),
                data: base.join("data"),
                desk: base.join("desk"),
                daemon: None,
            };
            std::fs::create_dir_all(&node.desk)
                .map_err(DemoError::io("making the directory", &node.desk))?;
            copy_imports(&scenario.dir, &node.desk)?;
            nodes.insert(row.node.clone(), node);
        }
        Ok(Self {
            tools,
            scenario,
            nodes,
            servers: BTreeMap::new(),
            root_key: String::new(),
            ports: BTreeMap::new(),
        })
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Result<&Node, DemoError> {
        self.nodes
            .get(name)
            .ok_or_else(|| DemoError::scenario(&self.scenario.name, "a node", name.to_owned()))
    }

    /// The node's children, in the order of the scenario.
    pub fn children(&self, name: &str) -> Vec<String> {
        let rows = self.scenario.nodes.iter();
        rows.filter(|row| row.parent.as_deref() == Some(name)).map(|row| row.node.clone()).collect()
    }

    /// The nodes above, nearest first.
    pub fn ancestors(&self, name: &str) -> Vec<String> {
        let above = |name: &String| self.nodes.get(name).and_then(|node| node.parent.clone());
        std::iter::successors(above(&name.to_owned()), above).collect()
    }

    /// Runs `hub` on a node, however it ends.
    pub fn run<S: AsRef<str>>(&self, name: &str, args: &[S]) -> Result<Output, DemoError> {
        let node = self.node(name)?;
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        Command::new(&self.tools.hub)
            .arg("--data")
            .arg(&node.data)
            .args(&args)
            .current_dir(&node.desk)
            .output()
            .map_err(DemoError::io("running", &self.tools.hub))
    }

    /// Runs `hub` on a node and gives what it printed; anything but success is an error.
    pub fn hub<S: AsRef<str>>(&self, name: &str, args: &[S]) -> Result<String, DemoError> {
        self.ended(name, args, 0)
    }

    /// The same for a command that must end with this exit code.
    pub fn ended<S: AsRef<str>>(
        &self,
        name: &str,
        args: &[S],
        code: i32,
    ) -> Result<String, DemoError> {
        let output = self.run(name, args)?;
        if output.status.code() != Some(code) {
            let line: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            return Err(DemoError::Command {
                node: name.to_owned(),
                line: line.join(" "),
                outcome: format!("{}\n{out}{err}", output.status),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The imports a story names lie in the scenario's directory; every desk gets a copy.
fn copy_imports(from: &Path, desk: &Path) -> Result<(), DemoError> {
    let plan = ["divisions.csv", "nodes.csv", "units.csv", "unions.csv"];
    let entries = std::fs::read_dir(from).map_err(DemoError::io("listing", from))?;
    for entry in entries {
        let path = entry.map_err(DemoError::io("listing", from))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".csv") && !plan.contains(&name.as_str()) {
            std::fs::copy(&path, desk.join(&name)).map_err(DemoError::io("copying", &path))?;
        }
    }
    Ok(())
}
