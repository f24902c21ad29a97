//! Published code lists of format 0: what the small numbers in facts mean (`schemas/codes.md`).
//!
//! Facts carry codes as numbers and readers never refuse an unknown one; these lists give the words.

/// One entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The number in facts.
    pub code: u16,
    /// The word for cadres.
    pub zh: &'static str,
    /// The English word.
    pub en: &'static str,
}

const fn entry(code: u16, zh: &'static str, en: &'static str) -> Entry {
    Entry { code, zh, en }
}

/// The entry of this code.
pub fn find(list: &[Entry], code: u16) -> Option<&Entry> {
    list.iter().find(|entry| entry.code == code)
}

/// The entry a person means: by its number, its Chinese or its English word.
pub fn named<'a>(list: &'a [Entry], text: &str) -> Option<&'a Entry> {
    let text = text.trim();
    let number = text.parse().ok();
    list.iter().find(|entry| Some(entry.code) == number || entry.zh == text || entry.en == text)
}

/// All lists with their names in `schemas/codes.md`.
pub const LISTS: [(&str, &[Entry]); 7] = [
    ("ownership", &OWNERSHIP),
    ("industry", &INDUSTRY),
    ("no-union reasons", &NO_UNION_REASON),
    ("end reasons", &END_REASON),
    ("retain reasons", &RETAIN_REASON),
    ("employment forms", &EMPLOYMENT_FORM),
    ("attributes", &ATTRIBUTE),
];

/// 单位类别 of a unit (基层工会调查表; DOMAIN §3).
pub const OWNERSHIP: [Entry; 16] = [
    entry(110, "国有企业", "state-owned enterprise"),
    entry(120, "集体企业", "collective enterprise"),
    entry(130, "股份合作企业", "joint-stock cooperative"),
    entry(140, "联营企业", "jointly operated enterprise"),
    entry(151, "国有独资公司", "wholly state-owned company"),
    entry(159, "其他有限责任公司", "other limited liability company"),
    entry(161, "国有控股股份有限公司", "state-controlled company limited by shares"),
    entry(169, "其他股份有限公司", "other company limited by shares"),
    entry(170, "私营企业", "private enterprise"),
    entry(190, "其他内资企业", "other domestic enterprise"),
    entry(200, "港澳台商投资企业", "enterprise funded from Hong Kong, Macao or Taiwan"),
    entry(300, "外商投资企业", "foreign-funded enterprise"),
    entry(400, "事业单位", "public institution"),
    entry(500, "机关", "government body"),
    entry(600, "个体经营", "self-employed business"),
    entry(700, "民办非企业单位", "private non-enterprise unit"),
];

/// 门类 of GB/T 4754-2017; the code is the letter as a byte, A = 65.
pub const INDUSTRY: [Entry; 20] = [
    entry(b'A' as u16, "农、林、牧、渔业", "agriculture, forestry, animal husbandry, fishery"),
    entry(b'B' as u16, "采矿业", "mining"),
    entry(b'C' as u16, "制造业", "manufacturing"),
    entry(b'D' as u16, "电力、热力、燃气及水生产和供应业", "electricity, heat, gas and water"),
    entry(b'E' as u16, "建筑业", "construction"),
    entry(b'F' as u16, "批发和零售业", "wholesale and retail"),
    entry(b'G' as u16, "交通运输、仓储和邮政业", "transport, storage and post"),
    entry(b'H' as u16, "住宿和餐饮业", "accommodation and catering"),
    entry(b'I' as u16, "信息传输、软件和信息技术服务业", "information, software and IT services"),
    entry(b'J' as u16, "金融业", "finance"),
    entry(b'K' as u16, "房地产业", "real estate"),
    entry(b'L' as u16, "租赁和商务服务业", "leasing and business services"),
    entry(b'M' as u16, "科学研究和技术服务业", "research and technical services"),
    entry(b'N' as u16, "水利、环境和公共设施管理业", "water, environment and public facilities"),
    entry(b'O' as u16, "居民服务、修理和其他服务业", "resident services, repair and others"),
    entry(b'P' as u16, "教育", "education"),
    entry(b'Q' as u16, "卫生和社会工作", "health and social work"),
    entry(b'R' as u16, "文化、体育和娱乐业", "culture, sports and entertainment"),
    entry(
        b'S' as u16,
        "公共管理、社会保障和社会组织",
        "public administration and social organisations",
    ),
    entry(b'T' as u16, "国际组织", "international organisations"),
];

