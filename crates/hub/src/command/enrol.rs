//! `hub init` and `hub enrol`: how nodes come to be, from the command line.

use super::error::CommandError;
use super::session::Session;
use crate::clock::Clock;
use crate::command_io::CommandIo;
use crate::config::{Node, RootKey};
use crate::enrol::{self, Approval, Asking, EnrolError, Founding, TokenRefused, Tokens};
use crate::render::words::Lang;
use hub_core::hash::{hex_encode, sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest request or answer that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Milliseconds of an hour.
const HOUR_MILLIS: u64 = 3_600_000;

impl From<EnrolError> for CommandError {
    fn from(error: EnrolError) -> Self {
        Self::Machine(error.to_string())
    }
}

/// Founds a federation in `directory`.
///
/// # Errors
/// The directory holds a node, or something cannot be written.
pub fn init(
    directory: &Path,
    founding: &Founding,
    clock: Arc<dyn Clock>,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let root = enrol::found(directory, founding, clock)?;
    let (key, name) = (hex_encode(&root.0), &founding.name);
    let text = lang.pick(
        format!("已建立联合会:{name}\n根密钥(公开,下级接入时核对): {key}\n"),
        format!("federation founded: {name}\nroot key (public; compare when nodes join): {key}\n"),
    );
    io.out(&text).map_err(CommandError::Screen)?;
    Ok(0)
}

/// Makes a node in `directory` and writes its request to `out`.
///
/// # Errors
/// The directory holds a node, or something cannot be written.
pub fn request(
    directory: &Path,
    asking: &Asking,
    out: &str,
    now: u64,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let (node, bytes) = enrol::request(directory, asking, now)?;
    let written = io.write_file(out, &bytes);
    written.map_err(|error| CommandError::File { path: out.to_owned(), error })?;
    let code = check_words(&bytes);
    let text = lang.pick(
        format!("申请已写入 {out}\n节点 {node}\n核对码 {code}(请与上级当面或电话核对)\n"),
        format!(
            "request written to {out}\nnode {node}\ncheck code {code} (read it out to the parent)\n"
        ),
    );
    io.err(&text).map_err(CommandError::Screen)?;
    Ok(0)
}

/// Begins a new epoch of the node in `directory` and writes the request for it to `out`.
///
/// # Errors
/// The node runs, is the root, or something cannot be written.
pub fn renew(
    directory: &Path,
    out: &str,
    clock: Arc<dyn Clock>,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    if enrol::is_root(&Node::load(directory)?) {
        let epoch = enrol::renew_root(directory, clock)?;
        let text = lang.pick(
            format!("根节点已进入第 {epoch} 期,立即生效,无须批准;根密钥不变\n"),
            format!("the root is in epoch {epoch} from now on, nobody need approve; its key stays the same\n"),
        );
        io.err(&text).map_err(CommandError::Screen)?;
        return Ok(0);
    }
    let (_, bytes) = enrol::renew(directory, clock)?;
    let written = io.write_file(out, &bytes);
    written.map_err(|error| CommandError::File { path: out.to_owned(), error })?;
    let code = check_words(&bytes);
    let text = lang.pick(
        format!("续用申请已写入 {out},核对码 {code};上级批准前照常录入,记录在上级暂存,批准后计入\n\
                 (恢复出来的、已停签的节点,批准下发后才能录入;授权已被收回的,批准前录入的不计)\n"),
        format!("request for a new epoch written to {out}, check code {code}; until the parent approves, \
                 it holds what this node writes, and counts it then\n(a restored node, or one that did not sign, \
                 writes when it is enrolled; of one that was cut off nothing written before counts)\n"),
    );
    io.err(&text).map_err(CommandError::Screen)?;
    Ok(0)
}

/// What both sides read out to each other: the first 24 digits of the request's hash, in groups of 4.
pub(super) fn check_words(bytes: &[u8]) -> String {
    let hash = sha256(&[bytes]).to_string();
    let groups: Vec<&str> = (0..6).map(|group| &hash[group * 4..group * 4 + 4]).collect();
    groups.join("-")
}

/// How `hub enrol approve` approves.
#[derive(Debug, Clone)]
pub struct Approving {
    /// The request's file.
    pub request: String,
    /// Where the answer goes.
    pub out: String,
    /// The unit, if not the one the request names.
    pub unit: Option<String>,
    /// For how many days.
    pub days: u32,
    /// Whether it gets the person key; if not said, where the node is county or above.
    pub person_key: Option<bool>,
    /// Whether it may enrol nodes below; if not said, where the node is township or above.
    pub may_delegate: Option<bool>,
}

/// Reads a whole small file of the caller.
pub(super) fn read(io: &dyn CommandIo, path: &str) -> Result<Vec<u8>, CommandError> {
    let failed = |error| CommandError::File { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = io.read_file(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Approves a request and writes the answer.
///
/// # Errors
/// Not a request to this federation, no such unit, or no right to enrol.
pub fn approve(session: &Session<'_>, approving: &Approving) -> Result<u8, CommandError> {
    let bytes = read(session.io, &approving.request)?;
    let request = enrol::requested(session.replica(), &bytes)?;
    let names = session.names();
    let typed = approving.unit.as_deref().unwrap_or(&request.unit);
    let named = names.unit_at(session.unit(&names, typed)?);
    let level = named.level;
    let approval = Approval {
        unit: named.id,
        may_delegate: approving
            .may_delegate
            .unwrap_or(level < hub_core::fact::unit::Level::Enterprise),
        days: approving.days,
        with_person_key: approving
            .person_key
            .unwrap_or(level <= hub_core::fact::unit::Level::County),
    };
    let federation = session.shared.node.federation();
    let now = session.replica().now();
    let mut tokens = Tokens::load(&session.shared.node.data_dir())?;
    // a node that was enrolled before is known by the key it had
    let proven = enrol::is_proven(session.replica(), &request, approval.unit)?;
    if !proven {
        let checked = tokens.check(federation, &request.token, approval.unit, now);
        checked.map_err(|refused| token_refused(refused, &named.name))?;
    }
    let children = session.shared.node.children_file();
    let approved = enrol::approve(session.replica(), &request, &approval, &children)?;
    if !request.token.trim().is_empty() {
        tokens.forget(federation, &request.token)?;
    }
    let written = session.io.write_file(&approving.out, &approved.answer);
    written.map_err(|error| CommandError::File { path: approving.out.clone(), error })?;
    let (unit, code, out) = (&named.name, check_words(&bytes), &approving.out);
    let key = if approval.with_person_key { "✓" } else { "–" };
    session.say(
        &format!("已批准接入:{unit}(核对码 {code},会员识别密钥 {key}),答复已写入 {out}"),
        &format!("enrolled: {unit} (check code {code}, person key {key}); answer written to {out}"),
    )?;
    if request.continues.is_some() && !proven {
        session.say(
            "注意:申请没有用原来一期的有效密钥签名,谁都可能做得出来;交回答复前务必电话核对核对码",
            "beware: no valid key of the epoch before has signed this request, anybody may have made it; compare \
             the check code by telephone before you hand the answer back",
        )?;
    }
    if approved.logins_changed && session.shared.node.config.server.is_some() {
        session.say(
            "消息服务的登录名单有变:请先重新生成配置(hub ops nats-config)并重载消息服务,再交回答复",
            "the list of logins is another: write the server's configuration anew (hub ops nats-config) and \
             reload it before you hand the answer back",
        )?;
    }
    Ok(0)
}

/// Makes a token for whoever is to set up a node below.
///
/// # Errors
/// No such unit below this one, or the token cannot be kept.
pub fn token(session: &Session<'_>, unit: &str, hours: u32) -> Result<u8, CommandError> {
    let own = session.own_unit()?;
    let names = session.names();
    let place = session.unit(&names, unit)?;
    let own_place = names.place_of(&own);
    if !own_place.is_some_and(|own| own != place && names.is_at_or_below(place, own)) {
        let path = names.unit_path(place);
        return Err(CommandError::refused(
            format!("“{path}”不在本级之下"),
            format!("“{path}” is not below this node's unit"),
        ));
    }
    let now = session.replica().now();
    let expires = now + u64::from(hours) * HOUR_MILLIS;
    let federation = session.shared.node.federation();
    let mut tokens = Tokens::load(&session.shared.node.data_dir())?;
    let token = tokens.issue(federation, names.unit_at(place).id, now, expires)?;
    let path = names.unit_path(place);
    session.say(
        &format!(
            "“{path}”的一次性口令:{token}\n{hours} 小时内有效,用一次即作废;请当面或电话告知经办人"
        ),
        &format!(
            "one-time token for “{path}”: {token}\nvalid for {hours} hours and once; tell it in person or by phone"
        ),
    )?;
    Ok(0)
}

fn token_refused(refused: TokenRefused, unit: &str) -> CommandError {
    let (zh, en) = match refused {
        TokenRefused::Missing => (
            "已为该单位发过一次性口令,而申请中没有;请核实申请人",
            "a token was handed out for this unit and the request brings none; ask who made it",
        ),
        TokenRefused::Unknown => (
            "申请中的口令从未发出,或已用过;请重新发放:hub enrol token",
            "its token was never handed out, or was used; make another: hub enrol token",
        ),
        TokenRefused::OtherUnit => {
            ("申请中的口令是发给另一个单位的", "its token was handed out for another unit")
        }
        TokenRefused::Expired => (
            "申请中的口令已过期;请重新发放:hub enrol token",
            "its token is over; make another: hub enrol token",
        ),
    };
    CommandError::refused(
        format!("未批准“{unit}”接入:{zh}"),
        format!("“{unit}” not enrolled: {en}"),
    )
}

/// Takes the parent's answer in.
///
/// # Errors
/// The answer does not lead from the pinned root to this node's key.
pub fn accept(
    directory: &Path,
    answer: &str,
    url: Option<&str>,
    tls_ca: Option<PathBuf>,
    lang: Lang,
    io: &dyn CommandIo,
) -> Result<u8, CommandError> {
    let bytes = read(io, answer)?;
    let accepted = enrol::accept(directory, &bytes, url, tls_ca)?;
    let until = hub_core::time::Day::of_millis(accepted.enrolment.expires);
    let text = lang.pick(
        format!("接入完成,上级节点 {},有效期至 {until}\n", accepted.parent),
        format!("enrolled by node {}, valid until {until}\n", accepted.parent),
    );
    io.out(&text).map_err(CommandError::Screen)?;
    Ok(0)
}

/// The root key a person typed: 64 hex digits, spaces and hyphens allowed.
///
/// # Errors
/// Anything else.
pub fn root_key(typed: &str) -> Result<RootKey, CommandError> {
    let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let bytes = hub_core::hash::hex_decode(&digits).and_then(|b| <[u8; 32]>::try_from(b).ok());
    bytes.map(RootKey).ok_or_else(|| {
        CommandError::refused(
            format!("根密钥应为64位十六进制数,实为“{typed}”"),
            format!("root key: expected 64 hex digits, found {typed:?}"),
        )
    })
}
