//! The configuration of one node: `hub.toml` in its data directory.
//!
//! Every field is documented here and nowhere else. An unknown field is refused: a misspelt limit must
//! not silently be no limit. Secrets never stand here; they are files of `keys/`.

use hub_core::hash::{hex_decode, hex_encode};
use hub_core::id::{FederationId, NodeId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The name of the file in the data directory.
pub const CONFIG_FILE: &str = "hub.toml";

/// A node's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the node keeps everything. Relative to the directory of this file, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The public key of the federation's root, 64 hex digits: the one thing that is trusted unseen.
    pub root_key: RootKey,
    /// The id of this node, as `hub init` or `hub enrol request` gave it.
    pub node: NodeId,
    /// A copy of the chain heads outside the data directory: after a restore from a backup it shows that
    /// the node would sign twice at one height (DESIGN §10). Relative to the directory of this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_copy: Option<PathBuf>,
    /// The node above. Without it this is the root, or a node not enrolled yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentConfig>,
    /// Instead of a parent: the node whose journal this directory follows, block by block, as its standby or
    /// as an auditor's copy. It states nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<ParentConfig>,
    /// The NATS server on which this node serves its children. Without it the node has none, or they
    /// work by bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerConfig>,
    /// Folders through which this node talks to neighbours that it does not reach otherwise. Without it
    /// bundles are made and taken by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<CourierConfig>,
    /// Where the node tells how it stands, for Prometheus. Without it nothing listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsConfig>,
    /// Bounds.
    #[serde(default, skip_serializing_if = "LimitsConfig::is_default")]
    pub limits: LimitsConfig,
}

/// Folders through which a node talks to neighbours. Whatever carries the files may lose, double and
/// reorder them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourierConfig {
    /// Bundles for others are put here. Relative to the directory of this file.
    pub out: PathBuf,
    /// Bundles for this node are found here; those taken in are deleted, those refused are moved into
    /// `refused/` with the reason. A folder may be shared: what is for others is left alone.
    #[serde(rename = "in")]
    pub inbox: PathBuf,
    /// Who is served by folder: `parent`, `children`, or both. By default the parent if it has no `url`,
    /// and the children if there is no `[server]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Neighbours>,
    /// Whether nothing can come back: each export goes on where the last one ended. Without it what was
    /// not receipted is written again after `resend_hours`.
    #[serde(default)]
    pub one_way: bool,
    /// The extension of the files, for gates that let only certain ones through: ASCII letters and digits.
    #[serde(default = "default_extension")]
    pub extension: String,
    /// The most megabytes of messages in one file, at most 64.
    #[serde(default = "default_max_mb")]
    pub max_mb: u32,
    /// How often the folders are looked at, in seconds; 0 is twenty times a second.
    #[serde(default = "default_every_seconds")]
    pub every_seconds: u32,
    /// After how many hours without a receipt the same is written again.
    #[serde(default = "default_resend_hours")]
    pub resend_hours: u32,
}

/// Who a courier serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neighbours {
    /// The node above.
    Parent,
    /// The nodes directly below.
    Children,
}

fn default_extension() -> String {
    "hub".to_owned()
}

fn default_max_mb() -> u32 {
    64
}

fn default_every_seconds() -> u32 {
    30
}

fn default_resend_hours() -> u32 {
    24
}

impl CourierConfig {
    /// Folders with the usual habits.
    pub fn of_folders(out: PathBuf, inbox: PathBuf) -> Self {
        Self {
            out,
            inbox,
            to: Vec::new(),
            one_way: false,
            extension: default_extension(),
            max_mb: default_max_mb(),
            every_seconds: default_every_seconds(),
            resend_hours: default_resend_hours(),
        }
    }
}

/// The page for those who watch over nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port, e.g. `127.0.0.1:9469`. The page is open to whoever reaches it: keep it on
    /// loopback or behind a firewall.
    pub listen: SocketAddr,
}

/// How to reach the node above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentConfig {
    /// Its id.
    pub node: NodeId,
    /// Its NATS server, e.g. `tls://hub.heihe.example:4222`. Several, separated by commas, are tried in
    /// turn. Without it everything travels in bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A PEM file with the certificates that vouch for the server, beside those of the system. Relative
    /// to the directory of this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<PathBuf>,
}

/// The NATS server for the children of this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where this node finds it, e.g. `nats://127.0.0.1:4222`. The servers of a cluster, separated by commas.
    pub url: String,
    /// As for the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<PathBuf>,
    /// The most bytes of blocks under way that the server keeps for all children together.
    #[serde(default = "default_stream_bytes")]
    pub stream_bytes: u64,
    /// The most blocks under way that the server keeps for one child; a child beyond that waits, and
    /// blocks no other.
    #[serde(default = "default_messages_per_child")]
    pub messages_per_child: u32,
    /// How many servers of a cluster keep each block under way: 1, or 3 where there are three.
    #[serde(default = "default_replicas", skip_serializing_if = "is_default_replicas")]
    pub replicas: u8,
}

impl ServerConfig {
    /// A server with the usual bounds.
    pub fn of_url(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            tls_ca: None,
            stream_bytes: default_stream_bytes(),
            messages_per_child: default_messages_per_child(),
            replicas: default_replicas(),
        }
    }
}

fn default_replicas() -> u8 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_default_replicas(replicas: &u8) -> bool {
    *replicas == default_replicas()
}

fn default_stream_bytes() -> u64 {
    1 << 30
}

fn default_messages_per_child() -> u32 {
    1_024
}

