//! `hub audit check`: one printed answer proved or refuted by a log (证实, 证伪, 无法判定).

use super::audit::{Audited, Material};
use super::error::CommandError;
use crate::command_io::CommandIo;
use crate::render::{Cell, Lang, Table};
use crate::report::coverage::row_name;
use hub_core::audit::{self, Checked, Cited, Compared};
use hub_core::query::{Basis, By};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;

/// The longest report read.
const REPORT_BYTES_MAX: u64 = 64 << 20;

/// What a printed answer says, whatever its form: citation by key, rows by column key.
#[derive(Debug, Default, PartialEq, Eq)]
struct Printed {
    citation: BTreeMap<String, String>,
    rows: Vec<BTreeMap<String, String>>,
}

/// Columns and lines of the citation as they are headed, and their keys.
const NAMES: &[(&str, &str)] = &[
    ("单位", "unit"),
    ("分子", "numerator"),
    ("分母", "denominator"),
    ("数量", "count"),
    ("单位编号", "unit_id"),
    ("unit id", "unit_id"),
    ("口径", "definition"),
    ("规则", "policy"),
    ("时点", "as_of"),
    ("as of", "as_of"),
    ("区划口径", "boundaries"),
    ("分行", "by"),
    ("校验码", "digest"),
    ("存证", "checkpoint"),
    ("数据来源", "basis"),
];

fn key_of(name: &str) -> String {
    let known = NAMES.iter().find(|(heading, _)| *heading == name);
    known.map_or(name, |(_, key)| key).to_owned()
}

/// Checks a report against blocks. Exit 0 proved, 1 refuted, 2 undecidable.
///
/// # Errors
/// The report or the blocks cannot be read at all.
pub fn check(audited: &Audited, report: &str, io: &dyn CommandIo) -> Result<u8, CommandError> {
    let cited = read(report, io)?;
    let Material { entries, blocks } = Material::read(audited, io)?;
    let log = audit::fold(&audited.root.0, &entries, &blocks);
    let english = cited.rows.iter().any(|(name, ..)| name == "total");
    let printed_in = if english { Lang::En } else { Lang::Zh };
    let checked =
        audit::check(&log, &blocks, &cited, &|view, label| row_name(view, label, printed_in));
    let table = shown(&checked, audited);
    io.out(&table.render(audited.format, audited.lang)).map_err(CommandError::Screen)?;
    Ok(match checked {
        Checked::Proved { .. } => 0,
        Checked::Refuted { .. } => 1,
        Checked::Undecidable(_) => 2,
    })
}

fn shown(checked: &Checked, audited: &Audited) -> Table {
    let lang = audited.lang;
    let columns = [
        ("unit", lang.pick("单位", "unit")),
        ("numerator", lang.pick("报告分子", "printed numerator")),
        ("denominator", lang.pick("报告分母", "printed denominator")),
        ("found_numerator", lang.pick("重算分子", "found numerator")),
        ("found_denominator", lang.pick("重算分母", "found denominator")),
        ("difference", lang.pick("分子差", "difference")),
        ("denominator_difference", lang.pick("分母差", "denominator difference")),
    ];
    let (word, rows, cause) = match checked {
        Checked::Proved { rows } => (lang.pick("证实", "proved"), rows.as_slice(), None),
        Checked::Refuted { rows, cause } => {
            (lang.pick("证伪", "refuted"), rows.as_slice(), Some(cause.to_string()))
        }
        Checked::Undecidable(cause) => {
            (lang.pick("无法判定", "undecidable"), &[][..], Some(cause.to_string()))
        }
    };
    let mut table = Table::new(word, &columns);
    for row in rows {
        table.push(cells(row));
    }
    table.notes.extend(cause);
    table.citation.push(("verdict", lang.pick("结论", "verdict").into(), word.to_owned()));
    let root = hub_core::hash::hex_encode(&audited.root.0);
    table.citation.push(("root", lang.pick("根密钥", "root key").into(), root));
    table
}

