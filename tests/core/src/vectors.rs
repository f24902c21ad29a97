//! The vectors of `schemas/vectors/`: how they are made. Tests read the files, not this.

use crate::sample;
use hub_core::block::Block;
use hub_core::chain::ChainHead;
use hub_core::fact::{Fact, FactBody};
use hub_core::hash::{Hash, hex_encode, sha256};
use hub_core::header::{HEADER_BYTES, Header, SIGNED_BYTES};
use hub_core::id::{ChainId, FederationId, Lane};
use hub_core::time::Hlc;
use serde_json::{Value, json};

/// File name and content of every vector file.
pub fn files() -> [(&'static str, Value); 3] {
    [("valid.json", valid()), ("chain.json", chain()), ("broken.json", broken())]
}

#[allow(
    clippy::expect_used,
    reason = "samples are in bounds; a vector that cannot be made is a bug"
)]
fn seal(head: &ChainHead, chain: ChainId, facts: &[Fact]) -> Block {
    let place = head.next_place(sample::federation(), chain);
    Block::seal(place, facts, &sample::signer()).expect("samples make blocks")
}

fn alone(fact: Fact) -> Block {
    seal(&ChainHead::empty(Hash::ZERO), sample::chain(), &[fact])
}

fn described(name: &str, block: &Block, facts: &[Fact]) -> Value {
    json!({
        "name": name,
        "codec": block.header().codec,
        "height": block.header().height,
        "hash": block.hash(),
        "facts": facts,
        "bytes": hex_encode(block.bytes()),
    })
}

fn keys() -> Value {
    json!({
        "federation": sample::federation(),
        "signing_key": hex_encode(&sample::signer().to_bytes()),
        "public_key": hex_encode(sample::verifier().as_bytes()),
    })
}

/// One block for every kind of fact, each the first of its chain.
fn valid() -> Value {
    let blocks = sample::every_kind().into_iter().map(|fact| {
        let name = fact.body.kind();
        described(name, &alone(fact.clone()), &[fact])
    });
    json!({
        "about": "One block for every kind of fact; all persons, firms and keys are generated.",
        "keys": keys(),
        "blocks": blocks.collect::<Vec<_>>(),
    })
}

fn at_once(mut facts: Vec<Fact>, start: u64) -> Vec<Fact> {
    for (step, fact) in facts.iter_mut().enumerate() {
        fact.hlc = Hlc(Hlc::at(start).0 + step as u64);
    }
    facts
}

/// Three blocks of one chain in both codecs, and one of a down lane.
fn chain() -> Value {
    let (members, rows): (Vec<Fact>, Vec<Fact>) =
        sample::every_kind().into_iter().partition(|f| matches!(f.body, FactBody::Member(_)));
    let (early, late) = rows.split_at(20);
    let batches = [
        at_once(early.to_vec(), sample::WRITTEN),
        at_once(members, sample::WRITTEN + 1_000),
        at_once(late.to_vec(), sample::WRITTEN + 2_000),
    ];
    let mut head = ChainHead::empty(Hash::ZERO);
    let mut blocks = Vec::new();
    for facts in &batches {
        let block = seal(&head, sample::chain(), facts);
        blocks.push(described("up", &block, facts));
        head = ChainHead {
            height: block.header().height,
            hash: block.hash(),
            next_seq: block.header().next_seq(),
            last_hlc: block.header().last_hlc,
        };
    }
    let down = ChainId { lane: Lane::Down(sample::township()), ..sample::chain() };
    let facts = at_once(early[7..9].to_vec(), sample::WRITTEN + 3_000);
    let block = seal(&ChainHead::empty(Hash::ZERO), down, &facts);
    blocks.push(described("down", &block, &facts));
    json!({
        "about": "A chain of three blocks, rows, columns, rows, and a block of a down lane.",
        "keys": keys(),
        "blocks": blocks,
    })
}

/// A block with this header, or this body, signed as it stands.
fn forged(block: &Block, change: impl Fn(&mut Header), body: Option<Vec<u8>>) -> Vec<u8> {
    let body = body.unwrap_or_else(|| block.body_bytes().to_vec());
    let mut header = *block.header();
    header.body_length = body.len() as u32;
    header.body_hash = sha256(&[&body]);
    change(&mut header);
    Block::signed(header, &body, &sample::signer()).bytes().to_vec()
}

/// Why these bytes are no good, found by reading them as a node does: header, body hash, signature, body.
pub fn refusal(bytes: &[u8]) -> Option<(&'static str, String)> {
    let block = match Block::parse(bytes.to_vec()) {
        Ok(block) => block,
        Err(error) => return Some(("header", error.to_string())),
    };
    if let Err(error) = block.verify(sample::verifier().as_bytes()) {
        return Some(("signature", error.to_string()));
    }
    block.body().err().map(|error| ("body", error.to_string()))
}

fn broken() -> Value {
    let kinds = sample::every_kind();
    let of = |kind: &str| kinds.iter().find(|fact| fact.body.kind() == kind).cloned();
    let row = of("branch.refused").map(alone);
    let column = of("member.joined").map(alone);
    let (Some(row), Some(column)) = (row, column) else { return Value::Null };
    let cases: Vec<Value> = header_cases(&row)
        .into_iter()
        .chain(body_cases(&row, &column))
        .map(|(name, bytes)| {
            let (stage, error) = refusal(&bytes).unwrap_or(("none", String::new()));
            json!({ "name": name, "stage": stage, "error": error, "bytes": hex_encode(&bytes) })
        })
        .collect();
    json!({
        "about": "Blocks that must be refused, with the stage that refuses them and its words. A refused \
                  body leaves the block stored and parked as unreadable.",
        "keys": keys(),
        "blocks": cases,
    })
}

