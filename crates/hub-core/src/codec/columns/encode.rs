//! Member facts into columns.

use super::wire::{Columns, put_runs, put_varint, zigzag};
use super::{ATTRIBUTE_CODES_MAX, RowKind, pack_profile, pack_start};
use crate::codec::CodecError;
use crate::fact::member::MemberAct;
use crate::fact::{Fact, FactBody, MemberFact};
use std::collections::{BTreeMap, BTreeSet};

/// Entries in order of first use.
struct Dictionary<T> {
    entries: Vec<T>,
    places: BTreeMap<T, u64>,
}

impl<T: Ord + Clone> Dictionary<T> {
    fn new() -> Self {
        Self { entries: Vec::new(), places: BTreeMap::new() }
    }

    fn place(&mut self, entry: &T) -> u64 {
        if let Some(place) = self.places.get(entry) {
            return *place;
        }
        let place = self.entries.len() as u64;
        self.entries.push(entry.clone());
        self.places.insert(entry.clone(), place);
        place
    }

    /// 0 for nothing, else the place from 1.
    fn named(&mut self, entry: Option<&T>) -> u64 {
        entry.map_or(0, |entry| self.place(entry) + 1)
    }
}

fn kind(fact: &MemberFact) -> RowKind {
    match fact.act {
        MemberAct::Joined(_) => RowKind::Joined,
        MemberAct::TransferredIn(_) => RowKind::TransferredIn,
        MemberAct::TransferredOut { .. } => RowKind::TransferredOut,
        MemberAct::Retained { .. } => RowKind::Retained,
        MemberAct::Left { .. } => RowKind::Left,
        MemberAct::Revised { .. } => RowKind::Revised,
        MemberAct::Rekeyed { .. } => RowKind::Rekeyed,
        MemberAct::Erased => RowKind::Erased,
    }
}

pub(in crate::codec) fn encode(facts: &[Fact]) -> Result<Vec<u8>, CodecError> {
    let members: Vec<&MemberFact> = facts
        .iter()
        .map(|fact| match &fact.body {
            FactBody::Member(member) => Ok(member),
            _ => Err(CodecError::Mixed),
        })
        .collect::<Result<_, _>>()?;
    let mut columns = Columns::default();
    let dictionaries = put_shared(&mut columns, facts, &members);
    put_acts(&mut columns, &members, dictionaries, facts)
}

struct Dictionaries {
    branches: Dictionary<crate::id::BranchId>,
    units: Dictionary<crate::id::UnitId>,
    operators: Dictionary<u32>,
    documents: Dictionary<String>,
}

/// The columns every fact has.
fn put_shared(columns: &mut Columns, facts: &[Fact], members: &[&MemberFact]) -> Dictionaries {
    let mut dictionaries = Dictionaries {
        branches: Dictionary::new(),
        units: Dictionary::new(),
        operators: Dictionary::new(),
        documents: Dictionary::new(),
    };
    columns.put(members.iter().map(|m| kind(m) as u64));
    columns.put(facts.iter().map(|f| f.precision as u64));
    columns.put(facts.iter().map(|f| dictionaries.units.place(&f.unit)));
    columns.put(facts.iter().map(|f| dictionaries.operators.place(&f.operator)));
    columns.put(facts.iter().map(|f| dictionaries.documents.named(f.document.as_ref())));
    columns.put(members.iter().map(|m| dictionaries.branches.place(&m.branch)));
    put_runs(&mut columns.bytes, facts.windows(2).map(|pair| pair[1].hlc.0 - pair[0].hlc.0));
    let mut last = 0;
    for fact in facts {
        put_varint(&mut columns.bytes, zigzag(i64::from(fact.day.0) - last));
        last = i64::from(fact.day.0);
    }
    for member in members {
        columns.bytes.extend_from_slice(&member.member.0);
    }
    dictionaries
}

/// The columns of acts, the attributes, and in front of all the dictionaries.
fn put_acts(
    columns: &mut Columns,
    members: &[&MemberFact],
    mut dictionaries: Dictionaries,
    facts: &[Fact],
) -> Result<Vec<u8>, CodecError> {
    let starts = || members.iter().filter_map(|m| m.start());
    columns.put(starts().map(|s| u64::from(pack_start(s))));
    columns.put(starts().map(|s| dictionaries.units.named(s.employer.as_ref())));
    columns.put(starts().map(|s| dictionaries.units.named(s.host.as_ref())));
    columns.put(starts().map(|s| dictionaries.branches.named(s.from.as_ref())));
    let outs = members.iter().filter_map(|m| match &m.act {
        MemberAct::TransferredOut { to } => Some(dictionaries.branches.named(to.as_ref())),
        _ => None,
    });
    columns.put(outs);
    for member in members {
        match &member.act {
            MemberAct::Joined(start) | MemberAct::TransferredIn(start) => {
                columns.bytes.push(pack_profile(start.profile));
            }
            MemberAct::Revised { profile } => columns.bytes.push(pack_profile(*profile)),
            MemberAct::Retained { reason } => columns.bytes.push(*reason),
            MemberAct::Left { reason } => columns.bytes.push(*reason as u8),
            MemberAct::Rekeyed { to, qualified } => {
                columns.bytes.push(u8::from(*qualified));
                columns.bytes.extend_from_slice(&to.0);
            }
            MemberAct::TransferredOut { .. } | MemberAct::Erased => {}
        }
    }
    put_attributes(&mut columns.bytes, facts)?;
    let mut body = Vec::with_capacity(columns.bytes.len() + 64);
    put_dictionaries(&mut body, &dictionaries)?;
    put_varint(&mut body, columns.absent());
    body.append(&mut columns.bytes);
    Ok(body)
}

fn put_dictionaries(out: &mut Vec<u8>, dictionaries: &Dictionaries) -> Result<(), CodecError> {
    let Dictionaries { branches, units, operators, documents } = dictionaries;
    for found in [branches.entries.len(), units.entries.len()] {
        if found >= usize::from(u16::MAX) {
            return Err(CodecError::Count { expected: "fewer than 65535 names", found });
        }
    }
    put_varint(out, branches.entries.len() as u64);
    branches.entries.iter().for_each(|branch| out.extend_from_slice(&branch.0));
    put_varint(out, units.entries.len() as u64);
    units.entries.iter().for_each(|unit| out.extend_from_slice(&unit.0));
    put_varint(out, operators.entries.len() as u64);
    operators.entries.iter().for_each(|operator| put_varint(out, u64::from(*operator)));
    put_varint(out, documents.entries.len() as u64);
    for document in &documents.entries {
        put_varint(out, document.len() as u64);
        out.extend_from_slice(document.as_bytes());
    }
    Ok(())
}

fn put_attributes(out: &mut Vec<u8>, facts: &[Fact]) -> Result<(), CodecError> {
    let codes: BTreeSet<u16> =
        facts.iter().flat_map(|fact| fact.attributes.iter().map(|a| a.code)).collect();
    if codes.len() > ATTRIBUTE_CODES_MAX {
        return Err(CodecError::Count {
            expected: "at most 32 attribute codes",
            found: codes.len(),
        });
    }
    put_varint(out, codes.len() as u64);
    for code in codes {
        put_varint(out, u64::from(code));
        put_runs(out, facts.iter().map(|fact| u64::from(fact.attribute(code).is_some())));
        let mut last = 0;
        let values = facts.iter().filter_map(|fact| fact.attribute(code));
        let steps = values.map(|value| {
            let step = i64::from(value) - last;
            last = i64::from(value);
            zigzag(step)
        });
        put_runs(out, steps);
    }
    Ok(())
}
