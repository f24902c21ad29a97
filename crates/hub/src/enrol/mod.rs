//! How nodes come to be: the founding of a federation, and enrolment by request, approval and acceptance
//! (DESIGN §9). Files and the courier carry the same bytes.

mod accept;
mod approve;
mod clock;
mod error;
mod follow;
mod found;
mod request;
mod seal;
#[cfg(test)]
mod tests;
mod token;

pub use accept::{Accepted, accept};
pub(crate) use approve::chain_file;
pub use approve::{Approval, Approved, approve, is_proven, requested};
pub use clock::{Clocks, Verdict};
pub use error::EnrolError;
pub use follow::{admit, follow};
pub use found::{Founding, found};
pub use request::{Asking, is_root, renew, renew_root, request};
pub use token::{TokenRefused, Tokens};

/// The name of the key to which the person key is sealed.
const SEALING_KEY: &str = "sealing";
