//! Columns into rows: every bound checked, every value in its one encoding, no fact built.

use super::wire::{Reader, unzigzag};
use super::{
    ATTRIBUTE_CODES_MAX, AttributeColumn, MemberBatch, MemberRow, PRECISIONS, RowKind,
    unpack_profile,
};
use crate::codec::CodecError;
use crate::fact::{TEXT_BYTES_MAX, check_text};
use crate::header::{FACTS_MAX, Header};
use crate::id::{BranchId, MemberKey, UnitId};
use crate::time::{Day, Hlc, Precision};

const EMPTY: MemberRow = MemberRow {
    member: MemberKey::NIL,
    hlc: Hlc::ZERO,
    day: Day(0),
    branch: 0,
    unit: 0,
    operator: 0,
    document: 0,
    employer: 0,
    host: 0,
    other: 0,
    kind: RowKind::Erased,
    precision: Precision::Day,
    detail: 0,
    profile: 0,
};

/// How many run columns a body has: kind, precision, unit, operator, document, union; of starts detail,
/// employer, host, union before; of transfers out the union after.
const COLUMNS: u32 = 11;

/// Names in order of first use: each new name is the next entry.
struct FirstUse {
    list: &'static str,
    used: u64,
    length: u64,
}

impl FirstUse {
    fn place(&mut self, place: u64) -> Result<u16, String> {
        if place > self.used || place >= self.length {
            let (list, most) = (self.list, self.used.min(self.length));
            return Err(format!("{list}: expected at most entry {most}, found {place}"));
        }
        self.used = self.used.max(place + 1);
        Ok(place as u16)
    }

    fn named(&mut self, place: u64) -> Result<u16, String> {
        match place.checked_sub(1) {
            None => Ok(0),
            Some(place) => self.place(place).map(|place| place + 1),
        }
    }

    fn finish(&self, reader: &Reader<'_>) -> Result<(), CodecError> {
        if self.used == self.length {
            return Ok(());
        }
        let (list, used, length) = (self.list, self.used, self.length);
        Err(reader.wrong_at(reader.at, &format!("{list}: expected {used} entries, found {length}")))
    }
}

pub(in crate::codec) fn decode(header: &Header, body: &[u8]) -> Result<MemberBatch, CodecError> {
    let mut reader = Reader { bytes: body, at: 0, absent: 0 };
    let mut batch = read_dictionaries(&mut reader)?;
    reader.absent = reader.bounded("absent columns", (1 << COLUMNS) - 1)?;
    batch.rows = vec![EMPTY; header.count as usize];
    let mut names = Names {
        branches: FirstUse { list: "unions", used: 0, length: batch.branches.len() as u64 },
        units: FirstUse { list: "units", used: 0, length: batch.units.len() as u64 },
    };
    read_shared(&mut reader, header, &mut batch, &mut names)?;
    read_acts(&mut reader, &mut batch, &mut names)?;
    names.branches.finish(&reader)?;
    names.units.finish(&reader)?;
    read_attributes(&mut reader, &mut batch)?;
    if reader.at != body.len() {
        return Err(CodecError::Trailing { expected: reader.at, found: body.len() });
    }
    Ok(batch)
}

struct Names {
    branches: FirstUse,
    units: FirstUse,
}

fn read_dictionaries(reader: &mut Reader<'_>) -> Result<MemberBatch, CodecError> {
    let mut batch = MemberBatch::default();
    for _ in 0..reader.bounded("unions", u64::from(u16::MAX) - 1)? {
        batch.branches.push(BranchId(reader.id()?));
    }
    for _ in 0..reader.bounded("units", u64::from(u16::MAX) - 1)? {
        batch.units.push(UnitId(reader.id()?));
    }
    for _ in 0..reader.bounded("operators", u64::from(FACTS_MAX))? {
        batch.operators.push(reader.bounded("operator", u64::from(u32::MAX))? as u32);
    }
    for _ in 0..reader.bounded("documents", u64::from(FACTS_MAX))? {
        let start = reader.at;
        let length = reader.bounded("document", TEXT_BYTES_MAX as u64)? as usize;
        let text = std::str::from_utf8(reader.take(length)?);
        let text = text.map_err(|_| reader.wrong_at(start, "document: expected UTF-8"))?;
        check_text("document", text).map_err(|error| reader.wrong_at(start, &error.to_string()))?;
        batch.documents.push(text.to_owned());
    }
    distinct(reader, "unions", &batch.branches)?;
    distinct(reader, "units", &batch.units)?;
    distinct(reader, "operators", &batch.operators)?;
    distinct(reader, "documents", &batch.documents)?;
    Ok(batch)
}

