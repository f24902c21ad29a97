//! The words of coded columns and the codes they stand for (`schemas/codes.md`, `schemas/import.md`).

use super::Problem;
use hub_core::fact::branch::{BranchKind, WomenOrg};
use hub_core::fact::member::{Evidence, LeaveReason, Origin, Sex};
use hub_core::fact::unit::{Level, Succession, UnitKind};
use hub_core::person::DocumentKind;

/// One value of a list: what it stands for, and its words; the first Chinese and the first English word
/// are the ones shown.
#[derive(Debug, Clone, Copy)]
pub struct Entry<T: 'static> {
    /// What it stands for.
    pub value: T,
    /// Chinese words, the usual one first.
    pub zh: &'static [&'static str],
    /// English words, the usual one first.
    pub en: &'static [&'static str],
}

const fn entry<T>(value: T, zh: &'static [&'static str], en: &'static [&'static str]) -> Entry<T> {
    Entry { value, zh, en }
}

/// Finds a word, or for numeric lists the code itself.
fn find<T: Copy>(list: &'static [Entry<T>], word: &str) -> Result<T, Problem> {
    let bare: String = word.chars().filter(|c| !c.is_whitespace()).collect();
    let same = |known: &str| known.eq_ignore_ascii_case(&bare) || known == word;
    list.iter()
        .find(|entry| entry.zh.iter().chain(entry.en).any(|known| same(known)))
        .map(|entry| entry.value)
        .ok_or_else(|| Problem::NotInList {
            known: list.iter().filter_map(|entry| entry.zh.first().copied()).collect(),
        })
}

/// Finds a word or the number of a numeric list.
fn find_code<T: Copy + Into<u32>>(list: &'static [Entry<T>], word: &str) -> Result<T, Problem> {
    let number = word.parse::<u32>().ok();
    match list.iter().find(|entry| Some(entry.value.into()) == number) {
        Some(entry) => Ok(entry.value),
        None => find(list, word),
    }
}

/// 证件类型.
pub const DOCUMENT_KINDS: &[Entry<DocumentKind>] = &[
    entry(
        DocumentKind::ResidentId,
        &["居民身份证", "身份证", "居民身份证(户口簿)", "港澳台居民居住证"],
        &["resident_id", "id"],
    ),
    entry(
        DocumentKind::HongKongMacaoPermit,
        &["港澳居民来往内地通行证", "港澳通行证", "回乡证"],
        &["hong_kong_macao_permit"],
    ),
    entry(DocumentKind::TaiwanPermit, &["台湾居民来往大陆通行证", "台胞证"], &["taiwan_permit"]),
    entry(DocumentKind::Passport, &["护照"], &["passport"]),
    entry(
        DocumentKind::ForeignResident,
        &["外国人永久居留身份证", "外国人永久居留证"],
        &["foreign_resident"],
    ),
    entry(DocumentKind::Other, &["其他", "其他证件", "其它"], &["other"]),
];

/// 类型 of a unit.
pub const UNIT_KINDS: &[Entry<UnitKind>] = &[
    entry(UnitKind::Territory, &["区域", "行政区划", "区划"], &["territory"]),
    entry(
        UnitKind::Employer,
        &["单位", "企业", "用人单位", "机关", "事业单位", "社会组织"],
        &["employer"],
    ),
    entry(
        UnitKind::SystemCommittee,
        &["系统工委", "系统(机关)工委", "机关工委", "直属机关", "系统"],
        &["system_committee", "system"],
    ),
    entry(UnitKind::Industry, &["产业", "行业"], &["industry"]),
    entry(UnitKind::Park, &["园区", "开发区", "工业园", "景区"], &["park"]),
    entry(UnitKind::Group, &["集团", "集团公司"], &["group"]),
    entry(UnitKind::Community, &["村", "社区", "村(社区)"], &["community"]),
];

/// 级别.
pub const LEVELS: &[Entry<Level>] = &[
    entry(Level::Province, &["省", "省级", "自治区", "直辖市"], &["province"]),
    entry(Level::City, &["市", "地市", "市级", "地级"], &["city"]),
    entry(Level::County, &["县", "县级", "区", "县(市、区)", "旗"], &["county"]),
    entry(
        Level::Township,
        &["乡镇", "乡", "镇", "街道", "乡级", "乡镇(街道)"],
        &["township", "town"],
    ),
    entry(Level::Enterprise, &["单位", "基层", "企业", "村", "社区"], &["enterprise", "employer"]),
];

