//! `hub backup`, `hub restore`, `hub log repair`: keeping the books through the loss of a disk.

use super::error::CommandError;
use crate::command_io::CommandIo;
use crate::render::words::Lang;
use std::path::Path;

fn machine(error: impl std::fmt::Display) -> CommandError {
    CommandError::Machine(error.to_string())
}

fn say(io: &dyn CommandIo, lang: Lang, zh: &str, en: &str) -> Result<(), CommandError> {
    io.out(&format!("{}\n", lang.pick(zh, en))).map_err(CommandError::Screen)
}

/// Copies journal, keys, vault and configuration into one file, readable by its owner only. The node
/// may run meanwhile.
///
/// # Errors
/// The file exists, or the system refuses.
pub fn backup(data: &Path, out: &Path, lang: Lang, io: &dyn CommandIo) -> Result<u8, CommandError> {
    let report = hub_log::backup::backup(data, out).map_err(machine)?;
    let (files, bytes, out) = (report.files, report.bytes, out.display());
    say(
        io,
        lang,
        &format!("已备份 {files} 个文件,{bytes} 字节,到 {out};内含密钥,请妥善保管"),
        &format!(
            "{files} files, {bytes} bytes backed up to {out}; it holds the keys: keep it safe"
        ),
    )?;
    Ok(0)
}

/// Unpacks a backup into an empty directory. The daemon compares it with the parent's heads before it signs.
///
/// # Errors
/// The backup does not fit its own hashes, or the directory is not empty.
pub fn restore(
    backup: &Path,
    data: &Path,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let report = hub_log::backup::restore(backup, data).map_err(machine)?;
    let (files, data) = (report.files, data.display());
    say(
        io,
        lang,
        &format!(
            "已恢复 {files} 个文件到 {data};备份之后的记录不在其中,请运行 hub enrol renew \
             申请续用,经上级批准后再录入"
        ),
        &format!(
            "{files} files restored to {data}; what was written after the backup is not in it: \
             begin a new epoch with hub enrol renew and have the parent approve it"
        ),
    )?;
    Ok(0)
}

/// Cuts a torn tail, rebuilds the index, reads everything again. Exit 1 when something stays damaged.
///
/// # Errors
/// The directory is held by a running node, or cannot be read.
pub fn repair(data: &Path, lang: Lang, io: &dyn CommandIo) -> Result<u8, CommandError> {
    let report = hub_log::repair(data, hub_log::Options::default()).map_err(machine)?;
    let damage = &report.verified.damage;
    let (blocks, count) = (report.verified.blocks, damage.len());
    say(
        io,
        lang,
        &format!("索引已重建,完好数据块 {blocks} 个,损坏 {count} 处"),
        &format!("index rebuilt; {blocks} whole blocks, {count} damaged places"),
    )?;
    for place in damage {
        say(io, lang, &place.to_string(), &place.to_string())?;
    }
    Ok(u8::from(count > 0))
}
