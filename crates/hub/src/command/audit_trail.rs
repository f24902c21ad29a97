//! `hub audit trail`: all that was ever said of one member, union or unit, and what became of it.

use super::audit::{Audited, Material};
use super::error::CommandError;
use super::names::Names;
use crate::cli::Trail;
use crate::command_io::CommandIo;
use crate::render::{Cell, Lang, Table, words};
use crate::report::coverage::instant;
use hub_core::audit;
use hub_core::codec::Body;
use hub_core::fact::governance::{GovernanceFact, Side};
use hub_core::fact::member::MemberAct;
use hub_core::fact::unit::UnitFact;
use hub_core::fact::{Fact, FactBody};
use hub_core::hash::Hash;
use hub_core::id::{BranchId, FactId, MemberKey, UnitId};
use hub_core::time::Day;
use hub_core::view::verdict::Verdict;
use hub_core::view::{BlockSource, View};
use std::collections::BTreeSet;

/// Whose trail.
enum Whose {
    Member(MemberKey),
    Union(BranchId),
    Unit(UnitId),
}

/// A fact of the trail.
struct Said {
    id: FactId,
    height: u64,
    block: Hash,
    fact: Fact,
    verdict: Verdict,
}

/// Prints the trail, in order of clock; 0, or 1 where nothing was ever said.
///
/// # Errors
/// The blocks cannot be read, or nothing of that name is known.
pub fn trail(audited: &Audited, asked: &Trail, io: &dyn CommandIo) -> Result<u8, CommandError> {
    let Material { entries, blocks } = Material::read(audited, io)?;
    let mut view = audit::fold(&audited.root.0, &entries, &blocks).view;
    let whose = whose(&view, asked)?;
    let mut said = Vec::new();
    for block in blocks.blocks() {
        if block.header().federation != view.federation() {
            continue;
        }
        let facts: Vec<Fact> = match block.body() {
            Ok(Body::Rows(facts)) => facts,
            Ok(Body::Members(batch)) => (0..batch.rows.len()).map(|at| batch.fact(at)).collect(),
            Err(_) => continue,
        };
        if !facts.iter().any(|fact| concerns(&whose, fact)) {
            continue;
        }
        let verdicts = view.block_verdicts(block);
        for (index, (fact, verdict)) in facts.into_iter().zip(verdicts).enumerate() {
            if concerns(&whose, &fact) {
                let id = block.fact_id(index as u32);
                let (height, block) = (block.header().height, block.hash());
                said.push(Said { id, height, block, fact, verdict });
            }
        }
    }
    // what takes a fact of the trail back belongs to it
    let ids: BTreeSet<FactId> = said.iter().map(|said| said.id).collect();
    for (stated, verdict) in view.facts() {
        let FactBody::Withdrawn(withdrawn) = &stated.fact.body else { continue };
        let block = view.hash_at(&stated.id.chain, stated.height);
        if let Some(block) = block
            && ids.iter().any(|id| withdrawn.covers(id))
        {
            let (id, height, fact) = (stated.id, stated.height, stated.fact.clone());
            said.push(Said { id, height, block, fact, verdict });
        }
    }
    said.sort_by_key(|said| (said.fact.hlc, said.id));
    let lang = audited.lang;
    let mut table = table(&view, &said, lang);
    if let Whose::Member(key) = whose {
        table.notes.extend(spans(&mut view, &key, &blocks, lang));
    }
    let root = hub_core::hash::hex_encode(&audited.root.0);
    table.citation.push(("root", lang.pick("根密钥", "root key").into(), root));
    let digest = view.digest().to_string();
    table.citation.push(("digest", lang.pick("校验码", "digest").into(), digest));
    io.out(&table.render(audited.format, lang)).map_err(CommandError::Screen)?;
    Ok(u8::from(said.is_empty()))
}

fn whose(view: &View, asked: &Trail) -> Result<Whose, CommandError> {
    let names = Names::of(view, None, Day::LAST);
    let problem = |typed: &str, problem| CommandError::argument(typed, problem);
    if let Some(typed) = &asked.unit {
        if let Ok(id) = typed.parse() {
            return Ok(Whose::Unit(id));
        }
        let place = names.unit(typed).map_err(|error| problem(typed, error))?;
        return Ok(Whose::Unit(names.unit_at(place).id));
    }
    if let Some(typed) = &asked.union {
        if let Ok(id) = typed.parse() {
            return Ok(Whose::Union(id));
        }
        let place = names.branch(typed).map_err(|error| problem(typed, error))?;
        return Ok(Whose::Union(names.branch_at(place).id));
    }
    let typed = asked.member.as_deref().unwrap_or_default();
    typed.parse().map(Whose::Member).map_err(|_| {
        CommandError::refused(
            format!("“{typed}”不是会员代号;代号见 hub explain --full 或 hub log"),
            format!("\"{typed}\" is no pseudonym; hub explain --full and hub log show them"),
        )
    })
}

