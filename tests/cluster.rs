//! A county and its province over three servers of one JetStream cluster, as `hub ops nats-config` sets it
//! up: one of them killed, the leader too, stops nothing and loses nothing, and comes back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command::run::HubCommands;
use hub::config::Node;
use hub::daemon::{self, Running};
use hub::keys::KeyStore;
use hub::nats::{Subjects, inbox_prefix};
use hub_tests::demo::people::employer_code;
use hub_tests::levels::Levels;
use hub_tests::nats::NatsServer;
use hub_tests::process::free_port;
use hub_tests::wait::until;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long anything may take before the test gives up: an election of the servers takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a stream stands among its servers.
#[derive(Debug)]
struct Standing {
    replicas: usize,
    /// Which server leads it, from 1 on.
    leader: usize,
    /// How many others hold all of it.
    current: usize,
}

/// The servers, and who may ask them of the stream.
struct Cluster {
    servers: Vec<NatsServer>,
    ports: Vec<u16>,
    province: Node,
    ca: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl Cluster {
    /// Writes the configurations by command and starts all three.
    fn start(levels: &Levels) -> Self {
        let ports: Vec<u16> = (0..6).map(|_| free_port().unwrap()).collect();
        let out = levels.path("nats.conf");
        let pairs: Vec<String> = (0..3)
            .map(|at| format!("127.0.0.1:{}/127.0.0.1:{}", ports[at], ports[at + 3]))
            .collect();
        let mut line = vec!["ops", "nats-config", "--tls", "--out", &out];
        let refused = levels.run("province", &[&line[..], &["--cluster", &pairs[0]]].concat());
        assert!(refused.code == 2 && refused.err.contains('3'), "{refused:?}");
        line.extend(pairs.iter().flat_map(|pair| ["--cluster", pair]));
        let told = levels.ok("province", &line);
        assert!(told.contains(&format!("--url tls://127.0.0.1:{}", ports[2])), "{told}");
        // together: each waits for the others before it holds a stream, none before it listens
        let servers = (0..3).map(|at| {
            let config = levels.path(&format!("nats-{}.conf", at + 1));
            let place = PathBuf::from(levels.path(&format!("server-{at}")));
            NatsServer::of_config(config.as_ref(), ports[at], &place).unwrap()
        });
        let servers = servers.collect();
        let province = Node::load(&levels.data("province")).unwrap();
        assert_eq!(province.config.server.as_ref().unwrap().replicas, 3);
        let ca = levels.data("province").join("tls/ca.pem");
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
        Self { servers, ports, province, ca, runtime }
    }

    /// As a child lists them.
    fn urls(&self) -> Vec<String> {
        self.ports[..3].iter().map(|port| format!("tls://127.0.0.1:{port}")).collect()
    }

    /// What the servers that run say; none while they elect a leader.
    fn standing(&self) -> Option<Standing> {
        let user = KeyStore::new(self.province.keys_dir()).nats_user().unwrap();
        let options = async_nats::ConnectOptions::new()
            .nkey(user.seed().to_owned())
            .custom_inbox_prefix(inbox_prefix(self.province.config.node))
            .add_root_certificates(self.ca.clone());
        let stream = Subjects::new(self.province.federation(), self.province.config.node).stream();
        self.runtime.block_on(async {
            let client = options.connect(self.urls()).await.ok()?;
            let context = async_nats::jetstream::new(client);
            let mut stream = context.get_stream(stream).await.ok()?;
            let info = stream.info().await.ok()?;
            let cluster = info.cluster.as_ref()?;
            let (_, number) = cluster.leader.as_ref()?.rsplit_once('_')?;
            Some(Standing {
                replicas: info.config.num_replicas,
                leader: number.parse().ok()?,
                current: cluster.replicas.iter().filter(|peer| peer.current).count(),
            })
        })
    }

    /// Waits until all three hold the stream, and says which leads it.
    fn whole(&self) -> usize {
        let mut leader = 0;
        until("all three servers hold the stream", PATIENCE, || {
            let standing = self.standing();
            leader = standing.as_ref().map_or(0, |standing| standing.leader);
            standing.is_some_and(|standing| (standing.replicas, standing.current) == (3, 2))
        });
        leader
    }
}

fn run(levels: &Levels, level: &str) -> Running {
    let node = Node::load(&levels.data(level)).unwrap();
    daemon::start(node, Arc::new(SystemClock), Arc::new(HubCommands::default())).unwrap()
}

/// Enters firms at the county, each in a block of its own, and waits until the province has them all.
fn flows(levels: &Levels, county: &Running, entered: &mut u32, what: &str) {
    for _ in 0..5 {
        *entered += 1;
        let code = employer_code(*entered);
        let rows = format!("名称,统一社会信用代码,职工人数\n演示第{entered}厂,{code},40\n");
        let rows = levels.file("单位.csv", &rows);
        levels.ok("east", &["unit", "import", &rows]);
    }
    until(what, PATIENCE, || {
        let arrived = county.host().status().unwrap().arrived;
        arrived.first().is_some_and(|arrival| arrival.complete)
    });
    assert_eq!(levels.count("province", "演示省", "units.all"), i64::from(*entered), "{what}");
}

#[test]
fn a_server_of_three_may_die_and_come_back_and_nothing_is_lost() {
    let levels = Levels::found();
    // the county takes its answer once more, now with all addresses
    let (request, answer) = (levels.path("again.hub"), levels.path("answer.hub"));
    levels.ok("east", &["enrol", "renew", "--out", &request]);
    levels.ok("province", &["enrol", "approve", &request, "--out", &answer]);
    let mut cluster = Cluster::start(&levels);
    let (urls, ca) = (cluster.urls(), cluster.ca.display().to_string());
    let mut line = vec!["enrol", "accept", &answer, "--tls-ca", &ca];
    line.extend(urls.iter().flat_map(|url| ["--url", url]));
    levels.ok("east", &line);

    let province = run(&levels, "province");
    let east = run(&levels, "east");
    until("the county hears of its new epoch", PATIENCE, || {
        east.host().replica.who().unit.is_some()
    });
    let mut entered = 0;
    flows(&levels, &east, &mut entered, "facts arrive over three servers");
    for round in ["first", "second"] {
        let leader = cluster.whole();
        cluster.servers[leader - 1].kill();
        flows(&levels, &east, &mut entered, &format!("facts arrive without the {round} leader"));
        until("another leads", PATIENCE, || {
            cluster.standing().is_some_and(|standing| standing.leader != leader)
        });
        cluster.servers[leader - 1].restart().unwrap();
    }
    cluster.whole();
    flows(&levels, &east, &mut entered, "facts arrive over three servers again");
    let status = province.host().status().unwrap();
    assert!(status.parked.is_empty() && status.forks.is_empty(), "{status:?}");
    east.stop().unwrap();
    province.stop().unwrap();
}
