//! Random facts for properties: every kind, every bound, every optional field.

use hub_core::fact::branch::{BranchKind, BranchProfile, WomenOrg};
use hub_core::fact::figure::{DeclaredRate, ElementValue};
use hub_core::fact::governance::{
    ChainHeight, Enrolment, LaneHead, RestatedBody, Restatement, Side,
};
use hub_core::fact::member::{Evidence, Flag, LeaveReason, MemberAct, Origin, Profile, Sex, Start};
use hub_core::fact::unit::{Level, Succession, UnitKind, UnitProfile};
use hub_core::fact::{
    Attribute, BranchFact, Code, CodeKind, Fact, FactBody, FigureFact, GovernanceFact, MemberFact,
    UnitFact, Withdrawn,
};
use hub_core::hash::Hash;
use hub_core::id::{BranchId, ChainId, FactId, Lane, MemberKey, NodeId, UnitId};
use hub_core::time::{Day, Hlc, Precision};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Units from a small pool, so that dictionaries and conflicts have something to do.
pub fn unit() -> impl Strategy<Value = UnitId> + Clone {
    (0_u8..12).prop_map(|number| UnitId([number; 16]))
}

/// Unions from a small pool.
pub fn branch() -> impl Strategy<Value = BranchId> + Clone {
    (1_u8..9).prop_map(|number| BranchId([number; 16]))
}

/// Persons from a small pool and beyond it.
pub fn person() -> impl Strategy<Value = MemberKey> + Clone {
    prop_oneof![
        (1_u8..9).prop_map(|number| MemberKey([number; 16])),
        any::<[u8; 16]>().prop_map(MemberKey)
    ]
}

/// Days a fact may name, the usual ones more often.
pub fn day() -> impl Strategy<Value = Day> + Clone {
    prop_oneof![
        4 => (18_000_i32..21_000).prop_map(Day),
        1 => (Day::FIRST.0..=Day::LAST.0).prop_map(Day)
    ]
}

/// Texts without control characters, empty, Chinese, long.
pub fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        Just(String::new()),
        "[A-Z0-9]{1,20}",
        "[一-龥]{1,12}",
        (1_usize..=512).prop_map(|length| "n".repeat(length))
    ]
}

fn node() -> impl Strategy<Value = NodeId> + Clone {
    (1_u8..5).prop_map(|number| NodeId([number; 16]))
}

fn hash() -> impl Strategy<Value = Hash> + Clone {
    any::<[u8; 32]>().prop_map(Hash)
}

fn lane() -> impl Strategy<Value = Lane> + Clone {
    prop_oneof![Just(Lane::Up), unit().prop_map(Lane::Down)]
}

/// Any chain of a few nodes.
pub fn chain() -> impl Strategy<Value = ChainId> + Clone {
    (node(), 1_u32..4, lane()).prop_map(|(node, epoch, lane)| ChainId { node, epoch, lane })
}

/// Any fact id of a few chains.
pub fn fact_id() -> impl Strategy<Value = FactId> + Clone {
    (chain(), 1_u64..1 << 40).prop_map(|(chain, seq)| FactId { chain, seq })
}

fn codes() -> impl Strategy<Value = Vec<Code>> + Clone {
    let kind = prop_oneof![
        Just(CodeKind::Division),
        Just(CodeKind::Uscc),
        Just(CodeKind::UnionUscc),
        Just(CodeKind::UnionStatistical),
        Just(CodeKind::Local),
    ];
    vec((kind, text()).prop_map(|(kind, value)| Code { kind, value }), 0..4)
}

fn industry() -> impl Strategy<Value = Option<u8>> + Clone {
    option::of(b'A'..=b'T')
}

fn unit_profile() -> BoxedStrategy<UnitProfile> {
    let coded = (option::of(any::<u16>()), industry(), option::of(any::<u16>()));
    (text(), codes(), coded, any::<bool>(), any::<bool>())
        .prop_map(|(name, codes, (ownership, industry, no_union_reason), operating, qualified)| {
            UnitProfile { name, codes, ownership, industry, operating, no_union_reason, qualified }
        })
        .boxed()
}

