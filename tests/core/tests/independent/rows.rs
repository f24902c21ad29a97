//! Codec 1, read by the types the catalogue writes beside each field.

use super::tables::{Field, Tables};
use super::{Bytes, Head, date, id, unzigzag};
use serde_json::{Map, Value, json};

const FAMILIES: [&str; 6] = ["unit", "branch", "member", "figure", "governance", "withdrawn"];

pub(super) fn facts(body: &mut Bytes<'_>, head: &Head, tables: &Tables) -> Vec<Value> {
    let mut clock = head.first_hlc;
    (0..head.count)
        .map(|_| {
            let mut fact = Map::new();
            for (name, kind) in &tables.frame {
                let value = match name.as_str() {
                    "hlc" => {
                        clock += unsigned(body);
                        Value::from(clock)
                    }
                    "body" => body_of(body, tables),
                    _ => value(body, kind, tables),
                };
                fact.insert(name.clone(), value);
            }
            Value::from(fact)
        })
        .collect()
}

fn unsigned(body: &mut Bytes<'_>) -> u64 {
    let wide = |body: &mut Bytes<'_>, count| {
        body.take(count).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    match body.byte() {
        251 => wide(body, 2),
        252 => wide(body, 4),
        253 => wide(body, 8),
        small => u64::from(small),
    }
}

fn body_of(body: &mut Bytes<'_>, tables: &Tables) -> Value {
    let family = FAMILIES[unsigned(body) as usize];
    if family == "withdrawn" {
        let (_, fields) = tables.kinds.last().unwrap();
        return json!({ family: record(body, fields, tables) });
    }
    json!({ family: of_family(body, family, tables) })
}

/// A fact of this family: its number, then its fields. Membership has its person and union before.
fn of_family(body: &mut Bytes<'_>, family: &str, tables: &Tables) -> Value {
    let kinds = tables.family(family);
    if family != "member" {
        let (kind, fields) = kinds[unsigned(body) as usize];
        let name = kind.split('.').next_back().unwrap();
        return json!({ name: record(body, fields, tables) });
    }
    let (member, branch) = (id(body.take(16)), id(body.take(16)));
    let (kind, fields) = kinds[unsigned(body) as usize];
    let name = kind.split('.').next_back().unwrap();
    let own = record(body, &fields[2..], tables);
    let act = if fields.len() == 2 { Value::from(name) } else { json!({ name: own }) };
    json!({ "member": member, "branch": branch, "act": act })
}

/// What an outside fact said: four families, a withdrawal, or a decision with the level of who decided.
fn restated(body: &mut Bytes<'_>, tables: &Tables) -> Value {
    let kind = unsigned(body) as usize;
    if let Some(family) = ["unit", "branch", "member", "figure"].get(kind) {
        return json!({ *family: of_family(body, family, tables) });
    }
    let fields_of = |kind: &str| {
        let (_, fields) = tables.kinds.iter().find(|(known, _)| known == kind).unwrap();
        fields.clone()
    };
    match kind {
        4 => json!({ "withdrawn": record(body, &fields_of("withdrawn"), tables) }),
        5 => {
            let mut fields = fields_of("governance.ruled");
            fields[3] = ("level".to_owned(), "level".to_owned());
            json!({ "ruled": record(body, &fields, tables) })
        }
        _ => json!({ "objected": record(body, &fields_of("governance.objected"), tables) }),
    }
}

fn record(body: &mut Bytes<'_>, fields: &[Field], tables: &Tables) -> Value {
    let read = |(name, kind): &Field| (name.clone(), value(body, kind, tables));
    Value::from(fields.iter().map(read).collect::<Map<String, Value>>())
}

fn value(body: &mut Bytes<'_>, kind: &str, tables: &Tables) -> Value {
    if let Some(inner) = kind.strip_suffix('?') {
        return if body.byte() == 0 { Value::Null } else { value(body, inner, tables) };
    }
    if let Some(inner) = kind.strip_prefix('[') {
        let inner = inner.strip_suffix(']').unwrap();
        let count = unsigned(body);
        return (0..count).map(|_| value(body, inner, tables)).collect();
    }
    if let Some(parts) = kind.strip_prefix('(') {
        let parts = parts.strip_suffix(')').unwrap().split(", ");
        return parts.map(|part| value(body, part, tables)).collect();
    }
    if let Some((count, inner)) = kind.split_once(" × ") {
        let count: usize = count.parse().unwrap();
        return (0..count).map(|_| value(body, inner, tables)).collect();
    }
    if let Some(fields) = tables.types.get(kind) {
        return record(body, fields, tables);
    }
    if let Some(names) = tables.lists.get(kind) {
        return Value::from(names[unsigned(body) as usize].clone());
    }
    simple(body, kind, tables)
}

fn simple(body: &mut Bytes<'_>, kind: &str, tables: &Tables) -> Value {
    match kind {
        "u8" => Value::from(body.byte()),
        "u16" | "u32" | "u64" | "ms" => Value::from(unsigned(body)),
        "i32" | "i64" => Value::from(unzigzag(unsigned(body))),
        "bool" => Value::from(body.byte() == 1),
        "day" => date(unzigzag(unsigned(body))),
        "text" => {
            let length = unsigned(body) as usize;
            Value::from(std::str::from_utf8(body.take(length)).unwrap())
        }
        "bytes" => {
            let length = unsigned(body) as usize;
            Value::from(body.take(length))
        }
        "32 bytes" => Value::from(body.take(32)),
        "hash" => {
            let digits = body.take(32).iter().map(|byte| format!("{byte:02x}"));
            Value::from(digits.collect::<String>())
        }
        "unit id" | "union id" | "node id" | "member key" => id(body.take(16)),
        "lane" => {
            let (tag, unit) = (body.byte(), id(body.take(16)));
            let down = format!("down:{}", unit.as_str().unwrap());
            Value::from(if tag == 0 { "up".to_owned() } else { down })
        }
        "side" => {
            let (name, fields) = match unsigned(body) {
                0 => ("claim", vec![("member", "member key"), ("branch", "union id")]),
                1 => ("registration", vec![("unit", "unit id"), ("parent", "unit id")]),
                _ => ("branch", vec![("branch", "union id")]),
            };
            let own = |(name, kind): (&str, &str)| (name.to_owned(), kind.to_owned());
            let fields: Vec<Field> = fields.into_iter().map(own).collect();
            json!({ name: record(body, &fields, tables) })
        }
        "restated body" => restated(body, tables),
        other => panic!("facts.md names the type {other:?}, which it does not explain"),
    }
}
