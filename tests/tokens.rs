//! One-time tokens from the command line: a node comes in by the one that was read out, once, and a request
//! without it does not while one is out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::config::Node;
use hub::ops_nats::Children;
use hub_core::SigningKey;
use hub_core::fact::governance::LaneHead;
use hub_core::hash::hex_encode;
use hub_core::id::NodeId;
use hub_node::wire::{EnrolRequest, Message, sign};
use hub_tests::levels::Levels;
use std::fs;

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

/// A request for the second epoch of a node, by whoever holds this key and no other; where.
fn claimed(levels: &Levels, node: NodeId, key: &SigningKey, unit: &str) -> String {
    let federation = Node::load(&levels.data("province")).unwrap().federation();
    let heads: Vec<LaneHead> = Vec::new();
    let request = EnrolRequest {
        node,
        key: key.verifying_key().to_bytes(),
        sealing_key: [7; 32],
        epoch: 2,
        unit: unit.into(),
        token: String::new(),
        courier: String::new(),
        requested_at: 1_795_700_000_000,
        continues: Some((1, heads)),
        proof: None,
        signature: [0; 64],
    };
    let request = request.signed(federation, |bytes| sign(key, bytes));
    let out = levels.path("claimed.hub");
    fs::write(&out, Message::EnrolRequest(Box::new(request)).encode(federation)).unwrap();
    out
}

#[test]
fn who_says_it_was_enrolled_before_proves_it_or_brings_a_token() {
    let levels = Levels::found();
    let rows = levels.file("区划.csv", "名称,代码\n演示南县,990103\n");
    levels.ok("province", &["unit", "import", &rows, "--list-year", "2023"]);
    let (answer, renewal) = (levels.path("answer.hub"), levels.path("renewal.hub"));
    let approve =
        |request: &str| levels.run("province", &["enrol", "approve", request, "--out", &answer]);
    let key = SigningKey::from_bytes(&[9; 32]);
    let stranger = NodeId::of_first_key(key.verifying_key().as_bytes());
    let east = Node::load(&levels.data("east")).unwrap().config.node;
    // without a token anybody's word goes as far as the operator lets it: it is said that it is no more
    let warned = approve(&claimed(&levels, east, &key, "演示东县"));
    assert!(warned.code == 0 && warned.out.contains("电话核对"), "{warned:?}");
    for (node, unit) in [(stranger, UNIT), (east, "演示东县")] {
        levels.ok("province", &["enrol", "token", unit]);
        let refused = approve(&claimed(&levels, node, &key, unit));
        assert!(refused.code == 2 && refused.err.contains("没有"), "{unit}: {refused:?}");
    }
    // the node itself is known by its key
    levels.ok("west", &["enrol", "renew", "--out", &renewal]);
    levels.ok("province", &["enrol", "token", "演示西县"]);
    let known = approve(&renewal);
    assert!(known.code == 0 && !known.out.contains("电话核对"), "{known:?}");
    levels.ok("west", &["enrol", "accept", &answer]);
}
