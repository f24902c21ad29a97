//! Codec 2, part by part in the order of its table.

use super::tables::Tables;
use super::{Bytes, Head, date, id, unzigzag};
use serde_json::{Value, json};

fn varint(body: &mut Bytes<'_>) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = body.byte();
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return value;
        }
        shift += 7;
    }
}

fn runs(body: &mut Bytes<'_>, rows: usize) -> Vec<u64> {
    let mut values = Vec::new();
    while values.len() < rows {
        let (length, value) = (varint(body) as usize, varint(body));
        values.extend(vec![value; length]);
    }
    assert_eq!(values.len(), rows);
    values
}

fn list<T>(body: &mut Bytes<'_>, mut read: impl FnMut(&mut Bytes<'_>) -> T) -> Vec<T> {
    (0..varint(body)).map(|_| read(body)).collect()
}

/// Run columns, some of them absent.
struct Columns {
    absent: u64,
    next: u32,
}

impl Columns {
    fn read(&mut self, body: &mut Bytes<'_>, rows: usize) -> Vec<u64> {
        let absent = self.absent >> self.next & 1 == 1;
        self.next += 1;
        if absent { vec![0; rows] } else { runs(body, rows) }
    }

    /// A column over some of the rows, laid over all of them.
    fn over(&mut self, body: &mut Bytes<'_>, rows: usize, picked: &[usize]) -> Vec<u64> {
        let mut all = vec![0; rows];
        for (row, value) in picked.iter().zip(self.read(body, picked.len())) {
            all[*row] = value;
        }
        all
    }
}

/// Entry n - 1, or nothing for 0.
fn named(entries: &[Value], place: u64) -> Value {
    place.checked_sub(1).map_or(Value::Null, |place| entries[place as usize].clone())
}

fn profile(byte: u8, tables: &Tables) -> Value {
    let (sex, migrant) = (&tables.lists["sex"], &tables.lists["flag"]);
    let (sex, migrant) = (&sex[usize::from(byte & 3)], &migrant[usize::from(byte >> 2 & 3)]);
    json!({ "sex": sex, "migrant": migrant, "form": byte >> 4 })
}

pub(super) fn facts(body: &mut Bytes<'_>, head: &Head, tables: &Tables) -> Vec<Value> {
    let rows = head.count;
    let unions = list(body, |body| id(body.take(16)));
    let units = list(body, |body| id(body.take(16)));
    let operators = list(body, varint);
    let documents = list(body, |body| {
        let length = varint(body) as usize;
        Value::from(std::str::from_utf8(body.take(length)).unwrap())
    });
    let mut columns = Columns { absent: varint(body), next: 0 };
    let shared: Vec<Vec<u64>> = (0..6).map(|_| columns.read(body, rows)).collect();
    let mut clock = vec![head.first_hlc];
    clock.extend(runs(body, rows - 1));
    let mut day = 0;
    let days: Vec<Value> = (0..rows)
        .map(|_| {
            day += unzigzag(varint(body));
            date(day)
        })
        .collect();
    let members: Vec<Value> = (0..rows).map(|_| id(body.take(16))).collect();
    let kinds: Vec<&str> = tables
        .family("member")
        .iter()
        .map(|(kind, _)| kind.split('.').next_back().unwrap_or_default())
        .collect();
    let kind = |row: usize| kinds[shared[0][row] as usize];
    let pick = |named: &[&str]| -> Vec<usize> {
        (0..rows).filter(|row| named.contains(&kind(*row))).collect()
    };
    let starts = pick(&["joined", "transferred_in"]);
    let of_start: Vec<Vec<u64>> = (0..4).map(|_| columns.over(body, rows, &starts)).collect();
    let after = columns.over(body, rows, &pick(&["transferred_out"]));
    let mut hlc = 0;
    let mut facts: Vec<Value> = (0..rows)
        .map(|row| {
            hlc += clock[row];
            let name = kind(row);
            let act = match name {
                "joined" | "transferred_in" => {
                    let flags = of_start[0][row];
                    json!({ name: {
                        "origin": tables.lists["origin"][(flags & 3) as usize],
                        "evidence": tables.lists["evidence"][(flags >> 2 & 3) as usize],
                        "employer": named(&units, of_start[1][row]),
                        "host": named(&units, of_start[2][row]),
                        "from": named(&unions, of_start[3][row]),
                        "profile": profile(body.byte(), tables),
                        "qualified": flags >> 4 == 1,
                    }})
                }
                "transferred_out" => json!({ name: { "to": named(&unions, after[row]) } }),
                "retained" => json!({ name: { "reason": body.byte() } }),
                "left" => {
                    let reason = &tables.lists["leave reason"][usize::from(body.byte())];
                    json!({ name: { "reason": reason } })
                }
                "revised" => json!({ name: { "profile": profile(body.byte(), tables) } }),
                "rekeyed" => {
                    let qualified = body.byte() == 1;
                    json!({ name: { "to": id(body.take(16)), "qualified": qualified } })
                }
                _ => Value::from(name),
            };
            let union = &unions[shared[5][row] as usize];
            json!({
                "hlc": hlc,
                "day": days[row],
                "precision": tables.lists["precision"][shared[1][row] as usize],
                "operator": operators[shared[3][row] as usize],
                "unit": units[shared[2][row] as usize],
                "document": named(&documents, shared[4][row]),
                "attributes": [],
                "body": { "member": { "member": members[row], "branch": union, "act": act } },
            })
        })
        .collect();
    attributes(body, &mut facts);
    facts
}

fn attributes(body: &mut Bytes<'_>, facts: &mut [Value]) {
    for _ in 0..varint(body) {
        let code = varint(body);
        let present = runs(body, facts.len());
        let having: Vec<usize> = (0..facts.len()).filter(|row| present[*row] == 1).collect();
        let mut value = 0;
        for (row, step) in having.iter().zip(runs(body, having.len())) {
            value += unzigzag(step);
            let entry = json!({ "code": code, "value": value });
            facts[*row]["attributes"].as_array_mut().unwrap().push(entry);
        }
    }
}
