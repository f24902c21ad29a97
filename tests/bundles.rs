//! A federation of three levels that has no server: everything travels in files, in any order, twice, or
//! not at all, and every level comes to the same.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::SystemClock;
use hub::command::bundle::{
    ExportOptions, ImportOptions, InspectOptions, Recipient, Since, blocks_of, export, import,
    inspect,
};
use hub::command::{Session, Shared};
use hub::command_io::{CommandIo, DirEntry, DirectIo, FileSink, Screen};
use hub::config::{Node, RootKey};
use hub::daemon::Running;
use hub::enrol::{self, Approval, Asking, Founding};
use hub::host::{Commands, Host};
use hub::render::{Format, Lang};
use hub::replica::Draft;
use hub::socket::Call;
use hub::status::StatusSnapshot;
use hub_core::SigningKey;
use hub_core::audit::{Entry, replay};
use hub_core::block::Block;
use hub_core::fact::FactBody;
use hub_core::fact::governance::ChainHeight;
use hub_core::fact::unit::Level;
use hub_core::hash::Hash;
use hub_core::id::{ChainId, Lane, UnitId};
use hub_core::time::Day;
use hub_node::bundle::{self, Manifest};
use hub_node::wire::{Message, sign};
use hub_tests::stations::{registered, territory};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Files of this process; what is shown is kept.
struct Kept {
    direct: DirectIo,
    shown: Mutex<String>,
}

impl Kept {
    fn new() -> Self {
        let direct = DirectIo::new(Screen { width: 100, terminal: false });
        Self { direct, shown: Mutex::default() }
    }
}

impl CommandIo for Kept {
    fn read_file(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        self.direct.read_file(path)
    }

    fn create_file(&self, path: &str) -> io::Result<Box<dyn FileSink>> {
        self.direct.create_file(path)
    }

    fn list_directory(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        self.direct.list_directory(path)
    }

    fn out(&self, text: &str) -> io::Result<()> {
        self.shown.lock().unwrap().push_str(text);
        Ok(())
    }

    fn err(&self, text: &str) -> io::Result<()> {
        self.out(text)
    }

    fn progress(&self, _: u64, _: Option<u64>, _: &str) {}

    fn screen(&self) -> &Screen {
        self.direct.screen()
    }
}

/// One level: a directory that each command opens for itself.
struct Office {
    directory: PathBuf,
    unit: UnitId,
}

impl Office {
    fn new(root: &Path, name: &str, unit: UnitId) -> Self {
        Self { directory: root.join(name), unit }
    }

    fn node(&self) -> Node {
        Node::load(&self.directory).unwrap()
    }

    fn host(&self) -> Host {
        Host::open(self.node()).unwrap()
    }

    fn write(&self, bodies: Vec<FactBody>) {
        let host = self.host();
        let today = Day::of_millis(host.replica.now());
        for body in bodies {
            host.replica.write(vec![Draft::new(self.unit, today, body)]).unwrap();
        }
    }

    fn digest(&self) -> Hash {
        self.host().replica.ask(|view, _| view.digest())
    }

    fn blocks(&self) -> Vec<Block> {
        let host = self.host();
        host.replica
            .read_after(Default::default(), usize::MAX)
            .0
            .into_iter()
            .map(|b| b.block)
            .collect()
    }

    fn status(&self) -> StatusSnapshot {
        self.host().status().unwrap()
    }

    fn knows(&self, units: &[UnitId]) -> bool {
        let host = self.host();
        let view = host.replica.read();
        units.iter().all(|unit| view.tree().find(unit).is_some())
    }

    fn export(&self, to: Recipient, since: Since, bytes_max: usize, out: &Path) -> Vec<String> {
        export_from(self.host(), to, since, bytes_max, out)
    }

    fn import(&self, files: &[String]) -> (u8, String) {
        import_into(self.host(), files)
    }
}

