//! Subjects, streams and inboxes: who may say what where (DESIGN §10).
//!
//! Every name carries the federation and the parent, so that several of both can share a server. Ids are
//! 32 hex digits: dots and stars would be syntax.

use hub_core::hash::{hex_decode, hex_encode};
use hub_core::id::{FederationId, NodeId};
use hub_node::io::Channel;

/// The names of one parent's corner of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    federation: String,
    parent: String,
}

impl Subjects {
    /// The names for the children of `parent`.
    pub fn new(federation: FederationId, parent: NodeId) -> Self {
        Self {
            federation: hex_encode(federation.as_bytes()),
            parent: hex_encode(parent.as_bytes()),
        }
    }

    fn subject(&self, channel: Channel, child: &str) -> String {
        let word = match channel {
            Channel::Up => "up",
            Channel::Ask => "ask",
            Channel::Down => "dn",
        };
        format!("{}.{word}.{child}", self.prefix())
    }

    fn prefix(&self) -> String {
        format!("hub.{}.{}", self.federation, self.parent)
    }

    /// Where one child's messages of this channel go.
    pub fn of_child(&self, channel: Channel, child: NodeId) -> String {
        self.subject(channel, &hex_encode(child.as_bytes()))
    }

    /// Where all children's messages of this channel go.
    pub fn of_all(&self, channel: Channel) -> String {
        self.subject(channel, "*")
    }

    /// Everything of this parent.
    pub fn everything(&self) -> String {
        format!("{}.>", self.prefix())
    }

    /// The child a subject names; `None` when it is not one of these.
    pub fn child(&self, channel: Channel, subject: &str) -> Option<NodeId> {
        let (prefix, child) = subject.rsplit_once('.')?;
        if self.subject(channel, "*").strip_suffix(".*") != Some(prefix) || child.len() != 32 {
            return None;
        }
        let bytes: [u8; 16] = hex_decode(child)?.try_into().ok()?;
        Some(NodeId(bytes))
    }

    /// The stream that keeps what children send up.
    pub fn stream(&self) -> String {
        format!("hub_{}_{}", self.federation, self.parent)
    }
}

/// Where answers to a node's own requests come: no other user may listen there.
pub fn inbox_prefix(node: NodeId) -> String {
    format!("_INBOX_{}", hex_encode(node.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_its_child_and_no_other_parent_s() {
        let federation = FederationId([1; 16]);
        let (parent, child) = (NodeId([0xaa; 16]), NodeId([0xbc; 16]));
        let subjects = Subjects::new(federation, parent);
        let up = subjects.of_child(Channel::Up, child);
        assert_eq!(
            up,
            "hub.01010101010101010101010101010101.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
             .up.bcbcbcbcbcbcbcbcbcbcbcbcbcbcbcbc"
        );
        assert_eq!(subjects.child(Channel::Up, &up), Some(child));
        assert_eq!(subjects.child(Channel::Ask, &up), None);
        assert_eq!(Subjects::new(federation, child).child(Channel::Up, &up), None);
        assert_eq!(subjects.child(Channel::Up, &up[..up.len() - 1]), None);
        assert_eq!(subjects.child(Channel::Up, "up"), None);
    }
}
