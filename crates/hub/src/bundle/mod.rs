//! Bundles at one node: made from its journal, taken into it, and what is kept between the two.
//!
//! The sync machine speaks and listens as over NATS; here it speaks into files. Nothing else differs: what
//! a bundle brings is judged block by block, what it lost is sent again from the last receipt.

mod desk;
mod error;
mod make;
mod shelf;
mod signer;

pub use desk::{Desk, Part, Taken};
pub use error::BundleFailure;
pub use make::{Made, Order, make};
pub use shelf::Shelf;
pub use signer::keys_within;
