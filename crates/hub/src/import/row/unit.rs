//! Units: divisions, committees, parks, employers.

use super::{Cells, Row};
use crate::import::date::Dated;
use crate::import::sheet::{TableSpec, optional, required};
use crate::import::{Problem, code_list, text};
use hub_core::check_digit::is_uscc;
use hub_core::fact::unit::{Level, UnitKind};
use hub_core::fact::{Code, CodeKind};
use hub_core::time::Day;

/// One unit of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// Where it stands.
    pub row: u64,
    /// Its name.
    pub name: String,
    /// What it is; stated, or an employer unless its code or level is a territory's.
    pub kind: UnitKind,
    /// Its level; stated, or by its code, else the lowest.
    pub level: Level,
    /// Its code: of a division or 统一社会信用代码.
    pub code: Option<Code>,
    /// A code of the writer's own ledger.
    pub local: Option<String>,
    /// Whether the code passes its check digit.
    pub qualified: bool,
    /// The unit it reports to, by name, path or code.
    pub parent: Option<String>,
    /// The territory it lies in, by name, path or code.
    pub located_in: Option<String>,
    /// 职工, women, migrant workers, dispatched in.
    pub headcount: Option<Headcount>,
    /// 单位类别.
    pub ownership: Option<u16>,
    /// The letter of its industry.
    pub industry: Option<u8>,
    /// Whether it operates, if stated.
    pub operating: Option<bool>,
    /// Why it has no union; 0 takes a reason back.
    pub no_union_reason: Option<u16>,
    /// The day the headcount and attributes are of.
    pub day: Option<Dated>,
}

/// A declared headcount, in persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headcount {
    /// 职工.
    pub employees: u32,
    /// Women among them.
    pub women: Option<u32>,
    /// Migrant workers among them.
    pub migrant: Option<u32>,
    /// Dispatched in, not among them.
    pub dispatched: Option<u32>,
}

const NAME: usize = 0;
const CODE: usize = 1;
const LEVEL: usize = 2;
const PARENT: usize = 3;
const KIND: usize = 4;
const LOCATED_IN: usize = 5;
const EMPLOYEES: usize = 6;
const WOMEN: usize = 7;
const MIGRANT: usize = 8;
const DISPATCHED: usize = 9;
const OWNERSHIP: usize = 10;
const INDUSTRY: usize = 11;
const OPERATING: usize = 12;
const NO_UNION_REASON: usize = 13;
const DAY: usize = 14;
const LOCAL: usize = 15;

/// The columns.
pub const TABLE: TableSpec = TableSpec {
    name: "unit",
    columns: &[
        required(
            "name",
            &["名称", "单位名称", "企业名称", "用人单位名称", "区划名称"],
            &[],
            "单位或区划的名称",
        ),
        optional(
            "code",
            &[
                "统一社会信用代码",
                "社会信用代码",
                "信用代码",
                "区划代码",
                "行政区划代码",
                "单位代码",
                "代码",
            ],
            &["uscc"],
            "18位统一社会信用代码,或2至12位区划代码;没有代码的(工地、市场)留空",
        ),
        optional("level", &["级别", "层级"], &[], "省、市、县、乡镇、单位;区划代码能判断时可不填"),
        optional(
            "parent",
            &["所属上级", "上级", "上级单位", "归口", "归口单位", "主管单位"],
            &[],
            "归口的上级:名称、路径或代码",
        ),
        optional(
            "kind",
            &["类型", "单位性质"],
            &[],
            "区域、单位、系统工委、产业、园区、集团、村、社区",
        ),
        optional(
            "located_in",
            &["所在地", "所在区划", "属地", "所在乡镇"],
            &["location"],
            "所在的区划:名称、路径或代码",
        ),
        optional(
            "employees",
            &["职工人数", "职工总数", "职工数", "员工人数", "从业人数"],
            &["headcount"],
            "职工人数,不含劳务派遣来的",
        ),
        optional("women", &["女职工", "女职工人数", "女职工数"], &[], "其中女职工"),
        optional("migrant", &["农民工", "农民工人数"], &[], "其中农民工"),
        optional(
            "dispatched",
            &["劳务派遣", "派遣工", "劳务派遣人数"],
            &[],
            "劳务派遣来的,不在职工人数内",
        ),
        optional(
            "ownership",
            &["单位类别", "登记注册类型", "经济类型", "企业类型"],
            &[],
            "见 codes.md 单位类别,填名称或代码",
        ),
        optional(
            "industry",
            &["行业", "行业门类", "国民经济行业"],
            &[],
            "GB/T 4754-2017 门类字母 A–T",
        ),
        optional(
            "operating",
            &["正常经营", "正常生产经营", "是否正常经营", "是否正常生产"],
            &[],
            "是、否",
        ),
        optional(
            "no_union_reason",
            &["未建原因", "未建会原因"],
            &[],
            "见 codes.md 未建原因,填名称或代码",
        ),
        optional(
            "day",
            &["日期", "统计日期", "截止日期", "摸底日期"],
            &["date"],
            "人数和属性的日期;不填为导入当天",
        ),
        optional("local", &["台账编号", "本地编号"], &[], "本地台账自编的编号"),
    ],
};

