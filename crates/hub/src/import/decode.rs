//! Text out of the cells of one row: UTF-8 or GB18030, decided row by row.
//!
//! Files glued together from several sources mix both. Bytes of one encoding are sometimes valid in the
//! other by accident, so the order of trial follows the header, and a row that is no clean row of either
//! is refused, never guessed.

use encoding_rs::GB18030;

/// An encoding rosters come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// GB18030, and with it GBK and GB2312.
    Gb18030,
}

/// The cells fit neither encoding as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecodable;

/// Decodes the cells of a row. `habit` is the encoding of the header, if it showed one. The encoding is
/// `None` where all cells are ASCII.
///
/// # Errors
/// The cells are neither all UTF-8 nor all GB18030.
pub fn decode_row(
    cells: &[&[u8]],
    habit: Option<Encoding>,
) -> Result<(Vec<String>, Option<Encoding>), Undecodable> {
    if cells.iter().all(|cell| cell.is_ascii()) {
        return Ok((cells.iter().map(|cell| lossless(cell)).collect(), None));
    }
    if let Some(text) = as_utf8(cells) {
        // Two-byte characters of GB18030 can be two-byte characters of UTF-8 (Latin, Cyrillic, Arabic),
        // hardly ever Chinese ones; without a Chinese character the header's word decides.
        if habit == Some(Encoding::Utf8) || text.iter().any(|cell| has_east_asian(cell)) {
            return Ok((text, Some(Encoding::Utf8)));
        }
    }
    let text = as_gb18030(cells).ok_or(Undecodable)?;
    if cells.iter().any(|cell| std::str::from_utf8(cell).is_ok_and(has_east_asian)) {
        return Err(Undecodable);
    }
    Ok((text, Some(Encoding::Gb18030)))
}

/// What can be shown of bytes that are in no encoding.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lossless(ascii: &[u8]) -> String {
    ascii.iter().map(|byte| char::from(*byte)).collect()
}

fn as_utf8(cells: &[&[u8]]) -> Option<Vec<String>> {
    cells.iter().map(|cell| std::str::from_utf8(cell).ok().map(str::to_owned)).collect()
}

fn as_gb18030(cells: &[&[u8]]) -> Option<Vec<String>> {
    cells
        .iter()
        .map(|cell| {
            let text = GB18030.decode_without_bom_handling_and_without_replacement(cell)?;
            // Bytes without a character decode into the private use area.
            let real = !text.chars().any(|c| ('\u{e000}'..='\u{f8ff}').contains(&c));
            real.then(|| text.into_owned())
        })
        .collect()
}

fn has_east_asian(text: &str) -> bool {
    text.chars().any(|c| c >= '\u{2e80}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gb(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn each_row_finds_its_own_encoding() {
        let utf8 = "王小二".as_bytes();
        let old = gb("王小二");
        for habit in [None, Some(Encoding::Utf8), Some(Encoding::Gb18030)] {
            let expected = vec!["王小二".to_owned(), "1".to_owned()];
            let (text, encoding) = decode_row(&[utf8, b"1"], habit).unwrap();
            assert_eq!((text, encoding), (expected.clone(), Some(Encoding::Utf8)));
            let (text, encoding) = decode_row(&[&old, b"1"], habit).unwrap();
            assert_eq!((text, encoding), (expected, Some(Encoding::Gb18030)));
        }
        assert_eq!(decode_row(&[b"a"], None).unwrap().1, None);
    }

    #[test]
    fn gb18030_that_is_valid_utf8_by_accident_follows_the_header() {
        // 耀刊: D2 AB BF AF is no UTF-8; 茅: C3 A9 is also "é".
        let cell = gb("茅");
        assert_eq!(cell, [0xc3, 0xa9]);
        let (text, _) = decode_row(&[&cell], Some(Encoding::Gb18030)).unwrap();
        assert_eq!(text, ["茅"]);
        let (text, _) = decode_row(&[&cell], Some(Encoding::Utf8)).unwrap();
        assert_eq!(text, ["é"]);
    }

    #[test]
    fn rows_in_no_encoding_are_refused() {
        assert_eq!(decode_row(&[b"\xff\xff\xff"], None), Err(Undecodable));
        let mixed = [&gb("王小二")[..], "爱辉区".as_bytes()];
        assert_eq!(decode_row(&mixed, None), Err(Undecodable));
    }

    #[test]
    fn every_common_character_survives_both_encodings() {
        // The CJK Unified Ideographs block: every character of a name an old book may hold.
        for code in 0x4e00..=0x9fa5_u32 {
            let text = char::from_u32(code).unwrap().to_string();
            let old = gb(&text);
            let (found, _) = decode_row(&[&old], Some(Encoding::Gb18030)).unwrap();
            assert_eq!(found, [text.as_str()]);
            let (found, _) = decode_row(&[text.as_bytes()], Some(Encoding::Gb18030)).unwrap();
            assert_eq!(found, [text.as_str()]);
        }
    }
}
