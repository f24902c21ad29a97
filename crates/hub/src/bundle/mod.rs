//! Bundles at one node: made from its journal, taken into it, and what is kept between the two.
//!
//! The sync machine speaks and listens as over NATS; here it speaks into files. Nothing else differs: what
//! a bundle brings is judged block by block, what it lost is sent again from the last receipt.

mod desk;
mod error;
mod intake;
mod make;
mod outgoing;
mod shelf;
mod signer;
mod spoken;
mod told;

pub use desk::{Desk, Part, Taken};
pub use error::BundleFailure;
pub use intake::{Arrived, Outcome, checked, damaged, name_of, take_all};
pub use make::{Made, Order, make};
pub use outgoing::{Since, send};
pub use shelf::Shelf;
pub use signer::keys_within;
pub use spoken::{Spoken, SpokenError, Subject, secret_of};
pub use told::{NotTold, Told, issue, take, told};
