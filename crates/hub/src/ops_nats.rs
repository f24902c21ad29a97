//! The configuration of the nats-server on which a node serves its children.
//!
//! One user per child, with exactly the rights of DESIGN §10 and nothing on `$JS.>`: whoever steals a
//! child's key can send in that child's name, and neither read nor delete nor block anything else. The
//! text holds public keys only (that of a cluster also the password of its servers), and works on nats-server
//! 2.9 and later.

mod cluster;

pub use cluster::{CLUSTER_SERVERS, ClusterPlan, RouteFiles};

use crate::config::Node;
use crate::keys::{KeyError, KeyStore, is_nats_user};
use crate::nats::{Channel, Subjects, inbox_prefix};
use hub_core::id::{FederationId, NodeId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A child and the user as whom it logs in; from its request for enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildUser {
    /// The child.
    pub node: NodeId,
    /// The public key of its NATS user, `U…`.
    pub nats_user: String,
    /// The user it had before its last renewal, until it is renewed again: it goes on logging in by that until it
    /// has accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_user: Option<String>,
    /// What people call it; a comment in the configuration.
    pub name: String,
}

impl ChildUser {
    /// A child that logs in as this user and no other.
    pub fn new(node: NodeId, nats_user: String, name: String) -> Self {
        Self { node, nats_user, former_user: None, name }
    }

    /// The users as whom it may log in.
    fn users(&self) -> impl Iterator<Item = &str> {
        let former = self.former_user.iter().filter(|former| **former != self.nats_user);
        std::iter::once(&self.nats_user).chain(former).map(String::as_str)
    }
}

/// The children of a node: `children.toml` in its data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Children {
    /// In order of node, each once.
    #[serde(default)]
    pub child: Vec<ChildUser>,
}

/// A list of children that cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChildrenError {
    /// The file cannot be read or written.
    Io {
        /// Which file.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// It is not what is expected.
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        error: String,
    },
    /// A child's user is no NATS user.
    User {
        /// What stands there.
        found: String,
    },
}

impl fmt::Display for ChildrenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Syntax { path, error } => write!(f, "{}: {error}", path.display()),
            Self::User { found } => {
                write!(f, "expected the public key of a NATS user (U…), found {found:?}")
            }
        }
    }
}

impl std::error::Error for ChildrenError {}

/// Why a node has no plan for its server.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlanError {
    /// Its own user cannot be read.
    Key(KeyError),
    /// The list of children cannot be read.
    Children(ChildrenError),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Children(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}

impl Children {
    /// Reads the list; one that is not there is empty.
    ///
    /// # Errors
    /// A file that is no such list.
    pub fn load(path: &Path) -> Result<Self, ChildrenError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(ChildrenError::Io { path: path.to_owned(), error }),
        };
        let mut children: Self = toml::from_str(&text).map_err(|error| ChildrenError::Syntax {
            path: path.to_owned(),
            error: error.to_string(),
        })?;
        children.child.sort_by_key(|child| child.node);
        children.child.iter().try_for_each(check_user)?;
        Ok(children)
    }

    /// All who log in at a node's server: its children, and those that follow its journal.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub fn of_node(node: &Node) -> Result<Self, ChildrenError> {
        let mut all = Self::load(&node.children_file())?;
        for follower in Self::load(&node.followers_file())?.child {
            all.put(follower)?;
        }
        Ok(all)
    }

    /// Adds a child, or gives it another user.
    ///
    /// # Errors
    /// A user that is none.
    pub fn put(&mut self, child: ChildUser) -> Result<(), ChildrenError> {
        check_user(&child)?;
        match self.child.binary_search_by_key(&child.node, |child| child.node) {
            Ok(at) => self.child[at] = child,
            Err(at) => self.child.insert(at, child),
        }
        Ok(())
    }

    /// Takes a child off the list: its next log-in is refused. Says whether it was on it.
    pub fn remove(&mut self, node: NodeId) -> bool {
        let before = self.child.len();
        self.child.retain(|child| child.node != node);
        self.child.len() < before
    }

    /// Writes the list durably, all or nothing.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, path: &Path) -> Result<(), ChildrenError> {
        let text = toml::to_string(self).map_err(|error| ChildrenError::Syntax {
            path: path.to_owned(),
            error: error.to_string(),
        })?;
        replace_file(path, &text)
            .map_err(|error| ChildrenError::Io { path: path.to_owned(), error })
    }
}

