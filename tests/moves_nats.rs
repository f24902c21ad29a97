//! A county with a node of its own moves from one city to another over real servers: its books go to the new
//! city, what it writes later goes up by it, and the old city no longer counts it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::clock::{Clock, SystemClock};
use hub::enrol::{self, Founding};
use hub_core::fact::unit::Level;
use hub_core::fact::{FactBody, UnitFact};
use hub_core::id::UnitId;
use hub_tests::capture;
use hub_tests::stations::{PATIENCE, Station, enrolled, registered, territory};
use hub_tests::wait;
use std::sync::Arc;

/// How many firms a level counts below a unit.
fn firms(level: &Station, unit: &str) -> i64 {
    let words = ["--format", "json", "query", "coverage", "--unit", unit];
    let words = [&words[..], &["--indicator", "units.all"]].concat();
    let ran = capture::hub(&level.directory, &words);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    answer["rows"][0]["count"].as_i64().unwrap()
}

#[test]
fn a_county_moves_to_another_city_and_its_books_follow() {
    let place = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let station =
        |name: &str, code| Station::new(&place.path().join(name), territory(code), clock.clone());
    let (mut province, mut county) = (station("province", "99"), station("county", "991102"));
    let (mut old, mut new) = (station("old", "9911"), station("new", "9912"));
    let (name, code) = ("演示省".into(), "99".into());
    let founding = Founding { name, code, list_year: 2023, level: Level::Province };
    let root_key = enrol::found(&province.directory, &founding, clock.clone()).unwrap();
    province.start();
    for (code, level, parent) in [
        ("9911", Level::City, province.unit),
        ("9912", Level::City, province.unit),
        ("991102", Level::County, old.unit),
    ] {
        province.write(registered(code, level, parent)).unwrap();
    }
    let mut dial = str::to_owned;
    enrolled(&mut province, &mut old, root_key, &mut dial);
    enrolled(&mut province, &mut new, root_key, &mut dial);
    enrolled(&mut old, &mut county, root_key, &mut dial);
    let before = county.registers(1, 5);
    wait::until("the province holds it", PATIENCE, || province.knows(&before));

    let (unit, parent) = (county.unit, Some(new.unit));
    let moved = UnitFact::Moved { unit, parent, located_in: None };
    province.write(FactBody::Unit(moved)).unwrap();
    wait::until("the new city hears of it", PATIENCE, || new.knows(&[county.unit]));
    county.stop();
    let request = enrol::renew(&county.directory, clock.clone()).unwrap().1;
    county.is_enrolled_by(&new, &request, "nats://nowhere");
    new.serves();
    county.dials(&new.server().url());
    county.start();
    wait::until("the county signs in its new epoch", PATIENCE, || {
        county.replica().may_sign().is_ok() && county.replica().who().unit.is_some()
    });
    let after = county.registers(10, 5);
    let all: Vec<UnitId> = [before, after].concat();
    for level in [&new, &province] {
        wait::until("all of the county is held above", PATIENCE, || level.knows(&all));
    }
    wait::until("both levels above have receipted", PATIENCE, || {
        let arrived = county.status().arrived;
        arrived.len() == 2 && arrived.iter().all(|arrival| arrival.complete)
    });
    for level in [&county, &new, &province] {
        wait::until("nothing is parked", PATIENCE, || level.status().parked.is_empty());
        assert_eq!(firms(level, "演示991102"), 10);
    }
    assert_eq!((firms(&new, "演示9912"), firms(&province, "演示9912")), (10, 10));
    wait::until("the old city hears of it", PATIENCE, || firms(&old, "演示9911") == 0);
    assert_eq!(firms(&province, "演示9911"), 0);
}
