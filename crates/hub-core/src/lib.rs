//! What is true: facts, blocks, chains, rules, fold, views, answers, audit.
//!
//! Deliberately absent: IO, clocks, randomness, threads of a runtime, unordered maps. Whoever calls says
//! what time it is and hands in the bytes; so the daemon, the bundles, the audit and the simulator run
//! the same code.

pub mod audit;
pub mod block;
pub mod case;
pub mod catalog;
pub mod causes;
pub mod chain;
pub mod check_digit;
pub mod closing;
pub mod codec;
pub mod codes;
pub mod explain;
pub mod export;
pub mod fact;
pub mod findings;
pub mod flow;
pub mod hash;
pub mod header;
pub mod id;
pub mod known;
pub mod lane;
pub mod measure;
pub mod period;
pub mod person;
pub mod policy;
pub mod published;
pub mod query;
pub mod rate;
pub mod replay;
pub mod reporting;
pub mod rollup;
pub mod texts;
pub mod time;
pub mod view;

/// Ed25519 keys, as every crate of the hub uses them.
pub use ed25519_dalek::{SigningKey, VerifyingKey};
