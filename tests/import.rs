//! A roster of 100,000 rows as they really come: every bad row named, good ones in, the same file again
//! changes nothing, a mended report goes in, and one command takes the import back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use encoding_rs::GB18030;
use hub_core::check_digit::is_citizen_id;
use hub_tests::capture::{Ran, hub};
use hub_tests::demo::people::person;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

const ROWS: u32 = 100_000;

/// What is odd about a row; one row in a hundred has each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Odd {
    /// Refused or noted.
    CheckDigit,
    DigitsLost,
    PerhapsDigitsLost,
    Scientific,
    FutureDay,
    UnknownUnion,
    Duplicate,
    MissingCell,
    NoEncoding,
    OpenQuote,
    /// Good all the same.
    Gb18030,
    FullWidth,
    LineBreak,
    Plain,
}

impl Odd {
    fn of(serial: u32) -> Self {
        match serial % 100 {
            3 => Self::CheckDigit,
            // One rounded number in eleven passes its check digit all the same.
            11 if is_citizen_id(&rounded(serial)) => Self::PerhapsDigitsLost,
            11 => Self::DigitsLost,
            19 => Self::Scientific,
            23 => Self::FutureDay,
            31 => Self::UnknownUnion,
            41 => Self::Duplicate,
            47 => Self::MissingCell,
            53 => Self::NoEncoding,
            61 => Self::OpenQuote,
            67 => Self::Gb18030,
            71 => Self::FullWidth,
            83 => Self::LineBreak,
            _ => Self::Plain,
        }
    }

    /// What the report says of it; none for a good row.
    fn problem(self) -> Option<&'static str> {
        Some(match self {
            Self::CheckDigit => "身份证号校验位不对",
            Self::DigitsLost | Self::Scientific => {
                "身份证号被存成数字,后三位已丢失,请把该列设为文本后重录"
            }
            Self::PerhapsDigitsLost => "后三位可能已丢失",
            Self::FutureDay => "日期在今天",
            Self::UnknownUnion => "没有这个工会",
            Self::Duplicate => "完全相同",
            Self::MissingCell => "表头有6列,本行有5列",
            Self::NoEncoding => "不是UTF-8也不是GB18030",
            Self::OpenQuote => "引号没有成对",
            Self::Gb18030 | Self::FullWidth | Self::LineBreak | Self::Plain => return None,
        })
    }
}

/// The number a spreadsheet makes of a person's.
fn rounded(serial: u32) -> String {
    let mut number = person(serial, false).number;
    number.replace_range(15.., "000");
    number
}

/// The bytes of a row.
fn row(serial: u32) -> Vec<u8> {
    let odd = Odd::of(serial);
    let someone = person(if odd == Odd::Duplicate { serial - 1 } else { serial }, false);
    let mut name = someone.name.clone();
    let mut number = someone.number.clone();
    let (mut union, mut joined) = ("演示甲厂工会", "2019年5月");
    match odd {
        Odd::CheckDigit => {
            let last = if number.ends_with('1') { '2' } else { '1' };
            number.pop();
            number.push(last);
        }
        Odd::DigitsLost | Odd::PerhapsDigitsLost => number = rounded(serial),
        Odd::Scientific => number = format!("{}.{}E+17", &number[..1], &number[1..6]),
        Odd::FutureDay => joined = "2199-01-01",
        Odd::UnknownUnion => union = "没有的工会",
        Odd::FullWidth => {
            let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
            number = number.chars().map(wide).collect();
        }
        Odd::LineBreak => name = format!("\"{}\n{}\"", &name[..3], &name[3..]),
        Odd::OpenQuote => name.insert(0, '"'),
        _ => {}
    }
    let last = if odd == Odd::MissingCell { "" } else { ",原有会员" };
    let line = format!("{name},{number},男,{union},{joined}{last}\n");
    match odd {
        Odd::Gb18030 => GB18030.encode(&line).0.into_owned(),
        Odd::NoEncoding => [b"\xff\xfe\xff,", line.split_once(',').unwrap().1.as_bytes()].concat(),
        _ => line.into_bytes(),
    }
}

