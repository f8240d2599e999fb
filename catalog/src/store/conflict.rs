//! Delays before a transaction runs again that the database has undone in favour of another.

use std::time::Duration;

/// The longest delay before each retry.
pub(super) const RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(100)];

/// Waits up to `longest`: a random time, so that two transactions that were in each other's way do not meet again.
pub(super) async fn pause(error: &sqlx::Error, longest: Duration) {
    tracing::debug!(%error, "the database undid a transaction in favour of another; running it again");
    tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
}
