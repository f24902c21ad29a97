//! A node's directory copied, or put back from an older day, so that one key signs twice: every level above
//! sees it with the next bundle, counts nothing twice, comes to the same whatever came first, and the proof is
//! a file that stands alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::config::{Node, RootKey};
use hub::enrol::{self, Approval, Asking, Founding};
use hub::host::Host;
use hub::replica::Draft;
use hub_core::fact::FactBody;
use hub_core::fact::unit::Level;
use hub_core::hash::{Hash, hex_encode};
use hub_core::id::UnitId;
use hub_core::time::Day;
use hub_core::view::fork::ForkedChain;
use hub_core::view::verdict::Reason;
use hub_tests::capture;
use hub_tests::levels::copy_folder;
use hub_tests::stations::{code, registered, territory};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Types a command; its exit code and what it showed.
fn hub(data: Option<&Path>, words: &[&str]) -> (u8, String) {
    let args: Vec<&str> = ["--lang", "en"].into_iter().chain(words.iter().copied()).collect();
    let ran = capture::hub(data.unwrap_or(Path::new("")), &args);
    (ran.code, ran.out + &ran.err)
}

/// One node: a directory that each command opens for itself, so that every step is a restart too.
#[derive(Debug, Clone)]
struct Office {
    directory: PathBuf,
    unit: UnitId,
}

impl Office {
    fn host(&self) -> Host {
        Host::open(Node::load(&self.directory).unwrap()).unwrap()
    }

    fn hub(&self, words: &[&str]) -> (u8, String) {
        hub(Some(&self.directory), words)
    }

    fn write(&self, body: FactBody) -> Result<(), String> {
        let host = self.host();
        let draft = Draft::new(self.unit, Day::of_millis(host.replica.now()), body);
        host.replica.write(vec![draft]).map(|_| ()).map_err(|error| error.to_string())
    }

    fn registers(&self, firm: u32) -> Result<(), String> {
        self.write(registered(&code(firm), Level::Enterprise, self.unit))
    }

    /// The bundle for a neighbour taken in there; what was shown.
    fn sends(&self, to: &str, other: &Self, disc: &Path) -> String {
        let disc = disc.join(format!("disc-{}", std::fs::read_dir(disc).unwrap().count()));
        std::fs::create_dir_all(&disc).unwrap();
        let out = disc.to_str().unwrap();
        let (exit, shown) = self.hub(&["bundle", "export", "--to", to, "--out", out]);
        assert_eq!(exit, 0, "{shown}");
        let files = std::fs::read_dir(&disc).unwrap();
        let files: Vec<String> =
            files.map(|file| file.unwrap().path().to_str().unwrap().to_owned()).collect();
        let words: Vec<&str> =
            ["bundle", "import"].into_iter().chain(files.iter().map(String::as_str)).collect();
        other.hub(&words).1
    }

    fn forks(&self) -> Vec<ForkedChain> {
        self.host().replica.read().forks().collect()
    }

    fn digest(&self) -> Hash {
        self.host().replica.ask(|view, _| view.digest())
    }

    fn suspended(&self) -> u64 {
        let host = self.host();
        let parked = host.replica.read().parked();
        parked.get(&Reason::Forked).copied().unwrap_or(0)
    }

    /// Which of these firms are in the books.
    fn knows(&self, firms: &[u32]) -> Vec<u32> {
        let host = self.host();
        let view = host.replica.read();
        let tree = view.tree();
        let standing = |firm: &&u32| {
            let at = tree.find(&UnitId::of_employer(&code(**firm)));
            at.is_some_and(|at| !tree.unit(at).registrations.is_empty())
        };
        firms.iter().filter(standing).copied().collect()
    }

    /// The same directory copied, keys and all.
    fn copied(&self, name: &str) -> Self {
        let directory = self.directory.with_file_name(name);
        copy_folder(&self.directory, &directory);
        Self { directory, unit: self.unit }
    }
}

fn approve(parent: &Office, child: &Office, root_key: RootKey) {
    let host = parent.host();
    let asking = Asking { root_key, unit: "演示".into(), token: String::new() };
    let (_, request) = enrol::request(&child.directory, &asking, host.replica.now()).unwrap();
    let request = enrol::requested(&host.replica, &request).unwrap();
    let approval =
        Approval { unit: child.unit, may_delegate: true, days: 365, with_person_key: true };
    let children = Node::load(&parent.directory).unwrap().children_file();
    let answer = enrol::approve(&host.replica, &request, &approval, &children).unwrap().answer;
    enrol::accept(&child.directory, &answer, None, None).unwrap();
}

