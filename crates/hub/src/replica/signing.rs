//! Whether this node may sign: never twice at one height, never with a clock that is off (DESIGN §9, §10).

use super::held;
use hub_core::id::{ChainId, NodeId};
use hub_core::time::{Hlc, Millis};
use hub_log::{Heads, HeadsError, Journal, read_heads, write_heads};
use std::fmt;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How far this node's clock may be off its parent's.
pub const CLOCK_OFF_MILLIS: Millis = 10 * 60 * 1_000;
/// How far the clock may stand before this node's own last fact: less than this is what bulk imports,
/// which count on ahead of the clock, and a corrected clock make.
pub const CLOCK_BACK_MILLIS: Millis = 60 * 1_000;

/// Why this node does not sign.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningRefused {
    /// The clock stands before the node's own last fact.
    ClockBack {
        /// The clock of that fact.
        last: Hlc,
        /// What the machine's clock shows.
        found: Millis,
    },
    /// The clock is off the parent's.
    ClockOff {
        /// The parent's clock when it was last heard.
        parent: Millis,
        /// This machine's clock then.
        found: Millis,
    },
    /// The data directory is older than what this node already signed: it was restored from a backup.
    Behind {
        /// The chain.
        chain: ChainId,
        /// How far it once went.
        expected: u64,
        /// How far the journal goes.
        found: u64,
        /// Who knows it: the parent, or the copy of the heads outside.
        known_by: &'static str,
    },
    /// Another copy of this node has signed at the same heights with the same key.
    Forked {
        /// The chain.
        chain: ChainId,
        /// The height.
        height: u64,
        /// Whether the node above has named the other side.
        settled: bool,
    },
    /// The data directory was restored from a backup: what was signed after it is not known here.
    Restored,
    /// There is no key: the node was never initialised, or it only follows.
    NoKey,
}

impl fmt::Display for SigningRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockBack { last, found } => write!(
                f,
                "the clock stands before this node's own last fact: expected at least {}, found {found} \
                 (milliseconds since 1970); set the clock right, or if it is right now and ran ahead then: hub \
                 clock recover",
                last.millis()
            ),
            Self::ClockOff { parent, found } => write!(
                f,
                "the clock is more than ten minutes off the parent's: expected about {parent}, found \
                 {found} (milliseconds since 1970); set the clock right; if facts were signed ahead of time \
                 by then: hub clock recover"
            ),
            Self::Behind { chain, expected, found, known_by } => write!(
                f,
                "the data directory is older than what this node already signed ({known_by} knows chain \
                 {chain} to height {expected}, found {found} here): it was restored from a backup; \
                 begin a new epoch with hub enrol renew, and have the parent approve it"
            ),
            Self::Forked { chain, height, settled: false } => write!(
                f,
                "two copies of this node sign with one key (chain {chain}, height {height}: expected one block, \
                 found two): stop the other copy and have the parent name the side that counts with hub fork \
                 settle; the root, which has none: hub enrol renew, then hub fork settle"
            ),
            Self::Forked { chain, height, settled: true } => write!(
                f,
                "another copy of this node counts (chain {chain} from height {height} on): begin a new epoch \
                 with hub enrol renew, and have the parent approve it"
            ),
            Self::Restored => f.write_str(
                "this directory was restored from a backup, and what was signed after it is not known \
                 here: begin a new epoch with hub enrol renew, and have the parent approve it",
            ),
            Self::NoKey => {
                f.write_str("this node has no key to sign with; run: hub init or hub enrol")
            }
        }
    }
}

impl std::error::Error for SigningRefused {}

/// How long a writer waits for the comparison with the parent after a start.
const COMPARISON_PATIENCE: Duration = Duration::from_secs(3);

/// Whether the heads are still to be compared with the parent's.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pending: Mutex<bool>,
    done: Condvar,
}

impl Comparison {
    pub(super) fn expect(&self) {
        *held(&self.pending) = true;
    }

    pub(super) fn done(&self) {
        *held(&self.pending) = false;
        self.done.notify_all();
    }

    /// Returns once it is done, or took too long: the parent cannot be reached, and work goes on.
    pub(super) fn wait(&self) {
        let pending = held(&self.pending);
        let waited = self.done.wait_timeout_while(pending, COMPARISON_PATIENCE, |pending| *pending);
        let (mut pending, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *pending = false;
    }
}

/// The state of the gate.
#[derive(Debug, Default)]
pub(super) struct Gate {
    behind: Option<SigningRefused>,
    parent_clock: Option<(Millis, Millis)>,
}

impl Gate {
    pub(super) fn behind(&mut self, refused: SigningRefused) {
        self.behind.get_or_insert(refused);
    }

    pub(super) fn heard_parent(&mut self, parent: Millis, own: Millis) {
        self.parent_clock = Some((parent, own));
    }

    pub(super) fn check(&self, last_own: Hlc, now: Millis) -> Result<(), SigningRefused> {
        if let Some(refused) = &self.behind {
            return Err(refused.clone());
        }
        if now + CLOCK_BACK_MILLIS < last_own.millis() {
            return Err(SigningRefused::ClockBack { last: last_own, found: now });
        }
        match self.parent_clock {
            Some((parent, found)) if parent.abs_diff(found) > CLOCK_OFF_MILLIS => {
                Err(SigningRefused::ClockOff { parent, found })
            }
            _ => Ok(()),
        }
    }
}

/// Writes the heads of a node's own chains to the copy outside the data directory.
pub(super) fn write_head_copy(
    path: &Path,
    journal: &Journal,
    node: NodeId,
) -> Result<(), HeadsError> {
    let mut heads = journal.heads();
    heads.retain(|chain, _| chain.node == node);
    write_heads(path, &Heads { node, journal: journal.id(), heads })
}

/// Compares the journal with the copy for the epoch in which the node signs; a copy that is not there, or lags,
/// says nothing.
pub(super) fn compare_head_copy(
    path: &Path,
    journal: &Journal,
    (node, epoch): (NodeId, u32),
) -> Result<Option<SigningRefused>, HeadsError> {
    let Some(copy) = read_heads(path)?.filter(|copy| copy.node == node) else { return Ok(None) };
    let heads = copy.heads.into_iter().filter(|(chain, _)| chain.epoch == epoch);
    for (chain, copied) in heads.filter(|(_, head)| head.height > 0) {
        let expected = copied.height;
        let found = journal.head(&chain).map_or(0, |head| head.height);
        let stored = journal.contains(&chain, expected).ok().flatten();
        if stored != Some(copied.hash) {
            let known_by = "the copy of the heads outside the data directory";
            return Ok(Some(SigningRefused::Behind { chain, expected, found, known_by }));
        }
    }
    Ok(None)
}
