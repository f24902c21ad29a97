//! Closings from the command line (S5, K10, K11): what was published stays, what came later changes today's
//! figures, and the difference is told by cause.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::config::Node;
use hub_tests::demo::people::{employer_code, person};
use hub_tests::levels::Levels;
use serde_json::Value;

const CLOSE: [&str; 5] = ["period", "close", "2026", "--unit", "演示省"];

/// A firm with its union and two members in the east county.
fn one_union() -> Levels {
    let levels = Levels::found();
    let code = employer_code(1);
    let units = format!("名称,统一社会信用代码,职工人数,日期\n演示东厂,{code},40,2015-01-01\n");
    let units = levels.file("单位.csv", &units);
    levels.ok("east", &["unit", "import", &units]);
    let unions = "工会名称,类型,单位,批复文号,批复日期,成立日期\n\
                  演示东厂工会,单独,演示东厂,演〔2015〕1号,2015-04-01,2015-04-01\n";
    let unions = levels.file("工会.csv", unions);
    levels.ok("east", &["branch", "import", &unions]);
    joins(&levels, 1, "2019-05-01");
    joins(&levels, 2, "2020-05-01");
    levels
}

fn joins(levels: &Levels, serial: u32, day: &str) {
    let someone = person(serial, false);
    let line = ["member", "join", "--branch", "演示东厂工会", "--number", &someone.number];
    let more = ["--name", &someone.name, "--day", day, "--evidence", "花名册"];
    levels.ok("east", &[&line[..], &more[..]].concat());
    levels.sync();
}

/// What has to be acknowledged, as flags.
fn flags(levels: &Levels) -> Vec<String> {
    let ran = levels.run("province", &[&["--format", "json"], &CLOSE[..], &["--dry-run"]].concat());
    assert_eq!(ran.code, 1, "open points are findings: {ran:?}");
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = listed["rows"].as_array().unwrap();
    let open = rows.iter().filter(|row| row["count"] != 0);
    open.flat_map(|row| {
        [format!("--accept-{}", row["key"].as_str().unwrap()), row["count"].to_string()]
    })
    .collect()
}

fn total(levels: &Levels, more: &[&str]) -> (i64, i64) {
    let line = ["query", "coverage", "--unit", "演示省", "--indicator", "member.A"];
    let answer = levels.json("province", &[&line[..], more].concat());
    let row = answer["rows"].as_array().unwrap().last().unwrap().clone();
    (row["numerator"].as_i64().unwrap(), row["denominator"].as_i64().unwrap())
}

#[test]
fn k10_a_closing_is_refused_until_each_point_is_acknowledged() {
    let levels = one_union();
    let flags = flags(&levels);
    assert!(!flags.is_empty(), "the east county's firm has filed nothing");
    let refused = levels.run("province", &CLOSE);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("未封账"), "{refused:?}");
    // an acknowledgement is of a number, so that it is not of more than was seen
    let mut wrong: Vec<&str> = CLOSE.to_vec();
    wrong.extend(["--accept-missing", "99"]);
    assert_eq!(levels.run("province", &wrong).code, 1);
    let not_over = levels.run("province", &["period", "close", "2030", "--unit", "演示省"]);
    assert_eq!(not_over.code, 2, "{not_over:?}");
    let served = levels.run("province", &["period", "close", "2026", "--unit", "演示东县"]);
    assert!(served.code != 0 && served.err.contains("有自己的节点"), "{served:?}");
    let not_closed =
        levels.run("province", &["query", "coverage", "--unit", "演示省", "--published", "2026"]);
    assert!(not_closed.code == 2 && not_closed.err.contains("没有封账"), "{not_closed:?}");

    let accepted: Vec<&str> =
        CLOSE.iter().copied().chain(flags.iter().map(String::as_str)).collect();
    let closed = levels.ok("province", &accepted);
    assert!(closed.contains("已封账 2026(第 1 次)"), "{closed}");
    let again = levels.run("province", &accepted);
    assert!(again.code == 2 && again.err.contains("--reopen"), "{again:?}");
    let reopened = [&accepted[..], &["--reopen", "补录迟报"]].concat();
    assert!(levels.ok("province", &reopened).contains("第 2 次"));
}

