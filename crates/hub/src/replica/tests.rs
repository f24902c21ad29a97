//! A replica on a real directory: what is written is there, in order, in the right lane, once.

use super::*;
use crate::clock::SetClock;
use crate::config::{Config, RootKey};
use hub_core::fact::branch::{BranchKind, BranchProfile};
use hub_core::fact::governance::Enrolment;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{BranchFact, Code, CodeKind, GovernanceFact, UnitFact};
use hub_core::id::{BranchId, FactId, Lane, UnitId};
use hub_core::time::Day;
use hub_node::io::Storing;

const NOW: Millis = 1_790_000_000_000;

struct World {
    directory: tempfile::TempDir,
    clock: Arc<SetClock>,
    node: Node,
    key: SigningKey,
}

fn profile(name: &str, kind: CodeKind, code: &str) -> UnitProfile {
    UnitProfile {
        name: name.into(),
        codes: vec![Code { kind, value: code.into() }],
        ownership: None,
        industry: None,
        operating: true,
        no_union_reason: None,
        qualified: true,
    }
}

fn territory(code: &str, level: Level, parent: Option<UnitId>) -> FactBody {
    FactBody::Unit(UnitFact::Registered {
        unit: UnitId::of_territory(code, 2023),
        kind: UnitKind::Territory,
        level,
        parent,
        located_in: None,
        list_year: Some(2023),
        profile: profile("演示市", CodeKind::Division, code),
    })
}

fn employer(name: &str, code: &str, parent: UnitId) -> FactBody {
    FactBody::Unit(UnitFact::Registered {
        unit: UnitId::of_employer(code),
        kind: UnitKind::Employer,
        level: Level::Enterprise,
        parent: Some(parent),
        located_in: None,
        list_year: None,
        profile: profile(name, CodeKind::Uscc, code),
    })
}

const CODES: [&str; 2] = ["91230000M000100Y43", "91231100M000100Y43"];

fn province() -> UnitId {
    UnitId::of_territory("23", 2023)
}

fn city() -> UnitId {
    UnitId::of_territory("2311", 2023)
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeyStore::new(directory.path().join("keys"));
        let key = keys.create_signing_key(1).unwrap();
        let root = key.verifying_key().to_bytes();
        let own = Config::of_node(RootKey(root), NodeId::of_first_key(&root));
        let config = Config { head_copy: Some("outside/heads".into()), ..own };
        std::fs::create_dir(directory.path().join("outside")).unwrap();
        let node = Node { config, base: directory.path().to_owned() };
        Self { directory, clock: Arc::new(SetClock::new(NOW)), node, key }
    }

    fn open(&self) -> Replica {
        Replica::open(&self.node, self.clock.clone()).unwrap().0
    }

    fn day(&self) -> Day {
        Day::of_millis(NOW)
    }

    fn found(&self, replica: &Replica) {
        let (who, day) = (replica.who(), self.day());
        let enrolment = Enrolment {
            node: who.node,
            key: self.key.verifying_key().to_bytes(),
            epoch: 1,
            unit: province(),
            may_delegate: true,
            not_before: 0,
            expires: NOW * 2,
            continues: None,
            person_key: Vec::new(),
        };
        let drafts = [
            territory("23", Level::Province, None),
            FactBody::Governance(GovernanceFact::NodeEnrolled(Box::new(enrolment))),
            territory("2311", Level::City, Some(province())),
        ];
        let drafts = drafts.into_iter().map(|body| Draft::new(province(), day, body)).collect();
        replica.write(drafts).unwrap();
    }
}