fn with_session<T>(host: Host, run: impl FnOnce(&Session<'_>) -> T) -> (T, String) {
    let (shared, io) = (Shared::new(host), Kept::new());
    let (lang, format) = (Lang::En, Format::Csv);
    let done = run(&Session { shared: &shared, io: &io, lang, format, operator: 1 });
    (done, io.shown.into_inner().unwrap())
}

/// Exports into a folder of its own and returns the files in the order of their names.
fn export_from(
    host: Host,
    to: Recipient,
    since: Since,
    bytes_max: usize,
    out: &Path,
) -> Vec<String> {
    std::fs::create_dir_all(out).unwrap();
    let out = out.to_str().unwrap().to_owned();
    let options = ExportOptions { to, out: out.clone(), since, bytes_max: Some(bytes_max) };
    let (code, _) = with_session(host, |session| export(session, &options).unwrap());
    assert_eq!(code, 0);
    let mut files: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert!(files.iter().all(|file| file.is_ascii() && file.ends_with(".hub")));
    files
}

fn import_into(host: Host, files: &[String]) -> (u8, String) {
    let options = ImportOptions { files: files.to_vec() };
    with_session(host, |session| import(session, &options).unwrap())
}

fn employers(first: u32, count: u32) -> Vec<(String, UnitId)> {
    let codes = (first..first + count).map(|number| format!("9199{number:014}"));
    codes.map(|code| (code.clone(), UnitId::of_employer(&code))).collect()
}

fn approve(parent: &Office, child: &Office, root_key: RootKey, may_delegate: bool) {
    let host = parent.host();
    let asking = Asking { root_key, unit: "演示".into(), token: String::new() };
    let (_, request) = enrol::request(&child.directory, &asking, host.replica.now()).unwrap();
    let request = enrol::requested(&host.replica, &request).unwrap();
    let approval = Approval { unit: child.unit, may_delegate, days: 365, with_person_key: true };
    let children = parent.node().children_file();
    let answer = enrol::approve(&host.replica, &request, &approval, &children).unwrap().answer;
    enrol::accept(&child.directory, &answer, None, None).unwrap();
}

/// How much of messages goes into one file here: a few blocks.
const SMALL: usize = 2_000;
const LARGE: usize = 16 << 20;

struct Federation {
    province: Office,
    city: Office,
    county: Office,
    root_key: RootKey,
    directory: tempfile::TempDir,
    rounds: u32,
}

impl Federation {
    /// Founds and enrols, one below the other, by files alone.
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let province = Office::new(root, "province", territory("99"));
        let city = Office::new(root, "city", territory("9911"));
        let county = Office::new(root, "county", territory("991102"));
        let founding = Founding {
            name: "演示省".into(),
            code: "99".into(),
            list_year: 2023,
            level: Level::Province,
        };
        let root_key = enrol::found(&province.directory, &founding, Arc::new(SystemClock)).unwrap();
        province.write(vec![
            registered("9911", Level::City, province.unit),
            registered("991102", Level::County, city.unit),
        ]);
        approve(&province, &city, root_key, true);
        let mut federation = Self { province, city, county, root_key, directory, rounds: 0 };
        let files = federation.down(true);
        assert_eq!(federation.city.import(&files).0, 0);
        approve(&federation.city, &federation.county, root_key, false);
        let files = federation.down(false);
        let (code, shown) = federation.county.import(&files);
        assert_eq!(code, 0, "{shown}");
        assert_eq!(federation.county.status().unit, Some(federation.county.unit));
        federation
    }

    fn folder(&mut self) -> PathBuf {
        self.rounds += 1;
        self.directory.path().join(format!("disc-{}", self.rounds))
    }

    /// The province's, or the city's, bundles for below.
    fn down(&mut self, from_province: bool) -> Vec<String> {
        let out = self.folder();
        let from = if from_province { &self.province } else { &self.city };
        from.export(Recipient::AllChildren, Since::Receipt, LARGE, &out)
    }

    fn up(&mut self, from_city: bool, since: Since, bytes_max: usize) -> Vec<String> {
        let out = self.folder();
        let from = if from_city { &self.city } else { &self.county };
        from.export(Recipient::Parent, since, bytes_max, &out)
    }

    fn all_files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for round in 1..=self.rounds {
            let disc = self.directory.path().join(format!("disc-{round}"));
            for entry in std::fs::read_dir(disc).unwrap() {
                files.push(entry.unwrap().path().to_str().unwrap().to_owned());
            }
        }
        files
    }

    /// What the auditor makes of blocks.
    fn replayed(&self, blocks: impl IntoIterator<Item = Block>) -> Hash {
        let source: BTreeMap<(ChainId, u64), Block> = blocks
            .into_iter()
            .map(|block| ((block.header().chain, block.header().height), block))
            .collect();
        let entries: Vec<Entry> = source.values().cloned().map(Entry::Block).collect();
        replay(&self.root_key.0, &entries, &source).digest
    }
}

