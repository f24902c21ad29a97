//! The work reports' wrong figures, entered through the program into a real data directory, come out of
//! `hub findings` as sentences: X1, X2, X8, X9, X10, X16. `hub missing` says who has not reported; a superior
//! returns a report, and totals go without it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::config::Node;
use hub::host::Host;
use hub::replica::Draft;
use hub_core::fact::{BranchFact, FactBody};
use hub_core::time::Day;
use hub_tests::capture::{Ran, hub};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Figures of the statistical year 2026 are asked for as of its last day, whatever day it is now.
const AS_OF: &str = "2026-09-30";

fn scenario(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/findings");
    folder.join(file).to_str().unwrap().to_owned()
}

fn fine(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

/// A province with the units, union and figures of the scenario.
fn province(place: &Path) -> PathBuf {
    let data = place.join("data");
    fine(hub(&data, &["init", "--province", "演示省", "--code", "99", "--list-year", "2023"]));
    fine(hub(&data, &["unit", "import", &scenario("units.csv")]));
    fine(hub(&data, &["branch", "import", &scenario("unions.csv")]));
    // X9: the congress reviewed six years, a term has five
    let elect = ["branch", "elect", "演示丁集团联合工会", "--term", "5", "--day", "2020-09-30"];
    fine(hub(&data, &elect));
    let report = place.join("待改.csv");
    let report =
        ["figure", "report", &scenario("figures.csv"), "--report", report.to_str().unwrap()];
    fine(hub(&data, &report));
    data
}

/// Sentences by unit and code.
fn findings(data: &Path, lang: &str) -> BTreeMap<(String, String), String> {
    let ran = hub(data, &["--format", "json", "--lang", lang, "findings", "--as-of", AS_OF]);
    assert_eq!(ran.code, 1, "there are findings: {ran:?}");
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = answer["rows"].as_array().unwrap();
    rows.iter().map(|row| ((text(row, "unit"), text(row, "code")), text(row, "text"))).collect()
}

/// The sentences of the scenario, one a line: mark, unit, code, sentence.
fn expected(file: &str, days: [Day; 2]) -> BTreeMap<(String, String), String> {
    let text = std::fs::read_to_string(scenario(file)).unwrap();
    let [written, ahead] = days.map(|day| day.to_string());
    let text = text.replace("{written}", &written).replace("{ahead}", &ahead);
    let line = |line: &str| {
        let mut parts = line.splitn(4, ' ').map(str::to_owned);
        let mut part = || parts.next().unwrap();
        let (_mark, unit, code, sentence) = (part(), part(), part(), part());
        ((unit, code), sentence)
    };
    text.lines().map(line).collect()
}

/// X8: a program that does not check writes on one day what happens three weeks later.
fn written_ahead(data: &Path) -> [Day; 2] {
    let host = Host::open(Node::load(data).unwrap()).unwrap();
    let written = Day::of_millis(host.replica.now());
    let ahead = Day(written.0 + 24);
    let (unit, branch) = {
        let view = host.replica.read();
        let branch = view.branches().all.iter().find(|branch| branch.profile.is_some()).unwrap();
        (view.tree().unit(branch.host_on(written).unwrap()).id, branch.id)
    };
    let held = BranchFact::CommitteeElected { branch, term_years: 5, until: None };
    host.replica.write(vec![Draft::new(unit, ahead, FactBody::Branch(held))]).unwrap();
    [written, ahead]
}

#[test]
fn wrong_figures_of_work_reports_come_out_as_sentences() {
    let place = tempfile::tempdir().unwrap();
    let data = province(place.path());
    // X8 at entry: the command refuses the day
    let ran = hub(&data, &["branch", "elect", "演示丁集团联合工会", "--day", "2199-12-05"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("日期在今天"), "{ran:?}");
    let days = written_ahead(&data);
    assert_eq!(findings(&data, "zh"), expected("expected.zh.txt", days));
    assert_eq!(findings(&data, "en"), expected("expected.en.txt", days));
    // what is wrong was said at entry too, beside the row it is about
    let report = std::fs::read_to_string(place.path().join("待改.csv")).unwrap();
    for said in ["改制率", "不是92%", "申请不等于建会", "已收,待核"] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn a_corrected_figure_ends_its_finding() {
    let place = tempfile::tempdir().unwrap();
    let data = province(place.path());
    let mended = place.path().join("mended.csv");
    let rows = "单位,表号,报告期,指标,数值,比率,比率名称,分母指标\n\
                演示甲县工委,3,2026,151,126,,,\n演示甲县工委,3,2026,152,116,92%,改制率,151\n";
    std::fs::write(&mended, rows).unwrap();
    fine(hub(&data, &["figure", "report", mended.to_str().unwrap()]));
    let left = findings(&data, "zh");
    assert!(left.keys().all(|(unit, _)| unit != "演示甲县工委"), "{left:?}");
    let shown = fine(hub(&data, &["figure", "show", "--period", "2026", "--unit", "演示甲县工委"]));
    assert!(shown.out.contains("已被更正") && shown.out.contains("现用"), "{shown:?}");
}

#[test]
fn figures_that_do_not_fit_the_form_say_what_would() {
    let place = tempfile::tempdir().unwrap();
    let data = province(place.path());
    let table = [
        ("演示甲县工委,9,2026,102,5", "1 基层工会调查表"),
        ("演示甲县工委,1,2026,151,5", "《基层工会调查表》的指标:101 职工人数(人)"),
        ("演示甲县工委,1,2026-05,102,5", "2026(按统计年度填报的表)"),
        ("演示甲县工委,2,2026,102,5", "2026-05(按月填报的表)"),
        ("演示甲县工委,1,2190,102,5", "日期在今天"),
        ("演示甲县工委,1,2026,102,", "必填项为空"),
        ("没有的单位,1,2026,102,5", "没有这个单位"),
    ];
    for (row, said) in table {
        let file = place.path().join("row.csv");
        std::fs::write(&file, format!("单位,表号,报告期,指标,数值\n{row}\n")).unwrap();
        let ran = hub(&data, &["figure", "report", file.to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{row}: {ran:?}");
        let report = std::fs::read_to_string(place.path().join("row.待改.csv")).unwrap();
        assert!(report.contains(said), "{row}: {report}");
    }
}

#[test]
fn who_has_not_reported_and_what_a_return_does() {
    let place = tempfile::tempdir().unwrap();
    let data = province(place.path());
    let missing = ["missing", "--period", "2025", "--form", "1"];
    let ran = hub(&data, &missing);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in ["演示丁集团", "2025-10-30", "应报1份,已报0份,未报1份", "【催报】", "已逾期"]
    {
        assert!(ran.out.contains(said), "{said}: {ran:?}");
    }
    let english = hub(&data, &[&["--lang", "en"], &missing[..]].concat());
    assert!(
        english.out.contains("[Reminder]") && english.out.contains("1 due, 0 filed, 1 missing")
    );

    let file = place.path().join("survey.csv");
    std::fs::write(
        &file,
        "单位,表号,报告期,指标,数值\n演示丁集团,1,2025,101,40\n演示丁集团,1,2025,102,30\n",
    )
    .unwrap();
    let filed = ["figure", "report", file.to_str().unwrap()];
    fine(hub(&data, &filed));
    fine(hub(&data, &missing));
    let declared = |data: &Path| {
        let asked = ["query", "coverage", "--indicator", "members.all", "--basis", "declared"];
        let asked = [&["--format", "json"], &asked[..], &["--as-of", "2025-09-30"]].concat();
        let answer: Value = serde_json::from_str(&hub(data, &asked).out).unwrap();
        answer["rows"][0]["count"].as_i64()
    };
    assert_eq!(declared(&data), Some(30));

    let no_reason = hub(&data, &["figure", "return", "演示丁集团", "--period", "2025"]);
    assert_eq!(no_reason.code, 2);
    let returned =
        ["figure", "return", "演示丁集团", "--period", "2025", "--reason", "职工人数漏填"];
    fine(hub(&data, &returned));
    assert_eq!(declared(&data), Some(0), "out of totals");
    let shown = fine(hub(&data, &["figure", "show", "--period", "2025"]));
    assert!(
        shown.out.contains("已退回") && shown.out.contains("职工人数漏填"),
        "listed: {shown:?}"
    );
    assert_eq!(hub(&data, &missing).code, 1, "missing again");
    // filed anew it is the next revision, and can be approved
    fine(hub(&data, &filed));
    fine(hub(&data, &["figure", "approve", "演示丁集团", "--period", "2025"]));
    assert_eq!(declared(&data), Some(30));
    // approved before filed: a later correction waits for approval
    std::fs::write(&file, "单位,表号,报告期,指标,数值\n演示丁集团,1,2025,102,31\n").unwrap();
    fine(hub(&data, &filed));
    assert_eq!(declared(&data), Some(30));
}
