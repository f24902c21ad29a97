//! Where a draft is to flow.

use hub_core::id::Lane;

/// Where a draft is to flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LaneChoice {
    /// Where its subject says.
    #[default]
    Auto,
    /// As the writer states.
    Lane(Lane),
}
