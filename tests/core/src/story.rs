//! Tables of facts and verdicts, told by several nodes that seal real blocks.
//!
//! A line is: day, node, act, verdict. `p` is the province, `c` its city, `a` and `b` counties of the city,
//! `t` a township of `a`, `e` and `f` employers there; nodes bear the capital letters of their units. What
//! the prelude says was said before. Each line is a block of its own, so the n-th line of a node is its
//! height n. `#n` is the n-th line of the table. A line without a verdict stands.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod closing;

use crate::offices::{Blocks, Entry, Office, view_of};
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::figure::FigureFact;
use hub_core::fact::governance::{GovernanceFact, Side};
use hub_core::fact::member::{
    Evidence, LeaveReason, MemberAct, MemberFact, Origin, Profile, Sex, Start,
};
use hub_core::fact::unit::{Level, Succession, UnitKind, UnitProfile};
use hub_core::fact::{BranchFact, Code, CodeKind, FactBody, UnitFact, Withdrawn};
use hub_core::id::{BranchId, ChainId, FactId, FederationId, Lane, MemberKey, UnitId};
use hub_core::time::{Day, Hlc, Millis};
use hub_core::view::View;
use hub_core::view::verdict::{Reason, Verdict};
use std::collections::BTreeMap;

/// Day 0 of every table.
pub const DAY_0: i32 = 20_000;

const PRELUDE: &str = "
    0 P registers p
    0 P enrols P
    0 P registers c under p
    0 P enrols C
    0 C registers a under c
    0 C registers b under c
    0 C enrols A
    0 C enrols B
    0 A registers t under a
    0 A registers e under t
    0 A registers f under t
";

fn level_of(name: &str) -> Level {
    match name {
        "p" => Level::Province,
        "c" | "d" => Level::City,
        "a" | "b" | "k" => Level::County,
        "t" | "s" | "u" | "v" => Level::Township,
        _ => Level::Enterprise,
    }
}

/// The unit of this name.
pub fn unit(name: &str) -> UnitId {
    match level_of(name) {
        Level::Enterprise => UnitId::of_employer(name),
        _ => UnitId::of_territory(name, 2024),
    }
}

fn registered(name: &str, parent: Option<&str>) -> FactBody {
    let level = level_of(name);
    let employer = level == Level::Enterprise;
    let list = if employer { CodeKind::Uscc } else { CodeKind::Division };
    FactBody::Unit(UnitFact::Registered {
        unit: unit(name),
        kind: if employer { UnitKind::Employer } else { UnitKind::Territory },
        level,
        parent: parent.map(unit),
        located_in: None,
        list_year: (!employer).then_some(2024),
        profile: UnitProfile {
            name: name.into(),
            codes: vec![Code { kind: list, value: name.into() }],
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        },
    })
}

fn day(text: &str) -> Day {
    Day(DAY_0 + text.parse::<i32>().unwrap())
}

fn instant(text: &str) -> Millis {
    day(text).start_millis()
}

/// A table told by its nodes.
#[derive(Debug)]
pub struct Story {
    offices: BTreeMap<String, Office>,
    root: [u8; 32],
    /// All blocks.
    pub blocks: Blocks,
    /// The fact of each line.
    pub facts: Vec<FactId>,
    /// Places of the blocks in the order told.
    order: Vec<(ChainId, u64)>,
    /// Unions by the names the table gives them.
    pub unions: BTreeMap<String, BranchId>,
    lines: u64,
}

impl Story {
    fn new() -> Self {
        let root = Office::new("P", unit("p")).public_key();
        let mut story = Self {
            offices: BTreeMap::new(),
            root,
            blocks: Blocks::new(),
            facts: Vec::new(),
            order: Vec::new(),
            unions: BTreeMap::new(),
            lines: 0,
        };
        story.tell(PRELUDE);
        story.facts.clear();
        story
    }

