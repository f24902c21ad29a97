//! What waits for a unit or union that nobody knows costs nothing until that comes: neither a stolen key nor a node
//! that is late with its renewal makes every level above fold all anew with each block.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::block::Block;
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{BranchFact, FactBody, UnitFact};
use hub_core::id::{BranchId, ChainId, FactId, Lane, UnitId};
use hub_core::view::View;
use hub_core::view::verdict::{Reason, Verdict};
use hub_core_tests::world::{World, Writer};
use std::collections::BTreeMap;

/// How many blocks come after what waits.
const BLOCKS: u32 = 1_000;

/// An employer of a project without a code: its id is that of the fact that registers it.
fn registered(unit: UnitId, parent: UnitId, level: Level) -> FactBody {
    FactBody::Unit(UnitFact::Registered {
        unit,
        kind: UnitKind::Employer,
        level,
        parent: Some(parent),
        located_in: None,
        list_year: None,
        profile: UnitProfile {
            name: "演示工地".into(),
            codes: Vec::new(),
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        },
    })
}

fn counted(unit: UnitId, employees: u32) -> FactBody {
    let (women, migrant, dispatched) = (None, None, None);
    FactBody::Unit(UnitFact::HeadcountDeclared { unit, employees, women, migrant, dispatched })
}

fn founded(branch: BranchId, host: UnitId) -> FactBody {
    let name = "演示工会".to_owned();
    let profile = BranchProfile { kind: BranchKind::Own, host, name, codes: Vec::new() };
    FactBody::Branch(BranchFact::Founded { branch, profile })
}

struct Books {
    world: World,
    view: View,
    held: BTreeMap<(ChainId, u64), Block>,
}

impl Books {
    fn of(world: World) -> Self {
        let mut view = View::new(world.federation(), world.root_key());
        let held = world.source();
        view.apply_all(&world.blocks, &held);
        Self { world, view, held }
    }

    fn next(&self, writer: &Writer) -> FactId {
        let chain = writer.chain(Lane::Up);
        FactId { chain, seq: self.world.head(&chain).next_seq }
    }

    /// Writes a block and folds it; the ids of its facts.
    fn write(&mut self, writer: &Writer, bodies: Vec<FactBody>) -> Vec<FactId> {
        let block = self.world.write(writer, Lane::Up, bodies);
        let header = block.header();
        self.held.insert((header.chain, header.height), block.clone());
        self.view.apply(&block, &self.held);
        (0..header.count).map(|index| block.fact_id(index)).collect()
    }

    fn verdict(&mut self, id: &FactId) -> Verdict {
        self.view.verdict(id, &self.held).unwrap()
    }

    /// What a node would see that had all blocks at once.
    fn assert_as_replayed(&self) {
        let mut replayed = View::new(self.world.federation(), self.world.root_key());
        replayed.apply_all(&self.world.blocks, &self.held);
        assert_eq!(replayed.digest(), self.view.digest());
        assert_eq!(replayed.parked(), self.view.parked());
    }

    /// A unit with its headcount and union, in blocks that have nothing to do with anything before.
    fn goes_on(&mut self, writer: &Writer) {
        let id = self.next(writer);
        let unit = UnitId::of_registration(&id);
        self.write(
            writer,
            vec![registered(unit, writer.unit, Level::Enterprise), counted(unit, 30)],
        );
        let branch = BranchId::of_first_fact(&self.next(writer));
        self.write(writer, vec![founded(branch, unit)]);
    }
}

#[test]
fn a_correction_of_a_unit_nobody_knows_makes_nothing_fold_anew() {
    let (world, [_, county, township]) = World::populated();
    let mut books = Books::of(world);
    let (unknown, to) = (UnitId([0xa5; 16]), UnitId([0xa6; 16]));
    let rekeyed = FactBody::Unit(UnitFact::Rekeyed { unit: unknown, to });
    let rekeyed = books.write(&township, vec![rekeyed])[0];
    let waits = Verdict::Parked(Reason::UnknownSubject);
    assert_eq!(books.verdict(&rekeyed), waits);
    let before = books.view.refolds();
    for number in 0..BLOCKS / 2 {
        books.goes_on(if number % 2 == 0 { &township } else { &county });
    }
    assert_eq!(books.view.refolds(), before);
    assert_eq!(books.verdict(&rekeyed), waits);
    books.assert_as_replayed();
}

#[test]
fn what_a_late_node_founded_makes_nothing_fold_anew() {
    let (world, [_, county, township]) = World::populated();
    let mut books = Books::of(world);
    // a township that nobody has enrolled, or not again
    let late = Writer { epoch: 2, ..Writer::new(9, township.unit) };
    let branch = BranchId::of_first_fact(&books.next(&late));
    books.write(&late, vec![founded(branch, township.unit)]);
    let elected = BranchFact::CommitteeElected { branch, term_years: 5, until: None };
    let elected = books.write(&late, vec![FactBody::Branch(elected)])[0];
    assert_eq!(books.verdict(&elected), Verdict::Parked(Reason::UnknownSubject));
    let before = books.view.refolds();
    for _ in 0..BLOCKS / 10 {
        books.goes_on(&county);
    }
    assert_eq!(books.view.refolds(), before);
    books.assert_as_replayed();
}

#[test]
fn once_it_comes_what_waited_stands() {
    let (world, [_, county, township]) = World::populated();
    let mut books = Books::of(world);
    // the facts about a unit come before the block that registers it
    let registration = books.next(&county);
    let unit = UnitId::of_registration(&registration);
    let before = books.view.refolds();
    let mut waiting = books.write(&township, vec![counted(unit, 40)]);
    let branch = BranchId::of_first_fact(&books.next(&township));
    waiting.extend(books.write(&township, vec![founded(branch, unit)]));
    let elected = BranchFact::CommitteeElected { branch, term_years: 3, until: None };
    waiting.extend(books.write(&township, vec![FactBody::Branch(elected)]));
    for id in &waiting {
        assert_eq!(books.verdict(id), Verdict::Parked(Reason::UnknownSubject), "{id}");
    }
    assert_eq!(books.view.refolds(), before, "that it waits is told without folding all");
    books.goes_on(&township);
    books.write(&county, vec![registered(unit, township.unit, Level::Enterprise)]);
    for id in &waiting {
        assert_eq!(books.verdict(id), Verdict::Stands, "{id}");
    }
    assert_eq!(books.view.refolds(), before + 1);
    books.goes_on(&township);
    assert_eq!(books.view.refolds(), before + 1, "nothing waits any more");
    books.assert_as_replayed();
}

#[test]
fn of_units_registered_together_the_clocks_tell_which_comes_first() {
    let (world, [_, county, _]) = World::populated();
    let mut books = Books::of(world);
    // a group and its works below it; the block of the works comes first in the portion
    let group = UnitId::of_registration(&books.next(&county));
    let body = registered(group, county.unit, Level::Township);
    let first = books.world.write(&county, Lane::Up, vec![body]);
    let works = UnitId::of_registration(&books.next(&county));
    let body = registered(works, group, Level::Enterprise);
    let second = books.world.write(&county, Lane::Up, vec![body]);
    for block in [&first, &second] {
        books.held.insert((block.header().chain, block.header().height), block.clone());
    }
    books.view.apply_all([&second, &first], &books.held);
    assert_eq!(books.verdict(&second.fact_id(0)), Verdict::Stands);
    books.assert_as_replayed();
}
