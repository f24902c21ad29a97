//! When enrolments end, and from when on that is said (DESIGN §9): the policy names the days before.

use crate::replica::Replica;
use crate::status;
use hub_core::id::NodeId;
use hub_core::time::{DAY_MILLIS, Millis};
use hub_core::view::View;
use serde::{Deserialize, Serialize};

/// Until when a node below is enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildExpiry {
    /// The node.
    pub node: NodeId,
    /// Until when its newest enrolment holds.
    pub expires: Millis,
}

/// What is left of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Longer than anybody need be told.
    Long,
    /// Fewer than one of the policy's numbers of days, the least of them.
    Under(u32),
    /// Nothing: what is written since is parked until it is renewed.
    Over,
}

impl Left {
    /// What is left at `now`.
    pub fn of(view: &View, expires: Millis, now: Millis) -> Self {
        let Some(left) = expires.checked_sub(now).filter(|left| *left > 0) else {
            return Self::Over;
        };
        let under = |days: &&u32| left < u64::from(**days) * DAY_MILLIS;
        let warned = view.policy().enrolment_warning_days.iter().filter(under).min();
        warned.map_or(Self::Long, |days| Self::Under(*days))
    }

    /// Whether a command that shows it ends with 1: all but the first of the policy's warnings.
    pub fn is_urgent(self, view: &View) -> bool {
        match self {
            Self::Long => false,
            Self::Under(days) => {
                view.policy().enrolment_warning_days.iter().max().is_some_and(|most| days < *most)
            }
            Self::Over => true,
        }
    }
}

/// Until when a node in its epoch is enrolled, renewals included; none when it is not, or is cut off.
pub fn of_writer(view: &View, writer: (NodeId, u32)) -> Option<Millis> {
    let authority = view.authority();
    let of_writer = |e: &&hub_core::view::authority::Enrolled| {
        (e.enrolment.node, e.enrolment.epoch) == writer && e.withdrawn.is_none()
    };
    let ends = authority.enrolments.iter().filter(of_writer).map(|e| e.enrolment.expires).max();
    ends.filter(|_| !authority.cuts.contains_key(&writer))
}

/// Until when each direct child is enrolled, in its newest epoch, in order of node.
pub fn of_children(replica: &Replica) -> Vec<ChildExpiry> {
    let children = status::children(replica);
    let view = replica.read();
    let expiry = |node: NodeId| {
        let newest = view.authority().epochs_of(node).last()?;
        let expires = of_writer(&view, (node, newest))?;
        Some(ChildExpiry { node, expires })
    };
    children.into_iter().filter_map(expiry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::id::FederationId;

    #[test]
    fn it_is_said_at_each_of_the_policys_days() {
        const NOW: Millis = 1_795_700_000_000;
        let view = View::new(FederationId::NIL, [0; 32]);
        let left = |days: u64| Left::of(&view, NOW + days * DAY_MILLIS, NOW);
        let told = [61, 60, 59, 30, 29, 7, 6].map(left);
        let under = |days| Left::Under(days);
        let expected =
            [Left::Long, Left::Long, under(60), under(60), under(30), under(30), under(7)];
        assert_eq!(told, expected);
        assert_eq!(Left::of(&view, NOW, NOW), Left::Over);
        assert_eq!(Left::of(&view, NOW - 1, NOW), Left::Over);
        let urgent = told.map(|left| left.is_urgent(&view));
        assert_eq!(urgent, [false, false, false, false, true, true, true]);
        assert!(Left::Over.is_urgent(&view));
    }
}
