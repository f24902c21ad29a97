//! `hub findings`: what somebody should look at, each in a sentence.

use super::error::CommandError;
use super::names::Names;
use super::session::Session;
use crate::render::words::{self, NamedThings};
use crate::render::{Cell, Table};
use hub_core::findings::{self, Finding};
use hub_core::id::{BranchId, UnitId};
use hub_core::time::Day;
use std::collections::BTreeMap;

/// What `hub findings` asks.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The unit; this node's own if none.
    pub unit: Option<String>,
    /// The day; today if none.
    pub as_of: Option<Day>,
    /// Only findings of this name.
    pub kind: Option<String>,
    /// What is only worth knowing too.
    pub notes: bool,
}

impl NamedThings for Names {
    fn unit(&self, id: &UnitId) -> String {
        ids_as_names(self, id)
    }

    fn branch(&self, id: &BranchId) -> String {
        let place = self.place_of_branch(id);
        place.map_or_else(String::new, |place| self.branch_at(place).name.clone())
    }
}

/// The path of a unit, blank where it is only named.
pub(crate) fn ids_as_names(names: &Names, id: &UnitId) -> String {
    names.place_of(id).map_or_else(String::new, |place| names.unit_path(place))
}

/// Names where a sentence needs none.
pub(crate) struct NoNames;

impl NamedThings for NoNames {
    fn unit(&self, _: &UnitId) -> String {
        String::new()
    }

    fn branch(&self, _: &BranchId) -> String {
        String::new()
    }
}

/// Lists findings; 1 if there are any.
///
/// # Errors
/// No such unit.
pub fn run(session: &Session<'_>, asked: &Asked) -> Result<u8, CommandError> {
    let names = session.names();
    let unit = match &asked.unit {
        Some(typed) => names.unit_at(session.unit(&names, typed)?).id,
        None => session.own_unit()?,
    };
    let day = asked.as_of.unwrap_or_else(|| session.today());
    // what came after a closing is judged anew: the view may fold further
    let found = session.replica().ask(|view, source| {
        let at = view.tree().find(&unit)?;
        let rollup = session.shared.desk().rollup(view, day, day);
        Some(findings::of(view, &rollup, at, source))
    });
    let no_unit = || CommandError::refused("没有这个单位", "no such unit");
    let found = found.ok_or_else(no_unit)?;
    let wanted = |finding: &&Finding| {
        let of_kind = asked.kind.as_deref().is_none_or(|kind| kind == finding.kind.name());
        of_kind && (asked.notes || !finding.kind.is_note())
    };
    let shown: Vec<&Finding> = found.iter().filter(wanted).collect();
    session.show(&table(session, &names, &unit, day, &shown))?;
    Ok(u8::from(shown.iter().any(|finding| !finding.kind.is_note())))
}

fn table(
    session: &Session<'_>,
    names: &Names,
    unit: &UnitId,
    day: Day,
    shown: &[&Finding],
) -> Table {
    let lang = session.lang;
    let name = ids_as_names(names, unit);
    let title = lang.pick(format!("{name} 疑点 时点 {day}"), format!("{name}: findings, {day}"));
    let columns = [
        ("unit", lang.pick("单位", "unit")),
        ("kind", lang.pick("疑点", "finding")),
        ("code", lang.pick("代号", "code")),
        ("text", lang.pick("说明", "what and how to mend it")),
    ];
    let mut table = Table::new(title, &columns);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in shown {
        let kind = words::finding_name(lang, &finding.kind);
        *counts.entry(kind).or_default() += 1;
        table.push(vec![
            Cell::text(ids_as_names(names, &finding.unit)),
            Cell::text(kind),
            Cell::text(finding.kind.name()),
            Cell::text(words::finding(lang, &finding.kind, names)),
        ]);
    }
    let total = shown.len();
    let each: Vec<String> = counts
        .iter()
        .map(|(kind, count)| lang.pick(format!("{kind}{count}"), format!("{count} {kind}")))
        .collect();
    let each = each.join(lang.pick("、", ", "));
    table.notes.push(match total {
        0 => lang.pick("没有疑点".into(), "no findings".into()),
        _ => lang.pick(format!("共{total}条:{each}"), format!("{total} in all: {each}")),
    });
    table
}
