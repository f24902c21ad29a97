//! Units that follow others, in bulk: a redrawn county, merged townships.

use super::{Cells, Row};
use crate::import::code_list;
use crate::import::date::{self, Dated};
use crate::import::sheet::{TableSpec, optional, required};
use hub_core::fact::unit::Succession;
use hub_core::time::Day;

/// One old unit and one that follows it; rows of one day that share a unit are one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuccessionRow {
    /// Where it stands.
    pub row: u64,
    /// The unit that ends.
    pub old: String,
    /// The unit that follows.
    pub new: String,
    /// Which kind of change.
    pub how: Option<Succession>,
    /// From which day.
    pub day: Option<Dated>,
}

/// The place of the column of units that end.
pub const OLD: usize = 0;
/// The place of the column of units that follow.
pub const NEW: usize = 1;
const HOW: usize = 2;
const DAY: usize = 3;

/// The columns.
pub const TABLE: TableSpec = TableSpec {
    name: "succession",
    columns: &[
        required("old", &["原单位", "撤销单位", "原名称"], &[], "终止的单位:名称、路径或代码"),
        required("new", &["新单位", "承继单位", "现名称"], &[], "承继的单位,须已登记"),
        optional("how", &["方式", "变更方式"], &[], "合并、分立、区划调整;不填按数目判断"),
        optional(
            "day",
            &["日期", "生效日期", "变更日期"],
            &["date"],
            "可以是将来的日期;不填为今天",
        ),
    ],
};

impl Row for SuccessionRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, _today: Day) -> Option<Self> {
        let old = cells.required_name(OLD);
        let new = cells.required_name(NEW);
        let how = cells.with(HOW, code_list::succession);
        let day = cells.with(DAY, date::parse);
        Some(Self { row: cells.row(), how, day, old: old?, new: new? })
    }
}