fn distinct<T: Ord>(reader: &Reader<'_>, list: &str, entries: &[T]) -> Result<(), CodecError> {
    let mut sorted: Vec<&T> = entries.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
        return Ok(());
    }
    Err(reader.wrong_at(reader.at, &format!("{list}: expected each entry once")))
}

fn read_shared(
    reader: &mut Reader<'_>,
    header: &Header,
    batch: &mut MemberBatch,
    names: &mut Names,
) -> Result<(), CodecError> {
    let rows = &mut batch.rows;
    let total = rows.len();
    let mut unknown_kind = None;
    let kinds = reader.column(total, |from, to, value| {
        let known = RowKind::ALL.get(usize::try_from(value).unwrap_or(usize::MAX));
        unknown_kind = unknown_kind.or(if known.is_none() { Some(value) } else { None });
        let kind = *known.ok_or_else(String::new)?;
        rows[from..to].iter_mut().for_each(|row| row.kind = kind);
        Ok(())
    });
    if let Some(found) = unknown_kind {
        return Err(CodecError::UnknownKind { list: "member facts", found });
    }
    kinds?;
    reader.column(total, |from, to, value| {
        let known = PRECISIONS.get(usize::try_from(value).unwrap_or(usize::MAX));
        let precision =
            *known.ok_or_else(|| format!("precision: expected 0 to 2, found {value}"))?;
        rows[from..to].iter_mut().for_each(|row| row.precision = precision);
        Ok(())
    })?;
    reader.column(total, |from, to, value| {
        let place = names.units.place(value)?;
        rows[from..to].iter_mut().for_each(|row| row.unit = place);
        Ok(())
    })?;
    let (mut operators, mut documents) = (
        FirstUse { list: "operators", used: 0, length: batch.operators.len() as u64 },
        FirstUse { list: "documents", used: 0, length: batch.documents.len() as u64 },
    );
    reader.column(total, |from, to, value| {
        let place = operators.place(value)?;
        rows[from..to].iter_mut().for_each(|row| row.operator = place);
        Ok(())
    })?;
    reader.column(total, |from, to, value| {
        let place = documents.named(value)?;
        rows[from..to].iter_mut().for_each(|row| row.document = place);
        Ok(())
    })?;
    operators.finish(reader)?;
    documents.finish(reader)?;
    reader.column(total, |from, to, value| {
        let place = names.branches.place(value)?;
        rows[from..to].iter_mut().for_each(|row| row.branch = place);
        Ok(())
    })?;
    read_clock(reader, header, rows)?;
    read_days_and_keys(reader, rows)
}

fn read_clock(
    reader: &mut Reader<'_>,
    header: &Header,
    rows: &mut [MemberRow],
) -> Result<(), CodecError> {
    rows[0].hlc = header.first_hlc;
    let mut clock = header.first_hlc.0;
    let total = rows.len() - 1;
    reader.runs(total, |from, to, step| {
        if step == 0 {
            return Err("hlc: expected a rising clock, found a standing one".into());
        }
        for row in &mut rows[from + 1..=to] {
            clock = clock.checked_add(step).ok_or("hlc: expected 64 bits, found more")?;
            row.hlc = Hlc(clock);
        }
        Ok(())
    })?;
    if Hlc(clock) == header.last_hlc {
        return Ok(());
    }
    let what = format!("last hlc: expected {}, found {}", header.last_hlc, Hlc(clock));
    Err(reader.wrong_at(reader.at, &what))
}

fn read_days_and_keys(reader: &mut Reader<'_>, rows: &mut [MemberRow]) -> Result<(), CodecError> {
    let mut day = 0_i64;
    for row in rows.iter_mut() {
        let start = reader.at;
        day = day.saturating_add(unzigzag(reader.varint()?));
        let named = i32::try_from(day).ok().map(Day).filter(|day| day.is_nameable());
        row.day = named.ok_or_else(|| {
            reader.wrong_at(start, &format!("day: expected 1900 to 2199, found {day}"))
        })?;
    }
    let keys = reader.take(rows.len() * 16)?;
    for (row, key) in rows.iter_mut().zip(keys.chunks_exact(16)) {
        row.member.0.copy_from_slice(key);
    }
    Ok(())
}

