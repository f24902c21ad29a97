//! `hub ops nats-config`: the configuration of the server on which a node serves its children.

use super::error::CommandError;
use super::session::Session;
use crate::cli::NatsConfig;
use crate::config::{CONFIG_FILE, Config, Node, ServerConfig};
use crate::ops_nats::{
    CLUSTER_SERVERS, Children, ClusterPlan, RouteFiles, ServerPlan, replace_file,
};
use crate::tls;
use hub_core::hash::hex_encode;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The secret from which the password of a cluster's servers is made.
const ROUTE_KEY: &str = "nats_route";

/// Writes it, or those of a cluster, makes certificates if asked to, and points the node itself there.
///
/// # Errors
/// An address that is open to others without TLS, or a file that cannot be written.
pub fn write(session: &Session<'_>, asked: &NatsConfig) -> Result<u8, CommandError> {
    let servers = Servers::of(asked)?;
    let websocket = asked.websocket.as_deref().map(Listen::of).transpose()?;
    let open = servers.all().chain(&websocket).any(|listen| !listen.is_loopback());
    let wants_tls = asked.tls || asked.tls_cert.is_some();
    if open && !wants_tls && !asked.plain {
        return Err(CommandError::refused(
            "监听地址对外开放,需要加密:请加 --tls(自建证书)或 --tls-cert 和 --tls-key;\
             网络本身已加密的,请加 --plain",
            "the address is open to others and needs TLS: --tls for certificates of its own, \
             --tls-cert and --tls-key for yours, --plain where the network itself is encrypted",
        ));
    }
    let (certificates, ca) = certificates(session, asked, &servers)?;
    let routes = cluster(session, &servers, certificates.is_some())?;
    let plan = plan(session, asked, certificates)?;
    let scheme = if plan.tls.is_some() { "tls" } else { "nats" };
    let urls: Vec<String> =
        servers.clients.iter().map(|listen| format!("{scheme}://{}", listen.dialled())).collect();
    let outs = match routes {
        None => vec![write_one(session, &plan, asked.out.clone())?],
        Some(routes) => write_cluster(session, &plan, (&servers, &routes), &asked.out)?,
    };
    point_at(session, &urls, ca.clone())?;
    tell(session, &outs, &urls, ca.as_deref())
}

fn plan(
    session: &Session<'_>,
    asked: &NatsConfig,
    tls: Option<(PathBuf, PathBuf)>,
) -> Result<ServerPlan, CommandError> {
    let node = &session.shared.node;
    let children = Children::of_node(node);
    let mut children = children.map_err(|error| CommandError::Machine(error.to_string()))?;
    // whoever a node further up has cut off is not let in here either
    let view = session.replica().read();
    children.child.retain(|child| !view.authority().is_cut_off(child.node));
    Ok(ServerPlan {
        federation: node.federation(),
        parent: node.config.node,
        parent_user: session.replica().keys().nats_user()?.public().to_owned(),
        children,
        listen: asked.listen.clone().unwrap_or_default(),
        store_dir: node.data_dir().join("jetstream"),
        tls,
        websocket: asked.websocket.clone(),
        cluster: None,
    })
}

fn write_one(
    session: &Session<'_>,
    plan: &ServerPlan,
    out: String,
) -> Result<String, CommandError> {
    let written = session.io.write_file(&out, plan.to_config().as_bytes());
    written.map_err(|error| CommandError::File { path: out.clone(), error })?;
    Ok(out)
}

/// Writes the configurations of all servers of a cluster, each into a file of its own.
fn write_cluster(
    session: &Session<'_>,
    plan: &ServerPlan,
    (servers, routes): (&Servers, &ClusterPlan),
    out: &str,
) -> Result<Vec<String>, CommandError> {
    let mut outs = Vec::new();
    for (number, client) in (1..).zip(&servers.clients) {
        let store = format!("jetstream-{number}");
        let plan = ServerPlan {
            listen: client.typed(),
            store_dir: plan.store_dir.with_file_name(store),
            cluster: Some(ClusterPlan { number, ..routes.clone() }),
            ..plan.clone()
        };
        outs.push(write_one(session, &plan, numbered(out, number))?);
    }
    Ok(outs)
}

/// The file for one server: its number before the extension.
fn numbered(out: &str, number: usize) -> String {
    let path = Path::new(out);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    let name = format!("{stem}-{number}{}", extension.unwrap_or_default());
    path.with_file_name(name).to_string_lossy().into_owned()
}

fn tell(
    session: &Session<'_>,
    outs: &[String],
    urls: &[String],
    ca: Option<&Path>,
) -> Result<u8, CommandError> {
    let out = outs.join(" ");
    session.say(
        &format!("已写入 {out};消息服务重新载入后生效(systemctl reload hub-nats),地址改了的还要重启 hub run"),
        &format!(
            "written to {out}; takes effect when the server reloads it (kill -HUP), a new address when hub run \
             starts again"
        ),
    )?;
    if urls.len() > 1 {
        let urls: String = urls.iter().map(|url| format!(" --url {url}")).collect();
        session.say(
            &format!(
                "每台服务器用各自的一份(内含互认口令,按密件传递);下级:hub enrol accept …{urls}"
            ),
            &format!(
                "one for each server (they hold a password: hand them over in secret); children: \
                 hub enrol accept …{urls}"
            ),
        )?;
    }
    if let Some(ca) = ca {
        let ca = ca.display();
        session.say(
            &format!("下级接入时请带上 {ca}:hub enrol accept … --tls-ca ca.pem"),
            &format!("children need {ca}: hub enrol accept … --tls-ca ca.pem"),
        )?;
    }
    Ok(0)
}

