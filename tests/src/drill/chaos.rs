//! Breaking things by a seed: `kill -9` of daemons and servers, pauses, wipes. What is broken comes back
//! after a while, and several things may be broken at once.

use super::damage::Damage;
use super::error::DrillError;
use super::station::{Part, Station};
use super::{Plan, Report, Shared};
use hub_core_tests::random::Random;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The most parts that are down or paused at once.
const BROKEN_MAX: usize = 4;
/// The least and the longest time a part is down or paused, in milliseconds.
const DOWN_MILLIS: (u64, u64) = (5, 900);
/// How often the loop looks whether something is due.
const TURN: Duration = Duration::from_millis(5);

/// How a part is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Killed,
    Paused,
}

struct Chaos<'a> {
    stations: &'a mut [Station],
    plan: &'a Plan,
    report: &'a mut Report,
    random: Random,
    /// What is broken, how, and until when.
    broken: BTreeMap<(usize, Part), (Fault, Instant)>,
    /// What is broken next: every part once, in an order of its own, before any comes again.
    deck: Vec<(usize, Part)>,
}

/// Breaks until the plan is met.
///
/// # Errors
/// A process ended by itself, a writer or witness failed, or the plan is not met in its time.
pub(super) fn unleash(
    stations: &mut [Station],
    plan: &Plan,
    shared: &Shared,
    report: &mut Report,
) -> Result<(), DrillError> {
    let random = Random::new(plan.seed);
    let mut chaos =
        Chaos { stations, plan, report, random, broken: BTreeMap::new(), deck: Vec::new() };
    let since = Instant::now();
    let mut next = since;
    loop {
        let facts = shared.facts.load(Ordering::Relaxed);
        if chaos.is_met() && facts >= plan.facts {
            return Ok(());
        }
        if since.elapsed() > Duration::from_secs(plan.patience_seconds) {
            let last = format!("{facts} facts, {:?}", chaos.report);
            return Err(DrillError::Overdue { what: format!("{plan:?}"), last });
        }
        shared.check()?;
        chaos.mend()?;
        if Instant::now() >= next && chaos.broken.len() < BROKEN_MAX {
            chaos.break_one()?;
            let pace = chaos.random.between(plan.pace_millis / 8, plan.pace_millis);
            next = Instant::now() + Duration::from_millis(pace);
        }
        std::thread::sleep(TURN);
    }
}

/// Lets everything run again.
///
/// # Errors
/// Something cannot be started, or had ended by itself.
pub(super) fn heal(stations: &mut [Station]) -> Result<(), DrillError> {
    for station in stations.iter_mut() {
        for part in station.parts() {
            station.signal(part, Signal::CONT);
            station.start(part)?;
        }
    }
    for station in stations {
        for part in station.parts() {
            station.check_runs(part)?;
        }
    }
    Ok(())
}

impl Chaos<'_> {
    fn is_met(&self) -> bool {
        let (plan, report) = (self.plan, &self.report);
        report.hub_kills >= plan.hub_kills
            && report.server_kills >= plan.server_kills
            && report.pauses >= plan.pauses
    }

    /// Brings back what has been broken long enough.
    fn mend(&mut self) -> Result<(), DrillError> {
        let now = Instant::now();
        let due = |(_, until): &(Fault, Instant)| *until <= now;
        let due: Vec<_> =
            self.broken.iter().filter(|(_, fault)| due(fault)).map(|(k, f)| (*k, f.0)).collect();
        for ((at, part), fault) in due {
            self.broken.remove(&(at, part));
            match fault {
                Fault::Killed => self.stations[at].start(part)?,
                Fault::Paused => self.stations[at].signal(part, Signal::CONT),
            }
        }
        for (at, station) in self.stations.iter_mut().enumerate() {
            for part in station.parts() {
                if !self.broken.contains_key(&(at, part)) {
                    station.check_runs(part)?;
                }
            }
        }
        Ok(())
    }

    /// The next part to break.
    fn draw(&mut self) -> Option<(usize, Part)> {
        if self.deck.is_empty() {
            let stations = self.stations.iter().enumerate();
            self.deck =
                stations.flat_map(|(at, s)| s.parts().into_iter().map(move |p| (at, p))).collect();
            for place in (1..self.deck.len()).rev() {
                let other = self.random.index(place + 1);
                self.deck.swap(place, other);
            }
        }
        self.deck.pop().filter(|drawn| !self.broken.contains_key(drawn))
    }

    fn break_one(&mut self) -> Result<(), DrillError> {
        let Some((at, part)) = self.draw() else { return Ok(()) };
        let station = &mut self.stations[at];
        let (least, most) = DOWN_MILLIS;
        let until = Instant::now() + Duration::from_millis(self.random.between(least, most));
        let fault = if self.random.percent(15) { Fault::Paused } else { Fault::Killed };
        match fault {
            Fault::Paused => {
                station.signal(part, Signal::STOP);
                self.report.pauses += 1;
            }
            Fault::Killed => {
                if !station.kill(part)? {
                    return Ok(());
                }
                match part {
                    Part::Hub => self.report.hub_kills += 1,
                    Part::Server => {
                        self.report.server_kills += 1;
                        let damage = Damage::at(self.report.server_kills);
                        let done = station.damage_server(damage)?;
                        *self.report.server_data.entry(done).or_default() += 1;
                    }
                }
            }
        }
        self.broken.insert((at, part), (fault, until));
        Ok(())
    }
}
