//! `hub fork` and `hub audit fork`: a key that signed twice at one place. Shown, settled by the node above,
//! and proven by a file that needs nothing but the root key.

use super::error::CommandError;
use super::session::Session;
use crate::command_io::CommandIo;
use crate::config::RootKey;
use crate::enrol::chain_file;
use crate::render::{Cell, Format, Lang, Table};
use crate::replica::{Draft, LaneChoice};
use hub_core::audit::{ForkProof, ProvenFork};
use hub_core::block::Block;
use hub_core::chain::Fork;
use hub_core::fact::FactBody;
use hub_core::fact::governance::{ChainHeight, GovernanceFact};
use hub_core::hash::{Hash, hex_encode};
use hub_core::header::BLOCK_BYTES_MAX;
use hub_core::id::{FactId, Lane, NodeId};
use hub_core::time::Hlc;
use hub_core::view::View;
use hub_core::view::fork::{ForkedChain, Side};
use std::io::Read;

/// How much of a hash names a side on the screen.
const NAME_DIGITS: usize = 12;
/// The longest proof read.
const PROOF_BYTES_MAX: u64 = (hub_core::audit::FORK_BLOCKS_MAX * (BLOCK_BYTES_MAX + 4) + 16) as u64;

fn name_of(hash: &Hash) -> String {
    hash.to_string()[..NAME_DIGITS].to_owned()
}

/// Lists all forks, a row a side; 1 if there are any.
///
/// # Errors
/// The screen is gone.
pub fn list(session: &Session<'_>) -> Result<u8, CommandError> {
    let lang = session.lang;
    let columns = [
        ("unit", lang.pick("单位", "unit")),
        ("lane", lang.pick("方向", "lane")),
        ("height", lang.pick("第几块", "height")),
        ("side", lang.pick("哪一份", "side")),
        ("blocks", lang.pick("块数", "blocks")),
        ("facts", lang.pick("记录数", "facts")),
        ("last", lang.pick("最后一条", "last fact")),
        ("state", lang.pick("状况", "state")),
    ];
    let title = lang.pick("同一位置两份签名", "signed twice at one place");
    let mut table = Table::new(title.to_owned(), &columns);
    let forks: Vec<ForkedChain> = {
        let view = session.replica().read();
        let forks: Vec<ForkedChain> = view.forks().collect();
        for fork in &forks {
            for side in &fork.sides {
                table.push(row(&view, fork, side, lang));
            }
        }
        forks
    };
    if forks.iter().any(|fork| fork.settled_by.is_none()) {
        table.notes.push(lang.pick(
            "未认定的都暂不计入;由直接上级查明后用 hub fork settle 认定一份",
            "what is not settled is not counted; the node above finds out which copy is good, then: hub fork settle",
        ).to_owned());
    }
    session.show(&table)?;
    Ok(u8::from(!forks.is_empty()))
}

fn row(view: &View, fork: &ForkedChain, side: &Side, lang: Lang) -> Vec<Cell> {
    let lane = match fork.chain.lane {
        Lane::Up => lang.pick("上行", "up").to_owned(),
        Lane::Down(audience) => {
            let found = view.tree().find(&audience).map(|at| view.tree().unit(at).name());
            let name = found.map_or_else(|| audience.to_string(), str::to_owned);
            lang.pick(format!("下行 {name}"), format!("down {name}"))
        }
    };
    let state = match (side.counts, fork.settled_by) {
        (true, _) => Cell::Coded("counts", lang.pick("计入", "counts")),
        (false, Some(_)) => Cell::Coded("other_side", lang.pick("不计", "the other counts")),
        (false, None) => Cell::Coded("suspended", lang.pick("待认定", "to be settled")),
    };
    vec![
        Cell::text(unit_name(view, fork.chain.node)),
        Cell::text(lane),
        Cell::count(fork.height),
        Cell::text(name_of(&side.hash)),
        Cell::count(side.blocks),
        Cell::count(side.facts),
        Cell::text(side.last.day().to_string()),
        state,
    ]
}

/// The name of the unit a node was enrolled for last.
fn unit_name(view: &View, node: NodeId) -> String {
    let enrolled = view.authority().newest_of(node);
    enrolled.map_or_else(|| node.to_string(), |e| view.tree().unit(e.unit).name().to_owned())
}

