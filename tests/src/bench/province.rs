//! A generated province: governance, units, unions and members in full blocks, durable in a journal.
//!
//! One province node, cities, and county nodes that keep the books of their townships' employers. Codes
//! have area prefix 99, which no real place or firm has.

use super::error::{BenchError, failed};
use super::pen::{Node, Pen};
use super::roster;
use crate::demo::people::employer_code;
use hub_core::block::Block;
use hub_core::fact::branch::{BranchKind, BranchProfile, WomenOrg};
use hub_core::fact::governance::Enrolment;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{BranchFact, Code, CodeKind, FactBody, GovernanceFact, UnitFact};
use hub_core::id::{BranchId, FederationId, Lane, UnitId};
use hub_core::time::{DAY_MILLIS, Day, Millis};
use hub_log::{Entry, Journal, Origin};

/// The day the books are opened: 1 October 2025, the first of a statistical year.
pub const BOOKS_OPEN: Day = Day(20_362);
/// Members of a union, as in LIMITS: 20 M in 1.4·10⁵ unions.
pub const MEMBERS_PER_UNION: u64 = 143;
const UNIONS_PER_COUNTY: u64 = 1_100;
const TOWNSHIPS: u64 = 11;
const LIST_YEAR: u16 = 2023;
/// Blocks that share one `fdatasync`, as an import's do.
const GROUP: usize = 16;

/// When the books are opened, in milliseconds.
pub fn books_open() -> Millis {
    BOOKS_OPEN.start_millis() + DAY_MILLIS / 2
}

/// How large a province is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Members.
    pub members: u64,
}

impl Size {
    /// Unions, one to an employer.
    pub fn unions(&self) -> u64 {
        self.members.div_ceil(MEMBERS_PER_UNION).max(1)
    }

    /// Counties, each with a node of its own.
    pub fn counties(&self) -> u64 {
        self.unions().div_ceil(UNIONS_PER_COUNTY).max(2)
    }

    fn cities(&self) -> u64 {
        self.counties().div_ceil(10)
    }
}

/// A union with its employer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Union {
    /// The union.
    pub id: BranchId,
    /// Its employer.
    pub host: UnitId,
}

/// One county's node and its chain.
#[derive(Debug)]
pub struct County {
    /// The node.
    pub node: Node,
    /// Its `up` chain.
    pub pen: Pen,
    /// Its unions.
    pub unions: Vec<Union>,
}

/// A province under way.
#[derive(Debug)]
pub struct Province {
    /// Its size.
    pub size: Size,
    /// The node of the province: the root.
    pub root: Node,
    /// What the province says to those above it: nobody; checkpoints stand here.
    pub pen: Pen,
    /// The counties, in order.
    pub counties: Vec<County>,
    townships: Vec<Vec<UnitId>>,
    federation: FederationId,
}

/// A territory of the generated list.
pub fn territory(code: &str) -> UnitId {
    UnitId::of_territory(code, LIST_YEAR)
}

fn profile(name: String, kind: CodeKind, code: String) -> UnitProfile {
    UnitProfile {
        name,
        codes: vec![Code { kind, value: code }],
        ownership: Some(170),
        industry: Some(b'C'),
        operating: true,
        no_union_reason: None,
        qualified: true,
    }
}

/// The registration of a territory.
pub fn registered(code: &str, level: Level, parent: Option<UnitId>) -> FactBody {
    FactBody::Unit(UnitFact::Registered {
        unit: territory(code),
        kind: UnitKind::Territory,
        level,
        parent,
        located_in: parent,
        list_year: Some(LIST_YEAR),
        profile: profile(format!("演示区划{code}"), CodeKind::Division, code.to_owned()),
    })
}

fn enrolment(node: &Node) -> FactBody {
    FactBody::Governance(GovernanceFact::NodeEnrolled(Box::new(Enrolment {
        node: node.id,
        key: node.public(),
        epoch: 1,
        unit: node.unit,
        may_delegate: true,
        not_before: 0,
        expires: books_open() + 3_650 * DAY_MILLIS,
        continues: None,
        person_key: Vec::new(),
    })))
}

