//! Codec 1: facts row by row, in bincode 2.0.1 with big-endian variable-length integers. The only file
//! that names bincode: the crate is unmaintained (RUSTSEC-2025-0141), so what it may do is fenced in.
//!
//! Layout: the facts one after the other, without a count (the header has it), each with the step of its
//! HLC from the fact before, the first with 0 (the header has its HLC). No maps, floats or
//! recursive types reach this file; every list is bounded before it is read (`fact::bounded`).

use super::CodecError;
use crate::fact::{Fact, FactBody};
use crate::header::{BODY_BYTES_MAX, Header};
use crate::time::Hlc;
use bincode::config::{BigEndian, Configuration, Limit, Varint};
use bincode::de::read::Reader;
use bincode::error::DecodeError;

const CONFIG: Configuration<BigEndian, Varint, Limit<{ BODY_BYTES_MAX as usize }>> =
    bincode::config::standard()
        .with_big_endian()
        .with_variable_int_encoding()
        .with_limit::<{ BODY_BYTES_MAX as usize }>();

pub(super) fn encode(facts: &[Fact]) -> Result<Vec<u8>, CodecError> {
    let mut body = Vec::new();
    let mut before = facts.first().map_or(0, |fact| fact.hlc.0);
    for fact in facts {
        let step = fact.hlc.0.saturating_sub(before);
        before = fact.hlc.0;
        let stepped = Fact { hlc: Hlc(step), ..fact.clone() };
        let bytes = bincode::serde::encode_to_vec(&stepped, CONFIG).map_err(|_| {
            CodecError::TooLong { expected: BODY_BYTES_MAX as usize, found: usize::MAX }
        })?;
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

pub(super) fn decode(header: &Header, body: &[u8]) -> Result<Vec<Fact>, CodecError> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut source = Source { bytes: body, at: 0, last: 0, wanted: 0 };
    for index in 0..header.count as usize {
        let at = source.at;
        let mut fact: Fact = bincode::serde::decode_from_reader(&mut source, CONFIG)
            .map_err(|error| source.explain(&error))?;
        fact.hlc = clock(header, &facts, fact.hlc.0, at)?;
        fact.check().map_err(|error| CodecError::Fact { index, error })?;
        if matches!(fact.body, FactBody::Member(_)) {
            return Err(CodecError::Mixed);
        }
        facts.push(fact);
    }
    if source.at != body.len() {
        return Err(CodecError::Trailing { expected: source.at, found: body.len() });
    }
    check_canonical(&facts, body)?;
    Ok(facts)
}

/// bincode reads integers in longer forms than it writes; writing again tells.
fn check_canonical(facts: &[Fact], body: &[u8]) -> Result<(), CodecError> {
    let again = encode(facts)?;
    if again == body {
        return Ok(());
    }
    let differs = again.iter().zip(body).position(|(ours, theirs)| ours != theirs);
    let at = differs.unwrap_or(again.len().min(body.len()));
    let byte = |bytes: &[u8]| bytes.get(at).map_or("the end".into(), |b| format!("{b:02x}"));
    let what = format!("shortest form: expected {}, found {}", byte(&again), byte(body));
    Err(CodecError::NotCanonical { at, what })
}

/// The HLC that is `step` after the fact before.
fn clock(header: &Header, before: &[Fact], step: u64, at: usize) -> Result<Hlc, CodecError> {
    let index = before.len();
    let from = before.last().map_or(header.first_hlc, |fact| fact.hlc);
    let hlc = from.0.checked_add(step).map(Hlc);
    let rises = (step == 0) == (index == 0);
    let ends = index + 1 < header.count as usize || hlc == Some(header.last_hlc);
    match hlc {
        Some(hlc) if rises && ends => Ok(hlc),
        _ => {
            let (first, last) = (header.first_hlc, header.last_hlc);
            let what = format!(
                "hlc: expected rising from {first} to {last}, found a step of {step} in fact {index}"
            );
            Err(CodecError::NotCanonical { at, what })
        }
    }
}

/// The body as bincode reads it, remembering where it stands so that errors can say so.
struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the last integer began.
    last: usize,
    /// How many bytes the last read asked for.
    wanted: usize,
}

impl Reader for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<(), DecodeError> {
        let left = &self.bytes[self.at..];
        self.wanted = out.len();
        let Some(taken) = left.get(..out.len()) else {
            return Err(DecodeError::UnexpectedEnd { additional: out.len() - left.len() });
        };
        out.copy_from_slice(taken);
        if out.len() == 1 {
            self.last = self.at;
        }
        self.at += out.len();
        Ok(())
    }

    fn peek_read(&mut self, count: usize) -> Option<&[u8]> {
        self.bytes[self.at..].get(..count)
    }

    fn consume(&mut self, count: usize) {
        self.last = self.at;
        self.at = self.bytes.len().min(self.at + count);
    }
}

impl Source<'_> {
    fn explain(&self, error: &DecodeError) -> CodecError {
        let at = self.at;
        match error {
            DecodeError::UnexpectedEnd { .. } => {
                let found = self.bytes.len() - at;
                CodecError::Truncated { at, expected: self.wanted, found }
            }
            DecodeError::LimitExceeded => {
                CodecError::Claim { at: self.last, expected: BODY_BYTES_MAX, found: self.claimed() }
            }
            // serde's derive reports an unknown variant of an enum as an invalid value, in words
            DecodeError::OtherString(text) if text.contains("variant index") => {
                CodecError::UnknownKind { list: "variant", found: number_in(text) }
            }
            DecodeError::OtherString(text) => {
                CodecError::NotCanonical { at: self.last, what: text.clone() }
            }
            DecodeError::InvalidBooleanValue(found) => CodecError::NotCanonical {
                at: self.last,
                what: format!("flag: expected 0 or 1, found {found}"),
            },
            DecodeError::Utf8 { .. } => CodecError::NotCanonical {
                at,
                what: "text: expected UTF-8, found other bytes".into(),
            },
            other => CodecError::NotCanonical { at: self.last, what: other.to_string() },
        }
    }

    /// The integer read last: what a text claimed as its length.
    fn claimed(&self) -> u64 {
        let wide = |width: usize| {
            let bytes = self.bytes.get(self.last + 1..self.last + 1 + width).unwrap_or_default();
            bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
        };
        match self.bytes.get(self.last).copied().unwrap_or(0) {
            251 => wide(2),
            252 => wide(4),
            253 => wide(8),
            small => u64::from(small),
        }
    }
}

fn number_in(text: &str) -> u64 {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).collect();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX)
}
