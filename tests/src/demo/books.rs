//! A node's books as the files its people would import. The column names are those of
//! `schemas/import.md`; they stand here and nowhere else in the tests.

use super::error::DemoError;
use super::expand::{Books, Member, Union, Unit};
use std::path::Path;

/// The files of one node, in the order they are imported.
pub const DIVISIONS_FILE: &str = "divisions.csv";
/// Units: employers, committees, parks.
pub const UNITS_FILE: &str = "units.csv";
/// Unions, founded or applied for.
pub const UNIONS_FILE: &str = "unions.csv";
/// Members.
pub const MEMBERS_FILE: &str = "members.csv";

/// Writes the files of one node into `dir`; kinds without a row get no file.
pub fn write(books: &Books, dir: &Path) -> Result<(), DemoError> {
    let divisions: Vec<Vec<String>> = books.divisions.iter().map(|row| row.to_vec()).collect();
    sheet(&dir.join(DIVISIONS_FILE), &["code", "name", "level", "parent"], &divisions)?;
    let units: Vec<Vec<String>> = books.units.iter().map(unit).collect();
    sheet(&dir.join(UNITS_FILE), &UNIT_COLUMNS, &units)?;
    let unions: Vec<Vec<String>> = books.unions.iter().map(union).collect();
    sheet(&dir.join(UNIONS_FILE), &UNION_COLUMNS, &unions)?;
    let members: Vec<Vec<String>> = books.members.iter().map(member).collect();
    sheet(&dir.join(MEMBERS_FILE), &MEMBER_COLUMNS, &members)
}

const UNIT_COLUMNS: [&str; 8] =
    ["名称", "统一社会信用代码", "级别", "所属上级", "类型", "所在地", "职工人数", "日期"];
const UNION_COLUMNS: [&str; 10] = [
    "工会名称",
    "类型",
    "单位",
    "涵盖单位",
    "申请日期",
    "批复文号",
    "批复日期",
    "批复单位",
    "成立日期",
    "女职工组织",
];
const MEMBER_COLUMNS: [&str; 7] = ["姓名", "证件号码", "性别", "工会", "单位", "入会日期", "来源"];
/// The day all declared headcounts are of: the day of the list of territories.
const HEADCOUNT_DAY: &str = "2023-06-30";

fn unit(row: &Unit) -> Vec<String> {
    vec![
        row.name.clone(),
        row.code.clone(),
        row.level.clone(),
        row.parent.clone(),
        row.kind.clone(),
        row.located_in.clone(),
        row.headcount.map_or_else(String::new, |heads| heads.to_string()),
        HEADCOUNT_DAY.into(),
    ]
}

fn union(row: &Union) -> Vec<String> {
    let (founded, approval) = match row.founded {
        true => (row.day.clone(), row.day.clone()),
        false => (String::new(), String::new()),
    };
    let women = match row.women.as_str() {
        "committee" => "女职工委员会",
        "officer" => "女职工委员",
        _ => "无",
    };
    vec![
        row.name.clone(),
        row.kind.clone(),
        row.host.clone(),
        row.covers.join(";"),
        row.day.clone(),
        row.approval.clone(),
        approval,
        row.authority.clone(),
        founded,
        women.into(),
    ]
}

fn member(row: &Member) -> Vec<String> {
    vec![
        row.name.clone(),
        row.number.clone(),
        if row.woman { "女" } else { "男" }.into(),
        row.union.clone(),
        row.employer.clone(),
        row.joined.clone(),
        if row.new { "发展会员" } else { "原有会员" }.into(),
    ]
}

fn sheet(file: &Path, header: &[&str], rows: &[Vec<String>]) -> Result<(), DemoError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fault = |error: csv::Error| {
        DemoError::scenario(
            file.display().to_string(),
            "rows that can be written",
            error.to_string(),
        )
    };
    writer.write_record(header).map_err(fault)?;
    for row in rows {
        writer.write_record(row).map_err(fault)?;
    }
    let bytes = writer.into_inner().map_err(|error| {
        DemoError::scenario(file.display().to_string(), "a whole file", error.to_string())
    })?;
    std::fs::write(file, bytes).map_err(DemoError::io("writing", file))
}
