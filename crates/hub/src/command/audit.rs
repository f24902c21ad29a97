//! `hub audit verify` and `hub audit replay`: prove or refute a log, offline, trusting only the root key.

use super::error::CommandError;
use crate::command_io::CommandIo;
use crate::config::RootKey;
use crate::render::words::{self, Lang};
use crate::render::{Cell, Format, Table};
use hub_core::audit::{self, Category, Conserved, Entry, Finding, Region};
use hub_core::block::Block;
use hub_core::hash::hex_encode;
use hub_core::view::fork::Sides;
use hub_core::view::verdict::Reason;
use std::collections::BTreeMap;
use std::path::Path;

/// What is audited.
#[derive(Debug, Clone)]
pub struct Audited {
    /// Data directories and bundle files; all their blocks together.
    pub from: Vec<String>,
    /// The root of trust: from the command line, never from the data.
    pub root: RootKey,
    /// How the result is written.
    pub format: Format,
    /// The language.
    pub lang: Lang,
}

/// Blocks by place, and all that was read.
pub(super) struct Material {
    pub(super) entries: Vec<Entry>,
    pub(super) blocks: Sides,
}

impl Material {
    /// Reads data directories and bundle files. Nothing is written, no directory is locked.
    pub(super) fn read(audited: &Audited, io: &dyn CommandIo) -> Result<Self, CommandError> {
        let mut material = Self { entries: Vec::new(), blocks: Sides::default() };
        for path in &audited.from {
            if Path::new(path).is_dir() {
                material.read_directory(path)?;
            } else {
                super::bundle::blocks_of(io, path)?.into_iter().for_each(|b| material.take(b));
            }
        }
        Ok(material)
    }

    fn take(&mut self, block: Block) {
        self.blocks.insert(block.clone());
        self.entries.push(Entry::Block(block));
    }

    fn read_directory(&mut self, path: &str) -> Result<(), CommandError> {
        let report = hub_log::verify(Path::new(path), &mut |stored| {
            self.take(stored.block.clone());
        });
        let report = report.map_err(|error| CommandError::Machine(error.to_string()))?;
        let regions = report.damage.iter().map(|damage| {
            Entry::Damaged(Region {
                place: format!("{path} {}:{}+{}", damage.segment, damage.offset, damage.length),
                what: damage.to_string(),
                block: damage.block.as_ref().map(|block| (block.chain, block.height)),
            })
        });
        self.entries.extend(regions);
        Ok(())
    }
}

/// Checks frames, chains, every signature, delegations and authority. Exit 0 clean, 1 findings.
///
/// # Errors
/// Something cannot be read at all: exit 2.
pub fn verify(audited: &Audited, io: &dyn CommandIo) -> Result<u8, CommandError> {
    let Material { entries, blocks } = Material::read(audited, io)?;
    let result = audit::verify(&audited.root.0, entries, &blocks);
    let lang = audited.lang;
    let mut table = summary(audited, lang.pick("账本校验", "verification"));
    let mut line = |key: &'static str, zh: &str, en: &str, cell: Cell| {
        table.push(vec![Cell::text(key), Cell::text(lang.pick(zh, en)), cell]);
    };
    line("blocks", "数据块", "blocks", Cell::count(result.blocks));
    line("facts", "记录", "facts", Cell::count(result.facts));
    line("signatures", "核对签名", "signatures checked", Cell::count(result.signatures));
    line("standing", "计入", "standing", Cell::count(result.standing));
    line("withdrawn", "撤回", "withdrawn", Cell::count(result.withdrawn));
    parked(&mut line, &result.parked);
    line("digest", "校验码", "digest", Cell::text(result.digest.to_string()));
    line("findings", "问题", "findings", Cell::count(result.findings.len() as u64));
    finish(table, &result.findings, audited, io)
}

/// Folds everything anew and prints the digests. Exit 0 clean, 1 findings.
///
/// # Errors
/// Something cannot be read at all: exit 2.
pub fn replay(audited: &Audited, io: &dyn CommandIo) -> Result<u8, CommandError> {
    let Material { entries, blocks } = Material::read(audited, io)?;
    let result = audit::replay(&audited.root.0, &entries, &blocks);
    let lang = audited.lang;
    let mut table = summary(audited, lang.pick("账本重算", "replay"));
    let mut line = |key: &'static str, zh: &str, en: &str, cell: Cell| {
        table.push(vec![Cell::text(key), Cell::text(lang.pick(zh, en)), cell]);
    };
    line("blocks", "数据块", "blocks", Cell::count(result.blocks));
    line("facts", "记录", "facts", Cell::count(result.facts));
    line("member_facts", "会员记录", "member facts", Cell::count(result.member_facts));
    line("persons", "人员", "persons", Cell::count(result.persons));
    parked(&mut line, &result.parked);
    if let Some(conserved) = &result.conserved {
        conservation(&mut line, conserved);
    }
    line("digest", "校验码", "digest", Cell::text(result.digest.to_string()));
    let members = Cell::text(result.member_digest.to_string());
    line("member_digest", "会员校验码", "member digest", members);
    line("findings", "问题", "findings", Cell::count(result.findings.len() as u64));
    finish(table, &result.findings, audited, io)
}

/// M8: each person is counted as one thing, and they sum to the persons with a claim.
fn conservation(line: &mut impl FnMut(&'static str, &str, &str, Cell), conserved: &Conserved) {
    let on = conserved.day;
    let day = (format!("{on} 有会籍人员"), format!("persons with a claim on {on}"));
    line("with_claim", &day.0, &day.1, Cell::count(conserved.persons));
    let of = |category| conserved.categories.get(&category).copied().unwrap_or(0);
    let [active, unplaced, closed] =
        conserved.placed.map(|count| u64::try_from(count).unwrap_or(0));
    let retained = of(Category::Retained) + closed;
    for (key, zh, en, count) in [
        ("unqualified", "信息不合格", "unqualified", of(Category::Unqualified)),
        ("in_dispute", "仅有争议会籍", "in dispute only", of(Category::InDispute)),
        ("in_transit", "转接途中", "in transit", of(Category::InTransit)),
        ("retained", "保留会籍", "retained", retained),
        ("unplaced", "待接转", "awaiting placement", unplaced),
        ("active", "在册会员", "active", active),
        ("left", "已离会", "left", of(Category::Left)),
    ] {
        line(key, zh, en, Cell::count(count));
    }
}

fn summary(audited: &Audited, title: &str) -> Table {
    let lang = audited.lang;
    let mut table = Table::new(
        title,
        &[
            ("key", lang.pick("项", "key")),
            ("item", lang.pick("项目", "item")),
            ("value", lang.pick("结果", "value")),
        ],
    );
    let name = lang.pick("根密钥", "root key").to_owned();
    table.citation.push(("root", name, hex_encode(&audited.root.0)));
    table
}

fn parked(line: &mut impl FnMut(&'static str, &str, &str, Cell), parked: &BTreeMap<Reason, u64>) {
    for (reason, count) in parked {
        let zh = format!("暂存未计:{}", words::reason(Lang::Zh, *reason));
        line("parked", &zh, &format!("parked: {reason}"), Cell::count(*count));
    }
}

fn finish(
    mut table: Table,
    findings: &[Finding],
    audited: &Audited,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    table.notes = findings.iter().map(ToString::to_string).collect();
    let text = table.render(audited.format, audited.lang);
    io.out(&text).map_err(CommandError::Screen)?;
    Ok(u8::from(!findings.is_empty()))
}
