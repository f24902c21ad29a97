//! Five levels: a province, two cities, four counties, eight townships, sixteen enterprises; and a
//! standby that follows the first city. In some worlds a county moves to the other city.

use hub_core::id::UnitId;
use hub_core::time::Millis;

/// Nodes that serve a unit of their own.
pub(crate) const SERVING: usize = 31;
/// The standby.
pub(crate) const STANDBY: usize = 31;
/// The node whose journal it follows.
pub(crate) const FOLLOWED: usize = 1;
/// All nodes.
pub(crate) const NODES: usize = 32;

/// The tree as it is now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tree {
    /// A node with all below it that stands elsewhere by now, where, and since when.
    pub(crate) moved: Option<(usize, usize, Millis)>,
}

impl Tree {
    pub(crate) fn parent(&self, node: usize) -> Option<usize> {
        match (node, self.moved) {
            (0, _) => None,
            (STANDBY, _) => Some(FOLLOWED),
            (_, Some((moved, to, _))) if moved == node => Some(to),
            _ => Some((node - 1) / 2),
        }
    }

    /// The tree before the move.
    pub(crate) fn before(&self) -> Self {
        Self::default()
    }

    /// Children and followers.
    pub(crate) fn below(&self, node: usize) -> Vec<usize> {
        (0..NODES).filter(|other| self.parent(*other) == Some(node)).collect()
    }

    /// Whether `upper` is `node` or an ancestor of it.
    pub(crate) fn is_above(&self, upper: usize, node: usize) -> bool {
        let mut at = Some(node);
        while let Some(here) = at {
            if here == upper {
                return true;
            }
            at = self.parent(here);
        }
        false
    }

    /// Whether lanes of the audience flow to the node for good.
    pub(crate) fn concerns(&self, node: usize, audience: usize) -> bool {
        self.is_above(node, audience) || self.is_above(audience, node)
    }

    /// Up to when lanes of an audience flow to a node because what stands at or below it now once stood below
    /// that.
    pub(crate) fn concerned(&self, node: usize, audience: usize) -> Option<Millis> {
        let (moved, _, at) = self.moved?;
        let was = self.before().is_above(audience, moved) && self.concerns(node, moved);
        was.then_some(at)
    }
}

pub(crate) fn is_leaf(node: usize) -> bool {
    node >= SERVING / 2
}

pub(crate) fn unit(node: usize) -> UnitId {
    UnitId::of_territory(&format!("99{node:04}"), 2026)
}

pub(crate) fn node_of(unit: UnitId) -> Option<usize> {
    (0..SERVING).find(|node| self::unit(*node) == unit)
}