/// 类型 of a union.
pub const BRANCH_KINDS: &[Entry<BranchKind>] = &[
    entry(
        BranchKind::Own,
        &["单独基层工会", "单独", "单一", "单一基层工会", "基层工会", "独立"],
        &["own"],
    ),
    entry(BranchKind::Joint, &["联合基层工会", "联合", "联合工会"], &["joint"]),
    entry(BranchKind::Regional, &["区域性工会", "区域性", "区域", "区域工会"], &["regional"]),
    entry(BranchKind::Industrial, &["行业性工会", "行业性", "行业", "行业工会"], &["industrial"]),
    entry(
        BranchKind::Flexible,
        &["灵活就业人员工会", "灵活就业", "新就业形态", "灵活就业人员联合工会"],
        &["flexible"],
    ),
    entry(BranchKind::Federation, &["工会联合会", "联合会", "总工会"], &["federation"]),
    entry(BranchKind::System, &["系统(机关)工会", "系统工会", "机关工会", "系统"], &["system"]),
    entry(BranchKind::SubBranch, &["分工会", "工会分会", "分会"], &["sub_branch"]),
];

/// 女职工组织; a union without one leaves the cell blank.
pub const WOMEN_ORGS: &[Entry<Option<WomenOrg>>] = &[
    entry(
        Some(WomenOrg::Committee),
        &["女职工委员会", "女工委员会", "女职委", "委员会", "女工委"],
        &["committee"],
    ),
    entry(Some(WomenOrg::Officer), &["女职工委员", "女工委员", "委员"], &["officer"]),
    entry(None, &["无", "否", "没有"], &["none", "no"]),
];

/// 性别.
pub const SEXES: &[Entry<Sex>] = &[
    entry(Sex::Man, &["男", "男性"], &["man", "male", "m", "1"]),
    entry(Sex::Woman, &["女", "女性"], &["woman", "female", "f", "2"]),
    entry(Sex::Unknown, &["不详", "未知", "未说明"], &["unknown"]),
];

/// 依据, what a membership rests on.
pub const EVIDENCES: &[Entry<Evidence>] = &[
    entry(Evidence::LabourContract, &["劳动合同", "合同"], &["labour_contract", "contract"]),
    entry(Evidence::SocialInsurance, &["社会保险", "社保"], &["social_insurance", "insurance"]),
    entry(Evidence::Roster, &["花名册", "名册", "组织登记", "登记表"], &["roster"]),
    entry(Evidence::SelfDeclared, &["本人申报", "自行申报", "自报"], &["self_declared"]),
];

/// 来源, where a member comes from.
pub const ORIGINS: &[Entry<Origin>] = &[
    entry(Origin::Existing, &["原有会员", "原有", "存量"], &["existing"]),
    entry(Origin::New, &["发展会员", "新发展", "新入会", "新增"], &["new"]),
    entry(Origin::Transferred, &["接转", "转入", "会籍转入"], &["transferred"]),
    entry(Origin::Resumed, &["恢复会籍", "恢复"], &["resumed"]),
];

/// 会籍状态 in a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// 在籍.
    Active,
    /// 保留会籍.
    Retained,
}

/// 会籍状态.
pub const STANDINGS: &[Entry<Standing>] = &[
    entry(Standing::Active, &["在籍", "正常", "在会"], &["active"]),
    entry(Standing::Retained, &["保留会籍", "保留"], &["retained"]),
];

/// 用工形式, the codes of a member's employment form.
pub const EMPLOYMENT_FORMS: &[Entry<u8>] = &[
    entry(1, &["劳动合同制", "合同制", "合同工", "正式", "固定期限"], &["contract"]),
    entry(2, &["在编", "编制内", "聘用制"], &["established"]),
    entry(3, &["劳务派遣", "派遣", "派遣制"], &["dispatched"]),
    entry(4, &["非全日制", "小时工", "临时工"], &["part_time"]),
    entry(5, &["灵活就业"], &["flexible"]),
    entry(6, &["新就业形态", "平台就业"], &["platform"]),
    entry(15, &["其他", "其它"], &["other"]),
];

