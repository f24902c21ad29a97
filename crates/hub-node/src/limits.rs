//! Every bound of the machine and its messages. Sizes in bytes, times in milliseconds.

use hub_core::header::BLOCK_BYTES_MAX;
use hub_core::time::Millis;

/// The longest message: fits NATS' default `max_payload` of 1 MiB with its headers.
pub const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// The most references of one message.
pub const REFERENCES_MAX: usize = 2_048;
/// The most chain ranges of one want.
pub const RANGES_MAX: usize = 256;
/// The most blocks a want may name in all; the rest is asked for again.
pub const WANTED_BLOCKS_MAX: u64 = 4_096;
/// The most chains of one page of a frontier.
pub const FRONTIER_PAGE_MAX: usize = 4_096;
/// The most ancestors a receipt's watermark names; the tree has five levels, depth leaves room.
pub const WATERMARKS_MAX: usize = 16;
/// The longest text of an enrolment message, in bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 512;
/// The most blocks of a chain file: one for each ancestor from the root.
pub const CHAIN_FILE_BLOCKS_MAX: usize = 16;
/// The longest message of enrolment: its chain file is its body.
pub const ENROL_ANSWER_BYTES_MAX: usize = CHAIN_FILE_BLOCKS_MAX * BLOCK_BYTES_MAX + 64 * 1024;

/// The most messages of a bundle.
pub const BUNDLE_MESSAGES_MAX: usize = 65_536;
/// The most chain ranges a bundle's manifest lists.
pub const BUNDLE_RANGES_MAX: usize = 16_384;
/// The longest bundle without its manifest: what one-way gates commonly pass.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The longest file that can be a bundle.
pub const BUNDLE_FILE_BYTES_MAX: usize = BUNDLE_BYTES_MAX + BUNDLE_RANGES_MAX * 53 + 1_024;

/// The most bytes in flight to the parent (LIMITS: the server's slow-consumer edge).
pub const IN_FLIGHT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most bytes in flight to one child or follower: answers are bounded and resumed by its next ask.
pub const IN_FLIGHT_DOWN_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The most messages in flight on one stream.
pub const IN_FLIGHT_MESSAGES_MAX: usize = 1_024;
/// How much of the journal is read at a time.
pub const READ_BYTES: usize = 2 * 1024 * 1024;
/// The most bytes of one answer to a want.
pub const WANT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most places of one inbound stream that wait for their block.
pub const WAITING_MAX: usize = 4 * IN_FLIGHT_MESSAGES_MAX;
/// The most blocks held for one peer.
pub const HELD_BLOCKS_MAX: usize = 2_048;
/// The most bytes of blocks held for one peer.
pub const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Forks taken from one peer between restarts; what follows a side is a chain like any other.
pub const FORKS_MAX: usize = 1_024;
/// The most reads for wants under way at once for one peer.
pub const READS_MAX: usize = 4;
/// How much a peer may have done at once, and then each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// At once, after a pause.
    pub at_once: u64,
    /// In a second.
    pub a_second: u64,
}

/// Asks of one child: each is answered with a signed receipt. An honest one asks every [`ASK_MILLIS`], and for every
/// [`ASK_BYTES`] that it received.
pub const ASK_PACE: Pace = Pace { at_once: 512, a_second: 64 };
/// Pages of frontiers of one child: each walks chains. An honest one sends them every [`ASKS_PER_FRONTIER`] asks.
pub const FRONTIER_PACE: Pace = Pace { at_once: 64, a_second: 2 };
/// Bytes read for wants of one peer.
pub const WANT_BYTES_PACE: Pace = Pace { at_once: 64 << 20, a_second: 16 << 20 };
/// The most peers of one node: children, followers, parent.
pub const PEERS_MAX: usize = 4_096;
/// Marks from a child's stream to the own journal kept for the watermark.
pub const MARKS_MAX: usize = 64;
/// Rejected deliveries remembered by name for one peer; all are counted.
pub const REFUSALS_KEPT_MAX: usize = 16;
/// The longest record a node remembers of a peer.
pub const MEMORY_BYTES_MAX: usize = 4 * 1024;

/// How far ahead of the receiver's clock a block may be (DESIGN §6): beyond, it is held at the door.
pub const DOOR_MILLIS: Millis = 10 * 60 * 1_000;
/// How often a child asks, before jitter.
pub const ASK_MILLIS: Millis = 5_000;
/// The jitter of asks: a child asks after `ASK_MILLIS` plus less than this.
pub const ASK_JITTER_MILLIS: Millis = 2_500;
/// Having received so much from above, a child asks at once.
pub const ASK_BYTES: usize = 256 * 1024;
/// Every so many asks one carries the whole frontier.
pub const ASKS_PER_FRONTIER: u32 = 12;
/// After a change of the tree the next ask carries it too, but not sooner than this after the last that did.
pub const COMPARE_AGAIN_MILLIS: Millis = 20_000;
/// Without progress of the receipt for so long, what is in flight is sent again.
pub const RESEND_MILLIS: Millis = 10_000;
/// The longest wait between two resends; it doubles from [`RESEND_MILLIS`].
pub const RESEND_MILLIS_MAX: Millis = 160_000;
/// A gap is asked for once it is so old: what is merely out of order arrives by itself.
pub const WANT_AFTER_MILLIS: Millis = 500;
/// The same blocks are not asked for again before this.
pub const WANT_AGAIN_MILLIS: Millis = 3_000;
/// A peer's stream does not begin anew again before this: two machines that run as one node would have it begin
/// anew with every message.
pub const RESTART_AGAIN_MILLIS: Millis = 5_000;
/// Receipts that bring news of ancestors only are at least so far apart.
pub const WATERMARK_MILLIS: Millis = 1_000;
/// A receipt stated before the last one is taken for a straggler for so long.
pub const STRAGGLER_MILLIS: Millis = 60_000;

const _: () = assert!(BLOCK_BYTES_MAX + 4_096 <= MESSAGE_BYTES_MAX);
const _: () = assert!(MESSAGE_BYTES_MAX <= 1024 * 1024 - 4_096);
const _: () = assert!(REFERENCES_MAX * 85 + 128 <= MESSAGE_BYTES_MAX);
const _: () = assert!(FRONTIER_PAGE_MAX * 77 + 256 <= MESSAGE_BYTES_MAX);
const _: () = assert!(RANGES_MAX * 53 + 64 <= MESSAGE_BYTES_MAX);
const _: () = assert!(HELD_BYTES_MAX >= IN_FLIGHT_BYTES_MAX);
const _: () = assert!(HELD_BLOCKS_MAX > IN_FLIGHT_MESSAGES_MAX);
const _: () = assert!(WAITING_MAX > REFERENCES_MAX);
const _: () = assert!(IN_FLIGHT_DOWN_BYTES_MAX >= READ_BYTES);
const _: () = assert!(IN_FLIGHT_DOWN_BYTES_MAX >= 4 * ASK_BYTES);
const _: () = assert!(MARKS_MAX * 16 + 512 <= MEMORY_BYTES_MAX);
const _: () = assert!(WANT_AGAIN_MILLIS < RESEND_MILLIS && ASK_JITTER_MILLIS < ASK_MILLIS);
const _: () = assert!(BUNDLE_RANGES_MAX <= u16::MAX as usize);
