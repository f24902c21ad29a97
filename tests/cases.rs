//! Conflicts between counties, from the command line: listed, shown, objected to, ruled, taken back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_tests::capture::Ran;
use hub_tests::demo::people::{employer_code, person};
use hub_tests::levels::Levels;
use serde_json::Value;

/// Each county with a firm and its union of one day.
fn two_unions() -> Levels {
    let levels = Levels::found();
    for (county, serial, firm) in [("east", 1, "演示东厂"), ("west", 2, "演示西厂")] {
        let code = employer_code(serial);
        let units = format!("名称,统一社会信用代码,职工人数\n{firm},{code},40\n");
        let units = levels.file("单位.csv", &units);
        levels.ok(county, &["unit", "import", &units]);
        let unions = format!(
            "工会名称,类型,单位,批复文号,批复日期,成立日期\n{firm}工会,单独,{firm},演〔2015〕{serial}号,2015-04-01,2015-04-01\n"
        );
        let unions = levels.file("工会.csv", &unions);
        levels.ok(county, &["branch", "import", &unions]);
    }
    levels.sync();
    levels
}

/// The same person in both counties: in the east since `east`, in the west since `west`.
fn joins_both(levels: &Levels, serial: u32, east: &str, west: &str) {
    let someone = person(serial, false);
    let joins = |county: &str, union: &str, day: &str| {
        let line = ["member", "join", "--branch", union, "--number", &someone.number];
        let more = ["--name", &someone.name, "--day", day, "--evidence", "花名册"];
        levels.ok(county, &[&line[..], &more[..]].concat());
    };
    joins("east", "演示东厂工会", east);
    joins("west", "演示西厂工会", west);
    levels.sync();
}

fn cases(levels: &Levels, level: &str, more: &[&str]) -> Vec<Value> {
    let answer = levels.json(level, &[&["cases", "list"], more].concat());
    answer["rows"].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

/// Counts of the two counties and the province, by the province's books.
fn members(levels: &Levels) -> [i64; 3] {
    ["演示东县", "演示西县", "演示省"].map(|unit| levels.count("province", unit, "members.all"))
}

#[test]
fn k1_a_dual_membership_is_seen_shown_ruled_and_the_ruling_taken_back() {
    let levels = two_unions();
    joins_both(&levels, 1, "2019-05-01", "2020-06-01");
    assert_eq!(members(&levels), [0, 1, 1], "the later start counts");

    let listed = cases(&levels, "province", &[]);
    assert_eq!(listed.len(), 1);
    let case = &listed[0];
    assert_eq!((text(case, "kind"), text(case, "state")), ("重复会籍", "已按规则处理"));
    assert!(text(case, "counts").ends_with("演示西厂/演示西厂工会"), "{case}");
    assert!(text(case, "against").ends_with("演示东厂/演示东厂工会"), "{case}");
    assert_eq!((text(case, "ground"), text(case, "since")), ("后入会", "2020-06-01"));
    let id = text(case, "id").to_owned();

    // a name is told by the vault of whoever asks, and by no other
    let name = person(1, false).name;
    assert!(text(case, "about").starts_with("会员 "), "the province keeps no names: {case}");
    let east = cases(&levels, "east", &[]);
    assert!(east.is_empty(), "the east county has not heard of the west yet: {east:?}");

    let shown = levels.ok("province", &["cases", "show", &id]);
    for word in ["演示东厂工会", "演示西厂工会", "花名册", "一次入会", "本级可以裁定", "会员 1 人"]
    {
        assert!(shown.contains(word), "{word} in\n{shown}");
    }
    assert!(!shown.contains(&name), "{shown}");
    let shown = levels.json("province", &["cases", "show", &id[..4]]);
    assert_eq!(shown["rows"].as_array().unwrap().len(), 2, "one row a side");
    assert_eq!(shown["citation"]["rule"], "M1(DESIGN §7 M1; 会籍办法(2016)第三条; K1)");

    let rule = |winner: &str| {
        let line = ["cases", "rule", &id, "--winner", winner, "--reason", "社保在东县"];
        levels.run("province", &[&line[..], &["--document", "演裁〔2026〕1号"]].concat())
    };
    let wrong = rule("某县");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("不是当事的一方") && wrong.err.contains("演示东厂工会"),
        "{wrong:?}"
    );
    assert_eq!(rule("演示东厂工会").code, 0);
    let case = &cases(&levels, "province", &[])[0];
    assert_eq!((text(case, "id"), text(case, "state")), (id.as_str(), "已裁定"));
    assert!(text(case, "counts").ends_with("演示东厂工会"), "{case}");

    let taken = levels.run("province", &["cases", "withdraw", &id, "--reason", "裁定有误"]);
    assert_eq!(taken.code, 0, "{taken:?}");
    assert_eq!(text(&cases(&levels, "province", &[])[0], "state"), "已按规则处理");
    let again = levels.run("province", &["cases", "withdraw", &id, "--reason", "裁定有误"]);
    assert_eq!(again.code, 2, "nothing is left to take back: {again:?}");
}

