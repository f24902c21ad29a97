//! What one more fact costs a large view: member facts out of order, a ruling, a large union dissolved, a
//! county redrawn.

use super::answers::question;
use super::error::{BenchError, failed};
use super::limits::{Times, micros};
use super::pen::Pen;
use super::province::{
    BOOKS_OPEN, County, MEMBERS_PER_UNION, Province, Union, books_open, registered, territory,
};
use super::report::{Figure, Report};
use super::roster;
use hub_core::block::Block;
use hub_core::fact::branch::{BranchKind, BranchProfile, WomenOrg};
use hub_core::fact::governance::{GovernanceFact, Side};
use hub_core::fact::member::{LeaveReason, MemberAct};
use hub_core::fact::unit::{Level, Succession};
use hub_core::fact::{BranchFact, FactBody, MemberFact, UnitFact, Withdrawn};
use hub_core::id::{BranchId, ChainId, FactId, Lane};
use hub_core::query::Desk;
use hub_core::time::{DAY_MILLIS, Day};
use hub_core::view::{BlockSource, View};
use hub_log::Journal;
use std::collections::BTreeMap;
use std::time::Instant;

/// How often each is tried, with another person or union each time.
const TRIES: usize = 5;
/// A person's first fact stands so far into a county's chain, at least.
const CLEAR_OF_SECONDS: usize = 40;
/// The county that follows the last one.
const REDRAWN: &str = "990099";
/// Members of the union that is dissolved.
const LARGE_UNION: u64 = 10_000;

/// The journal, and blocks that came after it.
#[derive(Debug)]
pub struct Later<'a> {
    journal: &'a Journal,
    later: BTreeMap<(ChainId, u64), Block>,
}

impl<'a> Later<'a> {
    /// Nothing came yet.
    pub fn new(journal: &'a Journal) -> Self {
        Self { journal, later: BTreeMap::new() }
    }

    /// Applies a block to the view and keeps it.
    pub fn apply(&mut self, view: &mut View, block: &Block) {
        let key = (block.header().chain, block.header().height);
        self.later.insert(key, block.clone());
        view.apply(block, self);
    }
}

impl BlockSource for Later<'_> {
    fn block(&self, chain: &ChainId, height: u64) -> Option<Block> {
        let later = self.later.block(chain, height);
        later.or_else(|| BlockSource::block(self.journal, chain, height))
    }
}

#[derive(Debug, Clone, Copy)]
enum Late {
    Joined,
    Left,
    Withdrawn,
    Branch,
    Ruled,
    Dissolved,
    Redrawn,
}

impl Late {
    const ALL: [Self; 7] = [
        Self::Joined,
        Self::Left,
        Self::Withdrawn,
        Self::Branch,
        Self::Ruled,
        Self::Dissolved,
        Self::Redrawn,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Joined => "one new member",
            Self::Left => "one member leaving",
            Self::Withdrawn => "one withdrawal",
            Self::Branch => "one fact about a union",
            Self::Ruled => "one ruling between two unions over a person",
            Self::Dissolved => "a union of 10,000 members dissolved",
            Self::Redrawn => "a county of 11 townships redrawn",
        }
    }

    fn holds(self) -> &'static str {
        match self {
            Self::Joined => "goes straight into its cell",
            Self::Left => "reads the person's blocks again",
            Self::Withdrawn => "judges the withdrawals again and folds those persons",
            Self::Branch => "folds that union anew",
            Self::Ruled => "folds that person anew",
            Self::Dissolved => "folds that union anew; members follow at the roll-up",
            Self::Redrawn => "folds units and unions anew; members follow at the roll-up",
        }
    }
}

impl Late {
    fn holds_the_next(self) -> &'static str {
        match self {
            Self::Joined | Self::Left | Self::Withdrawn | Self::Ruled => {
                "counts the changed cells into what is kept"
            }
            _ => "rolls up the day and digests the view anew",
        }
    }
}

/// Who writes late facts: the first county, and the province in a lane that was empty.
struct Writers<'a> {
    province: &'a mut Province,
    above: Pen,
}

/// Measures late facts over a view of `name` members.
///
/// # Errors
/// A fact makes no block, or is parked.
pub fn measure(
    view: &mut View,
    source: &mut Later<'_>,
    province: &mut Province,
    name: &str,
    report: &mut Report<'_>,
) -> Result<(), BenchError> {
    let lane = Lane::Down(province.root.unit);
    let now = books_open() + 340 * DAY_MILLIS;
    let above = Pen::new(province.federation(), &province.root, lane, now);
    let mut writers = Writers { province, above };
    let no_root = || BenchError { step: "ask".into(), cause: "no root unit".into() };
    let question = question(view.tree().root().ok_or_else(no_root)?);
    let mut desk = Desk::default();
    for kind in Late::ALL {
        let (mut times, mut answers) = (Vec::new(), Vec::new());
        let tries = if matches!(kind, Late::Redrawn) { 1 } else { TRIES };
        for number in 0..tries {
            for block in writers.prepare(kind, number)? {
                source.apply(view, &block);
            }
            let block = writers.late(kind, number)?;
            desk.answer(view, &question).map_err(failed("ask"))?;
            let began = Instant::now();
            source.apply(view, &block);
            times.push(micros(began));
            let began = Instant::now();
            desk.answer(view, &question).map_err(failed("ask"))?;
            answers.push(micros(began));
        }
        report.figure(Figure {
            what: format!("{} in a view of {name}", kind.name()),
            value: Times::new(times).at(0.5) / 1e3,
            unit: "ms",
            target: None,
            holds: kind.holds().to_owned(),
        })?;
        report.figure(Figure {
            what: format!("the next answer after {}, {name}", kind.name()),
            value: Times::new(answers).at(0.5) / 1e3,
            unit: "ms",
            target: None,
            holds: kind.holds_the_next().to_owned(),
        })?;
    }
    match view.parked().into_iter().next() {
        Some((reason, _)) => {
            Err(BenchError { step: "late facts".into(), cause: format!("parked: {reason}") })
        }
        None => Ok(()),
    }
}

