//! A federation that works by folders alone for a whole reporting period, over three hops that lose, double,
//! reorder and cut files: in the end it says what a well-connected one says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::{Clock, SetClock, SystemClock};
use hub::command::run::HubCommands;
use hub::config::{CourierConfig, Node};
use hub::daemon::{self, Running};
use hub_core::time::{DAY_MILLIS, Day, Millis};
use hub_core_tests::random::Random;
use hub_tests::demo::people::{employer_code, person};
use hub_tests::levels::Levels;
use hub_tests::wait::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the world may take to come to rest in the end.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the folders get for each day of work.
const ROUND: Duration = Duration::from_millis(250);
/// The days on which something is entered, over a year.
const DAYS: u64 = 16;
/// Days between two of them.
const APART: u64 = 23;

/// What lies in no folder for a while, and what is done to it.
struct Gate {
    /// Folders by the first eight hex digits of their node's id, as file names have them.
    inboxes: BTreeMap<String, PathBuf>,
    outboxes: Vec<PathBuf>,
    pocket: Vec<(String, Vec<u8>)>,
    random: Random,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    carried: u32,
    lost: u32,
    doubled: u32,
    cut: u32,
}

impl Gate {
    /// Takes what is there, loses some of it, keeps some back, and brings the rest in any order.
    fn carry(&mut self, honest: bool) {
        for folder in self.outboxes.clone() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if name.starts_with('.') {
                    continue;
                }
                let bytes = fs::read(&path).unwrap();
                fs::remove_file(&path).unwrap();
                if !honest && self.random.percent(25) {
                    self.tally.lost += 1;
                    continue;
                }
                if !honest && self.random.percent(20) {
                    self.tally.doubled += 1;
                    self.pocket.push((name.clone(), bytes.clone()));
                }
                self.pocket.push((name, bytes));
            }
        }
        for place in (1..self.pocket.len()).rev() {
            let other = self.random.index(place + 1);
            self.pocket.swap(place, other);
        }
        for (name, bytes) in std::mem::take(&mut self.pocket) {
            if !honest && self.random.percent(30) {
                self.pocket.push((name, bytes));
            } else {
                self.bring(&name, &bytes, honest);
            }
        }
    }

    fn bring(&mut self, name: &str, bytes: &[u8], honest: bool) {
        let to = name.split('-').nth(3).unwrap();
        let path = self.inboxes[to].join(name);
        if !honest && self.random.percent(15) {
            // a copy that was broken off, and comes again
            self.tally.cut += 1;
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            self.pocket.push((name.to_owned(), bytes.to_vec()));
        } else {
            self.tally.carried += 1;
            fs::write(&path, bytes).unwrap();
        }
    }
}

/// Daemons whose only courier is a folder, and the clock they all go by.
struct World {
    running: Vec<Running>,
    levels: Levels,
    clock: Arc<SetClock>,
    gate: Gate,
}

impl World {
    fn start() -> Self {
        let levels = Levels::chain();
        let clock = Arc::new(SetClock::new(SystemClock.now()));
        let (mut inboxes, mut outboxes, mut running) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (name, _, _) in levels.nodes() {
            let mut node = Node::load(&levels.data(name)).unwrap();
            let folder = |what: &str| PathBuf::from(levels.path(&format!("{name}-{what}")));
            let (out, inbox) = (folder("out"), folder("in"));
            fs::create_dir_all(&out).unwrap();
            fs::create_dir_all(&inbox).unwrap();
            let usual = CourierConfig::of_folders(out.clone(), inbox.clone());
            let config = CourierConfig { extension: "xml".into(), every_seconds: 0, ..usual };
            node.config.courier = Some(config);
            let short = node.config.node.to_string();
            inboxes.insert(short[..8].to_owned(), inbox);
            outboxes.push(out);
            let commands = Arc::new(HubCommands::default());
            running.push(daemon::start(node, clock.clone(), commands).unwrap());
        }
        let gate = Gate {
            inboxes,
            outboxes,
            pocket: Vec::new(),
            random: Random::new(7),
            tally: Tally::default(),
        };
        Self { levels, clock, running, gate }
    }

    /// Lets time pass and files travel.
    fn pass(&mut self, millis: Millis, honest: bool) {
        self.clock.set(self.clock.now() + millis);
        std::thread::sleep(ROUND);
        self.gate.carry(honest);
    }

