//! Damage of every kind: named, never served, passed over.

use crate::blocks::{Chain, filled, hashes, mixed, seen, small};
use hub_core::hash::Hash;
use hub_core::id::ChainId;
use hub_log::{
    Damage, DamageKind, Entry, Journal, Origin, Position, ReadError, SEGMENT_HEADER_BYTES,
    VerifyReport, repair, verify,
};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

type Blocks = BTreeMap<(ChainId, u64), Hash>;

fn segment(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("journal/{number:08}.seg"))
}

fn verified(directory: &Path) -> (VerifyReport, Blocks) {
    let mut blocks = Blocks::new();
    let report = verify(directory, &mut |stored| {
        let header = stored.block.header();
        blocks.insert((header.chain, header.height), stored.block.hash());
    });
    (report.expect("readable"), blocks)
}

/// Where the frame of each block stands in a segment.
fn frames(directory: &Path) -> Vec<(Position, Range<u64>, (ChainId, u64))> {
    let mut frames = Vec::new();
    let report = verify(directory, &mut |stored| {
        let header = stored.block.header();
        let start = stored.position.offset;
        let end = start + 17 + stored.block.bytes().len() as u64;
        frames.push((stored.position, start..end, (header.chain, header.height)));
    });
    assert_eq!(report.expect("readable").damage, vec![]);
    frames
}

fn names(damage: &Damage, block: &(ChainId, u64)) -> bool {
    damage.block.is_some_and(|named| named.certain && (named.chain, named.height) == *block)
}

/// What verify must say when one byte of a segment is wrong.
fn check_flip(
    directory: &Path,
    number: u64,
    at: usize,
    frames: &[(Position, Range<u64>, (ChainId, u64))],
    all: &Blocks,
) {
    let (report, blocks) = verified(directory);
    let at = at as u64;
    let region = report.damage.iter().find(|damage| {
        damage.segment == number && (damage.offset..damage.offset + damage.length).contains(&at)
    });
    let region = region.unwrap_or_else(|| panic!("byte {at}: not named in {:?}", report.damage));
    let hit = frames.iter().find(|(p, range, _)| p.segment == number && range.contains(&at));
    let mut expected = all.clone();
    if let Some((_, range, block)) = hit {
        assert!(names(region, block), "byte {at} of {block:?}: {region}");
        assert_eq!((region.offset, region.length), (range.start, range.end - range.start));
        expected.remove(block);
    } else {
        assert_eq!(region.block, None, "byte {at}: {region}");
    }
    assert_eq!(report.damage.len(), 1, "byte {at}: {:?}", report.damage);
    assert_eq!(blocks, expected, "byte {at}: all other blocks are still read");
}

#[test]
fn every_byte_of_a_journal_flipped_in_turn_is_named() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(9, 2_000);
    filled(directory.path(), 64 * 1024, &entries);
    let all = hashes(&entries);
    let frames = frames(directory.path());
    assert_eq!(frames.len(), entries.len());
    let path = segment(directory.path(), 0);
    let bytes = fs::read(&path).expect("read");
    assert_eq!(bytes.len(), 64 * 1024);
    let file = fs::OpenOptions::new().write(true).open(&path).expect("open");
    for at in 0..bytes.len() {
        file.write_all_at(&[bytes[at] ^ (1 << (at % 8))], at as u64).expect("write");
        check_flip(directory.path(), 0, at, &frames, &all);
        file.write_all_at(&bytes[at..=at], at as u64).expect("write");
    }
}

#[test]
fn a_flip_in_a_sealed_segment_is_named_and_the_segments_behind_are_read() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(30, 250);
    filled(directory.path(), 16 * 1024, &entries);
    let all = hashes(&entries);
    let frames = frames(directory.path());
    let path = segment(directory.path(), 1);
    let bytes = fs::read(&path).expect("read");
    for at in (0..bytes.len()).step_by(13) {
        let mut hit = bytes.clone();
        hit[at] ^= 0x55;
        fs::write(&path, &hit).expect("write");
        check_flip(directory.path(), 1, at, &frames, &all);
    }
}

#[test]
fn the_second_copy_of_the_name_is_checked() {
    let directory = tempfile::tempdir().expect("directory");
    filled(directory.path(), 16 * 1024, &mixed(2, 100));
    let path = directory.path().join("journal/id");
    let text = fs::read(&path).expect("read");
    for at in 0..32 {
        let mut hit = text.clone();
        hit[at] ^= 1;
        fs::write(&path, &hit).expect("write");
        let (report, blocks) = verified(directory.path());
        assert_eq!(
            report.damage.iter().map(|d| &d.kind).collect::<Vec<_>>(),
            [&DamageKind::JournalName]
        );
        assert_eq!(blocks.len(), 6);
    }
}

