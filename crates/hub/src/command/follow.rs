//! `hub follow`: a directory that follows one node's journal, as its standby or as an auditor's copy.

use super::enrol::{check_words, read, root_key};
use super::error::CommandError;
use super::session::Session;
use crate::command_io::CommandIo;
use crate::config::ParentConfig;
use crate::enrol;
use crate::render::words::Lang;
use hub_core::id::NodeId;
use hub_core::time::Millis;
use std::path::{Path, PathBuf};

/// Whom to follow.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The node, as typed.
    pub node: &'a str,
    /// The federation's root key, as typed.
    pub root: &'a str,
    /// The node's server; none for bundles.
    pub url: Option<String>,
    /// What vouches for it.
    pub tls_ca: Option<PathBuf>,
}

/// Makes the directory and writes the request.
///
/// # Errors
/// No such id, the directory holds a node, or something cannot be written.
pub fn request(
    directory: &Path,
    asked: Asked<'_>,
    out: &str,
    now: Millis,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let typed = asked.node;
    let node: NodeId = typed.parse().map_err(|_| {
        CommandError::refused(
            format!("节点编号应如 hub status 所示,实为“{typed}”"),
            format!("expected a node's id as hub status shows it, found {typed:?}"),
        )
    })?;
    let root = root_key(asked.root)?;
    let followed = ParentConfig { node, url: asked.url, tls_ca: asked.tls_ca };
    let (_, bytes) = enrol::follow(directory, root, followed, now)?;
    io.write_file(out, &bytes)
        .map_err(|error| CommandError::File { path: out.to_owned(), error })?;
    let code = check_words(&bytes);
    let text = lang.pick(
        format!("申请已写入 {out},核对码 {code}\n请在被跟随的节点上执行 hub follow approve\n"),
        format!("request written to {out}, check code {code}\nthere: hub follow approve\n"),
    );
    io.err(&text).map_err(CommandError::Screen)?;
    Ok(0)
}

/// Lets the directory of a request follow this node's journal.
///
/// # Errors
/// Not such a request, or the list cannot be written.
pub fn approve(session: &Session<'_>, file: &str, name: &str) -> Result<u8, CommandError> {
    let bytes = read(session.io, file)?;
    let request = enrol::requested(session.replica(), &bytes)?;
    let followers = session.shared.node.followers_file();
    enrol::admit(session.replica(), &request, name, &followers)?;
    let code = check_words(&bytes);
    session.say(
        &format!(
            "“{name}”可以跟随本节点的账本(核对码 {code});请重新执行 hub ops nats-config 并重载服务"
        ),
        &format!(
            "“{name}” may follow this node's journal (check code {code}); write hub ops nats-config \
             again and reload the server"
        ),
    )?;
    Ok(0)
}
