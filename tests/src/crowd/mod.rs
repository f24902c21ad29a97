//! A crowd: a thousand children of one parent, each with the real sync machine and the real link over a real
//! nats-server, that lose the server together and come back together.

mod child;

use crate::nats::NatsServer;
use crate::process::POLL_INTERVAL;
use child::{Counters, Plan};
use hub::clock::{Clock, SystemClock};
use hub::command::run::HubCommands;
use hub::config::{CONFIG_FILE, Node, ServerConfig};
use hub::daemon::{self, Running};
use hub::enrol::{self, Founding};
use hub::ops_nats::{ChildUser, Children, ServerPlan, replace_file};
use hub::replica::{Draft, Replica, WriteError};
use hub_core::fact::governance::Enrolment;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{FactBody, GovernanceFact, UnitFact};
use hub_core::id::UnitId;
use hub_core::time::{DAY_MILLIS, Day, Millis};
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(240);
/// Enrolments written at once.
const AT_ONCE: usize = 500;

/// Something of the crowd that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrowdError(pub String);

impl CrowdError {
    fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for CrowdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for CrowdError {}

/// What happened.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Report {
    /// How many children.
    pub children: u64,
    /// Blocks they wrote in all.
    pub blocks: u64,
    /// Blocks and names of blocks they sent, repetitions too.
    pub shipped: u64,
    /// Other messages they sent.
    pub asked: u64,
    /// Connections that came to stand.
    pub connected: u64,
    /// Blocks of theirs the parent holds.
    pub held: u64,
    /// Seconds from the start until all was receipted the first time …
    pub first_seconds: f64,
    /// … and after the server was gone and all came back at once.
    pub again_seconds: f64,
    /// Memory of this process, parent and all children, before and at most, in bytes.
    pub memory: [u64; 2],
}

/// Raises so many children in a directory, takes the server away while each writes `later` blocks, and
/// brings it back.
///
/// # Errors
/// Something does not come up, or not all arrives.
pub fn run(place: &Path, children: u64, later: u64) -> Result<Report, CrowdError> {
    let plans = found(place, children)?;
    let node = Node::load(place).map_err(CrowdError::of)?;
    let plan = ServerPlan::of_node(&node).map_err(CrowdError::of)?;
    let mut server = NatsServer::start(&plan, &place.join("nats")).map_err(CrowdError::of)?;
    let mut config = node.config.clone();
    config.server = Some(ServerConfig::of_url(&server.url()));
    let text = config.to_toml().map_err(CrowdError::of)?;
    replace_file(&place.join(CONFIG_FILE), &text).map_err(CrowdError::of)?;
    let parent = start(place)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(CrowdError::of)?;
    let memory = || crate::bench::place::resident().map_err(CrowdError::of);
    let (before, _) = memory()?;
    let counters = Arc::new(Counters::default());
    let (orders, ordered) = watch::channel(0);
    let running: Vec<_> = plans
        .into_iter()
        .map(|plan| {
            let (url, counters) = (server.url(), counters.clone());
            runtime.spawn(child::run(plan, url, ordered.clone(), counters, now))
        })
        .collect();
    drop(ordered);
    let settled = || counters.settled.load(Ordering::Relaxed) == children;
    let began = Instant::now();
    orders.send_replace(1);
    until("the first receipts", settled)?;
    let first_seconds = began.elapsed().as_secs_f64();
    server.kill();
    orders.send_replace(1 + later);
    until("more is written than receipted", || counters.settled.load(Ordering::Relaxed) == 0)?;
    let began = Instant::now();
    server.restart().map_err(CrowdError::of)?;
    until("all receipts after the server was gone", settled)?;
    let again_seconds = began.elapsed().as_secs_f64();
    let (_, most) = memory()?;
    drop(orders);
    for child in running {
        runtime.block_on(child).map_err(CrowdError::of)??;
    }
    let own = parent.host().node.config.node;
    let heads = parent.host().replica.journal().heads();
    let held = heads.iter().filter(|(chain, _)| chain.node != own);
    let held = held.map(|(_, head)| head.height).sum();
    parent.stop().map_err(CrowdError::of)?;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    Ok(Report {
        children,
        blocks: children * (1 + later),
        shipped: count(&counters.shipped),
        asked: count(&counters.asked),
        connected: count(&counters.connected),
        held,
        first_seconds,
        again_seconds,
        memory: [before, most],
    })
}

