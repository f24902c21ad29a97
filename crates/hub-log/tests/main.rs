//! The journal, vault and backups on real files.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod backup;
mod beside;
mod blocks;
mod damage;
mod faults;
mod index;
mod journal;
mod layout;
mod live;
mod power;
mod vault;
