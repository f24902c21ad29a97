//! Unions: existing ones loaded in bulk, applications.

use super::{Cells, Row};
use crate::import::date::{self, Dated};
use crate::import::sheet::{TableSpec, optional, required};
use crate::import::{Problem, code_list, text};
use hub_core::fact::branch::{BranchKind, WomenOrg};
use hub_core::time::Day;

/// One union of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchRow {
    /// Where it stands.
    pub row: u64,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: BranchKind,
    /// Its host unit, by code, name or path.
    pub host: String,
    /// Units it covers besides its host, by name, path or code.
    pub covers: Vec<String>,
    /// 批复文号.
    pub document: Option<String>,
    /// 批复日期.
    pub approved: Option<Dated>,
    /// The unit that approved, by name, path or code.
    pub approver: Option<String>,
    /// 申请日期.
    pub applied: Option<Dated>,
    /// 成立日期.
    pub founded: Option<Dated>,
    /// 选举日期: the day the present committee was elected.
    pub elected: Option<Dated>,
    /// The first day after the committee's term.
    pub until: Option<Day>,
    /// The term in years, 3 or 5.
    pub term_years: Option<u8>,
    /// Its women's organisation; `Some(None)`: stated that there is none.
    pub women: Option<Option<WomenOrg>>,
    /// Its own 统一社会信用代码, with whether its check digit is right.
    pub uscc: Option<(String, bool)>,
    /// 统计代码.
    pub statistical: Option<String>,
}

const NAME: usize = 0;
const KIND: usize = 1;
const HOST: usize = 2;
const HOST_CODE: usize = 3;
const COVERS: usize = 4;
const DOCUMENT: usize = 5;
const APPROVED: usize = 6;
const APPROVER: usize = 7;
const FOUNDED: usize = 8;
const UNTIL: usize = 9;
const TERM: usize = 10;
const ELECTED: usize = 11;
const WOMEN: usize = 12;
const USCC: usize = 13;
const STATISTICAL: usize = 14;
const APPLIED: usize = 15;

/// The columns.
pub const TABLE: TableSpec = TableSpec {
    name: "branch",
    columns: &[
        required("name", &["名称", "工会名称", "基层工会名称"], &["union"], "工会名称"),
        required(
            "kind",
            &["类型", "工会类型", "组织类型", "建会类型", "建会形式"],
            &[],
            "单独、联合、区域性、行业性、灵活就业、联合会、系统、分会",
        ),
        optional(
            "host",
            &["单位", "单位名称", "所在单位", "所属单位", "建会单位"],
            &["unit"],
            "所在单位:名称或路径;与单位代码至少填一项",
        ),
        optional(
            "host_code",
            &["单位代码", "单位统一社会信用代码", "单位信用代码", "企业统一社会信用代码"],
            &["hostcode"],
            "所在单位的统一社会信用代码或区划代码",
        ),
        optional(
            "covers",
            &["涵盖单位", "覆盖单位", "涵盖企业"],
            &[],
            "除所在单位外涵盖的单位:名称、路径或代码,用“;”隔开",
        ),
        optional("document", &["批复文号", "文号"], &[], "批复文号"),
        optional("approved", &["批复日期", "批复时间", "批准日期"], &[], "批复日期"),
        optional(
            "approver",
            &["批复单位", "批准单位", "上级工会", "上一级工会"],
            &[],
            "批复的上级:名称、路径或代码;不填为本节点单位",
        ),
        optional("founded", &["成立日期", "成立时间", "建会日期", "建会时间"], &[], "成立日期"),
        optional("until", &["届满日期", "届满时间", "任期届满", "届满"], &[], "本届届满日期"),
        optional("term", &["任期", "任期年限", "届期"], &["termyears"], "3 或 5(年);不填为 5"),
        optional("elected", &["选举日期", "换届日期", "换届时间"], &[], "本届选举日期"),
        optional(
            "women",
            &["女职工组织", "女工组织", "女职工委员会"],
            &["womenorg"],
            "女职工委员会、女职工委员、无",
        ),
        optional(
            "uscc",
            &["工会统一社会信用代码", "工会代码", "工会法人代码", "工会信用代码"],
            &["unionuscc"],
            "工会自己的统一社会信用代码(81开头)",
        ),
        optional("statistical", &["统计代码", "基层工会统计代码"], &[], "基层工会统计代码"),
        optional(
            "applied",
            &["申请日期", "申请时间", "申请建会日期"],
            &[],
            "申请建会日期;只有申请、没有批复和成立日期的,只登记申请",
        ),
    ],
};

impl Row for BranchRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, today: Day) -> Option<Self> {
        let name = cells.required_name(NAME);
        if cells.is_blank(KIND) {
            cells.fault(KIND, Problem::Blank);
        }
        let kind = cells.with(KIND, code_list::branch_kind);
        let host = cells.with(HOST_CODE, |cell| Ok(text::code(cell))).or_else(|| cells.name(HOST));
        if host.is_none() {
            cells.fault(HOST, Problem::Blank);
        }
        let founded = cells.past_day(FOUNDED, today);
        let elected = cells.past_day(ELECTED, today);
        let until = cells.with(UNTIL, date::parse).map(Dated::as_end);
        if let (Some(until), Some(start)) = (until, elected.or(founded))
            && until <= start.day
        {
            cells.fault(UNTIL, Problem::DayBefore { column: "成立日期/选举日期" });
        }
        Some(Self {
            row: cells.row(),
            covers: text::list(cells.raw(COVERS)),
            document: cells.name(DOCUMENT),
            approved: cells.past_day(APPROVED, today),
            approver: cells.name(APPROVER),
            applied: cells.past_day(APPLIED, today),
            founded,
            elected,
            until,
            term_years: cells.with(TERM, term),
            women: cells.with(WOMEN, code_list::women_org),
            uscc: cells.uscc(USCC),
            statistical: cells.with(STATISTICAL, |cell| Ok(text::code(cell))),
            name: name?,
            kind: kind?,
            host: host?,
        })
    }
}

fn term(cell: &str) -> Result<u8, Problem> {
    match cell.trim_end_matches('年') {
        "3" | "三" => Ok(3),
        "5" | "五" => Ok(5),
        _ => Err(Problem::NotInList { known: vec!["3", "5"] }),
    }
}