#[test]
fn three_levels_work_by_bundles_alone() {
    let mut federation = Federation::start();
    let written = employers(1, 20);
    let units: Vec<UnitId> = written.iter().map(|(_, unit)| *unit).collect();
    let facts = written
        .iter()
        .map(|(code, _)| registered(code, Level::Enterprise, federation.county.unit))
        .collect();
    federation.county.write(facts);

    // Up to the city: many small files, the last first, one command each; then all of them once more.
    let files = federation.up(false, Since::Receipt, SMALL);
    assert!(files.len() > 3, "{files:?}");
    let mut waited = 0;
    for file in files.iter().rev() {
        let (code, shown) = federation.city.import(std::slice::from_ref(file));
        waited += u32::from(code == 1 && shown.contains("missing"));
    }
    assert_eq!(waited as usize, files.len() - 1, "all but the first wait for it");
    assert!(federation.city.knows(&units));
    let held = federation.city.blocks().len();
    let (code, shown) = federation.city.import(&files);
    assert_eq!((code, shown.matches("nothing new").count()), (0, files.len()), "{shown}");
    assert_eq!(federation.city.blocks().len(), held, "twice is once");

    // From there to the province, wrong way round in one command.
    let mut files = federation.up(true, Since::Receipt, SMALL);
    files.reverse();
    assert_eq!(federation.province.import(&files).0, 0);
    assert_eq!(federation.province.import(&files).0, 0);
    assert!(federation.province.knows(&units));

    // Receipts go down: the county sees that both hold what it wrote.
    let files = federation.down(true);
    assert_eq!(federation.city.import(&files).0, 0);
    let files = federation.down(false);
    assert_eq!(federation.county.import(&files).0, 0);
    let arrived = federation.county.status().arrived;
    assert_eq!(arrived.len(), 2, "{arrived:?}");
    assert!(arrived.iter().all(|arrival| arrival.complete), "{arrived:?}");

    // The auditor needs the bundles and the root's key only.
    let io = Kept::new();
    let carried = federation.all_files();
    let blocks = carried.iter().flat_map(|file| blocks_of(&io, file).unwrap());
    assert_eq!(federation.replayed(blocks), federation.province.digest());
    for office in [&federation.province, &federation.city, &federation.county] {
        assert_eq!(federation.replayed(office.blocks()), office.digest());
    }

    // What is receipted is not carried again.
    let files = federation.up(false, Since::Receipt, LARGE);
    let carried: usize = files.iter().map(|file| blocks_of(&io, file).unwrap().len()).sum();
    assert_eq!(carried, 0);
}

