use super::*;
use crate::import::sheet::{Sheet, SheetRow};
use crate::import::{Bounds, code_list::Standing};
use hub_core::fact::branch::{BranchKind, WomenOrg};
use hub_core::fact::member::{Flag, Sex};
use hub_core::fact::unit::{Level, UnitKind};
use hub_core::time::Precision;

type ReadRow<T> = Result<(T, Vec<Refusal>), Vec<Refusal>>;

fn all<T: Row>(text: &str) -> Vec<ReadRow<T>> {
    let today = "2026-11-21".parse().unwrap();
    let mut sheet = Sheet::open(text.as_bytes(), None, T::TABLE, Bounds::default()).unwrap();
    let mut found = Vec::new();
    while let Some(row) = sheet.next_row().unwrap() {
        let SheetRow::Row(raw) = row else { panic!("the row is whole") };
        found.push(read::<T>(&raw, sheet.header(), sheet.places(), today));
    }
    found
}

fn one<T: Row>(text: &str) -> T {
    let mut found = all::<T>(text);
    assert_eq!(found.len(), 1);
    match found.remove(0) {
        Ok((row, notes)) if notes.is_empty() => row,
        Ok((_, notes)) => panic!("noted: {notes:?}"),
        Err(refusals) => panic!("refused: {refusals:?}"),
    }
}

fn problems<T: Row>(text: &str) -> Vec<Vec<(String, Problem)>> {
    let of = |refusals: Vec<Refusal>| {
        refusals.into_iter().map(|refusal| (refusal.column, refusal.problem)).collect()
    };
    all::<T>(text)
        .into_iter()
        .map(|row| match row {
            Ok((_, notes)) => of(notes),
            Err(refusals) => of(refusals),
        })
        .collect()
}

#[test]
fn no_column_stands_twice_in_a_table() {
    for table in [
        unit::TABLE,
        branch::TABLE,
        member::TABLE,
        figure::TABLE,
        approval::TABLE,
        ruling::TABLE,
        succession::TABLE,
    ] {
        let mut keys: Vec<&str> = table.columns.iter().map(|column| column.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), table.columns.len(), "{}", table.name);
    }
}

#[test]
fn a_division_and_an_employer() {
    let division: UnitRow = one("code,name,level,parent\n2311,黑河市,city,23\n");
    assert_eq!((division.kind, division.level), (UnitKind::Territory, Level::City));
    assert_eq!(division.parent.as_deref(), Some("23"));
    let padded: UnitRow = one("代码,名称\n231102000000,爱辉区\n");
    assert_eq!((padded.kind, padded.level), (UnitKind::Territory, Level::County));

    let employer: UnitRow = one(
        "单位名称,统一社会信用代码,所属上级,职工人数,女职工,农民工,单位类别,行业,正常经营,未建原因,摸底日期\n\
         黑河某厂(集团),91350100m000100y43,黑河市/爱辉区,\"1,260\",300,20,私营,C,是,职工人数少,2026.9\n",
    );
    assert_eq!((employer.kind, employer.level), (UnitKind::Employer, Level::Enterprise));
    assert_eq!(employer.name, "黑河某厂（集团）");
    assert_eq!(employer.code.unwrap().value, "91350100M000100Y43");
    let headcount = employer.headcount.unwrap();
    assert_eq!(
        (headcount.employees, headcount.women, headcount.dispatched),
        (1_260, Some(300), None)
    );
    assert_eq!((employer.ownership, employer.industry), (Some(170), Some(b'C')));
    assert_eq!((employer.operating, employer.no_union_reason), (Some(true), Some(2)));
    assert_eq!(employer.day.unwrap().precision, Precision::Month);
    assert!(employer.qualified);
}

#[test]
fn every_wrong_cell_of_a_row_is_named_at_once() {
    let found = problems::<UnitRow>(
        "名称,统一社会信用代码,职工人数,女职工,正常经营\n,91350100M000100Y4Z,20,30,也许\n",
    );
    let columns: Vec<&str> = found[0].iter().map(|(column, _)| column.as_str()).collect();
    assert_eq!(columns, ["名称", "统一社会信用代码", "女职工", "正常经营"]);
    let noted = problems::<UnitRow>("名称,信用代码\n甲厂,91350100M000100Y4Z\n乙厂,9.135E+17\n");
    assert_eq!(noted[0], [("信用代码".to_owned(), Problem::UsccCheckDigit)]);
    assert_eq!(noted[1], [("信用代码".to_owned(), Problem::DigitsLost)]);
}

