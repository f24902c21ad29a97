//! Random acts of 31 nodes of five levels, each from what its own view says.

mod changes;
mod decisions;

use super::{BEGINS, Network};
use crate::offices::{Entry, Office};
use crate::random::Random;
use hub_core::fact::branch::{BranchKind, BranchProfile, WomenOrg};
use hub_core::fact::member::{
    Evidence, Flag, LeaveReason, MemberAct, MemberFact, Origin, Profile, Sex, Start,
};
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{
    ATTRIBUTE_FIRST_JOINED, Attribute, BranchFact, Code, CodeKind, FactBody, UnitFact,
};
use hub_core::hash::sha256;
use hub_core::id::{BranchId, FactId, MemberKey, UnitId};
use hub_core::time::{DAY_MILLIS, Day, Hlc};
use std::collections::BTreeMap;

/// Nodes of units that are no employers: a province, two cities, four counties, eight townships.
const TERRITORIES: usize = 15;
/// All nodes: each township has two firms with nodes of their own.
const NODES: usize = 31;
/// A township enrolled late, with its firms after it.
const LATE: usize = 10;
/// How many persons there are: few, so that unions meet over them.
const PERSONS: u64 = 12;
/// After everything that is written.
const FAR: u64 = 1 << 46;

/// A network under way.
#[derive(Debug)]
pub struct Play {
    /// The nodes and links.
    pub network: Network,
    /// Every pseudonym used.
    pub persons: Vec<MemberKey>,
    /// How often each act was done.
    pub done: BTreeMap<&'static str, usize>,
    rng: Random,
    employers: Vec<(UnitId, u32)>,
    unions: Vec<BranchId>,
    statements: Vec<FactId>,
    /// Nodes enrolled only later.
    waiting: Vec<usize>,
    /// A node cut off from the one above, for some acts.
    cut_off: Option<(usize, usize)>,
    codes: u32,
}

fn level_of(node: usize) -> Level {
    match node {
        0 => Level::Province,
        1..3 => Level::City,
        3..7 => Level::County,
        7..15 => Level::Township,
        _ => Level::Enterprise,
    }
}

fn code(number: u32) -> String {
    format!("9199{number:014}")
}

fn territory(node: usize) -> UnitId {
    UnitId::of_territory(&format!("99{node:04}"), 2024)
}

impl Play {
    /// The network of this seed, with all nodes but a few townships and firms enrolled.
    pub fn new(seed: u64) -> Self {
        let persons = (0..PERSONS).map(|number| {
            let digest = sha256(&[b"generated person", &number.to_be_bytes()]).0;
            let mut key = [0; 16];
            key.copy_from_slice(&digest[..16]);
            MemberKey(key)
        });
        let mut play = Self {
            network: Network::new(&format!("{seed}/0"), territory(0)),
            persons: persons.collect(),
            done: BTreeMap::new(),
            rng: Random::new(seed),
            employers: Vec::new(),
            unions: Vec::new(),
            statements: Vec::new(),
            waiting: Vec::new(),
            cut_off: None,
            codes: 0,
        };
        play.begin(seed);
        play
    }

    fn begin(&mut self, seed: u64) {
        let root = self.registration(territory(0), Level::Province, None, 0);
        let enrolment = self.network.nodes[0].office.enrolment(0, FAR);
        self.say(0, 0, root);
        self.say(0, 0, enrolment);
        for node in 1..NODES {
            let parent = (node - 1) / 2;
            let above = self.network.nodes[parent].unit;
            let level = level_of(node);
            let unit = if node < TERRITORIES {
                let unit = territory(node);
                let registered = self.registration(unit, level, Some(above), node as u32);
                self.say(parent, 0, registered);
                unit
            } else {
                self.codes += 1;
                let unit = UnitId::of_employer(&code(self.codes));
                let registered = self.registration(unit, level, Some(above), self.codes);
                self.employers.push((unit, self.codes));
                self.say(parent, 0, registered);
                unit
            };
            let office = Office::new(&format!("{seed}/{node}"), unit);
            let added = self.network.add(office, Some(parent));
            // who waits has nobody below it that does not
            let waits = node == LATE || parent == LATE || node >= TERRITORIES && self.rng.one_in(2);
            if waits {
                self.waiting.push(added);
            } else {
                self.enrol(added);
            }
            (0..=node).for_each(|node| {
                self.network.ship_down(node, usize::MAX);
            });
        }
    }

    fn enrol(&mut self, node: usize) {
        let Some(parent) = self.network.nodes[node].parent else { return };
        let body = self.network.nodes[node].office.enrolment(0, FAR);
        self.say(parent, 0, body);
    }

