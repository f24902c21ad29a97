//! Declared figures: one element of a form a row.

use super::{Cells, Row};
use crate::import::sheet::{TableSpec, required};
use crate::import::{Problem, text};
use hub_core::time::Day;

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureRow {
    /// Where it stands.
    pub row: u64,
    /// The unit it is of, by name, path or code.
    pub unit: String,
    /// The form.
    pub form: u32,
    /// The period: `2026` or `2026-05`.
    pub period: String,
    /// The element of the form.
    pub element: u32,
    /// Its value in the element's unit of measure.
    pub value: i64,
}

const UNIT: usize = 0;
const FORM: usize = 1;
const PERIOD: usize = 2;
const ELEMENT: usize = 3;
const VALUE: usize = 4;

/// The columns.
pub const TABLE: TableSpec = TableSpec {
    name: "figure",
    columns: &[
        required(
            "unit",
            &["单位", "填报单位", "单位名称", "单位代码"],
            &[],
            "填报单位:名称、路径或代码",
        ),
        required("form", &["表号", "报表"], &[], "表号(数字)"),
        required("period", &["报告期", "统计期", "年度"], &[], "统计年度 2026,或月份 2026-05"),
        required("element", &["指标", "指标代码"], &[], "指标代码(数字)"),
        required("value", &["数值", "填报数"], &[], "整数;金额以分计;没有填报的不要写 0"),
    ],
};

impl Row for FigureRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, _today: Day) -> Option<Self> {
        for column in [FORM, PERIOD, ELEMENT, VALUE] {
            if cells.is_blank(column) {
                cells.fault(column, Problem::Blank);
            }
        }
        let unit = cells.required_name(UNIT);
        let form = cells.with(FORM, text::count);
        let period = cells.with(PERIOD, period);
        let element = cells.with(ELEMENT, text::count);
        let value = cells.with(VALUE, text::integer);
        Some(Self {
            row: cells.row(),
            unit: unit?,
            form: form?,
            period: period?,
            element: element?,
            value: value?,
        })
    }
}

/// A statistical year or a month, in the one form facts use.
///
/// # Errors
/// The cell is neither.
pub fn period(cell: &str) -> Result<String, Problem> {
    let dated = crate::import::date::parse(cell)?;
    let (year, month, _) = dated.day.to_ymd();
    match dated.precision {
        hub_core::time::Precision::Year => Ok(format!("{year:04}")),
        hub_core::time::Precision::Month => Ok(format!("{year:04}-{month:02}")),
        hub_core::time::Precision::Day => {
            Err(Problem::Shape { expected: "2026 / 2026-05".to_owned() })
        }
    }
}
