//! What the daemon tells its operator: standard error, filtered by `HUB_LOG`.

use tracing_subscriber::EnvFilter;

/// The environment variable with the filter, e.g. `debug` or `hub::nats=debug,warn`.
const VARIABLE: &str = "HUB_LOG";
/// What is said by default: names of nodes and what happens to blocks, never what is in them.
const DEFAULT: &str = "info,async_nats=warn";

/// Starts logging for this process; a second call does nothing. A filter that cannot be read is replaced
/// by the default one.
pub fn start_log() {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging had been started before");
    }
}