fn header_cases(row: &Block) -> Vec<(&'static str, Vec<u8>)> {
    let hit = |place: usize, value: u8| {
        let mut bytes = row.bytes().to_vec();
        bytes[place] = value;
        bytes
    };
    let whole = row.bytes().to_vec();
    let resign = |change: &dyn Fn(&mut Header)| forged(row, change, None);
    vec![
        ("shorter than a header", whole[..HEADER_BYTES - 1].to_vec()),
        ("one byte short", whole[..whole.len() - 1].to_vec()),
        ("one byte more", [&whole[..], &[0]].concat()),
        ("another magic", hit(3, b'C')),
        ("an unknown format", hit(5, 1)),
        ("an unknown suite", hit(6, 2)),
        ("a lane tag of 2", hit(43, 2)),
        ("an up lane with an audience", hit(59, 1)),
        ("epoch 0", resign(&|header| header.chain.epoch = 0)),
        ("height 0", resign(&|header| header.height = 0)),
        ("first seq 0", resign(&|header| header.first_seq = 0)),
        ("no facts", resign(&|header| header.count = 0)),
        ("4097 facts", resign(&|header| header.count = 4_097)),
        ("a clock that goes back", resign(&|header| header.first_hlc = Hlc(header.last_hlc.0 + 1))),
        ("an empty body", forged(row, |_| (), Some(Vec::new()))),
        ("a body over the limit", resign(&|header| header.body_length = 261_916)),
        ("another body", hit(whole.len() - 1, 0)),
        ("another body hash, signed", resign(&|header| header.body_hash = Hash::ZERO)),
        ("a changed signature", hit(SIGNED_BYTES + 5, 0)),
        ("a changed federation", hit(7, 0xff)),
        ("another federation's key", {
            let header = Header { federation: FederationId([9; 16]), ..*row.header() };
            let other = hub_core::SigningKey::from_bytes(&[0x33; 32]);
            Block::signed(header, row.body_bytes(), &other).bytes().to_vec()
        }),
    ]
}

fn body_cases(row: &Block, column: &Block) -> Vec<(&'static str, Vec<u8>)> {
    let rows = row.body_bytes();
    let columns = column.body_bytes();
    let text = "材料不全".len();
    let with = |block: &Block, body: Vec<u8>| forged(block, |_| (), Some(body));
    let hit = |body: &[u8], place: usize, value: u8| {
        let mut body = body.to_vec();
        body[place] = value;
        body
    };
    let length = rows.len() - text - 1;
    let claimed = |claim: u64| {
        let mut body = rows[..length].to_vec();
        body.push(253);
        body.extend_from_slice(&claim.to_be_bytes());
        body.extend_from_slice(&rows[length + 1..]);
        body
    };
    let spliced = |body: &[u8], place: usize, taken: usize, put: &[u8]| {
        [&body[..place], put, &body[place + taken..]].concat()
    };
    vec![
        ("rows: an unknown codec", forged(row, |header| header.codec = 3, None)),
        ("rows: cut inside a text", with(row, rows[..rows.len() - 3].to_vec())),
        ("rows: a byte after the last fact", with(row, [rows, &[0]].concat())),
        ("rows: an unknown family", with(row, hit(rows, 24, 6))),
        ("rows: an unknown kind", with(row, hit(rows, 25, 13))),
        ("rows: a text that claims 2^40 bytes", with(row, claimed(1 << 40))),
        ("rows: a length in a longer form", with(row, claimed(text as u64))),
        ("rows: text that is no UTF-8", with(row, hit(rows, rows.len() - 1, 0xff))),
        ("rows: a control character", with(row, spliced(rows, length + 1, 3, b"\x07ab"))),
        ("rows: a day after 2199", with(row, spliced(rows, 1, 3, &[251, 0xff, 0xff]))),
        ("rows: a list that claims 4097 entries", with(row, spliced(rows, 23, 1, &[251, 16, 1]))),
        ("rows: a first fact with a step", with(row, hit(rows, 0, 1))),
        ("rows: two facts where there is one", forged(row, |header| header.count = 2, None)),
        ("rows: columns under codec 1", forged(column, |header| header.codec = 1, None)),
        ("columns: cut", with(column, columns[..columns.len() - 1].to_vec())),
        ("columns: a byte more", with(column, [columns, &[0]].concat())),
        ("columns: a union never used", {
            let unused = [&[2_u8][..], &columns[1..17], &[7; 16]].concat();
            with(column, spliced(columns, 0, 17, &unused))
        }),
        ("columns: a varint in a longer form", with(column, spliced(columns, 0, 1, &[0x81, 0]))),
        ("columns: more unions than can be named", {
            with(column, spliced(columns, 0, 1, &[0xff, 0xff, 0xff, 0x7f]))
        }),
        ("columns: a mask of 12 columns", with(column, spliced(columns, 37, 2, &[0x80, 0x10]))),
        ("columns: a zero column that is there", {
            with(column, spliced(columns, 37, 2, &[0xbe, 0x0f, 1, 0]))
        }),
        ("columns: rows under codec 2", forged(row, |header| header.codec = 2, None)),
    ]
}
