//! Varints, zigzag and runs: the small alphabet of codec 2, read with bounds and one encoding only.

use crate::codec::CodecError;

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Run columns of one body. One whose values are all 0, or that has none, is absent and has its bit, from
/// the lowest, set in the mask of absent columns.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) bytes: Vec<u8>,
    absent: u64,
    count: u32,
}

impl Columns {
    pub(super) fn put(&mut self, values: impl Iterator<Item = u64>) {
        let start = self.bytes.len();
        let any = put_runs(&mut self.bytes, values);
        if !any {
            self.bytes.truncate(start);
            self.absent |= 1 << self.count;
        }
        self.count += 1;
    }

    pub(super) fn absent(&self) -> u64 {
        self.absent
    }
}

/// Writes runs of equal values: (length, value) pairs until all values are told. Says whether any value
/// is other than 0.
pub(super) fn put_runs(out: &mut Vec<u8>, values: impl Iterator<Item = u64>) -> bool {
    let mut any = false;
    let mut run: Option<(u64, u64)> = None;
    for value in values {
        any |= value != 0;
        match &mut run {
            Some((length, running)) if *running == value => *length += 1,
            _ => {
                if let Some((length, running)) = run {
                    put_varint(out, length);
                    put_varint(out, running);
                }
                run = Some((1, value));
            }
        }
    }
    if let Some((length, running)) = run {
        put_varint(out, length);
        put_varint(out, running);
    }
    any
}

/// A reader of a body that never reads past its end.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// The mask of absent columns, as far as its columns are not read yet.
    pub(super) absent: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| {
            let (expected, found) = (length, self.bytes.len() - self.at);
            CodecError::Truncated { at: self.at, expected, found }
        })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub(super) fn id(&mut self) -> Result<[u8; 16], CodecError> {
        let mut id = [0; 16];
        id.copy_from_slice(self.take(16)?);
        Ok(id)
    }

    pub(super) fn byte(&mut self) -> Result<u8, CodecError> {
        self.take(1).map(|byte| byte[0])
    }

    pub(super) fn varint(&mut self) -> Result<u64, CodecError> {
        // one byte is by far the most common
        if let Some(byte) = self.bytes.get(self.at)
            && *byte < 0x80
        {
            self.at += 1;
            return Ok(u64::from(*byte));
        }
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.wrong_at(start, "varint: expected 64 bits, found more"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                let minimal = byte != 0 || shift == 0;
                let wrong = || self.wrong_at(start, "varint: expected the shortest form");
                return if minimal { Ok(value) } else { Err(wrong()) };
            }
        }
        Err(self.wrong_at(start, "varint: expected an end within 10 bytes"))
    }

    /// A varint of at most `most`.
    pub(super) fn bounded(&mut self, what: &str, most: u64) -> Result<u64, CodecError> {
        let start = self.at;
        let value = self.varint()?;
        if value <= most {
            return Ok(value);
        }
        Err(self.wrong_at(start, &format!("{what}: expected at most {most}, found {value}")))
    }

    /// Reads runs over `total` places and hands each run to `put(start, end, value)`.
    pub(super) fn runs(
        &mut self,
        total: usize,
        mut put: impl FnMut(usize, usize, u64) -> Result<(), String>,
    ) -> Result<(), CodecError> {
        let mut done = 0;
        let mut before = None;
        while done < total {
            let start = self.at;
            let left = (total - done) as u64;
            let length = self.bounded("run", left)?;
            let value = self.varint()?;
            if length == 0 || before == Some(value) {
                return Err(self.wrong_at(start, "run: expected the longest, found a split one"));
            }
            before = Some(value);
            let end = done + length as usize;
            put(done, end, value).map_err(|what| self.wrong_at(start, &what))?;
            done = end;
        }
        Ok(())
    }

    /// Reads the next run column, which the mask may say is absent: then all its values are 0.
    pub(super) fn column(
        &mut self,
        total: usize,
        mut put: impl FnMut(usize, usize, u64) -> Result<(), String>,
    ) -> Result<(), CodecError> {
        let start = self.at;
        let absent = self.absent & 1 == 1;
        self.absent >>= 1;
        if absent && total > 0 {
            return put(0, total, 0).map_err(|what| self.wrong_at(start, &what));
        }
        let mut any = absent;
        self.runs(total, |from, to, value| {
            any |= value != 0;
            put(from, to, value)
        })?;
        if any {
            return Ok(());
        }
        Err(self.wrong_at(start, "column: expected it absent, found nothing but 0"))
    }

    pub(super) fn wrong_at(&self, at: usize, what: &str) -> CodecError {
        CodecError::NotCanonical { at, what: what.to_owned() }
    }
}
