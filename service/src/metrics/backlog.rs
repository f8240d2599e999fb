//! What waits in the database, asked now and then: a scrape must not wait for the database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farmlokal_catalog::store::{Backlog, Store};
use tokio_util::sync::CancellationToken;

/// How often.
const EVERY: Duration = Duration::from_secs(5);

/// Knows what waited when it last asked.
#[derive(Debug, Clone, Default)]
pub struct Sampler(Arc<Mutex<Option<Backlog>>>);

impl Sampler {
    /// What waited; `None` while that is not known.
    pub fn latest(&self) -> Option<Backlog> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks `store` until `stop`.
    pub async fn run(self, store: Arc<dyn Store>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let backlog = store.backlog().await;
            if let Err(error) = &backlog {
                tracing::debug!("what waits in the database is not known: {error}");
            }
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = backlog.ok();
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}
