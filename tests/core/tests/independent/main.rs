//! A second reader of blocks, written from `schemas/` alone and sharing no code with the first: what the
//! tables say is enough to read every vector.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod columns;
mod rows;
mod tables;

use serde_json::Value;
use std::path::Path;
use tables::Tables;

/// Bytes read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// An id as UUID text.
fn id(bytes: &[u8]) -> Value {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    Value::from(parts.join("-"))
}

/// A number of days since 1970 as a date, counted month by month.
fn date(days: i64) -> Value {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (1970, days);
    while left < 0 {
        year -= 1;
        left += 365 + i64::from(is_leap(year));
    }
    while left >= 365 + i64::from(is_leap(year)) {
        left -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    Value::from(format!("{year:04}-{month:02}-{:02}", left + 1))
}

fn unzigzag(value: u64) -> i64 {
    let half = (value >> 1) as i64;
    if value & 1 == 0 { half } else { -half - 1 }
}

/// What a reader needs of the header, by the offsets of `block.md`.
struct Head {
    count: usize,
    first_hlc: u64,
    codec: u8,
}

fn head(block: &[u8], tables: &Tables) -> Head {
    let number = |field: &str| {
        let (offset, bytes) = tables.header[field];
        block[offset..offset + bytes].iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte))
    };
    let (offset, bytes) = tables.header["signature"];
    assert_eq!(block.len(), offset + bytes + number("body_length") as usize);
    Head {
        count: number("count") as usize,
        first_hlc: number("first_hlc"),
        codec: number("codec") as u8,
    }
}

#[test]
fn the_specification_alone_reads_every_vector() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let tables = Tables::read(&read("block.md"), &read("facts.md"), &read("codes.md"));
    let mut by_codec = [0, 0];
    for name in ["vectors/valid.json", "vectors/chain.json"] {
        let file: Value = serde_json::from_str(&read(name)).unwrap();
        for vector in file["blocks"].as_array().unwrap() {
            let block = hex(vector["bytes"].as_str().unwrap());
            let head = head(&block, &tables);
            let mut body = Bytes(&block[229..]);
            let facts = match head.codec {
                1 => rows::facts(&mut body, &head, &tables),
                2 => columns::facts(&mut body, &head, &tables),
                other => panic!("codec {other}"),
            };
            assert!(body.0.is_empty(), "{}: {} bytes left", vector["name"], body.0.len());
            assert_eq!(Value::from(facts), vector["facts"], "{}", vector["name"]);
            by_codec[usize::from(head.codec) - 1] += 1;
        }
    }
    assert_eq!(by_codec, [34 + 3, 8 + 1]);
}