#[test]
fn what_a_lost_bundle_brought_comes_again() {
    let mut federation = Federation::start();
    let (first, second) = (employers(1, 10), employers(100, 10));
    let county = federation.county.unit;
    let facts = |written: &[(String, UnitId)]| {
        written.iter().map(|(code, _)| registered(code, Level::Enterprise, county)).collect()
    };
    federation.county.write(facts(&first));
    let lost = federation.up(false, Since::Receipt, LARGE);
    federation.county.write(facts(&second));
    // A gate through which nothing comes back: only what no export brought before.
    let files = federation.up(false, Since::LastExport, LARGE);
    let (code, shown) = federation.city.import(&files);
    assert_eq!(code, 1);
    assert!(shown.contains("missing"), "{shown}");
    let units: Vec<UnitId> = first.iter().chain(&second).map(|(_, unit)| *unit).collect();
    assert!(!federation.city.knows(&units));
    // With the receipt the county knows what did not arrive.
    let back = federation.down(false);
    assert_eq!(federation.county.import(&back).0, 0);
    let again = federation.up(false, Since::Receipt, LARGE);
    let (code, shown) = federation.city.import(&again);
    assert_eq!(code, 0, "{shown}");
    assert!(federation.city.knows(&units));
    assert_eq!(federation.replayed(federation.city.blocks()), federation.city.digest());
    // The lost one turns up after all.
    assert_eq!(federation.city.import(&lost).0, 0);
}

