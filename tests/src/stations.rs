//! Three levels of daemons in this process, over real nats-servers: what tests of links stand on.

#![allow(clippy::unwrap_used, reason = "what tests stand on fails by panicking")]

use crate::nats::NatsServer;
use crate::wait;
use hub::clock::Clock;
use hub::command::run::HubCommands;
use hub::config::{CONFIG_FILE, Node, RootKey, ServerConfig};
use hub::daemon::{self, Running};
use hub::enrol::{self, Approval, Asking, Founding};
use hub::ops_nats::ServerPlan;
use hub::replica::{Draft, Replica, WriteError};
use hub::status::StatusSnapshot;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{Code, CodeKind, FactBody, UnitFact};
use hub_core::hash::Hash;
use hub_core::id::{FactId, UnitId};
use hub_core::time::Day;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// One level: its directory, its daemon, and the server for those below.
#[derive(Debug)]
pub struct Station {
    /// Its data.
    pub directory: PathBuf,
    /// The unit it serves.
    pub unit: UnitId,
    clock: Arc<dyn Clock>,
    daemon: Option<Running>,
    server: Option<NatsServer>,
}

impl Station {
    /// A level that does not exist yet.
    pub fn new(directory: &Path, unit: UnitId, clock: Arc<dyn Clock>) -> Self {
        Self { directory: directory.to_owned(), unit, clock, daemon: None, server: None }
    }

    /// Its configuration.
    pub fn node(&self) -> Node {
        Node::load(&self.directory).unwrap()
    }

    /// Starts its daemon.
    pub fn start(&mut self) {
        let commands = Arc::new(HubCommands::default());
        self.daemon = Some(daemon::start(self.node(), self.clock.clone(), commands).unwrap());
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.daemon.take().unwrap().stop().unwrap();
    }

    /// Its books, while the daemon runs.
    pub fn replica(&self) -> &Replica {
        &self.daemon.as_ref().unwrap().host().replica
    }

    /// How it stands.
    pub fn status(&self) -> StatusSnapshot {
        self.daemon.as_ref().unwrap().host().status().unwrap()
    }

    /// The server for those below.
    pub fn server(&mut self) -> &mut NatsServer {
        self.server.as_mut().unwrap()
    }

    /// Brings a server for the children it has approved so far, and writes where it is.
    pub fn open_server(&mut self) {
        let mut node = self.node();
        let plan = ServerPlan::of_node(&node).unwrap();
        let server = NatsServer::start(&plan, &self.directory.with_extension("nats")).unwrap();
        node.config.server = Some(ServerConfig::of_url(&server.url()));
        let text = node.config.to_toml().unwrap();
        std::fs::write(self.directory.join(CONFIG_FILE), text).unwrap();
        self.server = Some(server);
    }

    /// States something today for its own unit.
    ///
    /// # Errors
    /// It does not sign.
    pub fn write(&self, body: FactBody) -> Result<FactId, WriteError> {
        let today = Day::of_millis(self.replica().now());
        let written = self.replica().write(vec![Draft::new(self.unit, today, body)])?;
        Ok(written[0])
    }

    /// Registers firms, each in a block of its own.
    pub fn registers(&self, first: u32, count: u32) -> Vec<UnitId> {
        let firms = first..first + count;
        firms
            .map(|firm| {
                self.write(registered(&code(firm), Level::Enterprise, self.unit)).unwrap();
                UnitId::of_employer(&code(firm))
            })
            .collect()
    }

    /// Whether all of these units are in its books.
    pub fn knows(&self, units: &[UnitId]) -> bool {
        let view = self.replica().read();
        let tree = view.tree();
        let known =
            |unit: &UnitId| tree.find(unit).is_some_and(|at| tree.unit(at).origin.is_some());
        units.iter().all(known)
    }

    /// The digest of its view.
    pub fn digest(&self) -> Hash {
        self.replica().ask(|view, _| view.digest())
    }

    /// Asks the node above, whose daemon runs, to be enrolled, and accepts the answer; `url` is where to dial.
    pub fn is_enrolled_by(&self, above: &Self, request: &[u8], url: &str) {
        let request = enrol::requested(above.replica(), request).unwrap();
        let (unit, may_delegate) = (self.unit, true);
        let approval = Approval { unit, may_delegate, days: 365, with_person_key: true };
        let children = above.node().children_file();
        let approved = enrol::approve(above.replica(), &request, &approval, &children).unwrap();
        enrol::accept(&self.directory, &approved.answer, Some(url), None).unwrap();
    }

