//! `hub unit succeed` and `hub unit rekey`: units that follow others, and mistyped codes (U4, K13, K14, K17).

use super::error::CommandError;
use super::intake::{Came, Intake, IntakeOptions, Outcome, Taken};
use super::names::Names;
use super::session::{Session, day_of, import_attribute, next_import};
use crate::cli::UnitSucceed;
use crate::import::date::Dated;
use crate::import::row::SuccessionRow;
use crate::import::row::succession::{NEW, OLD};
use crate::import::{Problem, code_list, text};
use crate::replica::Draft;
use hub_core::check_digit::is_uscc;
use hub_core::fact::unit::Succession;
use hub_core::fact::{Code, CodeKind, FactBody, UnitFact};
use hub_core::id::UnitId;
use hub_core::time::{Day, Precision};
use std::collections::{BTreeMap, BTreeSet};

/// States that units follow others: one change as typed, or many from a file.
///
/// # Errors
/// A name does not fit, this node does not lie above all of them, or the facts cannot be written.
pub fn succeed(session: &Session<'_>, asked: &UnitSucceed) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    if let Some(file) = &asked.file {
        return from_file(session, own, file, asked.dry_run);
    }
    let names = session.names();
    let place = |typed: &String| {
        let place = session.unit(&names, typed)?;
        may_succeed(&names, own, place)
            .map_err(|problem| CommandError::argument(typed, problem))?;
        Ok(place)
    };
    let old: BTreeSet<usize> = asked.old.iter().map(place).collect::<Result<_, CommandError>>()?;
    let new: BTreeSet<usize> = asked.new.iter().map(place).collect::<Result<_, CommandError>>()?;
    if let Some(both) = old.intersection(&new).next() {
        let typed = names.unit_path(*both);
        return Err(CommandError::argument(typed, Problem::OldAndNew));
    }
    let stated = asked.how.as_deref().map(how_of).transpose()?;
    let how = stated.unwrap_or_else(|| usual(old.len(), new.len()));
    let day = day_of(session, asked.day.as_deref(), true)?;
    let change = Change { old, new, how, day: day.day, precision: day.precision };
    if !asked.dry_run {
        session.replica().write(vec![change.draft(session, &names, own)])?;
    }
    let told = change.told(&names);
    match asked.dry_run {
        true => session
            .say(&format!("可以登记(没有写入):{told}"), &format!("fits (not written): {told}"))?,
        false => session.say(&format!("已登记承继:{told}"), &format!("recorded: {told}"))?,
    }
    Ok(0)
}

fn how_of(typed: &str) -> Result<Succession, CommandError> {
    code_list::succession(&text::plain(typed))
        .map_err(|problem| CommandError::argument(typed, problem))
}

/// What several old and new units usually mean.
fn usual(old: usize, new: usize) -> Succession {
    match (old, new) {
        (2.., 1) => Succession::Merger,
        (1, 2..) => Succession::Split,
        _ => Succession::Redraw,
    }
}

/// U4: stated by a node serving a common strict ancestor of all units named.
fn may_succeed(names: &Names, own: UnitId, place: usize) -> Result<(), Problem> {
    let own = names.place_of(&own).ok_or(Problem::NotStrictlyAbove)?;
    match own != place && names.is_at_or_below(place, own) {
        true => Ok(()),
        false => Err(Problem::NotStrictlyAbove),
    }
}

/// Units that end and units that follow them, from one day.
struct Change {
    old: BTreeSet<usize>,
    new: BTreeSet<usize>,
    how: Succession,
    day: Day,
    precision: Precision,
}

impl Change {
    fn draft(&self, session: &Session<'_>, names: &Names, own: UnitId) -> Draft {
        let ids = |places: &BTreeSet<usize>| {
            let mut ids: Vec<UnitId> = places.iter().map(|at| names.unit_at(*at).id).collect();
            ids.sort_unstable();
            ids
        };
        let fact = UnitFact::Succeeded { old: ids(&self.old), new: ids(&self.new), how: self.how };
        Draft {
            precision: self.precision,
            operator: session.operator,
            ..Draft::new(own, self.day, FactBody::Unit(fact))
        }
    }

    fn told(&self, names: &Names) -> String {
        let paths = |places: &BTreeSet<usize>| {
            let paths: Vec<String> = places.iter().map(|at| names.unit_path(*at)).collect();
            paths.join("、")
        };
        format!("{} → {} ({})", paths(&self.old), paths(&self.new), self.day)
    }
}

/// A row with its places.
struct Line {
    old: usize,
    new: usize,
    how: Option<Succession>,
    day: Dated,
}

/// Many changes: rows of one day that share a unit are one change.
fn from_file(
    session: &Session<'_>,
    own: UnitId,
    file: &str,
    dry_run: bool,
) -> Result<u8, CommandError> {
    let options = IntakeOptions { file: file.to_owned(), dry_run, ..IntakeOptions::default() };
    let mut intake = Intake::open::<SuccessionRow>(session, &options)?;
    let names = session.names();
    let import = next_import(session);
    let mut settled: Vec<(Taken<SuccessionRow>, Outcome)> = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    while let Some(taken) = intake.take::<SuccessionRow>()? {
        let outcome = line(session, &names, own, &taken.row).map(|line| {
            lines.push(line);
            Came::New
        });
        settled.push((taken, outcome));
    }
    let drafts: Vec<Draft> = changes(&lines)
        .iter()
        .map(|change| {
            let attributes = vec![import_attribute(import)];
            Draft { attributes, ..change.draft(session, &names, own) }
        })
        .collect();
    intake.tally.facts = drafts.len() as u64;
    let import = (!drafts.is_empty() && !dry_run).then_some(import);
    if !dry_run {
        session.replica().write(drafts)?;
    }
    for (taken, outcome) in settled {
        intake.settle(&taken, outcome)?;
    }
    let tally = intake.finish(session, &options, import)?;
    Ok(u8::from(tally.refused > 0))
}