/// 未建原因.
pub const NO_UNION_REASONS: &[Entry<u16>] = &[
    entry(1, &["筹建中", "正在筹建"], &["preparing"]),
    entry(2, &["职工人数少", "人数不足", "职工少"], &["too_small"]),
    entry(3, &["停产歇业", "停产", "歇业", "停业"], &["not_operating"]),
    entry(4, &["新开业", "新成立", "新注册"], &["newly_opened"]),
    entry(5, &["单位不配合", "企业不愿意", "不配合", "法人不同意"], &["employer_unwilling"]),
    entry(6, &["职工不愿意", "职工意愿不足"], &["employees_unwilling"]),
    entry(7, &["查无下落", "找不到", "空壳企业", "无人办公"], &["not_found"]),
    entry(8, &["已由其他工会覆盖", "已覆盖"], &["covered_elsewhere"]),
    entry(99, &["其他", "其它", "其他原因"], &["other"]),
];

/// 单位类别 (DOMAIN §3).
pub const OWNERSHIPS: &[Entry<u16>] = &[
    entry(110, &["国有", "国有企业"], &["state_owned"]),
    entry(120, &["集体", "集体企业"], &["collective"]),
    entry(130, &["股份合作"], &["share_cooperative"]),
    entry(140, &["联营"], &["joint_operation"]),
    entry(151, &["国有独资", "国有独资公司"], &["state_sole"]),
    entry(159, &["其他有限责任公司", "有限责任公司", "其他有限"], &["limited"]),
    entry(161, &["国有控股", "国有控股股份"], &["state_controlled"]),
    entry(169, &["其他股份有限公司", "股份有限公司", "其他股份"], &["share_limited"]),
    entry(170, &["私营", "私营企业", "民营", "非公"], &["private"]),
    entry(190, &["其他内资"], &["other_domestic"]),
    entry(200, &["港澳台", "港澳台商投资", "港澳台资"], &["hmt"]),
    entry(300, &["外商", "外商投资", "外资"], &["foreign"]),
    entry(400, &["事业", "事业单位"], &["institution"]),
    entry(500, &["机关", "党政机关"], &["government"]),
    entry(600, &["个体", "个体工商户"], &["sole_trader"]),
    entry(700, &["民非", "民办非企业单位", "社会组织"], &["civil"]),
];

/// Why a membership ends.
pub const LEAVE_REASONS: &[Entry<LeaveReason>] = &[
    entry(LeaveReason::Resigned, &["退会", "本人退会"], &["resigned"]),
    entry(LeaveReason::Lapsed, &["自动退会"], &["lapsed"]),
    entry(LeaveReason::Expelled, &["开除", "开除会籍"], &["expelled"]),
    entry(LeaveReason::Deceased, &["死亡", "去世", "亡故"], &["deceased"]),
];

/// Why a membership is retained.
pub const RETAIN_REASONS: &[Entry<u8>] = &[
    entry(1, &["退休", "离退休"], &["retired"]),
    entry(2, &["失业", "下岗"], &["unemployed"]),
    entry(3, &["单位终止", "单位关闭", "破产"], &["unit_ended"]),
    entry(4, &["内退", "离岗"], &["off_post"]),
    entry(15, &["其他", "其它"], &["other"]),
];

/// Why a unit or a union ends.
pub const END_REASONS: &[Entry<u16>] = &[
    entry(1, &["注销", "吊销"], &["deregistered"]),
    entry(2, &["破产"], &["bankrupt"]),
    entry(3, &["停业", "关闭", "停产"], &["shut"]),
    entry(4, &["合并", "并入"], &["merged"]),
    entry(5, &["改制", "重组"], &["restructured"]),
    entry(6, &["登记错误", "录入错误"], &["error"]),
    entry(99, &["其他", "其它"], &["other"]),
];

/// How units follow each other.
pub const SUCCESSIONS: &[Entry<Succession>] = &[
    entry(Succession::Merger, &["合并", "并入"], &["merger"]),
    entry(Succession::Split, &["分立", "拆分"], &["split"]),
    entry(Succession::Redraw, &["区划调整", "改划", "撤并"], &["redraw"]),
];

