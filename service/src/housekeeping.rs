//! Forgets, bit by bit, what is too old to matter: events and deliveries that are done, idempotency keys.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How often. All replicas do it: each takes what the others have left.
const EVERY: Duration = Duration::from_secs(60);

/// How long what is done is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Events that others sent.
    pub events: Duration,
    /// Deliveries to others.
    pub deliveries: Duration,
}

/// Forgets events and deliveries that were done for `retention`, and old keys, until `stop`.
pub async fn run(store: Arc<dyn Store>, clock: Clock, retention: Retention, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let now = clock();
        let before = |retention: Duration| Timestamp::from(now.to_utc() - retention);
        // Each takes a bounded number at a time.
        while !stop.is_cancelled() && took("events", store.prune_inbox(before(retention.events)).await) {}
        let deliveries = before(retention.deliveries);
        while !stop.is_cancelled() && took("deliveries", store.prune_deliveries(deliveries).await) {}
        while !stop.is_cancelled() && took("idempotency keys", store.prune_keys(now).await) {}
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Whether a pruning took anything, so that there may be more.
fn took(what: &str, pruned: Result<u64, StoreError>) -> bool {
    match pruned {
        Ok(pruned) => {
            tracing::debug!(pruned, "old {what} forgotten");
            pruned > 0
        }
        Err(error) => {
            tracing::warn!("cannot forget old {what}: {error}");
            false
        }
    }
}
