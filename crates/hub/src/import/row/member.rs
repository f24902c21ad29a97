//! Members: rosters of unions.

use super::{Cells, Row};
use crate::import::code_list::{self, Standing};
use crate::import::date::Dated;
use crate::import::document::{self, Document};
use crate::import::sheet::{TableSpec, optional, required};
use crate::import::{Problem, text};
use hub_core::fact::member::{Evidence, Flag, Origin, Profile, Sex};
use hub_core::time::Day;

/// One member of a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Where it stands.
    pub row: u64,
    /// The person's name; kept in the vault only.
    pub name: String,
    /// The document; its number is kept in the vault only.
    pub document: Document,
    /// Sex, migrant worker, employment form.
    pub profile: Profile,
    /// The union, by name, path or code; blank where the command names it.
    pub branch: Option<String>,
    /// The employer, by name, path or code.
    pub employer: Option<String>,
    /// For a dispatched worker: the unit worked at.
    pub host: Option<String>,
    /// The day of joining this union.
    pub joined: Option<Dated>,
    /// The day of first joining any union.
    pub first_joined: Option<Dated>,
    /// What the membership rests on, if stated.
    pub evidence: Option<Evidence>,
    /// Where the member comes from, if stated.
    pub origin: Option<Origin>,
    /// The union before, by name, path or code.
    pub from: Option<String>,
    /// Whether the membership is retained.
    pub standing: Standing,
}

const NAME: usize = 0;
const NUMBER: usize = 1;
const DOCUMENT_KIND: usize = 2;
const SEX: usize = 3;
const BRANCH: usize = 4;
const EMPLOYER: usize = 5;
const JOINED: usize = 6;
const MIGRANT: usize = 7;
const FORM: usize = 8;
const EVIDENCE: usize = 9;
const ORIGIN: usize = 10;
const FROM: usize = 11;
const HOST: usize = 12;
const FIRST_JOINED: usize = 13;
const STANDING: usize = 14;

/// The columns.
pub const TABLE: TableSpec = TableSpec {
    name: "member",
    columns: &[
        required("name", &["姓名", "会员姓名", "职工姓名"], &[], "姓名,只存在本节点的保密库里"),
        required(
            "number",
            &["证件号码", "身份证号", "身份证号码", "公民身份号码", "证件号", "居民身份证号"],
            &["idnumber", "id"],
            "证件号码;该列须设为文本",
        ),
        optional("document", &["证件类型", "证件种类"], &["documentkind"], "不填为居民身份证"),
        optional("sex", &["性别"], &["gender"], "男、女;不填按身份证号"),
        optional(
            "branch",
            &["工会", "工会名称", "所在工会", "工会组织", "所属工会"],
            &["union"],
            "所在工会:名称、路径或代码;全表同一工会时可用 --branch",
        ),
        optional(
            "employer",
            &["单位", "工作单位", "单位名称", "所在单位"],
            &["unit"],
            "所在单位:名称、路径或代码;本单位工会的会员可不填",
        ),
        optional("joined", &["入会日期", "入会时间"], &["day"], "加入本工会的日期"),
        optional("migrant", &["农民工", "是否农民工"], &[], "是、否"),
        optional(
            "form",
            &["用工形式", "就业形态", "用工性质"],
            &["employmentform"],
            "见 codes.md 用工形式",
        ),
        optional(
            "evidence",
            &["依据", "入会依据"],
            &[],
            "劳动合同、社会保险、花名册、本人申报;不填为花名册",
        ),
        optional("origin", &["来源", "会员来源"], &[], "原有会员、发展会员、接转、恢复会籍"),
        optional("from", &["原工会", "转出工会", "原所在工会"], &[], "接转前的工会"),
        optional("host", &["用工单位", "派驻单位"], &[], "劳务派遣会员实际工作的单位"),
        optional(
            "first_joined",
            &["首次入会日期", "首次入会时间"],
            &["firstjoined"],
            "第一次加入工会的日期",
        ),
        optional("standing", &["会籍状态", "会员状态"], &[], "在籍、保留会籍"),
    ],
};

impl Row for MemberRow {
    const TABLE: &'static TableSpec = &TABLE;

    fn read(cells: &mut Cells<'_>, today: Day) -> Option<Self> {
        let name = cells.required_name(NAME);
        let document = document_of(cells);
        let sex = sex_of(cells, document.as_ref());
        let migrant = match cells.with(MIGRANT, text::flag) {
            Some(true) => Flag::Yes,
            Some(false) => Flag::No,
            None => Flag::Unknown,
        };
        let form = cells.with(FORM, code_list::employment_form).unwrap_or(0);
        let joined = cells.past_day(JOINED, today);
        let first_joined = cells.past_day(FIRST_JOINED, today);
        if let (Some(joined), Some(first)) = (joined, first_joined)
            && first.day > joined.day
        {
            cells.fault(JOINED, Problem::DayBefore { column: "首次入会日期" });
        }
        Some(Self {
            row: cells.row(),
            profile: Profile { sex, migrant, form },
            branch: cells.name(BRANCH),
            employer: cells.name(EMPLOYER),
            host: cells.name(HOST),
            joined,
            first_joined,
            evidence: cells.with(EVIDENCE, code_list::evidence),
            origin: cells.with(ORIGIN, code_list::origin),
            from: cells.name(FROM),
            standing: cells.with(STANDING, code_list::standing).unwrap_or(Standing::Active),
            name: name?,
            document: document?,
        })
    }
}

fn document_of(cells: &mut Cells<'_>) -> Option<Document> {
    if cells.is_blank(NUMBER) {
        cells.fault(NUMBER, Problem::Blank);
        return None;
    }
    match document::parse(cells.raw(DOCUMENT_KIND), cells.raw(NUMBER)) {
        Ok(document) => {
            if let Some(note) = document.note.clone() {
                cells.fault(NUMBER, note);
            }
            Some(document)
        }
        Err(problem @ Problem::NotInList { .. }) => {
            cells.fault(DOCUMENT_KIND, problem);
            None
        }
        Err(problem) => {
            cells.fault(NUMBER, problem);
            None
        }
    }
}

/// The sex stated, else that of the number; where they differ, the word stated stands and is named.
fn sex_of(cells: &mut Cells<'_>, document: Option<&Document>) -> Sex {
    let by_number = document.map_or(Sex::Unknown, Document::sex);
    match cells.with(SEX, code_list::sex) {
        Some(stated) if stated != Sex::Unknown => {
            if by_number != Sex::Unknown && by_number != stated {
                cells.fault(SEX, Problem::SexDiffers);
            }
            stated
        }
        _ => by_number,
    }
}