/// 未建原因 of a unit (DOMAIN §1.1: 未建原因清); the hub's own list.
pub const NO_UNION_REASON: [Entry; 10] = [
    entry(0, "无(收回原因)", "none: takes an earlier reason back"),
    entry(1, "筹建中", "founding in preparation"),
    entry(2, "职工人数少", "too few employees"),
    entry(3, "停产歇业", "not operating"),
    entry(4, "新开业", "newly opened"),
    entry(5, "单位不配合", "employer unwilling"),
    entry(6, "职工不愿意", "employees unwilling"),
    entry(7, "查无下落", "not found at its address"),
    entry(8, "已由其他工会覆盖", "covered by another union"),
    entry(99, "其他", "other"),
];

/// why a unit is closed or a union dissolved (工会法 art. 13).
pub const END_REASON: [Entry; 7] = [
    entry(1, "注销", "deregistered or licence revoked"),
    entry(2, "破产", "bankrupt"),
    entry(3, "停业", "shut"),
    entry(4, "合并", "merged"),
    entry(5, "改制", "restructured"),
    entry(6, "登记错误", "registered in error"),
    entry(99, "其他", "other"),
];

/// why membership is retained (保留会籍; DOMAIN §2.3).
pub const RETAIN_REASON: [Entry; 5] = [
    entry(1, "退休", "retired"),
    entry(2, "失业", "unemployed"),
    entry(3, "单位终止", "the unit ended"),
    entry(4, "内退", "off its post before retirement"),
    entry(15, "其他", "other"),
];

/// 用工形式 of a member, 0 to 15 (4 bits); 7 to 14 are the eight groups of 2018 (DOMAIN §2.3).
pub const EMPLOYMENT_FORM: [Entry; 16] = [
    entry(0, "未说明", "not stated"),
    entry(1, "劳动合同制", "labour contract"),
    entry(2, "在编", "on the establishment of a public body"),
    entry(3, "劳务派遣", "dispatched"),
    entry(4, "非全日制", "part-time"),
    entry(5, "灵活就业", "flexible employment"),
    entry(6, "新就业形态", "platform work, group not stated"),
    entry(7, "货车司机", "truck driver"),
    entry(8, "快递员", "courier"),
    entry(9, "护工护理员", "care worker"),
    entry(10, "家政服务员", "domestic worker"),
    entry(11, "商场信息员", "shop promoter"),
    entry(12, "网约送餐员", "food delivery rider"),
    entry(13, "房产中介员", "estate agent"),
    entry(14, "保安员", "security guard"),
    entry(15, "其他", "other"),
];

/// open coded attributes of any fact; unknown codes are carried, never dropped.
pub const ATTRIBUTE: [Entry; 3] = [
    entry(1, "首次入会日", "day of first joining any union, as a day number"),
    entry(2, "导入批次", "import that wrote the fact, a number of the node's own"),
    entry(3, "演示数据", "demonstration data, value 1"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_number_and_word() {
        assert_eq!(find(&OWNERSHIP, 170).map(|entry| entry.zh), Some("私营企业"));
        assert_eq!(named(&OWNERSHIP, " 170 ").map(|entry| entry.code), Some(170));
        assert_eq!(named(&RETAIN_REASON, "退休").map(|entry| entry.code), Some(1));
        assert_eq!(named(&RETAIN_REASON, "retired").map(|entry| entry.code), Some(1));
        assert_eq!(named(&END_REASON, "77"), None);
    }

    #[test]
    fn every_list_names_each_code_and_word_once() {
        for (name, list) in LISTS {
            assert!(list.windows(2).all(|pair| pair[0].code < pair[1].code), "{name}: order");
            for entry in list {
                assert_eq!(
                    list.iter().filter(|e| e.zh == entry.zh).count(),
                    1,
                    "{name}: {}",
                    entry.zh
                );
            }
        }
    }
}
