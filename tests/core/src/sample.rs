//! One fixed fact of every kind: what the vectors of `schemas/` are made of.

use hub_core::fact::branch::{BranchKind, BranchProfile, WomenOrg};
use hub_core::fact::figure::{DeclaredRate, ElementValue};
use hub_core::fact::governance::{
    ChainHeight, Enrolment, LaneHead, RestatedBody, Restatement, Side,
};
use hub_core::fact::member::{Evidence, Flag, LeaveReason, MemberAct, Origin, Profile, Sex, Start};
use hub_core::fact::unit::{Level, Succession, UnitKind, UnitProfile};
use hub_core::fact::{
    ATTRIBUTE_FIRST_JOINED, ATTRIBUTE_IMPORT, Attribute, BranchFact, Code, CodeKind, Fact,
    FactBody, FigureFact, GovernanceFact, MemberFact, UnitFact, Withdrawn,
};
use hub_core::hash::{Hash, sha256};
use hub_core::id::{BranchId, ChainId, FactId, FederationId, Lane, MemberKey, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Precision};
use hub_core::{SigningKey, VerifyingKey};

/// The instant the samples were written: 2026-11-20T09:30:00 in Shanghai.
pub const WRITTEN: u64 = 1_795_138_200_000;

/// The key that signs all samples.
pub fn signer() -> SigningKey {
    SigningKey::from_bytes(&[0x11; 32])
}

/// Its public half.
pub fn verifier() -> VerifyingKey {
    signer().verifying_key()
}

/// The samples' federation.
pub fn federation() -> FederationId {
    FederationId::of_root_key(verifier().as_bytes())
}

/// The chain the samples stand in.
pub fn chain() -> ChainId {
    ChainId { node: NodeId::of_first_key(verifier().as_bytes()), epoch: 1, lane: Lane::Up }
}

/// A county of area prefix 99, which no real county has.
pub fn county() -> UnitId {
    UnitId::of_territory("990121", 2026)
}

/// A township in it.
pub fn township() -> UnitId {
    UnitId::of_territory("990121100", 2026)
}

/// An employer in it.
pub fn employer() -> UnitId {
    UnitId::of_employer("91990121MA0000015B")
}

/// Its union.
pub fn branch() -> BranchId {
    BranchId::of_first_fact(&fact_id(1))
}

/// The fact of this seq of the samples' chain.
pub fn fact_id(seq: u64) -> FactId {
    FactId { chain: chain(), seq }
}

fn other_branch() -> BranchId {
    BranchId::of_first_fact(&fact_id(2))
}

fn person(number: u8) -> MemberKey {
    let Hash(digest) = sha256(&[b"generated person", &[number]]);
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    MemberKey(key)
}

#[allow(clippy::expect_used, reason = "the days of the samples stand in this file")]
fn day(text: &str) -> Day {
    text.parse().expect("a day of the samples")
}

/// A fact with this body, written at [`WRITTEN`].
pub fn fact(body: FactBody) -> Fact {
    Fact {
        hlc: Hlc::at(WRITTEN),
        day: day("2026-11-19"),
        precision: Precision::Day,
        operator: 7,
        unit: township(),
        document: None,
        attributes: Vec::new(),
        body,
    }
}

/// One fact of every kind, in the order of [`hub_core::fact::KINDS`].
pub fn every_kind() -> Vec<Fact> {
    let bodies = units()
        .into_iter()
        .map(FactBody::Unit)
        .chain(branches().into_iter().map(FactBody::Branch))
        .chain(acts().into_iter().map(|act| member(1, act)))
        .chain(figures().into_iter().map(FactBody::Figure))
        .chain(governance().into_iter().map(FactBody::Governance))
        .chain([FactBody::Withdrawn(Withdrawn {
            first: fact_id(3),
            count: 2,
            reason: "重复录入".into(),
        })]);
    let mut facts: Vec<Fact> = bodies.map(fact).collect();
    for approved in facts.iter_mut().filter(|f| f.body.kind() == "branch.approved") {
        approved.document = Some("演工发〔2026〕12号".into());
        approved.unit = county();
    }
    for joined in facts.iter_mut().filter(|f| f.body.kind() == "member.joined") {
        joined.attributes = vec![
            Attribute { code: ATTRIBUTE_FIRST_JOINED, value: day("2019-05-01").0 },
            Attribute { code: ATTRIBUTE_IMPORT, value: 3 },
        ];
    }
    facts
}

