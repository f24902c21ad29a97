//! The scenarios folded by the core alone, written by one node: what comes out is what the sources say.
//! No files, daemons or clocks; the demonstration shows the same through all of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::fact::branch::{BranchFact, BranchKind, BranchProfile, WomenOrg};
use hub_core::fact::governance::{Enrolment, GovernanceFact};
use hub_core::fact::member::{Evidence, Flag, MemberAct, MemberFact, Origin, Profile, Sex, Start};
use hub_core::fact::unit::{Level, UnitFact, UnitKind, UnitProfile};
use hub_core::fact::{Code, CodeKind, FactBody};
use hub_core::id::{BranchId, UnitId};
use hub_core::person::{DocumentKind, PersonKey};
use hub_core::query::{Basis, By, Desk, Question};
use hub_core::time::{Day, Millis};
use hub_core::view::View;
use hub_core_tests::scribe::Scribe;
use hub_tests::demo::expand::{Books, Member, Union, Unit, expand};
use hub_tests::demo::scenario::Scenario;
use std::collections::BTreeMap;
use std::path::Path;

/// The list of territories is of 2023.
const LIST_YEAR: u16 = 2023;
/// 1 January 2025, when everything is entered.
const NOW: Millis = 1_735_689_600_000;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Everything a scenario enters, in one chain, with the ids its names stand for.
struct Desktop {
    scribe: Scribe,
    units: BTreeMap<String, UnitId>,
    unions: BTreeMap<String, BranchId>,
    key: PersonKey,
    root: UnitId,
}

impl Desktop {
    fn of(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        let scenario = Scenario::read(&dir).unwrap();
        let books = expand(&scenario).unwrap();
        let top = scenario.divisions.iter().find(|row| row.parent.is_none()).unwrap();
        let mut desktop = Self {
            scribe: Scribe::new(7, NOW),
            units: BTreeMap::new(),
            unions: BTreeMap::new(),
            key: PersonKey([9; 32]),
            root: UnitId::of_territory(&top.code, LIST_YEAR),
        };
        desktop.territory(&top.code, &top.name, "province", None);
        desktop.enrol();
        let order = || scenario.nodes.iter().filter_map(|row| books.get(&row.node));
        for book in order() {
            for [code, name, level, parent] in &book.divisions {
                desktop.territory(code, name, level, Some(parent));
            }
        }
        order().for_each(|book| desktop.organisation(book));
        for row in scenario.nodes.iter().filter(|row| row.node.starts_with("演示")) {
            if let Some(code) = row.code.clone() {
                desktop.own_union(&row.node, &code);
            }
        }
        order().flat_map(|book| &book.members).for_each(|member| desktop.member(member));
        desktop.scribe.seal().unwrap();
        desktop
    }

    fn write(&mut self, at: Day, document: Option<String>, body: FactBody) {
        self.scribe.write(self.root, at, document, body).unwrap();
    }

    fn enrol(&mut self) {
        let enrolment = Enrolment {
            node: self.scribe.node(),
            key: self.scribe.root_key(),
            epoch: 1,
            unit: self.root,
            may_delegate: true,
            not_before: 0,
            expires: NOW * 2,
            continues: None,
            person_key: Vec::new(),
        };
        let body = GovernanceFact::NodeEnrolled(Box::new(enrolment));
        self.write(day("2025-01-01"), None, FactBody::Governance(body));
    }

    fn territory(&mut self, code: &str, name: &str, level: &str, parent: Option<&str>) {
        let unit = UnitId::of_territory(code, LIST_YEAR);
        let parent = parent.map(|parent| self.units[parent]);
        let codes = vec![Code { kind: CodeKind::Division, value: code.to_owned() }];
        self.register(unit, UnitKind::Territory, level, parent, name, codes);
        self.units.insert(code.to_owned(), unit);
    }

    fn register(
        &mut self,
        unit: UnitId,
        kind: UnitKind,
        level: &str,
        parent: Option<UnitId>,
        name: &str,
        codes: Vec<Code>,
    ) {
        let level = match level {
            "province" => Level::Province,
            "city" => Level::City,
            "county" => Level::County,
            "township" => Level::Township,
            _ => Level::Enterprise,
        };
        let profile = UnitProfile {
            name: name.to_owned(),
            codes,
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        };
        let list_year = (kind == UnitKind::Territory).then_some(LIST_YEAR);
        let body = UnitFact::Registered {
            unit,
            kind,
            level,
            parent,
            located_in: None,
            list_year,
            profile,
        };
        self.write(day("2023-06-30"), None, FactBody::Unit(body));
    }

    fn organisation(&mut self, book: &Books) {
        book.units.iter().for_each(|unit| self.unit(unit));
        book.unions.iter().for_each(|union| self.union(union));
    }

    fn unit(&mut self, row: &Unit) {
        let kind = match row.kind.as_str() {
            "employer" => UnitKind::Employer,
            "system_committee" => UnitKind::SystemCommittee,
            _ => UnitKind::Park,
        };
        let (unit, codes) = match row.code.is_empty() {
            true => (UnitId::of_registration(&self.scribe.next_fact()), Vec::new()),
            false => (
                UnitId::of_employer(&row.code),
                vec![Code { kind: CodeKind::Uscc, value: row.code.clone() }],
            ),
        };
        let parent = self.units[&row.parent];
        self.register(unit, kind, &row.level, Some(parent), &row.name, codes);
        let name = if row.code.is_empty() { &row.name } else { &row.code };
        self.units.insert(name.clone(), unit);
        if let Some(employees) = row.headcount {
            let body = UnitFact::HeadcountDeclared {
                unit,
                employees,
                women: None,
                migrant: None,
                dispatched: None,
            };
            self.write(day("2023-06-30"), None, FactBody::Unit(body));
        }
    }

