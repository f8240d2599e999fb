//! The time a call may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

/// While this lives, statements of its connection end when their time is up, and once it is dropped they end at once:
/// a caller that goes away leaves no statement behind that keeps the connection from the next one.
pub(super) struct TimeLimit(Arc<AtomicBool>);

impl TimeLimit {
    /// SQLite virtual machine instructions between two questions whether to go on: some 50 microseconds.
    const INSTRUCTIONS: i32 = 10_000;

    /// Gives `connection` the time `limit` from now on.
    pub(super) async fn set(connection: &mut SqliteConnection, limit: Duration) -> Result<Self, StoreError> {
        let ended = Arc::new(AtomicBool::new(false));
        let (start, asked) = (Instant::now(), Arc::clone(&ended));
        // Takes the place of the last call's, which says no by now.
        connection.lock_handle().await?.set_progress_handler(Self::INSTRUCTIONS, move || {
            !asked.load(Ordering::Relaxed) && start.elapsed() < limit
        });
        Ok(Self(ended))
    }
}

impl Drop for TimeLimit {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0";
    const HOUR: Duration = Duration::from_secs(3_600);

    async fn connect() -> SqliteConnection {
        SqliteConnection::connect("sqlite::memory:").await.unwrap()
    }

    async fn run(connection: &mut SqliteConnection, limit: Duration, sql: &'static str) -> Result<(), StoreError> {
        let _limit = TimeLimit::set(connection, limit).await?;
        sqlx::query(sql).fetch_all(connection).await?;
        Ok(())
    }

    #[tokio::test]
    async fn an_endless_statement_is_ended_and_the_next_one_is_not() {
        let mut connection = connect().await;
        for _ in 0..3 {
            let ended = run(&mut connection, Duration::from_millis(20), ENDLESS).await;
            assert!(matches!(ended, Err(StoreError::TimeLimit)), "{ended:?}");
            // Long enough for the question to be asked many times.
            let long =
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT MAX(i) FROM n";
            run(&mut connection, HOUR, long).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_statement_whose_caller_has_gone_is_ended() {
        let mut connection = connect().await;
        for _ in 0..3 {
            tokio::time::timeout(Duration::from_millis(20), run(&mut connection, HOUR, ENDLESS)).await.unwrap_err();
            // Were it still running, there would be no answer for an hour.
            run(&mut connection, HOUR, "SELECT 1").await.unwrap();
        }
    }
}
