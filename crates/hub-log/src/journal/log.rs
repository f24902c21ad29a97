//! A journal as a log that can be replayed.

use super::{Journal, Position};
use crate::error::ReadError;
use hub_core::audit::{Entry, Region};
use hub_core::header::Header;
use hub_core::replay::Log;

impl Log for Journal {
    fn scan(&self, wanted: &dyn Fn(&Header) -> bool, visit: &mut dyn FnMut(Entry)) {
        let mut scan = Journal::scan(self, Position::START);
        while let Some(next) = scan.next_wanted(wanted) {
            visit(match next {
                Ok(stored) => Entry::Block(stored.block),
                Err(error) => Entry::Damaged(region(&error)),
            });
        }
    }
}

fn region(error: &ReadError) -> Region {
    match error {
        ReadError::Damaged(damage) => Region {
            place: format!("segment {} offset {}", damage.segment, damage.offset),
            what: damage.to_string(),
            block: damage.block.as_ref().map(|block| (block.chain, block.height)),
        },
        other => Region { place: "journal".to_owned(), what: other.to_string(), block: None },
    }
}