/// What the servers of a cluster know of each other; none for a server alone.
fn cluster(
    session: &Session<'_>,
    servers: &Servers,
    tls: bool,
) -> Result<Option<ClusterPlan>, CommandError> {
    if servers.routes.is_empty() {
        return Ok(None);
    }
    let secret = session.replica().keys().load_or_create(ROUTE_KEY)?;
    let routes = servers.routes.iter().map(Listen::typed).collect();
    let tls = tls.then(|| route_files(session, servers)).transpose()?;
    Ok(Some(ClusterPlan { number: 1, routes, password: hex_encode(&*secret), tls }))
}

/// Certificates between the servers are always of this node's own CA: those of others rarely serve both
/// for dialling and for being dialled.
fn route_files(session: &Session<'_>, servers: &Servers) -> Result<RouteFiles, CommandError> {
    let hosts: Vec<String> = servers.routes.iter().map(|route| route.host.clone()).collect();
    let node = &session.shared.node;
    let (directory, owner) = (node.data_dir().join("tls"), node.config.node.to_string());
    let files = tls::make_route(&directory, &owner, &hosts, session.replica().now())
        .map_err(|error| CommandError::Machine(error.to_string()))?;
    let [certificate, key, ca] =
        [&files.certificate, &files.key, &files.ca].map(|path| whole(path));
    Ok(RouteFiles { certificate: certificate?, key: key?, ca: ca? })
}

/// Certificate and key for the server, and what vouches for them if it is this node's own CA.
#[allow(clippy::type_complexity, reason = "two optional results of one decision")]
fn certificates(
    session: &Session<'_>,
    asked: &NatsConfig,
    servers: &Servers,
) -> Result<(Option<(PathBuf, PathBuf)>, Option<PathBuf>), CommandError> {
    if let (Some(certificate), Some(key)) = (&asked.tls_cert, &asked.tls_key) {
        return Ok((Some((whole(certificate)?, whole(key)?)), None));
    }
    if !asked.tls {
        return Ok((None, None));
    }
    let mut hosts = asked.host.clone();
    hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    for listen in &servers.clients {
        if !listen.is_everywhere() && !hosts.contains(&listen.host) {
            hosts.push(listen.host.clone());
        }
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

/// The node's own configuration names the servers it serves on; all of a cluster keep what is under way.
fn point_at(
    session: &Session<'_>,
    urls: &[String],
    ca: Option<PathBuf>,
) -> Result<(), CommandError> {
    // as it stands in the file now: somebody may have edited it since the daemon started
    let node = Node::load(&session.shared.node.base)?;
    let (known, url) = (node.config.server.clone(), urls.join(","));
    let server = known.clone().unwrap_or_else(|| ServerConfig::of_url(&url));
    let replicas = if urls.len() == CLUSTER_SERVERS { CLUSTER_SERVERS as u8 } else { 1 };
    let server = ServerConfig { url, tls_ca: ca, replicas, ..server };
    if known.as_ref() == Some(&server) {
        return Ok(());
    }
    let config = Config { server: Some(server), ..node.config.clone() };
    let path = node.base.join(CONFIG_FILE);
    replace_file(&path, &config.to_toml()?)
        .map_err(|error| CommandError::File { path: path.to_string_lossy().into_owned(), error })
}

/// Where servers listen: one alone, or those of a cluster.
struct Servers {
    /// For nodes.
    clients: Vec<Listen>,
    /// For each other; empty for one alone.
    routes: Vec<Listen>,
}

impl Servers {
    fn of(asked: &NatsConfig) -> Result<Self, CommandError> {
        if let Some(listen) = &asked.listen {
            return Ok(Self { clients: vec![Listen::of(listen)?], routes: Vec::new() });
        }
        let found = asked.cluster.len();
        let pairs: Vec<_> =
            asked.cluster.iter().filter_map(|typed| typed.split_once('/')).collect();
        if found != CLUSTER_SERVERS || pairs.len() != found {
            return Err(CommandError::refused(
                format!(
                    "集群要写 {CLUSTER_SERVERS} 次 --cluster 接节点的地址/接另两台的地址,实为 {found} 次"
                ),
                format!(
                    "a cluster takes --cluster ADDRESS/ADDRESS {CLUSTER_SERVERS} times (for nodes, and for \
                     the other servers), found {found}"
                ),
            ));
        }
        let mut servers = Self { clients: Vec::new(), routes: Vec::new() };
        for (client, route) in pairs {
            servers.clients.push(Listen::of(client)?);
            servers.routes.push(Listen::of(route)?);
        }
        // the others dial what stands here
        if let Some(listen) = servers.all().find(|listen| listen.is_everywhere()) {
            let found = listen.typed();
            return Err(CommandError::refused(
                format!("集群中每台要写别的机器能连的地址,实为“{found}”"),
                format!("a cluster needs addresses that other machines reach, found {found:?}"),
            ));
        }
        Ok(servers)
    }

    fn all(&self) -> impl Iterator<Item = &Listen> {
        self.clients.iter().chain(&self.routes)
    }
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
        match self.is_everywhere() {
            true => format!("127.0.0.1:{}", self.port),
            false => self.typed(),
        }
    }

    fn typed(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}