    fn tell(&mut self, text: &str) {
        text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| self.line(line));
    }

    /// `N` is the node of unit `n`; `N2` its next epoch; `N'` another node for the same unit.
    fn office(&mut self, name: &str) -> &mut Office {
        if !self.offices.contains_key(name) {
            let office = match name.strip_suffix('2') {
                Some(first) => self.office(first).clone().next_epoch(name),
                None => Office::new(name, unit(&name[..1].to_lowercase())),
            };
            self.offices.insert(name.into(), office);
        }
        self.offices.get_mut(name).unwrap()
    }

    fn line(&mut self, line: &str) {
        let act = line.split('|').next().unwrap();
        let words: Vec<&str> = act.split_whitespace().collect();
        let [at, who, verb, rest @ ..] = words.as_slice() else { panic!("{line}: too short") };
        self.lines += 1;
        let clock = instant(at) + self.lines * 1_000;
        let federation = FederationId::of_root_key(&self.root);
        if *verb == "scribbles" {
            let block = self.office(who).seal_unreadable(federation, Lane::Up, clock);
            self.keep(block);
            return;
        }
        let mut entry = Entry::new(day(at), self.office(who).unit, FactBody::Unit(nothing()));
        if let Some(on) = option(rest, "on") {
            entry.day = day(on);
        }
        if let Some(acting) = option(rest, "for") {
            entry.unit = unit(acting);
        }
        entry.body = self.body(who, verb, rest);
        let block = self.office(who).seal(federation, Lane::Up, clock, &[entry]).unwrap();
        self.keep(block);
    }

    fn keep(&mut self, block: hub_core::block::Block) {
        self.facts.push(block.fact_id(0));
        let place = (block.header().chain, block.header().height);
        self.order.push(place);
        self.blocks.insert(place, block);
    }

    fn body(&mut self, who: &str, verb: &str, rest: &[&str]) -> FactBody {
        let first = rest.first().copied().unwrap_or("");
        match verb {
            "registers" => registered(first, option(rest, "under")),
            "enrols" => {
                let from = option(rest, "from").map_or(0, instant);
                let until = option(rest, "until").map_or(1 << 46, instant);
                let mut office = self.office(first).clone();
                if let Some(other) = option(rest, "at") {
                    office.unit = unit(other);
                }
                office.enrolment(from, until)
            }
            "cuts" => {
                let office = self.office(first).clone();
                let height = option(rest, "at").unwrap().parse().unwrap();
                FactBody::Governance(GovernanceFact::NodeRevoked {
                    node: office.node,
                    epoch: office.epoch,
                    last_good: vec![(Lane::Up, height)],
                    reason: String::new(),
                })
            }
            "withdraws" => {
                let number: usize = first.strip_prefix('#').unwrap().parse().unwrap();
                let first = self.facts[number - 1];
                FactBody::Withdrawn(Withdrawn { first, count: 1, reason: String::new() })
            }
            "files" => FactBody::Figure(crate::figures::report(unit(first), rest)),
            "returns" | "signs" => {
                let number: usize = option(rest, "report").unwrap().parse().unwrap();
                let (unit, report) = (unit(first), self.facts[number - 1]);
                FactBody::Figure(match verb {
                    "signs" => FigureFact::Approved { unit, report },
                    _ => FigureFact::Returned { unit, report, reason: "漏项".into() },
                })
            }
            "moves" => FactBody::Unit(UnitFact::Moved {
                unit: unit(first),
                parent: option(rest, "to").map(unit),
                located_in: None,
            }),
            "succeeds" => {
                let all = |names: &str| names.split(',').map(unit).collect();
                let how = Succession::Redraw;
                let (old, new) = (all(first), all(option(rest, "to").unwrap()));
                FactBody::Unit(UnitFact::Succeeded { old, new, how })
            }
            "rekeys" => FactBody::Unit(UnitFact::Rekeyed {
                unit: unit(first),
                to: unit(option(rest, "to").unwrap()),
            }),
            "closes" => FactBody::Unit(UnitFact::Closed { unit: unit(first), reason: 1 }),
            "counts" => FactBody::Unit(UnitFact::HeadcountDeclared {
                unit: unit(first),
                employees: option(rest, "to").map_or(30, |count| count.parse().unwrap()),
                women: None,
                migrant: None,
                dispatched: option(rest, "dispatched").map(|count| count.parse().unwrap()),
            }),
            "checkpoints" | "shuts" | "publishes" => self.closing_body(verb, rest),
            "rules" => FactBody::Governance(GovernanceFact::Ruled {
                winner: rest[1..3].iter().any(|word| word.contains('>')).then_some(0),
                sides: self.sides(first, rest),
                from: option(rest, "from").map_or(Day(DAY_0), day),
                reason: String::new(),
            }),
            "objects" => FactBody::Governance(GovernanceFact::Objected {
                member: person(rest),
                branch: self.unions[first],
                from: option(rest, "from").map_or(Day(DAY_0), day),
                evidence: evidence(rest),
            }),
            _ => self.union_body(who, verb, rest),
        }
    }

    /// Sides by their names, `>` behind the winner or `,` between all: `claims U>V person x`, `unions U>V`,
    /// `units e t>b` for registrations of `e` under `t` and `b`, `both U,V` for a claim and a union.
    fn sides(&self, sort: &str, rest: &[&str]) -> Vec<Side> {
        let named =
            |text: &str| -> Vec<String> { text.split(['>', ',']).map(ToOwned::to_owned).collect() };
        let union = |name: &String| self.unions.get(name).copied().unwrap_or(BranchId::NIL);
        let claim = |name: &String| Side::Claim { member: person(rest), branch: union(name) };
        match sort {
            "claims" => named(rest[1]).iter().map(claim).collect(),
            "unions" => {
                named(rest[1]).iter().map(|name| Side::Branch { branch: union(name) }).collect()
            }
            "units" => named(rest[2])
                .iter()
                .map(|parent| Side::Registration { unit: unit(rest[1]), parent: unit(parent) })
                .collect(),
            "both" => {
                let names = named(rest[1]);
                vec![claim(&names[0]), Side::Branch { branch: union(&names[1]) }]
            }
            other => panic!("{other}: no sort of side"),
        }
    }

    fn union_body(&mut self, who: &str, verb: &str, rest: &[&str]) -> FactBody {
        let first = rest.first().copied().unwrap_or("");
        let next = self.office(who).next_fact(Lane::Up);
        let new = !self.unions.contains_key(first);
        if new && matches!(verb, "applies" | "founds") {
            self.unions.insert(first.into(), BranchId::of_first_fact(&next));
        }
        let branch = self.unions.get(first).copied().unwrap_or(BranchId::NIL);
        let profile = BranchProfile {
            kind: match option(rest, "kind") {
                Some("regional") => BranchKind::Regional,
                Some("flexible") => BranchKind::Flexible,
                _ => BranchKind::Own,
            },
            host: unit(option(rest, "host").unwrap_or("e")),
            name: first.into(),
            codes: Vec::new(),
        };
        let member = |act| FactBody::Member(MemberFact { member: person(rest), branch, act });
        FactBody::Branch(match verb {
            "applies" => {
                let to = unit(option(rest, "to").unwrap_or("t"));
                BranchFact::Applied { branch, to, profile }
            }
            "founds" => BranchFact::Founded { branch, profile },
            "approves" => BranchFact::Approved { branch },
            "refuses" => BranchFact::Refused { branch, reason: String::new() },
            "elects" => {
                let term_years = option(rest, "term").unwrap().parse().unwrap();
                BranchFact::CommitteeElected { branch, term_years, until: None }
            }
            "incorporates" => {
                BranchFact::LegalRegistered { branch, uscc: option(rest, "as").unwrap().into() }
            }
            "dissolves" => BranchFact::Dissolved { branch, reason: 1 },
            "covers" => BranchFact::Covered { branch, unit: unit(option(rest, "unit").unwrap()) },
            "uncovers" => {
                BranchFact::Uncovered { branch, unit: unit(option(rest, "unit").unwrap()) }
            }
            "corrects" => BranchFact::Revised {
                branch,
                name: None,
                codes: Vec::new(),
                kind: Some(profile.kind),
            },
            "hosts" => BranchFact::Moved { branch, host: profile.host },
            "merges" => {
                let into = self.unions[option(rest, "into").unwrap()];
                BranchFact::Merged { branch, into }
            }
            "joins" => {
                let origin = |word: &&str| match *word {
                    "transferred" => Some(Origin::Transferred),
                    "existing" => Some(Origin::Existing),
                    _ => None,
                };
                return member(MemberAct::Joined(Start {
                    origin: rest.iter().find_map(origin).unwrap_or(Origin::New),
                    evidence: evidence(rest),
                    employer: option(rest, "employer").map(unit),
                    host: option(rest, "dispatched").map(unit),
                    from: option(rest, "after").map(|name| self.unions[name]),
                    profile: Profile::default(),
                    qualified: !rest.contains(&"unqualified"),
                }));
            }
            "retains" => return member(MemberAct::Retained { reason: 1 }),
            "leaves" => return member(MemberAct::Left { reason: LeaveReason::Resigned }),
            "dies" => return member(MemberAct::Left { reason: LeaveReason::Deceased }),
            "describes" => {
                let profile = Profile { sex: Sex::Woman, ..Profile::default() };
                return member(MemberAct::Revised { profile });
            }
            "renames" => {
                let to = MemberKey([option(rest, "to").unwrap().as_bytes()[0]; 16]);
                return member(MemberAct::Rekeyed { to, qualified: true });
            }
            other => panic!("{other}: no act"),
        })
    }

    /// What the node of this name restates after a day, if it holds all: unit in whose lane, line, and whether the
    /// line counts; what the prelude said is left out.
    pub fn restated_by(&self, who: &str, after: i32) -> Vec<(UnitId, usize, bool)> {
        let now = Hlc::at(Day(DAY_0 + after).start_millis());
        let due = self.view().restatements_due(self.offices[who].node, now, &self.blocks);
        let due = due.into_iter().filter_map(|due| match due.fact {
            GovernanceFact::Restated { fact, counts, .. } => {
                let line = self.facts.iter().position(|known| *known == fact)?;
                Some((due.audience, line + 1, counts))
            }
            _ => None,
        });
        due.collect()
    }

    /// The fact of the n-th line of the table, counted from 1.
    pub fn fact(&self, line: usize) -> FactId {
        self.facts[line - 1]
    }

    fn view(&self) -> View {
        view_of(self.root, &self.blocks)
    }

    /// The same blocks one by one, in the order told or backwards.
    fn one_by_one(&self, backwards: bool) -> View {
        let mut view = View::new(FederationId::of_root_key(&self.root), self.root);
        let mut order = self.order.clone();
        if backwards {
            order.reverse();
        }
        for place in order {
            view.apply(&self.blocks[&place], &self.blocks);
        }
        view
    }
}