#[test]
fn an_objection_for_a_county_gives_the_person_back_and_flows_tell_it() {
    let levels = two_unions();
    joins_both(&levels, 1, "2019-05-01", "2020-06-01");
    let id = text(&cases(&levels, "province", &["--mine"])[0], "id").to_owned();
    let object = |more: &[&str]| {
        let line = ["cases", "object", &id, "--from", "2020-07-01"];
        levels.run("province", &[&line[..], more].concat())
    };
    refused(&object(&["--evidence", "劳动合同"]), "双方都在本级之下");
    refused(&object(&["--evidence", "劳动合同", "--for", "演示西县"]), "对方现在并不计入");
    refused(&object(&["--evidence", "本人申报", "--for", "演示东县"]), "依据不能更弱");
    let ran =
        object(&["--evidence", "劳动合同", "--for", "演示东县", "--document", "演函〔2020〕7号"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let case = &cases(&levels, "province", &[])[0];
    assert_eq!((text(case, "id"), text(case, "state")), (id.as_str(), "有异议"));
    assert!(text(case, "counts").ends_with("演示东厂工会"), "{case}");
    assert_eq!(members(&levels), [1, 0, 1]);

    let flows = |unit: &str| {
        let line = ["query", "flows", "--unit", unit, "--from", "2020-01-01", "--to", "2020-12-31"];
        let answer = levels.json("province", &line);
        let row = answer["rows"].as_array().unwrap().last().unwrap().clone();
        ["opening", "new", "out", "holder_changed", "closing"].map(|key| row[key].as_i64().unwrap())
    };
    assert_eq!(flows("演示东县"), [1, 0, 1, 1, 1], "taken over in June, given back in July");
    assert_eq!(flows("演示西县"), [0, 1, 0, -1, 0]);
    assert_eq!(flows("演示省"), [1, 0, 0, 0, 1]);

    let taken = levels.run("province", &["cases", "withdraw", &id, "--reason", "已核实"]);
    assert_eq!(taken.code, 0, "{taken:?}");
    assert_eq!(members(&levels), [0, 1, 1]);
}

fn refused(ran: &Ran, word: &str) {
    assert!(ran.code != 0 && ran.err.contains(word), "{word}: {ran:?}");
}

#[test]
fn k6_a_firm_in_two_counties_is_a_case_of_theirs_for_their_superior() {
    let levels = two_unions();
    let code = employer_code(9);
    let units = format!("名称,统一社会信用代码,职工人数\n演示两属厂,{code},30\n");
    let units = levels.file("单位.csv", &units);
    levels.ok("east", &["unit", "import", &units]);
    levels.ok("west", &["unit", "import", &units]);
    levels.sync();
    let listed = cases(&levels, "province", &["--kind", "disputed-unit"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    let case = &listed[0];
    assert_eq!((text(case, "state"), text(case, "ground")), ("待处理", "仅登记先后"));
    assert_eq!(case["units"], 1);
    let id = text(case, "id").to_owned();
    let by_name = cases(&levels, "province", &["--kind", "归口争议", "--unit", "演示西县"]);
    assert_eq!(by_name.len(), 1);
    assert!(cases(&levels, "province", &["--state", "ruled"]).is_empty());
    let line = ["cases", "object", &id, "--evidence", "劳动合同"];
    refused(&levels.run("province", &line), "异议只针对重复会籍");
    let line = ["cases", "rule", &id, "--winner", "演示西县", "--reason", "经费在西县"];
    let ruled = levels.run("province", &[&line[..], &["--document", "演裁〔2026〕2号"]].concat());
    assert_eq!(ruled.code, 0, "{ruled:?}");
    let case = &cases(&levels, "province", &["--kind", "disputed-unit"])[0];
    assert_eq!(text(case, "state"), "已裁定");
    assert!(text(case, "counts").ends_with("演示西县"), "{case}");
}

#[test]
fn bulk_rulings_name_every_bad_row_and_keep_the_good_ones() {
    let levels = two_unions();
    for serial in 1..=4 {
        joins_both(&levels, serial, "2019-05-01", "2020-06-01");
    }
    let listed = cases(&levels, "province", &["--mine"]);
    let ids: Vec<String> = listed.iter().map(|case| text(case, "id").to_owned()).collect();
    assert_eq!(ids.len(), 4);
    let rows = format!(
        "争议编号,计入一方,起始日期,理由,裁定文号\n\
         {},1,2020-06-01,社保,演裁〔2026〕3号\n\
         {},演示东厂工会,,社保,演裁〔2026〕3号\n\
         {},3,,社保,演裁〔2026〕3号\n\
         {},2,2018-01-01,社保,演裁〔2026〕3号\n\
         {},无,,社保,演裁〔2026〕3号\n\
         zzzz,1,,社保,演裁〔2026〕3号\n\
         {},1,,,演裁〔2026〕3号\n",
        ids[0], ids[1], ids[2], ids[3], ids[3], ids[2]
    );
    let file = levels.file("裁定.csv", &rows);
    let bulk = ["--format", "json", "cases", "rule", "--file", &file];
    let dry = levels.run("province", &[&bulk[..], &["--dry-run"]].concat());
    assert!(cases(&levels, "province", &["--state", "ruled"]).is_empty(), "{dry:?}");
    let ran = levels.run("province", &bulk);
    assert_eq!(ran.code, 1, "bad rows are findings: {ran:?}");
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    let counts = &answer["rows"][0];
    let of = |key: &str| counts[key].as_u64().unwrap();
    assert_eq!((of("rows"), of("new"), of("refused")), (7, 2, 5), "{ran:?}");
    assert_eq!(cases(&levels, "province", &["--state", "ruled"]).len(), 2);
    let report = std::fs::read_to_string(levels.path("裁定.待改.csv")).unwrap();
    let named = ["不是当事的一方", "早于双方并立之日", "是同一对象", "没有这件争议", "必填项为空"];
    assert!(named.iter().all(|problem| report.contains(problem)), "{report}");
    // the same file again rules nothing anew
    let again = levels.run("province", &bulk);
    let answer: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(
        (&answer["rows"][0]["new"], &answer["rows"][0]["unchanged"]),
        (&0.into(), &2.into())
    );
}