/// Bounds of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The length to which segments of the journal are preallocated, in bytes: 4 KiB to 1 GiB.
    pub segment_bytes: u64,
    /// How long a command waits, in seconds, for a daemon that holds the directory and does not answer
    /// yet: it may be folding its journal.
    pub command_wait_seconds: u32,
    /// How many facts one child may bring in a day, with all that stands below it; as many may come at once.
    /// 0: as many as it likes. What is more stays with the child until there is room.
    pub child_facts_per_day: u64,
    /// The same in bytes of blocks.
    pub child_bytes_per_day: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 8 << 20,
            command_wait_seconds: 10,
            // a city with ten counties of a million members each loads all of them in one day
            child_facts_per_day: 40_000_000,
            child_bytes_per_day: 8 << 30,
        }
    }
}

impl LimitsConfig {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The public key of a federation's root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RootKey(pub [u8; 32]);

impl RootKey {
    /// The federation it founds.
    pub fn federation(&self) -> FederationId {
        FederationId::of_root_key(&self.0)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({})", hex_encode(&self.0))
    }
}

impl Serialize for RootKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex_encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for RootKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex_decode(&text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(Self).ok_or_else(
            || serde::de::Error::custom(format!("expected 64 hex digits, found {text:?}")),
        )
    }
}

/// A configuration that cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read or written.
    Io {
        /// Which file.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// It is not what is documented.
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// It cannot be written as TOML.
    Unwritable(String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Syntax { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Unwritable(error) => write!(f, "the configuration cannot be written: {error}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Where a node's things are: a configuration with its paths made whole.
#[derive(Debug, Clone)]
pub struct Node {
    /// What the file says.
    pub config: Config,
    /// The directory of the file.
    pub base: PathBuf,
}

impl Node {
    /// Reads a configuration file, or `hub.toml` of a data directory.
    ///
    /// # Errors
    /// What is wrong, with the place in the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let path = if path.is_dir() { path.join(CONFIG_FILE) } else { path.to_owned() };
        let io = |error| ConfigError::Io { path: path.clone(), error };
        let text = fs::read_to_string(&path).map_err(io)?;
        let config = toml::from_str(&text)
            .map_err(|error| ConfigError::Syntax { path: path.clone(), error: Box::new(error) })?;
        let base = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self { config, base })
    }

    /// Makes a path of the file whole.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.config.data_dir.as_ref().map_or_else(|| self.base.clone(), |path| self.resolve(path))
    }

    /// The key files.
    pub fn keys_dir(&self) -> PathBuf {
        self.data_dir().join("keys")
    }

    /// The local socket.
    pub fn socket(&self) -> PathBuf {
        self.data_dir().join("hub.sock")
    }

    /// The list of NATS users of those that follow this node's journal.
    pub fn followers_file(&self) -> PathBuf {
        self.data_dir().join("followers.toml")
    }

    /// The list of NATS users of the children.
    pub fn children_file(&self) -> PathBuf {
        self.data_dir().join("children.toml")
    }

    /// The federation.
    pub fn federation(&self) -> FederationId {
        self.config.root_key.federation()
    }
}

impl Config {
    /// The configuration of a new node: what it is, and the usual of everything else.
    pub fn of_node(root_key: RootKey, node: NodeId) -> Self {
        Self {
            data_dir: None,
            root_key,
            node,
            head_copy: None,
            parent: None,
            follow: None,
            server: None,
            courier: None,
            metrics: None,
            limits: LimitsConfig::default(),
        }
    }

    /// The node from which this one hears: its parent, or the one it follows.
    pub fn above(&self) -> Option<&ParentConfig> {
        self.parent.as_ref().or(self.follow.as_ref())
    }

    /// The file's text.
    ///
    /// # Errors
    /// A value TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::Unwritable(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Config {
        Config {
            data_dir: Some("data".into()),
            root_key: RootKey([0xab; 32]),
            node: NodeId::of_first_key(&[1; 32]),
            head_copy: Some("/var/backups/hub-head".into()),
            parent: Some(ParentConfig {
                node: NodeId::of_first_key(&[2; 32]),
                url: Some("tls://hub.example:4222".into()),
                tls_ca: Some("ca.pem".into()),
            }),
            follow: None,
            server: Some(ServerConfig {
                url: "nats://127.0.0.1:4222".into(),
                tls_ca: None,
                stream_bytes: 1 << 20,
                messages_per_child: 9,
                replicas: 3,
            }),
            courier: Some(CourierConfig {
                to: vec![Neighbours::Parent],
                one_way: true,
                ..CourierConfig::of_folders("gate/out".into(), "gate/in".into())
            }),
            metrics: Some(MetricsConfig { listen: ([127, 0, 0, 1], 9469).into() }),
            limits: LimitsConfig {
                segment_bytes: 1 << 20,
                command_wait_seconds: 2,
                child_facts_per_day: 1_000,
                child_bytes_per_day: 0,
            },
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(CONFIG_FILE);
        fs::write(&path, whole().to_toml().unwrap()).unwrap();
        let node = Node::load(directory.path()).unwrap();
        assert_eq!(node.config, whole());
        assert_eq!(node.data_dir(), directory.path().join("data"));
    }

    #[test]
    fn an_unknown_field_is_refused_and_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(CONFIG_FILE);
        let text = whole().to_toml().unwrap().replace("stream_bytes", "stream_byte");
        fs::write(&path, text).unwrap();
        let error = Node::load(&path).unwrap_err().to_string();
        assert!(error.contains("stream_byte") && error.contains("stream_bytes"), "{error}");

        fs::write(&path, "root_key = \"xyz\"").unwrap();
        let error = Node::load(&path).unwrap_err().to_string();
        assert!(error.contains("64 hex digits"), "{error}");
    }
}
