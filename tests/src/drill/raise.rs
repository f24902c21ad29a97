//! Raising the federation: province, city, county, township, and two enterprises below it, each a daemon
//! of its own, enrolled by file, with a server of its own where it has children.

use super::Tools;
use super::caller::Caller;
use super::error::DrillError;
use super::station::{Part, Station};
use crate::demo::people::employer_code;
use crate::process::free_port;
use rustix::process::Signal;
use std::path::Path;

/// The township all facts are entered under; as people name it.
pub(super) const TOWNSHIP: &str = "演示镇";
const DIVISIONS: &str = "code,name,level,parent\n99,演示省,province,\n9911,演示市,city,99\n\
                         991102,演示县,county,9911\n991102001,演示镇,township,991102\n";
const PROVINCE: usize = 0;
const TOWNSHIP_AT: usize = 3;
/// Far more than members will be entered, so that every rate can be shown.
const HEADCOUNT: u32 = 9_000_000;

/// A union that members are entered into.
#[derive(Debug, Clone)]
pub(super) struct Union {
    pub(super) name: String,
    pub(super) employer: String,
    pub(super) caller: Caller,
    /// The node that enters, and all nodes above it.
    pub(super) held_by: Vec<String>,
}

/// All levels.
#[derive(Debug)]
pub(super) struct Federation {
    /// Parents stand before their children.
    pub(super) stations: Vec<Station>,
    pub(super) unions: Vec<Union>,
    pub(super) root_key: String,
}

/// Founds, enrols and starts everything.
pub(super) fn raise(tools: &Tools, place: &Path) -> Result<Federation, DrillError> {
    let firms = [("演示一厂", employer_code(90_100_001)), ("演示二厂", employer_code(90_100_002))];
    let station = |name, unit, parent| Station::new(tools, place, name, unit, parent);
    let mut stations = vec![
        station("province", "99", None),
        station("city", "9911", Some(PROVINCE)),
        station("county", "991102", Some(1)),
        station("township", "991102001", Some(2)),
        station("firm1", &firms[0].1, Some(TOWNSHIP_AT)),
        station("firm2", &firms[1].1, Some(TOWNSHIP_AT)),
    ];
    let root_key = found(&mut stations[PROVINCE], place)?;
    for child in 1..=TOWNSHIP_AT {
        enrol(&mut stations, child, &root_key)?;
    }
    let units = place.join("units.csv");
    let mut rows = "名称,统一社会信用代码,所属上级,类型,所在地,职工人数,日期\n".to_owned();
    for (name, code) in &firms {
        rows += &format!("{name},{code},991102001,单位,991102001,{HEADCOUNT},2023-06-30\n");
    }
    write(&units, &rows)?;
    stations[TOWNSHIP_AT].hub(&["unit", "import", &units.to_string_lossy()])?;
    let mut unions = Vec::new();
    for (child, (firm, _)) in (TOWNSHIP_AT + 1..).zip(&firms) {
        enrol(&mut stations, child, &root_key)?;
        unions.push(organise(&stations, child, firm)?);
    }
    Ok(Federation { stations, unions, root_key })
}

fn write(path: &Path, text: &str) -> Result<(), DrillError> {
    std::fs::write(path, text).map_err(DrillError::io("writing", path))
}

/// Founds the federation; gives the root's public key.
fn found(province: &mut Station, place: &Path) -> Result<String, DrillError> {
    let text = province.hub(&["init", "--province", "演示省", "--code", "99"])?;
    let is_key = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let key = text.split_whitespace().find(is_key).map(str::to_owned);
    let key = key.ok_or_else(|| DrillError::finding("the root's key", &text))?;
    let divisions = place.join("divisions.csv");
    write(&divisions, DIVISIONS)?;
    province.hub(&["unit", "import", &divisions.to_string_lossy()])?;
    province.start(Part::Hub)?;
    province.id = province.await_enrolled()?.node.to_string();
    Ok(key)
}

/// Enrols a station by file with its parent, whose daemon runs, and starts it.
fn enrol(stations: &mut [Station], child: usize, root_key: &str) -> Result<(), DrillError> {
    let (above, rest) = stations.split_at_mut(child);
    let child = &mut rest[0];
    let parent = child.parent.and_then(|at| above.get_mut(at));
    let parent = parent.ok_or_else(|| DrillError::finding("a parent", child.name))?;
    let (request, answer) = (child.file("request"), child.file("answer"));
    let (request, answer) = (request.to_string_lossy(), answer.to_string_lossy());
    // its unit must have come down to the parent before it can be named there
    parent.ask_until_done(&["query", "coverage", "--unit", &child.unit])?;
    child.hub(&[
        "enrol",
        "request",
        "--unit",
        &child.unit,
        "--root",
        root_key,
        "--out",
        &request,
    ])?;
    parent.hub(&["enrol", "approve", &request, "--person-key", "true", "--out", &answer])?;
    let port = serve(parent)?;
    let url = format!("nats://127.0.0.1:{port}");
    child.hub(&["enrol", "accept", &answer, "--url", &url])?;
    child.start(Part::Hub)?;
    child.id = child.await_enrolled()?.node.to_string();
    Ok(())
}

/// Brings a server for the children approved so far; gives its port.
fn serve(parent: &mut Station) -> Result<u16, DrillError> {
    let config = parent.file("conf");
    let is_first = parent.port.is_none();
    let port = match parent.port {
        Some(port) => port,
        None => free_port().map_err(DrillError::io("looking for a port for", &parent.data))?,
    };
    let listen = format!("127.0.0.1:{port}");
    parent.hub(&["ops", "nats-config", "--listen", &listen, "--out", &config.to_string_lossy()])?;
    parent.port = Some(port);
    if is_first {
        parent.start(Part::Server)?;
        parent.stop_daemon();
        parent.start(Part::Hub)?;
        parent.await_enrolled()?;
    } else {
        parent.signal(Part::Server, Signal::HUP);
    }
    Ok(port)
}

/// Founds the union of an enterprise, as its people and those of the township would.
fn organise(stations: &[Station], firm: usize, employer: &str) -> Result<Union, DrillError> {
    let (township, firm_at) = (&stations[TOWNSHIP_AT], firm);
    let firm = &stations[firm];
    let name = format!("{employer}工会");
    let to = TOWNSHIP;
    firm.ask_until_done(&["branch", "apply", "--name", &name, "--unit", employer, "--to", to])?;
    let document = "演镇工〔2026〕1号";
    township.ask_until_done(&["branch", "approve", &name, "--document", document])?;
    firm.ask_until_done(&["branch", "found", &name])?;
    let above = |at: &usize| stations[*at].parent;
    let held_by = std::iter::successors(Some(firm_at), above).map(|at| stations[at].id.clone());
    Ok(Union {
        name,
        employer: employer.to_owned(),
        caller: firm.caller(),
        held_by: held_by.collect(),
    })
}
