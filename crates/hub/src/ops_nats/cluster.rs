//! One server of a cluster: what its configuration says beside that of a server alone.
//!
//! All servers of a cluster hold every block under way; while more than half of them run, nothing stops.
//! They know each other by a password, and beyond loopback by certificates of the node's own CA as well.

use super::{path_text, quoted};
use hub_core::id::NodeId;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// How many servers make a cluster: the fewest of which one may be lost.
pub const CLUSTER_SERVERS: usize = 3;

/// The user as whom servers of one cluster log in at each other.
const ROUTE_USER: &str = "hub";

/// A server's place in its cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterPlan {
    /// Which of the servers it is, from 1 on.
    pub number: usize,
    /// Where each of them listens for the others, `host:port`, this one's included.
    pub routes: Vec<String>,
    /// What they show each other: letters and digits.
    pub password: String,
    /// The certificate they show each other, its key, and what vouches for both.
    pub tls: Option<RouteFiles>,
}

/// Files by which servers of a cluster know each other, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority that made it.
    pub ca: PathBuf,
}

impl fmt::Debug for ClusterPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, routes, tls, .. } = self;
        f.debug_struct("ClusterPlan")
            .field("number", number)
            .field("routes", routes)
            .field("tls", tls)
            .finish_non_exhaustive()
    }
}

impl ClusterPlan {
    pub(super) fn write(&self, text: &mut String, parent: NodeId) -> fmt::Result {
        let own = self.routes.get(self.number.saturating_sub(1)).ok_or(fmt::Error)?;
        let password = quoted(&self.password);
        writeln!(text, "cluster {{")?;
        writeln!(text, "  name: {}", quoted(&format!("hub_{parent}")))?;
        writeln!(text, "  listen: {}", quoted(own))?;
        // children know all addresses from their own configuration
        writeln!(text, "  no_advertise: true")?;
        writeln!(
            text,
            "  authorization {{ user: {ROUTE_USER}, password: {password}, timeout: 5 }}"
        )?;
        if let Some(RouteFiles { certificate, key, ca }) = &self.tls {
            let [certificate, key, ca] = [certificate, key, ca].map(|path| path_text(path));
            writeln!(
                text,
                "  tls {{ cert_file: {certificate}, key_file: {key}, ca_file: {ca}, verify: true, timeout: 5 }}"
            )?;
        }
        writeln!(text, "  routes: [")?;
        for route in &self.routes {
            let route = format!("nats-route://{ROUTE_USER}:{}@{route}", self.password);
            writeln!(text, "    {}", quoted(&route))?;
        }
        writeln!(text, "  ]\n}}")
    }
}