fn line(
    session: &Session<'_>,
    names: &Names,
    own: UnitId,
    row: &SuccessionRow,
) -> Result<Line, (usize, Problem)> {
    let place = |column: usize, typed: &str| {
        let place = names.unit(typed).map_err(|problem| (column, problem))?;
        may_succeed(names, own, place).map_err(|problem| (column, problem))?;
        Ok::<usize, (usize, Problem)>(place)
    };
    let (old, new) = (place(OLD, &row.old)?, place(NEW, &row.new)?);
    if old == new {
        return Err((NEW, Problem::OldAndNew));
    }
    let today = Dated { day: session.today(), precision: Precision::Day };
    Ok(Line { old, new, how: row.how, day: row.day.unwrap_or(today) })
}

/// Joins lines of one day that share an old or a new unit, in order of their first line.
fn changes(lines: &[Line]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for line in lines {
        let shares = |change: &Change| {
            change.day == line.day.day
                && (change.old.contains(&line.old) || change.new.contains(&line.new))
        };
        let mut joined = Change {
            old: BTreeSet::from([line.old]),
            new: BTreeSet::from([line.new]),
            how: line.how.unwrap_or(Succession::Redraw),
            day: line.day.day,
            precision: line.day.precision,
        };
        let mut at = changes.len();
        let mut kept = Vec::with_capacity(changes.len());
        for (place, change) in changes.into_iter().enumerate() {
            if shares(&change) {
                at = at.min(place);
                joined.old.extend(change.old);
                joined.new.extend(change.new);
            } else {
                kept.push(change);
            }
        }
        kept.insert(at.min(kept.len()), joined);
        changes = kept;
    }
    let stated: BTreeMap<usize, Succession> =
        lines.iter().filter_map(|line| Some((line.old, line.how?))).collect();
    for change in &mut changes {
        let how = change.old.iter().find_map(|old| stated.get(old)).copied();
        change.how = how.unwrap_or_else(|| usual(change.old.len(), change.new.len()));
    }
    changes
}

/// States that an employer was registered under a mistyped code (K17).
///
/// # Errors
/// The unit is no employer, the code is none, this node does not keep it, or the facts cannot be written.
pub fn rekey(session: &Session<'_>, unit: &str, code: &str) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let place = session.unit(&names, unit)?;
    let id = names.unit_at(place).id;
    let typed = text::code(code);
    if !is_uscc(&typed) {
        return Err(CommandError::argument(code, Problem::UsccCheckDigit));
    }
    let known = {
        let view = session.replica().read();
        let tree = view.tree();
        let known = tree.find(&id).map(|at| tree.unit(at));
        known.filter(|known| known.is_employer()).and_then(|known| known.origin.clone())
    };
    let Some(origin) = known else {
        return Err(CommandError::refused(
            "只有用人单位的代码可以这样更正",
            "only an employer's code is corrected so",
        ));
    };
    let own_place = names.place_of(&own);
    if !own_place.is_some_and(|own| names.is_at_or_below(place, own)) {
        let by = names.unit_at(place).name.clone();
        return Err(CommandError::argument(unit, Problem::ServedElsewhere { by }));
    }
    let to = UnitId::of_employer(&typed);
    if to == id {
        return Err(CommandError::refused(
            "该单位登记的就是这个代码",
            "the unit is registered under this very code",
        ));
    }
    let draft = |day: Day, fact: UnitFact| Draft {
        operator: session.operator,
        ..Draft::new(own, day, FactBody::Unit(fact))
    };
    let mut drafts = vec![draft(session.today(), UnitFact::Rekeyed { unit: id, to })];
    if session.served_elsewhere(&id).is_none() {
        // the right code passes its check on all days on which the unit stands in the books
        let corrected = UnitFact::Revised {
            unit: to,
            name: None,
            codes: vec![Code { kind: CodeKind::Uscc, value: typed }],
            ownership: None,
            industry: None,
            operating: None,
            no_union_reason: None,
            qualified: Some(true),
        };
        drafts.push(draft(origin.day, corrected));
    }
    session.replica().write(drafts)?;
    let path = names.unit_path(place);
    session.say(&format!("已更正代码:{path}"), &format!("code corrected: {path}"))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(old: usize, new: usize, day: i32) -> Line {
        let day = Dated { day: Day(day), precision: Precision::Day };
        Line { old, new, how: None, day }
    }

    #[test]
    fn lines_that_share_a_unit_are_one_change() {
        let lines =
            [line(1, 10, 5), line(2, 11, 5), line(3, 10, 5), line(2, 10, 5), line(4, 10, 6)];
        let told: Vec<(Vec<usize>, Vec<usize>, Succession)> = changes(&lines)
            .into_iter()
            .map(|c| (c.old.into_iter().collect(), c.new.into_iter().collect(), c.how))
            .collect();
        assert_eq!(
            told,
            [
                (vec![1, 2, 3], vec![10, 11], Succession::Redraw),
                (vec![4], vec![10], Succession::Redraw)
            ]
        );
        let split: Vec<Change> = changes(&[line(1, 10, 5), line(1, 11, 5)]);
        assert_eq!((split.len(), split[0].how), (1, Succession::Split));
        let merger = changes(&[line(1, 10, 5), line(2, 10, 5)]);
        assert_eq!((merger.len(), merger[0].how), (1, Succession::Merger));
    }
}