/// Reads runs over the rows that `has` picks, calling `put` for each of them.
fn read_picked(
    reader: &mut Reader<'_>,
    rows: &mut [MemberRow],
    has: impl Fn(RowKind) -> bool,
    mut read: impl FnMut(u64) -> Result<u16, String>,
    put: impl Fn(&mut MemberRow, u16),
) -> Result<(), CodecError> {
    let total = rows.iter().filter(|row| has(row.kind)).count();
    let mut picked = rows.iter_mut().filter(|row| has(row.kind));
    reader.column(total, |from, to, value| {
        let value = read(value)?;
        picked.by_ref().take(to - from).for_each(|row| put(row, value));
        Ok(())
    })
}

fn read_acts(
    reader: &mut Reader<'_>,
    batch: &mut MemberBatch,
    names: &mut Names,
) -> Result<(), CodecError> {
    let rows = &mut batch.rows[..];
    let flags = |value: u64| match u16::try_from(value) {
        Ok(flags) if flags < 32 => Ok(flags),
        _ => Err(format!("start: expected 5 bits, found {value}")),
    };
    read_picked(reader, rows, RowKind::is_start, flags, |row, v| row.detail = v as u8)?;
    let units = &mut names.units;
    read_picked(reader, rows, RowKind::is_start, |v| units.named(v), |row, v| row.employer = v)?;
    read_picked(reader, rows, RowKind::is_start, |v| units.named(v), |row, v| row.host = v)?;
    let branches = &mut names.branches;
    read_picked(reader, rows, RowKind::is_start, |v| branches.named(v), |row, v| row.other = v)?;
    let is_out = |kind| kind == RowKind::TransferredOut;
    read_picked(reader, rows, is_out, |v| branches.named(v), |row, v| row.other = v)?;
    for (index, row) in rows.iter_mut().enumerate() {
        let at = reader.at;
        let wrong = |what: &str| Err(CodecError::NotCanonical { at, what: what.to_owned() });
        match row.kind {
            kind if kind.has_profile() => {
                row.profile = reader.byte()?;
                if unpack_profile(row.profile).is_none() {
                    return wrong("profile: expected sex and migrant 0 to 2, found 3");
                }
            }
            RowKind::Retained => row.detail = reader.byte()?,
            RowKind::Left => {
                row.detail = reader.byte()?;
                if row.detail > 3 {
                    let found = u64::from(row.detail);
                    return Err(CodecError::UnknownKind { list: "leave reasons", found });
                }
            }
            RowKind::Rekeyed => {
                row.detail = reader.byte()?;
                if row.detail > 1 {
                    return wrong("qualified: expected 0 or 1");
                }
                batch.new_keys.push((index as u32, MemberKey(reader.id()?)));
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_attributes(reader: &mut Reader<'_>, batch: &mut MemberBatch) -> Result<(), CodecError> {
    let total = batch.rows.len();
    let mut before = None;
    for _ in 0..reader.bounded("attributes", ATTRIBUTE_CODES_MAX as u64)? {
        let start = reader.at;
        let code = reader.bounded("attribute", u64::from(u16::MAX))? as u16;
        if before.is_some_and(|before| before >= code) {
            return Err(reader.wrong_at(start, "attributes: expected codes in rising order"));
        }
        before = Some(code);
        let mut values: Vec<(u32, i32)> = Vec::new();
        reader.runs(total, |from, to, value| match value {
            0 => Ok(()),
            1 => {
                values.extend((from..to).map(|row| (row as u32, 0)));
                Ok(())
            }
            other => Err(format!("presence: expected 0 or 1, found {other}")),
        })?;
        if values.is_empty() {
            return Err(reader.wrong_at(start, "attribute: expected a row that has it"));
        }
        let mut value = 0_i64;
        let count = values.len();
        reader.runs(count, |from, to, step| {
            for entry in &mut values[from..to] {
                value = value.saturating_add(unzigzag(step));
                entry.1 = i32::try_from(value)
                    .map_err(|_| format!("attribute: expected 32 bits, found {value}"))?;
            }
            Ok(())
        })?;
        batch.attributes.push(AttributeColumn { code, values });
    }
    Ok(())
}
