//! `hub bundle`: the federation by files alone.

mod export;
mod import;
mod inspect;
mod receipt;

pub use crate::bundle::Since;
pub use export::{ExportOptions, Recipient, export};
pub use import::{ImportOptions, import};
pub use inspect::{InspectOptions, inspect};
pub use receipt::{give, hear};

use super::error::CommandError;
use crate::bundle::{BundleFailure, checked};
use crate::command_io::CommandIo;
use hub_core::block::Block;
use hub_node::bundle::BundleError;
use hub_node::limits::BUNDLE_FILE_BYTES_MAX;
use std::io::Read;

impl From<BundleFailure> for CommandError {
    fn from(error: BundleFailure) -> Self {
        Self::Machine(error.to_string())
    }
}

/// Reads a file of the caller that may be a bundle; never more of it than a bundle may be long.
fn read(io: &dyn CommandIo, path: &str) -> Result<Vec<u8>, CommandError> {
    let failed = |error| CommandError::File { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = io.read_file(path).map_err(failed)?;
    file.take(BUNDLE_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// All whole blocks of a bundle, in its order; nothing is taken for true of them.
///
/// # Errors
/// The file cannot be read, or is no bundle.
pub fn blocks_of(io: &dyn CommandIo, path: &str) -> Result<Vec<Block>, CommandError> {
    let bytes = read(io, path)?;
    let bundle = checked(&bytes).map_err(|error| not_a_bundle(path, &error))?;
    Ok(bundle.blocks().collect())
}

fn not_a_bundle(path: &str, error: &BundleError) -> CommandError {
    CommandError::refused(
        format!("{path}:不是完整的封套({error})"),
        format!("{path}: not a whole bundle ({error})"),
    )
}
