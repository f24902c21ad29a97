//! `hub bundle receipt`: spoken receipts, for gates through which no bundle comes back.

use super::super::error::CommandError;
use super::super::session::Session;
use super::export::child_of;
use crate::bundle::{Desk, NotTold, Shelf, Spoken, SpokenError, issue, take};

/// Says what to read out to the operator of a node below.
///
/// # Errors
/// No such node, or nothing of it is here.
pub fn give(session: &Session<'_>, unit: &str) -> Result<u8, CommandError> {
    let (child, name) = child_of(session, unit)?;
    let desk = Desk::of(&session.shared.host)?;
    let spoken = issue(session.replica(), &desk, child).map_err(refused)?;
    session.say(
        &format!("“{name}”的电话回执:{spoken}\n请读给对方,对方执行 hub bundle receipt \"{spoken}\""),
        &format!(
            "spoken receipt for “{name}”: {spoken}\nread it out; the other side types: hub bundle receipt \
             \"{spoken}\""
        ),
    )?;
    Ok(0)
}

/// Takes what the operator of the node above read out.
///
/// # Errors
/// It is mistyped, or not about this journal; then nothing changes.
pub fn hear(session: &Session<'_>, typed: &[String]) -> Result<u8, CommandError> {
    let replica = session.replica();
    let none = || CommandError::refused("本节点没有上级", "this node has no parent");
    let parent = replica.parent().ok_or_else(none)?;
    let spoken = Spoken::parse(&typed.concat()).map_err(mistyped)?;
    let desk = Desk::of(&session.shared.host)?;
    let shelf = Shelf::open(&session.shared.node.data_dir())?;
    let facts = take(replica, &desk, &shelf, (parent, spoken)).map_err(refused)?;
    session.say(
        &format!("已记下:上级口头确认收到了回执所说的部分,之后还有 {facts} 条;下次 --since last-export 从那里接着导出"),
        &format!(
            "noted: the node above says that it holds everything up to there; {facts} facts come after \
             that; the next export --since last-export goes on from there"
        ),
    )?;
    Ok(0)
}

fn mistyped(error: SpokenError) -> CommandError {
    let zh = match error {
        SpokenError::Length { found } => format!("电话回执应为 24 位数字,实为 {found} 位"),
        SpokenError::Check => "抄写有误:请再核对一遍数字".to_owned(),
    };
    CommandError::refused(zh, error.to_string())
}

fn refused(not: NotTold) -> CommandError {
    let (zh, en) = match not {
        NotTold::Nothing => ("还没有收到该节点的内容", "nothing of that node has arrived here yet"),
        NotTold::Older => (
            "已有更靠后的签名回执,无须电话回执",
            "a signed receipt already goes further: there is no need of this one",
        ),
        NotTold::Wrong => (
            "与本节点的账本不符:不是上级给本节点的,或是另一份账本(重建、恢复之前)的;未作任何改动",
            "it does not fit this node's journal: it is not the node above's word for this node, or about \
             another journal (before it was rebuilt or restored); nothing was changed",
        ),
        NotTold::Key(error) => return error.into(),
        NotTold::Bundle(error) => return error.into(),
    };
    CommandError::refused(zh, en)
}
