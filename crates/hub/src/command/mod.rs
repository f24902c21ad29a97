//! The commands: each thin over the core and the node's books. Parsing is `cli`, words are
//! `render::words`, files and the screen are the caller's.

pub mod audit;
pub mod audit_check;
pub mod audit_trail;
pub mod backup;
pub mod branch;
pub mod branch_acts;
pub mod bundle;
pub mod cases;
pub mod clock;
mod corrections;
pub mod enrol;
pub mod error;
pub mod explain;
pub mod figure;
pub mod figure_acts;
pub mod findings;
pub mod flows;
pub mod follow;
pub mod fork;
pub mod intake;
pub mod log;
pub mod member_acts;
pub mod member_import;
mod member_plan;
pub mod missing;
pub mod names;
pub mod nats_config;
pub mod past;
pub mod period;
pub mod query;
pub mod revoke;
pub mod roster;
pub mod run;
pub mod session;
pub mod status;
pub mod undo;
pub mod unit;
pub mod unit_acts;
pub mod unit_succeed;

pub use error::CommandError;
pub use session::{Session, Shared};
