//! Five levels: a province, two cities, four counties, eight townships, sixteen enterprises; and a
//! standby that follows the first city.

use hub_core::id::UnitId;

/// Nodes that serve a unit of their own.
pub(super) const SERVING: usize = 31;
/// The standby.
pub(super) const STANDBY: usize = 31;
/// The node whose journal it follows.
pub(super) const FOLLOWED: usize = 1;
/// All nodes.
pub(super) const NODES: usize = 32;

pub(super) fn parent(node: usize) -> Option<usize> {
    match node {
        0 => None,
        STANDBY => Some(FOLLOWED),
        _ => Some((node - 1) / 2),
    }
}

/// Children and followers.
pub(super) fn below(node: usize) -> Vec<usize> {
    (0..NODES).filter(|other| parent(*other) == Some(node)).collect()
}

pub(super) fn is_leaf(node: usize) -> bool {
    node >= SERVING / 2
}

pub(super) fn unit(node: usize) -> UnitId {
    UnitId::of_territory(&format!("99{node:04}"), 2026)
}

pub(super) fn node_of(unit: UnitId) -> Option<usize> {
    (0..SERVING).find(|node| self::unit(*node) == unit)
}

/// Whether `upper` is `node` or an ancestor of it.
pub(super) fn is_above(upper: usize, node: usize) -> bool {
    let mut at = Some(node);
    while let Some(here) = at {
        if here == upper {
            return true;
        }
        at = parent(here);
    }
    false
}

pub(super) fn concerns(node: usize, audience: usize) -> bool {
    is_above(node, audience) || is_above(audience, node)
}
