//! What is said about imported files, rows and cells.

use super::Lang;
use crate::import::{ImportError, Problem};

/// Whether a row of the report was taken.
pub fn import_result(lang: Lang, taken: bool) -> &'static str {
    match (taken, lang) {
        (true, Lang::Zh) => "已收,待核",
        (true, Lang::En) => "taken, to be checked",
        (false, Lang::Zh) => "拒收",
        (false, Lang::En) => "refused",
    }
}

/// What is wrong, in a clause.
pub fn problem(lang: Lang, problem: &Problem) -> String {
    let fixed = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
    match problem {
        Problem::Blank => fixed("必填项为空", "a required cell is blank"),
        Problem::NotADay => fixed("不是日期", "not a day"),
        Problem::TwoDigitYear => fixed("年份只有两位,无法确定世纪", "the year has two digits only"),
        Problem::FutureDay { latest } => lang.pick(
            format!("日期在今天({latest})之后"),
            format!("the day is after today ({latest})"),
        ),
        Problem::DayBefore { column } => {
            lang.pick(format!("日期早于“{column}”"), format!("the day is before “{column}”"))
        }
        Problem::NotACount => fixed("不是人数或个数", "not a whole number of persons or things"),
        Problem::NotANumber => fixed("不是整数", "not a whole number"),
        Problem::NotAFlag => fixed("不是“是”或“否”", "neither yes nor no"),
        Problem::MoreThanAll { column } => {
            lang.pick(format!("大于“{column}”"), format!("more than “{column}”"))
        }
        Problem::NotInList { .. } => fixed("不在可选项中", "none of the known words"),
        Problem::DigitsLost => fixed(
            "身份证号被存成数字,后三位已丢失,请把该列设为文本后重录",
            "the ID number was stored as a number and its last three digits are lost; \
             format the column as text and enter it again",
        ),
        Problem::PerhapsDigitsLost => fixed(
            "号码以000结尾:如果该列曾被存成数字,后三位可能已丢失",
            "the number ends in 000: if the column was ever a number, its last digits may be lost",
        ),
        Problem::Length { expected, found } => lang.pick(
            format!("应为{expected}位,实为{found}位"),
            format!("expected {expected} characters, found {found}"),
        ),
        Problem::Character { found } => {
            lang.pick(format!("含有不应有的字符“{found}”"), format!("contains “{found}”"))
        }
        Problem::IdCheckDigit => {
            fixed("身份证号校验位不对", "the check digit of the ID number is wrong")
        }
        Problem::IdBirthDay => {
            fixed("身份证号中的出生日期不存在", "the birth day in the ID number does not exist")
        }
        Problem::SexDiffers => fixed("性别与身份证号不符", "the sex differs from the ID number"),
        Problem::UsccCheckDigit => fixed(
            "统一社会信用代码校验位不对",
            "the check digit of the unified social credit code is wrong",
        ),
        Problem::PerhapsOctober => {
            fixed("已按1月计,也可能原是10月", "read as January; it may have been October")
        }
        _ => row_problem(lang, problem),
    }
}

fn row_problem(lang: Lang, problem: &Problem) -> String {
    let fixed = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
    match problem {
        Problem::Encoding => fixed(
            "本行文字编码不是UTF-8也不是GB18030,或一行内混用",
            "the row is neither UTF-8 nor GB18030, or mixes both",
        ),
        Problem::RowTooLong { max } => {
            lang.pick(format!("本行超过{max}字节"), format!("the row is longer than {max} bytes"))
        }
        Problem::CellTooLong { max } => {
            lang.pick(format!("单元格超过{max}字节"), format!("a cell is longer than {max} bytes"))
        }
        Problem::OpenQuote => fixed("引号没有成对", "a quote is opened and never closed"),
        Problem::CellCount { expected, found } => lang.pick(
            format!("表头有{expected}列,本行有{found}列"),
            format!("the header has {expected} columns, the row {found}"),
        ),
        Problem::DuplicateRow { first } => {
            lang.pick(format!("与第{first}行完全相同"), format!("the same as row {first}"))
        }
        Problem::SameKey { first } => lang.pick(
            format!("与第{first}行是同一对象,内容不同"),
            format!("row {first} names the same one with other content"),
        ),
        Problem::UnknownUnit => fixed("没有这个单位", "no such unit"),
        Problem::UnknownBranch => fixed("没有这个工会", "no such union"),
        Problem::Ambiguous { candidates } => {
            let list = candidates.join(lang.pick("、", ", "));
            lang.pick(format!("名称不唯一,可能是:{list}"), format!("the name fits several: {list}"))
        }
        Problem::ServedElsewhere { by } => lang.pick(
            format!("该单位的台账在“{by}”的节点上"),
            format!("the books of this unit are kept at the node of “{by}”"),
        ),
        Problem::ParentTooLow => {
            fixed("上级的级别不高于本单位", "the parent's level is not above the unit's own")
        }
        Problem::NotAbove => fixed(
            "批复单位不是本单位的上级",
            "the approving unit does not lie above the union's unit",
        ),
        Problem::Suspect { zh, en } => {
            lang.pick(format!("逻辑检查:{zh}"), format!("logic check: {en}"))
        }
        Problem::Shape { expected } => {
            lang.pick(format!("应为:{expected}"), format!("expected: {expected}"))
        }
        // The cell problems, handled by the caller.
        _ => case_problem(lang, problem),
    }
}

