//! Networks that fail in part: bytes lost one way, connections half open, a county cut off for weeks. Links
//! recover by themselves, nothing is lost, and nobody makes up for lost time in a storm.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test's report is what it prints")]

use hub::clock::{Clock, SystemClock};
use hub_core::id::UnitId;
use hub_core::time::{DAY_MILLIS, Millis};
use hub_tests::bench::place::resident;
use hub_tests::proxy::{Door, Proxy, Way};
use hub_tests::stations::{PATIENCE, Three};
use hub_tests::wait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a fault lasts: several beats of both machines.
const FAULT: Duration = Duration::from_millis(1_500);

/// The clock of this machine, moved on by days that nobody waits for.
#[derive(Debug, Default)]
struct Moved(AtomicU64);

impl Clock for Moved {
    fn now(&self) -> Millis {
        SystemClock.now() + self.0.load(Ordering::Relaxed)
    }
}

/// Three levels with a proxy on each link, the county's last.
fn proxied(clock: &Arc<dyn Clock>) -> (Three, [Proxy; 2]) {
    let mut proxies = Vec::new();
    let three = Three::start(clock, |url| {
        let proxy = Proxy::start(url).unwrap();
        let url = proxy.url();
        proxies.push(proxy);
        url
    });
    (three, proxies.try_into().unwrap())
}

/// The bytes of all blocks that the county wrote.
fn written(three: &Three) -> u64 {
    let replica = three.county.replica();
    let (own, blocks) = (replica.who().node, replica.read_after(Default::default(), usize::MAX).0);
    let own = blocks.iter().filter(|local| local.block.header().chain.node == own);
    own.map(|local| local.block.bytes().len() as u64).sum()
}

/// Lets time pass while a fault lasts; nothing is expected of it.
fn endure() {
    std::thread::sleep(FAULT);
}

#[test]
fn one_way_partitions_and_half_open_connections_heal_without_loss_or_storm() {
    let (three, [city, county]) = proxied(&(Arc::new(SystemClock) as Arc<dyn Clock>));
    let mut firms = 0;
    let mut writes = |three: &Three| {
        firms += 10;
        three.county.registers(firms, 10)
    };
    let first = writes(&three);
    three.arrives("what was written in peace", &first);
    // what is said upwards arrives and no word comes back; then the reverse; then neither moves
    for (up, down, what) in [
        (false, true, "after receipts were lost"),
        (true, false, "after blocks were lost"),
        (true, true, "after both were lost"),
    ] {
        for way in [Way::Swallows, Way::Holds] {
            let fails = |way| {
                for proxy in [&county, &city] {
                    proxy.up(if up { way } else { Way::Passes });
                    proxy.down(if down { way } else { Way::Passes });
                }
            };
            fails(way);
            let units = writes(&three);
            endure();
            fails(Way::Passes);
            three.arrives(what, &units);
        }
    }
    // the servers' ends are gone and nobody tells the children: they find out, and dial anew
    county.door(Door::HalfOpen);
    city.door(Door::HalfOpen);
    let units = writes(&three);
    endure();
    assert!(!three.province.knows(&units));
    county.door(Door::Open);
    city.door(Door::Open);
    three.arrives("after connections were half open", &units);
    let (sent, blocks) = (county.bytes()[0], written(&three));
    println!("the county wrote {blocks} bytes of blocks and sent {sent} bytes in all");
    // what is under way is sent again once after each fault; the rest is asks and the client's own words
    assert!(sent < 8 * blocks + (512 << 10), "no storm: {sent} bytes sent for {blocks}");
}

#[test]
fn a_county_cut_off_for_weeks_comes_back_with_all_it_wrote() {
    const DAYS: u32 = 35;
    const A_DAY: u32 = 20;
    let clock = Arc::new(Moved::default());
    let (three, [_city, county]) = proxied(&(clock.clone() as Arc<dyn Clock>));
    let first = three.county.registers(1, 1);
    three.arrives("before the cut", &first);
    let is_there = || three.city.status().children.iter().all(|child| child.connected);
    assert!(is_there());
    let (before, _) = resident().unwrap();
    county.door(Door::Shut);
    wait::until("the county sees that it is cut off", PATIENCE, || {
        three.county.status().parent.is_some_and(|parent| !parent.connected)
    });
    // what it heard last is looked at before the clock moves on
    endure();
    let mut units: Vec<UnitId> = Vec::new();
    for day in 1..=DAYS {
        clock.0.fetch_add(DAY_MILLIS, Ordering::Relaxed);
        units.extend(three.county.registers(day * 1_000, A_DAY));
    }
    assert!(!three.city.knows(&units[..1]));
    assert!(!is_there(), "its parent shows that it is away");
    let cut = county.bytes();
    let began = Instant::now();
    county.door(Door::Open);
    three.arrives("five weeks of a county", &units);
    let (seconds, now) = (began.elapsed().as_secs_f64(), county.bytes());
    let (_, most) = resident().unwrap();
    let (sent, heard, blocks) = (now[0] - cut[0], now[1] - cut[1], written(&three));
    println!(
        "{DAYS} days, {} blocks of {blocks} bytes: {sent} bytes sent and {heard} heard until all was \
         receipted, {seconds:.1} s; memory of all three levels {} KiB before, at most {} KiB",
        units.len(),
        before >> 10,
        most >> 10
    );
    assert!(sent < 3 * blocks + (256 << 10), "no storm: {sent} bytes sent for {blocks}");
    assert!(most - before < 256 << 20, "bounded memory: {before} to {most}");
    wait::until("the county is there again", PATIENCE, is_there);
    for level in three.levels() {
        wait::until("it signs", PATIENCE, || level.status().does_not_sign.is_none());
        let status = level.status();
        assert!(status.parked.is_empty(), "{status:?}");
        let links = status.parent.iter().chain(&status.children);
        assert_eq!(links.flat_map(|link| &link.held).count(), 0);
    }
}
