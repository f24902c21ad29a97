//! `hub undo`: takes a whole import or one fact back. What is taken back stays visible and leaves the
//! figures; names in the vault stay until they are erased.

use super::error::CommandError;
use super::session::Session;
use crate::cli::Undo;
use crate::replica::Draft;
use hub_core::codec::Body;
use hub_core::fact::{ATTRIBUTE_IMPORT, Attribute, Fact, FactBody, Withdrawn};
use hub_core::id::FactId;
use hub_log::Position;
use std::collections::BTreeMap;

/// Takes back.
///
/// # Errors
/// Nothing of this node fits, or the facts cannot be written.
pub fn run(session: &Session<'_>, command: &Undo) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let found = match &command.what {
        Some(typed) => match typed.parse::<FactId>() {
            Ok(fact) => Found { facts: vec![one(session, fact)?], corrected: Vec::new() },
            Err(_) => facts_of(session, &number(typed)?)?,
        },
        None => facts_of(session, &Wanted::Last)?,
    };
    let count = found.facts.len();
    let (operator, reason) = (session.operator, &command.reason);
    let mut drafts: Vec<Draft> = ranges(found.facts)
        .into_iter()
        .map(|(first, count)| {
            let body = FactBody::Withdrawn(Withdrawn { first, count, reason: reason.clone() });
            Draft { operator, ..Draft::new(own, session.today(), body) }
        })
        .collect();
    drafts.extend(restated(session, &found.corrected));
    session.replica().write(drafts)?;
    session.say(&format!("已撤回 {count} 条记录"), &format!("{count} facts taken back"))?;
    Ok(0)
}

/// What an import wrote.
#[derive(Default)]
struct Found {
    /// Its facts but withdrawals, which are never withdrawn (DESIGN §4).
    facts: Vec<FactId>,
    /// What it took back, to correct it: stated anew when the correction goes.
    corrected: Vec<Withdrawn>,
}

/// The member facts an import had taken back, as they were, without the mark of any import.
fn restated(session: &Session<'_>, corrected: &[Withdrawn]) -> Vec<Draft> {
    if corrected.is_empty() {
        return Vec::new();
    }
    let mut drafts = Vec::new();
    for stored in session.replica().journal().scan(Position::START) {
        let Ok(stored) = stored else { continue };
        let block = stored.block;
        let Ok(Body::Members(batch)) = block.body() else { continue };
        for index in 0..batch.rows.len() {
            let id = block.fact_id(index as u32);
            if !corrected.iter().any(|withdrawn| withdrawn.covers(&id)) {
                continue;
            }
            let fact = batch.fact(index);
            let attributes = fact.attributes.iter().filter(|a| a.code != ATTRIBUTE_IMPORT);
            drafts.push(Draft {
                precision: fact.precision,
                operator: fact.operator,
                document: fact.document,
                attributes: attributes.copied().collect(),
                ..Draft::new(fact.unit, fact.day, fact.body)
            });
        }
    }
    drafts
}

/// Which facts are meant.
enum Wanted {
    /// Those of this import.
    Import(i32),
    /// Those of the newest import that is not taken back yet.
    Last,
}

fn number(typed: &str) -> Result<Wanted, CommandError> {
    typed.parse().map(Wanted::Import).map_err(|_| {
        CommandError::refused(
            format!("“{typed}”既不是导入批次,也不是记录号"),
            format!("“{typed}” is neither the number of an import nor the name of a fact"),
        )
    })
}

fn one(session: &Session<'_>, fact: FactId) -> Result<FactId, CommandError> {
    let own = fact.chain.node == session.replica().who().node;
    let verdict = session.replica().ask(|view, blocks| view.verdict(&fact, blocks));
    match verdict {
        Some(verdict) if own && verdict.stands() => Ok(fact),
        _ => Err(CommandError::refused(
            "没有这条可撤回的本节点记录",
            "no fact of this node by that name that could be taken back",
        )),
    }
}

