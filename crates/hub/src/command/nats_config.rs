//! `hub ops nats-config`: the configuration of the server on which a node serves its children.

use super::error::CommandError;
use super::session::Session;
use crate::cli::NatsConfig;
use crate::config::{CONFIG_FILE, Config, ServerConfig};
use crate::ops_nats::{Children, ServerPlan, replace_file};
use crate::tls;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Writes it, makes certificates if asked to, and points the node itself at the server.
///
/// # Errors
/// An address that is open to others without TLS, or a file that cannot be written.
pub fn write(session: &Session<'_>, asked: &NatsConfig) -> Result<u8, CommandError> {
    let node = &session.shared.node;
    let machine = |error: &dyn std::fmt::Display| CommandError::Machine(error.to_string());
    let listen = Listen::of(&asked.listen)?;
    let open = std::iter::once(&listen).filter(|listen| !listen.is_loopback()).count();
    let websocket = asked.websocket.as_deref().map(Listen::of).transpose()?;
    let open = open + websocket.iter().filter(|listen| !listen.is_loopback()).count();
    let wants_tls = asked.tls || asked.tls_cert.is_some();
    if open > 0 && !wants_tls && !asked.plain {
        return Err(CommandError::refused(
            "监听地址对外开放,需要加密:请加 --tls(自建证书)或 --tls-cert 和 --tls-key;\
             网络本身已加密的,请加 --plain",
            "the address is open to others and needs TLS: --tls for certificates of its own, \
             --tls-cert and --tls-key for yours, --plain where the network itself is encrypted",
        ));
    }
    let (certificates, ca) = certificates(session, asked, &listen)?;
    let plan = ServerPlan {
        federation: node.federation(),
        parent: node.config.node,
        parent_user: session.replica().keys().nats_user()?.public().to_owned(),
        children: Children::of_node(node).map_err(|error| machine(&error))?,
        listen: asked.listen.clone(),
        store_dir: node.data_dir().join("jetstream"),
        tls: certificates,
        websocket: asked.websocket.clone(),
    };
    session
        .io
        .write_file(&asked.out, plan.to_config().as_bytes())
        .map_err(|error| CommandError::File { path: asked.out.clone(), error })?;
    let scheme = if plan.tls.is_some() { "tls" } else { "nats" };
    point_at(session, &format!("{scheme}://{}", listen.dialled()), ca.clone())?;
    let out = &asked.out;
    session.say(
        &format!("已写入 {out};重启 hub run 后生效"),
        &format!("written to {out}; takes effect when hub run starts again"),
    )?;
    if let Some(ca) = ca {
        let ca = ca.display();
        session.say(
            &format!("下级接入时请带上 {ca}:hub enrol accept … --tls-ca ca.pem"),
            &format!("children need {ca}: hub enrol accept … --tls-ca ca.pem"),
        )?;
    }
    Ok(0)
}

/// Certificate and key for the server, and what vouches for them if it is this node's own CA.
#[allow(clippy::type_complexity, reason = "two optional results of one decision")]
fn certificates(
    session: &Session<'_>,
    asked: &NatsConfig,
    listen: &Listen,
) -> Result<(Option<(PathBuf, PathBuf)>, Option<PathBuf>), CommandError> {
    if let (Some(certificate), Some(key)) = (&asked.tls_cert, &asked.tls_key) {
        return Ok((Some((whole(certificate)?, whole(key)?)), None));
    }
    if !asked.tls {
        return Ok((None, None));
    }
    let mut hosts = asked.host.clone();
    hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    if !listen.is_everywhere() && !hosts.contains(&listen.host) {
        hosts.push(listen.host.clone());
    }
    let node = &session.shared.node;
    let directory = node.data_dir().join("tls");
    let owner = node.config.node.to_string();
    let now = session.replica().now();
    let files = tls::make(&directory, &owner, &hosts, now)
        .map_err(|error| CommandError::Machine(error.to_string()))?;
    Ok((Some((whole(&files.certificate)?, whole(&files.key)?)), Some(whole(&files.ca)?)))
}

/// The server runs in a directory of its own: it needs whole paths.
fn whole(path: &Path) -> Result<PathBuf, CommandError> {
    std::fs::canonicalize(path)
        .map_err(|error| CommandError::File { path: path.display().to_string(), error })
}

/// The node's own configuration names the server it serves on.
fn point_at(session: &Session<'_>, url: &str, ca: Option<PathBuf>) -> Result<(), CommandError> {
    let node = &session.shared.node;
    let known = node.config.server.clone();
    let server = known.clone().unwrap_or_else(|| ServerConfig::of_url(url));
    let server = ServerConfig { url: url.to_owned(), tls_ca: ca, ..server };
    if known.as_ref() == Some(&server) {
        return Ok(());
    }
    let config = Config { server: Some(server), ..node.config.clone() };
    let path = node.base.join(CONFIG_FILE);
    replace_file(&path, &config.to_toml()?)
        .map_err(|error| CommandError::File { path: path.to_string_lossy().into_owned(), error })
}

/// An address to listen on.
struct Listen {
    host: String,
    port: u16,
}

impl Listen {
    fn of(typed: &str) -> Result<Self, CommandError> {
        let parts = typed.rsplit_once(':');
        let parsed = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let Some((host, port)) = parsed.filter(|(host, _)| !host.is_empty()) else {
            return Err(CommandError::refused(
                format!("监听地址应为 主机:端口,如 127.0.0.1:4222,实为“{typed}”"),
                format!("expected host:port such as 127.0.0.1:4222, found {typed:?}"),
            ));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port })
    }

    fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    fn is_everywhere(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
    }

    /// How this node itself reaches it.
    fn dialled(&self) -> String {
        let Self { host, port } = self;
        match host.as_str() {
            _ if self.is_everywhere() => format!("127.0.0.1:{port}"),
            host if host.contains(':') => format!("[{host}]:{port}"),
            host => format!("{host}:{port}"),
        }
    }
}