struct Federation {
    province: Office,
    city: Office,
    county: Office,
    root: String,
    disc: PathBuf,
    directory: tempfile::TempDir,
}

impl Federation {
    /// Three levels that work by files, with one firm that all of them know; the city has stated so.
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let office = |name: &str, code| Office {
            directory: directory.path().join(name),
            unit: territory(code),
        };
        let (province, city, county) =
            (office("province", "99"), office("city", "9911"), office("county", "991102"));
        let disc = directory.path().join("discs");
        std::fs::create_dir(&disc).unwrap();
        let founding = Founding {
            name: "演示省".into(),
            code: "99".into(),
            list_year: 2023,
            level: Level::Province,
        };
        let root_key = enrol::found(&province.directory, &founding, Arc::new(SystemClock)).unwrap();
        province.write(registered("9911", Level::City, province.unit)).unwrap();
        province.write(registered("991102", Level::County, city.unit)).unwrap();
        approve(&province, &city, root_key);
        province.sends("children", &city, &disc);
        approve(&city, &county, root_key);
        city.sends("children", &county, &disc);
        let root = hex_encode(&root_key.0);
        let federation = Self { province, city, county, root, disc, directory };
        federation.county.registers(1).unwrap();
        federation.up();
        assert_eq!(federation.city.hub(&["checkpoint"]).0, 0);
        federation
    }

    /// From the county to the city, and on to the province.
    fn up(&self) {
        self.county.sends("parent", &self.city, &self.disc);
        self.city.sends("parent", &self.province, &self.disc);
    }

    /// Until what the province asks the city for has come, and both know.
    fn back_and_forth(&self) {
        for _ in 0..6 {
            self.city.sends("parent", &self.province, &self.disc);
            self.province.sends("children", &self.city, &self.disc);
        }
    }

    fn both_above(&self) -> [&Office; 2] {
        [&self.city, &self.province]
    }

    /// Proven alone, by nothing but the root key; not when anything of it is another.
    fn proof_stands_alone(&self, exported_by: &Office) {
        let file = self.directory.path().join("fork.proof");
        let path = file.to_str().unwrap();
        let (exit, shown) = exported_by.hub(&["fork", "export", path]);
        assert_eq!(exit, 0, "{shown}");
        let audit = |path: &str, root: &str| hub(None, &["audit", "fork", path, "--root", root]);
        let (exit, shown) = audit(path, &self.root);
        assert!(exit == 0 && shown.contains("proven"), "{shown}");
        assert_eq!(audit(path, &"ab".repeat(32)).0, 1, "another root");
        assert_eq!(audit("no such file", &self.root).0, 2);
        let bytes = std::fs::read(&file).unwrap();
        for at in (0..bytes.len()).step_by(bytes.len() / 40) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            std::fs::write(&file, wrong).unwrap();
            let (exit, shown) = audit(path, &self.root);
            assert!(exit == 1 && shown.contains("not proven"), "byte {at}: {shown}");
        }
    }
}

/// The beginning of the hash of the side that holds most blocks, or fewest.
fn side(office: &Office, most: bool) -> String {
    let fork = office.forks().remove(0);
    let by_blocks = |side: &&hub_core::view::fork::Side| side.blocks;
    let side = if most {
        fork.sides.iter().max_by_key(by_blocks)
    } else {
        fork.sides.iter().min_by_key(by_blocks)
    };
    side.unwrap().hash.to_string()[..12].to_owned()
}

#[test]
fn a_cloned_node_is_seen_at_once_and_the_side_stated_first_counts_at_every_level() {
    let federation = Federation::start();
    let Federation { city, county, disc, .. } = &federation;
    let clone = county.copied("clone");
    county.registers(2).unwrap();
    county.registers(3).unwrap();
    clone.registers(4).unwrap();
    county.sends("parent", city, disc);
    assert_eq!(
        city.hub(&["checkpoint"]).0,
        0,
        "the city states the one copy before it hears of the other"
    );
    assert_eq!(city.hub(&["fork", "list"]).0, 0);
    clone.sends("parent", city, disc);
    let (exit, shown) = city.hub(&["fork", "list"]);
    assert!(exit == 1 && shown.contains("the other counts"), "{shown}");
    let (exit, shown) = city.hub(&["status"]);
    assert!(exit == 1 && shown.contains("signed twice"), "{shown}");
    city.sends("parent", &federation.province, disc);
    for office in federation.both_above() {
        assert_eq!(office.knows(&[1, 2, 3, 4]), [1, 2, 3]);
        let forks = office.forks();
        assert!(forks.len() == 1 && forks[0].settled_by.is_some(), "{forks:?}");
        assert_eq!(office.suspended(), 0);
    }
    federation.proof_stands_alone(&federation.province);
    // the copy that does not count learns it, and signs no more
    city.sends("children", &clone, disc);
    clone.sends("parent", city, disc);
    city.sends("children", &clone, disc);
    assert!(clone.registers(5).unwrap_err().contains("copy"));
    // the other goes on
    city.sends("children", county, disc);
    county.registers(6).unwrap();
    federation.up();
    for office in federation.both_above() {
        assert_eq!(office.knows(&[1, 2, 3, 4, 5, 6]), [1, 2, 3, 6]);
    }
}