/// A membership fact of generated person `number`.
pub fn member(number: u8, act: MemberAct) -> FactBody {
    FactBody::Member(MemberFact { member: person(number), branch: branch(), act })
}

fn codes() -> Vec<Code> {
    vec![Code { kind: CodeKind::Uscc, value: "91990121MA0000015B".into() }]
}

fn units() -> Vec<UnitFact> {
    vec![
        UnitFact::Registered {
            unit: employer(),
            kind: UnitKind::Employer,
            level: Level::Enterprise,
            parent: Some(township()),
            located_in: Some(township()),
            list_year: None,
            profile: UnitProfile {
                name: "演示机械厂".into(),
                codes: codes(),
                ownership: Some(170),
                industry: Some(b'C'),
                operating: true,
                no_union_reason: Some(2),
                qualified: true,
            },
        },
        UnitFact::Revised {
            unit: employer(),
            name: Some("演示机械有限公司".into()),
            codes: Vec::new(),
            ownership: Some(159),
            industry: None,
            operating: Some(false),
            no_union_reason: Some(0),
            qualified: None,
        },
        UnitFact::HeadcountDeclared {
            unit: employer(),
            employees: 126,
            women: Some(41),
            migrant: None,
            dispatched: Some(12),
        },
        UnitFact::Moved { unit: employer(), parent: Some(county()), located_in: None },
        UnitFact::Succeeded {
            old: vec![township(), UnitId::of_territory("990121101", 2026)],
            new: vec![UnitId::of_territory("990121102", 2027)],
            how: Succession::Merger,
        },
        UnitFact::Closed { unit: employer(), reason: 1 },
        UnitFact::Rekeyed { unit: UnitId::of_employer("91990121MA0000051B"), to: employer() },
    ]
}

fn branches() -> Vec<BranchFact> {
    let branch = branch();
    let profile = || BranchProfile {
        kind: BranchKind::Own,
        host: employer(),
        name: "演示机械厂工会".into(),
        codes: vec![Code { kind: CodeKind::Local, value: "D-17".into() }],
    };
    vec![
        BranchFact::Applied { branch, to: township(), profile: profile() },
        BranchFact::Approved { branch },
        BranchFact::Refused { branch, reason: "材料不全".into() },
        BranchFact::Founded { branch, profile: profile() },
        BranchFact::Revised {
            branch,
            name: None,
            codes: vec![Code { kind: CodeKind::UnionStatistical, value: "990121000123".into() }],
            kind: Some(BranchKind::Joint),
        },
        BranchFact::LegalRegistered { branch, uscc: "81990121MA00000312".into() },
        BranchFact::Covered { branch, unit: employer() },
        BranchFact::Uncovered { branch, unit: employer() },
        BranchFact::CommitteeElected { branch, term_years: 5, until: Some(day("2032-01-01")) },
        BranchFact::WomenOrgFormed { branch, form: WomenOrg::Committee },
        BranchFact::Moved { branch, host: county() },
        BranchFact::Merged { branch, into: other_branch() },
        BranchFact::Dissolved { branch, reason: 1 },
    ]
}

/// A start by roster without employer.
pub fn start() -> Start {
    Start {
        origin: Origin::New,
        evidence: Evidence::Roster,
        employer: None,
        host: None,
        from: None,
        profile: Profile { sex: Sex::Woman, migrant: Flag::No, form: 1 },
        qualified: true,
    }
}

fn acts() -> Vec<MemberAct> {
    vec![
        MemberAct::Joined(start()),
        MemberAct::TransferredIn(Start {
            origin: Origin::Transferred,
            evidence: Evidence::LabourContract,
            employer: Some(employer()),
            host: Some(county()),
            from: Some(other_branch()),
            profile: Profile { sex: Sex::Man, migrant: Flag::Yes, form: 2 },
            qualified: false,
        }),
        MemberAct::TransferredOut { to: Some(other_branch()) },
        MemberAct::Retained { reason: 1 },
        MemberAct::Left { reason: LeaveReason::Lapsed },
        MemberAct::Revised { profile: Profile { sex: Sex::Unknown, migrant: Flag::Yes, form: 3 } },
        MemberAct::Rekeyed { to: person(9), qualified: true },
        MemberAct::Erased,
    ]
}