#[test]
fn a_union_with_all_its_columns() {
    let row: BranchRow = one(
        "工会名称,工会类型,单位代码,单位,涵盖单位,批复文号,批复日期,批复单位,成立日期,届满日期,任期,女职工组织,工会统一社会信用代码,统计代码\n\
         某厂工会,联合,91350100M000100Y43,某厂,甲厂；乙厂,黑工组〔2019〕5号,2019-05-03,黑河市,2019年5月,2024.5,5年,女职工委员,,A-001\n",
    );
    assert_eq!((row.kind, row.host.as_str()), (BranchKind::Joint, "91350100M000100Y43"));
    assert_eq!(row.covers, ["甲厂", "乙厂"]);
    assert_eq!(row.document.as_deref(), Some("黑工组〔2019〕5号"));
    assert_eq!(row.until.unwrap().to_string(), "2024-06-01");
    assert_eq!((row.term_years, row.women), (Some(5), Some(Some(WomenOrg::Officer))));
    assert_eq!((row.uscc, row.statistical.as_deref()), (None, Some("A001")));
    let found =
        problems::<BranchRow>("名称,类型,单位,女职工组织,成立日期\n某工会,单独,,是,2026-12-01\n");
    let columns: Vec<&str> = found[0].iter().map(|(column, _)| column.as_str()).collect();
    assert_eq!(columns, ["单位", "成立日期", "女职工组织"]);
}

#[test]
fn a_member_and_the_bad_ones() {
    let row: MemberRow = one(
        "姓名,证件类型,证件号码,性别,工会,单位,入会日期,农民工,用工形式,依据,会籍状态\n\
         张　三,身份证,１１０１０５１９４９１２３１００２×,女,某厂工会,某厂,43588,是,合同制,劳动合同,保留会籍\n",
    );
    assert_eq!((row.name.as_str(), row.document.number.as_str()), ("张三", "11010519491231002X"));
    assert_eq!(
        (row.profile.sex, row.profile.migrant, row.profile.form),
        (Sex::Woman, Flag::Yes, 1)
    );
    assert_eq!(row.joined.unwrap().day.to_string(), "2019-05-03");
    assert_eq!(row.standing, Standing::Retained);

    let found = problems::<MemberRow>(
        "姓名,证件号码,性别,入会日期\n\
         甲,110105194912310021,,\n\
         乙,1.10105E+17,,\n\
         丙,11010519491231002X,男,2026-11-22\n\
         丁,34052419800101001X,,2019.1\n",
    );
    assert_eq!(found[0], [("证件号码".to_owned(), Problem::IdCheckDigit)]);
    assert_eq!(found[1], [("证件号码".to_owned(), Problem::DigitsLost)]);
    assert_eq!(found[2][0], ("性别".to_owned(), Problem::SexDiffers));
    assert!(matches!(found[2][1].1, Problem::FutureDay { .. }));
    assert_eq!(found[3], [("入会日期".to_owned(), Problem::PerhapsOctober)]);
    // The number is in no debug output.
    assert!(!format!("{:?}", row.document).contains("110105"));
}

#[test]
fn figures_and_approvals() {
    let row: FigureRow = one("单位,表号,报告期,指标,数值\n2311,1,2026年,101,\"3,261\"\n");
    assert_eq!((row.period.as_str(), row.element, row.value), ("2026", Some(101), Some(3_261)));
    let row: ApprovalRow = one("工会,批复文号,批复日期\n某厂工会,黑工组〔2026〕1号,2026-01-05\n");
    assert!(row.approved);
    let found =
        problems::<ApprovalRow>("工会,批复文号,审批结果,理由\n甲工会,,同意,\n乙工会,,不同意,\n");
    assert_eq!(found[0], [("批复文号".to_owned(), Problem::Blank)]);
    assert_eq!(found[1], [("理由".to_owned(), Problem::Blank)]);
}

/// The tables of `schemas/import.md`, as the code has them.
fn documented() -> String {
    let mut text = String::new();
    for table in [
        unit::TABLE,
        branch::TABLE,
        member::TABLE,
        figure::TABLE,
        approval::TABLE,
        ruling::TABLE,
        succession::TABLE,
    ] {
        text += &format!(
            "\n## {}\n\n| key | headings | required | content |\n|---|---|---|---|\n",
            table.name
        );
        for column in table.columns {
            let headings =
                column.zh.iter().chain(column.en).copied().collect::<Vec<_>>().join("、");
            let required = if column.required { "yes" } else { "" };
            text += &format!("| {} | {headings} | {required} | {} |\n", column.key, column.content);
        }
    }
    text
}

#[test]
fn the_documentation_has_the_columns_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/import.md");
    let written = std::fs::read_to_string(path).unwrap();
    let expected = documented();
    let at = written.find("\n## unit\n").unwrap();
    let end = written.find("\n## Words of coded columns").unwrap();
    assert_eq!(
        &written[at..end],
        expected,
        "schemas/import.md should have these tables:\n{expected}"
    );
}
