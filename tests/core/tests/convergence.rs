//! DESIGN §6: the view is a pure function of the set of blocks. Random federations, folded in any order,
//! with any duplication and in any portions, come out the same, and what they come out as is conserved.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::audit::{Category, Conserved, conserve};
use hub_core::block::Block;
use hub_core::fact::governance::GovernanceFact;
use hub_core::fact::{FactBody, UnitFact};
use hub_core::hash::Hash;
use hub_core::id::{BranchId, ChainId, FactId, MemberKey, UnitId};
use hub_core::time::Day;
use hub_core::view::cell::Class;
use hub_core::view::claim::{CaseState, Cause, Span, Status};
use hub_core::view::decision::Sides;
use hub_core::view::verdict::{Reason, Verdict};
use hub_core::view::{Conflict, View};
use hub_core_tests::federation::{Federation, expected};
use hub_core_tests::offices::Blocks;
use hub_core_tests::random::Random;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How many federations, and how many acts each.
const WORLDS: u32 = 200;
const ACTS: usize = 150;

/// Always the same federations, so that a failure repeats.
fn seeded(cases: u32) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[0x5a; 32]);
    TestRunner::new_with_rng(Config { cases, failure_persistence: None, ..Config::default() }, rng)
}

type NamedSpan = (Day, Day, BranchId, Option<UnitId>, String);

/// All that may be asked of a view, by names that do not depend on arrival.
#[derive(Debug, PartialEq)]
struct Picture {
    digest: Hash,
    members: Hash,
    parked: BTreeMap<Reason, u64>,
    conflicts: Vec<(MemberKey, Conflict)>,
    verdicts: BTreeMap<FactId, Verdict>,
    spans: BTreeMap<MemberKey, Vec<NamedSpan>>,
}

fn spans_of(view: &mut View, key: &MemberKey, blocks: &Blocks) -> Vec<NamedSpan> {
    let spans = view.person(key, blocks);
    let unit = |at| view.tree().unit(view.tree().canonical(at)).id;
    let named = spans.iter().map(|span| {
        let branch = view.branches().branch(span.branch).id;
        let rest = format!(
            "{:?} {} {} {} {:?} {} {:?} {:?}",
            span.status,
            span.holder,
            span.tied,
            span.qualified,
            span.profile,
            span.enrolled,
            span.began,
            span.ended
        );
        (span.from, span.to, branch, span.employer.map(unit), rest)
    });
    let mut named: Vec<NamedSpan> = named.collect();
    named.sort();
    named
}

fn picture<'a>(
    view: &mut View,
    world: &Federation,
    applied: impl Iterator<Item = &'a Block>,
) -> Picture {
    let mut verdicts = BTreeMap::new();
    for block in applied {
        for (index, verdict) in view.block_verdicts(block).into_iter().enumerate() {
            verdicts.insert(block.fact_id(index as u32), verdict);
        }
    }
    let persons = world.persons.iter();
    Picture {
        digest: view.digest(),
        members: view.member_digest(),
        parked: view.parked(),
        conflicts: view.conflicts(),
        spans: persons.map(|key| (*key, spans_of(view, key, &world.blocks))).collect(),
        verdicts,
    }
}

/// M8: what cells count is what persons are, and nobody is twice on one day.
fn assert_conserved(view: &mut View, world: &Federation) {
    let mut expected = BTreeMap::new();
    let mut add = |span: &Span, from: Day, class: u8, count: i32| {
        if from != Day::OPEN {
            *expected.entry((span.branch, span.employer, from, class)).or_insert(0) += count;
        }
    };
    for key in &world.persons {
        let spans = view.person(key, &world.blocks);
        for span in &spans {
            assert!(span.from < span.to, "{span:?} is empty");
            let class = Class::of(span);
            add(span, span.from, class.byte(), 1);
            add(span, span.to, class.byte(), -1);
            if span.enrolled && span.qualified {
                add(span, span.from, class.as_enrolled().byte(), 1);
            }
        }
        assert_one_holder(&spans);
    }
    if let Some(day) = view.last_day() {
        let conserved = conserve(view, &world.blocks, day);
        assert_eq!(conserved.broken, [], "{conserved:?}");
        assert_eq!(conserved.placed.iter().sum::<i64>(), held(&conserved), "{conserved:?}");
    }
    expected.retain(|_, count| *count != 0);
    let mut found = BTreeMap::new();
    for cell in view.cells().all() {
        for (day, class, count) in cell.changes() {
            *found.entry((cell.branch, cell.employer, day, class.byte())).or_insert(0) += count;
        }
    }
    assert_eq!(found, expected, "cells and persons differ");
}