fn concerns(whose: &Whose, fact: &Fact) -> bool {
    match whose {
        Whose::Member(key) => match &fact.body {
            FactBody::Member(member) => {
                let to = match member.act {
                    MemberAct::Rekeyed { to, .. } => Some(to),
                    _ => None,
                };
                member.member == *key || to == Some(*key)
            }
            FactBody::Governance(GovernanceFact::Objected { member, .. }) => member == key,
            FactBody::Governance(GovernanceFact::Ruled { sides, .. }) => {
                sides.iter().any(|side| matches!(side, Side::Claim { member, .. } if member == key))
            }
            _ => false,
        },
        Whose::Union(id) => match &fact.body {
            FactBody::Branch(branch) => branch.branch() == *id,
            FactBody::Governance(GovernanceFact::Ruled { sides, .. }) => {
                sides.contains(&Side::Branch { branch: *id })
            }
            _ => false,
        },
        Whose::Unit(id) => match &fact.body {
            FactBody::Unit(UnitFact::Succeeded { old, new, .. }) => {
                old.contains(id) || new.contains(id)
            }
            FactBody::Unit(unit) => unit.unit() == *id,
            FactBody::Figure(figure) => figure.unit() == *id,
            FactBody::Governance(GovernanceFact::NodeEnrolled(enrolment)) => enrolment.unit == *id,
            FactBody::Governance(GovernanceFact::Ruled { sides, .. }) => sides
                .iter()
                .any(|side| matches!(side, Side::Registration { unit, .. } if unit == id)),
            _ => false,
        },
    }
}

fn table(view: &View, said: &[Said], lang: Lang) -> Table {
    let columns = [
        ("written", lang.pick("录入", "written")),
        ("day", lang.pick("生效日", "day")),
        ("kind", lang.pick("记录", "fact")),
        ("verdict", lang.pick("结果", "verdict")),
        ("by", lang.pick("录入单位", "written by")),
        ("document", lang.pick("文号", "document")),
        ("content", lang.pick("内容", "content")),
        ("id", lang.pick("记录号", "fact id")),
        ("height", lang.pick("账页", "block")),
        ("hash", lang.pick("账页校验码", "block hash")),
    ];
    let mut table = Table::new(lang.pick("全部记录", "trail"), &columns);
    for said in said {
        let chain = &said.id.chain;
        let office = view.authority().enrolment_of((chain.node, chain.epoch));
        let office = office.map_or("", |office| view.tree().unit(office.unit).name());
        table.push(vec![
            Cell::text(instant(said.fact.hlc.millis())),
            Cell::text(said.fact.day.to_string()),
            Cell::Coded(said.fact.body.kind(), words::fact::kind(lang, said.fact.body.kind())),
            Cell::text(verdict(said.verdict, lang)),
            Cell::text(office),
            said.fact.document.as_deref().map_or(Cell::Missing, Cell::text),
            Cell::text(serde_json::to_string(&said.fact.body).unwrap_or_default()),
            Cell::text(said.id.to_string()),
            Cell::count(said.height),
            Cell::text(said.block.short()),
        ]);
    }
    table
}

fn verdict(verdict: Verdict, lang: Lang) -> String {
    match verdict {
        Verdict::Stands => lang.pick("计入", "stands").to_owned(),
        Verdict::Withdrawn(by) => lang.pick(format!("已撤回({by})"), format!("withdrawn by {by}")),
        Verdict::Parked(reason) => {
            let words = words::reason(lang, reason);
            lang.pick(format!("暂存未计:{words}"), format!("parked: {words}"))
        }
    }
}

/// What the facts add up to: winner and losers, span by span.
fn spans(view: &mut View, key: &MemberKey, source: &dyn BlockSource, lang: Lang) -> Vec<String> {
    let spans = view.person(key, source);
    let line = |span: &hub_core::view::claim::Span| {
        let union = view.branches().branch(span.branch).name();
        let (from, to, status) = (span.from, span.to, format!("{:?}", span.status).to_lowercase());
        let holds = if span.holder {
            lang.pick("会籍所在", "holds")
        } else {
            lang.pick("不作会籍所在", "does not hold")
        };
        format!("{from} – {to} {union}: {status}, {holds}")
    };
    spans.iter().map(line).collect()
}
