//! Who may speak, and what unions and units become, as tables: facts in, verdicts out (DESIGN §7, §9).
//!
//! A line is: day, node, act, verdict. `p` is the province, `c` its city, `a` and `b` counties of the city,
//! `t` a township of `a`, `e` and `f` employers there; nodes bear the capital letters of their units. What
//! [`PRELUDE`] says was said before. Each line is a block of its own, so the n-th line of a node is its
//! height n. `#n` is the n-th line of the table. A line without a verdict stands.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::figure::FigureFact;
use hub_core::fact::governance::GovernanceFact;
use hub_core::fact::member::{
    Evidence, LeaveReason, MemberAct, MemberFact, Origin, Profile, Start,
};
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{BranchFact, Code, CodeKind, FactBody, UnitFact, Withdrawn};
use hub_core::id::{BranchId, FactId, FederationId, Lane, MemberKey, UnitId};
use hub_core::time::{Day, Millis};
use hub_core::view::View;
use hub_core::view::verdict::{Reason, Verdict};
use hub_tests::offices::{Blocks, Entry, Office, view_of};
use std::collections::BTreeMap;

/// Day 0 of every table.
const DAY_0: i32 = 20_000;

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
        "c" => Level::City,
        "a" | "b" => Level::County,
        "t" | "s" => Level::Township,
        _ => Level::Enterprise,
    }
}

fn unit(name: &str) -> UnitId {
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
struct Story {
    offices: BTreeMap<String, Office>,
    root: [u8; 32],
    blocks: Blocks,
    facts: Vec<FactId>,
    unions: BTreeMap<String, BranchId>,
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
        self.blocks.insert((block.header().chain, block.header().height), block);
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
            "files" => FactBody::Figure(report(unit(first))),
            "returns" => {
                let number: usize = option(rest, "report").unwrap().parse().unwrap();
                let report = self.facts[number - 1];
                let reason = String::new();
                FactBody::Figure(FigureFact::Returned { unit: unit(first), report, reason })
            }
            "moves" => FactBody::Unit(UnitFact::Moved {
                unit: unit(first),
                parent: option(rest, "to").map(unit),
                located_in: None,
            }),
            "rekeys" => FactBody::Unit(UnitFact::Rekeyed {
                unit: unit(first),
                to: unit(option(rest, "to").unwrap()),
            }),
            "closes" => FactBody::Unit(UnitFact::Closed { unit: unit(first), reason: 1 }),
            "counts" => FactBody::Unit(UnitFact::HeadcountDeclared {
                unit: unit(first),
                employees: 30,
                women: None,
                migrant: None,
                dispatched: None,
            }),
            _ => self.union_body(who, verb, rest),
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
                _ => BranchKind::Own,
            },
            host: unit(option(rest, "host").unwrap_or("e")),
            name: first.into(),
            codes: Vec::new(),
        };
        let member = |act| {
            let member = MemberKey([option(rest, "person").map_or(7, |p| p.as_bytes()[0]); 16]);
            FactBody::Member(MemberFact { member, branch, act })
        };
        FactBody::Branch(match verb {
            "applies" => BranchFact::Applied { branch, to: unit("t"), profile },
            "founds" => BranchFact::Founded { branch, profile },
            "approves" => BranchFact::Approved { branch },
            "refuses" => BranchFact::Refused { branch, reason: String::new() },
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
                return member(MemberAct::Joined(Start {
                    origin: Origin::New,
                    evidence: Evidence::Roster,
                    employer: None,
                    host: None,
                    from: None,
                    profile: Profile::default(),
                    qualified: true,
                }));
            }
            "leaves" => return member(MemberAct::Left { reason: LeaveReason::Resigned }),
            "renames" => {
                let to = MemberKey([option(rest, "to").unwrap().as_bytes()[0]; 16]);
                return member(MemberAct::Rekeyed { to, qualified: true });
            }
            other => panic!("{other}: no act"),
        })
    }

    fn view(&self) -> View {
        view_of(self.root, &self.blocks)
    }

    /// The same blocks one by one, the last first.
    fn backwards(&self) -> View {
        let mut view = View::new(FederationId::of_root_key(&self.root), self.root);
        for block in self.blocks.values().rev() {
            view.apply(block, &self.blocks);
        }
        view
    }
}

fn nothing() -> UnitFact {
    UnitFact::Moved { unit: UnitId::NIL, parent: None, located_in: None }
}

fn report(unit: UnitId) -> FigureFact {
    FigureFact::Reported {
        unit,
        form: 1,
        period: "2025".into(),
        revision: 1,
        values: Vec::new(),
        rates: Vec::new(),
        posts: [1; 3],
        residual_of: Vec::new(),
    }
}

fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
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

/// Tells a table and checks every verdict, folded at once and backwards; returns the view.
fn check(table: &str) -> (Story, View) {
    let mut story = Story::new();
    story.tell(table);
    let lines: Vec<&str> = table.lines().filter(|line| !line.trim().is_empty()).collect();
    for mut view in [story.view(), story.backwards()] {
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
    let (whole, backwards) = (story.view(), story.backwards());
    assert_eq!(whole.digest(), backwards.digest());
    assert_eq!(whole.member_digest(), backwards.member_digest());
    assert_eq!(whole.parked(), backwards.parked());
    (story, whole)
}

#[test]
fn a_unit_is_served_by_the_deepest_enrolled() {
    check(
        "
        40 A counts e
        29 C counts e
        40 C counts e           | no word
        40 B counts e           | no word
        40 P counts b           | no word
        40 B counts b
    ",
    );
    check(
        "
        1 A counts e
        4 T counts e            | no word
        6 T counts e
        9 A enrols T from 5
        10 A counts e
        40 A counts e           | no word
        40 T counts e
    ",
    );
}

#[test]
fn a_new_enrolment_leaves_the_old_node_thirty_days() {
    check(
        "
        10 A enrols T
        39 A counts e
        41 A counts e           | no word
        41 A counts a
    ",
    );
    check(
        "
        10 A enrols T
        50 A enrols T'
        79 T counts e
        79 T' counts e
        81 T counts e           | no word
        81 T' counts e
    ",
    );
    check(
        "
        10 A enrols T
        20 A enrols T2
        49 T counts e
        51 T counts e           | no word
        51 T2 counts e
        52 T2 withdraws #3
    "
        .replace("49 T counts e", "49 T counts e       | withdrawn by #6")
        .as_str(),
    );
}

#[test]
fn a_move_leaves_the_old_node_thirty_days() {
    check(
        "
        0 B registers s under b
        5 A counts e
        10 C moves e to s
        5 B counts e            | no word
        11 B counts e
        39 A counts e
        41 A counts e           | no word
        41 B counts e
    ",
    );
    check(
        "
        0 B registers s under b
        10 A moves e to s       | no word
        10 B moves e to s       | no word
        10 P moves e to s
        41 A counts e           | no word
        41 B counts e
    ",
    );
    check(
        "
        0 B registers s under b
        10 C moves e to s
        60 C withdraws #2
        59 A counts e           | no word
        61 A counts e
        89 B counts e
        91 B counts e           | no word
    "
        .replace("10 C moves e to s", "10 C moves e to s   | withdrawn by #3")
        .as_str(),
    );
}

#[test]
fn an_expiry_gap_is_parked_until_renewal() {
    check(
        "
        1 A enrols T until 50
        49 T counts e
        51 T counts e           | no word
        51 A counts e           | no word
    ",
    );
    check(
        "
        1 A enrols T until 50
        51 T counts e
        51 A counts e           | no word
        90 A enrols T until 500
        91 T counts e
    ",
    );
    check(
        "
        1 A enrols T until 50
        51 T counts e           | no word
        90 A enrols T from 80 until 500
        91 T counts e
    ",
    );
}

#[test]
fn a_cut_parks_what_is_above_and_gives_the_word_back() {
    check(
        "
        1 A enrols T
        10 T counts e
        40 T counts e           | after a cut
        50 A cuts T at 1
        11 A counts e
        60 A counts e
    ",
    );
    check(
        "
        1 A enrols T
        10 T counts e
        20 T counts e           | after a cut
        30 T counts e           | after a cut
        50 A cuts T at 2
        51 A cuts T at 1
        52 A cuts T at 3
    ",
    );
    check(
        "
        1 A enrols T
        10 T counts e
        20 T counts e
        50 A cuts T at 1        | withdrawn by #5
        51 A withdraws #4
    ",
    );
    check(
        "
        1 A enrols T
        5 T counts e
        10 T cuts A at 1        | no word
        10 B cuts T at 0        | no word
        10 T cuts T at 0        | no word
        10 P cuts T' at 0       | unknown subject
        11 T counts e
    ",
    );
    // superiors further up cut nodes that stand below what they registered themselves
    check(
        "
        1 A enrols T
        10 T counts e
        20 T counts e           | after a cut
        30 P cuts T at 1
    ",
    );
    // a key enrolled again below a thief is not his to cut
    check(
        "
        1 A enrols T
        5 T enrols A at e
        6 T cuts A at 0         | no word
        7 A counts a
    ",
    );
}

#[test]
fn a_withdrawn_enrolment_ends_at_the_withdrawal() {
    check(
        "
        1 A enrols T            | withdrawn by #3
        59 A counts e           | no word
        60 A withdraws #1
        59 T counts e
        61 T counts e           | no word
        61 A counts e
    ",
    );
}

#[test]
fn withdrawals_come_from_the_writer_or_who_serves_the_subject() {
    check(
        "
        1 A counts e            | withdrawn by #2
        2 A withdraws #1
        3 A counts e
        4 B withdraws #3
        45 C withdraws #3
        6 A withdraws #2
    ",
    );
    check(
        "
        1 A counts e            | withdrawn by #3
        2 A enrols T
        3 T withdraws #1
    ",
    );
    check(
        "
        1 A counts e
        2 A enrols T
        3 T withdraws #1        | after a cut
        4 A cuts T at 0
    ",
    );
    check(
        "
        1 A founds U
        2 A joins U             | withdrawn by #4
        3 A enrols T
        4 T withdraws #2
        5 B withdraws #2
    ",
    );
}

#[test]
fn epochs_and_keys_come_from_above() {
    check(
        "
        1 A enrols T
        2 A enrols T2
        3 T2 counts e
        4 A enrols T2 at f
    ",
    );
    check(
        "
        1 A enrols T
        2 B registers s under b
        3 B enrols T2 at s      | no word
        4 T2 withdraws #1       | no word
    ",
    );
    check(
        "
        1 T enrols E
        1 A enrols B            | no word
        1 B enrols T            | no word
        1 C enrols T
        2 T enrols E
        3 E counts e
    ",
    );
}

#[test]
fn superiors_speak_of_what_lower_levels_registered() {
    check(
        "
        1 P enrols T
        2 T counts e
        3 P enrols E
        4 E counts e
    ",
    );
    check(
        "
        1 A enrols T
        2 T registers g under t
        3 C enrols G
        4 G counts g
    ",
    );
}

#[test]
fn registrations_keep_levels_names_and_reach() {
    check(
        "
        1 A registers g under t
        1 B registers g under t     | no word
        1 B registers g under b
        1 B counts g
        1 A registers s under e     | parent level not higher
        1 A registers h under x     | unknown subject
        1 A rekeys e to g
        2 A rekeys g to e           | closes a cycle
        3 B counts g
        3 A counts e
    ",
    );
}

#[test]
fn what_is_early_or_unknown_waits() {
    check(
        "
        1 A counts e
        1 A counts e on 2           | dated after its own clock
        1 A closes f on 9
        1 A counts h                | unknown subject
        2 A scribbles               | unreadable
        3 A approves X              | unknown subject
    ",
    );
    let (_, view) = check(
        "
        1 A joins U                 | unknown subject
        2 B founds U                | no word
        3 B joins U                 | unknown subject
    ",
    );
    assert_eq!(view.parked().get(&Reason::UnknownSubject), Some(&2));
    check(
        "
        1 A counts h
        2 A registers h under t
    ",
    );
}

#[test]
fn f1_approvals_come_from_strictly_above() {
    let counts = |table: &str, from: Option<i32>| {
        let (story, view) = check(table);
        let at = view.branches().find(&story.unions["U"]).unwrap();
        let found = view.branches().branch(at).counts_from().map(|day| day.0 - DAY_0);
        assert_eq!(found, from, "{table}");
    };
    counts("1 A applies U", None);
    counts("1 A applies U\n 2 A founds U", None);
    counts("1 A applies U\n 2 A approves U for t", None);
    counts("1 A applies U\n 2 A approves U for t\n 5 A founds U", Some(5));
    counts("1 A founds U\n 7 A approves U for a", Some(7));
    counts("1 A founds U\n 7 A approves U for e | no word", None);
    counts("1 A founds U kind regional\n 7 A approves U for e", Some(7));
    counts("1 A founds U\n 2 A corrects U kind regional\n 7 A approves U for e", Some(7));
    counts("1 A founds U\n 7 C approves U for c\n 9 A approves U for a", Some(7));
    counts("1 A founds U\n 7 B approves U for b | no word", None);
    counts("1 A founds U\n 7 B approves U for a | no word", None);
    counts("1 A founds U\n 7 A approves U for a\n 8 A refuses U for a", Some(7));
    counts("1 A founds U\n 7 A approves U for a | withdrawn by #3\n 8 A withdraws #2", None);
    counts(
        "1 A founds U\n 7 A approves U for a | withdrawn by #4\n 9 A approves U for t\n 8 A withdraws #2",
        Some(9),
    );
}

#[test]
fn applications_stand_until_refused() {
    let is_applied = |table: &str, on: i32| {
        let (story, view) = check(table);
        let at = view.branches().find(&story.unions["U"]).unwrap();
        view.branches().branch(at).is_applied(Day(DAY_0 + on))
    };
    assert!(is_applied("2 A applies U", 2) && !is_applied("2 A applies U", 1));
    assert!(!is_applied("2 A applies U\n 5 A refuses U for t", 5));
    assert!(is_applied("2 A applies U\n 5 A refuses U for t", 4));
    assert!(is_applied("2 A applies U\n 4 A approves U for t\n 5 A refuses U for t", 5));
}

#[test]
fn f5_one_merger_each_and_no_cycle() {
    let (story, view) = check(
        "
        1 A founds U
        1 A founds V
        1 A founds W
        5 A merges U into V
        6 A merges U into W
        7 A merges V into W
        8 A merges W into U         | closes a cycle
    ",
    );
    let merged = |name: &str| {
        let at = view.branches().find(&story.unions[name]).unwrap();
        let into = view.branches().branch(at).merged.map(|(_, into)| into);
        into.map(|into| view.branches().branch(into).name().to_owned())
    };
    assert_eq!(merged("U").as_deref(), Some("V"));
    assert_eq!(merged("V").as_deref(), Some("W"));
    assert_eq!(merged("W"), None);
}

#[test]
fn u2_moves_act_from_their_day_and_u3_closing_ends() {
    let (story, view) = check(
        "
        0 B registers s under b
        1 A founds U
        1 A approves U for a
        10 C moves e to s on 7
        20 B closes e on 30
    ",
    );
    let tree = view.tree();
    let at = tree.find(&unit("e")).unwrap();
    let parent = |on: i32| tree.unit(tree.parent_on(at, 0, Day(DAY_0 + on)).unwrap()).id;
    assert_eq!((parent(6), parent(7)), (unit("t"), unit("s")));
    let branch = view.branches().branch(view.branches().find(&story.unions["U"]).unwrap());
    let counts = |on: i32| branch.counts_on(tree, Day(DAY_0 + on));
    assert_eq!([0, 1, 29, 30].map(counts), [false, true, true, false]);
}

#[test]
fn coverage_runs_from_day_to_day() {
    let (story, view) = check(
        "
        1 A founds U kind regional host t
        2 A covers U unit e
        3 A covers U unit e
        5 A uncovers U unit e
        9 A covers U unit e
        2 A covers U unit f
        2 A uncovers U unit f
    ",
    );
    let branch = view.branches().branch(view.branches().find(&story.unions["U"]).unwrap());
    let covered = |on: i32| branch.covered_on(Day(DAY_0 + on)).count();
    assert_eq!([1, 2, 4, 5, 8, 9].map(covered), [0, 1, 1, 0, 0, 1]);
}

#[test]
fn a_union_stays_where_its_first_fact_put_it() {
    let (story, view) = check(
        "
        5 A applies U
        6 A founds U host b on 1
        7 B joins U                 | no word
        7 A joins U
        8 A hosts U host b
        9 B joins U person q
        9 A joins U person r        | no word
    ",
    );
    let branch = view.branches().branch(view.branches().find(&story.unions["U"]).unwrap());
    let host = |on: i32| view.tree().unit(branch.host_on(Day(DAY_0 + on)).unwrap()).id;
    assert_eq!((host(1), host(8)), (unit("e"), unit("b")));
}

#[test]
fn reports_are_returned_by_superiors_of_their_own_unit() {
    check(
        "
        1 A files e
        2 A enrols T
        3 T files f
        4 B returns b report 1      | unknown subject
        4 B returns e report 1      | no word
        4 C returns e report 1
        4 A returns e report 3      | unknown subject
        4 A returns f report 3
    ",
    );
}

#[test]
fn m6_rekeys_carry_claims_and_close_no_cycle() {
    let (story, mut view) = check(
        "
        1 A founds U
        2 A joins U person x
        3 A renames U person x to y
        4 A renames U person y to z
        5 A renames U person z to x     | closes a cycle
    ",
    );
    let mut spans = |name: u8| view.person(&MemberKey([name; 16]), &story.blocks).len();
    assert_eq!([spans(b'x'), spans(b'y'), spans(b'z')], [0, 0, 1]);
    let (story, mut view) = check(
        "
        1 A founds U
        2 A joins U person x
        3 A renames U person x to y
        4 A renames U person x to z
        5 A renames U person x to w     | withdrawn by #6
        6 A withdraws #5
    ",
    );
    let mut spans = |name: u8| view.person(&MemberKey([name; 16]), &story.blocks).len();
    assert_eq!([spans(b'x'), spans(b'y'), spans(b'z'), spans(b'w')], [0, 0, 1, 0]);
}