impl Province {
    /// A province without facts.
    pub fn new(size: Size) -> Self {
        let root = Node::named("province", territory("99"));
        let federation = FederationId::of_root_key(&root.public());
        let county = |number: u64| {
            let code = county_code(&size, number);
            let node = Node::named(&code, territory(&code));
            let pen = Pen::new(federation, &node, Lane::Up, books_open());
            County { node, pen, unions: Vec::new() }
        };
        let counties = (0..size.counties()).map(county).collect();
        let pen = Pen::new(federation, &root, Lane::Up, books_open());
        Self { size, root, pen, counties, townships: Vec::new(), federation }
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// Governance and territories; then, county by county, units, unions and members. Calls `put` with
    /// each block in the order written.
    ///
    /// # Errors
    /// Facts that make no block, or what `put` returns.
    pub fn write(
        &mut self,
        put: &mut dyn FnMut(Block) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        self.found(put)?;
        for county in 0..self.counties.len() {
            self.organise(county, put)?;
        }
        for county in 0..self.counties.len() {
            self.enrol_members(county, put)?;
        }
        for county in 0..self.counties.len() {
            self.later(county, put)?;
        }
        Ok(())
    }

    fn found(
        &mut self,
        put: &mut dyn FnMut(Block) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        let province = self.root.unit;
        let mut bodies = vec![registered("99", Level::Province, None), enrolment(&self.root)];
        for city in 0..self.size.cities() {
            bodies.push(registered(&city_code(city), Level::City, Some(province)));
        }
        for number in 0..self.size.counties() {
            let city = territory(&city_code(number / 10));
            bodies.push(registered(&county_code(&self.size, number), Level::County, Some(city)));
        }
        for body in bodies {
            self.pen.write(BOOKS_OPEN, Vec::new(), body)?.map_or(Ok(()), &mut *put)?;
        }
        self.pen.seal()?.map_or(Ok(()), &mut *put)?;
        // governance for a county goes down to it, in a lane of its own
        for county in &self.counties {
            let lane = Lane::Down(county.node.unit);
            let mut pen = Pen::new(self.federation, &self.root, lane, books_open());
            pen.write(BOOKS_OPEN, Vec::new(), enrolment(&county.node))?;
            pen.seal()?.map_or(Ok(()), &mut *put)?;
        }
        Ok(())
    }

    /// The county's townships, employers and unions.
    fn organise(
        &mut self,
        county: usize,
        put: &mut dyn FnMut(Block) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        let code = county_code(&self.size, county as u64);
        let unions = self.unions_of(county);
        let County { node, pen, unions: known } = &mut self.counties[county];
        pen.advance(books_open() + 60_000);
        let mut townships = Vec::new();
        for number in 0..TOWNSHIPS {
            let township = format!("{code}{:03}", 100 + number);
            townships.push(territory(&township));
            let body = registered(&township, Level::Township, Some(node.unit));
            pen.write(BOOKS_OPEN, Vec::new(), body)?.map_or(Ok(()), &mut *put)?;
        }
        for number in unions {
            let township = townships[(number % TOWNSHIPS) as usize];
            for body in employer(number, township) {
                pen.write(BOOKS_OPEN, Vec::new(), body)?.map_or(Ok(()), &mut *put)?;
            }
            let host = UnitId::of_employer(&employer_code(number as u32));
            // the founding is the union's first fact and names it; a block sealed by the write before
            // it changes nothing, because seqs run on
            let branch = BranchId::of_first_fact(&pen.next_fact());
            known.push(Union { id: branch, host });
            for body in union(branch, host, number) {
                pen.write(BOOKS_OPEN, Vec::new(), body)?.map_or(Ok(()), &mut *put)?;
            }
        }
        pen.seal()?.map_or(Ok(()), &mut *put)?;
        self.townships.push(townships);
        Ok(())
    }

    fn unions_of(&self, county: usize) -> std::ops::Range<u64> {
        let (all, counties) = (self.size.unions(), self.size.counties());
        let share = all.div_ceil(counties);
        let first = (county as u64 * share).min(all);
        first..(first + share).min(all)
    }

    fn enrol_members(
        &mut self,
        county: usize,
        put: &mut dyn FnMut(Block) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        let first_union = self.unions_of(county).start;
        let most = self.size.members;
        let County { pen, unions, .. } = &mut self.counties[county];
        pen.advance(books_open() + 3_600_000);
        for (place, union) in unions.iter().enumerate() {
            let from = (first_union + place as u64) * MEMBERS_PER_UNION;
            for number in from..(from + MEMBERS_PER_UNION).min(most) {
                let (day, attributes, body) = roster::joined(number, union, 3);
                pen.write(day, attributes, body)?.map_or(Ok(()), &mut *put)?;
            }
        }
        pen.seal()?.map_or(Ok(()), &mut *put)
    }

    /// A year later: those who left, retired or went over, in the order of their unions.
    fn later(
        &mut self,
        county: usize,
        put: &mut dyn FnMut(Block) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        let first_union = self.unions_of(county).start;
        let most = self.size.members;
        let County { pen, unions, .. } = &mut self.counties[county];
        pen.advance(books_open() + 320 * DAY_MILLIS);
        for (place, union) in unions.iter().enumerate() {
            let other = &unions[(place + 7) % unions.len()];
            let from = (first_union + place as u64) * MEMBERS_PER_UNION;
            let here = from..(from + MEMBERS_PER_UNION).min(most);
            for number in here.filter(|number| roster::has_second(*number)) {
                for (day, body) in roster::second(number, union, other) {
                    pen.write(day, Vec::new(), body)?.map_or(Ok(()), &mut *put)?;
                }
            }
        }
        pen.seal()?.map_or(Ok(()), &mut *put)
    }
}

fn city_code(number: u64) -> String {
    format!("99{number:02}")
}

fn county_code(_size: &Size, number: u64) -> String {
    format!("{}{:02}", city_code(number / 10), 10 + number % 10)
}

fn employer(number: u64, township: UnitId) -> [FactBody; 2] {
    let code = employer_code(number as u32);
    let unit = UnitId::of_employer(&code);
    let registered = UnitFact::Registered {
        unit,
        kind: UnitKind::Employer,
        level: Level::Enterprise,
        parent: Some(township),
        located_in: Some(township),
        list_year: None,
        profile: profile(format!("演示单位{number}"), CodeKind::Uscc, code),
    };
    let headcount = UnitFact::HeadcountDeclared {
        unit,
        employees: 160,
        women: Some(70),
        migrant: Some(50),
        dispatched: Some(3),
    };
    [FactBody::Unit(registered), FactBody::Unit(headcount)]
}

fn union(branch: BranchId, host: UnitId, number: u64) -> [FactBody; 4] {
    let name = format!("演示单位{number}工会");
    let profile = BranchProfile { kind: BranchKind::Own, host, name, codes: Vec::new() };
    [
        FactBody::Branch(BranchFact::Founded { branch, profile }),
        FactBody::Branch(BranchFact::Approved { branch }),
        FactBody::Branch(BranchFact::CommitteeElected { branch, term_years: 5, until: None }),
        FactBody::Branch(BranchFact::WomenOrgFormed { branch, form: WomenOrg::Officer }),
    ]
}

/// Writes a province durably into a journal, as children's blocks arrive.
///
/// # Errors
/// Facts that make no block, or a journal that does not take them.
pub fn store(province: &mut Province, journal: &Journal) -> Result<(), BenchError> {
    let mut group: Vec<Entry> = Vec::with_capacity(GROUP);
    let flush = |group: &mut Vec<Entry>| {
        journal.append(group).map_err(failed("append"))?;
        group.clear();
        Ok(())
    };
    province.write(&mut |block| {
        group.push(Entry::new(block, Origin::Child));
        if group.len() == GROUP { flush(&mut group) } else { Ok(()) }
    })?;
    flush(&mut group)
}