#[test]
fn what_nobody_stated_is_suspended_until_the_node_above_names_a_side() {
    let federation = Federation::start();
    let Federation { city, county, province, disc, .. } = &federation;
    let clone = county.copied("clone");
    county.registers(2).unwrap();
    county.registers(3).unwrap();
    clone.registers(4).unwrap();
    // the other way round elsewhere: the same comes out
    let mirror = city.copied("mirror");
    county.sends("parent", city, disc);
    assert_eq!(city.knows(&[1, 2, 3, 4]), [1, 2, 3], "nothing is wrong yet");
    clone.sends("parent", city, disc);
    clone.sends("parent", &mirror, disc);
    county.sends("parent", &mirror, disc);
    city.sends("parent", province, disc);
    assert_eq!(mirror.digest(), city.digest());
    assert_eq!(mirror.forks(), city.forks());
    assert_eq!(province.forks(), city.forks());
    for office in federation.both_above() {
        assert_eq!((office.knows(&[1, 2, 3, 4]), office.suspended()), (vec![1], 3));
    }
    // a checkpoint by the clock names no side
    assert_eq!(city.hub(&["checkpoint"]).0, 0);
    assert_eq!((city.knows(&[1, 2, 3, 4]), city.suspended()), (vec![1], 3));
    let few = side(city, false);
    let (exit, shown) = province.hub(&["fork", "settle", &few]);
    assert!(exit == 2 && shown.contains("directly above"), "{shown}");
    let (exit, shown) = city.hub(&["fork", "settle", &few]);
    assert_eq!(exit, 0, "{shown}");
    let (exit, shown) = city.hub(&["fork", "settle", &side(city, true)]);
    assert!(exit == 2 && shown.contains("is settled"), "{shown}");
    city.sends("parent", province, disc);
    for office in federation.both_above() {
        assert_eq!((office.knows(&[1, 2, 3, 4]), office.suspended()), (vec![1, 4], 0));
    }
    // an auditor who folds the city's books comes to the same
    let books = city.directory.to_str().unwrap();
    let words = ["audit", "replay", books, "--root", &federation.root, "--format", "json"];
    let (exit, shown) = hub(None, &words);
    assert!(exit == 1 && shown.contains(&city.digest().to_string()), "{shown}");
    federation.proof_stands_alone(city);
    // a cut reads the side that counts, shorter than the one that came first
    let (exit, shown) = city.hub(&["enrol", "revoke", "演示991102", "--reason", "copied"]);
    assert!(exit == 0 && shown.contains("2 blocks before stay"), "{shown}");
    assert_eq!(city.knows(&[1, 2, 3, 4]), [1, 4]);
}

#[test]
fn a_node_rolled_back_unnoticed_makes_no_silent_fork() {
    let federation = Federation::start();
    let Federation { city, county, province, disc, .. } = &federation;
    let yesterday = county.copied("yesterday");
    county.registers(2).unwrap();
    federation.up();
    assert_eq!(city.hub(&["checkpoint"]).0, 0);
    std::fs::remove_dir_all(&county.directory).unwrap();
    copy_folder(&yesterday.directory, &county.directory);
    // offline it cannot know, and signs once more at the same height
    county.registers(3).unwrap();
    federation.up();
    for office in [city, province] {
        assert_eq!(office.forks().len(), 1, "seen with the first bundle");
        assert_eq!(office.knows(&[1, 2, 3]), [1, 2], "what was stated first counts, and once");
    }
    for _ in 0..2 {
        city.sends("children", county, disc);
        county.sends("parent", city, disc);
    }
    assert!(county.registers(4).unwrap_err().contains("epoch"));
    assert_eq!(county.knows(&[1, 2, 3]), [1, 2], "what it had lost came back to it");
}

