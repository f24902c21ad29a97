//! Answers over a large view, and what one more fact costs it.

use super::error::{BenchError, failed};
use super::limits::{Times, micros};
use super::place::{open, province};
use super::province::{BOOKS_OPEN, County, Province, Size};
use super::report::{Figure, Report, Target};
use super::roster;
use hub_core::audit::fold;
use hub_core::block::Block;
use hub_core::fact::branch::WomenOrg;
use hub_core::fact::member::{LeaveReason, MemberAct};
use hub_core::fact::{BranchFact, FactBody, MemberFact, Withdrawn};
use hub_core::id::{ChainId, FactId};
use hub_core::query::{By, Desk, Question};
use hub_core::time::{DAY_MILLIS, Day};
use hub_core::view::{BlockSource, View};
use hub_log::Journal;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// How often each late fact is tried, with another person or union each time.
const TRIES: usize = 5;
const ASKED: usize = 2_000;
/// A person's first fact stands so far into a county's chain, at least.
const CLEAR_OF_SECONDS: usize = 40;

/// The journal, and blocks that came after it.
struct Later<'a> {
    journal: &'a Journal,
    later: BTreeMap<(ChainId, u64), Block>,
}

impl BlockSource for Later<'_> {
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        let later = self.later.block(chain, height);
        later.or_else(|| BlockSource::block(self.journal, chain, height))
    }
}

/// Measures answers and late facts.
///
/// # Errors
/// The province has no root unit, or a question no answer.
pub fn measure(place: &Path, size: Size, report: &mut Report<'_>) -> Result<(), BenchError> {
    report.progress(&format!("answers: a province of {} members", size.members))?;
    let (directory, mut province) = province(place, size)?;
    let journal = open(&directory)?;
    let mut view = fold(&province.root.public(), &journal, &journal).view;
    let name = format!("{} M", size.members as f64 / 1e6);
    questions(&view, &name, report)?;
    let mut source = Later { journal: &journal, later: BTreeMap::new() };
    for kind in [Late::Joined, Late::Left, Late::Withdrawn, Late::Branch] {
        let mut times = Vec::new();
        for number in 0..TRIES {
            let block = late(&mut province, kind, number)?;
            let key = (block.header().chain, block.header().height);
            source.later.insert(key, block.clone());
            let began = Instant::now();
            view.apply(&block, &source);
            times.push(micros(began));
        }
        report.figure(Figure {
            what: format!("{} in a view of {name}", kind.name()),
            value: Times::new(times).at(0.5) / 1e3,
            unit: "ms",
            target: None,
            holds: kind.holds().to_owned(),
        })?;
    }
    match view.parked().into_iter().next() {
        Some((reason, _)) => {
            Err(BenchError { step: "late facts".into(), cause: format!("parked: {reason}") })
        }
        None => Ok(()),
    }
}

fn questions(view: &View, name: &str, report: &mut Report<'_>) -> Result<(), BenchError> {
    let root = view.tree().root();
    let no_root = || BenchError { step: "ask".into(), cause: "no root unit".into() };
    let mut question = Question {
        unit: root.ok_or_else(no_root)?,
        indicator: "founding.unit".to_owned(),
        base: "due".to_owned(),
        by: By::Child,
        as_of: Day(BOOKS_OPEN.0 + 300),
        boundaries: None,
    };
    let mut desk = Desk::default();
    let ask = |desk: &mut Desk, question: &Question| {
        let began = Instant::now();
        let answer = desk.answer(view, question).map_err(failed("ask"))?;
        Ok::<_, BenchError>((micros(began), answer.rows.len()))
    };
    let (cold, _) = ask(&mut desk, &question)?;
    let mut cached = Vec::new();
    for _ in 0..ASKED {
        cached.push(ask(&mut desk, &question)?.0);
    }
    question.as_of = Day(BOOKS_OPEN.0 + 200);
    let (other_day, _) = ask(&mut desk, &question)?;
    let cached = Times::new(cached);
    let mut figure = |what: &str, value: f64, target: Option<f64>, holds: &str| {
        report.figure(Figure {
            what: format!("{what}, {name}"),
            value,
            unit: "ms",
            target: target.map(Target::AtMost),
            holds: holds.to_owned(),
        })
    };
    figure("rate by child, cold", cold / 1e3, None, "roll-up of the day and digest of the view")?;
    figure(
        "rate by child, asked again, p50",
        cached.at(0.5) / 1e3,
        None,
        "reads the roll-up kept",
    )?;
    figure(
        "rate by child, asked again, p99",
        cached.at(0.99) / 1e3,
        Some(0.1),
        "looks through the rival claims and the nodes inside for each row",
    )?;
    figure("as of another day", other_day / 1e3, Some(5.0), "rolls up the whole province anew")
}

#[derive(Clone, Copy)]
enum Late {
    Joined,
    Left,
    Withdrawn,
    Branch,
}

impl Late {
    fn name(self) -> &'static str {
        match self {
            Self::Joined => "one new member",
            Self::Left => "one member leaving",
            Self::Withdrawn => "one withdrawal",
            Self::Branch => "one fact about a union",
        }
    }

    fn holds(self) -> &'static str {
        match self {
            Self::Joined => "goes straight into its cell",
            Self::Left => "reads the person's blocks again",
            Self::Withdrawn => "judges the withdrawals again and folds those persons",
            Self::Branch => "folds that union anew",
        }
    }
}

/// One more block of the first county, of one fact.
fn late(province: &mut Province, kind: Late, number: usize) -> Result<Block, BenchError> {
    let members = province.size.members;
    let County { pen, unions, .. } = &mut province.counties[0];
    pen.advance(super::province::books_open() + 340 * DAY_MILLIS);
    let union = unions[number % unions.len()];
    let day = Day(BOOKS_OPEN.0 + 330);
    let settled = |from: u64| (from..members).find(|one| !roster::has_second(*one)).unwrap_or(from);
    let member = (number % unions.len()) as u64 * super::province::MEMBERS_PER_UNION;
    let body = match kind {
        Late::Joined => roster::joined(members + number as u64, &union, 9).2,
        Late::Left => {
            let act = MemberAct::Left { reason: LeaveReason::Resigned };
            let person = roster::person(settled(member));
            FactBody::Member(MemberFact { member: person, branch: union.id, act })
        }
        Late::Withdrawn => {
            // a late fact of the same chain is taken back
            let next = pen.next_fact();
            let back = (CLEAR_OF_SECONDS + number) as u64;
            let seq = next.seq.saturating_sub(back).max(1);
            FactBody::Withdrawn(Withdrawn {
                first: FactId { chain: next.chain, seq },
                count: 1,
                reason: "重复录入".to_owned(),
            })
        }
        Late::Branch => FactBody::Branch(BranchFact::WomenOrgFormed {
            branch: union.id,
            form: WomenOrg::Committee,
        }),
    };
    pen.write(day, Vec::new(), body)?;
    let sealed = pen.seal()?;
    sealed.ok_or_else(|| BenchError { step: "seal".into(), cause: "no fact".into() })
}
