//! Two counties under one node above, as daemons over a real nats-server: a firm and a person that both enter
//! are told to each by the node above, and then a county and its row above say the same.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command_io::CommandIo;
use hub::config::{CONFIG_FILE, Node, RootKey, ServerConfig};
use hub::daemon::{self, Running};
use hub::enrol::{self, Approval, Asking, Founding};
use hub::host::{Commands, Host};
use hub::ops_nats::ServerPlan;
use hub::replica::{Draft, Replica};
use hub::socket::Call;
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::governance::GovernanceFact;
use hub_core::fact::member::{Evidence, MemberAct, MemberFact, Origin, Profile, Start};
use hub_core::fact::unit::Level;
use hub_core::fact::{BranchFact, FactBody};
use hub_core::id::{BranchId, MemberKey, UnitId};
use hub_core::measure::Measure;
use hub_core::query::{Basis, By, Desk, Question};
use hub_core::rollup::Rollup;
use hub_core::time::Day;
use hub_core::view::View;
use hub_tests::nats::NatsServer;
use hub_tests::stations::{registered, territory};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The code of the firm that both counties register.
const FIRM: &str = "919900000000000001";

/// This test talks to the books directly.
struct NoCommands;

impl Commands for NoCommands {
    fn run(&self, _: &Call, _: &Host, _: &dyn CommandIo) -> u8 {
        2
    }
}

struct Station {
    directory: PathBuf,
    unit: UnitId,
    daemon: Option<Running>,
}

impl Station {
    fn new(root: &Path, name: &str, unit: UnitId) -> Self {
        Self { directory: root.join(name), unit, daemon: None }
    }

    fn node(&self) -> Node {
        Node::load(&self.directory).unwrap()
    }

    fn start(&mut self) {
        let clock = Arc::new(SystemClock);
        self.daemon = Some(daemon::start(self.node(), clock, Arc::new(NoCommands)).unwrap());
    }

    fn replica(&self) -> &Replica {
        &self.daemon.as_ref().unwrap().host().replica
    }

    fn today(&self) -> Day {
        Day::of_millis(self.replica().now())
    }

    fn write(&self, back: i32, body: FactBody) {
        let day = Day(self.today().0 - back);
        self.replica().write(vec![Draft::new(self.unit, day, body)]).unwrap();
    }

    /// Founds a union of a firm; its id.
    fn found(&self, back: i32, host: UnitId) -> BranchId {
        let day = Day(self.today().0 - back);
        let founded = self.replica().transact(|transaction| {
            Ok::<_, hub::replica::WriteError>(transaction.push_with(|id| {
                let branch = BranchId::of_first_fact(&id);
                let name = "演示厂工会".into();
                let profile =
                    BranchProfile { kind: BranchKind::Own, host, name, codes: Vec::new() };
                let body = FactBody::Branch(BranchFact::Founded { branch, profile });
                Draft::new(self.unit, day, body)
            }))
        });
        BranchId::of_first_fact(&founded.unwrap())
    }

    fn joins(&self, back: i32, person: u8, branch: BranchId, evidence: Evidence) {
        let start = Start {
            origin: Origin::New,
            evidence,
            employer: None,
            host: None,
            from: None,
            profile: Profile::default(),
            qualified: true,
        };
        let act = MemberAct::Joined(start);
        let member = MemberKey([person; 16]);
        self.write(back, FactBody::Member(MemberFact { member, branch, act }));
    }

    /// What this node says of a unit, measure by measure.
    fn figures(&self, unit: UnitId) -> Vec<i64> {
        let view = self.replica().read();
        let Some(at) = view.tree().find(&unit) else { return Vec::new() };
        let total = Rollup::of(&view, self.today(), self.today()).total(at);
        Measure::ALL.iter().map(|measure| total.get(*measure)).collect()
    }

    /// How many await agreement in the row of a unit below.
    fn awaiting(&self, below: UnitId) -> u64 {
        let view = self.replica().read();
        let question = Question {
            unit: view.tree().find(&self.unit).unwrap(),
            indicator: "members.all".into(),
            base: "due".into(),
            by: By::Child,
            as_of: self.today(),
            boundaries: None,
            basis: Basis::Registry,
        };
        let answer = Desk::default().answer(&view, &question).unwrap();
        let below = view.tree().find(&below).unwrap();
        let label = hub_core::query::Label::Unit(below);
        answer.rows.iter().find(|row| row.label == label).map_or(0, |row| row.awaiting)
    }
}

