//! Codec 1: facts row by row, in bincode 2.0.1 with fixed big-endian integers. The only file that names
//! bincode: the crate is unmaintained (RUSTSEC-2025-0141), so what it may do is fenced in here.
//!
//! Layout: the facts one after the other, without a count (the header has it). No maps, floats or
//! recursive types reach this file; every list is bounded by the body's length and by `Fact::check`.

use super::CodecError;
use crate::fact::Fact;
use crate::header::{BODY_BYTES_MAX, Header};
use bincode::config::{BigEndian, Configuration, Fixint, Limit};
use bincode::error::DecodeError;

const CONFIG: Configuration<BigEndian, Fixint, Limit<{ BODY_BYTES_MAX as usize }>> =
    bincode::config::standard()
        .with_big_endian()
        .with_fixed_int_encoding()
        .with_limit::<{ BODY_BYTES_MAX as usize }>();

pub(super) fn encode(facts: &[Fact]) -> Result<Vec<u8>, CodecError> {
    let mut body = Vec::new();
    for fact in facts {
        let bytes = bincode::serde::encode_to_vec(fact, CONFIG).map_err(|_| {
            CodecError::TooLong { expected: BODY_BYTES_MAX as usize, found: usize::MAX }
        })?;
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

pub(super) fn decode(header: &Header, body: &[u8]) -> Result<Vec<Fact>, CodecError> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut at = 0;
    for index in 0..header.count as usize {
        let (fact, used): (Fact, usize) = bincode::serde::decode_from_slice(&body[at..], CONFIG)
            .map_err(|error| explain(&error, at))?;
        fact.check().map_err(|error| CodecError::Fact { index, error })?;
        if matches!(fact.body, crate::fact::FactBody::Member(_)) {
            return Err(CodecError::Mixed);
        }
        check_clock(header, &facts, &fact, at)?;
        at += used;
        facts.push(fact);
    }
    if at != body.len() {
        return Err(CodecError::Trailing { expected: at, found: body.len() });
    }
    // Fixed integers leave bincode no choice but this one; what remains is told by encoding again.
    if encode(&facts)? != body {
        return Err(CodecError::NotCanonical { at: 0, what: "encodes to other bytes".into() });
    }
    Ok(facts)
}

fn check_clock(header: &Header, before: &[Fact], fact: &Fact, at: usize) -> Result<(), CodecError> {
    let index = before.len();
    let rises = before.last().is_none_or(|last| last.hlc < fact.hlc);
    let first = index > 0 || fact.hlc == header.first_hlc;
    let last = index + 1 < header.count as usize || fact.hlc == header.last_hlc;
    if rises && first && last {
        return Ok(());
    }
    let what = format!(
        "hlc: expected rising from {} to {}, found {} in fact {index}",
        header.first_hlc, header.last_hlc, fact.hlc
    );
    Err(CodecError::NotCanonical { at, what })
}

fn explain(error: &DecodeError, at: usize) -> CodecError {
    match error {
        DecodeError::UnexpectedEnd { .. } => CodecError::Truncated { at },
        DecodeError::UnexpectedVariant { type_name, found, .. } => {
            CodecError::UnknownKind { list: type_name, found: u64::from(*found) }
        }
        // serde's derive reports an unknown variant of an enum as an invalid value, in words
        DecodeError::OtherString(text) if text.contains("variant index") => {
            CodecError::UnknownKind { list: "variant", found: number_in(text) }
        }
        other => CodecError::NotCanonical { at, what: other.to_string() },
    }
}

fn number_in(text: &str) -> u64 {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).collect();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX)
}