    /// Has a server for all whom it has approved.
    pub fn serves(&mut self) {
        if let Some(server) = &self.server {
            server.reload(&ServerPlan::of_node(&self.node()).unwrap()).unwrap();
            return;
        }
        self.stop();
        self.open_server();
        self.start();
    }

    /// Writes where it is to find the node above.
    pub fn dials(&self, url: &str) {
        let mut node = self.node();
        node.config.parent.as_mut().unwrap().url = Some(url.to_owned());
        std::fs::write(self.directory.join(CONFIG_FILE), node.config.to_toml().unwrap()).unwrap();
    }

    fn asks(&self, root_key: RootKey) -> Vec<u8> {
        let asking = Asking { root_key, unit: "演示".into(), token: String::new() };
        enrol::request(&self.directory, &asking, self.clock.now()).unwrap().1
    }
}

/// The code of a firm.
pub fn code(firm: u32) -> String {
    format!("9199{firm:014}")
}

/// A territory of the list of 2023.
pub fn territory(code: &str) -> UnitId {
    UnitId::of_territory(code, 2023)
}

/// The registration of a firm (level enterprise) or a territory.
pub fn registered(code: &str, level: Level, parent: UnitId) -> FactBody {
    let employer = level == Level::Enterprise;
    let (unit, kind, code_kind) = if employer {
        (UnitId::of_employer(code), UnitKind::Employer, CodeKind::Uscc)
    } else {
        (territory(code), UnitKind::Territory, CodeKind::Division)
    };
    FactBody::Unit(UnitFact::Registered {
        unit,
        kind,
        level,
        parent: Some(parent),
        located_in: None,
        list_year: (!employer).then_some(2023),
        profile: UnitProfile {
            name: format!("演示{code}"),
            codes: vec![Code { kind: code_kind, value: code.into() }],
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        },
    })
}

/// A province, a city and a county, one below the other.
#[derive(Debug)]
pub struct Three {
    /// The root.
    pub province: Station,
    /// In the middle.
    pub city: Station,
    /// At the bottom.
    pub county: Station,
    place: tempfile::TempDir,
}

impl Three {
    /// Founds, enrols and starts all three. `dial` says where to dial instead of a server's own address.
    pub fn start(clock: &Arc<dyn Clock>, mut dial: impl FnMut(&str) -> String) -> Self {
        let place = tempfile::tempdir().unwrap();
        let station = |name: &str, code| {
            Station::new(&place.path().join(name), territory(code), clock.clone())
        };
        let mut province = station("province", "99");
        let (mut city, mut county) = (station("city", "9911"), station("county", "991102"));
        let founding = Founding {
            name: "演示省".into(),
            code: "99".into(),
            list_year: 2023,
            level: Level::Province,
        };
        let root_key = enrol::found(&province.directory, &founding, clock.clone()).unwrap();
        province.start();
        province.write(registered("9911", Level::City, province.unit)).unwrap();
        province.write(registered("991102", Level::County, city.unit)).unwrap();
        enrolled(&mut province, &mut city, root_key, &mut dial);
        enrolled(&mut city, &mut county, root_key, &mut dial);
        Self { province, city, county, place }
    }

    /// All levels.
    pub fn levels(&self) -> [&Station; 3] {
        [&self.province, &self.city, &self.county]
    }

    /// A path beside the data.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Waits until what the county wrote is known above, and the county knows that it is.
    pub fn arrives(&self, what: &str, units: &[UnitId]) {
        wait::until(what, PATIENCE, || self.province.knows(units) && self.city.knows(units));
        wait::until(&format!("receipts: {what}"), PATIENCE, || {
            let arrived = self.county.status().arrived;
            arrived.len() == 2 && arrived.iter().all(|arrival| arrival.complete)
        });
    }
}

/// Enrols a node below one whose daemon runs, and starts it: what it serves comes down to it.
pub fn enrolled(
    above: &mut Station,
    below: &mut Station,
    root_key: RootKey,
    dial: &mut dyn FnMut(&str) -> String,
) {
    let request = below.asks(root_key);
    // the list of the server's users is written by the approval
    below.is_enrolled_by(above, &request, "nats://nowhere");
    above.serves();
    below.dials(&dial(&above.server().url()));
    below.start();
    wait::until("a new node learns whom it serves", PATIENCE, || {
        below.replica().who().unit == Some(below.unit)
    });
}
