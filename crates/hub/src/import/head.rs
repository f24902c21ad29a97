//! What the first bytes of a file tell: whether it is text, what parts its cells and ends its lines.

use super::ImportError;

/// How much of a file is looked at.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// The cells of one row.
pub(super) fn split(bytes: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
    if !bytes.contains(&b'"') {
        return bytes.split(|byte| *byte == delimiter).map(<[u8]>::to_vec).collect();
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(bytes.len() + 1)
        .from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    // Bytes in memory cannot fail to be read, and a flexible reader takes any number of cells.
    let _ = reader.read_byte_record(&mut record);
    record.iter().map(<[u8]>::to_vec).collect()
}

/// The delimiter that cuts the head into most cells by line; a comma when none does.
pub(super) fn delimiter_of(head: &[u8]) -> u8 {
    let count = |delimiter: u8| head.iter().filter(|byte| **byte == delimiter).count();
    let by_count = [b';', b'\t', b','].into_iter().max_by_key(|delimiter| count(*delimiter));
    by_count.unwrap_or(b',')
}

pub(super) fn terminator_of(head: &[u8]) -> u8 {
    if head.contains(&b'\r') && !head.contains(&b'\n') { b'\r' } else { b'\n' }
}

pub(super) fn check_is_text(head: &[u8]) -> Result<(), ImportError> {
    let kinds: [(&[u8], &'static str); 5] = [
        (b"PK\x03\x04", "xlsx"),
        (b"\xd0\xcf\x11\xe0", "xls"),
        (b"\xff\xfe", "UTF-16"),
        (b"\xfe\xff", "UTF-16"),
        (b"%PDF", "PDF"),
    ];
    match kinds.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, found)) => Err(ImportError::NotCsv { found }),
        None => Ok(()),
    }
}
