//! What a node tells Prometheus: a real daemon asked over a real socket, and alert rules that name only
//! what it gives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command::run::HubCommands;
use hub::config::{MetricsConfig, Node};
use hub::daemon;
use hub::enrol::{Founding, found};
use hub_core::fact::unit::Level;
use hub_tests::process::free_port;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

const RULES: &str = include_str!("../ops/alerts.yml");

/// A province alone, with its daemon and the address of its page.
fn raise(directory: &Path) -> (daemon::Running, SocketAddr) {
    let founding = Founding {
        name: "演示省".into(),
        code: "99".into(),
        list_year: 2026,
        level: Level::Province,
    };
    found(directory, &founding, Arc::new(SystemClock)).unwrap();
    let mut node = Node::load(directory).unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
    node.config.metrics = Some(MetricsConfig { listen });
    let running = daemon::start(node, Arc::new(SystemClock), Arc::new(HubCommands::default()));
    (running.unwrap(), listen)
}

fn asked(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Names of this program's metrics in a text, as they stand in front of braces, spaces and brackets.
fn names(text: &str) -> BTreeSet<String> {
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(|letter| !word(letter))
        .filter(|name| name.starts_with("hub_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_node_tells_how_it_stands_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (running, address) = raise(directory.path());
    let page = asked(address, "GET /metrics HTTP/1.1\r\nHost: node\r\n\r\n");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    let (_, body) = page.split_once("\r\n\r\n").unwrap();
    let value = |name: &str| {
        let line = body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is missing: {body}")).parse::<f64>().unwrap()
    };
    assert_eq!((value("hub_signs"), value("hub_damaged_places")), (1.0, 0.0));
    assert!(value("hub_own_facts_total") >= 2.0, "the founding: {body}");
    assert!(value("hub_disk_free_bytes") > 0.0 && value("hub_journal_bytes") > 0.0);
    let node = running.host().node.config.node;
    assert!(body.contains(&format!("hub_info{{node=\"{node}\"")), "{body}");
    // every sample is one name, perhaps labels, and one number
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("hub_") && number.parse::<f64>().is_ok(), "{line}");
    }
    assert!(asked(address, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(asked(address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(!page.contains("演示"), "no names: {page}");
    running.stop().unwrap();
    assert!(TcpStream::connect(address).is_err(), "nothing listens any more");
}

#[test]
fn a_caller_who_floods_is_sent_away_and_others_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let (running, address) = raise(directory.path());
    let mut flood = TcpStream::connect(address).unwrap();
    let sent = (0..64).map(|_| flood.write_all(&[b'a'; 1024]).is_ok()).filter(|sent| *sent).count();
    let mut answer = Vec::new();
    let read = flood.read_to_end(&mut answer);
    assert!(read.is_err() || answer.is_empty(), "after {sent} KiB: {answer:?}");
    assert!(asked(address, "GET /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
    running.stop().unwrap();
}

#[test]
fn alert_rules_name_only_what_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (running, address) = raise(directory.path());
    let told = names(&asked(address, "GET /metrics HTTP/1.1\r\n\r\n"));
    running.stop().unwrap();
    let used = names(RULES);
    assert!(used.len() > 10, "{used:?}");
    let unknown: Vec<_> = used.difference(&told).collect();
    assert!(unknown.is_empty(), "ops/alerts.yml names what no node tells: {unknown:?}");
}
