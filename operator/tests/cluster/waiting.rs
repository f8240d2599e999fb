//! Waiting for controllers: looks again until it is so, or patience ends.

use std::time::{Duration, Instant};

/// How long controllers may take.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN: Duration = Duration::from_millis(100);

/// Looks until there is something; `what` names it for the failure.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come within {PATIENCE:?}");
        tokio::time::sleep(BETWEEN).await;
    }
}