fn written(pen: &mut Pen, day: i32, body: FactBody) -> Result<Block, BenchError> {
    pen.write(Day(BOOKS_OPEN.0 + day), Vec::new(), body)?;
    let sealed = pen.seal()?;
    sealed.ok_or_else(|| BenchError { step: "seal".into(), cause: "no fact".into() })
}

impl Writers<'_> {
    fn first_county(&mut self) -> (&mut Pen, &mut Vec<Union>) {
        let County { pen, unions, .. } = &mut self.province.counties[0];
        pen.advance(books_open() + 340 * DAY_MILLIS);
        (pen, unions)
    }

    /// A person of the number's union without a second fact, and that union.
    fn settled(&self, number: usize) -> (u64, Union) {
        let unions = &self.province.counties[0].unions;
        let place = number % unions.len();
        let from = place as u64 * MEMBERS_PER_UNION;
        let mut all = from..self.province.size.members;
        (all.find(|one| !roster::has_second(*one)).unwrap_or(from), unions[place])
    }

    /// What has to be there before the fact measured.
    fn prepare(&mut self, kind: Late, number: usize) -> Result<Vec<Block>, BenchError> {
        match kind {
            Late::Ruled => {
                let (person, _) = self.settled(number);
                let (pen, unions) = self.first_county();
                let other = unions[(number + 3) % unions.len()];
                // the same day and evidence in another union's books: a dispute
                let (day, attributes, body) = roster::joined(person, &other, 9);
                pen.write(day, attributes, body)?;
                Ok(pen.seal()?.into_iter().collect())
            }
            Late::Dissolved => self.large_union(number as u64),
            Late::Redrawn => {
                let body = registered(REDRAWN, Level::County, Some(territory("9900")));
                Ok(vec![written(&mut self.above, 338, body)?])
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Another union at the first employer, regional, with very many members.
    fn large_union(&mut self, number: u64) -> Result<Vec<Block>, BenchError> {
        let members = self.province.size.members + 1_000_000 + number * LARGE_UNION;
        let (pen, unions) = self.first_county();
        let host = unions[0].host;
        let mut blocks = Vec::new();
        let branch = BranchId::of_first_fact(&pen.next_fact());
        let name = format!("演示大型工会{number}");
        let profile = BranchProfile { kind: BranchKind::Regional, host, name, codes: Vec::new() };
        for body in [BranchFact::Founded { branch, profile }, BranchFact::Approved { branch }] {
            blocks.push(written(pen, 330, FactBody::Branch(body))?);
        }
        let union = Union { id: branch, host };
        for person in members..members + LARGE_UNION {
            let (day, attributes, body) = roster::joined(person, &union, 9);
            blocks.extend(pen.write(day, attributes, body)?);
        }
        blocks.extend(pen.seal()?);
        unions.push(union);
        Ok(blocks)
    }

    /// One more block, of one fact.
    fn late(&mut self, kind: Late, number: usize) -> Result<Block, BenchError> {
        let members = self.province.size.members;
        let (person, union) = self.settled(number);
        let member = |act| {
            FactBody::Member(MemberFact { member: roster::person(person), branch: union.id, act })
        };
        let body = match kind {
            Late::Joined => roster::joined(members + number as u64, &union, 9).2,
            Late::Left => member(MemberAct::Left { reason: LeaveReason::Resigned }),
            Late::Withdrawn => {
                // a late fact of the same chain is taken back
                let next = self.first_county().0.next_fact();
                let back = (CLEAR_OF_SECONDS + number) as u64;
                let seq = next.seq.saturating_sub(back).max(1);
                let first = FactId { chain: next.chain, seq };
                FactBody::Withdrawn(Withdrawn { first, count: 1, reason: "重复录入".into() })
            }
            Late::Branch => FactBody::Branch(BranchFact::WomenOrgFormed {
                branch: union.id,
                form: WomenOrg::Committee,
            }),
            Late::Ruled => return self.ruled(person, union, number),
            Late::Dissolved => {
                let unions = self.first_county().1;
                let branch = unions[unions.len() - 1].id;
                FactBody::Branch(BranchFact::Dissolved { branch, reason: 1 })
            }
            Late::Redrawn => return self.redrawn(),
        };
        written(self.first_county().0, 330, body)
    }

    fn ruled(&mut self, person: u64, union: Union, number: usize) -> Result<Block, BenchError> {
        let unions = &self.province.counties[0].unions;
        let other = unions[(number + 3) % unions.len()];
        let member = roster::person(person);
        let side = |union: Union| Side::Claim { member, branch: union.id };
        let ruled = GovernanceFact::Ruled {
            sides: vec![side(union), side(other)],
            winner: Some(0),
            from: Day(BOOKS_OPEN.0 + 330),
            reason: "劳动关系在此".to_owned(),
        };
        written(&mut self.above, 338, FactBody::Governance(ruled))
    }

    /// The last county ends, and a new one follows it.
    fn redrawn(&mut self) -> Result<Block, BenchError> {
        let counties = &self.province.counties;
        let old = counties[counties.len() - 1].node.unit;
        let succeeded = UnitFact::Succeeded {
            old: vec![old],
            new: vec![territory(REDRAWN)],
            how: Succession::Redraw,
        };
        written(&mut self.above, 339, FactBody::Unit(succeeded))
    }
}