/// Every kind of unit fact.
pub fn unit_fact() -> BoxedStrategy<UnitFact> {
    let kind = prop_oneof![
        Just(UnitKind::Territory),
        Just(UnitKind::Employer),
        Just(UnitKind::SystemCommittee),
        Just(UnitKind::Industry),
        Just(UnitKind::Park),
        Just(UnitKind::Group),
        Just(UnitKind::Community),
    ];
    let level = proptest::sample::select(Level::ALL.to_vec());
    let registered = (
        (unit(), kind, level),
        (option::of(unit()), option::of(unit()), option::of(any::<u16>())),
        unit_profile(),
    );
    let coded = (option::of(any::<u16>()), industry(), option::of(any::<u16>()));
    let flags = (option::of(any::<bool>()), option::of(any::<bool>()));
    let succession =
        prop_oneof![Just(Succession::Merger), Just(Succession::Split), Just(Succession::Redraw)];
    prop_oneof![
        registered.prop_map(|((unit, kind, level), (parent, located_in, list_year), profile)| {
            UnitFact::Registered { unit, kind, level, parent, located_in, list_year, profile }
        }),
        (unit(), option::of(text()), codes(), coded, flags).prop_map(
            |(unit, name, codes, (ownership, industry, reason), (operating, qualified))| {
                UnitFact::Revised {
                    unit,
                    name,
                    codes,
                    ownership,
                    industry,
                    operating,
                    no_union_reason: reason,
                    qualified,
                }
            }
        ),
        (unit(), any::<u32>(), vec(option::of(any::<u32>()), 3)).prop_map(
            |(unit, employees, some)| UnitFact::HeadcountDeclared {
                unit,
                employees,
                women: some[0],
                migrant: some[1],
                dispatched: some[2],
            }
        ),
        (unit(), option::of(unit()), option::of(unit()))
            .prop_map(|(unit, parent, located_in)| UnitFact::Moved { unit, parent, located_in }),
        (vec(unit(), 1..5), vec(unit(), 1..5), succession)
            .prop_map(|(old, new, how)| UnitFact::Succeeded { old, new, how }),
        (unit(), any::<u16>()).prop_map(|(unit, reason)| UnitFact::Closed { unit, reason }),
        (unit(), unit()).prop_map(|(unit, to)| UnitFact::Rekeyed { unit, to }),
    ]
    .boxed()
}

fn branch_kind() -> impl Strategy<Value = BranchKind> + Clone {
    prop_oneof![
        Just(BranchKind::Own),
        Just(BranchKind::Joint),
        Just(BranchKind::Regional),
        Just(BranchKind::Industrial),
        Just(BranchKind::Flexible),
        Just(BranchKind::Federation),
        Just(BranchKind::System),
        Just(BranchKind::SubBranch),
    ]
}

/// Every kind of union fact.
pub fn branch_fact() -> BoxedStrategy<BranchFact> {
    let profile = (branch_kind(), unit(), text(), codes())
        .prop_map(|(kind, host, name, codes)| BranchProfile { kind, host, name, codes });
    let term = (prop_oneof![Just(3_u8), Just(5_u8)], option::of(day()));
    prop_oneof![
        (branch(), unit(), profile.clone()).prop_map(|(branch, to, profile)| BranchFact::Applied {
            branch,
            to,
            profile
        }),
        branch().prop_map(|branch| BranchFact::Approved { branch }),
        (branch(), text()).prop_map(|(branch, reason)| BranchFact::Refused { branch, reason }),
        (branch(), profile).prop_map(|(branch, profile)| BranchFact::Founded { branch, profile }),
        (branch(), option::of(text()), codes(), option::of(branch_kind())).prop_map(
            |(branch, name, codes, kind)| BranchFact::Revised { branch, name, codes, kind }
        ),
        (branch(), text()).prop_map(|(branch, uscc)| BranchFact::LegalRegistered { branch, uscc }),
        (branch(), unit()).prop_map(|(branch, unit)| BranchFact::Covered { branch, unit }),
        (branch(), unit()).prop_map(|(branch, unit)| BranchFact::Uncovered { branch, unit }),
        (branch(), term).prop_map(|(branch, (term_years, until))| {
            BranchFact::CommitteeElected { branch, term_years, until }
        }),
        (branch(), prop_oneof![Just(WomenOrg::Committee), Just(WomenOrg::Officer)])
            .prop_map(|(branch, form)| BranchFact::WomenOrgFormed { branch, form }),
        (branch(), unit()).prop_map(|(branch, host)| BranchFact::Moved { branch, host }),
        (branch(), branch()).prop_map(|(branch, into)| BranchFact::Merged { branch, into }),
        (branch(), any::<u16>())
            .prop_map(|(branch, reason)| BranchFact::Dissolved { branch, reason }),
    ]
    .boxed()
}

