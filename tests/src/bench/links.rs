//! Links: how long one fact takes through four hops, and how fast one link catches up after an outage.
//! Five daemons over four real nats-servers, all in this process; every hop is durable and verified.

use super::error::{BenchError, failed};
use super::limits::{Times, micros};
use super::province::{BOOKS_OPEN, Size, Union};
use super::raw;
use super::report::{Figure, Report, Target};
use super::roster;
use crate::levels::Levels;
use crate::nats::NatsServer;
use crate::process::free_port;
use hub::clock::SystemClock;
use hub::command::run::HubCommands;
use hub::config::Node;
use hub::daemon::{self, Running};
use hub::replica::{Draft, Replica, WriteError};
use hub_core::block::Block;
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{BranchFact, Code, CodeKind, FactBody, UnitFact};
use hub_core::header::FACTS_MAX;
use hub_core::id::{BranchId, FactId, UnitId};
use hub_core::time::Day;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Facts sent one by one, and before them some that warm everything up.
const SINGLES: u32 = 400;
const WARMING: u32 = 50;
/// The most members of the outage.
const MEMBERS_MAX: u64 = 2_000_000;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often is looked.
const LOOK: Duration = Duration::from_micros(100);

/// Measures links.
///
/// # Errors
/// A daemon or server does not come up, or something never arrives.
pub fn measure(place: &Path, size: Size, report: &mut Report<'_>) -> Result<(), BenchError> {
    report.progress("links: five levels over four nats-servers")?;
    let mut net = Net::raise()?;
    net.latency(report)?;
    let members = size.members.min(MEMBERS_MAX);
    report.progress(&format!("links: an outage of {members} members"))?;
    let blocks = net.catch_up(members, report)?;
    drop(net);
    raw::measure(place, &blocks, members, report)
}

/// Five levels, the highest first.
struct Net {
    running: Vec<Running>,
    servers: Vec<NatsServer>,
    levels: Levels,
}

impl Net {
    fn raise() -> Result<Self, BenchError> {
        let levels = Levels::five();
        let (mut running, mut servers) = (Vec::new(), Vec::new());
        let mut above: Option<String> = None;
        let nodes = levels.nodes();
        for (name, _, _) in nodes {
            if running.len() + 1 < nodes.len() {
                let port = free_port().map_err(failed("look for a port"))?;
                let (listen, config) = (format!("127.0.0.1:{port}"), levels.path(name) + ".conf");
                levels.ok(name, &["ops", "nats-config", "--listen", &listen, "--out", &config]);
                let home = levels.path(&format!("{name}-server"));
                let server = NatsServer::of_config(config.as_ref(), port, home.as_ref());
                servers.push(server.map_err(failed("start a nats-server"))?);
            }
            running.push(start(&levels, name, above.take())?);
            above = servers.last().map(NatsServer::url);
        }
        Ok(Self { running, servers, levels })
    }

    fn replica(&self, depth: usize) -> &Replica {
        &self.running[depth].host().replica
    }

    /// One fact after the other from the lowest level; the next once the highest shows the last.
    fn latency(&self, report: &mut Report<'_>) -> Result<(), BenchError> {
        let lowest = self.running.len() - 1;
        let mut times = Vec::new();
        for number in 0..WARMING + SINGLES {
            let began = Instant::now();
            let (_, fact) = register(self.replica(lowest), number)?;
            until("a fact in the highest view", || self.replica(0).read().fact(&fact).is_some())?;
            if number >= WARMING {
                times.push(micros(began));
            }
        }
        let times = Times::new(times);
        for (name, part, target) in [("p50", 0.5, 10.0), ("p99", 0.99, 50.0)] {
            report.figure(Figure {
                what: format!("a fact through four hops, {name}"),
                value: times.at(part) / 1e3,
                unit: "ms",
                target: Some(Target::AtMost(target)),
                holds:
                    "written and durable at the lowest level, stored and folded at each of four \
                        above; five daemons and four servers share this machine"
                        .to_owned(),
            })?;
        }
        Ok(())
    }

