//! Why a command did not do what was asked.

use crate::config::ConfigError;
use crate::import::{ImportError, Problem};
use crate::keys::KeyError;
use crate::render::words::{self, Lang};
use crate::replica::{ReplicaError, WriteError};
use hub_core::query::QueryError;
use hub_log::vault::VaultError;
use std::fmt;
use std::io;

/// Why a command failed. Exit code 2, except where [`CommandError::exit`] says otherwise.
#[derive(Debug)]
pub enum CommandError {
    /// An argument that does not fit.
    Argument {
        /// What was typed.
        typed: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// Something that cannot be done now, in both languages.
    Refused {
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
    /// An import file is refused as a whole.
    Import {
        /// The file.
        path: String,
        /// Why.
        error: ImportError,
    },
    /// One of the caller's files.
    File {
        /// Which.
        path: String,
        /// What the file system says.
        error: io::Error,
    },
    /// The screen is gone: quiet.
    Screen(io::Error),
    /// The question has no answer.
    Query(QueryError),
    /// The node's configuration.
    Config(ConfigError),
    /// The node's keys.
    Key(KeyError),
    /// The node's books cannot be opened or read.
    Replica(ReplicaError),
    /// The facts could not be written.
    Write(WriteError),
    /// The vault.
    Vault(VaultError),
    /// Anything of the machine below, as it says itself.
    Machine(String),
}

impl CommandError {
    /// A refusal in both languages.
    pub fn refused(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Refused { zh: zh.into(), en: en.into() }
    }

    /// An argument that does not fit.
    pub fn argument(typed: impl Into<String>, problem: Problem) -> Self {
        Self::Argument { typed: typed.into(), problem }
    }

    /// The exit code: 1 where a name matches nothing, else 2.
    pub fn exit(&self) -> u8 {
        match self {
            Self::Argument {
                problem: Problem::UnknownUnit | Problem::UnknownBranch | Problem::UnknownCase,
                ..
            } => 1,
            Self::Screen(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            _ => 2,
        }
    }

    /// What is said of it.
    pub fn message(&self, lang: Lang) -> String {
        match self {
            Self::Argument { typed, problem } => {
                let (what, mend) = (words::problem(lang, problem), words::mend(lang, problem));
                lang.pick(format!("“{typed}”:{what}。{mend}"), format!("“{typed}”: {what}; {mend}"))
            }
            Self::Refused { zh, en } => lang.pick(zh, en).clone(),
            Self::Import { path, error } => {
                let what = words::import_error(lang, error);
                if path.is_empty() { what } else { format!("{path}: {what}") }
            }
            Self::File { path, error } => {
                lang.pick(format!("文件 {path}:{error}"), format!("{path}: {error}"))
            }
            Self::Screen(error) => error.to_string(),
            Self::Query(error) => words::query_error(lang, error),
            Self::Config(error) => lang.pick(format!("配置文件:{error}"), error.to_string()),
            Self::Key(error) => lang.pick(format!("密钥:{error}"), error.to_string()),
            Self::Replica(error) => words::replica_error(lang, error),
            Self::Write(error) => words::write_error(lang, error),
            Self::Vault(error) => lang.pick(format!("人员信息库:{error}"), error.to_string()),
            Self::Machine(error) => error.clone(),
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Lang::En))
    }
}

impl std::error::Error for CommandError {}

macro_rules! from {
    ($($error:ty => $variant:ident),* $(,)?) => {$(
        impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    QueryError => Query,
    ConfigError => Config,
    KeyError => Key,
    ReplicaError => Replica,
    WriteError => Write,
    VaultError => Vault,
}