    /// Whether every node has confirmed to every node below it all that one wrote.
    fn is_at_rest(&self) -> bool {
        self.running.iter().enumerate().all(|(depth, running)| {
            let status = running.host().status().unwrap();
            let confirmed = status.arrived.iter().filter(|arrival| arrival.complete).count();
            confirmed == depth && status.children.iter().all(|link| link.held.is_empty())
        })
    }
}

/// What is entered on one of the days, by the township and by the county that approves.
fn enter(levels: &Levels, number: u64, today: Day) {
    let serial = number as u32 + 1;
    let code = employer_code(serial);
    let firm = format!("演示第{serial}厂");
    let units = format!("名称,统一社会信用代码,职工人数,日期\n{firm},{code},40,2020-01-01\n");
    let units = levels.file("单位.csv", &units);
    levels.ok("township", &["unit", "import", &units]);
    let unions = format!(
        "工会名称,类型,单位,批复文号,批复日期,成立日期\n\
         {firm}工会,单独,{firm},演〔2020〕{serial}号,2020-04-01,2020-04-01\n"
    );
    let unions = levels.file("工会.csv", &unions);
    levels.ok("township", &["branch", "import", &unions]);
    let union = format!("{firm}工会");
    for member in 0..3 {
        let someone = person(serial * 10 + member, false);
        let day = today.to_string();
        let line = ["member", "join", "--branch", &union, "--number", &someone.number];
        let more = ["--name", &someone.name, "--day", &day, "--evidence", "花名册"];
        levels.ok("township", &[&line[..], &more[..]].concat());
    }
}

/// Every number a level gives for the units from `from` down, without what follows from the day it is
/// asked on: how old the news is, and who is due to report by then.
fn figures(levels: &Levels, level: &str, from: usize, day: Day) -> Vec<(String, Value)> {
    let mut figures = Vec::new();
    for (_, unit, _) in &levels.nodes()[from..] {
        for indicator in ["founding.unit", "member.A", "unions.all", "members.all"] {
            let day = day.to_string();
            let line = ["query", "coverage", "--unit", unit, "--indicator", indicator];
            let asked = levels.json(level, &[&line[..], &["--as-of", &day]].concat());
            let mut rows = asked["rows"].clone();
            for row in rows.as_array_mut().unwrap() {
                let row = row.as_object_mut().unwrap();
                let dated = ["oldest", "due", "reported"].map(|column| row.remove(column));
                assert!(dated.iter().all(Option::is_some), "columns have other names: {row:?}");
            }
            figures.push((format!("{unit} {indicator}"), rows));
        }
    }
    figures
}

#[test]
fn a_year_by_folders_alone_ends_equal_to_a_connected_one() {
    let mut world = World::start();
    let connected = Levels::chain();
    let first_day = Day::of_millis(world.clock.now());
    for number in 0..DAYS {
        let today = Day::of_millis(world.clock.now());
        enter(&world.levels, number, today);
        enter(&connected, number, first_day);
        world.pass(APART * DAY_MILLIS, false);
    }
    connected.settle();
    until("every node has confirmed all", PATIENCE, || {
        let rests = world.is_at_rest();
        if !rests {
            // a day each, so that what was lost is written again
            world.pass(DAY_MILLIS + 3_600_000, true);
        }
        rests
    });
    let tally = &world.gate.tally;
    // how many there were depends on how fast the machine is
    assert!(tally.lost > 0 && tally.doubled > 0 && tally.cut > 0, "{tally:?}");

    let last_day = Day::of_millis(world.clock.now());
    let found = figures(&world.levels, "province", 0, last_day);
    assert_eq!(found, figures(&connected, "province", 0, first_day), "the same numbers");
    let members = &found.iter().find(|(name, _)| name == "演示省 members.all").unwrap().1;
    assert_eq!(members[0]["count"], 3 * DAYS, "{members}");
    for (depth, (level, _, _)) in world.levels.nodes().iter().enumerate() {
        let below = figures(&world.levels, level, depth, last_day);
        assert!(found.ends_with(&below), "{level} gives other numbers: {below:?}");
    }
    let World { running, levels, .. } = world;
    for running in running {
        running.stop().unwrap();
    }
    let leftovers = |name: &str| {
        let folder = levels.path(&format!("{name}-in"));
        let entries = fs::read_dir(Path::new(&folder)).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().path().is_file()).count()
    };
    let left: usize = levels.nodes().iter().map(|(name, _, _)| leftovers(name)).sum();
    assert_eq!(left, 0, "what was taken in is gone from the folders");
}