fn check_user(child: &ChildUser) -> Result<(), ChildrenError> {
    match child.users().find(|user| !is_nats_user(user)) {
        None => Ok(()),
        Some(found) => Err(ChildrenError::User { found: found.to_owned() }),
    }
}

/// Puts a whole file in the place of another, durably.
///
/// # Errors
/// What the file system says; the old file then still stands.
pub fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let passing = path.with_file_name(name);
    let mut file = File::create(&passing)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&passing, path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// What a server's configuration is made of.
#[derive(Debug, Clone)]
pub struct ServerPlan {
    /// The federation.
    pub federation: FederationId,
    /// The node that serves its children here.
    pub parent: NodeId,
    /// The public key of its NATS user.
    pub parent_user: String,
    /// The children.
    pub children: Children,
    /// Where the server listens, `host:port`. Beyond loopback it needs `tls`.
    pub listen: String,
    /// Where JetStream keeps what is under way.
    pub store_dir: PathBuf,
    /// Certificate and key files, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where the server listens for WebSocket as well, `host:port`: for networks that open only 443.
    pub websocket: Option<String>,
    /// Its place among the servers of a cluster, if it is not alone.
    pub cluster: Option<ClusterPlan>,
}

/// The default of [`ServerPlan::listen`].
pub const LISTEN_DEFAULT: &str = "127.0.0.1:4222";

impl ServerPlan {
    /// The plan for the children a node has approved so far: it listens where the node's own
    /// configuration finds it, and keeps what is under way in `nats/` of the data directory.
    ///
    /// # Errors
    /// The list of children or the node's own user cannot be read.
    pub fn of_node(node: &Node) -> Result<Self, PlanError> {
        let user = KeyStore::new(node.keys_dir()).nats_user().map_err(PlanError::Key)?;
        let children = Children::of_node(node).map_err(PlanError::Children)?;
        let url = node.config.server.as_ref().map(|server| server.url.as_str());
        let first = url.and_then(|url| url.split(',').next());
        let listen = first.and_then(|url| url.split("://").nth(1)).unwrap_or(LISTEN_DEFAULT);
        Ok(Self {
            federation: node.federation(),
            parent: node.config.node,
            parent_user: user.public().to_owned(),
            children,
            listen: listen.to_owned(),
            store_dir: node.data_dir().join("nats"),
            tls: None,
            websocket: None,
            cluster: None,
        })
    }

    /// The text for `nats-server --config`. The same plan gives the same text.
    pub fn to_config(&self) -> String {
        let subjects = Subjects::new(self.federation, self.parent);
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = self.write_head(&mut text);
        let _ = self.write_parent(&mut text, &subjects);
        for child in &self.children.child {
            let _ = write_child(&mut text, &subjects, child);
        }
        text.push_str("  ]\n}\n");
        text
    }

    fn write_head(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "# nats-server for the children of node {}", self.parent)?;
        writeln!(text, "# Written by `hub ops nats-config`; changed by hand, it is overwritten.")?;
        writeln!(text, "# After a change: nats-server --signal reload, or kill -HUP its process.")?;
        let number = self.cluster.as_ref().map(|cluster| format!("_{}", cluster.number));
        let name = format!("hub_{}{}", self.parent, number.unwrap_or_default());
        writeln!(text, "server_name: {}", quoted(&name))?;
        writeln!(text, "listen: {}", quoted(&self.listen))?;
        writeln!(text, "max_payload: 1048576")?;
        let tls = self.tls.as_ref().map(|(certificate, key)| {
            let (certificate, key) = (path_text(certificate), path_text(key));
            format!("tls {{ cert_file: {certificate}, key_file: {key} }}")
        });
        if let Some(tls) = &tls {
            writeln!(text, "{tls}")?;
        }
        if let Some(listen) = &self.websocket {
            let tls = tls.as_deref().unwrap_or("no_tls: true");
            writeln!(text, "websocket {{ listen: {}, {tls} }}", quoted(listen))?;
        }
        writeln!(text, "jetstream {{ store_dir: {} }}", path_text(&self.store_dir))?;
        if let Some(cluster) = &self.cluster {
            cluster.write(text, self.parent)?;
        }
        writeln!(text, "authorization {{\n  users: [")
    }

    fn write_parent(&self, text: &mut String, subjects: &Subjects) -> fmt::Result {
        writeln!(text, "    # this node")?;
        let publish =
            [subjects.of_all(Channel::Down), "$JS.API.>".to_owned(), "$JS.ACK.>".to_owned()];
        let subscribe = [subjects.of_all(Channel::Ask), format!("{}.>", inbox_prefix(self.parent))];
        write_user(text, &self.parent_user, &publish, &subscribe)
    }
}

