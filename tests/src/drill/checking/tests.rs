use super::*;
use hub_core::hash::hex_encode;

/// The lines of a journal of one chain: a block of one member's joining each, entered by post 1, 2, ….
fn export(blocks: u8) -> Vec<String> {
    let chain = r#"{"node":"child","epoch":1,"lane":"up"}"#;
    let mut lines = vec![r#"{"export":{"digest":"d"}}"#.to_owned()];
    let mut previous = [0; 32];
    for height in 1..=blocks {
        let mut header = [height; 229];
        header[80..112].copy_from_slice(&previous);
        let hash = sha256(&[&header]);
        previous = hash.0;
        let header = hex_encode(&header);
        lines.push(format!(
            r#"{{"block":{{"chain":{chain},"height":{height},"hash":"{hash}","header":"{header}"}}}}"#
        ));
        let kind = r#""kind":"member.joined","verdict":"stands""#;
        let fact = format!(r#"{{"operator":{height}}}"#);
        lines.push(format!(r#"{{"fact":{{"id":"f{height}",{kind},"fact":{fact}}}}}"#));
    }
    let (height, hash) = (blocks, hash_of(blocks));
    let head = format!(r#"{{"height":{height},"hash":"{hash}"}}"#);
    lines.push(format!(r#"{{"head":{{"chain":{chain},"head":{head}}}}}"#));
    lines
}

fn hash_of(height: u8) -> String {
    let mut previous = [0; 32];
    for height in 1..=height {
        let mut header = [height; 229];
        header[80..112].copy_from_slice(&previous);
        previous = sha256(&[&header]).0;
    }
    hex_encode(&previous)
}

fn read(lines: &[String]) -> Journal {
    Journal::read("parent", lines.join("\n").as_bytes()).unwrap()
}

/// What the federation said: a receipt for two blocks, and that post 1 entered a member.
fn promises(hash: &str) -> String {
    let receipt = Promise::Receipt(Receipt {
        shown_by: "child".into(),
        ancestor: "parent".into(),
        node: "child".into(),
        epoch: 1,
        lane: "up".into(),
        height: 2,
        hash: hash.into(),
        durable_at: 7,
    });
    let entered = Promise::Entered(Entered { held_by: vec!["parent".into()], post: 1, facts: 1 });
    [receipt, entered].map(|promise| serde_json::to_string(&promise).unwrap()).join("\n")
}

fn verdict(journals: &[Journal]) -> Verdict {
    check(promises(&hash_of(2)).as_bytes(), journals).unwrap()
}

#[test]
fn what_is_kept_is_found() {
    let found = verdict(&[read(&export(3)), read(&export(3))]);
    assert_eq!(found.faults, Vec::<String>::new());
    assert_eq!((found.receipts, found.entries, found.blocks_promised), (1, 1, 2));
    assert_eq!((found.lost, found.twice), (0, 0));
}

#[test]
fn what_is_lost_is_named() {
    let short = verdict(&[read(&export(1))]);
    assert_eq!(short.lost, 2, "the block named, and one of two below and with it");
    assert_eq!(verdict(&[]).facts_lost, 1);
    let other = check(promises(&"0".repeat(64)).as_bytes(), &[read(&export(2))]).unwrap();
    assert_eq!(other.lost, 1);
    let mut gap = export(3);
    gap.drain(1..3);
    let gap = verdict(&[read(&gap)]);
    assert_eq!((gap.lost, gap.facts_lost), (1, 1));
    assert!(!gap.faults.is_empty());
}

#[test]
fn what_is_there_twice_is_named() {
    let mut lines = export(2);
    lines.insert(3, lines[2].clone());
    let found = verdict(&[read(&lines)]);
    assert_eq!(found.twice, 2, "a fact id, and an entry of one member");
    let mut lines = export(2);
    lines.insert(2, lines[1].clone());
    assert_eq!(verdict(&[read(&lines)]).twice, 1);
}

#[test]
fn broken_chains_and_parked_facts_are_named() {
    let mut lines = export(2);
    let (first, second) = (lines[1].clone(), lines[3].clone());
    let header = |line: &str| line.split("header\":\"").nth(1).unwrap()[..40].to_owned();
    lines[3] = second.replace(&header(&second), &header(&first));
    assert!(
        verdict(&[read(&lines)]).faults.iter().any(|fault| fault.contains("hash of the header"))
    );
    let mut lines = export(2);
    lines[2] = lines[2].replace(r#""stands""#, r#"{"parked":"x"}"#);
    assert_eq!(verdict(&[read(&lines)]).parked, 1);
    assert!(check("".as_bytes(), &[]).unwrap().faults[0].contains("nothing is shown"));
    assert!(Journal::read("parent", "{}".as_bytes()).is_err());
}