fn held(conserved: &Conserved) -> i64 {
    conserved.categories.get(&Category::Held).map_or(0, |count| *count as i64)
}

fn assert_one_holder(spans: &[Span]) {
    let mut holders: Vec<(Day, Day)> =
        spans.iter().filter(|span| span.holder).map(|span| (span.from, span.to)).collect();
    holders.sort_unstable();
    assert!(holders.windows(2).all(|pair| pair[0].1 <= pair[1].0), "two holders: {spans:?}");
    let is_held = |day: Day| holders.iter().any(|(from, to)| *from <= day && day < *to);
    for span in spans.iter().filter(|span| !span.holder) {
        // a loser loses against somebody; who is in transit is nobody's
        let bounds = spans.iter().map(|other| other.from).chain([span.from]);
        for day in bounds.filter(|day| span.from <= *day && *day < span.to) {
            let fits = match span.status {
                Status::InTransit => !is_held(day),
                // objected out, or ruled out, and nobody else there
                Status::Disputed | Status::Overruled => true,
                _ => is_held(day),
            };
            assert!(fits, "{span:?} of {spans:?}");
        }
    }
    for (at, span) in spans.iter().enumerate() {
        let same = |other: &&Span| other.branch == span.branch;
        let apart = |other: &Span| other.to <= span.from || span.to <= other.from;
        assert!(spans[at + 1..].iter().filter(same).all(apart), "twice at one union: {spans:?}");
    }
}

fn empty(world: &Federation) -> View {
    View::new(world.id(), world.root_key)
}

fn replay<'a>(world: &Federation, blocks: impl Iterator<Item = &'a Block>) -> View {
    let mut view = empty(world);
    view.apply_all(blocks, &world.blocks);
    view
}

/// How often each thing happened.
#[derive(Debug, Default)]
struct Fired(BTreeMap<String, u64>);

impl Fired {
    fn count(&mut self, what: impl Into<String>, times: usize) {
        *self.0.entry(what.into()).or_default() += times as u64;
    }

    /// Everything the rules can say; a name nobody counts stays at zero.
    fn expecting() -> Self {
        let names = expected::PARKED.iter().map(|name| format!("parked: {name}"));
        let names = names.chain(expected::STATUSES.iter().map(|name| format!("status: {name}")));
        let names = names.chain(expected::STANDING.iter().map(|name| format!("stands: {name}")));
        let names = names.chain(expected::RULES.iter().map(|name| (*name).to_owned()));
        Self(names.map(|name| (name, 0)).collect())
    }