#[test]
fn k11_later_facts_change_today_and_never_what_was_published() {
    let levels = one_union();
    let flags = flags(&levels);
    let accepted: Vec<&str> =
        CLOSE.iter().copied().chain(flags.iter().map(String::as_str)).collect();
    levels.ok("province", &accepted);
    let on_day = ["--as-of", "2026-09-30"];
    let published = ["--published", "2026"];
    assert_eq!((total(&levels, &published), total(&levels, &on_day)), ((2, 40), (2, 40)));

    // entered late, and a number corrected
    joins(&levels, 3, "2026-08-01");
    let code = employer_code(1);
    let units = format!("名称,统一社会信用代码,职工人数,日期\n演示东厂,{code},50,2026-09-01\n");
    let units = levels.file("更正.csv", &units);
    levels.ok("east", &["unit", "import", &units]);
    levels.sync();
    assert_eq!((total(&levels, &published), total(&levels, &on_day)), ((2, 40), (3, 50)));
    let now = total(&levels, &["--published", "2026", "--by", "child"]);
    assert_eq!(now, (2, 40), "by child it is the same closing");

    let line = ["explain", "--unit", "演示省", "--indicator", "member.A"];
    let split = levels.json("province", &[&line[..], &published].concat());
    let rows = split["rows"].as_array().unwrap();
    let change = |cause: &str| {
        let row =
            rows.iter().find(|row| row["cause"] == cause).unwrap_or_else(|| panic!("{cause}"));
        (row["numerator"].as_i64().unwrap(), row["denominator"].as_i64().unwrap())
    };
    assert_eq!(change("更正和撤回"), (0, 10));
    assert_eq!(change("迟报补录"), (1, 0));
    assert_eq!(change("裁定和异议"), (0, 0));
    let last = rows.last().unwrap();
    assert_eq!((last["after"].as_str(), last["numerator"].as_i64()), (Some("3/50"), Some(1)));
    let aloud = split["notes"][0].as_str().unwrap();
    for words in ["公布为 2/40", "现时为 3/50", "迟报补录使分子+1"] {
        assert!(aloud.contains(words), "{words} in {aloud}");
    }

    // what came late is also something to look at
    let found =
        levels.run("province", &["--format", "json", "findings", "--kind", "after-closing"]);
    assert_eq!(found.code, 1, "{found:?}");
    for words in ["2026已经封账", "“入会”1条", "“职工人数申报”1条", "最早2026-08-01"]
    {
        assert!(found.out.contains(words), "{words} in {found:?}");
    }

    // a figure down to its facts
    let parts = levels.json("province", &[&line[..], &on_day, &["--full"]].concat());
    let rows = parts["rows"].as_array().unwrap();
    assert_eq!(
        (rows[0]["unit"].as_str(), rows[0]["numerator"].as_i64()),
        (Some("演示东厂"), Some(3))
    );
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row["kind"].as_str()).collect();
    for kind in ["unit.registered", "unit.headcount_declared", "branch.founded", "branch.approved"]
    {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let notes = parts["notes"].to_string();
    assert!(notes.contains("分子 3") && notes.matches("会员 ").count() == 3, "{notes}");
    assert!(!notes.contains(&person(1, false).name), "the province keeps no names");
    let own = ["explain", "--unit", "演示东厂", "--indicator", "member.A", "--full"];
    let named = levels.json("east", &own)["notes"].to_string();
    assert!(named.contains(&person(1, false).name), "the county that entered it does: {named}");
}

#[test]
fn what_was_known_is_asked_for_by_time() {
    let levels = one_union();
    let none = levels
        .run("province", &["query", "coverage", "--unit", "演示省", "--known-at", "2026-01-01"]);
    assert!(none.code == 2 && none.err.contains("存证"), "{none:?}");
    let stated = levels.ok("province", &["checkpoint"]);
    assert!(stated.contains("已存证"), "{stated}");
    joins(&levels, 3, "2026-08-01");
    // later than the checkpoint, and still it is the newest there is
    let known = ["--known-at", "2099-01-01", "--as-of", "2026-09-30"];
    assert_eq!(total(&levels, &known), (2, 40));
    assert_eq!(total(&levels, &["--as-of", "2026-09-30"]), (3, 40));
    let line = ["query", "coverage", "--unit", "演示省"];
    let answer = levels.json("province", &[&line[..], &known].concat());
    let citation = &answer["citation"];
    assert!(citation["checkpoint"].as_str().unwrap().contains("/up#"), "{citation}");
    let current = levels.json("province", &line);
    assert_ne!(citation["digest"], current["citation"]["digest"]);
    // of another unit, another node's word is asked for: the county has stated nothing
    let county = levels
        .run("province", &["query", "coverage", "--unit", "演示东县", "--known-at", "2099-01-01"]);
    assert!(county.code == 2 && county.err.contains("hub checkpoint"), "{county:?}");
    levels.ok("east", &["checkpoint"]);
    levels.sync();
    let at = ["演示东县", "演示省"].map(|unit| {
        let line = ["query", "coverage", "--unit", unit, "--indicator", "members.all"];
        let answer = levels.json("province", &[&line[..], &known].concat());
        answer["rows"].as_array().unwrap().last().unwrap()["count"].as_i64().unwrap()
    });
    assert_eq!(at, [3, 2]);
}

