//! How many bytes facts take (DESIGN §14: at most 28 a fact in full blocks, at most 320 a single-fact
//! block, frame and index included). Sizes are exact, so these are tests and no benchmarks.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core::block::{Block, Place};
use hub_core::chain::ChainHead;
use hub_core::fact::member::{Flag, MemberAct, Origin, Profile, Sex, Start};
use hub_core::fact::{ATTRIBUTE_IMPORT, Attribute, Fact, FactBody, MemberFact};
use hub_core::hash::{Hash, sha256};
use hub_core::header::{BLOCK_BYTES_MAX, FACTS_MAX};
use hub_core::id::{BranchId, MemberKey, UnitId};
use hub_core::time::{Day, Hlc};
use hub_core_tests::sample;

/// What the journal puts before a block.
const FRAME_BYTES: usize = hub_log::FRAME_HEADER_BYTES;

fn place() -> Place {
    ChainHead::empty(Hash::ZERO).next_place(sample::federation(), sample::chain())
}

fn digest(label: &str, number: u32) -> [u8; 16] {
    let Hash(digest) = sha256(&[label.as_bytes(), &number.to_be_bytes()]);
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

/// An import of a county's roster: unions of some 140 members, sorted by union; every member has sex,
/// migrant flag, form and a first joining day of its own; clocks tick by counter.
fn import(number: u32) -> Fact {
    let noise = digest("noise", number);
    let union = number / 143;
    let sex = if noise[0] < 108 { Sex::Woman } else { Sex::Man };
    let migrant = if noise[1] < 90 { Flag::Yes } else { Flag::No };
    let start = Start {
        origin: if noise[2] < 240 { Origin::Existing } else { Origin::New },
        employer: Some(UnitId(digest("employer", union))),
        profile: Profile { sex, migrant, form: 1 },
        ..sample::start()
    };
    let joined = 14_000 + i32::from(u16::from_be_bytes([noise[3], noise[4]]) % 6_500);
    let mut fact = sample::fact(FactBody::Member(MemberFact {
        member: MemberKey(digest("person", number)),
        branch: BranchId(digest("union", union)),
        act: MemberAct::Joined(start),
    }));
    fact.hlc = Hlc(Hlc::at(sample::WRITTEN).0 + u64::from(number));
    fact.day = Day(joined);
    fact.attributes = vec![Attribute { code: ATTRIBUTE_IMPORT, value: 3 }];
    fact
}

#[test]
fn a_full_import_block_takes_at_most_28_bytes_a_fact() {
    let facts: Vec<Fact> = (0..FACTS_MAX).map(import).collect();
    let block = Block::seal(place(), &facts, &sample::signer()).unwrap();
    let bytes = block.bytes().len() + FRAME_BYTES;
    println!("import block: {bytes} bytes, {:.2} a fact", bytes as f64 / f64::from(FACTS_MAX));
    assert!(bytes <= 28 * FACTS_MAX as usize, "{bytes} bytes");
    assert!(block.bytes().len() <= BLOCK_BYTES_MAX);
}

/// What a cadre or a job writes one at a time. What carries a name and codes, or more than one union or
/// unit beside its own, may be longer, so the bound holds for the mean.
#[test]
fn a_block_of_one_fact_takes_at_most_320_bytes() {
    let longer = [
        "unit.registered",
        "unit.revised",
        "unit.succeeded",
        "branch.applied",
        "branch.founded",
        "member.transferred_in",
        "member.transferred_out",
        "member.rekeyed",
    ];
    let (mut sum, mut count) = (0, 0);
    for fact in sample::every_kind() {
        if !matches!(fact.body, FactBody::Unit(_) | FactBody::Branch(_) | FactBody::Member(_)) {
            continue;
        }
        let kind = fact.body.kind();
        let block = Block::seal(place(), &[fact], &sample::signer()).unwrap();
        let bytes = block.bytes().len() + FRAME_BYTES;
        println!("{kind:28} {bytes}");
        assert!(bytes <= if longer.contains(&kind) { 376 } else { 320 }, "{kind}: {bytes}");
        sum += bytes;
        count += 1;
    }
    println!("mean {}", sum / count);
    assert!(sum <= 320 * count, "mean {}", sum / count);
}
