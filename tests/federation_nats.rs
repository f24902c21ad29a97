//! Three levels of daemons over real nats-servers: facts go up, receipts and approvals come down, and
//! nothing is lost when servers are killed or wiped and daemons restarted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command_io::CommandIo;
use hub::config::{Node, RootKey, ServerConfig};
use hub::daemon::{self, Running};
use hub::enrol::{self, Approval, Asking, Founding};
use hub::host::{Commands, Host};
use hub::ops_nats::ServerPlan;
use hub::replica::{Draft, Replica, SigningRefused, WriteError};
use hub::socket::Call;
use hub::status::StatusSnapshot;
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::unit::Level;
use hub_core::fact::{BranchFact, FactBody};
use hub_core::id::{BranchId, FactId, Lane, UnitId};
use hub_core::time::Day;
use hub_tests::nats::NatsServer;
use hub_tests::stations::{registered, territory};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// This test talks to the books directly.
struct NoCommands;

impl Commands for NoCommands {
    fn run(&self, _: &Call, _: &Host, _: &dyn CommandIo) -> u8 {
        2
    }
}

/// One level: its directory, its daemon, and the server for those below.
struct Station {
    directory: PathBuf,
    unit: UnitId,
    daemon: Option<Running>,
    server: Option<NatsServer>,
}

impl Station {
    fn new(root: &Path, name: &str, unit: UnitId) -> Self {
        Self { directory: root.join(name), unit, daemon: None, server: None }
    }

    fn node(&self) -> Node {
        Node::load(&self.directory).unwrap()
    }

    fn start(&mut self) {
        let clock = Arc::new(SystemClock);
        self.daemon = Some(daemon::start(self.node(), clock, Arc::new(NoCommands)).unwrap());
    }

    fn stop(&mut self) {
        self.daemon.take().unwrap().stop().unwrap();
    }

    fn replica(&self) -> &Replica {
        &self.daemon.as_ref().unwrap().host().replica
    }

    fn status(&self) -> StatusSnapshot {
        self.daemon.as_ref().unwrap().host().status().unwrap()
    }

    fn server(&mut self) -> &mut NatsServer {
        self.server.as_mut().unwrap()
    }

    /// Brings a server for the children it has approved so far, and writes where it is.
    fn open_server(&mut self) {
        let mut node = self.node();
        let plan = ServerPlan::of_node(&node).unwrap();
        let server = NatsServer::start(&plan, &self.directory.join("nats")).unwrap();
        node.config.server = Some(ServerConfig {
            stream_bytes: 64 << 20,
            messages_per_child: 1_000,
            ..ServerConfig::of_url(&server.url())
        });
        let text = node.config.to_toml().unwrap();
        std::fs::write(self.directory.join(hub::config::CONFIG_FILE), text).unwrap();
        self.server = Some(server);
    }

    fn write(&self, body: FactBody) -> FactId {
        let today = Day::of_millis(self.replica().now());
        self.replica().write(vec![Draft::new(self.unit, today, body)]).unwrap()[0]
    }

    /// Registers employers in single-fact blocks; returns their ids.
    fn register_employers(&self, first: u32, count: u32) -> Vec<UnitId> {
        let numbers = first..first + count;
        numbers
            .map(|number| {
                let code = format!("9199{number:014}");
                self.write(registered(&code, Level::Enterprise, self.unit));
                UnitId::of_employer(&code)
            })
            .collect()
    }
}

