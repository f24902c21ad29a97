//! Enrolments, renewals, cuts, epochs, moves and registrations, on time and late.

use super::{Maker, Office, Place};
use hub_core::fact::governance::GovernanceFact;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{Code, CodeKind, FactBody, UnitFact};
use hub_core::id::{FactId, Lane, UnitId};
use hub_core::time::{DAY_MILLIS, Day};

/// After everything a federation writes.
const FAR: u64 = 1 << 46;

impl Maker {
    /// Registers a tree of five levels and enrols nodes for the upper ones.
    pub(super) fn begin(&mut self) {
        let root = self.registered(0, 0);
        self.write_one(0, 0, self.today(), root);
        let enrolment = self.offices[0].0.enrolment(0, FAR);
        self.write_one(0, 0, self.today(), enrolment);
        for level in [Level::City, Level::County, Level::County, Level::Township] {
            self.register(level);
        }
        for place in 1..self.places.len() {
            if self.places[place].level < Level::Township {
                self.enrol(place, 0, FAR);
            }
        }
        for level in [Level::Township, Level::Township, Level::Enterprise, Level::Enterprise] {
            self.register(level);
        }
    }

    pub(super) fn governance(&mut self) {
        match self.rng.below(13) {
            0 | 1 => self.enrol_late(),
            2 | 3 => self.enrol_for_a_while(),
            4 => self.renew(),
            5 => self.cut(),
            6 => self.next_epoch(),
            7 | 8 => self.move_unit(),
            9 => self.register_twice(),
            10 | 11 => self.succeed(),
            _ => {
                let level = self.rng.pick(&[Level::Township, Level::Enterprise]);
                self.register(level);
            }
        }
    }

    fn registered(&self, place: usize, number: u32) -> FactBody {
        let Place { id, level, parent } = self.places[place].clone();
        let employer = level == Level::Enterprise;
        let list = if employer { CodeKind::Uscc } else { CodeKind::Division };
        FactBody::Unit(UnitFact::Registered {
            unit: id,
            kind: if employer { UnitKind::Employer } else { UnitKind::Territory },
            level,
            parent: parent.map(|parent| self.places[parent].id),
            located_in: parent.map(|parent| self.places[parent].id),
            list_year: (!employer).then_some(2024),
            profile: UnitProfile {
                name: format!("演示单位{number}"),
                codes: vec![Code { kind: list, value: code(level, number) }],
                ownership: Some(170),
                industry: Some(b'C'),
                operating: true,
                no_union_reason: None,
                qualified: true,
            },
        })
    }

    /// Registers a unit under one of a higher level, by a node that serves it or stands above.
    pub(super) fn register(&mut self, level: Level) {
        let above: Vec<usize> =
            (0..self.places.len()).filter(|at| self.places[*at].level < level).collect();
        // the level just above most often, so that trees grow deep
        let near =
            above.iter().copied().filter(|at| self.places[*at].level as u8 + 1 == level as u8);
        let near: Vec<usize> = near.collect();
        let from = if near.is_empty() || self.rng.one_in(8) { above } else { near };
        let wrong = self.rng.one_in(40) && self.places.len() > 5;
        let parent = if wrong { self.places.len() - 1 } else { self.rng.pick(&from) };
        self.codes += 1;
        let number = self.codes;
        let id = match level {
            Level::Enterprise => UnitId::of_employer(&code(level, number)),
            _ => UnitId::of_territory(&code(level, number), 2024),
        };
        self.places.push(Place { id, level, parent: Some(parent) });
        let by = if self.rng.one_in(2) { self.server(parent) } else { self.superior(parent) };
        let body = self.registered(self.places.len() - 1, number);
        let today = self.today();
        self.write_one(by, self.places.len() - 1, today, body);
    }

    /// U1: one employer under two parents.
    fn register_twice(&mut self) {
        let (Some(place), Some(parent)) =
            (self.some_place(Level::Enterprise), self.some_place(Level::Township))
        else {
            return;
        };
        let first = self.places[place].parent.replace(parent);
        let body = self.registered(place, 0);
        self.places[place].parent = first;
        let FactBody::Unit(UnitFact::Registered { unit, kind, level, parent: under, .. }) = body
        else {
            return;
        };
        // its code is not known here: by the id of the fact it would be another unit
        let Some((number, _)) = (1..=self.codes)
            .map(|number| (number, UnitId::of_employer(&code(Level::Enterprise, number))))
            .find(|(_, id)| *id == unit)
        else {
            return;
        };
        let profile = UnitProfile {
            name: "演示单位(又)".into(),
            codes: vec![Code { kind: CodeKind::Uscc, value: code(Level::Enterprise, number) }],
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        };
        let (located_in, list_year) = (None, None);
        let body = UnitFact::Registered {
            unit,
            kind,
            level,
            parent: under,
            located_in,
            list_year,
            profile,
        };
        let (by, today) = (self.server(parent), self.today());
        let fact = self.write_one(by, parent, today, FactBody::Unit(body));
        if let (Some(_), Some(first)) = (fact, first) {
            self.doubles.push((place, first, parent));
        }
        self.tried("a firm registered twice", fact);
    }

    /// The node for a place, made if there is none.
    fn office_for(&mut self, place: usize) -> usize {
        if let Some(known) = self.offices.iter().rposition(|(_, unit, _)| *unit == place) {
            return known;
        }
        let seed = format!("{}/{}", self.federation, self.offices.len());
        self.offices.push((Office::new(&seed, self.places[place].id), place, false));
        self.offices.len() - 1
    }