fn profile() -> impl Strategy<Value = Profile> + Clone {
    let sex = prop_oneof![Just(Sex::Unknown), Just(Sex::Man), Just(Sex::Woman)];
    let flag = prop_oneof![Just(Flag::Unknown), Just(Flag::No), Just(Flag::Yes)];
    (sex, flag, 0_u8..16).prop_map(|(sex, migrant, form)| Profile { sex, migrant, form })
}

fn evidence() -> impl Strategy<Value = Evidence> + Clone {
    prop_oneof![
        Just(Evidence::SelfDeclared),
        Just(Evidence::Roster),
        Just(Evidence::SocialInsurance),
        Just(Evidence::LabourContract),
    ]
}

/// Every kind of membership fact.
pub fn member_fact() -> BoxedStrategy<MemberFact> {
    let origin = prop_oneof![
        Just(Origin::Existing),
        Just(Origin::New),
        Just(Origin::Transferred),
        Just(Origin::Resumed),
    ];
    let named = (option::of(unit()), option::of(unit()), option::of(branch()));
    let start = (origin, evidence(), named, profile(), any::<bool>()).prop_map(
        |(origin, evidence, (employer, host, from), profile, qualified)| Start {
            origin,
            evidence,
            employer,
            host,
            from,
            profile,
            qualified,
        },
    );
    let leave = prop_oneof![
        Just(LeaveReason::Resigned),
        Just(LeaveReason::Lapsed),
        Just(LeaveReason::Expelled),
        Just(LeaveReason::Deceased),
    ];
    let act = prop_oneof![
        3 => start.clone().prop_map(MemberAct::Joined),
        1 => start.prop_map(MemberAct::TransferredIn),
        1 => option::of(branch()).prop_map(|to| MemberAct::TransferredOut { to }),
        1 => any::<u8>().prop_map(|reason| MemberAct::Retained { reason }),
        1 => leave.prop_map(|reason| MemberAct::Left { reason }),
        1 => profile().prop_map(|profile| MemberAct::Revised { profile }),
        1 => (person(), any::<bool>())
            .prop_map(|(to, qualified)| MemberAct::Rekeyed { to, qualified }),
        1 => Just(MemberAct::Erased),
    ];
    (person(), branch(), act)
        .prop_map(|(member, branch, act)| MemberFact { member, branch, act })
        .boxed()
}

/// Every kind of figure fact.
pub fn figure_fact() -> BoxedStrategy<FigureFact> {
    let values = btree_map(any::<u32>(), any::<i64>(), 0..6).prop_map(|values| {
        values.into_iter().map(|(element, value)| ElementValue { element, value }).collect()
    });
    let rate = (any::<u32>(), any::<u32>(), text(), text()).prop_map(
        |(numerator, denominator, text, name)| DeclaredRate { numerator, denominator, text, name },
    );
    let reported = (
        (unit(), any::<u32>(), text(), any::<u32>()),
        (values, vec(rate, 0..3), any::<[u32; 3]>(), vec(unit(), 0..3)),
    );
    let closed = ((unit(), text(), any::<u32>(), fact_id()), vec(hash(), 4), text());
    prop_oneof![
        reported.prop_map(
            |((unit, form, period, revision), (values, rates, posts, residual_of))| {
                FigureFact::Reported {
                    unit,
                    form,
                    period,
                    revision,
                    values,
                    rates,
                    posts,
                    residual_of,
                }
            }
        ),
        (unit(), fact_id(), text()).prop_map(|(unit, report, reason)| FigureFact::Returned {
            unit,
            report,
            reason
        }),
        (unit(), fact_id()).prop_map(|(unit, report)| FigureFact::Approved { unit, report }),
        closed.prop_map(|((unit, period, revision, checkpoint), hashes, reason)| {
            FigureFact::PeriodClosed {
                unit,
                period,
                revision,
                checkpoint,
                digest: hashes[0],
                table: hashes[1],
                policy: hashes[2],
                definitions: hashes[3],
                reason,
            }
        }),
        (unit(), text(), text(), any::<i64>()).prop_map(|(unit, indicator, period, value)| {
            FigureFact::TargetSet { unit, indicator, period, value }
        }),
    ]
    .boxed()
}

