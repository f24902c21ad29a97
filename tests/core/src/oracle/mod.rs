//! What the oracle (`tests/oracle/`, Python) is told: the export of a history, questions, and what the engine
//! answers. It is told nothing else.

mod closings;
mod link;
mod more;
mod questions;

pub use link::{Link, Reply};

use crate::federation::Federation;
use hub_core::export::{block_lines, head_line, heading};
use hub_core::view::View;
use hub_core::view::fork::Sides;
use std::collections::BTreeMap;

/// A history as lines of JSON: its export, then questions with the engine's answers.
///
/// # Errors
/// A line that cannot be written as JSON; none is such.
pub fn told(made: &Federation, seed: u64) -> Result<Vec<String>, serde_json::Error> {
    let mut view = View::new(made.id(), made.root_key);
    let sides: Sides = made.all_blocks().cloned().collect();
    view.apply_all(made.all_blocks(), &sides);
    let mut lines = vec![heading(&made.root_key, Some(view.digest())).to_json()?];
    let mut heads = BTreeMap::new();
    for block in made.all_blocks() {
        let verdicts = view.block_verdicts(block);
        for line in block_lines(block, None, &verdicts) {
            lines.push(line.to_json()?);
        }
        heads.insert(block.header().chain, block);
    }
    for (chain, block) in heads {
        let head = hub_core::chain::ChainHead {
            height: block.header().height,
            hash: block.hash(),
            next_seq: block.header().next_seq(),
            last_hlc: block.header().last_hlc,
        };
        lines.push(head_line(chain, head).to_json()?);
    }
    for question in questions::asked(made, &view, &sides, seed) {
        lines.push(serde_json::to_string(&question)?);
    }
    lines.push(serde_json::to_string(&questions::cases(made, &mut view, &sides))?);
    lines.push(serde_json::to_string(&more::rates(&view))?);
    lines.push(serde_json::to_string(&more::takeovers(&view))?);
    if let Some(flow) = more::flow(made, &mut view, &sides, seed) {
        lines.push(serde_json::to_string(&flow)?);
    }
    lines.push(serde_json::to_string(&closings::standing(&view))?);
    if let Some(closing) = closings::asked(made, &mut view, &sides, seed) {
        lines.push(serde_json::to_string(&closing)?);
    }
    Ok(lines)
}
