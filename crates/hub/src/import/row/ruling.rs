//! Rulings on cases, in bulk.

use super::{Cells, Row};
use crate::import::date::{self, Dated};
use crate::import::sheet::{TableSpec, optional, required};
use hub_core::time::Day;

/// One ruling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulingRow {
    /// Where it stands.
    pub row: u64,
    /// The case, by its first digits.
    pub case: String,
    /// The side that counts, or none.
    pub winner: String,
    /// From which day.
    pub from: Option<Dated>,
    /// Why.
    pub reason: String,
    /// The number of the ruling's document.
    pub document: String,
}

/// The place of the column of cases.
pub const CASE: usize = 0;
/// The place of the column of winners.
pub const WINNER: usize = 1;
/// The place of the column of days.
pub const FROM: usize = 2;
const REASON: usize = 3;
const DOCUMENT: usize = 4;

/// The columns.
pub const TABLE: TableSpec = TableSpec {
    name: "ruling",
    columns: &[
        required(
            "case",
            &["争议编号", "编号", "争议"],
            &["id"],
            "hub cases list 的编号;写前几位即可",
        ),
        required(
            "winner",
            &["计入一方", "裁定结果", "胜方"],
            &["side"],
            "一方的序号、工会或单位名称;都不计写“无”",
        ),
        optional("from", &["起始日期", "生效日期", "日期"], &["date"], "不填为双方并立之日"),
        required("reason", &["理由", "原因"], &[], "裁定理由"),
        required("document", &["裁定文号", "文号"], &[], "裁定文号"),
    ],
};

impl Row for RulingRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, _today: Day) -> Option<Self> {
        let case = cells.required_name(CASE);
        let winner = cells.required_name(WINNER);
        let reason = cells.required_name(REASON);
        let document = cells.required_name(DOCUMENT);
        let from = cells.with(FROM, date::parse);
        Some(Self {
            row: cells.row(),
            from,
            case: case?,
            winner: winner?,
            reason: reason?,
            document: document?,
        })
    }
}