    fn enrol(&mut self, place: usize, from: u64, until: u64) -> Option<FactId> {
        let office = self.office_for(place);
        let by = self.superior(place);
        let body = self.offices[office].0.enrolment(from, until.max(from));
        self.offices[office].2 = true;
        let today = self.today();
        self.write_one(by, place, today, body)
    }

    /// A node gets its word from a day long past, on which its superior still wrote for it; or a second
    /// node takes over a unit.
    fn enrol_late(&mut self) {
        let level =
            self.rng.pick(&[Level::County, Level::Township, Level::Township, Level::Enterprise]);
        let Some(place) = self.some_place(level) else { return };
        if self.rng.one_in(3) {
            let seed = format!("{}/{}", self.federation, self.offices.len());
            self.offices.push((Office::new(&seed, self.places[place].id), place, false));
        }
        let from = self.now.saturating_sub(self.rng.below(60) * DAY_MILLIS);
        let fact = self.enrol(place, from, FAR);
        self.tried("enrolled from an earlier day", fact);
    }

    fn enrol_for_a_while(&mut self) {
        let Some(place) = self.some_place(Level::Township) else { return };
        let until = self.now + (20 + self.rng.below(100)) * DAY_MILLIS;
        self.enrol(place, self.now, until);
    }

    /// Renewed late and from before the gap, so that what was written in it counts.
    fn renew(&mut self) {
        let enrolled: Vec<usize> =
            (1..self.offices.len()).filter(|at| self.offices[*at].2).collect();
        if enrolled.is_empty() {
            return;
        }
        let place = self.offices[enrolled[self.rng.index(enrolled.len())]].1;
        let from = self.now.saturating_sub(80 * DAY_MILLIS);
        let fact = self.enrol(place, from, FAR);
        self.tried("renewed", fact);
    }

    /// A cut, and at times a second one: lower, or higher and so without effect.
    fn cut(&mut self) {
        if self.offices.len() < 3 {
            return;
        }
        let low: Vec<usize> = (1..self.offices.len())
            .filter(|at| self.places[self.offices[*at].1].level >= Level::Township)
            .collect();
        let any = 1 + self.rng.index(self.offices.len() - 1);
        let at = if low.is_empty() || self.rng.one_in(6) { any } else { self.rng.pick(&low) };
        let place = self.offices[at].1;
        let heights = self.offices[at].0.heights();
        let (node, epoch) = (self.offices[at].0.node, self.offices[at].0.epoch);
        let again = self.rng.one_in(2);
        for round in 0..1 + u64::from(again) {
            let mut last_good = heights.clone();
            last_good.retain(|_| !self.rng.one_in(10));
            for (_, height) in &mut last_good {
                *height = height.saturating_sub(self.rng.below(6));
            }
            let reason = String::from("密钥遗失");
            let body = GovernanceFact::NodeRevoked { node, epoch, last_good, reason };
            let (by, today) = (self.superior(place), self.today());
            let fact = self.write_one(by, place, today, FactBody::Governance(body));
            self.tried(if round == 0 { "cut" } else { "cut again" }, fact);
        }
        self.offices[at].2 = self.rng.one_in(3);
    }

    fn next_epoch(&mut self) {
        let node = self.offices[self.rng.index(self.offices.len())].0.node;
        // the latest epoch of the node: two keys for one epoch would fork it
        let of_node = self.offices.iter().filter(|(office, ..)| office.node == node);
        let Some((office, place, _)) = of_node.max_by_key(|(office, ..)| office.epoch) else {
            return;
        };
        if self.forks && *place == 0 {
            // a root that forks begins its epochs by the pinned key
            return;
        }
        let seed = format!("{}/{}", self.federation, self.offices.len());
        let (office, place) = (office.next_epoch(&seed), *place);
        self.offices.push((office, place, false));
        let fact = if place == 0 {
            let body = self.offices[self.offices.len() - 1].0.enrolment(0, FAR);
            let today = self.today();
            self.write_one(0, 0, today, body)
        } else {
            self.enrol(place, 0, FAR)
        };
        self.tried("a new epoch", fact);
    }

    /// U2: a move from today, from long ago, or announced.
    fn move_unit(&mut self) {
        let level = self.rng.pick(&[Level::Township, Level::Enterprise, Level::Enterprise]);
        let above = if level == Level::Township { Level::County } else { Level::Township };
        let (Some(place), Some(parent)) = (self.some_place(level), self.some_place(above)) else {
            return;
        };
        let path = self.path(place);
        let common = self.path(parent).into_iter().skip(1).find(|at| path[1..].contains(at));
        let by = self.server(common.unwrap_or(0));
        let unit = self.places[place].id;
        let to = self.places[parent].id;
        let day = Day(self.today().0 + self.rng.pick(&[0, -90, -20, 15]));
        let body = UnitFact::Moved { unit, parent: Some(to), located_in: None };
        let fact = self.write_one(by, place, day, FactBody::Unit(body));
        let late = day < self.today();
        self.places[place].parent = Some(parent);
        self.tried(if late { "moved, stated late" } else { "moved" }, fact);
    }

    /// The lane in which a node speaks to its superiors.
    pub(super) fn next_in_up_lane(&self, by: usize) -> FactId {
        self.offices[by].0.next_fact(Lane::Up)
    }
}

/// A code no real place or firm has.
fn code(level: Level, number: u32) -> String {
    match level {
        Level::Enterprise => format!("9199{number:014}"),
        _ => format!("99{number:04}"),
    }
}