fn case_problem(lang: Lang, problem: &Problem) -> String {
    let fixed = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
    match problem {
        Problem::NotStrictlyAbove => fixed(
            "单位的承继须由其上级节点登记",
            "that units follow others is stated at a node above all of them",
        ),
        Problem::OldAndNew => {
            fixed("同一单位既是原单位又是新单位", "a unit stands on both sides of the change")
        }
        Problem::UnknownCase => fixed("没有这件争议", "no such case"),
        Problem::NotRulable => fixed("这类争议不能裁定", "such a case is not ruled"),
        Problem::NotCommonAncestor { by } => lang.pick(
            format!("本级不是双方共同的上级,裁定须由“{by}”或其上级作出"),
            format!("this node lies not above all sides; “{by}” or a unit above it rules"),
        ),
        Problem::NoSuchSide { .. } => fixed("不是当事的一方", "none of the sides"),
        Problem::BeforeCase { earliest } => lang.pick(
            format!("早于双方并立之日({earliest})"),
            format!("before the day the sides stand against each other ({earliest})"),
        ),
        _ => String::new(),
    }
}

/// How to mend it.
pub fn mend(lang: Lang, problem: &Problem) -> String {
    let fixed = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
    match problem {
        Problem::Blank => fixed("补填该项", "fill the cell in"),
        Problem::NotADay | Problem::TwoDigitYear => {
            fixed("改成 2019-05-03、2019.5 或 2019年5月", "write 2019-05-03 or 2019.5")
        }
        Problem::FutureDay { .. } => fixed(
            "核对日期;尚未发生的事等发生后再录",
            "check the day; enter what has not happened when it has",
        ),
        Problem::DayBefore { .. } => fixed("核对两个日期", "check both days"),
        Problem::NotACount | Problem::NotANumber => {
            fixed("只填数字,不知道就留空", "digits only; leave blank what is unknown")
        }
        Problem::NotAFlag => fixed("填“是”或“否”,不知道就留空", "write yes or no, or leave blank"),
        Problem::MoreThanAll { .. } => fixed("核对两个数", "check both numbers"),
        Problem::NotInList { known } => {
            let list = known.join(lang.pick("、", ", "));
            lang.pick(format!("可填:{list}"), format!("use one of: {list}"))
        }
        Problem::DigitsLost => fixed(
            "从原始证件或花名册重录,先把列设为文本",
            "enter it again from the document, in a text column",
        ),
        Problem::Length { .. } | Problem::Character { .. } | Problem::PerhapsDigitsLost => {
            fixed("对照证件核对", "compare with the document")
        }
        Problem::IdCheckDigit | Problem::IdBirthDay | Problem::UsccCheckDigit => fixed(
            "已收但不计入统计(信息不合格),请对照证件改正后重新导入",
            "taken but not counted (unqualified); correct it and import again",
        ),
        Problem::SexDiffers => fixed("核对性别和证件号码", "check the sex and the number"),
        Problem::PerhapsOctober => fixed("改写成 2019-01 或 2019-10", "write 2019-01 or 2019-10"),
        Problem::Encoding => {
            fixed("另存为“CSV UTF-8”后重新导入", "save as CSV UTF-8 and import again")
        }
        Problem::RowTooLong { .. } | Problem::CellTooLong { .. } => {
            fixed("删去多余文字", "take out superfluous text")
        }
        Problem::OpenQuote | Problem::CellCount { .. } => fixed(
            "检查本行的逗号和引号,或用表格软件重新另存为CSV",
            "check commas and quotes, or save as CSV again",
        ),
        Problem::DuplicateRow { .. } => fixed("删去一行", "delete one of them"),
        Problem::SameKey { .. } => fixed("保留正确的一行", "keep the right one"),
        Problem::UnknownUnit | Problem::UnknownBranch => fixed(
            "核对名称或代码;没有登记的先登记",
            "check the name or code; register it first if it is new",
        ),
        Problem::Ambiguous { .. } => {
            fixed("写全路径(如 黑河市/爱辉区/…)或填代码", "write the path or the code")
        }
        Problem::ServedElsewhere { .. } => fixed("在该节点录入", "enter it there"),
        Problem::ParentTooLow => fixed("核对所属上级和级别", "check parent and level"),
        Problem::NotAbove => fixed(
            "填上一级工会;在本单位节点上请先申请,由上级批复",
            "name the next higher union; at the unit's own node apply first and have it approved above",
        ),
        Problem::NotStrictlyAbove => {
            fixed("请所有相关单位共同的上级登记", "ask the node above all units concerned")
        }
        Problem::OldAndNew => fixed(
            "名称不变而范围变化的,先登记新单位",
            "register the new unit first, if only the boundaries change",
        ),
        Problem::UnknownCase
        | Problem::NotRulable
        | Problem::NotCommonAncestor { .. }
        | Problem::NoSuchSide { .. }
        | Problem::BeforeCase { .. } => mend_decision(lang, problem),
        Problem::Suspect { .. } => fixed(
            "已收;核对后如有错,改好再导入即为更正",
            "taken; if it is wrong, mend it and import again: that is a correction",
        ),
        Problem::Shape { .. } => fixed("按要求改写", "write it as expected"),
    }
}

