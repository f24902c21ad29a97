//! The rules of one person's claims as tables: facts in, verdict out.
//!
//! Facts, apart by `;`: day, union, act, what it rests on. `O`, `P` and `Q` are own unions, `R` and `S` regional,
//! `F` and `G` for flexible workers. Clocks rise from fact to fact, so the n-th fact is called `n`.
//! Decisions: day, `rules`, sides with `>` behind the winner or `,` between all; day, `objects`, objector's
//! union`>`union objected to, evidence. Verdicts: spans as union, days, status; then cases but disputes.

#![cfg_attr(rustfmt, rustfmt_skip)]
use super::*;
use crate::fact::member::Sex;
use crate::id::{ChainId, Lane, NodeId};

#[path = "decision_tests.rs"]
mod decisions;

const UNIONS: &str = "OPRSFGQ";

fn branch_of(name: &str) -> BranchIx {
    UNIONS.find(name).unwrap() as BranchIx
}

fn evidence_in(words: &[&str]) -> Evidence {
    let evidence = |word: &&str| match *word {
        "self" => Some(Evidence::SelfDeclared),
        "roster" => Some(Evidence::Roster),
        "insurance" => Some(Evidence::SocialInsurance),
        "contract" => Some(Evidence::LabourContract),
        _ => None,
    };
    words.iter().find_map(evidence).unwrap_or(Evidence::Roster)
}

fn id_of(number: u64) -> FactId {
    let chain = ChainId { node: NodeId([1; 16]), epoch: 1, lane: Lane::Up };
    FactId { chain, seq: number }
}

fn fact_of(number: u64, text: &str) -> ClaimFact {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [day, branch, act, rest @ ..] = words.as_slice() else { panic!("{text}: too short") };
    let start = |origin| {
        Act::Start(Start {
            origin,
            day_stated: rest.contains(&"since"),
            evidence: evidence_in(rest),
            employer: None,
            from: rest.iter().find_map(|word| word.strip_prefix("from=")).map(branch_of),
            profile: Profile::default(),
            qualified: !rest.contains(&"unqualified"),
        })
    };
    let act = match *act {
        "joins" => start(Origin::New),
        "loaded" => start(Origin::Existing),
        "comes" => start(Origin::Transferred),
        "resumes" => start(Origin::Resumed),
        "out" => Act::TransferredOut,
        "leaves" => Act::Left(LeaveReason::Resigned),
        "dies" => Act::Death,
        "retained" => Act::Retained,
        "woman" => Act::Revised(Profile { sex: Sex::Woman, ..Profile::default() }),
        other => panic!("{other}: no act"),
    };
    let id = id_of(number);
    ClaimFact { day: Day(day.parse().unwrap()), hlc: Hlc(number), id, branch: branch_of(branch), act }
}

fn decision_of(number: u64, words: &[&str], told: &mut Told) {
    let [day, act, sides, rest @ ..] = words else { panic!("{words:?}: too short") };
    let from = Day(day.parse().unwrap());
    let names: Vec<BranchIx> = sides.split(['>', ',']).map(branch_of).collect();
    if *act == "rules" {
        let winner = sides.contains('>').then_some(names[0]);
        told.rulings.push(ClaimRuling { from, sides: names, winner });
    } else {
        let (own, branch) = (names[..1].to_vec(), names[1]);
        let (id, hlc, evidence) = (id_of(number), Hlc(number), evidence_in(rest));
        told.objections.push(ClaimObjection { id, hlc, from, branch, evidence, own });
    }
}

fn facts(text: &str) -> Told {
    let mut told = Told::default();
    for (line, number) in text.split(';').zip(1..) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.get(1) {
            Some(&"rules" | &"objects") => decision_of(number, &words, &mut told),
            _ => told.facts.push(fact_of(number, line)),
        }
    }
    told
}

fn swept(told: Told) -> Swept {
    let kind_of = |branch: BranchIx| match branch {
        2 | 3 => BranchKind::Regional,
        4 | 5 => BranchKind::Flexible,
        _ => BranchKind::Own,
    };
    sweep(told, Law { policy: &Policy::standard(), kind_of: &kind_of })
}

