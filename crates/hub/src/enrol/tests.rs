//! A federation founded, a county enrolled by its province, and everything that must be refused.

use super::*;
use crate::clock::SystemClock;
use crate::config::{Node, RootKey};
use crate::keys::{KeyStore, PERSON_KEY};
use crate::replica::{Draft, Replica};
use hub_core::block::Block;
use hub_core::fact::governance::LaneHead;
use hub_core::fact::unit::{Level, UnitKind, UnitProfile};
use hub_core::fact::{Code, CodeKind, FactBody, UnitFact};
use hub_core::id::UnitId;
use hub_core::time::Day;
use hub_node::wire::EnrolRequest;
use std::path::Path;
use std::sync::Arc;

fn founded(directory: &Path) -> RootKey {
    let founding = Founding {
        name: "黑龙江省".into(),
        code: "23".into(),
        list_year: 2023,
        level: Level::Province,
    };
    found(directory, &founding, Arc::new(SystemClock)).unwrap()
}

fn open(directory: &Path) -> Replica {
    Replica::open(&Node::load(directory).unwrap(), Arc::new(SystemClock)).unwrap().0
}

fn register_county(replica: &Replica) -> UnitId {
    register(replica, "2311", Level::City, "黑河市")
}

/// Registers a division right below a node's own unit.
fn register(replica: &Replica, value: &str, level: Level, name: &str) -> UnitId {
    let unit = UnitId::of_territory(value, 2023);
    let root = replica.who().unit.unwrap();
    let code = Code { kind: CodeKind::Division, value: value.into() };
    let registered = UnitFact::Registered {
        unit,
        kind: UnitKind::Territory,
        level,
        parent: Some(root),
        located_in: None,
        list_year: Some(2023),
        profile: UnitProfile {
            name: name.into(),
            codes: vec![code],
            ownership: None,
            industry: None,
            operating: true,
            no_union_reason: None,
            qualified: true,
        },
    };
    let today = Day::of_millis(replica.now());
    replica.write(vec![Draft::new(root, today, FactBody::Unit(registered))]).unwrap();
    unit
}

fn asked(directory: &Path, root_key: RootKey, now: u64) -> Vec<u8> {
    let asking = Asking { root_key, unit: "黑河市".into(), token: String::new() };
    request(directory, &asking, now).unwrap().1
}

#[test]
fn a_node_is_enrolled_and_learns_the_person_key() {
    let home = tempfile::tempdir().unwrap();
    let (province, city) = (home.path().join("province"), home.path().join("city"));
    let root_key = founded(&province);
    let replica = open(&province);
    let unit = register_county(&replica);
    let bytes = asked(&city, root_key, replica.now());
    let request = requested(&replica, &bytes).unwrap();
    let approval = Approval { unit, may_delegate: true, days: 365, with_person_key: true };
    let children = province.join("children.toml");
    let approved = approve(&replica, &request, &approval, &children).unwrap();
    assert!(std::fs::read_to_string(&children).unwrap().contains(&request.courier));

    let accepted = accept(&city, &approved.answer, Some("nats://127.0.0.1:4222"), None).unwrap();
    assert_eq!(accepted.enrolment.unit, unit);
    assert!(accepted.person_key);
    let key = |directory: &Path| {
        *KeyStore::new(directory.join("keys")).load(PERSON_KEY).unwrap().unwrap()
    };
    assert_eq!(key(&province), key(&city));
    let node = Node::load(&city).unwrap();
    assert_eq!(node.config.parent.unwrap().node, replica.who().node);
    let server = replica.read().authority().enrolment_of((request.node, 1)).map(|e| e.unit);
    assert_eq!(server, replica.read().tree().find(&unit));
    // taken in again without a server, it goes on with the one it knows
    accept(&city, &approved.answer, None, None).unwrap();
    let parent = Node::load(&city).unwrap().config.parent.unwrap();
    assert_eq!(parent.url.as_deref(), Some("nats://127.0.0.1:4222"));
}

#[test]
fn what_does_not_lead_from_the_pinned_root_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (province, city) = (home.path().join("province"), home.path().join("city"));
    let (other, stray) = (home.path().join("other"), home.path().join("stray"));
    let root_key = founded(&province);
    let replica = open(&province);
    let unit = register_county(&replica);
    let other_key = founded(&other);
    let mut bytes = asked(&city, root_key, replica.now());
    // a request to another federation, and one changed on the way
    let foreign = asked(&stray, other_key, replica.now());
    assert!(matches!(requested(&replica, &foreign), Err(EnrolError::Wire(_))));
    let request = requested(&replica, &bytes).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(matches!(requested(&replica, &bytes), Err(EnrolError::Signature(_))));

    let approval = Approval { unit, may_delegate: false, days: 365, with_person_key: false };
    let children = province.join("children.toml");
    let approved = approve(&replica, &request, &approval, &children).unwrap();
    assert!(accept(&stray, &approved.answer, None, None).is_err());
    for place in (0..approved.answer.len()).step_by(7) {
        let mut wrong = approved.answer.clone();
        wrong[place] ^= 1;
        let accepted = accept(&city, &wrong, None, None);
        assert!(accepted.is_err() || accepted.unwrap().enrolment == approved.enrolment);
    }
    assert!(
        found(
            &province,
            &Founding {
                name: "又一".into(),
                code: "99".into(),
                list_year: 2023,
                level: Level::Province,
            },
            Arc::new(SystemClock)
        )
        .is_err()
    );
}

