//! Approvals and refusals of founding applications, in bulk.

use super::{Cells, Row};
use crate::import::date::Dated;
use crate::import::sheet::{TableSpec, optional, required};
use crate::import::{Problem, code_list};
use hub_core::time::Day;

/// One decision about a founding application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Where it stands.
    pub row: u64,
    /// The union, by name, path or code.
    pub branch: String,
    /// Whether it was approved.
    pub approved: bool,
    /// 批复文号.
    pub document: Option<String>,
    /// The day of the decision.
    pub day: Option<Dated>,
    /// Why it was refused.
    pub reason: Option<String>,
}

const BRANCH: usize = 0;
const DOCUMENT: usize = 1;
const DAY: usize = 2;
const DECISION: usize = 3;
const REASON: usize = 4;

/// The columns.
pub const TABLE: TableSpec = TableSpec {
    name: "approval",
    columns: &[
        required(
            "branch",
            &["工会", "工会名称", "名称"],
            &["union", "name"],
            "申请建会的工会:名称、路径或代码",
        ),
        optional("document", &["批复文号", "文号"], &[], "批复文号;同意的必填"),
        optional("day", &["批复日期", "日期", "批准日期"], &["date", "approved"], "不填为导入当天"),
        optional("decision", &["审批结果", "结果", "审批意见"], &[], "同意、不同意;不填为同意"),
        optional("reason", &["理由", "原因", "不同意理由"], &[], "不同意的理由;不同意的必填"),
    ],
};

impl Row for ApprovalRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, today: Day) -> Option<Self> {
        let branch = cells.required_name(BRANCH);
        let approved = cells.with(DECISION, code_list::decision).unwrap_or(true);
        let document = cells.name(DOCUMENT);
        let reason = cells.name(REASON);
        if approved && document.is_none() {
            cells.fault(DOCUMENT, Problem::Blank);
        }
        if !approved && reason.is_none() {
            cells.fault(REASON, Problem::Blank);
        }
        let day = cells.past_day(DAY, today);
        Some(Self { row: cells.row(), approved, document, day, reason, branch: branch? })
    }
}
