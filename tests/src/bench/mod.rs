//! Measurements behind `ops/bench`: each on real parts, beside the machine's own limits (DESIGN §14).

pub mod answers;
pub mod error;
pub mod late;
pub mod limits;
pub mod links;
pub mod pen;
pub mod place;
pub mod province;
pub mod raw;
pub mod replay;
pub mod report;
pub mod roster;
pub mod writing;
