//! Replay: a whole log folded into a view, in passes (DESIGN §6), with bounded memory.
//!
//! The first pass folds governance, units, unions and figures, the second members. Bodies are checked and
//! decoded by one thread while another folds; blocks are folded in the order of the log whatever the
//! threads do.

use crate::audit::Entry;
use crate::block::Block;
use crate::codec::{self, Body, CodecError};
use crate::header::Header;
use crate::view::{BlockSource, View};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Member facts folded before the view is settled: bounds what waits.
const SETTLE_FACTS: u64 = 1 << 18;
/// Facts handed from thread to thread in one go.
const HAND_OVER_FACTS: u64 = 1 << 14;
/// How many such parcels may wait.
const PARCELS_MAX: usize = 4;

/// A log that can be read as often as needed.
pub trait Log: Sync {
    /// Visits, in the order of the log, the blocks whose headers are `wanted`, and all damage on the way.
    /// Damage may be told by every scan; blocks are whole: lengths and body hashes fit.
    fn scan(&self, wanted: &dyn Fn(&Header) -> bool, visit: &mut dyn FnMut(Entry));
}

impl Log for Vec<Entry> {
    fn scan(&self, wanted: &dyn Fn(&Header) -> bool, visit: &mut dyn FnMut(Entry)) {
        for entry in self {
            match entry {
                Entry::Block(block) if !wanted(block.header()) => {}
                entry => visit(entry.clone()),
            }
        }
    }
}

/// What passes from the reader to the folder.
enum Read {
    Block(Block, Result<Body, CodecError>),
    Damaged(Entry),
}

/// Folds a log into a view. `note` hears of every entry, those of the first pass (all but members) before
/// those of the second, each in the order of the log; it says whether a block is to be folded.
pub fn replay(
    view: &mut View,
    log: &dyn Log,
    source: &dyn BlockSource,
    note: &mut dyn FnMut(Entry) -> bool,
) {
    let is_members = |header: &Header| header.codec == codec::COLUMNS;
    let members = AtomicU64::new(0);
    let others = |header: &Header| {
        if is_members(header) {
            members.fetch_add(u64::from(header.count), Ordering::Relaxed);
        }
        !is_members(header)
    };
    pass(log, &others, &mut |read| {
        if let Some((block, body)) = noted(read, note) {
            view.add_decoded(&block, body);
        }
    });
    view.settle(source);
    view.reserve_members(members.into_inner() as usize);
    let mut waiting = 0;
    pass(log, &is_members, &mut |read| {
        if let Some((block, body)) = noted(read, note) {
            waiting += u64::from(block.header().count);
            view.add_decoded(&block, body);
        }
        if waiting >= SETTLE_FACTS {
            view.settle(source);
            waiting = 0;
        }
    });
    view.settle(source);
}

fn noted(
    read: Read,
    note: &mut dyn FnMut(Entry) -> bool,
) -> Option<(Block, Result<Body, CodecError>)> {
    match read {
        Read::Damaged(entry) => {
            note(entry);
            None
        }
        Read::Block(block, body) => note(Entry::Block(block.clone())).then_some((block, body)),
    }
}

/// One scan: a thread reads, checks and decodes while this one folds.
fn pass(log: &dyn Log, wanted: &(dyn Fn(&Header) -> bool + Sync), fold: &mut dyn FnMut(Read)) {
    std::thread::scope(|scope| {
        let (send, receive): (SyncSender<Vec<Read>>, Receiver<Vec<Read>>) =
            sync_channel(PARCELS_MAX);
        scope.spawn(move || read(log, wanted, &send));
        receive.into_iter().flatten().for_each(fold);
    });
}

fn read(log: &dyn Log, wanted: &dyn Fn(&Header) -> bool, send: &SyncSender<Vec<Read>>) {
    let mut parcel = Vec::new();
    let mut facts = 0;
    log.scan(wanted, &mut |entry| {
        parcel.push(match entry {
            Entry::Block(block) => {
                facts += u64::from(block.header().count);
                let body = block.body();
                Read::Block(block, body)
            }
            damaged @ Entry::Damaged(_) => Read::Damaged(damaged),
        });
        if facts >= HAND_OVER_FACTS {
            facts = 0;
            // nobody receives only when the folding thread panics, and then this scan is in vain
            let _ = send.send(std::mem::take(&mut parcel));
        }
    });
    let _ = send.send(parcel);
}
