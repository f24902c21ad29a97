//! Keeps nodes below told of what they lack: looks once a second whether anything is new, and rests after
//! work for many times as long as the work took.

use crate::replica::{PORTION, Replica};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it looks; a node where nothing is new compares two numbers then.
const LOOK: Duration = Duration::from_secs(1);
/// How many times as long as it worked it rests.
const REST: u32 = 10;

/// Runs until the runtime ends.
pub(super) async fn run(replica: Arc<Replica>) {
    let mut rest = LOOK;
    loop {
        tokio::time::sleep(rest).await;
        let (since, replica) = (Instant::now(), replica.clone());
        let written = tokio::task::spawn_blocking(move || replica.restate(PORTION)).await;
        rest = (since.elapsed() * REST).max(LOOK);
        match written {
            Ok(Ok(0)) => {}
            Ok(Ok(facts)) => tracing::info!(facts, "restated to nodes below"),
            Ok(Err(error)) => tracing::warn!(%error, "nothing is restated to nodes below"),
            Err(_) => return,
        }
    }
}
