//! Engine and oracle: random histories, folded here and by a naive model in Python written from the text
//! (`tests/oracle/`), give the same verdicts and the same answers.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it measured"
)]

use hub_core_tests::federation::Federation;
use hub_core_tests::oracle::{Link, Reply, told};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many histories, unless `HUB_ORACLE_SEEDS` says otherwise, and how many acts each.
const HISTORIES: u64 = 5_000;
const ACTS: usize = 60;
const THREADS: usize = 2;
/// One in so many has forks.
const FORKED: u64 = 10;

fn judge(link: &mut Link, seed: u64, is_kept: impl Fn(usize) -> bool) -> Reply {
    // in some of them nodes are copied and run twice
    let made = match seed % FORKED {
        0 => Federation::forked_with(seed, ACTS, is_kept),
        _ => Federation::with(seed, ACTS, is_kept),
    };
    link.judge(&told(&made, seed).unwrap()).unwrap()
}

/// A difference without the numbers in it: what stays the same while a history shrinks.
fn kind_of(difference: &str) -> &str {
    difference.split(':').next().unwrap_or("")
}

/// Leaves out acts, many at a time and then one by one, as long as the same kind of difference stays.
fn shrink(link: &mut Link, seed: u64, kind: &str) -> (Vec<usize>, Reply) {
    let mut kept: Vec<usize> = (0..ACTS).collect();
    let mut smallest = judge(link, seed, |_| true);
    let mut portion = ACTS / 2;
    while portion > 0 {
        let mut at = 0;
        while at < kept.len() {
            let end = (at + portion).min(kept.len());
            let fewer: Vec<usize> = [&kept[..at], &kept[end..]].concat();
            let reply = judge(link, seed, |act| fewer.contains(&act));
            if reply.differences.iter().any(|difference| kind_of(difference) == kind) {
                (kept, smallest) = (fewer, reply);
            } else {
                at = end;
            }
        }
        portion /= 2;
    }
    (kept, smallest)
}

#[test]
fn engine_and_oracle_agree() {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let count = variable("HUB_ORACLE_SEEDS").unwrap_or(HISTORIES);
    let first = variable("HUB_ORACLE_FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    let work = || {
        let mut link = Link::open().unwrap();
        let mut decided: BTreeMap<String, u64> = BTreeMap::new();
        let (mut compared, mut failed) = (0, Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return (decided, compared, failed);
            }
            let reply = judge(&mut link, seed, |_| true);
            for (rule, times) in &reply.decided {
                *decided.entry(rule.clone()).or_default() += times;
            }
            compared += reply.compared;
            if let Some(difference) = reply.differences.first() {
                failed.push((seed, kind_of(difference).to_owned()));
            }
        }
    };
    let done: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut decided: BTreeMap<String, u64> = BTreeMap::new();
    let (mut numbers, mut failed) = (0, Vec::new());
    for (part, compared, failures) in done {
        part.into_iter().for_each(|(rule, times)| *decided.entry(rule).or_default() += times);
        numbers += compared;
        failed.extend(failures);
    }
    println!("{count} histories, {numbers} verdicts and numbers compared");
    decided.iter().for_each(|(rule, times)| println!("{times:>9}  {rule}"));
    failed.sort();
    let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    failed.iter().for_each(|(seed, kind)| kinds.entry(kind).or_default().push(*seed));
    let mut link = Link::open().unwrap();
    for (kind, seeds) in &kinds {
        println!(
            "\n{} histories differ, first by {kind}; seed {}, made small:",
            seeds.len(),
            seeds[0]
        );
        let (kept, reply) = shrink(&mut link, seeds[0], kind);
        println!("acts {kept:?}");
        reply.story.iter().for_each(|line| println!("    {line}"));
        reply.differences.iter().for_each(|difference| println!("  * {difference}"));
    }
    assert!(failed.is_empty(), "{} of {count} histories differ", failed.len());
    let silent: Vec<_> = decided.iter().filter(|(_, times)| **times == 0).collect();
    assert!(count < 1_000 || silent.is_empty(), "never decided: {silent:?}");
}