/// A county whose books are gone; its keys are not.
fn with_a_wiped_county() -> Federation {
    let mut federation = Federation::start();
    // The city has heard that the county held everything.
    let up = federation.up(false, Since::Receipt, LARGE);
    assert_eq!(federation.city.import(&up).0, 0);
    for name in ["journal", "index", "aside", "bundles"] {
        let path = federation.county.directory.join(name);
        if path.exists() {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
    assert_eq!(federation.county.status().unit, None);
    federation
}

#[test]
fn what_a_wiped_child_asks_for_comes_back_in_the_next_bundles() {
    let mut federation = with_a_wiped_county();
    // The city believes that the county has it all; then it names what it sent; then it is asked.
    let mut rounds = 0;
    while federation.county.status().unit.is_none() {
        rounds += 1;
        assert!(rounds <= 4, "the two do not come together");
        let down = federation.down(false);
        federation.county.import(&down);
        let up = federation.up(false, Since::Receipt, LARGE);
        federation.city.import(&up);
    }
    assert!(rounds > 1, "nobody asked");
    let down = federation.down(false);
    let (code, shown) = federation.county.import(&down);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(federation.replayed(federation.county.blocks()), federation.county.digest());
}

#[test]
fn a_wiped_child_gets_everything_again() {
    let mut federation = with_a_wiped_county();
    let out = federation.folder();
    let files = federation.city.export(Recipient::AllChildren, Since::Start, LARGE, &out);
    let (code, shown) = federation.county.import(&files);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(federation.county.status().unit, Some(federation.county.unit));
}

/// A daemon that is asked nothing but what the test asks it.
struct NoCommands;

impl Commands for NoCommands {
    fn run(&self, _: &Call, _: &Host, _: &dyn CommandIo) -> u8 {
        2
    }
}

#[test]
fn a_running_daemon_takes_and_makes_bundles() {
    let mut federation = Federation::start();
    let written = employers(1, 5);
    let units: Vec<UnitId> = written.iter().map(|(_, unit)| *unit).collect();
    let county = federation.county.unit;
    let facts =
        written.iter().map(|(code, _)| registered(code, Level::Enterprise, county)).collect();
    federation.county.write(facts);
    let files = federation.up(false, Since::Receipt, SMALL);

    let start = |node: Node| -> Running {
        hub::daemon::start(node, Arc::new(SystemClock), Arc::new(NoCommands)).unwrap()
    };
    let city = start(federation.city.node());
    for file in files.iter().rev() {
        import_into(city.host().clone(), std::slice::from_ref(file));
    }
    let (up, down) = (federation.folder(), federation.folder());
    let up = export_from(city.host().clone(), Recipient::Parent, Since::Receipt, LARGE, &up);
    let down =
        export_from(city.host().clone(), Recipient::AllChildren, Since::Receipt, LARGE, &down);
    city.stop().unwrap();

    assert_eq!(federation.province.import(&up).0, 0);
    assert!(federation.province.knows(&units));
    assert_eq!(federation.county.import(&down).0, 0);
    let arrived = federation.county.status().arrived;
    assert!(arrived.first().is_some_and(|arrival| arrival.complete), "{arrived:?}");
}

#[test]
fn what_is_not_for_a_node_is_refused_and_nothing_is_written() {
    let mut federation = Federation::start();
    let files = federation.up(false, Since::Receipt, LARGE);
    let before = federation.province.blocks().len();
    let (code, shown) = federation.province.import(&files);
    assert_eq!(code, 1);
    assert!(shown.contains("refused"), "{shown}");
    assert_eq!(federation.province.blocks().len(), before);

    let mut damaged = std::fs::read(&files[0]).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let path = federation.directory.path().join("damaged.hub").to_str().unwrap().to_owned();
    std::fs::write(&path, damaged).unwrap();
    assert_eq!(federation.city.import(std::slice::from_ref(&path)).0, 1);

    // The county's key is proven by the bundle from above, so that one's signatures are checked whole.
    let down = federation.down(false);
    let io = Kept::new();
    let out = federation.folder();
    let whole = federation.city.export(Recipient::AllChildren, Since::Start, LARGE, &out);
    let root = Some(federation.root_key);
    for path in [&down[0], &whole[0]] {
        let (format, lang) = (Format::Csv, Lang::En);
        let options = InspectOptions { path: path.clone(), root, format, lang };
        assert_eq!(inspect(&io, &options).unwrap(), 0);
    }
    let shown = io.shown.into_inner().unwrap();
    assert!(
        shown.contains("governance.node_enrolled") && shown.contains(", 0 bad, 0 not checked"),
        "{shown}"
    );
}

#[test]
fn a_file_whose_maker_nobody_vouched_for_brings_blocks_and_says_nothing() {
    let mut federation = Federation::start();
    let genuine = federation.down(false);
    let real = bundle::decode(&std::fs::read(&genuine[0]).unwrap()).unwrap().manifest;
    let chain = ChainId { node: real.to, epoch: 1, lane: Lane::Up };
    let ahead = ChainHeight { chain, height: 1_000, hash: Hash([7; 32]) };
    let ahead = Message::Ahead(vec![ahead]).encode(real.federation);
    let stranger = SigningKey::from_bytes(&[7; 32]);
    let folder = federation.folder();
    std::fs::create_dir_all(&folder).unwrap();
    // in the name of the parent, in an epoch it never had; many, to fill what waits
    let forged: Vec<String> = (0..100)
        .map(|number| {
            let manifest = Manifest {
                from_epoch: 9,
                made_at: real.made_at + number,
                last: real.first,
                last_hash: real.first_hash,
                ranges: Vec::new(),
                ..real.clone()
            };
            let sign = |bytes: &[u8]| sign(&stranger, bytes);
            let bytes = bundle::encode(&manifest, std::slice::from_ref(&ahead), sign).unwrap();
            let path = folder.join(format!("{number}.hub"));
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        })
        .collect();
    let (code, shown) = federation.county.import(&forged);
    assert_eq!(code, 1, "{shown}");
    assert!(federation.county.host().replica.may_sign().is_ok());
    let waiting = std::fs::read_dir(federation.county.directory.join("bundles/waiting")).unwrap();
    assert!(waiting.count() < 10, "they leave room for others");
    federation.county.write(vec![registered(
        &employers(1, 1)[0].0,
        Level::Enterprise,
        federation.county.unit,
    )]);
    let (_, shown) = federation.county.import(&genuine);
    let of_genuine = shown.lines().find(|line| line.contains(&genuine[0])).unwrap();
    assert!(!of_genuine.contains("cannot be confirmed"), "{of_genuine}");
}