    fn union(&mut self, row: &Union) {
        let branch = BranchId::of_first_fact(&self.scribe.next_fact());
        self.unions.insert(row.name.clone(), branch);
        let kind = if row.kind == "joint" { BranchKind::Joint } else { BranchKind::Own };
        let host = self.units[&row.host];
        let profile = BranchProfile { kind, host, name: row.name.clone(), codes: Vec::new() };
        let at = day(&row.day);
        if !row.founded {
            let body = BranchFact::Applied { branch, to: self.root, profile };
            self.write(at, None, FactBody::Branch(body));
            return;
        }
        self.write(at, None, FactBody::Branch(BranchFact::Founded { branch, profile }));
        let document = Some(row.approval.clone());
        self.write(at, document, FactBody::Branch(BranchFact::Approved { branch }));
        for code in &row.covers {
            let unit = self.units[code];
            self.write(at, None, FactBody::Branch(BranchFact::Covered { branch, unit }));
        }
        let form = match row.women.as_str() {
            "committee" => WomenOrg::Committee,
            "officer" => WomenOrg::Officer,
            _ => return,
        };
        self.write(at, None, FactBody::Branch(BranchFact::WomenOrgFormed { branch, form }));
    }

    fn own_union(&mut self, name: &str, code: &str) {
        self.union(&Union {
            name: format!("{name}工会"),
            kind: "own".into(),
            host: code.to_owned(),
            covers: Vec::new(),
            founded: true,
            day: "2024-04-01".into(),
            approval: "演工发〔2024〕1号".into(),
            authority: String::new(),
            women: "committee".into(),
        });
    }

    fn member(&mut self, row: &Member) {
        let start = Start {
            origin: if row.new { Origin::New } else { Origin::Existing },
            evidence: Evidence::Roster,
            employer: self.units.get(&row.employer).copied(),
            host: None,
            from: None,
            profile: Profile {
                sex: if row.woman { Sex::Woman } else { Sex::Man },
                migrant: Flag::Unknown,
                form: 0,
            },
            qualified: true,
        };
        let fact = MemberFact {
            member: self.key.member(DocumentKind::ResidentId, &row.number),
            branch: self.unions[&row.union],
            act: MemberAct::Joined(start),
        };
        let at = if row.joined.is_empty() { day("2024-04-01") } else { day(&row.joined) };
        self.write(at, None, FactBody::Member(fact));
    }

    fn unit_named(&self, name: &str) -> UnitId {
        self.units[name]
    }
}

fn total(
    view: &View,
    unit: UnitId,
    indicator: &str,
    base: &str,
    as_of: &str,
) -> (i64, Option<i64>) {
    let question = Question {
        unit: view.tree().find(&unit).unwrap(),
        indicator: indicator.into(),
        base: base.into(),
        by: By::Child,
        as_of: day(as_of),
        boundaries: None,
        basis: Basis::Registry,
    };
    let answer = Desk::default().answer(view, &question).unwrap();
    let row = answer.rows.last().unwrap();
    (row.numerator, row.denominator)
}

#[test]
fn heihe() {
    let desktop = Desktop::of("heihe");
    let view = desktop.scribe.view();
    let city = desktop.unit_named("2311");
    let ask = |indicator| total(&view, city, indicator, "due", "2025-01-01");
    assert_eq!(ask("women.org"), (3_261, Some(3_261)));
    assert_eq!(ask("unions.women_committee").0, 1_662);
    assert_eq!(ask("unions.women_officer").0, 1_599);
    assert_eq!(ask("founding.unit"), (1_662, Some(1_736)));
    assert_eq!(ask("members.all").0, 55_112);
}

#[test]
fn park() {
    let desktop = Desktop::of("park");
    let view = desktop.scribe.view();
    let park = desktop.unit_named("演示工业园区");
    let ask = |indicator, base| total(&view, park, indicator, base, "2025-01-01");
    assert_eq!(ask("founding.unit", "all"), (10, Some(79)));
    assert_eq!(ask("founding.unit", "due"), (0, Some(41)));
    assert_eq!(ask("founding.application", "due"), (39, Some(41)));
}

#[test]
fn zunyi() {
    let desktop = Desktop::of("zunyi");
    let view = desktop.scribe.view();
    let committee = desktop.unit_named("遵义市直机关工委");
    let ask = |indicator| total(&view, committee, indicator, "due", "2025-01-01").0;
    let figures = (ask("unions.all"), ask("covered.all"), ask("members.all"));
    assert_eq!(figures, (58, 93, 4_859));
}

#[test]
fn huanghua() {
    let desktop = Desktop::of("huanghua");
    let view = desktop.scribe.view();
    let city = desktop.unit_named("130983");
    let ask = |indicator, day| total(&view, city, indicator, "due", day).0;
    assert_eq!(ask("unions.all", "2023-10-01"), 374);
    assert_eq!(ask("unions.all", "2024-10-01"), 385);
    assert_eq!(ask("members.enrolled", "2023-10-01"), 0);
    assert_eq!(ask("members.enrolled", "2024-10-01"), 1_208);
}