#[test]
fn a_damaged_place_is_counted_when_the_books_are_opened_again() {
    let world = World::new();
    let replica = world.open();
    world.found(&replica);
    replica
        .write(vec![Draft::new(city(), world.day(), employer("某厂", CODES[0], city()))])
        .unwrap();
    assert_eq!(replica.damaged(), 0);
    let first = replica.journal().scan(Position::START).next().unwrap().unwrap().block;
    let body = first.body_bytes().to_vec();
    drop(replica);

    let segment = world.directory.path().join("journal/00000000.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.windows(body.len()).position(|window| window == body).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert_eq!(world.open().damaged(), 1);
}

#[test]
fn what_is_written_is_in_the_view_and_comes_back() {
    let world = World::new();
    let replica = world.open();
    world.found(&replica);
    assert_eq!(replica.who().unit, Some(province()));
    let digest = replica.ask(|view, _| view.digest());
    drop(replica);

    let replica = world.open();
    assert_eq!(replica.ask(|view, _| view.digest()), digest);
    assert_eq!(replica.who().unit, Some(province()));
    let lanes: Vec<Lane> = replica.journal().heads().keys().map(|chain| chain.lane).collect();
    assert_eq!(lanes, [Lane::Down(province())]);
}

#[test]
fn what_a_node_below_serves_goes_down_to_it() {
    let world = World::new();
    let replica = world.open();
    world.found(&replica);
    let below = SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes();
    let enrolment = Enrolment {
        node: NodeId::of_first_key(&below),
        key: below,
        epoch: 1,
        unit: city(),
        may_delegate: true,
        not_before: 0,
        expires: NOW * 2,
        continues: None,
        person_key: Vec::new(),
    };
    let enrolled = FactBody::Governance(GovernanceFact::NodeEnrolled(Box::new(enrolment)));
    replica.write(vec![Draft::new(province(), world.day(), enrolled)]).unwrap();

    let [own, other] = CODES.map(UnitId::of_employer);
    let ids: Vec<FactId> = replica
        .transact(|transaction| {
            let mut push = |body| transaction.push(Draft::new(province(), world.day(), body));
            let mut ids = vec![
                push(employer("演示甲", CODES[0], province())),
                push(employer("演示乙", CODES[1], city())),
            ];
            for host in [own, other] {
                ids.push(transaction.push_with(|id| {
                    let branch = BranchId::of_first_fact(&id);
                    let profile = BranchProfile {
                        kind: BranchKind::Own,
                        host,
                        name: "演示工会".into(),
                        codes: Vec::new(),
                    };
                    let body = FactBody::Branch(BranchFact::Founded { branch, profile });
                    Draft::new(province(), world.day(), body)
                }));
            }
            Ok::<_, WriteError>(ids)
        })
        .unwrap();
    let lanes: Vec<Lane> = ids.iter().map(|id| id.chain.lane).collect();
    assert_eq!(lanes, [Lane::Up, Lane::Down(city()), Lane::Up, Lane::Down(city())]);
    // The ids told beforehand are the ids they have.
    let view = replica.read();
    for id in &ids[2..] {
        let FactBody::Branch(fact) = &view.fact(id).unwrap().fact.body else { panic!("{id}") };
        assert_eq!(fact.branch(), BranchId::of_first_fact(id));
    }
}

#[test]
fn many_writers_share_the_disk_and_none_is_lost() {
    let world = World::new();
    let replica = world.open();
    world.found(&replica);
    std::thread::scope(|scope| {
        for writer in 0..8_u32 {
            let (replica, day) = (&replica, world.day());
            scope.spawn(move || {
                for number in 0..25_u32 {
                    let code = format!("9123{writer:04}{number:08}00");
                    let unit = UnitId::of_employer(&code);
                    let body = employer("演示", &code, province());
                    replica.write(vec![Draft::new(province(), day, body)]).unwrap();
                    assert!(replica.read().tree().find(&unit).is_some());
                }
            });
        }
    });
    let up = replica.who().chain(Lane::Up);
    assert_eq!(replica.journal().head(&up).unwrap().next_seq, 201);
    let (blocks, end) = replica.read_after(LocalPosition::START, usize::MAX);
    assert_eq!((blocks.len(), end), (201, replica.end()));
    assert!(blocks.windows(2).all(|pair| pair[0].position < pair[1].position));
    let digest = replica.ask(|view, _| view.digest());
    drop(replica);
    let replica = world.open();
    assert_eq!(replica.ask(|view, _| view.digest()), digest);

    // From the disk as from memory, in pieces as whole.
    let (mut after, mut read) = (LocalPosition::START, Vec::new());
    loop {
        let (blocks, end) = replica.read_after(after, 2_000);
        if blocks.is_empty() {
            break;
        }
        assert!(end > after);
        read.extend(blocks.into_iter().map(|block| block.block.hash()));
        after = end;
    }
    let whole: Vec<_> = blocks.iter().map(|block| block.block.hash()).collect();
    assert_eq!(read, whole);
}

#[test]
fn a_clock_that_went_back_or_an_older_directory_does_not_sign() {
    let world = World::new();
    let replica = world.open();
    world.found(&replica);
    replica.save_head_copy().unwrap();
    world.clock.set(NOW - CLOCK_BACK_MILLIS - 1_000);
    assert!(matches!(replica.may_sign(), Err(SigningRefused::ClockBack { .. })));
    world.clock.set(NOW);
    replica.heard_parent_clock(NOW + CLOCK_OFF_MILLIS + 1);
    assert!(matches!(replica.may_sign(), Err(SigningRefused::ClockOff { .. })));
    replica.heard_parent_clock(NOW);
    replica.may_sign().unwrap();
    drop(replica);

    // A backup without the last blocks is put back.
    for folder in ["journal", "index"] {
        std::fs::remove_dir_all(world.directory.path().join(folder)).unwrap();
    }
    let replica = world.open();
    let refused = replica.may_sign().unwrap_err();
    assert!(matches!(refused, SigningRefused::Behind { expected: 1, found: 0, .. }), "{refused}");
    // The copy keeps what it knows.
    replica.save_head_copy().unwrap();
    drop(replica);
    assert!(world.open().may_sign().is_err());
}

#[test]
fn a_block_is_never_too_long() {
    let world = World::new();
    let replica = world.open();
    world.found(&replica);
    let long = "长".repeat(150);
    let drafts = (0..1_500).map(|number| {
        let body = employer(&long, &format!("9123{number:014}"), province());
        Draft::new(province(), world.day(), body)
    });
    let ids = replica.write(drafts.collect()).unwrap();
    assert_eq!(ids.len(), 1_500);
    let head = replica.journal().head(&replica.who().chain(Lane::Up)).unwrap();
    assert!(head.height > 1 && head.next_seq == 1_501, "{head:?}");
}

#[test]
fn a_fact_out_of_bounds_leaves_nothing_behind() {
    let world = World::new();
    let replica = world.open();
    world.found(&replica);
    let end = replica.end();
    let good = employer("演示", CODES[0], province());
    let mut bad = Draft::new(province(), world.day(), good.clone());
    bad.document = Some("x".repeat(10_000));
    let drafts = vec![Draft::new(province(), world.day(), good.clone()), bad];
    assert!(matches!(replica.write(drafts), Err(WriteError::Seal(_))));
    assert_eq!(replica.end(), end);
    let ids = replica.write(vec![Draft::new(province(), world.day(), good)]).unwrap();
    assert_eq!(ids[0].seq, 1);
}

/// The world on a copy of its directory, keys and all.
fn copy_of(world: &World) -> World {
    fn copy(from: &std::path::Path, to: &std::path::Path) {
        for entry in std::fs::read_dir(from).unwrap() {
            let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
            if from.is_dir() {
                std::fs::create_dir(&to).unwrap();
                copy(&from, &to);
            } else {
                std::fs::copy(&from, &to).unwrap();
            }
        }
    }
    let directory = tempfile::tempdir().unwrap();
    copy(world.directory.path(), directory.path());
    let node = Node { config: world.node.config.clone(), base: directory.path().to_owned() };
    World { directory, clock: Arc::clone(&world.clock), node, key: world.key.clone() }
}

/// A world, and a copy of it that has registered two employers, each in a block of its own: those blocks, as the
/// machine says to store them that saw nothing at their places.
fn copied() -> (World, Vec<Storing>) {
    let world = World::new();
    world.found(&world.open());
    let clone = copy_of(&world);
    let replica = clone.open();
    for code in CODES {
        let body = employer("演示", code, province());
        replica.write(vec![Draft::new(province(), world.day(), body)]).unwrap();
    }
    let up = replica.who().chain(Lane::Up);
    let block = |height| replica.journal().block(&up, height).unwrap().unwrap();
    let from = NodeId([7; 16]);
    let storing = |height| Storing { block: block(height), from, beside: false };
    let blocks = vec![storing(1), storing(2)];
    (world, blocks)
}

#[test]
fn what_a_copy_wrote_at_a_place_taken_meanwhile_stands_beside_with_what_follows_it() {
    for together in [true, false] {
        let (world, blocks) = copied();
        let replica = world.open();
        let body = employer("演示丙", "91231100M000200Y43", province());
        replica.write(vec![Draft::new(province(), world.day(), body)]).unwrap();
        let up = replica.who().chain(Lane::Up);
        let own = replica.journal().head(&up).unwrap();
        let sides: Vec<_> = blocks.iter().map(|storing| storing.block.hash()).collect();
        if together {
            replica.ingest(blocks).unwrap();
        } else {
            for storing in blocks {
                replica.ingest(vec![storing]).unwrap();
            }
        }
        assert_eq!(replica.journal().head(&up), Some(own), "its own chain is as it was");
        for (height, hash) in (1..).zip(&sides) {
            assert!(replica.journal().is_beside(&up, height, hash), "height {height}");
        }
        assert!(matches!(replica.may_sign(), Err(SigningRefused::Forked { .. })));
    }
}

#[test]
fn what_came_back_of_its_own_chain_is_followed_by_what_is_written_next() {
    let (world, blocks) = copied();
    let replica = world.open();
    replica.ingest(blocks).unwrap();
    let body = employer("演示丙", "91231100M000200Y43", province());
    replica.write(vec![Draft::new(province(), world.day(), body)]).unwrap();
    let up = replica.who().chain(Lane::Up);
    assert_eq!(replica.journal().head(&up).unwrap().height, 3);
    let digest = replica.ask(|view, _| view.digest());
    drop(replica);
    assert_eq!(world.open().ask(|view, _| view.digest()), digest);
}
