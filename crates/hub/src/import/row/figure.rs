//! Declared figures: one element of a form a row, or one declared rate.

use super::{Cells, Row};
use crate::import::sheet::{TableSpec, optional, required};
use crate::import::{Problem, text};
use hub_core::catalog::Catalog;
use hub_core::period::{Cycle, Span};
use hub_core::time::Day;

/// One figure, or one rate.
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
    /// The element of the form; in a row with a rate what stands over the line.
    pub element: Option<u32>,
    /// Its value in the element's unit of measure.
    pub value: Option<i64>,
    /// A rate as declared.
    pub rate: Option<Rate>,
    /// The units a residual figure stands for, by name, path or code; empty for the unit's own.
    pub residual: Vec<String>,
    /// The revision; the next if none.
    pub revision: Option<u32>,
    /// The posts that filed, reviewed and answer for it.
    pub posts: [Option<u32>; 3],
}

/// A rate as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The text, e.g. `92%`.
    pub text: String,
    /// What it is called.
    pub name: String,
    /// The element under the line.
    pub base: Option<u32>,
}

/// The column of the unit.
pub const UNIT: usize = 0;
/// The column of the form.
pub const FORM: usize = 1;
/// The column of the period.
pub const PERIOD: usize = 2;
/// The column of the element.
pub const ELEMENT: usize = 3;
/// The column of the value.
pub const VALUE: usize = 4;
/// The column of the rate.
pub const RATE: usize = 5;
const RATE_NAME: usize = 6;
const BASE: usize = 7;
/// The column of the units a residual figure stands for.
pub const RESIDUAL: usize = 8;
/// The column of the revision.
pub const REVISION: usize = 9;
const POSTS: [usize; 3] = [10, 11, 12];

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
        required("form", &["表号", "报表"], &[], "表号(数字),须是已公布的报表"),
        required("period", &["报告期", "统计期", "年度"], &[], "统计年度 2026,或月份 2026-05"),
        required("element", &["指标", "指标代码"], &[], "指标代码(数字);填比率的行为分子"),
        required("value", &["数值", "填报数"], &[], "整数;金额以分计;没有填报的不要写 0"),
        optional("rate", &["比率", "申报比率"], &[], "按原文填报的比率,如 92%;只作核对,不采用"),
        optional("rate_name", &["比率名称"], &["ratename"], "比率的叫法,如 组建率"),
        optional("base", &["分母指标", "分母"], &[], "比率的分母:指标代码"),
        optional(
            "residual",
            &["代报单位", "代报范围"],
            &[],
            "本行为代报数时,所代报的单位,用顿号分开",
        ),
        optional("revision", &["修订号", "第几次填报"], &[], "不填为下一次"),
        optional("filed_by", &["填报岗位"], &["filedby"], "填报岗位号(不填姓名)"),
        optional("reviewed_by", &["审核岗位"], &["reviewedby"], "审核岗位号"),
        optional("signed_by", &["负责岗位"], &["signedby"], "负责人岗位号"),
    ],
};

impl Row for FigureRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, today: Day) -> Option<Self> {
        for column in [FORM, PERIOD] {
            if cells.is_blank(column) {
                cells.fault(column, Problem::Blank);
            }
        }
        // a row says a value, a rate, or both
        if cells.is_blank(RATE) {
            for column in [ELEMENT, VALUE] {
                if cells.is_blank(column) {
                    cells.fault(column, Problem::Blank);
                }
            }
        }
        let unit = cells.required_name(UNIT);
        let form = cells.with(FORM, form);
        let period = cells.with(PERIOD, |cell| period_of(cell, form, today));
        let element = cells.with(ELEMENT, |cell| element_of(cell, form));
        let value = cells.with(VALUE, text::integer);
        let rate = match cells.name(RATE) {
            None => None,
            Some(text) => {
                let name = cells.name(RATE_NAME).unwrap_or_default();
                Some(Rate { text, name, base: cells.with(BASE, |cell| element_of(cell, form)) })
            }
        };
        if element.is_none() && value.is_some() {
            cells.fault(ELEMENT, Problem::Blank);
        }
        Some(Self {
            row: cells.row(),
            unit: unit?,
            form: form?,
            period: period?,
            element,
            value,
            rate,
            residual: text::list(cells.raw(RESIDUAL)),
            revision: cells.with(REVISION, text::count),
            posts: POSTS.map(|column| cells.with(column, text::count)),
        })
    }
}

/// A form of the catalogue.
fn form(cell: &str) -> Result<u32, Problem> {
    let number = text::count(cell)?;
    let catalog = Catalog::standard();
    if catalog.form(number).is_some() {
        return Ok(number);
    }
    let known = catalog.forms.iter().map(|form| format!("{} {}", form.id, form.zh));
    Err(Problem::Shape { expected: known.collect::<Vec<_>>().join("、") })
}

/// An element of the form.
fn element_of(cell: &str, form: Option<u32>) -> Result<u32, Problem> {
    let number = text::count(cell)?;
    let catalog = Catalog::standard();
    let Some(form) = form.and_then(|form| catalog.form(form)) else { return Ok(number) };
    if form.elements.contains(&number) {
        return Ok(number);
    }
    let named = |id: &u32| {
        let element = catalog.element(*id)?;
        Some(format!("{id} {}({})", element.zh, element.unit))
    };
    let known: Vec<String> = form.elements.iter().filter_map(named).collect();
    Err(Problem::Shape { expected: format!("《{}》的指标:{}", form.zh, known.join("、")) })
}

/// A period of the form that has begun.
fn period_of(cell: &str, form: Option<u32>, today: Day) -> Result<String, Problem> {
    let period = period(cell)?;
    let Some(span) = Span::parse(&period) else { return Err(Problem::NotADay) };
    let cycle = form.and_then(|form| Catalog::standard().form(form)).map(|form| form.cycle);
    if cycle.is_some_and(|cycle| cycle != span.cycle) {
        let expected = match span.cycle {
            Cycle::Year => "2026-05(按月填报的表)",
            Cycle::Month => "2026(按统计年度填报的表)",
        };
        return Err(Problem::Shape { expected: expected.to_owned() });
    }
    if span.first > today {
        return Err(Problem::FutureDay { latest: today });
    }
    Ok(period)
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
