//! Questions beside the rows of answers: how members went from one day to another, and declared rates beside
//! their numbers, takeovers in bulk.

use super::questions::label_of;
use crate::federation::Federation;
use crate::random::Random;
use hub_core::findings::{Kind, of_values};
use hub_core::flow::{FlowQuestion, flows};
use hub_core::time::Day;
use hub_core::view::View;
use hub_core::view::fork::Sides;
use hub_core::view::tree::UnitIx;
use serde_json::{Map, Value, json};

/// Flows of the root or some unit over some days of the history, at times beyond them; of every other history.
pub(super) fn flow(made: &Federation, view: &mut View, sides: &Sides, seed: u64) -> Option<Value> {
    if seed % 2 == 1 {
        return None;
    }
    let mut rng = Random::new(seed ^ 0xf10e);
    let written = |place: usize| made.blocks[&made.order[place]].header().last_hlc.day();
    let (first, last) = (written(0), written(made.order.len() - 1));
    let span = (last.0 - first.0) as u64 + 30;
    let from = Day(first.0 - 20 + rng.below(span) as i32);
    let to = Day(from.0 + rng.below(120) as i32);
    let tree = view.tree();
    let known = |id: &_, at: &UnitIx| tree.find_registered(id) == Some(*at);
    let units: Vec<UnitIx> =
        tree.ids().filter(|(id, at)| known(id, at)).map(|(_, at)| at).collect();
    let unit = if rng.one_in(3) { tree.root()? } else { units[rng.index(units.len())] };
    let id = tree.unit(unit).id;
    let asked = FlowQuestion { unit, from, to, by_child: true };
    let rows = flows(view, sides, &asked).into_iter().map(|row| {
        let told = row.flows.iter().filter(|(_, count)| **count != 0);
        let told: Map<String, Value> =
            told.map(|(flow, count)| (flow.id().to_owned(), (*count).into())).collect();
        let label = label_of(view, &row.label);
        json!({"label": label, "opening": row.opening, "flows": told, "closing": row.closing})
    });
    let rows: Vec<Value> = rows.collect();
    Some(json!({
        "question": {"flows": true, "unit": id, "from": from, "to": to},
        "answer": rows,
    }))
}

/// Every declared rate of a standing report with its fact: whether its numbers make it.
pub(super) fn rates(view: &View) -> Value {
    let mut told = Vec::new();
    for (series, _) in view.figures().all() {
        let Some(report) = view.figures().standing_of(series) else { continue };
        let unit = view.tree().unit(series.unit).id;
        let form = (series.form, series.period.as_str());
        for finding in of_values(unit, form, &report.values, &report.rates) {
            let follows = match &finding.kind {
                Kind::RateFollows { .. } => true,
                Kind::RateDiffers { .. } => false,
                _ => continue,
            };
            let text = finding.kind.rate().unwrap_or_default();
            told.push(json!([report.id.to_string(), text, follows]));
        }
    }
    json!({"question": {"rates": true}, "answer": told})
}

/// M7: every mass takeover with its numbers, the unions that held and where it is told.
pub(super) fn takeovers(view: &View) -> Value {
    let union = |at| view.branches().branch(at).id;
    let found = view.mass_takeovers().into_iter().map(|found| {
        let from: Vec<_> = found.from.iter().map(|at| union(*at)).collect();
        let (year, month) = found.month;
        let at = found.at.map(|at| view.tree().unit(at).id);
        json!([union(found.union), year, month, found.persons, found.most, from, at])
    });
    let found: Vec<Value> = found.collect();
    json!({"question": {"takeovers": true}, "answer": found})
}