fn write_roster(path: &Path) {
    let mut bytes =
        "演示县工会会员花名册,,,,,\n姓名,证件号码,性别,工会,入会日期,来源\n".as_bytes().to_vec();
    for serial in 0..ROWS {
        bytes.extend(row(serial));
    }
    fs::write(path, bytes).unwrap();
}

fn counted(odd: impl Fn(Odd) -> bool) -> u64 {
    (0..ROWS).filter(|serial| odd(Odd::of(*serial))).count() as u64
}

/// The counts an import printed.
fn tally(ran: &Ran) -> BTreeMap<String, u64> {
    let answer: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    let row = answer["rows"][0].as_object().unwrap();
    row.iter().map(|(key, value)| (key.clone(), value.as_u64().unwrap())).collect()
}

fn members(data: &Path, measure: &str) -> i64 {
    let ran = hub(data, &["--format", "json", "query", "coverage", "--indicator", measure]);
    let answer: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    let row = &answer["rows"][0];
    row.get("numerator").or(row.get("count")).and_then(Value::as_i64).unwrap()
}

fn found(place: &Path) -> std::path::PathBuf {
    let data = place.join("data");
    let init = ["init", "--province", "演示省", "--code", "99", "--list-year", "2023"];
    assert_eq!(hub(&data, &init).code, 0);
    let unit = place.join("unit.csv");
    fs::write(&unit, "名称,统一社会信用代码\n演示甲厂,91990000900000014Q\n").unwrap();
    let ran = hub(&data, &["unit", "import", unit.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let union = place.join("union.csv");
    fs::write(
        &union,
        "工会名称,类型,单位,批复文号,批复日期,成立日期\n\
         演示甲厂工会,单独,演示甲厂,演〔2015〕1号,2015-04-01,2015-04-01\n",
    )
    .unwrap();
    let ran = hub(&data, &["branch", "import", union.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    data
}

/// Row number and problem of each row of a report.
fn report(path: &Path) -> BTreeMap<u64, String> {
    let text = fs::read_to_string(path).unwrap();
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|heading| heading == name).unwrap();
    let (row, problem) = (place("原行号"), place("问题"));
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        (record[row].parse().unwrap(), record[problem].to_owned())
    });
    rows.collect()
}

#[test]
fn a_roster_of_a_hundred_thousand_rows() {
    let place = tempfile::tempdir().unwrap();
    let data = found(place.path());
    let roster = place.path().join("roster.csv");
    write_roster(&roster);
    let import = ["--format", "json", "member", "import", roster.to_str().unwrap()];

    // A dry run says the same and writes nothing.
    let dry = hub(&data, &[&import[..], &["--dry-run"]].concat());
    assert_eq!(members(&data, "members.all"), 0);

    let ran = hub(&data, &import);
    assert_eq!(ran.code, 1, "refused rows are findings: {}", ran.err);
    let counts = tally(&ran);
    assert_eq!(counts, tally(&dry));
    let unqualified = counted(|odd| odd == Odd::CheckDigit);
    let noted = unqualified + counted(|odd| odd == Odd::PerhapsDigitsLost);
    let bad = counted(|odd| odd.problem().is_some());
    assert_eq!(counts["rows"], u64::from(ROWS));
    assert_eq!((counts["refused"], counts["noted"]), (bad - noted, noted));
    assert_eq!(counts["new"], u64::from(ROWS) - (bad - noted));

    // Every bad row is named with its own problem, and no other row is.
    let named = report(&place.path().join("roster.待改.csv"));
    assert_eq!(named.len() as u64, bad);
    for serial in 0..ROWS {
        let at = u64::from(serial) + 3;
        match (Odd::of(serial).problem(), named.get(&at)) {
            (None, None) => {}
            (Some(expected), Some(found)) if found.contains(expected) => {}
            (expected, found) => panic!("row {at}: expected {expected:?}, found {found:?}"),
        }
    }
    let qualified = i64::try_from(counts["new"] - unqualified).unwrap();
    assert_eq!(members(&data, "members.all"), qualified);
    assert_eq!(members(&data, "members.unqualified"), i64::try_from(unqualified).unwrap());

    // The same file again changes nothing.
    let again = tally(&hub(&data, &import));
    assert_eq!((again["new"], again["revised"]), (0, 0));
    assert_eq!(again["unchanged"], counts["new"]);

    mend_and_undo(place.path(), &data, &roster);
}

/// The report, mended, goes in; and both imports come out again.
fn mend_and_undo(place: &Path, data: &Path, roster: &Path) {
    let report = place.join("roster.待改.csv");
    let mended = fs::read_to_string(&report).unwrap().replace("没有的工会", "演示甲厂工会");
    fs::write(&report, mended).unwrap();
    let before = members(data, "members.all");
    let ran = hub(data, &["--format", "json", "member", "import", report.to_str().unwrap()]);
    let unknown = counted(|odd| odd == Odd::UnknownUnion);
    assert_eq!(tally(&ran)["new"], unknown, "{}", ran.err);
    assert_eq!(members(data, "members.all"), before + i64::try_from(unknown).unwrap());

    assert_eq!(hub(data, &["undo", "--last"]).code, 0);
    assert_eq!(members(data, "members.all"), before);
    assert_eq!(hub(data, &["undo", "--last"]).code, 0);
    assert_eq!(members(data, "members.all"), 0);
    assert_eq!(members(data, "members.unqualified"), 0);

    // What was taken back can be entered anew.
    let ran = hub(data, &["--format", "json", "member", "import", roster.to_str().unwrap()]);
    let unqualified = i64::try_from(counted(|odd| odd == Odd::CheckDigit)).unwrap();
    assert_eq!(i64::try_from(tally(&ran)["new"]).unwrap(), before + unqualified);
}

#[test]
fn a_file_of_300_megabytes_is_refused_before_it_is_read() {
    let place = tempfile::tempdir().unwrap();
    let data = found(place.path());
    let path = place.path().join("large.csv");
    let mut file = File::create(&path).unwrap();
    file.write_all("姓名,证件号码,工会\n".as_bytes()).unwrap();
    file.set_len(300 << 20).unwrap();
    let ran = hub(&data, &["member", "import", path.to_str().unwrap()]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("文件有300MB,超过上限256MB,未读取"), "{}", ran.err);
}

/// A roster of three, as text.
fn small(rows: &[&str]) -> String {
    let mut text = "姓名,证件号码,性别,工会,入会日期,农民工\n".to_owned();
    rows.iter().for_each(|row| text += &format!("{row}\n"));
    text
}

#[test]
fn corrections_gaps_and_completeness() {
    let place = tempfile::tempdir().unwrap();
    let data = found(place.path());
    let path = place.path().join("roster.csv");
    let import = |rows: &[&str], more: &[&str]| {
        fs::write(&path, small(rows)).unwrap();
        let line = ["--format", "json", "member", "import", path.to_str().unwrap()];
        hub(&data, &[&line[..], more].concat())
    };
    let line = |serial: u32, joined: &str, migrant: &str| {
        let someone = person(serial, false);
        format!("{},{},男,演示甲厂工会,{joined},{migrant}", someone.name, someone.number)
    };
    let (first, second, third) =
        (line(1, "2019-05-01", ""), line(2, "2019-05-01", ""), line(3, "2019-05-01", "否"));
    assert_eq!(import(&[&first, &second, &third], &[]).code, 0);
    assert_eq!(members(&data, "members.all"), 3);

    // A day corrected and an attribute changed are revisions; who is missing is told and stays.
    let (first, third) = (line(1, "2020-01-01", ""), line(3, "2019-05-01", "是"));
    let ran = import(&[&first, &third], &[]);
    let counts = tally(&ran);
    assert_eq!((counts["new"], counts["revised"], counts["missing"]), (0, 2, 1));
    assert!(ran.err.contains(&person(2, false).name), "{}", ran.err);
    assert_eq!(members(&data, "members.all"), 3);
    assert_eq!(members(&data, "members.migrant"), 1);
    let before_correction = ["query", "coverage", "--indicator", "members.all", "--as-of"];
    let as_of = |day: &str| {
        let ran = hub(&data, &[&["--format", "json"], &before_correction[..], &[day]].concat());
        let answer: Value = serde_json::from_str(&ran.out).unwrap();
        answer["rows"][0]["count"].as_i64().unwrap()
    };
    assert_eq!(as_of("2019-06-01"), 2);

    // Taking the correction back brings back what it had corrected.
    assert_eq!(hub(&data, &["undo", "--last"]).code, 0);
    assert_eq!(as_of("2019-06-01"), 3);
    assert_eq!(members(&data, "members.migrant"), 0);

    // Only a roster that is said to be whole ends anyone, and its undo brings them back.
    let counts = tally(&import(&[&line(1, "2019-05-01", "")], &["--complete"]));
    assert_eq!((counts["missing"], counts["ended"]), (2, 2));
    assert_eq!(members(&data, "members.all"), 1);
    assert_eq!(hub(&data, &["undo", "--last"]).code, 0);
    assert_eq!(members(&data, "members.all"), 3);
    assert_eq!(hub(&data, &["undo", "261121999"]).code, 2);
}

#[test]
fn a_number_mended_moves_the_member_and_leaves_no_second_one() {
    let place = tempfile::tempdir().unwrap();
    let data = found(place.path());
    let path = place.path().join("roster.csv");
    let someone = person(7, false);
    let (body, last) = someone.number.split_at(17);
    let wrong = format!("{body}{}", if last == "1" { "2" } else { "1" });
    let import = |number: &str| {
        let row = format!("{},{number},男,演示甲厂工会,2019-05-01,", someone.name);
        fs::write(&path, small(&[&row])).unwrap();
        tally(&hub(&data, &["--format", "json", "member", "import", path.to_str().unwrap()]))
    };
    let counts = import(&wrong);
    assert_eq!((counts["new"], counts["noted"]), (1, 1));
    assert_eq!((members(&data, "members.all"), members(&data, "members.unqualified")), (0, 1));

    let counts = import(&someone.number);
    assert_eq!((counts["new"], counts["revised"], counts["missing"]), (0, 1, 0));
    assert_eq!((members(&data, "members.all"), members(&data, "members.unqualified")), (1, 0));
    assert_eq!(import(&someone.number)["unchanged"], 1);

    assert_eq!(hub(&data, &["undo", "--last"]).code, 0);
    assert_eq!((members(&data, "members.all"), members(&data, "members.unqualified")), (0, 1));
}

#[test]
fn one_unit_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    let data = found(place.path());
    let code = "91990000900000022K";
    let register = ["unit", "register", "--name", "演示乙厂", "--code", code, "--employees", "30"];
    let ran = hub(&data, &register);
    assert_eq!((ran.code, ran.out.as_str()), (0, "已登记:演示乙厂\n"), "{}", ran.err);
    assert_eq!(hub(&data, &register).out, "已有登记,未变:演示乙厂\n");
    assert_eq!(members(&data, "units.due"), 1);
    let ran = hub(&data, &["unit", "register", "--name", "某厂", "--parent", "没有的地方"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("“没有的地方”:没有这个单位"), "{}", ran.err);

    assert_eq!(hub(&data, &["unit", "close", "演示乙厂", "--day", "2020-01-01"]).code, 0);
    assert_eq!(members(&data, "units.due"), 0);
    // No id of any kind in what a cadre sees.
    let ran = hub(&data, &["branch", "women", "演示甲厂工会", "--form", "女职工委员"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "已登记:演示甲厂/演示甲厂工会\n"));
}
