//! The JSONL export: blocks come back byte for byte from its lines, and what is tampered with is named.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::audit::{Entry, replay};
use hub_core::block::Block;
use hub_core::export::{ExportError, Line, Reader, Receipt, block_lines, head_line, heading};
use hub_core::hash::{Hash, hex_decode};
use hub_core::header::Header;
use hub_core::id::NodeId;
use hub_core::view::View;
use hub_core::view::verdict::Verdict;
use hub_core_tests::sample;
use hub_core_tests::world::World;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use std::path::Path;

/// The export of a world, with verdicts.
fn export(world: &World) -> Vec<String> {
    let mut view = View::new(world.federation(), world.root_key());
    view.apply_all(&world.blocks, &world.source());
    let mut lines = vec![heading(&world.root_key(), Some(view.digest()))];
    for (position, block) in world.blocks.iter().enumerate() {
        let receipt = Receipt {
            receiver: NodeId([7; 16]),
            journal: "0a".repeat(16),
            position: position as u64,
            durable_at: sample::WRITTEN,
        };
        let verdicts = view.block_verdicts(block);
        lines.extend(block_lines(block, Some(receipt), &verdicts));
    }
    for block in world.blocks.iter().take(1) {
        let chain = block.header().chain;
        lines.push(head_line(chain, world.head(&chain)));
    }
    lines.iter().map(|line| line.to_json().unwrap()).collect()
}

fn read(lines: &[String]) -> Result<Vec<Block>, ExportError> {
    let mut reader = Reader::default();
    let mut blocks = Vec::new();
    for line in lines {
        blocks.extend(reader.take(line)?);
    }
    reader.finish()?;
    Ok(blocks)
}

#[test]
fn blocks_come_back_byte_for_byte() {
    let (world, _) = World::populated();
    let lines = export(&world);
    assert_eq!(lines.len(), 1 + 9 + 28 + 1);
    let blocks = read(&lines).unwrap();
    assert_eq!(blocks, world.blocks);
    let entries: Vec<Entry> = blocks.into_iter().map(Entry::Block).collect();
    let again = replay(&world.root_key(), &entries, &world.source());
    let mut reader = Reader::default();
    reader.take(&lines[0]).unwrap();
    assert_eq!(reader.heading().unwrap().digest, Some(again.digest));
    assert_eq!(reader.heading().unwrap().federation, world.federation());
}

/// The chain of the vectors, with facts of every kind.
#[test]
fn every_kind_comes_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/vectors/chain.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(folder).unwrap()).unwrap();
    for vector in file["blocks"].as_array().unwrap() {
        let bytes = hex_decode(vector["bytes"].as_str().unwrap()).unwrap();
        let block = Block::parse(bytes).unwrap();
        let lines: Vec<String> =
            block_lines(&block, None, &[]).iter().map(|line| line.to_json().unwrap()).collect();
        assert_eq!(read(&lines), Ok(vec![block]));
    }
}

#[test]
fn a_body_nobody_reads_comes_back() {
    let (world, [.., township]) = World::populated();
    let last = world.blocks.last().unwrap();
    let header = Header { codec: 9, ..*last.header() };
    let strange = Block::signed(header, last.body_bytes(), &township.key);
    let lines = block_lines(&strange, None, &[]);
    assert_eq!(lines.len(), 1);
    let text = lines[0].to_json().unwrap();
    assert!(text.contains("codec: expected 1 or 2, found 9"));
    assert_eq!(read(&[text]), Ok(vec![strange]));
}

#[test]
fn verdicts_stand_beside_facts() {
    let (world, _) = World::populated();
    let block = world.blocks.last().unwrap();
    let by = block.fact_id(0);
    let verdicts = [Verdict::Stands, Verdict::Withdrawn(by)];
    let lines = block_lines(block, None, &verdicts);
    let verdict = |line: &Line| -> Value {
        let value: Value = serde_json::from_str(&line.to_json().unwrap()).unwrap();
        value["fact"]["verdict"].clone()
    };
    assert_eq!(verdict(&lines[1]), "stands");
    assert_eq!(verdict(&lines[2])["withdrawn"], by.to_string());
    assert_eq!(verdict(&lines[3]), Value::Null, "nobody judged it");
}