    fn note(&mut self, world: &Federation, view: &mut View, picture: &Picture) {
        for (what, facts) in &world.tried {
            let standing = facts.iter().filter(|fact| picture.verdicts[fact].stands()).count();
            self.count(format!("stands: {what}"), standing);
        }
        for (reason, count) in &picture.parked {
            self.count(format!("parked: {reason}"), *count as usize);
        }
        for (_, conflict) in &picture.conflicts {
            let what = match conflict {
                Conflict::DualMembership { state, .. } => match state {
                    CaseState::Auto => "taken over, auto",
                    CaseState::Confirmed => "taken over, confirmed",
                    CaseState::Objected => "taken over, objected",
                    CaseState::Ruled => "taken over, ruled",
                },
                Conflict::Disputed { holder: None, .. } => "in dispute only",
                Conflict::Disputed { objected: true, .. } => "objected out",
                Conflict::Disputed { tied: true, .. } => "disputed by a tie",
                Conflict::Disputed { .. } => "disputed",
                Conflict::NoEffect { .. } => "objection without effect",
                Conflict::OrphanEnd { .. } => "orphan end",
                Conflict::ForeignDeath { .. } => "foreign death",
            };
            self.count(format!("conflict: {what}"), 1);
        }
        for cell in view.cells().all() {
            for (_, class, count) in cell.changes().filter(|(_, _, count)| *count > 0) {
                self.count(format!("status: {:?}", class.status()), count as usize);
                self.count("held by a tie", usize::from(class.is_tied()));
            }
        }
        for key in &world.persons {
            let spans = view.person(key, &world.blocks);
            let below = spans.iter().filter(|s| s.status == Status::Retained && !s.holder);
            self.count("retained below a holder", below.count());
            let of_status = |status| spans.iter().filter(|s| s.status == status).count();
            self.count("ruled out", of_status(Status::Overruled));
            let reopened = spans.iter().filter(|s| s.began == Cause::Reopened);
            self.count("opened again", reopened.count());
        }
        self.count("in doubt", view.doubts().count());
        for ruling in view.decisions().in_force() {
            let what = match ruling.sides {
                Sides::Registrations(..) => "a ruling in force over registrations",
                _ => "a ruling in force over unions",
            };
            self.count(what, 1);
        }
        let counting = view.branches().all.iter().filter(|branch| branch.counts_from().is_some());
        self.count("a union that counts", counting.count());
        let figures = view.figures();
        let standing = figures.all().filter(|(series, _)| figures.standing_of(series).is_some());
        self.count("a report that stands", standing.count());
        self.note_figures(view);
        self.note_authority(world, view, picture);
    }

    fn note_figures(&mut self, view: &View) {
        let figures = view.figures();
        for (series, reports) in figures.all() {
            let Some(standing) = figures.standing_of(series) else { continue };
            let later = reports.filter(|r| r.returned.is_empty()).map(|r| r.revision).max();
            let beaten = later.is_some_and(|revision| revision > standing.revision);
            self.count("a report approved before a later revision", usize::from(beaten));
        }
        let counted = figures.counted(view.tree(), 1, "2025");
        self.count("a figure in totals", counted.reports.len());
        for overlap in &counted.overlaps {
            let what = match overlap.unit == overlap.left_out_of {
                true => "an own figure left out for a residual one",
                false => "a residual figure left out for another",
            };
            self.count(what, 1);
        }
    }

    fn note_authority(&mut self, world: &Federation, view: &View, picture: &Picture) {
        for (fact, verdict) in &picture.verdicts {
            let Verdict::Withdrawn(by) = verdict else { continue };
            let what = match view.fact(fact).map(|known| &known.fact.body) {
                Some(FactBody::Governance(GovernanceFact::NodeEnrolled(_))) => "enrolment",
                Some(FactBody::Governance(GovernanceFact::NodeRevoked { .. })) => "cut",
                Some(FactBody::Unit(UnitFact::Moved { .. })) => "move",
                Some(FactBody::Unit(UnitFact::Registered { .. })) => "registration",
                Some(FactBody::Branch(_)) => "union fact",
                Some(FactBody::Figure(_)) => "figure",
                Some(FactBody::Governance(
                    GovernanceFact::Ruled { .. } | GovernanceFact::Objected { .. },
                )) => "decision",
                None => "member fact",
                _ => "another",
            };
            self.count(format!("withdrawn: {what}"), 1);
            let foreign = by.chain.node != fact.chain.node;
            self.count("withdrawn by another node", usize::from(foreign));
        }
        for fact in world.tried.get("headcount").into_iter().flatten() {
            let Some(known) = view.fact(fact) else { continue };
            let FactBody::Unit(unit) = &known.fact.body else { continue };
            let Some(at) = view.tree().find(&unit.unit()) else { continue };
            let server = view.authority().server_of(view.tree(), at, known.fact.hlc);
            let Some(server) = server.map(|enrolled| &enrolled.enrolment) else { continue };
            let own = (server.node, server.epoch) == (fact.chain.node, fact.chain.epoch);
            let what = match picture.verdicts[fact] {
                Verdict::Stands if !own => "the old node in the hand-over",
                Verdict::Parked(Reason::NoAuthority) if own => "nobody during an expiry",
                Verdict::Stands if gave_back(view, at, known.fact.hlc) => "cut and given back",
                _ => continue,
            };
            self.count(what, 1);
        }
    }
}