fn cells(row: &Compared) -> Vec<Cell> {
    let over = |side: Option<(i64, Option<i64>)>| side.map(|(over, _)| over);
    let under = |side: Option<(i64, Option<i64>)>| side.and_then(|(_, under)| under);
    let cell = |number: Option<i64>| number.map_or(Cell::Missing, Cell::Count);
    let difference = |printed: Option<i64>, found: Option<i64>| {
        cell(printed.zip(found).map(|(printed, found)| printed - found))
    };
    vec![
        Cell::text(&row.label),
        cell(over(row.printed)),
        cell(under(row.printed)),
        cell(over(row.found)),
        cell(under(row.found)),
        difference(over(row.printed), over(row.found)),
        difference(under(row.printed), under(row.found)),
    ]
}

fn read(path: &str, io: &dyn CommandIo) -> Result<Cited, CommandError> {
    let file = |error| CommandError::File { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let input = io.read_file(path).map_err(file)?;
    input.take(REPORT_BYTES_MAX).read_to_end(&mut bytes).map_err(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let printed = if text.trim_start().starts_with('{') { json(text) } else { csv(text) };
    printed.as_ref().and_then(cited).ok_or_else(|| {
        CommandError::refused(
            format!("{path} 不是 hub query 的 JSON 或 CSV 结果,或缺少凭据"),
            format!("{path} is no JSON or CSV answer of hub query with its citation"),
        )
    })
}

fn json(text: &str) -> Option<Printed> {
    let value: Value = serde_json::from_str(text).ok()?;
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let pairs = |object: &Value| -> BTreeMap<String, String> {
        let pairs = object.as_object().into_iter().flatten();
        pairs.filter_map(|(key, value)| Some((key.clone(), plain(value)?))).collect()
    };
    let mut citation = pairs(value.get("citation")?);
    // in a row `unit` is a name, in the citation an id
    let unit = citation.remove("unit")?;
    citation.insert("unit_id".into(), unit);
    let rows = value.get("rows")?.as_array()?.iter().map(pairs).collect();
    Some(Printed { citation, rows })
}

fn csv(text: &str) -> Option<Printed> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records();
    let heading = records.next()?.ok()?;
    let columns: Vec<String> = heading.iter().map(key_of).collect();
    let mut printed = Printed::default();
    for record in records {
        let record = record.ok()?;
        if record.len() == columns.len() && columns.len() > 2 {
            let row = columns.iter().cloned().zip(record.iter().map(str::to_owned));
            printed.rows.push(row.filter(|(_, cell)| !cell.is_empty()).collect());
        } else if record.len() == 2 {
            printed.citation.insert(key_of(&record[0]), record[1].to_owned());
        }
    }
    Some(printed)
}

fn cited(printed: &Printed) -> Option<Cited> {
    let line = |key: &str| printed.citation.get(key).map(String::as_str);
    // `founding.unit v1 due 1a2b3c4d`, of a plain count `members.all due 1a2b3c4d`
    let words: Vec<&str> = line("definition")?.split_whitespace().collect();
    let [indicator, .., base, definition] = words.as_slice() else { return None };
    let rows = printed.rows.iter().map(|row| {
        let number = |key: &str| row.get(key).and_then(|text| text.parse::<i64>().ok());
        Some((
            row.get("unit")?.clone(),
            number("numerator").or(number("count"))?,
            number("denominator"),
        ))
    });
    Some(Cited {
        unit: line("unit_id")?.parse().ok()?,
        indicator: (*indicator).to_owned(),
        definition: (*definition).to_owned(),
        base: (*base).to_owned(),
        policy: line("policy")?.to_owned(),
        by: By::of_id(line("by")?)?,
        basis: if line("basis").is_some() { Basis::Declared } else { Basis::Registry },
        as_of: line("as_of")?.parse().ok()?,
        boundaries: line("boundaries")?.parse().ok()?,
        checkpoint: match line("checkpoint") {
            Some(checkpoint) => Some(checkpoint.parse().ok()?),
            None => None,
        },
        digest: line("digest")?.parse().ok()?,
        rows: rows.collect::<Option<_>>()?,
    })
}