fn told(swept: &Swept) -> String {
    let mut parts: Vec<String> = Vec::new();
    for span in &swept.spans {
        let name = &UNIONS[span.branch as usize..=span.branch as usize];
        let to = if span.to == Day::OPEN { String::new() } else { span.to.0.to_string() };
        let status = match span.status {
            Status::Active => "active",
            Status::Retained if span.holder => "retained",
            Status::Retained => "retained below",
            Status::Secondary => "secondary",
            Status::Disputed => "disputed",
            Status::InTransit => "transit",
            Status::Overruled => "overruled",
        };
        assert_eq!(span.holder, matches!(status, "active" | "retained"), "{span:?}");
        let mut part = format!("{name} {}..{to} {status}", span.from.0);
        for (mark, set) in [
            (" tied", span.tied),
            (" new", span.enrolled),
            (" unqualified", !span.qualified),
            (" woman", span.profile.sex == Sex::Woman),
        ] {
            part.push_str(if set { mark } else { "" });
        }
        parts.push(part);
    }
    parts.extend(swept.conflicts.iter().filter_map(|conflict| match conflict {
        Conflict::DualMembership { winner, loser, state, .. } => {
            let state = match state {
                CaseState::Auto => "auto",
                CaseState::Confirmed => "clean",
                CaseState::Objected => "objected",
                CaseState::Ruled => "ruled",
            };
            Some(format!("dual {}>{} {state}", winner.seq, loser.seq))
        }
        Conflict::Disputed { .. } => None,
        Conflict::OrphanEnd { fact, .. } => Some(format!("orphan {}", fact.seq)),
        Conflict::ForeignDeath { fact, .. } => Some(format!("death {}", fact.seq)),
        Conflict::NoEffect { objection, claim, .. } => {
            Some(format!("no effect {}>{}", objection.seq, claim.seq))
        }
    }));
    parts.join("; ")
}

