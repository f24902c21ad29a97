//! A standby follows a county's journal over a real nats-server, with equal digests, and takes over in a new
//! epoch when the county's machine is gone; an auditor's copy follows the province by bundles.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command::run::HubCommands;
use hub::config::Node;
use hub::daemon::{self, Running};
use hub::host::Host;
use hub_core::hash::{Hash, hex_encode};
use hub_tests::demo::people::employer_code;
use hub_tests::levels::{Levels, copy_folder};
use hub_tests::nats::NatsServer;
use hub_tests::process::free_port;
use hub_tests::wait::until;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes the configuration of a level's server; where.
fn configured(levels: &Levels, level: &str, listen: &str) -> String {
    let config = levels.path(&format!("{level}.conf"));
    levels.ok(level, &["ops", "nats-config", "--listen", listen, "--out", &config]);
    config
}

/// A server for those who hear from a level, as its own command sets it up.
fn serve(levels: &Levels, level: &str) -> NatsServer {
    let port = free_port().unwrap();
    let config = configured(levels, level, &format!("127.0.0.1:{port}"));
    let place = PathBuf::from(levels.path(&format!("{level}-server")));
    NatsServer::of_config(config.as_ref(), port, &place).unwrap()
}

fn run(levels: &Levels, level: &str, above: Option<&NatsServer>) -> Running {
    let mut node = Node::load(&levels.data(level)).unwrap();
    let config = &mut node.config;
    if let Some(parent) = config.parent.as_mut().or(config.follow.as_mut()) {
        parent.url = above.map(NatsServer::url);
    }
    daemon::start(node, Arc::new(SystemClock), Arc::new(HubCommands::default())).unwrap()
}

fn digest(running: &Running) -> Hash {
    running.host().replica.ask(|view, _| view.digest())
}

fn enters(levels: &Levels, level: &str, serial: u32) {
    let code = employer_code(serial);
    let rows = format!("名称,统一社会信用代码,职工人数\n演示第{serial}厂,{code},40\n");
    let rows = levels.file("单位.csv", &rows);
    levels.ok(level, &["unit", "import", &rows]);
}

fn arrived(child: &Running) -> bool {
    let arrived = child.host().status().unwrap().arrived;
    arrived.first().is_some_and(|arrival| arrival.complete)
}

/// Makes a directory that follows a level and has it admitted there.
fn follower(levels: &Levels, name: &str, followed: &str) {
    let config = Node::load(&levels.data(followed)).unwrap().config;
    let (node, root) = (config.node.to_string(), hex_encode(&config.root_key.0));
    let request = levels.path("follow.hub");
    let ask = ["follow", "request", "--node", &node, "--root", &root, "--out", &request];
    levels.ok(name, &ask);
    levels.ok(followed, &["follow", "approve", &request, "--name", "备用机"]);
}

#[test]
fn a_standby_holds_the_same_and_takes_over() {
    let levels = Levels::found();
    follower(&levels, "standby", "east");
    let (above, server) = (serve(&levels, "province"), serve(&levels, "east"));
    let province = run(&levels, "province", None);
    let east = run(&levels, "east", Some(&above));
    let standby = run(&levels, "standby", Some(&server));
    enters(&levels, "east", 1);
    let backup = levels.path("backup");
    levels.ok("east", &["backup", &backup]);
    (2..6).for_each(|serial| enters(&levels, "east", serial));
    until("the province holds all", PATIENCE, || arrived(&east));
    until("the standby folds to the same", PATIENCE, || digest(&standby) == digest(&east));
    let ends = |running: &Running| running.host().replica.journal().heads();
    assert_eq!(ends(&standby), ends(&east), "the same chains to the same heads");
    let refused = levels.run("standby", &["unit", "close", "演示第1厂", "--reason", "误"]);
    assert_eq!(refused.code, 2, "a standby has no word: {refused:?}");
    assert_eq!(levels.count("standby", "演示东县", "units.all"), 5);

    // the county's machine is gone; keys and vault come from the backup, the journal from the standby
    east.stop().unwrap();
    standby.stop().unwrap();
    fs::remove_dir_all(levels.data("east")).unwrap();
    levels.ok("east", &["restore", &backup]);
    let (journal, index) = (levels.data("east").join("journal"), levels.data("east").join("index"));
    fs::remove_dir_all(&journal).unwrap();
    let _ = fs::remove_dir_all(&index);
    copy_folder(&levels.data("standby").join("journal"), &journal);
    let (request, answer) = (levels.path("renew.hub"), levels.path("renewed.hub"));
    levels.ok("east", &["enrol", "renew", "--out", &request]);
    levels.ok("province", &["enrol", "approve", &request, "--out", &answer]);
    let url = above.url();
    configured(&levels, "province", url.trim_start_matches("nats://"));
    above.rereads().unwrap();
    levels.ok("east", &["enrol", "accept", &answer, "--url", &url]);
    let promoted = run(&levels, "east", Some(&above));
    assert_eq!(promoted.host().status().unwrap().epoch, 2);
    until("its new enrolment has come down", PATIENCE, || {
        promoted.host().replica.who().unit.is_some()
    });
    enters(&levels, "east", 6);
    until("the province holds what the promoted one wrote", PATIENCE, || arrived(&promoted));
    assert_eq!(levels.count("province", "演示东县", "units.all"), 6);
    promoted.stop().unwrap();
    province.stop().unwrap();
    levels.ok("province", &["audit", "verify"]);
}

#[test]
fn an_auditors_copy_follows_by_bundles() {
    let levels = Levels::found();
    follower(&levels, "auditor", "province");
    enters(&levels, "east", 1);
    enters(&levels, "west", 2);
    levels.sync();
    let disc = levels.path("disc");
    fs::create_dir_all(&disc).unwrap();
    levels.ok("province", &["bundle", "export", "--to", "followers", "--out", &disc]);
    let entries = fs::read_dir(&disc).unwrap();
    let files: Vec<String> =
        entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()).collect();
    let line: Vec<&str> =
        ["bundle", "import"].into_iter().chain(files.iter().map(String::as_str)).collect();
    levels.ok("auditor", &line);
    let digest = |level: &str| {
        let host = Host::open(Node::load(&levels.data(level)).unwrap()).unwrap();
        host.replica.ask(|view, _| view.digest())
    };
    assert_eq!(digest("auditor"), digest("province"));
    assert_eq!(levels.count("auditor", "演示省", "units.all"), 2);
    levels.ok("auditor", &["audit", "verify"]);
}
