//! The tables of the specification, as data.

use std::collections::BTreeMap;

/// A field with its type, as written.
pub(super) type Field = (String, String);

/// What the documents say.
pub(super) struct Tables {
    /// Offset and length of each header field.
    pub(super) header: BTreeMap<String, (usize, usize)>,
    /// Kinds in the order of the document, with their fields.
    pub(super) kinds: Vec<(String, Vec<Field>)>,
    /// Records by name of type.
    pub(super) types: BTreeMap<String, Vec<Field>>,
    /// Names of the lists of the format, by number.
    pub(super) lists: BTreeMap<String, Vec<String>>,
    /// The fields every fact has.
    pub(super) frame: Vec<Field>,
}

fn sections(text: &str) -> Vec<(String, Vec<Vec<String>>)> {
    let mut found: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') {
            found.push((line.trim_start_matches('#').trim().to_owned(), Vec::new()));
        } else if line.starts_with("| ") && !found.is_empty() {
            let cells = line.trim_matches('|').split(" | ").map(|c| c.trim().to_owned()).collect();
            found.last_mut().unwrap().1.push(cells);
        }
    }
    // the first row of a table names its columns
    for (_, rows) in &mut found {
        if !rows.is_empty() {
            rows.remove(0);
        }
    }
    found
}

impl Tables {
    pub(super) fn read(block: &str, facts: &str, codes: &str) -> Self {
        let mut header = BTreeMap::new();
        for (name, rows) in sections(block) {
            if name == "Header" {
                let place = |r: &[String]| (r[0].parse().unwrap(), r[1].parse().unwrap());
                header.extend(rows.iter().map(|row| (row[2].clone(), place(row))));
            }
        }
        let fields = |rows: &[Vec<String>]| -> Vec<Field> {
            rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect()
        };
        let (mut kinds, mut types, mut frame) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (name, rows) in sections(facts) {
            if name == "Every fact" {
                frame = fields(&rows);
            } else if let Some(name) = name.strip_prefix("type ") {
                types.insert(name.to_owned(), fields(&rows));
            } else if !rows.is_empty() {
                kinds.push((name, fields(&rows)));
            }
        }
        let lists = sections(codes)
            .into_iter()
            .filter(|(_, rows)| rows.first().is_some_and(|row| row[0] == "0"))
            .map(|(name, rows)| (name, rows.into_iter().map(|row| row[1].clone()).collect()))
            .collect();
        Self { header, kinds, types, lists, frame }
    }

    /// The kinds of a family, in order.
    pub(super) fn family(&self, name: &str) -> Vec<&(String, Vec<Field>)> {
        let prefix = format!("{name}.");
        self.kinds.iter().filter(|(kind, _)| kind.starts_with(&prefix)).collect()
    }
}
