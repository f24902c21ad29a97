//! A scenario as it stands in `tests/scenarios/`: a few small tables and a story.

use super::error::DemoError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// One federation of the demonstration.
#[derive(Debug)]
pub struct Scenario {
    /// The name of its directory.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
    /// Its nodes, each after its parent; the first is the root.
    pub nodes: Vec<NodeRow>,
    /// Real territories, from the published list of 2023.
    pub divisions: Vec<Division>,
    /// Units named one by one.
    pub units: Vec<UnitRow>,
    /// Unions, employers and members by the hundred.
    pub plan: Vec<PlanRow>,
    /// The text of its story.
    pub story: String,
}

/// A line of `nodes.csv`: a daemon of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodeRow {
    /// Its name in the story, which is the name of its unit.
    pub node: String,
    /// The node it reports to; empty for the root.
    pub parent: Option<String>,
    /// The code of its unit: division code or 统一社会信用代码; empty for units without one.
    pub code: Option<String>,
}

/// A line of `divisions.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Division {
    /// 2, 4, 6 or 9 digits.
    pub code: String,
    /// Its name.
    pub name: String,
    /// province, city, county or township.
    pub level: String,
    /// The code it lies under; empty for a province.
    pub parent: Option<String>,
}

/// A line of `units.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UnitRow {
    /// The node whose books it enters.
    pub node: String,
    /// Its name.
    pub name: String,
    /// employer, system_committee, park …
    pub kind: String,
    /// county, enterprise …
    pub level: String,
    /// Name or code of the unit it reports to (归口).
    pub parent: String,
    /// Code of the territory it lies in.
    pub located_in: String,
    /// 统一社会信用代码, if it has one.
    pub code: Option<String>,
    /// Employees (人), if declared.
    pub headcount: Option<u32>,
}

/// How far unions of one line of `unions.csv` have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Approved and founded.
    Founded,
    /// Applied for only.
    Applied,
    /// Employers without any union.
    None,
    /// One union of the node's own unit, founded in the story: here only its members.
    OwnBooks,
}

/// A line of `unions.csv`: so many unions and employers alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PlanRow {
    /// The node whose books they enter.
    pub node: String,
    /// Name or code of the unit they lie under; a county spreads over its townships.
    pub under: String,
    /// How many unions.
    pub unions: u32,
    /// How many employers, spread over the unions.
    pub employers: u32,
    /// own or joint; empty without unions.
    pub kind: Option<String>,
    /// committee, officer or none: the women's organisation each union has.
    pub women: Option<String>,
    /// Employees of each employer, `least-most`; empty when unknown.
    pub headcount: Option<String>,
    /// Members of all unions of the line together.
    pub members: Option<u32>,
    /// How far the unions have come.
    pub stage: Stage,
    /// The day of founding (or of application).
    pub founded: Option<String>,
    /// The day the members joined, newly enrolled; empty for members in the books since the founding.
    pub joined: Option<String>,
}

impl Scenario {
    /// Reads the scenario in `dir` and checks that what it names is there.
    pub fn read(dir: &Path) -> Result<Self, DemoError> {
        let name = dir.file_name().map(|name| name.to_string_lossy().into_owned());
        let story_file = dir.join("story.txt");
        let scenario = Self {
            name: name.unwrap_or_default(),
            dir: dir.to_owned(),
            nodes: table(&dir.join("nodes.csv"))?,
            divisions: table(&dir.join("divisions.csv"))?,
            units: table(&dir.join("units.csv"))?,
            plan: table(&dir.join("unions.csv"))?,
            story: std::fs::read_to_string(&story_file)
                .map_err(DemoError::io("reading", &story_file))?,
        };
        scenario.check()?;
        Ok(scenario)
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<&NodeRow> {
        self.nodes.iter().find(|row| row.node == name)
    }

    /// The node that serves a division: its own, or that of the nearest division above with one.
    pub fn server_of_division(&self, code: &str) -> Option<&NodeRow> {
        let mut at = Some(code);
        while let Some(code) = at {
            let own = self.nodes.iter().find(|row| row.code.as_deref() == Some(code));
            if own.is_some() {
                return own;
            }
            let division = self.divisions.iter().find(|row| row.code == code)?;
            at = division.parent.as_deref();
        }
        None
    }

    fn check(&self) -> Result<(), DemoError> {
        for (at, row) in self.nodes.iter().enumerate() {
            let earlier = self.nodes.get(..at).unwrap_or_default();
            let stands = match &row.parent {
                None => at == 0,
                Some(parent) => earlier.iter().any(|other| other.node == *parent),
            };
            if !stands {
                return Err(DemoError::scenario(
                    format!("{}/nodes.csv:{}", self.name, at + 2),
                    "a parent in an earlier line",
                    format!("{:?}", row.parent),
                ));
            }
        }
        let named = self.units.iter().map(|row| &row.node);
        for node in named.chain(self.plan.iter().map(|row| &row.node)) {
            if self.node(node).is_none() {
                return Err(DemoError::scenario(&self.name, "a node of nodes.csv", node));
            }
        }
        Ok(())
    }
}

/// All rows of a CSV file with a header line.
pub fn table<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>, DemoError> {
    let text = std::fs::read(file).map_err(DemoError::io("reading", file))?;
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let rows: Result<Vec<T>, csv::Error> = reader.deserialize().collect();
    rows.map_err(|error| {
        DemoError::scenario(
            file.display().to_string(),
            "rows as its header says",
            error.to_string(),
        )
    })
}
