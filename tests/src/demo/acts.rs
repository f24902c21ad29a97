//! What raising and keeping a federation takes, as commands people type: founding, enrolling, loading,
//! and waiting until everything has arrived.

use super::books::{self, DIVISIONS_FILE, MEMBERS_FILE, UNIONS_FILE, UNITS_FILE};
use super::error::DemoError;
use super::expand::Books;
use super::play::say;
use super::scenario::NodeRow;
use super::world::World;
use crate::process::{POLL_INTERVAL, Process, free_port};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The list of territories is that of 30 June 2023.
const LIST_YEAR: &str = "2023";
/// How long facts may take to arrive everywhere before the demonstration gives up.
const SETTLE_PATIENCE: Duration = Duration::from_secs(180);
/// How long a daemon may take to open its books and its socket.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Founds the federation, enrols every node by file, and starts daemons and servers.
pub fn raise(
    world: &mut World,
    books: &BTreeMap<String, Books>,
    out: &mut dyn Write,
) -> Result<(), DemoError> {
    let names: Vec<String> = world.scenario.nodes.iter().map(|row| row.node.clone()).collect();
    say(out, &format!("\n◆ {} 个节点:{}", names.len(), names.join("、")))?;
    if world.tools.nats_server.is_some() {
        for name in &names {
            if world.children(name).is_empty() {
                continue;
            }
            let port =
                free_port().map_err(DemoError::io("looking for a port for", Path::new(name)))?;
            world.ports.insert(name.clone(), port);
        }
    }
    for name in &names {
        if let Some(books) = books.get(name) {
            books::write(books, &world.node(name)?.desk)?;
        }
        match world.node(name)?.parent.clone() {
            None => {
                world.root_key = found(world, name)?;
                begin(world, name)?;
            }
            Some(parent) => {
                begin(world, name)?;
                join(world, name, &parent)?;
            }
        }
        if world.node(name)?.desk.join(DIVISIONS_FILE).exists() {
            world.hub(name, &["unit", "import", DIVISIONS_FILE, "--list-year", LIST_YEAR])?;
        }
        import(world, name, "unit", UNITS_FILE)?;
        for child in world.children(name) {
            enrol(world, name, &child)?;
        }
        admit(world, name)?;
    }
    Ok(())
}

/// Starts a node's daemon, and before it the server for its children; not where bundles carry.
fn begin(world: &mut World, name: &str) -> Result<(), DemoError> {
    if world.tools.nats_server.is_none() {
        return Ok(());
    }
    serve(world, name)?;
    start(world, name)
}

/// Waits until a node has its own enrolment from its parent, without which it cannot write.
fn join(world: &World, name: &str, parent: &str) -> Result<(), DemoError> {
    if world.tools.nats_server.is_none() {
        hand_over(world, parent, name, &address(world, name))?;
    }
    wait(world, "enrolment", || {
        let status = status(world, name)?;
        Ok(status["unit"].is_null().then(|| format!("{name}: {status}")))
    })
}