#[test]
fn a_fork_of_the_root_is_settled_by_its_next_epoch() {
    let federation = Federation::start();
    let Federation { province, city, county, disc, .. } = &federation;
    let clone = province.copied("clone");
    let down = |office: &Office, code: &str| {
        office.write(registered(code, Level::County, city.unit)).unwrap();
    };
    // what each says of the city goes down to it
    down(province, "991103");
    down(&clone, "991104");
    down(&clone, "991105");
    let mirror = city.copied("mirror");
    province.sends("children", city, disc);
    clone.sends("children", city, disc);
    clone.sends("children", &mirror, disc);
    province.sends("children", &mirror, disc);
    let units = |office: &Office| -> Vec<&str> {
        let host = office.host();
        let view = host.replica.read();
        let known = |code: &&str| {
            let at = view.tree().find(&territory(code));
            at.is_some_and(|at| view.tree().unit(at).origin.is_some())
        };
        ["991102", "991103", "991104", "991105"].into_iter().filter(known).collect()
    };
    for office in [city, &mirror] {
        assert_eq!(units(office), ["991102"], "both sides are suspended");
    }
    federation.back_and_forth();
    let forks = province.forks();
    assert!(!forks.is_empty(), "what the other copy said came back to the root");

    // in the epoch that forks nobody names a side; in the next the good copy does
    let good: Vec<String> = {
        let host = province.host();
        let here = |fork: &ForkedChain| host.replica.journal().contains(&fork.chain, fork.height);
        let here = forks.iter().map(|fork| here(fork).unwrap().unwrap().to_string());
        here.map(|hash| hash[..12].to_owned()).collect()
    };
    let (exit, shown) = province.hub(&["fork", "settle", &good[0]]);
    assert!(exit == 2 && shown.contains("enrol renew"), "{shown}");
    let (exit, shown) = province.hub(&["enrol", "renew", "--out", "nothing"]);
    assert!(exit == 0 && shown.contains("epoch 2"), "{shown}");
    assert_eq!(units(province), ["991102"], "a new epoch alone names no side");
    for side in &good {
        let (exit, shown) = province.hub(&["fork", "settle", side]);
        assert_eq!(exit, 0, "{shown}");
    }
    down(province, "991106");
    for office in [city, &mirror] {
        province.sends("children", office, disc);
        assert_eq!(units(office), ["991102", "991103"], "the side the root named counts");
        assert_eq!((office.suspended(), office.digest()), (0, province.digest()));
    }
    // it goes on downwards and up, and an auditor finds every writer known
    city.sends("children", county, disc);
    county.registers(2).unwrap();
    federation.up();
    for office in [province, city, county] {
        assert_eq!(office.knows(&[1, 2]), [1, 2]);
    }
    let books = city.directory.to_str().unwrap();
    let (exit, shown) = hub(None, &["audit", "verify", books, "--root", &federation.root]);
    assert!(exit == 1 && !shown.contains("unknown"), "only the fork is found: {shown}");
    federation.proof_stands_alone(city);
}

#[test]
fn a_restored_root_goes_on_in_a_new_epoch() {
    let federation = Federation::start();
    let Federation { province, city, county, disc, .. } = &federation;
    let (backup, directory) = (federation.directory.path().join("backup"), &province.directory);
    assert_eq!(province.hub(&["backup", backup.to_str().unwrap()]).0, 0);
    province.write(registered("991103", Level::County, city.unit)).unwrap();
    province.sends("children", city, disc);
    std::fs::remove_dir_all(directory).unwrap();
    assert_eq!(province.hub(&["restore", backup.to_str().unwrap()]).0, 0);
    let more = || province.write(registered("991104", Level::County, city.unit));
    assert!(more().unwrap_err().contains("enrol renew"));
    assert_eq!(province.hub(&["enrol", "renew", "--out", "nothing"]).0, 0);
    more().unwrap();
    // what only a child still had comes back, and nothing was signed twice
    federation.back_and_forth();
    for office in [province, city] {
        assert!(office.forks().is_empty(), "{:?}", office.forks());
        let host = office.host();
        let view = host.replica.read();
        for code in ["991103", "991104"] {
            let at = view.tree().find(&territory(code)).unwrap();
            assert!(view.tree().unit(at).origin.is_some(), "{code}");
        }
    }
    assert_eq!(city.digest(), province.digest());
    // a node that joins now follows the chain of enrolments from the new epoch
    let late = Office { directory: directory.with_file_name("late"), unit: territory("991104") };
    let root_key = Node::load(directory).unwrap().config.root_key;
    city.sends("children", county, disc);
    approve(city, &late, root_key);
    city.sends("children", &late, disc);
    late.registers(7).unwrap();
    late.sends("parent", city, disc);
    assert_eq!(city.knows(&[7]), [7]);
}
