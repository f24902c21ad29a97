//! Over real servers: a node in the middle whose directory is destroyed and put back from an older backup heals
//! from those below and above it; a node of which two copies run is seen, counted once, and settled.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::{Clock, SystemClock};
use hub::replica::SigningRefused;
use hub_core::id::{ChainId, Lane, UnitId};
use hub_tests::capture;
use hub_tests::levels::copy_folder;
use hub_tests::stations::{PATIENCE, Station, Three, code};
use hub_tests::wait;
use std::path::Path;
use std::sync::Arc;

fn three() -> Three {
    Three::start(&(Arc::new(SystemClock) as Arc<dyn Clock>), str::to_owned)
}

/// Types a command, which must succeed, on a level; what it showed.
fn hub(directory: &Path, words: &[&str]) -> String {
    let ran = capture::hub(directory, words);
    assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
    ran.out + &ran.err
}

/// How many firms a level counts below a unit.
fn firms(level: &Station, unit: &str) -> i64 {
    let words = ["--format", "json", "query", "coverage", "--unit", unit];
    let shown = hub(&level.directory, &[&words[..], &["--indicator", "units.all"]].concat());
    let answer: serde_json::Value = serde_json::from_str(&shown).unwrap();
    answer["rows"][0]["count"].as_i64().unwrap()
}

fn counts_everywhere(three: &Three, below_county: i64, below_city: i64) {
    for level in three.levels() {
        assert_eq!(firms(level, "演示991102"), below_county);
    }
    for level in [&three.city, &three.province] {
        assert_eq!(firms(level, "演示9911"), below_city);
    }
}

#[test]
fn a_city_restored_from_an_older_backup_heals_from_its_county_and_its_province() {
    let mut three = three();
    let first = three.county.registers(1, 10);
    three.arrives("what is in the backup", &first);
    let backup = three.path("backup");
    hub(&three.city.directory, &["backup", backup.to_str().unwrap()]);
    let later = three.county.registers(20, 10);
    let own = three.city.registers(40, 5);
    three.arrives("what the backup does not hold", &later);
    wait::until("the city's own word is above", PATIENCE, || three.province.knows(&own));
    let receipted = three.county.status().arrived[0].durable_at;

    three.city.stop();
    std::fs::remove_dir_all(&three.city.directory).unwrap();
    hub(&three.city.directory, &["restore", backup.to_str().unwrap()]);
    let (request, answer) = (three.path("request"), three.path("answer"));
    let (request, answer) = (request.to_str().unwrap(), answer.to_str().unwrap());
    // the county goes on meanwhile
    let offline = three.county.registers(60, 3);
    let url = three.city.node().config.parent.unwrap().url.unwrap();
    hub(&three.city.directory, &["enrol", "renew", "--out", request]);
    hub(&three.province.directory, &["enrol", "approve", request, "--out", answer]);
    // the city logs in by another name from now on
    three.province.serves();
    hub(&three.city.directory, &["enrol", "accept", answer, "--url", &url]);
    three.city.start();
    let all: Vec<UnitId> = [first, later, own, offline].concat();
    wait::until("the city holds again what it held", PATIENCE, || three.city.knows(&all));
    wait::until("it signs again", PATIENCE, || three.city.status().does_not_sign.is_none());
    let after = three.county.registers(70, 3);
    let more = three.city.registers(80, 2);
    three.arrives("what is written afterwards", &after);
    wait::until("the city's new word is above", PATIENCE, || three.province.knows(&more));
    assert!(three.county.status().arrived[0].durable_at > receipted);
    assert!(three.levels().iter().all(|level| level.status().forks.is_empty()));
    counts_everywhere(&three, 10 + 10 + 3 + 3, 26 + 5 + 2);
}

/// Whether a level has seen that the county signed twice, and whether a side counts.
fn forks(level: &Station) -> (usize, bool) {
    let forks = level.status().forks;
    (forks.len(), forks.iter().all(|fork| fork.counts.is_some()))
}

#[test]
fn two_copies_of_a_county_run_at_once_and_are_seen_counted_once_and_settled() {
    let mut three = three();
    let first = three.county.registers(1, 3);
    three.arrives("before there are two", &first);
    three.county.stop();
    let place = three.path("clone");
    copy_folder(&three.county.directory, &place);
    let mut clone = Station::new(&place, three.county.unit, Arc::new(SystemClock));
    three.county.start();
    clone.start();
    for copy in [&three.county, &clone] {
        wait::until("the copy signs", PATIENCE, || copy.replica().may_sign().is_ok());
    }
    // without the server neither can know that the other writes
    three.city.server().kill();
    let (kept, other) = (three.county.registers(10, 2), clone.registers(20, 2));
    three.city.server().restart().unwrap();
    for level in [&three.city, &three.province] {
        wait::until("two are seen", PATIENCE, || forks(level).0 == 1);
    }
    // one of the two counts, if the city has stated it meanwhile, else none: never both
    let counted = |level: &Station| (level.knows(&kept[..1]), level.knows(&other[..1]));
    for level in [&three.city, &three.province] {
        assert!(firms(level, "演示991102") <= 5, "{:?}", counted(level));
        assert_ne!(counted(level), (true, true));
    }
    // both copies stay connected for a while, and nobody runs away
    let chain = |station: &Station| {
        let who = station.replica().who();
        ChainId { node: who.node, epoch: who.epoch, lane: Lane::Up }
    };
    let fork = three.city.status().forks.remove(0);
    assert_eq!(fork.chain, chain(&three.county));
    let side = three.county.replica().journal().contains(&fork.chain, fork.height);
    let side = side.unwrap().unwrap().to_string();
    if fork.counts.is_none() {
        hub(&three.city.directory, &["fork", "settle", &side[..12]]);
    }
    for level in [&three.city, &three.province] {
        wait::until("it is settled", PATIENCE, || forks(level) == (1, true));
        wait::until("the side named counts", PATIENCE, || level.knows(&kept));
        assert!(!level.knows(&other[..1]), "{}", code(20));
    }
    wait::until("the other copy signs no more", PATIENCE, || {
        matches!(
            clone.replica().may_sign(),
            Err(SigningRefused::Forked { .. } | SigningRefused::Behind { .. })
        )
    });
    clone.stop();
    wait::until("the one that counts signs", PATIENCE, || {
        three.county.replica().may_sign().is_ok()
    });
    let later = three.county.registers(30, 2);
    three.arrives("what the county writes afterwards", &later);
    counts_everywhere(&three, 3 + 2 + 2, 7);
}