fn figures() -> Vec<FigureFact> {
    let unit = employer();
    vec![
        FigureFact::Reported {
            unit,
            form: 1,
            period: "2026".into(),
            revision: 1,
            values: vec![
                ElementValue { element: 101, value: 126 },
                ElementValue { element: 102, value: 102 },
            ],
            rates: vec![DeclaredRate {
                numerator: 102,
                denominator: 101,
                text: "92%".into(),
                name: "入会率".into(),
            }],
            posts: [7, 8, 9],
            residual_of: vec![township()],
        },
        FigureFact::Returned { unit, report: fact_id(30), reason: "逻辑错误".into() },
        FigureFact::Approved { unit, report: fact_id(30) },
        FigureFact::PeriodClosed {
            unit: county(),
            period: "2026".into(),
            revision: 1,
            checkpoint: fact_id(40),
            digest: sha256(&[b"digest"]),
            table: sha256(&[b"table"]),
            policy: sha256(&[b"policy"]),
            definitions: sha256(&[b"definitions"]),
            reason: String::new(),
        },
        FigureFact::TargetSet {
            unit: county(),
            indicator: "founding.unit".into(),
            period: "2027".into(),
            value: 950,
        },
    ]
}

fn governance() -> Vec<GovernanceFact> {
    let node = NodeId::of_first_key(&[0x22; 32]);
    let claim = |branch| Side::Claim { member: person(1), branch };
    vec![
        GovernanceFact::NodeEnrolled(Box::new(Enrolment {
            node,
            key: [0x22; 32],
            epoch: 2,
            unit: township(),
            may_delegate: false,
            not_before: WRITTEN,
            expires: WRITTEN + 365 * 86_400_000,
            continues: Some((
                1,
                vec![LaneHead { lane: Lane::Up, height: 4, hash: sha256(&[b"head"]) }],
            )),
            person_key: vec![0x5e; 48],
        })),
        GovernanceFact::NodeRevoked {
            node,
            epoch: 2,
            last_good: vec![(Lane::Up, 9), (Lane::Down(employer()), 2)],
            reason: "密钥泄露".into(),
        },
        GovernanceFact::Ruled {
            sides: vec![claim(branch()), claim(other_branch())],
            winner: Some(1),
            from: day("2026-10-01"),
            reason: "劳动合同为准".into(),
        },
        GovernanceFact::Objected {
            member: person(1),
            branch: other_branch(),
            from: day("2026-10-01"),
            evidence: Evidence::SocialInsurance,
        },
        GovernanceFact::Restated {
            fact: FactId {
                chain: ChainId { node, epoch: 2, lane: Lane::Down(township()) },
                seq: 5,
            },
            content: Box::new(Restatement {
                hlc: Hlc::at(WRITTEN - 5_000),
                day: day("2026-11-01"),
                unit: township(),
                under: Vec::new(),
                day_stated: false,
                body: RestatedBody::Branch(BranchFact::Covered {
                    branch: other_branch(),
                    unit: employer(),
                }),
            }),
            counts: false,
            revision: 1,
        },
        GovernanceFact::Checkpointed {
            frontier: vec![ChainHeight { chain: chain(), height: 12, hash: sha256(&[b"block"]) }],
            digest: sha256(&[b"digest"]),
            part: 1,
            parts: 2,
        },
        published("catalogue", |version, hash, text| GovernanceFact::CatalogPublished {
            version,
            hash,
            text,
        }),
        published("policy", |version, hash, text| GovernanceFact::PolicyPublished {
            version,
            hash,
            text,
        }),
    ]
}

fn published(what: &str, build: impl Fn(u32, Hash, String) -> GovernanceFact) -> GovernanceFact {
    let text = format!("{{\"{what}\":1}}");
    build(1, sha256(&[text.as_bytes()]), text)
}

/// A hash that no block has.
pub fn federation_hash() -> Hash {
    sha256(&[b"no block", &federation().0])
}
