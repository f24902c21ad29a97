//! A journal on disk, hit bit by bit: the audit names the block, or the region when the byte belongs to
//! none, and still proves the blocks after it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::audit::{Entry, Finding, FindingKind, Region, verify};
use hub_core::block::Block;
use hub_core::id::{BranchId, ChainId, FactId, Lane};
use hub_core_tests::world::World;
use hub_log::{Damage, Journal, Options, Origin};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A prime, so that hits fall on every part of frames, headers and bodies.
const STRIDE: usize = 211;

fn region(damage: &Damage) -> Region {
    Region {
        place: format!("segment {} offset {}", damage.segment, damage.offset),
        what: damage.to_string(),
        block: damage.block.map(|block| (block.chain, block.height)),
    }
}

/// What the store and the audit find in this data directory.
fn audited(data: &Path, root_key: &[u8; 32]) -> hub_core::audit::Verification {
    let mut blocks: Vec<Block> = Vec::new();
    let report = hub_log::verify(data, &mut |stored| blocks.push(stored.block.clone())).unwrap();
    let source: BTreeMap<(ChainId, u64), Block> = blocks
        .iter()
        .map(|block| ((block.header().chain, block.header().height), block.clone()))
        .collect();
    let damaged = report.damage.iter().map(|damage| Entry::Damaged(region(damage)));
    let entries = damaged.chain(blocks.into_iter().map(Entry::Block));
    verify(root_key, entries, &source)
}

fn segments(data: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(data.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_hit_byte_is_named_and_the_rest_is_proven() {
    let (mut world, [.., township]) = World::populated();
    let up = township.chain(Lane::Up);
    let branch = BranchId::of_first_fact(&FactId { chain: up, seq: 2 });
    for _ in 0..20 {
        let joined = (0..100).map(|number| World::joined(branch, number)).collect();
        world.write(&township, Lane::Up, joined);
    }
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<hub_log::Entry> =
        world.blocks.iter().map(|block| hub_log::Entry::new(block.clone(), Origin::Own)).collect();
    let options = Options { segment_bytes: 64 * 1024, ..Options::default() };
    let (journal, _) = Journal::open(data.path(), options).unwrap();
    journal.append(&entries).unwrap();
    drop(journal);
    let whole = audited(data.path(), &world.root_key());
    assert_eq!(whole.findings, []);
    assert_eq!(whole.blocks, world.blocks.len() as u64);
    let last = world.blocks.last().unwrap();
    let (mut named, mut regions, mut cut_off) = (0, 0, 0);
    for path in segments(data.path()) {
        let bytes = fs::read(&path).unwrap();
        for place in (0..bytes.len()).step_by(STRIDE) {
            let mut hit = bytes.clone();
            hit[place] ^= 1 << (place % 8);
            fs::write(&path, &hit).unwrap();
            let found = audited(data.path(), &world.root_key());
            let damaged = found.findings.iter().find_map(|finding| match &finding.kind {
                FindingKind::Damaged(region) => Some(region.clone()),
                _ => None,
            });
            let damaged = damaged.unwrap_or_else(|| panic!("byte {place} is not named"));
            assert!(found.blocks + 1 >= whole.blocks, "byte {place}: {} blocks", found.blocks);
            // without an enrolment those below it cannot be proven, and that is said
            let unknown = |f: &Finding| matches!(f.kind, FindingKind::UnknownWriter { .. });
            let open = found.findings.iter().any(unknown);
            assert!(open || found.signatures == found.blocks, "byte {place}: the rest is proven");
            cut_off += usize::from(open);
            match damaged.block {
                Some(_) => named += 1,
                None => regions += 1,
            }
            let is_last = damaged.block == Some((up, last.header().height));
            let reached = found.heads[&up].height == last.header().height;
            assert!(reached || is_last, "byte {place}: blocks after it are lost");
        }
        fs::write(&path, &bytes).unwrap();
    }
    assert!(named > 100 && regions > 10, "{named} blocks named, {regions} regions");
    assert!(cut_off < 20, "{cut_off} hits cut writers off, more than five blocks govern");
}