fn write_child(text: &mut String, subjects: &Subjects, child: &ChildUser) -> fmt::Result {
    let name: String = child.name.chars().filter(|c| !c.is_control()).take(100).collect();
    writeln!(text, "    # {name}")?;
    let publish =
        [subjects.of_child(Channel::Up, child.node), subjects.of_child(Channel::Ask, child.node)];
    let subscribe =
        [subjects.of_child(Channel::Down, child.node), format!("{}.>", inbox_prefix(child.node))];
    child.users().try_for_each(|user| write_user(text, user, &publish, &subscribe))
}

fn write_user(
    text: &mut String,
    user: &str,
    publish: &[String],
    subscribe: &[String],
) -> fmt::Result {
    writeln!(text, "    {{ nkey: {user}, permissions: {{")?;
    writeln!(text, "      publish: {{ allow: [{}] }}", listed(publish))?;
    writeln!(text, "      subscribe: {{ allow: [{}] }} }} }}", listed(subscribe))
}

fn listed(subjects: &[String]) -> String {
    subjects.iter().map(|subject| quoted(subject)).collect::<Vec<_>>().join(", ")
}

fn path_text(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// The server's configuration reads JSON strings.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{NatsUser, random_secret};

    fn user() -> String {
        NatsUser::of_secret(&random_secret().unwrap()).unwrap().public().to_owned()
    }

    #[test]
    fn children_are_kept_in_order_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("children.toml");
        let mut children = Children::load(&path).unwrap();
        for byte in [9, 3, 9] {
            let child = ChildUser::new(NodeId([byte; 16]), user(), "爱辉区".into());
            children.put(child).unwrap();
        }
        children.save(&path).unwrap();
        assert_eq!(Children::load(&path).unwrap(), children);
        assert_eq!(children.child.iter().map(|c| c.node.0[0]).collect::<Vec<_>>(), [3, 9]);

        let bad = ChildUser::new(NodeId::NIL, "x\" }".into(), String::new());
        assert!(matches!(children.put(bad), Err(ChildrenError::User { .. })));
        assert!(children.remove(NodeId([3; 16])) && !children.remove(NodeId([3; 16])));
        assert_eq!(children.child.len(), 1);
    }

    #[test]
    fn a_child_has_its_own_subjects_and_no_others() {
        let (parent, child) = (NodeId([0xaa; 16]), NodeId([0xbb; 16]));
        let mut children = Children::default();
        children.put(ChildUser::new(child, user(), "a\n} evil".into())).unwrap();
        let plan = ServerPlan {
            federation: FederationId([1; 16]),
            parent,
            parent_user: user(),
            children,
            listen: LISTEN_DEFAULT.into(),
            store_dir: "a \"quoted\" place".into(),
            tls: None,
            websocket: None,
            cluster: None,
        };
        let text = plan.to_config();
        let of_child = text.split("# a} evil\n").nth(1).unwrap();
        assert!(!of_child.contains("$JS") && !of_child.contains('*'), "{of_child}");
        assert_eq!(of_child.matches(&"bb".repeat(16)).count(), 4, "{of_child}");
        assert!(text.contains(r#"store_dir: "a \"quoted\" place""#));
    }
}
