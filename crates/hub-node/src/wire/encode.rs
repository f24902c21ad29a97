//! Messages to bytes.

use super::{Ask, Frontier, MAGIC, Message, References, Ship, VERSION, Writer};
use hub_core::fact::governance::ChainHeight;
use hub_core::id::FederationId;

pub(super) const SHIP: u8 = 1;
pub(super) const REFERENCES: u8 = 2;
pub(super) const LOOSE: u8 = 3;
pub(super) const RECEIPT: u8 = 4;
pub(super) const ASK: u8 = 5;
pub(super) const WANT: u8 = 6;
pub(super) const WAKE_UP: u8 = 7;
pub(super) const AHEAD: u8 = 8;
pub(super) const ENROL_REQUEST: u8 = 9;
pub(super) const ENROL_ANSWER: u8 = 10;

pub(super) fn message(message: &Message, federation: FederationId) -> Vec<u8> {
    let mut writer = Writer(Vec::with_capacity(512));
    writer.raw(&MAGIC);
    writer.u16(VERSION);
    writer.u8(kind(message));
    writer.raw(&federation.0);
    match message {
        Message::Ship(ship) => write_ship(&mut writer, ship),
        Message::References(references) => write_references(&mut writer, references),
        Message::Loose(block) => writer.raw(block.bytes()),
        Message::Receipt(receipt) => receipt.write(&mut writer),
        Message::Ask(ask) => write_ask(&mut writer, ask),
        Message::Want(ranges) => {
            writer.count(ranges.len());
            for range in ranges {
                writer.chain(&range.chain);
                writer.u64(range.first);
                writer.u64(range.last);
            }
        }
        Message::WakeUp => {}
        Message::Ahead(heads) => write_heads(&mut writer, heads),
        Message::EnrolRequest(request) => request.write(&mut writer),
        Message::EnrolAnswer(answer) => answer.write(&mut writer),
    }
    writer.0
}

fn kind(message: &Message) -> u8 {
    match message {
        Message::Ship(_) => SHIP,
        Message::References(_) => REFERENCES,
        Message::Loose(_) => LOOSE,
        Message::Receipt(_) => RECEIPT,
        Message::Ask(_) => ASK,
        Message::Want(_) => WANT,
        Message::WakeUp => WAKE_UP,
        Message::Ahead(_) => AHEAD,
        Message::EnrolRequest(_) => ENROL_REQUEST,
        Message::EnrolAnswer(_) => ENROL_ANSWER,
    }
}

fn write_ship(writer: &mut Writer, ship: &Ship) {
    writer.stream(&ship.stream);
    writer.u64(ship.after);
    writer.u64(ship.position);
    writer.raw(ship.block.bytes());
}

fn write_references(writer: &mut Writer, references: &References) {
    writer.stream(&references.stream);
    writer.u64(references.after);
    writer.u64(references.end);
    writer.count(references.blocks.len());
    for reference in &references.blocks {
        writer.u64(reference.position);
        writer.chain_height(&reference.block);
    }
}

fn write_ask(writer: &mut Writer, ask: &Ask) {
    writer.u8(u8::from(ask.down.is_some()));
    if let Some(cursor) = &ask.down {
        writer.cursor(cursor);
    }
    writer.cursor(&ask.up);
    writer.u8(u8::from(ask.settled));
    writer.u8(u8::from(ask.frontier.is_some()));
    if let Some(frontier) = &ask.frontier {
        write_frontier(writer, frontier);
    }
}

fn write_frontier(writer: &mut Writer, frontier: &Frontier) {
    writer.u8(u8::from(frontier.after.is_some()));
    if let Some(after) = &frontier.after {
        writer.chain(after);
    }
    writer.u8(u8::from(frontier.last));
    writer.u8(u8::from(frontier.whole));
    write_heads(writer, &frontier.heads);
}

fn write_heads(writer: &mut Writer, heads: &[ChainHeight]) {
    writer.count(heads.len());
    for head in heads {
        writer.chain_height(head);
    }
}