/// Waits until `done`; says what was hoped for, and how things stood, when it takes too long.
fn until(hope: &str, levels: &[&Station], done: impl Fn() -> bool) {
    let since = Instant::now();
    while !done() {
        if since.elapsed() > PATIENCE {
            let stands: Vec<_> = levels.iter().map(|level| level.status()).collect();
            panic!("not within {PATIENCE:?}: {hope}\n{stands:#?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn knows(level: &Station, units: &[UnitId]) -> bool {
    let view = level.replica().read();
    let known = |unit: &UnitId| {
        view.tree().find(unit).is_some_and(|at| view.tree().unit(at).origin.is_some())
    };
    units.iter().all(known)
}

/// Enrols `child` for its unit by `parent`, whose daemon runs.
fn approve(parent: &Station, child: &Station, root_key: RootKey, may_delegate: bool) -> Vec<u8> {
    let asking = Asking { root_key, unit: "演示".into(), token: String::new() };
    let now = parent.replica().now();
    let (_, request) = enrol::request(&child.directory, &asking, now).unwrap();
    let request = enrol::requested(parent.replica(), &request).unwrap();
    let approval = Approval { unit: child.unit, may_delegate, days: 365, with_person_key: true };
    let children = parent.node().children_file();
    enrol::approve(parent.replica(), &request, &approval, &children).unwrap().answer
}

struct Federation {
    province: Station,
    city: Station,
    county: Station,
    _directory: tempfile::TempDir,
}

impl Federation {
    /// Founds, enrols and starts all three, one below the other.
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let mut province = Station::new(root, "province", territory("99"));
        let mut city = Station::new(root, "city", territory("9911"));
        let mut county = Station::new(root, "county", territory("991102"));
        let founding = Founding {
            name: "演示省".into(),
            code: "99".into(),
            list_year: 2023,
            level: Level::Province,
        };
        let root_key = enrol::found(&province.directory, &founding, Arc::new(SystemClock)).unwrap();
        province.start();
        province.write(registered("9911", Level::City, province.unit));
        province.write(registered("991102", Level::County, city.unit));
        let answer = approve(&province, &city, root_key, true);
        province.stop();
        province.open_server();
        province.start();
        let url = province.server().url();
        enrol::accept(&city.directory, &answer, Some(&url), None).unwrap();

        // The city knows nothing but its chain file: what it serves comes down to it.
        city.start();
        until("the frame of the tree reaches the city", &[&province, &city], || {
            knows(&city, &[city.unit, county.unit]) && city.replica().who().unit.is_some()
        });
        let answer = approve(&city, &county, root_key, false);
        city.stop();
        city.open_server();
        city.start();
        let url = city.server().url();
        enrol::accept(&county.directory, &answer, Some(&url), None).unwrap();
        county.start();
        until("the county learns whom it serves", &[&city, &county], || {
            county.replica().who().unit == Some(county.unit)
        });
        Self { province, city, county, _directory: directory }
    }

    fn levels(&self) -> [&Station; 3] {
        [&self.province, &self.city, &self.county]
    }

    /// What the county wrote is known above, and the county knows that it is.
    fn arrives(&self, hope: &str, units: &[UnitId]) {
        until(hope, &self.levels(), || knows(&self.province, units) && knows(&self.city, units));
        until(&format!("receipts: {hope}"), &self.levels(), || {
            let arrived = self.county.status().arrived;
            arrived.len() == 2 && arrived.iter().all(|arrival| arrival.complete)
        });
    }
}

#[test]
fn facts_go_up_and_word_comes_down_whatever_breaks() {
    let mut federation = Federation::start();
    let first = federation.county.register_employers(1, 20);
    federation.arrives("what was written in peace", &first);

    // The county's union is approved by the city: the county hears of it.
    let today = Day::of_millis(federation.county.replica().now());
    let (host, unit, to) = (first[0], federation.county.unit, federation.city.unit);
    let branch = federation
        .county
        .replica()
        .transact(|transaction| {
            let id = transaction.push_with(|id| {
                let profile = BranchProfile {
                    kind: BranchKind::Own,
                    host,
                    name: "演示厂工会".into(),
                    codes: Vec::new(),
                };
                let branch = BranchId::of_first_fact(&id);
                Draft::new(
                    unit,
                    today,
                    FactBody::Branch(BranchFact::Applied { branch, to, profile }),
                )
            });
            Ok::<_, WriteError>(BranchId::of_first_fact(&id))
        })
        .unwrap();
    until("the application reaches the city", &federation.levels(), || {
        federation.city.replica().read().branches().find(&branch).is_some()
    });
    let approved = federation.city.write(FactBody::Branch(BranchFact::Approved { branch }));
    assert_eq!(approved.chain.lane, Lane::Down(federation.county.unit));
    until("the approval reaches county and province", &federation.levels(), || {
        [&federation.county, &federation.province].iter().all(|level| {
            let view = level.replica().read();
            let found = view.branches().find(&branch);
            found.is_some_and(|at| view.branches().branch(at).is_approved(today))
        })
    });

    // No server: the county goes on by itself, and later all is there.
    federation.city.server().kill();
    let offline = federation.county.register_employers(100, 20);
    assert!(knows(&federation.county, &offline));
    federation.city.server().restart().unwrap();
    federation.arrives("what was written without a server", &offline);

    // The servers forget what they kept, at both levels.
    federation.city.server().kill_and_wipe().unwrap();
    federation.province.server().kill_and_wipe().unwrap();
    let wiped = federation.county.register_employers(200, 20);
    federation.city.server().restart().unwrap();
    federation.province.server().restart().unwrap();
    federation.arrives("what was written while the servers were wiped", &wiped);

    // A node in the middle is away, then one below restarts.
    federation.city.stop();
    let alone = federation.county.register_employers(300, 20);
    federation.county.stop();
    federation.county.start();
    assert!(knows(&federation.county, &alone));
    federation.city.start();
    federation.arrives("what was written while the city was away", &alone);

    same_blocks(&federation);
    a_restored_backup_signs_nothing(&mut federation);
}

/// A directory put back from a backup would sign twice at one height: the parent knows better.
fn a_restored_backup_signs_nothing(federation: &mut Federation) {
    let county = &mut federation.county;
    county.stop();
    let (journal, backup) = (county.directory.join("journal"), county.directory.join("backup"));
    std::fs::create_dir(&backup).unwrap();
    for entry in std::fs::read_dir(&journal).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), backup.join(entry.file_name())).unwrap();
    }
    county.start();
    let later = county.register_employers(400, 3);
    federation.arrives("what the backup does not hold", &later);

    let county = &mut federation.county;
    county.stop();
    std::fs::remove_dir_all(&journal).unwrap();
    std::fs::rename(&backup, &journal).unwrap();
    std::fs::remove_dir_all(county.directory.join("index")).unwrap();
    county.start();
    let today = Day::of_millis(county.replica().now());
    let body = registered("919900000000999999", Level::Enterprise, county.unit);
    let refused = county.replica().write(vec![Draft::new(county.unit, today, body)]).unwrap_err();
    let WriteError::Refused(SigningRefused::Behind { expected, found, .. }) = refused else {
        panic!("{refused}")
    };
    assert_eq!(expected, found + 3);
    assert!(county.status().does_not_sign.is_some());
}

/// The county's chains stand above as they stand at the county, and nobody holds anything back.
fn same_blocks(federation: &Federation) {
    let county = federation.county.replica().who().node;
    let heads = federation.county.replica().journal().heads();
    let own: Vec<_> = heads.iter().filter(|(chain, _)| chain.node == county).collect();
    assert!(!own.is_empty());
    for (chain, head) in own {
        for above in [&federation.city, &federation.province] {
            assert_eq!(above.replica().journal().head(chain), Some(*head));
        }
    }
    for level in federation.levels() {
        let status = level.status();
        assert!(status.does_not_sign.is_none(), "{status:#?}");
        assert!(status.parked.is_empty(), "{status:#?}");
        assert_eq!(status.forks, []);
        let links = status.parent.iter().chain(&status.children);
        assert!(links.flat_map(|link| &link.held).next().is_none(), "{status:#?}");
    }
    // The root's own word came down through the city.
    assert!(federation.county.replica().ask(|view, _| view.tree().root().is_some()));
}