fn nothing() -> UnitFact {
    UnitFact::Moved { unit: UnitId::NIL, parent: None, located_in: None }
}

/// The person named, or the one person of a table that names none.
pub fn person_of(name: &str) -> MemberKey {
    MemberKey([name.as_bytes()[0]; 16])
}

fn person(rest: &[&str]) -> MemberKey {
    option(rest, "person").map_or(MemberKey([7; 16]), person_of)
}

fn evidence(rest: &[&str]) -> Evidence {
    match option(rest, "by") {
        Some("contract") => Evidence::LabourContract,
        Some("self") => Evidence::SelfDeclared,
        _ => Evidence::Roster,
    }
}

/// The word behind this one.
pub(crate) fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| *word == name)?;
    words.get(at + 1).copied()
}

fn in_words(verdict: Verdict, facts: &[FactId]) -> String {
    match verdict {
        Verdict::Stands => String::new(),
        Verdict::Withdrawn(by) => {
            format!("withdrawn by #{}", facts.iter().position(|f| *f == by).unwrap() + 1)
        }
        Verdict::Parked(Reason::NoAuthority) => "no word".into(),
        Verdict::Parked(reason) => reason.to_string(),
    }
}

/// Tells a table and checks every verdict, folded at once, one by one and backwards; returns the view.
pub fn check(table: &str) -> (Story, View) {
    let mut story = Story::new();
    story.tell(table);
    let lines: Vec<&str> = table.lines().filter(|line| !line.trim().is_empty()).collect();
    let views = [story.view(), story.one_by_one(false), story.one_by_one(true)];
    for mut view in views {
        let mut wrong = String::new();
        for (line, fact) in lines.iter().zip(&story.facts) {
            let expected = line.split('|').nth(1).unwrap_or("").trim();
            // facts of an unreadable body have no verdict but their block's
            let found = match view.verdict(fact, &story.blocks) {
                Some(verdict) => in_words(verdict, &story.facts),
                None => "none".into(),
            };
            if found != expected {
                wrong.push_str(&format!("{line}\n    found: {found}\n"));
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
    }
    let whole = story.view();
    for other in [story.one_by_one(false), story.one_by_one(true)] {
        assert_eq!(whole.digest(), other.digest());
        assert_eq!(whole.member_digest(), other.member_digest());
        assert_eq!(whole.parked(), other.parked());
    }
    (story, whole)
}