/// The federation's root key, as its people read it out.
fn root(levels: &Levels) -> String {
    let node = Node::load(&levels.data("province")).unwrap();
    node.config.root_key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn one_answer_is_proved_refuted_or_left_open() {
    let levels = one_union();
    levels.ok("province", &["checkpoint"]);
    let disc = levels.data("province").to_str().unwrap().to_owned();
    let key = root(&levels);
    let check = |report: &str, from: &str, key: &str| {
        let line = ["audit", "check", report, "--from", from, "--root", key];
        levels.run("west", &[&["--format", "json"], &line[..]].concat())
    };
    let known = ["--known-at", "2099-01-01", "--as-of", "2026-09-30", "--by", "child"];
    for (indicator, numerator, wrong) in [
        ("member.A", "\"numerator\": 2", "\"numerator\": 3"),
        ("members.all", "\"count\": 2", "\"count\": 3"),
    ] {
        let line = ["query", "coverage", "--unit", "演示省", "--indicator", indicator];
        let ask = [&line[..], &known].concat();
        let text = levels.ok("province", &[&["--format", "json"], &ask[..]].concat());
        let report = levels.file("报表.json", &text);
        let proved = check(&report, &disc, &key);
        assert!(proved.code == 0 && proved.out.contains("证实"), "{proved:?}");

        let altered = levels.file("改过.json", &text.replace(numerator, wrong));
        let refuted = check(&altered, &disc, &key);
        assert!(refuted.code == 1 && refuted.out.contains("证伪"), "{refuted:?}");
        let told: Value = serde_json::from_str(&refuted.out).unwrap();
        let rows = told["rows"].as_array().unwrap();
        let differing = rows.iter().filter(|row| row["difference"] == 1).count();
        // the firm's county and the total
        assert_eq!(differing, 2, "{told}");

        let csv = levels.ok("province", &[&["--format", "csv"], &ask[..]].concat());
        let csv = levels.file("报表.csv", &csv);
        assert_eq!(check(&csv, &disc, &key).code, 0);
        let english = [&["--format", "csv", "--lang", "en"], &ask[..]].concat();
        let csv = levels.file("report.csv", &levels.ok("province", &english));
        assert_eq!(check(&csv, &disc, &key).code, 0);

        // the east county's disc lacks what the province stated
        let elsewhere = levels.data("east").to_str().unwrap().to_owned();
        let open = check(&report, &elsewhere, &key);
        assert!(open.code == 2 && open.out.contains("无法判定"), "{open:?}");
        // and under another root nothing on the disc says anything
        assert_eq!(check(&report, &disc, &"7".repeat(64)).code, 2);
        let told: Value = serde_json::from_str(&text).unwrap();
        let digest = told["citation"]["digest"].as_str().unwrap();
        let other = levels.file("别的.json", &text.replace(digest, &"0".repeat(64)));
        assert_eq!(check(&other, &disc, &key).code, 1, "another digest than was signed");
    }
    // an answer of that moment is decided as long as the disc is of that moment
    let current = ["query", "coverage", "--unit", "演示省", "--as-of", "2026-09-30"];
    let text = levels.ok("province", &[&["--format", "json"], &current[..]].concat());
    let report = levels.file("现时.json", &text);
    assert_eq!(check(&report, &disc, &key).code, 0);
    joins(&levels, 3, "2026-08-01");
    assert_eq!(check(&report, &disc, &key).code, 2, "the disc has gone on");
    let no_report = levels.file("空.json", "{}");
    assert_eq!(check(&no_report, &disc, &key).code, 2);
}

#[test]
fn a_trail_shows_every_fact_and_what_became_of_it() {
    let levels = one_union();
    levels.ok("east", &["branch", "women", "演示东厂工会", "--form", "委员会"]);
    levels.sync();
    let trail = |whose: &[&str]| {
        let ran =
            levels.run("province", &[&["--format", "json", "audit", "trail"], whose].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        told
    };
    let of = |told: &Value, key: &str| -> Vec<String> {
        let rows = told["rows"].as_array().unwrap().iter();
        rows.map(|row| row[key].as_str().unwrap_or_default().to_owned()).collect()
    };
    let union = trail(&["--union", "演示东厂工会"]);
    let kinds = of(&union, "kind");
    for kind in ["branch.founded", "branch.approved", "branch.women_org_formed"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind} in {kinds:?}");
    }
    let unit = trail(&["--unit", "演示东厂"]);
    assert!(of(&unit, "kind").contains(&"unit.registered".to_owned()), "{unit}");
    assert!(of(&unit, "verdict").iter().all(|verdict| verdict == "计入"), "{unit}");

    let line = ["explain", "--unit", "演示省", "--indicator", "members.all", "--by", "ownership"];
    let rows = levels.json("province", &line);
    let rows: Vec<_> = rows["rows"].as_array().unwrap().iter().collect();
    assert!(rows.len() > 1 && rows[0]["numerator"].as_i64() > Some(0), "{rows:?}");
    let declared = ["explain", "--indicator", "members.all", "--basis", "declared"];
    assert_eq!(levels.run("province", &declared).code, 0);

    let line = ["explain", "--unit", "演示省", "--indicator", "members.all", "--full"];
    let parts = levels.json("province", &line);
    let notes = parts["notes"].as_array().unwrap();
    let member = notes.iter().find_map(|note| note.as_str()?.strip_prefix("会员 ")).unwrap();
    let member = member.split_whitespace().next().unwrap();
    let told = trail(&["--member", member]);
    assert_eq!(of(&told, "kind"), ["member.joined"]);
    assert!(
        told["notes"][0].as_str().unwrap().contains("演示东厂工会: active, 会籍所在"),
        "{told}"
    );
    let nobody = levels.run("province", &["audit", "trail", "--unit", "某厂"]);
    assert_eq!(nobody.code, 1, "{nobody:?}");
}
