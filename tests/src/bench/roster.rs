//! Generated members: random keys, joining days over years, a few with second facts.

use super::province::{BOOKS_OPEN, Union};
use hub_core::fact::member::{Evidence, Flag, LeaveReason, MemberAct, Origin, Profile, Sex, Start};
use hub_core::fact::{ATTRIBUTE_FIRST_JOINED, ATTRIBUTE_IMPORT, Attribute, FactBody, MemberFact};
use hub_core::id::MemberKey;
use hub_core::time::Day;
use hub_core_tests::random::Random;

/// Joining days are spread over so many days before the books were opened.
const JOINING_DAYS: u64 = 20 * 365;
/// Of 1,000 members so many have a second fact.
pub const SECOND_FACTS_PER_MILLE: u64 = 30;

/// The pseudonym of the generated person of this number; different numbers have different ones.
pub fn person(number: u64) -> MemberKey {
    let mut random = Random::new(number.wrapping_mul(2).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut key = [0; 16];
    key[..8].copy_from_slice(&random.number().to_be_bytes());
    key[8..].copy_from_slice(&random.number().to_be_bytes());
    MemberKey(key)
}

/// The fact with which a generated person stands in the books of a union: day, attributes, fact.
pub fn joined(number: u64, union: &Union, import: i32) -> (Day, Vec<Attribute>, FactBody) {
    let mut random = Random::new(number ^ 0x5bd1_e995);
    let (first, second) = (random.number(), random.number());
    let day = Day(BOOKS_OPEN.0 - 1 - (first % JOINING_DAYS) as i32);
    // seven in ten stand in the old books with a stated day, three are newly enrolled
    let existing = second % 10 < 7;
    let mut attributes = vec![Attribute { code: ATTRIBUTE_IMPORT, value: import }];
    if existing {
        attributes.insert(0, Attribute { code: ATTRIBUTE_FIRST_JOINED, value: day.0 });
    }
    let start = Start {
        origin: if existing { Origin::Existing } else { Origin::New },
        evidence: Evidence::Roster,
        employer: Some(union.host),
        host: None,
        from: None,
        profile: Profile {
            sex: if second >> 8 & 127 < 54 { Sex::Woman } else { Sex::Man },
            migrant: if second >> 16 & 127 < 45 { Flag::Yes } else { Flag::No },
            form: 1,
        },
        qualified: second >> 24 & 1_023 != 0,
    };
    (day, attributes, member(number, union, MemberAct::Joined(start)))
}

fn member(number: u64, union: &Union, act: MemberAct) -> FactBody {
    FactBody::Member(MemberFact { member: person(number), branch: union.id, act })
}

/// Whether a generated person has a second fact.
pub fn has_second(number: u64) -> bool {
    Random::new(number ^ 0xc2b2_ae35).number() % 1_000 < SECOND_FACTS_PER_MILLE
}

/// The later facts of one that has: left, retained, revised, or gone over to another union.
pub fn second(number: u64, union: &Union, other: &Union) -> Vec<(Day, FactBody)> {
    let mut random = Random::new(number ^ 0x27d4_eb2f);
    let day = Day(BOOKS_OPEN.0 + 1 + (random.number() % 300) as i32);
    let one = |union: &Union, act| vec![(day, member(number, union, act))];
    match random.number() % 6 {
        0 => one(union, MemberAct::Left { reason: LeaveReason::Resigned }),
        1 => one(union, MemberAct::Left { reason: LeaveReason::Lapsed }),
        2 => one(union, MemberAct::Retained { reason: 1 }),
        3 => {
            let profile = Profile { sex: Sex::Unknown, migrant: Flag::Yes, form: 2 };
            one(union, MemberAct::Revised { profile })
        }
        _ => {
            let start = Start {
                origin: Origin::Transferred,
                evidence: Evidence::LabourContract,
                employer: Some(other.host),
                host: None,
                from: Some(union.id),
                profile: Profile { sex: Sex::Woman, migrant: Flag::No, form: 1 },
                qualified: true,
            };
            let mut facts = one(union, MemberAct::TransferredOut { to: Some(other.id) });
            facts.push((day.next(), member(number, other, MemberAct::TransferredIn(start))));
            facts
        }
    }
}
