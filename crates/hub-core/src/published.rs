//! What every copy of this program publishes with its numbers: the texts of `schemas/` that define policy,
//! indicators and catalogue, and the hashes by which citations name them.

use crate::hash::{Hash, sha256};

/// Policy 1: parameters and rule-set version (JSON).
pub const POLICY: &str = include_str!("../../../schemas/policy.json");
/// The definitions of the indicators (JSON).
pub const INDICATORS: &str = include_str!("../../../schemas/indicators.json");
/// Forms and elements of declared figures (JSON).
pub const CATALOG: &str = include_str!("../../../schemas/catalog.json");

/// The hash by which a citation names [`POLICY`].
pub fn policy_hash() -> Hash {
    sha256(&[POLICY.as_bytes()])
}

/// The hash by which a citation names [`INDICATORS`].
pub fn definitions_hash() -> Hash {
    sha256(&[INDICATORS.as_bytes()])
}

/// The hash by which a citation names [`CATALOG`].
pub fn catalog_hash() -> Hash {
    sha256(&[CATALOG.as_bytes()])
}