    fn did(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// States something, so many days ago.
    fn say(&mut self, node: usize, back: i32, body: FactBody) -> Option<FactId> {
        let mut entry =
            Entry::new(Day(self.network.today().0 - back), self.network.nodes[node].unit, body);
        if let FactBody::Member(MemberFact { act: MemberAct::Joined(_), .. }) = &entry.body
            && self.rng.one_in(3)
        {
            let value = entry.day.0 - 900;
            entry.attributes = vec![Attribute { code: ATTRIBUTE_FIRST_JOINED, value }];
        }
        let id = self.network.write(node, &[entry]).first().copied();
        self.statements.extend(id);
        id
    }

    fn registration(
        &self,
        unit: UnitId,
        level: Level,
        parent: Option<UnitId>,
        number: u32,
    ) -> FactBody {
        let employer = level == Level::Enterprise;
        let (kind, list) = if employer {
            (UnitKind::Employer, CodeKind::Uscc)
        } else {
            (UnitKind::Territory, CodeKind::Division)
        };
        let value = if employer { code(number) } else { format!("99{number:04}") };
        FactBody::Unit(UnitFact::Registered {
            unit,
            kind,
            level,
            parent,
            located_in: parent,
            list_year: (!employer).then_some(2024),
            profile: UnitProfile {
                name: format!("演示单位{value}"),
                codes: vec![Code { kind: list, value }],
                ownership: Some(170),
                industry: Some(b'C'),
                operating: true,
                no_union_reason: None,
                qualified: true,
            },
        })
    }

    /// Acts, each followed by a little work of the links and of some node, after which the one that acted
    /// and one that heard of something are looked at.
    ///
    /// # Errors
    /// What is not as it must be at a step.
    pub fn act(&mut self, acts: usize) -> Result<(), String> {
        for _ in 0..acts {
            self.network.now += self.rng.below(3 * DAY_MILLIS);
            let node = self.rng.index(NODES);
            self.one(node);
            self.work();
            let other = self.rng.index(NODES);
            for node in [node, other] {
                self.network.check_step(node)?;
            }
        }
        self.cut_off = None;
        Ok(())
    }

    fn work(&mut self) {
        match self.cut_off {
            Some((_, 0)) => self.cut_off = None,
            Some((node, left)) => self.cut_off = Some((node, left - 1)),
            None if self.rng.one_in(10) => {
                self.cut_off = Some((1 + self.rng.index(NODES - 1), 10 + self.rng.index(20)));
            }
            None => {}
        }
        for _ in 0..8 {
            let node = self.rng.index(NODES);
            if self.cut_off.is_some_and(|(cut, _)| cut == node) {
                continue;
            }
            let count = 1 + self.rng.index(30);
            match self.rng.below(5) {
                0 | 1 => drop(self.network.ship_up(node, count)),
                2 | 3 => drop(self.network.ship_down(node, count)),
                _ => drop(self.network.restate(node, count)),
            }
            if self.rng.one_in(40) {
                self.network.duplicate(node);
            }
        }
    }

    /// The units a node serves, as it sees them; employers only, or others only.
    fn served(&self, node: usize, employers: bool) -> Vec<UnitId> {
        let own = &self.network.nodes[node];
        let (tree, now) = (own.view.tree(), Hlc::at(self.network.now));
        let units = tree.ids().filter(|(id, at)| {
            let unit = tree.unit(*at);
            unit.id == **id && unit.origin.is_some() && unit.is_employer() == employers
        });
        let served = units.filter(|(_, at)| {
            let server = own.view.authority().server_of(tree, *at, now);
            server.is_some_and(|server| server.enrolment.node == own.office.node)
        });
        served.map(|(id, _)| *id).collect()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.rng.index(from.len())])
    }

    fn one(&mut self, node: usize) {
        match self.rng.below(100) {
            0..5 => self.register(node),
            5..10 => self.headcount(node),
            10..19 => self.found(node),
            19..28 => self.approve(node),
            28..33 => self.cover(node),
            33..43 => self.rule(node),
            43..48 => self.object(node),
            48..50 => self.report(node),
            50..69 => {
                let hosts: Vec<usize> = (0..NODES).filter(|at| self.hosts_unions(*at)).collect();
                let node = self.pick(&hosts).unwrap_or(node);
                self.member(node);
            }
            70..75 => self.register_twice(node),
            75..81 => self.move_unit(node),
            81..89 => self.union(node),
            89..95 => self.withdraw(node),
            95 => self.close(node),
            69 | 96 => {
                let node = if self.rng.one_in(3) { node } else { self.rng.index(7) };
                self.succeed(node);
            }
            _ => self.enrol_late(),
        }
    }

    fn hosts_unions(&self, node: usize) -> bool {
        let own = &self.network.nodes[node];
        let (tree, now) = (own.view.tree(), Hlc::at(self.network.now));
        own.view.branches().all.iter().filter_map(|branch| branch.host_on(Day::OPEN)).any(|host| {
            let server = own.view.authority().server_of(tree, host, now);
            server.is_some_and(|server| server.enrolment.node == own.office.node)
        })
    }

    fn register(&mut self, node: usize) {
        let above = self.served(node, false);
        let Some(parent) = self.pick(&above) else { return };
        self.codes += 1;
        let unit = UnitId::of_employer(&code(self.codes));
        self.employers.push((unit, self.codes));
        let body = self.registration(unit, Level::Enterprise, Some(parent), self.codes);
        self.say(node, 0, body);
        self.did("a firm");
    }

    fn register_twice(&mut self, node: usize) {
        let above = self.served(node, false);
        let with_node = |unit: &UnitId| self.network.nodes.iter().any(|node| node.unit == *unit);
        let employers: Vec<(UnitId, u32)> =
            self.employers.iter().filter(|(unit, _)| !with_node(unit)).copied().collect();
        let (Some(parent), Some((unit, number))) = (self.pick(&above), self.pick(&employers))
        else {
            return;
        };
        let body = self.registration(unit, Level::Enterprise, Some(parent), number);
        self.say(node, 0, body);
        self.did("a firm registered twice");
    }

    fn headcount(&mut self, node: usize) {
        let units = self.served(node, true);
        let Some(unit) = self.pick(&units) else { return };
        let employees = 10 + self.rng.below(60) as u32;
        let (women, migrant, dispatched) = (Some(4), None, None);
        let body = if self.rng.one_in(4) {
            UnitFact::Revised {
                unit,
                name: None,
                codes: Vec::new(),
                ownership: None,
                industry: None,
                operating: Some(self.rng.one_in(2)),
                no_union_reason: None,
                qualified: Some(!self.rng.one_in(4)),
            }
        } else {
            UnitFact::HeadcountDeclared { unit, employees, women, migrant, dispatched }
        };
        let back = self.rng.below(30) as i32;
        self.say(node, back, FactBody::Unit(body));
        self.did("a unit described");
    }

    fn kind(&mut self) -> BranchKind {
        self.rng.pick(&[
            BranchKind::Own,
            BranchKind::Own,
            BranchKind::Joint,
            BranchKind::Joint,
            BranchKind::Regional,
            BranchKind::Flexible,
        ])
    }

    fn found(&mut self, node: usize) {
        let employers = !self.rng.one_in(3);
        let hosts = self.served(node, employers);
        let Some(host) = self.pick(&hosts) else { return };
        let kind = if employers { self.kind() } else { BranchKind::Joint };
        let profile = |branch: BranchId| {
            let name = format!("演示工会{branch}");
            BranchProfile { kind, host, name, codes: Vec::new() }
        };
        let trial = BranchFact::Founded { branch: BranchId::NIL, profile: profile(BranchId::NIL) };
        let lane = self.network.lane_of(node, &FactBody::Branch(trial));
        let branch = BranchId::of_first_fact(&self.network.nodes[node].office.next_fact(lane));
        let body = BranchFact::Founded { branch, profile: profile(branch) };
        let back = 20 + self.rng.below(60) as i32;
        self.say(node, back, FactBody::Branch(body));
        self.unions.push(branch);
        if self.rng.one_in(2) {
            let parent = self.network.nodes[node].parent.unwrap_or(0);
            self.network.ship_up(node, usize::MAX);
            let approved = BranchFact::Approved { branch };
            self.say(parent, back, FactBody::Branch(approved));
        }
        self.did("a union");
    }

    fn approve(&mut self, node: usize) {
        let Some(branch) = self.known_union(node) else { return };
        let back = self.rng.below(60) as i32;
        self.say(node, back, FactBody::Branch(BranchFact::Approved { branch }));
        self.did("an approval");
    }

    /// A union that a node has heard of.
    fn known_union(&mut self, node: usize) -> Option<BranchId> {
        let branches = self.network.nodes[node].view.branches();
        let known = branches.all.iter().filter(|branch| branch.profile.is_some());
        let known: Vec<BranchId> = known.map(|branch| branch.id).collect();
        self.pick(&known)
    }

    /// A union whose host a node serves.
    fn own_union(&mut self, node: usize) -> Option<BranchId> {
        let mut units = self.served(node, true);
        units.extend(self.served(node, false));
        let own = &self.network.nodes[node].view;
        let hosted = own.branches().all.iter().filter(|branch| {
            let host = branch.host_on(Day::OPEN);
            host.is_some_and(|host| units.contains(&own.tree().unit(host).id))
        });
        let hosted: Vec<BranchId> = hosted.map(|branch| branch.id).collect();
        self.pick(&hosted)
    }

    fn cover(&mut self, node: usize) {
        let employers = self.employers.clone();
        let (Some(branch), Some((unit, _))) = (self.own_union(node), self.pick(&employers)) else {
            return;
        };
        let body = if self.rng.one_in(5) {
            BranchFact::Uncovered { branch, unit }
        } else {
            BranchFact::Covered { branch, unit }
        };
        let back = self.rng.below(40) as i32;
        self.say(node, back, FactBody::Branch(body));
        self.did("coverage");
    }

    fn union(&mut self, node: usize) {
        let Some(branch) = self.own_union(node) else { return };
        let unions = self.unions.clone();
        let mut units = self.served(node, true);
        units.extend(self.served(node, false));
        let (Some(into), Some(host)) = (self.pick(&unions), self.pick(&units)) else { return };
        let (body, what) = match self.rng.below(8) {
            0 | 1 => (BranchFact::Merged { branch, into }, "a merger"),
            2 => (BranchFact::Dissolved { branch, reason: 1 }, "a dissolution"),
            3 => (BranchFact::Moved { branch, host }, "a union moved"),
            4 | 5 => {
                let kind = Some(self.kind());
                (BranchFact::Revised { branch, name: None, codes: Vec::new(), kind }, "a kind")
            }
            6 => {
                (BranchFact::WomenOrgFormed { branch, form: WomenOrg::Officer }, "women's officer")
            }
            _ => {
                (BranchFact::CommitteeElected { branch, term_years: 3, until: None }, "an election")
            }
        };
        let back = self.rng.below(20) as i32;
        self.say(node, back, FactBody::Branch(body));
        self.did(what);
    }

    fn member(&mut self, node: usize) {
        let (Some(branch), Some(other)) = (self.own_union(node), self.pick(&self.unions.clone()))
        else {
            return;
        };
        let persons = self.persons.clone();
        for _ in 0..1 + self.rng.below(3) {
            let member = self.rng.pick(&persons);
            let act = match self.rng.below(24) {
                0..15 => {
                    let start = self.start(node, other);
                    if start.from.is_some() {
                        MemberAct::TransferredIn(start)
                    } else {
                        MemberAct::Joined(start)
                    }
                }
                15 | 16 => MemberAct::TransferredOut { to: Some(other) },
                17 | 18 => MemberAct::Retained { reason: 1 },
                19 => MemberAct::Left { reason: LeaveReason::Resigned },
                20 => MemberAct::Left { reason: LeaveReason::Deceased },
                21 => MemberAct::Revised { profile: self.profile() },
                _ => MemberAct::Rekeyed {
                    to: self.rng.pick(&persons),
                    qualified: !self.rng.one_in(3),
                },
            };
            let what = match act {
                MemberAct::Joined(_) | MemberAct::TransferredIn(_) => "a start",
                MemberAct::Rekeyed { .. } => "a rekey",
                MemberAct::Left { reason: LeaveReason::Deceased } => "a death",
                MemberAct::Retained { .. } => "a retention",
                _ => "another membership fact",
            };
            let back = if self.rng.one_in(2) { 0 } else { self.rng.below(40) as i32 };
            self.say(node, back, FactBody::Member(MemberFact { member, branch, act }));
            self.did(what);
        }
    }

    fn start(&mut self, node: usize, other: BranchId) -> Start {
        let near = self.served(node, true);
        let anywhere = self.employers.clone();
        let employer = match self.rng.below(4) {
            0 => None,
            1 => self.pick(&anywhere).map(|(unit, _)| unit),
            _ => self.pick(&near),
        };
        Start {
            origin: self.rng.pick(&[Origin::Existing, Origin::New, Origin::New, Origin::Resumed]),
            evidence: self.rng.pick(&[
                Evidence::SelfDeclared,
                Evidence::Roster,
                Evidence::Roster,
                Evidence::SocialInsurance,
                Evidence::LabourContract,
            ]),
            employer,
            host: None,
            from: self.rng.one_in(5).then_some(other),
            profile: self.profile(),
            qualified: !self.rng.one_in(8),
        }
    }

    fn profile(&mut self) -> Profile {
        Profile {
            sex: self.rng.pick(&[Sex::Woman, Sex::Man, Sex::Unknown]),
            migrant: self.rng.pick(&[Flag::Yes, Flag::No]),
            form: 1,
        }
    }
}
