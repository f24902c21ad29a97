//! What raising and keeping a federation takes, as commands people type: founding, enrolling, loading,
//! and waiting until everything has arrived.

use super::books::{self, DIVISIONS_FILE, MEMBERS_FILE, UNIONS_FILE, UNITS_FILE};
use super::error::DemoError;
use super::expand::Books;
use super::play::say;
use super::world::World;
use crate::process::{POLL_INTERVAL, Process, free_port};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long facts may take to arrive everywhere before the demonstration gives up.
const SETTLE_PATIENCE: Duration = Duration::from_secs(180);

/// Founds the federation, enrols every node by file, and starts daemons and servers.
pub fn raise(
    world: &mut World,
    books: &BTreeMap<String, Books>,
    out: &mut dyn Write,
) -> Result<(), DemoError> {
    let names: Vec<String> = world.scenario.nodes.iter().map(|row| row.node.clone()).collect();
    say(out, &format!("\n◆ {}:{} 个节点", names.join("、"), names.len()))?;
    for name in &names {
        if let Some(books) = books.get(name) {
            books::write(books, &world.node(name)?.desk)?;
        }
        if world.node(name)?.parent.is_none() {
            found(world, name)?;
        }
        import(world, name, "unit", DIVISIONS_FILE)?;
        import(world, name, "unit", UNITS_FILE)?;
        for child in world.children(name) {
            enrol(world, name, &child)?;
        }
    }
    if world.tools.nats_server.is_some() {
        for name in &names {
            serve(world, name)?;
        }
        for name in &names {
            start(world, name)?;
        }
    }
    Ok(())
}

fn found(world: &World, name: &str) -> Result<(), DemoError> {
    let code = world.scenario.node(name).and_then(|row| row.code.clone()).unwrap_or_default();
    world.hub(name, &["init", "--province", name, "--code", &code]).map(drop)
}

fn enrol(world: &World, parent: &str, child: &str) -> Result<(), DemoError> {
    let request = world.node(child)?.desk.join("request.hub");
    let chain = world.node(child)?.desk.join("chain.hub");
    let (request, chain) = (request.to_string_lossy(), chain.to_string_lossy());
    let unit = world.scenario.node(child).and_then(|row| row.code.clone());
    let unit = unit.unwrap_or_else(|| child.to_owned());
    world.hub(child, &["enrol", "request", "--unit", &unit, "--out", &request])?;
    world.hub(parent, &["enrol", "approve", &request, "--out", &chain])?;
    world.hub(child, &["enrol", "accept", &chain]).map(drop)
}

/// Imports a file of the node's desk, if there is one.
fn import(world: &World, name: &str, what: &str, file: &str) -> Result<(), DemoError> {
    if !world.node(name)?.desk.join(file).exists() {
        return Ok(());
    }
    world.hub(name, &[what, "import", file]).map(drop)
}

/// Starts the server on which a node serves its children, if it has any.
fn serve(world: &mut World, name: &str) -> Result<(), DemoError> {
    let Some(program) = world.tools.nats_server.clone() else { return Ok(()) };
    if world.children(name).is_empty() {
        return Ok(());
    }
    let desk = world.node(name)?.desk.clone();
    let port = free_port().map_err(DemoError::io("looking for a free port for", &desk))?;
    let listen = format!("127.0.0.1:{port}");
    let config = desk.join("nats.conf");
    world.hub(
        name,
        &["ops", "nats-config", "--listen", &listen, "--out", &config.to_string_lossy()],
    )?;
    let mut command = Command::new(&program);
    command.arg("--config").arg(&config);
    let server = Process::start(command, &desk.join("nats.log"))
        .map_err(DemoError::io("starting", &program))?;
    world.servers.insert(name.to_owned(), server);
    Ok(())
}

fn start(world: &mut World, name: &str) -> Result<(), DemoError> {
    let program = world.tools.hub.clone();
    let node = world.node(name)?;
    let (data, desk) = (node.data.clone(), node.desk.clone());
    let mut command = Command::new(&program);
    command.arg("--data").arg(&data).arg("run").current_dir(&desk);
    let daemon = Process::start(command, &desk.join("daemon.log"))
        .map_err(DemoError::io("starting", &program))?;
    if let Some(node) = world.nodes.get_mut(name) {
        node.daemon = Some(daemon);
    }
    Ok(())
}

/// Every node with unions of its own imports them, then its members; or the one named does.
pub fn load(world: &World, only: Option<&str>, out: &mut dyn Write) -> Result<(), DemoError> {
    for row in &world.scenario.nodes {
        let name = row.node.as_str();
        let chosen = match only {
            Some(only) => only == name,
            None => world.node(name)?.desk.join(UNIONS_FILE).exists(),
        };
        if chosen {
            import(world, name, "branch", UNIONS_FILE)?;
            import(world, name, "member", MEMBERS_FILE)?;
        }
    }
    let who = only.unwrap_or("各节点");
    say(out, &format!("  {who}已导入工会和会员"))
}

/// Waits until every fact has arrived at the root, and what concerns a subtree has arrived below.
pub fn settle(world: &World, out: &mut dyn Write) -> Result<(), DemoError> {
    let since = Instant::now();
    loop {
        let mut open = Vec::new();
        for row in &world.scenario.nodes {
            let text = world.hub(&row.node, &["status", "--format", "json"])?;
            let status: Value = serde_json::from_str(&text).unwrap_or_default();
            if status["settled"].as_bool() != Some(true) {
                open.push(row.node.clone());
            }
        }
        if open.is_empty() {
            return say(out, "  已同步:所有账目已逐级到达,回执齐全");
        }
        if since.elapsed() > SETTLE_PATIENCE {
            return Err(DemoError::Overdue { what: "receipts".into(), last: open.join("、") });
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