/// The fork and the side that a typed beginning of a hash names; without one, the only fork's first.
fn find(view: &View, typed: Option<&str>) -> Result<(ForkedChain, Hash), CommandError> {
    let forks: Vec<ForkedChain> = view.forks().collect();
    let typed = typed.map(str::to_lowercase);
    let named =
        |hash: &Hash| typed.as_ref().is_none_or(|typed| hash.to_string().starts_with(typed));
    let sides = forks.iter().flat_map(|fork| fork.sides.iter().map(move |side| (fork, side.hash)));
    let found: Vec<_> = sides.filter(|(_, hash)| named(hash)).collect();
    match found.as_slice() {
        [(fork, hash)] => Ok(((*fork).clone(), *hash)),
        [(fork, hash), ..] if typed.is_none() && forks.len() == 1 => Ok(((*fork).clone(), *hash)),
        [] => Err(CommandError::refused(
            "没有这样的两份签名;用 hub fork list 查看",
            "no such fork; see hub fork list",
        )),
        _ => Err(CommandError::refused(
            "不止一处符合;请按 hub fork list 写明是哪一份",
            "more than one fits; say which side, as hub fork list names it",
        )),
    }
}

/// Writes the proof of a fork into a file.
///
/// # Errors
/// No such fork, or the file cannot be written.
pub fn export(session: &Session<'_>, file: &str, side: Option<&str>) -> Result<u8, CommandError> {
    let replica = session.replica();
    let (fork, enrolled) = {
        let view = replica.read();
        let (fork, _) = find(&view, side)?;
        let writer = (fork.chain.node, fork.chain.epoch);
        (fork, view.authority().enrolment_of(writer).map(|enrolled| enrolled.id))
    };
    let machine = |error: &dyn std::fmt::Display| CommandError::Machine(error.to_string());
    let read = |side: &Side| replica.journal().block_of(&fork.chain, fork.height, &side.hash);
    let blocks: Vec<Block> = fork
        .sides
        .iter()
        .filter_map(|side| read(side).transpose())
        .collect::<Result<_, _>>()
        .map_err(|error| machine(&error))?;
    let ([first, second, ..], Some(enrolled)) = (blocks.as_slice(), enrolled) else {
        return Err(CommandError::refused(
            "另一份的第一块还没有收到,暂不能举证",
            "the other side's first block is not here yet: nothing to prove with",
        ));
    };
    let sides = Fork { first: first.clone(), second: second.clone() };
    let enrolments = chain_file(replica, enrolled).map_err(|error| machine(&error))?;
    let proof = ForkProof { sides, enrolments };
    session
        .io
        .write_file(file, &proof.encode())
        .map_err(|error| CommandError::File { path: file.to_owned(), error })?;
    session.say(
        &format!("已写入 {file};持有根密钥的人用 hub audit fork 即可核对"),
        &format!("written to {file}; whoever has the root key checks it with hub audit fork"),
    )?;
    Ok(0)
}

