//! A few levels, each with a data directory of its own, that exchange bundles: the program as people use it,
//! in this process.

#![allow(clippy::unwrap_used, reason = "what tests stand on fails by panicking")]

use crate::capture::{Ran, hub};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A node: its name here, its unit, and the node above.
pub type Level = (&'static str, &'static str, Option<&'static str>);

/// A province with two counties.
const TWO_COUNTIES: [Level; 3] = [
    ("province", "演示省", None),
    ("east", "演示东县", Some("province")),
    ("west", "演示西县", Some("province")),
];
/// The divisions of the two counties.
const COUNTIES: &str = "名称,代码\n演示市,9901\n演示东县,990101\n演示西县,990102\n";

/// Four levels, one below the other.
const CHAIN: [Level; 4] = [
    ("province", "演示省", None),
    ("city", "演示市", Some("province")),
    ("county", "演示县", Some("city")),
    ("township", "演示乡", Some("county")),
];
/// Their divisions.
const ONE_EACH: &str =
    "名称,代码,上级\n演示市,9901,\n演示县,990101,9901\n演示乡,990101100,990101\n";

/// Five levels, one below the other.
const FIVE: [Level; 5] =
    [CHAIN[0], CHAIN[1], CHAIN[2], CHAIN[3], ("village", "演示社区", Some("township"))];
/// Their divisions.
const FIVE_DIVISIONS: &str = "名称,代码,上级,级别,类型\n演示市,9901,,,\n演示县,990101,9901,,\n\
                              演示乡,990101100,990101,,\n演示社区,,990101100,单位,社区\n";

/// The federation.
#[derive(Debug)]
pub struct Levels {
    place: tempfile::TempDir,
    levels: &'static [Level],
}

impl Levels {
    /// Founds the province, enrols both counties, and lets all know of each other.
    pub fn found() -> Self {
        Self::raise(&TWO_COUNTIES, COUNTIES)
    }

    /// Founds a province, and enrols a city, a county and a township, one below the other.
    pub fn chain() -> Self {
        Self::raise(&CHAIN, ONE_EACH)
    }

    /// Founds a province and four levels below it.
    pub fn five() -> Self {
        Self::raise(&FIVE, FIVE_DIVISIONS)
    }

    /// Founds these nodes, which stand in the tree of these divisions.
    pub fn raise(tree: &'static [Level], divisions: &str) -> Self {
        let levels = Self { place: tempfile::tempdir().unwrap(), levels: tree };
        let init = ["init", "--province", "演示省", "--code", "99", "--list-year", "2023"];
        let founded = levels.ok("province", &init);
        let is_key = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let root = founded.split_whitespace().find(is_key).unwrap().to_owned();
        let divisions = levels.file("区划.csv", divisions);
        levels.ok("province", &["unit", "import", &divisions, "--list-year", "2023"]);
        for (node, unit, parent) in tree {
            let Some(parent) = parent else { continue };
            let (request, answer) = (levels.path("request.hub"), levels.path("answer.hub"));
            let ask = ["enrol", "request", "--unit", unit, "--root", &root, "--out", &request];
            levels.ok(node, &ask);
            let approve = ["enrol", "approve", &request, "--person-key", "true", "--out", &answer];
            levels.ok(parent, &approve);
            levels.ok(node, &["enrol", "accept", &answer]);
            levels.carry(parent, node, unit);
        }
        levels
    }

    /// Every node with its unit and the node above.
    pub fn nodes(&self) -> &'static [Level] {
        self.levels
    }

    /// Where a level keeps its data.
    pub fn data(&self, level: &str) -> PathBuf {
        self.place.path().join(level)
    }

    /// A path beside the data.
    pub fn path(&self, name: &str) -> String {
        self.place.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file beside the data and gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Runs a command on a level, however it ends.
    pub fn run(&self, level: &str, args: &[&str]) -> Ran {
        hub(&self.data(level), args)
    }

    /// Runs a command that must succeed and gives what it printed.
    pub fn ok(&self, level: &str, args: &[&str]) -> String {
        let ran = self.run(level, args);
        assert_eq!(ran.code, 0, "{level}: {args:?}: {ran:?}");
        ran.out
    }

    /// The answer of a command in JSON.
    pub fn json(&self, level: &str, args: &[&str]) -> Value {
        let text = self.ok(level, &[&["--format", "json"], args].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// A plain count of a unit, as a level answers today.
    pub fn count(&self, level: &str, unit: &str, measure: &str) -> i64 {
        let ask = ["query", "coverage", "--unit", unit, "--indicator", measure];
        self.json(level, &ask)["rows"][0]["count"].as_i64().unwrap()
    }

    /// Carries what each node has for the one above, and back, one node after the other from the top.
    pub fn sync(&self) {
        for (node, unit, parent) in self.levels {
            let Some(parent) = parent else { continue };
            self.carry(node, parent, "parent");
            self.carry(parent, node, unit);
        }
    }

    /// Until all levels hold what concerns them.
    pub fn settle(&self) {
        for _ in 0..2 * self.levels.len() {
            self.sync();
        }
    }

    /// Carries what a node has for a neighbour, named by its unit or as `parent`.
    pub fn carry(&self, from: &str, to: &str, neighbour: &str) {
        let ran = self.carry_anyhow(from, to, neighbour);
        assert_eq!(ran.code, 0, "{from} to {to}: {ran:?}");
    }

    /// The same, whatever becomes of it: what making or taking in the bundles came to.
    pub fn carry_anyhow(&self, from: &str, to: &str, neighbour: &str) -> Ran {
        let bag = self.place.path().join("bag");
        fs::create_dir_all(&bag).unwrap();
        let out = bag.to_str().unwrap();
        let made = self.run(from, &["bundle", "export", "--to", neighbour, "--out", out]);
        let mut files = listed(&bag);
        files.sort();
        let mut line = vec!["bundle", "import"];
        line.extend(files.iter().map(String::as_str));
        let ran = if files.is_empty() || made.code != 0 { made } else { self.run(to, &line) };
        fs::remove_dir_all(&bag).unwrap();
        ran
    }
}

fn listed(bag: &Path) -> Vec<String> {
    let entries = fs::read_dir(bag).unwrap();
    entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()).collect()
}

/// Copies a directory as it stands, keys and all; what is no file or folder (a socket) stays.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &to);
        } else if kind.is_file() {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
