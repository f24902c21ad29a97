//! A seeded world of replicas: real machines, real blocks and signatures; disks, couriers and clocks in
//! memory. One seed makes everything that happens; after the faults the world heals and must converge.

mod chaos;
mod check;
mod courier;
mod disk;
mod replica;
mod tally;
mod traffic;
mod tree;
mod world;

pub use tally::Tally;
pub use world::{Failure, run};