fn until(hope: &str, done: impl Fn() -> bool) {
    let since = Instant::now();
    while !done() {
        if since.elapsed() > PATIENCE {
            panic!("gave up waiting: {hope}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Enrols a county by the node above, whose daemon runs.
fn approve(above: &Station, county: &Station, root_key: RootKey) -> Vec<u8> {
    let asking = Asking { root_key, unit: "演示".into(), token: String::new() };
    let now = above.replica().now();
    let (_, request) = enrol::request(&county.directory, &asking, now).unwrap();
    let request = enrol::requested(above.replica(), &request).unwrap();
    let approval =
        Approval { unit: county.unit, may_delegate: false, days: 365, with_person_key: true };
    let children = above.node().children_file();
    enrol::approve(above.replica(), &request, &approval, &children).unwrap().answer
}

fn serve(above: &Station) -> NatsServer {
    let mut node = above.node();
    let plan = ServerPlan::of_node(&node).unwrap();
    let server = NatsServer::start(&plan, &above.directory.join("nats")).unwrap();
    node.config.server = Some(ServerConfig {
        stream_bytes: 64 << 20,
        messages_per_child: 1_000,
        ..ServerConfig::of_url(&server.url())
    });
    std::fs::write(above.directory.join(CONFIG_FILE), node.config.to_toml().unwrap()).unwrap();
    server
}

/// How many restatements a node holds.
fn restatements(view: &View) -> usize {
    let is_one =
        |fact: &FactBody| matches!(fact, FactBody::Governance(GovernanceFact::Restated { .. }));
    view.facts().filter(|(fact, _)| is_one(&fact.fact.body)).count()
}

#[test]
fn a_county_and_its_row_above_say_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let mut above = Station::new(root, "above", territory("99"));
    let mut one = Station::new(root, "one", territory("990121"));
    let mut other = Station::new(root, "other", territory("990122"));
    let founding = Founding {
        name: "演示市".into(),
        code: "99".into(),
        list_year: 2023,
        level: Level::Province,
    };
    let root_key = enrol::found(&above.directory, &founding, Arc::new(SystemClock)).unwrap();
    above.start();
    above.write(0, registered("990121", Level::County, above.unit));
    above.write(0, registered("990122", Level::County, above.unit));
    let answers = [approve(&above, &one, root_key), approve(&above, &other, root_key)];
    above.daemon.take().unwrap().stop().unwrap();
    let server = serve(&above);
    above.start();
    for (county, answer) in [&mut one, &mut other].into_iter().zip(&answers) {
        enrol::accept(&county.directory, answer, Some(&server.url()), None).unwrap();
        county.start();
        until("a county learns whom it serves", || {
            county.replica().who().unit == Some(county.unit)
        });
    }

    // both counties register the firm, found its union, and enter one person there; each has its own
    let firm = UnitId::of_employer(FIRM);
    let mut unions = Vec::new();
    for (county, back) in [(&one, 60), (&other, 40)] {
        county.write(0, registered(FIRM, Level::Enterprise, county.unit));
        unions.push(county.found(back, firm));
    }
    one.joins(30, 7, unions[0], Evidence::Roster);
    one.joins(30, 8, unions[0], Evidence::Roster);
    other.joins(20, 7, unions[1], Evidence::LabourContract);
    other.joins(20, 9, unions[1], Evidence::Roster);
    until("both unions are known above", || {
        let view = above.replica().read();
        unions.iter().all(|union| {
            let at = view.branches().find(union);
            at.is_some_and(|at| view.branches().branch(at).profile.is_some())
        })
    });
    for union in &unions {
        above.write(35, FactBody::Branch(BranchFact::Approved { branch: *union }));
    }

    for county in [&one, &other] {
        until("a county and its row above say the same", || {
            let row = above.figures(county.unit);
            !row.is_empty()
                && county.figures(county.unit) == row
                && above.awaiting(county.unit) == 0
        });
    }
    // the firm counts once, with three persons; who moved on counts once
    let count = |station: &Station, measure: Measure| {
        station.figures(station.unit)[Measure::ALL.iter().position(|m| *m == measure).unwrap()]
    };
    assert_eq!(count(&above, Measure::UnitsAll), 1);
    assert_eq!(count(&above, Measure::MembersAll), 3);
    let below = count(&one, Measure::MembersAll) + count(&other, Measure::MembersAll);
    assert_eq!(below, 3, "two counties must not count one person twice");
    // and nobody goes on telling: nodes look once a second
    let told = || [&one, &other, &above].map(|station| restatements(&station.replica().read()));
    until("nodes come to rest", || {
        let before = told();
        std::thread::sleep(Duration::from_secs(4));
        told() == before
    });
    let settled = told();
    assert!(settled.iter().all(|told| *told > 0), "{settled:?}");
    for mut station in [one, other, above] {
        station.daemon.take().unwrap().stop().unwrap();
    }
}
