//! Every word people read, in Chinese and English, in one place (DOMAIN §9).
//!
//! Nothing here names the machine's own parts: a cadre meets 工会, 单位, 会员, 凭据, never a lane or a hash
//! by another name than 校验码.

pub mod case;
pub mod fact;
mod failure;
mod finding;
pub mod help;
mod import;

pub use failure::{query_error, reason, replica_error, signing_refused, write_error};
pub use finding::{NamedThings, element, finding, finding_name, form};
pub use import::{import_error, import_result, mend, problem};

/// The language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The one of two texts that is in this language.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}
