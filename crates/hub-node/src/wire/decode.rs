//! Bytes to messages.

use super::bytes::CHAIN_BYTES;
use super::encode::{
    AHEAD, ASK, ENROL_ANSWER, ENROL_REQUEST, LOOSE, RECEIPT, REFERENCES, SHIP, WAKE_UP, WANT,
};
use super::{
    Ask, EnrolAnswer, EnrolRequest, Frontier, HEADER_BYTES, MAGIC, Message, Reader, Receipt,
    Reference, References, Ship, VERSION, WireError,
};
use crate::io::{ChainRange, Position};
use crate::limits::{
    ENROL_ANSWER_BYTES_MAX, FRONTIER_PAGE_MAX, MESSAGE_BYTES_MAX, RANGES_MAX, REFERENCES_MAX,
};
use hub_core::block::Block;
use hub_core::fact::governance::ChainHeight;
use hub_core::id::FederationId;

pub(super) fn message(bytes: &[u8], federation: FederationId) -> Result<Message, WireError> {
    let mut reader = Reader::new(bytes);
    let magic = reader.array::<4>("magic")?;
    if magic != MAGIC {
        return Err(WireError::Magic(magic));
    }
    let version = reader.u16("version")?;
    if version != VERSION {
        return Err(WireError::Version(version));
    }
    let kind = reader.u8("kind")?;
    let found = FederationId(reader.array("federation")?);
    if found != federation {
        return Err(WireError::Federation { expected: federation, found });
    }
    let most = if kind == ENROL_ANSWER { ENROL_ANSWER_BYTES_MAX } else { MESSAGE_BYTES_MAX };
    if bytes.len() > most {
        return Err(WireError::Length { field: "message", expected: most, found: bytes.len() });
    }
    let message = content(kind, &mut reader)?;
    reader.end()?;
    debug_assert!(bytes.len() >= HEADER_BYTES);
    Ok(message)
}

fn content(kind: u8, reader: &mut Reader<'_>) -> Result<Message, WireError> {
    Ok(match kind {
        SHIP => Message::Ship(read_ship(reader)?),
        REFERENCES => Message::References(read_references(reader)?),
        LOOSE => Message::Loose(read_block(reader)?),
        RECEIPT => Message::Receipt(Box::new(Receipt::read(reader)?)),
        ASK => Message::Ask(Box::new(read_ask(reader)?)),
        WANT => Message::Want(read_want(reader)?),
        WAKE_UP => Message::WakeUp,
        AHEAD => Message::Ahead(read_heads(reader)?),
        ENROL_REQUEST => Message::EnrolRequest(Box::new(EnrolRequest::read(reader)?)),
        ENROL_ANSWER => Message::EnrolAnswer(Box::new(EnrolAnswer::read(reader)?)),
        unknown => return Err(WireError::Kind(unknown)),
    })
}

fn read_block(reader: &mut Reader<'_>) -> Result<Block, WireError> {
    Block::parse(reader.tail()).map_err(WireError::Block)
}

fn rising(
    field: &'static str,
    expected: &'static str,
    found: Position,
    good: bool,
) -> Result<(), WireError> {
    if good { Ok(()) } else { Err(WireError::Field { field, expected, found }) }
}

fn read_ship(reader: &mut Reader<'_>) -> Result<Ship, WireError> {
    let stream = reader.stream()?;
    let (after, position) = (reader.u64("after")?, reader.u64("position")?);
    rising("position", "beyond after", position, position > after)?;
    Ok(Ship { stream, after, position, block: read_block(reader)? })
}

fn read_references(reader: &mut Reader<'_>) -> Result<References, WireError> {
    let stream = reader.stream()?;
    let (after, end) = (reader.u64("after")?, reader.u64("end")?);
    let count = reader.count("references", REFERENCES_MAX, 8 + CHAIN_BYTES + 40)?;
    let mut blocks = Vec::with_capacity(count);
    let mut last = after;
    for _ in 0..count {
        let position = reader.u64("position")?;
        rising("position", "beyond the one before", position, position > last)?;
        last = position;
        blocks.push(Reference { position, block: reader.chain_height()? });
    }
    rising("end", "beyond after, not before the last position", end, end > after && end >= last)?;
    Ok(References { stream, after, blocks, end })
}

fn read_ask(reader: &mut Reader<'_>) -> Result<Ask, WireError> {
    let down = if reader.flag("down")? { Some(reader.cursor()?) } else { None };
    let up = reader.cursor()?;
    let settled = reader.flag("settled")?;
    let frontier = if reader.flag("frontier")? { Some(read_frontier(reader)?) } else { None };
    Ok(Ask { down, up, settled, frontier })
}

fn read_frontier(reader: &mut Reader<'_>) -> Result<Frontier, WireError> {
    let after = if reader.flag("after")? { Some(reader.chain()?) } else { None };
    let (last, whole) = (reader.flag("last")?, reader.flag("whole")?);
    let heads = read_heads(reader)?;
    let first = heads.first().map(|head| head.chain);
    let beyond = after.is_none() || first.is_none() || after < first;
    rising("frontier", "chains beyond after", 0, beyond)?;
    Ok(Frontier { after, last, whole, heads })
}

fn read_heads(reader: &mut Reader<'_>) -> Result<Vec<ChainHeight>, WireError> {
    let count = reader.count("heads", FRONTIER_PAGE_MAX, CHAIN_BYTES + 40)?;
    let mut heads: Vec<ChainHeight> = Vec::with_capacity(count);
    for index in 0..count {
        let head = reader.chain_height()?;
        let rises = heads.last().is_none_or(|last| last.chain < head.chain);
        rising("heads", "chains in rising order, each once", index as u64, rises)?;
        heads.push(head);
    }
    Ok(heads)
}

fn read_want(reader: &mut Reader<'_>) -> Result<Vec<ChainRange>, WireError> {
    let count = reader.count("ranges", RANGES_MAX, CHAIN_BYTES + 16)?;
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        let chain = reader.chain()?;
        let (first, last) = (reader.u64("first")?, reader.u64("last")?);
        rising("range", "1 to 2^62, last not before first", first, first >= 1)?;
        rising("range", "1 to 2^62, last not before first", last, last >= first)?;
        rising("range", "1 to 2^62, last not before first", last, last <= 1 << 62)?;
        ranges.push(ChainRange { chain, first, last });
    }
    Ok(ranges)
}