/// Whether an approval says yes.
pub const DECISIONS: &[Entry<bool>] = &[
    entry(true, &["同意", "批准", "批复", "通过"], &["approved", "approve", "yes"]),
    entry(false, &["不同意", "不予批准", "退回", "驳回", "不通过"], &["refused", "refuse", "no"]),
];

macro_rules! lookup {
    ($($(#[$doc:meta])* $name:ident: $list:ident, $find:ident -> $value:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// The word is not in the list; the error names the words that are.
        pub fn $name(word: &str) -> Result<$value, Problem> {
            $find($list, word)
        }
    )*};
}

lookup! {
    /// 证件类型.
    document_kind: DOCUMENT_KINDS, find -> DocumentKind;
    /// 类型 of a unit.
    unit_kind: UNIT_KINDS, find -> UnitKind;
    /// 级别.
    level: LEVELS, find -> Level;
    /// 类型 of a union.
    branch_kind: BRANCH_KINDS, find -> BranchKind;
    /// 女职工组织.
    women_org: WOMEN_ORGS, find -> Option<WomenOrg>;
    /// 性别.
    sex: SEXES, find -> Sex;
    /// 依据.
    evidence: EVIDENCES, find -> Evidence;
    /// 来源.
    origin: ORIGINS, find -> Origin;
    /// 会籍状态.
    standing: STANDINGS, find -> Standing;
    /// 用工形式.
    employment_form: EMPLOYMENT_FORMS, find_code -> u8;
    /// 未建原因.
    no_union_reason: NO_UNION_REASONS, find_code -> u16;
    /// 单位类别.
    ownership: OWNERSHIPS, find_code -> u16;
    /// Why a membership ends.
    leave_reason: LEAVE_REASONS, find -> LeaveReason;
    /// Why a membership is retained.
    retain_reason: RETAIN_REASONS, find_code -> u8;
    /// Why a unit or union ends.
    end_reason: END_REASONS, find_code -> u16;
    /// How units follow each other.
    succession: SUCCESSIONS, find -> Succession;
    /// Whether an approval says yes.
    decision: DECISIONS, find -> bool;
}

/// 行业: a letter A to T of GB/T 4754-2017, alone or before a name or class number.
///
/// # Errors
/// The cell does not begin with such a letter.
pub fn industry(word: &str) -> Result<u8, Problem> {
    let first = word.bytes().next().map(|byte| byte.to_ascii_uppercase());
    first
        .filter(|letter| (b'A'..=b'T').contains(letter))
        .ok_or_else(|| Problem::Shape { expected: "GB/T 4754-2017 门类 A–T".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_are_found() {
        assert_eq!(branch_kind("联合基层工会"), Ok(BranchKind::Joint));
        assert_eq!(branch_kind("Own"), Ok(BranchKind::Own));
        assert_eq!(ownership("170"), Ok(170));
        assert_eq!(ownership("私营"), Ok(170));
        assert_eq!(women_org("无"), Ok(None));
        assert_eq!(industry("C制造业"), Ok(b'C'));
        assert!(industry("制造业").is_err());
        let Err(Problem::NotInList { known }) = sex("中性") else {
            panic!("no such sex is listed")
        };
        assert_eq!(known, ["男", "女", "不详"]);
    }

    #[test]
    fn no_word_stands_twice_in_a_list() {
        fn once<T>(list: &[Entry<T>]) {
            let mut words: Vec<&str> =
                list.iter().flat_map(|e| e.zh.iter().chain(e.en)).copied().collect();
            let count = words.len();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), count);
        }
        once(DOCUMENT_KINDS);
        once(UNIT_KINDS);
        once(LEVELS);
        once(BRANCH_KINDS);
        once(WOMEN_ORGS);
        once(SEXES);
        once(EVIDENCES);
        once(ORIGINS);
        once(STANDINGS);
        once(EMPLOYMENT_FORMS);
        once(NO_UNION_REASONS);
        once(OWNERSHIPS);
        once(LEAVE_REASONS);
        once(RETAIN_REASONS);
        once(END_REASONS);
        once(SUCCESSIONS);
        once(DECISIONS);
    }
}