impl Row for UnitRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, today: Day) -> Option<Self> {
        let name = cells.required_name(NAME);
        let (code, qualified) = code_of(cells);
        let stated_kind = cells.with(KIND, code_list::unit_kind);
        let stated_level = cells.with(LEVEL, code_list::level);
        let by_code = code.as_ref().and_then(level_of_code);
        let kind = stated_kind.unwrap_or(match (by_code, stated_level) {
            (Some(_), _) => UnitKind::Territory,
            (None, Some(level)) if level != Level::Enterprise && code.is_none() => {
                UnitKind::Territory
            }
            _ => UnitKind::Employer,
        });
        let level = stated_level.or(by_code).unwrap_or(Level::Enterprise);
        let local = cells.with(LOCAL, |cell| Ok(text::code(cell)));
        Some(Self {
            row: cells.row(),
            kind,
            level,
            local,
            qualified,
            parent: cells.name(PARENT),
            located_in: cells.name(LOCATED_IN),
            headcount: headcount_of(cells),
            ownership: cells.with(OWNERSHIP, code_list::ownership),
            industry: cells.with(INDUSTRY, code_list::industry),
            operating: cells.with(OPERATING, text::flag),
            no_union_reason: cells.with(NO_UNION_REASON, code_list::no_union_reason),
            day: cells.past_day(DAY, today),
            code,
            name: name?,
        })
    }
}

/// The code with its kind, by its form: digits only and at most 12 are a division's.
fn code_of(cells: &mut Cells<'_>) -> (Option<Code>, bool) {
    if cells.is_blank(CODE) {
        return (None, true);
    }
    let value = text::code(cells.raw(CODE));
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    if digits && matches!(value.len(), 2 | 4 | 6 | 9 | 12) {
        return (Some(Code { kind: CodeKind::Division, value }), true);
    }
    if !cells.uscc_shape(CODE, &value) {
        return (None, true);
    }
    let qualified = is_uscc(&value);
    if !qualified {
        cells.fault(CODE, Problem::UsccCheckDigit);
    }
    (Some(Code { kind: CodeKind::Uscc, value }), qualified)
}

/// The level of a division code by its length (GB/T 2260, GB/T 10114): 2, 4, 6, 9 digits; padded codes
/// by their last digits that are not zero.
fn level_of_code(code: &Code) -> Option<Level> {
    if code.kind != CodeKind::Division {
        return None;
    }
    let value = code.value.as_str();
    let significant = [9, 6, 4, 2].into_iter().find(|length| {
        value.get(previous(*length)..*length).is_some_and(|part| part.bytes().any(|b| b != b'0'))
    });
    match significant? {
        2 => Some(Level::Province),
        4 => Some(Level::City),
        6 => Some(Level::County),
        _ => Some(Level::Township),
    }
}

fn previous(length: usize) -> usize {
    match length {
        9 => 6,
        6 => 4,
        4 => 2,
        _ => 0,
    }
}

fn headcount_of(cells: &mut Cells<'_>) -> Option<Headcount> {
    let employees = cells.with(EMPLOYEES, text::count);
    let [women, migrant, dispatched] =
        [WOMEN, MIGRANT, DISPATCHED].map(|column| cells.with(column, text::count));
    let Some(employees) = employees else {
        let any = women.is_some() || migrant.is_some() || dispatched.is_some();
        if any && cells.is_blank(EMPLOYEES) {
            cells.fault(EMPLOYEES, Problem::Blank);
        }
        return None;
    };
    for (column, part) in [(WOMEN, women), (MIGRANT, migrant)] {
        if part.is_some_and(|part| part > employees) {
            cells.fault(column, Problem::MoreThanAll { column: "职工人数" });
        }
    }
    Some(Headcount { employees, women, migrant, dispatched })
}