fn import_of(attributes: &[Attribute]) -> Option<i32> {
    attributes.iter().find(|a| a.code == ATTRIBUTE_IMPORT).map(|a| a.value)
}

/// The standing facts of an import of this node, by one pass over its blocks.
fn facts_of(session: &Session<'_>, wanted: &Wanted) -> Result<Found, CommandError> {
    let replica = session.replica();
    let own = replica.who().node;
    let mut by_import: BTreeMap<i32, Found> = BTreeMap::new();
    for stored in replica.journal().scan(Position::START) {
        let Ok(stored) = stored else { continue };
        let block = stored.block;
        if block.header().chain.node != own {
            continue;
        }
        let imports: Vec<Option<i32>> = match block.body() {
            Ok(Body::Rows(facts)) => {
                for fact in &facts {
                    let import = import_of(&fact.attributes);
                    if let (FactBody::Withdrawn(withdrawn), Some(number)) = (&fact.body, import)
                        && is_wanted(wanted, import)
                    {
                        by_import.entry(number).or_default().corrected.push(withdrawn.clone());
                    }
                }
                let written = |fact: &Fact| !matches!(fact.body, FactBody::Withdrawn(_));
                let import = |fact: &Fact| import_of(&fact.attributes).filter(|_| written(fact));
                facts.iter().map(import).collect()
            }
            Ok(Body::Members(batch)) => {
                let mut imports = vec![None; batch.rows.len()];
                let column = batch.attributes.iter().find(|c| c.code == ATTRIBUTE_IMPORT);
                for (row, value) in column.iter().flat_map(|column| &column.values) {
                    imports[*row as usize] = Some(*value);
                }
                imports
            }
            Err(_) => continue,
        };
        if imports.iter().all(|import| !is_wanted(wanted, *import)) {
            continue;
        }
        let verdicts = replica.ask(|view, _| view.block_verdicts(&block));
        for (index, (import, verdict)) in (0..).zip(imports.iter().zip(verdicts)) {
            if let Some(number) = import
                && is_wanted(wanted, *import)
                && !matches!(verdict, hub_core::view::verdict::Verdict::Withdrawn(_))
            {
                by_import.entry(*number).or_default().facts.push(block.fact_id(index));
            }
        }
    }
    // An import all of whose facts are taken back already is none that could be.
    by_import.retain(|_, found| !found.facts.is_empty());
    by_import.pop_last().map(|(_, found)| found).ok_or_else(|| {
        CommandError::refused("没有可撤回的导入", "there is no such import to take back")
    })
}

fn is_wanted(wanted: &Wanted, import: Option<i32>) -> bool {
    match wanted {
        Wanted::Import(number) => import == Some(*number),
        Wanted::Last => import.is_some(),
    }
}

/// Facts as runs of one chain: an import mostly is one or two.
fn ranges(mut facts: Vec<FactId>) -> Vec<(FactId, u64)> {
    facts.sort_unstable();
    let mut ranges: Vec<(FactId, u64)> = Vec::new();
    for fact in facts {
        match ranges.last_mut() {
            Some((first, count)) if first.chain == fact.chain && first.seq + *count == fact.seq => {
                *count += 1;
            }
            _ => ranges.push((fact, 1)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::id::{ChainId, Lane, NodeId};

    #[test]
    fn runs_of_facts_become_ranges() {
        let chain = |node: u8| ChainId { node: NodeId([node; 16]), epoch: 1, lane: Lane::Up };
        let fact = |node: u8, seq: u64| FactId { chain: chain(node), seq };
        let facts = vec![fact(1, 4), fact(1, 3), fact(2, 5), fact(1, 9), fact(1, 5)];
        assert_eq!(ranges(facts), [(fact(1, 3), 3), (fact(1, 9), 1), (fact(2, 5), 1)]);
    }
}