/// Checks a table, each row also with its facts backwards: their order of arrival is no input.
fn check_by(tell: fn(&Swept) -> String, table: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (rule, given, expected) in table {
        let told = facts(given);
        let mut backwards = told.clone();
        backwards.facts.reverse();
        backwards.rulings.reverse();
        backwards.objections.reverse();
        for told in [told, backwards] {
            let found = tell(&swept(told));
            if found != *expected {
                wrong.push(format!("{rule}\n  given    {given}\n  expected {expected}\n  found    {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(table: &[(&str, &str, &str)]) {
    check_by(told, table);
}

#[test]
fn the_holder_is_the_first_in_a_fixed_order() {
    check(&[
        ("not retained", "1 O loaded; 2 O retained; 3 P loaded", "O 1..2 active; O 2..3 retained; O 3.. disputed; P 3.. active"),
        ("stronger kind", "1 R loaded; 1 O loaded self", "O 1.. active; R 1.. secondary"),
        ("stronger kind", "1 F loaded since; 1 R loaded", "R 1.. active; F 1.. secondary"),
        ("not self-declared", "1 O loaded since self; 1 P loaded", "O 1.. disputed; P 1.. active"),
        ("later start", "1 O loaded since; 2 P loaded since self; 3 P leaves", "O 1.. active; P 2..3 disputed"),
        ("undated is earliest", "1 O loaded since; 2 P loaded contract", "O 1..2 active; O 2.. active tied; P 2.. disputed"),
        ("evidence", "1 O joins; 1 P joins insurance", "O 1.. disputed; P 1.. active new"),
        ("evidence", "1 O joins insurance; 1 P joins contract", "O 1.. disputed; P 1.. active new"),
        ("evidence", "1 O joins self; 1 P joins roster", "O 1.. disputed; P 1.. active new"),
        ("earlier clock", "1 P joins; 1 O joins", "O 1.. disputed; P 1.. active tied new"),
    ]);
}

#[test]
fn m1_a_later_start_takes_over_on_its_own_day() {
    check(&[
        ("auto", "1 O joins; 5 P joins", "O 1..5 active new; P 5.. active new; dual 2>1 auto"),
        ("clean, named", "1 O joins; 5 P comes from=O", "O 1..5 active new; P 5.. active"),
        ("clean, retained", "1 O joins; 3 O retained; 5 P comes", "O 1..3 active new; O 3..5 retained; P 5.. active"),
        ("confirmed", "1 O joins; 5 P joins; 9 O leaves", "O 1..5 active new; P 5.. active new; dual 2>1 clean"),
        ("confirmed, out", "1 O joins; 5 P joins; 9 O out", "O 1..5 active new; P 5.. active new; dual 2>1 clean"),
        ("confirmed once", "1 O joins; 5 P joins; 9 O out; 9 O out", "O 1..5 active new; P 5.. active new; dual 2>1 clean; orphan 4"),
        ("confirmed after a clean one", "1 O joins; 5 P comes from=O; 9 O out", "O 1..5 active new; P 5.. active"),
        ("left that day", "1 O joins; 5 P joins; 5 O out", "O 1..5 active new; P 5.. active new"),
        ("no retention after", "1 O joins; 5 P joins; 9 O retained", "O 1..5 active new; P 5.. active new; dual 2>1 auto; orphan 3"),
        ("and back again", "1 O joins; 5 P joins; 9 O joins", "O 1..5 active new; P 5..9 active new; O 9.. active new; dual 2>1 auto; dual 3>2 auto"),
        ("every loser", "1 O joins; 1 P joins self; 5 O leaves; 6 O joins", "O 1..5 active new; P 1..5 disputed; P 5..6 active; O 6.. active new; dual 4>2 auto"),
        ("losers of its kind", "1 O loaded; 2 P loaded; 5 R joins; 6 P joins", "O 1..2 active; O 2.. active tied; P 2.. disputed; R 5.. secondary"),
        ("all of its kind", "1 R loaded; 2 S loaded; 5 O joins; 9 O leaves", "R 1..2 active; R 2..5 active tied; S 2..5 disputed; O 5..9 active new; S 5..9 secondary; S 9.. active; dual 3>1 auto"),
        ("and the others", "1 O loaded; 2 P loaded; 5 O leaves; 6 O joins", "O 1..2 active; O 2..5 active tied; P 2..5 disputed; P 5..6 active; O 6.. active new; dual 4>2 auto"),
        ("weaker kind", "1 F joins; 5 O joins", "F 1..5 active new; O 5.. active new; dual 2>1 auto"),
        ("back on the day of leaving", "1 O joins; 1 P joins self; 5 O leaves; 5 O joins", "O 1..5 active new; P 1..5 disputed; O 5.. active new; dual 4>2 auto"),
    ]);
}

#[test]
fn m2_losers_stay_open() {
    check(&[
        ("secondary", "1 O joins; 5 F joins", "O 1.. active new; F 5.. secondary"),
        ("secondary holds later", "1 O joins; 5 F joins; 9 O leaves", "O 1..9 active new; F 5..9 secondary; F 9.. active"),
        ("retained of higher kind", "1 O joins; 3 O retained; 5 F joins", "O 1..3 active new; O 3..5 retained; O 5.. retained below; F 5.. active new"),
        ("it may resume", "1 O joins; 3 O retained; 5 F joins; 9 O resumes", "O 1..3 active new; O 3..5 retained; O 5..9 retained below; F 5..9 active new; O 9.. active; F 9.. secondary"),
        ("disputed", "1 O joins; 5 P joins self", "O 1.. active new; P 5.. disputed"),
        ("disputed holds later", "1 O joins; 5 P joins self; 9 O leaves", "O 1..9 active new; P 5..9 disputed; P 9.. active"),
        ("later start after retention", "1 O joins; 5 P joins self; 9 O retained", "O 1..9 active new; P 5..9 disputed; O 9.. disputed; P 9.. active"),
    ]);
}

#[test]
fn existing_starts_never_take_over() {
    check(&[
        ("one loaded last", "1 O loaded; 5 P loaded", "O 1..5 active; O 5.. active tied; P 5.. disputed"),
        ("of stronger kind", "1 F loaded; 5 O loaded", "F 1..5 active; O 5.. active; F 5.. secondary"),
        ("over a joining", "1 O joins; 5 P loaded contract", "O 1.. active new; P 5.. disputed"),
        ("a stated day does", "1 O loaded since; 5 P loaded since", "O 1..5 active; P 5.. active; dual 2>1 auto"),
        ("a joining does", "1 O loaded; 5 P joins", "O 1..5 active; P 5.. active new; dual 2>1 auto"),
    ]);
}

#[test]
fn ties_are_marked() {
    check(&[
        ("by clock", "1 O joins; 1 P joins", "O 1.. active tied new; P 1.. disputed"),
        ("two existing, dated", "1 O loaded since; 1 P loaded since contract", "O 1.. disputed; P 1.. active tied"),
        ("undated against dated", "3 O loaded; 3 P joins", "O 3.. disputed; P 3.. active new"),
        ("not across kinds", "1 O joins; 1 R joins", "O 1.. active new; R 1.. secondary"),
        ("ends with the loser", "1 O joins; 1 P joins; 9 P leaves", "O 1..9 active tied new; P 1..9 disputed; O 9.. active"),
    ]);
}

#[test]
fn ends_close_and_orphans_are_told() {
    check(&[
        ("left", "1 O joins; 5 O leaves", "O 1..5 active new"),
        ("in transit", "1 O joins; 5 O out", "O 1..5 active new; O 5.. transit"),
        ("until the next start", "1 O joins; 5 O out; 9 P comes", "O 1..5 active new; O 5..9 transit; P 9.. active"),
        ("whatever ended before", "1 O joins; 2 F joins; 5 F leaves; 6 O out", "O 1..6 active new; F 2..5 secondary; O 6.. transit"),
        ("not after a later end", "1 O joins; 5 O out; 7 P comes; 9 P leaves", "O 1..5 active new; O 5..7 transit; P 7..9 active"),
        ("orphan end", "5 O leaves", "orphan 1"),
        ("orphan out", "5 O out; 6 P joins", "P 6.. active new; orphan 1"),
        ("orphan retention", "5 O retained", "orphan 1"),
        ("ended twice", "1 O joins; 5 O leaves; 6 O leaves", "O 1..5 active new; orphan 3"),
        ("length zero is void", "5 O joins; 5 O leaves", ""),
        ("void, then again", "5 O joins; 5 O leaves; 5 O joins", "O 5.. active new"),
        ("void ends no transit", "1 O joins; 5 O out; 7 P joins; 7 P leaves", "O 1..5 active new; O 5.. transit"),
        ("end before start by clock", "5 O leaves; 5 O joins", "O 5.. active new; orphan 1"),
        ("started twice", "1 O joins; 3 O joins", "O 1.. active new"),
    ]);
}

#[test]
fn retentions_end_by_a_start() {
    check(&[
        ("retained", "1 O joins; 5 O retained", "O 1..5 active new; O 5.. retained"),
        ("resumed", "1 O joins; 5 O retained; 9 O resumes", "O 1..5 active new; O 5..9 retained; O 9.. active"),
        ("left while retained", "1 O joins; 5 O retained; 9 O leaves", "O 1..5 active new; O 5..9 retained"),
        ("on one day by clock", "1 O joins; 5 O resumes; 5 O retained", "O 1..5 active new; O 5.. retained"),
    ]);
}

#[test]
fn death_by_the_holder_closes_all() {
    check(&[
        ("by the holder", "1 O joins; 2 F joins; 5 O dies", "O 1..5 active new; F 2..5 secondary"),
        ("by another", "1 O joins; 2 F joins; 5 F dies", "O 1.. active new; F 2..5 secondary; death 3"),
        ("by one without a claim", "1 O joins; 5 P dies", "O 1.. active new; death 2"),
        ("no end after", "1 O joins; 5 O dies; 9 O leaves", "O 1..5 active new; orphan 3"),
        ("people come back", "1 O joins; 5 O dies; 9 O joins", "O 1..5 active new; O 9.. active new"),
        ("of one in transit", "1 O joins; 5 O out; 9 O dies", "O 1..5 active new; O 5..9 transit; death 3"),
    ]);
}

#[test]
fn attributes_follow_the_claim() {
    check(&[
        ("unqualified", "1 O joins unqualified", "O 1.. active new unqualified"),
        ("revised", "1 O joins; 5 O woman", "O 1..5 active new; O 5.. active woman"),
        ("revised on its day", "1 O joins; 1 O woman", "O 1.. active new woman"),
        ("at another union", "1 O joins; 5 P woman", "O 1.. active new"),
        ("enrolled only as holder", "1 O joins; 5 F joins; 9 O leaves", "O 1..9 active new; F 5..9 secondary; F 9.. active"),
    ]);
}