fn enrolment() -> BoxedStrategy<Enrolment> {
    let head = (lane(), any::<u64>(), hash()).prop_map(|(lane, height, hash)| LaneHead {
        lane,
        height,
        hash,
    });
    let continues = option::of((any::<u32>(), vec(head, 0..3)));
    let times = (0..1_u64 << 47, 0..1_u64 << 47).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let whom = (node(), any::<[u8; 32]>(), 1..=u32::MAX, unit());
    (whom, any::<bool>(), times, continues, vec(any::<u8>(), 0..=256))
        .prop_map(
            |((node, key, epoch, unit), may_delegate, (not_before, expires), continues, sealed)| {
                Enrolment {
                    node,
                    key,
                    epoch,
                    unit,
                    may_delegate,
                    not_before,
                    expires,
                    continues,
                    person_key: sealed,
                }
            },
        )
        .boxed()
}

fn side() -> impl Strategy<Value = Side> + Clone {
    prop_oneof![
        (person(), branch()).prop_map(|(member, branch)| Side::Claim { member, branch }),
        (unit(), unit()).prop_map(|(unit, parent)| Side::Registration { unit, parent }),
        branch().prop_map(|branch| Side::Branch { branch }),
    ]
}

fn withdrawn() -> impl Strategy<Value = Withdrawn> + Clone {
    (fact_id(), 1_u64..1 << 40, text()).prop_map(|(first, count, reason)| Withdrawn {
        first,
        count,
        reason,
    })
}

fn restatement() -> BoxedStrategy<Restatement> {
    let body = prop_oneof![
        unit_fact().prop_map(RestatedBody::Unit),
        branch_fact().prop_map(RestatedBody::Branch),
        member_fact().prop_map(RestatedBody::Member),
        figure_fact().prop_map(RestatedBody::Figure),
        withdrawn().prop_map(RestatedBody::Withdrawn),
        (vec(side(), 2..5), day()).prop_map(|(sides, from)| RestatedBody::Ruled {
            sides,
            winner: Some(1),
            from,
            level: Level::City,
        }),
        (person(), branch(), day()).prop_map(|(member, branch, from)| RestatedBody::Objected {
            member,
            branch,
            from,
            evidence: Evidence::Roster,
        }),
    ];
    (any::<u64>().prop_map(Hlc), day(), unit(), vec(unit(), 0..3), any::<bool>(), body)
        .prop_map(|(hlc, day, unit, under, day_stated, body)| Restatement {
            hlc,
            day,
            unit,
            under,
            day_stated,
            body,
        })
        .boxed()
}

