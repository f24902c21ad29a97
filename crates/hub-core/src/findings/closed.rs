//! Facts about days of a period that was closed before they came (S5, K10, K11).

use super::{Finding, Kind};
use crate::causes::later_blocks;
use crate::closing::{self, Closing};
use crate::fact::FactBody;
use crate::id::{FactId, UnitId};
use crate::time::Day;
use crate::view::tree::UnitIx;
use crate::view::{BlockSource, View};
use std::collections::BTreeMap;

/// Checks what came after the unit's last closing: one finding for each node and kind of fact.
pub(super) fn check(
    view: &mut View,
    unit: UnitIx,
    source: &dyn BlockSource,
    found: &mut Vec<Finding>,
) {
    let Some((closing, last)) = last_closing(view, unit) else { return };
    let Some(checkpoint) = view.checkpoint(&closing.checkpoint) else { return };
    let mut later: BTreeMap<(UnitId, &'static str), Later> = BTreeMap::new();
    for (chain, height, hash) in later_blocks(view, &view.frontier_of(&checkpoint), source) {
        let Some(block) = source.side(&chain, height, &hash) else { continue };
        let Ok(body) = block.body() else { continue };
        let verdicts = view.block_verdicts(&block);
        for (index, (fact, verdict)) in body.into_facts().iter().zip(verdicts).enumerate() {
            if fact.day > last || !verdict.stands() || !is_of_books(&fact.body) {
                continue;
            }
            let known = later.entry((fact.unit, fact.body.kind())).or_insert_with(|| Later {
                count: 0,
                earliest: fact.day,
                first: block.fact_id(index as u32),
            });
            known.count += 1;
            known.earliest = known.earliest.min(fact.day);
        }
    }
    let period = &closing.period;
    found.extend(later.into_iter().map(|((unit, what), Later { count, earliest, first })| {
        let period = period.clone();
        Finding { unit, kind: Kind::AfterClosing { period, what, count, earliest, first } }
    }));
}

struct Later {
    count: u64,
    earliest: Day,
    first: FactId,
}

/// The last period that the unit closed, as it is published, with its last day.
fn last_closing(view: &View, unit: UnitIx) -> Option<(Closing, Day)> {
    let periods = closing::closings(view, unit).into_iter();
    let dated = periods.filter_map(|closing| Some((closing::last_day(&closing.period)?, closing)));
    let (last, newest) =
        dated.max_by(|(one, a), (other, b)| (one, &a.period).cmp(&(other, &b.period)))?;
    Some((closing::standing(view, unit, &newest.period)?, last))
}

/// What changes figures of a day; figures and governance speak of periods and of nodes.
fn is_of_books(body: &FactBody) -> bool {
    matches!(body, FactBody::Unit(_) | FactBody::Branch(_) | FactBody::Member(_))
}