/// How to mend a ruling or objection.
fn mend_decision(lang: Lang, problem: &Problem) -> String {
    let fixed = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
    match problem {
        Problem::UnknownCase => {
            fixed("用 hub cases list 查编号;已了结的不再列出", "look it up with hub cases list")
        }
        Problem::NotRulable => {
            fixed("用 hub cases show 看可以怎么办", "hub cases show tells what can be done")
        }
        Problem::NotCommonAncestor { .. } => {
            fixed("请该级裁定;本级可以提出异议", "ask that level; this one may object")
        }
        Problem::NoSuchSide { sides } => {
            let list = sides.join(lang.pick("、", ", "));
            lang.pick(format!("可填:{list},或“无”(都不计)"), format!("use one of: {list}, or none"))
        }
        Problem::BeforeCase { .. } => fixed("改为这一天或以后", "use that day or a later one"),
        _ => String::new(),
    }
}

/// Why a whole file is refused, with what to do.
pub fn import_error(lang: Lang, error: &ImportError) -> String {
    let comma = lang.pick("、", ", ");
    match error {
        ImportError::TooLarge { max, found } => {
            let max = max >> 20;
            match found {
                Some(found) => lang.pick(
                    format!("文件有{}MB,超过上限{max}MB,未读取;请分成几个文件再导入", found >> 20),
                    format!("the file has {} MB, more than {max} MB; split it", found >> 20),
                ),
                None => lang.pick(
                    format!("文件超过上限{max}MB,已停止读取;请分成几个文件再导入"),
                    format!("the file has more than {max} MB; reading stopped; split it"),
                ),
            }
        }
        ImportError::TooManyRows { max } => lang.pick(
            format!("文件超过{max}行;请分成几个文件再导入"),
            format!("the file has more than {max} rows; split it"),
        ),
        ImportError::NotCsv { found } => lang.pick(
            format!("这是{found}文件,不是CSV;请在表格软件中“另存为 → CSV UTF-8(逗号分隔)”"),
            format!("this is {found}, not CSV; save it as CSV UTF-8 in the spreadsheet"),
        ),
        ImportError::NoHeader { expected, found } => lang.pick(
            format!(
                "找不到表头。应有的列:{};文件开头是:{}",
                expected.join(comma),
                found.join(comma)
            ),
            format!(
                "no header found. Expected columns: {}; the file begins: {}",
                expected.join(comma),
                found.join(comma)
            ),
        ),
        ImportError::MissingColumns { row, missing, found } => lang.pick(
            format!("第{row}行的表头缺少列:{};现有的列:{}", missing.join(comma), found.join(comma)),
            format!(
                "the header in row {row} lacks: {}; it has: {}",
                missing.join(comma),
                found.join(comma)
            ),
        ),
        ImportError::ColumnTwice { headings: [first, second] } => lang.pick(
            format!("“{first}”和“{second}”是同一列,请删去一列"),
            format!("“{first}” and “{second}” are the same column; delete one"),
        ),
        ImportError::Io(error) => {
            lang.pick(format!("文件读取失败:{error}"), format!("the file cannot be read: {error}"))
        }
    }
}
