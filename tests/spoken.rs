//! A gate through which nothing comes back: the county exports by cursor, the province reads out what it holds,
//! and what was lost on the way is exported again from there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_tests::demo::people::employer_code;
use hub_tests::levels::Levels;
use serde_json::Value;
use std::path::PathBuf;

/// Enters a firm at a county.
fn enters(levels: &Levels, level: &str, serial: u32) {
    let code = employer_code(serial);
    let rows = format!("名称,统一社会信用代码,职工人数\n演示第{serial}厂,{code},40\n");
    let rows = levels.file("单位.csv", &rows);
    levels.ok(level, &["unit", "import", &rows]);
}

/// What a county has entered since its last export, in a file.
fn exports(levels: &Levels, level: &str, number: u32) -> String {
    let file = levels.path(&format!("{level}-{number}.hub"));
    let line = ["bundle", "export", "--to", "parent", "--since", "last-export", "--out", &file];
    levels.ok(level, &line);
    file
}

/// What the province reads out.
fn reads_out(levels: &Levels, unit: &str) -> String {
    let told = levels.ok("province", &["bundle", "receipt", "--for", unit]);
    let (_, digits) = told.lines().next().unwrap().rsplit_once(':').unwrap();
    assert_eq!(digits.chars().filter(char::is_ascii_digit).count(), 24, "{told}");
    digits.to_owned()
}

fn status(levels: &Levels, level: &str) -> Value {
    levels.json(level, &["status"])
}

#[test]
fn what_is_read_out_moves_the_export_and_is_no_signed_receipt() {
    let levels = Levels::found();
    enters(&levels, "east", 1);
    levels.ok("province", &["bundle", "import", &exports(&levels, "east", 1)]);
    let first = reads_out(&levels, "演示东县");

    // misheard, for another county, for nobody: refused, and nothing changes
    let cursor = || {
        let folder = levels.data("east").join("bundles");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut kept: Vec<(PathBuf, Vec<u8>)> = files
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
            .collect();
        kept.sort();
        kept
    };
    let before = cursor();
    enters(&levels, "west", 9);
    levels.ok("province", &["bundle", "import", &exports(&levels, "west", 1)]);
    let of_west = reads_out(&levels, "演示西县");
    let changed = if first.ends_with('7') { "8" } else { "7" };
    let mistyped = format!("{}{changed}", &first[..first.len() - 1]);
    for (wrong, why) in [(&mistyped, "抄写有误"), (&of_west, "账本不符"), (&"12".into(), "24 位")]
    {
        let refused = levels.run("east", &["bundle", "receipt", wrong]);
        assert!(refused.code == 2 && refused.err.contains(why), "{refused:?}");
    }
    assert_eq!(cursor(), before);
    assert!(status(&levels, "east")["told"].is_null());

    // typed in groups; shown as what it is
    let groups: Vec<&str> = first.split(' ').collect();
    levels.ok("east", &[&["bundle", "receipt"][..], &groups].concat());
    let east = status(&levels, "east");
    assert_eq!(east["told"]["complete"], true, "{east}");
    assert_eq!(east["arrived"], serde_json::json!([]), "nobody signed: {east}");
    let shown = levels.run("east", &["status"]).out;
    assert!(shown.contains("口头确认全部收到(未经签名)"), "{shown}");

    // one bundle is lost: the province says how far it is, and the county exports again from there
    enters(&levels, "east", 2);
    exports(&levels, "east", 2);
    enters(&levels, "east", 3);
    let third = exports(&levels, "east", 3);
    assert_eq!(
        levels.run("province", &["bundle", "import", &third]).code,
        1,
        "a bundle is missing"
    );
    let again = reads_out(&levels, "演示东县");
    assert_eq!(again, first, "the province holds no more without a hole");
    let heard = levels.ok("east", &["bundle", "receipt", &again]);
    assert!(heard.contains("之后还有 4 条"), "two firms and how many they employ: {heard}");
    assert_eq!(status(&levels, "east")["told"]["complete"], false);
    levels.ok("province", &["bundle", "import", &exports(&levels, "east", 4)]);
    assert_eq!(levels.count("province", "演示东县", "units.all"), 3);
    levels.ok("east", &["bundle", "receipt", &reads_out(&levels, "演示东县")]);
    assert_eq!(status(&levels, "east")["told"]["complete"], true);

    // the way back opens: a signed receipt goes before what was said
    levels.sync();
    let east = status(&levels, "east");
    assert!(east["told"].is_null() && east["arrived"][0]["complete"] == true, "{east}");
    let late = levels.run("east", &["bundle", "receipt", &first]);
    assert!(late.code == 2 && late.err.contains("签名回执"), "{late:?}");
}