/// All that one node holds and the other lacks: the frame of the tree and the enrolment as they flow down, or what is
/// shipped up.
fn flows(from: &Replica, to: &Replica) {
    let node = from.who().node;
    let stored = from.journal().scan(hub_log::Position::START).map(Result::unwrap);
    let blocks = stored.map(|stored| stored.block);
    let lacks = |block: &Block| {
        let header = block.header();
        to.journal().contains(&header.chain, header.height).unwrap().is_none()
    };
    let storing = |block| hub_node::io::Storing { block, from: node, beside: false };
    to.ingest(blocks.filter(lacks).map(storing).collect()).unwrap();
}

/// A province and a city that it has enrolled, both open, and the city's unit.
fn enrolled(home: &Path, may_delegate: bool) -> (Replica, Replica, UnitId) {
    let (province, city) = (home.join("province"), home.join("city"));
    let root_key = founded(&province);
    let replica = open(&province);
    let unit = register_county(&replica);
    let request = requested(&replica, &asked(&city, root_key, replica.now())).unwrap();
    let approval = Approval { unit, may_delegate, days: 365, with_person_key: false };
    let children = province.join("children.toml");
    let approved = approve(&replica, &request, &approval, &children).unwrap();
    accept(&city, &approved.answer, None, None).unwrap();
    let child = open(&city);
    flows(&replica, &child);
    (replica, child, unit)
}

#[test]
fn a_new_epoch_goes_on_where_the_parent_holds_the_one_before() {
    let home = tempfile::tempdir().unwrap();
    let (replica, child, unit) = enrolled(home.path(), true);
    for code in ["231102", "231121", "231123"] {
        register(&child, code, Level::County, code);
    }
    flows(&child, &replica);
    let (epoch, whole) = (1, child.heads_of(1));
    let at = |height: u64| {
        let chain = child.who().chain(whole[0].lane);
        let hash = child.journal().contains(&chain, height).unwrap().unwrap();
        LaneHead { lane: chain.lane, height, hash }
    };
    let (second, last) = (at(2), at(3));
    assert_eq!(whole, std::slice::from_ref(&last));
    drop(child);
    let (node, bytes) = renew(&home.path().join("city"), Arc::new(SystemClock)).unwrap();
    let asked = requested(&replica, &bytes).unwrap();
    assert_eq!(asked.continues, Some((epoch, whole)));
    assert!(is_proven(&replica, &asked, unit).unwrap());
    let other = LaneHead { hash: last.hash, ..second };
    for (named, told) in [
        (vec![last], vec![last]),
        // put back from an older backup, or from none
        (vec![second], vec![last]),
        (Vec::new(), vec![last]),
        // of a side that is not held here
        (vec![other], vec![other]),
    ] {
        let request = EnrolRequest { continues: Some((epoch, named)), ..asked.clone() };
        let changed = request.continues != asked.continues;
        assert_eq!(is_proven(&replica, &request, unit).is_err(), changed, "the proof covers it");
        let approval = Approval { unit, may_delegate: true, days: 9, with_person_key: false };
        let children = home.path().join("province/children.toml");
        let enrolment = approve(&replica, &request, &approval, &children).unwrap().enrolment;
        assert_eq!(enrolment.continues, Some((epoch, told)));
        // from the request on: the node has served its unit all along
        assert_eq!((enrolment.node, enrolment.not_before), (node, asked.requested_at));
    }
}

#[test]
fn who_may_not_delegate_brings_nobody_in() {
    for may_delegate in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let (replica, child, _) = enrolled(home.path(), may_delegate);
        let unit = register(&child, "231102", Level::County, "爱辉区");
        let (root_key, county) = (RootKey(*replica.read().root_key()), home.path().join("county"));
        let request = requested(&child, &asked(&county, root_key, child.now())).unwrap();
        let approval = Approval { unit, may_delegate: false, days: 365, with_person_key: false };
        let children = home.path().join("city/children.toml");
        let answer = approve(&child, &request, &approval, &children).unwrap().answer;
        let accepted = accept(&county, &answer, None, None);
        assert_eq!(accepted.is_ok(), may_delegate, "{accepted:?}");
    }
}

#[test]
fn a_restored_node_signs_again_only_in_a_new_epoch() {
    let home = tempfile::tempdir().unwrap();
    let (province, city) = (home.path().join("province"), home.path().join("city"));
    let root_key = founded(&province);
    let replica = open(&province);
    let unit = register_county(&replica);
    let bytes = asked(&city, root_key, replica.now());
    let request = requested(&replica, &bytes).unwrap();
    let approval = Approval { unit, may_delegate: true, days: 365, with_person_key: true };
    let children = province.join("children.toml");
    let approved = approve(&replica, &request, &approval, &children).unwrap();
    accept(&city, &approved.answer, None, None).unwrap();
    let child = open(&city);
    flows(&replica, &child);
    assert!(child.may_sign().is_ok());
    drop(child);

    std::fs::write(city.join(hub_log::backup::RESTORED_FILE), "").unwrap();
    let child = open(&city);
    assert_eq!(child.may_sign(), Err(crate::replica::SigningRefused::Restored));
    drop(child);
    let (node, bytes) = renew(&city, Arc::new(SystemClock)).unwrap();
    let request = requested(&replica, &bytes).unwrap();
    assert_eq!((request.node, request.epoch, request.unit.as_str()), (node, 2, "黑河市"));
    let approved = approve(&replica, &request, &approval, &children).unwrap();
    accept(&city, &approved.answer, None, None).unwrap();
    assert!(open(&city).may_sign().is_ok());
    let renewed = replica.read().authority().enrolment_of((node, 2)).map(|e| e.unit);
    assert_eq!(renewed, replica.read().tree().find(&unit));
    assert!(renew(&province, Arc::new(SystemClock)).is_err(), "the root has nobody above it");
}