#[test]
fn tampering_is_named() {
    let (world, _) = World::populated();
    let lines = export(&world);
    let first_fact = 2;
    let mut changed = lines.clone();
    changed[first_fact] = changed[first_fact].replace("演示99", "演示98");
    assert!(matches!(read(&changed), Err(ExportError::Header { line: 4, .. })));
    let mut missing = lines.clone();
    missing.remove(first_fact);
    assert!(matches!(read(&missing), Err(ExportError::Id { line: 3, .. })));
    let cut = &lines[..first_fact];
    let expected = ExportError::Facts { line: 2, expected: 2, found: 0 };
    assert_eq!(read(cut), Err(expected));
    let stray = vec![lines[first_fact].clone()];
    assert_eq!(read(&stray), Err(ExportError::Facts { line: 1, expected: 0, found: 1 }));
    let hash = world.blocks[0].hash().to_string();
    let mut renamed = lines.clone();
    renamed[1] = renamed[1].replace(&hash, &Hash::ZERO.to_string());
    let found = world.blocks[0].hash();
    assert_eq!(read(&renamed), Err(ExportError::Hash { line: 4, expected: Hash::ZERO, found }));
    assert!(matches!(read(&["{}".to_owned()]), Err(ExportError::Json { line: 1, .. })));
}

/// The tables of `schemas/export.md` name the fields of the lines.
#[test]
fn lines_have_the_fields_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/export.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (world, [.., township]) = World::populated();
    let lines = export(&world);
    for name in ["export", "block", "fact", "head"] {
        let start = text.find(&format!("\n## {name}\n")).unwrap();
        let part = text[start + 4..].split("\n## ").next().unwrap();
        let written: Vec<&str> = part
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
            .filter(|field| *field != "field")
            .collect();
        let line = lines.iter().find(|line| line.starts_with(&format!("{{\"{name}\"")));
        let value: Value = serde_json::from_str(line.unwrap()).unwrap();
        let mut fields: Vec<String> = value[name].as_object().unwrap().keys().cloned().collect();
        if name == "block" {
            fields.insert(5, "unreadable".to_owned());
        }
        assert_eq!(fields, written, "{name}");
    }
    let chain = township.chain(hub_core::id::Lane::Up);
    assert_eq!(world.head(&chain).height, 4);
}

/// Lines hit at random: nothing panics, and what still makes a block is a block of the export.
#[test]
fn hit_lines_make_no_other_block() {
    let (world, _) = World::populated();
    let lines = export(&world);
    let known: Vec<Hash> = world.blocks.iter().map(Block::hash).collect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[0x77; 32]);
    let config = Config { cases: 1_500, failure_persistence: None, ..Config::default() };
    let hits = (any::<u16>(), any::<u16>(), 0_u8..128, 0_u8..3);
    TestRunner::new_with_rng(config, rng)
        .run(&hits, |(line, place, value, how)| {
            let mut lines = lines.clone();
            let line = usize::from(line) % lines.len();
            let mut bytes = lines[line].clone().into_bytes();
            let place = usize::from(place) % bytes.len();
            match how {
                0 => bytes[place] = value,
                1 => drop(bytes.remove(place)),
                _ => bytes.truncate(place),
            }
            lines[line] = String::from_utf8_lossy(&bytes).into_owned();
            let mut reader = Reader::default();
            for text in &lines {
                match reader.take(text) {
                    Ok(Some(block)) => prop_assert!(known.contains(&block.hash())),
                    Ok(None) => {}
                    Err(error) => prop_assert!(!error.to_string().is_empty()),
                }
            }
            Ok(())
        })
        .unwrap();
}
