//! What is said about conflicts: their kinds, how far they have come, what decided, what can be done.

use super::Lang;
use hub_core::case::{CaseKind, CaseState, Ground, Standing};
use hub_core::fact::member::Evidence;
use hub_core::hash::hex_encode;
use hub_core::id::MemberKey;

/// What kind of conflict it is.
pub fn kind(lang: Lang, kind: CaseKind) -> &'static str {
    let (zh, en) = kind_words(kind);
    lang.pick(zh, en)
}

fn kind_words(kind: CaseKind) -> (&'static str, &'static str) {
    match kind {
        CaseKind::DualMembership => ("重复会籍", "dual membership"),
        CaseKind::DisputedMembership => ("会籍争议", "disputed membership"),
        CaseKind::OrphanEnd => ("无会籍的退出", "end without membership"),
        CaseKind::ForeignDeath => ("他会登记的死亡", "death stated elsewhere"),
        CaseKind::ObjectionWithoutEffect => ("异议不生效", "objection without effect"),
        CaseKind::DoubleOwnUnion => ("一单位两工会", "two own unions"),
        CaseKind::DisputedUnit => ("归口争议", "disputed unit"),
        CaseKind::DuplicateBranch => ("工会重复登记", "union registered twice"),
        CaseKind::ResidualOverlap => ("其余数重复填报", "residual figure overlaps"),
        CaseKind::RulingParked => ("裁定暂存未计", "ruling parked"),
        CaseKind::ObjectionParked => ("异议暂存未计", "objection parked"),
    }
}

/// Whether a word names this kind in either language.
pub fn is_kind(kind: CaseKind, word: &str) -> bool {
    let (zh, en) = kind_words(kind);
    word == zh || word == en
}

/// How far it has come.
pub fn state(lang: Lang, state: CaseState) -> &'static str {
    let (zh, en) = state_words(state);
    lang.pick(zh, en)
}

fn state_words(state: CaseState) -> (&'static str, &'static str) {
    match state {
        CaseState::Open => ("待处理", "open"),
        CaseState::Auto => ("已按规则处理", "decided by rule"),
        CaseState::Confirmed => ("双方一致", "confirmed"),
        CaseState::Objected => ("有异议", "objected"),
        CaseState::Ruled => ("已裁定", "ruled"),
        CaseState::Settled => ("已了结", "settled"),
    }
}

/// Whether a word names this state in either language.
pub fn is_state(state: CaseState, word: &str) -> bool {
    let (zh, en) = state_words(state);
    word == zh || word == en
}

/// What decided, in a few words.
pub fn ground(lang: Lang, ground: Ground) -> &'static str {
    let (zh, en) = match ground {
        Ground::Ruling => ("上级裁定", "ruling"),
        Ground::Objection => ("异议", "objection"),
        Ground::Retained => ("对方为保留会籍", "the other is retained"),
        Ground::Kind => ("工会类型在先", "kind of union"),
        Ground::NotSelfDeclared => ("对方仅本人申报", "the other is self-declared"),
        Ground::LaterStart => ("后入会", "later start"),
        Ground::Evidence => ("依据更强", "stronger evidence"),
        Ground::Clock => ("仅录入先后", "order of entry only"),
        Ground::EarlierCounting => ("计入在先", "counted earlier"),
        Ground::EarlierApproval => ("批复在先", "approved earlier"),
        Ground::CountingUnion => ("已批复工会的归口", "where its union was approved"),
        Ground::EarlierRegistration => ("仅登记先后", "order of registration only"),
        Ground::Nothing => ("尚无", "nothing yet"),
    };
    lang.pick(zh, en)
}

/// What decided, as a sentence.
pub fn ground_sentence(lang: Lang, ground: Ground) -> &'static str {
    let (zh, en) = match ground {
        Ground::Ruling => {
            ("共同上级已作裁定,按裁定计。", "A common superior has ruled; the ruling counts.")
        }
        Ground::Objection => (
            "原工会提出的异议生效,原会籍恢复计入。",
            "The earlier union's objection acts: its membership counts again.",
        ),
        Ground::Retained => (
            "一方为保留会籍,在职的会籍为准。",
            "One membership is retained; the active one counts.",
        ),
        Ground::Kind => (
            "单位工会、联合工会先于区域性、行业性工会,再先于灵活就业工会。",
            "A unit's own or joint union goes before a regional or industrial one, and that before one \
             for flexible workers.",
        ),
        Ground::NotSelfDeclared => (
            "仅凭本人申报的一方让位于有登记依据的一方。",
            "What rests on the person's word alone gives way to what has a record.",
        ),
        Ground::LaterStart => (
            "一次入会、动态接转:后入会的单位为准,原会籍自动转出。",
            "One person, one membership: the later start counts and closes the earlier.",
        ),
        Ground::Evidence => (
            "入会日期相同,依据更强的一方为准(劳动合同>社会保险>花名册>本人申报)。",
            "Same day: the stronger evidence counts (labour contract, social insurance, roster, own word).",
        ),
        Ground::Clock => (
            "两方条件相同,暂按录入先后计,属于争议,应由双方核对或上级裁定。",
            "Both are alike; the order of entry decides for now. It is disputed: check it or have it ruled.",
        ),
        Ground::EarlierCounting => (
            "同一单位两个工会,批复并成立在先的计入。",
            "Two unions of one unit: the one approved and founded first counts.",
        ),
        Ground::EarlierApproval => (
            "同一单位两个工会同日成立,批复在先的计入。",
            "Two unions of one unit from the same day: the earlier approval counts.",
        ),
        Ground::CountingUnion => (
            "单位在两处登记,按其已批复工会的归口计。",
            "Registered twice: it counts where its approved union belongs.",
        ),
        Ground::EarlierRegistration => (
            "单位在两处登记,又没有已批复的工会,暂按登记先后计,属于争议,应由共同上级裁定。",
            "Registered twice and without an approved union; the earlier registration counts for now. It \
             is disputed: a common superior should rule.",
        ),
        Ground::Nothing => ("没有规则可以自动处理,需要人来核对。", "No rule decides; people must."),
    };
    lang.pick(zh, en)
}

/// How a side stands.
pub fn standing(lang: Lang, standing: Standing) -> &'static str {
    match standing {
        Standing::Counts => lang.pick("计入", "counts"),
        Standing::Disputed => lang.pick("不计入,列为争议", "not counted, listed as disputed"),
        Standing::Uncounted => lang.pick("不计入", "not counted"),
    }
}

/// What a membership rests on.
pub fn evidence(lang: Lang, evidence: Evidence) -> &'static str {
    let (zh, en) = match evidence {
        Evidence::SelfDeclared => ("本人申报", "own word"),
        Evidence::Roster => ("花名册", "roster"),
        Evidence::SocialInsurance => ("社会保险", "social insurance"),
        Evidence::LabourContract => ("劳动合同", "labour contract"),
    };
    lang.pick(zh, en)
}

/// A person whose name this node does not keep.
pub fn unnamed_member(lang: Lang, member: &MemberKey) -> String {
    let short = hex_encode(&member.0[..4]);
    lang.pick(
        format!("会员 {short}(姓名不在本节点)"),
        format!("member {short} (name not kept here)"),
    )
}