/// Asks until nothing is open; `look` says what still is.
fn wait(
    world: &World,
    what: &str,
    mut look: impl FnMut() -> Result<Option<String>, DemoError>,
) -> Result<(), DemoError> {
    let since = Instant::now();
    while let Some(open) = look()? {
        if since.elapsed() > SETTLE_PATIENCE {
            let daemons = world.nodes.values().filter_map(|node| node.daemon.as_ref());
            let words: Vec<String> = daemons.map(Process::last_words).collect();
            let last = format!("{open}\n{}", words.join("\n"));
            return Err(DemoError::Overdue { what: what.to_owned(), last });
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

fn status(world: &World, name: &str) -> Result<Value, DemoError> {
    json(world, name, &["status", "--format", "json"])
}

/// How a node is named to its neighbours: the code of its unit, or its name.
fn address(world: &World, name: &str) -> String {
    let code = world.scenario.node(name).and_then(|row| row.code.clone());
    code.unwrap_or_else(|| name.to_owned())
}

/// Founds the federation; gives the root's public key, which every other node pins.
fn found(world: &World, name: &str) -> Result<String, DemoError> {
    let code = address(world, name);
    let line = ["init", "--province", name, "--code", &code, "--list-year", LIST_YEAR];
    let text = world.hub(name, &line)?;
    let is_key = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    text.split_whitespace().find(is_key).map(str::to_owned).ok_or_else(|| DemoError::Answer {
        line: line.join(" "),
        expected: "the root's key".into(),
        found: text.clone(),
    })
}

fn enrol(world: &World, parent: &str, child: &str) -> Result<(), DemoError> {
    let root_key = world.root_key.as_str();
    let desk = &world.node(child)?.desk;
    let (request, answer) = (desk.join("request.hub"), desk.join("answer.hub"));
    let (request, answer) = (request.to_string_lossy(), answer.to_string_lossy());
    let unit = address(world, child);
    world.hub(
        child,
        &["enrol", "request", "--unit", &unit, "--root", root_key, "--out", &request],
    )?;
    world.hub(parent, &["enrol", "approve", &request, "--person-key", "true", "--out", &answer])?;
    let url = world.ports.get(parent).map(|port| format!("nats://127.0.0.1:{port}"));
    let mut accept = vec!["enrol", "accept", &answer];
    accept.extend(url.iter().flat_map(|url| ["--url", url]));
    world.hub(child, &accept).map(drop)
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
    let Some(config) = configure(world, name)? else { return Ok(()) };
    let desk = world.node(name)?.desk.clone();
    let mut command = Command::new(&program);
    command.arg("--config").arg(&config).current_dir(&desk);
    let server = Process::start(command, &desk.join("nats.log"))
        .map_err(DemoError::io("starting", &program))?;
    world.servers.insert(name.to_owned(), server);
    Ok(())
}

/// Writes the server's configuration with a user for each child enrolled so far; names the server in the
/// node's own configuration.
fn configure(world: &World, name: &str) -> Result<Option<PathBuf>, DemoError> {
    let Some(port) = world.ports.get(name) else { return Ok(None) };
    let config = world.node(name)?.desk.join("nats.conf");
    let listen = format!("127.0.0.1:{port}");
    let line = ["ops", "nats-config", "--listen", &listen, "--out", &config.to_string_lossy()];
    world.hub(name, &line)?;
    Ok(Some(config))
}

/// Lets the children enrolled since the server started log in.
fn admit(world: &World, name: &str) -> Result<(), DemoError> {
    configure(world, name)?;
    if let Some(server) = world.servers.get(name) {
        server.reload();
    }
    Ok(())
}

fn start(world: &mut World, name: &str) -> Result<(), DemoError> {
    let program = world.tools.hub.clone();
    let node = world.node(name)?;
    let (data, desk) = (node.data.clone(), node.desk.clone());
    let mut command = Command::new(&program);
    command.arg("--data").arg(&data).arg("run").current_dir(&desk);
    let mut daemon = Process::start(command, &desk.join("daemon.log"))
        .map_err(DemoError::io("starting", &program))?;
    // commands reach the daemon through its socket; before that they would take the directory from it
    let socket = data.join("hub.sock");
    let since = Instant::now();
    while !socket.exists() {
        let ended = daemon.ended().map_err(DemoError::io("watching", &program))?;
        if ended.is_some() || since.elapsed() > START_PATIENCE {
            let what = format!("the daemon of {name}");
            return Err(DemoError::Overdue { what, last: daemon.last_words() });
        }
        std::thread::sleep(POLL_INTERVAL);
    }
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

/// How long a node may take to hear of what another has just written.
const HEARING: Duration = Duration::from_secs(30);

/// Tries until it is so: what is told to those below is looked for once a second, and what a bundle brings makes
/// the next one. The last try's error stays.
pub fn eventually<T>(
    world: &World,
    mut tried: impl FnMut() -> Result<T, DemoError>,
) -> Result<T, DemoError> {
    let since = Instant::now();
    loop {
        match tried() {
            Err(_) if since.elapsed() < HEARING => {}
            ended => return ended,
        }
        if world.tools.nats_server.is_none() {
            carry(world)?;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Waits until every fact has its receipts from every node above; with `below` also until every child has
/// acknowledged what concerns it, which it does the next time it asks.
pub fn settle(world: &World, below: bool, out: &mut dyn Write) -> Result<(), DemoError> {
    wait(world, "receipts", || {
        if world.tools.nats_server.is_none() {
            carry(world)?;
        }
        let mut open = Vec::new();
        for row in &world.scenario.nodes {
            let status = status(world, &row.node)?;
            let state = has_arrived(world, &row.node, &status);
            let state =
                state.and_then(|()| if below { has_sent(world, row, &status) } else { Ok(()) });
            if let Err(why) = state {
                open.push(format!("{}: {why}", row.node));
            }
        }
        Ok(Some(open.join("\n")).filter(|open| !open.is_empty()))
    })?;
    match below {
        true => say(out, "  ✓ 已同步:上报的全部到达省级,下发的全部收到"),
        false => say(out, "  ✓ 已同步:上报的全部到达省级,回执齐全"),
    }
}

/// Whether every node above has confirmed a node's own facts.
fn has_arrived(world: &World, name: &str, status: &Value) -> Result<(), String> {
    let ancestors = world.ancestors(name).len();
    let arrived = status["arrived"].as_array().map_or(&[][..], Vec::as_slice);
    let complete = arrived.iter().filter(|arrival| arrival["complete"] == true).count();
    match complete < ancestors {
        true => Err(format!("arrived at {complete} of {ancestors} above")),
        false => Ok(()),
    }
}

/// Whether a node's neighbours have acknowledged everything, and nothing waits here.
fn has_sent(world: &World, row: &NodeRow, status: &Value) -> Result<(), String> {
    let children = status["children"].as_array().map_or(&[][..], Vec::as_slice);
    let links = children.iter().chain(status["parent"].is_object().then_some(&status["parent"]));
    for link in links {
        if link["behind"]["blocks"] != 0
            || link["held"].as_array().is_some_and(|held| !held.is_empty())
        {
            return Err(format!("{link}"));
        }
    }
    let expected = world.children(&row.node).len();
    match children.len() < expected {
        true => Err(format!("heard of {} of {expected} below", children.len())),
        false => Ok(()),
    }
}

/// Carries a bundle over every link, upwards first, as a courier with a stick would.
fn carry(world: &World) -> Result<(), DemoError> {
    let rows = &world.scenario.nodes;
    let links = |row: &NodeRow| row.parent.clone().map(|p| (row.node.clone(), p));
    for (child, parent) in rows.iter().rev().filter_map(links) {
        hand_over(world, &child, &parent, "parent")?;
    }
    for (child, parent) in rows.iter().filter_map(links) {
        hand_over(world, &parent, &child, &address(world, &child))?;
    }
    Ok(())
}

/// What `from` has for its neighbour goes into files in a bag, and out of the bag into `to`.
fn hand_over(world: &World, from: &str, to: &str, neighbour: &str) -> Result<(), DemoError> {
    let bag = world.node(to)?.desk.join("bag");
    std::fs::create_dir_all(&bag).map_err(DemoError::io("making the directory", &bag))?;
    world.hub(from, &["bundle", "export", "--to", neighbour, "--out", &bag.to_string_lossy()])?;
    let entries = std::fs::read_dir(&bag).map_err(DemoError::io("listing", &bag))?;
    let mut line = vec!["bundle".to_owned(), "import".to_owned()];
    for entry in entries {
        let path = entry.map_err(DemoError::io("listing", &bag))?.path();
        line.push(path.to_string_lossy().into_owned());
    }
    if line.len() > 2 {
        line[2..].sort();
        world.hub(to, &line)?;
    }
    std::fs::remove_dir_all(&bag).map_err(DemoError::io("emptying", &bag))
}

/// Folds a copy of a node's log anew, trusting the root's key alone, and compares with what the node's own
/// answers rest on. A log that grew while it was copied is copied again.
pub fn audit(world: &World, name: &str, out: &mut dyn Write) -> Result<(), DemoError> {
    let mut answered = answered(world, name)?;
    for _ in 0..COPIES_AT_MOST {
        let (line, replay) = replay(world, name)?;
        let before = std::mem::replace(&mut answered, self::answered(world, name)?);
        if before != answered {
            continue;
        }
        let rows = replay["rows"].as_array().map_or(&[][..], Vec::as_slice);
        let of = |key: &str| rows.iter().find(|row| row["key"] == key).map(|row| &row["value"]);
        if of("digest") != Some(&answered) {
            let (expected, found) = (answered.to_string(), replay.to_string());
            return Err(DemoError::Answer { line, expected, found });
        }
        let facts = of("facts").map_or_else(String::new, Value::to_string);
        let digest = answered.as_str().unwrap_or_default();
        return say(
            out,
            &format!("  ✓ {name}账本副本重算:{facts} 条记录,校验码 {digest} 与查询凭据一致"),
        );
    }
    let expected = "an answer that stays while the log is copied".to_owned();
    Err(DemoError::Answer { line: format!("audit {name}"), expected, found: answered.to_string() })
}

/// How often a log that grows is copied before this is an error: writing must come to rest.
const COPIES_AT_MOST: usize = 20;

/// The digest that the answers of a node rest on now.
fn answered(world: &World, name: &str) -> Result<Value, DemoError> {
    let line = ["query", "coverage", "--format", "json"];
    let answer = json(world, name, &line)?;
    let digest = &answer["citation"]["digest"];
    if digest.is_string() {
        return Ok(digest.clone());
    }
    let expected = "a citation with its digest".to_owned();
    Err(DemoError::Answer { line: line.join(" "), expected, found: answer.to_string() })
}

/// What the replay of a copy of a node's log tells, and the command that was typed for it.
fn replay(world: &World, name: &str) -> Result<(String, Value), DemoError> {
    let (data, copy) = (&world.node(name)?.data, world.node(name)?.desk.join("copy"));
    copy_files(&data.join("journal"), &copy.join("journal"))?;
    let copy = copy.to_string_lossy();
    let line = ["audit", "replay", &copy, "--root", &world.root_key, "--format", "json"];
    Ok((line.join(" "), json(world, name, &line)?))
}

fn json(world: &World, name: &str, line: &[&str]) -> Result<Value, DemoError> {
    let text = world.hub(name, line)?;
    serde_json::from_str(&text).map_err(|error| DemoError::Answer {
        line: line.join(" "),
        expected: error.to_string(),
        found: text.clone(),
    })
}

fn copy_files(from: &Path, to: &Path) -> Result<(), DemoError> {
    std::fs::create_dir_all(to).map_err(DemoError::io("making the directory", to))?;
    for entry in std::fs::read_dir(from).map_err(DemoError::io("listing", from))? {
        let path = entry.map_err(DemoError::io("listing", from))?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default();
            std::fs::copy(&path, to.join(name)).map_err(DemoError::io("copying", &path))?;
        }
    }
    Ok(())
}
