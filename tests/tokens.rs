//! One-time tokens from the command line: a node comes in by the one that was read out, once, and a request
//! without it does not while one is out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::config::Node;
use hub::ops_nats::Children;
use hub_core::hash::hex_encode;
use hub_tests::levels::Levels;

const UNIT: &str = "演示南县";

fn request(levels: &Levels, name: &str, token: &str) -> String {
    let root = Node::load(&levels.data("province")).unwrap().config.root_key;
    let (root, out) = (hex_encode(&root.0), levels.path(&format!("{name}.hub")));
    let ask = ["enrol", "request", "--unit", UNIT, "--root", &root, "--token", token];
    levels.ok(name, &[&ask[..], &["--out", &out]].concat());
    out
}

fn children(levels: &Levels) -> usize {
    Children::load(&levels.data("province").join("children.toml")).unwrap().child.len()
}

#[test]
fn a_node_comes_in_by_its_token_once() {
    let levels = Levels::found();
    let rows = levels.file("区划.csv", "名称,代码\n演示南县,990103\n");
    levels.ok("province", &["unit", "import", &rows, "--list-year", "2023"]);
    let said = levels.ok("province", &["enrol", "token", UNIT]);
    let is_token = |word: &&str| word.len() == 14 && word.matches('-').count() == 2;
    let token = said.split([':', '\n', ' ']).find(is_token).unwrap();
    let before = children(&levels);
    let answer = levels.path("answer.hub");
    let approve =
        |request: &str| levels.run("province", &["enrol", "approve", request, "--out", &answer]);
    for (name, typed, words) in
        [("stranger", "", "没有"), ("guesser", "2345-6789-ABCD", "从未发出")]
    {
        let refused = approve(&request(&levels, name, typed));
        assert!(refused.code == 2 && refused.err.contains(words), "{name}: {refused:?}");
        assert_eq!(children(&levels), before, "{name} changed nothing");
    }
    let known = request(&levels, "south", &token.to_lowercase());
    assert_eq!(approve(&known).code, 0);
    assert_eq!(children(&levels), before + 1);
    levels.ok("south", &["enrol", "accept", &answer]);
    let again = approve(&request(&levels, "second", token));
    assert!(again.code == 2 && again.err.contains("已用过"), "{again:?}");
    let elsewhere = levels.run("east", &["enrol", "token", "演示省"]);
    assert_eq!(elsewhere.code, 2, "a county has no word over what is above it: {elsewhere:?}");
}