/// Names the side that counts: by the node above, once.
///
/// # Errors
/// No such side, it is settled, or this node is not the one above.
pub fn settle(session: &Session<'_>, side: &str) -> Result<u8, CommandError> {
    let replica = session.replica();
    let own = session.own_unit()?;
    let who = replica.who();
    let fork = find(&replica.read(), Some(side))?.0;
    if who.node == fork.chain.node && who.epoch <= fork.chain.epoch {
        return Err(CommandError::refused(
            "本节点自己的两份:由直接上级认定;根节点没有上级,请先停掉多余的一份,在好的一份上 hub enrol renew \
             进入新的一期,再认定",
            "a fork of this node itself: the node above settles it; the root, which has none above it, stops the \
             other copy, begins a new epoch on the good one with hub enrol renew, and settles it then",
        ));
    }
    let (operator, today) = (session.operator, session.today());
    let name = replica.transact(|transaction| {
        let (view, at) = (transaction.view(), Hlc::at(replica.now()));
        let (fork, hash) = find(view, Some(side))?;
        let name = unit_name(view, fork.chain.node);
        let who = transaction.who();
        // nobody stands above the root: it names the side itself, in a later epoch, and corrects it in the next
        let root = NodeId::of_first_key(view.root_key()) == fork.chain.node;
        let corrects = |by: &FactId| root && by.chain.epoch < who.epoch;
        if fork.settled_by.as_ref().is_some_and(|by| !corrects(by)) {
            return Err(CommandError::refused(
                format!("“{name}”这一处已经认定;认定有误的,先撤回再认定(根节点:进入下一期再认定)"),
                format!(
                    "this fork of “{name}” is settled; to settle it otherwise, take that back first (the root: in \
                     its next epoch)"
                ),
            ));
        }
        let above = view.superior_of(fork.chain.node, at);
        let writer = (fork.chain.node, fork.chain.epoch);
        let unit = view.authority().enrolment_of(writer).map(|e| e.enrolment.unit);
        let names = if root { Some(fork.chain.node) } else { above };
        let (Some(unit), true) = (unit, names == Some(who.node)) else {
            return Err(CommandError::refused(
                format!("“{name}”由其直接上级节点认定"),
                format!("the node directly above “{name}” settles this"),
            ));
        };
        let head = ChainHeight { chain: fork.chain, height: fork.height, hash };
        let (frontier, digest) = (vec![head], view.digest());
        let stated = GovernanceFact::Checkpointed { frontier, digest, part: 1, parts: 1 };
        let draft = Draft::new(own, today, FactBody::Governance(stated));
        let lane = LaneChoice::Lane(Lane::Down(unit));
        transaction.push(Draft { operator, lane, ..draft });
        Ok(name)
    })?;
    session.say(
        &format!("已认定“{name}”以 {side} 这一份为准,另一份不再计入"),
        &format!("settled: side {side} of “{name}” counts, the other does not"),
    )?;
    Ok(0)
}

/// Checks a proof alone. Exit 0 proven, 1 not.
///
/// # Errors
/// The file cannot be read: exit 2.
pub fn audit(
    file: &str,
    root: RootKey,
    format: Format,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let failed = |error| CommandError::File { path: file.to_owned(), error };
    let mut bytes = Vec::new();
    let source = io.read_file(file).map_err(failed)?;
    source.take(PROOF_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let proof = ForkProof::decode(&bytes);
    let checked = proof.and_then(|proof| proof.check(&root.0).map(|proven| (proof, proven)));
    let title = lang.pick("两份签名的举证", "proof of a fork").to_owned();
    let columns = [("item", lang.pick("项目", "item")), ("value", lang.pick("结果", "value"))];
    let mut table = Table::new(title, &columns);
    let mut line = |item: Cell, value: String| table.push(vec![item, Cell::text(value)]);
    let verdict = Cell::Coded("verdict", lang.pick("结论", "verdict"));
    let code = match &checked {
        Ok((proof, proven)) => {
            line(verdict, lang.pick("证实", "proven").to_owned());
            shown(proof, proven, lang, &mut line);
            0
        }
        Err(why) => {
            line(verdict, lang.pick("不能证实", "not proven").to_owned());
            line(Cell::Coded("cause", lang.pick("原因", "cause")), why.to_string());
            1
        }
    };
    let name = lang.pick("根密钥", "root key").to_owned();
    table.citation.push(("root", name, hex_encode(&root.0)));
    io.out(&table.render(format, lang)).map_err(CommandError::Screen)?;
    Ok(code)
}

fn shown(proof: &ForkProof, proven: &ProvenFork, lang: Lang, line: &mut impl FnMut(Cell, String)) {
    let Fork { first, second } = &proof.sides;
    line(Cell::Coded("node", lang.pick("节点", "node")), proven.chain.node.to_string());
    line(Cell::Coded("chain", lang.pick("账本链", "chain")), proven.chain.to_string());
    line(Cell::Coded("height", lang.pick("第几块", "height")), proven.height.to_string());
    for block in [first, second] {
        let side = format!("{} {}", block.hash(), block.header().last_hlc.day());
        line(Cell::Coded("side", lang.pick("一份", "side")), side);
    }
    let issuers: Vec<String> = proven.issuers.iter().map(ToString::to_string).collect();
    line(Cell::Coded("issuers", lang.pick("逐级接入", "enrolled by")), issuers.join(" > "));
}
