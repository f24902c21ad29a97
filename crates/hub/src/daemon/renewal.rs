//! Enrolments that end soon, said in the log once a day: this node's own, and those of its children.

use crate::expiry::{self, Left};
use crate::replica::Replica;
use hub_core::id::NodeId;
use hub_core::time::{Day, Millis};

/// The last day on which it was said.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    said: Option<Day>,
}

impl Renewals {
    /// Time has passed.
    pub(super) fn tick(&mut self, replica: &Replica) {
        let today = Day::of_millis(replica.now());
        if replica.follows() || self.said.is_some_and(|said| today <= said) {
            return;
        }
        self.said = Some(today);
        for (node, expires, left) in due(replica) {
            let (own, until) = (node == replica.who().node, Day::of_millis(expires));
            match left {
                Left::Long => {}
                Left::Under(days) => {
                    tracing::warn!(%node, own, %until, days, "an enrolment ends within days: renew it");
                }
                Left::Over => {
                    tracing::error!(%node, own, %until, "an enrolment is over: what is written since is parked");
                }
            }
        }
    }
}

/// Whose enrolments are to be told of today, until when they hold, and what is left of them.
fn due(replica: &Replica) -> Vec<(NodeId, Millis, Left)> {
    let (who, now) = (replica.who(), replica.now());
    let children = expiry::of_children(replica);
    let view = replica.read();
    let own = expiry::of_writer(&view, (who.node, who.epoch));
    let own = own.map(|expires| (who.node, expires));
    let below = children.into_iter().map(|child| (child.node, child.expires));
    let all = own.into_iter().chain(below);
    let told = all.map(|(node, expires)| (node, expires, Left::of(&view, expires, now)));
    told.filter(|(_, _, left)| *left != Left::Long).collect()
}