/// Every kind of governance fact.
pub fn governance_fact() -> BoxedStrategy<GovernanceFact> {
    let ruled = vec(side(), 2..5).prop_flat_map(|sides| {
        let winner = option::of(0..sides.len() as u32);
        (Just(sides), winner, day(), text())
    });
    let height = (chain(), any::<u64>(), hash()).prop_map(|(chain, height, hash)| ChainHeight {
        chain,
        height,
        hash,
    });
    let published = || (any::<u32>(), hash(), "[^a]{0,300}");
    prop_oneof![
        enrolment().prop_map(|enrolment| GovernanceFact::NodeEnrolled(Box::new(enrolment))),
        (node(), any::<u32>(), vec((lane(), any::<u64>()), 0..4), text()).prop_map(
            |(node, epoch, last_good, reason)| GovernanceFact::NodeRevoked {
                node,
                epoch,
                last_good,
                reason
            }
        ),
        ruled.prop_map(|(sides, winner, from, reason)| GovernanceFact::Ruled {
            sides,
            winner,
            from,
            reason
        }),
        (person(), branch(), day(), evidence()).prop_map(|(member, branch, from, evidence)| {
            GovernanceFact::Objected { member, branch, from, evidence }
        }),
        (fact_id(), restatement(), any::<bool>(), any::<u32>()).prop_map(
            |(fact, content, counts, revision)| GovernanceFact::Restated {
                fact,
                content: Box::new(content),
                counts,
                revision
            }
        ),
        (vec(height, 0..4), hash(), 1..4_u32, 0..4_u32).prop_map(
            |(mut frontier, digest, part, more)| {
                frontier.sort_unstable();
                frontier.dedup_by_key(|head| head.chain);
                GovernanceFact::Checkpointed { frontier, digest, part, parts: part + more }
            }
        ),
        published().prop_map(|(version, hash, text)| GovernanceFact::CatalogPublished {
            version,
            hash,
            text
        }),
        published().prop_map(|(version, hash, text)| GovernanceFact::PolicyPublished {
            version,
            hash,
            text
        }),
    ]
    .boxed()
}

/// Every kind of fact that travels in rows.
pub fn row_body() -> BoxedStrategy<FactBody> {
    prop_oneof![
        unit_fact().prop_map(FactBody::Unit),
        branch_fact().prop_map(FactBody::Branch),
        figure_fact().prop_map(FactBody::Figure),
        governance_fact().prop_map(FactBody::Governance),
        withdrawn().prop_map(FactBody::Withdrawn),
    ]
    .boxed()
}

fn frame(body: BoxedStrategy<FactBody>) -> BoxedStrategy<Fact> {
    let precision =
        prop_oneof![Just(Precision::Day), Just(Precision::Month), Just(Precision::Year)];
    let attributes = btree_map(0_u16..20, any::<i32>(), 0..4).prop_map(|pairs| {
        pairs.into_iter().map(|(code, value)| Attribute { code, value }).collect()
    });
    let operator = prop_oneof![0_u32..4, any::<u32>()];
    (day(), precision, operator, unit(), option::of(text()), attributes, body)
        .prop_map(|(day, precision, operator, unit, document, attributes, body)| Fact {
            hlc: Hlc::ZERO,
            day,
            precision,
            operator,
            unit,
            document,
            attributes,
            body,
        })
        .boxed()
}

/// A clock under facts: each step forward from `start`.
fn clocked(start: u64, steps: Vec<u64>, mut facts: Vec<Fact>) -> Vec<Fact> {
    let mut clock = Hlc(start);
    for (fact, step) in facts.iter_mut().zip(steps) {
        clock = Hlc(clock.0 + step);
        fact.hlc = clock;
    }
    facts
}

fn batch(body: BoxedStrategy<FactBody>, most: usize) -> impl Strategy<Value = Vec<Fact>> {
    vec((frame(body), prop_oneof![1_u64..3, 1_u64..1 << 40]), 1..=most)
        .prop_flat_map(|pairs| {
            let (facts, steps): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            (0_u64..1 << 60, Just(steps), Just(facts))
        })
        .prop_map(|(start, steps, facts)| clocked(start, steps, facts))
}

/// Facts of one block of rows, with rising clocks.
pub fn rows(most: usize) -> impl Strategy<Value = Vec<Fact>> {
    batch(row_body(), most)
}

/// Facts of one block of columns, with rising clocks.
pub fn members(most: usize) -> impl Strategy<Value = Vec<Fact>> {
    batch(member_fact().prop_map(FactBody::Member).boxed(), most)
}

/// Facts of one block, either codec.
pub fn block_facts(most: usize) -> impl Strategy<Value = Vec<Fact>> {
    prop_oneof![rows(most), members(most)]
}
