//! `hub bundle inspect`: what a bundle holds; nothing is written, no node is needed.

use super::super::error::CommandError;
use super::{not_a_bundle, read};
use crate::bundle::checked;
use crate::bundle::keys_within;
use crate::command_io::CommandIo;
use crate::config::RootKey;
use crate::render::{Cell, Format, Lang, Table};
use hub_core::block::Block;
use hub_node::bundle::Bundle;
use std::collections::BTreeMap;

/// How `hub bundle inspect` inspects.
#[derive(Debug, Clone)]
pub struct InspectOptions {
    /// The file.
    pub path: String,
    /// The root's key, against which signatures are checked as far as the bundle itself proves keys.
    pub root: Option<RootKey>,
    /// The form of tables.
    pub format: Format,
    /// The language.
    pub lang: Lang,
}

/// How many signatures could be checked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Signatures {
    good: u64,
    bad: u64,
    unknown: u64,
}

/// Shows manifest, chains and facts. Exit code 1 when a signature is bad.
///
/// # Errors
/// The file cannot be read, or is no bundle.
pub fn inspect(io: &dyn CommandIo, options: &InspectOptions) -> Result<u8, CommandError> {
    let bytes = read(io, &options.path)?;
    let bundle = checked(&bytes).map_err(|error| not_a_bundle(&options.path, &error))?;
    let blocks: Vec<Block> = bundle.blocks().collect();
    let (maker, signatures) = signatures(&bundle, &blocks, options.root);
    let mut table = Table::new(
        options.lang.pick("封套", "bundle").to_owned(),
        &[
            ("item", options.lang.pick("项目", "item")),
            ("value", options.lang.pick("内容", "value")),
        ],
    );
    manifest_rows(&mut table, options.lang, &bundle, bytes.len());
    let mut line =
        |item: String, value: String| table.push(vec![Cell::text(item), Cell::text(value)]);
    let pick = |zh: &str, en: &str| options.lang.pick(zh, en).to_owned();
    line(pick("制作者签名", "maker's signature"), in_words(options.lang, maker));
    let Signatures { good, bad, unknown } = signatures;
    line(
        pick("数据块签名", "block signatures"),
        options.lang.pick(
            format!("有效 {good},无效 {bad},无法核对 {unknown}"),
            format!("{good} good, {bad} bad, {unknown} not checked"),
        ),
    );
    for (kind, count) in facts(&blocks) {
        line(format!("{} {kind}", pick("记录", "facts")), count.to_string());
    }
    for range in &bundle.manifest.ranges {
        let chain = range.chain.to_string();
        line(chain, format!("{}–{}", range.first, range.last));
    }
    io.out(&table.render(options.format, options.lang)).map_err(CommandError::Screen)?;
    Ok(u8::from(bad > 0 || maker == Some(false)))
}

fn manifest_rows(table: &mut Table, lang: Lang, bundle: &Bundle, bytes: usize) {
    let manifest = &bundle.manifest;
    let mut line = |zh: &str, en: &str, value: String| {
        table.push(vec![Cell::text(lang.pick(zh, en)), Cell::text(value)]);
    };
    let way = lang.pick(
        if manifest.upwards { "上报" } else { "下发" },
        if manifest.upwards { "up" } else { "down" },
    );
    line("文件名", "name", manifest.file_name());
    line("联合会", "federation", manifest.federation.to_string());
    line("来自", "from", format!("{} / {}", manifest.from, manifest.from_epoch));
    line("发往", "to", manifest.to.to_string());
    line("方向", "way", way.to_owned());
    line("制作日", "made", hub_core::time::Day::of_millis(manifest.made_at).to_string());
    line("日志位置", "positions", format!("{:012x}–{:012x}", manifest.first, manifest.last));
    line("消息", "messages", bundle.messages.len().to_string());
    line("字节", "bytes", bytes.to_string());
}

/// Whether the maker's signature is good, if its key is known, and how the blocks' are.
fn signatures(
    bundle: &Bundle,
    blocks: &[Block],
    root: Option<RootKey>,
) -> (Option<bool>, Signatures) {
    let mut found = Signatures::default();
    let Some(root) = root else {
        found.unknown = blocks.len() as u64;
        return (None, found);
    };
    let keys = keys_within(blocks, &root.0);
    for block in blocks {
        let chain = block.header().chain;
        match keys.get(&(chain.node, chain.epoch)) {
            Some(key) if block.verify(key).is_ok() => found.good += 1,
            Some(_) => found.bad += 1,
            None => found.unknown += 1,
        }
    }
    let maker = keys.get(&(bundle.manifest.from, bundle.manifest.from_epoch));
    (maker.map(|key| bundle.verify(key).is_ok()), found)
}

fn in_words(lang: Lang, good: Option<bool>) -> String {
    match good {
        Some(true) => lang.pick("有效", "good"),
        Some(false) => lang.pick("无效", "bad"),
        None => lang.pick("无法核对(未给根密钥,或本封套不含其接入证明)", "not checked"),
    }
    .to_owned()
}

/// How many facts of each kind; `unreadable` counts facts this version cannot read.
fn facts(blocks: &[Block]) -> BTreeMap<String, u64> {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for block in blocks {
        match block.body() {
            Ok(body) => {
                for fact in body.into_facts() {
                    *kinds.entry(fact.body.kind().to_owned()).or_default() += 1;
                }
            }
            Err(_) => {
                *kinds.entry("unreadable".into()).or_default() += u64::from(block.header().count);
            }
        }
    }
    kinds
}