#[test]
fn every_truncation_of_the_last_segment_keeps_all_whole_blocks() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(12, 60);
    filled(directory.path(), 16 * 1024, &entries);
    let frames = frames(directory.path());
    let path = segment(directory.path(), 0);
    let bytes = fs::read(&path).expect("read");
    let data_end = frames.last().map_or(0, |(_, range, _)| range.end) as usize;
    let copy = tempfile::tempdir().expect("directory");
    for length in (0..=data_end + 40).step_by(7).chain(frames.iter().map(|f| f.1.end as usize)) {
        let target = copy.path().join(length.to_string());
        fs::create_dir_all(target.join("journal")).expect("create");
        fs::copy(directory.path().join("journal/id"), target.join("journal/id")).expect("copy");
        fs::write(segment(&target, 0), &bytes[..length]).expect("write");
        let (journal, recovery) = Journal::open(&target, small(16 * 1024)).expect("open");
        let whole = frames.iter().take_while(|(_, range, _)| range.end as usize <= length).count();
        assert_eq!(seen(&journal).blocks, hashes(&entries[..whole]), "cut at {length}");
        let torn = frames
            .get(whole)
            .is_some_and(|f| f.1.start as usize + 9 < length && length >= SEGMENT_HEADER_BYTES);
        assert!(!torn || recovery.cut.len() == 1, "cut at {length}: {:?}", recovery.cut);
        journal.append(&entries).expect("it goes on");
        let after = seen(&journal);
        drop(journal);
        let (journal, recovery) = Journal::open(&target, small(16 * 1024)).expect("open");
        assert_eq!((seen(&journal), recovery.cut.len()), (after, 0));
        assert_eq!(verified(&target).0.damage, vec![], "cut at {length}");
        drop(journal);
        fs::remove_dir_all(&target).expect("remove");
    }
}

#[test]
fn damage_in_the_middle_is_a_hole_that_can_be_filled_again() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = mixed(30, 250);
    filled(directory.path(), 16 * 1024, &entries);
    let whole = {
        let (journal, _) = Journal::open(directory.path(), small(16 * 1024)).expect("open");
        seen(&journal)
    };
    let frames = frames(directory.path());
    let hit = frames.iter().find(|(p, _, (_, height))| p.segment == 1 && *height > 2);
    let (position, range, block) = hit.expect("there are several segments").clone();
    let path = segment(directory.path(), position.segment);
    let mut bytes = fs::read(&path).expect("read");
    // a whole sector, so that the frame's length is gone too
    for byte in &mut bytes[range.start as usize..range.start as usize + 300] {
        *byte = 0xa5;
    }
    fs::write(&path, &bytes).expect("write");
    {
        let (journal, _) = Journal::open(directory.path(), small(16 * 1024)).expect("open");
        let error = journal.block(&block.0, block.1).expect_err("damaged");
        assert!(matches!(error, ReadError::Damaged(_)), "{error}");
        let damaged = journal.scan(Position::START).filter(Result::is_err).count();
        assert_eq!(damaged, 1);
    }
    let report = repair(directory.path(), small(16 * 1024)).expect("repair");
    let gap = |d: &&Damage| matches!(d.kind, DamageKind::Gap { from, to } if from == to);
    let gap = report.verified.damage.iter().find(gap).expect("the gap names the block");
    assert!(names(gap, &block));
    let (journal, recovery) = Journal::open(directory.path(), small(16 * 1024)).expect("open");
    assert_eq!(recovery.known_damage, 1);
    assert_eq!(journal.holes(), [(block.0, block.1, block.1)]);
    assert_eq!(journal.block(&block.0, block.1), Ok(None));
    let frontier = journal.frontier().expect("readable");
    let at = frontier.iter().find(|at| at.chain == block.0).expect("the chain");
    assert_eq!(at.height, block.1 - 1);
    let mut other = Chain::new(99);
    let stranger = Entry::new(other.next(10), Origin::Child);
    journal.append(&[stranger]).expect("other chains go on");
    journal.append(&entries).expect("the missing block comes again");
    let mut after = seen(&journal);
    after.blocks.remove(&(other.id, 1));
    assert_eq!(after.blocks, whole.blocks);
    assert_eq!(journal.holes(), []);
}

#[test]
fn bytes_of_a_frame_inside_a_body_never_pass_for_one() {
    let directory = tempfile::tempdir().expect("directory");
    let inner = mixed(2, 50);
    filled(directory.path(), 16 * 1024, &inner);
    let copied = fs::read(segment(directory.path(), 0)).expect("read");
    // a journal whose first block's body is a whole segment of another journal
    let mut chain = Chain::new(7);
    let outer = chain.carrying(&copied[..4_000]);
    let next = chain.next(80);
    let other = tempfile::tempdir().expect("directory");
    let entries = [outer, next].map(|block| Entry::new(block, Origin::Child));
    filled(other.path(), 16 * 1024, &entries);
    let path = segment(other.path(), 0);
    let mut bytes = fs::read(&path).expect("read");
    bytes[SEGMENT_HEADER_BYTES..SEGMENT_HEADER_BYTES + 200].fill(0xee);
    fs::write(&path, &bytes).expect("write");
    let (report, blocks) = verified(other.path());
    assert_eq!(blocks, hashes(&entries[1..]));
    assert!(report.damage.iter().any(|d| matches!(d.kind, DamageKind::Gap { from: 1, to: 1 })));
}
