//! `hub clock recover`: a node whose clock ran ahead begins a new epoch, so that it need not wait until that
//! time has come.

use super::enrol;
use super::error::CommandError;
use crate::clock::Clock;
use crate::command_io::CommandIo;
use crate::config::Node;
use crate::enrol::{Clocks, Verdict, is_root};
use crate::render::words::Lang;
use crate::replica::Replica;
use crate::report::coverage::instant;
use hub_core::time::Millis;
use std::path::Path;
use std::sync::Arc;

/// Says how the clocks stand, and where this node's ran ahead writes the request for a new epoch to `out`.
///
/// # Errors
/// Nothing is wrong, or something else is: the clock is to be set right, or waiting is enough. The node
/// runs, or something cannot be written.
pub fn recover(
    directory: &Path,
    out: &str,
    clock: Arc<dyn Clock>,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let node = Node::load(directory)?;
    let (clocks, asked) = {
        let (replica, _) = Replica::open(&node, Arc::clone(&clock))?;
        let who = replica.who();
        let before = replica.read().authority().last_until(who.node, who.epoch).is_some();
        (Clocks::of(&replica)?, who.unit.is_none() && before)
    };
    io.out(&told(&clocks, lang)).map_err(CommandError::Screen)?;
    // a new epoch begun and not enrolled yet has signed nothing ahead: the request is made once more
    let again = asked && clocks.verdict() == Verdict::Sound;
    if let Some((zh, en)) = otherwise(clocks.verdict()).filter(|_| !again) {
        return Err(CommandError::refused(zh, en));
    }
    let code = enrol::renew(directory, out, clock, lang, io)?;
    if !is_root(&node) {
        io.out(&next(out, lang)).map_err(CommandError::Screen)?;
    }
    Ok(code)
}

/// The clocks, one a line.
fn told(clocks: &Clocks, lang: Lang) -> String {
    let at = |millis: Millis| match millis {
        0 => lang.pick("无", "none").to_owned(),
        millis => instant(millis),
    };
    let lines = [
        (lang.pick("本机时间", "this machine's clock"), clocks.now),
        (lang.pick("本节点签发的最后一条记录", "newest fact signed here"), clocks.own),
        (lang.pick("上级最后一份回执", "the parent's last receipt"), clocks.receipt.unwrap_or(0)),
        (lang.pick("收到的别处最后一条记录", "newest block of others"), clocks.others),
    ];
    lines.map(|(what, millis)| format!("{what}: {}\n", at(millis))).concat()
}

/// What is to be done instead of a new epoch, if that is not what helps.
fn otherwise(verdict: Verdict) -> Option<(String, String)> {
    match verdict {
        Verdict::Sound => Some((
            "时钟没有问题,无须处理".to_owned(),
            "nothing is wrong with the clock: there is nothing to recover".to_owned(),
        )),
        Verdict::Slow { at_least } => Some((
            format!("是本机时间慢了(至少应为 {}):校准系统时间即可", instant(at_least)),
            format!(
                "this machine's clock is slow (it is {} at least): set it right, that is all",
                instant(at_least)
            ),
        )),
        Verdict::Wait { millis } => Some((
            format!("只超前 {} 分钟:等这么久即可", millis.div_ceil(60_000)),
            format!("ahead by {} minutes only: wait that long", millis.div_ceil(60_000)),
        )),
        Verdict::RanAhead { .. } => None,
    }
}

fn next(out: &str, lang: Lang) -> String {
    lang.pick(
        format!(
            "下一步:1. 确认本机时间现在是准的;2. 把 {out} 交上级 hub enrol approve;3. 收到答复后 hub enrol accept,\
             再 hub run。\n超前期间录入的记录先不上报:超前不满 30 天的,到时自动送达;更远的,批准后暂存不计,请重新录入\
             (hub log show --parked 可以列出)\n"
        ),
        format!(
            "next: 1. make sure that this machine's clock is right now; 2. have the parent approve {out} (hub \
             enrol approve); 3. take its answer with hub enrol accept, then hub run.\nwhat was entered \
             meanwhile is not sent yet: what is less than 30 days ahead arrives by itself when its time has \
             come, the rest is parked once this is approved: enter it again (hub log show --parked lists it)\n"
        ),
    )
}
