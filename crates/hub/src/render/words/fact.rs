//! What the kinds of facts are called (DOMAIN §9; `schemas/facts.md`).

use super::Lang;

/// The words for a kind of fact; an unknown kind is shown by its code.
pub fn kind(lang: Lang, kind: &'static str) -> &'static str {
    let known = WORDS.iter().find(|(code, ..)| *code == kind);
    known.map_or(kind, |(_, zh, en)| lang.pick(zh, en))
}

/// Whether a word names this kind: its code, or what it is called in either language.
pub fn is_kind(kind: &str, word: &str) -> bool {
    let known = WORDS.iter().find(|(code, ..)| *code == kind);
    kind == word || known.is_some_and(|(_, zh, en)| *zh == word || *en == word)
}

const WORDS: [(&str, &str, &str); 42] = [
    ("unit.registered", "单位登记", "unit registered"),
    ("unit.revised", "单位信息变更", "unit revised"),
    ("unit.headcount_declared", "职工人数申报", "headcount declared"),
    ("unit.moved", "归口变更", "unit moved"),
    ("unit.succeeded", "单位承继(撤并、改制)", "unit succeeded"),
    ("unit.closed", "单位注销", "unit closed"),
    ("unit.rekeyed", "单位代码更正", "unit code corrected"),
    ("branch.applied", "申请建会", "union applied for"),
    ("branch.approved", "批复建会", "union approved"),
    ("branch.refused", "不予批复", "union refused"),
    ("branch.founded", "工会成立", "union founded"),
    ("branch.revised", "工会信息变更", "union revised"),
    ("branch.legal_registered", "法人资格登记", "legal person registered"),
    ("branch.covered", "纳入覆盖", "employer covered"),
    ("branch.uncovered", "退出覆盖", "employer uncovered"),
    ("branch.committee_elected", "换届选举", "committee elected"),
    ("branch.women_org_formed", "建立女职工组织", "women's organisation formed"),
    ("branch.moved", "工会划转", "union moved"),
    ("branch.merged", "工会合并", "unions merged"),
    ("branch.dissolved", "工会撤销", "union dissolved"),
    ("member.joined", "入会", "joined"),
    ("member.transferred_in", "会籍转入", "transferred in"),
    ("member.transferred_out", "会籍转出", "transferred out"),
    ("member.retained", "保留会籍", "membership retained"),
    ("member.left", "离会", "left"),
    ("member.revised", "会员信息变更", "member revised"),
    ("member.rekeyed", "证件号码更正", "number corrected"),
    ("member.erased", "个人信息删除", "person erased"),
    ("figure.reported", "填报", "figure reported"),
    ("figure.returned", "退回", "figure returned"),
    ("figure.approved", "审核通过", "figure approved"),
    ("figure.period_closed", "封账", "period closed"),
    ("figure.target_set", "下达目标", "target set"),
    ("governance.node_enrolled", "节点接入", "node enrolled"),
    ("governance.node_revoked", "节点授权收回", "node revoked"),
    ("governance.ruled", "裁定", "ruled"),
    ("governance.objected", "异议", "objected"),
    ("governance.restated", "上级转述", "restated"),
    ("governance.checkpointed", "存证", "checkpoint"),
    ("governance.catalog_published", "发布报表目录", "catalogue published"),
    ("governance.policy_published", "发布规则参数", "policy published"),
    ("withdrawn", "撤回", "withdrawn"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::fact::KINDS;

    #[test]
    fn every_kind_has_words_in_both_languages() {
        assert_eq!(WORDS.map(|(code, ..)| code), KINDS);
        for code in KINDS {
            assert!(!kind(Lang::Zh, code).is_ascii(), "{code}");
            assert!(is_kind(code, code) && is_kind(code, kind(Lang::Zh, code)), "{code}");
            assert!(kind(Lang::En, code) != code || code == "withdrawn", "{code}");
        }
    }
}
