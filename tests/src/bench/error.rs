//! Why a measurement could not be taken.

use std::fmt;

/// A step that failed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchError {
    /// What was done.
    pub step: String,
    /// What went wrong.
    pub cause: String,
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.cause)
    }
}

impl std::error::Error for BenchError {}

/// Makes an error of a failed step.
pub fn failed<E: fmt::Display>(step: &str) -> impl FnOnce(E) -> BenchError + use<'_, E> {
    move |cause| BenchError { step: step.to_owned(), cause: cause.to_string() }
}