fn now() -> Millis {
    SystemClock.now()
}

fn start(place: &Path) -> Result<Running, CrowdError> {
    let node = Node::load(place).map_err(CrowdError::of)?;
    let (clock, commands) = (Arc::new(SystemClock), Arc::new(HubCommands::default()));
    daemon::start(node, clock, commands).map_err(CrowdError::of)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), CrowdError> {
    let since = Instant::now();
    while !holds() {
        if since.elapsed() > PATIENCE {
            return Err(CrowdError(format!("never: {what}")));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// Founds the parent and enrols all children.
fn found(place: &Path, children: u64) -> Result<Vec<Plan>, CrowdError> {
    let founding = Founding {
        name: "演示省".into(),
        code: "99".into(),
        list_year: 2026,
        level: Level::Province,
    };
    let root = enrol::found(place, &founding, Arc::new(SystemClock)).map_err(CrowdError::of)?;
    let node = Node::load(place).map_err(CrowdError::of)?;
    let (replica, _) = Replica::open(&node, Arc::new(SystemClock)).map_err(CrowdError::of)?;
    let who = replica.who();
    let plan = |number: u64| Plan {
        federation: who.federation,
        parent: who.node,
        parent_key: root.0,
        unit: UnitId::of_territory(&code(number), 2026),
        number,
    };
    let plans: Vec<Plan> = (0..children).map(plan).collect();
    let mut list = Children::default();
    for batch in plans.chunks(AT_ONCE) {
        enrol_all(&replica, batch)?;
        for plan in batch {
            let nats_user = plan.user().map_err(CrowdError::of)?.public().to_owned();
            let name = format!("演示第{}号", plan.number);
            list.put(ChildUser::new(plan.node(), nats_user, name)).map_err(CrowdError::of)?;
        }
    }
    list.save(&node.children_file()).map_err(CrowdError::of)?;
    Ok(plans)
}

/// The division code of a child's unit.
fn code(number: u64) -> String {
    format!("9901{number:05}")
}

/// Registers a unit for each, and enrols its node.
fn enrol_all(replica: &Replica, plans: &[Plan]) -> Result<(), CrowdError> {
    let now = replica.now();
    let today = Day::of_millis(now);
    let own = replica.who().unit.ok_or(CrowdError("the parent serves no unit".into()))?;
    let written = replica.transact(|transaction| {
        for plan in plans {
            let registered = UnitFact::Registered {
                unit: plan.unit,
                kind: UnitKind::Territory,
                level: Level::County,
                parent: Some(own),
                located_in: None,
                list_year: Some(2026),
                profile: UnitProfile {
                    name: format!("演示第{}县", plan.number),
                    codes: vec![hub_core::fact::Code {
                        kind: hub_core::fact::CodeKind::Division,
                        value: code(plan.number),
                    }],
                    ownership: None,
                    industry: None,
                    operating: true,
                    no_union_reason: None,
                    qualified: true,
                },
            };
            transaction.push(Draft::new(own, today, FactBody::Unit(registered)));
        }
        for plan in plans {
            let enrolment = Enrolment {
                node: plan.node(),
                key: plan.key().verifying_key().to_bytes(),
                epoch: 1,
                unit: plan.unit,
                may_delegate: false,
                not_before: now,
                expires: now + 365 * DAY_MILLIS,
                continues: None,
                person_key: Vec::new(),
            };
            let enrolled = GovernanceFact::NodeEnrolled(Box::new(enrolment));
            transaction.push(Draft::new(own, today, FactBody::Governance(enrolled)));
        }
        Ok::<_, WriteError>(())
    });
    written.map_err(CrowdError::of)
}