    /// The city writes while the province and its server are gone; then both come back.
    fn catch_up(
        &mut self,
        members: u64,
        report: &mut Report<'_>,
    ) -> Result<Vec<Block>, BenchError> {
        let union = found(self.replica(1))?;
        let held = self.replica(1).end();
        until("the union in the highest view", || {
            self.replica(0).read().branches().find(&union.id).is_some()
        })?;
        self.running.remove(0).stop().map_err(failed("stop the province"))?;
        self.servers[0].kill();
        let city = &self.running[0].host().replica;
        for first in (0..members).step_by(FACTS_MAX as usize) {
            let last = members.min(first + u64::from(FACTS_MAX));
            let drafts = (first..last).map(|number| draft(city, number, &union));
            city.write(drafts.collect()).map_err(failed("write members"))?;
        }
        self.servers[0].restart().map_err(failed("start a nats-server"))?;
        let province = start(&self.levels, "province", None)?;
        let replica = province.host().replica.clone();
        let before = replica.end();
        until("the first block after the outage", || replica.end() > before)?;
        let began = Instant::now();
        until("all members in the highest view", || replica.read().persons() as u64 >= members)?;
        let seconds = began.elapsed().as_secs_f64();
        self.running.insert(0, province);
        report.figure(Figure {
            what: "catch-up of one link after an outage".to_owned(),
            value: members as f64 / seconds,
            unit: "facts/s",
            target: Some(Target::AtLeast(4e6)),
            holds:
                "from the first block durable above to the last one folded: read, sent, verified, \
                    stored, synced and folded with all rules; both daemons and the server on this \
                    machine"
                    .to_owned(),
        })?;
        let (blocks, _) = self.replica(1).read_after(held, usize::MAX);
        Ok(blocks.into_iter().map(|local| local.block).collect())
    }
}

fn start(levels: &Levels, name: &str, above: Option<String>) -> Result<Running, BenchError> {
    let mut node = Node::load(&levels.data(name)).map_err(failed("read a configuration"))?;
    if let Some(parent) = &mut node.config.parent {
        parent.url = above;
    }
    let (clock, commands) = (Arc::new(SystemClock), Arc::new(HubCommands::default()));
    daemon::start(node, clock, commands).map_err(failed("start a daemon"))
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), BenchError> {
    let since = Instant::now();
    while !holds() {
        if since.elapsed() > PATIENCE {
            return Err(BenchError { step: what.to_owned(), cause: "it never came".to_owned() });
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Registers an employer below the unit a node serves.
fn register(replica: &Replica, number: u32) -> Result<(UnitId, FactId), BenchError> {
    let serves = replica.who().unit.unwrap_or(UnitId([0; 16]));
    let code = crate::demo::people::employer_code(number + 1);
    let unit = UnitId::of_employer(&code);
    let body = FactBody::Unit(UnitFact::Registered {
        unit,
        kind: UnitKind::Employer,
        level: Level::Enterprise,
        parent: Some(serves),
        located_in: None,
        list_year: None,
        profile: UnitProfile {
            name: format!("演示第{number}厂"),
            codes: vec![Code { kind: CodeKind::Uscc, value: code }],
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        },
    });
    let today = Day::of_millis(replica.now());
    let ids = replica.write(vec![Draft::new(serves, today, body)]).map_err(failed("write"))?;
    Ok((unit, ids[0]))
}

/// A union for the members of the outage.
fn found(replica: &Replica) -> Result<Union, BenchError> {
    let serves = replica.who().unit.unwrap_or(UnitId([0; 16]));
    let (host, _) = register(replica, 9_999)?;
    let written = replica.transact(|transaction| {
        let id = transaction.push_with(|id| {
            let (kind, codes) = (BranchKind::Own, Vec::new());
            let profile = BranchProfile { kind, host, name: "演示大厂工会".into(), codes };
            let branch = BranchId::of_first_fact(&id);
            let founded = FactBody::Branch(BranchFact::Founded { branch, profile });
            Draft::new(serves, BOOKS_OPEN, founded)
        });
        Ok::<_, WriteError>(BranchId::of_first_fact(&id))
    });
    Ok(Union { id: written.map_err(failed("found a union"))?, host })
}

fn draft(replica: &Replica, number: u64, union: &Union) -> Draft {
    let (day, attributes, body) = roster::joined(number, union, 1);
    let serves = replica.who().unit.unwrap_or(union.host);
    Draft { attributes, ..Draft::new(serves, day, body) }
}
