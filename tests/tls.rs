//! Two counties and their province over a real nats-server as `hub ops nats-config` sets it up: TLS by a CA
//! of its own, WebSocket for a network that opens nothing else, and no way in past the certificate.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command::run::HubCommands;
use hub::config::Node;
use hub::daemon::{self, Running};
use hub::tls;
use hub_tests::demo::people::employer_code;
use hub_tests::levels::Levels;
use hub_tests::nats::NatsServer;
use hub_tests::process::free_port;
use hub_tests::wait::until;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

fn run(levels: &Levels, level: &str, parent: Option<(String, PathBuf)>) -> Running {
    let mut node = Node::load(&levels.data(level)).unwrap();
    if let (Some(config), Some((url, ca))) = (&mut node.config.parent, parent) {
        (config.url, config.tls_ca) = (Some(url), Some(ca));
    }
    daemon::start(node, Arc::new(SystemClock), Arc::new(HubCommands::default())).unwrap()
}

fn arrived(child: &Running) -> bool {
    let arrived = child.host().status().unwrap().arrived;
    arrived.first().is_some_and(|arrival| arrival.complete)
}

fn enters(levels: &Levels, level: &str, serial: u32) {
    let code = employer_code(serial);
    let rows = format!("名称,统一社会信用代码,职工人数\n演示第{serial}厂,{code},40\n");
    let rows = levels.file("单位.csv", &rows);
    levels.ok(level, &["unit", "import", &rows]);
}

#[test]
fn children_come_by_tls_and_websocket_and_not_past_the_certificate() {
    let levels = Levels::found();
    let (port, web) = (free_port().unwrap(), free_port().unwrap());
    let config = levels.path("nats.conf");
    let open = ["ops", "nats-config", "--listen", "0.0.0.0:4222", "--out", &config];
    let refused = levels.run("province", &open);
    assert!(refused.code == 2 && refused.err.contains("--tls"), "{refused:?}");
    let (listen, websocket) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{web}"));
    let line = ["ops", "nats-config", "--listen", &listen, "--out", &config, "--tls"];
    let written = levels.ok("province", &[&line[..], &["--websocket", &websocket]].concat());
    assert!(written.contains("ca.pem"), "{written}");
    let place = PathBuf::from(levels.path("server"));
    let _server = NatsServer::of_config(config.as_ref(), port, &place).unwrap();

    let ca = levels.data("province").join("tls/ca.pem");
    let false_ca = tls::make(&levels.data("west").join("tls"), "false", &[], 1_795_700_000_000);
    let province = run(&levels, "province", None);
    let tcp = format!("tls://127.0.0.1:{port}");
    let wss = format!("wss://127.0.0.1:{web}");
    let deceived = run(&levels, "west", Some((wss.clone(), false_ca.unwrap().ca)));
    let east = run(&levels, "east", Some((tcp, ca.clone())));
    enters(&levels, "east", 1);
    enters(&levels, "west", 2);
    until("the province holds what the east county wrote", PATIENCE, || arrived(&east));
    let status = deceived.host().status().unwrap();
    assert!(!status.parent.unwrap().connected, "another CA vouches for nothing");
    assert!(!arrived(&deceived));
    deceived.stop().unwrap();

    let west = run(&levels, "west", Some((wss, ca)));
    until("the province holds what the west county wrote", PATIENCE, || arrived(&west));
    assert_eq!(levels.count("province", "演示省", "units.all"), 2);
    for running in [west, east, province] {
        running.stop().unwrap();
    }
}
