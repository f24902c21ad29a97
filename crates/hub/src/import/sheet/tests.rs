use super::*;
use crate::import::row::{MemberRow, Row};
use std::io::Cursor;

fn open(bytes: &[u8]) -> Result<Sheet<Cursor<Vec<u8>>>, ImportError> {
    Sheet::open(Cursor::new(bytes.to_vec()), None, MemberRow::TABLE, Bounds::default())
}

fn rows(bytes: &[u8]) -> Vec<SheetRow> {
    let mut sheet = open(bytes).unwrap();
    let mut all = Vec::new();
    while let Some(row) = sheet.next_row().unwrap() {
        all.push(row);
    }
    all
}

fn cells(row: &SheetRow) -> (u64, Vec<&str>) {
    let (SheetRow::Row(raw) | SheetRow::Refused(raw, _)) = row;
    (raw.row, raw.cells.iter().map(String::as_str).collect())
}

fn gb(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

const ROSTER: &str = "\
黑河市某厂工会会员花名册,,,\r\n填报日期:2026年,,,\r\n\r\n序号,姓 名,身份证号码(必填),入会时间\r\n\
1,张三,11010519491231002X,2019.5\r\n2,李四,34052419800101001X,\"2019年\n5月\"\r\n";

#[test]
fn titles_above_the_header_are_passed_over_and_rows_keep_their_numbers() {
    for bytes in
        [ROSTER.as_bytes().to_vec(), [b"\xef\xbb\xbf", ROSTER.as_bytes()].concat(), gb(ROSTER)]
    {
        let found = rows(&bytes);
        assert_eq!(cells(&found[0]), (5, vec!["1", "张三", "11010519491231002X", "2019.5"]));
        assert_eq!(cells(&found[1]), (6, vec!["2", "李四", "34052419800101001X", "2019年\n5月"]));
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn old_mac_line_ends_and_other_delimiters() {
    let mac = ROSTER.replace("\r\n", "\r").replace("\"2019年\n5月\"", "2019年5月");
    assert_eq!(rows(mac.as_bytes()).len(), 2);
    let tabs = ROSTER.replace(',', "\t");
    assert_eq!(rows(tabs.as_bytes()).len(), 2);
}

#[test]
fn mixed_encodings_are_read_row_by_row() {
    let mut bytes = "姓名,身份证号\n张三,11010519491231002X\n".as_bytes().to_vec();
    bytes.extend(gb("李四,34052419800101001X\n"));
    bytes.extend(b"\xff\xff,1\n");
    bytes.extend([&gb("王五小")[..], ",爱辉区\n".as_bytes()].concat());
    let mut sheet = open(&bytes).unwrap();
    assert_eq!(cells(&sheet.next_row().unwrap().unwrap()).1[0], "张三");
    assert_eq!(cells(&sheet.next_row().unwrap().unwrap()).1[0], "李四");
    for row in [4, 5] {
        let Some(SheetRow::Refused(raw, refusal)) = sheet.next_row().unwrap() else {
            panic!("row {row} is in no encoding")
        };
        assert_eq!((raw.row, refusal.problem), (row, Problem::Encoding));
    }
    assert!(sheet.is_mixed());
}

#[test]
fn columns_are_named_when_missing_twice_or_unused() {
    let Err(ImportError::MissingColumns { row: 2, missing, .. }) =
        open("花名册\n姓名,工会,性别\n".as_bytes())
    else {
        panic!("a roster without numbers is refused")
    };
    assert_eq!(missing, ["证件号码/number"]);
    assert!(matches!(
        open("姓名,身份证号,证件号码\n".as_bytes()),
        Err(ImportError::ColumnTwice { .. })
    ));
    assert!(matches!(open("甲,乙\n1,2\n".as_bytes()), Err(ImportError::NoHeader { .. })));
    assert!(matches!(open(b"PK\x03\x04..."), Err(ImportError::NotCsv { found: "xlsx" })));
    assert!(matches!(open(b""), Err(ImportError::NoHeader { .. })));
    let sheet = open("name,number,民族,序号,导入结果\n".as_bytes()).unwrap();
    assert_eq!(sheet.unused(), ["民族"]);
    assert_eq!(sheet.absent()[0].key, "document");
}

#[test]
fn rows_that_do_not_fit_are_named() {
    let found =
        rows("姓名,证件号码,性别\na,1\nb,2,女,x\nc,3,男,\nc,3,男\nd,\"4,女\ne,5,女\n".as_bytes());
    let problems: Vec<(u64, Option<&Problem>)> = found
        .iter()
        .map(|row| match row {
            SheetRow::Row(raw) => (raw.row, None),
            SheetRow::Refused(raw, refusal) => (raw.row, Some(&refusal.problem)),
        })
        .collect();
    assert_eq!(
        problems,
        [
            (2, Some(&Problem::CellCount { expected: 3, found: 2 })),
            (3, Some(&Problem::CellCount { expected: 3, found: 4 })),
            (4, None),
            (5, Some(&Problem::DuplicateRow { first: 4 })),
            (6, Some(&Problem::OpenQuote)),
            (7, None),
        ]
    );
}

#[test]
fn a_known_size_over_the_bound_is_refused_unread() {
    struct Unreadable;
    impl Read for Unreadable {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("nobody may read this"))
        }
    }
    let size = Some(300 << 20);
    let opened = Sheet::open(Unreadable, size, MemberRow::TABLE, Bounds::default());
    assert!(matches!(opened, Err(ImportError::TooLarge { found: Some(_), .. })));
}
