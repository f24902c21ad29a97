//! Keeps nodes below told of what they lack: looks once a second whether anything is new, and rests after
//! work for many times as long as the work took.

use crate::replica::{PORTION, Replica, WriteError};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many times as long as it worked it rests.
const REST: u32 = 10;

/// When it looks again.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// How often it looks; a node where nothing is new compares two numbers then.
    look: Duration,
    /// How long it rests after it panicked: what made it panic mostly does so again.
    panicked: Duration,
}

const PACE: Pace = Pace { look: Duration::from_secs(1), panicked: Duration::from_secs(600) };

/// Runs until the runtime ends.
pub(super) async fn run(replica: Arc<Replica>) {
    rounds(PACE, move || replica.restate(PORTION)).await;
}

/// Restates round after round. A round that panics has written nothing by halves and ends no other: it is told,
/// and there is a next.
async fn rounds<F>(pace: Pace, restate: F)
where
    F: Fn() -> Result<usize, WriteError> + Clone + Send + 'static,
{
    let mut rest = pace.look;
    loop {
        tokio::time::sleep(rest).await;
        let since = Instant::now();
        let written = tokio::task::spawn_blocking(restate.clone()).await;
        rest = (since.elapsed() * REST).max(pace.look);
        match written {
            Ok(Ok(0)) => {}
            Ok(Ok(facts)) => tracing::info!(facts, "restated to nodes below"),
            Ok(Err(error)) => tracing::warn!(%error, "nothing is restated to nodes below"),
            Err(error) if error.is_panic() => {
                rest = pace.panicked;
                tracing::error!(%error, "restating to nodes below failed; it is tried again later");
            }
            // the runtime ends
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc;

    /// Far more than a round takes on any machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_round_that_panics_is_not_the_last() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let (told, hears) = mpsc::channel();
        let told = Arc::new(Mutex::new((0_usize, told)));
        let round = move || {
            let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            told.0 += 1;
            told.1.send(told.0).unwrap();
            assert_ne!(told.0, 1, "the first round fails");
            Ok(0)
        };
        let soon = Duration::from_millis(1);
        runtime.spawn(rounds(Pace { look: soon, panicked: soon }, round));
        for number in 1..=3 {
            assert_eq!(hears.recv_timeout(PATIENCE), Ok(number));
        }
        runtime.shutdown_background();
    }
}