/// Whether a node for the unit itself, or one above it, was cut off before `at`.
fn gave_back(view: &View, unit: u32, at: hub_core::time::Hlc) -> bool {
    let path = view.tree().path_on(unit, Day::OPEN);
    let authority = view.authority();
    authority.enrolments.iter().any(|enrolled| {
        let writer = (enrolled.enrolment.node, enrolled.enrolment.epoch);
        let cut = authority.cuts.get(&writer).is_some_and(|cut| cut.word_ends < at);
        cut && path.contains(&enrolled.unit) && enrolled.issued < at
    })
}

/// The blocks in any order, some twice, in portions of any size.
fn portions(world: &Federation, rng: &mut Random) -> Vec<Vec<(ChainId, u64)>> {
    let mut order = world.order.clone();
    let doubled: Vec<_> = order.iter().copied().filter(|_| rng.one_in(5)).collect();
    order.extend(doubled);
    rng.shuffle(&mut order);
    let mut portions = Vec::new();
    while !order.is_empty() {
        let size = (1 + rng.index(40)).min(order.len());
        portions.push(order.split_off(order.len() - size));
    }
    portions
}

#[test]
fn any_order_duplication_and_split_give_one_view() {
    let fired = RefCell::new(Fired::expecting());
    let sizes = RefCell::new((0_usize, 0_usize, 0_usize));
    seeded(WORLDS)
        .run(&any::<u64>(), |seed| {
            let world = Federation::of(seed, ACTS);
            let mut whole = replay(&world, world.order.iter().map(|place| &world.blocks[place]));
            let expected = picture(&mut whole, &world, world.blocks.values());
            assert_conserved(&mut whole, &world);
            let mut rng = Random::new(seed ^ 1);
            let mut view = empty(&world);
            for portion in portions(&world, &mut rng) {
                for place in &portion {
                    view.add(&world.blocks[place]);
                }
                view.settle(&world.blocks);
                assert_conserved(&mut view, &world);
            }
            let found = picture(&mut view, &world, world.blocks.values());
            prop_assert_eq!(&found, &expected);
            fired.borrow_mut().note(&world, &mut whole, &expected);
            let mut sizes = sizes.borrow_mut();
            sizes.0 += world.blocks.len();
            sizes.1 += expected.verdicts.len();
            sizes.2 += expected.verdicts.values().filter(|verdict| verdict.stands()).count();
            Ok(())
        })
        .unwrap();
    let (blocks, facts, standing) = sizes.into_inner();
    println!("{WORLDS} federations, {blocks} blocks, {facts} facts, {standing} standing");
    let fired = fired.into_inner().0;
    fired.iter().for_each(|(what, times)| println!("{times:>7}  {what}"));
    let silent: Vec<&String> =
        fired.iter().filter(|(_, times)| **times == 0).map(|(what, _)| what).collect();
    assert!(silent.is_empty(), "never happened: {silent:?}");
}

#[test]
fn replay_equals_incremental_after_every_block() {
    seeded(8)
        .run(&any::<u64>(), |seed| {
            let world = Federation::of(seed, 60);
            let mut order = world.order.clone();
            if seed % 2 == 0 {
                Random::new(seed).shuffle(&mut order);
            }
            let mut view = empty(&world);
            for upto in 1..=order.len() {
                let prefix = || order[..upto].iter().map(|place| &world.blocks[place]);
                view.apply(&world.blocks[&order[upto - 1]], &world.blocks);
                assert_conserved(&mut view, &world);
                let mut fresh = replay(&world, prefix());
                let found = picture(&mut view, &world, prefix());
                prop_assert_eq!(found, picture(&mut fresh, &world, prefix()));
            }
            Ok(())
        })
        .unwrap();
}
