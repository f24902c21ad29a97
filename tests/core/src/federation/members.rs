//! Facts about persons: starts, ends, retentions, deaths, rekeys, several to a block.

use super::{Maker, PERSONS, Union, person};
use crate::offices::Entry;
use crate::random::Random;
use hub_core::fact::member::{
    Evidence, Flag, LeaveReason, MemberAct, MemberFact, Origin, Profile, Sex, Start,
};
use hub_core::fact::unit::Level;
use hub_core::fact::{ATTRIBUTE_FIRST_JOINED, Attribute, FactBody};
use hub_core::id::MemberKey;
use hub_core::time::{DAY_MILLIS, Day};

impl Maker {
    pub(super) fn member(&mut self) {
        if self.unions.is_empty() {
            return;
        }
        let Union { host, .. } = self.unions[self.rng.index(self.unions.len())];
        let by = self.server(host);
        let here: Vec<Union> =
            self.unions.iter().filter(|union| union.host == host).copied().collect();
        let count = 1 + self.rng.below(5);
        let day = self.some_day();
        let entries: Vec<Entry> = (0..count)
            .map(|_| {
                let mut union = here[self.rng.index(here.len())];
                if self.rng.one_in(30) {
                    union.id.0 = [3; 16];
                }
                // several on one day, so that ties and takeovers happen
                let day = if self.rng.one_in(2) { day } else { self.some_day() };
                self.statement(union, day)
            })
            .collect();
        let ids = self.write(by, host, &entries);
        for (entry, id) in entries.iter().zip(ids) {
            let FactBody::Member(fact) = &entry.body else { continue };
            let what = match fact.act {
                MemberAct::Joined(_) | MemberAct::TransferredIn(_) => "start",
                MemberAct::TransferredOut { .. } => "transfer out",
                MemberAct::Retained { .. } => "retention",
                MemberAct::Left { reason: LeaveReason::Deceased } => "death",
                MemberAct::Left { .. } => "end",
                MemberAct::Revised { .. } => "member revised",
                MemberAct::Rekeyed { .. } => "rekey",
                MemberAct::Erased => "erasure",
            };
            self.tried(what, Some(id));
        }
    }

    /// M7: union after union states the same persons, more than a small firm has.
    pub(super) fn in_bulk(&mut self, seed: u64) {
        self.rng = Random::new(seed ^ 0xb01d);
        let persons: Vec<MemberKey> = (PERSONS..PERSONS + 56).map(person).collect();
        let mut near: Vec<usize> = Vec::new();
        for _ in 0..4 {
            if self.unions.is_empty() {
                return;
            }
            // mostly from another corner than the last
            let far: Vec<Union> =
                self.unions.iter().filter(|u| !near.contains(&u.host)).copied().collect();
            let among = if far.is_empty() { &self.unions } else { &far };
            let union = among[self.rng.index(among.len())];
            near = self.path(union.host).into_iter().take(2).collect();
            let by = self.server(union.host);
            self.now += 4 * DAY_MILLIS;
            let evidence = Evidence::LabourContract;
            let start = Start { origin: Origin::New, evidence, from: None, ..self.start() };
            let start = Start { employer: None, qualified: true, ..start };
            let today = self.today();
            let count = 52 + self.rng.index(5);
            let joined = |member: &MemberKey| {
                let act = MemberAct::Joined(start);
                let fact = MemberFact { member: *member, branch: union.id, act };
                Entry::new(today, self.places[union.host].id, FactBody::Member(fact))
            };
            let entries: Vec<Entry> = persons.iter().take(count).map(joined).collect();
            self.write(by, union.host, &entries);
        }
        self.made.persons.extend(persons);
    }

    fn statement(&mut self, union: Union, day: Day) -> Entry {
        let member = self.rng.pick(&self.made.persons.clone());
        let other = self.unions[self.rng.index(self.unions.len())].id;
        let act = match self.rng.below(26) {
            0..14 => {
                let start = self.start();
                if start.from.is_some() {
                    MemberAct::TransferredIn(start)
                } else {
                    MemberAct::Joined(start)
                }
            }
            14..17 => MemberAct::TransferredOut { to: Some(other) },
            17..19 => MemberAct::Retained { reason: 1 },
            19..21 => MemberAct::Left { reason: LeaveReason::Resigned },
            21 => MemberAct::Left { reason: LeaveReason::Deceased },
            22 => MemberAct::Revised { profile: self.attributes() },
            23 | 24 => {
                let to = self.rng.pick(&self.made.persons.clone());
                MemberAct::Rekeyed { to, qualified: !self.rng.one_in(3) }
            }
            _ => MemberAct::Erased,
        };
        if matches!(act, MemberAct::Joined(_) | MemberAct::TransferredIn(_)) {
            self.claims.push((member, union.id));
        }
        let mut entry = self.entry(
            union.host,
            day,
            FactBody::Member(MemberFact { member, branch: union.id, act }),
        );
        if self.rng.one_in(3) && matches!(act, MemberAct::Joined(_)) {
            entry.attributes = vec![Attribute { code: ATTRIBUTE_FIRST_JOINED, value: day.0 - 900 }];
        }
        entry
    }

    fn start(&mut self) -> Start {
        let named = self.unions[self.rng.index(self.unions.len())].id;
        let level = Level::Enterprise;
        let employer = if self.rng.one_in(2) { self.some_place(level) } else { None };
        let unknown = self.rng.one_in(12);
        let employer = employer.map(|at| self.places[at].id);
        let number = self.rng.below(3) as u8;
        Start {
            origin: self.rng.pick(&[
                Origin::Existing,
                Origin::Existing,
                Origin::New,
                Origin::New,
                Origin::Transferred,
                Origin::Resumed,
            ]),
            evidence: self.rng.pick(&[
                Evidence::SelfDeclared,
                Evidence::Roster,
                Evidence::Roster,
                Evidence::SocialInsurance,
                Evidence::LabourContract,
            ]),
            employer: if unknown { Some(hub_core::id::UnitId([number; 16])) } else { employer },
            host: None,
            from: self.rng.one_in(4).then_some(named),
            profile: self.attributes(),
            qualified: !self.rng.one_in(8),
        }
    }

    fn attributes(&mut self) -> Profile {
        Profile {
            sex: self.rng.pick(&[Sex::Woman, Sex::Man, Sex::Unknown]),
            migrant: self.rng.pick(&[Flag::Yes, Flag::No]),
            form: self.rng.below(4) as u8,
        }
    }
}
