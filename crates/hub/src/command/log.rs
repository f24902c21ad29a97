//! `hub log`: the node's own log, to look at and to hand out whole.

use super::error::CommandError;
use super::session::Session;
use crate::render::{Cell, Table, words};
use hub_core::export::{Receipt, block_lines, head_line, heading};
use hub_core::fact::{Fact, Subject};
use hub_core::hash::hex_encode;
use hub_core::id::NodeId;
use hub_core::time::Millis;
use hub_core::view::View;
use hub_core::view::verdict::Verdict;
use hub_log::{Origin, Stored};
use std::io::Write;

/// What `hub log show` shows.
#[derive(Debug, Clone)]
pub struct Show {
    /// The most facts, newest last.
    pub last: usize,
    /// Only facts of this kind, by code or word: `member.joined` or 入会.
    pub kind: Option<String>,
    /// Only facts that are not counted.
    pub parked: bool,
}

/// Shows the newest facts in local order.
///
/// # Errors
/// The journal cannot be read.
pub fn show(session: &Session<'_>, asked: &Show) -> Result<u8, CommandError> {
    let lang = session.lang;
    let mut table = Table::new(
        lang.pick("记录", "facts"),
        &[
            ("written", lang.pick("录入", "written")),
            ("day", lang.pick("生效日", "day")),
            ("kind", lang.pick("种类", "kind")),
            ("by", lang.pick("单位", "acted for")),
            ("about", lang.pick("对象", "about")),
            ("document", lang.pick("文号", "document")),
            ("verdict", lang.pick("结果", "verdict")),
            ("id", lang.pick("编号", "id")),
        ],
    );
    let mut rows = std::collections::VecDeque::new();
    each_block(session, |stored| {
        let block = &stored.block;
        let verdicts = session.replica().ask(|view, _| view.block_verdicts(block));
        let Ok(body) = block.body() else { return Ok(()) };
        for (index, fact) in body.into_facts().into_iter().enumerate() {
            let verdict = verdicts.get(index).copied().unwrap_or(Verdict::Stands);
            let kind = fact.body.kind();
            let of_kind = asked.kind.as_deref().is_none_or(|word| words::fact::is_kind(kind, word));
            if of_kind && (!asked.parked || !verdict.stands()) {
                rows.push_back((block.fact_id(index as u32), fact, verdict));
                if rows.len() > asked.last {
                    rows.pop_front();
                }
            }
        }
        Ok(())
    })?;
    let view = session.replica().read();
    for (id, fact, verdict) in rows {
        table.push(vec![
            Cell::text(fact.hlc.day().to_string()),
            Cell::text(fact.day.to_string()),
            Cell::Coded(fact.body.kind(), words::fact::kind(lang, fact.body.kind())),
            Cell::text(unit_name(&view, &fact.unit)),
            Cell::text(about(&view, &fact)),
            fact.document.clone().map_or(Cell::Missing, Cell::Text),
            Cell::text(verdict_words(session, verdict)),
            Cell::text(id.to_string()),
        ]);
    }
    drop(view);
    session.show(&table)?;
    Ok(0)
}

fn verdict_words(session: &Session<'_>, verdict: Verdict) -> String {
    let lang = session.lang;
    match verdict {
        Verdict::Stands => lang.pick("计入", "stands").to_owned(),
        Verdict::Withdrawn(by) => lang.pick(format!("已撤回({by})"), format!("withdrawn by {by}")),
        Verdict::Parked(reason) => {
            let reason = words::reason(lang, reason);
            lang.pick(format!("暂存未计:{reason}"), format!("parked: {reason}"))
        }
    }
}

fn unit_name(view: &View, unit: &hub_core::id::UnitId) -> String {
    let tree = view.tree();
    tree.find(unit).map_or_else(String::new, |at| tree.unit(at).name().to_owned())
}

fn about(view: &View, fact: &Fact) -> String {
    match fact.subject() {
        Subject::Unit(unit) => unit_name(view, &unit),
        Subject::Branch(branch) => {
            let branches = view.branches();
            let known = branches.find(&branch).map(|at| branches.branch(at).name().to_owned());
            known.unwrap_or_default()
        }
        Subject::Governance => String::new(),
        Subject::Facts(fact) => fact.to_string(),
    }
}

/// Calls `see` with each block of the journal in local order.
fn each_block(
    session: &Session<'_>,
    mut see: impl FnMut(&Stored) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let journal = session.replica().journal();
    let total = journal.heads().values().map(|head| head.height).sum();
    for (done, stored) in journal.scan(hub_log::Position::START).enumerate() {
        session.io.progress(done as u64, Some(total), "");
        match stored {
            Ok(stored) => see(&stored)?,
            // damage is for `hub audit verify` to name; what is whole is shown all the same
            Err(error) => tracing::warn!(%error, "a damaged place of the journal was passed over"),
        }
    }
    Ok(())
}

/// What the parent's newest receipt says of this node's stream.
struct Receipted {
    receiver: NodeId,
    journal: String,
    durable_at: Millis,
    /// Blocks of the stream below this place are receipted.
    end: u64,
}

impl Receipted {
    fn of(session: &Session<'_>) -> Result<Option<Self>, CommandError> {
        let status = session.shared.host.status()?;
        let journal = session.replica().journal();
        Ok(status.parent.and_then(|parent| {
            Some(Self {
                receiver: parent.node,
                journal: hex_encode(&journal.id().0),
                durable_at: parent.durable_at,
                end: journal.shipped().saturating_sub(parent.behind?.blocks),
            })
        }))
    }

    fn at(&self, position: u64) -> Option<Receipt> {
        (position < self.end).then(|| Receipt {
            receiver: self.receiver,
            journal: self.journal.clone(),
            position,
            durable_at: self.durable_at,
        })
    }
}

/// Writes every fact with its block, receipt and verdict as JSON lines (`schemas/export.md`).
///
/// # Errors
/// The journal cannot be read or the file cannot be written.
pub fn export(session: &Session<'_>, out: &str) -> Result<u8, CommandError> {
    let failed = |error| CommandError::File { path: out.to_owned(), error };
    let replica = session.replica();
    let receipted = Receipted::of(session)?;
    let (digest, root_key) = {
        // the view first, as everywhere: the other order could wait for itself
        let view = replica.read();
        (session.shared.desk().digest(&view), *view.root_key())
    };
    let mut sink = session.io.create_file(out).map_err(failed)?;
    let mut write = |line: &hub_core::export::Line| -> Result<(), CommandError> {
        let json = line.to_json().map_err(|error| CommandError::Machine(error.to_string()))?;
        writeln!(sink, "{json}").map_err(failed)
    };
    write(&heading(&root_key, Some(digest)))?;
    let mut shipped = 0;
    each_block(session, |stored| {
        let block = &stored.block;
        let receipt = receipted.as_ref().filter(|_| stored.origin != Origin::Parent);
        let receipt = receipt.and_then(|receipted| receipted.at(shipped));
        shipped += u64::from(stored.origin != Origin::Parent);
        let verdicts = replica.ask(|view, _| view.block_verdicts(block));
        block_lines(block, receipt, &verdicts).iter().try_for_each(&mut write)
    })?;
    for (chain, head) in replica.journal().heads() {
        write(&head_line(chain, head))?;
    }
    sink.commit().map_err(failed)?;
    Ok(0)
}
