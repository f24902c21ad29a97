//! The byte tables of `schemas/journal.md` are the program's.

use hub_log::vault::{RECORD_FIELDS, RECORD_HEAD_BYTES, VAULT_HEADER_BYTES, VAULT_MAGIC};
use hub_log::{
    FRAME_FIELDS, FRAME_HEADER_BYTES, Options, Origin, SEGMENT_FIELDS, SEGMENT_FORMAT,
    SEGMENT_HEADER_BYTES, SEGMENT_MAGIC,
};
use std::fs;
use std::path::Path;

type Field = (String, usize, usize);

fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/journal.md");
    fs::read_to_string(path).expect("schemas/journal.md")
}

/// The rows of the table that begins with this column.
fn table(text: &str, column: &str) -> Vec<Field> {
    let header = format!("| {column} |");
    let lines = text.lines().skip_while(|line| !line.starts_with(&header)).skip(2);
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let name = cells.next().expect("a name").to_owned();
        let mut number = || cells.next().expect("a cell").parse().expect("a number");
        (name, number(), number())
    };
    lines.take_while(|line| line.starts_with('|')).map(row).collect()
}

fn owned(fields: &[(&str, usize, usize)]) -> Vec<Field> {
    fields.iter().map(|(name, at, size)| ((*name).to_owned(), *at, *size)).collect()
}

#[test]
fn tables_and_constants_agree() {
    let text = text();
    assert_eq!(table(&text, "segment field"), owned(&SEGMENT_FIELDS));
    assert_eq!(table(&text, "frame field"), owned(&FRAME_FIELDS));
    assert_eq!(table(&text, "vault field"), owned(&RECORD_FIELDS));
    let by_offset = |fields: &[(&str, usize, usize)]| {
        let mut fields = fields.to_vec();
        fields.sort_by_key(|field| field.1);
        fields.windows(2).for_each(|pair| assert_eq!(pair[0].1 + pair[0].2, pair[1].1));
        fields.last().map_or(0, |last| last.1 + last.2)
    };
    assert_eq!(by_offset(&SEGMENT_FIELDS) + 4, SEGMENT_HEADER_BYTES);
    assert_eq!(by_offset(&FRAME_FIELDS), FRAME_HEADER_BYTES);
    assert_eq!(by_offset(&RECORD_FIELDS), RECORD_HEAD_BYTES);
    assert!(text.contains(&format!("A header of {VAULT_HEADER_BYTES} bytes")));
    assert_eq!((SEGMENT_FORMAT, Options::default().segment_bytes), (0, 8 << 20));
    assert_eq!((&SEGMENT_MAGIC, &VAULT_MAGIC), (b"HUBJ", b"HUBV"));
    for (origin, byte) in [(Origin::Own, 0), (Origin::Child, 1), (Origin::Parent, 2)] {
        assert_eq!((origin.to_byte(), Origin::from_byte(byte)), (byte, Some(origin)));
    }
    assert_eq!(Origin::from_byte(3), None);
}

/// A field in the file stands where the table says: read without the program's own reader.
#[test]
fn bytes_on_disk_stand_where_the_tables_say() {
    let directory = tempfile::tempdir().expect("directory");
    let entries = crate::blocks::mixed(1, 70);
    crate::blocks::filled(directory.path(), 8_192, &entries);
    let bytes = fs::read(directory.path().join("journal/00000000.seg")).expect("read");
    let text = text();
    let number = |table: &[Field], base: usize, name: &str| {
        let (_, at, size) = table.iter().find(|field| field.0 == name).expect("the field");
        let field = &bytes[base + at..base + at + size];
        field.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    };
    let segment = table(&text, "segment field");
    assert_eq!(number(&segment, 0, "magic"), u64::from(u32::from_be_bytes(*b"HUBJ")));
    assert_eq!(number(&segment, 0, "header_length"), 84);
    let frame = table(&text, "frame field");
    let mut at = 84;
    for (index, entry) in entries.iter().enumerate() {
        let block = entry.block.bytes();
        assert_eq!(number(&frame, at, "length"), block.len() as u64);
        assert_eq!(number(&frame, at, "origin"), index as u64);
        assert_eq!(number(&frame, at, "shipped"), index as u64);
        assert_eq!(bytes[at + 17..at + 17 + block.len()], block[..]);
        at += 17 + block.len();
    }
    assert!(bytes[at..].iter().all(|byte| *byte == 0));
}
